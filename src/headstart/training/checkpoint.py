"""Where a training stood after an epoch, so that a killed one goes on from there. Plain arrays, nothing unpickled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from headstart.home import written_whole

SAID = "said"


def save(path: Path, net: nn.Module, made: torch.optim.Optimizer, tensors: dict[str, Tensor], said: Any) -> None:
    """Write the network, the optimiser's averages, further tensors and a JSON value; whole or not at all."""
    arrays = {f"net/{name}": value for name, value in net.state_dict().items()}
    for number, state in made.state_dict()["state"].items():
        arrays |= {f"optimiser/{number}/{name}": torch.as_tensor(value) for name, value in state.items()}
    arrays |= {f"more/{name}": value for name, value in tensors.items()}
    with written_whole(path) as partial:
        save_file(
            {name: value.detach().cpu().clone().contiguous() for name, value in arrays.items()},
            partial,
            {SAID: json.dumps(said)},
        )


def load(path: Path, net: nn.Module, made: torch.optim.Optimizer) -> tuple[dict[str, Tensor], Any] | None:
    """Put a network and its optimiser where they were; gives the further tensors and the value, or None."""
    try:
        with safe_open(path, framework="pt") as opened:
            said = json.loads(opened.metadata()[SAID])
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        net.load_state_dict({name[4:]: value for name, value in arrays.items() if name.startswith("net/")})
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError):
        return None
    whole = made.state_dict()
    for name, value in arrays.items():
        if name.startswith("optimiser/"):
            _, number, key = name.split("/")
            whole["state"].setdefault(int(number), {})[key] = value
    made.load_state_dict(whole)
    return {name[5:]: value for name, value in arrays.items() if name.startswith("more/")}, said
