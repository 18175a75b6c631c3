"""Tables of texts: one row a text."""

from __future__ import annotations

from pathlib import Path

from headstart.data.names import Wanted, pick
from headstart.data.rows import Draft
from headstart.data.sheet_rows import ids_of, labels_of, optional_texts, rest_of, roles_of
from headstart.data.sheets import Sheet
from headstart.errors import DataError


def fits(sheet: Sheet, base: Path, wanted: Wanted) -> bool:
    """Whether the sheet has a text column."""
    return pick(sheet.names, "text", wanted, f" in {sheet.name}") is not None


def read(sheet: Sheet, base: Path, wanted: Wanted) -> Draft:
    """Take the text column and what belongs to it.

    Raises
    ------
    DataError
        There is no column with a usual name for texts, and none was named.
    """
    text = pick(sheet.names, "text", wanted, f" in {sheet.name}")
    if text is None:
        raise DataError(
            f"{sheet.name} has no text column (columns: {', '.join(sheet.names[:20])}).", "Name it with --text COLUMN."
        )
    roles = roles_of(sheet, wanted, [text])
    used = {"text": text, **roles.named()}
    labels, marks = labels_of(roles, sheet.texts)
    return Draft(
        modality="text",
        inputs=sheet.texts(text),
        ids=ids_of(sheet, roles.id),
        labels=labels,
        marks=marks,
        splits=optional_texts(sheet, roles.split),
        metadata=rest_of(sheet, used.values()),
        set_aside=sheet.set_aside,
        findings=sheet.findings + roles.findings,
        columns=used,
    )
