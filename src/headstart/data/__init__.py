"""Room: reading what people really have, checking it, and deciding who trains and who tests.

Nothing is ever written into the user's folder, and nothing here knows a base model or a strategy.
"""

from headstart.data.arrays import from_arrays
from headstart.data.checks import check, require_labels, require_trainable
from headstart.data.depth import value_ranges
from headstart.data.holding_out import classes_in_one_fold, keep_lone_classes
from headstart.data.inputs import Inputs, Order, line_up, line_up_rows, read_inputs
from headstart.data.label_numbers import numbers_of
from headstart.data.matching import MatchedLabels, match_labels
from headstart.data.near import with_families
from headstart.data.option_use import require_modality, require_use
from headstart.data.sources import read, read_frame
from headstart.data.splits import MIN_GROUPS, clusters, draw, folds, many_valued, require_groups, split, units
from headstart.data.strata import learnable, strata
from headstart.data.text_columns import text_columns_of
from headstart.data.unlabelled import read_unlabelled, wants_unlabelled, with_also
from headstart.home import home

__all__ = [
    "MIN_GROUPS",
    "Inputs",
    "MatchedLabels",
    "Order",
    "check",
    "classes_in_one_fold",
    "clusters",
    "draw",
    "folds",
    "from_arrays",
    "home",
    "keep_lone_classes",
    "learnable",
    "line_up",
    "line_up_rows",
    "many_valued",
    "match_labels",
    "numbers_of",
    "read",
    "read_frame",
    "read_inputs",
    "read_unlabelled",
    "require_groups",
    "require_labels",
    "require_modality",
    "require_trainable",
    "require_use",
    "split",
    "strata",
    "text_columns_of",
    "units",
    "value_ranges",
    "wants_unlabelled",
    "with_also",
    "with_families",
]
