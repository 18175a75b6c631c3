"""A job for tests: `slow_job.py LOG SECONDS` notes in LOG that it begins, works, and ends or is stopped.

A file LOG.go beside LOG lets it end at once.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from headstart.studio.jobs.child import run_job
from headstart.studio.jobs.events import EventWriter

STEP_SECONDS = 0.02


def work(writer: EventWriter) -> None:
    log, seconds = Path(sys.argv[1]), float(sys.argv[2])

    def note(words: str) -> None:
        with log.open("a") as file:
            file.write(f"{words}\n")

    note("begin")
    try:
        for number in range(round(seconds / STEP_SECONDS)):
            if log.with_name(f"{log.name}.go").exists():
                break
            writer.write("progress", share=number * STEP_SECONDS / seconds)
            time.sleep(STEP_SECONDS)
    except KeyboardInterrupt as error:
        note("stopped")
        raise SystemExit(130) from error
    note("end")


if __name__ == "__main__":
    run_job(Path(os.environ["HEADSTART_PROGRESS"]), work)
