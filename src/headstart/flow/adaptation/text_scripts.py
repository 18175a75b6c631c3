"""In which scripts the texts of the training rows are written: what is not there was not learnt."""

from __future__ import annotations

from collections import Counter

import numpy as np

from headstart.modalities import MODALITIES
from headstart.modalities.scripts import name_script
from headstart.records import Table

MOST_ROWS, MOST_CHARACTERS = 5_000, 300
"""Rows looked at (evenly spread) and letters of each."""


def count_scripts(table: Table) -> dict[str, int]:
    """Count texts by the script of most of their letters, the most frequent first; empty for other modalities.

    Parameters
    ----------
    table : Table
        Of the training rows; with more than 5,000 an even sample of them, 300 letters each.

    Returns
    -------
    dict of str to int
        Number of rows by the name of the script; a row without letters counts nowhere.
    """
    if not MODALITIES[table.modality].has_words:
        return {}
    n_texts: Counter[str] = Counter()
    for row in np.linspace(0, max(len(table) - 1, 0), min(len(table), MOST_ROWS)).astype(np.intp):
        counts = Counter(filter(None, map(name_script, str(table.inputs[row])[:MOST_CHARACTERS])))
        n_texts.update([counts.most_common(1)[0][0]] if counts else [])
    return dict(n_texts.most_common())
