"""Run hostile inputs, each in a process of its own that is forked from one that has imported everything.

What may come of an input: exit code 2 with two lines, or 0; within seconds and 2 GB; no traceback; no connection;
nothing written, moved or taken away outside of its own folder.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.hostile.case import Case, Command, Request, Seeds

CPU_SECONDS, WALL_SECONDS = 30, 240
"""Of one input. Processor time counts; the other limit ends what waits, on a machine that does other work as well."""
MOST_BYTES = 2_000_000_000
MORE_ADDRESS_BYTES = 4_000_000_000
"""Of address space beyond what the imports take: it protects the machine; what was really used is compared."""
CONNECTING = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"})
CHANGING = {
    "os.mkdir": 1, "os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.link": 2, "os.symlink": 2, "os.truncate": 1,
    "os.chmod": 1, "shutil.rmtree": 1,
}  # fmt: skip
"""Audit events that change files, and how many of their arguments are paths."""
ROOMS = (
    "headstart.cli.main", "headstart.flow.inference.predict_files", "headstart.flow.adaptation.run", "headstart.flow.exports.export",
    "headstart.flow.external_validation.evaluate", "headstart.flow.inference.predict_memory", "headstart.web.app", "headstart.bases.vision",
    "headstart.bases.encoders", "headstart.features.openvino_runtime", "onnxruntime", "openpyxl", "pyarrow.parquet",
    "sklearn.linear_model", "starlette.testclient",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one input; `problems` is empty where that is right."""

    name: str
    problems: tuple[str, ...]
    seconds: float
    megabytes: float
    code: int | None = None
    text: str = ""


def import_rooms() -> None:
    """Import what the inputs run through, once for all of them; no thread is started."""
    for name in ROOMS:
        import_module(name)


def run_cases(cases: Iterable[Case], seeds: Seeds, scratch: Path, jobs: int = 2) -> Iterable[Outcome]:
    """Run cases, some at once, and return what came of each as it ends."""
    waiting = list(cases)[::-1]
    running: dict[int, tuple[Case, Path, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            case = waiting.pop()
            folder = Path(tempfile.mkdtemp(dir=scratch))
            running[_fork(case, seeds, folder)] = (case, folder, time.monotonic())
        number, status, usage = os.wait4(-1, os.WNOHANG)
        if number == 0:
            _end_late(running)
            time.sleep(0.02)
        elif number in running:
            case, folder, began = running.pop(number)
            yield _judge(case, folder, status, usage, time.monotonic() - began)
            shutil.rmtree(folder, ignore_errors=True)


def _end_late(running: dict[int, tuple[Case, Path, float]]) -> None:
    for number, (_, _, began) in running.items():
        if time.monotonic() - began > WALL_SECONDS:
            os.kill(number, signal.SIGKILL)


def _fork(case: Case, seeds: Seeds, folder: Path) -> int:
    number = os.fork()
    if number:
        return number
    code = 70
    try:
        code = _run(case, seeds, folder)
    except BaseException:
        (folder / "fault.txt").write_text(traceback.format_exc(), "utf-8")
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _run(case: Case, seeds: Seeds, folder: Path) -> int:
    """Run one input in this process: first make it, then watch."""
    inside = folder / "work"
    inside.mkdir()
    action = case.make(inside, seeds, case.random())
    if isinstance(action, Command) and action.quiet:
        (folder / "quiet").touch()
    home = action.home if isinstance(action, Command) and action.home else inside / "home"
    if not (isinstance(action, Command) and action.home):
        shutil.copytree(seeds.home, home, dirs_exist_ok=True)
    most = MORE_ADDRESS_BYTES + 4096 * int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS + 15, CPU_SECONDS + 20))
    for name in ("stdout", "stderr"):
        place = os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(place, 1 if name == "stdout" else 2)
        os.close(place)
    os.chdir(inside)
    os.environ.update({
        "HEADSTART_HOME": str(home), "HOME": str(inside), "TMPDIR": str(inside), "HF_HOME": str(inside / "hub"),
        "COLUMNS": "200", "NO_COLOR": "1",
    })  # fmt: skip
    tempfile.tempdir = str(inside)
    _watch(folder, inside, home)
    before = resource.getrusage(resource.RUSAGE_SELF)
    (folder / "began.json").write_text(json.dumps(before.ru_utime + before.ru_stime))
    return _send(action) if isinstance(action, Request) else _command(action)


def _watch(folder: Path, inside: Path, home: Path) -> None:
    """Write down every connection, and every change of a file outside of the input's folder and its home."""
    record = (folder / "events.txt").open("a", encoding="utf-8", buffering=1)
    allowed = tuple(str(place) for place in (folder, inside, home, "/dev/null", "/dev/shm", "/dev/tty"))

    def is_outside(path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return False
        text = os.path.realpath(os.fsdecode(path))
        return not text.startswith(allowed)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CONNECTING:
            target = arguments[1] if len(arguments) > 1 else arguments[0]
            if not isinstance(target, str | bytes) or event != "socket.connect":
                record.write(f"{event} {target}\n")
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            if is_outside(arguments[0]):
                record.write(f"written: {arguments[0]}\n")
        elif event in CHANGING:
            for path in arguments[: CHANGING[event]]:
                place = Path(os.fsdecode(path)).absolute()
                if place != home and is_outside(place.parent) and not (event == "os.mkdir" and place.is_dir()):
                    record.write(f"{event}: {path}\n")

    sys.addaudithook(hook)


def _command(command: Command) -> int:
    from headstart.cli.main import run

    sys.argv = ["headstart", *command.arguments]
    try:
        run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return 1
    return 0


def _send(request: Request) -> int:
    """Send a request to a server in this process; the exit code is the class of the answer's status."""
    from starlette.testclient import TestClient

    from headstart.options import ServeOptions
    from headstart.web.app import build_app
    from headstart.web.models import open_models

    options = ServeOptions(precision="float32")
    models = open_models([request.bundle], options)
    with TestClient(
        build_app(models, options, None), base_url="http://127.0.0.1", raise_server_exceptions=False
    ) as client:
        before = resource.getrusage(resource.RUSAGE_SELF)
        Path("../began.json").write_text(json.dumps(before.ru_utime + before.ru_stime))
        path = request.path.format(name=next(iter(models)))
        try:
            answer = client.request(request.method, path, content=request.body, headers=dict(request.headers))
        except ValueError as error:  # httpx refuses addresses that are too long before they are sent.
            print("not sent:", type(error).__name__)
            return 0
        health = client.get("/health")
    print(answer.status_code, answer.text[:300])
    return 0 if answer.status_code < 500 and health.status_code == 200 else 1


def _judge(case: Case, folder: Path, status: int, usage: resource.struct_rusage, seconds: float) -> Outcome:
    def read(name: str) -> str:
        path = folder / name
        return path.read_text("utf-8", errors="replace") if path.is_file() else ""

    code = os.waitstatus_to_exitcode(status)
    errors, events = read("stderr"), read("events.txt")
    begun = json.loads(read("began.json") or "0")
    spent = usage.ru_utime + usage.ru_stime - begun
    peak = usage.ru_maxrss * 1024
    lines = [line for line in errors.splitlines() if line.strip()]
    problems = [f"the corpus itself failed: {read('fault.txt').splitlines()[-1]}"] if read("fault.txt") else []
    if code not in (0, 2):
        ended = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
        problems.append(f"{ended}: {lines[0][:200] if lines else ''}")
    if "Traceback (most recent call last)" in errors or "fault in Headstart" in errors or "panicked at" in errors:
        problems.append("a traceback, a panic or a fault was printed")
    if code == 2 and not (len(lines) >= 2 and lines[-2].startswith("Error: ")):
        problems.append(f"no two lines: {errors[-200:]!r}")
    before = [line for line in lines[:-2] if not line.startswith("Warning: ")] if code == 2 else []
    if (folder / "quiet").exists() and before:
        problems.append(f"something was printed before it was refused: {before[0][:100]}")
    problems += [f"outside: {event}" for event in sorted(set(events.splitlines()))[:4]]
    if spent > CPU_SECONDS or seconds > WALL_SECONDS:
        problems.append(f"took {spent:.0f} s of the processor, {seconds:.0f} s in all")
    if peak > MOST_BYTES:
        problems.append(f"took {peak / 1e6:,.0f} MB")
    return Outcome(
        name=case.name, problems=tuple(problems), seconds=spent, megabytes=peak / 1e6, code=code,
        text=(errors + read("stdout") + read("fault.txt"))[-2_000:],
    )  # fmt: skip
