"""Build encoders of transformers (texts, and pictures) from parts.

Every encoder becomes one module: prepared arrays in, the mean-pooled output of each layer out, the last layer last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headstart.bases import vision_shim
from headstart.bases.record import Stage

vision_shim.prepare()

from transformers import AutoConfig, AutoModel  # noqa: E402
from transformers.utils import logging as transformers_logging  # noqa: E402

transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()


class PooledText(nn.Module):
    """A text encoder that answers with features mean-pooled over the mask.

    Input ids and mask (n, tokens) int64; output a tuple of (n, n_dims), one a layer, the last layer last.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        out = self.net(input_ids=ids, attention_mask=mask, output_hidden_states=True, return_dict=True)
        weight = mask[..., None].to(out.last_hidden_state.dtype)
        total = weight.sum(1).clamp(min=1.0)
        layers = [*out.hidden_states[1:-1], out.last_hidden_state]
        return tuple((layer * weight).sum(1) / total for layer in layers)


class PooledPictures(nn.Module):
    """A transformers vision network; input (n, 3, height, width), output a tuple with the final features only."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        hidden = self.net(pixel_values=pixels, return_dict=True).last_hidden_state
        return (hidden.mean((2, 3)) if hidden.ndim == 4 else hidden.mean(1),)


def build(architecture: Mapping[str, Any]) -> nn.Module:
    """Make the bare network with random weights; no code from outside is ever run."""
    config = dict(architecture["config"])
    return AutoModel.from_config(AutoConfig.for_model(config.pop("model_type"), **config), trust_remote_code=False)  # type: ignore[no-any-return]


def is_vision(architecture: Mapping[str, Any]) -> bool:
    """Say whether the network looks at pictures."""
    config = architecture["config"]
    return "num_channels" in config and "vocab_size" not in config


def wrap(net: nn.Module) -> nn.Module:
    """Make the module that gives pooled features."""
    return PooledText(net) if hasattr(net.config, "vocab_size") else PooledPictures(net)


def longest_list(net: nn.Module) -> tuple[str, nn.ModuleList]:
    """Give the name and the items of the longest module list: the layers; ("", empty) if there is none."""
    lists = [(name, item) for name, item in net.named_modules() if isinstance(item, nn.ModuleList)]
    return max(lists, key=lambda pair: len(pair[1]), default=("", nn.ModuleList()))


def stages(net: nn.Module) -> tuple[Stage, ...]:
    """List the network's blocks from input to output; together they hold every parameter once.

    The blocks are the items of the longest module list (the layers); what stands before it belongs to the first
    stage, what stands behind it to the last.
    """
    prefix, blocks = longest_list(net)
    groups: list[list[str]] = [[] for _ in range(len(blocks) + 2)]
    seen = False
    for name, _ in net.named_parameters():
        inside = bool(prefix) and name.startswith(f"{prefix}.")
        seen = seen or inside
        place = int(name[len(prefix) + 1 :].split(".")[0]) + 1 if inside else (len(groups) - 1 if seen else 0)
        groups[place].append(name)
    return tuple(Stage(f"stage-{number}", tuple(names)) for number, names in enumerate(groups) if names)


def load_folder(folder: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a transformers folder (config.json + safetensors only): its configuration and its weights in float32."""
    net = AutoModel.from_pretrained(
        folder, use_safetensors=True, local_files_only=True, trust_remote_code=False, dtype=torch.float32
    )
    return net.config.to_diff_dict() | {"model_type": net.config.model_type}, net.state_dict()
