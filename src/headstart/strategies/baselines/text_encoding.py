"""N-grams of texts as the rows of a linear model: TF-IDF fitted on some rows, and what unlabelled texts add to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, hstack

from headstart.records import FloatMatrix, Index
from headstart.strategies.baselines.settings import CLASSIC_TEXT
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.glm import Coefficients, Matrix
from headstart.strategies.record import Task
from headstart.strategies.scoring import is_imbalanced
from headstart.strategies.settings import SETTINGS
from headstart.strategies.text.cooccurrence import ColumnStatistics
from headstart.strategies.text.tfidf import KINDS, Idf, NgramCounts


def _to_sparse(counts: NgramCounts) -> csr_matrix:
    shape = (len(counts.starts) - 1, counts.n_columns)
    return csr_matrix((counts.values, counts.indices, counts.starts), shape=shape)


def join_blocks(blocks: Sequence[NgramCounts]) -> csr_matrix:
    """Return the counts of several kinds of n-grams side by side."""
    return hstack([_to_sparse(block) for block in blocks], format="csr", dtype=np.float32)


@dataclass(frozen=True)
class NgramProjection:
    """Few directions in the columns of n-grams, and how far from all of them ordinary rows lie.

    Parameters
    ----------
    directions : FloatMatrix, shape (n_columns, n_dims)
        Orthonormal.
    reach : float
        Nearly all ordinary rows have at most so much outside the directions.
    """

    directions: FloatMatrix
    reach: float

    def apply(self, rows: csr_matrix) -> FloatMatrix:
        """Return rows in these directions, and by how much they are farther outside than ordinary ones.

        Parameters
        ----------
        rows : csr_matrix, shape (n_rows, n_columns)
            One block of columns for each kind of n-gram, each of length one, or zero where none is known.

        Returns
        -------
        FloatMatrix, shape (n_rows, n_dims + 1)
            The last column is zero for ordinary rows, and outweighs all others for texts in another language.
        """
        inside, outside = self.split(rows)
        excess = CLASSIC_TEXT.outside_weight * np.maximum(outside - self.reach, 0)
        return np.concatenate([inside, excess[:, None]], axis=1, dtype=np.float32)

    def split(self, rows: csr_matrix) -> tuple[FloatMatrix, NDArray[np.float32]]:
        """Return what lies inside the directions (n_rows, n_dims), and the length of what lies outside (n_rows,)."""
        inside = np.asarray(rows @ self.directions, dtype=np.float32).reshape(rows.shape[0], self.directions.shape[1])
        outside = np.sqrt(np.maximum(len(KINDS) - np.square(inside).sum(axis=1), 0))
        return inside, np.asarray(outside, dtype=np.float32)


def multiply_rows(first: csr_matrix, second: csr_matrix, frequent: Index) -> NDArray[np.float64]:
    """Return `first @ second.T` (n_first, n_second): frequent columns as dense matrices, the others sparse."""
    rare = np.setdiff1d(np.arange(first.shape[1]), frequent)
    dense = first[:, frequent].toarray() @ second[:, frequent].toarray().T
    return np.asarray(dense + (first[:, rare] @ second[:, rare].T).toarray(), dtype=np.float64)


def one_hot_classes(task: Task) -> csr_matrix | None:
    """Return the class of each row (n_rows, n_classes); None without classes, if imbalanced, or if rows are many."""
    n_rows = len(task.codes)
    if task.truth is not None or n_rows > SETTINGS.cooccurrence_max_labels or is_imbalanced(task.codes):
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
    return np.asarray((size / mean) ** CLASSIC_TEXT.ratio_power if mean > 0 else np.ones(len(size)), dtype=np.float32)


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
        0 to 1, as in `ClassicTextSettings.mixes`.
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
        self.frequent = np.flatnonzero(
            np.bincount(rows.indices, minlength=rows.shape[1]) > CLASSIC_TEXT.dense_share * rows.shape[0]
        )
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
    """Design that all folds share.

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
        As in `ClassicTextSettings.mixes`.
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


class TextEncoding:
    """TF-IDF fitted on some rows; few rows are expressed in their span, which makes solving ten times faster."""

    def __init__(self, design: TextDesign, rows: Index, spanned: bool = True) -> None:
        self.counts = design.counts
        parts = [block.take(rows) for block in self.counts]
        self.idf = design.fit_idf(parts)
        sparse = join_blocks([idf.apply(part) for idf, part in zip(self.idf, parts, strict=True)])
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
        sparse = join_blocks([idf.apply(part) for idf, part in zip(self.idf, parts, strict=True)])
        sparse = (sparse @ diags(self.column_weights)).tocsr()
        return sparse if self.span is None else self.span.apply(sparse)

    def to_columns(self, coefficients: Coefficients) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return coefficients on the columns, and the intercept."""
        plain = coefficients[:-1] if self.span is None else self.span.to_columns(coefficients[:-1])
        return (plain * self.column_weights[:, None]).astype(np.float32), coefficients[-1].astype(np.float32)
