"""How well a base model's tokenizer covers the texts."""

from __future__ import annotations

import numpy as np

from headstart import ranking
from headstart.bases import Backbone
from headstart.checks.settings import SETTINGS
from headstart.evaluation.intervals import ratio_interval
from headstart.ranking import VocabularyCoverage
from headstart.records import Finding, Table
from headstart.results.findings import make_finding


def measure_coverage(backbone: Backbone, table: Table) -> VocabularyCoverage | None:
    """Return how well a tokenizer covers texts spread over a table; None if the base model has none.

    Parameters
    ----------
    backbone : Backbone
    table : Table
    """
    tokenizer = backbone.parts.tokenizer
    if not tokenizer:
        return None
    rows = np.linspace(0, max(len(table) - 1, 0), min(len(table), SETTINGS.vocabulary_texts)).astype(np.intp)
    return ranking.measure_vocabulary_coverage(tokenizer, [str(text) for text in table.inputs[rows]])


def report_unknown_tokens(backbone: Backbone, table: Table) -> list[Finding]:
    """Return a finding if the tokenizer covers the texts poorly, else an empty list.

    Parameters
    ----------
    backbone : Backbone
    table : Table
    """
    coverage = measure_coverage(backbone, table)
    if coverage is None:
        return []
    if (
        coverage.unknown_share < SETTINGS.some_unknown_share
        and coverage.pieces_per_word < SETTINGS.many_tokens_per_word
    ):
        return []
    summary = (
        f"Of {min(len(table), SETTINGS.vocabulary_texts)} texts the base model {backbone.record.name} does not know "
        f"{coverage.unknown_share:.1%} of the pieces, and cuts a word into {coverage.pieces_per_word:.1f} pieces "
        "(about 1.3 for a language it was made for)."
    )
    severity = "warn" if coverage.unknown_share >= SETTINGS.many_unknown_share else "note"
    measure = ratio_interval(coverage.counts, 0)
    return [make_finding("unknown-tokens", summary, severity=severity, measure=measure)]
