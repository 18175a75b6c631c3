"""Records that pass between the steps of a run. They hold values; the steps compute them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from headstart import progress
from headstart.bases import Backbone
from headstart.bundle import Bundle
from headstart.data.grouping.columns import ColumnsToCompare
from headstart.data.splitting.dependence import Dependence
from headstart.decisions import DecisionPolicy, Decisions
from headstart.evaluation import Truth
from headstart.features import Extraction
from headstart.flow.scoring.predictions import ModelFigures
from headstart.ladder import FittedStrategies
from headstart.options import AdaptOptions
from headstart.ranking import Ranking
from headstart.records import Finding, Index, Predictions, SplitTable
from headstart.results import (
    AnyMetrics,
    BaseChoice,
    Figure,
    Inherited,
    LabelError,
    LeakageGap,
    LearningCurve,
    Mitigation,
    Result,
    Slices,
    SplitKind,
    Verdict,
)
from headstart.strategies.record import StrategyRows, Task


@dataclass
class Timings:
    """Seconds spent on each step of a run; unless `is_reported` is False, people see that a step begins."""

    seconds: dict[str, float] = field(default_factory=dict)
    is_reported: bool = True

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of the block to one step, without that of steps inside it."""
        if self.is_reported:
            progress.begin_step(name)
        began, before = time.monotonic(), sum(self.seconds.values())
        try:
            yield
        finally:
            inside = sum(self.seconds.values()) - before
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began - inside


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Rows, task and base of a run, ready for the strategies.

    Parameters
    ----------
    table : SplitTable
        All usable rows.
    train, test : StrategyRows
    task : Task
    backbone : Backbone
    extraction : Extraction
    findings : tuple of Finding
    truth : array, shape (n_test,) or (n_test, n_outputs)
        True classes of the test rows, or what their `targets` hold.
    train_dependence, test_dependence : Dependence
        Which training rows, and which test rows, belong together.
    split : "none", "separate", "given" or "drawn"
        How the test rows were chosen.
    test_source : str
        The separate test data; empty where there is none.
    ranking : Ranking or None
        How the base was chosen by `--base auto`.
    base_choice : BaseChoice or None
        How the base of texts was chosen by `--base default`.
    compared : ColumnsToCompare
        Columns that tell groups of rows apart, with the values of `table`.
    languages : mapping of str to int
        Training rows by language; "" where it cannot be told. Empty for other modalities.
    """

    table: SplitTable
    train: StrategyRows
    test: StrategyRows
    task: Task
    backbone: Backbone
    extraction: Extraction
    findings: tuple[Finding, ...]
    truth: Truth
    train_dependence: Dependence
    test_dependence: Dependence
    split: SplitKind
    test_source: str = ""
    ranking: Ranking | None = None
    base_choice: BaseChoice | None = None
    compared: ColumnsToCompare = field(default_factory=ColumnsToCompare)
    languages: Mapping[str, int] = field(default_factory=dict)

    @property
    def test_clusters(self) -> Index | None:
        """Return the clusters (n_test,) of test rows in intervals; None: every row counts for itself."""
        return self.test_dependence.bootstrap_clusters


@dataclass(frozen=True)
class Represented:
    """Rows of a run as the chosen model represents them, and the strategies with that model."""

    prepared: Prepared
    strategies: FittedStrategies


@dataclass(frozen=True, kw_only=True)
class TestScores:
    """Predictions of every strategy for the test rows, and their metrics; empty or None without test rows.

    Parameters
    ----------
    predictions : mapping of str to Predictions
        By strategy; those of the chosen one are calibrated.
    metrics : mapping of str to metrics or None
        None where a strategy was not scored.
    uncalibrated : Predictions or None
        Of the chosen strategy, before calibration.
    thresholds : tuple of float
        From which probability on the chosen strategy gives each label; empty where a row has one answer.
    """

    predictions: Mapping[str, Predictions]
    metrics: Mapping[str, AnyMetrics | None]
    uncalibrated: Predictions | None
    thresholds: tuple[float, ...]


@dataclass(frozen=True)
class DecidedTestRows:
    """The decision policy of the chosen model, and its decisions on the test rows (None without test rows)."""

    policy: DecisionPolicy
    decisions: Decisions | None


@dataclass(frozen=True, kw_only=True)
class TrainingChecks:
    """Findings of the checks of the training rows, the gravest first, with what they found in detail."""

    findings: tuple[Finding, ...]
    label_errors: list[LabelError]
    honest_score: LeakageGap | None
    label_errors_wrong: Figure | None = None


@dataclass(frozen=True)
class Audit:
    """Inherited bias of the base, and slices on which the chosen model fails; None where not looked for."""

    inherited: Inherited | None = None
    slices: Slices | None = None


@dataclass(frozen=True, kw_only=True)
class AdaptedRun:
    """Everything one run computed, before it is written.

    Parameters
    ----------
    options : AdaptOptions
    prepared : Prepared
    strategies : FittedStrategies
    scores : TestScores
    decided : DecidedTestRows
    figures : ModelFigures or None
        Of the chosen model on the test rows; None without any.
    verdict : Verdict
    mitigation : Mitigation or None
    learning_curve : LearningCurve
    checks : TrainingChecks
    audit : Audit
    bundle : Bundle
        Without its portable form.
    seconds : dict of str to float
        Spent on each step.
    """

    options: AdaptOptions
    prepared: Prepared
    strategies: FittedStrategies
    scores: TestScores
    decided: DecidedTestRows
    figures: ModelFigures | None
    verdict: Verdict
    mitigation: Mitigation | None
    learning_curve: LearningCurve
    checks: TrainingChecks
    audit: Audit
    bundle: Bundle
    seconds: dict[str, float]


@dataclass(frozen=True)
class WrittenRun:
    """Results that `adapt` wrote, in memory; the portable files of the bundle are those in the run folder `folder`."""

    result: Result
    bundle: Bundle
    folder: Path
