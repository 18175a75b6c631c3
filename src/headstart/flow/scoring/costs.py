"""The costs of mistakes that a run was asked for, of the classes that it learnt."""

from __future__ import annotations

from headstart import decisions
from headstart.decisions import Costs
from headstart.errors import OptionError
from headstart.options import AdaptOptions


def make_costs(classes: tuple[str, ...], options: AdaptOptions) -> Costs | None:
    """Return the costs that were asked for, of the classes that were learnt; None without `--cost`.

    Parameters
    ----------
    classes : tuple of str
    options : AdaptOptions
    """
    if not options.cost:
        return None
    reserved = list_learnt_reserved_classes(options.reserved, classes)
    return decisions.parse_costs(_learnt_costs(options.cost, classes), classes, options.refer_cost, reserved)


def list_learnt_reserved_classes(requested: tuple[str, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reserved ones of the classes that were learnt; the names were checked before.

    Parameters
    ----------
    requested : tuple of str
        As users name them.
    classes : tuple of str
    """
    try:
        return decisions.reserved_classes(requested, classes)
    except OptionError:
        return tuple(name for text in requested for name in (text, *text.split(",")) if name in classes)


def _learnt_costs(texts: tuple[str, ...], classes: tuple[str, ...]) -> list[str]:
    """Leave out costs of classes that no training row is left of."""
    known = []
    for text in texts:
        try:
            decisions.parse_costs([text], classes, 0.0)
        except OptionError:
            continue
        known.append(text)
    return known
