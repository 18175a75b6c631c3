"""From a path to rows: infers what a file, a folder or a zip holds and calls the reader for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from headstart.data import texts
from headstart.data.coding.frame_files import read_coding_frame
from headstart.data.columns.axes import find_axis
from headstart.data.columns.column_rules import COLUMN_RULES
from headstart.data.columns.names import ColumnSpec, make_column_spec, parse_split_stem, parse_split_word
from headstart.data.columns.option_use import require_use
from headstart.data.columns.text_columns import find_text_columns, join_texts
from headstart.data.images import image_folders
from headstart.data.labels.task_type import LabelSpec
from headstart.data.reading.archive import unpack
from headstart.data.reading.column_roles import find_roles
from headstart.data.reading.frames import convert_frame
from headstart.data.reading.paths import require_existing, require_workbook
from headstart.data.reading.rows import ParsedRows, ReadPolicy, build_table, join_parsed_rows
from headstart.data.reading.table_files import NAMED_READERS, READERS, RawTable, SheetChoice, is_table, read_raw_table
from headstart.data.reading.tree import FolderTree, list_tree
from headstart.data.series import long_tables, series_arrays, series_files, series_tables
from headstart.data.texts import TEXT_FILES, lacks_header
from headstart.errors import DataError, HeadstartError, OptionError, list_offenders
from headstart.modalities.image import SUFFIXES
from headstart.options import ReadOptions, parse
from headstart.records import TRAIN, InputColumns, Table


@dataclass(frozen=True, kw_only=True)
class TableReader:
    """Functions with which a modality reads a table.

    Parameters
    ----------
    fits : function
        Returns whether a table, read from a folder, holds rows of the modality.
    read : function
        Reads the rows of such a table.
    nouns : str
        What the modality is read from, in messages.
    """

    fits: Callable[[RawTable, Path, ColumnSpec], bool]
    read: Callable[[RawTable, Path, ColumnSpec], ParsedRows]
    nouns: str


TABLE_READERS = {
    "image": TableReader(fits=image_folders.is_image_table, read=image_folders.read_image_table, nouns="images"),
    "text": TableReader(fits=texts.is_text_table, read=texts.read_text_table, nouns="tables of texts"),
    "series": TableReader(
        fits=series_tables.is_series_table, read=series_tables.read_series_table, nouns="tables of series"
    ),
}
"""In the order in which they are tried."""
SERIES_FILES: dict[str, Callable[[Path, ColumnSpec], ParsedRows]] = {
    ".npz": series_arrays.read_npz,
    ".ts": series_arrays.read_ts,
}
DATA_SUFFIXES = (frozenset(READERS) | frozenset(SERIES_FILES)) - {".txt"}
UNLABELLED_ACTIONS, USE = ("stop", "drop", "use"), "use"
"""What `--unlabelled` knows beside paths."""
_DELIMITED_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})


def read_table(
    path: Path | str,
    options: ReadOptions | None = None,
    known: Mapping[str, str] | None = None,
    empty_is_none: bool | None = None,
    labels: tuple[str, ...] = (),
    inputs: InputColumns | None = None,
) -> Table:
    """Read labelled data; nothing is written beside it.

    Parameters
    ----------
    path : Path or str
        A folder of images (a folder a class, split folders above, or a table beside them), a table of texts or
        series, `.npz`, `.ts`, a folder of one of these, or a zip of any.
    options : ReadOptions, optional
        Columns, modality and how to treat odd labels.
    known : mapping of str to str, optional
        Columns of the training data (`Table.columns`), taken before the usual names where they are there.
    empty_is_none : bool, optional
        Whether an empty cell of a column such as "water;food" says that no label applies; otherwise the row has no
        label. Not given: where `options.task` is "multi-label".
    labels : tuple of str, optional
        Labels of the training data: cells with several labels are split into these.
    inputs : InputColumns, optional
        For series: the value columns of the training data, which are then found by their names.

    Returns
    -------
    Table
        Rows in a stable order; what could not be used stands in `set_aside`, what was noticed in `findings`.

    Raises
    ------
    DataError
        The path is not there, holds nothing that can be read, or rows have no label.
    UnknownName
        A column that the user named is not there.
    """
    options = options or parse(ReadOptions)
    source = require_existing(Path(path).expanduser())
    require_unlabelled_source(options.unlabelled)
    parsed_rows = read_source(source, options.modality, make_column_spec(options, known, inputs))
    table = _build_table(parsed_rows, str(path), options, empty_is_none=empty_is_none, labels=labels)
    if known is None:
        require_use(options, table)
    return table


def read_frame(frame: Any, options: ReadOptions) -> Table:
    """Read a labelled table in memory (a DataFrame) as one from a file; files that it names lie in the working folder.

    Parameters
    ----------
    frame : DataFrame
    options : ReadOptions

    Raises
    ------
    DataError, UnknownName
        As `read_table`.
    """
    raw_table, spec = convert_frame(frame), make_column_spec(options)
    modality = "text" if spec.texts and options.modality == "auto" else options.modality
    kind = TABLE_READERS[_infer_modality(raw_table, Path("the table"), spec) if modality == "auto" else modality]
    table = _build_table(kind.read(raw_table, Path(), spec), "memory", options)
    require_use(options, table)
    return table


def _build_table(
    parsed_rows: ParsedRows,
    source: str,
    options: ReadOptions,
    empty_is_none: bool | None = None,
    labels: tuple[str, ...] = (),
) -> Table:
    has_label_sets = options.task_type is not None and options.task_type.has_label_sets
    label_spec = LabelSpec(
        task=options.task, order=options.order, known=labels, merge=options.merge_labels,
        empty_is_none=has_label_sets if empty_is_none is None else empty_is_none,
    )  # fmt: skip
    policy = ReadPolicy(
        merge_labels=options.merge_labels, drop_unlabelled=options.unlabelled in {"drop", USE}, label_spec=label_spec,
        frame=read_coding_frame(options.frame) if options.frame else None, level_mark=options.level_mark,
    )  # fmt: skip
    return build_table(parsed_rows, source, policy)


def require_unlabelled_source(unlabelled: str) -> None:
    """Refuse a value of `--unlabelled` that is neither a word it knows nor a path.

    Raises
    ------
    OptionError
        There is no such path.
    """
    if unlabelled not in UNLABELLED_ACTIONS and not Path(unlabelled).expanduser().exists():
        raise OptionError(
            f"--unlabelled {unlabelled}: this is neither {', '.join(UNLABELLED_ACTIONS)} nor a path that exists.",
            "Give one of these words, or the path of unlabelled data.",
        )


def read_source(source: Path, modality: str, spec: ColumnSpec) -> ParsedRows:
    """Read a file, folder or zip as one modality, or as the first that fits (`modality` "auto").

    Parameters
    ----------
    source : Path
        An existing path.
    modality : str
        "image", "text", "series" or "auto".
    spec : ColumnSpec
    """
    if modality == "auto" and spec.texts:
        modality = "text"
    require_workbook([source], spec.sheet)
    if source.is_dir():
        return _read_folder(list_tree(source), modality, spec)
    suffix = source.suffix.lower()
    if suffix == ".zip":
        return _read_folder(list_tree(unpack(source)), modality, spec, shown_path=source)
    if suffix in SERIES_FILES and modality in {"auto", "series"}:
        return SERIES_FILES[suffix](source, spec)
    if suffix in SERIES_FILES:
        raise DataError(
            f"{source} holds series, and no {TABLE_READERS[modality].nouns}.", "Leave --text and --modality out."
        )
    if is_table(source):
        return read_table_file(source, modality, spec).parsed_rows
    raise DataError(f"{source} has a type that cannot be read ({suffix or 'no suffix'}).", _advise_format(source))


def _advise_format(source: Path) -> str:
    if source.suffix.lower() in SUFFIXES:
        return "Give the folder that holds the images."
    if source.suffix.lower() in {".xls", ".ods", ".xlsb", ".numbers"}:
        return "Save it as .xlsx or .csv."
    if source.suffix.lower() in TEXT_FILES:
        return "Make a table with a column text and a column label, or put the texts of each class into a folder."
    kinds = ", ".join(sorted(DATA_SUFFIXES | set(NAMED_READERS)))
    return f"Give a folder of images or of texts, a zip, or a file of: {kinds}."


class TableFile(NamedTuple):
    """A table as it stands in its file, and its rows."""

    raw_table: RawTable
    parsed_rows: ParsedRows


def read_table_file(path: Path, modality: str, spec: ColumnSpec) -> TableFile:
    """Read a table as one modality, or as the first that fits; the cells come along.

    Parameters
    ----------
    path : Path
    modality : str
        "image", "text", "series" or "auto".
    spec : ColumnSpec
    """
    raw_table = read_raw_table(path, spec.encoding, make_sheet_choice(path, modality, spec))
    if modality == "auto":
        modality = _infer_modality(raw_table, path, spec)
    parsed_rows = TABLE_READERS[modality].read(raw_table, path.parent, spec)
    return TableFile(raw_table, replace(parsed_rows, n_lines=raw_table.n_lines))


def make_sheet_choice(path: Path, modality: str, spec: ColumnSpec) -> SheetChoice:
    """Return which sheet of a workbook to read: the named one, else the first that holds such rows, best with labels.

    Parameters
    ----------
    path : Path
        The workbook.
    modality : str
        "image", "text", "series" or "auto".
    spec : ColumnSpec
    """

    def measure_fit(raw_table: RawTable) -> int:
        try:
            kind = _infer_modality(raw_table, path, spec) if modality == "auto" else modality
            parsed_rows = TABLE_READERS[kind].read(raw_table, path.parent, spec)
        except HeadstartError:
            return 0
        has_labels = parsed_rows.labels is not None or bool(parsed_rows.indicators)
        return 1 + (has_labels and spec.for_training) if parsed_rows.ids else 0

    return SheetChoice(measure_fit, spec.sheet)


def _infer_modality(raw_table: RawTable, path: Path, spec: ColumnSpec) -> str:
    """Return the modality of a table, before any column is read.

    A run of numbers beside a column that is named like texts and holds none (remarks in a few rows, short words) is a
    table of series.
    """
    fitting = [name for name, kind in TABLE_READERS.items() if kind.fits(raw_table, path.parent, spec)]
    if (
        fitting[:1] == ["image"]
        and len(fitting) > 1
        and image_folders.names_images_by_number(raw_table, path.parent, spec)
    ):
        fitting = fitting[1:]  # Numbers name images that lie about only where nothing else is there to learn from.
    if fitting[:2] == ["text", "series"] and _is_beside_series(raw_table, spec):
        return "series"
    if fitting:
        return fitting[0]
    if lacks_header(raw_table):
        names = list_offenders([name[:40] for name in raw_table.names])
        raise DataError(
            f"{path}: the first row does not look like a header: {names}.",
            "Write a row above it that names the columns, such as label and text (separated like the cells).",
        )
    steps = find_axis([name for name in raw_table.names if name not in spec.labels])
    if steps is not None:
        cell = next((cell for cell in raw_table.texts(steps.names[0]) if cell.strip()), "")
        raise DataError(
            f"{path}: the columns {steps.names[0]} to {steps.names[-1]} look like a series but are not numbers, such "
            f"as '{cell[:40]}'.",
            "Write bare numbers, without units and remarks.",
        )
    listed = next((name for name in raw_table.names if _lists_files(raw_table.texts(name))), None)
    if listed is not None:
        raise DataError(
            f"{path}: the column {listed} names files, and only images can be listed like this.",
            "Put the texts into the table, or the files of each class into a folder of its own.",
        )
    raise DataError(
        f"{path} has no column of texts, images or series (columns: {', '.join(raw_table.names[:20])}).",
        "The first row must name the columns. Name that of the texts with --text COLUMN; series need columns "
        "t0, t1 ... t7 or more, or columns id, time and values: --id, --time-column and --values name them.",
    )


def _lists_files(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells[:100] if cell.strip()]
    endings = TEXT_FILES | DATA_SUFFIXES
    return bool(filled) and all(len(cell) < 256 and Path(cell.strip()).suffix.lower() in endings for cell in filled)


def _is_beside_series(raw_table: RawTable, spec: ColumnSpec) -> bool:
    """Return whether the text column is only a remark beside values of series."""
    if spec.values is not None or spec.channels or "time" in spec.columns:
        return True
    if spec.texts:
        return False
    text_columns = find_text_columns(raw_table, spec, find_roles(raw_table, spec, []).by_role().values())
    words = (
        [len(text.split()) for text in join_texts(raw_table, text_columns.names)] if text_columns is not None else []
    )
    has_few_words = sum(n >= COLUMN_RULES.min_remark_words for n in words) * 2 < len(raw_table.rows)
    return has_few_words and (
        series_tables.find_value_run(raw_table, spec) is not None or long_tables.is_long(raw_table, spec)
    )


def _read_folder(tree: FolderTree, modality: str, spec: ColumnSpec, shown_path: Path | None = None) -> ParsedRows:
    shown_path = shown_path or tree.root
    if modality in {"auto", "image"} and tree.list_files(SUFFIXES):
        return image_folders.read_image_folder(tree, spec, look_above=shown_path == tree.root and not tree.places)
    files, not_plain = tree.split_plain_files(DATA_SUFFIXES)
    if not_plain and files:
        plain = replace(
            tree, files=tuple(file for file in tree.files if file.as_posix() not in {item.id for item in not_plain})
        )
        parsed_rows = _read_folder(plain, modality, spec, shown_path)
        return replace(parsed_rows, set_aside=(*parsed_rows.set_aside, *not_plain))
    files = files or tree.list_files(frozenset(NAMED_READERS))
    text_files = [] if files else tree.list_files(TEXT_FILES)
    if text_files and all(len(file.parts) == 1 and parse_split_stem(file.stem) for file in text_files):
        files, text_files = text_files, []  # Tables, not texts: a text bears no such name.
    if modality in {"auto", "text"} and any(len(file.parts) > 1 for file in text_files):
        return texts.read_text_folder(tree, text_files, spec)
    if modality == "image" or not files:
        reader = TABLE_READERS.get(modality)
        kinds = reader.nouns if reader is not None else "images, texts, tables or series"
        raise DataError(
            f"{shown_path} holds no {kinds} ({len(tree.files)} other files).",
            "Put the texts of each class into a folder of its own, or make a table with columns text and label."
            if len(text_files) > 1
            else "Check that this is the right folder.",
        )
    top = [file for file in files if len(file.parts) == 1]
    if len(files) == 1 or len(top) == 1:
        return read_source(tree.locate((top or files)[0]), modality, spec)
    splits = [parse_split_stem(file.stem) for file in files]
    if all(splits) and len(set(splits)) == len(files):
        return join_parsed_rows(
            _read_split_files(tree, list(zip(files, map(str, splits), strict=True)), modality, spec)
        )
    if modality in {"auto", "series"} and not top and _is_folder_per_class(files):
        return series_files.read_series_folder(tree, files, spec)
    raise DataError(
        f"{shown_path} holds {len(files)} tables ({list_offenders([file.as_posix() for file in files])}).",
        "Give the one to use; or name them train and test; or put the series of each class into a folder of its own.",
    )


def _read_split_files(
    tree: FolderTree, files: Sequence[tuple[PurePosixPath, str]], modality: str, spec: ColumnSpec
) -> list[ParsedRows]:
    """Read files named train, test ...; the columns of values are those of the training file, by name."""
    first = next((file for file, split in files if split == TRAIN), files[0][0])
    parsed_rows = read_source(tree.locate(first), modality, spec)
    known = (
        replace(parsed_rows.input_columns, n_channels=len(parsed_rows.inputs[0])) if parsed_rows.input_columns else None
    )
    other_spec = spec if spec.training_inputs is not None else replace(spec, training_inputs=known)
    return [
        _assign_split(
            parsed_rows if file == first else read_source(tree.locate(file), parsed_rows.modality, other_spec), split
        )
        for file, split in files
    ]


def _assign_split(parsed_rows: ParsedRows, split: str) -> ParsedRows:
    """Return rows that all belong to one split."""
    return replace(parsed_rows, splits=[split] * len(parsed_rows.ids))


def _is_folder_per_class(files: Sequence[PurePosixPath]) -> bool:
    classes = {file.parts[-2] for file in files}
    return {file.suffix.lower() for file in files} <= _DELIMITED_SUFFIXES and (
        len(classes) > 1 or parse_split_word(next(iter(classes))) is None
    )
