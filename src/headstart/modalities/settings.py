"""The numbers that decide which inputs hold nothing to answer about, in one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ContentSettings:
    """Limits of contentless inputs (see `headstart.modalities.content`).

    Parameters
    ----------
    too_small : float
        Least pixels of the shorter side of an image.
    too_dark : float
        The brightest pixels of an image are at least so bright, 0-255.
    too_bright : float
        Its darkest pixels are at least so far from white, 0-255.
    one_colour : float
        Some channel of colour ranges over at least so much, 0-255.
    too_blurred : float
        The steepest steps between neighbours of a 96 x 96 image, as a share of its range of brightness (0-1).
    no_words : float
        1: some character of a text is a letter, a digit or a pictograph.
    no_values : float
        Least values of a series.
    constant : float
        1: some channel of a series changes.
    most_refused : float
        A limit under which more than this share (0-1) of the training rows of a class would fall is not used.
    """

    too_small: float = 16.0
    too_dark: float = 30.0
    too_bright: float = 10.0
    one_colour: float = 8.0
    too_blurred: float = 0.07
    no_words: float = 1.0
    no_values: float = 1.0
    constant: float = 1.0
    most_refused: float = 0.005


SETTINGS = ContentSettings()
