"""Conformal sets: every class that is likely enough, so that a stated share of sets holds the truth.

The thresholds come from training rows, each predicted by a model that did not see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.decisions.config import CONFIG
from headstart.decisions.reasons import Reason
from headstart.records import Index, Probabilities

Floats = NDArray[np.float64]
ClassSets = NDArray[np.bool_]
"""(n_rows, n_classes): which classes each set holds."""


@dataclass(frozen=True)
class SetRule:
    """The probability of each class from which on it is in the prediction set.

    Parameters
    ----------
    coverage : float
        Stated share of sets that hold the truth, 0-1.
    floors : tuple of float
        One a class; 0: always in the set, because there were too few rows to leave it out.
    own : tuple of bool
        Which classes have a threshold of their own.
    n_rows : int
        Rows that they were learnt from.
    """

    coverage: float
    floors: tuple[float, ...]
    own: tuple[bool, ...]
    n_rows: int

    def exact_sets(self, probabilities: Probabilities) -> ClassSets:
        """Return the sets as the method makes them; some may be empty."""
        return np.asarray(probabilities >= np.asarray(self.floors))

    def sets(self, probabilities: Probabilities) -> ClassSets:
        """Return the sets with the most probable class always in: covers at least as often.

        Examples
        --------
        >>> rule = SetRule(0.9, (0.2, 0.3), (False, False), 40)
        >>> rule.sets(np.array([[0.75, 0.25], [0.6, 0.4]])).tolist()
        [[True, False], [True, True]]
        """
        class_sets = self.exact_sets(probabilities)
        class_sets[np.arange(len(class_sets)), probabilities.argmax(axis=1)] = True
        return class_sets

    @property
    def excludes_any(self) -> bool:
        """Return whether there were rows enough to leave any class out."""
        return any(floor > 0 for floor in self.floors)

    def count_missing_rows(self, n_lone: int) -> int:
        """Return how many more labelled rows it takes at least to leave any class out; 0 where there are enough.

        Parameters
        ----------
        n_lone : int
            Training rows that are not held out because they are alone in their class: a second row frees the first.

        Examples
        --------
        >>> rule = SetRule(0.9, (0.0, 0.0, 0.0), (False, False, False), 0)
        >>> rule.count_missing_rows(0), rule.count_missing_rows(3), rule.count_missing_rows(20)
        (9, 6, 5)
        """
        missing = 0 if self.excludes_any else max(0, count_least_rows(self.coverage) - self.n_rows)
        return max(missing - n_lone, ceil(missing / 2))

    @property
    def too_few_rows_reason(self) -> Reason:
        """Return why no class can be left out."""
        if self.n_rows == 0:
            return Reason("no_held_out_rows")
        return Reason("too_few_rows_for_sets", {"n_rows": self.n_rows})

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**vars(self), "floors": list(self.floors), "own": list(self.own)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> SetRule:
        """Read the JSON form."""
        return cls(document["coverage"], tuple(document["floors"]), tuple(document["own"]), document["n_rows"])


def count_least_rows(coverage: float) -> int:
    """Return the number of rows from which on `conformal_quantile` is finite.

    Parameters
    ----------
    coverage : float
        0-1, below 1.

    Examples
    --------
    >>> count_least_rows(0.9), count_least_rows(0.95), count_least_rows(0.5)
    (9, 19, 1)
    """
    return ceil(coverage / (1 - coverage) - 1e-9)


def conformal_quantile(values: Floats, coverage: float) -> float:
    """Return the value that a new one is not below with probability `coverage`; -inf with too few values.

    Examples
    --------
    Of nine values the smallest: a tenth one is the smallest of all in one case of ten.

    >>> conformal_quantile(np.arange(1.0, 10.0), 0.9), conformal_quantile(np.arange(1.0, 9.0), 0.9)
    (1.0, -inf)
    """
    n = len(values)
    place = n - ceil((n + 1) * coverage - 1e-9)
    return float(np.partition(values, place)[place]) if 0 <= place < n else -np.inf


def fit_sets(codes: Index, probabilities: Probabilities, coverage: float) -> SetRule:
    """Learn the thresholds.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True classes.
    probabilities : Probabilities, shape (n_rows, n_classes)
        Of rows that the model which gave them did not see; rows of NaN are left out.
    coverage : float
        0-1.

    Notes
    -----
    A class is in the set where its probability is not below the stated share of those that training rows of this class
    gave to it: label-conditional sets with the score 1 - p (Sadinle, Lei and Wasserman 2019, arXiv:1609.00451), on
    out-of-fold rows as in cross-conformal prediction (Vovk 2015). Classes with fewer rows than
    `CONFIG.own_threshold_rows` are pooled, and where they are too few together the smallest of the others joins them
    (as the null cluster of Ding et al. 2023, arXiv:2306.09335): over them coverage holds on average. The model that
    predicts is fitted once more on all rows, so the coverage is nearly and not exactly that of the theory: it is
    measured on test rows.
    """
    rows = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    codes, n_classes = codes[rows], probabilities.shape[1]
    true_probabilities = probabilities[rows, codes]
    own = _find_classes_with_own_threshold(np.bincount(codes, minlength=n_classes))
    rest = ~own[codes]
    shared = conformal_quantile(true_probabilities[rest] if rest.any() else true_probabilities, coverage)
    floors = [
        conformal_quantile(true_probabilities[codes == code], coverage) if own[code] else shared
        for code in range(n_classes)
    ]
    return SetRule(coverage, tuple(max(0.0, floor) for floor in floors), tuple(own.tolist()), len(rows))


def _find_classes_with_own_threshold(counts: Index) -> NDArray[np.bool_]:
    """Return which classes have rows enough; the others, if there are any, have enough together.

    A class that lends its rows to the others shares their threshold: with one of its own as well, all rows would be
    covered less often than stated.
    """
    own = np.asarray(counts >= CONFIG.own_threshold_rows)
    while own.any() and 0 < counts[~own].sum() < CONFIG.own_threshold_rows:
        own[np.flatnonzero(own)[counts[own].argmin()]] = False
    return own


def fit_margin(truth: Floats, predicted: Floats, coverage: float) -> tuple[float, int]:
    """Return how far off a number is at most in the stated share of rows, and from how many rows that was learnt.

    The width is infinite with too few rows. Out-of-fold residuals around the refitted model: the cross-conformal
    relative of CV+ (Barber et al. 2021, arXiv:1905.02928).

    Parameters
    ----------
    truth, predicted : Floats, shape (n_rows,)
        Rows whose prediction is NaN are left out.
    coverage : float
        0-1.

    Examples
    --------
    >>> fit_margin(np.zeros(9), np.arange(9.0), 0.9)
    (8.0, 9)
    """
    rows = np.isfinite(predicted)
    return -conformal_quantile(-np.abs(truth[rows] - predicted[rows]), coverage), int(rows.sum())
