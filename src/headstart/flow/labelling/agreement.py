"""Counts of labels with their uncertainty: shares of kinds, agreement of two people, a person beside a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.evaluation.intervals import compute_wilson_interval
from headstart.flow.labelling.records import LabelAgreement, LabelCount
from headstart.records import Interval


def make_count(n_hits: int, n: int) -> LabelCount:
    """Return how many of how many, with Wilson's 95 % interval of the share.

    Parameters
    ----------
    n_hits, n : int

    Examples
    --------
    >>> count = make_count(14, 20)
    >>> count.n_hits, count.n, round(100 * count.share.low), round(100 * count.share.high)
    (14, 20, 48, 85)
    """
    low, high = compute_wilson_interval(np.array([float(n_hits)]), np.array([float(n)]))
    return LabelCount(n_hits, n, Interval(n_hits / max(1, n), float(low[0]), float(high[0])))


def compare_labels(ids: Sequence[int], first: Sequence[str], second: Sequence[str]) -> LabelAgreement:
    """Compare two people's labels of the same examples.

    Parameters
    ----------
    ids : sequence of int, length n
    first, second : sequence of str, length n
        Kinds that each of them chose.

    Returns
    -------
    LabelAgreement
        Kappa is None where both used one and the same kind throughout.

    Notes
    -----
    Cohen's kappa (1960). Its interval is that of the share of equal labels (Wilson), with agreement by chance held
    fixed: it does not collapse where two people agree on everything.

    Examples
    --------
    >>> agreement = compare_labels([1, 2, 3, 4], ["a", "a", "b", "b"], ["a", "a", "b", "a"])
    >>> agreement.same.n_hits, agreement.kappa.value, agreement.differing
    (3, 0.5, (4,))
    """
    n = len(ids)
    differing = tuple(name for name, one, other in zip(ids, first, second, strict=True) if one != other)
    same = make_count(n - len(differing), n)
    kinds = sorted({*first, *second})
    by_chance = sum(list(first).count(kind) * list(second).count(kind) for kind in kinds) / max(1, n) ** 2
    kappa = None
    if n and by_chance < 1:
        low, value, high = (
            (share - by_chance) / (1 - by_chance) for share in (same.share.low, same.share.value, same.share.high)
        )
        kappa = Interval(value, max(-1.0, low), min(1.0, high))
    return LabelAgreement(same=same, kappa=kappa, differing=differing)
