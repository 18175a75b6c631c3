"""What `scratch` tries: sizes of network and input, from cheap to dear, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headstart.records import Column
from headstart.strategies.record import Task
from headstart.training.loop import Inputs


@dataclass(frozen=True, kw_only=True)
class ScratchSettings:
    """The fixed numbers of `scratch`.

    Parameters
    ----------
    time_share : float
        Largest share (0-1) of the time left.
    most_seconds, least_seconds, seconds_per_row : float
        The limit grows with the rows between these bounds: with few rows a large network learns nothing more than a
        small one.
    floor_seconds : float
        What it may take even when the time is over.
    fewest_epochs, enough_epochs, most_epochs : int
        Where fewer than the first fit, it learns from a sample; the largest size of which `enough_epochs` fit is taken.
    batch_size, predict_batch_rows : int
        Rows per training step, and per forward pass of scoring.
    timed_rows : int
        Rows on which a size is timed.
    scoring_cost : float
        Cost of scoring a row, relative to training on it.
    image_sizes : int
        Pixels of the side of an image that are tried, besides the size that the base reads.
    image_bytes : int
        Largest memory of all training images at more than the smallest size.
    image_zoom, image_shift : float
        Largest change of scale, and largest shift as a share of the side, of a training image.
    image_learning_rate : float
        The same for every size.
    vocabulary_tokens, text_tokens : int
        Of the tokenizer that is trained, and of a text.
    text_layers, text_widths : int
        Of the small networks that are tried.
    """

    time_share: float = 0.2
    most_seconds: float = 120.0
    least_seconds: float = 15.0
    seconds_per_row: float = 0.2
    floor_seconds: float = 5.0
    fewest_epochs: int = 6
    enough_epochs: int = 20
    most_epochs: int = 60
    batch_size: int = 32
    predict_batch_rows: int = 512
    timed_rows: int = 128
    scoring_cost: float = 0.4
    image_sizes: tuple[int, ...] = (64, 96, 128, 160, 224)
    image_bytes: int = 600_000_000
    image_zoom: float = 0.15
    image_shift: float = 0.12
    image_learning_rate: float = 2e-3
    vocabulary_tokens: int = 8_000
    text_tokens: int = 128
    text_layers: tuple[int, ...] = (2, 4)
    text_widths: tuple[int, ...] = (128, 256)


SETTINGS = ScratchSettings()


@dataclass(frozen=True, kw_only=True)
class NetworkSize:
    """Size of a network.

    Parameters
    ----------
    label : str
        For the notes.
    architecture : mapping
        As in `headstart.bases.record.BaseParts`.
    spec : mapping
        What `load_inputs` needs to read rows, as JSON.
    cost : float
        Relative cost of a row.
    learning_rate : float
    memory_bytes : float
        Of the training rows.
    """

    label: str
    architecture: Mapping[str, Any]
    spec: Mapping[str, Any]
    cost: float
    learning_rate: float
    memory_bytes: float = 0.0


@dataclass(frozen=True)
class ScratchMethod:
    """Functions that train a modality from random weights.

    Parameters
    ----------
    list_sizes : (inputs of the training rows, Task) -> list of NetworkSize
        Cheapest first.
    load_inputs : (inputs of some rows, spec) -> Inputs
        Reads the rows into memory.
    """

    list_sizes: Callable[[Column, Task], list[NetworkSize]]
    load_inputs: Callable[[Column, Mapping[str, Any]], Inputs]
