"""The tunable numbers of the ladder, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LadderSettings:
    """Numbers that decide which strategies run, and on how many rows.

    Parameters
    ----------
    verdict_seconds, moment_seconds : float
        What both sides of the verdict may take even when the time is over; and any other quick strategy.
    rival_share : float
        Largest share (0-1) of the time left that either side of the verdict may take; beyond it learns from a sample.
    trial_seconds : float
        Processor seconds for training a costly strategy a little, to measure what it costs.
    max_slowdown : float
        How busy the machine is is measured where a forecast would not fit on one so many times slower.
    min_sample_rows : int
        A sample is not made smaller than this.
    sample_time_share : float
        Share (0-1) of the time that a sample is meant to take: costs grow faster than rows.
    sample_attempts : int
        Times that the size of a sample is corrected.
    ample_score : float
        Where a quick strategy scores so much by cross-validation (0-1), no costly one is tried unless it is named.
    few_labels : int
        `contrastive` is tried without being named up to so many rows of the median class.
    scratch_rows : int
        `scratch` is tried without being named from so many training rows on.
    search_seconds : float
        What costly strategies that nobody named may take together.
    learnt_seconds : float
        Shorter strategies say nothing about this machine.
    max_cost_factor : float
        Most that a forecast is multiplied or divided by after what was learnt.
    max_cost_step : float
        Most that one run says a forecast was wrong by, beyond what was learnt.
    lock_seconds : float
        How long other processes that learn are waited for.
    cost_learning_share : float
        Share (0-1) by which one run moves what was learnt.
    """

    verdict_seconds: float = 5.0
    moment_seconds: float = 0.5
    rival_share: float = 0.4
    trial_seconds: float = 6.0
    max_slowdown: float = 20.0
    min_sample_rows: int = 400
    sample_time_share: float = 0.8
    sample_attempts: int = 4
    ample_score: float = 0.95
    few_labels: int = 32
    scratch_rows: int = 2_000
    search_seconds: float = 75.0
    learnt_seconds: float = 0.5
    max_cost_factor: float = 8.0
    max_cost_step: float = 3.0
    lock_seconds: float = 2.0
    cost_learning_share: float = 0.4


SETTINGS = LadderSettings()
