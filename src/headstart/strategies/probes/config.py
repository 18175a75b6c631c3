"""The tunable numbers of the probes, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """Numbers that change what a probe learns or which rows it takes.

    Parameters
    ----------
    most_stage_columns, most_stage_values : int
        Columns, and feature values in memory (400 MB), that `multi-stage-probe` stacks.
    shrinkages, first_shrinkage : float
        Of `shrinkage-lda`, from strong to weak (0-1); the search starts at the first and takes it without folds.
    name_weights : float
        Of `shrinkage-lda`: as how many rows of its class a class name may count, where rows are texts; chosen by
        cross-validation together with 0.
    unmeasured_name_weight : float
        The same where no row is held out, if the names alone tell the rows better than chance does.
    surely_telling_errors : float
        Standard errors by which the names alone have to beat chance to be preferred within noise.
    most_rows_for_names : int
        With more rows in the median class names add nothing, and are left out.
    hard_row_sharpness : float
        `balanced-probe`: a row that the first probe is certain and right about weighs exp(-4), a fiftieth, of one that
        it is wrong about.
    largest_weight : float
        No row weighs more than so many average rows: two rows of a rare group are not made into half of the data.
    most_axes, graph_axes : int
        `self-training`: principal axes of the regression, and the first of them for the graph.
    least_unlabelled, most_unlabelled, most_labelled : int
        Rows without labels that are needed and used; rows with labels beyond which the others add nothing.
    confident_share : float
        Share (0-1) of the unlabelled rows, class by class, whose predictions become pseudo-labels: the most confident.
    neighbours, similarity_power : int
        Of each row in the graph; the power of their similarity.
    label_retention : float
        Share (0-1) of a label that stays at its row in each round.
    propagation_rounds : int
        In which labels spread over the graph.
    """

    most_stage_columns: int = 4_096
    most_stage_values: int = 100_000_000
    shrinkages: tuple[float, ...] = (1.0, 0.9, 0.6, 0.3, 0.1, 0.03, 0.01, 0.003)
    first_shrinkage: float = 0.3
    name_weights: tuple[float, ...] = (5.0, 20.0)
    unmeasured_name_weight: float = 5.0
    surely_telling_errors: float = 2.0
    most_rows_for_names: int = 100
    hard_row_sharpness: float = 4.0
    largest_weight: float = 50.0
    most_axes: int = 768
    graph_axes: int = 64
    least_unlabelled: int = 20
    most_unlabelled: int = 10_000
    most_labelled: int = 5_000
    confident_share: float = 0.5
    neighbours: int = 10
    similarity_power: int = 3
    label_retention: float = 0.2
    propagation_rounds: int = 30


PROBE_CONFIG = ProbeConfig()
