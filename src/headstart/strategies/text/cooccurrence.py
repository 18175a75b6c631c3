"""Counts of unlabelled texts: in how many texts an n-gram occurs, and which n-grams occur together.

Counted once, outside all folds, for `classic` on texts; nothing of it depends on a label. Kept as plain arrays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from headstart import progress
from headstart.errors import DataError
from headstart.records import FloatMatrix, Index
from headstart.strategies.settings import SETTINGS
from headstart.strategies.text.tfidf import KINDS, NgramCounts, UnlabelledFrequencies, count_ngrams, normalise_texts

MOST_NGRAMS = {"characters": SETTINGS.character_ngrams, "words": SETTINGS.word_ngrams}
"""N-grams of each kind that are kept, those of most texts first."""


@dataclass(frozen=True, kw_only=True)
class Cooccurrence:
    """Counts and vectors; a mapping for each of `headstart.strategies.text.tfidf.KINDS`.

    Parameters
    ----------
    n_texts : int
        Texts that were counted.
    n_characters : int
    ngrams : mapping of str to tuple of str
    frequencies : mapping of str to NDArray of int32, shape (n_pieces,)
        Texts in which an n-gram occurs.
    projection : mapping of str to NDArray of float16, shape (n_pieces, n_dims)
        N-grams that occur in the same texts point the same way; no columns where there were too few texts.
    """

    n_texts: int
    n_characters: int
    ngrams: Mapping[str, tuple[str, ...]]
    frequencies: Mapping[str, NDArray[np.int32]]
    projection: Mapping[str, NDArray[np.float16]]

    @property
    def n_dims(self) -> int:
        """Columns of the projection."""
        return int(self.projection["words"].shape[1])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays; n-grams hold no line break and are joined by them."""
        arrays: dict[str, NDArray[Any]] = {"counted": np.array([self.n_texts, self.n_characters], dtype=np.int64)}
        for kind in KINDS:
            joined = "\n".join(self.ngrams[kind]).encode("utf-8", "surrogatepass")
            arrays[f"{kind}/pieces"] = np.frombuffer(joined, dtype=np.uint8).copy()
            arrays[f"{kind}/frequencies"] = self.frequencies[kind]
            arrays[f"{kind}/projection"] = self.projection[kind]
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], source: str) -> Cooccurrence:
        """Restore what `arrays` gave.

        Parameters
        ----------
        arrays : mapping of str to array
        source : str
            Where they were read, for the message.

        Raises
        ------
        DataError
            Something is missing or does not fit the rest.
        """
        damaged = DataError(f"{source} has no word statistics, or only a part of them.", "Make it again.")
        try:
            texts = {kind: arrays[f"{kind}/pieces"].tobytes().decode("utf-8", "surrogatepass") for kind in KINDS}
            ngrams = {kind: tuple(text.split("\n")) if text else () for kind, text in texts.items()}
            frequencies = {kind: arrays[f"{kind}/frequencies"].astype(np.int32) for kind in KINDS}
            projection = {kind: arrays[f"{kind}/projection"].astype(np.float16) for kind in KINDS}
            n_texts, n_characters = (int(value) for value in arrays["counted"])
        except (KeyError, UnicodeDecodeError, ValueError) as error:
            raise damaged from error
        widths = {values.shape[1:] for values in projection.values()}
        fits = all(len(frequencies[kind]) == len(projection[kind]) == len(ngrams[kind]) for kind in KINDS)
        if not fits or len(widths) != 1 or len(next(iter(widths))) != 1:
            raise damaged
        if not all(np.isfinite(values).all() for values in projection.values()):
            raise damaged
        return cls(
            n_texts=n_texts, n_characters=n_characters, ngrams=ngrams, frequencies=frequencies, projection=projection
        )

    def digest(self) -> str:
        """Return the hash (hex) of everything."""
        digest = hashlib.sha256()
        for name, value in self.arrays().items():
            digest.update(name.encode() + value.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class ColumnStatistics:
    """Statistics of the columns of one kind of n-gram in unlabelled texts.

    Parameters
    ----------
    ngrams : list of str
        Those of the rows, then those that only unlabelled texts have.
    unlabelled : UnlabelledFrequencies
        How often unlabelled texts have each.
    places : Index, shape (n_pieces,)
        Row of the projections of all kinds put together; those without one are given the row after the last.
    """

    ngrams: list[str]
    unlabelled: UnlabelledFrequencies
    places: Index


def align_columns(cooccurrence: Cooccurrence, kind: str, own: Sequence[str]) -> ColumnStatistics:
    """Return what unlabelled texts say of the n-grams of some rows."""
    known = {piece: at for at, piece in enumerate(cooccurrence.ngrams[kind])}
    mine = set(own)
    ngrams = [*own, *(piece for piece in cooccurrence.ngrams[kind] if piece not in mine)]
    places_of = np.array([known.get(piece, -1) for piece in ngrams], dtype=np.intp)
    counted = np.append(cooccurrence.frequencies[kind], 0)[places_of].astype(np.int64)
    sizes = [len(cooccurrence.ngrams[name]) for name in KINDS]
    first = sum(sizes[: list(KINDS).index(kind)])
    return ColumnStatistics(
        ngrams,
        UnlabelledFrequencies(counted, cooccurrence.n_texts),
        np.where(places_of < 0, sum(sizes), places_of + first),
    )


def count_affordable_characters(seconds: float) -> int:
    """Return how many characters can be read in a time.

    Parameters
    ----------
    seconds : float
    """
    return int(min(SETTINGS.cooccurrence_characters, max(0.0, seconds) * SETTINGS.cooccurrence_characters_per_second))


def learn_cooccurrence(
    texts: Sequence[str],
    seed: int,
    most: int = SETTINGS.cooccurrence_characters,
    limits: Mapping[str, int] = MOST_NGRAMS,
) -> Cooccurrence:
    """Count n-grams of texts, and find which occur together.

    Parameters
    ----------
    texts : sequence of str
        Without labels.
    seed : int
        Of the sample, where the texts are longer than `most`, and of the projection.
    most : int
        Characters of all texts together that are read.
    limits : mapping of str to int
        N-grams of each kind that are kept.

    Returns
    -------
    Words

    Notes
    -----
    Positive pointwise mutual information of n-grams and texts, and its singular vectors (Levy, Goldberg and Dagan 2015;
    latent semantic kernels: Cristianini, Shawe-Taylor and Lodhi 2002), weighted by their singular values.
    """
    read = _sample_texts(texts, seed, most)
    n_characters = sum(map(len, read))
    if n_characters > SETTINGS.cooccurrence_characters_per_second:
        seconds = n_characters / SETTINGS.cooccurrence_characters_per_second
        progress.say(f"Counting words of {len(read):,} unlabelled texts: about {seconds:.0f} s.")
    ngrams, counts, frequencies = {}, {}, {}
    for kind, limit in limits.items():
        every, known = count_ngrams(read, kind)
        frequency = np.bincount(every.indices, minlength=every.n_columns)
        columns = np.sort(np.argsort(-frequency, kind="stable")[:limit])
        ngrams[kind] = tuple(known[column] for column in columns)
        frequencies[kind], counts[kind] = frequency[columns].astype(np.int32), _to_sparse(every)[:, columns]
    whole = hstack([counts[kind] for kind in KINDS], format="csr", dtype=np.float32)
    axes = (
        _compute_axes(compute_ppmi(whole), seed)
        if len(read) >= SETTINGS.cooccurrence_min_texts
        else np.empty((whole.shape[1], 0))
    )
    cut = len(ngrams["characters"])
    halves = {"characters": axes[:cut].astype(np.float16), "words": axes[cut:].astype(np.float16)}
    return Cooccurrence(
        n_texts=len(read), n_characters=n_characters, ngrams=ngrams, frequencies=frequencies, projection=halves
    )


def _to_sparse(counts: NgramCounts) -> csr_matrix:
    return csr_matrix((counts.values, counts.indices, counts.starts), shape=(len(counts.starts) - 1, counts.n_columns))


def _sample_texts(texts: Sequence[str], seed: int, most: int) -> list[str]:
    """Cut texts, and take as many as have `most` characters together."""
    cut = normalise_texts(texts, SETTINGS.cooccurrence_text_characters)
    order = np.random.default_rng(seed).permutation(len(cut))
    ends = np.cumsum([len(cut[at]) for at in order])
    taken = order[: max(1, int(np.searchsorted(ends, most, side="right")))]
    return [cut[at] for at in np.sort(taken)]


def compute_ppmi(counts: csr_matrix) -> csr_matrix:
    """Compute the positive pointwise mutual information of rows and columns, each row of length one.

    Parameters
    ----------
    counts : csr_matrix, shape (n_texts, n_pieces)
        Never negative.

    Returns
    -------
    csr_matrix, shape (n_texts, n_pieces)

    Examples
    --------
    The n-gram that both texts share says nothing of either:

    >>> compute_ppmi(csr_matrix(np.array([[1.0, 1, 0], [1, 0, 1]]))).toarray().tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    rows, columns = (np.asarray(counts.sum(axis=axis), dtype=np.float64).ravel() for axis in (1, 0))
    owners = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    values = np.log(counts.data * rows.sum() / (rows[owners] * columns[counts.indices]))
    values = np.maximum(values, 0)
    lengths = np.sqrt(np.bincount(owners, values**2, minlength=counts.shape[0]))
    scaled = (values / np.maximum(lengths, 1e-12)[owners]).astype(np.float32)
    return csr_matrix((scaled, counts.indices, counts.indptr), shape=counts.shape)


def _compute_axes(matrix: csr_matrix, seed: int) -> FloatMatrix:
    """Compute leading right singular vectors times their singular values, the largest being 1 (Halko et al. 2011)."""
    n_dims = min(SETTINGS.cooccurrence_dims, *matrix.shape)
    if n_dims == 0:
        return np.empty((matrix.shape[1], 0), dtype=np.float32)
    drawn = np.random.default_rng(seed).standard_normal(
        (matrix.shape[1], n_dims + SETTINGS.cooccurrence_extra_dims), dtype=np.float32
    )
    turned = matrix.T.tocsr()
    basis = np.linalg.qr(matrix @ drawn)[0]
    for _ in range(SETTINGS.cooccurrence_turns):
        basis = np.linalg.qr(matrix @ np.linalg.qr(turned @ basis)[0])[0]
    seen = turned @ basis
    values, vectors = np.linalg.eigh(seen.T @ seen)
    order = np.argsort(-values)[:n_dims]
    return np.asarray(seen @ vectors[:, order] / np.sqrt(max(float(values[order[0]]), 1e-12)), dtype=np.float32)
