"""Parse how a base wants its inputs, and its record for people, from a folder that nobody vouches for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

from headstart.bases import series_shape
from headstart.bases.architectures import HINT
from headstart.bases.record import BaseRecord
from headstart.bases.series_bodies import SERIES_LAYOUTS
from headstart.bases.settings import MODEL_TYPES, FlagRule, RealRule, Rule, WholeRule
from headstart.errors import DataError, list_offenders
from headstart.modalities.image_values import FLOAT, INTEGER, VALUE_RANGES
from headstart.modalities.record import Spec

_RECORD = TypeAdapter(BaseRecord)
LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class ChoiceRule:
    """Rule: one of some words."""

    words: tuple[str, ...]

    def allows(self, value: Any) -> bool:
        """Return whether a value is one of them."""
        return isinstance(value, str) and value in self.words

    def __str__(self) -> str:
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True)
class TripleRule:
    """Three numbers, one a colour."""

    rule: RealRule

    def allows(self, value: Any) -> bool:
        """Return whether a value is such a list."""
        return isinstance(value, list | tuple) and len(value) == 3 and self.rule.allows(value)

    def __str__(self) -> str:
        return f"a list of three numbers from {self.rule.low:g} to {self.rule.high:g}"


@dataclass(frozen=True)
class ValueRangesRule:
    """Black and white of integers and of floats, for images of more than 8 bits a sample."""

    def allows(self, value: Any) -> bool:
        """Return whether a value is such a mapping."""
        ends = RealRule(-1e30, 1e30)
        return isinstance(value, dict) and all(
            name in (INTEGER, FLOAT) and isinstance(pair, list | tuple) and len(pair) == 2 and ends.allows(pair)
            for name, pair in value.items()
        )

    def __str__(self) -> str:
        return "a mapping of integer and float to black and white"


SPECS: Mapping[str, Mapping[str, Rule | ChoiceRule | TripleRule]] = {
    "image": {
        "size": WholeRule(1, 2_048),
        "resize": WholeRule(1, 8_192),
        "fit": ChoiceRule(("crop", "squash")),
        "interpolation": ChoiceRule(("bicubic", "bilinear")),
        "mean": TripleRule(RealRule(-1e4, 1e4)),
        "std": TripleRule(RealRule(1e-6, 1e4)),
    },
    "text": {"max_length": WholeRule(2, 131_072), "pad_id": WholeRule(0, 2_000_000)},
    "series": {"length": WholeRule(1, 65_536), "n_channels": WholeRule(1, 100_000)},
}
"""What each kind of input is described by; every entry must be present."""
OPTIONAL: Mapping[str, Mapping[str, Rule | ValueRangesRule]] = {
    "image": {VALUE_RANGES: ValueRangesRule()},
    "series": {"gaps": FlagRule()},
}


def parse_spec(spec: object, modality: str, place: object) -> Spec:
    """Return a checked spec of the inputs of a base; entries that no input is read by are left out.

    Raises
    ------
    DataError
    """
    if not isinstance(spec, Mapping):
        raise DataError(f"{place} does not state the inputs of the base model.", HINT)
    rules: dict[str, Rule | ChoiceRule | TripleRule | ValueRangesRule] = {
        **SPECS[modality],
        **OPTIONAL.get(modality, {}),
    }
    missing = sorted(set(SPECS[modality]) - set(spec))
    if missing:
        raise DataError(f"{place} lacks {list_offenders(missing)} in its description of the inputs.", HINT)
    values = {name: spec[name] for name in rules if name in spec}
    for name, value in values.items():
        if not rules[name].allows(value) or (
            isinstance(rules[name], WholeRule | FlagRule) and isinstance(value, list | tuple)
        ):
            raise DataError(f"{place}: {name} is {str(value)[:60]!r}, it must be {rules[name]}.", HINT)
    return values


def parse_base_record(document: object, place: object) -> BaseRecord:
    """Return the record of a base from its JSON.

    Parameters
    ----------
    document : anything
        A mapping of the fields of `BaseRecord`; fields with defaults may be missing, others are left out.
    place : object
        The file, for the error.

    Raises
    ------
    DataError
    """
    try:
        record = _RECORD.validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        names = sorted({str(item["loc"][0]) if item["loc"] else "record" for item in error.errors()})
        raise DataError(
            f"{place}: the base model's record has wrong entries ({list_offenders(names)}).", HINT
        ) from error
    texts = [item.name for item in fields(record) if len(str(getattr(record, item.name))) > LONGEST_TEXT]
    if texts or record.modality not in SPECS or not 0 <= record.n_dims <= 1 << 24:
        raise DataError(f"{place}: the record of the base model has wrong entries ({list_offenders(texts)}).", HINT)
    return record


LIBRARY_MODALITIES = {
    "timm": "image",
    series_shape.LIBRARY: "series",
    "minirocket": "series",
    **dict.fromkeys(SERIES_LAYOUTS, "series"),
}
"""What the networks of each library read; those of transformers read what their type says."""


def find_modality(architecture: Mapping[str, Any]) -> str:
    """Return the kind of input that a parsed architecture reads."""
    if architecture["library"] == "transformers":
        model_type = architecture["config"]["model_type"]
        return next(modality for modality, types in MODEL_TYPES.items() if model_type in types)
    return LIBRARY_MODALITIES[str(architecture["library"])]
