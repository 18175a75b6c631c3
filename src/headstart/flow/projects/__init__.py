"""Projects at work: reading data into them, putting examples away for the check, adapting on them.

`headstart.projects` is the store; here it meets the readers and the run.
"""
