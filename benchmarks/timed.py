"""Run a command as a user would and measure it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Measured:
    """What a command took and gave; `document` is None where it failed, and `error` says why.

    `cpu_seconds` is the time of all cores together, which other programs on the machine lengthen little.
    """

    seconds: float
    peak_gib: float
    document: dict[str, Any] | None
    error: str = ""
    cpu_seconds: float = 0.0


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, limit_seconds: float | None = None
) -> Measured:
    """Run a command whose standard output ends in one JSON document; end it after `limit_seconds`."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            list(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if os.environ.get("BENCH_VERBOSE") else said,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **(environment or {})},
        )
        assert process.stdout is not None
        ended = threading.Timer(limit_seconds or threading.TIMEOUT_MAX, process.kill)
        ended.daemon = True
        ended.start()
        with process.stdout as output:
            written = output.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        seconds, code = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
        ended.cancel()
        process.returncode = code
        said.seek(max(0, said.seek(0, os.SEEK_END) - 2000))
        last = said.read().decode(errors="replace").strip().splitlines()[-1:]
    cpu = usage.ru_utime + usage.ru_stime
    measured = Measured(seconds, usage.ru_maxrss / 2**20, None, " ".join([f"exit code {code}", *last]), cpu)
    if limit_seconds is not None and seconds >= limit_seconds:
        return replace(measured, error=f"> {limit_seconds:.0f} s")
    start = written.find("{")
    return measured if code or start < 0 else replace(measured, document=json.loads(written[start:]), error="")


def adapt(data: Path, out: Path, home: Path, *options: str, limit_seconds: float | None = None) -> Measured:
    """Run the public command `headstart adapt` with its own home folder."""
    command = [str(Path(sys.executable).with_name("headstart")), "adapt", str(data), "-o", str(out), "--json", *options]
    return run(command, {"HEADSTART_HOME": str(home)}, limit_seconds)


def script(name: str, *arguments: str) -> Measured:
    """Run one of the scripts of this folder."""
    return run([sys.executable, str(HERE / name), *arguments])
