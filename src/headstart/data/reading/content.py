"""Contents of rows: a hash of each, and why some cannot be used. Images are opened in threads."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from headstart import progress
from headstart.errors import DataError
from headstart.modalities import image
from headstart.modalities.content import EMPTY_TEXT
from headstart.modalities.series import Series
from headstart.plain_files import read_plain_file

_LONG_JOB_ROWS = 2000
_BATCH_ROWS = 64


class RowContent(NamedTuple):
    """Content of one row.

    Parameters
    ----------
    digest : str
        sha256 in hexadecimal digits; empty where the row cannot be read.
    problem : str, optional
        Why the row cannot be used.
    """

    digest: str
    problem: str | None


def compose_text(text: str) -> str:
    r"""Return a text in Unicode NFC: an accented letter is one character, however it was typed.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> compose_text("cafe\u0301") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", text)


def hash_text(text: str) -> str:
    """Hash a text: sha256 of its UTF-8 bytes in Unicode NFC.

    Parameters
    ----------
    text : str
    """
    return hashlib.sha256(compose_text(text).encode("utf-8", "surrogatepass")).hexdigest()


def hash_series(values: Series) -> str:
    """Hash a series: sha256 of its shape and its float32 values.

    Parameters
    ----------
    values : Series, shape (n_channels, n_steps)
    """
    digest = hashlib.sha256(repr(values.shape).encode())
    digest.update(np.ascontiguousarray(values, dtype=np.float32).tobytes())
    return digest.hexdigest()


def _inspect_image(path: Path) -> RowContent:
    try:
        content = read_plain_file(path)
    except DataError as error:
        return RowContent("", error.problem)
    return RowContent(hashlib.sha256(content).hexdigest(), image.explain_unusable(content))


def _inspect_images(paths: Sequence[Path]) -> list[RowContent]:
    is_long_job = len(paths) > _LONG_JOB_ROWS
    progress_bar = progress.open_bar("Reading files", len(paths), "images") if is_long_job else nullcontext(None)
    contents: list[RowContent] = []
    with progress_bar as bar, ThreadPoolExecutor(min(16, 2 * (os.cpu_count() or 1))) as pool:
        for start in range(0, len(paths), _LONG_JOB_ROWS):
            batch = paths[start : start + _LONG_JOB_ROWS]
            for number, item in enumerate(pool.map(_inspect_image, batch, chunksize=_BATCH_ROWS), start=1):
                contents.append(item)
                if bar is not None and (number % _BATCH_ROWS == 0 or number == len(batch)):
                    bar.advance(_BATCH_ROWS if number % _BATCH_ROWS == 0 else number % _BATCH_ROWS)
    return contents


def _inspect_texts(texts: Sequence[str]) -> list[RowContent]:
    return [RowContent(hash_text(text), None if text.strip() else EMPTY_TEXT) for text in texts]


def _inspect_series(inputs: Sequence[Series]) -> list[RowContent]:
    return [RowContent(hash_series(row), None if np.isfinite(row).any() else "it has no values") for row in inputs]


@dataclass(frozen=True)
class ContentReader:
    """Functions for the inputs of one modality.

    Parameters
    ----------
    normalise : function
        Returns inputs in the one form in which they are hashed, compared, counted and learnt from.
    inspect : function
        Returns the content of each normalised input.
    """

    normalise: Callable[[Sequence[Any]], Sequence[Any]]
    inspect: Callable[[Sequence[Any]], list[RowContent]]


CONTENT_READERS = {
    "image": ContentReader(normalise=lambda inputs: inputs, inspect=_inspect_images),
    "text": ContentReader(normalise=lambda texts: [compose_text(text) for text in texts], inspect=_inspect_texts),
    "series": ContentReader(normalise=lambda inputs: inputs, inspect=_inspect_series),
}
"""By modality."""
