"""Writing files: whole or not at all, and readable by whom the system says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from headstart.errors import OptionError
from headstart.home import require_place, write_text, write_whole


def test_a_file_written_by_any_library_may_be_read_by_whoever_may_read_other_new_files(tmp_path: Path) -> None:
    write_text(tmp_path / "plain.txt", "x")
    with write_whole(tmp_path / "arrays.safetensors") as partial:
        save_file({"x": np.zeros(1, dtype=np.float32)}, partial)
    modes = {(tmp_path / name).stat().st_mode for name in ("plain.txt", "arrays.safetensors")}
    assert len(modes) == 1


def test_where_writing_fails_the_earlier_file_stays_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "said.txt"
    write_text(path, "earlier")
    with pytest.raises(RuntimeError), write_whole(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "earlier" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_another_process_is_just_replacing_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between finding a folder and asking for its permissions it may be gone; that is no reason to refuse it."""
    answers = [False]
    real = os.access
    monkeypatch.setattr(os, "access", lambda *asked: answers.pop() if answers else real(*asked))
    require_place(tmp_path / "bundle")
    (tmp_path / "file").write_text("x")
    with pytest.raises(OptionError, match="not a folder"):
        require_place(tmp_path / "file" / "bundle")
