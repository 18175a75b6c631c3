"""A scikit-learn estimator over the same machinery: works in Pipeline, cross_val_score and GridSearchCV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from headstart import data
from headstart.flow.adapting import adapt_table
from headstart.flow.model import Model
from headstart.offline import offline
from headstart.options import AdaptOptions, parse
from headstart.records import TRAIN, column


class Adapter(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Adapt a base model to texts, image paths or series.

    Parameters
    ----------
    base : str
        As `headstart adapt --base`.
    strategy : str or None
        Comma-separated strategy names; None: `quick`, all but the from-scratch network.
    time : float or str
        Time limit, such as "10m" or seconds.
    balance : str
        "auto", "on" or "off".
    seed : int
        Of everything random.
    offline : bool
        Open no connection.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    model_ : headstart.Model

    Notes
    -----
    `X` is a list of texts, a list of image paths, an array (n, time) or (n, channels, time), or a list of arrays
    (channels, time). All rows are used for training: scikit-learn's own tools judge the estimator.
    """

    def __init__(
        self,
        base: str = "default",
        strategy: str | None = None,
        time: float | str = 600.0,
        balance: str = "auto",
        seed: int = 0,
        offline: bool = False,
    ) -> None:
        self.base = base
        self.strategy = strategy
        self.time = time
        self.balance = balance
        self.seed = seed
        self.offline = offline

    def fit(self, X: Any, y: Any, groups: Any = None) -> Adapter:
        """Learn from rows `X` with labels `y` (n_rows,); rows of one group stay on one side of every fold."""
        if y is None:
            raise ValueError("Adapter requires y to be passed, but the target y is None.")
        X, y = self._checked(X, y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Adapter needs at least 2 classes; y has only {len(self.classes_)} class.")
        options = parse(
            AdaptOptions, base=self.base, time=self.time, balance=self.balance, seed=self.seed, offline=self.offline,
            strategy=self.strategy or "quick",
            group=() if groups is None else ("group",),
        )  # fmt: skip
        names = [f"{code:06d}" for code in codes]
        table = data.from_arrays(_rows(X), names)
        return self._fit_table(table, options, groups)

    def _fit_table(self, table: Any, options: AdaptOptions, groups: Any) -> Adapter:
        from dataclasses import replace

        metadata = {} if groups is None else {"group": column([str(item) for item in groups])}
        splits = column([TRAIN] * len(table))
        with offline(options.offline):
            self.model_: Model = adapt_table(replace(table, splits=splits, metadata=metadata), None, options).model
        return self

    def predict_proba(self, X: Any) -> Any:
        """Give class probabilities (n_rows, n_classes), columns in the order of `classes_`."""
        check_is_fitted(self, "model_")
        X, _ = self._checked(X, None)
        return self.model_.predict_proba(_rows(X))

    def predict(self, X: Any) -> Any:
        """Give the most probable class of each row (n_rows,)."""
        codes = self.predict_proba(X).argmax(axis=1)
        return self.classes_[codes]

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Let scikit-learn check numbers; texts, paths and ragged series are left as they are."""
        fitting = y is not None
        if not _is_numeric(X):
            rows = list(X)
            if fitting:
                y = column_or_1d(y, warn=True)
                check_classification_targets(y)
                if len(rows) != len(y):
                    raise ValueError(f"X has {len(rows)} rows, but y has {len(y)}.")
            return rows, y
        kept = {"ensure_all_finite": "allow-nan", "dtype": "numeric", "allow_nd": True}
        if not fitting:
            return validate_data(self, X, reset=False, **kept), None
        X, y = validate_data(self, X, y, **kept)
        check_classification_targets(y)
        return X, y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags


def _is_numeric(X: Any) -> bool:
    """Say whether X is an array or something that becomes one; lists of texts, paths and ragged series do not."""
    if hasattr(X, "toarray") or hasattr(X, "dtype") or hasattr(X, "__array__") or np.isscalar(X) or X is None:
        return not (hasattr(X, "dtype") and getattr(X.dtype, "kind", "") in "US")
    first = next(iter(X), None) if isinstance(X, Sequence) else None
    return not (isinstance(first, str) or hasattr(first, "__fspath__") or hasattr(first, "shape"))


def _rows(X: Any) -> Any:
    return X.astype(np.float32) if hasattr(X, "astype") and X.dtype.kind in "fiub" else X
