"""Where a training stood after an epoch, so that a killed one goes on from there. Plain arrays, nothing unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart.array_files import DamagedArrays, read_arrays, read_header, write_arrays

SAID = "said"


def save(path: Path, net: nn.Module, made: torch.optim.Optimizer, tensors: dict[str, Tensor], said: Any) -> None:
    """Write the network, the optimiser's averages, further tensors and a JSON value; whole or not at all."""
    arrays = {f"net/{name}": value for name, value in net.state_dict().items()}
    for number, state in made.state_dict()["state"].items():
        arrays |= {f"optimiser/{number}/{name}": torch.as_tensor(value) for name, value in state.items()}
    arrays |= {f"more/{name}": value for name, value in tensors.items()}
    write_arrays(path, {name: value.detach().cpu().numpy() for name, value in arrays.items()}, {SAID: json.dumps(said)})


def load(path: Path, net: nn.Module, made: torch.optim.Optimizer) -> tuple[dict[str, Tensor], Any] | None:
    """Put a network and its optimiser where they were; gives the further tensors and the value, or None."""
    try:
        said = json.loads(read_header(path).notes[SAID])
        arrays = {name: torch.from_numpy(value) for name, value in read_arrays(path, need_checksums=True).items()}
        net.load_state_dict({name[4:]: value for name, value in arrays.items() if name.startswith("net/")})
    except (OSError, DamagedArrays, KeyError, TypeError, ValueError, RuntimeError):
        return None
    whole = made.state_dict()
    for name, value in arrays.items():
        if name.startswith("optimiser/"):
            _, number, key = name.split("/")
            whole["state"].setdefault(int(number), {})[key] = value
    made.load_state_dict(whole)
    return {name[5:]: value for name, value in arrays.items() if name.startswith("more/")}, said
