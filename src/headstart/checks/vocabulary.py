"""How well a base model's tokenizer covers the texts."""

from __future__ import annotations

from collections import Counter

import numpy as np

from headstart import ranking
from headstart.bases import OTHER_LANGUAGES, Backbone
from headstart.checks.settings import SETTINGS
from headstart.data.grouping.columns import find_languages
from headstart.evaluation.intervals import ratio_interval
from headstart.ranking import VocabularyCoverage
from headstart.records import Finding, Table
from headstart.results.findings import make_finding

_KNOWLEDGE = {
    "known": "knows the language",
    "unclear": "knows the language in part",
    "unknown": "does not know the language",
}


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
    """Return a finding if the tokenizer covers the texts, or those of one language, poorly; else an empty list.

    Parameters
    ----------
    backbone : Backbone
    table : Table
    """
    coverage = measure_coverage(backbone, table)
    if coverage is None:
        return []
    n_languages = len(backbone.record.languages)
    knowledge, _ = ranking.judge_language(coverage, n_languages != 1)
    is_foreign = knowledge == "unknown" or coverage.pieces_per_word >= SETTINGS.many_tokens_per_word
    foreign = _find_foreign_languages(backbone, table)
    if coverage.unknown_share < SETTINGS.some_unknown_share and not is_foreign and not foreign:
        return []
    n_texts, whole = min(len(table), SETTINGS.vocabulary_texts), f"{100 * coverage.known_words_share:.0f}"
    summary = (
        f"The base model {backbone.record.name} {_KNOWLEDGE[knowledge]} of {n_texts} texts: it does not know "
        f"{coverage.unknown_share:.1%} of their pieces, holds {whole} of 100 longer words whole, and cuts a word into "
        f"{coverage.pieces_per_word:.1f} pieces (about 1.3 for a language it was made for)."
    )
    if foreign:
        named = ", ".join(
            f"{name} ({n} texts; a word is cut into {part.pieces_per_word:.1f} pieces)" for name, n, part in foreign
        )
        summary = f"The base model {backbone.record.name} does not know {named}." + (
            f" Of the longer words of all {n_texts} texts it holds {whole} in 100 whole."
        )
    other = OTHER_LANGUAGES.get(table.modality, "")
    return [
        make_finding(
            "unknown-tokens",
            summary,
            severity="warn" if foreign or coverage.unknown_share >= SETTINGS.many_unknown_share else "note",
            advice="many-languages" if foreign and other not in ("", backbone.record.name) else "",
            measure=None if foreign else ratio_interval(coverage.counts, 0),
            other=other,
        )
    ]


def _find_foreign_languages(backbone: Backbone, table: Table) -> list[tuple[str, int, VocabularyCoverage]]:
    """Return the languages of the texts that the vocabulary does not know, with their number of texts."""
    tokenizer, languages = backbone.parts.tokenizer, find_languages(table)
    if not tokenizer or not any(languages):
        return []
    foreign = []
    for name, n in Counter(name for name in languages if name).most_common():
        rows = np.flatnonzero(languages == name)
        rows = rows[np.linspace(0, n - 1, min(n, SETTINGS.vocabulary_texts)).astype(np.intp)]
        coverage = ranking.measure_vocabulary_coverage(tokenizer, [str(text) for text in table.inputs[rows]])
        if n >= SETTINGS.language_texts and (
            ranking.judge_language(coverage, len(backbone.record.languages) != 1)[0] == "unknown"
        ):
            foreign.append((name, n, coverage))
    return foreign
