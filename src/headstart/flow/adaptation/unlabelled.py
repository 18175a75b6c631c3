"""Rows without labels for strategies that learn from them: read, run through the same cache, and given to the task.

What text without labels says of words comes from such rows, or from the raw text that the base was made from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart import data, features, progress
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.run_records import Prepared
from headstart.modalities import MODALITIES
from headstart.options import AdaptOptions
from headstart.projects import read_unlabelled_rows
from headstart.records import Table
from headstart.results.findings import make_finding
from headstart.strategies.record import Clock, StrategyRows
from headstart.strategies.settings import SETTINGS as STRATEGY_SETTINGS


def add_unlabelled_rows(prepared: Prepared, options: AdaptOptions, uses: frozenset[str], clock: Clock) -> Prepared:
    """Return the task its rows without labels, as many as the time allows; copies of other rows are left out.

    Parameters
    ----------
    prepared : Prepared
    options : AdaptOptions
        `unlabelled` says where they are.
    uses : frozenset of str
        What the strategies read.
    clock : Clock
    """
    reads_words = "words" in uses and MODALITIES[prepared.table.modality].has_words
    if not reads_words and "unlabelled" not in uses:
        return prepared
    rows = None
    if data.uses_unlabelled(options):
        rows = data.read_unlabelled(prepared.table, options, read_unlabelled_rows(prepared.table, options.unlabelled))
    if rows is not None and not len(rows):
        progress.warn("All unlabelled rows are copies of other rows: none is used.")
        rows = None
    if reads_words:
        prepared = _add_words(prepared, rows, options, clock)
    return (
        prepared
        if rows is None or "unlabelled" not in uses
        else _add_rows(prepared, rows, options, uses=uses, clock=clock)
    )


def _add_rows(prepared: Prepared, rows: Table, options: AdaptOptions, uses: frozenset[str], clock: Clock) -> Prepared:
    sampled = np.sort(np.random.default_rng(options.seed).permutation(len(rows))[: SETTINGS.unlabelled_rows])
    sample = rows.take(sampled)
    features_read = uses & {"features"}
    extraction = features.extract_features(
        sample,
        prepared.backbone,
        options.precision,
        uses=features_read,
        seconds=clock.remaining_seconds() * SETTINGS.unlabelled_share,
    )
    unlabelled = StrategyRows(sample.take(extraction.readable_rows), extraction.features, extraction.descriptors)
    progress.say(f"{len(unlabelled):,} {MODALITIES[rows.modality].plural} without labels are used for training, too.")
    used = {str(name) for name in unlabelled.table.ids}
    remaining = tuple(item for item in prepared.table.set_aside if item.id not in used)
    table = replace(prepared.table, set_aside=remaining)
    return replace(prepared, table=table, task=replace(prepared.task, unlabelled=unlabelled))


def _add_words(prepared: Prepared, rows: Table | None, options: AdaptOptions, clock: Clock) -> Prepared:
    """Return the task what the longer of two texts says of words: the rows without labels, the base's own."""
    parts = prepared.backbone.parts
    if rows is None and not parts.cooccurrence:
        return prepared
    from headstart.strategies.text import cooccurrence

    if len(prepared.train) > STRATEGY_SETTINGS.cooccurrence_max_labels:
        most = STRATEGY_SETTINGS.cooccurrence_max_labels
        progress.say(f"With more than {most:,} labels, classic does not use unlabelled texts.")
        return prepared
    candidates = []
    if parts.cooccurrence:
        candidates.append(
            (
                cooccurrence.Cooccurrence.from_arrays(parts.cooccurrence, f"The base {parts.record.name}"),
                f"of the base {parts.record.name}",
            )
        )
    if rows is not None:
        most = cooccurrence.count_affordable_characters(clock.remaining_seconds() * SETTINGS.words_share)
        candidates.append(
            (cooccurrence.learn_cooccurrence([str(text) for text in rows.inputs], options.seed, most), "that you gave")
        )
    words, source = max(candidates, key=lambda item: item[0].n_characters)
    summary = f"{words.n_texts:,} texts without labels ({source}) told the method classic how common words are"
    summary += " and which go together." if words.n_dims else "."
    progress.say(summary)
    finding = make_finding("unlabelled-text", summary)
    task = replace(prepared.task, cooccurrence=words)
    return replace(prepared, task=task, findings=(*prepared.findings, finding))
