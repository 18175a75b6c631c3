"""What forecasts were wrong by on this machine, for each strategy: the next forecast is multiplied by it.

Kept in the home folder, a few numbers a strategy and kind of data. A damaged file is begun anew: it only saves time.
"""

from __future__ import annotations

import math
from pathlib import Path

from headstart.home import allow_failed_write, clear_place, find_home, read_json, write_json
from headstart.ladder.settings import SETTINGS

FORMAT = 1


def find_costs() -> Path:
    """Return the file of what was learnt."""
    return find_home() / "strategy-costs.json"


def read_factor(name: str, modality: str) -> float:
    """Return by what a forecast of a strategy is multiplied on this machine; 1 where nothing was learnt.

    Parameters
    ----------
    name : str
        Key of `STRATEGIES`.
    modality : str
    """
    return math.exp(_read_logarithms().get(_key(name, modality), 0.0))


def learn_factor(name: str, modality: str, forecast_seconds: float, seconds: float) -> None:
    """Note what a strategy took beside its forecast without a factor; short ones say nothing.

    One run moves the factor by a part of the error only, and no error counts as more than a limit: a machine that slept
    in the middle spoils little.

    Parameters
    ----------
    name : str
        Key of `STRATEGIES`.
    modality : str
    forecast_seconds, seconds : float
    """
    if seconds < SETTINGS.learnt_seconds or forecast_seconds <= 0:
        return
    most = math.log(SETTINGS.max_cost_factor)
    error = max(-most, min(most, math.log(seconds / forecast_seconds)))
    known, key = _read_logarithms(), _key(name, modality)
    before = known.get(key)
    known[key] = error if before is None else before + SETTINGS.cost_learning_share * (error - before)
    path = find_costs()
    with allow_failed_write():
        clear_place(path)
        write_json(path, {"format": FORMAT, "log_factors": {name: round(value, 4) for name, value in known.items()}})


def _key(name: str, modality: str) -> str:
    return f"{name}|{modality}"


def _read_logarithms() -> dict[str, float]:
    """Return what was learnt, by strategy and kind of data; nothing where the file is absent, damaged or newer."""
    try:
        document = read_json(find_costs())
        if document["format"] != FORMAT:
            return {}
        most = math.log(SETTINGS.max_cost_factor)
        values = {str(key): float(value) for key, value in document["log_factors"].items()}
        return {key: value for key, value in values.items() if math.isfinite(value) and abs(value) <= most}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}
