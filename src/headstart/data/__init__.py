"""Room: reading what people really have, checking it, and deciding who trains and who tests.

Nothing is ever written into the user's folder, and nothing here knows a base model or a strategy.
"""

from headstart.data.columns.option_use import require_modality, require_use
from headstart.data.columns.text_columns import list_text_columns
from headstart.data.duplicates.near_duplicates import add_near_duplicate_groups
from headstart.data.images.depth import measure_value_ranges
from headstart.data.labels.label_numbers import parse_numbers
from headstart.data.labels.matching import MatchedLabels, match_labels
from headstart.data.labels.strata import drop_unlearnable_labels, number_strata
from headstart.data.reading.arrays import from_arrays
from headstart.data.reading.inputs import (
    InputOrder,
    OrderedInputs,
    make_ordered_inputs,
    read_input_columns,
    read_inputs,
    read_ordered_inputs,
)
from headstart.data.reading.memory_images import remove_saved_images
from headstart.data.reading.sources import read_frame, read_table
from headstart.data.reading.unlabelled import (
    add_training_rows,
    read_rows_as_they_are,
    read_unlabelled,
    uses_unlabelled,
)
from headstart.data.splitting.dependence import (
    Dependence,
    find_dependence,
    number_clusters,
    require_groups,
    select_many_valued,
)
from headstart.data.splitting.folds import assign_folds
from headstart.data.splitting.holding_out import find_classes_in_one_fold, mark_lone_classes
from headstart.data.splitting.split import assign_splits, draw_rows_per_class
from headstart.home import find_home

__all__ = [
    "Dependence",
    "InputOrder",
    "MatchedLabels",
    "OrderedInputs",
    "add_near_duplicate_groups",
    "add_training_rows",
    "assign_folds",
    "assign_splits",
    "draw_rows_per_class",
    "drop_unlearnable_labels",
    "find_classes_in_one_fold",
    "find_dependence",
    "find_home",
    "from_arrays",
    "list_text_columns",
    "make_ordered_inputs",
    "mark_lone_classes",
    "match_labels",
    "measure_value_ranges",
    "number_clusters",
    "number_strata",
    "parse_numbers",
    "read_frame",
    "read_input_columns",
    "read_inputs",
    "read_ordered_inputs",
    "read_rows_as_they_are",
    "read_table",
    "read_unlabelled",
    "remove_saved_images",
    "require_groups",
    "require_modality",
    "require_use",
    "select_many_valued",
    "uses_unlabelled",
]
