"""What `scratch` tries: sizes of network and input, from cheap to dear, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headstart.records import Column
from headstart.strategies.record import Task
from headstart.training.loop import Inputs


@dataclass(frozen=True, kw_only=True)
class NetworkSize:
    """One size.

    Parameters
    ----------
    label : str
        For the notes.
    architecture : mapping
        As in `headstart.bases.record.Parts`.
    spec : mapping
        What `feed` needs to read rows, as JSON.
    cost : float
        Relative cost of a row.
    learning_rate : float
    """

    label: str
    architecture: Mapping[str, Any]
    spec: Mapping[str, Any]
    cost: float
    learning_rate: float


@dataclass(frozen=True)
class ScratchMethod:
    """How one modality is trained from random weights.

    Parameters
    ----------
    list_sizes : (inputs of the training rows, Task) -> list of Attempt
        Cheapest first.
    load_inputs : (inputs of some rows, spec) -> Inputs
        Reads the rows into memory.
    """

    list_sizes: Callable[[Column, Task], list[NetworkSize]]
    load_inputs: Callable[[Column, Mapping[str, Any]], Inputs]
