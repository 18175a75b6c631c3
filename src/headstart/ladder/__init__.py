"""Room: climb the strategies, cheapest first, within the time, and choose the best by cross-validation.

Sees training rows only; never a test row. A `RungStore` returns what was fitted earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from headstart import progress
from headstart.errors import OptionError, list_offenders
from headstart.fitted_state import FittedState
from headstart.ladder import learnt_costs
from headstart.ladder.choice import choose_strategy
from headstart.ladder.gain import QuickOutcome, explain_no_gain
from headstart.ladder.sampling import fit_sample, sample_that_fits
from headstart.ladder.settings import SETTINGS
from headstart.ladder.timing import forecast_on_machine, is_forecast_of_work, require_time_to_try
from headstart.records import FloatMatrix, Index, Probabilities
from headstart.strategies import STRATEGIES
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, StrategySkipped, Task
from headstart.strategies.scoring import OBJECTIVES, mean_loss
from headstart.strategies.work_timer import WorkTimer
from headstart.task_types import TASK_TYPES

__all__ = ["FittedStrategies", "RungStore", "Search", "choose_strategy", "fit_strategies"]

T = TypeVar("T")


class RungStore(Protocol):
    """Store of finished rungs, so that a killed run resumes."""

    def load(self, name: str) -> tuple[FittedState, Probabilities, float] | None:
        """State, out-of-fold probabilities and seconds of a rung finished earlier, or None."""

    def save(self, name: str, state: FittedState, out_of_fold: Probabilities, seconds: float) -> None:
        """Keep a finished rung, and remove its parts."""

    def parts_folder(self, name: str) -> Path:
        """A folder for finished parts of a rung."""

    def log(self, event: str, **values: Any) -> None:
        """Note what happened, for those who watch a run."""


@dataclass(frozen=True, kw_only=True)
class FittedStrategies:
    """Everything that was fitted, in the order of the ladder.

    Parameters
    ----------
    fitted : dict of str to Fitted
    seconds : dict of str to float
        Of fitting, without the measurements for the forecast.
    forecasts : dict of str to CostForecast
        What each was expected to cost, before it was fitted.
    scores : dict of str to float
        By cross-validation, 0-1, on rows with a prediction (`headstart.strategies.scoring`): for classes the
        mean of accuracy and macro-F1, for labels of micro- and macro-F1, for numbers R2. NaN where no row was held out.
    losses : dict of str to float
        By cross-validation (for classes log-loss in nats); the rung is chosen on these.
    skipped : dict of str to str
        Strategies that were not fitted, and why.
    chosen : str
    """

    fitted: dict[str, Fitted] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    forecasts: dict[str, CostForecast] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)
    losses: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    chosen: str = ""

    def comparable_loss(self, name: str) -> float:
        """Return the loss of a strategy by cross-validation; infinite where none was measured."""
        loss = self.losses.get(name, float("nan"))
        return loss if np.isfinite(loss) else float("inf")


@dataclass(frozen=True)
class _RungWithOutputs:
    """A rung with other out-of-fold probabilities than its own: an earlier run's, or the mean over several repeats."""

    inner: Fitted
    out_of_fold: Probabilities

    @property
    def notes(self) -> tuple[str, ...]:
        return self.inner.notes

    def predict(self, rows: StrategyRows) -> Probabilities:
        return self.inner.predict(rows)

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        return self.inner.represent(rows)

    def state(self) -> FittedState:
        return self.inner.state()


@dataclass(frozen=True, kw_only=True)
class Search:
    """How far the search goes beyond the quick strategies.

    Parameters
    ----------
    is_selective : bool
        Whether costly strategies are tried only where they are expected to be better (`headstart.ladder.gain`), and
        for a limited time; False where the user named them.
    on_first : (FittedStrategies, costly names) -> None, or None
        Called once the quick strategies are fitted, with the names of the costly ones that are still to be tried.
    """

    is_selective: bool = False
    on_first: Callable[[FittedStrategies, Sequence[str]], None] | None = None


def fit_strategies(
    rows: StrategyRows, task: Task, names: Sequence[str], store: RungStore | None = None, *, search: Search = Search()
) -> FittedStrategies:
    """Fit strategies and choose the best by cross-validation: those without the base, the quick ones, the costly ones.

    Parameters
    ----------
    rows : StrategyRows
        Training rows.
    task : Task
        `clock` bounds the whole; the baselines and the first strategy on the base are fitted in any case.
    names : sequence of str
        Keys of `STRATEGIES`, members before what they are members of (see `headstart.strategies.select_strategies`).
    store : RungStore or None
    search : Search

    Returns
    -------
    FittedStrategies
        `chosen` is the best by `choose`; a baseline may win. Where every strategy was skipped, it is what the first of
        them names as its replacement (`Strategy.instead`).

    Raises
    ------
    OptionError
        Every strategy was skipped, and there is nothing to fit instead.
    """
    strategies = FittedStrategies()
    progress.say(f"Figures below: {OBJECTIVES[task.kind].score_name}, on training rows held out in turn (at best 1).")
    for name in _order_first(names):
        _climb_rung(name, rows, task, strategies=strategies, store=store)
    costly = sorted(filter(_is_costly, names), key=lambda name: not STRATEGIES[name].is_rival)
    if search.is_selective and costly:
        costly, task = _limit_search(costly, task, strategies)
    if strategies.fitted and search.on_first is not None:
        search.on_first(_choose_fitted(_order_as_named(strategies, names), task), costly)
    for number, name in enumerate(costly, start=1):
        last = replace(task, is_only_costly=number == len(costly))
        _climb_rung(name, rows, last, strategies=strategies, store=store)
    if any(name in strategies.fitted for name in costly):
        for name in names:
            if STRATEGIES[name].members:  # Costs nothing, and there are other members now.
                _climb_rung(name, rows, task, strategies=strategies, store=store)
    strategies = _order_as_named(strategies, names)
    instead = next((STRATEGIES[name].instead for name in names), "")
    if not strategies.fitted and instead and instead not in names:
        progress.say(f"{instead} is fitted instead.")
        return replace(fit_strategies(rows, task, [instead], store), skipped=strategies.skipped)
    if not strategies.fitted:
        reasons = [f"{name}: {reason}" for name, reason in strategies.skipped.items()]
        raise OptionError(
            f"None of the strategies could be trained ({list_offenders(reasons)}).",
            "Add a quick strategy, such as --strategy linear-probe, or give more time with --time.",
        )
    strategies = _choose_fitted(strategies, task)
    _report_choice(strategies)
    return strategies


def _is_costly(name: str) -> bool:
    """Return whether a strategy comes after the first answer."""
    return STRATEGIES[name].preset != "quick" and STRATEGIES[name].kind != "baseline"


def _order_first(names: Sequence[str]) -> list[str]:
    """Return what is fitted before the first answer: the rivals without the base, then the quick strategies."""
    first = [name for name in names if not _is_costly(name)]
    return sorted(first, key=lambda name: STRATEGIES[name].kind != "baseline")


def _limit_search(costly: Sequence[str], task: Task, strategies: FittedStrategies) -> tuple[list[str], Task]:
    """Return the costly strategies that are expected to be better, and the task with the time for them."""
    out_of_fold = {name: fitted.out_of_fold for name, fitted in strategies.fitted.items()}
    quick = QuickOutcome(task, out_of_fold, strategies.scores)
    tried = []
    for name in costly:
        reason = explain_no_gain(name, quick)
        if reason:
            strategies.skipped[name] = reason
        else:
            tried.append(name)
    clock = task.clock.start_share(1.0, at_most=SETTINGS.search_seconds)
    return tried, replace(task, clock=clock)


def _climb_rung(
    name: str, rows: StrategyRows, task: Task, strategies: FittedStrategies, store: RungStore | None
) -> None:
    """Fit one strategy, or take it from the store, and score it; note why where it is skipped."""
    try:
        pooled = bool(STRATEGIES[name].members)  # Costs nothing, and there may be other members now.
        resumed = None if pooled else _load_rung(name, task, store)
        rung = resumed or _fit_rung(name, rows, task, strategies=strategies, store=store)
    except StrategySkipped as reason:
        strategies.skipped[name] = str(reason)
        progress.say(f"{name}: skipped ({reason}).")
        return
    strategies.fitted[name], strategies.seconds[name] = rung
    strategies.skipped.pop(name, None)
    goal, outputs = OBJECTIVES[task.kind], strategies.fitted[name].out_of_fold
    score, losses = goal.score(task, outputs), goal.losses(task, outputs)
    strategies.scores[name] = score
    strategies.losses[name] = mean_loss(losses)
    origin = "kept from an earlier run" if resumed else f"{strategies.seconds[name]:.1f} s"
    if store:
        store.log("strategy", name=name, **_count_right(task, outputs))
    measured = f"{score:.3f}" if np.isfinite(score) else "not measured by cross-validation"
    progress.say(f"{name}: {measured} ({origin}).")


def _count_right(task: Task, outputs: Probabilities) -> dict[str, int]:
    """Return how many held-out training rows a strategy guessed right; nothing where rows have no single class."""
    is_known = np.isfinite(outputs).all(axis=1)
    if not TASK_TYPES[task.kind].has_one_class or not is_known.any():
        return {}
    guesses = outputs[is_known].argmax(axis=1)
    return {"n_right": int((guesses == task.codes[is_known]).sum()), "n_rows": int(is_known.sum())}


def _choose_fitted(strategies: FittedStrategies, task: Task) -> FittedStrategies:
    out_of_fold = {name: fitted.out_of_fold for name, fitted in strategies.fitted.items()}
    return replace(strategies, chosen=choose_strategy(task, out_of_fold))


def _report_choice(strategies: FittedStrategies) -> None:
    """Say which strategy is taken, and why where another one has the higher figure."""
    chosen = strategies.chosen
    if not np.isfinite(list(strategies.losses.values())).any():
        progress.say(f"No row could be held out, so nothing was compared by cross-validation: {chosen} is used.")
        return
    finite = {name: score for name, score in strategies.scores.items() if np.isfinite(score)}
    highest = max(finite, key=lambda name: finite[name], default=chosen)
    if len(strategies.fitted) > 1 and round(finite.get(highest, 0.0), 3) <= round(finite.get(chosen, 0.0), 3):
        progress.say(f"{chosen} is taken.")
    elif len(strategies.fitted) > 1:
        why = (
            "several together are safer than one that may have been best by chance"
            if STRATEGIES[chosen].members
            else "it knows better how sure it may be"
        )
        progress.say(f"{chosen} is taken, although {highest} has the higher figure: {why}.")


def _load_rung(name: str, task: Task, store: RungStore | None) -> tuple[Fitted, float] | None:
    stored = store.load(name) if store else None
    if stored is None:
        return None
    state, out_of_fold, seconds = stored
    return _RungWithOutputs(STRATEGIES[name].load(state, task.classes), out_of_fold), seconds


def _order_as_named(strategies: FittedStrategies, names: Sequence[str]) -> FittedStrategies:
    """Return what was fitted in the order of the ladder, whatever came first."""

    def ordered(values: dict[str, T]) -> dict[str, T]:
        return {name: values[name] for name in names if name in values}

    return replace(
        strategies, fitted=ordered(strategies.fitted), seconds=ordered(strategies.seconds),
        forecasts=ordered(strategies.forecasts), scores=ordered(strategies.scores), losses=ordered(strategies.losses),
        skipped=ordered(strategies.skipped),
    )  # fmt: skip


def _fit_rung(
    name: str, rows: StrategyRows, task: Task, strategies: FittedStrategies, store: RungStore | None
) -> tuple[Fitted, float]:
    """Fit a strategy; return it and the seconds of fitting, without those of the forecast."""
    strategy = STRATEGIES[name]
    quick = strategy.preset == "quick"
    if not quick and not strategy.is_rival:
        require_time_to_try(task.clock.remaining_seconds())
    plan = _plan_rung(name, rows, task, strategies)
    strategies.forecasts[name] = plan.forecast
    if _is_costly(name):
        progress.expect_rest(plan.forecast.seconds)
    timer = WorkTimer()
    members = {member: strategies.fitted[member] for member in strategy.members if member in strategies.fitted}
    task = replace(task, folder=store.parts_folder(name)) if store and not quick else task
    if len(plan.sample) < len(rows):
        fitted: Fitted = fit_sample(name, rows, task, members=members, sample=plan.sample)
    else:
        fitted = strategy.fit(rows, task, members)
        if not strategy.members and quick:
            fitted = _RungWithOutputs(fitted, _average_out_of_fold(name, rows, task, fitted.out_of_fold))
    seconds = timer.measure_elapsed()
    if len(plan.sample) == len(rows):
        taken = timer.measure_work() if is_forecast_of_work(name) else seconds
        learnt_costs.learn_factor(name, rows.table.modality, plan.unscaled_seconds, taken)
    if store:
        store.save(name, fitted.state(), fitted.out_of_fold, seconds)
    return fitted, seconds


@dataclass(frozen=True)
class _Plan:
    """Forecast cost of a strategy, the rows (n_sample,) that it learns from, and the seconds without factors."""

    forecast: CostForecast
    sample: Index
    unscaled_seconds: float = 0.0


def _plan_rung(name: str, rows: StrategyRows, task: Task, strategies: FittedStrategies) -> _Plan:
    """Forecast a strategy on this machine under its present load; raise `StrategySkipped` if the time is too short.

    Both sides of the verdict are fitted in any case, if need be on a sample: what learns without the base, and the
    first that learns from it.
    """
    strategy, all_rows = STRATEGIES[name], np.arange(len(rows))
    expected = forecast_on_machine(name, rows, task)
    if strategy.forecast is None:
        return _Plan(expected.forecast, all_rows)
    forecast, left = expected.forecast, task.clock.remaining_seconds()
    first = strategy.preset == "quick" and not any(STRATEGIES[other].kind == "transfer" for other in strategies.fitted)
    if strategy.is_rival or first:
        sample, sampled = _choose_sample(name, rows, task, forecast=forecast, scale=expected.scale)
        _report_plan(name, forecast, len(sample), len(rows))
        return _Plan(sampled, sample, expected.unscaled_seconds)
    needed = forecast.seconds if is_forecast_of_work(name) else expected.unscaled_seconds
    if needed > left and (strategy.preset != "quick" or needed > SETTINGS.moment_seconds):
        raise StrategySkipped(f"it needs about {needed:.0f} s and {left:.0f} s are left; give more with --time")
    if forecast.memory_bytes > task.max_memory_bytes:
        raise StrategySkipped(
            f"it needs about {forecast.memory_bytes / 1e9:.1f} GB of memory; give more with --max-memory"
        )
    _report_plan(name, forecast, len(rows), len(rows))
    return _Plan(forecast, all_rows, expected.unscaled_seconds)


def _choose_sample(
    name: str, rows: StrategyRows, task: Task, forecast: CostForecast, scale: float
) -> tuple[Index, CostForecast]:
    """Return the rows that a strategy learns from which is never skipped, all or as many as fit, and their forecast."""
    seconds = max(SETTINGS.verdict_seconds, SETTINGS.rival_share * task.clock.remaining_seconds())
    if forecast.seconds <= seconds and forecast.memory_bytes <= task.max_memory_bytes:
        return np.arange(len(rows)), forecast
    return sample_that_fits(name, rows, task, whole=forecast, scale=scale, seconds=seconds)


def _report_plan(name: str, forecast: CostForecast, n_sample: int, n_rows: int) -> None:
    if n_sample < n_rows:
        progress.say(
            f"{name}: all {n_rows:,} rows would take {forecast.seconds:.0f} s and {forecast.memory_bytes / 1e9:.1f} "
            f"GB; it learns from {n_sample:,} of them."
        )
    elif forecast.seconds >= 1:
        progress.say(
            f"{name}: about {forecast.seconds:.0f} s and {max(1, forecast.memory_bytes / 1e6):.0f} MB of memory."
        )


def _average_out_of_fold(name: str, rows: StrategyRows, task: Task, first: Probabilities) -> Probabilities:
    """Average the out-of-fold probabilities over the task's repeats, as far as time is left."""
    outputs = [first]
    for folds in task.repeats:
        if task.clock.remaining_seconds() > 0:
            outputs.append(STRATEGIES[name].fit(rows, replace(task, folds=folds, repeats=()), {}).out_of_fold)
    return np.asarray(np.mean(outputs, axis=0))
