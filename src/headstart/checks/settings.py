"""The tunable numbers of the checks, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """Thresholds of findings, and how many rows and columns are looked at.

    Parameters
    ----------
    small_class_rows : int
        A class of fewer training rows is small.
    imbalance_ratio : int
        Largest to smallest class from which on classes are unbalanced.
    far_quartiles, max_far_share : float
        A number is extreme beyond so many interquartile ranges, if at most this share (0-1) of the numbers is.
    far_deviations : float
        Robust deviations (1.4826 times the median absolute deviation) that make an outlier or a suspicious number.
    outlier_rows, outlier_axes, outlier_neighbour : int
        Rows compared at most, principal axes used, and the neighbour whose distance counts.
    max_outlier_share : float
        Where a larger share (0-1) of rows is far away, none of them is an outlier.
    listed_label_errors : int
        Rows that are listed, the most suspicious first.
    min_wrong_share : float
        Doubted labels are listed as long as surely this share (0-1) of the list is expected to be really wrong.
    warned_wrong_share : float
        Label errors are a warning if this share (0-1) of all rows is expected to be really wrong.
    wrong_label_rows : int
        Rows on which the share of wrong labels is fitted, evenly spread.
    profile_drop : float
        Drop of the log-likelihood at the ends of a 95 % interval: half the 95 % point of chi-squared.
    some_unknown_share, many_unknown_share : float
        Share (0-1) of unknown tokens that is worth a note, and a warning; texts with more of them than the second have
        similar features only because the base model cannot read them.
    many_tokens_per_word : float
        Tokens of a word that are worth a note.
    vocabulary_texts, language_texts : int
        Texts on which a tokenizer is measured, and least texts of a language that is judged by itself.
    property_rows, property_columns : int
        Rows, and columns of metadata, that are measured at most.
    max_property_values, min_rows_per_value : int
        A column of words is one property if it has at most so many different ones, each of so many rows on average.
    n_property_bins : int
        In which a numeric property is cut to predict the label from it.
    property_penalty : float
        Ridge penalty of that prediction.
    small_pixels : int
        Images of which a side is shorter are small.
    blurred_share, max_blurred_share : float
        Sharpness below this part of the median is blurred, if at most this share (0-1) of images is.
    clear_skill, strong_skill, equal_skill : float
        Part of the way from chance to certainty (0-1) that a property must go to be worth a note, and a warning; and
        from which on it equals the label.
    shortcut_rows, shortcut_columns : int
        Fewest rows for which shortcuts are looked for, and columns that are reported.
    """

    small_class_rows: int = 10
    imbalance_ratio: int = 10
    far_quartiles: float = 10.0
    max_far_share: float = 0.02
    far_deviations: float = 6.0
    outlier_rows: int = 5_000
    outlier_axes: int = 32
    outlier_neighbour: int = 5
    max_outlier_share: float = 0.02
    listed_label_errors: int = 50
    min_wrong_share: float = 0.5
    warned_wrong_share: float = 0.01
    wrong_label_rows: int = 5_000
    profile_drop: float = 1.920729410347062
    some_unknown_share: float = 0.01
    many_unknown_share: float = 0.1
    many_tokens_per_word: float = 2.5
    vocabulary_texts: int = 500
    language_texts: int = 20
    property_rows: int = 5_000
    property_columns: int = 50
    max_property_values: int = 30
    min_rows_per_value: int = 5
    n_property_bins: int = 10
    property_penalty: float = 1.0
    small_pixels: int = 64
    blurred_share: float = 0.2
    max_blurred_share: float = 0.2
    clear_skill: float = 0.2
    strong_skill: float = 0.5
    equal_skill: float = 0.97
    shortcut_rows: int = 40
    shortcut_columns: int = 3


SETTINGS = CheckSettings()
