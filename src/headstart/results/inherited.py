"""What the base brought in: what can be read off, gaps, flips, slices, and what a mitigation did."""

from __future__ import annotations

from typing import Literal

from headstart.results.record import Figure, Record


class Readable(Record):
    """How well a group, or a plain property of a row, can be read off what a model sees (balanced accuracy, 0-1).

    `frozen`: the base's features; `adapted`: features of the model with moved weights; `answers`: the chosen model's
    probabilities; `without_base`: simple descriptors that no base made. None where there is no such thing.
    """

    name: str
    kind: Literal["group", "property"]
    values: list[str]
    n_rows: int
    chance: float
    frozen: Figure | None
    adapted: Figure | None
    answers: Figure | None
    without_base: Figure | None
    reading: str


class GapOrigin(Record):
    """Where a gap between two groups comes from, in `measure`: each gap is the first of `between` minus the second.

    `brought` is the frozen gap minus that without the base; `adaptation` the chosen model's minus the frozen one.
    """

    column: str
    between: list[str]
    measure: Literal["accuracy", "row F1", "mean absolute error"]
    n_rows: int
    without_base: Figure | None
    without_base_strategy: str | None
    frozen: Figure | None
    chosen: Figure
    brought: Figure | None
    adaptation: Figure | None
    reading: str


class FlipShare(Record):
    """Share of changed rows with another answer, for one class (`column` is empty) or group; None: too few rows."""

    column: str
    value: str
    n_rows: int
    flips: Figure | None


class Counterfactual(Record):
    """Test rows that were changed in a way that should not matter, and how many got another answer."""

    name: str
    says: str
    n_rows: int
    flips: Figure | None
    without_base_strategy: str | None
    without_base_flips: Figure | None
    parts: list[FlipShare] = []
    reading: str


class Inherited(Record):
    """What the base brought in: the audit of features, gaps and answers."""

    n_rows: int
    base: str
    readable: list[Readable] = []
    gaps: list[GapOrigin] = []
    counterfactuals: list[Counterfactual] = []
    not_measured: dict[str, str] = {}


class Slice(Record):
    """Similar rows on which the chosen model fails more often than the mix of their classes explains.

    `error` and `elsewhere` are mean errors on training rows predicted by models that did not see them; `test_error` on
    the test rows nearest to these, None with too few. `p_value` is corrected for all clusters that were tried.
    """

    n_rows: int
    error: Figure
    elsewhere: Figure
    p_value: float
    n_test_rows: int
    test_error: Figure | None
    test_elsewhere: Figure | None
    labels: list[str]
    properties: list[str]
    examples: list[str]
    reading: str


class Slices(Record):
    """Whether there are kinds of rows on which the model fails, found without group columns."""

    n_rows: int
    n_clusters: int
    measure: Literal["accuracy", "row F1", "mean absolute error"]
    found: list[Slice] = []
    reading: str


class MitigatedCell(Record):
    """Rows of one class in one group: the share right before and after; None with too few rows."""

    label: str
    group: str
    n_rows: int
    before: Figure | None
    after: Figure | None


class MitigatedFigures(Record):
    """Accuracy before and after on one set of rows: of the worst group (class and group together) and of all rows."""

    n_rows: int
    worst_before: Figure
    worst_after: Figure
    worst_gain: Figure
    mean_before: Figure
    mean_after: Figure
    mean_gain: Figure
    cells: list[MitigatedCell] = []


class Mitigation(Record):
    """What `--mitigate` did: `kept` says whether its model is the one in the bundle, decided on training rows only."""

    way: Literal["group-balance", "reweight"]
    columns: list[str]
    before: str
    after: str
    out_of_fold: MitigatedFigures | None
    test: MitigatedFigures | None
    kept: bool
    mean_may_lose: float
    reading: str
