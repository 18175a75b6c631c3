"""What a modality is: one record of functions and facts, filled alike for images, texts and series.

Nothing here opens a file or knows a modality by name. A room that keeps something of its own for each modality is
listed by `tests/test_contract_modalities.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headstart.modalities.preview_records import AnyPreview, AnyWeights

Array = NDArray[Any]
Spec = Mapping[str, Any]
"""The input a base model wants, as JSON: size, mean, std ... | tokenizer, max_length | length, n_channels."""


Vectors = NDArray[np.float32]
"""(n_views, n_dims), each of length one, or zero where nothing can be compared; the first view is the row as it is."""
Properties = Mapping[str, tuple[float, ...] | str]
"""Of one row: numbers (NaN where unknown), or a word, by the name that people read."""
PartWeights = NDArray[np.float64]
"""(n_parts,): how much the answer loses without each part; below zero, how much it gains."""


@dataclass(frozen=True)
class Fingerprint:
    """Fingerprint of a row, to find near-duplicates.

    Parameters
    ----------
    vectors : Vectors, shape (n_views, n_dims)
    shingles : array or None
        What two likely copies are verified on: the shingles of a text (sorted int64). None: the vectors are enough.
    """

    vectors: Vectors
    shingles: NDArray[Any] | None = None


class RowFacts(Protocol):
    """What is measured of one row by looking at it."""

    @property
    def fingerprint(self) -> Fingerprint:
        """How it looks, so that near-duplicates are found."""

    @property
    def properties(self) -> Properties:
        """Plain properties that should not decide a label: how a file was made, not what it shows."""

    @property
    def content(self) -> Mapping[str, float]:
        """Whether it holds anything to answer about (see `headstart.modalities.content`); empty: not measured."""


@dataclass(frozen=True)
class RowValueFacts:
    """Facts of a text or a series, which lies in memory: each is computed where it is used.

    Parameters
    ----------
    value : one of `Table.inputs`
    fingerprint_value : (value) -> Fingerprint
    measure_value : (value) -> Properties
    measure_value_content : (value) -> content measures, or None
    """

    value: Any
    fingerprint_value: Callable[[Any], Fingerprint]
    measure_value: Callable[[Any], Properties]
    measure_value_content: Callable[[Any], Mapping[str, float]] | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        """Compute how it looks."""
        return self.fingerprint_value(self.value)

    @property
    def properties(self) -> Properties:
        """Measure its plain properties."""
        return self.measure_value(self.value)

    @property
    def content(self) -> Mapping[str, float]:
        """Measure whether it holds anything to answer about."""
        return {} if self.measure_value_content is None else self.measure_value_content(self.value)


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """Facts of a file, all measured when it is read.

    Parameters
    ----------
    fingerprint : Fingerprint
    properties : Properties
    digest : str
        sha256 of the file; "" where it could not be read.
    extremes : (str, float, float) or None
        Of an image of more than 8 bits: the kind of its values, the smallest and the largest.
    content : mapping of str to float
        Whether it holds anything to answer about; empty where it could not be read.
    """

    fingerprint: Fingerprint
    properties: Properties
    digest: str
    extremes: tuple[str, float, float] | None = None
    content: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class InputPart:
    """A part of an input.

    Parameters
    ----------
    name : str
        What people call it: the words, "row 2, column 5", "steps 10 to 19".
    hidden : anything
        The whole input without this part, of the kind that `Modality.load` gives.
    place : mapping of str to int
        The numbers in the name, so that it can be said in another language; empty for words.
    """

    name: str
    hidden: Any
    place: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Occlusion:
    """Functions that hide the parts of an input one after the other.

    Parameters
    ----------
    list_parts : (what `Modality.load` gave) -> list of InputPart
        Empty where there is only one part.
    weigh : (what `Modality.load` gave, PartWeights) -> AnyWeights
        The input with what its parts weigh, so that it can be drawn.
    """

    list_parts: Callable[[Any], list[InputPart]]
    weigh: Callable[[Any, PartWeights], AnyWeights]


@dataclass(frozen=True, kw_only=True)
class Modality:
    """Kind of rows, with the functions that turn them into arrays.

    Parameters
    ----------
    name : str
    load : (one of `Table.inputs`, Spec) -> anything
        Opens the input (file -> upright RGB image, decoded small if the spec wants little; text -> normalised
        text; series -> float32 array). Raises `headstart.errors.DataError` on what cannot be read.
    prepare : (what load gave, Spec) -> tuple of arrays
        One row, ready for the base model.
    cost : tuple of arrays -> int
        Length of a prepared row; rows of similar cost are batched together.
    collate : (sequence of prepared rows, Spec) -> tuple of arrays
        Pads and stacks: first axis is the row.
    preview : (one of `Table.inputs`, most bytes) -> AnyPreview or None
        What the report shows of a row: a thumbnail, a text, or values to plot; None where it cannot be shown.
    augment : ((what load gave, generator) -> the same kind of thing) or None
        Another view of the row with, most likely, the same label; None where no change is safe (texts).
    describe : (one of `Table.inputs`) -> RowFacts
        Everything that is measured of a row by looking at it once.
    occlusion : Occlusion
    changes : mapping of str to (amount, what `load` gave, generator) -> changed row, or None
        Changes that should not change the answer, by their name in `pairs/edits.json`.
    measure_content : (one of `Table.inputs`, what load gave or None) -> measures by code of fault
        Whether a row holds anything to answer about (see `headstart.modalities.content`).
    plural : str
        What several rows are called in messages.
    nouns : tuple of two str
        What people call one row and several: photo, message, recording.
    has_words : bool
        Rows are texts: they have words, a language and a script.
    has_channels : bool
        Rows have channels and time steps.
    has_pixels : bool
        Rows are images: their values are scaled, they can be decoded small.
    is_file : bool
        Rows are files, read when they are used, in several threads; the others are values of a table.
    batch_rows, batch_cost : int
        Bounds of a batch of a base model: rows, and rows x the largest cost of one.
    """

    name: str
    load: Callable[[Any, Spec], Any]
    prepare: Callable[[Any, Spec], tuple[Array, ...]]
    cost: Callable[[tuple[Array, ...]], int]
    collate: Callable[[Sequence[tuple[Array, ...]], Spec], tuple[Array, ...]]
    preview: Callable[[Any, int], AnyPreview | None]
    augment: Callable[[Any, np.random.Generator], Any] | None = None
    describe: Callable[[Any], RowFacts]
    occlusion: Occlusion
    changes: Mapping[str, Callable[[float, Any, np.random.Generator], Any]]
    plural: str
    nouns: tuple[str, str] = ("row", "rows")
    measure_content: Callable[[Any, Any], Mapping[str, float]] = lambda source, loaded: {}
    has_words: bool = False
    has_channels: bool = False
    has_pixels: bool = False
    is_file: bool = False
    batch_rows: int = 64
    batch_cost: int = 1 << 62


def stack_rows(rows: Sequence[tuple[Array, ...]], spec: Spec) -> tuple[Array, ...]:
    """Stack prepared rows of one shape."""
    return tuple(np.stack(parts) for parts in zip(*rows, strict=True))
