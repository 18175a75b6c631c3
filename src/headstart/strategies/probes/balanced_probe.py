"""`balanced-probe`: the last layer fitted again on the cached features, so that no group is drowned by the others.

With groups (`--mitigate group-balance`) every pair of class and group counts alike: deep feature reweighting
(Kirichenko et al. 2022, arXiv:2204.02937), by weights instead of subsets. Without, rows count by how badly a
first probe does on them, each predicted by a fit that did not see it (after Qiu et al. 2023, arXiv:2306.11074), and
classes count alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.fitted_state import FittedState
from headstart.records import Index, Probabilities
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear.head import Head, fit_head, forecast_head
from headstart.strategies.probes.config import PROBE_CONFIG
from headstart.strategies.probes.linear_probe import FeatureHeadModel
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task

Weights = NDArray[np.float64]


def compute_group_weights(codes: Index, groups: Index) -> Weights:
    """Return weights by which every pair of class and group that occurs counts alike.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
        Class of each row.
    groups : Index, shape (n_rows,)
        Group of each row; -1 (unknown) is a group of its own.

    Returns
    -------
    Weights, shape (n_rows,)
        Mean 1.

    Examples
    --------
    Three rows of one group, one of the other, all of one class:

    >>> compute_group_weights(np.zeros(4, dtype=int), np.array([0, 0, 0, 1])).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    pairs = np.unique(np.column_stack([codes, groups]), axis=0, return_inverse=True)[1].ravel()
    counts = np.bincount(pairs)
    return _cap_weights(len(codes) / (len(counts) * counts[pairs]))


def compute_hard_row_weights(codes: Index, outputs: Probabilities, balance_classes: bool = True) -> Weights:
    """Return weights that fall with the probability of the true class.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
    outputs : Probabilities, shape (n_rows, n_classes)
        Of a first probe that did not see the rows; NaN counts as 0.
    balance_classes : bool
        Whether classes count alike.

    Returns
    -------
    Weights, shape (n_rows,)
        Mean 1.

    Examples
    --------
    >>> compute_hard_row_weights(np.zeros(2, dtype=int), np.array([[1.0, 0.0], [0.5, 0.5]])).round(3).tolist()
    [0.238, 1.762]
    """
    true_probabilities = np.nan_to_num(outputs[np.arange(len(codes)), codes], nan=0.0)
    weights = np.exp(-PROBE_CONFIG.hard_row_sharpness * true_probabilities)
    totals = np.bincount(codes, weights)
    return _cap_weights(
        weights / totals[codes] * len(codes) / np.count_nonzero(totals) if balance_classes else weights / weights.mean()
    )


def _cap_weights(weights: Weights) -> Weights:
    weights = np.minimum(weights, PROBE_CONFIG.largest_weight)
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit a head whose rows are weighted; its strength has the lowest weighted loss out of fold."""
    assert rows.features is not None, "rows come without features"
    values = rows.features.final
    if task.groups is not None:
        weights, notes = compute_group_weights(task.codes, task.groups), ["every pair of class and group counts alike"]
    else:
        probe = members.get("linear-probe")
        first = probe.out_of_fold if probe else fit_head(values, task)[1].choice.out_of_fold
        weights, notes = (
            compute_hard_row_weights(task.codes, first, task.balance != "off"),
            ["rows that a first probe found hard count more"],
        )
    notes += [] if task.balance == "off" else ["rare classes weighted up"]
    head, fitted = fit_head(values, replace(task, weights=weights, balance="off"))
    return FittedModel(FeatureHeadModel(head), fitted.choice.out_of_fold, (*fitted.notes, *notes))


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Forecast what `fit` will cost: up to two probes."""
    assert rows.features is not None, "rows come without features"
    values = rows.features.final
    one = forecast_head(lambda some: values[some], len(values), values.shape[1], task)
    return CostForecast(2 * one.seconds, one.memory_bytes)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the head."""
    return restore_model(FeatureHeadModel(Head.load(state)), state, classes)
