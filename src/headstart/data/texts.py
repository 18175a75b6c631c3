"""Tables of texts: one row a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from headstart.data.columns.axes import find_axis
from headstart.data.columns.names import MIN_STEPS, ROLES, Wanted, key
from headstart.data.columns.text_columns import find_text_columns, join_texts, text_columns_of
from headstart.data.images.class_folders import read_places
from headstart.data.reading.decoding import read_text_file
from headstart.data.reading.rows import Draft
from headstart.data.reading.sheet_rows import ids_of, labels_of, optional_texts, rest_of, roles_of
from headstart.data.reading.sheets import Sheet
from headstart.data.reading.tree import Tree
from headstart.errors import DataError, ending
from headstart.records import Finding, SetAside

TEXT_FILES = frozenset({".txt", ".text", ".md"})
"""Files that are one text each."""
_WORDS_OF_A_TEXT = 5
_SHOWN = 20
"""Doubts about encodings of single files that are passed on."""


def fits(sheet: Sheet, base: Path, wanted: Wanted) -> bool:
    """Whether the sheet has a text column; one without a usual name counts where nothing else is there."""
    if wanted.texts or text_columns_of(wanted.known):
        return True
    if any(key(name) in ROLES["text"] for name in sheet.names):
        return True
    numbers = [name for name in sheet.names if sheet.has_numbers(name)]
    if len(numbers) >= MIN_STEPS or find_axis(numbers) is not None:
        return False
    return find_text_columns(sheet, wanted, roles_of(sheet, wanted, []).named().values()) is not None


def looks_headerless(sheet: Sheet) -> bool:
    """Return whether the first row seems to be data: one of its cells recurs below it, or is a whole text.

    Examples
    --------
    >>> import numpy as np
    >>> column_ = np.array(["water", "roads", "water"], dtype=object)
    >>> columns = {"water": column_, "the tap gives brown water": column_}
    >>> looks_headerless(Sheet(name="a.tsv", columns=columns, rows=[2, 3, 4]))
    True
    """
    recurs = [name for name in sheet.names if not name.isdigit() and name in set(sheet.texts(name))]
    return bool(recurs) or any(len(name.split()) >= _WORDS_OF_A_TEXT for name in sheet.names)


def read_folder(tree: Tree, files: Sequence[PurePosixPath], wanted: Wanted) -> Draft:
    """Read a folder a class of text files, one text a file; split folders may stand above."""
    inputs, places, set_aside = [], [], []
    findings: list[Finding] = []
    for file, place in zip(files, read_places(files), strict=True):
        try:
            text, noted = read_text_file(tree.at(file), wanted.encoding)
        except DataError as error:
            set_aside.append(SetAside(file.as_posix(), ending(error.problem, tree.at(file))))
            continue
        inputs.append(text)
        places.append((file.as_posix(), *place))
        findings += noted
    classed = [label for _, label, _ in places if label is not None]
    stray = {name for name, label, _ in places if classed and label is None}
    set_aside += [SetAside(name, "the file lies in no class folder") for name in sorted(stray)]
    inputs = [text for text, (name, _, _) in zip(inputs, places, strict=True) if name not in stray]
    places = [place for place in places if place[0] not in stray]
    findings += _only_numbers(inputs)
    return Draft(
        modality="text",
        inputs=inputs,
        ids=[name for name, _, _ in places],
        labels=[label or "" for _, label, _ in places] if classed else None,
        splits=[split or "" for _, _, split in places],
        set_aside=tuple(set_aside),
        findings=tuple(findings[:_SHOWN]),
    )


def _only_numbers(texts: Sequence[str]) -> list[Finding]:
    """Point out files of numbers, which are series rather than texts."""
    if not texts or any(any(map(str.isalpha, text)) for text in texts[:_SHOWN]):
        return []
    summary = "The files hold numbers and no words, but were read as texts."
    return [
        Finding(
            kind="numbers-as-texts",
            severity="warn",
            rows=(),
            summary=summary,
            advice="If each is a series, let their names end with .csv.",
        )
    ]


def read(sheet: Sheet, base: Path, wanted: Wanted) -> Draft:
    """Take the text columns and what belongs to them.

    Raises
    ------
    DataError
        There is no column of texts, and none was named.
    """
    others = roles_of(sheet, wanted, []).named().values()
    text = find_text_columns(sheet, wanted, {*others, *wanted.keep})
    if text is None:
        raise DataError(
            f"{sheet.name} has no text column (columns: {', '.join(sheet.names[:20])}).", "Name it with --text COLUMN."
        )
    roles = roles_of(sheet, wanted, text.names)
    used = {**text.roles(), **roles.named()}
    labels, marks = labels_of(roles, sheet.texts)
    return Draft(
        modality="text",
        inputs=join_texts(sheet, text.names),
        ids=ids_of(sheet, roles.id),
        labels=labels,
        marks=marks,
        splits=optional_texts(sheet, roles.split),
        metadata=rest_of(sheet, used.values()),
        set_aside=sheet.set_aside,
        findings=sheet.findings + text.findings + roles.findings,
        columns=used,
    )
