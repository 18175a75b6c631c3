"""Look at a folder, file or zip as whoever drops it would: what is it, what is the text, what the answer, what is odd?

Inputs are not opened one by one here (copies, black photos: `find_doubtful_examples`), so 10,000 photos take a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from headstart.bases import CATALOGUE, DEFAULTS, OTHER_LANGUAGES
from headstart.data.columns.cells import parse_number
from headstart.data.columns.names import make_column_spec
from headstart.data.columns.text_columns import list_text_columns
from headstart.data.grouping.columns import ColumnsToCompare, choose_compared_columns, count_languages
from headstart.data.grouping.personal import count_private_texts
from headstart.data.reading.archive import unpack
from headstart.data.reading.paths import require_existing
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.rows import ParsedRows
from headstart.data.reading.sources import read_source, read_table_file
from headstart.data.reading.table_files import is_table
from headstart.data.reading.tree import FolderTree, list_tree
from headstart.errors import HeadstartError, list_offenders
from headstart.flow.inspection.doubts import find_doubts, make_file_doubt
from headstart.flow.inspection.records import ENOUGH, FEW, SOME, ColumnView, KindView, SourceView
from headstart.flow.inspection.settings import SETTINGS
from headstart.flow.inspection.sheets import show_columns, show_sheets
from headstart.modalities import MODALITIES
from headstart.modalities.image import SUFFIXES
from headstart.modalities.languages import LANGUAGE_NAMES
from headstart.options import ReadOptions, parse
from headstart.records import Table, make_column


@dataclass(frozen=True, kw_only=True)
class InspectedSource:
    """What was understood, and the inputs to show of it (files, texts or series), one an example."""

    view: SourceView
    inputs: Sequence[object] = ()
    names: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class _Source:
    """A path as it is read: the table it is, or the tree it holds."""

    path: Path
    name: str
    table: Path | None = None
    tree: FolderTree | None = None


def inspect_source(
    path: Path | str, options: ReadOptions | None = None, file: str = "", *, without_labels: bool = False
) -> InspectedSource:
    """Look at data before anything of it becomes an example.

    Parameters
    ----------
    path : Path or str
        A folder of photos, a table, a text file, series, a folder of any, or a zip.
    options : ReadOptions, optional
        What the person corrected: `text`, `label`, `sheet`, `modality`.
    file : str
        The one file of a folder or zip to look at, by its name in it.
    without_labels : bool
        Whether no column, and no folder, is the answer.

    Returns
    -------
    InspectedSource
        What cannot be read at all is no error: the view holds the problem and the sheets, so that it can be mended.
    """
    options = options or parse(ReadOptions)
    source = _resolve(require_existing(Path(path).expanduser()), file)
    spec = make_column_spec(options)
    raw_table: RawTable | None = None
    try:
        if source.table is not None:
            raw_table, parsed_rows = read_table_file(source.table, options.modality, spec)
        else:
            parsed_rows = read_source(source.path, options.modality, spec)
    except HeadstartError as error:
        view = SourceView(name=source.name, problem=_rename(error.problem, source), hint=error.hint)
        return InspectedSource(view=_show_unreadable(view, source))
    if without_labels:
        roles = {role: name for role, name in parsed_rows.columns.items() if not role.startswith("label")}
        parsed_rows = replace(parsed_rows, labels=None, indicators={}, columns=roles)
    view = _make_view(source, parsed_rows, raw_table)
    return InspectedSource(
        view=view, inputs=parsed_rows.inputs, names=[_rename(name, source) for name in parsed_rows.ids]
    )


def locate_file(path: Path, file: str) -> Path:
    """Return a file of a folder or zip by its name in it; the folder or zip itself where it holds no such file.

    Parameters
    ----------
    path : Path
    file : str
        "" for the whole.
    """
    tree = list_tree(path if path.is_dir() else unpack(path)) if file else None
    return next((tree.locate(name) for name in tree.files if name.as_posix() == file), path) if tree else path


def _resolve(path: Path, file: str) -> _Source:
    """Return the one table of a file, folder or zip, or what else it is."""
    if file and (place := locate_file(path, file)) != path:
        is_readable = place.is_file() and is_table(place)
        return _Source(path=place, name=PurePosixPath(file).name, table=place if is_readable else None)
    if path.is_file() and is_table(path):
        return _Source(path=path, name=path.name, table=path)
    if path.is_dir() or path.suffix.lower() == ".zip":
        tree = list_tree(path if path.is_dir() else unpack(path))
        name = list_offenders([file.name for file in tree.files]) if tree.places else path.name
        if len(tree.files) == 1 and is_table(tree.locate(tree.files[0])):
            return _Source(path=path, name=tree.files[0].name, table=tree.locate(tree.files[0]), tree=tree)
        return _Source(path=path, name=name, tree=tree)
    return _Source(path=path, name=path.name)


def _rename(text: str, source: _Source) -> str:
    """Return a text in which places on the disk and stored numbers are the names that people know."""
    if source.table is None:
        return text.replace(str(source.path), source.name)
    return text.replace(str(source.table), source.name).replace(source.table.name, source.name)


def _show_unreadable(view: SourceView, source: _Source) -> SourceView:
    """Add what there is to choose from: the sheets of the table, or the tables of the folder."""
    if source.table is None:
        tables = (
            [file.as_posix() for file in source.tree.files if is_table(source.tree.locate(file))] if source.tree else []
        )
        return replace(view, doubts=(make_file_doubt(tables),)) if len(tables) > 1 else view
    try:
        return replace(view, sheets=show_sheets(source.table, None))
    except HeadstartError:
        return view


def _make_view(source: _Source, parsed_rows: ParsedRows, raw_table: RawTable | None) -> SourceView:
    table = _make_table(parsed_rows)
    rows = np.linspace(0, len(table) - 1, min(len(table), SETTINGS.sampled_rows)).astype(np.intp)
    sample = table.take(rows) if len(table) else table
    compared = choose_compared_columns(sample, np.arange(len(sample))) if len(sample) else ColumnsToCompare()
    columns = _show_table_columns(raw_table, parsed_rows, compared)
    labels = [label.strip() for label in parsed_rows.labels or [""] * len(table)]
    is_number = _is_amount(labels)
    kinds = () if is_number else _count_kinds(labels)
    unsorted = [row for row, label in enumerate(labels) if not label]
    n_stray = _count_stray_photos(parsed_rows)
    languages = _count_languages(table)
    view = SourceView(
        name="" if source.table is None and source.tree is not None and source.tree.places else source.name,
        modality=parsed_rows.modality,
        n_examples=len(table),
        n_left_out=len(parsed_rows.set_aside) - n_stray,
        n_unsorted=len(unsorted) + n_stray,
        sheets=show_sheets(source.table, raw_table) if source.table is not None else (),
        columns=columns,
        text=list_text_columns(parsed_rows.columns),
        label=tuple(name for role, name in parsed_rows.columns.items() if role.startswith("label")),
        kinds=kinds,
        is_number=is_number,
        readiness=_rate_kinds(kinds),
        unsorted_samples=tuple(unsorted[at] for at in _draw(len(unsorted))),
        languages=languages,
    )
    view = _add_language(view)
    view = _measure_series(_count_listed(view, parsed_rows), parsed_rows)
    private = count_private_texts([str(text) for text in table.inputs]) if MODALITIES[table.modality].has_words else 0
    return replace(view, doubts=find_doubts(view, parsed_rows, private))


def _make_table(parsed_rows: ParsedRows) -> Table:
    """Return the rows as a table of which nothing was opened; ids stand for the hashes."""
    ids = make_column(list(map(str, range(len(parsed_rows.ids)))))
    return Table(
        modality=parsed_rows.modality,
        ids=ids,
        inputs=make_column(list(parsed_rows.inputs)),
        hashes=ids,
        labels=None if parsed_rows.labels is None else make_column(list(parsed_rows.labels)),
        splits=make_column([""] * len(ids)),
        metadata=dict(parsed_rows.metadata),
        columns=dict(parsed_rows.columns),
    )


def _show_table_columns(
    raw_table: RawTable | None, parsed_rows: ParsedRows, compared: ColumnsToCompare
) -> tuple[ColumnView, ...]:
    """Return the columns of the table; of photos listed in one beside them, its spare columns."""
    roles = {name: role.split(" ")[0] for role, name in parsed_rows.columns.items()}
    if parsed_rows.input_columns is not None:
        values = (name for steps in parsed_rows.input_columns.values for name in steps if name)
        roles |= dict.fromkeys((*values, *parsed_rows.input_columns.channels), "value")
    if raw_table is None:
        if not parsed_rows.metadata:
            return ()
        raw_table = RawTable(name="", columns={**parsed_rows.metadata}, rows=list(range(len(parsed_rows.ids))))
    return show_columns(raw_table, roles, compared)


def _count_kinds(labels: Sequence[str]) -> tuple[KindView, ...]:
    rows_of: dict[str, list[int]] = {}
    for row, label in enumerate(labels):
        if label:
            rows_of.setdefault(label, []).append(row)
    return tuple(
        KindView(name=name, n=len(rows), code=rate_count(len(rows)), samples=tuple(rows[at] for at in _draw(len(rows))))
        for name, rows in sorted(rows_of.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def rate_count(n: int) -> str:
    """Return whether so many examples of a kind are enough to begin.

    Parameters
    ----------
    n : int

    Examples
    --------
    >>> rate_count(45), rate_count(12), rate_count(3)
    ('enough', 'some', 'few')
    """
    return ENOUGH if n >= SETTINGS.enough_examples else SOME if n >= SETTINGS.few_examples else FEW


def _rate_kinds(kinds: Sequence[KindView]) -> str:
    codes = {kind.code for kind in kinds}
    return next((code for code in (FEW, SOME, ENOUGH) if code in codes), "")


def _draw(n: int) -> list[int]:
    """Return a few of n positions by chance, the same ones each time."""
    return sorted(np.random.default_rng(0).permutation(n)[: SETTINGS.kind_samples].tolist())


def _is_amount(labels: Sequence[str]) -> bool:
    different = {label for label in labels if label}
    if len(different) <= SETTINGS.most_kinds:
        return False
    try:
        for label in different:
            parse_number(label, decimal_comma=True)
    except ValueError:
        return False
    return True


def _count_stray_photos(parsed_rows: ParsedRows) -> int:
    """Return how many photos lie in no box of a kind: they can be sorted later."""
    strays = sum(PurePosixPath(item.id).suffix.lower() in SUFFIXES for item in parsed_rows.set_aside)
    listed = [item for item in parsed_rows.findings if item.kind == "not-listed"]
    return strays + sum(len(item.rows) for item in listed)


def _count_listed(view: SourceView, parsed_rows: ParsedRows) -> SourceView:
    """Add how many rows of a table of photos name one that is there."""
    if "file" not in parsed_rows.columns:
        return view
    n_matched = sum(isinstance(place, Path) and place.exists() for place in parsed_rows.inputs)
    lost = [item for item in parsed_rows.set_aside if PurePosixPath(item.id).suffix.lower() not in SUFFIXES]
    return replace(view, n_listed=len(parsed_rows.ids) + len(lost), n_matched=n_matched)


def _measure_series(view: SourceView, parsed_rows: ParsedRows) -> SourceView:
    if parsed_rows.input_columns is None or not len(parsed_rows.inputs):
        return view
    steps = [values.shape[1] for values in parsed_rows.inputs]
    n_channels = max(len(values) for values in parsed_rows.inputs)
    layout = parsed_rows.input_columns.layout
    return replace(view, layout=layout, n_channels=n_channels, fewest_steps=min(steps), most_steps=max(steps))


def _count_languages(table: Table) -> dict[str, int]:
    n = min(len(table), SETTINGS.language_rows)
    return count_languages(table.take(np.linspace(0, len(table) - 1, n).astype(np.intp))) if n else {}


def _add_language(view: SourceView) -> SourceView:
    """Add the language of most texts, and whether it asks for the base of many languages."""
    named = Counter({name: n for name, n in view.languages.items() if name})
    name, n = named.most_common(1)[0] if named else ("", 0)
    if not n or n < SETTINGS.language_share * sum(view.languages.values()):
        return view
    code = next(code for code, known in LANGUAGE_NAMES.items() if known == name)
    usual = CATALOGUE[DEFAULTS[view.modality]].languages
    other = CATALOGUE[OTHER_LANGUAGES[view.modality]].languages if view.modality in OTHER_LANGUAGES else ()
    return replace(view, main_language=name, language_code=code, needs_other_base=code not in usual and code in other)
