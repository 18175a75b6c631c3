"""The tunable numbers of labelling rounds, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LabellingSettings:
    """Numbers of labelling rounds.

    Parameters
    ----------
    first_random : int
        Examples of every project that are labelled in random order first: they estimate the shares of the kinds.
    early_labels : int
        With a smaller mean number of labels a kind, guesses come from the nearest mean, and are called too early.
    head_labels : int
        Mean number of labels a kind from which a trained head may replace guesses by the kinds' names.
    most_learnt : int
        Labelled examples that a round learns from, drawn by chance where there are more.
    n_folds : int
        Folds of the labelled examples, for honest guesses of them.
    head_seconds : float
        After so long a head is taken as it is.
    early_temperature : float
        Of the cosines to the kinds' means, where too few examples tell it.
    names_temperature : float
        Of the standardised likeness to the kinds' names, where no labels tell it.
    names_margin : float
        A guess by names is made only if the likest name leads the next by so many standard deviations.
    rare_share, far_share : float
        Share (0-1) of a batch that goes to likely examples of the kinds with fewest labels, and to examples unlike
        all labelled ones.
    likeliest_rare : float
        Smallest probability (0-1) of a rare kind with which an example is proposed for it.
    most_candidates : int
        Unlabelled examples that are compared when one is chosen, drawn by chance where there are more.
    density_rows, density_neighbours : int
        Examples, drawn by chance, of which so many nearest ones say how typical an example is.
    queue_rows : int
        Useful examples that are chosen at once.
    pool_factor : int
        A batch of n is spread over groups of so many times n best examples.
    answers_a_round : int
        Answers after which `--interactive` learns anew.
    skip_pause : int
        A skipped example comes back after so many other answers.
    cohort_certainty : float
        Least probability (0-1) of the guess of every example of a cohort.
    cohort_rows, least_cohort : int
        Most and fewest examples of a cohort.
    cohort_pool : int
        Surest examples of a kind that cohorts are made of.
    most_cohorts : int
        Cohorts that are proposed at once.
    order_group, order_block : int
        Mean size of the groups through which the order of likeness goes; larger groups than the second are cut.
    picture_pixels, picture_quality : int
        Longer side and JPEG quality of the photos in a workbook.
    reference_rows : int
        Examples of the human reference.
    least_curve_labels, most_curve_labels : int
        Fewer labels tell nothing of what more would bring; of more, so many are looked at.
    curve_draws, curve_rows : int
        Draws of each smaller number of labels; fewer where all draws together would learn from more rows.
    more_labels : int
        Labels whose worth is forecast, or half as many where so many lie too far ahead.
    advice_quantile : float
        Standard errors by which a gain must differ from none to be advised: the 90 % point of the normal distribution.
    least_gain : float
        More labels "tell much more" if so large a share (0-1) of all examples would be answered right in addition.
    """

    first_random: int = 20
    early_labels: int = 5
    head_labels: int = 10
    most_learnt: int = 2_000
    n_folds: int = 5
    head_seconds: float = 60.0
    early_temperature: float = 0.1
    names_temperature: float = 0.5
    names_margin: float = 0.5
    rare_share: float = 0.2
    far_share: float = 0.05
    likeliest_rare: float = 0.2
    most_candidates: int = 20_000
    density_rows: int = 1_000
    density_neighbours: int = 20
    queue_rows: int = 20
    pool_factor: int = 10
    answers_a_round: int = 5
    skip_pause: int = 20
    cohort_certainty: float = 0.9
    cohort_rows: int = 24
    least_cohort: int = 4
    cohort_pool: int = 400
    most_cohorts: int = 8
    order_group: int = 200
    order_block: int = 2_000
    picture_pixels: int = 180
    picture_quality: int = 80
    reference_rows: int = 50
    least_curve_labels: int = 30
    most_curve_labels: int = 600
    curve_draws: int = 6
    curve_rows: int = 3_000
    more_labels: int = 40
    advice_quantile: float = 1.2816
    least_gain: float = 0.02


SETTINGS = LabellingSettings()
