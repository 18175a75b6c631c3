"""Download base models over a bad line: files of a hub repository, each whole, checked and pinned, or not there at all.

Only `connections.py` opens a connection. Nothing here reads what a file holds, except the small JSON of our own.
"""
