"""Synthetic rows for every kind of input: they test a bundle, so that it contains no row of the user.

Nothing here reads the user's rows. Images are patches of colour, texts words of the tokenizer, series random walks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from headstart.bundle.runtime.inputs import INPUT_KINDS, ModelInputs
from headstart.modalities.record import Array, Spec
from headstart.modalities.tokenizer_files import read_tokenizer_file

MOST_WORDS, MOST_NGRAMS = 24, 60
PATCHES = (2, 12)
SCALES = (-1.0, 3.0)
"""Powers of ten that series are drawn in: what they measure is not known."""
GAPS = 0.1


def make_synthetic_rows(model_inputs: ModelInputs, n_rows: int, seed: int = 0) -> list[tuple[Array, ...]]:
    """Generate rows, prepared as `InputKind.prepare` prepares real ones.

    Parameters
    ----------
    model_inputs : ModelInputs
    n_rows : int
    seed : int

    Returns
    -------
    list of tuple of arrays
        The arrays of all inputs behind each other, for each row; the same for the same seed.
    """
    generators = [np.random.default_rng([seed, row]) for row in range(n_rows)]
    return [
        tuple(array for item in model_inputs.inputs for array in MAKERS[item.kind](item.spec, generator))
        for generator in generators
    ]


def _make_image(spec: Spec, generator: np.random.Generator) -> Array:
    patches = int(generator.integers(*PATCHES))
    colours = generator.integers(0, 256, (patches, patches, 3), dtype=np.uint8)
    resampling = (Image.Resampling.NEAREST, Image.Resampling.BICUBIC)[int(generator.integers(2))]
    return np.asarray(Image.fromarray(colours).resize((int(spec["size"]), int(spec["size"])), resampling))


def _make_image_row(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    return (_make_image(spec, generator),)


def _make_views(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    return (np.stack([_make_image(spec, generator), _make_image(spec, generator)]),)


@lru_cache(maxsize=4)
def _list_words(file: str) -> tuple[str, ...]:
    """List what a tokenizer knows, without its marks."""
    tokenizer = read_tokenizer_file(file)
    special_tokens = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    return tuple(sorted(set(tokenizer.get_vocab()) - special_tokens))


def _make_tokens(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    words = _list_words(str(spec["tokenizer_file"]))
    n_words = int(generator.integers(1, MOST_WORDS + 1))
    text = " ".join(words[at] for at in generator.integers(0, len(words), n_words)) if words else "a"
    return INPUT_KINDS["tokens"].prepare(text, spec)


@lru_cache(maxsize=4)
def _count_ngrams(file: str) -> int:
    return sum(len(known) for known in json.loads(Path(file).read_text("utf-8"))["pieces"].values())


def _make_ngrams(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    n_known = _count_ngrams(str(spec["pieces_file"]))
    ids = generator.permutation(n_known)[: int(generator.integers(0, MOST_NGRAMS + 1))]
    return np.sort(ids).astype(np.int64), np.ones(len(ids), np.float32)


def _make_series(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    shape = int(spec["n_channels"]), int(spec["length"])
    walk = np.cumsum(generator.normal(size=shape), axis=1) + generator.normal()
    values = (walk * 10 ** generator.uniform(*SCALES)).astype(np.float32)
    if not spec.get("gaps"):
        return (values,)
    known = (generator.random(shape) > GAPS).astype(np.float32)
    return values, known, np.asarray([shape[1]], np.float32)


def _make_empty_row(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    return (np.zeros(1, np.float32),)


MAKERS: dict[str, Callable[[Spec, np.random.Generator], tuple[Array, ...]]] = {
    "rows": _make_empty_row, "pixels": _make_image_row, "views": _make_views, "picture": _make_image_row,
    "tokens": _make_tokens, "pieces": _make_ngrams,
    "series": _make_series,
}  # fmt: skip
"""How a row of each kind of `headstart.bundle.runtime.inputs.INPUT_KINDS` is generated."""
