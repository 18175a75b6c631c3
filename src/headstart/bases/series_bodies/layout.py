"""What a published network for series is, as plain values: settings with their ranges, names of tensors; no torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headstart.bases.record import Architecture
from headstart.bases.settings import Rule
from headstart.errors import DataError, list_offenders
from headstart.modalities.record import Spec

HINT = "Do not use it unless you know where it comes from; choose another base model."
MOST_DIMS = 4_096
"""A row has at most so many features, besides the facts: of its last blocks as many as fit."""
N_FACTS = 4
"""Of each channel, behind the features of the network: level, spread, number of steps, share of missing values."""


@dataclass(frozen=True, kw_only=True)
class SeriesLayout:
    """One kind of published network for series.

    Parameters
    ----------
    library : str
        Permanent name, as `architecture["library"]` has it.
    title : str
        For people.
    module : str
        Holds `build_network`.
    rules : mapping of str to Rule
        Every setting of the architecture and what it may be. `length`, `width` and `blocks` are among them.
    lists : tuple of str
        Settings that are lists; all others are single values.
    explain_conflict : (settings) -> str
        Why settings that are in range do not go together; empty if they do.
    recognises : (config) -> bool
        Whether a published config.json describes this kind.
    read_settings : (config) -> mapping
        Settings of the architecture from a published config.json.
    fixed : mapping of str to tuple
        What settings of config.json must be where they are set: other values are variants that are not built.
    renames : tuple of (pattern, replacement)
        Published names of tensors, and what they are called in the network. What none of them matches is left out.
    stretches : bool
        Whether every series is resampled to `length`; otherwise only longer ones are, shorter ones are padded.
    pooled_parts : int
        A block gives so many times `width` features of one channel.
    """

    library: str
    title: str
    module: str
    rules: Mapping[str, Rule]
    lists: tuple[str, ...]
    explain_conflict: Callable[[Mapping[str, Any]], str]
    recognises: Callable[[Mapping[str, Any]], bool]
    read_settings: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    fixed: Mapping[str, tuple[Any, ...]]
    renames: tuple[tuple[str, str], ...]
    stretches: bool
    pooled_parts: int

    def parse(self, document: Mapping[str, Any], place: object) -> Architecture:
        """Return the architecture with checked settings only.

        Raises
        ------
        DataError
            If one is missing or out of range, or they do not go together.
        """
        missing = sorted(set(self.rules) - set(document))
        if missing:
            raise DataError(f"{place} lacks settings of its network ({list_offenders(missing)}).", HINT)
        values = {name: document[name] for name in self.rules}
        for name, value in values.items():
            if isinstance(value, list) != (name in self.lists) or not self.rules[name].allows(value):
                raise DataError(f"{place}: {name} is {str(value)[:60]!r}, it must be {self.rules[name]}.", HINT)
        conflict = self.explain_conflict(values)
        if conflict:
            raise DataError(f"{place} describes a network that cannot be: {conflict}.", HINT)
        return {"library": self.library, **values}

    def read_architecture(self, config: Mapping[str, Any], place: object) -> Architecture:
        """Return the architecture that a published config.json describes.

        Raises
        ------
        DataError
            If it is a variant that is not built, or a setting is missing, out of range or of the wrong form.
        """
        variants = [
            f"{name} is {str(config[name])[:40]!r}"
            for name, values in self.fixed.items()
            if config.get(name) is not None and not any(config[name] is v or config[name] == v for v in values)
        ]
        if variants:
            raise DataError(
                f"{place} describes a variant of {self.title} that Headstart does not build "
                f"({list_offenders(variants)}).",
                "docs/how-to/another-base.md lists what is built; choose another base model.",
            )
        try:
            settings = self.read_settings(config)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise DataError(f"{place} has settings of the wrong form ({str(error)[:80]}).", HINT) from error
        return self.parse(settings, place)

    def rename(self, name: str) -> str:
        """Return what a published tensor is called in the network; "" for one that is left out.

        Parameters
        ----------
        name : str
            As the safetensors file has it.
        """
        for pattern, replacement in self.renames:
            match = re.fullmatch(pattern, name)
            if match:
                return match.expand(replacement)
        return ""

    def make_spec(self, architecture: Mapping[str, Any], spec: Spec | None) -> Spec:
        """Return the input spec for series of some data set (see `headstart.modalities.series`).

        Parameters
        ----------
        architecture : mapping
        spec : mapping or None
            `length` and `n_channels` of the training rows.
        """
        stated = spec or {}
        length = int(architecture["length"])
        if not self.stretches:
            length = min(length, int(stated.get("length", length)))
        return {"length": length, "n_channels": int(stated.get("n_channels", 1)), "gaps": True}

    def count_dims(self, architecture: Mapping[str, Any], n_channels: int) -> int:
        """Return the number of features of a row.

        Parameters
        ----------
        architecture : mapping
        n_channels : int
            At least 1.
        """
        each = self.pooled_parts * int(architecture["width"])
        n_blocks = count_pooled_blocks(int(architecture["blocks"]), each, n_channels)
        return n_channels * (n_blocks * each + N_FACTS) if n_blocks else 2 * (each + N_FACTS)


def count_pooled_blocks(n_blocks: int, n_dims: int, n_channels: int) -> int:
    """Return of how many of the last blocks the features are kept; 0 where those of the last are pooled over channels.

    Parameters
    ----------
    n_blocks : int
        Of the network.
    n_dims : int
        Features that a block gives of one channel.
    n_channels : int

    Examples
    --------
    >>> [count_pooled_blocks(6, 512, n_channels) for n_channels in (1, 2, 8, 9)]
    [6, 4, 1, 0]
    """
    return min(n_blocks, max(MOST_DIMS // (n_channels * n_dims), int(n_channels == 1)))
