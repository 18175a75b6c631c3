"""The tunable numbers of adapting a base, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AdaptationSettings:
    """Numbers of a run of `adapt`: time, folds, learning curve, unlabelled rows.

    Parameters
    ----------
    overrun_share, overrun_seconds : float
        A run may take so much longer than `--time`, whichever is more.
    slowdown_seconds : float
        For so long a measured slowdown of the machine holds.
    refused_share : float
        A time is refused where this share (0-1) of the least forecast is more than is allowed: forecasts are rough.
    pass_share : float
        Largest share (0-1) of the time for training that the one pass through the base may take.
    optional_share : float
        Largest share (0-1) of the time that is kept back for steps that can be left out.
    preparing_seconds, preparing_seconds_per_1000 : float
        Processor seconds for loading a base and splitting: in any case, and for each 1,000 rows.
    few_rows, reading_seconds_per_1000 : int, float
        A model learns from so many rows, or from all where there are fewer; processor seconds for reading 1,000.
    training_seconds : float
        Processor seconds that the simplest model takes.
    max_read_names : int
        With more classes the base does not read their names.
    repeated_rows, max_repeats : int
        With fewer rows cross-validation is repeated, so that all repeats together score about this many.
    small_base_bytes : int
        A base model this small is always stored for out-of-distribution detection.
    min_mitigation_rows : int
        Training rows from which on a cell has a say in whether the mitigated model is kept.
    unlabelled_rows, unlabelled_share, words_share : int, float, float
        Rows without labels that are read at most, and the largest shares (0-1) of the time left for running them
        through the base and for counting their words.
    curve_seconds, curve_share : float
        Time of the learning curve: seconds, or share (0-1) of `--time`, whichever is less.
    min_curve_rows : int
        With fewer training rows there is no learning curve.
    curve_draws, min_curve_draws, few_curve_labels : int
        So many draws of few labels, of more than `few_curve_labels` the least number if time is short.
    forecast_factors : float
        Forecasts are for so many times the labels; the outlook is about twice as many.
    clear_gain, small_gain, max_gain_width : float
        Gain (0-1) that counts as one; at most so much is "not much"; with a wider interval there is no forecast.
    gallery_rows, map_rows : int
        Test rows that the report shows one by one, and rows on its map, at most.
    min_map_rows, map_edge : int, float
        With fewer rows there is no map; this share (0-1) of them lies beyond each edge and is put on it.
    overview_rows, overview_steps, overview_channels, overview_classes : int
        Training series whose quantiles are drawn, and how many steps, channels and classes of them, at most.
    gallery_shares : float
        Shares (0-1) of the gallery for test rows that are wrong, not answered and right.
    examples_per_class, example_rows, example_classes : int
        Training rows of each class that are shown as examples, at most, and of all classes together, about; with more
        classes there are none.
    gallery_bytes, example_bytes, doubted_bytes : int
        Of the previews of the gallery, of the examples of classes, and of doubted labels and slices: pictures become
        smaller where there are many.
    """

    overrun_share: float = 0.1
    overrun_seconds: float = 10.0
    slowdown_seconds: float = 2.0
    refused_share: float = 0.75
    pass_share: float = 0.85
    optional_share: float = 0.15
    preparing_seconds: float = 1.5
    preparing_seconds_per_1000: float = 0.15
    few_rows: int = 300
    reading_seconds_per_1000: float = 10.0
    training_seconds: float = 1.0
    max_read_names: int = 200
    repeated_rows: int = 400
    max_repeats: int = 5
    small_base_bytes: int = 8_000_000
    min_mitigation_rows: int = 5
    unlabelled_rows: int = 20_000
    unlabelled_share: float = 0.4
    words_share: float = 0.1
    curve_seconds: float = 20.0
    curve_share: float = 0.1
    min_curve_rows: int = 16
    curve_draws: int = 10
    min_curve_draws: int = 4
    few_curve_labels: int = 128
    forecast_factors: tuple[float, ...] = (1.5, 2.0, 4.0)
    clear_gain: float = 0.005
    small_gain: float = 0.02
    max_gain_width: float = 0.1
    gallery_rows: int = 140
    map_rows: int = 3000
    min_map_rows: int = 10
    map_edge: float = 0.005
    overview_rows: int = 2_000
    overview_steps: int = 80
    overview_channels: int = 3
    overview_classes: int = 6
    gallery_shares: tuple[float, ...] = (0.5, 0.25, 0.25)
    examples_per_class: int = 4
    example_rows: int = 80
    example_classes: int = 200
    gallery_bytes: int = 1_400_000
    example_bytes: int = 500_000
    doubted_bytes: int = 300_000


SETTINGS = AdaptationSettings()
