"""Build vision backbones of timm and transformers from parts.

Every backbone becomes one module: pixels in, the pooled output of each stage out, the final features last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headstart.bases import vision_shim
from headstart.bases.architectures import parse_architecture
from headstart.bases.record import Array, Stage
from headstart.errors import DataError
from headstart.modalities.record import Spec

vision_shim.prepare_torchvision()

import timm  # noqa: E402
from timm.layers import resample_abs_pos_embed  # noqa: E402
from timm.models._manipulate import group_with_matcher  # noqa: E402


class PooledVision(nn.Module):
    """A timm network that answers with pooled features of all its stages.

    Input (n, 3, height, width) float; output a tuple of (n, n_dims of the stage), final features last.
    """

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        self.by_stage = hasattr(net, "forward_intermediates")

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        if not self.by_stage:
            return (self.net(pixels),)
        final, maps = self.net.forward_intermediates(pixels, output_fmt="NCHW")
        return (*(item.mean((2, 3)) for item in maps), self.net.forward_head(final, pre_logits=True))


def build_network(architecture: Mapping[str, Any]) -> nn.Module:
    """Return the bare network (no classifier, random weights) of a plain name that timm knows; nothing is fetched."""
    parsed = parse_architecture(architecture, "The base model")
    if not is_known(parsed["name"]):
        raise DataError(f"timm has no architecture '{parsed['name']}'.", "Update timm, or choose another base model.")
    return timm.create_model(parsed["name"], pretrained=False, num_classes=0, **parsed["kwargs"])  # type: ignore[no-any-return]


def wrap_network(net: nn.Module) -> nn.Module:
    """Make the module that gives pooled features of all stages."""
    return PooledVision(net)


def list_stages(net: nn.Module) -> tuple[Stage, ...]:
    """List the network's blocks from input to output; together they hold every parameter once."""
    grouped = group_with_matcher(net.named_parameters(), net.group_matcher(coarse=True), reverse=False)  # type: ignore[operator]
    return tuple(Stage(f"stage-{number}", tuple(names)) for number, names in sorted(grouped.items()))


def derive_spec(config: Mapping[str, Any]) -> Spec:
    """Return the image spec of timm's `pretrained_cfg`.

    Raises
    ------
    TypeError, ValueError, KeyError, IndexError
        If an entry is of another kind.
    """
    size = int(config.get("input_size", (3, 224, 224))[-1])
    interpolation = str(config.get("interpolation", "bicubic"))
    return {
        "size": size,
        "resize": round(size / float(config.get("crop_pct") or 0.875)),
        "fit": "crop",
        "interpolation": interpolation if interpolation == "bilinear" else "bicubic",
        "mean": [float(v) for v in config.get("mean", (0.485, 0.456, 0.406))],
        "std": [float(v) for v in config.get("std", (0.229, 0.224, 0.225))],
    }


def read_pretrained_config(name: str) -> Mapping[str, Any]:
    """Return what timm knows of a pre-trained model by name.

    Raises
    ------
    RuntimeError
        If timm has no such architecture.
    """
    config = timm.models.get_pretrained_cfg(name)
    return {} if config is None else config.to_dict()


def is_known(name: str) -> bool:
    """Return whether timm's registry has this architecture (the part before the first dot of the name)."""
    return bool(timm.is_model(name.split(".", maxsplit=1)[0]))


def stretch_positions(architecture: Mapping[str, Any], weights: Mapping[str, Array]) -> dict[str, Array]:
    """Return the weights of a vision transformer with its table of positions for the image size of an architecture.

    Parameters
    ----------
    architecture : mapping
        With `img_size` among its arguments.
    weights : mapping of str to array
        `pos_embed` is (1, tokens, n_dims) for another, square image size.
    """
    with torch.device("meta"):
        outline: Any = build_network(architecture)
    n_extra = 0 if outline.no_embed_class else outline.num_prefix_tokens
    positions = torch.from_numpy(weights["pos_embed"])
    stretched = resample_abs_pos_embed(positions, list(outline.patch_embed.grid_size), num_prefix_tokens=n_extra)
    return {**weights, "pos_embed": stretched.numpy()}


def measure_final_dims(module: nn.Module, spec: Mapping[str, Any]) -> int:
    """Measure the length of the final features with one blank image."""
    with torch.no_grad():
        return int(module(torch.zeros(1, 3, spec["size"], spec["size"]))[-1].shape[1])
