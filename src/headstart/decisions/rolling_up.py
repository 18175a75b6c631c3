"""Classes in levels: where no class is sure enough, the deepest level that is; "water > (not sure which)"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.coding_frames import SEPARATOR, CodingFrame, join_path, split_path
from headstart.decisions.sets import SetRule, fit_sets
from headstart.records import Index, Predictions, Probabilities

WHICH = "(not sure which)"
"""Stands for the level below the deepest one that is sure."""


@dataclass(frozen=True)
class LevelNodes:
    """The parts of a coding frame at one level.

    Parameters
    ----------
    names : tuple of str
        Paths of so many levels, and shorter ones that are classes, in the order of the classes.
    node_of_class : Index, shape (n_classes,)
        Place in `names` of each class.
    is_inner : bool array, shape (n_nodes,)
        Whether a deeper class stands below.
    """

    names: tuple[str, ...]
    node_of_class: Index
    is_inner: NDArray[np.bool_]

    def sum_probabilities(self, probabilities: Probabilities) -> Probabilities:
        """Return the probability of each node, the sum of its classes: (n_rows, n_nodes)."""
        sums = np.zeros((len(probabilities), len(self.names)))
        np.add.at(sums.T, self.node_of_class, probabilities.T)
        return sums


def list_level_nodes(classes: Sequence[str], depth: int) -> LevelNodes:
    """Return the nodes of the first `depth` levels.

    Parameters
    ----------
    classes : sequence of str
        Paths.
    depth : int
        1 or more.

    Examples
    --------
    >>> nodes = list_level_nodes(["food", "water > price", "water > pump"], 1)
    >>> nodes.names, nodes.node_of_class.tolist(), nodes.is_inner.tolist()
    (('food', 'water'), [0, 1, 1], [False, True])
    """
    paths = [split_path(name) for name in classes]
    cut = [join_path(path[:depth]) for path in paths]
    names = tuple(dict.fromkeys(cut))
    place = {name: at for at, name in enumerate(names)}
    inner = {name for name, path in zip(cut, paths, strict=True) if len(path) > depth}
    return LevelNodes(
        names, np.asarray([place[name] for name in cut], dtype=np.intp), np.asarray([name in inner for name in names])
    )


@dataclass(frozen=True, kw_only=True)
class FrameRules:
    """The coding frame of a model, and when a level is sure.

    Parameters
    ----------
    levels : tuple of str
        Names of the levels, the widest first.
    sets : tuple of SetRule
        One for each level but the deepest; empty where a row may have several labels, whose parents are labels, too.
    ids : mapping of str to str
        What people write for a code in tables, by its path; empty where that is the path.
    """

    levels: tuple[str, ...]
    sets: tuple[SetRule, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)

    def name_rolled_up(self, predictions: Predictions, rows: Index, least: float) -> dict[int, str]:
        """Return the answers of rows without a sure class of which a level is sure, by row.

        Parameters
        ----------
        predictions : Predictions
            With corrected probabilities.
        rows : Index
            Rows whose class is not sure.
        least : float
            A level that is less probable is not sure, 0-1.

        Notes
        -----
        A level is sure where its conformal set, made like that of the classes, has one node, which is probable enough.
        """
        answers: dict[int, str] = {}
        for depth in range(len(self.sets), 0, -1):
            nodes = list_level_nodes(predictions.classes, depth)
            open_rows = np.asarray([row for row in rows if int(row) not in answers], dtype=np.intp)
            probabilities = nodes.sum_probabilities(predictions.probabilities[open_rows])
            best = probabilities.argmax(axis=1) if len(open_rows) else np.empty(0, dtype=np.intp)
            sizes = self.sets[depth - 1].sets(probabilities).sum(axis=1)
            is_sure = (sizes == 1) & nodes.is_inner[best] & (probabilities[np.arange(len(best)), best] >= least)
            answers |= {
                int(open_rows[at]): f"{nodes.names[best[at]]}{SEPARATOR}{WHICH}" for at in np.flatnonzero(is_sure)
            }
        return answers

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"levels": list(self.levels), "sets": [rule.as_dict() for rule in self.sets], "ids": dict(self.ids)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> FrameRules:
        """Read the JSON form."""
        sets = tuple(SetRule.from_dict(rule) for rule in document["sets"])
        return cls(levels=tuple(document["levels"]), sets=sets, ids=document["ids"])


def make_frame_rules(frame: CodingFrame, classes: Sequence[str], sets: tuple[SetRule, ...]) -> FrameRules:
    """Return the rules of a frame for the classes that were learnt.

    Parameters
    ----------
    frame : CodingFrame
    classes : sequence of str
        Paths.
    sets : tuple of SetRule
        As `fit_level_sets` gives them.
    """
    ids = {code.name: code.id for code in frame.codes if code.id}
    depth = max(len(split_path(name)) for name in classes)
    levels = tuple(frame.levels[:depth])
    return FrameRules(levels=levels, ids=ids, sets=sets)


def fit_level_sets(
    classes: Sequence[str], codes: Index | None, probabilities: Probabilities, coverage: float
) -> tuple[SetRule, ...]:
    """Learn when each level but the deepest is sure; nothing where a row may have several codes.

    Parameters
    ----------
    classes : sequence of str
        Paths.
    codes : Index or None, shape (n_rows,)
        True classes; None where a row may have several.
    probabilities : Probabilities, shape (n_rows, n_classes)
        Corrected, of rows that the model which gave them did not see.
    coverage : float
        Stated share of sets that hold the truth, 0-1.
    """
    if codes is None:
        return ()
    rules = []
    for depth in range(1, max(len(split_path(name)) for name in classes)):
        nodes = list_level_nodes(classes, depth)
        rules.append(fit_sets(nodes.node_of_class[codes], nodes.sum_probabilities(probabilities), coverage))
    return tuple(rules)


def split_answer(text: str) -> tuple[str, ...]:
    """Return the levels that an answer names.

    Parameters
    ----------
    text : str
        Of an answer with a class, or of one that was rolled up.

    Examples
    --------
    >>> split_answer("water > pump"), split_answer("water > (not sure which)")
    (('water', 'pump'), ('water',))
    """
    return tuple(part for part in split_path(text) if part != WHICH)


def is_rolled_up(text: str) -> bool:
    """Return whether an answer names a level and not the class below it.

    Parameters
    ----------
    text : str
    """
    return text.endswith(f"{SEPARATOR}{WHICH}")
