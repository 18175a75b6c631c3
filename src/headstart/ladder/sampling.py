"""A strategy on a part of the rows, where all of them do not fit the time or the memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headstart.fitted_state import FittedState
from headstart.ladder.settings import SETTINGS
from headstart.records import FloatMatrix, Index, Probabilities
from headstart.strategies import STRATEGIES
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task


@dataclass(frozen=True)
class SampledFit:
    """A model fitted on a sample of the training rows; the other rows have no out-of-fold outputs.

    Parameters
    ----------
    inner : Fitted
    rows : Index, shape (n_sample,)
        The rows of the sample.
    n_rows : int
        All training rows.
    """

    inner: Fitted
    rows: Index
    n_rows: int

    @property
    def out_of_fold(self) -> Probabilities:
        """Return the outputs (n_rows, n_outputs), NaN outside the sample."""
        outputs = self.inner.out_of_fold
        whole = np.full((self.n_rows, outputs.shape[1]), np.nan)
        whole[self.rows] = outputs
        return whole

    @property
    def notes(self) -> tuple[str, ...]:
        """Return from how many rows it learnt, and the notes of the strategy."""
        sampled = f"learnt from {len(self.rows):,} of {self.n_rows:,} rows: all of them did not fit the time or memory"
        return (sampled, *self.inner.notes)

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return the outputs for any rows."""
        return self.inner.predict(rows)

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return rows in the model's own space."""
        return self.inner.represent(rows)

    def state(self) -> FittedState:
        """Return what the strategy needs to predict, with the notes."""
        inner = self.inner.state()
        return FittedState({**inner.meta, "notes": list(self.notes)}, inner.arrays)


def draw_sample(task: Task, n_rows: int) -> Index:
    """Return the numbers of about `n_rows` rows, ascending: every class keeps its share, and one row at least.

    Examples
    --------
    >>> parts = {"classes": ("a", "b"), "codes": np.array([0] * 90 + [1] * 10), "folds": np.arange(100) % 5}
    >>> task = Task(**parts, balance="off", seed=0, clock=None)
    >>> np.bincount(task.codes[draw_sample(task, 20)]).tolist()
    [18, 2]
    """
    order = np.random.default_rng(task.seed).permutation(len(task.codes))
    share = n_rows / len(order)
    parts = []
    for code in np.unique(task.codes):
        members = order[task.codes[order] == code]
        parts.append(members[: max(1, round(share * len(members)))])
    return np.sort(np.concatenate(parts))


def sample_that_fits(
    name: str, rows: StrategyRows, task: Task, whole: CostForecast, scale: float, seconds: float
) -> tuple[Index, CostForecast]:
    """Return the largest sample that is forecast to fit, and its forecast; `min_sample_rows` rows at least.

    Parameters
    ----------
    name : str
        Key of `STRATEGIES`.
    rows : StrategyRows
    task : Task
    whole : CostForecast
        Of all rows, on this machine as busy as it is.
    scale : float
        By which a forecast of the strategy is multiplied.
    seconds : float
        What fitting may take.
    """
    forecast, size, sample = STRATEGIES[name].forecast, whole, np.arange(len(rows))
    for _ in range(SETTINGS.sample_attempts):
        if len(sample) <= SETTINGS.min_sample_rows or _fits(size, task, seconds):
            break
        share = SETTINGS.sample_time_share * min(
            seconds / max(size.seconds, 1e-9), task.max_memory_bytes / max(size.memory_bytes, 1.0)
        )
        sample = draw_sample(task, max(SETTINGS.min_sample_rows, int(len(sample) * min(share, 0.9))))
        if forecast is None:
            break
        size = forecast(rows.take(sample), task.take(sample)).scale(scale)
    return sample, size


def _fits(size: CostForecast, task: Task, seconds: float) -> bool:
    return size.seconds <= seconds and size.memory_bytes <= task.max_memory_bytes


def fit_sample(name: str, rows: StrategyRows, task: Task, members: Mapping[str, Fitted], sample: Index) -> SampledFit:
    """Fit a strategy on some of the rows.

    Parameters
    ----------
    name : str
        Key of `STRATEGIES`.
    rows : StrategyRows
    task : Task
    members : mapping of str to Fitted
        Strategies that it is a pool of.
    sample : Index
        Row numbers.
    """
    return SampledFit(STRATEGIES[name].fit(rows.take(sample), task.take(sample), members), sample, len(rows))
