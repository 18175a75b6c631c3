"""What a bundle keeps of the place where it was made: figures of its test rows, a sample of its training rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.bundle.prints import Prints, draw_prints
from headstart.bundle.reference import ReferenceSample
from headstart.bundle.seen import SeenRows
from headstart.data.duplicates.near_duplicates import MUCH_ALIKE
from headstart.data.row_facts import describe_rows
from headstart.decisions import DecisionPolicy
from headstart.flow.inference.predict_table import select_ood_features
from headstart.flow.run_records import Prepared
from headstart.flow.scoring.groups import find_group_dependence
from headstart.flow.scoring.predictions import ModelFigures
from headstart.flow.scoring.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.ranking.typicality import cluster_rows, scale_to_unit_length
from headstart.records import Features, FloatMatrix
from headstart.results import (
    Abstention,
    AnyMetrics,
    Calibration,
    Conformal,
    Figure,
    SiteFigures,
)
from headstart.task_types import TASK_TYPES

SITE_FIGURES: dict[str, tuple[str, ...]] = {
    "classification": ("accuracy", "macro_f1", "log_loss"),
    "ordinal": ("accuracy", "quadratic_kappa", "mean_grade_error"),
    "multi-label": ("macro_f1", "micro_f1", "log_loss"),
    "regression": ("mean_absolute_error", "r2"),
}
"""What is held against the training site; the first decides."""
ANSWERED_RIGHT = "answered_right"
"""Name of the share of answers that are right, among the figures of a site."""


def draw_reference(
    prepared: Prepared, policy: DecisionPolicy, groups: tuple[str, ...], seed: int
) -> ReferenceSample | None:
    """Return a sample of the training rows' features for the bundle; None where no features are kept.

    Parameters
    ----------
    prepared : Prepared
    policy : DecisionPolicy
        Its out-of-distribution check names the features.
    groups : tuple of str
        Columns whose rows may belong together.
    seed : int
    """
    values = (
        select_ood_features(prepared.train, policy.out_of_distribution.reads) if policy.out_of_distribution else None
    )
    if values is None or policy.out_of_distribution is None:
        return None
    return ReferenceSample.draw(
        values,
        policy.out_of_distribution.reads,
        find_group_dependence(prepared.train.table, groups).for_splitting,
        seed,
    )


def summarise_site(data: str, task: str, classes: Sequence[str], figures: ModelFigures | None) -> SiteFigures | None:
    """Return the figures of its test rows that a bundle keeps; None without test rows.

    Parameters
    ----------
    data : str
        Where the rows came from.
    task : str
    classes : sequence of str
    figures : ModelFigures or None
        Of the model on the test rows.
    """
    if figures is None:
        return None
    matrix = np.asarray(figures.confusion.matrix).sum(axis=0).tolist() if figures.confusion else []
    return SiteFigures(
        data=data,
        n_rows=figures.metrics.n_rows,
        figures=name_figures(
            figures.metrics, task, figures.calibration, conformal=figures.conformal, abstention=figures.abstention
        ),
        predicted=dict(zip(classes, matrix, strict=False)),
    )


def name_figures(
    metrics: AnyMetrics, task: str, calibration: Calibration | None, conformal: Conformal | None,
    abstention: Abstention | None,
) -> dict[str, Figure]:  # fmt: skip
    """Return the figures that can be compared with those of another place, by name.

    Parameters
    ----------
    metrics : metrics of the task
    task : str
    calibration : Calibration or None
    conformal : Conformal or None
    abstention : Abstention or None
    """
    figures: dict[str, Figure | None] = {name: getattr(metrics, name) for name in SITE_FIGURES[task]}
    if calibration is not None:
        figures |= {"calibration_error": calibration.error, "overconfidence": calibration.overconfidence}
    if conformal is not None:
        figures |= {"coverage": conformal.measured}
    if abstention is not None:
        figures |= {**abstention.shares, ANSWERED_RIGHT: abstention.accuracy_answered}
    return {name: figure for name, figure in figures.items() if figure is not None}


def remember_training_rows(prepared: Prepared, uses: frozenset[str]) -> SeenRows:
    """Return hashes of the training and test rows, how images look, and centres of features of training rows.

    Parameters
    ----------
    prepared : Prepared
    uses : frozenset of str
        What the model reads: "features" or "descriptors" decide which centres are kept.
    """
    train = prepared.train
    model_features = select_model_features(train.features, train.descriptors, uses)
    return SeenRows.from_hashes(
        train.table.hashes,
        None
        if model_features is None
        else _compute_centres(scale_to_unit_length(model_features.final), prepared.task.seed),
        test_hashes=prepared.test.table.hashes,
        prints=_draw_training_prints(prepared),
    )


def _draw_training_prints(prepared: Prepared) -> Prints | None:
    """Return how training images look; None for other rows, and where all images look nearly the same."""
    table = prepared.train.table
    if not MODALITIES[table.modality].has_pixels or any(item.kind == MUCH_ALIKE for item in prepared.findings):
        return None
    return draw_prints([facts.fingerprint for facts in describe_rows(table)], prepared.task.seed)


def count_labels_per_class(prepared: Prepared) -> dict[str, int]:
    """Return the number of training labels of each class; empty for a number.

    Parameters
    ----------
    prepared : Prepared
    """
    task = prepared.task
    if task.truth is None:
        return {name: int((task.codes == code).sum()) for code, name in enumerate(task.classes)}
    if TASK_TYPES[task.kind].has_label_sets:
        return {name: int((task.truth[:, at] == 1).sum()) for at, name in enumerate(task.classes)}
    return {}


def select_model_features(
    features: Features | None, descriptors: Features | None, uses: frozenset[str]
) -> Features | None:
    """Return the features that a model reads: those of the base, else descriptors; None where it reads neither.

    Parameters
    ----------
    features, descriptors : Features or None
    uses : frozenset of str
        What the model reads.
    """
    if "features" in uses and features is not None:
        return features
    return descriptors if "descriptors" in uses else None


def _compute_centres(rows: FloatMatrix, seed: int) -> FloatMatrix:
    most = SETTINGS.kept_centres
    return rows if len(rows) <= most else scale_to_unit_length(cluster_rows(rows, most, seed).centres)
