"""Parts of a portable graph for images: normalisation, and the classic descriptors, as torch modules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headstart.bundle.onnx.heads import register_arrays
from headstart.modalities.descriptors import CELL, N_ORIENTATIONS, N_SHADES, SIDE
from headstart.modalities.image import compute_scaling

_CELLS = SIDE // CELL


class PixelNormalisation(nn.Module):
    """Pixels uint8 (n, height, width, 3) to what a network wants: float32 (n, 3, height, width)."""

    scale: Tensor
    shift: Tensor

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        scale, shift = compute_scaling(tuple(spec["mean"]), tuple(spec["std"]))
        register_arrays(self, scale=scale, shift=shift)

    def forward(self, pixels: Tensor) -> Tensor:
        return pixels.permute(0, 3, 1, 2).float() * self.scale + self.shift


class ImageDescriptors(nn.Module):
    """`headstart.modalities.descriptors.describe_image` of images uint8 (n, 96, 96, 3)."""

    def forward(self, pixels: Tensor) -> Tensor:
        colours = pixels.float()
        red, green, blue = colours[..., 0], colours[..., 1], colours[..., 2]
        brightness = ((red * 19595 + green * 38470 + blue * 7471 + 32768) / 65536).floor()  # As Pillow's mode L.
        return torch.cat(
            [_describe_gradients((brightness / 255).sqrt()), _describe_colours(colours), _compute_moments(colours)],
            dim=1,
        )


def _describe_gradients(grey: Tensor) -> Tensor:
    across = torch.nn.functional.pad(grey[:, :, 2:] - grey[:, :, :-2], (1, 1))
    down = torch.nn.functional.pad(grey[:, 2:] - grey[:, :-2], (0, 0, 1, 1))
    strength = (across * across + down * down).sqrt()
    flat = across == 0
    angle = torch.where(flat, torch.full_like(down, torch.pi / 2), (down / torch.where(flat, 1.0, across)).atan())
    place = angle * (N_ORIENTATIONS / torch.pi)
    place = torch.where(place < 0, place + N_ORIENTATIONS, place)
    orientation_votes = []
    for orientation in range(N_ORIENTATIONS):  # A pixel votes for the two nearest of a circle of orientations.
        distance = (place - orientation).abs()
        distance = torch.minimum(distance, N_ORIENTATIONS - distance)
        orientation_votes.append((1 - distance).clamp(min=0) * strength)
    votes = torch.nn.functional.avg_pool2d(torch.stack(orientation_votes, dim=1), CELL) * CELL * CELL
    cells = votes.permute(0, 2, 3, 1)
    blocks = torch.cat([cells[:, :-1, :-1], cells[:, :-1, 1:], cells[:, 1:, :-1], cells[:, 1:, 1:]], dim=3)
    clipped = (blocks / ((blocks * blocks).sum(3, keepdim=True) + 1e-4).sqrt()).clamp(max=0.2)
    return (clipped / ((clipped * clipped).sum(3, keepdim=True) + 1e-4).sqrt()).flatten(1)


def _describe_colours(colours: Tensor) -> Tensor:
    shades = (colours / (256 // N_SHADES)).floor().flatten(1, 2)
    levels = torch.arange(N_SHADES, dtype=torch.float32)
    red, green, blue = ((shades[:, :, None, channel] == levels).float() for channel in range(3))
    pairs = (red[:, :, :, None] * green[:, :, None, :]).flatten(2)
    counted = (pairs.transpose(1, 2) @ blue).flatten(1)
    return (counted / (SIDE * SIDE)).sqrt()


def _compute_moments(colours: Tensor) -> Tensor:
    half = SIDE // 2
    quarters = (colours / 255).reshape(-1, 2, half, 2, half, 3).permute(0, 1, 3, 2, 4, 5)
    values = quarters.reshape(-1, 4, half * half, 3)
    mean = values.mean(2)
    away = values - mean[:, :, None]
    squares = away * away
    third = (squares * away).mean(2)
    parts = [mean, squares.mean(2).sqrt(), third.sign() * third.abs() ** (1 / 3)]
    return torch.stack(parts, dim=1).flatten(1)
