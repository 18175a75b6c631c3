"""The one error family: what is wrong, and what to do about it.

This room holds no logic. Every error that a user can fix is a `HeadstartError`; the command line prints its two
strings and exits with 2, the Python caller sees them as one message. An `AssertionError` always means our own bug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

SHOWN = 5


class HeadstartError(Exception):
    """Something the user can fix.

    Parameters
    ----------
    problem : str
        What is wrong, where, and what was found.
    hint : str
        What to do next.

    Examples
    --------
    >>> print(HeadstartError("No label column in a.csv.", "Name it with --label."))
    No label column in a.csv. Name it with --label.
    """

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.problem} {self.hint}"


class DataError(HeadstartError):
    """The user's data cannot be used as it is."""


class NothingRead(DataError):
    """No input could be read.

    Parameters
    ----------
    problem, hint : str
    failed : sequence of {"id": ..., "reason": ...}
        Each input, and why it could not be read.
    """

    def __init__(self, problem: str, hint: str, failed: Sequence[Mapping[str, str]]) -> None:
        super().__init__(problem, hint)
        self.failed = tuple(failed)


def make_nothing_read(failed: Sequence[Mapping[str, str]], written: str = "") -> NothingRead:
    """Return the error for inputs of which none could be read; `written` is the file with the reasons, if any.

    Parameters
    ----------
    failed : sequence of mapping of str to str
        `id` and `reason` of each input.
    written : str
        File with the reasons; empty where there is none.
    """
    n_inputs, first = len(failed), f"{failed[0]['id']}: {failed[0]['reason']}"
    none = "The only input cannot be read" if n_inputs == 1 else f"None of the {n_inputs:,} inputs can be read"
    where = f" The reasons stand in {written}." if written else ""
    return NothingRead(f"{none} (first: {first}).", f"Check that these are inputs of the model's kind.{where}", failed)


class OptionError(HeadstartError):
    """An option has a value that cannot work."""


class MissingExtra(HeadstartError):
    """An optional package is not installed; the hint is the pip line."""


class InputTypeError(DataError, TypeError):
    """An input in memory is of a type that no model reads."""


class UnknownName(HeadstartError):
    """A name that stands in no table (a base model, a strategy, a column)."""


class BundleError(HeadstartError):
    """A bundle is damaged, was changed, or is of an unknown format."""


def make_unknown_name(kind: str, name: str, known: Iterable[str], where: str = "") -> UnknownName:
    """Make the error for a name that was not found, with the nearest known one.

    Parameters
    ----------
    kind : str
        What the name should be, such as "group column".
    name : str
        As it was given.
    known : iterable of str
        Names that there are.
    where : str
        Ends the sentence, such as " in data.csv".

    Examples
    --------
    >>> print(make_unknown_name("strategy", "linear-prob", ["linear-probe", "classic"]))
    There is no strategy 'linear-prob'. Did you mean 'linear-probe'? Known: linear-probe, classic.
    """
    names = list(known)
    if not names:
        return UnknownName(f"There is no {kind} '{name}'{where}.", "There are none to choose from.")
    near = get_close_matches(name, names, n=1)
    guess = f"Did you mean '{near[0]}'? " if near else ""
    listing = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return UnknownName(f"There is no {kind} '{name}'{where}.", f"{guess}Known: {listing}.")


def list_offenders(names: Sequence[str]) -> str:
    """Name at most five offenders and say how many there are in all.

    Parameters
    ----------
    names : sequence of str

    Examples
    --------
    >>> list_offenders(["a", "b"])
    'a, b'
    >>> list_offenders(list("abcdefg"))
    'a, b, c, d, e and 2 more'
    """
    listing = ", ".join(names[:SHOWN])
    return listing if len(names) <= SHOWN else f"{listing} and {len(names) - SHOWN} more"


def cut_problem(problem: str, name: object) -> str:
    """Write a problem as the end of a sentence that has named the file already.

    Parameters
    ----------
    problem : str
        A sentence without its full stop.
    name : anything
        Of the input; it is not repeated where the sentence has it.

    Examples
    --------
    >>> cut_problem("a.csv: the file is empty.", "a.csv")
    'the file is empty'
    """
    return problem.removeprefix(f"{name}: ").removesuffix(".")
