"""Rows of a source for a project: the existing readers, labels where there are some, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from headstart import data
from headstart.data.columns.names import make_column_spec
from headstart.data.labels.task_type import LabelSpec, ParsedLabels, RawLabels, parse_labels
from headstart.data.reading.archive import unpack
from headstart.data.reading.paths import require_existing
from headstart.data.reading.rows import (
    ParsedRows,
    ReadPolicy,
    build_table,
    join_parsed_rows,
    make_encodable,
    make_row_ids,
)
from headstart.data.reading.sources import read_source
from headstart.data.reading.stored_names import read_names
from headstart.data.reading.tree import FolderTree, list_tree
from headstart.errors import DataError, make_unknown_name
from headstart.modalities.image import SUFFIXES
from headstart.options import AddDataOptions
from headstart.projects import Project
from headstart.records import InputColumns, SetAside, Table, make_column


@dataclass(frozen=True)
class LostRow:
    """Something that cannot be read: its name, its file if it is one, and why."""

    name: str
    path: Path | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class SourceRows:
    """Rows of a source.

    Parameters
    ----------
    table : Table
        What can be read; rows without a label have "".
    lost : tuple of LostRow
        What cannot be read.
    task : str
        One of `TASK_TYPES`; "" where no row has a label.
    no_label_applies : frozenset of str
        Ids of rows that have an answer, and no label: none applies ("multi-label").
    """

    table: Table
    lost: tuple[LostRow, ...]
    task: str
    no_label_applies: frozenset[str]


def read_source_rows(project: Project, path: Path, options: AddDataOptions) -> SourceRows:
    """Read a source as the project's data was read before: the same modality, the same columns.

    Parameters
    ----------
    project : Project
    path : Path
        What `data.read_table` takes.
    options : AddDataOptions

    Raises
    ------
    HeadstartError
        Nothing can be read, or it is data of another kind.
    """
    source = require_existing(path.expanduser())
    document, known = project.get_setting("input_columns"), project.get_setting("columns", {})
    inputs = None if document is None else InputColumns.from_dict(document)
    stored = project.get_setting("modality", "auto")
    modality = stored if options.modality == "auto" else options.modality
    if stored not in ("auto", modality):
        raise DataError(f"The project holds {stored} data, and not {modality}.", "Make another project for it.")
    spec = make_column_spec(options, known or None, inputs)
    parsed_rows = _use_known_names(_take_unsorted(read_source(source, modality, spec), source), source)
    parsed_rows = _leave_columns_out(_set_kind(parsed_rows, options.as_kind), options.leave_out)
    table = build_table(parsed_rows, str(path), ReadPolicy(expects_labels=False))
    data.require_groups(table, options.group)
    if not len(table):
        first = f" ({table.set_aside[0].id}: {table.set_aside[0].reason})" if table.set_aside else ""
        raise DataError(f"Nothing in {path} can be read{first}.", "Check that these are images, texts or series.")
    lost = _list_lost(parsed_rows, table, source)
    parsed = None if options.without_labels else _parse_labels(project, parsed_rows, options)
    if parsed is None:
        table = replace(table, labels=make_column([""] * len(table)))
        return SourceRows(table=table, lost=lost, task="", no_label_applies=frozenset())
    row_of = {name: row for row, name in enumerate(make_row_ids(parsed_rows))}
    rows = [row_of[name] for name in table.ids]
    labels = ["" if parsed.missing[row] else parsed.labels[row].strip() for row in rows]
    is_none = [not label and not parsed.missing[row] for label, row in zip(labels, rows, strict=True)]
    return SourceRows(
        table=replace(table, labels=make_column(labels), findings=(*table.findings, *parsed.findings)),
        lost=lost,
        task=parsed.task,
        no_label_applies=frozenset(table.ids[np.array(is_none, dtype=bool)]),
    )


def _set_kind(parsed_rows: ParsedRows, kind: str | None) -> ParsedRows:
    """Return rows that all have one label, whatever the data says."""
    if not kind:
        return parsed_rows
    roles = {role: name for role, name in parsed_rows.columns.items() if not role.startswith("label")}
    return replace(parsed_rows, labels=[kind] * len(parsed_rows.ids), indicators={}, columns=roles)


def _leave_columns_out(parsed_rows: ParsedRows, names: Sequence[str]) -> ParsedRows:
    """Return rows without some columns of their metadata.

    Raises
    ------
    UnknownName
        There is no such column.
    """
    for name in names:
        if name not in parsed_rows.metadata:
            raise make_unknown_name("column to leave out", name, parsed_rows.metadata)
    rest = {name: values for name, values in parsed_rows.metadata.items() if name not in names}
    return replace(parsed_rows, metadata=rest)


def _use_known_names(parsed_rows: ParsedRows, source: Path) -> ParsedRows:
    """Return rows of a table that is stored under a number, with ids that hold the name people know it by."""
    places = read_names(source if source.is_dir() else source.parent) or {}
    name_of = {place.name: name.as_posix() for name, place in places.items()}
    if not name_of:
        return parsed_rows

    def rename(row_id: str) -> str:
        stored, colon, row = row_id.partition(":")
        return f"{name_of[stored]}{colon}{row}" if stored in name_of else row_id

    set_aside = tuple(replace(item, id=rename(item.id)) for item in parsed_rows.set_aside)
    return replace(parsed_rows, ids=list(map(rename, parsed_rows.ids)), set_aside=set_aside)


def _take_unsorted(parsed_rows: ParsedRows, source: Path) -> ParsedRows:
    """Return rows with the images that lie in no class folder: a project takes them without a label."""
    tree = _find_tree(source)
    unsorted = {item: file for item in parsed_rows.set_aside if (file := _find_image(tree, item.id)) is not None}
    if not unsorted:
        return parsed_rows
    ids = [item.id for item in unsorted]
    extra = ParsedRows(modality=parsed_rows.modality, inputs=list(unsorted.values()), ids=ids)
    rest = tuple(item for item in parsed_rows.set_aside if item not in unsorted)
    return join_parsed_rows([replace(parsed_rows, set_aside=rest), extra])


def _find_image(tree: FolderTree | None, name: str) -> Path | None:
    file = PurePosixPath(name)
    if tree is None or file.suffix.lower() not in SUFFIXES:
        return None
    place = tree.locate(file)
    return place if place.is_file() else None


def _find_tree(source: Path) -> FolderTree | None:
    """Return the files of a source, by the names that its rows have; None where it is one file."""
    if source.is_dir():
        return list_tree(source)
    return list_tree(unpack(source)) if source.suffix.lower() == ".zip" else None


def _parse_labels(project: Project, parsed_rows: ParsedRows, options: AddDataOptions) -> ParsedLabels | None:
    """Parse the labels of all rows; None where there are none."""
    labels = [make_encodable(label) for label in parsed_rows.labels or ()]
    if not any(label.strip() for label in labels) and not parsed_rows.indicators:
        return None
    spec = LabelSpec(
        task=project.get_setting("task", "auto") if options.task == "auto" else options.task,
        order=options.order or tuple(project.get_setting("order", ())),
        empty_is_none=options.task_type is not None and options.task_type.has_label_sets,
        merge=options.merge_labels,
    )
    raw = RawLabels(
        labels=labels or [""] * len(parsed_rows.ids),
        ids=make_row_ids(parsed_rows),
        usable=np.ones(len(parsed_rows.ids), dtype=bool),
        indicator_columns=parsed_rows.indicators,
        column=make_encodable(parsed_rows.columns.get("label", "")),
    )
    return parse_labels(raw, spec)


def _list_lost(parsed_rows: ParsedRows, table: Table, source: Path) -> tuple[LostRow, ...]:
    inputs: dict[str, Any] = dict(zip(make_row_ids(parsed_rows), parsed_rows.inputs, strict=True))
    tree = _find_tree(source)

    def find_file(item: SetAside) -> Path | None:
        value = inputs.get(item.id)
        path = value if isinstance(value, Path) else None if tree is None else tree.locate(PurePosixPath(item.id))
        return path if path is not None and path.is_file() else None

    return tuple(LostRow(item.id, find_file(item), item.reason) for item in table.set_aside)
