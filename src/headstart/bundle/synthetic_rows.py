"""Made-up rows for every kind of input: what a bundle is checked with, so that no row of the user's data travels in it.

Nothing here reads the user's rows. Pictures are patches of colour, texts words of the tokenizer, series random walks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from headstart.bundle.runtime.inputs import KINDS, Feed
from headstart.modalities.record import Array, Spec
from headstart.modalities.tokenizer_files import read_tokenizer_file

MOST_WORDS, MOST_PIECES = 24, 60
PATCHES = (2, 12)
SCALES = (-1.0, 3.0)
"""Powers of ten that series are drawn in: what they measure is not known."""
GAPS = 0.1


def made_up(feed: Feed, n_rows: int, seed: int = 0) -> list[tuple[Array, ...]]:
    """Make rows up, prepared as `feed.prepare` prepares real ones.

    Parameters
    ----------
    feed : Feed
    n_rows : int
    seed : int

    Returns
    -------
    list of tuple of arrays
        The arrays of all inputs behind each other, for each row; the same for the same seed.
    """
    generators = [np.random.default_rng([seed, row]) for row in range(n_rows)]
    return [
        tuple(array for item in feed.inputs for array in MAKERS[item.kind](item.spec, generator))
        for generator in generators
    ]


def _picture(spec: Spec, generator: np.random.Generator) -> Array:
    patches = int(generator.integers(*PATCHES))
    colours = generator.integers(0, 256, (patches, patches, 3), dtype=np.uint8)
    way = (Image.Resampling.NEAREST, Image.Resampling.BICUBIC)[int(generator.integers(2))]
    return np.asarray(Image.fromarray(colours).resize((int(spec["size"]), int(spec["size"])), way))


def _pictures(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    return (_picture(spec, generator),)


def _views(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    return (np.stack([_picture(spec, generator), _picture(spec, generator)]),)


@lru_cache(maxsize=4)
def _words(file: str) -> tuple[str, ...]:
    """List what a tokenizer knows, without its marks."""
    made = read_tokenizer_file(file)
    marks = {token.content for token in made.get_added_tokens_decoder().values()}
    return tuple(sorted(set(made.get_vocab()) - marks))


def _tokens(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    known = _words(str(spec["tokenizer_file"]))
    n_words = int(generator.integers(1, MOST_WORDS + 1))
    text = " ".join(known[at] for at in generator.integers(0, len(known), n_words)) if known else "a"
    return KINDS["tokens"].prepare(text, spec)


@lru_cache(maxsize=4)
def _n_pieces(file: str) -> int:
    return sum(len(known) for known in json.loads(Path(file).read_text("utf-8"))["pieces"].values())


def _pieces(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    most = _n_pieces(str(spec["pieces_file"]))
    drawn = generator.permutation(most)[: int(generator.integers(0, MOST_PIECES + 1))]
    return np.sort(drawn).astype(np.int64), np.ones(len(drawn), np.float32)


def _series(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    shape = int(spec["n_channels"]), int(spec["length"])
    walk = np.cumsum(generator.normal(size=shape), axis=1) + generator.normal()
    values = (walk * 10 ** generator.uniform(*SCALES)).astype(np.float32)
    if not spec.get("gaps"):
        return (values,)
    known = (generator.random(shape) > GAPS).astype(np.float32)
    return values, known, np.asarray([shape[1]], np.float32)


def _nothing(spec: Spec, generator: np.random.Generator) -> tuple[Array, ...]:
    return (np.zeros(1, np.float32),)


MAKERS: dict[str, Callable[[Spec, np.random.Generator], tuple[Array, ...]]] = {
    "rows": _nothing, "pixels": _pictures, "views": _views, "picture": _pictures, "tokens": _tokens, "pieces": _pieces,
    "series": _series,
}  # fmt: skip
"""How a row of each kind of `headstart.bundle.runtime.inputs.KINDS` is made up."""
