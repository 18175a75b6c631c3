"""What a modality is: seven fields, filled alike for images, texts and series.

Nothing here opens a file or knows a modality by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Spec = Mapping[str, Any]
"""The input a base model wants, as JSON: size, mean, std ... | tokenizer, max_length | length, n_channels."""


@dataclass(frozen=True, kw_only=True)
class Modality:
    """How rows of one kind become arrays.

    Parameters
    ----------
    name : str
    load : (one of `Table.inputs`, Spec) -> anything
        Opens the input (file -> upright RGB picture, decoded small if the spec wants little; text -> normalised
        text; series -> float32 array). Raises `headstart.errors.DataError` on what cannot be read.
    prepare : (what load gave, Spec) -> tuple of arrays
        One row, ready for the base model.
    cost : tuple of arrays -> int
        Length of a prepared row; rows of similar cost are batched together.
    collate : (sequence of prepared rows, Spec) -> tuple of arrays
        Pads and stacks: first axis is the row.
    preview : (one of `Table.inputs`) -> str
        A small HTML snippet (thumbnail as data URI, text, plot as SVG) for the report, safe to embed.
    augment : ((what load gave, generator) -> the same kind of thing) or None
        Another view of the row with, most likely, the same label; None where no change is safe (texts).
    """

    name: str
    load: Callable[[Any, Spec], Any]
    prepare: Callable[[Any, Spec], tuple[Array, ...]]
    cost: Callable[[tuple[Array, ...]], int]
    collate: Callable[[Sequence[tuple[Array, ...]], Spec], tuple[Array, ...]]
    preview: Callable[[Any], str]
    augment: Callable[[Any, np.random.Generator], Any] | None = None


def stack_rows(rows: Sequence[tuple[Array, ...]], spec: Spec) -> tuple[Array, ...]:
    """Stack prepared rows of one shape."""
    return tuple(np.stack(parts) for parts in zip(*rows, strict=True))
