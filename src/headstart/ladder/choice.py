"""Which rung is taken, from out-of-fold outputs alone: the lowest loss; a costlier rung only beyond noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from headstart.records import Probabilities
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Task
from headstart.strategies.scoring import OBJECTIVES

CONSTANT = "majority"
UNCOMPARED = ("shrinkage-lda", "linear-probe", "classic")
"""The first of these that was fitted is taken where no row could be held out, as with one row a class."""
Losses = NDArray[np.float64]


def compute_advantage(challenger: Losses, incumbent: Losses) -> tuple[float, float]:
    """Return how much lower the challenger's loss is on the rows that both predicted, and the standard error of that.

    Examples
    --------
    >>> compute_advantage(np.array([0.1, 0.2, np.nan]), np.array([0.3, 0.4, 0.5]))
    (0.2, 0.0)
    """
    gain = incumbent - challenger
    gain = gain[np.isfinite(gain)]
    if len(gain) == 0:
        return -np.inf, 0.0
    return round(float(gain.mean()), 12), round(float(gain.std() / np.sqrt(len(gain))), 12)


def choose_strategy(task: Task, out_of_fold: Mapping[str, Probabilities]) -> str:
    """Return the strategy to use.

    Among the quick rungs it is the one with the lowest loss (`headstart.strategies.scoring`; log-loss for classes): it
    looks at how sure a model was on every row, so that with few rows it picks by chance far less often than accuracy
    does; the cheaper one where two are equal. A costlier rung (`Strategy.preset` other than "quick") takes its place
    only where its loss is lower by more than noise, paired over the rows that both predicted. A pool of strategies
    (`blend`) gives way to one of its members only where that is better by more than noise: it hedges against having
    picked the wrong one. Where no row could be held out, nothing is compared: `UNCOMPARED` says what is taken. And
    `majority`, which says the same of every row, is taken only where it is better than
    everything learnt by more than noise: with five rows a class a useful model often looks no surer than that.

    Parameters
    ----------
    task : Task
    out_of_fold : mapping of str to Probabilities
        Out-of-fold outputs (n_rows, n_outputs) of each strategy; NaN where a row was not held out.

    Examples
    --------
    >>> parts = {"classes": ("a", "b"), "codes": np.array([0, 1]), "folds": np.array([0, 1])}
    >>> task = Task(**parts, balance="off", seed=0, clock=None)
    >>> right, wrong = np.eye(2), 1 - np.eye(2)
    >>> choose_strategy(task, {"majority": wrong, "classic": right})
    'classic'
    """
    losses = {name: OBJECTIVES[task.kind].losses(task, outputs) for name, outputs in out_of_fold.items()}
    n_predicted = {name: int(np.isfinite(values).sum()) for name, values in losses.items()}
    whole = [name for name in losses if n_predicted[name] == max(n_predicted.values())]
    cheap = [name for name in whole if STRATEGIES[name].preset == "quick"] or whole
    learnt = [name for name in cheap if name != CONSTANT] or cheap
    if max(n_predicted.values()) == 0:
        return next((name for name in UNCOMPARED if name in learnt), learnt[0])
    best = min(learnt, key=lambda name: _mean(losses[name]))
    if CONSTANT in cheap and is_better_beyond_noise(losses[CONSTANT], losses[best]):
        best = CONSTANT
    for name, values in losses.items():
        if name not in cheap and is_better_beyond_noise(values, losses[best]):
            best = name
    for pool in whole:
        if best in STRATEGIES[pool].members and _hedges(losses[pool], losses[best]):
            return pool
    return best


def is_better_beyond_noise(challenger: Losses, incumbent: Losses) -> bool:
    """Return whether the challenger's loss is lower by more than noise, paired over the rows that both predicted.

    Parameters
    ----------
    challenger, incumbent : Losses, shape (n_rows,)
    """
    gain, error = compute_advantage(challenger, incumbent)
    return gain > SHARED_SETTINGS.one_sided_quantile * error and gain > 0


def _mean(losses: Losses) -> float:
    return float(np.nanmean(losses)) if np.isfinite(losses).any() else np.inf


def _hedges(pool: Losses, member: Losses) -> bool:
    """Return whether a pool differs from a member and is not worse by more than noise."""
    if np.allclose(pool, member, equal_nan=True):
        return False
    gain, error = compute_advantage(member, pool)
    return gain <= SHARED_SETTINGS.one_sided_quantile * error
