"""Words beside vectors: whether the base reads the texts, and hits by both where it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from headstart import progress, ranking
from headstart.bases import Backbone
from headstart.checks.vocabulary import measure_coverage
from headstart.errors import DataError
from headstart.index import Hit, VectorIndex, join_rankings
from headstart.index.settings import SETTINGS
from headstart.modalities.text import load_text, open_tokenizer
from headstart.records import Index, Table

_UNKNOWN_TOKENS = ("<unk>", "[UNK]")


def needs_words(backbone: Backbone, table: Table, choice: str) -> bool:
    """Return whether an index holds the words of its texts, too.

    Parameters
    ----------
    backbone : Backbone
    table : Table
    choice : str
        "on", "off", or "auto": where the base does not know the language of the texts.
    """
    if choice != "auto":
        return choice == "on" and bool(backbone.parts.tokenizer)
    coverage = measure_coverage(backbone, table)
    if coverage is None:
        return False
    return ranking.judge_language(coverage, len(backbone.record.languages) != 1)[0] == "unknown"


def count_words(texts: Sequence[str]) -> Mapping[str, Any]:
    """Return the arrays of the words of texts, for `IndexDraft.words`.

    Parameters
    ----------
    texts : sequence of str
    """
    words = import_module("headstart.index.words")  # scikit-learn is loaded only where words are counted.
    arrays: Mapping[str, Any] = vars(words.build_postings(texts))
    return arrays


def add_word_hits(
    index: VectorIndex, table: Table, by_vector: Sequence[Sequence[Hit]], k: int, *, rows: Index | None
) -> list[list[Hit]]:
    """Join the hits of each query by vector with those by words.

    Parameters
    ----------
    index : VectorIndex
        Hybrid.
    table : Table
        The queries.
    by_vector : sequence of sequence of Hit
        Best first.
    k : int
        Hits for each query.
    rows : Index or None
        The rows that may be hit.

    Raises
    ------
    DataError
        The words of the index are damaged.
    """
    words = import_module("headstart.index.words")
    try:
        postings = words.WordPostings.from_arrays(index.read_words(), len(index))
    except (KeyError, ValueError) as error:
        raise DataError(f"The words of the index are damaged: {error}.", "Make it again: headstart embed.") from error
    depth = count_joined(k)
    return [
        join_rankings([hits, postings.rank_rows(load_text(str(text), {}), len(index), depth, rows)], k)
        for text, hits in zip(table.inputs, by_vector, strict=True)
    ]


def count_joined(k: int) -> int:
    """Return how many hits of each ranking are joined for k.

    Parameters
    ----------
    k : int
    """
    return max(k, SETTINGS.joined_hits)


def warn_of_unreadable(table: Table, spec: Mapping[str, Any]) -> None:
    """Warn of queries whose letters the base does not know: their vectors mean nothing.

    Parameters
    ----------
    table : Table
        Queries.
    spec : mapping
        Of the base.
    """
    if "tokenizer_file" not in spec:
        return
    tokenizer = open_tokenizer(str(spec["tokenizer_file"]), int(spec["max_length"]))
    unknown = {tokenizer.token_to_id(token) for token in _UNKNOWN_TOKENS} - {None}
    for text in table.inputs:
        ids = tokenizer.encode(load_text(str(text), {}), add_special_tokens=False).ids
        if sum(number in unknown for number in ids) * 2 >= max(len(ids), 1):
            progress.warn(
                f"The base model does not know the letters of '{str(text)[:40]}': its vector means little. "
                "An index made with --hybrid on searches for the words, too."
            )
