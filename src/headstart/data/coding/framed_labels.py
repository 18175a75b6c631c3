"""Labels of rows as paths of a coding frame: levels are joined, codes become paths, parents are labels, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from headstart.coding_frames import CodingFrame, join_path, looks_like_paths, split_path
from headstart.data.columns.cells import parse_number
from headstart.data.columns.names import LABEL_ROLE
from headstart.data.columns.one_hot import NO, YES
from headstart.errors import DataError, list_offenders
from headstart.records import Table, make_column
from headstart.task_types import TASK_TYPES

_MARKS = YES | NO


def are_levels(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether several label columns are the levels of one label: in each, most cells are words.

    Parameters
    ----------
    columns : sequence of sequence of str
        Cells of each column.

    Examples
    --------
    >>> are_levels([["water", "food"], ["pump", ""]]), are_levels([["1", "0"], ["x", ""]])
    (True, False)
    """
    return len(columns) > 1 and all(_holds_words(cells) for cells in columns)


def _holds_words(cells: Sequence[str]) -> bool:
    written = [cell.strip() for cell in cells if cell.strip()]
    n_words = sum(cell.casefold() not in _MARKS and not _is_number(cell) for cell in written)
    return 2 * n_words > len(written)


def _is_number(cell: str) -> bool:
    try:
        parse_number(cell, decimal_comma=True)
    except ValueError:
        return False
    return True


def join_levels(columns: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the label of each row from its levels, the widest first; a row may end at any level.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        Cells of each level, by name.

    Raises
    ------
    DataError
        A level is empty although a deeper one is filled.

    Examples
    --------
    >>> join_levels({"level1": ["water", "food"], "level2": ["pump", ""]})
    ['water > pump', 'food']
    """
    rows = [[cell.strip() for cell in cells] for cells in zip(*columns.values(), strict=True)]
    paths = [row[: max((at + 1 for at, cell in enumerate(row) if cell), default=0)] for row in rows]
    gaps = [f"row {at + 1}: {' > '.join(path)[:60]}" for at, path in enumerate(paths) if not all(path)]
    if gaps:
        raise DataError(
            f"{len(gaps)} rows have a level of the label without the level above it ({list_offenders(gaps)}).",
            f"Fill in every level ({', '.join(columns)}) down to the one that was coded.",
        )
    return [join_path(path) for path in paths]


def frame_labels(table: Table, frame: CodingFrame | None, *, mark: str = "", keeps_unknown: bool = False) -> Table:
    """Return a table whose labels are paths of a frame, with the frame; unchanged where labels have no levels.

    Where a row may have several labels, each parent becomes a label of its own, which a row has with any label below.

    Parameters
    ----------
    table : Table
    frame : CodingFrame or None
        None: it is told from the labels, if most of them are paths.
    mark : str
        Between the levels of a label, where it is not " > ".
    keeps_unknown : bool
        Whether labels that are no codes stay as they are.

    Raises
    ------
    DataError
        A label is no code of the frame, or names several.
    """
    if table.labels is None or TASK_TYPES[table.task].is_number or TASK_TYPES[table.task].is_ordered:
        return table
    written = _list_written(table)
    if table.frame is not None or (frame is None and not mark and not looks_like_paths(written)):
        return table
    levels = [name for role, name in table.columns.items() if role.startswith(LABEL_ROLE)]
    names = {name: join_path(name.split(mark)) if mark else name for name in written}
    if frame is not None:
        names = _match_codes(names, frame, keeps_unknown)
    used = CodingFrame.from_names(sorted(set(names.values())), levels if table.targets is None else ())
    if frame is not None:
        used = replace(
            used, codes=tuple(frame.by_name.get(code.name, code) for code in used.codes), levels=frame.levels
        )
    if table.targets is None:
        return replace(
            table, labels=make_column([names.get(str(label), str(label)) for label in table.labels]), frame=used
        )
    return _add_parents(table, names, used)


def _list_written(table: Table) -> list[str]:
    assert table.labels is not None
    if table.targets is not None:
        return list(table.target_names)
    return sorted({str(label) for label in table.labels if str(label).strip()})


def _match_codes(names: Mapping[str, str], frame: CodingFrame, keeps_unknown: bool) -> dict[str, str]:
    paths = {written: frame.find_paths(name) for written, name in names.items()}
    if keeps_unknown:
        return {written: paths_of[0] if len(paths_of) == 1 else names[written] for written, paths_of in paths.items()}
    unknown = [name[:60] for name, paths_of in paths.items() if not paths_of]
    if unknown:
        raise DataError(
            f"{len(unknown)} labels are no codes of the frame ({list_offenders(unknown)}).",
            "Add them to the frame, correct them in the data, or see `headstart codes diff` if codes were renamed.",
        )
    double = [f"{name[:40]}: {' or '.join(paths_of[:2])}" for name, paths_of in paths.items() if len(paths_of) > 1]
    if double:
        raise DataError(
            f"{len(double)} labels stand at several places of the frame ({list_offenders(double)}).",
            "Write the whole path or the id of the code in the data.",
        )
    return {name: paths_of[0] for name, paths_of in paths.items()}


def _add_parents(table: Table, names: Mapping[str, str], frame: CodingFrame) -> Table:
    """Return a table whose labels are paths, with a label for each parent."""
    assert table.targets is not None
    paths = [split_path(names[name]) for name in table.target_names]
    nodes = sorted({join_path(path[:at]) for path in paths for at in range(1, len(path) + 1)})
    place = {name: at for at, name in enumerate(nodes)}
    targets = np.zeros((len(table), len(nodes)), dtype=np.float32)
    for at, path in enumerate(paths):
        for depth in range(1, len(path) + 1):
            column = place[join_path(path[:depth])]
            targets[:, column] = np.fmax(targets[:, column], table.targets[:, at])
    targets[np.isnan(table.targets).any(axis=1)] = np.nan
    labels = [";".join(np.array(nodes, dtype=object)[row == 1]) for row in targets]
    return replace(table, targets=targets, target_names=tuple(nodes), labels=make_column(labels), frame=frame)
