"""Inputs to predict: files, folders, tables and zips in a stable order; what cannot be read is set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

from PIL.Image import Image

from headstart import progress
from headstart.data.columns.names import ColumnSpec, add_named_columns
from headstart.data.reading.archive import unpack
from headstart.data.reading.arrays import make_type_error, parse_arrays
from headstart.data.reading.decoding import read_text_file
from headstart.data.reading.frames import convert_frame, is_column, is_frame, read_frame_columns
from headstart.data.reading.paths import require_existing, require_workbook
from headstart.data.reading.rows import (
    ParsedRows,
    ReadPolicy,
    build_table,
    join_parsed_rows,
    make_encodable,
    make_row_ids,
)
from headstart.data.reading.sources import (
    DATA_SUFFIXES,
    SERIES_FILES,
    TABLE_READERS,
    make_sheet_choice,
)
from headstart.data.reading.table_files import RawTable, is_table, read_raw_table
from headstart.data.reading.tree import list_tree
from headstart.data.texts import TEXT_FILES
from headstart.errors import DataError, NothingRead, UnknownName, cut_problem
from headstart.modalities.image import SUFFIXES
from headstart.options import ColumnOptions, parse
from headstart.plain_files import explain_not_plain
from headstart.records import InputColumns, SetAside, Table

_LONGEST_PATH = 4096
InputOrder = tuple[tuple[str, int | None], ...]
"""Every input's id in the order given, with its row in the table (None: it could not be read)."""


@dataclass(frozen=True)
class OrderedInputs:
    """Rows to predict: those that can be read, and the order of all."""

    table: Table
    order: InputOrder


def read_inputs(paths: Sequence[Path | str], modality: str, columns: Mapping[str, str]) -> Table:
    """Read rows to predict, as `read_ordered_inputs` does; returns those that can be read.

    Parameters
    ----------
    paths : sequence of Path | str
        Files, folders, tables and zips.
    modality : str
    columns : mapping of str to str
        Columns of training by role.
    """
    return read_ordered_inputs(paths, modality, columns, {}).table


def read_ordered_inputs(
    paths: Sequence[Path | str],
    modality: str,
    columns: Mapping[str, str],
    named_columns: Mapping[str, str],
    *,
    inputs: InputColumns | None = None,
    options: ColumnOptions | None = None,
) -> OrderedInputs:
    """Read rows to predict, and remember the order of all.

    Parameters
    ----------
    paths : sequence of Path or str
        Files, folders (searched recursively, sorted), tables and zips.
    modality : str
        Of the model: "image", "text" or "series".
    columns : mapping of str to str
        Which column served as what in training (`Table.columns`); the usual names where a table lacks them.
    named_columns : mapping of str to str
        Columns that the user named: they must be there.
    inputs : InputColumns, optional
        For series: the value columns of training, which are found by their names.
    options : ColumnOptions, optional
        Further columns that the user named, and the encoding of text files.

    Returns
    -------
    Inputs
        Rows in the order of `paths`. Ids: the path as given (images, files), or as `read_table` makes them (tables).
        Rows of a table that could not even be parsed come after its other rows. Labels only where the label column
        of training is present.

    Raises
    ------
    DataError
        A path is not there, nothing at all was found, or nothing could be read (`NothingRead`).
    UnknownName
        A column in `named_columns`, or the text column of training, is not there.
    """
    spec = _make_spec(columns, named_columns, inputs, options)
    sources = [require_existing(Path(path).expanduser()) for path in paths]
    require_workbook(sources, spec.sheet)
    reader = INPUT_READERS[modality]
    if len(sources) == 1 and sources[0].suffix.lower() in reader.data_suffixes:
        parsed_parts = [_read_file(sources[0], sources[0].as_posix(), modality, spec)]
    else:
        parsed_parts = [parsed_rows for place in sources for parsed_rows in _read_source(place, modality, spec)]
    source = ", ".join(str(path) for path in paths)
    if not any(parsed_rows.ids or parsed_rows.set_aside for parsed_rows in parsed_parts):
        raise DataError(f"Nothing to predict was found in {source or 'an empty list'}.", reader.advice)
    joined_rows = join_parsed_rows(parsed_parts)
    table = build_table(joined_rows, source, ReadPolicy(expects_labels=False))
    for item in table.findings:
        if item.severity == "warn":
            progress.warn(f"{item.summary} {item.advice}")
        elif item.kind == "encoding":
            progress.say(item.summary)
    if len(table) == 0:
        first = table.set_aside[0]
        problem = f"Nothing in {source} can be read ({first.id}: {first.reason})."
        raise NothingRead(problem, reader.advice, [vars(item) for item in table.set_aside])
    return OrderedInputs(table, tuple(_list_order(parsed_parts, make_row_ids(joined_rows), table)))


def make_ordered_inputs(
    inputs: Any, modality: str, columns: Mapping[str, str], known: InputColumns | None = None
) -> OrderedInputs:
    """Return rows in memory as rows to predict; the order names each by its number.

    Parameters
    ----------
    inputs : sequence, array, Series, DataFrame, str, Path or image
        As `from_arrays`; of a DataFrame with the columns of training those are taken. One text, path or image is one
        input, and an existing folder, table or zip is read as `read_ordered_inputs` reads it.
    modality, columns
        As for `read_ordered_inputs`.
    known : InputColumns, optional
        For series: the value columns of training.

    Raises
    ------
    InputTypeError
        The inputs are of a type that is none of these.
    """
    if isinstance(inputs, str | PathLike):
        if names_data(inputs, modality):
            return read_ordered_inputs([Path(inputs)], modality, columns, {}, inputs=known)
        inputs = [inputs]
    elif isinstance(inputs, Image):
        inputs = [inputs]
    elif isinstance(inputs, bytes | Mapping) or not (
        isinstance(inputs, Iterable) or is_frame(inputs) or is_column(inputs)
    ):
        raise make_type_error([inputs])
    names = set(map(str, read_frame_columns(inputs))) if is_frame(inputs) else set()
    trained = set(columns.values())
    if known is not None:
        trained |= {*known.channels, *(name for steps in known.values for name in steps)} - {""}
    if names & trained:
        spec = ColumnSpec(for_training=False, training_columns=columns, training_inputs=known)
        parsed_rows = TABLE_READERS[modality].read(convert_frame(inputs), Path(), spec)
    else:
        parsed_rows = parse_arrays(inputs, modality, known=known)
    table = build_table(parsed_rows, "memory", ReadPolicy(expects_labels=False))
    return OrderedInputs(table, tuple(_list_order([parsed_rows], make_row_ids(parsed_rows), table)))


def names_data(name: str | PathLike[str], modality: str) -> bool:
    """Return whether a text or path names a file, folder or zip that is there; a word without ending is a text.

    Parameters
    ----------
    name : str or Path
    modality : str
        Of the model that reads it.
    """
    reader = INPUT_READERS[modality]
    if len(str(name)) >= _LONGEST_PATH or "\n" in str(name) or "\0" in str(name):
        return False
    path = Path(name).expanduser()
    is_word = isinstance(name, str) and reader.reads_words and not path.suffix and len(path.parts) <= 1
    return bool(str(name)) and not is_word and path.exists()  # Path("") is the folder at work.


def _list_order(
    parsed_parts: Sequence[ParsedRows], names: Sequence[str], table: Table
) -> Iterator[tuple[str, int | None]]:
    row_of = {name: row for row, name in enumerate(table.ids)}
    remaining_names = iter(names)
    for parsed_rows in parsed_parts:
        yield from ((name, row_of.get(name)) for name in islice(remaining_names, len(parsed_rows.ids)))
        yield from ((make_encodable(item.id), None) for item in parsed_rows.set_aside)


def _read_source(source: Path, modality: str, spec: ColumnSpec) -> list[ParsedRows]:
    if source.is_dir():
        return _read_below(source, source, modality, spec)
    if source.suffix.lower() == ".zip":
        return _read_below(unpack(source), source, modality, spec)
    return [_read_one(source, source.as_posix(), modality, spec)]


def _read_below(folder: Path, shown_path: Path, modality: str, spec: ColumnSpec) -> list[ParsedRows]:
    """Read everything of the modality below a folder; ids begin with the folder as the user gave it."""
    tree = list_tree(folder)
    prefix = PurePosixPath(shown_path.as_posix())
    files = tree.list_files(INPUT_READERS[modality].searched_suffixes)
    return [_read_one(tree.locate(file), (prefix / file).as_posix(), modality, spec) for file in files]


def _read_one(path: Path, row_id: str, modality: str, spec: ColumnSpec) -> ParsedRows:
    """Read one file; one that cannot be read is set aside with the reason."""
    reason = explain_not_plain(path)
    if reason is not None:
        return _set_file_aside(row_id, modality, reason)
    try:
        return _read_file(path, row_id, modality, spec)
    except UnknownName:
        raise
    except DataError as error:
        return _set_file_aside(row_id, modality, cut_problem(error.problem, path))


def _set_file_aside(row_id: str, modality: str, reason: str) -> ParsedRows:
    return ParsedRows(modality=modality, inputs=[], ids=[], set_aside=(SetAside(row_id, reason),))


def _read_file(path: Path, row_id: str, modality: str, spec: ColumnSpec) -> ParsedRows:
    parsed_rows = INPUT_READERS[modality].read_file(path, row_id, spec)
    return parsed_rows or _set_file_aside(row_id, modality, f"this is no {modality} that can be read")


def _read_table(path: Path, modality: str, spec: ColumnSpec) -> ParsedRows:
    return TABLE_READERS[modality].read(_read_columns(path, modality, spec), path.parent, spec)


def _read_columns(path: Path, modality: str, spec: ColumnSpec) -> RawTable:
    return read_raw_table(path, spec.encoding, make_sheet_choice(path, modality, spec))


def read_input_columns(
    path: Path,
    modality: str,
    columns: Mapping[str, str],
    *,
    inputs: InputColumns | None = None,
    options: ColumnOptions | None = None,
) -> RawTable:
    """Read all columns of a table of rows to predict, of the same sheet as `read_ordered_inputs`.

    Parameters
    ----------
    path : Path
        The table.
    modality : str
    columns : mapping of str to str
        Columns of training by role.
    inputs : InputColumns, optional
    options : ColumnOptions, optional

    Raises
    ------
    DataError
        It is damaged or empty.
    """
    return _read_columns(path, modality, _make_spec(columns, {}, inputs, options))


def _make_spec(
    columns: Mapping[str, str],
    named_columns: Mapping[str, str],
    inputs: InputColumns | None,
    options: ColumnOptions | None,
) -> ColumnSpec:
    spec = ColumnSpec(columns=named_columns, for_training=False, training_columns=columns, training_inputs=inputs)
    return add_named_columns(spec, options or parse(ColumnOptions))


def _read_image_file(path: Path, row_id: str, spec: ColumnSpec) -> ParsedRows:
    """Read an image, or a table of images; those that it does not list are no concern here."""
    if not is_table(path):
        return ParsedRows(modality="image", inputs=[path], ids=[row_id])
    parsed_rows = _read_table(path, "image", spec)
    return replace(parsed_rows, findings=tuple(item for item in parsed_rows.findings if item.kind != "not-listed"))


def _read_text_file(path: Path, row_id: str, spec: ColumnSpec) -> ParsedRows | None:
    if path.suffix.lower() in TEXT_FILES:
        text, findings = read_text_file(path, spec.encoding)
        return ParsedRows(modality="text", inputs=[text], ids=[row_id], findings=findings)
    return _read_table(path, "text", spec) if is_table(path) else None


def _read_series_file(path: Path, row_id: str, spec: ColumnSpec) -> ParsedRows | None:
    read_arrays = SERIES_FILES.get(path.suffix.lower())
    if read_arrays is not None:
        return read_arrays(path, spec)
    if not is_table(path):
        return None
    parsed_rows = _read_table(path, "series", spec)
    return replace(parsed_rows, ids=[row_id]) if list(parsed_rows.ids) == [path.name] else parsed_rows


@dataclass(frozen=True, kw_only=True)
class InputReader:
    """Functions with which a modality reads files to predict.

    Parameters
    ----------
    read_file : function
        Reads a file under the id that a file of one row has; None where the file is of another modality.
    searched_suffixes : frozenset of str
        Endings of the files that are looked for in folders and zips.
    data_suffixes : frozenset of str
        Endings of files that, given alone, are refused where they cannot be read, and not set aside.
    advice : str
        What to give, where nothing can be read.
    reads_words : bool
        Whether a string may be an input itself, and not only name a file.
    """

    read_file: Callable[[Path, str, ColumnSpec], ParsedRows | None]
    searched_suffixes: frozenset[str]
    data_suffixes: frozenset[str] = DATA_SUFFIXES
    advice: str
    reads_words: bool = False


INPUT_READERS = {
    "image": InputReader(
        read_file=_read_image_file,
        searched_suffixes=SUFFIXES,
        data_suffixes=frozenset(),
        advice="Give images, a folder of images, a zip, or a table with a column file_name.",
    ),
    "text": InputReader(
        read_file=_read_text_file,
        searched_suffixes=DATA_SUFFIXES | {".txt"},
        advice="Give a table with a column of texts (name it with --text COLUMN), or .txt files.",
        reads_words=True,
    ),
    "series": InputReader(
        read_file=_read_series_file,
        searched_suffixes=DATA_SUFFIXES,
        advice="Give a table of series, .npz, .ts, or one CSV file a series.",
    ),
}
"""By modality."""
