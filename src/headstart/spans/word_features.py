"""Features of words without a base model: letters, shape and neighbours, hashed.

They are hashed so that a bundle holds no list of the words (and names) of the training texts.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from headstart.spans.settings import SETTINGS

FEATURES_VERSION = 1
"""Bundles of another version are refused: their weights belong to other features."""
_EDGE = "\x02"


def describe_shape(word: str) -> str:
    """Return the shape of a word: upper case X, lower case x, digits 9, other letters a, signs as they are; runs cut.

    Parameters
    ----------
    word : str

    Examples
    --------
    >>> describe_shape("McDonald"), describe_shape("12-03"), describe_shape("كانو")
    ('XxXx', '9-9', 'a')
    """
    shape: list[str] = []
    for character in word[: SETTINGS.most_word_characters]:
        category = unicodedata.category(character)
        sign = {"Lu": "X", "Lt": "X", "Ll": "x", "Nd": "9"}.get(category) or ("a" if category[0] in "LM" else character)
        if not shape or shape[-1] != sign:
            shape.append(sign)
    return "".join(shape)


def _list_own_features(word: str, shape: str) -> list[str]:
    lower = word.lower()[: SETTINGS.most_word_characters]
    names = [f"w={lower}", f"s={shape}", f"l={min(len(word), 9)}"]
    for size in range(1, SETTINGS.affix_characters + 1):
        if len(lower) > size:
            names += [f"p={lower[:size]}", f"e={lower[-size:]}"]
    framed = f"<{lower}>"
    names += [f"g={framed[place : place + 3]}" for place in range(min(len(framed) - 2, SETTINGS.most_word_characters))]
    return names


def _list_names(words: Sequence[str]) -> list[list[str]]:
    shapes = [describe_shape(word) for word in words]
    lowers = [word.lower()[: SETTINGS.most_word_characters] for word in words]
    reach = SETTINGS.context_words
    padded = [_EDGE] * reach + lowers + [_EDGE] * reach
    padded_shapes = [_EDGE] * reach + shapes + [_EDGE] * reach
    rows = []
    for place, word in enumerate(words):
        names = _list_own_features(word, shapes[place])
        names.append(f"first={place == 0}|{shapes[place]}")
        for step in range(-reach, reach + 1):
            if step:
                names += [f"w{step}={padded[place + reach + step]}", f"s{step}={padded_shapes[place + reach + step]}"]
        names.append(f"w-1w={padded[place + reach - 1]}|{lowers[place]}")
        names.append(f"ww+1={lowers[place]}|{padded[place + reach + 1]}")
        names.append(f"sss={padded_shapes[place + reach - 1]}|{shapes[place]}|{padded_shapes[place + reach + 1]}")
        rows.append(names)
    return rows


def list_buckets(words: Sequence[str]) -> list[list[int]]:
    """Return the numbers of the features of each word of a text, sorted, each once.

    Parameters
    ----------
    words : sequence of str
    """
    return [
        sorted({zlib.crc32(name.encode("utf-8", "replace")) % SETTINGS.n_buckets for name in names})
        for names in _list_names(words)
    ]


def hash_words(texts: Sequence[Sequence[str]]) -> sparse.csr_matrix:
    """Return the features of the words of texts, one row a word, values 0 or 1.

    Parameters
    ----------
    texts : sequence of sequence of str
        Words of each text.

    Returns
    -------
    csr_matrix, float32, shape (n_words, `SETTINGS.n_buckets`)
    """
    columns: list[int] = []
    starts = [0]
    for words in texts:
        for buckets in list_buckets(words):
            columns += buckets
            starts.append(len(columns))
    values = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix(
        (values, np.asarray(columns, dtype=np.int32), np.asarray(starts, dtype=np.int64)),
        shape=(len(starts) - 1, SETTINGS.n_buckets),
    )
