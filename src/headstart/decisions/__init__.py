"""Room: when a model's word is taken. Calibration, conformal sets, novelty, costs: learnt from training rows.

Numpy only, so that whatever predicts without torch decides alike. Knows no file, no strategy and no test row.
"""

from headstart.decisions.calibrator import Calibrator, cross_fitted, fit_calibrator, fit_way
from headstart.decisions.costs import Costs, is_reserved, parse_costs, reserved_classes
from headstart.decisions.novelty import Novelty, fit_novelty
from headstart.decisions.rules import ANSWER_WORDS, KINDS, LABEL, NO_RULES, NONE, NOT_SURE, SINGLE, Decisions, Rules
from headstart.decisions.sets import SetRule, fit_margin, fit_sets

__all__ = [
    "ANSWER_WORDS",
    "KINDS", "LABEL", "NONE", "NOT_SURE", "NO_RULES", "SINGLE", "Calibrator", "Costs", "Decisions", "Novelty", "Rules",
    "SetRule", "cross_fitted", "fit_calibrator", "fit_margin", "fit_novelty", "fit_sets", "fit_way", "is_reserved",
    "parse_costs", "reserved_classes",
]  # fmt: skip
