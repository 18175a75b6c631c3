"""A scikit-learn estimator over the same machinery: works in Pipeline, cross_val_score and GridSearchCV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from headstart import data
from headstart.api.model import Model, make_model
from headstart.data.reading.frames import (
    are_numbers,
    convert_inputs,
    is_column,
    is_frame,
    read_column_values,
    read_frame_columns,
)
from headstart.data.reading.memory_images import is_image
from headstart.flow.adaptation.run import adapt_table
from headstart.offline import offline
from headstart.options import AdaptOptions, parse
from headstart.records import TRAIN, make_column


class Adapter(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Adapt a base model to texts, image paths or series.

    Parameters
    ----------
    base : str
        As `headstart adapt --base`.
    strategy : str, sequence of str or None
        Strategy names, also as one text with commas; None: `quick`, all but the from-scratch network.
    time : float or str
        Time limit, such as "10m" or seconds.
    balance : str
        "auto", "on" or "off".
    seed : int
        Of everything random.
    offline : bool
        Open no connection.
    axes : str
        Of an array of series with several channels: "channels-first", "time-first", or "auto": the first.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    model_ : headstart.Model

    Notes
    -----
    `X` is a list of texts, of image paths or of images (of Pillow, or an array (n, height, width, 3)), an array
    (n, time) or (n, channels, time), or a list of arrays (channels, time), with `axes="time-first"` the other way
    round; also a Series or a DataFrame (pandas, Arrow, polars) of these: its only column, the one called like texts or
    files, or all if all are numbers. All rows are used for training: scikit-learn's own tools score the estimator.
    """

    def __init__(  # noqa: PLR0913 - scikit-learn takes parameters from the signature
        self,
        base: str = "default",
        strategy: str | Sequence[str] | None = None,
        time: float | str = 600.0,
        balance: str = "auto",
        seed: int = 0,
        offline: bool = False,
        *,
        axes: str = "auto",
    ) -> None:
        self.base = base
        self.strategy = strategy
        self.time = time
        self.balance = balance
        self.seed = seed
        self.offline = offline
        self.axes = axes

    def fit(self, X: Any, y: Any, groups: Any = None) -> Adapter:
        """Learn from rows `X` with labels `y` (n_rows,); rows of one group stay on one side of every fold.

        Rows that cannot be used (a missing text, an image that is not there) are left out.
        """
        if y is None:
            raise ValueError("Adapter requires y to be passed, but the target y is None.")
        X, y = self._validate(X, _plain_labels(y))
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"Adapter needs at least 2 classes; y has only {len(classes)} class.")
        strategy = self.strategy or "quick"
        options = parse(
            AdaptOptions, base=self.base, time=self.time, balance=self.balance, seed=self.seed, offline=self.offline,
            strategy=strategy if isinstance(strategy, str) else ",".join(strategy), axes=self.axes,
            group=() if groups is None else ("group",),
        )  # fmt: skip
        named_groups = {} if groups is None else {"group": groups}
        table = data.from_arrays(_rows(X), [f"{code:06d}" for code in codes], axes=options.axes, metadata=named_groups)
        data.require_use(options, table)
        splits = make_column([TRAIN] * len(table))
        with offline(options.offline):
            self.model_: Model = make_model(adapt_table(replace(table, splits=splits), None, options))
        self.classes_ = classes[[int(name) for name in self.model_.classes]]
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities (n_rows, n_classes), columns in the order of `classes_`.

        A row that cannot be read has NaN in every column.
        """
        check_is_fitted(self, "model_")
        X, _ = self._validate(X, None)
        return self.model_.predict_proba(_rows(X))

    def predict(self, X: Any) -> Any:
        """Return the most probable class of each row (n_rows,), in order; None where the row cannot be read."""
        probabilities = self.predict_proba(X)
        unread = np.isnan(probabilities).any(axis=1)
        predicted = self.classes_[np.where(unread[:, None], 0.0, probabilities).argmax(axis=1)]
        if unread.any():
            predicted = predicted.astype(object)
            predicted[unread] = None
        return predicted

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy (0-1); a row that cannot be read counts as wrong."""
        predicted, truth = self.predict(X), np.asarray(_plain_labels(y))
        if predicted.dtype != object:
            return float(accuracy_score(truth, predicted, sample_weight=sample_weight))
        right = [answer is not None and answer == label for answer, label in zip(predicted, truth, strict=True)]
        return float(np.average(right, weights=sample_weight))

    def _validate(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Let scikit-learn check numbers; texts, paths and ragged series are left as they are."""
        fitting = y is not None
        X = _plain_rows(X)
        if not _is_numeric(X):
            rows = list(X)
            if fitting:
                y = column_or_1d(y, warn=True)
                check_classification_targets(y)
                if len(rows) != len(y):
                    raise ValueError(f"X has {len(rows)} rows, but y has {len(y)}.")
            return rows, y
        validation_options = {"ensure_all_finite": "allow-nan", "dtype": "numeric", "allow_nd": True}
        if not fitting:
            return validate_data(self, X, reset=False, **validation_options), None
        X, y = validate_data(self, X, y, **validation_options)
        check_classification_targets(y)
        return X, y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags


def _plain_rows(X: Any) -> Any:
    """Return texts, paths and series of any library as a list; numbers are left to scikit-learn."""
    if is_frame(X):
        columns = read_frame_columns(X).values()
        return X if len(columns) > 0 and all(map(are_numbers, columns)) else convert_inputs(X)
    if isinstance(X, Iterator):
        return list(X)
    is_texts = isinstance(X, np.ndarray) and (
        X.dtype.kind in "UST" or (X.dtype.kind == "O" and X.size > 0 and _holds_rows(X.flat[0]))
    )
    if is_texts and X.ndim <= 2 and (X.ndim == 1 or X.shape[1] == 1):
        return convert_inputs(X)
    return convert_inputs(X) if is_column(X) and not are_numbers(read_column_values(X)) else X


def _holds_rows(value: Any) -> bool:
    return value is None or isinstance(value, str) or hasattr(value, "__fspath__") or hasattr(value, "shape")


def _plain_labels(y: Any) -> Any:
    """Return labels of any library as an array; a missing one is an error."""
    if is_frame(y):
        columns = list(read_frame_columns(y).values())
        y = columns[0] if len(columns) == 1 else y
    elif is_column(y):
        y = read_column_values(y)
    else:
        return y
    n_missing = sum(label is None for label in y) if isinstance(y, list) else 0
    if n_missing:
        raise ValueError(f"y has {n_missing} missing labels: leave these rows out, or label them.")
    return np.asarray(y)


def _is_numeric(X: Any) -> bool:
    """Return whether X is an array or something that becomes one; lists of texts, paths and ragged series do not."""
    if hasattr(X, "toarray") or hasattr(X, "dtype") or hasattr(X, "__array__") or np.isscalar(X) or X is None:
        return not (hasattr(X, "dtype") and getattr(X.dtype, "kind", "") in "US")
    first = next((one for one in X if one is not None), None) if isinstance(X, Sequence) else None
    return not (isinstance(first, str) or is_image(first) or hasattr(first, "__fspath__") or hasattr(first, "shape"))


def _rows(X: Any) -> Any:
    return X.astype(np.float32) if hasattr(X, "astype") and X.dtype.kind in "fiub" else X
