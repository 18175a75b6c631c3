"""Every data set of a development checkout is read with the counts that its description states."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from headstart import checks, data
from headstart.options import AdaptOptions, parse

FOLDER = Path(__file__).parents[2] / "shared" / "data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the development data sets are not beside this checkout"),
]
IMAGES = ("corn_leaf", "potato_leaf", "hurricane_damage", "chest_xray_pneumonia", "covid_xray_audit", "sign_digits")
TEXTS = ("masakhanews", "afrisenti", "disaster_messages", "arsarcasm")
SERIES = ("gunpoint_groups", "basic_motions", "epilepsy_motion", "japanese_vowels")


def stated(name: str) -> tuple[int, int]:
    """Training and test rows of a set, as the README's first table says."""
    line = next(line for line in (FOLDER / "README.md").read_text().splitlines() if line.startswith(f"| {name} |"))
    cells = [cell.strip() for cell in line.split("|")]
    return int(cells[5]), int(cells[6])


N_SPREADSHEET_ERRORS = {"disaster_messages.csv": 3}
"""Rows whose text is "#NAME?": a spreadsheet took a message for a formula before the set was published."""


def read_counts(path: Path, modality: str) -> tuple[int, int, int]:
    """Training, validation and test rows as read."""
    table = data.read_table(path)
    assert table.modality == modality and len(set(table.ids)) == len(table)
    assert len(table.set_aside) == N_SPREADSHEET_ERRORS.get(path.name, 0)
    held = sum(len(finding.rows) for finding in table.findings if finding.kind == "validation-rows")
    checks.require_trainable(table)
    test = int((data.assign_splits(table, parse(AdaptOptions)).splits == "test").sum())
    return len(table) - test - held, held, test


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_set_has_the_rows_it_states(name: str) -> None:
    train, held, test = read_counts(FOLDER / name, "image")
    assert (train + held, test) == stated(name)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_set_has_the_rows_it_states(name: str) -> None:
    parts = [read_counts(path, "text") for path in sorted((FOLDER / name).glob("*.csv"))]
    train, held, test = (sum(part[place] for part in parts) for place in range(3))
    lost = sum(N_SPREADSHEET_ERRORS.get(path.name, 0) for path in (FOLDER / name).glob("*.csv"))
    assert sum(stated(name)) - lost in {train + test, train + held + test} and stated(name)[1] - lost <= test


@pytest.mark.parametrize("name", SERIES)
def test_a_series_set_has_the_rows_it_states(name: str) -> None:
    train, held, test = read_counts(FOLDER / name, "series")
    assert (train + held, test) == stated(name)


def test_every_ucr_set_has_the_rows_and_length_of_the_index() -> None:
    paths = sorted((FOLDER / "ucr").glob("*.parquet"))
    listed = re.findall(
        r"^\| (\w+) \| [^|]+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", (FOLDER / "README.md").read_text(), re.M
    )
    expected = {
        name: (int(classes), int(length), int(train), int(test)) for name, classes, length, train, test in listed
    }
    assert len(paths) == len(expected) == 27
    for path in paths:
        table = data.read_table(path)
        assert table.labels is not None
        counts = (int((table.splits == "train").sum()), int((table.splits == "test").sum()))
        assert (len(set(table.labels)), table.inputs[0].shape[1], *counts) == expected[path.stem], path.stem


def test_known_leaks_are_found() -> None:
    table = data.read_table(FOLDER / "afrisenti" / "pcm.csv")
    held = {row for finding in table.findings if finding.kind == "validation-rows" for row in finding.rows}
    without = table.take(np.flatnonzero([row not in held for row in table.ids]))
    found = {finding.kind: finding for finding in checks.check_table(without)}
    assert len(found["duplicates-across-splits"].rows) == 926, "the README counts the training rows without validation"
    everything = {finding.kind: finding for finding in checks.check_table(table)}
    assert len(everything["duplicates-across-splits"].rows) > 926


def test_texts_such_as_none_stay_texts() -> None:
    path = FOLDER / "disaster_messages" / "disaster_messages.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        texts = [row["text"] for row in csv.DictReader(handle)]
    errors = [text for text in texts if text == "#NAME?"]
    assert len(errors) == N_SPREADSHEET_ERRORS[path.name]
    assert data.read_table(path).inputs.tolist() == [text for text in texts if text not in errors]
