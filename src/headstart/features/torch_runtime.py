"""Run a backbone in torch: float32, or half precision under autocast, on CPU, CUDA or MPS."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from headstart.bases import Backbone
from headstart.modalities.record import Array


def is_device_available(name: str) -> bool:
    """Return whether torch can use `cuda` or `mps` here."""
    return torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available()


def cpu_has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware (without it bfloat16 runs at a crawl)."""
    capability = torch.backends.cpu.get_cpu_capability()
    has: Callable[[], bool] = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return capability.startswith("AVX512") and bool(has())


def _autocast(device: str, half: bool) -> Any:
    if not half:
        return contextlib.nullcontext()
    kind = torch.bfloat16 if device == "cpu" or torch.cuda.is_bf16_supported() else torch.float16
    return torch.autocast(device, kind)


def open_torch(backbone: Backbone, device: str, half: bool) -> Callable[..., tuple[Array, ...]]:
    """Make a function from prepared arrays to pooled float32 features of every stage."""
    assert backbone.module is not None
    module = backbone.module()
    if device != "cpu":
        module = copy.deepcopy(module).to(device)

    def run(*arrays: Array) -> tuple[Array, ...]:
        tensors = []
        for array in arrays:
            tensor = torch.from_numpy(np.ascontiguousarray(array))
            if tensor.ndim == 4:
                tensor = tensor.contiguous(memory_format=torch.channels_last)
            tensors.append(tensor.pin_memory().to(device, non_blocking=True) if device == "cuda" else tensor.to(device))
        with torch.inference_mode(), _autocast(device, half):
            return tuple(out.float().cpu().numpy() for out in module(*tensors))

    return run
