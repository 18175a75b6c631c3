"""What a model of text answers in memory it answers from its files: every strategy and task, in every form."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.round_trip import CASES, check_round_trips
from tests.tiny import train_briefly


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("task", "size"), CASES["text"])
def test_every_strategy_answers_from_its_files_as_in_memory(
    task: str, size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    train_briefly(monkeypatch)
    check_round_trips("text", task, size, tmp_path, capsys)
