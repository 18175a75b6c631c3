"""Sure, possible or no: what is said of each label where a row may have several.

The thresholds come from training rows, each predicted by a model that did not see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, exp, log, log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.decisions.config import CONFIG
from headstart.decisions.sets import ClassSets, conformal_quantile
from headstart.records import FloatMatrix, Probabilities

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LabelRule:
    """From which probability on a label is possible, and from which on it is sure.

    Parameters
    ----------
    coverage : float
        Of the rows that have a label, the stated share for which it is possible; and of the rows for which a label is
        sure, the stated share that have it. 0-1.
    confidence : float
        Probability (over the training rows) with which the second statement holds, 0-1.
    possible_from, sure_from : tuple of float or None
        One a label; None: there were too few rows to state it.
    n_positives : tuple of int
        Rows that have the label, of those that the thresholds were learnt from.
    n_rows : int
        Rows that they were learnt from.
    """

    coverage: float
    confidence: float
    possible_from: tuple[float | None, ...]
    sure_from: tuple[float | None, ...]
    n_positives: tuple[int, ...]
    n_rows: int

    @property
    def is_stated(self) -> NDArray[np.bool_]:
        """Return for which labels (n_labels,) the possible ones are stated."""
        return np.asarray([floor is not None for floor in self.possible_from], dtype=bool)

    def find_possible(self, probabilities: Probabilities) -> ClassSets:
        """Return which labels each row may have; none of those for which it cannot be stated.

        Examples
        --------
        >>> rule = LabelRule(coverage=0.9, confidence=0.9, possible_from=(0.2, None), sure_from=(0.8, None),
        ...     n_positives=(40, 3), n_rows=100)
        >>> rows = np.array([[0.9, 0.9], [0.3, 0.1]])
        >>> rule.find_possible(rows).tolist(), rule.find_sure(rows).tolist()
        ([[True, False], [True, False]], [[True, False], [False, False]])
        """
        return _reach(probabilities, self.possible_from)

    def find_sure(self, probabilities: Probabilities) -> ClassSets:
        """Return which labels are sure of each row."""
        return _reach(probabilities, self.sure_from)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> LabelRule:
        """Read the JSON form."""
        lists = {name: tuple(document[name]) for name in ("possible_from", "sure_from", "n_positives")}
        return cls(**{**document, **lists})


def _reach(probabilities: Probabilities, thresholds: tuple[float | None, ...]) -> ClassSets:
    return np.asarray(probabilities >= np.asarray([np.inf if one is None else one for one in thresholds]))


def fit_label_rule(truth: FloatMatrix, probabilities: Probabilities, coverage: float) -> LabelRule:
    """Learn the thresholds of each label.

    Parameters
    ----------
    truth : FloatMatrix, shape (n_rows, n_labels)
        0 or 1.
    probabilities : Probabilities, shape (n_rows, n_labels)
        Of rows that the model which gave them did not see; rows of NaN are left out.
    coverage : float
        0-1.

    Notes
    -----
    Possible: not below the stated share of the probabilities that training rows with the label gave to it (conformal
    prediction for one label at a time, over the rows that have it). One threshold for all labels by conformal risk
    control (Angelopoulos et al. 2022, arXiv:2208.02814) makes smaller sets and misses most of the rare labels.

    Sure: Learn-then-Test with a fixed sequence of thresholds from the highest down (Angelopoulos et al. 2021,
    arXiv:2110.01052). Each is tested for the share of its rows that have the label, by the exact binomial test; the
    first has the fewest rows that can pass.

    Examples
    --------
    A label that 9 of 100 rows have, and one that 8 have; nothing is sure of so few:

    >>> truth = (np.arange(100)[:, None] < [9, 8]).astype(np.float32)
    >>> rule = fit_label_rule(truth, np.where(truth == 1, 0.9, 0.1), 0.9)
    >>> rule.possible_from, rule.sure_from
    ((0.9, None), (None, None))
    """
    rows = np.flatnonzero(np.isfinite(probabilities).all(axis=1))
    true, known = truth[rows] == 1, np.asarray(probabilities[rows], dtype=np.float64)
    labels = range(true.shape[1])
    floors = [conformal_quantile(known[true[:, at], at], coverage) for at in labels]
    return LabelRule(
        coverage=coverage,
        confidence=CONFIG.sure_confidence,
        possible_from=tuple(float(floor) if np.isfinite(floor) else None for floor in floors),
        sure_from=tuple(_find_sure_threshold(true[:, at], known[:, at], coverage) for at in labels),
        n_positives=tuple(int(n) for n in true.sum(axis=0)),
        n_rows=len(rows),
    )


def _find_sure_threshold(true: NDArray[np.bool_], probabilities: Floats, share: float) -> float | None:
    """Return the lowest probability from which on so large a share of rows has the label; None if none passes."""
    if not 0 < share < 1:
        return None
    order = np.argsort(-probabilities, kind="stable")
    ordered, n_wrong = probabilities[order], np.cumsum(~true[order])
    n_first = ceil(log(1 - CONFIG.sure_confidence) / log(share))
    lowest, n_called = None, n_first
    while n_called <= len(ordered):
        n_tied = int((ordered >= ordered[n_called - 1]).sum())
        if _binomial_cdf(int(n_wrong[n_tied - 1]), n_tied, 1 - share) > 1 - CONFIG.sure_confidence:
            break
        lowest = float(ordered[n_tied - 1])
        n_called = max(n_tied + 1, n_called + max(1, n_called // CONFIG.sure_steps))
    return lowest


def _binomial_cdf(k: int, n: int, share: float) -> float:
    """Return the probability of at most k of n, each with this probability; without scipy, as bundles need numpy only.

    Examples
    --------
    >>> round(_binomial_cdf(1, 3, 0.5), 6)
    0.5
    """
    places = np.arange(1, k + 1)
    steps = np.log((n - places + 1) / places) + log(share) - log1p(-share)
    logs = np.concatenate([[0.0], np.cumsum(steps)]) + n * log1p(-share)
    return float(min(1.0, sum(exp(value) for value in logs)))
