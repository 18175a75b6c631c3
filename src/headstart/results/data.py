"""The rows, and findings about them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record

SplitKind = Literal["none", "separate", "given", "drawn"]


class RowCounts(Record):
    """Numbers of rows."""

    train: int = Field(description="Training rows.")
    test: int = Field(description="Test rows. They are used for the figures only.")
    set_aside: int = Field(description="Inputs that could not be used.")


class SetAsideRow(Record):
    """An input that could not be used."""

    id: str = Field(description="Id of the input.")
    reason: str = Field(description="Why it could not be used.")


class FindingRow(Record):
    """A finding about the data. All codes: [below](#codes-of-findings)."""

    kind: str = Field(description="Permanent code of the finding, such as `duplicates-across-splits`.")
    severity: Literal["stop", "warn", "note"] = Field(description="How serious it is.")
    n_rows: int = Field(description="Number of rows it concerns.")
    rows: list[str] = Field(description="Their ids. Rows of `label-errors` are ranked, the most suspicious first.")
    summary: str = Field(description="The finding in words.")
    measure: Figure | None = Field(
        description="Usually the share of rows it concerns, 0 to 1 (of findings across the splits: of test rows). "
        "`shortcut`: balanced accuracy of a small model on plain properties of the inputs, or on one column. "
        "`label-errors`: share of the named rows whose label is expected to be really wrong. "
        "`unknown-tokens`: share of tokens that the base model does not know. `null` where no row is named.",
    )
    advice: str = Field(description="What to do.")


class LabelError(Record):
    """A training row whose label is likely wrong by out-of-fold predictions of the chosen model.

    Confident learning, Northcutt et al. 2021, [arXiv:1911.00068](https://arxiv.org/abs/1911.00068).
    """

    id: str = Field(description="Id of the row.")
    label: str = Field(description="Its label in the data.")
    suggested: str = Field(description="The label that the model predicts.")
    doubt: float = Field(
        description="Rows are ranked by this: probability of `suggested` minus that of `label`; for a number the "
        "absolute error.",
    )


class LeakageGap(Record):
    """Cross-validation score of a simple head with random folds, and with copies and groups in one fold.

    The head is fitted on features of training rows. All other figures of the document keep copies and groups together.
    """

    measure: str = Field(description="The metric, such as `accuracy`.")
    n_rows: int = Field(description="Training rows.")
    n_together: int = Field(description="Of these, rows that have copies or belong to a group.")
    naive: Figure = Field(description="Score with random folds.")
    honest: Figure = Field(description="Score with copies and groups in one fold.")
    gap: Figure = Field(description="How much better `naive` is (for an error: how much smaller).")
    sentence: str = Field(default="", description="The result in words.")
