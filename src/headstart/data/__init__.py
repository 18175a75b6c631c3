"""Room: reading what people really have, checking it, and deciding who trains and who tests.

Nothing is ever written into the user's folder, and nothing here knows a base model or a strategy.
"""

from headstart.data.checks import check, require_labels, require_trainable
from headstart.data.columns.option_use import require_modality, require_use
from headstart.data.columns.text_columns import text_columns_of
from headstart.data.duplicates.near_duplicates import with_families
from headstart.data.images.depth import value_ranges
from headstart.data.labels.label_numbers import numbers_of
from headstart.data.labels.matching import MatchedLabels, match_labels
from headstart.data.labels.strata import learnable, strata
from headstart.data.reading.arrays import from_arrays
from headstart.data.reading.inputs import Inputs, Order, line_up, line_up_rows, read_inputs
from headstart.data.reading.sources import read, read_frame
from headstart.data.reading.unlabelled import read_unlabelled, wants_unlabelled, with_also
from headstart.data.splitting.holding_out import classes_in_one_fold, keep_lone_classes
from headstart.data.splitting.split import MIN_GROUPS, clusters, draw, folds, many_valued, require_groups, split, units
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
