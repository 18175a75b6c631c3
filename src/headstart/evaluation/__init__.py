"""Evaluation: metrics with intervals, the confusion matrix, the worst rows and the verdict on transfer.

This room starts at `Predictions`: it knows no modality, no strategy and no file, and needs numpy only.
"""

from headstart.evaluation.metrics import confusion, evaluate, worst_rows
from headstart.evaluation.transfer import Entry, difference, verdict

__all__ = ["Entry", "confusion", "difference", "evaluate", "verdict", "worst_rows"]
