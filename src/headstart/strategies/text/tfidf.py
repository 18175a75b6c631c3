"""Counting character n-grams and pairs of words in texts, and weighting them (TF-IDF); standard library and numpy.

Character n-grams work for every script: a text without spaces is one long word. Predicting needs this module only.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.fitted_state import FittedState
from headstart.records import Index
from headstart.strategies.settings import SETTINGS

CACHED_WORDS = 200_000
_PUNCTUATION = re.compile(r"[\s!-/:-@\[-`{-~]+")


def list_character_ngrams(word: str) -> list[str]:
    """Return the n-grams of 2 to 5 characters of a word with a space on either side.

    Examples
    --------
    >>> list_character_ngrams("ox")
    [' o', 'ox', 'x ', ' ox', 'ox ', ' ox ']
    """
    padded = f" {word} "
    sizes = range(SETTINGS.shortest_ngram, min(SETTINGS.longest_ngram, len(padded)) + 1)
    return [padded[start : start + size] for size in sizes for start in range(len(padded) - size + 1)]


def list_word_ngrams(text: str) -> Iterator[str]:
    """Yield the words of a text and the pairs of neighbours.

    Examples
    --------
    >>> list(list_word_ngrams("no rain, again"))
    ['no', 'rain', 'again', 'no rain', 'rain again']
    """
    words = [word for word in _PUNCTUATION.split(text) if word]
    yield from words
    yield from (f"{first} {second}" for first, second in pairwise(words))


FindColumn = Callable[[str], int]
"""The column of an n-gram; negative where it is unknown."""


def _find_character_columns(texts: Iterable[str], number: FindColumn) -> Iterator[array[int]]:
    cache: dict[str, array[int]] = {}
    for text in texts:
        row = array("i")
        for word in text.split():
            known = cache.get(word)
            if known is None:
                known = array("i", map(number, list_character_ngrams(word)))
                if len(cache) < CACHED_WORDS:
                    cache[word] = known
            row.extend(known)
        yield row


def _find_word_columns(texts: Iterable[str], number: FindColumn) -> Iterator[array[int]]:
    for text in texts:
        yield array("i", map(number, list_word_ngrams(text)))


KINDS: dict[str, Callable[[Iterable[str], FindColumn], Iterator[array[int]]]] = {
    "characters": _find_character_columns,
    "words": _find_word_columns,
}


@dataclass(frozen=True)
class NgramCounts:
    """Counts of each n-gram in each text, in compressed rows: row i is `indices[starts[i]:starts[i + 1]]`."""

    starts: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    n_columns: int

    def take(self, rows: Index) -> NgramCounts:
        """Return some rows."""
        lengths = (self.starts[1:] - self.starts[:-1])[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        where = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return NgramCounts(starts, self.indices[where], self.values[where], self.n_columns)

    def row_numbers(self) -> Index:
        """Return the row of each stored value."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


def _count_columns(rows: Iterable[array[int]], n_columns: Callable[[], int]) -> NgramCounts:
    """Collect numbered rows; unknown n-grams (negative) are dropped, repeats counted with damping 1 + log(count)."""
    indices, values, lengths = [], [], []
    for row in rows:
        numbers = np.frombuffer(row, dtype=np.int32) if len(row) else np.empty(0, np.int32)
        columns, counts = np.unique(numbers[numbers >= 0], return_counts=True)
        indices.append(columns)
        values.append((1 + np.log(counts)).astype(np.float32))
        lengths.append(len(columns))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    joined = np.concatenate([np.empty(0, np.int32), *indices]), np.concatenate([np.empty(0, np.float32), *values])
    return NgramCounts(starts, *joined, n_columns())


def count_ngrams(texts: Sequence[str], kind: str) -> tuple[NgramCounts, list[str]]:
    """Count all n-grams of a kind; the vocabulary is in order of first appearance."""
    vocabulary: dict[str, int] = {}

    def find_column(piece: str) -> int:
        return vocabulary.setdefault(piece, len(vocabulary))

    counts = _count_columns(KINDS[kind](texts, find_column), lambda: len(vocabulary))
    return counts, list(vocabulary)


def count_known_ngrams(texts: Sequence[str], kind: str, vocabulary: dict[str, int]) -> NgramCounts:
    """Count the n-grams of a vocabulary.

    Parameters
    ----------
    texts : sequence of str
    kind : str
        Key of `KINDS`.
    vocabulary : dict of str to int
        N-grams and their columns.
    """
    return _count_columns(KINDS[kind](texts, lambda piece: vocabulary.get(piece, -1)), lambda: len(vocabulary))


@dataclass(frozen=True)
class UnlabelledFrequencies:
    """Frequencies of the same n-grams in unlabelled texts.

    Parameters
    ----------
    frequency : NDArray of int64, shape (n_columns,)
        Texts with the n-gram.
    n_texts : int
    """

    frequency: NDArray[np.int64]
    n_texts: int


@dataclass(frozen=True)
class Idf:
    """Columns that are used and their weights, fitted on some rows.

    Parameters
    ----------
    columns : NDArray of intp, shape (n_kept,)
    weights : NDArray of float32, shape (n_kept,)
        log((1 + n_rows) / (1 + rows with the n-gram)) + 1, rows without labels among them where there are such.
    """

    columns: Index
    weights: NDArray[np.float32]

    @classmethod
    def fit(
        cls, counts: NgramCounts, most: int, unlabelled: UnlabelledFrequencies | None = None, added: bool = False
    ) -> Idf:
        """Keep the `most` n-grams that occur in most rows (first seen first among equals).

        Parameters
        ----------
        counts : NgramCounts
        most : int
        unlabelled : UnlabelledFrequencies or None
            Unlabelled texts, counted as well.
        added : bool
            Keep n-grams that only those have, too.
        """
        own = np.bincount(counts.indices, minlength=counts.n_columns)
        frequency = own if unlabelled is None else own + unlabelled.frequency
        order = np.argsort(-frequency if added else -own, kind="stable")[:most]
        columns = np.sort(order[(frequency if added else own)[order] > 0])
        n_rows = len(counts.starts) - 1 + (unlabelled.n_texts if unlabelled else 0)
        return cls(columns, (np.log((1 + n_rows) / (1 + frequency[columns])) + 1).astype(np.float32))

    def apply(self, counts: NgramCounts) -> NgramCounts:
        """Return the kept columns weighted, each row scaled to length one."""
        place = np.full(counts.n_columns, -1, dtype=np.int32)
        place[self.columns] = np.arange(len(self.columns), dtype=np.int32)
        indices = place[counts.indices]
        is_kept = indices >= 0
        owners, indices = counts.row_numbers()[is_kept], indices[is_kept]
        values = counts.values[is_kept] * self.weights[indices]
        n_rows = len(counts.starts) - 1
        lengths = np.sqrt(np.bincount(owners, values.astype(np.float64) ** 2, minlength=n_rows))
        values = (values / np.maximum(lengths, 1e-12)[owners]).astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=n_rows))]).astype(np.int64)
        return NgramCounts(starts, indices, values, len(self.columns))


def choose_text_length(lengths: Sequence[int], budget: int = SETTINGS.max_characters) -> int:
    """Return the length to cut texts to, so that all together have at most `budget` characters.

    Examples
    --------
    >>> choose_text_length([10, 10, 100], budget=60)
    40
    """
    ordered, left = sorted(lengths), budget
    for position, length in enumerate(ordered):
        share = left // (len(ordered) - position)
        if length > share:
            return max(share, 1)
        left -= length
    return max([*ordered, 1])


def normalise_texts(texts: Iterable[Any], longest: int, composed: bool = True) -> list[str]:
    r"""Cut texts and lower their case; with `composed` in Unicode NFC, in which one letter has one spelling.

    Parameters
    ----------
    texts : iterable of str
    longest : int
        Characters kept of each text.
    composed : bool
        Whether to use Unicode NFC.

    Examples
    --------
    >>> normalise_texts(["Cafe\u0301 au lait"], 5) == normalise_texts(["Caf\u00e9 au lait"], 5)
    True
    """
    if not composed:
        return [str(text)[:longest].lower() for text in texts]
    cut = (unicodedata.normalize("NFC", str(text))[:longest] for text in texts)
    return [unicodedata.normalize("NFC", text.lower()) for text in cut]


def is_nfc(vocabularies: Mapping[str, Iterable[str]]) -> bool:
    r"""Return whether n-grams were counted in Unicode NFC; a vocabulary of an older version may have other spellings.

    Parameters
    ----------
    vocabularies : mapping of str to iterable of str
        Kind of n-gram to its n-grams.

    Examples
    --------
    >>> is_nfc({"words": ["caf\u00e9"]}), is_nfc({"words": ["cafe\u0301"]})
    (True, False)
    """
    return all(unicodedata.is_normalized("NFC", piece) for pieces in vocabularies.values() for piece in pieces)


@dataclass(frozen=True)
class Vectorizer:
    """Texts to weighted counts of the n-grams kept in training, as plain data.

    Parameters
    ----------
    longest : int
        Characters read of a text.
    vocabularies : dict of str to dict of str to int
        Kind of n-gram to its n-grams and their columns.
    weights : dict of str to NDArray of float32
    """

    longest: int
    vocabularies: dict[str, dict[str, int]]
    weights: dict[str, NDArray[np.float32]]

    @cached_property
    def composed(self) -> bool:
        """Return whether texts are counted in Unicode NFC."""
        return is_nfc(self.vocabularies)

    def blocks(self, texts: Iterable[Any]) -> list[NgramCounts]:
        """Return one block of columns for each kind of n-gram."""
        cut = normalise_texts(texts, self.longest, self.composed)
        return [
            Idf(np.arange(len(known)), self.weights[kind]).apply(count_known_ngrams(cut, kind, known))
            for kind, known in self.vocabularies.items()
        ]

    def state(self) -> FittedState:
        """Return vocabularies as lists and weights as arrays."""
        meta = {"longest": self.longest, "pieces": {kind: list(known) for kind, known in self.vocabularies.items()}}
        return FittedState(meta, {f"idf/{kind}": values for kind, values in self.weights.items()})

    @classmethod
    def load(cls, state: FittedState) -> Vectorizer:
        """Restore what `state` gave."""
        pieces = state.meta["pieces"]
        numbered = {kind: {piece: at for at, piece in enumerate(known)} for kind, known in pieces.items()}
        return cls(int(state.meta["longest"]), numbered, {kind: state.arrays[f"idf/{kind}"] for kind in pieces})
