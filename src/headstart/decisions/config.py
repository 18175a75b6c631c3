"""The numbers that change what a decision policy learns, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DecisionConfig:
    """Tunable numbers of calibration, prediction sets and the out-of-distribution detector.

    Parameters
    ----------
    calibration_rows : int
        Fewer rows are not calibrated.
    curve_rows : int
        A rising curve is tried from so many rows on; below, only a temperature.
    most_probabilities : int
        Probabilities that are looked at: every so many rows where there are more.
    curve_steps : int
        Most steps of the curve.
    curve_slope : float
        What keeps the curve rising where it would be flat: so much of the probability itself is added.
    own_threshold_rows : int
        A class with so many training rows has a threshold of its own in prediction sets; the others share one.
    label_slope_rows, label_shift_rows : float
        How strongly the slope and the shift of a label's correction are drawn to those of all labels, as so many rows.
    sure_confidence : float
        Probability with which labels that are called sure are as often right as stated, 0-1.
    sure_steps : int
        Each threshold that is tested for it takes in one more row in so many.
    remembered_rows : int
        Most training rows that the detector remembers; every class keeps its share, and at least one.
    most_dims, least_dims, most_cells : int
        Directions that are kept, fewer where features are long: the file stays below about 2 MB.
    shrinkage : float
        Weight of an even spread in the covariance within classes, 0-1.
    neighbours : int
        Nearest rows whose distance counts.
    false_alarm : float
        Share of ordinary rows that may be called out of distribution.
    detector_rows : int
        With fewer rows there is no detector.
    n_parts : int
        Parts in which the distances of held-out rows are measured.
    """

    calibration_rows: int = 30
    curve_rows: int = 1_000
    most_probabilities: int = 500_000
    curve_steps: int = 500
    curve_slope: float = 1e-4
    own_threshold_rows: int = 50
    label_slope_rows: float = 20.0
    label_shift_rows: float = 5.0
    sure_confidence: float = 0.9
    sure_steps: int = 10
    remembered_rows: int = 1_000
    most_dims: int = 128
    least_dims: int = 24
    most_cells: int = 400_000
    shrinkage: float = 0.3
    neighbours: int = 3
    false_alarm: float = 0.02
    detector_rows: int = 8
    n_parts: int = 5


CONFIG = DecisionConfig()
"""The numbers that every policy is learnt with."""
