"""Guesses for all examples from the labels of a few: the nearest mean while they are very few, else a linear head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.data.splitting.folds import assign_folds
from headstart.flow.labelling.settings import SETTINGS
from headstart.records import FloatMatrix, Index
from headstart.strategies.linear.head import Head, fit_head
from headstart.strategies.linear.temperature import find_class_temperature
from headstart.strategies.record import Clock, Task

Floats = NDArray[np.float64]
Vectors = NDArray[np.floating]
BLOCK = 8_192
LOWEST = 1e-12


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """Probabilities of every kind for every example.

    Parameters
    ----------
    probabilities : FloatMatrix, shape (n_rows, n_kinds)
    out_of_fold : Floats, shape (n_judged, n_kinds)
        For the labelled examples, each guessed without its own label; NaN where no guess was possible.
    judged : Index, shape (n_judged,)
        The labelled rows that were learnt from: some of them where there are very many.
    method : str
        "nearest-mean" or "head".
    """

    probabilities: FloatMatrix
    out_of_fold: Floats
    judged: Index
    method: str


def take_rows(vectors: Vectors, rows: Index | slice) -> FloatMatrix:
    """Return some rows as float32 of length one.

    Parameters
    ----------
    vectors : Vectors, shape (n_rows, n_dims)
        May be a memory map in half precision.
    rows : Index or slice
    """
    block = np.asarray(vectors[rows], dtype=np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", block, block))
    return np.asarray(block / np.maximum(lengths, LOWEST)[:, None], dtype=np.float32)


def compute_mean(vectors: Vectors) -> NDArray[np.float32]:
    """Return the mean direction of all rows (n_dims,), block by block.

    Parameters
    ----------
    vectors : Vectors, shape (n_rows, n_dims)
    """
    total = np.zeros(vectors.shape[1])
    for start in range(0, len(vectors), BLOCK):
        total += take_rows(vectors, slice(start, start + BLOCK)).sum(axis=0, dtype=np.float64)
    return np.asarray(total / max(1, len(vectors)), dtype=np.float32)


def guess_kinds(vectors: Vectors, judged: Index, codes: Index, n_kinds: int) -> Guesses:
    """Guess the kind of every row from the labels of some.

    Parameters
    ----------
    vectors : Vectors, shape (n_rows, n_dims)
    judged : Index, shape (n_judged,)
        Rows with a label, of at least two kinds.
    codes : Index, shape (n_judged,)
        Kind of each of them, 0 .. n_kinds - 1; kinds without a label get the probability 0.
    n_kinds : int

    Returns
    -------
    Guesses
        Probabilities are tempered by what was right of the labelled rows, each guessed without its own label.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    >>> guesses = guess_kinds(rows, np.array([0, 2]), np.array([0, 1]), 2)
    >>> guesses.probabilities.argmax(axis=1).tolist(), guesses.method
    ([0, 0, 1, 1], 'nearest-mean')
    """
    judged, codes = _thin_out(judged, codes)
    counts = np.bincount(codes, minlength=n_kinds)
    seen = np.flatnonzero(counts)
    mean_count = len(codes) / max(1, len(seen))
    narrow = np.searchsorted(seen, codes)
    guess = _guess_by_head if mean_count >= SETTINGS.early_labels else _guess_by_means
    guesses = guess(vectors, judged, narrow, len(seen))
    return Guesses(
        probabilities=_widen(guesses.probabilities, seen, n_kinds).astype(np.float32),
        out_of_fold=_widen(guesses.out_of_fold, seen, n_kinds),
        judged=judged,
        method=guesses.method,
    )


def _thin_out(judged: Index, codes: Index) -> tuple[Index, Index]:
    if len(judged) <= SETTINGS.most_learnt:
        return judged, codes
    some = np.sort(np.random.default_rng(0).permutation(len(judged))[: SETTINGS.most_learnt])
    return judged[some], codes[some]


def _widen(values: NDArray[np.floating], seen: Index, n_kinds: int) -> Floats:
    wide = np.zeros((len(values), n_kinds))
    wide[:, seen] = values
    return wide


def _guess_by_means(vectors: Vectors, judged: Index, codes: Index, n_kinds: int) -> Guesses:
    """Guess by the cosine to the mean of each kind's rows, after the mean of all rows is taken off."""
    centre = compute_mean(vectors)
    rows = _centre_rows(take_rows(vectors, judged), centre)
    sums = np.zeros((n_kinds, rows.shape[1]))
    np.add.at(sums, codes, rows)
    scores = rows @ _scale_rows(sums).T
    counts = np.bincount(codes, minlength=n_kinds)
    own = _scale_rows(sums[codes] - rows)
    at = np.arange(len(rows))
    scores[at, codes] = np.einsum("ij,ij->i", rows, own)
    scores[counts[codes] < 2] = np.nan  # Without its own label nothing is known of such a kind.
    n_scored = int((counts[codes] >= 2).sum())
    temperature = find_class_temperature(codes, scores) if n_scored >= 2 * n_kinds else SETTINGS.early_temperature
    probabilities = np.empty((len(vectors), n_kinds), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        part = slice(start, start + BLOCK)
        block = _centre_rows(take_rows(vectors, part), centre)
        probabilities[part] = _softmax(block @ _scale_rows(sums).T / temperature)
    return Guesses(
        probabilities=probabilities, out_of_fold=_softmax(scores / temperature), judged=judged, method="nearest-mean"
    )


def _guess_by_head(vectors: Vectors, judged: Index, codes: Index, n_kinds: int) -> Guesses:
    """Guess by a linear head whose strength and temperature are chosen out of fold."""
    rows = take_rows(vectors, judged)
    head, out_of_fold = _fit_tempered_head(rows, codes, n_kinds)
    probabilities = np.empty((len(vectors), n_kinds), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        part = slice(start, start + BLOCK)
        block = take_rows(vectors, part) - head.centre
        probabilities[part] = _softmax(block @ head.coefficients + head.intercept)
    return Guesses(probabilities=probabilities, out_of_fold=out_of_fold, judged=judged, method="head")


def _fit_tempered_head(rows: FloatMatrix, codes: Index, n_kinds: int) -> tuple[Head, Floats]:
    """Return a head, tempered, and the tempered out-of-fold probabilities (n_rows, n_kinds)."""
    folds = assign_folds(codes, np.arange(len(codes)), SETTINGS.n_folds, seed=0)
    task = Task(
        classes=tuple(f"{code:06d}" for code in range(n_kinds)), codes=codes, folds=folds, balance="off", seed=0,
        clock=Clock(SETTINGS.head_seconds),
    )  # fmt: skip
    head, fitted = fit_head(rows, task)
    scores = np.log(np.maximum(fitted.choice.out_of_fold, LOWEST))
    temperature = find_class_temperature(codes, scores)
    return head.scaled_by_temperature(temperature), _softmax(scores / temperature)


def _centre_rows(rows: FloatMatrix, centre: NDArray[np.float32]) -> FloatMatrix:
    return _scale_rows(rows - centre)


def _scale_rows(rows: NDArray[np.floating]) -> FloatMatrix:
    lengths = np.sqrt(np.square(rows).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, LOWEST), dtype=np.float32)


def _softmax(scores: NDArray[np.floating]) -> Floats:
    values = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(values / values.sum(axis=1, keepdims=True), dtype=np.float64)
