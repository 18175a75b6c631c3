"""Tunable numbers are documented and stored with the run and the bundle."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from headstart.flow.room_settings import MODEL_SETTINGS, RUN_SETTINGS, collect_settings
from headstart.results import Result

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from settings_page import describe_settings

SETTINGS = collect_settings(RUN_SETTINGS)


@pytest.mark.parametrize("room", RUN_SETTINGS)
def test_every_number_of_a_record_is_documented(room: str) -> None:
    meanings = describe_settings(RUN_SETTINGS[room])
    documented = [name for names in meanings for name in names]
    assert sorted(documented) == sorted(field.name for field in dataclasses.fields(RUN_SETTINGS[room]))
    assert [names for names, meaning in meanings.items() if not meaning] == []


@pytest.mark.parametrize("room", RUN_SETTINGS)
def test_a_record_of_numbers_cannot_be_changed_and_can_be_stored(room: str) -> None:
    name = next(iter(SETTINGS[room]))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(RUN_SETTINGS[room], name, 0)
    assert json.loads(json.dumps(SETTINGS[room], allow_nan=False)) == SETTINGS[room]


def test_the_numbers_of_a_model_are_among_those_of_its_run() -> None:
    assert MODEL_SETTINGS.items() <= RUN_SETTINGS.items()


def test_no_record_is_stored_twice() -> None:
    assert len({type(record) for record in RUN_SETTINGS.values()}) == len(RUN_SETTINGS)


def test_a_result_without_settings_is_read() -> None:
    assert Result.model_fields["settings"].get_default() == {}


def test_the_reference_of_settings_is_linked_from_where_they_are_stored() -> None:
    folder = Path(__file__).parents[1] / "docs" / "reference"
    assert all("(settings.md)" in (folder / page).read_text("utf-8") for page in ("result.md", "bundle.md"))
