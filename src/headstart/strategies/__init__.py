"""Room: what trains. Each strategy is a record in `STRATEGIES`, in the order in which the ladder climbs.

The records are light: scikit-learn and torch are imported when a strategy is fitted or loaded.
"""

from __future__ import annotations

from typing import Any

from headstart.errors import make_unknown_name
from headstart.modalities import MODALITIES
from headstart.strategies.fitted import lazy_fit, lazy_forecast, lazy_load, lazy_own_space
from headstart.strategies.record import Clock, CostForecast, Fitted, Strategy, StrategyRows, Task
from headstart.task_types import TASK_TYPES

_ONE_CLASS_TASKS = tuple(name for name, task in TASK_TYPES.items() if task.has_one_class)


_ROOMS = {
    "baselines": ("majority", "classic", "quant", "scratch"),
    "probes": ("linear-probe", "shrinkage-lda", "multi-stage-probe", "balanced-probe", "self-training"),
    "fine_tuning": ("last-stages", "contrastive", "norm-bias", "lora", "full"),
}
_ROOM_OF = {name: f"{room}." for room, names in _ROOMS.items() for name in names}


def _module_of(name: str) -> str:
    """Return the module of a strategy, below this room."""
    return _ROOM_OF.get(name, "") + name.replace("-", "_")


def _strategy(
    name: str,
    kind: str,
    summary: str,
    uses: tuple[str, ...],
    **more: Any,
) -> Strategy:
    module = _module_of(name)
    members, modalities = more.pop("members", ()), more.pop("modalities", MODALITIES)
    return Strategy(
        name=name,
        kind=kind,
        summary=summary,
        modalities=modalities,
        uses=frozenset(uses),
        members=members,
        fit=lazy_fit(module),
        load=lazy_load(module),
        **more,
    )


def _tuned(name: str, summary: str, preset: str, **more: Any) -> Strategy:
    """Describe a strategy that moves the base's weights; its model is a network of its own."""
    forecast = lazy_forecast(_module_of(name))
    more = {"tasks": TASK_TYPES, **more}
    return _strategy(
        name, "transfer", summary, ("features", "inputs"), preset=preset, forecast=forecast,
        reads=frozenset({"inputs"}), instead="linear-probe", **more,
    )  # fmt: skip


_RUNGS = (
    _strategy(
        "majority",
        "baseline",
        "Always the same answer, the most frequent class or the average: what anything useful must beat.",
        (),
        tasks=TASK_TYPES,
    ),
    _strategy(
        "linear-probe",
        "transfer",
        "A simple model on what the pre-trained base model sees in each row.",
        ("features",),
        tasks=TASK_TYPES,
        forecast=lazy_forecast(_module_of("linear-probe")),
    ),
    _strategy(
        "shrinkage-lda",
        "transfer",
        "Each class as a cloud around its mean in what the base model sees; strong with very few labels.",
        ("features", "names"),
        reads=frozenset({"features"}),
        forecast=lazy_forecast(_module_of("shrinkage-lda")),
    ),
    _strategy(
        "multi-stage-probe",
        "transfer",
        "The same on several stages of the base model at once: also on what its early layers see.",
        ("features", "stages"),
        modalities=("image", "text"),
        tasks=TASK_TYPES,
        forecast=lazy_forecast(_module_of("multi-stage-probe")),
    ),
    _strategy(
        "classic",
        "baseline",
        "A proven method learnt from your rows alone, without any pre-trained model.",
        ("inputs", "descriptors", "words"),
        tasks=TASK_TYPES,
        forecast=lazy_forecast(_module_of("classic")),
        reads=frozenset({"inputs", "descriptors"}),
        own_space=lazy_own_space("baselines.ngram_space"),
    ),
    _strategy(
        "quant",
        "baseline",
        "Decision trees on how values are spread over parts of each series; nothing pre-trained.",
        ("inputs",),
        modalities=("series",),
        tasks=TASK_TYPES,
        preset="default",
        forecast=lazy_forecast(_module_of("quant")),
    ),
    _tuned("last-stages", "The later layers of the base model trained on your rows; the early ones stay.", "default"),
    _tuned(
        "contrastive",
        "The later layers trained to bring texts of one class together, for few labels.",
        "default",
        modalities=("text",),
        tasks=_ONE_CLASS_TASKS,
    ),
    _tuned("norm-bias", "Only the base model's scales and offsets trained on your rows.", "thorough"),
    _tuned("lora", "Small additions to the base model's attention layers trained on your rows.", "thorough"),
    _tuned("full", "The whole base model trained on your rows, its early layers more slowly.", "thorough"),
    _strategy(
        "self-training",
        "transfer",
        "What the base model sees in your rows without labels used as well: sure answers and similar rows.",
        ("features", "unlabelled"),
        tasks=_ONE_CLASS_TASKS,
        reads=frozenset({"features"}),
    ),
    _strategy(
        "balanced-probe",
        "transfer",
        "The probe fitted again so that small groups, or rows that a first probe found hard, count as much as others.",
        ("features",),
        tasks=_ONE_CLASS_TASKS,
        forecast=lazy_forecast(_module_of("balanced-probe")),
        on_request=True,
    ),
    _strategy(
        "scratch",
        "scratch",
        "A network of the base's kind, learnt from random weights on your rows alone.",
        ("inputs",),
        modalities=("image", "text"),
        tasks=TASK_TYPES,
        preset="default",
        forecast=lazy_forecast(_module_of("scratch")),
        own_space=lazy_own_space(_module_of("scratch")),
    ),
)
_BLEND = _strategy(
    "blend",
    "transfer",
    "Several of the others together, weighted by cross-validation.",
    (),
    members=tuple(strategy.name for strategy in _RUNGS if strategy.name != "majority" and not strategy.on_request),
    tasks=TASK_TYPES,
)
STRATEGIES: dict[str, Strategy] = {strategy.name: strategy for strategy in (*_RUNGS, _BLEND)}


PRESETS = ("quick", "default", "thorough")
"""Names for several strategies at once; each takes what the one before takes, and more."""


def _expand_preset(name: str, known: list[str]) -> list[str]:
    """Return the strategies that a preset stands for, or the name itself."""
    if name not in PRESETS:
        return [name]
    in_presets = [item for item in known if not STRATEGIES[item].on_request]
    return [item for item in in_presets if PRESETS.index(STRATEGIES[item].preset) <= PRESETS.index(name)]


def select_strategies(
    modality: str, requested: tuple[str, ...], task: str = "classification", unlabelled: bool = False
) -> list[str]:
    """Return the strategies to try for a modality, in the order of the ladder, with the quick ones of their members.

    Parameters
    ----------
    modality : str
        One of `headstart.modalities.MODALITIES`.
    requested : tuple of str
        Names, or `PRESETS`; the preset `default` if empty.
    task : str
        One of `headstart.task_types.TASK_TYPES`.
    unlabelled : bool
        Whether there are rows without labels; without them, strategies that learn from such are left out unless named.

    Raises
    ------
    UnknownName
        If a name stands in no table, or is not for this modality and task.

    Examples
    --------
    >>> select_strategies("text", ("blend",))
    ['linear-probe', 'shrinkage-lda', 'multi-stage-probe', 'classic', 'blend']
    """
    known = [name for name, item in STRATEGIES.items() if modality in item.modalities and task in item.tasks]
    known = [name for name in known if unlabelled or name in requested or "unlabelled" not in STRATEGIES[name].uses]
    requested = tuple(
        name for name_or_preset in requested or ("default",) for name in _expand_preset(name_or_preset, known)
    )
    for name in requested:
        if name not in known:
            raise make_unknown_name("strategy", name, [*known, *PRESETS], f" for {modality} data and {task}")
    members = [member for name in requested for member in STRATEGIES[name].members]
    selected = {*requested, *(name for name in members if STRATEGIES[name].preset == "quick")}
    return [name for name in known if name in selected]


__all__ = [
    "PRESETS",
    "STRATEGIES",
    "Clock",
    "CostForecast",
    "Fitted",
    "Strategy",
    "StrategyRows",
    "Task",
    "select_strategies",
]  # fmt: skip
