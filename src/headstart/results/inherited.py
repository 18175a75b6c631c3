"""What the base model brought in: attribute probes, gaps, counterfactuals, slices, and what a mitigation did."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from headstart.results.groups import GroupMeasure
from headstart.results.record import Figure, Record

PartColumn = Annotated[str, Field(description="Group column; empty where `value` is a class.")]
PartValue = Annotated[str, Field(description="The class, or the value of the group column.")]


class AttributeProbe(Record):
    """How well a linear classifier predicts an attribute of a row from features: a lower bound of what they contain.

    Ridge regression on at most 192 principal axes, five folds, at most 600 test rows.
    Figures are balanced accuracy, 0 to 1.
    """

    name: str = Field(description="Group column, or property of a row.")
    kind: Literal["group", "property"] = Field(
        description="A number-valued `property` is split at its median into high and low.",
    )
    values: list[str] = Field(description="Values with at least 20 rows.")
    n_rows: int = Field(description="Rows that have one of these values.")
    chance: float = Field(description="Balanced accuracy of guessing.")
    frozen: Figure | None = Field(description="From the features of the frozen base model.")
    adapted: Figure | None = Field(
        description="From the features of the fine-tuned network; `null` if the chosen model has frozen features.",
    )
    answers: Figure | None = Field(description="From the probabilities of the chosen model.")
    without_base: Figure | None = Field(
        description="From simple descriptors without a base model: histograms of images, hashed words, values of a "
        "series.",
    )
    reading: str = Field(default="", description="The result in words.")


class GapOrigin(Record):
    """Where the gap between two groups comes from: the gap of three models on the same test rows.

    The two groups are those with the largest mean gap over the models, so that no model is favoured. Intervals are
    paired and do not account for the choice of the groups.
    """

    column: str = Field(description="Group column.")
    between: list[str] = Field(description="The two groups. Each gap is `measure` of the first minus the second.")
    measure: GroupMeasure
    n_rows: int = Field(description="Test rows of the two groups.")
    without_base: Figure | None = Field(description="Gap of the model without the base model; `null` if there is none.")
    without_base_strategy: str | None = Field(description="The strategy without the base model.")
    frozen: Figure | None = Field(description="Gap of `linear-probe` on the frozen base model; `null` if not fitted.")
    chosen: Figure = Field(description="Gap of the chosen model.")
    brought: Figure | None = Field(description="`frozen` minus `without_base`: what the base model brought in.")
    adaptation: Figure | None = Field(
        description="`chosen` minus `frozen`: what the adaptation changed; `null` if the chosen model is that probe.",
    )
    reading: str = Field(default="", description="The result in words.")


class FlipShare(Record):
    """Flips of the answers for one class or group."""

    column: PartColumn
    value: PartValue
    n_rows: int = Field(description="Rows that were changed.")
    flips: Figure | None = Field(description="Proportion with another answer, 0 to 1; `null` with fewer than 10 rows.")


class Counterfactual(Record):
    """Test rows changed in a way that should not matter, and how many answers flip.

    64 test rows (`--audit full`: 512; fewer where time is short, at least 20). An answer flips if another class or set
    of labels is predicted, or if a number changes by more than the median error of the model.
    """

    name: str = Field(description="Name of the change, such as `darker`.")
    says: str = Field(description="The change in words.")
    n_rows: int = Field(description="Rows that were changed.")
    flips: Figure | None = Field(description="Proportion with another answer, 0 to 1.")
    without_base_strategy: str | None = Field(description="A strategy without the base model; `null` if there is none.")
    without_base_flips: Figure | None = Field(description="`flips` of that strategy; `null` if there is none.")
    parts: list[FlipShare] = Field(default=[], description="`flips` for each class and group.")
    reading: str = Field(default="", description="The result in words.")


class Inherited(Record):
    """What the base model brought in, on test rows. Nothing is chosen by it.

    Frozen base model, chosen model, and a model without the base model (`scratch` or `classic`, whichever has the
    lower loss in cross-validation).
    """

    n_rows: int = Field(description="Number of test rows.")
    base: str = Field(description="Training data and known biases of the base model, in words.")
    readable: list[AttributeProbe] = Field(
        default=[],
        description="Attributes that can be predicted from features: each group column, each plain property of a row.",
    )
    gaps: list[GapOrigin] = Field(default=[], description="Where the gap of each group column comes from.")
    counterfactuals: list[Counterfactual] = Field(default=[], description="Flips of answers by each change.")
    not_measured: dict[str, str] = Field(default={}, description="Which of these parts were not measured, and why.")


class SliceMistake(Record):
    """Rows of a slice of one class that were given another."""

    label: str = Field(description="The true class.")
    answer: str = Field(description="The predicted class.")
    n_rows: int = Field(description="Rows of the slice with this mistake.")


class SliceGroup(Record):
    """A group that is far more frequent in a slice than elsewhere."""

    column: str = Field(description="Group column.")
    value: str = Field(description="The group.")
    share: float = Field(description="Share of the rows of the slice, 0 to 1.")
    elsewhere: float = Field(description="Share of all other rows, 0 to 1.")


class SliceShift(Record):
    """A plain property in which the rows of a slice differ from the others."""

    name: str = Field(description="The property.")
    is_higher: bool = Field(description="Whether it is higher in the slice.")
    median: float = Field(description="Median of the rows of the slice.")
    elsewhere: float = Field(description="Median of the other rows.")


class Slice(Record):
    """Similar rows on which the chosen model has more errors than their classes explain."""

    n_rows: int = Field(description="Training rows of the slice.")
    error: Figure = Field(description="Mean out-of-fold error of these rows.")
    elsewhere: Figure = Field(description="Mean out-of-fold error of all other rows.")
    p_value: float = Field(description="Permutation test within classes, 0 to 1, corrected for all clusters tested.")
    n_test_rows: int = Field(description="Test rows nearest to the slice.")
    test_error: Figure | None = Field(description="Mean error of these test rows; `null` with fewer than 20.")
    test_elsewhere: Figure | None = Field(description="Mean error of all other test rows; `null` likewise.")
    measure: GroupMeasure | None = Field(default=None, description="As in the slices; `null` in older results.")
    mistakes: list[SliceMistake] = Field(default=[], description="Its most frequent mistakes; empty in older results.")
    frequent_groups: list[SliceGroup] = Field(
        default=[],
        description="Groups in which its rows differ from the others; empty in older results.",
    )
    shifted_properties: list[SliceShift] = Field(
        default=[],
        description="Plain properties in which its rows differ from the others; empty in older results.",
    )
    labels: list[str] = Field(default=[], description="Its most frequent mistakes, in words.")
    properties: list[str] = Field(
        default=[],
        description="Groups and plain properties in which its rows differ from the others, in words.",
    )
    examples: list[str] = Field(description="Ids of typical rows with a wrong prediction.")
    reading: str = Field(default="", description="The result in words.")


class Slices(Record):
    """Kinds of rows on which the chosen model fails, without group columns.

    Training rows with their out-of-fold predictions (at most 4,000; one of each patient or set of copies) are clustered
    by features three times, coarse to fine; labels and errors are not used for this.
    """

    n_rows: int = Field(description="Training rows that were clustered.")
    n_clusters: int = Field(description="Clusters of at least 20 rows that were tested.")
    measure: GroupMeasure = Field(
        description="Errors are 1 - `accuracy`, 1 - `row F1`, or the absolute error of a number.",
    )
    found: list[Slice] = Field(default=[], description="The slices.")
    has_features: bool | None = Field(
        default=None,
        description="Whether there are frozen features to cluster by; `null` in older results.",
    )
    n_rows_needed: int | None = Field(
        default=None,
        description="Where nothing was clustered: how many rows it takes; else `null`.",
    )
    reading: str = Field(default="", description="The result in words.")


class MitigatedCell(Record):
    """Rows of one class in one group."""

    label: str = Field(description="The class.")
    group: str = Field(description="The group.")
    n_rows: int = Field(description="Number of rows.")
    before: Figure | None = Field(description="Accuracy before, 0 to 1; `null` with too few rows.")
    after: Figure | None = Field(description="Accuracy after, 0 to 1; `null` with too few rows.")


class MitigatedFigures(Record):
    """Accuracy before and after, 0 to 1, on one set of rows.

    A group is here a class within a group of the columns (`reweight` without groups: a class). The worst group of each
    model counts, if it has at least 10 rows (out of fold 5).
    """

    n_rows: int = Field(description="Number of rows.")
    worst_before: Figure = Field(description="Accuracy of the worst group before.")
    worst_after: Figure = Field(description="Accuracy of the worst group after.")
    worst_gain: Figure = Field(description="`worst_after` minus `worst_before`.")
    mean_before: Figure = Field(description="Accuracy of all rows before.")
    mean_after: Figure = Field(description="Accuracy of all rows after.")
    mean_gain: Figure = Field(description="`mean_after` minus `mean_before`.")
    cells: list[MitigatedCell] = Field(default=[], description="Every group.")


class Mitigation(Record):
    """What `--mitigate` did."""

    way: Literal["group-balance", "reweight"] = Field(description="The method.")
    columns: list[str] = Field(description="Group columns.")
    before: str = Field(description="Strategy before.")
    after: str = Field(description="Strategy after.")
    out_of_fold: MitigatedFigures | None = Field(
        description="On out-of-fold training rows: these decide `kept`. `null` with too few rows.",
    )
    test: MitigatedFigures | None = Field(description="On test rows: these decide nothing. `null` without test rows.")
    kept: bool = Field(
        description="Whether the model after is in the bundle: out of fold its worst group gained, and all rows lost "
        "at most `mean_may_lose`.",
    )
    mean_may_lose: float = Field(description="Largest loss of accuracy on all rows: the gain of the worst group.")
    n_rows_needed: int | None = Field(
        default=None,
        description="Training rows that each of two groups needs; `null` in older results.",
    )
    reading: str = Field(default="", description="The result in words.")
