"""Build a network from checked parts: first without memory, to compare it with its weights, then in earnest.

No connection can be opened while this room builds, whatever a library below it tries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

import torch
from huggingface_hub import errors as hub_errors
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from headstart.bases.architectures import HINT, Shapes, check_sizes, parse_architecture
from headstart.bases.record import Array
from headstart.errors import DataError, list_offenders
from headstart.offline import no_network

FAILURES = (
    TypeError, ValueError, KeyError, IndexError, AttributeError, AssertionError, RuntimeError, ArithmeticError,
    ImportError, OSError, hub_errors.StrictDataclassError,
)  # fmt: skip
"""What timm, transformers and torch raise where settings do not go together."""
MOST_BUFFER_BYTES = 256_000_000
"""Of values that a network computes when it is built (positions, masks), beyond what its weights hold."""
MOST_OPERATIONS = 1e13
"""Of one image: about three times what the largest networks of timm take at their own size."""


@contextmanager
def building_errors(place: object) -> Iterator[None]:
    """Turn what a library raises while it builds into two lines, and keep the network closed."""
    try:
        with no_network("A base model"):
            yield
    except FAILURES as error:
        message = " ".join(str(error).split())[:160]
        raise DataError(f"The network of {place} cannot be built ({type(error).__name__}: {message}).", HINT) from error


def build_network(
    room: ModuleType, architecture: Mapping[str, Any], shapes: Shapes, place: object, *, side: int | None = None
) -> nn.Module:
    """Return the bare network with random weights, once its size is known to be that of its weights.

    Parameters
    ----------
    room : module
        Offers `build_network`; see `headstart.bases.NETWORK_MODULES`.
    architecture : mapping
        As a file gives it.
    shapes : mapping of str to tuple of int
        Of the weights.
    place : object
        Where it came from, for errors.
    side : int or None
        Pixels of the images that it will read; None for other inputs.

    Raises
    ------
    DataError
        If it names what it may not, does not fit its weights, or would compute without end.
    """
    parsed = parse_architecture(architecture, place)
    check_sizes(parsed, shapes, place)
    with building_errors(place):
        with torch.device("meta"):
            outline = room.build_network(parsed)
        _check_outline(outline, shapes, place)
        if side is not None:
            _check_operations(room.wrap_network(outline.eval()), side, place)
        return room.build_network(parsed)  # type: ignore[no-any-return]


def _check_outline(outline: nn.Module, shapes: Shapes, place: object) -> None:
    """Compare a network without memory with the shapes of its weights."""
    states = {name: tuple(value.shape) for name, value in outline.state_dict().items()}
    wrong = [name for name, shape in states.items() if not _has_right_shapes(name, shape, shapes)]
    if wrong:
        raise DataError(
            f"{place} does not fit its architecture: {len(wrong)} tensors are missing or of another shape "
            f"({list_offenders(wrong)}).",
            "Check that config.json and the weights belong together.",
        )
    n_bytes = sum(value.numel() * value.element_size() for name, value in outline.named_buffers() if name not in states)
    if n_bytes > MOST_BUFFER_BYTES:
        raise DataError(f"The network of {place} would take {n_bytes / 1e6:,.0f} MB besides its weights.", HINT)


def _check_operations(outline: nn.Module, side: int, place: object) -> None:
    """Refuse a network that takes too long for one image, counted without computing: small steps, a large image."""
    counter = FlopCounterMode(display=False)
    with suppress(*FAILURES), torch.no_grad(), counter:  # A network that cannot be counted fails where it is run.
        outline(torch.zeros(1, 3, side, side, device="meta"))
    if counter.get_total_flops() > MOST_OPERATIONS:
        raise DataError(
            f"The network of {place} takes {counter.get_total_flops() / 1e12:,.0f} million million operations for an "
            f"image of {side} x {side} pixels, at most {MOST_OPERATIONS / 1e12:,.0f} are run.",
            HINT,
        )


def _has_right_shapes(name: str, shape: tuple[int, ...], shapes: Shapes) -> bool:
    """Return whether a tensor is stored in its shape.

    Single numbers may be stored as lists of one. Counters of batches may be missing: torch then counts from nothing.
    """
    if name not in shapes:
        return name.endswith(".num_batches_tracked")
    return shapes[name] == shape or (shape == () and shapes[name] == (1,))


def load_weights(net: nn.Module, weights: Mapping[str, Array], place: object) -> None:
    """Fill a network with weights; tensors that it does not have are passed over.

    Parameters
    ----------
    net : Module
        Changed in place.
    weights : mapping of str to array
        By the names of the network's state.
    place : object
        What is named in errors, usually the file.

    Raises
    ------
    DataError
        If a tensor is missing, of another shape, or holds what is no number.
    """
    states = net.state_dict()
    wrong = [
        name
        for name, state in states.items()
        if name in weights and _is_real(weights[name]) != state.is_floating_point()
    ]
    if wrong:
        raise DataError(f"{place} holds tensors of another type ({list_offenders(wrong)}).", HINT)
    with building_errors(place):
        net.load_state_dict({name: _view_tensor(weights[name]) for name in states if name in weights})


def _view_tensor(value: Array) -> torch.Tensor:
    """Return a tensor that shares the array's memory where it can; the network copies it."""
    return torch.from_numpy(value if value.flags.writeable else value.copy())


def _is_real(value: Array) -> bool:
    return value.dtype.kind == "f"
