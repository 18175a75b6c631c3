"""The tunable numbers of scoring, in one record."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.options.requirements import MIN_TEST_ROWS


@dataclass(frozen=True, kw_only=True)
class ScoringSettings:
    """Numbers of what is reported of single rows.

    Parameters
    ----------
    kept_centres : int
        Centres of training rows that a bundle keeps.
    worst_rows, missed_rows : int
        Surest mistakes, and worst decisions, that are listed.
    certainty_bins : int
        Columns of the histogram of the highest probability.
    date_columns, most_periods, period_rows : int
        Columns of dates that are drawn at most; periods of each at most; rows a period has on average at least.
    care_questions : tuple of float
        Settings of carefulness: so many questions to a person count as much as the worst mistake. They are the same for
        every model and fitted to no data.
    """

    kept_centres: int = 500
    worst_rows: int = 12
    missed_rows: int = 10
    certainty_bins: int = 20
    date_columns: int = 2
    most_periods: int = 24
    period_rows: int = 5
    care_questions: tuple[float, ...] = (
        1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 50.0, 100.0, 1000.0,
    )  # fmt: skip


SETTINGS = ScoringSettings()


@dataclass(frozen=True, kw_only=True)
class ReadinessSettings:
    """Bounds of the verdict: what the cautious end of an interval has to reach, for `ready` and for `supervised`.

    None is fitted to data. Nine right of ten is what people take for reliable, seven of ten for worth a look at each
    answer; a group may do a little worse than the whole, not so much that its people are better off without.

    Parameters
    ----------
    answered_right, answered : (float, float)
        Share of the answers that are right, and of the rows that get one (0-1).
    worst_class, worst_group : (float, float)
        Share right in the weakest class and in the worst group, whether answered or not (0-1).
    grade_right, grade_class, grade_group, kappa : (float, float)
        The same of grades, where a neighbouring grade is a small error; quadratic kappa takes account of that.
    row_f1, exact_match, label_recall, label_group : (float, float)
        Several labels: F1 of a row, rows with exactly the right labels, recall of the weakest label, row F1 of a group.
    explained, group_error : (float, float)
        Numbers: share of the variance that is explained (0 is as good as the mean), and the mean error in the worst
        group as a multiple of that of all rows, which has to be at most so large.
    test_copies : (float, float)
        Share of the test rows that have copies among the training rows, at most (0-1).
    min_test_rows : int
        On fewer nothing is ready.
    many_classes : int
        With more classes those of too few test rows are judged together.
    label_step, min_labels, max_labels : int
        Numbers of rows to label are rounded up to a multiple of the first and stay between the others.
    """

    answered_right: tuple[float, float] = (0.9, 0.7)
    answered: tuple[float, float] = (0.5, 0.2)
    worst_class: tuple[float, float] = (0.8, 0.6)
    worst_group: tuple[float, float] = (0.8, 0.6)
    grade_right: tuple[float, float] = (0.8, 0.6)
    grade_class: tuple[float, float] = (0.6, 0.4)
    grade_group: tuple[float, float] = (0.7, 0.5)
    kappa: tuple[float, float] = (0.8, 0.6)
    row_f1: tuple[float, float] = (0.85, 0.65)
    exact_match: tuple[float, float] = (0.7, 0.4)
    label_recall: tuple[float, float] = (0.7, 0.5)
    label_group: tuple[float, float] = (0.75, 0.55)
    explained: tuple[float, float] = (0.75, 0.4)
    group_error: tuple[float, float] = (1.5, 2.5)
    test_copies: tuple[float, float] = (0.01, 0.1)
    min_test_rows: int = MIN_TEST_ROWS
    many_classes: int = 20
    label_step: int = 10
    min_labels: int = 20
    max_labels: int = 500


READINESS = ReadinessSettings()
