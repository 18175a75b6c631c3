"""Short hashes of how images look: a saved-again, smaller, brighter or mirrored copy of a training image is recognised.

256 signs of random directions: enough to compare two images, too little to see one. Exact copies are found by the hash
of their content (`headstart.bundle.seen`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.bundle.reference import make_random_signs
from headstart.bundle.settings import SETTINGS
from headstart.modalities.record import Fingerprint

BITS = 256
PRINT_BYTES = BITS // 8
_BLOCK_ROWS = 256

Prints = NDArray[np.uint8]
"""Hashes, shape (n_rows, 32)."""


def hash_looks(vectors: NDArray[np.float32]) -> Prints:
    """Return the signs of vectors along fixed random directions.

    Parameters
    ----------
    vectors : NDArray of float32, shape (n, n_dims)
        Views of fingerprints.

    Returns
    -------
    NDArray of uint8, shape (n, 32)

    Notes
    -----
    The share of bits in which two hashes differ is about their angle by 180 degrees (Charikar 2002).

    Examples
    --------
    >>> both = hash_looks(np.array([[1.0, 0.0], [-1.0, 0.0]], dtype=np.float32))
    >>> int(np.unpackbits(both[0] ^ both[1]).sum())
    256
    """
    return np.packbits(vectors @ make_random_signs(vectors.shape[1], BITS) > 0, axis=1)


def draw_prints(fingerprints: Sequence[Fingerprint], seed: int) -> Prints:
    """Return the hashes of images that are not blank, at most `SETTINGS.most_prints` of them, drawn by chance.

    Parameters
    ----------
    fingerprints : sequence of Fingerprint
    seed : int
    """
    firsts = [item.vectors[0] for item in fingerprints if item.vectors[0].any()]
    if not firsts:
        return np.empty((0, PRINT_BYTES), dtype=np.uint8)
    rows = np.sort(np.random.default_rng(seed).permutation(len(firsts))[: SETTINGS.most_prints])
    return hash_looks(np.stack([firsts[row] for row in rows]))


def find_near_copies(fingerprints: Sequence[Fingerprint], prints: Prints) -> NDArray[np.bool_]:
    """Return which images look like one that is remembered, in any of their views.

    Parameters
    ----------
    fingerprints : sequence of Fingerprint
        Of the new images.
    prints : NDArray of uint8, shape (n_remembered, 32)

    Returns
    -------
    NDArray of bool, shape (n,)
    """
    near = np.zeros(len(fingerprints), dtype=bool)
    if not len(prints):
        return near
    remembered = _to_signs(prints)
    for start in range(0, len(fingerprints), _BLOCK_ROWS):
        block = fingerprints[start : start + _BLOCK_ROWS]
        n_views = len(block[0].vectors)
        views = np.concatenate([item.vectors for item in block])
        alike = _to_signs(hash_looks(views)) @ remembered.T >= BITS - 2 * SETTINGS.most_differing_bits
        near[start : start + len(block)] = (alike.any(axis=1) & views.any(axis=1)).reshape(-1, n_views).any(axis=1)
    return near


def _to_signs(prints: Prints) -> NDArray[np.float32]:
    return 2 * np.unpackbits(prints, axis=1).astype(np.float32) - 1
