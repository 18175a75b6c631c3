"""Inputs that hold nothing to answer about, with the code of the fault of each."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageFilter


def write_png(image: Image.Image) -> bytes:
    """Return an image as the content of a file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def blur_edge() -> Image.Image:
    """Return a picture of 160 x 120 in which nothing sharp is left."""
    image = Image.new("RGB", (160, 120), (30, 90, 40))
    image.paste((220, 210, 90), (80, 0, 160, 120))
    return image.filter(ImageFilter.GaussianBlur(30))


CONTENTLESS: Mapping[str, Mapping[str, list[Any]]] = {
    "image": {
        "too_dark": [write_png(Image.new("RGB", (160, 120)))],
        "too_bright": [write_png(Image.new("RGB", (160, 120), (255, 255, 255)))],
        "one_colour": [write_png(Image.new("RGB", (160, 120), (200, 0, 200)))],
        "too_small": [write_png(Image.linear_gradient("L").resize((12, 12)))],
    },
    "text": {"no_words": ["... ?!", "-- (:)"]},
    "series": {"constant": [[[0.5] * 30]]},
}
"""By modality and code. Blurred images are refused only by models of images of 96 pixels or more."""
