"""Generalised linear models with an L2 penalty, for dense and sparse rows, fitted by SciPy's L-BFGS-B.

The link of a task (`headstart.strategies.linear.links`) turns scores into outputs, and the loss is the canonical one of
that link, so its slope is always `link(scores) - targets`. A class without rows, a label that every row or no row has,
and a number that never varies are not solved for: they get the constant output that these rows give.

The optimum is scikit-learn's (the tests compare); docs/decisions/0020 says why its solvers are not used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.links import ABSENT, logit
from headstart.strategies.record import Task
from headstart.strategies.scoring import Weights

Floats = NDArray[np.float64]
Matrix = Any
"""(n_rows, n_dims), a float32 array or a scipy CSR matrix; both know `@`, `.T` and `.shape`."""
Coefficients = NDArray[np.float64]
"""(n_dims + 1, n_outputs); the last row is the intercept."""
Targets = NDArray[Any]
"""(n_rows,) class indices where the link is softmax, else (n_rows, n_outputs)."""
Scores = NDArray[Any]
"""(n_rows, n_outputs); a loss may overwrite them with its slope."""
BLOCK_VALUES = 4_000_000
"""Scores held at once (16 MB)."""


@dataclass(frozen=True)
class CanonicalLoss:
    """The loss that belongs to a link.

    Parameters
    ----------
    evaluate : (scores (n_rows, n_outputs), targets, weights (n_rows,)) -> value, slope (n_rows, n_outputs)
        Sum of `weights * loss`, and its slope by the scores.
    expected_curvature : (targets, n_outputs) -> (n_outputs,)
        Second derivative by each score where all scores are zero (labels: at each label's frequency).
    """

    evaluate: Callable[[Scores, Targets, Weights], tuple[float, Scores]]
    expected_curvature: Callable[[Targets, int], Floats]


def _evaluate_softmax(scores: Scores, targets: Targets, weights: Weights) -> tuple[float, Scores]:
    """Return the negative log probability of the true classes.

    Examples
    --------
    >>> value, slope = _evaluate_softmax(np.zeros((1, 2)), np.array([0]), np.ones(1))
    >>> round(value, 4), slope.tolist()
    (0.6931, [[-0.5, 0.5]])
    """
    true_cells = (np.arange(len(targets)), targets)
    scores -= scores.max(axis=1, keepdims=True)
    true_scores = scores[true_cells]
    np.exp(scores, out=scores)
    totals = scores.sum(axis=1)
    scores *= (weights / totals).astype(scores.dtype)[:, None]
    scores[true_cells] -= weights.astype(scores.dtype)
    return float(weights @ (np.log(totals) - true_scores)), scores


def _evaluate_logistic(scores: Scores, targets: Targets, weights: Weights) -> tuple[float, Scores]:
    """Return the negative log probability of each label, summed over labels.

    Examples
    --------
    >>> value, slope = _evaluate_logistic(np.zeros((1, 1)), np.ones((1, 1)), np.ones(1))
    >>> round(value, 4), slope.tolist()
    (0.6931, [[-0.5]])
    """
    tail = np.exp(-np.abs(scores))
    losses = (np.maximum(scores, 0) - scores * targets + np.log1p(tail)).sum(axis=1, dtype=np.float64)
    slope = np.where(scores >= 0, 1, tail) / (1 + tail) - targets
    slope *= weights.astype(scores.dtype)[:, None]
    return float(weights @ losses), slope


def _evaluate_identity(scores: Scores, targets: Targets, weights: Weights) -> tuple[float, Scores]:
    """Return half the squared error, summed over columns.

    Examples
    --------
    >>> value, slope = _evaluate_identity(np.ones((1, 1)), np.array([[3.0]]), np.ones(1))
    >>> value, slope.tolist()
    (2.0, [[-2.0]])
    """
    scores -= targets
    losses = np.square(scores).sum(axis=1, dtype=np.float64) / 2
    scores *= weights.astype(scores.dtype)[:, None]
    return float(weights @ losses), scores


def _label_curvature(targets: Targets, n_outputs: int) -> Floats:
    frequencies = np.clip(targets.mean(axis=0, dtype=np.float64), 1e-4, 1 - 1e-4)
    return np.asarray(frequencies * (1 - frequencies))


LOSSES = {
    "softmax": CanonicalLoss(_evaluate_softmax, lambda targets, n: np.full(n, (1 - 1 / n) / n)),
    "logistic": CanonicalLoss(_evaluate_logistic, _label_curvature),
    "identity": CanonicalLoss(_evaluate_identity, lambda targets, n: np.ones(n)),
}


@dataclass(frozen=True, kw_only=True)
class TargetEncoding:
    """Targets of the outputs that vary on some rows, and the way back to all outputs.

    Parameters
    ----------
    link : str
    targets : Targets
        Of the outputs that vary: class indices among them, labels, or numbers in units of their spread.
    columns : Index, shape (n_varying,)
        Outputs that are solved for.
    scale : Floats, shape (n_varying,)
        Factor from a solution to an output.
    constant : Floats, shape (n_outputs,)
        Added to the intercept: the output of what does not vary, the mean of numbers.
    """

    link: str
    targets: Targets
    columns: NDArray[np.intp]
    scale: Floats
    constant: Floats

    @property
    def varies(self) -> bool:
        """Return whether there is anything to fit."""
        return len(self.columns) > (self.link == "softmax")

    def start(self, n_dims: int) -> Coefficients:
        """Return zeros, from which a fit may start."""
        return np.zeros((n_dims + 1, len(self.columns)))

    def widen(self, solution: Coefficients) -> Coefficients:
        """Return the coefficients of all outputs for a solution (n_dims + 1, n_varying)."""
        full = np.zeros((len(solution), len(self.constant)))
        full[:, self.columns] = solution * self.scale
        full[-1] += self.constant
        return full


def encode_targets(targets: Targets, link: str, n_outputs: int) -> TargetEncoding:
    """Return the targets of what varies on some rows.

    Parameters
    ----------
    targets : Targets
    link : str
        Key of `LOSSES`.
    n_outputs : int

    Examples
    --------
    >>> encoding = encode_targets(np.array([2, 0, 2]), "softmax", 3)
    >>> encoding.targets.tolist(), encoding.columns.tolist()
    ([1, 0, 1], [0, 2])
    """
    if link == "softmax":
        columns, targets = np.unique(targets, return_inverse=True)
        constant = np.full(n_outputs, ABSENT)
        constant[columns] = 0.0
        scale = np.ones(len(columns))
    elif link == "logistic":
        positives, n_rows = targets.sum(axis=0, dtype=np.float64), len(targets)
        varies = (positives > 0) & (positives < n_rows)
        columns = np.flatnonzero(varies)
        constant = np.where(varies, 0.0, logit((positives + 0.5) / (n_rows + 1)))
        targets, scale = np.ascontiguousarray(targets[:, columns]), np.ones(len(columns))
    else:
        constant, spread = targets.mean(axis=0, dtype=np.float64), targets.std(axis=0, dtype=np.float64)
        columns, scale = np.arange(n_outputs), np.where(spread > 0, spread, 1.0)
        targets = ((targets - constant) / scale).astype(np.float32)
    return TargetEncoding(link=link, targets=targets, columns=columns, scale=scale, constant=constant)


def read_targets(task: Task) -> Targets:
    """Return the targets of a task's rows."""
    return task.codes if task.truth is None else task.truth


def compute_scores(matrix: Matrix, coefficients: Coefficients) -> Floats:
    """Return the linear scores of rows (n_rows, n_outputs)."""
    return np.asarray(matrix @ coefficients[:-1].astype(np.float32) + coefficients[-1], dtype=np.float64)


def split_into_blocks(matrix: Matrix, n_columns: int) -> list[tuple[slice, Matrix]]:
    """Cut rows into blocks whose scores stay small; one block where all are."""
    length = max(1, BLOCK_VALUES // max(n_columns, 1))
    if matrix.shape[0] <= length:
        return [(slice(0, matrix.shape[0]), matrix)]
    slices = [slice(start, min(start + length, matrix.shape[0])) for start in range(0, matrix.shape[0], length)]
    return [(rows, matrix[rows]) for rows in slices]


def _mean_squares(matrix: Matrix, weights: Weights) -> Floats:
    """Return the weighted mean square of each column."""
    single = weights.astype(np.float32)
    if hasattr(matrix, "multiply"):
        return np.asarray(matrix.multiply(matrix).T @ single, dtype=np.float64).ravel()
    return np.asarray(np.einsum("ij,ij,i->j", matrix, matrix, single), dtype=np.float64)


def minimise(function: Callable[[Floats], tuple[float, Floats]], start: Floats, tolerance: float) -> Floats:
    """Minimise a smooth convex function.

    Parameters
    ----------
    function : (point) -> value and gradient
    start : Floats, any shape
    tolerance : float
        Stops when no entry of the gradient is larger, or no step improves.

    Examples
    --------
    >>> minimise(lambda x: (float(((x - 3) ** 2).sum()), 2 * (x - 3)), np.zeros(2), 1e-6).round(4).tolist()
    [3.0, 3.0]
    """

    def evaluate(flat: Floats) -> tuple[float, Floats]:
        value, gradient = function(flat.reshape(start.shape))
        return value, gradient.ravel()

    options = {
        "maxcor": LINEAR_CONFIG.solver_memory,
        "maxiter": LINEAR_CONFIG.most_steps,
        "gtol": tolerance,
        "ftol": 0.0,
    }
    solution = minimize(evaluate, start.ravel(), jac=True, method="L-BFGS-B", options=options)
    return np.asarray(solution.x).reshape(start.shape)


def fit_glm(
    matrix: Matrix,
    encoding: TargetEncoding,
    strength: float,
    *,
    weights: Weights,
    start: Coefficients | None = None,
    tolerance: float = 1e-5,
) -> Coefficients:
    """Minimise `strength * sum(weights * loss) + |coefficients|^2 / 2`, the intercept left free.

    Parameters
    ----------
    matrix : Matrix, shape (n_rows, n_dims)
    encoding : TargetEncoding
        Of these rows.
    strength : float
        `C` of scikit-learn's `LogisticRegression`, also for two classes; `1 / alpha` of its `Ridge`.
    weights : Weights, shape (n_rows,)
    start : Coefficients or None, shape (n_dims + 1, n_varying)
        Where to begin: the solution for another strength; None: zeros.
    tolerance : float
        Largest gradient entry of the preconditioned mean loss at which to stop.

    Returns
    -------
    Coefficients, shape (n_dims + 1, n_varying)
        For `encoding.widen`.

    Notes
    -----
    Variables are scaled by the square root of the expected curvature (mean square of the column plus penalty), which
    makes the Hessian close to the identity when the columns are uncorrelated: a few steps instead of a hundred.
    """
    start = encoding.start(matrix.shape[1]) if start is None else start
    if not encoding.varies:
        return start
    loss, n_columns, total = LOSSES[encoding.link], len(encoding.columns), float(weights.sum())
    row_weights = weights / total
    # Two symmetric columns of a softmax carry half the squared norm of scikit-learn's single one.
    penalty = (2.0 if encoding.link == "softmax" and n_columns == 2 else 1.0) / (strength * total)
    curvature = loss.expected_curvature(encoding.targets, n_columns)[None]
    mean_squares = _mean_squares(matrix, row_weights)[:, None]
    scale = np.sqrt(1 / np.concatenate([mean_squares * curvature + penalty, curvature]))
    blocks = split_into_blocks(matrix, n_columns)

    def evaluate(scaled: Floats) -> tuple[float, Floats]:
        coefficients = scaled * scale
        slopes, intercept = coefficients[:-1].astype(np.float32), coefficients[-1].astype(np.float32)
        value = penalty / 2 * float(np.vdot(coefficients[:-1], coefficients[:-1]))
        coefficients[:-1] *= penalty
        coefficients[-1] = 0
        for rows, block in blocks:
            scores = np.asarray(block @ slopes)
            scores += intercept
            block_value, slope = loss.evaluate(scores, encoding.targets[rows], row_weights[rows])
            value += block_value
            coefficients[:-1] += block.T @ slope
            coefficients[-1] += slope.sum(axis=0, dtype=np.float64)
        coefficients *= scale
        return value, coefficients

    return np.asarray(minimise(evaluate, start / scale, tolerance) * scale)
