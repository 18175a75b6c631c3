"""Evaluation: metrics with intervals, groups, calibration, the confusion matrix, worst rows, the verdict on transfer.

This room starts at `Predictions`: it knows no modality, no strategy and no file, and needs numpy only.
"""

from headstart.evaluation.comparison.transfer_verdict import NamedPredictions, assess_transfer, compare_accuracy
from headstart.evaluation.fairness.groups import has_too_many_values, score_groups
from headstart.evaluation.metrics.classification import confusion_matrix, score_classes, worst_class_rows
from headstart.evaluation.metrics.multilabel import join_labels
from headstart.evaluation.metrics.per_task import Truth, list_worst_rows, score_predictions
from headstart.evaluation.metrics.regression import pair_observed_predicted
from headstart.evaluation.uncertainty.calibration import measure_calibration
from headstart.evaluation.uncertainty.thresholds import choose_thresholds

__all__ = [
    "NamedPredictions",
    "Truth",
    "assess_transfer",
    "choose_thresholds",
    "compare_accuracy",
    "confusion_matrix",
    "has_too_many_values",
    "join_labels",
    "list_worst_rows",
    "measure_calibration",
    "pair_observed_predicted",
    "score_classes",
    "score_groups",
    "score_predictions",
    "worst_class_rows",
]
