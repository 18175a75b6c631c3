"""What forecasts were wrong by on this machine, for each strategy: the next forecast is multiplied by it.

Kept in the home folder, one number a strategy and kind of data; nothing of any data. A damaged file is begun anew.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from headstart import progress
from headstart.file_locks import lock_file
from headstart.home import allow_failed_write, clear_place, find_home, lock_path, read_json, write_json
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

    The first run counts in full, a later one moves the factor by a part of the error (an exponential average of
    logarithms), and no error counts as more than `max_cost_step`: a machine that slept in the middle spoils little.

    Parameters
    ----------
    name : str
        Key of `STRATEGIES`.
    modality : str
    forecast_seconds, seconds : float
    """
    if seconds < SETTINGS.learnt_seconds or forecast_seconds <= 0:
        return
    path, key = find_costs(), _key(name, modality)
    with allow_failed_write(), lock_file(lock_path(path), SETTINGS.lock_seconds) as is_alone:
        if is_alone:
            known = _read_logarithms()
            known[key] = _average(known.get(key), math.log(seconds / forecast_seconds))
            clear_place(path)
            document = {"format": FORMAT, "log_factors": {name: round(value, 4) for name, value in known.items()}}
            write_json(path, document)


def _average(before: float | None, error: float) -> float:
    """Return the logarithm of a factor after one more run.

    Parameters
    ----------
    before : float or None
    error : float
        Logarithm of actual over forecast seconds.

    Examples
    --------
    >>> round(math.exp(_average(None, math.log(100))), 2)
    3.0
    """
    step, most = math.log(SETTINGS.max_cost_step), math.log(SETTINGS.max_cost_factor)
    share = 1.0 if before is None else SETTINGS.cost_learning_share
    start = before or 0.0
    return max(-most, min(most, start + share * max(-step, min(step, error - start))))


def _key(name: str, modality: str) -> str:
    return f"{name}|{modality}"


def _read_logarithms() -> dict[str, float]:
    """Return what was learnt, by strategy and kind of data; nothing where the file is absent, newer or damaged."""
    try:
        document = read_json(find_costs())
        if document["format"] != FORMAT:
            return {}
        most = math.log(SETTINGS.max_cost_factor)
        values = {str(key): float(value) for key, value in document["log_factors"].items()}
        return {key: value for key, value in values.items() if math.isfinite(value) and abs(value) <= most}
    except OSError:
        return {}
    except (ValueError, TypeError, KeyError, AttributeError):
        _warn_damaged(find_costs())
        return {}


@cache
def _warn_damaged(path: Path) -> None:
    progress.warn(f"{path} is damaged: forecasts of this machine are learnt anew. Nothing else depends on it.")
