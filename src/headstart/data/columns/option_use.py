"""Options that say which column is what: refused where the data has nothing of the kind, never ignored in silence."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.errors import OptionError
from headstart.options import ColumnOptions, flag
from headstart.records import LAYOUTS, Table


@dataclass(frozen=True)
class Use:
    """Where an option has a meaning: for a modality, for series in some layouts, and what that is in words."""

    modality: str
    layouts: tuple[str, ...]
    words: str


USES = {
    "text": Use("text", (), "tables of texts"),
    "values": Use("series", ("wide",), "tables with a row a series"),
    "channels": Use("series", ("wide", "long", "files"), "series in tables, whose channels have names"),
    "time_column": Use("series", ("long", "files"), "tables with a row a time step"),
    "axes": Use("series", ("array",), "arrays of series"),
}
"""By the name of the option in `ColumnOptions`."""
_NOUNS = {"image": "pictures", "text": "texts", "series": "series"}


def require_modality(options: ColumnOptions, modality: str, subject: str = "this model reads") -> None:
    """Refuse options that have no meaning for a modality.

    Raises
    ------
    OptionError
        Names the option and what it is for.
    """
    for name in _given(options):
        if USES[name].modality != modality:
            raise OptionError(f"{flag(name)} is for {USES[name].words}; {subject} {_NOUNS[modality]}.", _hint(name))


def require_use(options: ColumnOptions, table: Table) -> None:
    """Refuse options that a table, as it was read, had no use for.

    Raises
    ------
    OptionError
        Names the option and what it is for.
    """
    require_modality(options, table.modality, f"{table.source} holds")
    layout = _layout(table)
    for name in _given(options):
        use = USES[name]
        if use.layouts and layout in LAYOUTS and layout not in use.layouts:
            raise OptionError(f"{flag(name)} is for {use.words}, and {table.source} holds none.", _hint(name))
    if options.id is not None and not table.columns:
        raise OptionError(f"--id: {table.source} has no table with columns.", _hint("id"))


def _layout(table: Table) -> str:
    """Return how series are laid out; a table that goes by position, as an array does, is still a table."""
    layout = table.input_columns.layout if table.input_columns else ""
    return "wide" if layout == "array" and table.n_lines else layout


def _given(options: ColumnOptions) -> list[str]:
    return [name for name in USES if getattr(options, name) != ColumnOptions.model_fields[name].default]


def _hint(name: str) -> str:
    return f"Leave {flag(name)} out, or check that this is the right data."
