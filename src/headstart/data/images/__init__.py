"""Folders and tables of images as rows."""
