"""`self-training`: also learns from unlabelled rows, as the average of pseudo-labelling and label propagation.

Pseudo-labelling: logistic regression on principal axes of all rows, fitted again with its most confident predictions as
labels (per class, in proportion to the labels). Label propagation: labels spread to similar rows (Zhou et al. 2004); a
new row is predicted by its neighbours. A held-out row has no part in either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.glm import compute_scores, encode_targets, fit_glm
from headstart.strategies.linear.head import Standardizer, fit_head
from headstart.strategies.linear.links import softmax
from headstart.strategies.linear.ridge_loo import PrincipalAxes
from headstart.strategies.probes.config import PROBE_CONFIG
from headstart.strategies.record import Fitted, StrategyRows, StrategySkipped, Task

Floats = NDArray[np.float64]
LEAST = 1e-6
_BLOCK = 1_024


def select_confident_rows(probabilities: Probabilities, priors: Floats) -> Index:
    """Return the most confident rows of each class, in proportion to its prior.

    Parameters
    ----------
    probabilities : Probabilities, shape (n_rows, n_classes)
    priors : Floats, shape (n_classes,)
        Shares of the classes among the labels.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7]])
    >>> select_confident_rows(probabilities, np.array([0.5, 0.5])).tolist()
    [0, 3]
    """
    answers = probabilities.argmax(axis=1)
    chosen = []
    for code, prior in enumerate(priors):
        rows = np.flatnonzero(answers == code)
        n = max(1, round(PROBE_CONFIG.confident_share * prior * len(probabilities))) if prior > 0 else 0
        chosen.append(rows[np.argsort(-probabilities[rows, code], kind="stable")[:n]])
    return np.concatenate(chosen)


def _fit_classes(matrix: FloatMatrix, codes: Index, weights: Floats, *, strength: float, n_classes: int) -> Floats:
    """Return the coefficients of all classes; those that do not occur stay impossible."""
    encoding = encode_targets(codes, "softmax", n_classes)
    return encoding.widen(fit_glm(matrix, encoding, strength, weights=weights, tolerance=LINEAR_CONFIG.fold_tolerance))


def fit_with_pseudo_labels(
    matrix: FloatMatrix, codes: Index, unlabelled: FloatMatrix, strength: float, n_classes: int
) -> Floats:
    """Fit on labelled rows, then once more with the most confident predictions for the others as labels.

    Parameters
    ----------
    matrix : FloatMatrix, shape (n_rows, n_axes)
    codes : Index, shape (n_rows,)
    unlabelled : FloatMatrix, shape (n_unlabelled, n_axes)
        Rows without labels; together they weigh at most as much as the labelled ones.
    strength : float
    n_classes : int

    Returns
    -------
    Floats, shape (n_axes + 1, n_classes)
    """
    first = _fit_classes(matrix, codes, np.ones(len(codes)), strength=strength, n_classes=n_classes)
    probabilities = softmax(compute_scores(unlabelled, first))
    confident = select_confident_rows(probabilities, np.bincount(codes, minlength=n_classes) / len(codes))
    weights = np.full(len(confident), min(1.0, len(codes) / max(len(confident), 1)))
    both = np.concatenate([matrix, unlabelled[confident]])
    targets = np.concatenate([codes, probabilities[confident].argmax(axis=1)])
    return _fit_classes(
        both, targets, np.concatenate([np.ones(len(codes)), weights]), strength=strength, n_classes=n_classes
    )


def _unit(matrix: FloatMatrix) -> FloatMatrix:
    return np.asarray(matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12), dtype=np.float32)


def find_neighbours(rows: FloatMatrix, nodes: FloatMatrix, itself: bool) -> tuple[Index, Floats]:
    """Return the most similar nodes of each row and their weights, block by block; `itself`: rows are the nodes."""
    k = min(PROBE_CONFIG.neighbours, len(nodes) - 1)
    neighbours, weights = np.empty((len(rows), k), dtype=np.intp), np.empty((len(rows), k))
    for start in range(0, len(rows), _BLOCK):
        likeness = rows[start : start + _BLOCK] @ nodes.T
        own = np.arange(len(likeness))
        if itself:
            likeness[own, start + own] = -1.0
        best = np.argpartition(-likeness, k, axis=1)[:, :k]
        neighbours[start : start + _BLOCK] = best
        weights[start : start + _BLOCK] = np.maximum(likeness[own[:, None], best], 0.0) ** PROBE_CONFIG.similarity_power
    return neighbours, weights


def propagate_labels(nodes: FloatMatrix, codes: Index, n_classes: int) -> Probabilities:
    """Propagate the labels of the first rows to similar ones.

    Parameters
    ----------
    nodes : FloatMatrix, shape (n_nodes, n_axes)
        Of length one; the labelled rows come first.
    codes : Index, shape (n_labelled,)
    n_classes : int

    Returns
    -------
    Probabilities, shape (n_nodes, n_classes)

    Notes
    -----
    Learning with local and global consistency (Zhou et al. 2004) on a graph of 10 neighbours, classes weighing alike.
    """
    n = len(nodes)
    neighbours, weights = find_neighbours(nodes, nodes, itself=True)
    starts = np.arange(n + 1) * neighbours.shape[1]
    graph = csr_matrix((weights.ravel(), neighbours.ravel(), starts), shape=(n, n))
    graph = graph.maximum(graph.T)
    degree = 1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel() + 1e-9)
    graph = graph.multiply(degree[:, None]).multiply(degree[None]).tocsr()
    seeds = np.zeros((n, n_classes))
    seeds[np.arange(len(codes)), codes] = 1 / np.bincount(codes, minlength=n_classes)[codes]
    spread_labels = seeds.copy()
    for _ in range(PROBE_CONFIG.propagation_rounds):
        spread_labels = (1 - PROBE_CONFIG.label_retention) * (
            graph @ spread_labels
        ) + PROBE_CONFIG.label_retention * seeds
    total = spread_labels.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 1e-12, spread_labels / np.maximum(total, 1e-12), 1 / n_classes))


@dataclass(frozen=True)
class SelfTrained:
    """Both learners.

    Parameters
    ----------
    axes : PrincipalAxes
    coefficients : Floats, shape (n_axes + 1, n_classes)
    nodes : FloatMatrix, shape (n_nodes, n_graph_axes)
        Of length one.
    reached : Probabilities, shape (n_nodes, n_classes)
    """

    axes: PrincipalAxes
    coefficients: Floats
    nodes: FloatMatrix
    reached: Probabilities

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities (n_rows, n_classes)."""
        assert rows.features is not None, "rows come without features"
        return self.predict_reduced(self.axes.apply(np.ascontiguousarray(rows.features.final, dtype=np.float32)))

    def predict_reduced(self, matrix: FloatMatrix) -> Probabilities:
        """Return the mean of what both say of rows on the axes."""
        probabilities = softmax(compute_scores(matrix, self.coefficients))
        neighbours, weights = find_neighbours(_unit(matrix[:, : self.nodes.shape[1]]), self.nodes, itself=False)
        neighbour_votes = np.stack(
            [(weights * self.reached[neighbours, code]).sum(axis=1) for code in range(probabilities.shape[1])], axis=1
        )
        neighbour_votes += LEAST
        return np.asarray((probabilities + neighbour_votes / neighbour_votes.sum(axis=1, keepdims=True)) / 2)

    def state(self) -> FittedState:
        """Return the arrays; nodes in half precision."""
        arrays: dict[str, NDArray[Any]] = {
            "centre": self.axes.standard.centre, "inverse": self.axes.standard.inverse, "basis": self.axes.basis,
            "coefficients": self.coefficients, "nodes": self.nodes.astype(np.float16), "reached": self.reached,
        }  # fmt: skip
        return FittedState({}, arrays)

    @classmethod
    def load(cls, state: FittedState) -> SelfTrained:
        """Restore what `state` gave."""
        read = state.arrays
        axes = PrincipalAxes(Standardizer(read["centre"], read["inverse"]), read["basis"])
        return cls(axes, read["coefficients"], read["nodes"].astype(np.float32), read["reached"])


def _fit_both(
    axes: PrincipalAxes, matrix: FloatMatrix, codes: Index, unlabelled: FloatMatrix, strength: float, n_classes: int
) -> SelfTrained:
    coefficients = fit_with_pseudo_labels(matrix, codes, unlabelled, strength=strength, n_classes=n_classes)
    nodes = (
        _unit(np.concatenate([matrix, unlabelled])[:, : PROBE_CONFIG.graph_axes]).astype(np.float16).astype(np.float32)
    )
    return SelfTrained(axes, coefficients, nodes, propagate_labels(nodes, codes, n_classes))


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit on labelled and unlabelled rows; every fold is predicted by a fit that did not see it.

    Raises
    ------
    StrategySkipped
        There are too few rows without labels, or so many with labels that the others add nothing.
    """
    assert rows.features is not None, "rows come without features"
    if (
        task.unlabelled is None
        or task.unlabelled.features is None
        or len(task.unlabelled) < PROBE_CONFIG.least_unlabelled
    ):
        raise StrategySkipped(
            f"it needs at least {PROBE_CONFIG.least_unlabelled} unlabelled rows; give them with --unlabelled"
        )
    if len(rows) > PROBE_CONFIG.most_labelled:
        raise StrategySkipped(
            f"with more than {PROBE_CONFIG.most_labelled:,} labels, unlabelled rows add almost nothing"
        )
    drawn = np.sort(np.random.default_rng(task.seed).permutation(len(task.unlabelled))[: PROBE_CONFIG.most_unlabelled])
    unlabelled = task.unlabelled.features.final[drawn]
    strength = fit_head(rows.features.final, task)[1].choice.strength
    every = np.ascontiguousarray(np.concatenate([rows.features.final, unlabelled]), dtype=np.float32)
    axes = PrincipalAxes.fit(every, np.arange(len(every)), task.seed, PROBE_CONFIG.most_axes)
    matrix, others, n_classes = axes.apply(every[: len(rows)]), axes.apply(every[len(rows) :]), len(task.classes)
    out_of_fold = np.full((len(rows), n_classes), np.nan)
    numbers = list_held_out_folds(task.folds)
    for number in numbers if len(numbers) > 1 else ():
        inside, held = np.flatnonzero(task.folds != number), np.flatnonzero(task.folds == number)
        fold_model = _fit_both(
            axes, matrix[inside], task.codes[inside], unlabelled=others, strength=strength, n_classes=n_classes
        )
        out_of_fold[held] = fold_model.predict_reduced(matrix[held])
    model = _fit_both(axes, matrix, task.codes, unlabelled=others, strength=strength, n_classes=n_classes)
    return FittedModel(
        model, out_of_fold, (f"learnt from {len(unlabelled):,} rows without labels as well", f"C = {strength:.3g}")
    )


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore both learners."""
    return restore_model(SelfTrained.load(state), state, classes)
