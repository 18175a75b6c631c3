"""Download base models over a bad line: files of a hub repository, each whole, checked and pinned, or not there at all.

Only `connections.py` opens a connection. Of what a file holds only its JSON is read here.
"""
