"""Looking at what a model did: its test rows one by one, labels that were corrected, and two models side by side.

Everything is read from the files of a run; nothing is predicted again.
"""
