"""`classic` for texts: TF-IDF of pieces of words and of words, then a linear model; nothing pre-trained.

Which pieces are kept, their idf and the regression are fitted inside each fold.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from headstart.records import Index, Probabilities, State
from headstart.strategies import costs, solver
from headstart.strategies.crossval import Search, learn
from headstart.strategies.linear import LARGEST_ROTATION
from headstart.strategies.links import LINK_OF, LINKS
from headstart.strategies.ngrams import KINDS, Counts, Idf, Vectorizer, count, longest_text, ready
from headstart.strategies.record import Forecast, Rows, Task

STRENGTHS = tuple(float(f"1e{exponent}") for exponent in range(-3, 4))
FALLBACK = 10.0
MOST_PIECES = {"characters": 150_000, "words": 50_000}
MOST_COEFFICIENTS = 2_000_000
SAMPLE_TEXTS = 300
ENCODE_SHARE = 0.1
"""Weighting counts once, as a share of counting."""
OFTEN = 0.05
"""Columns that occur in a larger share of the rows are multiplied as dense matrices."""


def _sparse(counts: Counts) -> csr_matrix:
    shape = (len(counts.starts) - 1, counts.n_columns)
    return csr_matrix((counts.values, counts.indices, counts.starts), shape=shape)


def _joined(blocks: Sequence[Counts]) -> csr_matrix:
    return hstack([_sparse(block) for block in blocks], format="csr", dtype=np.float32)


def products(first: csr_matrix, second: csr_matrix, frequent: Index) -> NDArray[np.float64]:
    """Give `first @ second.T` (n_first, n_second): frequent columns as dense matrices, the others sparsely."""
    rare = np.setdiff1d(np.arange(first.shape[1]), frequent)
    dense = first[:, frequent].toarray() @ second[:, frequent].toarray().T
    return np.asarray(dense + (first[:, rare] @ second[:, rare].T).toarray(), dtype=np.float64)


class Span:
    """Sparse rows, expressed in the few dimensions that they span (exact for an L2 penalty, see `linear`)."""

    def __init__(self, rows: csr_matrix) -> None:
        self.rows = rows
        self.frequent = np.flatnonzero(np.bincount(rows.indices, minlength=rows.shape[1]) > OFTEN * rows.shape[0])
        values, vectors = np.linalg.eigh(products(rows, rows, self.frequent).astype(np.float32))
        kept = values > 1e-6 * max(float(values[-1]), 1e-12)
        lengths = np.sqrt(values[kept])
        self.matrix = (vectors[:, kept] * lengths).astype(np.float32)
        self.back = vectors[:, kept] / lengths

    def apply(self, others: csr_matrix) -> NDArray[np.float32]:
        """Express other rows."""
        return np.asarray(products(others, self.rows, self.frequent) @ self.back, dtype=np.float32)

    def columns(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Express coefficients on the span as coefficients on the columns."""
        return np.asarray(self.rows.T @ (self.back @ coefficients), dtype=np.float64)


class _Encoding:
    """TF-IDF fitted on some rows; few rows are expressed in their span, which makes solving ten times faster."""

    def __init__(self, counts: Sequence[Counts], rows: Index, most: Sequence[int], spanned: bool = True) -> None:
        self.counts = counts
        parts = [block.take(rows) for block in counts]
        self.idf = [Idf.of(part, limit) for part, limit in zip(parts, most, strict=True)]
        sparse = _joined([idf.apply(part) for idf, part in zip(self.idf, parts, strict=True)])
        few = spanned and len(rows) <= min(LARGEST_ROTATION, sparse.shape[1])
        self.span = Span(sparse) if few else None
        self.matrix = sparse if self.span is None else self.span.matrix

    def apply(self, rows: Index) -> solver.Matrix:
        """Give other rows in the same columns."""
        parts = [block.take(rows) for block in self.counts]
        sparse = _joined([idf.apply(part) for idf, part in zip(self.idf, parts, strict=True)])
        return sparse if self.span is None else self.span.apply(sparse)

    def columns(self, coefficients: solver.Coefficients) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give coefficients on the columns, and the intercept."""
        plain = coefficients[:-1] if self.span is None else self.span.columns(coefficients[:-1])
        return plain.astype(np.float32), coefficients[-1].astype(np.float32)


@dataclass(frozen=True)
class TextModel:
    """A vectorizer and a linear model on its columns."""

    vectorizer: Vectorizer
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]
    link: str = "softmax"

    def predict(self, rows: Rows) -> Probabilities:
        """Give probabilities (n_rows, n_classes)."""
        if len(rows) == 0:
            return np.empty((0, len(self.intercept)))
        raw = _joined(self.vectorizer.blocks(rows.table.inputs)) @ self.coefficients
        return LINKS[self.link](raw + self.intercept)

    def state(self) -> State:
        """Give everything as plain data."""
        inner = self.vectorizer.state()
        arrays = {**inner.arrays, "coefficients": self.coefficients, "intercept": self.intercept}
        return State({**inner.meta, "link": self.link}, arrays)

    @classmethod
    def load(cls, state: State) -> TextModel:
        """Restore what `state` gave."""
        link = str(state.meta.get("link", "softmax"))  # The first bundles knew classes only.
        return cls(Vectorizer.load(state), state.arrays["coefficients"], state.arrays["intercept"], link)


def fit(rows: Rows, task: Task) -> tuple[TextModel, Probabilities, tuple[str, ...]]:
    """Fit TF-IDF and a linear model on the texts of `rows.table.inputs`."""
    inputs = rows.table.inputs
    longest = longest_text([len(text) for text in inputs])
    texts = ready(inputs, longest)
    counts, pieces = zip(*(count(texts, kind) for kind in KINDS), strict=True)
    share = min(1.0, MOST_COEFFICIENTS / len(task.classes) / sum(MOST_PIECES.values()))
    most = [int(MOST_PIECES[kind] * share) for kind in KINDS]
    learnt = learn(lambda chosen: _Encoding(counts, chosen, most), task, Search(STRENGTHS, FALLBACK))
    assert isinstance(learnt.encoding, _Encoding)
    vocabularies, weights = {}, {}
    for kind, idf, known in zip(KINDS, learnt.encoding.idf, pieces, strict=True):
        vocabularies[kind] = {known[column]: at for at, column in enumerate(idf.columns)}
        weights[kind] = idf.weights
    halves = learnt.encoding.columns(learnt.coefficients)
    cut = (f"read the first {longest} characters of each text",) if longest < max(map(len, inputs)) else ()
    model = TextModel(Vectorizer(longest, vocabularies, weights), *halves, LINK_OF[task.kind])
    return model, learnt.choice.out_of_fold, (*learnt.notes, *cut)


def forecast(rows: Rows, task: Task) -> Forecast:
    """Say what `fit` will cost, from some of the texts."""
    inputs = rows.table.inputs
    longest = longest_text([len(text) for text in inputs])
    some = inputs[:: max(1, len(inputs) // SAMPLE_TEXTS)]
    began = time.perf_counter()
    counts = [count(ready(some, longest), kind)[0] for kind in KINDS]
    counting = (time.perf_counter() - began) * len(inputs) / len(some)
    n_columns = min(sum(MOST_PIECES.values()), MOST_COEFFICIENTS // len(task.classes))
    most = [block.n_columns for block in counts]
    sample = _Encoding(counts, np.arange(len(some)), most, spanned=False).matrix
    solved = costs.sparse(sample, len(inputs), n_columns, task)
    n_encoded = len(np.unique(task.folds)) + 1
    return Forecast(counting * (1 + ENCODE_SHARE * n_encoded) + solved.seconds, solved.memory_bytes)
