"""Rows without labels for strategies that learn from them: read, run through the same cache, and given to the task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import data, features, progress
from headstart.flow.prepare import UNITS, Prepared
from headstart.options import AdaptOptions
from headstart.strategies.record import Clock, Rows

TIME_SHARE = 0.4
"""Largest share of the time left that running them through the base may take."""
MOST_ROWS = 20_000


def with_unlabelled(prepared: Prepared, options: AdaptOptions, uses: frozenset[str], clock: Clock) -> Prepared:
    """Give the task its rows without labels, as many as the time allows; copies of other rows are left out.

    Parameters
    ----------
    prepared : Prepared
    options : AdaptOptions
        `unlabelled` says where they are.
    uses : frozenset of str
        What the strategies read.
    clock : Clock
    """
    if "unlabelled" not in uses or not data.wants_unlabelled(options):
        return prepared
    rows = data.read_unlabelled(prepared.table, options)
    if not len(rows):
        progress.warn("There are no rows without labels that are not among the others.")
        return prepared
    drawn = np.sort(np.random.default_rng(options.seed).permutation(len(rows))[:MOST_ROWS])
    taken = rows.take(drawn)
    wanted = uses & {"features"}
    made = features.extract(taken, prepared.backbone, options.precision, wanted, clock.left() * TIME_SHARE)
    kept = Rows(taken.take(made.kept), made.features, made.descriptors)
    progress.say(f"{len(kept):,} {UNITS[rows.modality]} without labels to learn from as well.")
    used = {str(name) for name in kept.table.ids}
    aside = tuple(item for item in prepared.table.set_aside if item.id not in used)
    table = replace(prepared.table, set_aside=aside)
    return replace(prepared, table=table, task=replace(prepared.task, unlabelled=kept))
