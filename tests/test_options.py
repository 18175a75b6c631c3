"""Options whose choices are the names in a table."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.errors import OptionError
from headstart.modalities import MODALITIES
from headstart.options import AdaptOptions, ReadOptions, parse
from headstart.task_types import OWN_FLOWS, TASK_TYPES


def test_an_unknown_choice_is_refused_with_all_names_of_the_table() -> None:
    for value in ("x", 5, ["ordinal"], np.array(["auto", "ordinal"])):
        with pytest.raises(OptionError, match=r"^--task: Input should be 'auto', 'classification', .* or 'spans' "):
            parse(ReadOptions, task=value)


def test_the_json_schema_of_options_lists_the_names_of_the_table() -> None:
    schema = AdaptOptions.model_json_schema()["properties"]
    assert schema["task"]["enum"] == ["auto", *TASK_TYPES, *OWN_FLOWS]
    assert schema["modality"]["enum"] == ["auto", *MODALITIES]
