"""Whether an input holds anything to answer about: black, blurred and tiny images, texts without words, flat series.

One function a modality measures an input, one function for all compares. A part of predict.py as well, word for word:
nothing of Headstart is needed. The limits are those of `headstart.modalities.settings`, stored in each bundle.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np

# --- code ---
CONTENT_FAULTS = {
    "too_small": "it has too few pixels: send the original picture, or take it again from nearer",
    "too_dark": "it is too dark: take it again with more light",
    "too_bright": "it is too bright: take it again with less light",
    "one_colour": "it is one colour and nothing else: take it again",
    "too_blurred": "it is too blurred: hold still and take it again",
    "no_words": "it has no letter, digit or emoji: write words",
    "no_values": "it has no values",
    "constant": "it has the same value all along: look whether the device works, and measure it again",
}
"""The reason and the advice by the code of a fault, as the end of a sentence."""
EMPTY_TEXT = "the text is empty"
"""The reason of the fault `no_words` where there is not even a mark."""
NO_WORDS = {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me", "Sm", "Sc", "Sk"}
"""Categories of characters that say nothing alone; pictographs (So) do: a tweet may be one emoji."""
CONTENT_SIDE = 96
"""Side in pixels of the small image that is measured."""


def measure_image_content(pixels: Any, shortest: int) -> dict[str, float]:
    """Measure an image by code of fault: the less, the more of that fault.

    Parameters
    ----------
    pixels : uint8 array, shape (96, 96, 3)
        The whole image made small: red, green, blue.
    shortest : int
        Its shorter side in pixels before that; images that were larger than a model needs may come smaller.

    Returns
    -------
    dict of str to float
        `too_small`: pixels of the shorter side. `too_dark`: the brightest pixels, 0-255. `too_bright`: how far the
        darkest pixels are from white, 0-255. `one_colour`: the widest range of a channel, 0-255. `too_blurred`: the
        steepest steps between neighbours as a share of the range of brightness, 0-1 (absent for images that were
        enlarged). One pixel in a thousand is left out at each end.

    Examples
    --------
    >>> black = measure_image_content(np.zeros((96, 96, 3), np.uint8), 480)
    >>> black["too_dark"], black["too_bright"], black["one_colour"]
    (0.0, 255.0, 0.0)
    """
    values = np.asarray(pixels, np.float64)
    grey = values @ np.asarray([0.299, 0.587, 0.114])
    levels, colours = np.sort(grey.ravel()), np.sort(values.reshape(-1, 3), axis=0)
    outer = len(levels) // 1000
    darkest, brightest = levels[outer], levels[-1 - outer]
    steps = np.sort(np.concatenate([np.abs(np.diff(grey, axis=axis)).ravel() for axis in (0, 1)]))
    sharpness = steps[-1 - len(steps) // 1000] / max(brightest - darkest, 1.0)
    return {
        "too_small": float(shortest),
        "too_dark": float(brightest),
        "too_bright": float(255 - darkest),
        "one_colour": float((colours[-1 - outer] - colours[outer]).max()),
        **({"too_blurred": float(sharpness)} if shortest >= CONTENT_SIDE else {}),
    }


def measure_text_content(text: str) -> dict[str, float]:
    """Measure a text by code of fault: 1 where a character says something, such as a letter, a digit or an emoji.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> [measure_text_content(text)["no_words"] for text in ("ok!", "... ?!", "👍")]
    [1.0, 0.0, 1.0]
    """
    return {"no_words": float(any(unicodedata.category(character) not in NO_WORDS for character in text))}


def measure_series_content(values: Any) -> dict[str, float]:
    """Measure a series by code of fault: how many values there are, and the widest range of a channel.

    Parameters
    ----------
    values : float32 array, shape (channels, time)
        NaN or infinite: missing.

    Returns
    -------
    dict of str to float
        `no_values`: number of values; `constant`: 1 where a channel changes, else 0.

    Examples
    --------
    >>> measure_series_content(np.asarray([[2.0, np.nan, 2.0]]))
    {'no_values': 2.0, 'constant': 0.0}
    """
    known = [channel[np.isfinite(channel)] for channel in values]
    changes = any(len(channel) and channel.min() < channel.max() for channel in known)
    return {"no_values": float(sum(map(len, known))), "constant": float(changes)}


def find_content_fault(measures: Mapping[str, float], limits: Mapping[str, float]) -> str:
    """Return the code of the first fault that an input has, or "".

    Parameters
    ----------
    measures : mapping of str to float
        Of one input, in the order in which faults are named.
    limits : mapping of str to float
        The least of each measure; codes without a limit are no faults.

    Examples
    --------
    >>> find_content_fault({"no_words": 0.0}, {"no_words": 1.0}), find_content_fault({"no_words": 0.0}, {})
    ('no_words', '')
    """
    return next((code for code, value in measures.items() if value < limits.get(code, value)), "")
