"""Texts: from a string as people write it to the token ids that a base model wants.

Scripts, letter case and emoji are left as they are; only the tokenizer decides what becomes of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from tokenizers import Tokenizer

from headstart.modalities.record import Array, Spec
from headstart.modalities.tokenizer_files import encode_text, read_tokenizer_file

_CHARACTERS_PER_TOKEN = 64
_STEP = 8
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]+")


def load_text(source: str, spec: Spec) -> str:
    r"""Normalise one text: Unicode NFC, control characters removed.

    Joiners that scripts and emoji need (ZWJ, ZWNJ) stay; half surrogates become a question mark.

    Parameters
    ----------
    source : str
        The raw text, of any length.
    spec : mapping
        Not used: all modalities load with the same arguments.

    Examples
    --------
    >>> load_text("cafe\u0301\x00 au lait", {})
    'café au lait'
    """
    whole = source.encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", _CONTROL.sub("", whole))


def prepare_text(text: str, spec: Spec) -> tuple[Array, ...]:
    """Turn one text into token ids.

    Parameters
    ----------
    text : str
        As `load` gives it.
    spec : mapping
        `tokenizer_file` (path to a tokenizer.json), `max_length` (tokens, special tokens included), `pad_id`.

    Returns
    -------
    tuple of two int64 arrays, shape (n_tokens,) each, n_tokens >= 1
        The ids, and the mask (1 for each token).
    """
    longest = int(spec["max_length"])
    tokenizer = open_tokenizer(str(spec["tokenizer_file"]), longest)
    ids = encode_text(tokenizer, text[: longest * _CHARACTERS_PER_TOKEN]).ids or [int(spec["pad_id"])]
    return np.asarray(ids, dtype=np.int64), np.ones(len(ids), dtype=np.int64)


def pad_tokens(rows: Sequence[tuple[Array, ...]], spec: Spec) -> tuple[Array, ...]:
    """Pad rows to the longest one, rounded up to a multiple of 8 (compiled runtimes then meet few shapes).

    Parameters
    ----------
    rows : sequence of (ids, mask)
        int64 arrays, shape (n_tokens,) each, as `prepare_text` gives them; at least one row.
    spec : mapping
        `pad_id` and `max_length` (tokens).

    Returns
    -------
    tuple of two int64 arrays, shape (n_rows, n_tokens) each
        The ids, filled with `pad_id`, and the mask, filled with 0.

    Examples
    --------
    >>> ones = np.ones(3, dtype=np.int64)
    >>> [part.shape for part in pad_tokens([(ones, ones), (ones[:1], ones[:1])], {"pad_id": 0, "max_length": 256})]
    [(2, 8), (2, 8)]
    """
    longest = max(len(ids) for ids, _ in rows)
    width = max(longest, min(-(-longest // _STEP) * _STEP, int(spec["max_length"])))
    ids = np.full((len(rows), width), int(spec["pad_id"]), dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for number, (row_ids, row_mask) in enumerate(rows):
        ids[number, : len(row_ids)] = row_ids
        mask[number, : len(row_mask)] = row_mask
    return ids, mask


@lru_cache(maxsize=8)
def open_tokenizer(file: str, max_length: int) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json that cuts texts to `max_length` tokens; read once a process.

    Parameters
    ----------
    file : str
        Path of a tokenizer.json.
    max_length : int
        In tokens, special tokens included.

    Raises
    ------
    DataError
        If it is none, or one that could stall or fill the memory.
    """
    return read_tokenizer_file(file, max_length)
