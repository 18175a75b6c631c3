"""Room: climb the strategies, cheapest first, within the time, and choose the best by cross-validation.

Sees training rows only; never a test row. What was finished before is taken from `Keep` instead of being fitted again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from headstart import progress
from headstart.records import Index, Probabilities, State
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Fitted, Rows, Skipped, Task
from headstart.strategies.selection import log_loss, predicted_rows, row_losses, selection_score

ALWAYS = ("majority", "linear-probe", "multi-stage-probe", "classic", "blend")
"""Cheap enough to be fitted even when the time is over."""


class Keep(Protocol):
    """Where finished rungs are kept, so that a killed run resumes."""

    def load(self, name: str) -> tuple[State, Probabilities, float] | None:
        """State, out-of-fold probabilities and seconds of a rung finished earlier, or None."""

    def save(self, name: str, state: State, out_of_fold: Probabilities, seconds: float) -> None:
        """Keep a finished rung."""


@dataclass(frozen=True)
class Climb:
    """Everything that was fitted, in the order of the ladder.

    Parameters
    ----------
    fitted : dict of str to Fitted
    seconds : dict of str to float
    scores : dict of str to float
        Mean of accuracy and macro-F1 by cross-validation, 0-1; on the rows that a strategy predicted.
    losses : dict of str to float
        Log-loss by cross-validation, in nats; the lowest is chosen.
    skipped : dict of str to str
        Strategies that were not fitted, and why.
    chosen : str
    """

    fitted: dict[str, Fitted] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    chosen: str = ""


@dataclass(frozen=True)
class _Judged:
    """A rung with other out-of-fold probabilities than its own: an earlier run's, or the mean over several dealings."""

    inner: Fitted
    out_of_fold: Probabilities

    @property
    def notes(self) -> tuple[str, ...]:
        return self.inner.notes

    def predict(self, rows: Rows) -> Probabilities:
        return self.inner.predict(rows)

    def state(self) -> State:
        return self.inner.state()


def climb(rows: Rows, task: Task, names: Sequence[str], keep: Keep | None = None) -> Climb:
    """Fit strategies in order of cost and choose the best by cross-validation.

    Parameters
    ----------
    rows : Rows
        Training rows.
    task : Task
        `clock` bounds the whole; majority, classic, linear-probe and blend are fitted in any case.
    names : sequence of str
        Keys of `STRATEGIES`, members before what they are members of (see `headstart.strategies.chosen_names`).
    keep : Keep or None

    Returns
    -------
    Climb
        `chosen` is the best by `choose`; a baseline may win.
    """
    made = Climb()
    for name in names:
        began = time.monotonic()
        try:
            found = _resumed(name, task, keep) or _fitted(name, rows, task, made, keep)
        except Skipped as reason:
            made.skipped[name] = str(reason)
            progress.say(f"{name}: skipped ({reason}).")
            continue
        made.fitted[name], earlier = found
        made.seconds[name] = time.monotonic() - began if earlier is None else earlier
        score = selection_score(task.codes, made.fitted[name].out_of_fold)
        made.scores[name] = score if np.isfinite(score) else 0.0
        made.losses[name] = log_loss(task.codes, made.fitted[name].out_of_fold)
        told = "kept from an earlier run" if earlier is not None else f"{made.seconds[name]:.1f} s"
        progress.say(f"{name}: {made.scores[name]:.3f} by cross-validation ({told}).")
    out_of_fold = {name: fitted.out_of_fold for name, fitted in made.fitted.items()}
    return replace(made, chosen=choose(task, out_of_fold))


def _resumed(name: str, task: Task, keep: Keep | None) -> tuple[Fitted, float | None] | None:
    kept = keep.load(name) if keep else None
    if kept is None:
        return None
    state, out_of_fold, seconds = kept
    return _Judged(STRATEGIES[name].load(state, task.classes), out_of_fold), seconds


def _fitted(name: str, rows: Rows, task: Task, made: Climb, keep: Keep | None) -> tuple[Fitted, float | None]:
    strategy = STRATEGIES[name]
    if name not in ALWAYS and task.clock.left() <= 0:
        raise Skipped("no time was left; give more with --time")
    began = time.monotonic()
    members = {member: made.fitted[member] for member in strategy.members if member in made.fitted}
    fitted = strategy.fit(rows, task, members)
    if not strategy.members and name in ALWAYS:
        fitted = _Judged(fitted, _mean_out_of_fold(name, rows, task, fitted.out_of_fold))
    if keep:
        keep.save(name, fitted.state(), fitted.out_of_fold, time.monotonic() - began)
    return fitted, None


def _mean_out_of_fold(name: str, rows: Rows, task: Task, first: Probabilities) -> Probabilities:
    """Average the out-of-fold probabilities over the task's dealings, as far as time is left."""
    found = [first]
    for folds in task.repeats:
        if task.clock.left() > 0:
            found.append(STRATEGIES[name].fit(rows, replace(task, folds=folds, repeats=()), {}).out_of_fold)
    return np.asarray(np.mean(found, axis=0))


def _hedges(codes: Index, pool: Probabilities, member: Probabilities) -> bool:
    """Whether a pool differs from a member and is not worse by more than 1.645 standard errors (paired rows)."""
    if np.allclose(pool, member, equal_nan=True):
        return False
    rows = np.flatnonzero(predicted_rows(pool) & predicted_rows(member))
    worse = row_losses(codes[rows], pool[rows]) - row_losses(codes[rows], member[rows])
    return bool(worse.mean() <= 1.645 * worse.std() / np.sqrt(len(rows)))


def choose(task: Task, out_of_fold: Mapping[str, Probabilities]) -> str:
    """Give the strategy with the lowest log-loss; the cheaper one where two are equal.

    Log-loss looks at how sure a model was on every row, so that with few rows it picks by chance far less often than
    accuracy does. A pool of strategies (`blend`) gives way to one of its members only where that is better by more than
    noise: it hedges against having picked the wrong one. A strategy that predicted only some rows (`scratch` has one
    held-out fold) takes the lead only where
    it is better than the best of the others on those same rows.

    Examples
    --------
    >>> task = Task(("a", "b"), np.array([0, 1]), np.array([0, 1]), "off", 0, clock=None)
    >>> right, wrong = np.eye(2), 1 - np.eye(2)
    >>> choose(task, {"majority": wrong, "classic": right})
    'classic'
    """

    def loss(name: str, rows: np.ndarray) -> float:
        found = log_loss(task.codes[rows], out_of_fold[name][rows])
        return found if np.isfinite(found) else np.inf

    covered = {name: predicted_rows(values) for name, values in out_of_fold.items()}
    widest = max(int(rows.sum()) for rows in covered.values())
    whole = [name for name, rows in covered.items() if rows.sum() == widest]
    best = min(whole, key=lambda name: loss(name, covered[name]))
    pools = [name for name in whole if best in STRATEGIES[name].members]
    if pools and _hedges(task.codes, out_of_fold[pools[0]], out_of_fold[best]):
        best = pools[0]
    for name, rows in covered.items():
        if name not in whole and loss(name, rows) < loss(best, rows):
            best = name
    return best
