"""What a base brought in: how well a property can be read off features, and where a gap between groups comes from.

Everything is measured on the same rows for every model, so that differences are paired (cf. Salman et al. 2022,
arXiv:2207.02842; Wang and Russakovsky 2023, arXiv:2303.06167). Nothing here knows what features are made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.fairness.gap_tests import compute_gap_p_value, find_clearest_pair, gap_interval
from headstart.evaluation.fairness.groups import has_too_many_values, name_values
from headstart.evaluation.intervals import (
    Floats,
    compute_wilson_interval,
    envelope,
    number_clusters,
)
from headstart.evaluation.metrics.measures import MEASURES
from headstart.evaluation.metrics.per_task import Truth
from headstart.evaluation.settings import SETTINGS
from headstart.records import Column, Index, Interval, Predictions
from headstart.results import Figure, GapOrigin


def measure_flip_share(changed: NDArray[np.bool_]) -> Interval:
    """Return the share of answers that changed, with Wilson's interval.

    Parameters
    ----------
    changed : array of bool, shape (n_rows,)
        Whether the row got another answer.

    Examples
    --------
    >>> round(measure_flip_share(np.zeros(64, dtype=bool)).high, 3)
    0.057
    """
    low, high = compute_wilson_interval(np.array([float(changed.sum())]), np.array([float(len(changed))]))
    return envelope(float(changed.mean()), (float(low[0]), float(high[0])))


@dataclass(frozen=True, kw_only=True)
class ComparedModels:
    """Predictions of three models for the same rows; `chosen` is the adapted one, `is_frozen`: it is the frozen one.

    `without_base` is the name of the model that no base had a part in.
    """

    chosen: Predictions
    frozen: Predictions | None
    plain: Predictions | None
    without_base: str | None
    is_frozen: bool = False


def trace_gap(
    name: str, truth: Truth, models: ComparedModels, values: Column, clusters: Index | None, seed: int
) -> GapOrigin | None:
    """Return which part of the clearest gap between two groups the base brought, and what adaptation changed.

    Parameters
    ----------
    name : str
        Of the column.
    truth : array, shape (n_rows,) or (n_rows, n_outputs)
    models : ComparedModels
    values : Column, shape (n_rows,)
        Group of each row.
    clusters : Index or None, shape (n_rows,)
    seed : int

    Returns
    -------
    GapOrigin or None
        None if no two groups can be compared. The two groups are those that differ most clearly on average over the
        models with the base and that without it, so that neither side is favoured.

    Notes
    -----
    The interval of a gap does not know that the pair was picked: where chance gives one as clear in more than 5 % of
    permutations it is stretched to 0, as in `score_groups`. What the base brought is a difference of two gaps, which
    the choice of the pair does not favour (decision 0033).

    Examples
    --------
    Group a is right with every model, b only without the base:

    >>> codes, site = np.zeros(80, dtype=int), np.array(["a"] * 40 + ["b"] * 40, dtype=object)
    >>> ids = np.arange(80).astype(object)
    >>> based = Predictions(ids=ids, classes=("x", "y"), probabilities=np.eye(2)[[0] * 40 + [1] * 40])
    >>> plain = Predictions(ids=ids, classes=("x", "y"), probabilities=np.eye(2)[[0] * 80])
    >>> models = ComparedModels(chosen=based, frozen=based, plain=plain, without_base="classic", is_frozen=True)
    >>> result = trace_gap("site", codes, models, site, None, 0)
    >>> result.without_base.value, result.frozen.value, result.brought.value, result.adaptation
    (0.0, 1.0, 1.0, None)
    """
    measure = MEASURES[models.chosen.task]
    group_names = _find_testable_groups(values, clusters)
    if len(group_names) < 2:
        return None
    names = np.array(name_values(values), dtype=object)
    rows = np.flatnonzero(np.isin(names.astype(str), group_names))
    members = np.searchsorted(group_names, names[rows].astype(str))
    predictions_by_model = {"chosen": models.chosen, "frozen": models.frozen, "plain": models.plain}
    figures = {
        key: np.asarray(measure.values(truth, predictions)[rows] * measure.better, dtype=np.float32)
        for key, predictions in predictions_by_model.items()
        if predictions is not None
    }
    chosen = _choose_pair(figures, members, models.is_frozen)
    if chosen is None:
        return None
    better, worse = chosen
    row_clusters = number_clusters(clusters[rows]) if clusters is not None else None
    pair = (members == better, members == worse)

    def gap(each: NDArray[np.float32]) -> Interval:
        interval = gap_interval(each, *pair, clusters=row_clusters, seed=seed, within=measure.within)
        p_value = compute_gap_p_value(each, members, chosen, row_clusters, seed=seed)
        return interval if p_value <= SETTINGS.level else envelope(
            interval.value, (interval.low, interval.high), (0.0, 0.0), within=measure.within
        )  # fmt: skip

    def change(first: str, second: str) -> Interval | None:
        if first not in figures or second not in figures:
            return None
        wide = (2 * measure.within[0], 2 * measure.within[1])
        difference = figures[first] - figures[second]
        return gap_interval(difference, *pair, clusters=row_clusters, seed=seed, within=wide)

    gaps = {key: gap(each) for key, each in figures.items()}
    brought, adaptation = change("frozen", "plain"), None if models.is_frozen else change("chosen", "frozen")
    return GapOrigin(
        column=name, between=[group_names[better], group_names[worse]], measure=measure.name,  # type: ignore[arg-type]
        n_rows=int(np.isin(members, (better, worse)).sum()),
        without_base=_figure(gaps.get("plain")), without_base_strategy=models.without_base if models.plain else None,
        frozen=_figure(gaps.get("frozen")), chosen=Figure.from_interval(gaps["chosen"]),
        brought=_figure(brought), adaptation=_figure(adaptation),
    )  # fmt: skip


def _choose_pair(figures: Mapping[str, NDArray[np.float32]], members: Index, is_frozen: bool) -> tuple[int, int] | None:
    """Return the two groups that differ most clearly on average, the better first; None where none differ.

    The average is over a model without the base and those with it: both sides weigh one half, so that the choice
    favours neither what the base brought nor what adaptation changed.
    """
    sizes = np.bincount(members)
    means = {key: np.bincount(members, each) / sizes for key, each in figures.items()}
    based = [means[key] for key in ("chosen", "frozen") if key in means and not (is_frozen and key == "frozen")]
    sides = [np.mean(based, axis=0), *([means["plain"]] if "plain" in means else [])]
    middle = np.mean(sides, axis=0)
    return find_clearest_pair(middle, sizes) if np.ptp(middle) > 0 else None


def _find_testable_groups(values: Column, clusters: Index | None) -> list[str]:
    """Name the groups with enough rows, in order."""
    if has_too_many_values(values):
        return []
    names = np.array(name_values(values), dtype=object)
    row_clusters = np.arange(len(names)) if clusters is None else clusters
    return [
        name
        for name in sorted({str(each) for each in names if each})
        if (names == name).sum() >= SETTINGS.min_rows
        and len(np.unique(row_clusters[names == name])) >= SETTINGS.min_clusters
    ]


def _figure(interval: Interval | None) -> Figure | None:
    return None if interval is None else Figure.from_interval(interval)


def predict_balanced(outputs: Floats, codes: Index) -> Index:
    """Return the value that each row's outputs favour most against how frequent it is (n_rows,).

    Parameters
    ----------
    outputs : Floats, shape (n_rows, n_values)
        Higher: more likely.
    codes : Index, shape (n_training_rows,)
        True values of the training rows, for how frequent each is.
    """
    share = np.bincount(codes, minlength=outputs.shape[1]) / len(codes)
    return np.asarray((outputs / np.maximum(share, 1e-12)).argmax(axis=1), dtype=np.intp)
