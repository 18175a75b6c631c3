"""Can the probabilities be believed, and when does the model abstain."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Figure, Record


class ReliabilityBin(Record):
    """Test rows whose answers were given with similar probability."""

    n_rows: int = Field(description="Test rows in it.")
    mean_probability: float = Field(description="Mean probability given to their answers.")
    share_right: Figure = Field(description="Share of these answers that are right.")


class Uncorrected(Record):
    """Calibration on the same test rows before the correction."""

    error: Figure = Field(
        description="Calibration error: the typical (root mean square) distance between probability and share right"
        " over bins of equal size, with the noise of small bins taken off (Kumar et al. 2019, "
        "arXiv:1909.10155); 0 is perfect, 1 is worst.",
    )
    overconfidence: Figure = Field(
        description="Mean probability minus share right, -1 to 1; positive: too sure of itself.",
    )
    brier: Figure = Field(
        description="Brier score: half the summed squares of the distance between the probabilities and the truth, "
        "averaged over rows; with two classes the usual (probability - outcome)². 0 is perfect, 1 is "
        "worst.",
    )
    log_loss: Figure = Field(description="As in the metrics; `null` in results of older versions.")
    bins: list[ReliabilityBin] = Field(
        description="The reliability table, least sure first: the fields below. At most ten bins of at least 20 "
        "rows or so; equal probabilities share a bin.",
    )


class Correction(Record):
    """How the probabilities were corrected, on training rows held out; `method` is "none" where that did not help.

    `gain` is the log-loss saved on rows held out once more, in nats a row.
    """

    method: Literal["none", "temperature", "isotonic"] = Field(description="`none`, `temperature` or `isotonic`.")
    temperature: float | None = Field(
        description="What logits are divided by; `null` unless `method` is `temperature`.",
    )
    gain: float = Field(description="Log-loss saved on rows held out once more, in nats a row.")
    n_rows: int = Field(description="Training rows it was learnt from.")
    reading: str = Field(description="The same for people.")


class Calibration(Record):
    """Whether the probability that the chosen model gives to its answers is how often they are right.

    `before` is the same without the correction; None where nothing was corrected.
    """

    n_rows: int = Field(description="Number of test rows.")
    error: Figure = Field(
        description="Calibration error: the typical (root mean square) distance between probability and share right"
        " over bins of equal size, with the noise of small bins taken off (Kumar et al. 2019, "
        "arXiv:1909.10155); 0 is perfect, 1 is worst.",
    )
    overconfidence: Figure = Field(
        description="Mean probability minus share right, -1 to 1; positive: too sure of itself.",
    )
    brier: Figure = Field(
        description="Brier score: half the summed squares of the distance between the probabilities and the truth, "
        "averaged over rows; with two classes the usual (probability - outcome)². 0 is perfect, 1 is "
        "worst.",
    )
    bins: list[ReliabilityBin] = Field(
        description="The reliability table, least sure first: the fields below. At most ten bins of at least 20 "
        "rows or so; equal probabilities share a bin.",
    )
    reading: str = Field(description="The same for people.")
    log_loss: Figure | None = Field(default=None, description="As in the metrics; `null` in results of older versions.")
    correction: Correction | None = Field(
        default=None,
        description="What was done: `method` (`none`, `temperature`, `isotonic`), `temperature` (1 or more: the "
        "larger, the less sure; `null` for the others), `gain` (nats a row saved on training rows held "
        "out), `n_rows` (training rows it was learnt from) and `reading`.",
    )
    before: Uncorrected | None = Field(
        default=None,
        description="`error`, `overconfidence`, `brier`, `log_loss` and `bins` of the same test rows without the "
        "correction; `null` where nothing was corrected.",
    )


class Conformal(Record):
    """Sets of classes, or ranges of numbers, that hold the truth in a stated share of rows; measured on test rows.

    `exact` and `mean_size` are None for numbers, `width` for classes (and where ranges have no ends); `below`: the
    whole interval of `measured` lies below `stated`.
    """

    n_rows: int = Field(description="Test rows, and training rows that the thresholds come from.")
    n_rows_learnt: int = Field(description="Test rows, and training rows that the thresholds come from.")
    stated: float = Field(description="The share that is to hold.")
    measured: Figure = Field(
        description="The share of test rows whose truth is in the set or range given, with its binomial interval.",
    )
    exact: Figure | None = Field(
        default=None,
        description="The same before the most probable class is added, when some sets are empty: this should hold "
        "`stated`; `null` for numbers.",
    )
    mean_size: Figure | None = Field(default=None, description="Classes in a set; `null` for numbers.")
    single_share: Figure | None = Field(
        default=None,
        description="Share of sets with one class only; `null` for numbers.",
    )
    width: float | None = Field(
        default=None,
        description="How wide a range is, in the unit of the label; `null` for classes, and where there were too "
        "few rows for a range.",
    )
    method: Literal["label-conditional", "partly label-conditional", "marginal", "residuals"] = Field(
        description="`label-conditional` (each class has a threshold of its own), `partly label-conditional`, "
        "`marginal` (one for all) or `residuals` (numbers).",
    )
    below: bool = Field(description="Whether the whole interval of `measured` lies below `stated`.")
    reading: str = Field(description="The same for people.")


class RiskPoint(Record):
    """How many answers are wrong when only the surest rows are answered."""

    answered_share: float = Field(description="Share of test rows that are answered, the surest first.")
    n_rows: int = Field(description="Test rows that are answered.")
    wrong_share: Figure = Field(description="Share of these answers that are wrong.")
    least_sure: float = Field(description="Probability of the least sure of these answers.")


class RiskCoverage(Record):
    """Wrong answers for every share of rows answered; `area` is their mean over all shares (AURC)."""

    area: Figure = Field(
        description="AURC: mean share of wrong answers over all shares of rows answered; lower is better.",
    )
    points: list[RiskPoint] = Field(description="The curve at every tenth of the rows.")


class OutOfDistributionFigures(Record):
    """How rows unlike the training rows are told; shares of ordinary rows that are called so."""

    reads: str = Field(description="What distances are measured on: `features` or `descriptors`.")
    threshold: float = Field(description="Distance (0 to 2) beyond which a row is out of distribution.")
    stated_false_alarm: float = Field(description="Stated share of ordinary rows beyond the threshold.")
    measured_false_alarm: Figure | None = Field(
        description="Share of ordinary test rows beyond it; `null` where there are none.",
    )
    n_rows_learnt: int = Field(description="Training rows the threshold comes from.")
    n_rows_kept: int = Field(description="Training rows that the bundle remembers.")


class CostFigures(Record):
    """What decisions by expected cost come to on test rows, per row; a right answer costs nothing."""

    given: list[str] = Field(description="The costs as they were given.")
    refer: float = Field(description="Cost of giving no answer.")
    mean_cost: Figure = Field(description="Mean cost of a test row.")
    mean_cost_always: Figure = Field(description="The same if the most probable class were always answered.")


class Miss(Record):
    """Rows of one class that got the answer of another, per 100 test rows of any class; the costliest first."""

    label: str = Field(description="The true class.")
    answer: str = Field(description="The class answered.")
    n_rows: int = Field(description="Test rows of the first that got the second as their answer.")
    per_hundred: Figure = Field(description="The same per 100 test rows of any class.")
    cost: float = Field(description="What one such mistake costs.")


class Abstention(Record):
    """What the chosen model answers on test rows: shares of each kind of answer, and how good the answers are.

    `wrong`, `referred` and `refused` are per 100 test rows: wrong answers, "not sure" and "none of these".
    """

    n_rows: int = Field(description="Test rows, and those that got a label.")
    n_answered: int = Field(description="Test rows, and those that got a label.")
    shares: dict[str, Figure] = Field(
        description="Share of test rows by kind of answer: `label`, `not sure`, `none of these`.",
    )
    accuracy_answered: Figure | None = Field(
        description="Share right of the rows that got a label; `null` where there is none, and for several labels "
        "and numbers.",
    )
    accuracy_all: Figure | None = Field(
        description="Share right if the most probable class were always the answer; `null` likewise.",
    )
    wrong: Figure | None = Field(
        description='Of 100 test rows: wrong answers (`null` likewise), "not sure", "none of these".',
    )
    referred: Figure = Field(
        description='Of 100 test rows: wrong answers (`null` likewise), "not sure", "none of these".',
    )
    refused: Figure = Field(
        description='Of 100 test rows: wrong answers (`null` likewise), "not sure", "none of these".',
    )
    misses: list[Miss] = Field(
        default=[],
        description="Classes answered as others: `label`, `answer`, `n_rows`, `per_hundred` (of 100 test rows) and "
        "`cost`; the costliest first, at most ten.",
    )
    risk_coverage: RiskCoverage | None = Field(
        description="What if only the surest rows were answered: `area` (AURC: mean share of wrong answers over all"
        " shares of rows answered, lower is better) and `points`, for each tenth of the rows "
        "`answered_share`, `n_rows`, `wrong_share` and `least_sure` (probability of the least sure "
        "answer). `null` for several labels and numbers.",
    )
    novelty: OutOfDistributionFigures | None = Field(
        description="How rows unlike the training rows are told: `reads` (`features` of the base or hand-made "
        "`descriptors`), `threshold` (of a distance from 0 to 2), `stated_false_alarm` and "
        "`measured_false_alarm` (share of ordinary rows, and of test rows, called so), `n_rows_learnt` "
        "and `n_rows_kept` (training rows behind the threshold, and remembered in the bundle: at most "
        "1,000 or one a class). A model that moved the base's weights brings the frozen base along for "
        "this, and a base of at most 8 MB always comes; `null` where neither features nor descriptors "
        "were kept.",
    )
    costs: CostFigures | None = Field(
        description="With `--cost`: `given`, `refer`, `mean_cost` (of a test row) and `mean_cost_always` (if the "
        "most probable class were always the answer); else `null`.",
    )
    reserved_classes: list[str] = Field(
        default=[],
        description="Classes that stand for none of the others, by their names or by `--reserved`.",
    )
    without: dict[str, str] = Field(default={}, description="What of this does not apply, and why.")
    reading: str = Field(description="The same for people.")
