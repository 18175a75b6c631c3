"""Which parts of an input an answer rests on: inputs with one part hidden, and a drawing of what each part weighs.

Occlusion as in Zeiler and Fergus 2014 (arXiv:1311.2901): a patch of a picture is filled with its mean colour, a word is
left out of a text, a stretch of a series is replaced by a straight line. Nothing here knows a model.
"""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from headstart.modalities.series import preview

Weights = NDArray[np.float64]
"""(n_parts,): how much the answer loses without each part; below zero, how much it gains."""
GRID, PATCH = 8, 2
"""A picture is cut into 8 x 8 cells; patches of 2 x 2 cells are hidden, one cell further each time."""
MOST_PIECES, LEAST_WORDS = 40, 2
WINDOWS = 16
SHOWN_PIXELS = 224
STRONGEST = 0.75
"""Opacity of the colour over the heaviest part."""
_WIDE = "width:20rem;max-width:100%;height:auto"
FOR, AGAINST = "230,120,0", "20,90,200"


@dataclass(frozen=True)
class Part:
    """A piece of an input.

    Parameters
    ----------
    name : str
        What people call it: the words, "row 2, column 5", "steps 10 to 19".
    hidden : anything
        The whole input without this part, of the kind that `Modality.load` gives.
    """

    name: str
    hidden: Any


@dataclass(frozen=True)
class Occlusion:
    """How one modality is taken apart.

    Parameters
    ----------
    parts : (what `Modality.load` gave) -> list of Part
        Empty where there is only one part.
    draw : (what `Modality.load` gave, Weights) -> str
        An HTML fragment, safe to embed; orange speaks for the answer, blue against it.
    """

    parts: Callable[[Any], list[Part]]
    draw: Callable[[Any, Weights], str]


def _edges(length: int, n_pieces: int) -> list[int]:
    return [length * place // n_pieces for place in range(n_pieces + 1)]


def _patches() -> list[tuple[int, int]]:
    return [(row, column) for row in range(GRID - PATCH + 1) for column in range(GRID - PATCH + 1)]


def picture_parts(picture: Image.Image) -> list[Part]:
    """Hide overlapping patches of a picture, one after the other.

    Examples
    --------
    >>> len(picture_parts(Image.new("RGB", (64, 64))))
    49
    """
    pixels = np.asarray(picture)
    mean = pixels.reshape(-1, 3).mean(axis=0).astype(np.uint8)
    down, across = _edges(picture.height, GRID), _edges(picture.width, GRID)
    found = []
    for row, column in _patches():
        hidden = pixels.copy()
        hidden[down[row] : down[row + PATCH], across[column] : across[column + PATCH]] = mean
        found.append(Part(f"row {row + 1}, column {column + 1}", Image.fromarray(hidden)))
    return found


def cells(weights: Weights) -> NDArray[np.float64]:
    """Give each cell the mean weight of the patches that hid it (8, 8)."""
    total, counts = np.zeros((GRID, GRID)), np.zeros((GRID, GRID))
    for (row, column), weight in zip(_patches(), weights, strict=True):
        total[row : row + PATCH, column : column + PATCH] += weight
        counts[row : row + PATCH, column : column + PATCH] += 1
    return total / counts


def draw_picture(picture: Image.Image, weights: Weights) -> str:
    """Lay coloured cells over a thumbnail."""
    small = Image.fromarray(np.asarray(picture))
    small.thumbnail((SHOWN_PIXELS, SHOWN_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=75, optimize=True)
    uri = base64.b64encode(buffer.getvalue()).decode("ascii")
    heat, (width, height) = cells(weights), small.size
    colours = _colours(heat.ravel())
    boxes = "".join(
        f'<rect x="{column * width / GRID:.1f}" y="{row * height / GRID:.1f}" width="{width / GRID:.1f}" '
        f'height="{height / GRID:.1f}" fill="{colours[row * GRID + column]}"/>'
        for row in range(GRID)
        for column in range(GRID)
        if colours[row * GRID + column]
    )
    best = np.unravel_index(int(heat.argmax()), heat.shape)
    told = f"What speaks most for the answer lies in row {best[0] + 1} of 8 from the top, column {best[1] + 1} of 8."
    return (
        f'<svg viewBox="0 0 {width} {height}" style="{_WIDE}" role="img"><title>{told}</title>'
        f'<image href="data:image/jpeg;base64,{uri}" width="{width}" height="{height}"/>{boxes}</svg>'
    )


def pieces(text: str) -> list[str]:
    """Cut a text into at most 40 pieces: words with the space behind them, or letters where there are no spaces.

    Examples
    --------
    >>> pieces("bad  roads here"), "".join(pieces("a " * 100)) == "a " * 100, len(pieces("a " * 100))
    (['bad  ', 'roads ', 'here'], True, 40)
    """
    words = re.findall(r"\S+\s*|^\s+", text)
    units = words if len(words) >= LEAST_WORDS else list(text)
    edges = _edges(len(units), min(MOST_PIECES, len(units)) or 1)
    return ["".join(units[before:after]) for before, after in pairwise(edges) if after > before]


def text_parts(text: str) -> list[Part]:
    """Leave out one piece of a text after the other."""
    found = pieces(text)
    if len(found) < LEAST_WORDS:
        return []
    return [Part(piece.strip(), "".join(found[:at] + found[at + 1 :])) for at, piece in enumerate(found)]


def draw_text(text: str, weights: Weights) -> str:
    """Colour the pieces of a text."""
    coloured = zip(pieces(text), _colours(weights), strict=True)
    spans = [
        f'<mark style="background:{colour or "none"};color:inherit">{html.escape(piece)}</mark>'
        for piece, colour in coloured
    ]
    return f'<p dir="auto">{"".join(spans)}</p>'


def series_parts(values: NDArray[np.float32]) -> list[Part]:
    """Replace one stretch of a series (channels, time) after the other by a straight line."""
    n_steps = values.shape[1]
    edges = _edges(n_steps, min(WINDOWS, n_steps))
    if len(edges) < 3:
        return []
    found = []
    for before, after in pairwise(edges):
        hidden = values.copy()
        ends = [max(0, before - 1), min(n_steps - 1, after)]
        for channel in hidden:
            channel[before:after] = np.interp(np.arange(before, after), ends, channel[ends])
        found.append(Part(f"steps {before + 1} to {after}", hidden))
    return found


def draw_series(values: NDArray[np.float32], weights: Weights) -> str:
    """Lay coloured stretches over a plot."""
    plot, n = preview(values), len(weights)
    width, height = (int(size) for size in re.findall(r"\d+", plot)[2:4])
    boxes = "".join(
        f'<rect x="{width * at / n:.1f}" y="0" width="{width / n:.1f}" height="{height}" fill="{colour}"/>'
        for at, colour in enumerate(_colours(weights))
        if colour
    )
    return plot.replace("</title>", f"</title>{boxes}", 1).replace("<svg ", f'<svg style="{_WIDE}" ', 1)


def _colours(weights: Weights) -> list[str]:
    """Give each part a colour, the stronger the heavier; none for what weighs nearly nothing."""
    most = float(np.abs(weights).max()) if len(weights) else 0.0
    if most <= 0:
        return [""] * len(weights)
    shares = weights / most
    return [
        f"rgba({FOR if share > 0 else AGAINST},{STRONGEST * abs(share):.2f})" if abs(share) > 0.1 else ""
        for share in shares
    ]


def heaviest(weights: Weights, n: int = 3) -> list[int]:
    """Give the numbers of the parts without which the answer loses most.

    Examples
    --------
    >>> heaviest(np.array([0.1, 0.5, -2.0, 0.0]))
    [1, 0]
    """
    return [int(at) for at in np.argsort(-weights, kind="stable")[:n] if weights[at] > 0]


OCCLUSIONS: dict[str, Occlusion] = {
    "image": Occlusion(picture_parts, draw_picture),
    "text": Occlusion(text_parts, draw_text),
    "series": Occlusion(series_parts, draw_series),
}
