"""Evaluation: metrics with intervals, groups, calibration, the confusion matrix, worst rows, the verdict on transfer.

This room starts at `Predictions`: it knows no modality, no strategy and no file, and needs numpy only.
"""

from headstart.evaluation.calibration import calibration
from headstart.evaluation.groups import groups, keeps_together
from headstart.evaluation.metrics import confusion, evaluate, worst_rows
from headstart.evaluation.transfer import Entry, difference, verdict

__all__ = [
    "Entry",
    "calibration",
    "confusion",
    "difference",
    "evaluate",
    "groups",
    "keeps_together",
    "verdict",
    "worst_rows",
]
