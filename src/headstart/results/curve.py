"""The learning curve."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class CurvePoint(Record):
    """Score of the simple head with some number of labels."""

    labels: int = Field(description="Labelled training rows.")
    labels_per_class: float | None = Field(
        description="`labels` divided by the number of classes; `null` where rows do not have exactly one class.",
    )
    n_draws: int = Field(description="Number of random samples of this size.")
    value: Figure = Field(description="Mean of the metric over samples; the interval covers samples and test rows.")


class CurveFit(Record):
    """Inverse power law: loss = `floor` + `scale` * labels ** -`exponent`. The loss is the error, or 1 - the metric."""

    floor: float = Field(description="Loss that no number of labels goes below.")
    scale: float = Field(description="Factor of the power of the number of labels.")
    exponent: float = Field(description="How fast the loss falls.")


class CurveForecast(Record):
    """Expected gain of more labels of the same kind."""

    labels: int = Field(description="Labels in all.")
    more_labels: int = Field(description="Labels beyond those at hand.")
    gain: Figure = Field(
        description="Improvement of the metric, -1 to 1 for proportions (for errors: decrease, in the unit of the "
        "label). The interval covers the sampling of the new labels and the error of the law.",
    )


Outlook = Literal[
    "clear", "small", "doubtful", "open", "falls", "few-points", "no-features", "few-rows", "no-time", "repeated-rows",
    "little-time",
]  # fmt: skip


class LearningCurve(Record):
    """Would more labels help? Score of a simple head on all training rows, a half, a quarter ...

    The head is a ridge regression on features of the base model, or on classic descriptors. Nothing is chosen by it.
    """

    metric: str = Field(
        description="`accuracy`, `micro-F1` (several labels) or `mean absolute error` (in the unit of the label).",
    )
    points: list[CurvePoint] = Field(
        default=[],
        description="Measured points by rising number of labels. Empty where nothing was measured; see `sentence`.",
    )
    fit: CurveFit | None = Field(
        default=None,
        description="Power law through the last four doublings; `null` with fewer than three points there.",
    )
    forecast: list[CurveForecast] = Field(
        default=[],
        description="Forecast for 1.5, 2 and 4 times as many labels. Empty where the score falls with more labels.",
    )
    holds_up_to_labels: int | None = Field(
        default=None,
        description="Largest number of labels of a forecast (four times those at hand); `null` without a forecast.",
    )
    shape: Literal["rising", "flat", "noisy", "unknown"] = Field(
        description="`noisy`: too much noise for a forecast; `unknown`: not measured.",
    )
    outlook: Outlook | None = Field(
        default=None,
        description="What twice as many labels would bring: a `clear` gain, at most a `small` one, perhaps one "
        "(`doubtful`), or it is `open`; else why this is not known: the score `falls` with more labels, or the others. "
        "`null` in older results.",
    )
    n_rows: int | None = Field(default=None, description="Training rows; `null` in older results.")
    sentence: str = Field(default="", description="The forecast for twice as many labels, in words.")
