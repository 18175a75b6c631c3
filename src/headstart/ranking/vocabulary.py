"""Vocabulary coverage of a text base in the user's language: unknown tokens, and tokens per word."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from headstart.modalities.text import load_text
from headstart.modalities.tokenizer_files import parse_tokenizer


@dataclass(frozen=True)
class VocabularyCoverage:
    """Token counts of texts.

    Parameters
    ----------
    unknown_share : float
        Share of unknown tokens, 0 to 1; low is good.
    pieces_per_word : float
        Pieces for each word between spaces; about 1.3 for a language the base was made for.
    counts : array of int, shape (n_texts, 2)
        Unknown tokens and all tokens of each text.
    """

    unknown_share: float
    pieces_per_word: float
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.int64), compare=False)


def measure_vocabulary_coverage(tokenizer: str, texts: Sequence[str]) -> VocabularyCoverage:
    """Measure a tokenizer on texts.

    Parameters
    ----------
    tokenizer : str
        The content of tokenizer.json.
    texts : sequence of str

    Notes
    -----
    Rust et al. 2021 (arXiv:2012.15613) call the second figure fertility.
    """
    encoder = parse_tokenizer(tokenizer, "The base model's tokenizer.json")
    unknown = _unknown_id(tokenizer, encoder)
    token_ids = [
        item.ids for item in encoder.encode_batch([load_text(text, {}) for text in texts], add_special_tokens=False)
    ]
    counts = np.asarray([(0 if unknown is None else ids.count(unknown), len(ids)) for ids in token_ids]).reshape(-1, 2)
    n_unknown, n_pieces = (int(n) for n in counts.sum(axis=0))
    n_words = sum(len(text.split()) for text in texts)
    return VocabularyCoverage(n_unknown / max(n_pieces, 1), n_pieces / max(n_words, 1), counts)


def _unknown_id(tokenizer: str, encoder: Tokenizer) -> int | None:
    model = json.loads(tokenizer).get("model", {})
    number = model.get("unk_id")
    token = model.get("unk_token")
    token_id = encoder.token_to_id(token) if number is None and token is not None else number
    return None if token_id is None else int(token_id)
