"""`classic` for texts: TF-IDF of character n-grams and of words, then a linear model; no pre-trained network.

Which n-grams are kept, their idf and the regression are fitted inside each fold. Unlabelled texts, where there are
such, are counted for the idf. N-grams that occur together in them make rows similar that share no word (a linear
kernel: the model stays one coefficient per n-gram); cross-validation decides whether this is used.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.fitted import FittedModel
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.cross_validation import WORKERS, FittedLinear, StrengthSearch, fit_linear
from headstart.strategies.linear.glm import Coefficients, Matrix
from headstart.strategies.linear.links import LINK_OF, LINKS
from headstart.strategies.record import CostForecast, StrategyRows, Task
from headstart.strategies.scoring import OBJECTIVES, is_imbalanced
from headstart.strategies.text.cooccurrence import MOST_LABELLED, ColumnStatistics, Cooccurrence, align_columns
from headstart.strategies.text.tfidf import (
    KINDS,
    Idf,
    NgramCounts,
    Vectorizer,
    choose_text_length,
    count_ngrams,
    normalise_texts,
)

STRENGTHS = tuple(float(f"1e{exponent}") for exponent in range(-3, 4))
FALLBACK = 10.0
MOST_NGRAMS = {"characters": 150_000, "words": 50_000}
MOST_COEFFICIENTS = 2_000_000
SAMPLE_TEXTS = 600
ENCODE_SHARE = 0.1
"""Weighting counts once, as a share of counting."""
OFTEN = 0.05
"""Columns that occur in a larger share of the rows are multiplied as dense matrices."""
RATIO_POWER = 0.5
"""Power of the log-count ratios that columns are multiplied by, where classes are even (docs/decisions/0017)."""
MIXES = (0.5, 0.0)
"""Share (0-1) of the similarity of two rows that comes from n-grams occurring together in unlabelled texts."""


def _to_sparse(counts: NgramCounts) -> csr_matrix:
    shape = (len(counts.starts) - 1, counts.n_columns)
    return csr_matrix((counts.values, counts.indices, counts.starts), shape=shape)


def _join_blocks(blocks: Sequence[NgramCounts]) -> csr_matrix:
    return hstack([_to_sparse(block) for block in blocks], format="csr", dtype=np.float32)


def multiply_rows(first: csr_matrix, second: csr_matrix, frequent: Index) -> NDArray[np.float64]:
    """Return `first @ second.T` (n_first, n_second): frequent columns as dense matrices, the others sparse."""
    rare = np.setdiff1d(np.arange(first.shape[1]), frequent)
    dense = first[:, frequent].toarray() @ second[:, frequent].toarray().T
    return np.asarray(dense + (first[:, rare] @ second[:, rare].T).toarray(), dtype=np.float64)


def one_hot_classes(task: Task) -> csr_matrix | None:
    """Return the class of each row (n_rows, n_classes); None without classes, if imbalanced, or if rows are many."""
    n_rows = len(task.codes)
    if task.truth is not None or n_rows > MOST_LABELLED or is_imbalanced(task.codes):
        return None
    ones, rows = np.ones(n_rows, np.float32), np.arange(n_rows)
    return csr_matrix((ones, (rows, task.codes)), shape=(n_rows, len(task.classes)))


def weigh_columns(rows: csr_matrix, targets: csr_matrix) -> NDArray[np.float32]:
    """Compute weights of columns from how differently often they occur with and without each class; their mean is 1.

    Parameters
    ----------
    rows : csr_matrix, shape (n_rows, n_columns)
    targets : csr_matrix of 0 and 1, shape (n_rows, n_outputs)

    Returns
    -------
    NDArray of float32, shape (n_columns,)

    Notes
    -----
    Log-count ratios of naive Bayes (Wang and Manning 2012), their root mean square over outputs, to a power.

    Examples
    --------
    >>> weigh_columns(csr_matrix(np.eye(2)), csr_matrix(np.eye(2))).tolist()
    [1.0, 1.0]
    """
    occurs = csr_matrix((np.ones(rows.nnz, np.float32), rows.indices, rows.indptr), shape=rows.shape)
    n_with = np.asarray(targets.sum(axis=0), dtype=np.float64).ravel()
    varied = np.flatnonzero((n_with > 0) & (n_with < rows.shape[0]))
    n_with, having = n_with[varied], (occurs.T @ targets[:, varied]).toarray().astype(np.float64)
    others = np.asarray(occurs.sum(axis=0), dtype=np.float64).reshape(-1, 1) - having
    ratios = np.log((having + 1) / (n_with + 2)) - np.log((others + 1) / (rows.shape[0] - n_with + 2))
    size = np.sqrt(np.square(ratios).mean(axis=1)) if len(varied) else np.zeros(rows.shape[1])
    mean = float(size.mean()) if len(size) else 0.0
    return np.asarray((size / mean) ** RATIO_POWER if mean > 0 else np.ones(len(size)), dtype=np.float32)


@dataclass(frozen=True)
class CooccurrenceKernel:
    """N-grams that occur together, as a projection of the columns of some rows.

    Parameters
    ----------
    places : Index, shape (n_columns,)
        Each column's row of the projection.
    projection : FloatMatrix, shape (n_pieces + 1, n_dims)
        The last row is zero, for columns that unlabelled texts do not have.
    mix : float
        0 to 1, as in `MIXES`.
    """

    places: Index
    projection: FloatMatrix
    mix: float

    def apply(self, rows: csr_matrix) -> FloatMatrix:
        """Project rows; shape (n_rows, n_dims)."""
        shape = (rows.shape[0], len(self.projection))
        placed = csr_matrix((rows.data, self.places[rows.indices], rows.indptr), shape=shape)
        return np.asarray(placed @ self.projection)

    def back(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return coefficients on the columns from those on the projection (n_dims, n_outputs)."""
        return np.asarray((self.projection @ coefficients)[self.places], dtype=np.float64)


def _spread(values: NDArray[np.float32]) -> float:
    """Return the sum of squared distances from the mean row."""
    return float(np.square(values - values.mean(axis=0)).sum(dtype=np.float64))


class RowSpan:
    """Sparse rows, expressed in the few dimensions that they span (exact for an L2 penalty, see `linear`).

    With `smooth`, rows are `[sqrt(1 - mix) x, sqrt(mix * scale) x P]`, the scale giving both parts the same spread.
    """

    def __init__(self, rows: csr_matrix, smooth: CooccurrenceKernel | None = None) -> None:
        self.rows, self.smooth = rows, smooth
        self.frequent = np.flatnonzero(np.bincount(rows.indices, minlength=rows.shape[1]) > OFTEN * rows.shape[0])
        similarities = multiply_rows(rows, rows, self.frequent)
        self.mix, self.scale = 0.0, 0.0
        if smooth is not None:
            self.projected = smooth.apply(rows)
            spread = _spread(self.projected)
            self.mix = smooth.mix if spread > 0 else 0.0
            self.scale = (
                self.mix * (np.trace(similarities) - similarities.sum() / len(similarities)) / max(spread, 1e-12)
            )
            similarities = (1 - self.mix) * similarities + self.scale * (self.projected @ self.projected.T)
        values, vectors = np.linalg.eigh(similarities.astype(np.float32))
        positive = values > 1e-6 * max(float(values[-1]), 1e-12)
        lengths = np.sqrt(values[positive])
        self.matrix = (vectors[:, positive] * lengths).astype(np.float32)
        self.back = vectors[:, positive] / lengths

    def apply(self, others: csr_matrix) -> NDArray[np.float32]:
        """Express other rows."""
        similarities = multiply_rows(others, self.rows, self.frequent)
        if self.smooth is not None:
            similarities = (1 - self.mix) * similarities + self.scale * (self.smooth.apply(others) @ self.projected.T)
        return np.asarray(similarities @ self.back, dtype=np.float32)

    def to_columns(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Express coefficients on the span as coefficients on the columns."""
        on_rows = self.back @ coefficients
        on_columns = np.asarray(self.rows.T @ on_rows, dtype=np.float64)
        if self.smooth is not None:
            on_columns = (1 - self.mix) * on_columns + self.scale * self.smooth.back(self.projected.T @ on_rows)
        return on_columns


@dataclass(frozen=True, kw_only=True)
class TextDesign:
    """What all folds have in common.

    Parameters
    ----------
    counts : sequence of NgramCounts
        One per kind of n-gram, of all labelled rows.
    most : sequence of int
        Columns kept of each.
    targets : csr_matrix or None
        As `one_hot_classes` gives them; columns are then weighted by log-count ratios, where `mix` is 0.
    known : sequence of ColumnStatistics
        The same columns in unlabelled texts; empty without such.
    projection : FloatMatrix or None
        As in `CooccurrenceKernel`, one kind of n-gram after the other.
    mix : float
        As in `MIXES`.
    """

    counts: Sequence[NgramCounts]
    most: Sequence[int]
    targets: csr_matrix | None = None
    known: Sequence[ColumnStatistics] = ()
    projection: FloatMatrix | None = None
    mix: float = 0.0

    def fit_idf(self, parts: Sequence[NgramCounts]) -> list[Idf]:
        """Fit the weights on some rows."""
        if not self.known:
            return [Idf.fit(part, limit) for part, limit in zip(parts, self.most, strict=True)]
        every = zip(parts, self.most, self.known, strict=True)
        return [Idf.fit(part, limit, known.unlabelled, self.mix > 0) for part, limit, known in every]

    def align_kernel(self, idf: Sequence[Idf]) -> CooccurrenceKernel | None:
        """Return the projection of the columns that are kept."""
        if self.mix == 0 or self.projection is None:
            return None
        places = [known.places[item.columns] for item, known in zip(idf, self.known, strict=True)]
        return CooccurrenceKernel(np.concatenate(places), self.projection, self.mix)


class _TextEncoding:
    """TF-IDF fitted on some rows; few rows are expressed in their span, which makes solving ten times faster."""

    def __init__(self, design: TextDesign, rows: Index, spanned: bool = True) -> None:
        self.counts = design.counts
        parts = [block.take(rows) for block in self.counts]
        self.idf = design.fit_idf(parts)
        sparse = _join_blocks([idf.apply(part) for idf, part in zip(self.idf, parts, strict=True)])
        self.column_weights = np.ones(sparse.shape[1], np.float32)
        if design.targets is not None and design.mix == 0:
            self.column_weights = weigh_columns(sparse, design.targets[rows])
            sparse = (sparse @ diags(self.column_weights)).tocsr()
        smooth = design.align_kernel(self.idf)
        few = spanned and (smooth is not None or len(rows) <= min(LINEAR_CONFIG.largest_rotation, sparse.shape[1]))
        self.span = RowSpan(sparse, smooth) if few else None
        self.matrix = sparse if self.span is None else self.span.matrix

    def apply(self, rows: Index) -> Matrix:
        """Return other rows in the same columns."""
        parts = [block.take(rows) for block in self.counts]
        sparse = _join_blocks([idf.apply(part) for idf, part in zip(self.idf, parts, strict=True)])
        sparse = (sparse @ diags(self.column_weights)).tocsr()
        return sparse if self.span is None else self.span.apply(sparse)

    def to_columns(self, coefficients: Coefficients) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return coefficients on the columns, and the intercept."""
        plain = coefficients[:-1] if self.span is None else self.span.to_columns(coefficients[:-1])
        return (plain * self.column_weights[:, None]).astype(np.float32), coefficients[-1].astype(np.float32)


@dataclass(frozen=True)
class TextModel:
    """A vectorizer and a linear model on its columns."""

    vectorizer: Vectorizer
    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]
    link: str = "softmax"

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        if len(rows) == 0:
            return np.empty((0, len(self.intercept)))
        raw = _join_blocks(self.vectorizer.blocks(rows.table.inputs)) @ self.coefficients
        return LINKS[self.link](raw + self.intercept)

    def state(self) -> FittedState:
        """Return everything as plain data."""
        inner = self.vectorizer.state()
        arrays = {**inner.arrays, "coefficients": self.coefficients, "intercept": self.intercept}
        return FittedState({**inner.meta, "link": self.link}, arrays)

    @classmethod
    def load(cls, state: FittedState) -> TextModel:
        """Restore what `state` gave."""
        link = str(state.meta.get("link", "softmax"))  # The first bundles knew classes only.
        return cls(Vectorizer.load(state), state.arrays["coefficients"], state.arrays["intercept"], link)


def fit(rows: StrategyRows, task: Task) -> FittedModel:
    """Fit TF-IDF and a linear model on the texts of `rows.table.inputs`."""
    inputs = rows.table.inputs
    longest = choose_text_length([len(text) for text in inputs])
    texts = normalise_texts(inputs, longest)
    counts, ngrams = zip(*(count_ngrams(texts, kind) for kind in KINDS), strict=True)
    column_share = min(1.0, MOST_COEFFICIENTS / len(task.classes) / sum(MOST_NGRAMS.values()))
    most = [int(MOST_NGRAMS[kind] * column_share) for kind in KINDS]
    designs, all_ngrams = _list_designs(
        TextDesign(counts=counts, most=most, targets=one_hot_classes(task)),
        ngrams,
        _usable_cooccurrence(task, len(rows)),
    )
    linear_fit = _choose_design(designs, task)
    assert isinstance(linear_fit.encoding, _TextEncoding)
    vocabularies, weights = {}, {}
    for kind, idf, known in zip(KINDS, linear_fit.encoding.idf, all_ngrams, strict=True):
        vocabularies[kind] = {known[column]: at for at, column in enumerate(idf.columns)}
        weights[kind] = idf.weights
    halves = linear_fit.encoding.to_columns(linear_fit.coefficients)
    cut = (f"read the first {longest} characters of each text",) if longest < max(map(len, inputs)) else ()
    model = TextModel(Vectorizer(longest, vocabularies, weights), *halves, LINK_OF[task.kind])
    notes = (*linear_fit.notes, *_describe_unlabelled(task, len(rows), linear_fit.encoding), *cut)
    return FittedModel(model, linear_fit.choice.out_of_fold, notes)


def _usable_cooccurrence(task: Task, n_rows: int) -> Cooccurrence | None:
    """Return the counts of unlabelled texts, if the rows are few enough."""
    return task.cooccurrence if task.cooccurrence is not None and n_rows <= MOST_LABELLED else None


def _list_designs(
    plain: TextDesign, ngrams: Sequence[list[str]], cooccurrence: Cooccurrence | None
) -> tuple[tuple[TextDesign, ...], Sequence[list[str]]]:
    """Return the designs that cross-validation compares, and the n-grams of the columns."""
    if cooccurrence is None:
        return (plain,), ngrams
    known = [align_columns(cooccurrence, kind, own) for kind, own in zip(KINDS, ngrams, strict=True)]
    projection = np.concatenate(
        [*(cooccurrence.projection[kind] for kind in KINDS), np.zeros((1, cooccurrence.n_dims))]
    )
    wide = [replace(block, n_columns=len(item.ngrams)) for block, item in zip(plain.counts, known, strict=True)]
    mixes = MIXES if cooccurrence.n_dims else (0.0,)
    shared = TextDesign(
        counts=wide, most=plain.most, targets=plain.targets, known=known, projection=projection.astype(np.float32)
    )
    designs = tuple(replace(shared, mix=mix) for mix in mixes)
    return designs, [item.ngrams for item in known]


def _choose_design(designs: Sequence[TextDesign], task: Task) -> FittedLinear:
    """Return the best fit by cross-validation; the first without folds."""
    tried = designs if len(list_held_out_folds(task.folds)) > 1 else designs[:1]
    fits = [fit_linear(partial(_TextEncoding, ground), task, StrengthSearch(STRENGTHS, FALLBACK)) for ground in tried]
    if len(fits) == 1:
        return fits[0]
    return min(fits, key=lambda item: float(np.nanmean(OBJECTIVES[task.kind].losses(task, item.choice.out_of_fold))))


def _describe_unlabelled(task: Task, n_rows: int, encoding: _TextEncoding) -> tuple[str, ...]:
    """Return the note on what unlabelled texts were used for."""
    cooccurrence = _usable_cooccurrence(task, n_rows)
    if cooccurrence is None:
        return ()
    together = " and which go together" if encoding.span is not None and encoding.span.smooth is not None else ""
    return (f"{cooccurrence.n_texts:,} texts without labels told how common words are{together}",)


class _CountedRows(csr_matrix):  # type: ignore[misc]
    """Sparse rows that count how often they are multiplied."""

    n_products = 0

    def __matmul__(self, other: NDArray[np.float32]) -> NDArray[np.float32]:
        self.n_products += 1
        return np.asarray(super().__matmul__(other))


def _forecast_spanned(design: TextDesign, n_rows: int, timed: Task, task: Task) -> float:
    """Return the forecast seconds of few rows, expressed in their span: once a fold, cubic in the rows."""
    timing = cost_model.time_fold(partial(_TextEncoding, design), timed, FALLBACK)
    n_folds = len(list_held_out_folds(task.folds))
    growth = n_rows * max(1, n_folds - 1) / max(1, n_folds) / timing.n_rows
    encoding = timing.encoding_seconds * growth**3 * (cost_model.count_turns(n_folds) + 1)
    return encoding + timing.fit_seconds * growth**2 * cost_model.count_fits(task)


def _forecast_sparse(design: TextDesign, n_rows: int, timed: Task, task: Task) -> float:
    """Return the forecast seconds of many rows: products grow with the rows, all other steps with the columns."""
    encodings: list[_TextEncoding] = []

    def encode(rows: Index) -> _TextEncoding:
        encoding = _TextEncoding(design, rows, spanned=False)
        encoding.matrix = _CountedRows(encoding.matrix)
        encodings.append(encoding)
        return encoding

    timing = cost_model.time_fold(encode, timed, FALLBACK)
    matrix, n_outputs = encodings[0].matrix, len(task.classes)
    slopes = np.ones((timing.n_columns, timing.n_outputs), np.float32)
    scores = np.ones((timing.n_rows, timing.n_outputs), np.float32)
    n_products = matrix.n_products
    seconds = cost_model.measure_seconds(lambda: (matrix @ slopes, matrix.T @ scores), clock=cost_model.thread_clock())
    products = min(timing.fit_seconds, n_products * seconds)
    n_columns = min(sum(MOST_NGRAMS.values()), MOST_COEFFICIENTS // n_outputs)
    other = (timing.fit_seconds - products) * n_columns / max(timing.n_columns, 1)
    fit = (products * n_rows / timing.n_rows + other) * n_outputs / timing.n_outputs
    return float(fit * cost_model.count_fits(task))


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the forecast cost of `fit`, from some of the texts."""
    inputs, n_rows = rows.table.inputs, len(rows)
    longest = choose_text_length([len(text) for text in inputs])
    spanned = n_rows <= LINEAR_CONFIG.largest_rotation
    sample = np.arange(0, n_rows, max(1, -(-n_rows // SAMPLE_TEXTS)))
    started = time.process_time()  # What other programs take is no part of the forecast.
    texts = normalise_texts([inputs[row] for row in sample], longest)
    counts = [count_ngrams(texts, kind)[0] for kind in KINDS]
    counting = (time.process_time() - started) * n_rows / len(sample)
    design = TextDesign(counts=counts, most=[block.n_columns for block in counts])
    solving = (_forecast_spanned if spanned else _forecast_sparse)(design, n_rows, task.take(sample), task)
    n_encoded = len(list_held_out_folds(task.folds)) + 1
    turns = len(MIXES) if _usable_cooccurrence(task, n_rows) else 1
    n_columns = min(sum(MOST_NGRAMS.values()), MOST_COEFFICIENTS // len(task.classes))
    values = sum(len(block.values) for block in counts) / len(sample) * n_rows
    memory = 8.0 * values * (1 + WORKERS) + 20 * 8 * n_columns * len(task.classes)
    memory += 16.0 * n_rows**2 if spanned else 0.0
    return CostForecast(counting * (1 + ENCODE_SHARE * n_encoded * turns) + turns * solving, memory)
