"""What a machine has: memory, room on its disks, packages. Each function asks the system once."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from headstart.flow.machine.settings import SETTINGS

_MEMORY_FILE = Path("/proc/meminfo")
_LIMIT_FILES = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_PROBE = """
import importlib, json, sys
module = importlib.import_module(sys.argv[1])
facts = {"version": str(getattr(module, "__version__", ""))}
if sys.argv[1] == "torch":
    facts |= {"cuda": module.version.cuda or "", "graphics": bool(module.cuda.is_available())}
print(json.dumps(facts))
"""


@dataclass(frozen=True)
class Memory:
    """Memory of a machine in bytes; `free` is None where the system does not tell."""

    total: int | None
    free: int | None


@dataclass(frozen=True, kw_only=True)
class LoadedPackage:
    """What loading a package in a process of its own gave.

    Parameters
    ----------
    name : str
        As it is imported.
    version : str
    problem : str
        "" if it was loaded; "processor" where the processor lacks instructions, "slow", or "broken".
    detail : str
        The last line of what the package said.
    cuda : str
        Version of the graphics libraries it was built with; torch only.
    has_graphics : bool
        Whether it can use a graphics card; torch only.
    """

    name: str
    version: str = ""
    problem: str = ""
    detail: str = ""
    cuda: str = ""
    has_graphics: bool = False


def measure_memory() -> Memory:
    """Return the memory of this machine, or of the container that this process may use."""
    if sys.platform == "win32":
        return _ask_windows()
    if _MEMORY_FILE.exists():
        lines = (line.split() for line in _MEMORY_FILE.read_text("utf-8").splitlines())
        values = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 2}
        return _apply_limit(Memory(values.get("MemTotal"), values.get("MemAvailable")))
    if hasattr(os, "sysconf"):
        with suppress(OSError, ValueError):
            return Memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None)
    return Memory(None, None)


def _apply_limit(memory: Memory) -> Memory:
    for path in _LIMIT_FILES:
        with suppress(OSError, ValueError):
            limit = int(path.read_text("utf-8"))
            if memory.total is None or limit < memory.total:
                return Memory(limit, None if memory.free is None else min(memory.free, limit))
    return memory


def _ask_windows() -> Memory:
    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong) for name in ("total", "free", "page", "free_page", "room", "free_room", "more")
        ]

    status = Status()
    status.length = ctypes.sizeof(status)
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):  # type: ignore[attr-defined]
        return Memory(None, None)
    return Memory(int(status.total), int(status.free))


def try_to_write(folder: Path) -> str:
    """Write a small file into a folder, which is made if need be, and remove it.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    str
        What the system said against it; "" if it worked.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix="headstart-doctor-") as handle:
            handle.write(b"x")
            handle.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def load_package(name: str) -> LoadedPackage:
    """Import a package in a process of its own, which may die of it.

    Parameters
    ----------
    name : str
    """
    try:
        process = subprocess.run(
            [sys.executable, "-c", _PROBE, name], capture_output=True, text=True, encoding="utf-8", errors="replace",
            timeout=SETTINGS.import_seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return LoadedPackage(name=name, problem="slow")
    if process.returncode in (-4, 0xC000001D, 0xC000001D - (1 << 32)):  # SIGILL, and what Windows says for it.
        return LoadedPackage(name=name, problem="processor")
    lines = process.stdout.strip().splitlines()
    if process.returncode != 0 or not lines:
        last = process.stderr.strip().splitlines() or [str(process.returncode)]
        return LoadedPackage(name=name, problem="broken", detail=last[-1][:300])
    facts = json.loads(lines[-1])
    return LoadedPackage(
        name=name, version=facts["version"], cuda=facts.get("cuda", ""), has_graphics=facts.get("graphics", False)
    )


def measure_graphics_libraries() -> int:
    """Return the bytes of the libraries for NVIDIA graphics cards that are installed beside this package."""
    n_bytes = 0
    for package in metadata.distributions():
        if (package.metadata["Name"] or "").lower().startswith(("nvidia-", "triton")):
            n_bytes += sum(item.size or 0 for item in package.files or ())
    return n_bytes


def list_unmet_versions() -> list[tuple[str, str]]:
    """Return (package with the version that is there, what is required) of each package that is too old."""
    from packaging.requirements import InvalidRequirement, Requirement

    unmet = []
    with suppress(metadata.PackageNotFoundError):
        for line in metadata.requires("headstart") or ():
            with suppress(InvalidRequirement, metadata.PackageNotFoundError):
                needed = Requirement(line)
                version = metadata.version(needed.name)
                if not needed.specifier.contains(version, prereleases=True):
                    unmet.append((f"{needed.name} {version}", f"{needed.name}{needed.specifier}"))
    return unmet
