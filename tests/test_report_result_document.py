"""docs/reference/result.md has every record of the result document, and every field has a description."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart import results

DOCUMENT = (Path(__file__).parents[1] / "docs" / "reference" / "result.md").read_text(encoding="utf-8")
RECORDS = {
    name: kind
    for name, kind in vars(results).items()
    if isinstance(kind, type) and issubclass(kind, results.Record) and kind is not results.Record
}
STORED_IN_BUNDLES = {"SiteFigures"}


@pytest.mark.parametrize("name", sorted(RECORDS.keys() - STORED_IN_BUNDLES))
def test_every_record_has_a_section_with_every_field(name: str) -> None:
    section = DOCUMENT.split(f"# {name}\n", 1)[1].split("\n#", 1)[0]
    assert [field for field in RECORDS[name].model_fields if f"| `{field}` |" not in section] == []


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_every_field_of_a_record_has_a_description(name: str) -> None:
    assert [field for field, info in RECORDS[name].model_fields.items() if not info.description] == []


def test_the_format_number_comes_first() -> None:
    assert next(iter(results.Result.model_fields)) == "format"
