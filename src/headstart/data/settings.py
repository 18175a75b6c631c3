"""The tunable numbers of splitting, labels and near-duplicates, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Numbers that change which rows are tested on, which belong together and what the task is.

    Parameters
    ----------
    test_share : float
        Share (0-1) of the rows that a split of our own keeps for the test.
    min_class_rows, min_number_rows : int
        Rows of a class that stay in training where possible (fewer cannot be scored by cross-validation), and training
        rows of a regression.
    min_groups : int
        Least number of clusters for an interval over groups.
    number_bins, rows_per_bin : int
        Strata of a number: at most so many bins, each of so many rows.
    min_label_rows : int
        A label of fewer training rows is left out.
    many_numbers, few_numbers : int
        Numeric labels are a quantity rather than classes with more different values than the first; with at least the
        second, where most are different.
    min_label_set_rows : int
        Rows with several labels from which on a separator is believed.
    image_rows, text_rows, series_rows : int
        Rows of each modality that are compared for near-duplicates at most; a finding reports that the rest was not.
    image_cosine : float
        Re-compressed, resized, brighter or slightly cropped copies reach it; two X-rays reach 0.955 at most.
    text_cosine, text_jaccard : float
        Least cosine of hashed n-grams for a pair to be verified, and the least Jaccard index of its n-grams.
    series_distance, series_typical_share, series_neighbour : float, float, int
        A copy is nearer than the first, and than this share of the median distance to this neighbour in the same data.
    bucket_rows, probed_buckets, pairs_of_row : int
        Of the search for similar rows: rows of a bucket, buckets in which each row is looked for, and pairs of a row in
        one bucket at most: a hundred copies need no 4,950 pairs.
    largest_group_rows, largest_group_share : int, float
        A group of near-duplicates larger than both is implausible.
    grave_share : float
        Share (0-1) of test rows with a near-duplicate among the training rows from which the finding is a warning.
    feature_rows, min_feature_rows : int
        Rows whose features are compared at most, drawn by chance, and at least.
    feature_typical_share : float
        A pair is a duplicate if its distance is below this share of the median distance to the tenth neighbour. Chosen
        on training rows of real images and texts by reading the pairs: rotated images, one story written twice.
    """

    test_share: float = 0.25
    min_class_rows: int = 2
    min_number_rows: int = 4
    min_groups: int = 5
    number_bins: int = 10
    rows_per_bin: int = 10
    min_label_rows: int = 1
    many_numbers: int = 20
    few_numbers: int = 10
    min_label_set_rows: int = 3
    image_rows: int = 20_000
    text_rows: int = 50_000
    series_rows: int = 20_000
    image_cosine: float = 0.96
    text_cosine: float = 0.6
    text_jaccard: float = 0.7
    series_distance: float = 0.1
    series_typical_share: float = 0.15
    series_neighbour: int = 10
    bucket_rows: int = 1_000
    probed_buckets: int = 2
    pairs_of_row: int = 50
    largest_group_rows: int = 20
    largest_group_share: float = 0.1
    grave_share: float = 0.01
    feature_rows: int = 10_000
    min_feature_rows: int = 30
    feature_typical_share: float = 0.45


SETTINGS = DataSettings()
