"""Cells of value columns of which it is in doubt how they are written."""

from __future__ import annotations

import re
from collections.abc import Sequence

from headstart.data.columns.cells import parse_number
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.written_numbers import find_possible_thousands
from headstart.data.reading.table_files import RawTable
from headstart.records import Finding
from headstart.results.findings import make_finding


def find_doubtful_thousands(raw_table: RawTable, names: Sequence[str]) -> tuple[Finding, ...]:
    """Return a finding for values such as 1.250 beside 980, whose mark may separate thousands.

    Parameters
    ----------
    raw_table : RawTable
    names : sequence of str
        The value columns.
    """
    cells: list[str] = []
    for name in names:
        if (
            raw_table.columns[name].dtype.kind != "f"
            and raw_table.numbers(name) is not None
            and len(cells) < COLUMN_RULES.number_sample_cells
        ):
            cells += raw_table.texts(name)
    example = find_possible_thousands([cell for cell in cells[: COLUMN_RULES.number_sample_cells] if cell.strip()])
    if not example or ("," in example and not raw_table.decimal_comma):
        return ()
    read = parse_number(example, raw_table.decimal_comma)
    summary = f"{raw_table.name} holds values such as {example} beside whole ones: {example} was read as {read:g}."
    return (make_finding("thousands-in-doubt", summary, number=re.sub("[.,]", "", example)),)
