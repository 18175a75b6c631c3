"""Inputs of a portable model: named arrays made from one row each, by kind of input, with numpy, Pillow, tokenizers.

`config.json` lists a bundle's inputs in this form; whatever runs `model.onnx` (this package, `predict.py`, a browser)
makes the same arrays.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from headstart.modalities import MODALITIES
from headstart.modalities.descriptors import shrink_image
from headstart.modalities.image import augment_image, resize_image
from headstart.modalities.image_values import VALUE_RANGES
from headstart.modalities.record import Array, Spec
from headstart.modalities.text import pad_tokens as padded_tokens
from headstart.strategies.text.tfidf import count_known_ngrams, is_nfc, normalise_texts

NGRAM_COST = 512
"""A text's piece counts as a token for so many outputs (both bound what a batch holds in memory)."""


@dataclass(frozen=True)
class ModelInput:
    """Input of a portable model.

    Parameters
    ----------
    kind : str
        Key of `INPUT_KINDS`.
    arrays : tuple of str
        Names of the arrays it gives, as the graph names them.
    spec : mapping
        How rows are read, as JSON (see `headstart.modalities.record.Spec`); files are named within the bundle.
    """

    kind: str
    arrays: tuple[str, ...]
    spec: Spec = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form, with type and shape of each array (None: any length)."""
        shapes = INPUT_KINDS[self.kind].shapes(self.spec)
        arrays = [
            {"name": name, "dtype": kind, "shape": list(shape)}
            for name, (kind, shape) in zip(self.arrays, shapes, strict=True)
        ]
        return {"kind": self.kind, "arrays": arrays, "spec": dict(self.spec)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> ModelInput:
        """Read the JSON form."""
        return cls(document["kind"], tuple(item["name"] for item in document["arrays"]), document["spec"])

    def with_files_in(self, folder: Path) -> ModelInput:
        """Return the input with the files of its spec found in a folder."""
        files = {name: str(folder / value) for name, value in self.spec.items() if name.endswith("_file")}
        return ModelInput(self.kind, self.arrays, {**self.spec, **files})


@dataclass(frozen=True, kw_only=True)
class InputKind:
    """Kind of input, with the functions that make it.

    Parameters
    ----------
    load : (one of `Table.inputs`, spec) -> anything
    prepare : (what load gave, spec) -> tuple of arrays
        Of one row.
    collate : (prepared rows, spec) -> tuple of arrays
        First axis is the row.
    shapes : (spec) -> type and shape of each array
        None: any length.
    cost : (prepared row, n_outputs) -> float
        What it adds to a batch.
    image : (what load gave) -> image, or None
        Which part of it is an opened image.
    """

    load: Callable[[Any, Spec], Any]
    prepare: Callable[[Any, Spec], tuple[Array, ...]]
    collate: Callable[[Sequence[tuple[Array, ...]], Spec], tuple[Array, ...]]
    shapes: Callable[[Spec], tuple[tuple[str, tuple[int | None, ...]], ...]]
    cost: Callable[[tuple[Array, ...], int], float]
    image: Callable[[Any], Any] = lambda loaded: None


def _series_shapes(spec: Spec) -> tuple[tuple[str, tuple[int | None, ...]], ...]:
    whole: tuple[str, tuple[int | None, ...]] = ("float32", (None, int(spec["n_channels"]), int(spec["length"])))
    return (whole, whole, ("float32", (None, 1))) if spec.get("gaps") else (whole,)


def _stack(rows: Sequence[tuple[Array, ...]], spec: Spec) -> tuple[Array, ...]:
    return tuple(np.stack(parts) for parts in zip(*rows, strict=True))


def _unit_cost(row: tuple[Array, ...], n_outputs: int) -> float:
    return 1.0


@lru_cache(maxsize=4)
def _read_ngrams(file: str) -> tuple[int, dict[str, dict[str, int]], bool]:
    """Read how much of a text is read, the number of each piece within its kind, and whether they are in NFC."""
    document = json.loads(Path(file).read_text("utf-8"))
    numbered = {kind: {piece: at for at, piece in enumerate(known)} for kind, known in document["pieces"].items()}
    return int(document["longest"]), numbered, is_nfc(numbered)


def _count_ngrams(text: str, spec: Spec) -> tuple[Array, ...]:
    """Count the pieces of a text: their numbers, one kind after the other, and 1 + log(count)."""
    longest, numbered, composed = _read_ngrams(str(spec["pieces_file"]))
    cut, ids, weights, first = normalise_texts([text], longest, composed), [], [], 0
    for kind, known in numbered.items():
        counts = count_known_ngrams(cut, kind, known)
        ids.append(counts.indices.astype(np.int64) + first)
        weights.append(counts.values)
        first += len(known)
    return np.concatenate(ids), np.concatenate(weights).astype(np.float32)


def _pad_ngrams(rows: Sequence[tuple[Array, ...]], spec: Spec) -> tuple[Array, ...]:
    width = max(1, *(len(ids) for ids, _ in rows))
    ids, weights = np.zeros((len(rows), width), np.int64), np.zeros((len(rows), width), np.float32)
    for number, (row_ids, row_weights) in enumerate(rows):
        ids[number, : len(row_ids)], weights[number, : len(row_weights)] = row_ids, row_weights
    return ids, weights


def _load_with_seed(source: Any, spec: Spec) -> tuple[Any, int]:
    """Open an image, with the number that its changed views depend on (see `headstart.features.views.make_view`)."""
    content = source if isinstance(source, bytes) else Path(source).read_bytes() if Path(source).is_file() else b""
    return _IMAGE.load(source, spec), zlib.crc32(hashlib.sha256(content).hexdigest().encode())


def _prepare_views(loaded: tuple[Any, int], spec: Spec) -> tuple[Array, ...]:
    image, seed = loaded
    changed = [augment_image(image, np.random.default_rng([view, seed])) for view in range(1, int(spec["views"]) + 1)]
    return (np.stack([resize_image(one, spec) for one in (image, *changed)]),)


_IMAGE, _TEXT, _SERIES = MODALITIES["image"], MODALITIES["text"], MODALITIES["series"]
INPUT_KINDS: dict[str, InputKind] = {
    "rows": InputKind(
        load=lambda source, spec: None,
        prepare=lambda loaded, spec: (np.zeros(1, np.float32),),
        collate=_stack,
        shapes=lambda spec: (("float32", (None, 1)),),
        cost=_unit_cost,
    ),
    "pixels": InputKind(
        load=_IMAGE.load,
        prepare=lambda image, spec: (resize_image(image, spec),),
        collate=_stack,
        shapes=lambda spec: (("uint8", (None, int(spec["size"]), int(spec["size"]), 3)),),
        cost=_unit_cost,
        image=lambda loaded: loaded,
    ),
    "views": InputKind(
        load=_load_with_seed,
        prepare=_prepare_views,
        collate=_stack,
        shapes=lambda spec: (("uint8", (None, None, int(spec["size"]), int(spec["size"]), 3)),),
        cost=lambda row, n: float(len(row[0])),
        image=lambda loaded: loaded[0],
    ),
    "picture": InputKind(
        load=_IMAGE.load,
        prepare=lambda image, spec: (shrink_image(image),),
        collate=_stack,
        shapes=lambda spec: (("uint8", (None, int(spec["size"]), int(spec["size"]), 3)),),
        cost=_unit_cost,
        image=lambda loaded: loaded,
    ),
    "tokens": InputKind(
        load=_TEXT.load,
        prepare=_TEXT.prepare,
        collate=padded_tokens,
        shapes=lambda spec: (("int64", (None, None)), ("int64", (None, None))),
        cost=lambda row, n: float(len(row[0])),
    ),
    "pieces": InputKind(
        load=lambda text, spec: str(text),
        prepare=_count_ngrams,
        collate=_pad_ngrams,
        shapes=lambda spec: (("int64", (None, None)), ("float32", (None, None))),
        cost=lambda row, n: len(row[0]) * n / NGRAM_COST,
    ),
    "series": InputKind(
        load=_SERIES.load,
        prepare=_SERIES.prepare,
        collate=_stack,
        shapes=_series_shapes,
        cost=_unit_cost,
    ),
}
"""Kinds of input.

`rows`: nothing but a zero a row (a model that always says the same); `pixels`: an image as the base wants it; `views`:
the same with some changed copies of it, over which outputs are averaged (any number of them, the first being the
image itself); `picture`: one of 96 x 96 for descriptors; `tokens`: ids and mask of a text; `pieces`: numbers of the
pieces of words that are known, and their weights; `series`: filled and brought to one length; with `gaps` in its spec
also where there were values, and how many steps there were.
"""


@dataclass(frozen=True)
class ModelInputs:
    """All inputs of one model: a row becomes arrays, rows become a batch.

    Parameters
    ----------
    inputs : tuple of ModelInput
        With files placed.
    n_outputs : int
    """

    inputs: tuple[ModelInput, ...]
    n_outputs: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all arrays, in order."""
        return tuple(name for item in self.inputs for name in item.arrays)

    def load(self, source: Any) -> list[Any]:
        """Open a row once for each way of reading; raises `DataError` where it cannot be read."""
        opened: dict[object, Any] = {}
        loaded = []
        for item in self.inputs:
            kind = INPUT_KINDS[item.kind]
            key = (kind.load, item.spec.get("resize"), str(item.spec.get(VALUE_RANGES)), item.spec.get("gaps"))
            if key not in opened:
                opened[key] = kind.load(source, item.spec)
            loaded.append(opened[key])
        return loaded

    def select_image(self, loaded: Sequence[Any]) -> Any:
        """Return the image that `load` opened, as its modality gives it; None where no input opens one."""
        whole = (INPUT_KINDS[item.kind].image(part) for item, part in zip(self.inputs, loaded, strict=True))
        return next((image for image in whole if image is not None), None)

    def prepare(self, loaded: Sequence[Any]) -> tuple[Array, ...]:
        """Make the arrays of a row, those of all inputs behind each other."""
        by_input = [
            INPUT_KINDS[item.kind].prepare(part, item.spec) for item, part in zip(self.inputs, loaded, strict=True)
        ]
        return tuple(array for arrays in by_input for array in arrays)

    def _split_by_input(self, row: tuple[Array, ...]) -> list[tuple[Array, ...]]:
        ends = np.cumsum([len(item.arrays) for item in self.inputs]).tolist()
        return [row[end - len(item.arrays) : end] for item, end in zip(self.inputs, ends, strict=True)]

    def cost(self, row: tuple[Array, ...]) -> int:
        """Return what a row adds to a batch."""
        parts = zip(self.inputs, self._split_by_input(row), strict=True)
        return max(1, round(sum(INPUT_KINDS[item.kind].cost(part, self.n_outputs) for item, part in parts)))

    def collate(self, rows: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
        """Stack rows into one batch."""
        by_row = [self._split_by_input(row) for row in rows]
        by_input = [
            INPUT_KINDS[item.kind].collate([row[at] for row in by_row], item.spec)
            for at, item in enumerate(self.inputs)
        ]
        return tuple(array for arrays in by_input for array in arrays)
