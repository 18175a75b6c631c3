"""Parse what a base folder says of its network, before anything of it reaches torch, timm or transformers.

Folders come from strangers. Names in `headstart.bases.settings` are allowed; everything else is refused or,
where no feature depends on it, left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from headstart.bases import series_shape
from headstart.bases.record import Architecture
from headstart.bases.series_bodies import SERIES_LAYOUTS
from headstart.bases.settings import FORBIDDEN, MODEL_TYPES, SETTINGS, TIMM_ARGUMENTS, UNUSED, Rule, WholeRule
from headstart.errors import DataError, list_offenders

Shapes = Mapping[str, tuple[int, ...]]
HINT = "Do not use it unless you know where it comes from; choose another base model."
_NAME = re.compile(r"[a-z0-9_]{1,80}(\.[A-Za-z0-9_]{1,80})?")
_BLOCKS = ("num_hidden_layers", "n_layers", "depths", "depth", "blocks")
_SHARING = frozenset({"albert"})
"""Types whose layers share their weights: they may have more layers than tensors."""
_WIDTHS = ("vocab_size", "hidden_size", "intermediate_size", "dim", "hidden_dim", "embed_dim", "width", "hidden_sizes")
_SERIES: Mapping[str, Rule] = {
    "length": WholeRule(8, 4_096),
    "patch": WholeRule(1, 256),
    "width": WholeRule(8, 4_096),
    "kernels": WholeRule(1, 1_024),
    "dilations": WholeRule(1, 1_024),
    "blocks": WholeRule(0, 64),
    "heads": WholeRule(1, 64),
    "components": WholeRule(1, 8_192),
}


_SERIES_READ_OUT: Mapping[str, Rule] = {
    "fixed_dilations": WholeRule(1, 1_024),
    "fixed_thresholds": WholeRule(1, 16),
    "read_blocks": WholeRule(1, 64),
}
"""All of them, or none: networks of bundles before 0.3.0."""
_LISTS = ("dilations", "fixed_dilations", "fixed_thresholds")
_N_FIXED_VIEWS = 3


def parse_architecture(document: object, place: object) -> Architecture:
    """Return an architecture with checked settings only.

    Parameters
    ----------
    document : anything
        As `headstart.bases.record.BaseParts.architecture` describes it, from a file.
    place : object
        The file, for the error.

    Raises
    ------
    DataError
        If it names what it may not, or a value is out of range.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("library"), str):
        raise DataError(f"{place} does not say which network it describes.", HINT)
    parse = _PARSERS.get(document["library"])
    if parse is None:
        raise DataError(
            f"{place} describes a network of an unknown library ({_quote_short(document['library'])}).",
            f"Known are {', '.join(_PARSERS)}.",
        )
    return parse(document, place)


def check_sizes(architecture: Mapping[str, Any], shapes: Shapes, place: object) -> None:
    """Refuse a network that is larger than its weights, before it is built.

    Raises
    ------
    DataError
    """
    config = architecture.get("config", architecture.get("kwargs", architecture))
    n_values = sum(math.prod(shape) for shape in shapes.values())
    shared = config.get("model_type") in _SHARING
    for name in _BLOCKS:
        n_blocks = _sum_integers(config.get(name))
        if n_blocks > len(shapes) and not shared:
            raise DataError(
                f"{place} asks for {n_blocks:,} layers ({name}), its weights have {len(shapes):,} tensors.",
                HINT,
            )
    for name in _WIDTHS:
        width = _sum_integers(config.get(name))
        if width > n_values:
            raise DataError(
                f"{place} asks for a size of {width:,} ({name}), its weights hold {n_values:,} numbers.", HINT
            )


def _sum_integers(value: Any) -> int:
    values = value if isinstance(value, list | tuple) else [value]
    return sum(item for item in values if type(item) is int)


def _quote_short(value: object) -> str:
    return repr(str(value)[:60])


def _check_values(settings: Mapping[Any, Any], rules: Mapping[str, Rule], place: object) -> None:
    forbidden = sorted(name for name in FORBIDDEN - set(rules) if settings.get(name) not in (None, False))
    if forbidden:
        raise DataError(f"{place} has settings that are not allowed ({list_offenders(forbidden)}).", HINT)
    for name, value in settings.items():
        if name in rules and value is not None and not rules[name].allows(value):
            raise DataError(f"{place}: {name} is {_quote_short(value)}, it must be {rules[name]}.", HINT)


def _parse_timm(document: Mapping[str, Any], place: object) -> Architecture:
    name, arguments = document.get("name"), document.get("kwargs") or {}
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DataError(
            f"{place} names the architecture {_quote_short(name)}, which is not a plain timm name.",
            "A name with a source (hf-hub:, local-dir:) or a path is not read.",
        )
    if not isinstance(arguments, Mapping):
        raise DataError(f"{place}: the arguments of {name} are not a mapping of names to values.", HINT)
    _check_values(arguments, TIMM_ARGUMENTS, place)
    unknown = sorted(str(argument)[:60] for argument in arguments if argument not in TIMM_ARGUMENTS)
    if unknown:
        raise DataError(
            f"{place} sets arguments of {name} that are not allowed ({list_offenders(unknown)}).",
            f"Allowed are {', '.join(TIMM_ARGUMENTS)}.",
        )
    return {"library": "timm", "name": name, "kwargs": dict(arguments)}


def _parse_transformers(document: Mapping[str, Any], place: object) -> Architecture:
    config = document.get("config")
    model_type = config.get("model_type") if isinstance(config, Mapping) else None
    known = {name for names in MODEL_TYPES.values() for name in names}
    if not isinstance(config, Mapping) or not isinstance(model_type, str) or model_type not in known:
        raise DataError(
            f"{place} describes a model of the type {_quote_short(model_type)}, which Headstart does not build.",
            "docs/how-to/another-base.md lists the types that it builds; choose another base model.",
        )
    _check_values(config, SETTINGS, place)
    settings = {name: value for name, value in config.items() if name in SETTINGS}
    return {"library": "transformers", "config": {"model_type": model_type, **settings}}


def list_unknown_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a transformers config.json that stand in no table of ours and are set."""
    return {
        str(name): value
        for name, value in config.items()
        if name not in SETTINGS and name not in UNUSED and name not in FORBIDDEN and value is not None
    }


def _parse_series(document: Mapping[str, Any], place: object) -> Architecture:
    has_read_out = any(name in document for name in _SERIES_READ_OUT)
    rules = {**_SERIES, **_SERIES_READ_OUT} if has_read_out else _SERIES
    missing = sorted(set(rules) - set(document))
    if missing:
        raise DataError(f"{place} lacks settings of its network ({list_offenders(missing)}).", HINT)
    _check_values(document, rules, place)
    values = {name: document[name] for name in rules}
    lists = [name for name, value in values.items() if isinstance(value, list) != (name in _LISTS)]
    lists += [name for name in _LISTS if values.get(name) == []]
    if has_read_out and not lists and len(values["fixed_thresholds"]) != _N_FIXED_VIEWS:
        lists.append("fixed_thresholds")
    if has_read_out and not lists and values["read_blocks"] > values["blocks"]:
        lists.append("read_blocks")
    if lists:
        raise DataError(f"{place}: settings of its network have the wrong form ({list_offenders(lists)}).", HINT)
    if values["length"] % values["patch"] or values["width"] % values["heads"]:
        raise DataError(
            f"{place}: length must be a multiple of patch, and width of heads "
            f"({values['length']} and {values['patch']}, {values['width']} and {values['heads']}).",
            HINT,
        )
    return {"library": series_shape.LIBRARY, **values}


def _parse_minirocket(document: Mapping[str, Any], place: object) -> Architecture:
    return {"library": "minirocket"}


_PARSERS: dict[str, Callable[[Mapping[str, Any], object], Architecture]] = {
    "timm": _parse_timm,
    "transformers": _parse_transformers,
    series_shape.LIBRARY: _parse_series,
    "minirocket": _parse_minirocket,
    **{library: layout.parse for library, layout in SERIES_LAYOUTS.items()},
}
