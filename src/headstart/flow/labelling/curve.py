"""Whether more labels would tell more: a small learning curve over the labelled examples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart.data.splitting.folds import assign_folds
from headstart.evaluation.learning_curve import MeasuredLosses, fit_learning_curve
from headstart.evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from headstart.flow.labelling.agreement import make_count
from headstart.flow.labelling.records import LabellingAdvice
from headstart.flow.labelling.settings import SETTINGS
from headstart.records import FloatMatrix, Index, Interval
from headstart.strategies.linear.head import fit_head
from headstart.strategies.record import Clock, Task

Floats = NDArray[np.float64]


def forecast_labels(rows: FloatMatrix, codes: Index, seed: int) -> LabellingAdvice:
    """Forecast what more labels would bring, from what fewer ones brought.

    Parameters
    ----------
    rows : FloatMatrix, shape (n_labels, n_dims)
        The labelled examples.
    codes : Index, shape (n_labels,)
        Kind of each of them.
    seed : int

    Returns
    -------
    LabellingAdvice

    Notes
    -----
    Every example is guessed from quarters, halves and all of the labels of the other folds. Where examples were
    chosen because they are doubtful, they are harder than the rest: the gain is that of such examples. Of very many
    labels some are looked at; these gain more than all would, so it may only be said that the gain is little.
    """
    right = None
    n_labels = len(codes)
    if n_labels > SETTINGS.most_curve_labels:
        some = np.sort(np.random.default_rng(seed).permutation(n_labels)[: SETTINGS.most_curve_labels])
        advice = forecast_labels(rows[some], codes[some], seed)
        is_little = advice.code == "little"
        return replace(advice, n_labels=n_labels, code="little" if is_little else "unclear", gain=None, n_more=0)
    if len(codes) >= SETTINGS.least_curve_labels and len(np.unique(codes)) > 1:
        points = _measure_curve(rows, codes, seed)
        hits = points[-1].sizes.sum() - points[-1].losses.sum()
        right = make_count(round(float(hits)), len(codes))
        n_learnt = points[-1].n_labels
        steps = (SETTINGS.more_labels, SETTINGS.more_labels // 2)
        curve = fit_learning_curve(points, [n_learnt + step for step in steps], seed)
        for forecast in curve.forecasts:
            n_more = forecast.n_labels - n_learnt
            code = judge_gain(forecast.gain)
            return LabellingAdvice(code=code, n_labels=len(codes), n_more=n_more, gain=forecast.gain, right=right)
        return LabellingAdvice(code="unclear", n_labels=len(codes), right=right)
    return LabellingAdvice(code="too-few", n_labels=len(codes))


def judge_gain(gain: Interval) -> str:
    """Return what a forecast says: "more-helps", "little", or "unclear".

    Parameters
    ----------
    gain : Interval
        95 %, as a share (0-1) of all examples.

    Notes
    -----
    An advice needs nine cases of ten (one-sided), not the 95 % of a proof: nothing is lost with a wrong one but labels.

    Examples
    --------
    >>> [judge_gain(Interval(0.06, low, 0.1)) for low in (-0.01, -0.1)], judge_gain(Interval(0.0, -0.01, 0.01))
    (['more-helps', 'unclear'], 'little')
    """
    width = SETTINGS.advice_quantile / EVALUATION_SETTINGS.interval_quantile
    if gain.value >= SETTINGS.least_gain and gain.value > width * (gain.value - gain.low):
        return "more-helps"
    return "little" if gain.value + width * (gain.high - gain.value) < SETTINGS.least_gain else "unclear"


def _measure_curve(rows: FloatMatrix, codes: Index, seed: int) -> list[MeasuredLosses]:
    """Return the errors of held-out rows after learning from a quarter, a half and all of the other folds' labels."""
    folds = assign_folds(codes, np.arange(len(codes)), SETTINGS.n_folds, seed)
    n_learnt = round(float(np.mean([(folds != fold).sum() for fold in np.unique(folds)])))
    _, fitted = fit_head(rows, _make_task(codes, folds))
    strength, rng = fitted.choice.strength, np.random.default_rng(seed)
    n_draws = max(2, min(SETTINGS.curve_draws, SETTINGS.curve_rows // max(1, len(codes))))
    points = []
    for share, draws in ((0.25, n_draws), (0.5, n_draws), (1.0, 1)):
        losses = np.ones((draws, len(codes)))
        for draw in range(draws):
            for fold in np.unique(folds):
                inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
                some = rng.permutation(inside)[: max(2, round(share * len(inside)))]
                losses[draw, outside] = _count_errors(rows, codes, some, outside, strength=strength)
        points.append(MeasuredLosses(max(2, round(share * n_learnt)), losses, np.ones_like(losses)))
    return points


def _count_errors(rows: FloatMatrix, codes: Index, some: Index, outside: Index, strength: float) -> Floats:
    """Return 1 for each row outside that a head on some rows gets wrong, else 0."""
    kinds, narrow = np.unique(codes[some], return_inverse=True)
    if len(kinds) == 1:
        return np.asarray(codes[outside] != kinds[0], dtype=np.float64)
    task = _make_task(narrow, np.zeros(len(some), dtype=np.intp))
    head, _ = fit_head(rows[some], task, strength)
    return np.asarray(codes[outside] != kinds[head.predict(rows[outside]).argmax(axis=1)], dtype=np.float64)


def _make_task(codes: Index, folds: Index) -> Task:
    names = tuple(f"{code:06d}" for code in range(int(codes.max()) + 1))
    return Task(classes=names, codes=codes, folds=folds, balance="off", seed=0, clock=Clock(SETTINGS.head_seconds))
