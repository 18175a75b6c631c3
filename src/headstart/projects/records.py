"""What a project holds, as records: examples, labels, kinds, models, jobs. They hold values and compute nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

STATES = ("in", "left_out")
ANSWERS = ("label", "not_sure", "none", "skip")
"""What was answered: a kind, not sure, none of the kinds, or nothing for now (which changes no earlier answer)."""
ORIGINS = ("model", "import", "person")
"""Where a label comes from, the weakest first: a later label of a weaker origin never replaces one of a stronger."""
PURPOSES = ("label", "second", "reference")
"""What an answer is for: the example's label; a second opinion, or the human reference. Those two leave the label."""
OPEN_STATES, ENDED_STATES = ("queued", "running"), ("done", "failed", "cancelled")
JOB_STATES = (*OPEN_STATES, *ENDED_STATES)
MODEL_STATES = ("running", "done", "failed", "stopped")


@dataclass(frozen=True, kw_only=True)
class NewExample:
    """An example to add.

    Parameters
    ----------
    name : str
        What people call it: the file's name, the row of the sheet.
    content_hash : str
        sha256 (hex) of its content, as `Table.hashes`.
    path : Path or None
        File of an image; relative paths lie below the project's folder.
    text : str or None
    series : float32 array, shape (n_channels, n_steps), or None
        NaN = missing.
    metadata : mapping of str to str
        Every other column.
    label : str or None
        As it stands in the data: it enters the journal with origin "import".
    split : str
        "train", "test" or "".
    source : int or None
        Number of the source (`Project.add_source`).
    state, reason : str
        "left_out" and the reason, for what cannot be read.
    """

    name: str
    content_hash: str
    path: Path | None = None
    text: str | None = None
    series: NDArray[np.float32] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    label: str | None = None
    split: str = ""
    source: int | None = None
    state: str = "in"
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Example:
    """An example as the project holds it.

    Parameters
    ----------
    id : int
        Stays for ever.
    name, content_hash : str
    path : Path or None
        Absolute.
    text : str or None
    series : float32 array, shape (n_channels, n_steps), or None
    metadata : mapping of str to str
    state : str
        "in" or "left_out".
    reason : str
        Why it is left out.
    label : str or None
        The kind, or None where it has none.
    answer : str
        One of `ANSWERS`, or "" where nobody and nothing answered.
    label_by, label_at, label_origin : str
        Who answered, when (UTC), and one of `ORIGINS`; "" without an answer.
    round : int
        Learning round in which it was answered; 0 before the first.
    chosen : str
        How it came to be asked about (`NewLabel.chosen`).
    entry : int
        Line of the journal that holds; 0 without an answer.
    split : str
        "train", "test" or "" (not decided).
    source : int or None
    """

    id: int
    name: str
    content_hash: str
    path: Path | None
    text: str | None
    series: NDArray[np.float32] | None
    metadata: Mapping[str, Any]
    state: str
    reason: str
    label: str | None
    answer: str
    label_by: str
    label_at: str
    label_origin: str
    round: int
    chosen: str
    entry: int
    split: str
    source: int | None

    @property
    def input(self) -> Path | str | NDArray[np.float32] | None:
        """What a model reads: a file, a text or a series; None where it could not be read when it was added."""
        return next((value for value in (self.path, self.text, self.series) if value is not None), None)


@dataclass(frozen=True, kw_only=True)
class ExampleFilter:
    """Which examples; every condition that is not None holds.

    Parameters
    ----------
    kind : str or None
        Labelled as this kind.
    labelled : bool or None
        Whether it has a label.
    answer : str or None
        One of `ANSWERS`, or "" for no answer at all.
    state : str or None
        "in" or "left_out".
    split : str or None
        "train", "test" or "".
    origin : str or None
        One of `ORIGINS`.
    group : (str, str) or None
        Metadata column and its value.
    text_contains : str or None
        In the text or the name, upper and lower case alike.
    source : int or None
    ids : sequence of int or None
        Only these.
    after_id : int or None
        Only ids above: the next page, however deep, in no time (with `order="id"`).
    """

    kind: str | None = None
    labelled: bool | None = None
    answer: str | None = None
    state: str | None = None
    split: str | None = None
    origin: str | None = None
    group: tuple[str, str] | None = None
    text_contains: str | None = None
    source: int | None = None
    ids: Sequence[int] | None = None
    after_id: int | None = None


ALL_EXAMPLES = ExampleFilter()


@dataclass(frozen=True, kw_only=True)
class NewLabel:
    """An answer about an example.

    Parameters
    ----------
    example : int
        Its id.
    label : str or None
        The kind, where `answer` is "label".
    answer : str
        One of `ANSWERS`.
    who : str
        Name of the person, or of the model.
    origin : str
        One of `ORIGINS`.
    round : int
        Learning round; 0 before the first.
    chosen : str
        How the example came to be asked about: "random", "useful", "review", "cohort", "search"; "" unknown.
    purpose : str
        One of `PURPOSES`; only "label" changes the example's label.
    """

    example: int
    label: str | None = None
    answer: str = "label"
    who: str = ""
    origin: str = "person"
    round: int = 0
    chosen: str = ""
    purpose: str = "label"


@dataclass(frozen=True, kw_only=True)
class LabelEvent:
    """One line of the journal: an answer, when it was given, and whether it was taken back."""

    id: int
    example: int
    label: str | None
    answer: str
    who: str
    at: str
    origin: str
    round: int
    chosen: str
    purpose: str
    undone: bool


@dataclass(frozen=True)
class Kind:
    """A kind and how many examples have it, without those left out; `n_labelled` counts those of no split, too."""

    name: str
    n_train: int
    n_test: int
    n_labelled: int


@dataclass(frozen=True, kw_only=True)
class LabelCounts:
    """Numbers of examples, without those left out (`n_left_out`).

    `n_open` have no answer at all; a skipped one without another answer counts as `n_skipped`.
    """

    n_examples: int
    n_labelled: int
    n_by_person: int
    n_by_model: int
    n_imported: int
    n_not_sure: int
    n_none: int
    n_skipped: int
    n_open: int
    n_left_out: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where examples came from: the path as given, what it was for ("examples", ...), and how it was read."""

    id: int
    path: str
    role: str
    options: Mapping[str, Any]
    at: str


@dataclass(frozen=True, kw_only=True)
class ProjectModel:
    """A model of a project: an output folder of `adapt`.

    Parameters
    ----------
    n : int
        Its number; the folder is models/n unless another was named.
    folder : Path
    command : str
        That made it.
    state : str
        One of `MODEL_STATES`.
    at : str
        When it was begun.
    is_current : bool
        Whether it is the one in use.
    facts : mapping of str to JSON value
        What pages show without opening the folder.
    """

    n: int
    folder: Path
    command: str
    state: str
    at: str
    is_current: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command line of Headstart that runs, ran or will run for this project.

    Parameters
    ----------
    id : int
    kind : str
    argv : tuple of str
        Behind `headstart`.
    state : str
        One of `JOB_STATES`.
    pid : int or None
        Of the process that runs it, or that ran it.
    at, began, ended : str
        When it was queued, claimed and done; "" if not yet.
    facts : mapping of str to JSON value
        Progress, error, result: what its runner notes.
    """

    id: int
    kind: str
    argv: tuple[str, ...]
    state: str
    pid: int | None
    at: str
    began: str
    ended: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class LabelConflict:
    """A row of an edited file whose example got another answer since the file was written; it stays as it is."""

    example: int
    name: str
    in_file: str
    in_project: str


@dataclass(frozen=True, kw_only=True)
class ImportedLabels:
    """What an edited `labels.csv` changed.

    Parameters
    ----------
    n_rows : int
        Of the file.
    n_changed, n_unchanged : int
    conflicts : tuple of LabelConflict
        Not changed: the project has a newer answer.
    unknown_rows : tuple of str
        Ids or names that the project does not have.
    unknown_kinds : mapping of str to int
        Kinds that the project does not have, with their rows: not changed.
    emptied : tuple of str
        Names of examples whose label was deleted in the file: not changed.
    """

    n_rows: int
    n_changed: int
    n_unchanged: int
    conflicts: tuple[LabelConflict, ...] = ()
    unknown_rows: tuple[str, ...] = ()
    unknown_kinds: Mapping[str, int] = field(default_factory=dict)
    emptied: tuple[str, ...] = ()
