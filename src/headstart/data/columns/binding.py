"""Columns of other data found by the names of training: by what they are called, never by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from headstart.data.columns.names import fold_column_name
from headstart.errors import DataError, OptionError, offenders

_MOST_GUESSES = 3


def bind_names(known: Sequence[str], there: Sequence[str], where: str, candidates: Sequence[str] = ()) -> list[str]:
    """Return the column of `there` for each known name, in the order of `known`.

    Parameters
    ----------
    known : sequence of str
        Names of training.
    there : sequence of str
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
    places, missing = _places(known, there)
    if not missing:
        return places
    strange = [name for name in candidates if name not in places]
    raise DataError(
        f"{where} lacks {len(missing)} of the {len(known)} columns of values that are expected "
        f"({offenders(missing)}){_strange_in_words(strange)}.",
        f"{_guesses(missing, strange)}Give the columns of training under their names, in any order; or, where "
        f"{len(known)} columns mean the same under other names, name the first and last with --values FROM:TO.",
    )


def bind_asked(asked: Sequence[str], there: Sequence[str], where: str) -> list[str]:
    """Return the column of `there` for each name given with --channels, in that order.

    Raises
    ------
    OptionError
        Some are missing; names them and those that are there.
    """
    places, missing = _places(asked, there)
    if missing:
        names = [name for name in there if name]
        hint = f"There are {offenders(names)}." if names else "Its channels have no names: leave --channels out."
        raise OptionError(f"--channels: {where} has no {offenders(missing)}.", hint)
    return places


def _places(known: Sequence[str], there: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the name in `there` of each known one, "" where it is missing, and those that are missing."""
    exact, by_key = set(there), {fold_column_name(name): name for name in reversed(there)}
    places = [name if name in exact else by_key.get(fold_column_name(name), "") for name in known]
    return places, [name for name, place in zip(known, places, strict=True) if not place]


def _strange_in_words(strange: Sequence[str]) -> str:
    if not strange:
        return ""
    return f", and has {len(strange)} that it did not ({offenders(strange)})"


def _guesses(missing: Sequence[str], strange: Sequence[str]) -> str:
    near = [(name, get_close_matches(name, strange, n=1)) for name in missing]
    pairs = [f"'{name}' may be '{guess[0]}'" for name, guess in near if guess][:_MOST_GUESSES]
    return f"{', '.join(pairs)}. " if pairs else ""
