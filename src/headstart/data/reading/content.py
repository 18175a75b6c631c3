"""What rows contain: a hash of each, and why some cannot be used. Pictures are looked at in threads."""

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
from headstart.plain_files import read_plain

_LONG_JOB = 2000
_BATCH = 64
Seen = tuple[str, str | None]
"""sha256 (hex), and why the row cannot be used (None: it can)."""


def composed(text: str) -> str:
    r"""Return a text in Unicode NFC: an accented letter is one character, however it was typed.

    Examples
    --------
    >>> composed("cafe\u0301") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", text)


def hash_text(text: str) -> str:
    """Hash a text: sha256 of its UTF-8 bytes in Unicode NFC."""
    return hashlib.sha256(composed(text).encode("utf-8", "surrogatepass")).hexdigest()


def hash_series(values: Series) -> str:
    """Hash a series: sha256 of its shape and its float32 values."""
    made = hashlib.sha256(repr(values.shape).encode())
    made.update(np.ascontiguousarray(values, dtype=np.float32).tobytes())
    return made.hexdigest()


def _see_image(path: Path) -> Seen:
    try:
        content = read_plain(path)
    except DataError as error:
        return "", error.problem
    return hashlib.sha256(content).hexdigest(), image.explain_unusable(content)


def _see_images(paths: Sequence[Path]) -> list[Seen]:
    long = len(paths) > _LONG_JOB
    shown = progress.bar("Reading files", len(paths), "images") if long else nullcontext(None)
    seen: list[Seen] = []
    with shown as bar, ThreadPoolExecutor(min(16, 2 * (os.cpu_count() or 1))) as pool:
        for start in range(0, len(paths), _LONG_JOB):
            batch = paths[start : start + _LONG_JOB]
            for number, one in enumerate(pool.map(_see_image, batch, chunksize=_BATCH), start=1):
                seen.append(one)
                if bar is not None and (number % _BATCH == 0 or number == len(batch)):
                    bar.advance(_BATCH if number % _BATCH == 0 else number % _BATCH)
    return seen


def _see_texts(texts: Sequence[str]) -> list[Seen]:
    return [(hash_text(text), None if text.strip() else "the text is empty") for text in texts]


def _see_series(inputs: Sequence[Series]) -> list[Seen]:
    return [(hash_series(values), None if np.isfinite(values).any() else "it has no values") for values in inputs]


SEE: dict[str, Callable[[Sequence[object]], list[Seen]]] = {
    "image": _see_images,  # type: ignore[dict-item]
    "text": _see_texts,  # type: ignore[dict-item]
    "series": _see_series,  # type: ignore[dict-item]
}
"""For each modality: what is in its inputs."""

NORMALISE: dict[str, Callable[[Sequence[Any]], Sequence[Any]]] = {
    "image": lambda inputs: inputs,
    "text": lambda texts: [composed(text) for text in texts],
    "series": lambda inputs: inputs,
}
"""For each modality: its inputs in the one form in which they are hashed, compared, counted and learnt from."""
