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
    """

    mapped_bytes: int = 64_000_000
    block_rows: int = 4_096
    half_rows: int = 50_000
    half_queries: int = 24
    half_error: float = 0.002
    text_characters: int = 300
    tries: int = 5
    wait_seconds: float = 0.2


SETTINGS = IndexSettings()
