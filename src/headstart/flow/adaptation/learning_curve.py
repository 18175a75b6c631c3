"""How much more labels would help: the measured learning curve, and its forecast.

Nothing is chosen here: test rows are only measured, and the forecast is about labels, not about a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from headstart.evaluation.learning_curve import (
    FittedCurve,
    MeasuredLosses,
    fit_learning_curve,
)
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.adaptation.learning_curve_points import gather_curve_data, measure_points
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.run_records import Prepared
from headstart.options import AdaptOptions
from headstart.records import Index, list_held_out_folds
from headstart.results import CurveFit, CurveForecast, CurvePoint, Figure, LearningCurve
from headstart.strategies.point_scoring import SCORINGS
from headstart.strategies.record import Clock, StrategyRows, Task
from headstart.task_types import TASK_TYPES

Floats = NDArray[np.float64]
Shape = Literal["rising", "flat", "noisy", "unknown"]


def round_to_two_digits(number: float) -> int:
    """Round to two digits, as people say it.

    Examples
    --------
    >>> round_to_two_digits(833), round_to_two_digits(67)
    (830, 67)
    """
    step = 10 ** max(0, len(str(int(number))) - 2)
    return max(1, int(round(number / step) * step))


def measure_learning_curve(
    train: StrategyRows,
    task: Task,
    clusters: Index,
    test: StrategyRows | None,
    test_targets: Floats | None,
    clock: Clock,
) -> LearningCurve:
    """Measure how good a cheap head is with few and with all labels, and forecast what more would bring.

    Parameters
    ----------
    train, task, clusters, test, test_targets
        As for `gather_curve_data`.
    clock : Clock
        Bounds the whole.

    Returns
    -------
    LearningCurve
        Without points where it cannot be measured; `outlook` says why.
    """
    scoring = SCORINGS[task.kind]
    reason = _find_obstacle(train, task, clock, test is not None and test_targets is not None and len(test) > 0)
    points: list[MeasuredLosses] = []
    if not reason:
        with threadpool_limits(2, user_api="blas"):
            points = measure_points(
                gather_curve_data(train, task, clusters, test=test, test_targets=test_targets), clock, task.seed
            )
        reason = "" if points else "little-time"
    if reason:
        return LearningCurve(
            metric=scoring.metric,
            shape="unknown",
            outlook=reason,  # type: ignore[arg-type]
            n_rows=len(train),
        )
    n_labels = points[-1].n_labels
    targets = [n_labels + round_to_two_digits((times - 1) * n_labels) for times in SETTINGS.forecast_factors]
    return _make_learning_curve(fit_learning_curve(points, targets, task.seed), points, task)


def measure_run_curve(prepared: Prepared, options: AdaptOptions, remaining: Clock) -> LearningCurve:
    """Measure the curve of one run, in at most a tenth of its time and 20 seconds; test rows are only scored.

    Parameters
    ----------
    prepared : Prepared
    options : AdaptOptions
        `group` and `time` are used.
    remaining : Clock
        Of the run, without what later steps need.
    """
    train, test, task = prepared.train, prepared.test, prepared.task
    clusters = prepared.train_dependence.for_resampling
    beside = prepared.test_clusters if prepared.test_clusters is not None else np.arange(len(test))
    together = np.concatenate([clusters, beside + int(clusters.max(initial=0)) + 1])
    clock = Clock(min(SETTINGS.curve_seconds, SETTINGS.curve_share * options.time, remaining.remaining_seconds()))
    return measure_learning_curve(
        train, task, together, test=test, test_targets=_encode_test_targets(prepared), clock=clock
    )


def _encode_test_targets(prepared: Prepared) -> Floats:
    """Return the truth of the test rows in the form of `Scoring.targets`."""
    truth = prepared.truth
    return np.eye(len(prepared.task.classes))[truth] if truth.ndim == 1 else truth.astype(np.float64)


def _find_obstacle(train: StrategyRows, task: Task, clock: Clock, beside: bool) -> str:
    """Return the code of why no curve can be measured, with test rows beside or without; empty where one can."""
    if train.features is None and train.descriptors is None:
        return "no-features"
    if len(train) < max(SETTINGS.min_curve_rows, 4 * len(np.unique(task.codes))):
        return "few-rows"
    if clock.remaining_seconds() <= 0:
        return "no-time"
    if not beside and len(list_held_out_folds(task.folds)) < 2:
        return "repeated-rows"
    return ""


def _make_learning_curve(curve: FittedCurve, points: Sequence[MeasuredLosses], task: Task) -> LearningCurve:
    scoring, n_classes = SCORINGS[task.kind], max(1, len(np.unique(task.codes)))

    def to_score(loss: Figure) -> Figure:
        if not scoring.points:
            return loss
        return Figure(value=1 - loss.value, low=1 - loss.high, high=1 - loss.low)

    by_class = TASK_TYPES[task.kind].has_one_class
    measured = [
        CurvePoint(
            labels=n, labels_per_class=n / n_classes if by_class else None, n_draws=len(point.losses),
            value=to_score(Figure.from_interval(loss)),
        )
        for n, loss, point in zip(curve.n_labels, curve.losses, points, strict=True)
    ]  # fmt: skip
    shape, outlook = _judge_curve(curve, scoring.points)
    law, n_labels = curve.law, curve.n_labels[-1]
    return LearningCurve(
        metric=scoring.metric,
        points=measured,
        fit=CurveFit(floor=law.floor, scale=law.scale, exponent=law.exponent) if law else None,
        forecast=[
            CurveForecast(
                labels=item.n_labels, more_labels=item.n_labels - n_labels, gain=Figure.from_interval(item.gain)
            )
            for item in curve.forecasts
        ],
        holds_up_to_labels=int(EVALUATION_SETTINGS.max_forecast_factor * n_labels) if curve.forecasts else None,
        shape=shape,
        outlook=outlook,  # type: ignore[arg-type]
        n_rows=len(task.codes),
    )


def _judge_curve(curve: FittedCurve, is_share: bool) -> tuple[Shape, str]:
    """Return the shape, and what twice as many labels would bring."""
    twice = next((item for item in curve.forecasts if item.n_labels >= 1.9 * curve.n_labels[-1]), None)
    if twice is None:
        return ("noisy", "falls") if curve.rises else ("unknown", "few-points")
    unit = 1.0 if is_share else max(curve.losses[-1].value, 1e-12)
    low, high = twice.gain.low / unit, twice.gain.high / unit
    if high <= SETTINGS.small_gain:
        return "flat", "small"
    if high - low > SETTINGS.max_gain_width:
        return "noisy", "open"
    return ("rising", "clear") if low >= SETTINGS.clear_gain else ("flat", "doubtful")
