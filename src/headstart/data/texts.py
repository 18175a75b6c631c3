"""Tables of texts: one row a text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from headstart.data.columns.axes import find_axis
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.names import ROLES, ColumnSpec, fold_column_name
from headstart.data.columns.text_columns import find_text_columns, join_texts, list_text_columns
from headstart.data.images.class_folders import read_folder_labels
from headstart.data.reading.column_roles import find_roles, read_ids, read_labels, read_metadata, read_optional_texts
from headstart.data.reading.decoding import read_text_file
from headstart.data.reading.rows import ParsedRows
from headstart.data.reading.table_files import RawTable
from headstart.data.reading.tree import FolderTree
from headstart.errors import DataError, cut_problem
from headstart.records import Finding, SetAside
from headstart.results.findings import make_finding

TEXT_FILES = frozenset({".txt", ".text", ".md"})
"""Files that are one text each."""
_MOST_FINDINGS = 20
"""Doubts about encodings of single files that are passed on."""


def is_text_table(raw_table: RawTable, base: Path, spec: ColumnSpec) -> bool:
    """Return whether a table has a text column; one without a usual name counts where nothing else does.

    Parameters
    ----------
    raw_table : RawTable
    base : Path
        Not used.
    spec : ColumnSpec
    """
    if spec.texts or list_text_columns(spec.training_columns):
        return True
    if any(fold_column_name(name) in ROLES["text"] for name in raw_table.names):
        return True
    numbers = [name for name in raw_table.names if raw_table.has_numbers(name)]
    if len(numbers) >= COLUMN_RULES.min_steps or find_axis(numbers) is not None:
        return False
    return find_text_columns(raw_table, spec, find_roles(raw_table, spec, []).by_role().values()) is not None


def lacks_header(raw_table: RawTable) -> bool:
    """Return whether the first row seems to be data: one of its cells recurs below it, or is a whole text.

    Parameters
    ----------
    raw_table : RawTable

    Examples
    --------
    >>> import numpy as np
    >>> column_ = np.array(["water", "roads", "water"], dtype=object)
    >>> columns = {"water": column_, "the tap gives brown water": column_}
    >>> lacks_header(RawTable(name="a.tsv", columns=columns, rows=[2, 3, 4]))
    True
    """
    recurs = [name for name in raw_table.names if not name.isdigit() and name in set(raw_table.texts(name))]
    return bool(recurs) or any(len(name.split()) >= COLUMN_RULES.min_header_text_words for name in raw_table.names)


def read_text_folder(tree: FolderTree, files: Sequence[PurePosixPath], spec: ColumnSpec) -> ParsedRows:
    """Read a folder a class of text files, one text a file; split folders may stand above.

    Parameters
    ----------
    tree : FolderTree
    files : sequence of PurePosixPath
        Text files below the folder.
    spec : ColumnSpec
    """
    inputs, file_labels, set_aside = [], [], []
    findings: list[Finding] = []
    for file, labels_of_file in zip(files, read_folder_labels(files), strict=True):
        try:
            text, encoding_findings = read_text_file(tree.locate(file), spec.encoding)
        except DataError as error:
            set_aside.append(SetAside(file.as_posix(), cut_problem(error.problem, tree.locate(file))))
            continue
        inputs.append(text)
        file_labels.append((file.as_posix(), *labels_of_file))
        findings += encoding_findings
    classed = [label for _, label, _ in file_labels if label is not None]
    stray = {name for name, label, _ in file_labels if classed and label is None}
    set_aside += [SetAside(name, "the file lies in no class folder") for name in sorted(stray)]
    inputs = [text for text, (name, _, _) in zip(inputs, file_labels, strict=True) if name not in stray]
    file_labels = [labels_of_file for labels_of_file in file_labels if labels_of_file[0] not in stray]
    findings += _find_only_numbers(inputs)
    return ParsedRows(
        modality="text",
        inputs=inputs,
        ids=[name for name, _, _ in file_labels],
        labels=[label or "" for _, label, _ in file_labels] if classed else None,
        splits=[split or "" for _, _, split in file_labels],
        set_aside=tuple(set_aside),
        findings=tuple(findings[:_MOST_FINDINGS]),
    )


def _find_only_numbers(texts: Sequence[str]) -> list[Finding]:
    """Return a finding for files of numbers, which are series rather than texts."""
    if not texts or any(any(map(str.isalpha, text)) for text in texts[:_MOST_FINDINGS]):
        return []
    summary = "The files hold numbers and no words, but were read as texts."
    return [make_finding("numbers-as-texts", summary)]


def read_text_table(raw_table: RawTable, base: Path, spec: ColumnSpec) -> ParsedRows:
    """Read the text columns and the columns that belong to them.

    Parameters
    ----------
    raw_table : RawTable
    base : Path
        Not used.
    spec : ColumnSpec

    Raises
    ------
    DataError
        There is no column of texts, and none was named.
    """
    others = find_roles(raw_table, spec, []).by_role().values()
    text = find_text_columns(raw_table, spec, {*others, *spec.group_columns})
    if text is None:
        raise DataError(
            f"{raw_table.name} has no text column (columns: {', '.join(raw_table.names[:20])}).",
            "Name it with --text COLUMN.",
        )
    roles = find_roles(raw_table, spec, text.names)
    used = {**text.roles(), **roles.by_role()}
    labels, indicators = read_labels(roles, raw_table.texts)
    return ParsedRows(
        modality="text",
        inputs=join_texts(raw_table, text.names),
        ids=read_ids(raw_table, roles.id),
        labels=labels,
        indicators=indicators,
        splits=read_optional_texts(raw_table, roles.split),
        metadata=read_metadata(raw_table, used.values()),
        set_aside=raw_table.set_aside,
        findings=raw_table.findings + text.findings + roles.findings,
        columns=used,
    )
