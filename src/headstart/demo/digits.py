"""scikit-learn's handwritten digits, written out as an image folder.

Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI repository, 1998, in the copy of
1,797 images of 8 x 8 points that scikit-learn ships. Only a small, fixed part is written.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.extras import require

N_TRAIN_PER_CLASS = 20
"""Training images a class."""
N_TEST_PER_CLASS = 30
"""Test images a class."""
SIDE_PIXELS = 64
"""Pixels; the original has 8."""
SEED = 0


def write_digits(folder: Path) -> Path:
    """Write `train/digit_0/000.png` ... `test/digit_9/029.png` (greyscale PNG) and return the folder.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.
    """
    require("adapt", "Writing the handwritten digits")
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(SEED)
    for digit in range(10):
        rows = rng.permutation(np.flatnonzero(labels == digit))
        _write_class(folder / "train" / f"digit_{digit}", images[rows[:N_TRAIN_PER_CLASS]])
        _write_class(
            folder / "test" / f"digit_{digit}", images[rows[N_TRAIN_PER_CLASS : N_TRAIN_PER_CLASS + N_TEST_PER_CLASS]]
        )
    return folder


def draw_digit(points: NDArray[np.float64]) -> Image.Image:
    """Return the image of 64 values of 0 (paper) to 16 (ink): dark ink on white paper.

    Examples
    --------
    >>> blank = draw_digit(np.zeros(64))
    >>> blank.size, blank.getpixel((5, 5))
    ((64, 64), 255)
    """
    grey = np.asarray(255 - np.round(points.reshape(8, 8) * (255 / 16)), dtype=np.uint8)
    return Image.fromarray(grey).resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.BICUBIC)


def _write_class(folder: Path, images: NDArray[np.float64]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, points in enumerate(images):
        draw_digit(points).save(folder / f"{number:03d}.png")
