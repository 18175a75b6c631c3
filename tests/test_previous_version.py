"""What the previous version left on a user's disk still serves: the home folder here, bundles in test_portable.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.tiny import BASES

from headstart import flow
from headstart.bases.folder import write_folder
from headstart.options import AdaptOptions, CacheOptions, parse
from headstart.row_cache import list_entries

STORED = Path(__file__).parent / "data" / "home-0.1.0"
"""Written by version 0.1.0: features and tokenizer of 60 messages, read by the tiny text base of the tests."""


@pytest.fixture
def old_home(fresh_home: Path) -> Path:
    """Give a copy of the stored home folder, in use."""
    shutil.copytree(STORED, fresh_home)
    return fresh_home


def test_features_of_the_previous_version_are_listed_used_and_pruned(old_home: Path, tmp_path: Path) -> None:
    (entry,) = list_entries()
    assert entry.base == "tiny-bert" and entry.n_rows == 60 and entry.is_current
    write_folder(BASES["text"]().parts, tmp_path / "base")
    options = parse(AdaptOptions, base=f"file:{tmp_path / 'base'}", strategy="linear-probe", offline=True, time="2m")
    result = flow.adapt(old_home / "messages.csv", tmp_path / "out", options)
    assert result.chosen == "linear-probe"
    assert entry.key in {kept.key for kept in list_entries()}
    _, left, removed = flow.list_cache(parse(CacheOptions, prune=True, older_than=0.0))
    assert entry.key in {gone.key for gone in removed} and not left
