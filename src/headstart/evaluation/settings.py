"""The tunable numbers of the evaluation, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """Numbers that change a figure, its interval or whether it is significant.

    Parameters
    ----------
    interval_quantile : float
        Half the width of a 95 % interval in standard errors: the 97.5 % point of the normal distribution.
    power_quantile : float
        The 80 % point of the normal distribution: the power with which a difference is to be found.
    level : float
        A p-value of at most this (0-1) is significant.
    resamples, curve_resamples : int
        Bootstrap samples of a figure, and of a learning curve.
    permutations, slice_permutations, drift_permutations : int
        Of a permutation test of groups or classes, of slices, and of drift.
    min_rows, min_clusters : int
        Fewer rows, or fewer independent rows or clusters, are not scored: a group, a class in a group, a slice, a side
        of a comparison, a bin of the calibration. With 20 rows the interval still reaches up to 20 points to either
        side. Counts alone decide, not the width of the interval: it is widest where the model is at its worst.
    max_group_values, min_median_rows : int
        A column with more values, or whose median value has fewer rows (patients, farms), only keeps rows together.
    least_gap_share : float
        Where an exact test finds a gap between groups, its interval begins at this share (0-1) of the gap at least.
    mix_difference : float
        Two groups of which so great a share (0-1) would have to change class to be alike do not hold the same classes.
    min_cell_rows : int
        A cell (a class in a group) of fewer rows cannot be the worst one: with fewer, chance makes it so.
    max_slice_overlap : float
        Of two clusters that share more than this share (0-1) of the smaller one's rows, the clearer one is reported.
    drift_rows, drift_penalty : int, float
        New rows that are looked at, drawn by chance; ridge penalty of the classifier of old and new, for each row.
    max_calibration_bins, min_bin_distance : int, float
        Of the reliability table; neighbouring bins whose mean probabilities (0-1) are nearer are put together.
    max_label_outcomes : int
        Of several labels a row every so many rows are calibrated on, so that rows times labels are at most so many.
    selective_points, selective_steps, selective_rows : int
        Points of the risk-coverage curve; steps over which its area is summed; most rows for the interval of the
        area: of more it is too wide, never too narrow.
    max_threshold_logit, n_thresholds, threshold_smoothing : float, int, int
        Thresholds of a label that are tried, evenly spaced as logits, and over how many of them F1 is averaged.
    threshold_prior_rows : float
        A label with so many rows has a threshold half by itself, half by what is best for all labels together.
    min_different_rows : int
        Fewer rows on which two models differ are never evidence (as in McNemar's exact test at 5 %).
    small_difference : float
        A difference of accuracy (0-1) below this one is as good as none.
    max_exact_rows, max_needed_rows : int
        Most rows for the exact test; more rows than the second are not named as what a verdict would take.
    max_forecast_factor : float
        A learning curve says nothing about more than so many times the labels it was measured with.
    curve_span : float
        The power law is fitted to the last four doublings: with very few labels curves bend (Jain et al. 2023).
    min_curve_points : int
        With fewer points there is no curve.
    min_exponent, max_exponent, n_exponents : float, float, int
        Of the power law: what is found in practice (Hestness et al. 2017, arXiv:1712.00409, and since).
    forecast_error : float
        Relative standard error of a forecast that no bootstrap shows: the law need not hold.
    min_point_error : float
        Standard error that no point can be below: a power law is not exact.
    """

    interval_quantile: float = 1.959963984540054
    power_quantile: float = 0.8416212335729143
    level: float = 0.05
    resamples: int = 2_000
    curve_resamples: int = 400
    permutations: int = 1_999
    slice_permutations: int = 999
    drift_permutations: int = 499
    min_rows: int = 20
    min_clusters: int = 10
    max_group_values: int = 30
    min_median_rows: int = 5
    least_gap_share: float = 0.001
    mix_difference: float = 0.2
    min_cell_rows: int = 10
    max_slice_overlap: float = 0.5
    drift_rows: int = 1_000
    drift_penalty: float = 0.1
    max_calibration_bins: int = 10
    min_bin_distance: float = 0.01
    max_label_outcomes: int = 500_000
    selective_points: int = 10
    selective_steps: int = 200
    selective_rows: int = 10_000
    max_threshold_logit: float = 5.0
    n_thresholds: int = 101
    threshold_smoothing: int = 5
    threshold_prior_rows: float = 20.0
    min_different_rows: int = 6
    small_difference: float = 0.005
    max_exact_rows: int = 1_000
    max_needed_rows: int = 100_000
    max_forecast_factor: float = 4.0
    curve_span: float = 16.0
    min_curve_points: int = 3
    min_exponent: float = 0.1
    max_exponent: float = 0.8
    n_exponents: int = 15
    forecast_error: float = 0.4
    min_point_error: float = 0.003


SETTINGS = EvaluationSettings()
