"""Documents as tokens: ids, beginnings of words, windows, and rows for masking."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from headstart.errors import OptionError
from headstart.language.settings import SETTINGS
from headstart.modalities.tokenizer_files import parse_tokenizer

_BATCH = 1_000
_MASKS = ("[MASK]", "<mask>")


@dataclass(frozen=True, kw_only=True)
class SpecialTokens:
    """Special token ids: before and behind a text, mask, unknown and padding."""

    before: tuple[int, ...]
    behind: tuple[int, ...]
    mask: int
    unknown: int
    pad: int

    @property
    def n_around(self) -> int:
        """Count the special tokens around a text."""
        return len(self.before) + len(self.behind)


@dataclass(frozen=True)
class Corpus:
    """Documents one after the other.

    Parameters
    ----------
    ids : int32, shape (n_pieces,)
    begins : bool, shape (n_pieces,)
        Whether a word begins here.
    ends : int64, shape (n_documents,)
        Where each document ends.
    """

    ids: NDArray[np.int32]
    begins: NDArray[np.bool_]
    ends: NDArray[np.int64]


def open_tokenizer(tokenizer: str) -> Tokenizer:
    """Return a tokenizer from the content of tokenizer.json, without truncation and padding."""
    return parse_tokenizer(tokenizer, "The base model's tokenizer.json")


def find_special_tokens(tokenizer: Tokenizer, pad: int) -> SpecialTokens:
    """Find the ids with a meaning.

    Raises
    ------
    OptionError
        The tokenizer has no mask: the base was not made to guess hidden words.
    """
    mask = next((token_id for name in _MASKS if (token_id := tokenizer.token_to_id(name)) is not None), None)
    if mask is None:
        raise OptionError(
            "The tokenizer of the base model has no mask token: it cannot be measured or adapted here.",
            "Choose a base of the BERT family (masked language models), or --base default.",
        )
    around = tokenizer.encode("").ids
    cut = (len(around) + 1) // 2
    model = json.loads(tokenizer.to_str())["model"]
    unknown = model.get("unk_id")
    if unknown is None:
        unknown = tokenizer.token_to_id(model.get("unk_token") or "")
    return SpecialTokens(
        before=tuple(around[:cut]),
        behind=tuple(around[cut:]),
        mask=mask,
        unknown=-1 if unknown is None else int(unknown),
        pad=pad,
    )


def encode_texts(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Encoding]:
    """Return texts as tokens, without special tokens."""
    return [
        one
        for start in range(0, len(texts), _BATCH)
        for one in tokenizer.encode_batch(list(texts[start : start + _BATCH]), add_special_tokens=False)
    ]


def find_word_begins(words: Sequence[int | None]) -> NDArray[np.bool_]:
    """Return where words begin (n_tokens,); a word of more than `longest_word_tokens` tokens begins again.

    Examples
    --------
    >>> find_word_begins([0, 0, 1, 2, 2]).tolist()
    [True, False, True, True, False]
    """
    begins = np.ones(len(words), dtype=bool)
    since = 0
    for at in range(1, len(words)):
        since = since + 1 if words[at] == words[at - 1] and since + 1 < SETTINGS.longest_word_tokens else 0
        begins[at] = since == 0
    return begins


def join_documents(encodings: Sequence[Encoding]) -> Corpus:
    """Join tokenized documents into a corpus."""
    ids = [np.asarray(one.ids, dtype=np.int32) for one in encodings]
    begins = [find_word_begins(one.word_ids) for one in encodings]
    return Corpus(
        np.concatenate([np.zeros(0, np.int32), *ids]),
        np.concatenate([np.zeros(0, bool), *begins]),
        np.cumsum([len(one) for one in ids], dtype=np.int64),
    )


def build_corpus(tokenizer: Tokenizer, texts: Sequence[str]) -> Corpus:
    """Return texts as one corpus of tokens, built in blocks so that memory stays small."""
    blocks = [
        join_documents(encode_texts(tokenizer, texts[start : start + _BATCH]))
        for start in range(0, max(len(texts), 1), _BATCH)
    ]
    shifts = np.cumsum([0, *(len(block.ids) for block in blocks[:-1])])
    return Corpus(
        np.concatenate([block.ids for block in blocks]),
        np.concatenate([block.begins for block in blocks]),
        np.concatenate([block.ends + shift for block, shift in zip(blocks, shifts, strict=True)]),
    )


def cut_windows(corpus: Corpus, longest: int) -> NDArray[np.int64]:
    """Cut documents into windows of about equal length, at most `longest` tokens, at word beginnings where possible.

    Returns
    -------
    int64, shape (n_windows, 3)
        First token, end, and number of the document.
    """
    bounds: list[tuple[int, int, int]] = []
    start = 0
    for number, end in enumerate(corpus.ends.tolist()):
        parts = -(-(end - start) // longest)
        while start < end:
            target = min(start + -(-(end - start) // max(parts, 1)), start + longest, end)
            cut = target
            while cut < end and cut > start + 1 and not corpus.begins[cut]:
                cut -= 1
            cut = target if cut <= start + 1 else cut
            bounds.append((start, cut, number))
            start, parts = cut, parts - 1
        start = end
    return np.asarray(bounds, dtype=np.int64).reshape(-1, 3)


@dataclass(frozen=True)
class TokenRows:
    """Windows as rows: ids, mask (1: token), number of the word (-1: none) and position in its word."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    word_index: NDArray[np.int64]
    position: NDArray[np.int64]


def lay_out_rows(corpus: Corpus, bounds: NDArray[np.int64], special_tokens: SpecialTokens) -> TokenRows:
    """Return windows as rows, padded with `special_tokens.pad`.

    Parameters
    ----------
    bounds : int64, shape (n_rows, 3)
        As `windows` gives them.
    """
    width = int((bounds[:, 1] - bounds[:, 0]).max()) + special_tokens.n_around
    shape = (len(bounds), width)
    ids, mask = np.full(shape, special_tokens.pad, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    word, place = np.full(shape, -1, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    first = len(special_tokens.before)
    for row, (start, end, _) in enumerate(bounds.tolist()):
        n = end - start
        ids[row, : n + special_tokens.n_around] = (
            *special_tokens.before,
            *corpus.ids[start:end].tolist(),
            *special_tokens.behind,
        )
        mask[row, : n + special_tokens.n_around] = 1
        begins = corpus.begins[start:end].copy()
        begins[0] = True
        numbers = np.cumsum(begins) - 1
        word[row, first : first + n] = numbers
        place[row, first : first + n] = np.arange(n) - np.flatnonzero(begins)[numbers]
    return TokenRows(ids, mask, word, place)
