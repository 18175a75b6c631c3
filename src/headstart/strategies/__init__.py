"""Room: what trains. Each strategy is a record in `STRATEGIES`, in the order in which the ladder climbs.

The records are light: scikit-learn, torch and aeon are imported when a strategy is fitted or loaded.
"""

from __future__ import annotations

from headstart.errors import unknown
from headstart.records import MODALITIES
from headstart.strategies.model import lazy_fit, lazy_load
from headstart.strategies.record import Clock, Fitted, Rows, Strategy, Task


def _strategy(name: str, kind: str, summary: str, uses: tuple[str, ...], members: tuple[str, ...] = ()) -> Strategy:
    module = name.replace("-", "_")
    modalities = ("image", "text") if kind == "scratch" else MODALITIES
    return Strategy(name, kind, summary, modalities, frozenset(uses), members, lazy_fit(module), lazy_load(module))


_ALL = (
    _strategy("majority", "baseline", "Always the most frequent class: what anything useful must beat.", ()),
    _strategy(
        "linear-probe",
        "transfer",
        "A simple classifier on what the pre-trained base model sees in each row.",
        ("features",),
    ),
    _strategy(
        "classic",
        "baseline",
        "A proven method learnt from your rows alone, without any pre-trained model.",
        ("inputs", "descriptors"),
    ),
    _strategy(
        "blend",
        "transfer",
        "linear-probe and classic together, weighted by cross-validation.",
        (),
        ("linear-probe", "classic"),
    ),
    _strategy(
        "scratch",
        "scratch",
        "A network of the base's kind, learnt from random weights on your rows alone.",
        ("inputs",),
    ),
)
STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in _ALL}


def chosen_names(modality: str, requested: tuple[str, ...]) -> list[str]:
    """Give the strategies to try for a modality, in the order of the ladder, with the members they need.

    Parameters
    ----------
    modality : str
        One of `headstart.records.MODALITIES`.
    requested : tuple of str
        All if empty.

    Raises
    ------
    UnknownName
        If a name stands in no table, or is not for this modality.

    Examples
    --------
    >>> chosen_names("text", ("blend",))
    ['linear-probe', 'classic', 'blend']
    """
    known = [name for name, strategy in STRATEGIES.items() if modality in strategy.modalities]
    for name in requested:
        if name not in known:
            raise unknown("strategy", name, known, f" for {modality} data")
    wanted = {member for name in requested for member in (name, *STRATEGIES[name].members)}
    return [name for name in known if not requested or name in wanted]


__all__ = ["STRATEGIES", "Clock", "Fitted", "Rows", "Strategy", "Task", "chosen_names"]
