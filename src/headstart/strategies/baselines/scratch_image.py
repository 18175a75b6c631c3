"""`scratch` for images: the base's own architecture at the largest resolution that fits the time.

Rows are shifted and zoomed a little while learning. They are not mirrored: that would change digits, letters and sides
of the body, and nobody has said what the images show.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from headstart.modalities import MODALITIES
from headstart.modalities.record import Spec
from headstart.records import Column
from headstart.strategies.baselines.scratch_sizes import SETTINGS, NetworkSize, ScratchMethod
from headstart.strategies.record import Task
from headstart.training.loop import Inputs

WORKERS = 2


def list_sizes(inputs: Column, task: Task) -> list[NetworkSize]:
    """Return the architecture at several resolutions, none above the base's own."""
    own = int(task.spec["size"])  # type: ignore[call-overload]
    sizes = [size for size in SETTINGS.image_sizes if size < own] + [own]
    pixel_bytes = 6.0 * len(inputs)  # Three channels in half precision.
    fitting = [size for size in sizes if size == sizes[0] or pixel_bytes * size**2 <= SETTINGS.image_bytes]
    return [
        NetworkSize(
            label=f"{size} x {size} pixels",
            architecture=task.architecture,
            spec=_resize_spec(task.spec, size),
            cost=float(size**2),
            learning_rate=SETTINGS.image_learning_rate,
            memory_bytes=2 * pixel_bytes * size**2,
        )
        for size in fitting
    ]


def _resize_spec(spec: Mapping[str, Any], size: int) -> Spec:
    return {**spec, "size": size, "resize": max(size, round(size * float(spec["resize"]) / float(spec["size"])))}


def load_inputs(inputs: Column, spec: Mapping[str, Any]) -> Inputs:
    """Load images (half precision in memory)."""
    modality = MODALITIES["image"]

    def one(source: Any) -> np.ndarray[Any, np.dtype[np.float16]]:
        return np.asarray(modality.prepare(modality.load(source, spec), spec)[0], dtype=np.float16)

    with ThreadPoolExecutor(WORKERS) as pool:
        images = torch.from_numpy(np.stack(list(pool.map(one, inputs))))

    def batch(rows: Tensor, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        chosen = images[rows].float().contiguous(memory_format=torch.channels_last)
        return (chosen if generator is None else _augment_images(chosen, generator),)

    return batch


def _augment_images(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return images that are zoomed and shifted a little; what comes in from outside repeats the border."""
    n = len(images)
    zoom = 1 + SETTINGS.image_zoom * (2 * torch.rand(n, generator=generator) - 1)
    shift = 2 * SETTINGS.image_shift * (2 * torch.rand(n, 2, generator=generator) - 1)
    maps = torch.zeros(n, 2, 3)
    maps[:, 0, 0] = maps[:, 1, 1] = zoom
    maps[:, :, 2] = shift
    grid = functional.affine_grid(maps, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


METHOD = ScratchMethod(list_sizes, load_inputs)
