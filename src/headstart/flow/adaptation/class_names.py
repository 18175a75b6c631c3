"""What the base sees in the names of the classes: where rows are texts, a name such as "health" is one more example."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from headstart import data
from headstart.bases import Backbone
from headstart.features import extract_features
from headstart.flow.adaptation.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.records import FloatMatrix, Table
from headstart.task_types import TASK_TYPES

_SEPARATORS = re.compile(r"[\W_]+")


def read_class_names(
    table: Table, classes: Sequence[str], backbone: Backbone, precision: str, uses: frozenset[str]
) -> FloatMatrix | None:
    """Return the features of the names of the classes (n_classes, n_dims), from the cache where they are.

    None where rows are no texts or have no single class, no strategy reads names, there are many classes, or a name
    holds no word, as "0" or "A".

    Parameters
    ----------
    table : Table
        The rows for training and test.
    classes : sequence of str
    backbone : Backbone
    precision : str
        "auto" or "float32".
    uses : frozenset of str
        What the strategies are fitted on.
    """
    if not (MODALITIES[table.modality].has_words and TASK_TYPES[table.task].has_one_class and "names" in uses):
        return None
    words = [spell_name(name) for name in classes]
    if not 2 <= len(set(words)) == len(words) <= SETTINGS.max_read_names or not all(map(_holds_a_word, words)):
        return None
    names = data.from_arrays(words, None, table.modality)
    extraction = extract_features(names, backbone, precision, uses=frozenset({"features"}))
    if extraction.features is None or len(extraction.readable_rows) != len(words):
        return None
    return np.asarray(extraction.features.final, dtype=np.float32)


def spell_name(name: str) -> str:
    """Return a name of a class as people would write it.

    Examples
    --------
    >>> spell_name("water_and-sanitation (WASH)")
    'water and sanitation WASH'
    """
    return _SEPARATORS.sub(" ", name).strip()


def _holds_a_word(name: str) -> bool:
    """Return whether a name has a word of two letters or more, in any script."""
    return any(sum(letter.isalpha() for letter in word) >= 2 for word in name.split())
