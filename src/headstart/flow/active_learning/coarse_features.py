"""Coarse features of rows for models without dense features: enough to find similar rows."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np

from headstart.flow.active_learning.settings import SETTINGS
from headstart.modalities.text import load_text
from headstart.records import FloatMatrix, Table


def _hash_texts(table: Table) -> FloatMatrix:
    """Hash pieces of four characters into signed columns, (n_rows, 256)."""
    features = np.zeros((len(table), SETTINGS.hashed_dims), dtype=np.float32)
    for row, text in enumerate(table.inputs):
        folded = f" {' '.join(load_text(str(text), {}).casefold().split())[: SETTINGS.text_characters]} "
        ngrams = {
            folded[at : at + SETTINGS.ngram_characters]
            for at in range(max(1, len(folded) - SETTINGS.ngram_characters + 1))
        }
        hashes = np.array([zlib.crc32(ngram.encode("utf-8", "replace")) for ngram in ngrams], dtype=np.int64)
        np.add.at(features[row], hashes % SETTINGS.hashed_dims, np.where(hashes // SETTINGS.hashed_dims % 2, 1.0, -1.0))
    return np.asarray(features - features.mean(axis=0), dtype=np.float32)


def _resample_series(table: Table) -> FloatMatrix:
    """Stretch every channel to 64 steps and standardise it, (n_rows, n_channels * 64)."""
    rows = []
    for values in table.inputs:
        filled = np.nan_to_num(values)
        at = np.linspace(0, filled.shape[1] - 1, SETTINGS.resampled_steps)
        stretched = np.stack([np.interp(at, np.arange(filled.shape[1]), channel) for channel in filled])
        spread = np.maximum(stretched.std(axis=1, keepdims=True), 1e-9)
        rows.append(((stretched - stretched.mean(axis=1, keepdims=True)) / spread).ravel())
    return np.asarray(rows, dtype=np.float32)


COARSE_FEATURES: dict[str, Callable[[Table], FloatMatrix]] = {"text": _hash_texts, "series": _resample_series}
"""Images are missing here: their models always read features or descriptors."""
