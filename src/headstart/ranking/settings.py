"""The tunable numbers of ranking bases and of typical rows, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RankingSettings:
    """Numbers that change the order of bases or which rows are to be labelled next.

    Parameters
    ----------
    sample_rows, min_class_rows : int
        Rows of the first round of several bases, and of each class at least.
    draws : int
        Bootstrap samples that say how sure the order is.
    tie_margin : float
        A smaller base that ties with the best is taken only if it is at most this much lower, and its loss no higher.
    evidence_rounds, evidence_tolerance : int, float
        Most rounds of maximising the evidence (LogME), and the relative change of the ratio of precisions at which
        they end.
    max_groups : int
        Of rows; each of more rows asked for comes from one of them.
    seeding_rows, kmeans_rows, kmeans_rounds : int
        Rows from which the first centres are drawn, rows of a batch, and batches.
    neighbours, compared_rows : int
        Typicality is measured by so many neighbours among so many rows (Hacohen et al. 2022, arXiv:2202.02794).
    small_group_rows : int
        Groups of fewer rows come last: their rows are typical of nothing.
    copy_cosine : float
        Rows with a cosine above this one are taken for copies.
    pool_factor : int
        The least sure rows that are grouped, for each row asked for.
    """

    sample_rows: int = 200
    min_class_rows: int = 5
    draws: int = 2_000
    tie_margin: float = 0.01
    evidence_rounds: int = 200
    evidence_tolerance: float = 1e-6
    max_groups: int = 500
    seeding_rows: int = 4_000
    kmeans_rows: int = 1_024
    kmeans_rounds: int = 60
    neighbours: int = 20
    compared_rows: int = 1_000
    small_group_rows: int = 5
    copy_cosine: float = 0.999
    pool_factor: int = 10


SETTINGS = RankingSettings()
