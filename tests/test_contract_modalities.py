"""Whatever is kept by modality has every modality, or says why not: a new modality is one record more."""

from __future__ import annotations

from dataclasses import fields

import pytest
from tests.contract_tables import KeyedTable, find_comparisons, find_tables

from headstart.modalities import MODALITIES, ModalityTable
from headstart.modalities.record import Modality

NAMES = frozenset(MODALITIES)
PARTIAL = {
    "headstart.bases.settings.MODEL_TYPES": "transformers has no networks for series that are built here",
    "headstart.bases.specs.OPTIONAL": "keys that a spec may lack; a text's has none",
    "headstart.bundle.onnx.graph.SCRATCH_BUILDERS": "a network for series is not learnt from nothing: see quant",
    "headstart.bundle.records.strategy_records.SCRATCH_SPECS": "as above: see quant",
    "headstart.data.duplicates.feature_duplicates.TYPICAL": "features of series are too alike to find copies in",
    "headstart.flow.active_learning.coarse_features.COARSE_FEATURES": "images have descriptors in their place",
    "headstart.flow.audit.attribute_probes._PLAIN_DESCRIPTORS": "images have descriptors in their place",
    "headstart.strategies.baselines.scratch.METHODS": "as above: see quant",
    "headstart.web.feedback._JSON_BODIES": "images are sent as files, not as JSON",
    "headstart.web.request_inputs._LISTS": "images are sent as files, not as JSON",
}
"""Tables that do not have every modality, and why."""
NO_TABLES = {"headstart.data.columns.names._USUAL", "headstart.data.columns.names.ROLES"}
"""Tables of columns, some of which bear the name of a modality."""
COMPARED = frozenset({
    "headstart.data.reading.sources", "headstart.data.reading.inputs", "headstart.data.reading.arrays",
})  # fmt: skip
"""Modules that find out which modality files have; names are their subject."""
TABLES = sorted((table for table in find_tables(NAMES) if str(table) not in NO_TABLES), key=str)


def test_tables_of_modalities_are_found() -> None:
    assert len(TABLES) > 20, [str(table) for table in TABLES]


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_every_table_of_modalities_has_every_modality(table: KeyedTable) -> None:
    missing = NAMES - set(table.load())
    assert not missing or str(table) in PARTIAL, f"{table} lacks {sorted(missing)}"


def test_no_room_compares_the_names_of_modalities() -> None:
    found = [
        place
        for place in find_comparisons(NAMES, frozenset({"modality", "row_modality"}))
        if place.partition(":")[0] not in COMPARED
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("modality", MODALITIES.values(), ids=lambda modality: modality.name)
def test_a_modality_fills_its_record(modality: Modality) -> None:
    assert MODALITIES[modality.name] is modality
    empty = [field.name for field in fields(modality) if getattr(modality, field.name) is None]
    assert set(empty) <= {"augment"}


def test_to_look_a_name_up_imports_no_record() -> None:
    table = ModalityTable("sound")
    assert "sound" in table and "image" not in table and list(table) == ["sound"]
    with pytest.raises(AttributeError, match="SOUND"):
        table["sound"]
