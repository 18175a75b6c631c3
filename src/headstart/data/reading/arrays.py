"""Rows that are in memory already: lists of texts or image files, arrays of series."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.columns.cells import format_cell
from headstart.data.columns.names import ColumnSpec
from headstart.data.labels.task_type import LabelSpec
from headstart.data.reading.frames import convert_inputs, is_frame, read_column_values, read_frame_columns
from headstart.data.reading.memory_images import is_image, save_image
from headstart.data.reading.rows import ParsedRows, ReadPolicy, build_table
from headstart.data.series import series_arrays
from headstart.errors import DataError, InputTypeError
from headstart.modalities.image import SUFFIXES
from headstart.records import InputColumns, Table, make_column

_MISSING_FILE = "(no file)"


def from_arrays(  # noqa: PLR0913 - all but three by keyword
    inputs: Any,
    labels: Sequence[Any] | None = None,
    modality: str | None = None,
    *,
    axes: str = "auto",
    known: InputColumns | None = None,
    metadata: Mapping[str, Any] | None = None,
    task: str = "classification",
) -> Table:
    """Make a table of what is in memory.

    Parameters
    ----------
    inputs : sequence of str, of Path or of images, array of numbers, Series or DataFrame
        Texts; image files; images of Pillow or arrays (n_rows, height, width, 3); or series of shape (n_rows, time) or
        (n_rows, channels, time), or a sequence of (channels, time) arrays of different lengths. Strings that are all
        existing image files are images. Of a DataFrame the column of texts or files is taken, or all columns if all are
        numbers; its index does not matter.
    labels : sequence, shape (n_rows,) or (n_rows, n_labels), optional
        Anything that can be written as text; lists, tuples or sets are several labels of a row; so is an array or a
        DataFrame of 0 and 1 with a column a label.
    modality : str, optional
        "image", "text" or "series", where it should not be found out.
    axes : str
        Of series with several channels: "channels-first", "time-first", or "auto": as in training, else the first.
    known : InputColumns, optional
        What the model learnt from: series must have its channels.
    metadata : mapping of str to sequence, shape (n_rows,), optional
        Further columns.
    task : str
        One of `headstart.task_types.TASK_TYPES`; lists and columns of labels are several labels in any case.

    Returns
    -------
    Table
        Ids are row numbers from 0 (images: their paths). Rows that cannot be used are in `set_aside`.

    Raises
    ------
    DataError
        `labels` has another length, a label is missing, or the inputs are of no known kind.

    Examples
    --------
    >>> from_arrays(["good", "bad"], ["yes", "no"]).modality
    'text'
    """
    parsed_rows = parse_arrays(inputs, modality, axes, known)
    if labels is not None and len(labels) != len(parsed_rows.ids):
        raise DataError(
            f"There are {len(parsed_rows.ids)} inputs and {len(labels)} labels.", "Give one label for each input."
        )
    indicators, labels = _split_indicators(labels)
    label_texts, label_spec = _write_labels(labels, task)
    if indicators:
        label_texts, label_spec = [""] * len(parsed_rows.ids), LabelSpec(task="multi-label")
    metadata_columns = {
        name: make_column([format_cell(item) for item in read_column_values(values)])
        for name, values in (metadata or {}).items()
    }
    return build_table(
        replace(parsed_rows, labels=label_texts, indicators=indicators, metadata=metadata_columns),
        "memory",
        ReadPolicy(label_spec=label_spec),
    )


def parse_arrays(
    inputs: Any, modality: str | None = None, axes: str = "auto", known: InputColumns | None = None
) -> ParsedRows:
    """Return rows that are in memory, without labels; a missing one keeps its place and is set aside later.

    Parameters
    ----------
    inputs : sequence, array, Series or DataFrame
        As for `from_arrays`.
    modality : str, optional
        None to infer it.
    axes : str
        As for `from_arrays`.
    known : InputColumns, optional
        Value columns of training.
    """
    converted = convert_inputs(inputs)
    values = list(converted)
    if not values:
        raise DataError("There are no inputs.", "Give at least one.")
    row_modality = modality or _infer_modality([value for value in values if value is not None])
    return _PARSERS[row_modality](converted, values, ColumnSpec(axes=axes, training_inputs=known))


def _split_indicators(labels: Any) -> tuple[dict[str, list[str]], Any]:
    """Return labels of shape (n_rows, n_labels) as columns of 0 and 1; else none, and the labels in one dimension."""
    if is_frame(labels):
        columns = read_frame_columns(labels)
    elif isinstance(labels, np.ndarray) and labels.ndim == 2 and (labels.dtype.kind in "biuf" or labels.shape[1] == 1):
        columns = {str(number): labels[:, number].tolist() for number in range(labels.shape[1])}
    else:
        return {}, labels
    if len(columns) == 1:
        return {}, next(iter(columns.values()))
    return {name: [format_cell(item) for item in values] for name, values in columns.items()}, None


def _write_labels(labels: Sequence[Any] | None, task: str) -> tuple[list[str] | None, LabelSpec]:
    """Write labels as text; a list, a tuple or a set is several labels of a row."""
    if labels is None:
        return None, LabelSpec()
    values = read_column_values(labels)
    if not any(isinstance(label, _LABEL_SETS) for label in values):
        return [format_cell(label) for label in values], LabelSpec(task=task)
    parts = [list(label) if isinstance(label, _LABEL_SETS) else [label] for label in values]
    return [format_cell([format_cell(part) for part in label]) for label in parts], LabelSpec(
        task="multi-label", empty_is_none=True
    )


_LABEL_SETS = (list, tuple, set, frozenset, np.ndarray)


def _infer_modality(values: Sequence[Any]) -> str:
    if not values:
        raise DataError("All inputs are missing values.", "Give texts, image files or arrays.")
    if all(isinstance(value, Path) for value in values):
        return "image"
    if all(isinstance(value, str) for value in values):
        return "image" if all(_is_image_file(value) for value in values) else "text"
    if all(map(is_image, values)):
        return "image"
    if all(isinstance(value, np.ndarray | list | tuple) for value in values):
        return "series"
    raise make_type_error(values)


def make_type_error(values: Sequence[Any]) -> InputTypeError:
    """Return the error for inputs of types that no model reads.

    Parameters
    ----------
    values : sequence
        The inputs.
    """
    kinds = sorted({type(value).__name__ for value in values})
    return InputTypeError(
        f"Inputs of type {', '.join(kinds)} cannot be read.", "Give texts, image files, images or arrays."
    )


def _is_image_file(value: str) -> bool:
    return len(value) < 4096 and Path(value).suffix.lower() in SUFFIXES and Path(value).is_file()


def _number_rows(n_rows: int) -> list[str]:
    return [str(row) for row in range(n_rows)]


def _parse_images(inputs: Any, values: Sequence[Any], spec: ColumnSpec) -> ParsedRows:
    files, ids = [], []
    for row, value in enumerate(values):
        is_file = value is None or isinstance(value, str | PathLike)
        if not is_file and not hasattr(value, "shape") and not is_image(value):
            raise make_type_error([value])
        files.append(Path(value or _MISSING_FILE) if is_file else save_image(value))
        ids.append(files[-1].as_posix() if is_file else str(row))
    return ParsedRows(modality="image", inputs=files, ids=ids)


def _parse_texts(inputs: Any, values: Sequence[Any], spec: ColumnSpec) -> ParsedRows:
    odd = [
        value for value in values if not (value is None or isinstance(value, str | int | float | np.generic | PathLike))
    ]
    if odd:
        raise make_type_error(odd)
    texts = ["" if value is None else str(value) for value in values]
    return ParsedRows(modality="text", inputs=texts, ids=_number_rows(len(texts)))


def _parse_series(inputs: Any, values: Sequence[Any], spec: ColumnSpec) -> ParsedRows:
    series = _orient(inputs, values, spec)
    return ParsedRows(
        modality="series",
        inputs=series.rows,
        ids=_number_rows(len(series.rows)),
        findings=series.findings,
        input_columns=series.input_columns,
    )


def _orient(inputs: Any, values: Sequence[Any], spec: ColumnSpec) -> series_arrays.OrientedSeries:
    if isinstance(inputs, np.ndarray) and inputs.dtype != object:
        is_square = inputs.ndim == 3 and inputs.shape[1] == inputs.shape[2]
        if is_square and spec.axes == "auto" and spec.training_inputs is None:
            spec = replace(spec, axes="channels-first")  # In memory the axes are those of the documentation.
        return series_arrays.orient_one_series(inputs, "inputs", spec)
    if any(value is None for value in values):
        first = next((np.asarray(value) for value in values if value is not None), np.zeros(1))
        values = [np.full(first.shape, np.nan) if value is None else value for value in values]
    return series_arrays.orient_series_list(values, spec)


_PARSERS: dict[str, Callable[[Any, Sequence[Any], ColumnSpec], ParsedRows]] = {
    "image": _parse_images,
    "text": _parse_texts,
    "series": _parse_series,
}
"""By modality: rows of the inputs as they were given, and as a list of values in which missing ones are None."""
