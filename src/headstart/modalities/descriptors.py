"""Classic, hand-made image descriptors: what could be done with images before pre-trained models.

Histograms of oriented gradients beside colour histograms and moments, in plain numpy. Opens no file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, CELL, N_ORIENTATIONS, N_SHADES = 96, 16, 9, 4
_CELLS = SIDE // CELL
_N_HOG = (_CELLS - 1) ** 2 * 4 * N_ORIENTATIONS
N_DESCRIPTORS = _N_HOG + N_SHADES**3 + 36
"""Numbers an image: 900 of gradients, 64 of the colour histogram, 36 colour moments."""
DESCRIPTORS_VERSION = "hog-colour-1"
"""Names what `describe_image` computes; it changes whenever the numbers do."""


def describe_image(image: Image.Image) -> NDArray[np.float32]:
    """Describe an image by its gradients and colours.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB, any size; it is resized to 96 x 96 pixels, whatever its shape.

    Returns
    -------
    float32 array, shape (N_DESCRIPTORS,)
        Finite; each 2 x 2 block of gradients has length at most 1, the colour histogram's square roots have length 1.

    Notes
    -----
    Gradients: HOG (Dalal & Triggs, CVPR 2005) on the square root of brightness: 9 unsigned orientations, linear
    vote between the two nearest, cells of 16 pixels, blocks of 2 x 2 cells with L2-Hys normalisation (clipped at
    0.2); without their spatial interpolation. Colours: square root of a joint 4 x 4 x 4 RGB histogram; mean,
    standard deviation and signed cube root of the third moment of each channel in the four quarters.

    Examples
    --------
    >>> made = describe_image(Image.new("RGB", (8, 8), (255, 0, 0)))
    >>> made.shape, float(made[:900].sum()), float(made[900:964].max())
    ((1000,), 0.0, 1.0)
    """
    small = _resize_image(image)
    pixels = np.asarray(small)
    grey = np.sqrt(np.asarray(small.convert("L"), dtype=np.float32) / np.float32(255))
    descriptors: NDArray[np.float32] = np.concatenate(
        [_describe_gradients(grey), _count_colours(pixels), _compute_colour_moments(pixels)]
    )
    return descriptors


def shrink_image(image: Image.Image) -> NDArray[np.uint8]:
    """Return the image that is described: uint8 array, shape (SIDE, SIDE, 3).

    Parameters
    ----------
    image : PIL.Image.Image
        RGB, any size.
    """
    return np.asarray(_resize_image(image))


def _resize_image(image: Image.Image) -> Image.Image:
    return image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)


def _describe_gradients(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1] = grey[:, 2:] - grey[:, :-2]
    down[1:-1] = grey[2:] - grey[:-2]
    strength = np.hypot(across, down)
    place = np.arctan2(down, across) * np.float32(N_ORIENTATIONS / np.pi) % N_ORIENTATIONS
    below = np.floor(place)
    upper_share = (place - below).ravel()
    first = below.astype(np.intp).ravel() % N_ORIENTATIONS
    second = (first + 1) % N_ORIENTATIONS
    votes = strength.ravel()
    n_bins = _CELLS * _CELLS * N_ORIENTATIONS
    counted = np.bincount(_CELL_OF_PIXEL + first, votes * (1 - upper_share), n_bins)
    counted += np.bincount(_CELL_OF_PIXEL + second, votes * upper_share, n_bins)
    cells = counted.reshape(_CELLS, _CELLS, N_ORIENTATIONS)
    blocks = np.concatenate([cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]], axis=2)
    clipped = np.minimum(blocks / np.sqrt((blocks**2).sum(axis=2, keepdims=True) + 1e-4), 0.2)
    normalised: NDArray[np.float64] = clipped / np.sqrt((clipped**2).sum(axis=2, keepdims=True) + 1e-4)
    return normalised.ravel().astype(np.float32)


def _count_colours(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    shades = (pixels >> 6).astype(np.intp)
    codes = (shades[..., 0] * N_SHADES + shades[..., 1]) * N_SHADES + shades[..., 2]
    counted = np.bincount(codes.ravel(), minlength=N_SHADES**3)
    return np.sqrt(counted / codes.size).astype(np.float32)


def _compute_colour_moments(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    half = SIDE // 2
    quarters = (pixels.astype(np.float32) / 255).reshape(2, half, 2, half, 3).transpose(0, 2, 1, 3, 4)
    values = quarters.reshape(4, half * half, 3)
    mean = values.mean(axis=1)
    away = values - mean[:, None]
    squares = away * away
    parts = [mean, np.sqrt(squares.mean(axis=1)), np.cbrt((squares * away).mean(axis=1))]
    return np.stack(parts).ravel().astype(np.float32)


_ROWS, _COLUMNS = np.divmod(np.arange(SIDE * SIDE), SIDE)
_CELL_OF_PIXEL = ((_ROWS // CELL) * _CELLS + _COLUMNS // CELL) * N_ORIENTATIONS
