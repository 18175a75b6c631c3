"""Room: what trains. Each strategy is a record in `STRATEGIES`, in the order in which the ladder climbs.

The records are light: scikit-learn, torch and aeon are imported when a strategy is fitted or loaded.
"""

from __future__ import annotations

from headstart.errors import unknown
from headstart.records import MODALITIES
from headstart.strategies.model import lazy_fit, lazy_load
from headstart.strategies.record import Clock, Fitted, Rows, Strategy, Task


def _strategy(
    name: str,
    kind: str,
    summary: str,
    uses: tuple[str, ...],
    members: tuple[str, ...] = (),
    modalities: tuple[str, ...] = MODALITIES,
) -> Strategy:
    module = name.replace("-", "_")
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
        "multi-stage-probe",
        "transfer",
        "The same on several stages of the base model at once: also on what its early layers see.",
        ("features", "stages"),
        modalities=("image", "text"),
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
        "The better probe and classic together, weighted by cross-validation.",
        (),
        ("linear-probe", "multi-stage-probe", "classic"),
    ),
    _strategy(
        "scratch",
        "scratch",
        "A network of the base's kind, learnt from random weights on your rows alone.",
        ("inputs",),
        modalities=("image", "text"),
    ),
)
STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in _ALL}


PRESETS: dict[str, frozenset[str]] = {
    "quick": frozenset({"baseline", "transfer"}),
    "thorough": frozenset({"baseline", "transfer", "scratch"}),
}
"""Names for several strategies at once: the kinds that each takes."""


def _preset(name: str, known: list[str]) -> list[str]:
    """Give the strategies that a preset stands for, or the name itself."""
    if name not in PRESETS:
        return [name]
    return [item for item in known if STRATEGIES[item].kind in PRESETS[name]]


def chosen_names(modality: str, requested: tuple[str, ...]) -> list[str]:
    """Give the strategies to try for a modality, in the order of the ladder, with the members they need.

    Parameters
    ----------
    modality : str
        One of `headstart.records.MODALITIES`.
    requested : tuple of str
        Names, or keys of `PRESETS`; all if empty.

    Raises
    ------
    UnknownName
        If a name stands in no table, or is not for this modality.

    Examples
    --------
    >>> chosen_names("text", ("blend",))
    ['linear-probe', 'multi-stage-probe', 'classic', 'blend']
    """
    known = [name for name, strategy in STRATEGIES.items() if modality in strategy.modalities]
    requested = tuple(name for asked in requested for name in _preset(asked, known))
    for name in requested:
        if name not in known:
            raise unknown("strategy", name, [*known, *PRESETS], f" for {modality} data")
    wanted = {member for name in requested for member in (name, *STRATEGIES[name].members)}
    return [name for name in known if not requested or name in wanted]


__all__ = ["PRESETS", "STRATEGIES", "Clock", "Fitted", "Rows", "Strategy", "Task", "chosen_names"]
