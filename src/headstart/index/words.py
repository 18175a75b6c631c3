"""The words of texts beside their vectors, for languages that the base does not read: TF-IDF of pieces of words.

Pieces are hashed, so that no vocabulary is stored, and listed by piece, so that a query touches its own pieces only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from headstart.array_files import ArraySpec
from headstart.index.record import Array, Hit
from headstart.index.settings import SETTINGS
from headstart.records import Index

SPECS = {
    "starts": ArraySpec("int64", ("starts",)),
    "rows": ArraySpec("int32", ("entries",)),
    "weights": ArraySpec("float16", ("entries",)),
    "idf": ArraySpec("float32", ("pieces",), finite=True),
}
"""The arrays of `WordPostings` in a file."""


@dataclass(frozen=True)
class WordPostings:
    """Rows by the pieces of words in them.

    Parameters
    ----------
    starts : int64 array, shape (n_pieces + 1,)
        Where the entries of each piece begin.
    rows : int32 array, shape (n_entries,)
        Number of the row of each entry.
    weights : float16 array, shape (n_entries,)
        Weight of the piece in the row; those of a row have length one.
    idf : float32 array, shape (n_pieces,)
        How rare each piece is.
    """

    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    weights: NDArray[np.float16]
    idf: NDArray[np.float32]

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array], n_rows: int) -> WordPostings:
        """Return the postings that a file holds.

        Parameters
        ----------
        arrays : mapping of str to array
            As `SPECS` has them.
        n_rows : int
            Of the index.

        Raises
        ------
        ValueError
            They do not belong together.
        """
        postings = cls(*(arrays[name] for name in SPECS))
        is_ordered = len(postings.starts) == SETTINGS.word_pieces + 1 == len(postings.idf) + 1
        is_ordered &= bool(postings.starts[0] == 0 and (np.diff(postings.starts) >= 0).all())
        is_inside = not len(postings.rows) or (postings.rows.min() >= 0 and postings.rows.max() < n_rows)
        if not is_ordered or postings.starts[-1] != len(postings.rows) or not is_inside:
            raise ValueError("its entries do not belong together")
        return postings

    def rank_rows(self, query: str, n_rows: int, k: int, rows: Index | None = None) -> list[Hit]:
        """Return the rows that share most pieces with a query, best first; rows that share none are left out.

        Parameters
        ----------
        query : str
        n_rows : int
            Of the index.
        k : int
        rows : Index, optional
            The rows that may be hit.
        """
        counts = _make_hasher().transform([query])
        weights = (1.0 + np.log(counts.data)) * self.idf[counts.indices]
        length = float(np.sqrt(weights @ weights))
        scores = np.zeros(n_rows, dtype=np.float32)
        for piece, weight in zip(counts.indices, weights, strict=True):
            part = slice(self.starts[piece], self.starts[piece + 1])
            scores[self.rows[part]] += self.weights[part].astype(np.float32) * np.float32(weight / length)
        if rows is not None:
            allowed = np.zeros(n_rows, dtype=bool)
            allowed[rows] = True
            scores[~allowed] = 0.0
        best = np.argsort(-scores, kind="stable")[:k]
        return [Hit(int(row), float(scores[row])) for row in best if scores[row] > 0]


def _make_hasher() -> HashingVectorizer:
    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(SETTINGS.shortest_piece, SETTINGS.longest_piece),
        n_features=SETTINGS.word_pieces,
        alternate_sign=False,
        norm=None,
    )


def build_postings(texts: Sequence[str]) -> WordPostings:
    """Count the pieces of words in texts.

    Parameters
    ----------
    texts : sequence of str, length n_rows
        Their beginnings are enough: see `word_characters`.
    """
    counts = _make_hasher().transform(text[: SETTINGS.word_characters] for text in texts)
    weigher = TfidfTransformer(sublinear_tf=True)
    by_piece = weigher.fit_transform(counts).tocsc()
    by_piece.sort_indices()
    return WordPostings(
        by_piece.indptr.astype(np.int64),
        by_piece.indices.astype(np.int32),
        by_piece.data.astype(np.float16),
        weigher.idf_.astype(np.float32),
    )
