"""Before and after a mitigation: accuracy of the worst group and of all rows, paired on the same rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.intervals import (
    Floats,
    compute_wilson_interval,
    draw_bootstrap_weights,
    effective_sizes,
    envelope,
    number_clusters,
    percentiles,
    sum_by_cluster,
)
from headstart.evaluation.settings import SETTINGS
from headstart.records import Index, Interval
from headstart.results import Figure, MitigatedCell, MitigatedFigures


def compare_mitigation(
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    cells: Index,
    names: Sequence[tuple[str, str]],
    clusters: Index | None,
    seed: int,
    min_rows: int = SETTINGS.min_cell_rows,
) -> MitigatedFigures | None:
    """Compare two models by their worst cell and by all rows.

    Parameters
    ----------
    right : two arrays of bool, shape (n_rows,) each
        Which rows the model before and the one after got right.
    cells : Index, shape (n_rows,)
        Cell of each row: a class in a group; -1: the group is not known.
    names : sequence of (class, group)
        Of the cells.
    clusters : Index or None, shape (n_rows,)
    seed : int
    min_rows : int
        Smaller cells are left out.

    Returns
    -------
    MitigatedFigures or None
        Gains are after minus before. None where fewer than two cells have `min_rows` rows.

    Notes
    -----
    The worst cell is each model's own, and drawn anew in every bootstrap sample; its interval is joined with Wilson's.

    Examples
    --------
    >>> before = np.array([True] * 20 + [False] * 20)
    >>> result = compare_mitigation((before, ~before | before), np.arange(40) // 20, [("x", "a"), ("x", "b")], None, 0)
    >>> result.worst_before.value, result.worst_after.value, result.mean_gain.value
    (0.0, 1.0, 0.5)
    """
    counts = np.bincount(cells[cells >= 0], minlength=len(names))
    testable = np.flatnonzero(counts >= min_rows)
    if len(testable) < 2:
        return None
    numbers = number_clusters(clusters)
    within = (cells[:, None] == testable).astype(np.float32)
    every = np.ones((len(cells), 1), dtype=np.float32)
    sizes = np.hstack([within, every])
    rights = [sizes * each[:, None].astype(np.float32) for each in right]
    cluster_sums = [sum_by_cluster(np.ascontiguousarray(part), numbers) for part in (*rights, sizes)]
    draws = _bootstrap_shares(cluster_sums, seed)
    point = [
        part.sum(axis=0, dtype=np.float64) / cluster_sums[2].sum(axis=0, dtype=np.float64) for part in cluster_sums[:2]
    ]
    ends = []
    for part, share in zip(cluster_sums[:2], point, strict=True):
        n = effective_sizes(part, cluster_sums[2], numbers is not None)
        ends.append(compute_wilson_interval(share * n, n))
    worst = [int(share[:-1].argmin()) for share in point]
    figures = {
        "worst": [_one(point[at][worst[at]], draws[at][:, :-1].min(axis=1), ends[at], worst[at]) for at in (0, 1)],
        "mean": [_one(point[at][-1], draws[at][:, -1], ends[at], -1) for at in (0, 1)],
    }
    gains = {
        "worst": _gain(figures["worst"], draws[1][:, :-1].min(axis=1) - draws[0][:, :-1].min(axis=1)),
        "mean": _gain(figures["mean"], draws[1][:, -1] - draws[0][:, -1]),
    }
    return MitigatedFigures(
        n_rows=len(cells),
        **{
            f"{what}_{when}": Figure.from_interval(figures[what][at])
            for what in figures
            for at, when in enumerate(("before", "after"))
        },
        **{f"{what}_gain": Figure.from_interval(gain) for what, gain in gains.items()},
        cells=_cells(names, counts, testable, point=point, ends=ends),
    )


def _bootstrap_shares(cluster_sums: list[NDArray[np.float32]], seed: int) -> list[Floats]:
    """Shares of each cell and of all rows in every bootstrap sample, for both models; 1 where a cell was not drawn."""
    shares_by_model: list[list[Floats]] = [[], []]
    for weights in draw_bootstrap_weights(len(cluster_sums[0]), seed):
        drawn = weights @ cluster_sums[2]
        for shares, part in zip(shares_by_model, cluster_sums[:2], strict=True):
            shares.append(np.where(drawn > 0, (weights @ part) / np.maximum(drawn, 1e-9), 1.0).astype(np.float64))
    return [np.concatenate(parts) for parts in shares_by_model]


def _one(value: float, drawn: Floats, ends: tuple[Floats, Floats], at: int) -> Interval:
    low, high = percentiles(drawn[:, None])
    return envelope(float(value), (float(low[0]), float(high[0])), (float(ends[0][at]), float(ends[1][at])))


def _gain(pair: list[Interval], drawn: Floats) -> Interval:
    low, high = percentiles(drawn[:, None])
    return envelope(pair[1].value - pair[0].value, (float(low[0]), float(high[0])), within=(-1.0, 1.0))


def _cells(
    names: Sequence[tuple[str, str]], counts: Index, testable: Index, point: list[Floats],
    ends: list[tuple[Floats, Floats]],
) -> list[MitigatedCell]:  # fmt: skip
    place = {int(cell): at for at, cell in enumerate(testable)}

    def figure(model: int, cell: int) -> Figure | None:
        at = place.get(cell)
        if at is None:
            return None
        return Figure.from_interval(
            envelope(float(point[model][at]), (float(ends[model][0][at]), float(ends[model][1][at])))
        )

    return [
        MitigatedCell(label=label, group=group, n_rows=int(counts[cell]), before=figure(0, cell), after=figure(1, cell))
        for cell, (label, group) in enumerate(names)
        if counts[cell]
    ]
