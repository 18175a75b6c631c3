"""Child processes: start one that outlives its server, ask it to stop, kill it, halt it, and see whether it lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from headstart.file_locks import lock_file
from headstart.studio.jobs.places import CORES_VARIABLE, EVENTS_VARIABLE, OFFLINE_VARIABLE, JobFiles

IS_WINDOWS = os.name == "nt"
PROGRAM = (sys.executable, "-P", "-m", "headstart")
"""What the arguments of a command are handed to. -P: no module is imported from the folder in which it works, as a
project that came from elsewhere may hold files of any name."""
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS", "TOKENIZERS_NUM_THREADS",
)  # fmt: skip
"""What torch, ONNX Runtime (through us), OpenVINO, numpy, tokenizers and others go by."""
Process = subprocess.Popen[bytes]


def count_job_cores(takes_all: bool) -> int:
    """Return how many cores a job gets: half of those of this process, at least one.

    Parameters
    ----------
    takes_all : bool
        All of them instead.
    """
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return n_cores if takes_all else max(1, n_cores // 2)


def start_child(command: Sequence[str], files: JobFiles, folder: Path, *, n_cores: int, is_offline: bool) -> Process:
    """Start a command as a job; it goes on if this process ends.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    files : JobFiles
    folder : Path
        In which it works.
    n_cores : int
    is_offline : bool
    """
    environment = {name: value for name, value in os.environ.items() if name != OFFLINE_VARIABLE}
    environment |= dict.fromkeys(THREAD_VARIABLES, str(n_cores))
    environment |= {EVENTS_VARIABLE: str(files.events), CORES_VARIABLE: str(n_cores), "PYTHONUNBUFFERED": "1"}
    environment |= {OFFLINE_VARIABLE: "1"} if is_offline else {}
    with files.log.open("ab") as log:
        return subprocess.Popen(
            list(command), env=environment, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=not IS_WINDOWS,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )  # fmt: skip


def is_at_work(files: JobFiles) -> bool:
    """Return whether a process does this job: it holds the lock as long as it lives, however it ends.

    Parameters
    ----------
    files : JobFiles
    """
    if not files.lock.exists():
        return False
    with lock_file(files.lock) as is_free:
        return not is_free


def exists(pid: int) -> bool:
    """Return whether there is a process of this number.

    Parameters
    ----------
    pid : int
    """
    if IS_WINDOWS:
        kernel = import_module("ctypes").windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if handle:
            kernel.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def ask_to_stop(pid: int) -> None:
    """Ask a job to stop as Ctrl-C does: it writes the best so far.

    Parameters
    ----------
    pid : int
    """
    resume(pid)
    _send(pid, getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT))


def kill(pid: int) -> None:
    """End a job at once.

    Parameters
    ----------
    pid : int
    """
    _send(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def halt(pid: int) -> None:
    """Let a job stand still; nothing on Windows, which has no such signal.

    Parameters
    ----------
    pid : int
    """
    if hasattr(signal, "SIGSTOP"):
        _send(pid, signal.SIGSTOP)


def resume(pid: int) -> None:
    """Let a job go on that stands still.

    Parameters
    ----------
    pid : int
    """
    if hasattr(signal, "SIGCONT"):
        _send(pid, signal.SIGCONT)


def _send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
