"""Answers carried to and from other systems: KoboToolbox, and messages that arrive one by one."""
