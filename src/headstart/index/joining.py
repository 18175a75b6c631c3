"""Several rankings of the same rows as one."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.index.record import Hit
from headstart.index.settings import SETTINGS


def join_rankings(rankings: Sequence[Sequence[Hit]], k: int) -> list[Hit]:
    """Join rankings by the sum of reciprocal ranks, which becomes the score; best first.

    Parameters
    ----------
    rankings : sequence of sequence of Hit
        Best first.
    k : int
        Hits to return, at most.

    Notes
    -----
    Reciprocal ranks need no common scale (Cormack, Clarke and Buettcher 2009).

    Examples
    --------
    >>> [hit.row for hit in join_rankings([[Hit(4, 0.9), Hit(7, 0.8)], [Hit(7, 0.3)]], 5)]
    [7, 4]
    """
    scores: dict[int, float] = {}
    for hits in rankings:
        for rank, hit in enumerate(hits, 1):
            scores[hit.row] = scores.get(hit.row, 0.0) + 1.0 / (SETTINGS.rank_offset + rank)
    return [Hit(row, score) for row, score in sorted(scores.items(), key=lambda item: (-item[1], item[0]))][:k]
