"""Checkpoints of a training, from which a killed one is resumed. Plain arrays, nothing is unpickled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart.array_files import DamagedArrays, read_arrays, read_header, write_arrays

DOCUMENT_KEY = "state"
"""Name of the JSON value in the file."""


@dataclass(frozen=True)
class Checkpoint:
    """Contents of a checkpoint besides network and optimizer: further tensors and a JSON value."""

    tensors: dict[str, Tensor]
    document: Any


def save_checkpoint(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer, further: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
    net : Module
    optimizer : Optimizer
    further : Checkpoint
        Saved besides the weights and the optimizer's averages.
    """
    arrays = {f"net/{name}": value for name, value in net.state_dict().items()}
    for number, state in optimizer.state_dict()["state"].items():
        arrays |= {f"optimiser/{number}/{name}": torch.as_tensor(value) for name, value in state.items()}
    arrays |= {f"more/{name}": value for name, value in further.tensors.items()}
    write_arrays(
        path,
        {name: value.detach().cpu().numpy() for name, value in arrays.items()},
        {DOCUMENT_KEY: json.dumps(further.document)},
    )


def load_checkpoint(path: Path, net: nn.Module, optimizer: torch.optim.Optimizer) -> Checkpoint | None:
    """Restore a network and its optimizer; return what else was saved, or None without a usable file.

    Parameters
    ----------
    path : Path
    net : Module
    optimizer : Optimizer
    """
    try:
        document = json.loads(read_header(path).notes[DOCUMENT_KEY])
        arrays = {name: torch.from_numpy(value) for name, value in read_arrays(path, need_checksums=True).items()}
        net.load_state_dict({name[4:]: value for name, value in arrays.items() if name.startswith("net/")})
    except (OSError, DamagedArrays, KeyError, TypeError, ValueError, RuntimeError):
        return None
    whole = optimizer.state_dict()
    for name, value in arrays.items():
        if name.startswith("optimiser/"):
            _, number, key = name.split("/")
            whole["state"].setdefault(int(number), {})[key] = value
    optimizer.load_state_dict(whole)
    return Checkpoint({name[5:]: value for name, value in arrays.items() if name.startswith("more/")}, document)
