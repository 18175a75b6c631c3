"""What the base brought in: what can be read off, gaps, flips, slices, and what a mitigation did."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class AttributeProbe(Record):
    """How well a group, or a plain property of a row, can be read off what a model sees (balanced accuracy, 0-1).

    `frozen`: the base's features; `adapted`: features of the model with moved weights; `answers`: the chosen model's
    probabilities; `without_base`: simple descriptors that no base made. None where there is no such thing.
    """

    name: str = Field(
        description="The column or property; `group` or `property` (cut at its median into high and low).",
    )
    kind: Literal["group", "property"] = Field(
        description="The column or property; `group` or `property` (cut at its median into high and low).",
    )
    values: list[str] = Field(description="Values with at least 20 rows, and the rows that have one.")
    n_rows: int = Field(description="Values with at least 20 rows, and the rows that have one.")
    chance: float = Field(description="What guessing gives.")
    frozen: Figure | None = Field(description="Read off the frozen features.")
    adapted: Figure | None = Field(
        description="Off the features of a network whose weights were moved; `null` where the chosen model moves none.",
    )
    answers: Figure | None = Field(description="Off the chosen model's answers.")
    without_base: Figure | None = Field(
        description="Off simple descriptors made without any base (histograms of images, hashed words, the raw "
        "course of a series).",
    )
    reading: str = Field(description="The same for people.")


class GapOrigin(Record):
    """Where a gap between two groups comes from, in `measure`: each gap is the first of `between` minus the second.

    `brought` is the frozen gap minus that without the base; `adaptation` the chosen model's minus the frozen one.
    """

    column: str = Field(description="The column, the two groups, and their test rows.")
    between: list[str] = Field(description="The column, the two groups, and their test rows.")
    measure: Literal["accuracy", "row F1", "mean absolute error"] = Field(description="As under [Groups](#groups).")
    n_rows: int = Field(description="The column, the two groups, and their test rows.")
    without_base: Figure | None = Field(
        description="The gap with the chosen model, with `linear-probe` on the frozen base, and without the base; "
        "the last two `null` where these were not fitted.",
    )
    without_base_strategy: str | None = Field(description="The model without the base.")
    frozen: Figure | None = Field(
        description="The gap with the chosen model, with `linear-probe` on the frozen base, and without the base; "
        "the last two `null` where these were not fitted.",
    )
    chosen: Figure = Field(
        description="The gap with the chosen model, with `linear-probe` on the frozen base, and without the base; "
        "the last two `null` where these were not fitted.",
    )
    brought: Figure | None = Field(description="Gap with the frozen base minus gap without it: what the base brought.")
    adaptation: Figure | None = Field(
        description="Gap of the chosen model minus gap with the frozen base; `null` where the chosen one is the "
        "frozen probe.",
    )
    reading: str = Field(description="The same for people.")


class FlipShare(Record):
    """Share of changed rows with another answer, for one class (`column` is empty) or group; None: too few rows."""

    column: str = Field(description="Group column; empty where the values are classes.")
    value: str = Field(description="The class, or the group.")
    n_rows: int = Field(description="Rows that it changed.")
    flips: Figure | None = Field(description="Share of them with another answer; `null` with too few rows.")


class Counterfactual(Record):
    """Test rows that were changed in a way that should not matter, and how many got another answer."""

    name: str = Field(description="The change.")
    says: str = Field(description="The change.")
    n_rows: int = Field(description="Rows that it changed.")
    flips: Figure | None = Field(description="Share with another answer.")
    without_base_strategy: str | None = Field(
        description="The same for a model without the base; `null` where there is none.",
    )
    without_base_flips: Figure | None = Field(
        description="The same for a model without the base; `null` where there is none.",
    )
    parts: list[FlipShare] = Field(
        default=[],
        description="The same for each class (`column` is empty) and group: `column`, `value`, `n_rows`, and "
        "`flips`, `null` with fewer than 10 rows.",
    )
    reading: str = Field(description="The same for people.")


class Inherited(Record):
    """What the base brought in: the audit of features, gaps and answers."""

    n_rows: int = Field(description="Test rows.")
    base: str = Field(description="What the base's record says of its training data and known biases.")
    readable: list[AttributeProbe] = Field(
        default=[],
        description="What can be read off features: one entry for each group column and each plain property of a row.",
    )
    gaps: list[GapOrigin] = Field(default=[], description="Where the gap of each group column comes from.")
    counterfactuals: list[Counterfactual] = Field(
        default=[],
        description="Test rows changed in a way that should not matter.",
    )
    not_measured: dict[str, str] = Field(default={}, description="What was not, and why.")


class Slice(Record):
    """Similar rows on which the chosen model fails more often than the mix of their classes explains.

    `error` and `elsewhere` are mean errors on training rows predicted by models that did not see them; `test_error` on
    the test rows nearest to these, None with too few. `p_value` is corrected for all clusters that were tried.
    """

    n_rows: int = Field(description="Its training rows.")
    error: Figure = Field(description="Mean error there and on the other rows.")
    elsewhere: Figure = Field(description="Mean error there and on the other rows.")
    p_value: float = Field(description="Corrected for all clusters tried.")
    n_test_rows: int = Field(
        description="The test rows nearest to it, mean error there and on the others; `null` with fewer than 20.",
    )
    test_error: Figure | None = Field(
        description="The test rows nearest to it, mean error there and on the others; `null` with fewer than 20.",
    )
    test_elsewhere: Figure | None = Field(
        description="The test rows nearest to it, mean error there and on the others; `null` with fewer than 20.",
    )
    labels: list[str] = Field(description="Its most frequent mistakes.")
    properties: list[str] = Field(description="In what its rows differ from the others: groups, and plain properties.")
    examples: list[str] = Field(description="Ids of typical rows that were wrong.")
    reading: str = Field(description="The same for people.")


class Slices(Record):
    """Whether there are kinds of rows on which the model fails, found without group columns."""

    n_rows: int = Field(description="Rows looked at, and clusters of at least 20 that were tested.")
    n_clusters: int = Field(description="Rows looked at, and clusters of at least 20 that were tested.")
    measure: Literal["accuracy", "row F1", "mean absolute error"] = Field(
        description="As under [Groups](#groups); errors are 1 minus that, or the distance of a number.",
    )
    found: list[Slice] = Field(default=[], description="The slices: the fields below.")
    reading: str = Field(description="The same for people.")


class MitigatedCell(Record):
    """Rows of one class in one group: the share right before and after; None with too few rows."""

    label: str = Field(description="The class.")
    group: str = Field(description="The group.")
    n_rows: int = Field(description="Rows of this class in this group.")
    before: Figure | None = Field(description="Share right before; `null` with too few rows.")
    after: Figure | None = Field(description="Share right after; `null` with too few rows.")


class MitigatedFigures(Record):
    """Accuracy before and after on one set of rows: of the worst group (class and group together) and of all rows."""

    n_rows: int = Field(description="Rows.")
    worst_before: Figure = Field(
        description="Accuracy of the worst group (of each model its own; at least 10 rows, out of fold 5) and the "
        "difference.",
    )
    worst_after: Figure = Field(
        description="Accuracy of the worst group (of each model its own; at least 10 rows, out of fold 5) and the "
        "difference.",
    )
    worst_gain: Figure = Field(
        description="Accuracy of the worst group (of each model its own; at least 10 rows, out of fold 5) and the "
        "difference.",
    )
    mean_before: Figure = Field(description="Accuracy on all rows and the difference.")
    mean_after: Figure = Field(description="Accuracy on all rows and the difference.")
    mean_gain: Figure = Field(description="Accuracy on all rows and the difference.")
    cells: list[MitigatedCell] = Field(
        default=[],
        description="Every group: `label`, `group`, `n_rows`, and the share right `before` and `after`; `null` with"
        " too few rows.",
    )


class Mitigation(Record):
    """What `--mitigate` did: `kept` says whether its model is the one in the bundle, decided on training rows only."""

    way: Literal["group-balance", "reweight"] = Field(
        description="`group-balance` or `reweight`, and the columns that groups are made of.",
    )
    columns: list[str] = Field(description="`group-balance` or `reweight`, and the columns that groups are made of.")
    before: str = Field(description="The two models that are compared.")
    after: str = Field(description="The two models that are compared.")
    out_of_fold: MitigatedFigures | None = Field(
        description="Figures on training rows, by which it was decided; `null` where it takes more rows.",
    )
    test: MitigatedFigures | None = Field(description="Figures on test rows, for telling only; `null` without them.")
    kept: bool = Field(
        description="Whether the model after is the one in the bundle: its worst group gained out of fold, and all "
        "rows lost no more than `mean_may_lose`.",
    )
    mean_may_lose: float = Field(description="See `kept`: as much as the worst group gained, as a share of rows.")
    reading: str = Field(description="The same for people.")
