"""Evaluation: metrics with intervals, groups, calibration, the confusion matrix, worst rows, the verdict on transfer.

This room starts at `Predictions`: it knows no modality, no strategy and no file, and needs numpy only.
"""

from headstart.evaluation.calibration import calibration
from headstart.evaluation.groups import groups, keeps_together
from headstart.evaluation.metrics import confusion, evaluate, worst_rows
from headstart.evaluation.numbers import fit_points
from headstart.evaluation.scoring import Truth, score, worst
from headstart.evaluation.several import given_labels
from headstart.evaluation.thresholds import thresholds
from headstart.evaluation.transfer import Entry, difference, verdict

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
