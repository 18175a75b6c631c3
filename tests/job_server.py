"""A server that does nothing but look after the jobs of one project, to be killed by tests: `job_server.py PROJECT`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from headstart.projects import Project
from headstart.studio.jobs.runner import JobRunner

if __name__ == "__main__":
    project = Project.open(sys.argv[1])
    runner = JobRunner(lambda: [project], program=(sys.executable, str(Path(__file__).with_name("slow_job.py"))))
    runner.start()
    while True:
        time.sleep(1)
