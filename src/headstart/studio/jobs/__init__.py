"""Long work: command lines of Headstart in child processes, one at a time on this machine.

`runner` starts and watches them, `child` is what they do beside their work, `streams` sends their news to pages. A job
outlives its server: a new one takes up those that live and starts again those that died.
"""
