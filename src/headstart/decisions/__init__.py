"""Room: answers and abstaining. Calibration, prediction sets, out-of-distribution detection and costs, learnt from
training rows.

It needs numpy only, so that models without torch decide alike. It knows no file, no strategy and no test row.
"""

from headstart.decisions.calibrator import Calibrator, cross_fit_probabilities, fit_calibrator, fit_correction
from headstart.decisions.content import fit_content_limits
from headstart.decisions.costs import Costs, is_reserved, parse_costs, reserved_classes
from headstart.decisions.label_calibrator import fit_label_calibrator
from headstart.decisions.label_rules import LabelRule, fit_label_rule
from headstart.decisions.out_of_distribution import (
    HeldOutPart,
    OutOfDistributionDetector,
    fit_out_of_distribution,
    sample_remembered,
)
from headstart.decisions.policy import (
    ANSWER_WORDS,
    DEFAULT_POLICY,
    NONE,
    NOT_SURE,
    OUTCOMES,
    DecisionPolicy,
    Decisions,
    Outcome,
)
from headstart.decisions.reasons import Reason, ReasonCode
from headstart.decisions.sets import SetRule, fit_margin, fit_sets

__all__ = [
    "ANSWER_WORDS",
    "DEFAULT_POLICY",
    "NONE",
    "NOT_SURE",
    "OUTCOMES",
    "Calibrator",
    "Costs",
    "DecisionPolicy",
    "Decisions",
    "HeldOutPart",
    "LabelRule",
    "OutOfDistributionDetector",
    "Outcome",
    "Reason",
    "ReasonCode",
    "SetRule",
    "cross_fit_probabilities",
    "fit_calibrator",
    "fit_content_limits",
    "fit_correction",
    "fit_label_calibrator",
    "fit_label_rule",
    "fit_margin",
    "fit_out_of_distribution",
    "fit_sets",
    "is_reserved",
    "parse_costs",
    "reserved_classes",
    "sample_remembered",
]  # fmt: skip
