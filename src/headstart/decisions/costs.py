"""Costs of mistakes, as users write them: "TB->healthy=20" is the cost of taking TB for healthy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import OptionError, list_offenders
from headstart.records import Index, Probabilities
from headstart.spellings import match_names

ARROW = "->"
RESERVED = ("_other", "noise", "background")
"""Names of classes that stand for everything that is none of the others."""


@dataclass(frozen=True)
class Costs:
    """Costs of each mistake and of asking a person; any other mistake costs 1, a right answer nothing.

    To take one reserved class for another is no mistake: either way the answer is "none of these".

    Parameters
    ----------
    matrix : tuple of tuple of float
        By true class (row) and answer (column).
    refer : float
        Of giving no answer and asking a person.
    as_written : tuple of str
        As the user wrote them.
    """

    matrix: tuple[tuple[float, ...], ...]
    refer: float
    as_written: tuple[str, ...] = ()

    def expected_costs(self, probabilities: Probabilities) -> NDArray[np.float64]:
        """Return the expected cost of each answer (n_rows, n_classes).

        Examples
        --------
        >>> Costs(((0.0, 20.0), (1.0, 0.0)), 0.25).expected_costs(np.array([[0.1, 0.9]])).round(6).tolist()
        [[0.9, 2.0]]
        """
        return np.asarray(probabilities @ np.asarray(self.matrix))

    def incurred_costs(self, codes: Index, answers: Index) -> NDArray[np.float64]:
        """Return what each row costs (n_rows,); an answer of -1 is a referral."""
        return np.where(answers < 0, self.refer, np.asarray(self.matrix)[codes, np.maximum(answers, 0)])

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"matrix": [list(row) for row in self.matrix], "refer": self.refer, "given": list(self.as_written)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Costs:
        """Read the JSON form."""
        return cls(tuple(tuple(row) for row in document["matrix"]), document["refer"], tuple(document["given"]))


def is_reserved(name: str) -> bool:
    """Return whether the name of a class says that it stands for what is none of the others.

    Examples
    --------
    >>> is_reserved("Noise"), is_reserved("noisy")
    (True, False)
    """
    return name.strip().casefold() in RESERVED


def reserved_classes(requested: Sequence[str], classes: Sequence[str]) -> tuple[str, ...]:
    """Return the classes that stand for what is none of the others.

    Parameters
    ----------
    requested : sequence of str
        As users name them: "none" for no class, nothing for those whose name says so.
    classes : sequence of str

    Raises
    ------
    OptionError
        There is no such class.

    Examples
    --------
    >>> classes = ("noise", "potholes", "trash")
    >>> reserved_classes((), classes), reserved_classes(("none",), classes), reserved_classes(("Trash",), classes)
    (('noise',), (), ('trash',))
    """
    if not requested:
        return tuple(name for name in classes if is_reserved(name))
    if [name.casefold() for name in requested] == ["none"]:
        return ()
    names = [name for text in requested for name in ([text] if text in classes else text.split(","))]
    spelled = match_names([name.strip() for name in names], list(classes), merge=True).renamed
    known_names = [spelled.get(name.strip(), name.strip()) for name in names]
    unknown = [
        f"there is no class '{name}'{_suggest_name(name, dict.fromkeys(classes, 0))}"
        for name in known_names
        if name not in classes
    ]
    if unknown:
        raise OptionError(
            f"--reserved: {'; '.join(unknown[:5])}.", f"Classes: {list_offenders(list(classes))}; or pass none."
        )
    return tuple(name for name in classes if name in known_names)


def parse_costs(
    texts: Sequence[str], classes: Sequence[str], refer: float, reserved: Sequence[str] | None = None
) -> Costs:
    """Read costs as users write them.

    Parameters
    ----------
    texts : sequence of str
        Each "truth->predicted=cost"; what is not named costs 1.
    classes : sequence of str
    refer : float
    reserved : sequence of str, optional
        Classes that stand for what is none of the others; those whose name says so if not given.

    Raises
    ------
    OptionError
        With everything that is wrong, and the nearest class names.

    Examples
    --------
    >>> parse_costs(["TB->healthy=20"], ["TB", "healthy"], 0.25).matrix
    ((0.0, 20.0), (1.0, 0.0))
    """
    refusing = reserved_classes((), classes) if reserved is None else reserved
    refused = np.asarray([name in refusing for name in classes])
    matrix = np.where(np.eye(len(classes), dtype=bool) | np.outer(refused, refused), 0.0, 1.0)
    place, wrong = {name: at for at, name in enumerate(classes)}, []
    for text in texts:
        pair, _, number = text.rpartition("=")
        try:
            cost = float(number)
        except ValueError:
            cost = np.nan
        if not (np.isfinite(cost) and cost >= 0 and ARROW in pair):
            wrong.append(f"'{text}' is not of the form TRUTH->ANSWER=COST with a cost of 0 or more")
            continue
        truth, answer, problem = _split_pair(pair, place)
        if problem or truth == answer:
            wrong.append(problem or f"'{text}' names one class twice: a right answer costs nothing")
            continue
        matrix[place[truth], place[answer]] = cost
    if wrong:
        raise OptionError(f"--cost: {'; '.join(wrong[:5])}.", f"Classes: {list_offenders(list(classes))}.")
    return Costs(tuple(tuple(row) for row in matrix.tolist()), refer, tuple(texts))


def _split_pair(text: str, place: Mapping[str, int]) -> tuple[str, str, str]:
    """Part the two names, which may hold arrows themselves; gives them and what is wrong."""
    parts = text.split(ARROW)
    candidates = [(ARROW.join(parts[:at]).strip(), ARROW.join(parts[at:]).strip()) for at in range(1, len(parts))]
    spelled = match_names([name for pair in candidates for name in pair], list(place), merge=True).renamed
    for pair in candidates:
        truth, answer = (spelled.get(name, name) for name in pair)
        if truth in place and answer in place:
            return truth, answer, ""
    truth, answer = candidates[0]
    unknown = [f"there is no class '{name}'{_suggest_name(name, place)}" for name in candidates[0] if name not in place]
    return truth, answer, "; ".join(unknown)


def _suggest_name(name: str, place: Mapping[str, int]) -> str:
    near = get_close_matches(name.lower(), [known.lower() for known in place], n=1, cutoff=0.5)
    known = next((item for item in place if near and item.lower() == near[0]), None)
    return f" (did you mean '{known}'?)" if known else ""
