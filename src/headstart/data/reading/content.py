"""Contents of rows: a hash of each, and why some cannot be used. Images are opened in threads."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from headstart import progress
from headstart.errors import DataError
from headstart.modalities import image
from headstart.modalities.series import Series
from headstart.plain_files import read_plain_file

_LONG_JOB_ROWS = 2000
_BATCH_ROWS = 64
RowContent = tuple[str, str | None]
"""sha256 (hex), and why the row cannot be used (None: it can)."""


def compose_text(text: str) -> str:
    r"""Return a text in Unicode NFC: an accented letter is one character, however it was typed.

    Examples
    --------
    >>> compose_text("cafe\u0301") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", text)


def hash_text(text: str) -> str:
    """Hash a text: sha256 of its UTF-8 bytes in Unicode NFC."""
    return hashlib.sha256(compose_text(text).encode("utf-8", "surrogatepass")).hexdigest()


def hash_series(values: Series) -> str:
    """Hash a series: sha256 of its shape and its float32 values."""
    digest = hashlib.sha256(repr(values.shape).encode())
    digest.update(np.ascontiguousarray(values, dtype=np.float32).tobytes())
    return digest.hexdigest()


def _inspect_image(path: Path) -> RowContent:
    try:
        content = read_plain_file(path)
    except DataError as error:
        return "", error.problem
    return hashlib.sha256(content).hexdigest(), image.explain_unusable(content)


def _inspect_images(paths: Sequence[Path]) -> list[RowContent]:
    is_long_job = len(paths) > _LONG_JOB_ROWS
    progress_bar = progress.bar("Reading files", len(paths), "images") if is_long_job else nullcontext(None)
    contents: list[RowContent] = []
    with progress_bar as bar, ThreadPoolExecutor(min(16, 2 * (os.cpu_count() or 1))) as pool:
        for start in range(0, len(paths), _LONG_JOB_ROWS):
            batch = paths[start : start + _LONG_JOB_ROWS]
            for number, one in enumerate(pool.map(_inspect_image, batch, chunksize=_BATCH_ROWS), start=1):
                contents.append(one)
                if bar is not None and (number % _BATCH_ROWS == 0 or number == len(batch)):
                    bar.advance(_BATCH_ROWS if number % _BATCH_ROWS == 0 else number % _BATCH_ROWS)
    return contents


def _inspect_texts(texts: Sequence[str]) -> list[RowContent]:
    return [(hash_text(text), None if text.strip() else "the text is empty") for text in texts]


def _inspect_series(inputs: Sequence[Series]) -> list[RowContent]:
    return [(hash_series(values), None if np.isfinite(values).any() else "it has no values") for values in inputs]


INSPECTORS: dict[str, Callable[[Sequence[object]], list[RowContent]]] = {
    "image": _inspect_images,  # type: ignore[dict-item]
    "text": _inspect_texts,  # type: ignore[dict-item]
    "series": _inspect_series,  # type: ignore[dict-item]
}
"""For each modality: what is in its inputs."""

NORMALISERS: dict[str, Callable[[Sequence[Any]], Sequence[Any]]] = {
    "image": lambda inputs: inputs,
    "text": lambda texts: [compose_text(text) for text in texts],
    "series": lambda inputs: inputs,
}
"""For each modality: its inputs in the one form in which they are hashed, compared, counted and learnt from."""
