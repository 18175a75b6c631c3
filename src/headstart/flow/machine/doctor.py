"""`headstart doctor`: what keeps Headstart from working on this machine, check by check."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from headstart import progress
from headstart.extras import EXTRAS, find_missing
from headstart.flow.machine import facts
from headstart.flow.machine.settings import SETTINGS
from headstart.home import find_home
from headstart.results.machine import MachineFinding, MachineLevel, MachineReport

PACKAGES = ("onnxruntime", "tokenizers", "sklearn", "openvino", "torch", "transformers")
"""What is loaded to see whether it works here: all of them have compiled parts."""
_LEVELS: tuple[MachineLevel, ...] = ("problem", "notice", "fine")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def examine_machine(folder: Path) -> MachineReport:
    """Look at everything that Headstart needs; nothing is changed and no connection is opened.

    Parameters
    ----------
    folder : Path
        Where the user wants to work.

    Returns
    -------
    MachineReport
    """
    findings: list[MachineFinding] = []
    with progress.open_bar("looking at this machine", len(CHECKS), "checks") as bar:
        for check in CHECKS:
            findings += check(folder)
            bar.advance()
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    return MachineReport(
        system=system,
        headstart=version("headstart"),
        n_cores=count_usable_cores(),
        findings=sorted(findings, key=lambda item: _LEVELS.index(item.level)),
    )


def count_usable_cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_python(folder: Path) -> Iterator[MachineFinding]:
    """Check the interpreter: new enough, and 64 bits wide, without which there is no PyTorch."""
    number = platform.python_version()
    if sys.maxsize < 1 << 32:
        yield MachineFinding(code="python", level="problem", reason="narrow", detail=number)
    elif platform.libc_ver()[0] == "" and sys.platform == "linux":
        yield MachineFinding(code="python", level="notice", reason="musl", detail=number)
    else:
        yield MachineFinding(code="python", level="fine", detail=number)


def _grade(n_bytes: int, problem_below: int, notice_below: int) -> MachineLevel:
    return "problem" if n_bytes < problem_below else "notice" if n_bytes < notice_below else "fine"


def check_memory(folder: Path) -> Iterator[MachineFinding]:
    """Check that there is memory to learn in."""
    memory = facts.measure_memory()
    known = memory.free if memory.free is not None else memory.total
    if known is None:
        yield MachineFinding(code="memory", level="notice", reason="unknown")
        return
    level = _grade(known, SETTINGS.problem_memory_bytes, SETTINGS.notice_memory_bytes)
    reason = "" if level == "fine" else "small" if (memory.total or known) < SETTINGS.notice_memory_bytes else "busy"
    yield MachineFinding(code="memory", level=level, reason=reason, n_bytes=known, n_total_bytes=memory.total)


def _list_folders(folder: Path) -> dict[str, Path]:
    return {"home": find_home(), "work": folder.resolve(), "temporary": Path(tempfile.gettempdir())}


def check_folders(folder: Path) -> Iterator[MachineFinding]:
    """Check that files can be written where they have to be."""
    for name, place in _list_folders(folder).items():
        refusal = facts.try_to_write(place)
        if refusal:
            yield MachineFinding(code="folder", level="problem", reason=name, subject=str(place), detail=refusal)
        elif sys.platform == "win32" and len(str(place)) > SETTINGS.most_path_characters:
            yield MachineFinding(code="folder", level="notice", reason="long", subject=str(place))
        else:
            yield MachineFinding(code="folder", level="fine", subject=str(place))


def check_disks(folder: Path) -> Iterator[MachineFinding]:
    """Check the room on each disk that is written to."""
    devices: set[int] = set()
    for place in _list_folders(folder).values():
        try:
            device, usage = place.stat().st_dev, shutil.disk_usage(place)
        except OSError:  # Named by `check_folders`.
            continue
        if device in devices or usage.total == 0:  # Folders of the system, such as /proc, have no disk.
            continue
        devices.add(device)
        level = _grade(usage.free, SETTINGS.problem_disk_bytes, SETTINGS.notice_disk_bytes)
        reason = "" if level == "fine" else "full"
        yield MachineFinding(
            code="disk", level=level, reason=reason, subject=str(place), n_bytes=usage.free, n_total_bytes=usage.total
        )


def check_extras(folder: Path) -> Iterator[MachineFinding]:
    """Check which parts are installed."""
    for extra in EXTRAS:
        absent = find_missing(extra)
        level: MachineLevel = "notice" if absent else "fine"
        yield MachineFinding(
            code="extra", level=level, reason="absent" if absent else "", subject=extra, detail=", ".join(absent)
        )
    for package, needed in facts.list_unmet_versions():
        yield MachineFinding(code="version", level="problem", reason="old", subject=package, detail=needed)


def check_packages(folder: Path) -> Iterator[MachineFinding]:
    """Load each compiled package, and see whether the graphics libraries are of use."""
    for name in PACKAGES:
        if find_spec(name) is None:
            continue
        package = facts.load_package(name)
        level: MachineLevel = "problem" if package.problem else "fine"
        detail = package.detail if package.problem else package.version.partition("-")[0]
        yield MachineFinding(code="package", level=level, reason=package.problem, subject=name, detail=detail)
        if package.cuda and not package.has_graphics:
            n_bytes = facts.measure_graphics_libraries()
            yield MachineFinding(
                code="graphics", level="notice", reason="unused", subject=name, detail=package.cuda, n_bytes=n_bytes
            )


def check_proxies(folder: Path) -> Iterator[MachineFinding]:
    """Check that the proxy for downloads is an address; a password in it is not repeated."""
    for scheme, address in getproxies().items():
        if scheme not in ("http", "https", "all"):
            continue
        parts = urlsplit(address)
        host = f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}" if parts.hostname else ""
        level: MachineLevel = "fine" if host else "problem"
        yield MachineFinding(code="proxy", level=level, reason="" if host else "odd", subject=scheme, detail=host)


def check_threads(folder: Path) -> Iterator[MachineFinding]:
    """Check that no variable holds the computation to fewer cores than there are."""
    n_cores = count_usable_cores()
    for name in _THREAD_VARIABLES:
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value) < n_cores:
            yield MachineFinding(code="threads", level="notice", reason="few", subject=name, detail=value)


def check_loopback(folder: Path) -> Iterator[MachineFinding]:
    """Check that a page of this machine can be served to its own browser."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
            server.bind(("127.0.0.1", 0))
        yield MachineFinding(code="loopback", level="fine")
    except OSError as error:
        yield MachineFinding(code="loopback", level="problem", reason="refused", detail=error.strerror or str(error))


def check_bases(folder: Path) -> Iterator[MachineFinding]:
    """Check that the base taken by default for images, texts and series is here."""
    if find_missing("adapt"):
        return
    from headstart.flow.listing import list_bases

    for base in list_bases("auto"):
        if base.is_default:
            level: MachineLevel = "fine" if base.is_present else "notice"
            yield MachineFinding(
                code="bases", level=level, reason="" if base.is_present else "absent", subject=base.record.name,
                detail=base.record.modality,
            )  # fmt: skip


CHECKS: tuple[Callable[[Path], Iterator[MachineFinding]], ...] = (
    check_python, check_memory, check_folders, check_disks, check_extras, check_packages, check_proxies, check_threads,
    check_loopback, check_bases,
)  # fmt: skip
