"""From a path to rows: finds out what a file, a folder or a zip holds and calls the reader for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

from headstart.data import texts
from headstart.data.columns.axes import find_axis
from headstart.data.columns.names import Wanted, split_of, split_of_stem
from headstart.data.columns.option_use import require_use
from headstart.data.columns.text_columns import find_text_columns, join_texts
from headstart.data.images import image_folders
from headstart.data.labels.task_type import LabelSpec
from headstart.data.reading.archive import unpack
from headstart.data.reading.frames import sheet_of
from headstart.data.reading.rows import Draft, Finish, finish, join
from headstart.data.reading.sheet_rows import roles_of
from headstart.data.reading.sheets import NAMED_READERS, READERS, Sheet, is_table, read_sheet
from headstart.data.reading.tree import Tree, walk
from headstart.data.series import long_tables, series_files, series_tables
from headstart.data.texts import TEXT_FILES, looks_headerless
from headstart.errors import DataError, OptionError, offenders
from headstart.modalities.image import SUFFIXES
from headstart.options import ColumnOptions, ReadOptions, parse
from headstart.plain_files import reason_not_plain
from headstart.records import TRAIN, InputColumns, Table


@dataclass(frozen=True)
class SheetKind:
    """How one modality reads a table."""

    fits: Callable[[Sheet, Path, Wanted], bool]
    read: Callable[[Sheet, Path, Wanted], Draft]


SHEET_KINDS: dict[str, SheetKind] = {
    "image": SheetKind(image_folders.fits, image_folders.read),
    "text": SheetKind(texts.fits, texts.read),
    "series": SheetKind(series_tables.fits, series_tables.read),
}
"""In the order in which they are tried."""
SERIES_FILES: dict[str, Callable[[Path, Wanted], Draft]] = {
    ".npz": series_files.read_npz,
    ".ts": series_files.read_ts,
}
DATA_SUFFIXES = (frozenset(READERS) | frozenset(SERIES_FILES)) - {".txt"}
STATES, USE = ("stop", "drop", "use"), "use"
"""What `--unlabelled` knows beside paths."""
_KINDS = {"image": "pictures", "text": "tables of texts", "series": "tables of series"}
_FEW_WORDS = 3
"""A cell with fewer words than this is no text beside values of series."""
_SHEET_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})


def read(
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
        A folder of pictures (a folder a class, split folders above, or a table beside them), a table of texts or
        series, `.npz`, `.ts`, a folder of one of these, or a zip of any.
    options : ReadOptions, optional
        Columns, modality and how to treat odd labels.
    known : mapping of str to str, optional
        Columns of the training data (`Table.columns`), taken before the usual names where they are there.
    empty_is_none : bool, optional
        Whether an empty cell of a column such as "water;food" says that no label applies; otherwise the row has no
        label. Not given: where `options.task` is "multi-label".
    labels : tuple of str, optional
        Labels of the training data: cells with several are taken apart into these.
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
        A column that was asked for is not there.
    """
    options = options or parse(ReadOptions)
    place = existing(Path(path).expanduser())
    require_known(options.unlabelled)
    draft = draft_of(place, options.modality, wanted_of(options, known, inputs))
    table = _finish(draft, str(path), options, empty_is_none=empty_is_none, labels=labels)
    if known is None:
        require_use(options, table)
    return table


def read_frame(frame: Any, options: ReadOptions) -> Table:
    """Read a labelled table in memory (a DataFrame) as one from a file; files that it names lie in the working folder.

    Raises
    ------
    DataError, UnknownName
        As `read`.
    """
    sheet, wanted = sheet_of(frame), wanted_of(options)
    modality = "text" if wanted.texts and options.modality == "auto" else options.modality
    kind = SHEET_KINDS[_guess(sheet, Path("the table"), wanted) if modality == "auto" else modality]
    table = _finish(kind.read(sheet, Path(), wanted), "memory", options)
    require_use(options, table)
    return table


def _finish(
    draft: Draft, source: str, options: ReadOptions, empty_is_none: bool | None = None, labels: tuple[str, ...] = ()
) -> Table:
    said = options.task == "multi-label" if empty_is_none is None else empty_is_none
    wish = LabelSpec(
        task=options.task, order=options.order, empty_is_none=said, known=labels, merge=options.merge_labels
    )
    how = Finish(options.merge_labels, options.unlabelled in {"drop", USE}, wish=wish)
    return finish(draft, source, how)


def wanted_of(
    options: ReadOptions, known: Mapping[str, str] | None = None, inputs: InputColumns | None = None
) -> Wanted:
    """Return which columns are wanted for rows to learn from."""
    several = options.task in {"auto", "multi-label"} and not options.order
    wanted = Wanted(keep=options.group, known=known or {}, labels=options.label, several=several, inputs=inputs)
    return with_columns(wanted, options)


def with_columns(wanted: Wanted, options: ColumnOptions) -> Wanted:
    """Add the columns that the user named, whatever is read."""
    named = {"id": options.id, "time": options.time_column}
    return replace(
        wanted,
        columns={**wanted.columns, **{role: name for role, name in named.items() if name is not None}},
        values=options.values,
        channels=options.channels,
        axes=options.axes,
        encoding=options.encoding,
        texts=options.text,
    )


def require_known(unlabelled: str) -> None:
    """Refuse a value of `--unlabelled` that is neither a word it knows nor a path.

    Raises
    ------
    OptionError
        There is no such path.
    """
    if unlabelled not in STATES and not Path(unlabelled).expanduser().exists():
        raise OptionError(
            f"--unlabelled {unlabelled}: this is neither {', '.join(STATES)} nor a path that exists.",
            "Give one of these words, or the path of data without labels.",
        )


def existing(path: Path) -> Path:
    """Give the path back, or say what lies nearby if it is not there; pipes and devices are no data."""
    if path.exists():
        reason = None if path.is_dir() else reason_not_plain(path)
        if reason is not None:
            raise DataError(f"{path}: {reason}.", "Save it as a file, and give that.")
        return path
    beside = sorted(other.name for other in path.parent.iterdir()) if path.parent.is_dir() else []
    near = get_close_matches(path.name, beside, n=1)
    raise DataError(f"There is no {path}.", f"Did you mean {path.parent / near[0]}?" if near else "Check the path.")


def draft_of(place: Path, modality: str, wanted: Wanted) -> Draft:
    """Read a file, folder or zip as one modality, or as the first that fits (`modality` "auto")."""
    if modality == "auto" and wanted.texts:
        modality = "text"
    if place.is_dir():
        return _folder(walk(place), modality, wanted)
    suffix = place.suffix.lower()
    if suffix == ".zip":
        return _folder(walk(unpack(place)), modality, wanted, shown=place)
    if suffix in SERIES_FILES and modality in {"auto", "series"}:
        return SERIES_FILES[suffix](place, wanted)
    if suffix in SERIES_FILES:
        raise DataError(f"{place} holds series, and no {_KINDS[modality]}.", "Leave --text and --modality out.")
    if is_table(place):
        return _sheet(place, modality, wanted)
    raise DataError(f"{place} is of a kind that cannot be read ({suffix or 'no suffix'}).", _readable(place))


def _readable(place: Path) -> str:
    if place.suffix.lower() in SUFFIXES:
        return "Give the folder that holds the pictures."
    if place.suffix.lower() in {".xls", ".ods", ".xlsb", ".numbers"}:
        return "Save it as .xlsx or .csv."
    if place.suffix.lower() in TEXT_FILES:
        return "Make a table with a column text and a column label, or put the texts of each class into a folder."
    kinds = ", ".join(sorted(DATA_SUFFIXES | set(NAMED_READERS)))
    return f"Give a folder of pictures or of texts, a zip, or a file of: {kinds}."


def _sheet(path: Path, modality: str, wanted: Wanted) -> Draft:
    sheet = read_sheet(path, wanted.encoding)
    if modality == "auto":
        modality = _guess(sheet, path, wanted)
    return replace(SHEET_KINDS[modality].read(sheet, path.parent, wanted), n_lines=sheet.n_lines)


def _guess(sheet: Sheet, path: Path, wanted: Wanted) -> str:
    """Decide what kind of table it is, before any column is read as anything.

    A run of numbers beside a column that is named like texts and holds none (remarks in a few rows, short words) is a
    table of series.
    """
    fitting = [name for name, kind in SHEET_KINDS.items() if kind.fits(sheet, path.parent, wanted)]
    if fitting[:1] == ["image"] and len(fitting) > 1 and image_folders.is_by_numbers(sheet, path.parent, wanted):
        fitting = fitting[1:]  # Numbers name pictures that lie about only where nothing else is there to learn from.
    if fitting[:2] == ["text", "series"] and _is_beside_series(sheet, wanted):
        return "series"
    if fitting:
        return fitting[0]
    if looks_headerless(sheet):
        raise DataError(
            f"{path}: the first row does not look like a header: {offenders([name[:40] for name in sheet.names])}.",
            "Write a row above it that names the columns, such as label and text (parted as the cells are).",
        )
    steps = find_axis([name for name in sheet.names if name not in wanted.labels])
    if steps is not None:
        cell = next((cell for cell in sheet.texts(steps.names[0]) if cell.strip()), "")
        raise DataError(
            f"{path}: the columns {steps.names[0]} to {steps.names[-1]} look like a series but hold no numbers, such "
            f"as '{cell[:40]}'.",
            "Write bare numbers, without units and remarks.",
        )
    listed = next((name for name in sheet.names if _lists_files(sheet.texts(name))), None)
    if listed is not None:
        raise DataError(
            f"{path}: the column {listed} names files, and only pictures can be listed so.",
            "Put the texts themselves into the table, or the files of each class into a folder of its own.",
        )
    raise DataError(
        f"{path} has no column of texts, pictures or series (columns: {', '.join(sheet.names[:20])}).",
        "The first row must name the columns. Name that of the texts with --text COLUMN; series need columns "
        "t0, t1 ... t7 or more, or columns id, time and values: --id, --time-column and --values name them.",
    )


def _lists_files(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells[:100] if cell.strip()]
    endings = TEXT_FILES | DATA_SUFFIXES
    return bool(filled) and all(len(cell) < 256 and Path(cell.strip()).suffix.lower() in endings for cell in filled)


def _is_beside_series(sheet: Sheet, wanted: Wanted) -> bool:
    """Whether the text column is only a remark beside values of series."""
    if wanted.values is not None or wanted.channels or "time" in wanted.columns:
        return True
    if wanted.texts:
        return False
    found = find_text_columns(sheet, wanted, roles_of(sheet, wanted, []).named().values())
    words = [len(text.split()) for text in join_texts(sheet, found.names)] if found is not None else []
    few = sum(n >= _FEW_WORDS for n in words) * 2 < len(sheet.rows)
    return few and (series_tables.value_run(sheet, wanted) is not None or long_tables.is_long(sheet, wanted))


def _folder(tree: Tree, modality: str, wanted: Wanted, shown: Path | None = None) -> Draft:
    shown = shown or tree.root
    if modality in {"auto", "image"} and tree.with_suffix(SUFFIXES):
        return image_folders.read_folder(tree, wanted, look_above=shown == tree.root)
    files, odd = tree.plain_and_odd(DATA_SUFFIXES)
    if odd and files:
        plain = replace(
            tree, files=tuple(file for file in tree.files if file.as_posix() not in {one.id for one in odd})
        )
        draft = _folder(plain, modality, wanted, shown)
        return replace(draft, set_aside=(*draft.set_aside, *odd))
    files = files or tree.with_suffix(frozenset(NAMED_READERS))
    lone = [] if files else tree.with_suffix(TEXT_FILES)
    if lone and all(len(file.parts) == 1 and split_of_stem(file.stem) for file in lone):
        files, lone = lone, []  # Tables, not texts: a text bears no such name.
    if modality in {"auto", "text"} and any(len(file.parts) > 1 for file in lone):
        return texts.read_folder(tree, lone, wanted)
    if modality == "image" or not files:
        kinds = _KINDS.get(modality, "pictures, texts, tables or series")
        raise DataError(
            f"{shown} holds no {kinds} ({len(tree.files)} other files).",
            "Put the texts of each class into a folder of its own, or make a table with columns text and label."
            if len(lone) > 1
            else "Check that it is the right one.",
        )
    top = [file for file in files if len(file.parts) == 1]
    if len(files) == 1 or len(top) == 1:
        return draft_of(tree.at((top or files)[0]), modality, wanted)
    splits = [split_of_stem(file.stem) for file in files]
    if all(splits) and len(set(splits)) == len(files):
        return join(_parts(tree, list(zip(files, map(str, splits), strict=True)), modality, wanted))
    if modality in {"auto", "series"} and not top and _is_folder_per_class(files):
        return series_files.read_folder(tree, files, wanted)
    raise DataError(
        f"{shown} holds {len(files)} tables ({offenders([file.as_posix() for file in files])}).",
        "Give the one to use; or name them train and test; or put the series of each class into a folder of its own.",
    )


def _parts(tree: Tree, files: Sequence[tuple[PurePosixPath, str]], modality: str, wanted: Wanted) -> list[Draft]:
    """Read files named train, test ...; the columns of values are those of the training file, by name."""
    first = next((file for file, split in files if split == TRAIN), files[0][0])
    draft = draft_of(tree.at(first), modality, wanted)
    known = replace(draft.input_columns, n_channels=len(draft.inputs[0])) if draft.input_columns else None
    others = wanted if wanted.inputs is not None else replace(wanted, inputs=known)
    return [
        _all_of(draft if file == first else draft_of(tree.at(file), draft.modality, others), split)
        for file, split in files
    ]


def _all_of(draft: Draft, split: str) -> Draft:
    """Mark all rows of a file named train or test."""
    return replace(draft, splits=[split] * len(draft.ids))


def _is_folder_per_class(files: Sequence[PurePosixPath]) -> bool:
    classes = {file.parts[-2] for file in files}
    return {file.suffix.lower() for file in files} <= _SHEET_SUFFIXES and (
        len(classes) > 1 or split_of(next(iter(classes))) is None
    )
