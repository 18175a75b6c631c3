"""Do plain properties of rows predict their class? A small model on them, cross-validated, against chance.

Numpy only: ridge regression on quantile bins, all classes weighing the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.checks.settings import SETTINGS
from headstart.evaluation.intervals import balanced_accuracy_interval, envelope, mean_interval
from headstart.records import Index, Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PropertySkill:
    """Skill of a property in predicting the class: balanced accuracy (0-1) with its interval, and that of chance."""

    name: str
    balanced_accuracy: Interval
    chance: float

    @property
    def skill(self) -> float:
        """Return where the lower end of the interval lies between chance (0) and certainty (1)."""
        return (self.balanced_accuracy.low - self.chance) / max(1.0 - self.chance, 1e-9)


def bin_values(values: NDArray[np.float64] | NDArray[np.object_]) -> Floats:
    """Return a property as indicators.

    Parameters
    ----------
    values : array, shape (n_rows, m) of float64 or (n_rows,) of str
        Numbers are cut at up to nine quantiles, NaN gets a column of its own; of words the 30 most frequent count.

    Returns
    -------
    Floats, shape (n_rows, n_indicators)

    Examples
    --------
    >>> bin_values(np.array([[1.0], [2.0], [np.nan]])).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if values.dtype == object:
        names, counts = np.unique(values.astype(str), return_counts=True)
        frequent = names[np.argsort(-counts, kind="stable")[: SETTINGS.max_property_values]]
        return np.asarray(values.astype(str)[:, None] == frequent, dtype=np.float64)
    return np.concatenate([_bin_column(part) for part in values.astype(np.float64).T], axis=1)


def _bin_column(values: Floats) -> Floats:
    known = np.isfinite(values)
    edges = (
        np.unique(np.quantile(values[known], np.linspace(0, 1, SETTINGS.n_property_bins + 1)[1:-1]))
        if known.any()
        else np.zeros(0)
    )
    places = np.where(known, np.searchsorted(edges, np.where(known, values, 0.0), side="left"), len(edges) + 1)
    indicators = np.eye(len(edges) + 2)[places]
    return np.asarray(indicators[:, indicators.any(axis=0)])


def measure_property(
    name: str, parts: Sequence[Floats], codes: Index, folds: Index, clusters: Index | None, seed: int
) -> PropertySkill:
    """Return how well indicators predict the class of rows that the model was not fitted to.

    Parameters
    ----------
    name : str
    parts : sequence of Floats, shape (n_rows, m) each
        As `bin_values` gives them.
    codes : Index, shape (n_rows,)
        Classes 0 .. n_classes - 1.
    folds : Index, shape (n_rows,)
    clusters : Index or None, shape (n_rows,)
        Rows that belong together, for the interval.
    seed : int

    Returns
    -------
    PropertySkill
        `balanced_accuracy` is the mean of the recalls of all classes, which chance brings to 1 / n_classes.
    """
    _, classes = np.unique(codes, return_inverse=True)
    counts = np.bincount(classes).astype(np.float64)
    weights, n_classes = len(codes) / (len(counts) * counts[classes]), len(counts)
    x = np.column_stack([np.ones(len(codes)), *parts])
    guesses = np.zeros(len(codes), dtype=np.intp)
    for fold in np.unique(folds):
        fitted, held = folds != fold, folds == fold
        weighted = x[fitted] * weights[fitted, None]
        gram = x[fitted].T @ weighted + SETTINGS.property_penalty * np.diag([1e-6, *np.ones(x.shape[1] - 1)])
        sums = np.zeros((x.shape[1], n_classes))
        np.add.at(sums.T, classes[fitted], weighted)
        guesses[held] = (x[held] @ np.linalg.solve(gram, sums)).argmax(axis=1)
    interval = mean_interval((guesses == classes) * weights, clusters, seed, (0.0, 1.0))
    recalls = balanced_accuracy_interval(classes, guesses, clusters)  # It does not vanish where all are right.
    joined = envelope(interval.value, (interval.low, interval.high), (recalls.low, recalls.high))
    return PropertySkill(name, joined, 1 / n_classes)


def rank_properties(
    properties: Mapping[str, NDArray[np.float64] | NDArray[np.object_]],
    codes: Index,
    folds: Index,
    clusters: Index | None,
    seed: int,
) -> tuple[PropertySkill, list[PropertySkill]]:
    """Return the skill of all properties together, and of each alone, the best first.

    Parameters
    ----------
    properties : mapping of str to array, shape (n_rows, m) of float64 or (n_rows,) of str
    codes, folds : Index, shape (n_rows,)
        Classes 0 .. n_classes - 1, and the fold of each row.
    clusters : Index or None, shape (n_rows,)
        Rows that belong together, for the intervals.
    seed : int
    """
    parts = {name: bin_values(values) for name, values in properties.items()}
    alone = [
        measure_property(name, [part], codes, folds=folds, clusters=clusters, seed=seed) for name, part in parts.items()
    ]
    together = measure_property("", list(parts.values()), codes, folds=folds, clusters=clusters, seed=seed)
    return together, sorted(alone, key=lambda item: -item.balanced_accuracy.value)
