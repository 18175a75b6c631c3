"""How much a JSON body holds, counted before anything is made of it.

A body within the limit of bytes may still stand for a hundred times its size in lists and names. Counting takes blocks
of the body through numpy, so that other requests are answered meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.http.errors import RequestRefused, make_size_error
from headstart.modalities import MODALITIES
from headstart.options import ServeOptions

BLOCK_BYTES = 1 << 20
MOST_KEYS, MOST_DEPTH = 1_000, 16
HARMLESS_VALUES, HARMLESS_LISTS = 100_000, 20_000
"""So many take little; where there are too many rows among them, that is reported in rows."""
NUMBERS_PER_MB = 31_250
"""Python takes 32 bytes for a number: so many keep the numbers of a body within the size that a body may have."""
_QUOTE, _COMMA, _COLON = (ord(character) for character in '",:')


@dataclass(frozen=True, kw_only=True)
class JsonSize:
    """Counts of a JSON text outside of its strings.

    Parameters
    ----------
    n_values : int
        An upper bound: commas and beginnings of lists and objects, and one.
    n_lists : int
        Beginnings of lists and of objects.
    n_keys : int
    depth : int
        Of the lists and objects within one another.
    """

    n_values: int = 1
    n_lists: int = 0
    n_keys: int = 0
    depth: int = 0


def measure_json(body: bytes) -> JsonSize:
    r"""Return what a JSON text holds, without parsing it; of a text that is no JSON the numbers mean nothing.

    Examples
    --------
    >>> measure_json(b'{"texts": ["a, b", "[\\"x"], "ids": [[1]]}')
    JsonSize(n_values=7, n_lists=4, n_keys=2, depth=3)
    """
    if b"\\" in body:
        body = body.replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
    n_commas = n_lists = n_keys = level = depth = 0
    inside_string = False
    for start in range(0, len(body), BLOCK_BYTES):
        block = np.frombuffer(body, np.uint8, min(BLOCK_BYTES, len(body) - start), start)
        strings = np.logical_xor.accumulate(block == _QUOTE) ^ inside_string
        inside_string = bool(strings[-1])
        outside = block[~strings]
        n_commas += int(np.count_nonzero(outside == _COMMA))
        n_keys += int(np.count_nonzero(outside == _COLON))
        lowered = outside & 0xDF  # "{" and "}" become "[" and "]"; no other character outside of strings does.
        opened, closed = lowered == ord("["), lowered == ord("]")
        n_lists += int(np.count_nonzero(opened))
        levels = level + np.cumsum(opened.astype(np.int8) - closed.astype(np.int8), dtype=np.int64)
        if levels.size:
            depth, level = max(depth, int(levels.max())), int(levels[-1])
    return JsonSize(n_values=n_commas + n_lists + 1, n_lists=n_lists, n_keys=n_keys, depth=depth)


def bound_json(modality: str, n_channels: int, limits: ServeOptions) -> JsonSize:
    """Return the most that a request for a model may hold: rows, their names, and for series their numbers.

    Parameters
    ----------
    modality : str
    n_channels : int
        Of a series; 1 for other inputs.
    limits : ServeOptions
    """
    n_rows = limits.max_rows
    in_channels = n_rows * max(1, n_channels) if MODALITIES[modality].has_channels else 0
    n_lists = MOST_KEYS + 2 * n_rows + in_channels
    n_numbers = (
        min(n_rows * limits.max_numbers, int(limits.max_mb * NUMBERS_PER_MB))
        if MODALITIES[modality].has_channels
        else 0
    )
    n_values = MOST_KEYS + 4 * n_rows + n_lists + n_numbers
    return JsonSize(
        n_values=max(n_values, HARMLESS_VALUES),
        n_lists=max(n_lists, HARMLESS_LISTS),
        n_keys=MOST_KEYS + in_channels,
        depth=MOST_DEPTH,
    )


def require_json_size(body: bytes, bound: JsonSize) -> None:
    """Refuse a body that holds more than it may.

    Raises
    ------
    RequestRefused
    """
    size = measure_json(body)
    if size.depth > bound.depth:
        raise RequestRefused(422, "The JSON is nested too deeply.", "Send lists of texts or numbers.")
    for name, count, most in (
        ("values", size.n_values, bound.n_values),
        ("lists", size.n_lists, bound.n_lists),
        ("names", size.n_keys, bound.n_keys),
    ):
        if count > most:
            raise make_size_error(
                f"The request holds {count:,} {name}; {most:,} are the most.", "Send its rows in several requests."
            )
