"""Room: checks of data and of what a model shows about data, as one table; they report and change nothing.

A check is a record with a code, a stage and a function. Nothing here reads a path, runs a base model or writes a file.
"""

from headstart.checks.order import add_row_shares, sort_by_gravity
from headstart.checks.record import Check, CheckInputs
from headstart.checks.table import CHECKS, check_split, check_table, run_checks
from headstart.checks.trainability import require_labels, require_trainable

__all__ = [
    "CHECKS",
    "Check",
    "CheckInputs",
    "add_row_shares",
    "check_split",
    "check_table",
    "require_labels",
    "require_trainable",
    "run_checks",
    "sort_by_gravity",
]
