"""Whatever is kept by modality has every modality, or says why not: a new modality is one record more."""

from __future__ import annotations

from dataclasses import fields

import pytest
from tests.contract_tables import KeyedTable, find_comparisons, find_tables

from headstart.modalities import MODALITIES, Modality
from headstart.records import MODALITY_NAMES

NAMES = frozenset(MODALITY_NAMES)
PARTIAL = {
    "headstart.bases.settings": "transformers has no networks for series that are built here",
    "headstart.bases.specs": "keys that a spec may lack; a text's has none",
    "headstart.data.duplicates.feature_duplicates": "features of series are too alike to find copies in",
    "headstart.flow.active_learning.coarse_features": "images have descriptors in their place",
    "headstart.flow.audit.attribute_probes": "images have descriptors in their place",
    "headstart.strategies.baselines.scratch": "a network for series is not learnt from nothing: see quant",
    "headstart.web.feedback": "images are sent as files, not as JSON",
    "headstart.web.request_inputs": "images are sent as files, not as JSON",
}
"""Modules with a table that does not have every modality, and why."""
NO_TABLES = {"headstart.data.columns.names._USUAL", "headstart.data.columns.names.ROLES"}
"""Tables of columns, some of which bear the name of a modality."""
COMPARED = frozenset({
    "headstart.data.reading.sources", "headstart.data.reading.inputs", "headstart.data.reading.arrays",
})  # fmt: skip
"""Modules that find out which modality files have; names are their subject."""
MOST_COMPARISONS = 15
"""Those that are left in other rooms; the number may only fall."""
TABLES = sorted((table for table in find_tables(NAMES) if str(table) not in NO_TABLES), key=str)


def test_tables_of_modalities_are_found() -> None:
    assert len(TABLES) > 20, [str(table) for table in TABLES]


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_every_table_of_modalities_has_every_modality(table: KeyedTable) -> None:
    missing = NAMES - set(table.load())
    assert not missing or table.module in PARTIAL, f"{table} lacks {sorted(missing)}"


def test_rooms_that_compare_the_name_of_a_modality_become_fewer() -> None:
    found = [
        place
        for place in find_comparisons(NAMES, frozenset({"modality", "row_modality"}))
        if place.partition(":")[0] not in COMPARED
    ]
    assert len(found) <= MOST_COMPARISONS, "\n".join(found)


@pytest.mark.parametrize("modality", MODALITIES.values(), ids=lambda modality: modality.name)
def test_a_modality_fills_its_record(modality: Modality) -> None:
    assert modality.name in MODALITY_NAMES and MODALITIES[modality.name] is modality
    empty = [field.name for field in fields(modality) if getattr(modality, field.name) is None]
    assert set(empty) <= {"augment"}
