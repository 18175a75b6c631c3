"""The kinds and what they mean, from the command line or from a table of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.data.reading.table_files import is_table, read_raw_table
from headstart.errors import DataError, OptionError
from headstart.projects import Project

DESCRIPTIONS = "kind_descriptions"
"""Setting of a project: description by kind."""
NAME_COLUMNS = ("name", "kind", "code", "label", "class", "category", "topic")
TEXT_COLUMNS = ("description", "meaning", "definition", "explanation", "text", "label", "name")


@dataclass(frozen=True)
class KindDescription:
    """A kind and what it means; the description may be empty."""

    name: str
    description: str = ""


def read_kinds(classes: Sequence[str], codes: Path | None) -> list[KindDescription]:
    """Return the kinds that were named, each once.

    Parameters
    ----------
    classes : sequence of str
        Names from the command line.
    codes : Path or None
        A table: names in a column called name, kind, code, label ... or else in the first one; descriptions in one
        called description, meaning ... or else in the second.

    Raises
    ------
    OptionError, DataError
        The file is not there or no table, or a name is empty.

    Examples
    --------
    >>> read_kinds(["water", "health"], None)[0]
    KindDescription(name='water', description='')
    """
    kinds = [KindDescription(" ".join(name.split())) for name in classes]
    if codes is not None:
        kinds += _read_codes(codes)
    return list({kind.name: kind for kind in kinds}.values())


def _read_codes(path: Path) -> list[KindDescription]:
    if not path.is_file() or not is_table(path):
        state = "is not there" if not path.exists() else "is no table"
        raise OptionError(f"--codes {path} {state}.", "Give a CSV or Excel file with one kind a line.")
    raw_table = read_raw_table(path)
    name_column = _find_column(raw_table.names, NAME_COLUMNS, 0)
    text_column = _find_column([name for name in raw_table.names if name != name_column], TEXT_COLUMNS, 0)
    names = [" ".join(cell.split()) for cell in raw_table.texts(str(name_column))]
    texts = [""] * len(names) if text_column is None else raw_table.texts(text_column)
    empty = [str(line) for line, name in zip(raw_table.rows, names, strict=True) if not name]
    if empty:
        raise DataError(
            f"{path}: {len(empty)} lines have no name in column '{name_column}' (first: line {empty[0]}).",
            "Name every kind, or delete these lines.",
        )
    return [KindDescription(name, " ".join(text.split())) for name, text in zip(names, texts, strict=True)]


def _find_column(names: Sequence[str], known: Sequence[str], default: int) -> str | None:
    by_lower = {name.strip().lower(): name for name in reversed(names)}
    first = next((by_lower[name] for name in known if name in by_lower), None)
    return first if first is not None else names[default] if len(names) > default else None


def store_kinds(project: Project, kinds: Sequence[KindDescription]) -> None:
    """Add kinds to a project, with their descriptions; those that are there stay.

    Parameters
    ----------
    project : Project
    kinds : sequence of KindDescription
    """
    known = {kind.name for kind in project.list_kinds()}
    for kind in kinds:
        if kind.name not in known:
            project.add_kind(kind.name)
    stored = project.get_setting(DESCRIPTIONS, {})
    described = {kind.name: kind.description for kind in kinds if kind.description}
    if {**stored, **described} != stored:
        project.set_setting(DESCRIPTIONS, {**stored, **described})


def list_described_kinds(project: Project) -> list[KindDescription]:
    """Return the kinds of a project with their descriptions.

    Parameters
    ----------
    project : Project
    """
    stored = project.get_setting(DESCRIPTIONS, {})
    return [KindDescription(kind.name, str(stored.get(kind.name, ""))) for kind in project.list_kinds()]
