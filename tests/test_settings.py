"""Tunable numbers are documented and stored with the run and the bundle."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from headstart.flow.room_settings import MODEL_SETTINGS, RUN_SETTINGS, SETTINGS, collect_settings
from headstart.results import Result

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from settings_page import describe_settings

STORED = collect_settings(SETTINGS)


@pytest.mark.parametrize("room", SETTINGS)
def test_every_number_of_a_record_is_documented(room: str) -> None:
    meanings = describe_settings(SETTINGS[room])
    documented = [name for names in meanings for name in names]
    assert sorted(documented) == sorted(field.name for field in dataclasses.fields(SETTINGS[room]))
    assert [names for names, meaning in meanings.items() if not meaning] == []


@pytest.mark.parametrize("room", SETTINGS)
def test_a_record_of_numbers_cannot_be_changed_and_can_be_stored(room: str) -> None:
    name = next(iter(STORED[room]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(SETTINGS[room], name, 0)
    assert json.loads(json.dumps(STORED[room], allow_nan=False)) == STORED[room]


def test_the_numbers_of_a_model_are_among_those_of_its_run() -> None:
    assert MODEL_SETTINGS.items() <= RUN_SETTINGS.items() <= SETTINGS.items()


def test_no_record_is_stored_twice() -> None:
    assert len({type(record) for record in SETTINGS.values()}) == len(SETTINGS)


def test_a_result_without_settings_is_read() -> None:
    assert Result.model_fields["settings"].get_default() == {}


def test_the_reference_of_settings_is_linked_from_where_they_are_stored() -> None:
    folder = Path(__file__).parents[1] / "docs" / "reference"
    assert all("(settings.md)" in (folder / page).read_text("utf-8") for page in ("result.md", "bundle.md"))
