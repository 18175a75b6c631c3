"""A scikit-learn estimator over the same machinery: works in Pipeline, cross_val_score and GridSearchCV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.metrics import r2_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from headstart import data
from headstart.api.model import Model, make_model
from headstart.api.targets import read_classes, read_plain_targets
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


class BaseAdapter(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What `Adapter` and `AdapterRegressor` share: parameters, reading of rows, and the embeddings of the base."""

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
        abstain: bool = False,
    ) -> None:
        self.base = base
        self.strategy = strategy
        self.time = time
        self.balance = balance
        self.seed = seed
        self.offline = offline
        self.axes = axes
        self.abstain = abstain

    def transform(self, X: Any) -> Any:
        """Return the embeddings that the base gives (n_rows, n_dims), float32; NaN where a row cannot be read.

        They come from the feature cache where the base has seen a row before, also in `fit`. The base is frozen: what
        was learnt from `y` does not change them.

        Parameters
        ----------
        X : sequence, array, Series or DataFrame
            As for `fit`.
        """
        check_is_fitted(self, "model_")
        X, _ = self._validate(X, None)
        return self.model_.embed(_rows(X))

    def _fit_model(self, X: Any, targets: Any, groups: Any, task: str) -> None:
        strategy = self.strategy or "quick"
        options = parse(
            AdaptOptions, base=self.base, time=self.time, balance=self.balance, seed=self.seed, offline=self.offline,
            strategy=strategy if isinstance(strategy, str) else ",".join(strategy), axes=self.axes,
            group=() if groups is None else ("group",),
        )  # fmt: skip
        named_groups = {} if groups is None else {"group": groups}
        table = data.from_arrays(_rows(X), targets, axes=options.axes, metadata=named_groups, task=task)
        data.require_use(options, table)
        splits = make_column([TRAIN] * len(table))
        with offline(options.offline):
            self.model_: Model = make_model(adapt_table(replace(table, splits=splits), None, options))

    def _find_answered(self, X: Any) -> Any:
        """Return which rows (n_rows,) the model answers: it may find a row unlike all others, or be unsure."""
        return np.array([document["kind"] == "label" for document in self.model_.answer(X)])

    def _validate(self, X: Any, y: Any) -> tuple[Any, Any]:
        """Let scikit-learn check numbers; texts, paths and ragged series are left as they are."""
        fitting, shape = y is not None, np.asarray(y).shape
        several = len(shape) == 2 and shape[1] > 1
        X = _plain_rows(X)
        if not _is_numeric(X):
            rows = list(X)
            if fitting:
                y = np.asarray(y) if several else column_or_1d(y, warn=True)
                if len(rows) != len(y):
                    raise ValueError(f"X has {len(rows)} rows, but y has {len(y)}.")
            return rows, y
        validation_options = {"ensure_all_finite": "allow-nan", "dtype": "numeric", "allow_nd": True}
        if not fitting:
            return validate_data(self, X, reset=False, **validation_options), None
        return validate_data(self, X, y, multi_output=several, **validation_options)  # type: ignore[no-any-return]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []
        tags.non_deterministic = False
        return tags


class Adapter(ClassifierMixin, BaseAdapter):  # type: ignore[misc]
    """Adapt a base model to labelled texts, images or series, as a classifier of scikit-learn.

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
    abstain : bool
        Whether `predict` gives None where the model would not answer: it is not sure, or a row is unlike all others.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        With several labels a row: the labels, in the order of the columns.
    model_ : headstart.Model

    Notes
    -----
    `X` is a list of texts, of image paths or of images (of Pillow, or an array (n, height, width, 3)), an array
    (n, time) or (n, channels, time), or a list of arrays (channels, time), with `axes="time-first"` the other way
    round; also a Series or a DataFrame (pandas, Arrow, polars) of these: its only column, the one called like texts or
    files, or all if all are numbers. All rows are used for training: scikit-learn's own tools score the estimator.
    Not every strategy can weigh single rows, so `fit` takes no `sample_weight`.

    Examples
    --------
    >>> from headstart import Adapter
    >>> texts = ["the pump is dry", "no water", "the roof leaks", "no books"] * 5
    >>> model = Adapter().fit(texts, ["water", "water", "school", "school"] * 5)  # doctest: +SKIP
    >>> model.predict(["the tap is dry"])  # doctest: +SKIP
    array(['water'], dtype='<U6')
    >>> model.transform(["the tap is dry"]).shape  # doctest: +SKIP
    (1, 384)
    """

    def fit(self, X: Any, y: Any, groups: Any = None) -> Adapter:
        """Learn from labelled rows; those that cannot be used (a missing text, no image) are left out.

        Parameters
        ----------
        X : sequence, array, Series or DataFrame, n_rows
        y : shape (n_rows,), or (n_rows, n_labels) of 0 and 1, or a list of label lists
            One label a row; or any number of them.
        groups : sequence, shape (n_rows,), optional
            Patient, site ...: rows of one group stay on one side of every fold.
        """
        if y is None:
            raise ValueError("Adapter requires y to be passed, but the target y is None.")
        classes = read_classes(y)
        X, y = self._validate(X, classes.values)
        check_classification_targets(y)
        self._targets = classes.encode(y)
        self._fit_model(X, self._targets.codes, groups, self._targets.task)
        self.classes_ = self._targets.order_classes(self.model_.classes)
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return class probabilities (n_rows, n_classes), columns in the order of `classes_`.

        With several labels a row each has a probability of its own. A row that cannot be read has NaN in every column.
        """
        check_is_fitted(self, "model_")
        X, _ = self._validate(X, None)
        probabilities = self.model_.predict_proba(_rows(X))
        return self._targets.order_columns(probabilities, self.model_.classes)

    def predict(self, X: Any) -> Any:
        """Return the answer of each row, in order.

        The most probable class (n_rows,); None where the row cannot be read and, with `abstain`, where the model would
        not answer. With several labels a row: 0 and 1 (n_rows, n_labels), NaN instead of None; or tuples of labels
        (n_rows,), if `fit` had lists of labels.
        """
        check_is_fitted(self, "model_")
        X, _ = self._validate(X, None)
        rows = _rows(X)
        answered = self._find_answered(rows) if self.abstain else None
        if self._targets.has_sets:
            return self._targets.decode_sets(self.model_.predict(rows), answered)
        probabilities = self.model_.predict_proba(rows)
        unread: Any = np.isnan(probabilities).any(axis=1)
        predicted = self.classes_[np.where(unread[:, None], 0.0, probabilities).argmax(axis=1)]
        without_answer = unread if answered is None else unread | ~answered
        if without_answer.any():
            predicted = predicted.astype(object)
            predicted[without_answer] = None
        return predicted

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy (0-1); a row without an answer counts as wrong, and so does one label too many or few."""
        return self._targets.score(self.predict(X), y, sample_weight)


class AdapterRegressor(RegressorMixin, BaseAdapter):  # type: ignore[misc]
    """Adapt a base model to rows with a number each, as a regressor of scikit-learn.

    Parameters
    ----------
    base, strategy, time, balance, seed, offline, axes
        As for `Adapter`; there are no classes to balance.
    abstain : bool
        Whether `predict` gives NaN where the model would not answer: a row is unlike all others.

    Attributes
    ----------
    model_ : headstart.Model

    Examples
    --------
    >>> from headstart import AdapterRegressor
    >>> model = AdapterRegressor().fit(photos, yields)  # doctest: +SKIP
    >>> model.predict(photos).shape == (len(photos),)  # doctest: +SKIP
    True
    """

    def fit(self, X: Any, y: Any, groups: Any = None) -> AdapterRegressor:
        """Learn from rows with a number each.

        Parameters
        ----------
        X : sequence, array, Series or DataFrame, n_rows
        y : sequence of float, shape (n_rows,)
        groups : sequence, shape (n_rows,), optional
            Rows of one group stay on one side of every fold.
        """
        if y is None:
            raise ValueError("AdapterRegressor requires y to be passed, but the target y is None.")
        X, y = self._validate(X, read_plain_targets(y))
        numbers: Any = np.asarray(y, dtype=np.float64)
        if numbers.ndim != 1 or not np.isfinite(numbers).all():
            raise ValueError("y needs one number a row, none of them missing or infinite.")
        self._fit_model(X, numbers.tolist(), groups, "regression")
        return self

    def predict(self, X: Any) -> Any:
        """Return a number for each row (n_rows,), in order; NaN where the row cannot be read or is not answered."""
        check_is_fitted(self, "model_")
        X, _ = self._validate(X, None)
        predicted = self.model_.predict(_rows(X)).astype(np.float64)
        return np.where(self._find_answered(_rows(X)), predicted, np.nan) if self.abstain else predicted

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the R² of the rows that have an answer (1 is best)."""
        predicted: Any = self.predict(X)
        truth: Any = np.asarray(read_plain_targets(y), dtype=np.float64)
        answered = ~np.isnan(predicted)
        weights = None if sample_weight is None else np.asarray(sample_weight)[answered]
        return float(r2_score(truth[answered], predicted[answered], sample_weight=weights))


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


def _is_numeric(X: Any) -> bool:
    """Return whether X is an array or something that becomes one; lists of texts, paths and ragged series do not."""
    if hasattr(X, "toarray") or hasattr(X, "dtype") or hasattr(X, "__array__") or np.isscalar(X) or X is None:
        return not (hasattr(X, "dtype") and getattr(X.dtype, "kind", "") in "US")
    first = next((one for one in X if one is not None), None) if isinstance(X, Sequence) else None
    return not (isinstance(first, str) or is_image(first) or hasattr(first, "__fspath__") or hasattr(first, "shape"))


def _rows(X: Any) -> Any:
    return X.astype(np.float32) if hasattr(X, "astype") and X.dtype.kind in "fiub" else X
