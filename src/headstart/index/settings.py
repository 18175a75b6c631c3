"""The tunable numbers of the index, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class IndexSettings:
    """Numbers of the index.

    Parameters
    ----------
    mapped_bytes : int
        Vectors of more bytes stay on disk as a memory map; smaller ones are read into memory and their checksum is
        compared.
    block_rows : int
        Rows that are turned into float32 at a time.
    half_rows : int
        From so many rows on products are computed in float16 by torch, where it is installed, and the best rows again
        in float32.
    half_queries : int
        Up to so many queries; for more one pass in float32 is cheaper.
    half_error : float
        Largest error of such a product, between rows of unit length.
    text_characters : int
        Of the beginning of each text, for people who read the hits.
    tries, wait_seconds : int, float
        An index that another process is just replacing is opened again so often, after so long.
    near_share, drawn_pairs : float, int
        Rows are near-equal if they lie nearer than this share (0-1) of the median distance of so many random pairs
        (one minus cosine).
    similar_rows : int
        Rows that `similar` compares at most: its time grows with their square.
    pair_values, listed_rows : int
        Scores of pairs that are in memory at a time; and of rows near another so many are listed, of more they are
        found again.
    exact_rows, graph_hits : int
        An index of more rows gets a graph for approximate search where usearch is installed; so many of its hits at
        least are scored again.
    shortest_piece, longest_piece, word_pieces, word_characters : int
        For hybrid search words are cut into pieces of so many characters, hashed to so many numbers, from so many
        characters of each text.
    rank_offset, joined_hits : int
        Joined rankings count one divided by rank plus this (60 as in the paper), for so many hits of each at least.
    power_steps : int
        Steps of the power method that finds in which direction rows differ most.
    """

    mapped_bytes: int = 64_000_000
    block_rows: int = 4_096
    half_rows: int = 50_000
    half_queries: int = 200
    half_error: float = 0.002
    text_characters: int = 300
    tries: int = 5
    wait_seconds: float = 0.2
    near_share: float = 0.2
    drawn_pairs: int = 4_000
    similar_rows: int = 100_000
    pair_values: int = 16_000_000
    listed_rows: int = 64
    exact_rows: int = 1_000_000
    graph_hits: int = 100
    shortest_piece: int = 3
    longest_piece: int = 5
    word_pieces: int = 2**18
    word_characters: int = 4_000
    rank_offset: int = 60
    joined_hits: int = 100
    power_steps: int = 12


SETTINGS = IndexSettings()
