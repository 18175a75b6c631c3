"""Columns of other data found by the names of training: by what they are called, never by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from headstart.data.columns.names import fold_column_name
from headstart.errors import DataError, OptionError, list_offenders

_MOST_GUESSES = 3


def bind_names(known: Sequence[str], available: Sequence[str], where: str, candidates: Sequence[str] = ()) -> list[str]:
    """Return the column of `there` for each known name, in the order of `known`.

    Parameters
    ----------
    known : sequence of str
        Names of training.
    available : sequence of str
        Names of the other data; they may differ in letter case, blanks, dots and dashes.
    where : str
        What has these names, for the message.
    candidates : sequence of str
        Those of `there` that could have been meant: named as unknown where some are missing.

    Raises
    ------
    DataError
        Some are missing; names them, those not known in training, and the nearest.

    Examples
    --------
    >>> bind_names(["acc_x", "acc_y"], ["Acc-Y", "acc_x", "note"], "new.csv")
    ['acc_x', 'Acc-Y']
    """
    bound, missing = _match_names(known, available)
    if not missing:
        return bound
    unknown_names = [name for name in candidates if name not in bound]
    raise DataError(
        f"{where} lacks {len(missing)} of the {len(known)} columns of values that are expected "
        f"({list_offenders(missing)}){_describe_unknown(unknown_names)}.",
        f"{_suggest_names(missing, unknown_names)}Give the columns of training under their names, in any order; or, "
        f"where {len(known)} columns mean the same under other names, name the first and last with --values FROM:TO.",
    )


def bind_requested(requested: Sequence[str], available: Sequence[str], where: str) -> list[str]:
    """Return the available column for each name given with --channels, in that order.

    Parameters
    ----------
    requested : sequence of str
        Names that the user gave.
    available : Names of the columns
        they may differ in letter case, blanks, dots and dashes.
    where : str
        Name of the table, for messages.

    Raises
    ------
    OptionError
        Some are missing; names them and those that are there.
    """
    bound, missing = _match_names(requested, available)
    if missing:
        names = [name for name in available if name]
        hint = f"There are {list_offenders(names)}." if names else "Its channels have no names: leave --channels out."
        raise OptionError(f"--channels: {where} has no {list_offenders(missing)}.", hint)
    return bound


def _match_names(known: Sequence[str], available: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the available name of each known one, "" where it is missing, and those that are missing."""
    exact, by_key = set(available), {fold_column_name(name): name for name in reversed(available)}
    bound = [name if name in exact else by_key.get(fold_column_name(name), "") for name in known]
    return bound, [name for name, bound_name in zip(known, bound, strict=True) if not bound_name]


def _describe_unknown(unknown_names: Sequence[str]) -> str:
    if not unknown_names:
        return ""
    return f", and has {len(unknown_names)} that it did not ({list_offenders(unknown_names)})"


def _suggest_names(missing: Sequence[str], unknown_names: Sequence[str]) -> str:
    close_names = [(name, get_close_matches(name, unknown_names, n=1)) for name in missing]
    pairs = [f"'{name}' may be '{guess[0]}'" for name, guess in close_names if guess][:_MOST_GUESSES]
    return f"{', '.join(pairs)}. " if pairs else ""
