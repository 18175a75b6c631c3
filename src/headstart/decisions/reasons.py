"""Reasons of answers, as codes and values; the words are those of whoever writes the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ReasonCode = Literal[
    "none",
    "sure",
    "only_likely_class",
    "several_likely_classes",
    "sure_and_possible_labels",
    "too_few_rows_for_labels",
    "too_few_rows_for_sets",
    "no_held_out_rows",
    "asking_costs_less",
    "likelier_class_costs_more",
    "like_reserved_class",
    "out_of_distribution",
    "below_least_probability",
    "interval_coverage",
    "too_few_rows_for_interval",
    "too_small",
    "too_dark",
    "too_bright",
    "one_colour",
    "too_blurred",
    "no_words",
    "no_values",
    "constant",
]
"""The last eight are those of `headstart.modalities.content`: such inputs never reach the model."""


@dataclass(frozen=True)
class Reason:
    """The reason why a row got its answer.

    Parameters
    ----------
    code : ReasonCode
    values : mapping of str to JSON value
        What a sentence about it needs; probabilities and shares are 0-1.
    """

    code: ReasonCode
    values: Mapping[str, Any] = field(default_factory=dict)


NO_REASON = Reason("none")
