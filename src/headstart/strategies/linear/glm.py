"""Linear models with an L2 penalty for every kind of task, on dense and sparse rows, fitted by scikit-learn.

Classes are one logistic regression, labels one each, numbers a ridge regression. What the rows do not tell apart is not
fitted: a class without rows is impossible, a label that every row or no row has gets its smoothed frequency.
docs/decisions/0020 says what this costs.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgWarning
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from headstart.strategies.linear.config import LINEAR_CONFIG
from headstart.strategies.linear.links import ABSENT, logit
from headstart.strategies.record import Task
from headstart.strategies.scoring import Weights

Floats = NDArray[np.float64]
Matrix = Any
"""(n_rows, n_dims), a float32 array or a scipy CSR matrix."""
Coefficients = NDArray[np.float64]
"""(n_dims + 1, n_outputs); the last row is the intercept."""
Targets = NDArray[Any]
"""(n_rows,) class indices where the link is softmax, else (n_rows, n_outputs)."""
TINY = 1e-12


@contextmanager
def single_threaded_solver() -> Iterator[None]:
    """Limit BLAS to one thread (folds are solved side by side), and silence what a search over strengths expects.

    Solvers stop at the precision of float32, weak shrinkage leaves columns that say the same to rounding errors (their
    sum is exact), and with one row a class there are as many classes as rows.
    """
    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", LinAlgWarning)
        warnings.filterwarnings("ignore", "The number of unique classes is greater than", UserWarning)
        yield


def read_targets(task: Task) -> Targets:
    """Return the targets of a task's rows."""
    return task.codes if task.truth is None else task.truth


def compute_scores(matrix: Matrix, coefficients: Coefficients) -> Floats:
    """Return the linear scores of rows (n_rows, n_outputs)."""
    return np.asarray(matrix @ coefficients[:-1].astype(np.float32) + coefficients[-1], dtype=np.float64)


def _stack(model: LogisticRegression | Ridge) -> Coefficients:
    """Return coefficients and intercept of a fitted model (n_dims + 1, n_fitted)."""
    return np.concatenate([np.atleast_2d(model.coef_).T, np.atleast_2d(model.intercept_)], dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class LinearProblem:
    """Rows, their targets, and how strongly coefficients are shrunk.

    Parameters
    ----------
    matrix : Matrix, shape (n_rows, n_dims)
    targets : Targets
    link : str
        Key of `headstart.strategies.linear.links.LINKS`; the loss is the canonical one.
    n_outputs : int
    weights : Weights, shape (n_rows,)
    strength : float
        `C` of `LogisticRegression`, `1 / alpha` of `Ridge`: the loss counts this much beside the penalty.
    tolerance : float
        Largest gradient entry of the mean loss at which a fit stops, in units of the rows' root mean square length.
    """

    matrix: Matrix
    targets: Targets
    link: str
    n_outputs: int
    weights: Weights
    strength: float
    tolerance: float = LINEAR_CONFIG.final_tolerance

    def fit(self, start: Coefficients | None = None) -> Coefficients:
        """Minimise `strength * sum(weights * loss) + |coefficients|^2 / 2`, the intercept left free.

        Parameters
        ----------
        start : Coefficients or None
            The solution for another strength, from which to begin.

        Returns
        -------
        Coefficients, shape (n_dims + 1, n_outputs)
        """
        n_rows, n_dims = self.matrix.shape
        if n_dims == 0:  # Texts without a word: scikit-learn refuses rows without columns.
            return replace(self, matrix=np.zeros((n_rows, 1), np.float32)).fit()[1:]
        if self.link == "identity":
            return self._fit_numbers()
        return self._fit_classes(start) if self.link == "softmax" else self._fit_labels(start)

    def _fit_logistic(self, targets: Targets, start: Coefficients | None) -> Coefficients:
        """Return (n_dims + 1, n_classes); of two classes one column, that of the second."""
        values = self.matrix.data if issparse(self.matrix) else self.matrix
        length = float(np.linalg.norm(values)) / np.sqrt(self.matrix.shape[0])
        model = LogisticRegression(
            C=self.strength, tol=self.tolerance * max(length, TINY), max_iter=LINEAR_CONFIG.most_steps, warm_start=True
        )
        if start is not None:
            model.coef_, model.intercept_ = start[:-1].T, start[-1]
        return _stack(model.fit(self.matrix, targets, sample_weight=self.weights))

    def _fit_classes(self, start: Coefficients | None) -> Coefficients:
        """Fit one logistic regression on the classes that have rows."""
        coefficients, present = np.zeros((self.matrix.shape[1] + 1, self.n_outputs)), np.unique(self.targets)
        coefficients[-1] = ABSENT
        coefficients[-1, present] = 0
        start = None if start is None else start[:, present]
        if len(present) == 2:  # One column of log-odds, as two that mirror each other.
            log_odds = self._fit_logistic(self.targets, None if start is None else start[:, 1:] - start[:, :1])
            coefficients[:, present] = log_odds * np.array([-0.5, 0.5])
        elif len(present) > 2:
            coefficients[:, present] = self._fit_logistic(self.targets, start)
        return coefficients

    def _fit_labels(self, start: Coefficients | None) -> Coefficients:
        """Fit a logistic regression for each label."""
        n_positive, n_rows = self.targets.sum(axis=0, dtype=np.float64), len(self.targets)
        coefficients = np.zeros((self.matrix.shape[1] + 1, self.n_outputs))
        coefficients[-1] = logit((n_positive + 0.5) / (n_rows + 1))
        for label in np.flatnonzero((n_positive > 0) & (n_positive < n_rows)):
            column = slice(label, label + 1)
            coefficients[:, column] = self._fit_logistic(
                self.targets[:, label] > 0.5, None if start is None else start[:, column]
            )
        return coefficients

    def _fit_numbers(self) -> Coefficients:
        """Fit a ridge regression, which needs no start; numbers are centred before they become float32."""
        mean = self.targets.mean(axis=0, dtype=np.float64)
        model = Ridge(alpha=1 / self.strength, tol=self.tolerance)
        coefficients = _stack(model.fit(self.matrix, self.targets - mean, sample_weight=self.weights))
        coefficients[-1] += mean
        return coefficients
