"""Does a whole run keep to `--time`, also on a busy machine, and is there always a rival without the base?

Runs `headstart adapt` as a user would, each time with a Headstart home of its own, so that nothing comes from a cache.
Prints one line a run. Usage: `python benchmarks/time_limit.py DATA --time 2m [--busy 0 4] [-- more options of adapt]`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OVERRUN_SHARE, OVERRUN_SECONDS = 0.1, 10.0
SETTLING_SECONDS = 5.0
"""Busy processes run so long before the command starts."""


@dataclass(frozen=True, kw_only=True)
class TimedRun:
    """One run of `adapt` from outside; `document` is its result.json, None where it ended with an error."""

    n_busy: int
    load: float
    seconds: float
    document: dict[str, Any] | None
    error: str


@contextmanager
def busy_processes(n_busy: int) -> Iterator[None]:
    """Keep so many processes computing while the block runs."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n_busy)]
    try:
        time.sleep(SETTLING_SECONDS if n_busy else 0.0)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run_adapt(data: Path, limit: str, n_busy: int, options: Sequence[str]) -> TimedRun:
    """Adapt a model beside busy processes and measure the wall time of the whole command."""
    command = shutil.which("headstart") or str(Path(sys.executable).with_name("headstart"))
    with tempfile.TemporaryDirectory() as folder, busy_processes(n_busy):
        environment = {**os.environ, "HEADSTART_HOME": str(Path(folder) / "home")}
        out = Path(folder) / "out"
        began, load = time.monotonic(), os.getloadavg()[0]
        done = subprocess.run(
            [command, "adapt", str(data), "-o", str(out), "--time", limit, *options],
            capture_output=True, text=True, env=environment, check=False,
        )  # fmt: skip
        seconds, written = time.monotonic() - began, out / "result.json"
        document = json.loads(written.read_text("utf-8")) if done.returncode == 0 else None
    return TimedRun(n_busy=n_busy, load=load, seconds=seconds, document=document, error=done.stderr.strip()[-300:])


def seconds_of(limit: str) -> float:
    """Read a limit such as 90s, 2m or 1h."""
    return float(limit[:-1]) * {"s": 1, "m": 60, "h": 3_600}[limit[-1]]


def line(run: TimedRun, limit: str) -> str:
    """Write one run as a line of a table."""
    allowed = seconds_of(limit) + max(OVERRUN_SHARE * seconds_of(limit), OVERRUN_SECONDS)
    kept = "yes" if run.seconds <= allowed else "NO"
    begin = f"| {run.n_busy} | {run.load:.1f} | {limit} | {run.seconds:.0f} s | {kept} |"
    if run.document is None:
        return f"{begin} {' '.join(run.error.split())} | - | - |"
    rows, verdict = run.document["n_rows"], run.document["verdict"]
    steps = ", ".join(f"{name} {spent:.0f}" for name, spent in run.document["seconds"].items() if name != "total")
    return f"{begin} {rows['train']:,} | {verdict['strategy']} against {verdict['against']} | {steps} |"


def main() -> None:
    """Run once for every number of busy processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--time", default="2m")
    parser.add_argument("--busy", type=int, nargs="*", default=[0, 4])
    parser.add_argument("options", nargs="*", help="further options of adapt, after --")
    chosen = parser.parse_args()
    print("| busy processes | load at start | --time | took | kept | training rows | verdict | seconds of the steps |")
    print("|--:|--:|--:|--:|---|--:|---|---|")
    for n_busy in chosen.busy:
        print(line(run_adapt(chosen.data, chosen.time, n_busy, chosen.options), chosen.time), flush=True)


if __name__ == "__main__":
    main()
