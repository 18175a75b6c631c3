"""Run a command as a user would and measure it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Measured:
    """What a command took and gave; `document` is None where it failed, and `error` says why."""

    seconds: float
    peak_gib: float
    document: dict[str, Any] | None
    error: str = ""


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command whose standard output ends in one JSON document."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if os.environ.get("BENCH_VERBOSE") else subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **(environment or {})},
    )
    assert process.stdout is not None
    written = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds, code = time.perf_counter() - began, os.waitstatus_to_exitcode(status)
    process.returncode = code
    start = written.find("{")
    if code or start < 0:
        return Measured(seconds, usage.ru_maxrss / 2**20, None, f"exit code {code}")
    return Measured(seconds, usage.ru_maxrss / 2**20, json.loads(written[start:]))


def adapt(data: Path, out: Path, home: Path, *options: str) -> Measured:
    """Run the public command `headstart adapt` with its own home folder."""
    command = [str(Path(sys.executable).with_name("headstart")), "adapt", str(data), "-o", str(out), "--json", *options]
    return run(command, {"HEADSTART_HOME": str(home)})


def script(name: str, *arguments: str) -> Measured:
    """Run one of the scripts of this folder."""
    return run([sys.executable, str(HERE / name), *arguments])
