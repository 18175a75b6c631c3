"""Options that say which column is what: refused where the data has nothing of the kind, never ignored in silence."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.errors import OptionError
from headstart.modalities import MODALITIES
from headstart.options import ColumnOptions, flag
from headstart.records import LAYOUTS, Table


@dataclass(frozen=True)
class OptionScope:
    """Scope of an option: a modality, or series in some layouts; with a name in words."""

    modality: str
    layouts: tuple[str, ...]
    words: str


OPTION_SCOPES = {
    "text": OptionScope("text", (), "tables of texts"),
    "values": OptionScope("series", ("wide",), "tables with a row a series"),
    "channels": OptionScope("series", ("wide", "long", "files"), "series in tables, whose channels have names"),
    "time_column": OptionScope("series", ("long", "files"), "tables with a row a time step"),
    "axes": OptionScope("series", ("array",), "arrays of series"),
}
"""By the name of the option in `ColumnOptions`."""


def require_modality(options: ColumnOptions, modality: str, subject: str = "this model reads") -> None:
    """Refuse options that have no meaning for a modality.

    Parameters
    ----------
    options : ColumnOptions
    modality : str
        Of the data or of the model.
    subject : str
        Beginning of the message, which a modality ends.

    Raises
    ------
    OptionError
        Names the option and what it is for.
    """
    for name in _list_set_options(options):
        if OPTION_SCOPES[name].modality != modality:
            raise OptionError(
                f"{flag(name)} is for {OPTION_SCOPES[name].words}; {subject} {MODALITIES[modality].plural}.",
                _make_hint(name),
            )


def require_use(options: ColumnOptions, table: Table) -> None:
    """Refuse options that a table, as it was read, had no use for.

    Parameters
    ----------
    options : ColumnOptions
    table : Table
        As it was read with these options.

    Raises
    ------
    OptionError
        Names the option and what it is for.
    """
    require_modality(options, table.modality, f"{table.source} holds")
    layout = _find_layout(table)
    for name in _list_set_options(options):
        scope = OPTION_SCOPES[name]
        if scope.layouts and layout in LAYOUTS and layout not in scope.layouts:
            raise OptionError(f"{flag(name)} is for {scope.words}, and {table.source} holds none.", _make_hint(name))
    if options.id is not None and not table.columns:
        raise OptionError(f"--id: {table.source} has no table with columns.", _make_hint("id"))


def _find_layout(table: Table) -> str:
    """Return how series are laid out; a table that goes by position, as an array does, is still a table."""
    layout = table.input_columns.layout if table.input_columns else ""
    return "wide" if layout == "array" and table.n_lines else layout


def _list_set_options(options: ColumnOptions) -> list[str]:
    return [name for name in OPTION_SCOPES if getattr(options, name) != ColumnOptions.model_fields[name].default]


def _make_hint(name: str) -> str:
    return f"Leave {flag(name)} out, or check that this is the right data."
