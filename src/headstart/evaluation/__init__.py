"""Evaluation: metrics with intervals, groups, calibration, the confusion matrix, worst rows, the verdict on transfer.

This room starts at `Predictions`: it knows no modality, no strategy and no file, and needs numpy only.
"""

from headstart.evaluation.comparison.transfer_verdict import Entry, difference, verdict
from headstart.evaluation.fairness.groups import groups, keeps_together
from headstart.evaluation.metrics.classification import confusion, evaluate, worst_rows
from headstart.evaluation.metrics.multilabel import given_labels
from headstart.evaluation.metrics.per_task import Truth, score, worst
from headstart.evaluation.metrics.regression import fit_points
from headstart.evaluation.uncertainty.calibration import calibration
from headstart.evaluation.uncertainty.thresholds import thresholds

__all__ = [
    "Entry",
    "Truth",
    "calibration",
    "confusion",
    "difference",
    "evaluate",
    "fit_points",
    "given_labels",
    "groups",
    "keeps_together",
    "score",
    "thresholds",
    "verdict",
    "worst",
    "worst_rows",
]
