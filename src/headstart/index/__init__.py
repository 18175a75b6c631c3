"""Room: an index of vectors on disk, and exact search in it.

An index is a folder: `vectors.safetensors` (float16, rows of unit length, read as a memory map where it is large),
`ids.json`, `rows.json` (columns to filter by and beginnings of texts), `index.json` (format, base, prefix) and, for
hybrid search, `words.safetensors`. Nothing here knows how vectors are computed: `headstart.flow.vectors` fills an index
and asks it.
"""

from headstart.index.exact import score_rows, search_vectors
from headstart.index.files import (
    ABOUT,
    IndexDraft,
    is_index,
    make_index,
    may_hold_index,
    open_index,
    remove_index,
    write_index,
)
from headstart.index.groups import NearGroup, choose_least_score, group_near_rows, order_by_likeness
from headstart.index.joining import join_rankings
from headstart.index.record import Hit, IndexFacts, VectorIndex

__all__ = [
    "ABOUT",
    "Hit",
    "IndexDraft",
    "IndexFacts",
    "NearGroup",
    "VectorIndex",
    "choose_least_score",
    "group_near_rows",
    "is_index",
    "join_rankings",
    "make_index",
    "may_hold_index",
    "open_index",
    "order_by_likeness",
    "remove_index",
    "score_rows",
    "search_vectors",
    "write_index",
]
