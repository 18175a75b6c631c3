"""Is a class found equally often in every group? A model that leans on the group itself fails here first.

Where the answer follows the group (a border, a site, a device) and not the content, one class is missed in one group
and another class in the other, while both groups may look equally good as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.fairness.gap_tests import agree_with_test, count_mid_p
from headstart.evaluation.intervals import Floats, compute_wilson_interval, difference_interval, envelope
from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval
from headstart.results import ClassGap, Figure


@dataclass(frozen=True)
class _ClassByGroup:
    """Rows of a class by group: groups that can be compared, with rows and correct rows of each."""

    code: int
    groups: Index
    sizes: Index
    hits: Index

    @property
    def shares(self) -> Floats:
        return np.asarray(self.hits / self.sizes, dtype=np.float64)

    def figure(self, hits: NDArray[np.int64]) -> Floats:
        """Largest difference of shares in standard errors, for one or many rows of hits (..., n_groups)."""
        pooled = self.hits.sum() / self.sizes.sum()
        differences = hits[..., :, None] / self.sizes[:, None] - hits[..., None, :] / self.sizes[None, :]
        error = np.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / self.sizes[:, None] + 1 / self.sizes[None, :]))
        return np.asarray((differences / error).max(axis=(-2, -1)), dtype=np.float64)


def measure_class_gap(
    codes: Index, is_right: NDArray[np.bool_], members: Index, names: tuple[tuple[str, ...], tuple[str, ...]], seed: int
) -> ClassGap | None:
    """Test whether some class is found more often in one group than in another.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        True class of each row; rows do not depend on each other (one of each patient).
    is_right : array of bool, shape (n_rows,)
        Whether the row got its class.
    members : Index, shape (n_rows,)
        Group of each row, -1 where unknown.
    names : classes, groups
    seed : int

    Returns
    -------
    ClassGap or None
        The clearest difference. None where no class has two groups with 20 rows.

    Notes
    -----
    The p-value is the share of 2,000 permutations of groups within classes in which the largest difference over all
    classes and pairs, in standard errors, is as large (Westfall and Young 1993): it is corrected for the number of
    classes. Equal ones count half, as in `compute_gap_p_value`. The interval is Newcombe's (1998, method 10), made to
    agree with the test.

    Examples
    --------
    >>> result = measure_class_gap(np.zeros(60, int), np.arange(60) < 30, np.arange(60) // 30, (("x",), ("a", "b")), 0)
    >>> result.gap.value, result.between, result.p_value
    (1.0, ['a', 'b'], 0.0005)
    """
    classes = [item for item in (_count_class(code, codes, is_right, members) for code in range(len(names[0]))) if item]
    if not classes:
        return None
    rng = np.random.default_rng([seed, len(codes)])
    largest = np.full(SETTINGS.permutations, -np.inf)
    for item in classes:
        permuted = rng.multivariate_hypergeometric(item.sizes, int(item.hits.sum()), size=SETTINGS.permutations)
        largest = np.maximum(largest, item.figure(permuted))
    figures = [float(item.figure(item.hits)) for item in classes]
    worst = classes[int(np.argmax(figures))]
    p_value = count_mid_p(largest, max(figures)) if max(figures) > 0 else 1.0
    best, least = int(worst.shares.argmax()), int(worst.shares.argmin())
    if best == least:  # The same share everywhere: any two groups show the gap of none.
        best, least = 0, 1
    gap = _share_difference(worst, best, least)
    result = ClassGap(
        label=names[0][worst.code], between=[names[1][worst.groups[best]], names[1][worst.groups[least]]],
        n_rows=[int(worst.sizes[best]), int(worst.sizes[least])], found=[float(worst.shares[best]),
        float(worst.shares[least])], gap=Figure.from_interval(gap), p_value=p_value, n_classes=len(classes),
    )  # fmt: skip
    return with_p_value(result, p_value)


def _count_class(code: int, codes: Index, is_right: NDArray[np.bool_], members: Index) -> _ClassByGroup | None:
    here = (codes == code) & (members >= 0)
    sizes = np.bincount(members[here], minlength=1)
    hits = np.bincount(members[here & is_right], minlength=len(sizes))
    groups = np.flatnonzero(sizes >= SETTINGS.min_rows)
    if len(groups) < 2:
        return None
    return _ClassByGroup(code, groups, sizes[groups].astype(np.int64), hits[groups].astype(np.int64))


def _share_difference(item: _ClassByGroup, best: int, least: int) -> Interval:
    share = item.shares[[best, least]]
    ends = compute_wilson_interval(item.hits[[best, least]].astype(float), item.sizes[[best, least]].astype(float))
    return envelope(float(share[0] - share[1]), difference_interval(share, *ends), within=(-1.0, 1.0))


def with_p_value(class_gap: ClassGap, p_value: float) -> ClassGap:
    """Return the gap with a corrected p-value, and an interval that agrees with it."""
    gap = Interval(class_gap.gap.value, class_gap.gap.low, class_gap.gap.high)
    figure = Figure.from_interval(agree_with_test(gap, p_value, is_exact=True))
    return class_gap.model_copy(update={"gap": figure, "p_value": p_value})
