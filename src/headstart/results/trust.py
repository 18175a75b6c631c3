"""Can the probabilities be believed, and when does the model abstain."""

from __future__ import annotations

from typing import Literal

from headstart.results.record import Figure, Record


class ReliabilityBin(Record):
    """Test rows whose answers were given with similar probability."""

    n_rows: int
    mean_probability: float
    share_right: Figure


class Uncorrected(Record):
    """Calibration on the same test rows before the correction."""

    error: Figure
    overconfidence: Figure
    brier: Figure
    log_loss: Figure
    bins: list[ReliabilityBin]


class Correction(Record):
    """How the probabilities were corrected, on training rows held out; `method` is "none" where that did not help.

    `gain` is the log-loss saved on rows held out once more, in nats a row.
    """

    method: Literal["none", "temperature", "isotonic"]
    temperature: float | None
    gain: float
    n_rows: int
    reading: str


class Calibration(Record):
    """Whether the probability that the chosen model gives to its answers is how often they are right.

    `before` is the same without the correction; None where nothing was corrected.
    """

    n_rows: int
    error: Figure
    overconfidence: Figure
    brier: Figure
    bins: list[ReliabilityBin]
    reading: str
    log_loss: Figure | None = None
    correction: Correction | None = None
    before: Uncorrected | None = None


class Conformal(Record):
    """Sets of classes, or ranges of numbers, that hold the truth in a stated share of rows; measured on test rows.

    `exact` and `mean_size` are None for numbers, `width` for classes (and where ranges have no ends); `below`: the
    whole interval of `measured` lies below `stated`.
    """

    n_rows: int
    n_rows_learnt: int
    stated: float
    measured: Figure
    exact: Figure | None = None
    mean_size: Figure | None = None
    single_share: Figure | None = None
    width: float | None = None
    method: Literal["label-conditional", "partly label-conditional", "marginal", "residuals"]
    below: bool
    reading: str


class RiskPoint(Record):
    """How many answers are wrong when only the surest rows are answered."""

    answered_share: float
    n_rows: int
    wrong_share: Figure
    least_sure: float


class RiskCoverage(Record):
    """Wrong answers for every share of rows answered; `area` is their mean over all shares (AURC)."""

    area: Figure
    points: list[RiskPoint]


class NoveltyFigures(Record):
    """How rows unlike the training rows are told; shares of ordinary rows that are called so."""

    reads: str
    threshold: float
    stated_false_alarm: float
    measured_false_alarm: Figure | None
    n_rows_learnt: int
    n_rows_kept: int


class CostFigures(Record):
    """What decisions by expected cost come to on test rows, per row; a right answer costs nothing."""

    given: list[str]
    refer: float
    mean_cost: Figure
    mean_cost_always: Figure


class Miss(Record):
    """Rows of one class that got the answer of another, per 100 test rows of any class; the costliest first."""

    label: str
    answer: str
    n_rows: int
    per_hundred: Figure
    cost: float


class Abstention(Record):
    """What the chosen model answers on test rows: shares of each kind of answer, and how good the answers are.

    `wrong`, `referred` and `refused` are per 100 test rows: wrong answers, "not sure" and "none of these".
    """

    n_rows: int
    n_answered: int
    shares: dict[str, Figure]
    accuracy_answered: Figure | None
    accuracy_all: Figure | None
    wrong: Figure | None
    referred: Figure
    refused: Figure
    misses: list[Miss] = []
    risk_coverage: RiskCoverage | None
    novelty: NoveltyFigures | None
    costs: CostFigures | None
    reserved_classes: list[str] = []
    without: dict[str, str] = {}
    reading: str
