"""The files of a double click: whole, in the words of the system's shell, and bound to the right interpreter."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.errors import OptionError
from headstart.studio.desktop import SCRIPTS, render_start_script, write_desktop_icon


@pytest.mark.skipif(os.name == "nt", reason="there is no POSIX shell")
def test_the_shell_understands_the_script_of_linux_and_macos(tmp_path: Path) -> None:
    (tmp_path / "start").write_text(render_start_script("linux"), "utf-8")
    subprocess.run(["sh", "-n", tmp_path / "start"], check=True)


def test_every_jump_of_the_script_of_windows_has_its_place() -> None:
    text = render_start_script("win32")
    assert text.count("\n") == text.count("\r\n")
    places = set(re.findall(r"^:(\w+)\r$", text, flags=re.MULTILINE))
    jumps = set(re.findall(r"goto (\w+)", text))
    assert jumps == places
    for line in text.splitlines():
        assert line.count('"') % 2 == 0, line
        assert not re.search(r"%%(?![VF~])", line), line


def test_uv_is_asked_for_the_small_torch_on_every_system() -> None:
    for system in SCRIPTS:
        assert "--torch-backend cpu" in render_start_script(system)


@pytest.mark.skipif(os.name == "nt", reason="there is no POSIX shell")
def test_an_icon_starts_this_installation_whatever_its_path(tmp_path: Path) -> None:
    python = tmp_path / "it's a place $HOME" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    python.chmod(0o755)
    script = tmp_path / "start"
    script.write_text(render_start_script("linux", str(python)), "utf-8")
    done = subprocess.run(["sh", script, "--port", "0"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (0, "-m|headstart|studio|--port|0|")


@pytest.mark.parametrize(("system", "n_files"), [("linux", 2), ("darwin", 1), ("win32", 1)])
def test_icons_are_written_whole_and_can_be_run(system: str, n_files: int, tmp_path: Path) -> None:
    paths = write_desktop_icon(tmp_path / "my desktop", system)
    assert len(paths) == n_files and all(os.access(path, os.X_OK) for path in paths)
    text = paths[0].read_text("utf-8")
    assert sys.executable in text or shlex.quote(sys.executable) in text
    if system == "linux":
        assert f"Exec='{paths[0]}'" in paths[1].read_text("utf-8")


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OptionError, match="file"):
        write_desktop_icon(tmp_path / "file", "linux")
    with pytest.raises(OptionError, match="plan9"):
        write_desktop_icon(tmp_path, "plan9")
