"""The reader of coding frames: lists of codes, columns of levels, paths in one column, or a column of parents."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from headstart.coding_frames import (
    MOST_LEVELS,
    MOST_NAME_CHARACTERS,
    SEPARATOR,
    CodingFrame,
    FrameCode,
    looks_like_paths,
    name_levels,
    split_path,
    tidy_level,
)
from headstart.data.columns.names import fold_column_name
from headstart.data.reading.raw_table import RawTable
from headstart.data.reading.table_files import is_table, read_raw_table
from headstart.errors import DataError, OptionError, list_offenders

NAME_COLUMNS = ("name", "kind", "code", "label", "class", "category", "topic")
TEXT_COLUMNS = ("description", "meaning", "definition", "explanation", "text", "label", "name")
ID_COLUMNS = ("id", "codeid", "codenumber", "xmlname", "code", "value", "name")
PARENT_COLUMNS = ("parent", "parentid", "parentcode", "under")
PATH_COLUMNS = ("path", "codepath", "fullpath")
_NUMBERED = re.compile(r"(?:level|lvl|niveau|nivel|ngazi|kiwango|المستوى)(\d)(?:name)?")
_LADDER = ("type", "theme", "sector", "group", "category", "subcategory", "topic", "subtopic", "code", "subcode")
"""Levels by name, the widest first, as in the frames of Red Cross and Red Crescent feedback: type, category, code."""
_MARKS = (SEPARATOR, ">", "→", "»", "|", "/")
"""Between the levels of a path in a frame, the surest first."""


def read_coding_frame(path: Path, option: str = "--frame") -> CodingFrame:
    """Read a coding frame; nothing is written beside it.

    Parameters
    ----------
    path : Path
        A table (CSV, Excel ...). In this order it may have: columns of levels (level1, level2 ... or type, category,
        code), where an empty cell above filled ones is that of the line above; a column of parents; a column of paths
        such as "water > pump"; or names only. Further columns: an id, and a description.
    option : str
        That names the file, for messages.

    Raises
    ------
    OptionError, DataError
        The file is not there or no table; a name is empty, too long, stands twice with different ids, or is its own
        parent.
    """
    if not path.is_file() or not is_table(path):
        state = "is not there" if not path.exists() else "is no table"
        raise OptionError(f"{option} {path} {state}.", "Give a CSV or Excel file with one code a line.")
    raw_table = read_raw_table(path)
    columns = _FrameColumns(raw_table)
    read = next(read for fits, read in _READERS if fits(columns))
    codes = _merge_codes(read(columns), raw_table.name)
    return CodingFrame(codes, name_levels(codes, columns.levels))


class _FrameColumns:
    """The columns of a frame by what they hold, with the line of each row for messages."""

    def __init__(self, raw_table: RawTable) -> None:
        self.table, self.file = raw_table, raw_table.name
        self.by_key = {fold_column_name(name): name for name in reversed(raw_table.names)}
        numbered = {int(match[1]): name for key, name in self.by_key.items() if (match := _NUMBERED.fullmatch(key))}
        named = [name for name in raw_table.names if fold_column_name(name) in _LADDER]
        has_ladder = len(named) > 1 and [_LADDER.index(fold_column_name(name)) for name in named] == sorted(
            _LADDER.index(fold_column_name(name)) for name in named
        )
        self.levels = tuple(numbered[at] for at in sorted(numbered)) if len(numbered) > 1 else ()
        self.levels = self.levels or (tuple(named) if has_ladder else ())
        self.parent, self.path = self.find(PARENT_COLUMNS), self.find(PATH_COLUMNS)

    def find(self, known: Sequence[str], but: Sequence[str | None] = ()) -> str | None:
        """Return the first column with one of these names that does not serve as something else."""
        return next((name for key in known if (name := self.by_key.get(key)) is not None and name not in but), None)

    def texts(self, name: str | None) -> list[str]:
        """Return the cells of a column without needless blanks; empty ones for no column."""
        if name is None:
            return [""] * len(self.table.rows)
        return [" ".join(cell.split()) for cell in self.table.texts(name)]

    def make_codes(
        self, paths: Sequence[Sequence[str]], used: Sequence[str | None], id_column: str | None, text_column: str | None
    ) -> list[FrameCode]:
        """Return a code a row; a description is looked for among the columns that are not used."""
        ids, texts = self.texts(id_column), self.texts(text_column or self.find(TEXT_COLUMNS, (*used, id_column)))
        for line, path in zip(self.table.rows, paths, strict=True):
            self._require_good(line, path)
        return [
            FrameCode(tuple(tidy_level(name) for name in path), id, text)
            for path, id, text in zip(paths, ids, texts, strict=True)
        ]

    def _require_good(self, line: int, path: Sequence[str]) -> None:
        if len(path) > MOST_LEVELS:
            raise DataError(f"{self.file}, line {line}: {len(path)} levels.", f"At most {MOST_LEVELS} are possible.")
        longest = max(path, key=len, default="")
        if len(longest) > MOST_NAME_CHARACTERS:
            raise DataError(
                f"{self.file}, line {line}: a name has {len(longest):,} characters ('{longest[:40]} ...').",
                f"Shorten it to {MOST_NAME_CHARACTERS}; what a code means belongs into a column called description.",
            )

    def refuse_lines(self, lines: Sequence[int], lack: str, hint: str) -> None:
        """Refuse lines that lack something, if there are any."""
        if lines:
            raise DataError(f"{self.file}: {len(lines)} lines {lack} (first: line {lines[0]}).", hint)


def _read_levels(columns: _FrameColumns) -> list[FrameCode]:
    rows = list(zip(*map(columns.texts, columns.levels), strict=True))
    paths: list[tuple[str, ...]] = []
    gaps, above = [], [""] * len(columns.levels)
    for line, cells in zip(columns.table.rows, rows, strict=True):
        first = next((at for at, cell in enumerate(cells) if cell), len(cells))
        last = max((at for at, cell in enumerate(cells) if cell), default=-1)
        path = (*above[:first], *cells[first : last + 1])
        if last < 0 or not all(path):
            gaps.append(line)
        above = [*path, *[""] * (len(cells) - len(path))]
        paths.append(path)
    columns.refuse_lines(gaps, "have a level without a name above it", "Fill in every level above a code.")
    return columns.make_codes(paths, columns.levels, columns.find(ID_COLUMNS, columns.levels), None)


def _read_parents(columns: _FrameColumns) -> list[FrameCode]:
    parent_column = columns.parent
    id_column = columns.find((*ID_COLUMNS, *NAME_COLUMNS), (parent_column,))
    name_column = columns.find(("name", "label", "title", "category"), (parent_column, id_column)) or id_column
    ids, names, parents = columns.texts(id_column), columns.texts(name_column), columns.texts(parent_column)
    lines = columns.table.rows
    empty = [line for line, id, name in zip(lines, ids, names, strict=True) if not (id and name)]
    columns.refuse_lines(empty, "have no name", "Name every code, or delete these lines.")
    place: dict[str, int] = {}
    for at, id in enumerate(ids):
        first = place.setdefault(id, at)
        if parents[first] != parents[at]:
            raise DataError(
                f"{columns.file}, line {lines[at]}: '{id[:60]}' stands under '{parents[first][:60]}' and under "
                f"'{parents[at][:60]}'.",
                "Give each code an id of its own.",
            )
    unknown = [at for at, parent in enumerate(parents) if parent and parent not in place]
    if unknown:
        named = list_offenders([f"line {lines[at]}: {parents[at][:40]}" for at in unknown])
        raise DataError(
            f"{columns.file}: {len(unknown)} lines name a parent that is no code ({named}).",
            "Add a line for each parent, or correct its name.",
        )
    paths = []
    for at in range(len(ids)):
        path, above = [names[at]], parents[at]
        while above:
            path.insert(0, names[place[above]])
            above = parents[place[above]]
            if len(path) > MOST_LEVELS:
                raise DataError(
                    f"{columns.file}, line {lines[at]}: '{ids[at][:60]}' stands under more than {MOST_LEVELS - 1} "
                    "parents, or is its own parent.",
                    "Correct the column of parents.",
                )
        paths.append(path)
    return columns.make_codes(paths, (parent_column, name_column), id_column, None)


def _read_names(columns: _FrameColumns) -> list[FrameCode]:
    """Read a list of codes, or of paths in one column."""
    names = columns.table.names
    name_column = columns.path or columns.find(NAME_COLUMNS) or names[0]
    id_column = columns.find([key for key in ID_COLUMNS if key != "name"], (name_column,)) if columns.path else None
    id_column = id_column or columns.find(("id", "codeid", "xmlname", "value"), (name_column,))
    others = [name for name in names if name not in (name_column, id_column)]
    text_column = columns.find(TEXT_COLUMNS, (name_column, id_column)) or (others[0] if others else None)
    cells = columns.texts(name_column)
    empty = [line for line, cell in zip(columns.table.rows, cells, strict=True) if not cell]
    columns.refuse_lines(empty, f"have no name in column '{name_column}'", "Name every code, or delete these lines.")
    mark = _find_mark(cells, columns.path is not None)
    paths = [split_path(cell) if mark is None else [part.strip() for part in cell.split(mark)] for cell in cells]
    gaps = [line for line, path in zip(columns.table.rows, paths, strict=True) if not all(path)]
    columns.refuse_lines(gaps, "have a level without a name", "Fill in every level above a code.")
    return columns.make_codes(paths, (name_column,), id_column, text_column)


def _find_mark(cells: Sequence[str], are_paths: bool) -> str | None:
    """Return what parts the levels of paths; None where names are no paths."""
    if not are_paths:
        return SEPARATOR if looks_like_paths(cells) else None
    return next((mark for mark in _MARKS if 2 * sum(mark in cell for cell in cells) > len(cells)), None)


_READERS: tuple[tuple[Callable[[_FrameColumns], bool], Callable[[_FrameColumns], list[FrameCode]]], ...] = (
    (lambda columns: bool(columns.levels), _read_levels),
    (lambda columns: columns.parent is not None, _read_parents),
    (lambda columns: True, _read_names),
)
"""What a frame may look like, the surest first, and its reader."""


def _merge_codes(codes: Sequence[FrameCode], file: str) -> tuple[FrameCode, ...]:
    """Return each path once; refuse an id of two paths."""
    by_name: dict[str, FrameCode] = {}
    for code in codes:
        first = by_name.setdefault(code.name, code)
        if code.id and first.id and code.id != first.id:
            raise DataError(
                f"{file}: '{code.name[:100]}' has two ids, {first.id[:40]} and {code.id[:40]}.", "Delete one of them."
            )
        if code.id and not first.id:
            by_name[code.name] = code
    by_id: dict[str, FrameCode] = {}
    for code in by_name.values():
        first = by_id.setdefault(code.id, code) if code.id else code
        if first.path != code.path:
            raise DataError(
                f"{file}: the id {code.id[:40]} stands for '{first.name[:100]}' and for '{code.name[:100]}'.",
                "Give each code an id of its own.",
            )
    return tuple(by_name.values())
