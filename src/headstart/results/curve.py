"""The learning curve."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class CurvePoint(Record):
    """What a simple head reached with so many labels; `labels_per_class` is an average, None without classes."""

    labels: int = Field(description="Labelled rows learnt from.")
    labels_per_class: float | None = Field(
        description="The same divided by the number of classes: an average; `null` where a row has not just one class.",
    )
    n_draws: int = Field(description="How often so many rows were drawn.")
    value: Figure = Field(description="Mean over draws; the interval is over draws and test rows.")


class CurveFit(Record):
    """The power law through the curve: loss = floor + scale * labels ** -exponent."""

    floor: float = Field(description="Loss that no number of labels goes below.")
    scale: float = Field(description="Factor of the power of the number of labels.")
    exponent: float = Field(description="How fast the loss falls with the number of labels.")


class CurveForecast(Record):
    """What more labels of the same kind are expected to bring; positive is better."""

    labels: int = Field(description="Labels in all.")
    more_labels: int = Field(description="Labels more than now.")
    gain: Figure = Field(
        description="By how much the metric gets better (the error smaller), -1 to 1 for shares; the interval "
        "includes the luck of the new labels and the doubt whether the law holds.",
    )


class LearningCurve(Record):
    """How the score grows with the number of labels, and how much more of them would help."""

    metric: str = Field(
        description="`accuracy`, `micro-F1` (several labels) or `mean absolute error` (numbers; in the unit of the "
        "label).",
    )
    points: list[CurvePoint] = Field(
        default=[],
        description="What was measured, by rising number of labels: the fields below. Empty where it could not be "
        "measured; `sentence` says why.",
    )
    fit: CurveFit | None = Field(
        default=None,
        description="Inverse power law through the last four doublings: loss = `floor` + `scale` * labels ** "
        "-`exponent`; the loss is the error, or one minus the share. `null` with fewer than three "
        "points there.",
    )
    forecast: list[CurveForecast] = Field(
        default=[],
        description="For half as many labels again, twice and four times as many: the fields below. Empty where the"
        " score falls with more labels.",
    )
    holds_up_to_labels: int | None = Field(
        default=None,
        description="Beyond so many labels (four times those at hand) the law says nothing; `null` without a forecast.",
    )
    shape: Literal["rising", "flat", "noisy", "unknown"] = Field(
        description="`rising`, `flat`, `noisy` (cannot be told) or `unknown` (not measured).",
    )
    sentence: str = Field(description="The same for people; about twice as many labels.")
