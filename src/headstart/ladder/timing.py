"""What a strategy will take on this machine, as busy as it is and as earlier runs showed it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module

from headstart.ladder import learnt_costs
from headstart.ladder.settings import SETTINGS
from headstart.strategies import STRATEGIES
from headstart.strategies.record import CostForecast, StrategyRows, StrategySkipped, Task


@dataclass(frozen=True)
class MachineForecast:
    """Forecast of a strategy on all rows.

    Parameters
    ----------
    forecast : CostForecast
        On this machine, as busy as it is.
    scale : float
        By which its own forecast was multiplied: repeats, what was learnt, load.
    unscaled_seconds : float
        Its own forecast with its repeats, which what it takes is compared with.
    """

    forecast: CostForecast
    scale: float
    unscaled_seconds: float


def forecast_on_machine(name: str, rows: StrategyRows, task: Task) -> MachineForecast:
    """Return what a strategy will take here; nothing where it forecasts no cost.

    Parameters
    ----------
    name : str
        Key of `STRATEGIES`.
    rows : StrategyRows
    task : Task
    """
    strategy = STRATEGIES[name]
    if strategy.forecast is None:
        return MachineForecast(CostForecast(0.0), scale=1.0, unscaled_seconds=0.0)
    n_times = 1 + len(task.repeats) if strategy.preset == "quick" and not strategy.members else 1
    unscaled = strategy.forecast(rows, task).scale(n_times)
    factor = learnt_costs.read_factor(name, rows.table.modality)
    forecast, left = unscaled.scale(factor), task.clock.remaining_seconds()
    if not is_forecast_of_work(name):
        if unscaled.seconds <= left:  # It ends when its time is over; what was learnt is no reason to leave it out.
            forecast = replace(forecast, seconds=min(forecast.seconds, left))
    elif forecast.seconds > min(SETTINGS.moment_seconds, left / SETTINGS.max_slowdown):
        slowdown = measure_slowdown()
        factor, forecast = factor * slowdown, forecast.scale(slowdown)
    return MachineForecast(forecast, n_times * factor, unscaled.seconds)


def is_forecast_of_work(name: str) -> bool:
    """Return whether a strategy forecasts the seconds of an idle machine; the costly ones time themselves as it is.

    Parameters
    ----------
    name : str
    """
    return STRATEGIES[name].preset == "quick" or STRATEGIES[name].kind == "baseline"


def measure_slowdown() -> float:
    """Return how busy the machine is; what measures it comes with the extra `adapt`, which predicting does not need."""
    return float(import_module("headstart.strategies.linear.cost_model").measure_slowdown())


def require_time_to_try(left: float) -> None:
    """Raise `StrategySkipped` where training a little, to say what a strategy costs, would not fit.

    Parameters
    ----------
    left : float
        Seconds.
    """
    if left <= 0:
        raise StrategySkipped("no time was left; give more with --time")
    if left < SETTINGS.trial_seconds * SETTINGS.max_slowdown and left < (
        needed := SETTINGS.trial_seconds * measure_slowdown()
    ):
        raise StrategySkipped(
            f"a first test takes about {needed:.0f} s and {left:.0f} s are left; give more with --time"
        )
