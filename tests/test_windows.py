"""What differs on Windows, tested here: modules and calls that it lacks, its locks, files that others have open.

Nothing was ever run on Windows itself; docs/how-to/install.md says so.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from headstart import file_locks, home

LIKE_WINDOWS = """
import builtins, fcntl, sys, types
real_import = builtins.__import__
LACKING = {"fcntl", "resource", "pwd", "grp", "termios", "tty", "pty"}

def import_like_windows(name, globals=None, *more, **keywords):
    if name in LACKING and (globals or {}).get("__name__", "").startswith("headstart"):
        raise ModuleNotFoundError(name)  # Other packages ask which system this is, and import what it has.
    return real_import(name, globals, *more, **keywords)

def locking(handle, mode, n_bytes):
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

builtins.__import__ = import_like_windows
from headstart import file_locks, home
msvcrt = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
file_locks.import_module = {"msvcrt": msvcrt}.__getitem__
file_locks.IS_WINDOWS = home.IS_WINDOWS = True
"""
POSIX_ONLY = frozenset({
    "mkfifo", "geteuid", "getuid", "getgid", "fork", "statvfs", "sched_getaffinity", "O_NOFOLLOW", "O_DIRECTORY", 
    "killpg", "setsid", "nice", "sysconf", "chown", "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGALRM",
})  # fmt: skip
SOURCE = Path(home.__file__).parent


def command(*arguments: object, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONIOENCODING": "cp1252",
        "HEADSTART_HOME": str(folder / "home"),
        "PYTHONUTF8": "0",
    }
    return subprocess.run(
        [sys.executable, "-c", LIKE_WINDOWS + "from headstart.cli.main import run; run()", *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, check=False, encoding="cp1252", errors="replace",
    )  # fmt: skip


def test_check_adapt_and_predict_need_no_posix_module_and_write_to_a_cp1252_console(tmp_path: Path) -> None:
    words = {"omi kanga ẹ̀rọ": "omi", "ile-iwe olukọ": "ilé-ìwé", "ọna afara": "ọ̀nà"}
    rows = [f"{text} {number},{label}" for number in range(12) for text, label in words.items()]
    (tmp_path / "messages.csv").write_text("\n".join(["text,label", *rows]) + "\n", "utf-8")
    checked = command("check", "messages.csv", "--base", "all-minilm-l6-v2", "--offline", folder=tmp_path)
    assert checked.returncode == 0 and "36 texts" in checked.stderr, checked.stderr
    adapted = command(
        "adapt",
        "messages.csv",
        "-o",
        "out",
        "--base",
        "all-minilm-l6-v2",
        "--strategy",
        "classic,majority",
        "--offline",
        "--time",
        "1m",
        folder=tmp_path,
    )
    assert adapted.returncode == 0, adapted.stderr
    predicted = command("predict", "out", "messages.csv", "-o", "answers.csv", "--offline", folder=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    answers = (tmp_path / "answers.csv").read_text("utf-8-sig")
    assert answers.count("\n") == len(rows) + 1 and "ọ̀nà" in answers
    refused = command("predict", "out", "no-such-file.csv", folder=tmp_path)
    assert refused.returncode == 2 and "Traceback" not in refused.stderr


def test_no_module_uses_what_windows_lacks_without_asking() -> None:
    unasked = []
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)):
            is_call_of_os = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            is_posix_only = is_call_of_os and node.value.id in ("os", "signal") and node.attr in POSIX_ONLY
            if is_posix_only and f'hasattr({node.value.id}, "{node.attr}")' not in text:
                unasked.append((path.name, node.lineno, node.attr))
    assert not unasked


def test_the_lock_of_windows_is_taken_held_and_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: set[int] = set()

    def locking(handle: int, mode: int, n_bytes: int) -> None:
        place = os.fstat(handle).st_ino
        assert mode == 2 and n_bytes == 1
        if place in held:
            raise PermissionError(13, "Permission denied")
        held.add(place)

    windows = SimpleNamespace(LK_NBLCK=2, locking=locking)
    monkeypatch.setattr(file_locks, "IS_WINDOWS", True)
    monkeypatch.setattr(file_locks, "import_module", {"msvcrt": windows}.__getitem__)
    with file_locks.lock_file(tmp_path / "lock") as first, file_locks.lock_file(tmp_path / "lock") as second:
        assert first and not second


def refuse_until(moment: float) -> object:
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if time.monotonic() < moment:
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        return real(self, target)

    return replace


def test_a_file_that_another_program_has_open_is_replaced_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "IS_WINDOWS", True)
    monkeypatch.setattr(Path, "replace", refuse_until(time.monotonic() + 0.2))
    home.write_text(tmp_path / "result.json", "{}")
    assert (tmp_path / "result.json").read_text("utf-8") == "{}" and len(list(tmp_path.iterdir())) == 1


def test_a_file_that_stays_open_is_an_error_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "IS_WINDOWS", True)
    monkeypatch.setattr(home, "WINDOWS_WAIT_SECONDS", 0.1)
    monkeypatch.setattr(Path, "replace", refuse_until(time.monotonic() + 60))
    (tmp_path / "result.json").write_text("old", "utf-8")
    with pytest.raises(PermissionError):
        home.write_text(tmp_path / "result.json", "new")
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == ["old"]


def test_elsewhere_a_refusal_is_no_reason_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    refuse = refuse_until(time.monotonic() + 9)
    monkeypatch.setattr(home, "IS_WINDOWS", False)
    monkeypatch.setattr(Path, "replace", lambda self, target: calls.append(target) or refuse(self, target))
    with pytest.raises(PermissionError):
        home.move_into_place(tmp_path / "a", tmp_path / "b")
    assert len(calls) == 1
