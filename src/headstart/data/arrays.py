"""Rows that are in memory already: lists of texts or picture files, arrays of series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data import series_files
from headstart.data.cells import as_text
from headstart.data.names import Wanted
from headstart.data.rows import Draft, Finish, finish
from headstart.data.tasks import Wish
from headstart.errors import DataError
from headstart.modalities.image import SUFFIXES
from headstart.records import Finding, InputColumns, Table


def from_arrays(
    inputs: Any,
    labels: Sequence[Any] | None = None,
    modality: str | None = None,
    *,
    axes: str = "auto",
    known: InputColumns | None = None,
) -> Table:
    """Make a table of what is in memory.

    Parameters
    ----------
    inputs : sequence of str, sequence of Path, or array of numbers
        Texts; picture files; or series of shape (n_rows, time) or (n_rows, channels, time), or a sequence of
        (channels, time) arrays of different lengths. Strings that are all existing picture files are pictures.
    labels : sequence, shape (n_rows,), optional
        Anything that can be written as text; lists, tuples or sets are several labels of a row.
    modality : str, optional
        "image", "text" or "series", where it should not be found out.
    axes : str
        Of series with several channels: "channels-first", "time-first", or "auto": as in training, else the first.
    known : InputColumns, optional
        What the model learnt from: series must have its channels.

    Returns
    -------
    Table
        Ids are row numbers from 0 (pictures: their paths). Rows that cannot be used are in `set_aside`.

    Raises
    ------
    DataError
        `labels` has another length, a label is missing, or the inputs are of no known kind.

    Examples
    --------
    >>> from_arrays(["good", "bad"], ["yes", "no"]).modality
    'text'
    """
    values = list(inputs)
    if labels is not None and len(labels) != len(values):
        raise DataError(f"There are {len(values)} inputs and {len(labels)} labels.", "Give one label an input.")
    if not values:
        raise DataError("There are no inputs.", "Give at least one.")
    kind = modality or _kind(values)
    layout, findings = None, tuple[Finding, ...]()
    if kind == "series":
        made, layout, findings = _series(inputs, values, Wanted(axes=axes, inputs=known))
    else:
        made = _TAKE[kind](inputs, values)
    ids = [one.as_posix() if isinstance(one, Path) else str(row) for row, one in enumerate(made)]
    named, wish = _written(labels)
    draft = Draft(kind, made, ids, named, findings=findings, input_columns=layout)
    return finish(draft, "memory", Finish(wish=wish))


def _written(labels: Sequence[Any] | None) -> tuple[list[str] | None, Wish]:
    """Write labels as text; a list, a tuple or a set is several labels of a row."""
    if labels is None:
        return None, Wish()
    values = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    if not any(isinstance(label, _SEVERAL) for label in values):
        return [as_text(label) for label in np.asarray(labels, dtype=object).tolist()], Wish()
    parts = [list(label) if isinstance(label, _SEVERAL) else [label] for label in values]
    return [as_text([as_text(part) for part in label]) for label in parts], Wish("multi-label", empty_is_none=True)


_SEVERAL = (list, tuple, set, frozenset, np.ndarray)


def _kind(values: Sequence[Any]) -> str:
    if all(isinstance(value, Path) for value in values):
        return "image"
    if all(isinstance(value, str) for value in values):
        return "image" if all(_is_picture(value) for value in values) else "text"
    if all(isinstance(value, np.ndarray | list | tuple) for value in values):
        return "series"
    kinds = sorted({type(value).__name__ for value in values})
    raise DataError(f"Inputs of type {', '.join(kinds)} are not understood.", "Give texts, picture files or arrays.")


def _is_picture(value: str) -> bool:
    return len(value) < 4096 and Path(value).suffix.lower() in SUFFIXES and Path(value).is_file()


def _series(inputs: Any, values: Sequence[Any], wanted: Wanted) -> tuple[list[Any], InputColumns, tuple[Finding, ...]]:
    if isinstance(inputs, np.ndarray) and inputs.dtype != object:
        made, axes, findings = series_files.oriented(inputs, "inputs", wanted)
        return list(made), InputColumns(layout="array", axes=axes), findings
    return series_files.from_list(values, wanted)


_TAKE: dict[str, Callable[[Any, Sequence[Any]], list[Any]]] = {
    "image": lambda inputs, values: [Path(value) for value in values],
    "text": lambda inputs, values: [str(value) for value in values],
}
