"""The `y` of scikit-learn: one class a row, 0 and 1 for each label, or lists of labels; codes in, answers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.data.reading.frames import is_column, is_frame, read_column_values, read_frame_columns
from headstart.decisions.costs import RESERVED
from headstart.spellings import fold_label, normalise_label


@dataclass(frozen=True, kw_only=True)
class Targets:
    """What `fit` learns from, and how answers become what the caller gave.

    Parameters
    ----------
    codes : list of str (n_rows,), or array of 0 and 1 (n_rows, n_labels)
        Classes by name where they are plain names, else by number; columns by number.
    classes : array, shape (n_classes,)
        What the caller calls them.
    names : tuple of str, n_classes
        What the model calls `classes`.
    has_sets : bool
        Any number of labels a row.
    has_lists : bool
        The caller gave lists of labels, and gets tuples.
    """

    codes: Any
    classes: Any
    names: tuple[str, ...] = ()
    has_sets: bool = False
    has_lists: bool = False

    def order_classes(self, names: Sequence[str]) -> Any:
        """Return the caller's classes in the order of a model's; of labels for sets their own order.

        Parameters
        ----------
        names : sequence of str, n_classes
            What the model knows.
        """
        return self.classes if self.has_sets else self.classes[[self.names.index(name) for name in names]]

    @property
    def task(self) -> str:
        """Name of the task."""
        return "multi-label" if self.has_sets else "classification"

    def order_columns(self, probabilities: Any, names: Sequence[str]) -> Any:
        """Return probabilities with a column for each label, in the order of `classes`; classes stay as they are.

        Parameters
        ----------
        probabilities : array, shape (n_rows, n_names)
        names : sequence of str
            Numbers of the labels that the model knows.
        """
        if not self.has_sets:
            return probabilities
        ordered = np.where(np.isnan(probabilities[:, :1]), np.nan, np.zeros((1, len(self.classes))))
        ordered[:, [int(name) for name in names]] = probabilities
        return ordered

    def decode_sets(self, answers: Any, answered: Any = None) -> Any:
        """Return answers with several labels in the form that `fit` had.

        Parameters
        ----------
        answers : array of tuples of str, shape (n_rows,)
            Numbers of labels; None where there is no answer.
        answered : array of bool, shape (n_rows,), optional
            False where an answer is withheld.
        """
        silent = np.array([answer is None for answer in answers])
        silent = silent if answered is None else silent | ~answered
        mask = np.zeros((len(answers), len(self.classes)), dtype=np.int64)
        for row, answer in enumerate(answers):
            mask[row, [int(name) for name in answer or ()]] = 1
        if not self.has_lists:
            return np.where(silent[:, None], np.nan, mask) if silent.any() else mask
        tuples = np.empty(len(answers), dtype=object)
        for row in np.flatnonzero(~silent):
            tuples[row] = tuple(self.classes[mask[row] == 1].tolist())
        return tuples

    def score(self, predicted: Any, y: Any, weights: Any = None) -> float:
        """Return the share of rows (0-1) whose answer is y, label by label.

        Parameters
        ----------
        predicted : array, shape (n_rows,) or (n_rows, n_labels)
        y : array or sequence, of the same form
        weights : array, shape (n_rows,), optional
        """
        plain = read_plain_targets(y)
        if self.has_lists:
            right = [
                answer is not None and set(answer) == set(labels)
                for answer, labels in zip(predicted, plain, strict=True)
            ]
        elif self.has_sets:
            right = list((predicted == np.asarray(plain)).all(axis=1))
        else:
            labels = np.asarray(plain).reshape(-1)
            right = [answer is not None and answer == label for answer, label in zip(predicted, labels, strict=True)]
        return float(np.average(right, weights=weights))


@dataclass(frozen=True, kw_only=True)
class ReadTargets:
    """A `y` before scikit-learn's checks.

    Parameters
    ----------
    values : array or sequence
        One label a row, or columns.
    names : array or None
        Of the columns, where they have names.
    has_lists : bool
        The columns are made of lists of labels.
    """

    values: Any
    names: Any = None
    has_lists: bool = False

    def encode(self, checked: Any) -> Targets:
        """Return labels by number.

        Parameters
        ----------
        checked : array, shape (n_rows,) or (n_rows, n_labels)
            The values after scikit-learn's checks.

        Raises
        ------
        ValueError
            There is one class only, or columns hold something else than 0 and 1.
        """
        if np.ndim(checked) == 2:
            if not np.isin(checked, (0, 1)).all():
                raise ValueError("y with a column for each label needs 0 or 1 in every cell.")
            names = np.arange(checked.shape[1]) if self.names is None else self.names
            codes = np.asarray(checked).astype(np.int64)
            return Targets(codes=codes, classes=names, has_sets=True, has_lists=self.has_lists)
        classes, codes = np.unique(checked, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"Adapter needs at least 2 classes; y has only {len(classes)} class.")
        names = _name_classes(classes.tolist())
        return Targets(codes=[names[code] for code in codes], classes=classes, names=tuple(names))


def _name_classes(classes: Sequence[Any]) -> list[str]:
    """Return what the model calls classes: their own names where reading keeps these as they are, else numbers.

    Examples
    --------
    >>> _name_classes(["food", "water"]), _name_classes([3, 7]), _name_classes(["Rust", "rust"])
    (['food', 'water'], ['000000', '000001'], ['000000', '000001'])
    """
    names = [name for name in classes if isinstance(name, str) and name[:1].isalpha() and normalise_label(name) == name]
    folded = {fold_label(name) for name in names}
    if len(folded) == len(classes) and folded.isdisjoint(RESERVED):
        return names
    return [f"{number:06d}" for number in range(len(classes))]


def read_classes(y: Any) -> ReadTargets:
    """Return labels of any library: one a row, columns of 0 and 1, or lists of labels.

    Parameters
    ----------
    y : sequence, array, Series or DataFrame

    Examples
    --------
    >>> read_classes([["water"], [], ["water", "roads"]]).values.tolist()
    [[0, 1], [0, 0], [1, 1]]
    """
    if is_frame(y):
        columns = read_frame_columns(y)
        if len(columns) > 1:
            names = np.array(list(columns), dtype=object)
            return ReadTargets(values=np.column_stack([np.asarray(column) for column in columns.values()]), names=names)
    values = read_plain_targets(y)
    if not _are_label_lists(values):
        return ReadTargets(values=values.toarray() if hasattr(values, "toarray") else values)
    labels = sorted({label for row in values for label in row})
    if len(labels) < 2:
        raise ValueError(f"Lists of labels need at least 2 labels; y has {len(labels)}.")
    mask = np.array([[int(label in row) for label in labels] for row in values])
    return ReadTargets(values=mask, names=np.array(labels), has_lists=True)


def _are_label_lists(values: Any) -> bool:
    """Return whether rows are lists of labels: texts, sets, or of different lengths; rows of numbers are columns."""
    if isinstance(values, np.ndarray) and (values.ndim != 1 or values.dtype != object):
        return False
    rows = list(values) if isinstance(values, Sequence | np.ndarray) and not isinstance(values, str) else []
    if not rows or not all(isinstance(row, list | tuple | set | frozenset) for row in rows):
        return False
    has_texts = any(isinstance(label, str) for row in rows for label in row)
    return has_texts or any(isinstance(row, set | frozenset) for row in rows) or len({len(row) for row in rows}) > 1


def read_plain_targets(y: Any) -> Any:
    """Return labels of any library as an array; a missing one is an error.

    Parameters
    ----------
    y : sequence, array, Series or DataFrame
    """
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
