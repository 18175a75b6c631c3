"""The three narrow waists, `Table -> Features -> Predictions`, and the small records between them.

Shapes are checked here and nothing else happens: no file is read, nothing is computed. Never imports torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from html import escape
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from headstart.coding_frames import CodingFrame
from headstart.modalities import MODALITIES
from headstart.task_types import TASK_TYPES

Column = NDArray[np.object_]
"""(n_rows,) one value a row."""
Index = NDArray[np.intp]
"""(m,) row numbers, or (n_rows,) class indices."""
FloatMatrix = NDArray[np.float32]
"""(n_rows, n_dims)."""
Probabilities = NDArray[np.float64]
"""(n_rows, n_classes); rows sum to one, or are all NaN where nothing was predicted."""

TRAIN, TEST = "train", "test"
TRAINING_ONLY = -1
"""Fold of a row that every fold learns from and that none holds out, such as the only row of its class."""


def make_column(values: Sequence[Any]) -> Column:
    """Return values as a column, one object a row; numpy does not guess a shape for arrays and strings.

    Parameters
    ----------
    values : sequence of length n_rows
    """
    values_by_row = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        values_by_row[position] = value
    return values_by_row


def list_held_out_folds(folds: Index) -> list[int]:
    """Return the numbers of the folds that are held out in turn, ascending.

    Parameters
    ----------
    folds : Index, shape (n_rows,)
        `TRAINING_ONLY` for rows that are never held out.

    Examples
    --------
    >>> list_held_out_folds(np.array([1, 0, TRAINING_ONLY, 1]))
    [0, 1]
    """
    return [int(number) for number in np.unique(folds) if number != TRAINING_ONLY]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval; `low <= value <= high`."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the JSON form."""
        return dict(vars(self))


@dataclass(frozen=True)
class SetAside:
    """Input that cannot be used, and the reason."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Finding of a check of the data, in the form that `headstart check --json` prints.

    Parameters
    ----------
    kind : str
        The permanent kebab-case code of the check.
    severity : str
        "stop", "warn" or "note".
    rows : tuple of str
        Ids of all rows concerned.
    summary, advice : str
        What the check reports, and what to do about it.
    measure : Interval or None
        The figure behind it, such as the share of rows concerned.
    """

    kind: str
    severity: str
    rows: tuple[str, ...]
    summary: str
    advice: str
    measure: Interval | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        measure = self.measure.as_dict() if self.measure else None
        return {
            "kind": self.kind, "severity": self.severity, "n_rows": len(self.rows), "rows": list(self.rows),
            "summary": self.summary, "measure": measure, "advice": self.advice,
        }  # fmt: skip


LAYOUTS = ("wide", "long", "files", "array")
"""Layouts of series: one row per series, one row per time step, one file per series, or arrays without names."""
AXES = ("channels-first", "time-first")
"""(n, channels, time) or (n, time, channels)."""


@dataclass(frozen=True, kw_only=True)
class InputColumns:
    """The columns that hold the values of series, by which other data is put into the same order.

    Parameters
    ----------
    layout : str
        One of `LAYOUTS`; "" where it is not known (bundles of older versions).
    channels : tuple of str, shape (n_channels,)
        Names in order; empty where channels have no names. "" is the only channel of a wide table.
    values : tuple of tuple of str, shape (n_channels, n_steps)
        For "wide": the column of each step of each channel; "" where a channel lacks the step.
    axes : str
        For "array": one of `AXES`.
    n_channels, fewest_steps, most_steps : int
        Sizes of the series that were read; 0 where they are not known.
    """

    layout: str = ""
    channels: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()
    axes: str = AXES[0]
    n_channels: int = 0
    fewest_steps: int = 0
    most_steps: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**vars(self), "channels": list(self.channels), "values": [list(steps) for steps in self.values]}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> InputColumns:
        """Return the record that the JSON form describes."""
        lists = {"channels": tuple(document["channels"]), "values": tuple(map(tuple, document["values"]))}
        return cls(**{**document, **lists})


_LABELS_IN_REPR = 8


@dataclass(frozen=True, kw_only=True, repr=False)
class Table:
    """Rows of data with their labels and metadata: the first waist.

    Parameters
    ----------
    modality : str
        One of `MODALITIES`.
    ids : Column, shape (n_rows,)
        Unique strings that stay with the rows into every output.
    inputs : Column, shape (n_rows,)
        `pathlib.Path` for images, `str` for texts, float32 array of shape (channels, time) for series (NaN = missing).
    hashes : Column, shape (n_rows,)
        sha256 (hex) of each row's content.
    labels : Column or None, shape (n_rows,)
        Strings; None where the data has no labels at all.
    splits : Column, shape (n_rows,)
        "train", "test" or "" (not decided).
    metadata : mapping of str to Column
        Every other column.
    set_aside, findings : tuple of SetAside, tuple of Finding
        Inputs that could not be read, and what the checks report so far.
    source : str
        The path as the user gave it.
    columns : mapping of str to str
        Which column served as what ("text", "label", ...).
    task : str
        One of `TASK_TYPES`.
    targets : FloatMatrix or None, shape (n_rows, n_outputs)
        Targets that are not classes: 0 or 1 for each label ("multi-label"), or one number ("regression",
        n_outputs = 1). NaN where a row has no label.
    target_names : tuple of str
        Names of the columns of `targets`; the grades, lowest first, for "ordinal" (which has no targets).
    near_duplicate_groups : Column or None, shape (n_rows,)
        Group of near-duplicates that a row belongs to, "" for none; None: not searched for (`data.duplicates`).
    input_columns : InputColumns or None
        For series: the columns that hold their values.
    left_out : mapping of str to str
        Columns that are not used, not even as metadata, and the reason.
    n_lines : int
        Lines of the files, headers and empty lines included; 0 for files without lines.
    is_split_drawn : bool
        Whether Headstart chose the test rows in `splits` at an earlier time, by chance.
    frame : CodingFrame or None
        Codes of labels that are paths ("water > pump").
    """

    modality: str
    ids: Column
    inputs: Column
    hashes: Column
    labels: Column | None
    splits: Column
    metadata: Mapping[str, Column] = field(default_factory=dict)
    set_aside: tuple[SetAside, ...] = ()
    findings: tuple[Finding, ...] = ()
    source: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    task: str = "classification"
    targets: FloatMatrix | None = None
    target_names: tuple[str, ...] = ()
    near_duplicate_groups: Column | None = None
    input_columns: InputColumns | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)
    n_lines: int = 0
    is_split_drawn: bool = False
    frame: CodingFrame | None = None

    def __post_init__(self) -> None:
        assert self.modality in MODALITIES, self.modality
        assert self.task in TASK_TYPES, self.task
        n = len(self.ids)
        assert self.targets is None or self.targets.shape == (n, len(self.target_names)), self.targets.shape
        parts = [self.inputs, self.hashes, self.splits, *self.metadata.values()]
        parts += [part for part in (self.labels, self.near_duplicate_groups) if part is not None]
        assert all(part.shape == (n,) for part in parts), [part.shape for part in parts]

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        """Return what the table holds in a line, and no row of it."""
        counts = Counter([] if self.labels is None or self.targets is not None else self.labels.tolist())
        labels = [f"{name}: {n:,}" for name, n in counts.most_common(_LABELS_IN_REPR)]
        named = f", {len(counts):,} labels ({', '.join(labels)} ...)" if labels else ""
        return f"Table({len(self):,} {self.modality} rows from {self.source}, {self.task}{named})"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"

    def take(self, index: Index) -> Self:
        """Return the rows `index`, in that order; `set_aside` stays complete."""
        return replace(
            self,
            ids=self.ids[index],
            inputs=self.inputs[index],
            hashes=self.hashes[index],
            labels=None if self.labels is None else self.labels[index],
            splits=self.splits[index],
            metadata={name: values[index] for name, values in self.metadata.items()},
            targets=None if self.targets is None else self.targets[index],
            near_duplicate_groups=None if self.near_duplicate_groups is None else self.near_duplicate_groups[index],
        )

    def select_split(self, name: str) -> Self:
        """Return the rows of one split."""
        return self.take(np.flatnonzero(self.splits == name))


AnyTable = TypeVar("AnyTable", bound=Table)
"""A table in the state in which it was given."""


@dataclass(frozen=True, kw_only=True, repr=False)
class SplitTable(Table):
    """A table in which every row is for training or for testing: the state that a model is adapted to."""

    def __post_init__(self) -> None:
        super().__post_init__()
        assert set(self.splits) <= {TRAIN, TEST}, sorted(set(self.splits))

    @classmethod
    def from_table(cls, table: Table) -> SplitTable:
        """Return a table whose splits are all decided in this state.

        Parameters
        ----------
        table : Table
        """
        return cls(**{item.name: getattr(table, item.name) for item in fields(Table)})


@dataclass(frozen=True)
class Features:
    """Embeddings of rows by a frozen base model: the second waist.

    Parameters
    ----------
    ids : Column, shape (n_rows,)
    final : FloatMatrix, shape (n_rows, n_dims)
        The pooled output of the last stage.
    fingerprint : str
        Identifies the base model, its preprocessing and the numerics.
    stages : mapping of str to FloatMatrix
        Pooled output of each earlier stage, input to output; empty unless requested.
    """

    ids: Column
    final: FloatMatrix
    fingerprint: str
    stages: Mapping[str, FloatMatrix] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.ids)
        assert self.final.ndim == 2 and len(self.final) == n, self.final.shape
        assert all(len(values) == n for values in self.stages.values())

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, index: Index) -> Features:
        """Return the rows `index`, in that order."""
        return replace(
            self,
            ids=self.ids[index],
            final=self.final[index],
            stages={name: values[index] for name, values in self.stages.items()},
        )


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Outputs of a model for rows: the third waist, where evaluation starts.

    Parameters
    ----------
    ids : Column, shape (n_rows,)
    classes : tuple of str
        Names of the columns of `probabilities`: classes, labels ("multi-label") or the one target ("regression").
    probabilities : Probabilities, shape (n_rows, n_classes)
        Rows sum to one for classes; for "multi-label" each column is a probability of its own; for "regression" the
        one column holds predicted values, in the unit of the label.
    task : str
        One of `TASK_TYPES`.
    thresholds : tuple of float
        For "multi-label": a label is given from this probability on, one a class; 0.5 each if empty.
    """

    ids: Column
    classes: tuple[str, ...]
    probabilities: Probabilities
    task: str = "classification"
    thresholds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        assert self.probabilities.shape == (len(self.ids), len(self.classes)), self.probabilities.shape
        assert len(self.thresholds) in (0, len(self.classes)), self.thresholds

    @property
    def class_indices(self) -> Index:
        """Class indices (n_rows,): the most probable class of each row, or for "ordinal" the median grade.

        Examples
        --------
        The most probable grade is the first, the one in the middle of the distribution is the second:

        >>> p = np.array([[0.4, 0.3, 0.3]])
        >>> for task in ("classification", "ordinal"):
        ...     rows = Predictions(ids=make_column(["a"]), classes=("1", "2", "3"), probabilities=p, task=task)
        ...     print(rows.class_indices.tolist())
        [0]
        [1]
        """
        if TASK_TYPES[self.task].is_ordered:  # the median has the smallest expected distance in grades
            n_grades_below_median = (np.cumsum(self.probabilities, axis=1) < 0.5 - 1e-9).sum(axis=1)
            return np.asarray(np.minimum(n_grades_below_median, len(self.classes) - 1), dtype=np.intp)
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.intp)

    @property
    def labels(self) -> Column:
        """The name of each row's predicted class (n_rows,); other tasks have `label_mask` and `values`."""
        return np.asarray(self.classes, dtype=object)[self.class_indices]

    @property
    def label_mask(self) -> NDArray[np.bool_]:
        """For "multi-label": the labels predicted for each row (n_rows, n_classes)."""
        return np.asarray(self.probabilities >= np.asarray(self.thresholds or (0.5,)))

    @property
    def values(self) -> NDArray[np.float64]:
        """For "regression": the predicted number of each row (n_rows,), in the unit of the label."""
        return self.probabilities[:, 0]

    def take(self, index: Index) -> Predictions:
        """Return the rows `index`, in that order."""
        return replace(self, ids=self.ids[index], probabilities=self.probabilities[index])
