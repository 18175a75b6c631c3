"""Build encoders of transformers (texts, and images) from parts.

Every encoder becomes one module: prepared arrays in, the mean-pooled output of each layer out, the last layer last.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from headstart.bases import vision_shim
from headstart.bases.architectures import HINT, check_sizes, list_unknown_settings, parse_architecture
from headstart.bases.building import building_errors
from headstart.bases.record import Stage
from headstart.bases.settings import MODEL_TYPES
from headstart.errors import DataError, list_offenders

vision_shim.prepare_torchvision()

from transformers import AutoConfig, AutoModel  # noqa: E402
from transformers.utils import logging as transformers_logging  # noqa: E402

transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()

MOST_POOLER_VALUES = 50_000_000
_UNREAD = re.compile(r"(^|\.)(pooler|mask_token|masked_spec_embed)\b")
"""Parts of a network that no feature depends on."""


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


class PooledImages(nn.Module):
    """A transformers vision network; input (n, 3, height, width), output a tuple with the final features only."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        hidden = self.net(pixel_values=pixels, return_dict=True).last_hidden_state
        return (hidden.mean((2, 3)) if hidden.ndim == 4 else hidden.mean(1),)


def build_network(architecture: Mapping[str, Any]) -> nn.Module:
    """Return the bare network with random weights; no code from outside is ever run, nothing is fetched."""
    return AutoModel.from_config(make_configuration(architecture), trust_remote_code=False)  # type: ignore[no-any-return]


def make_configuration(architecture: Mapping[str, Any]) -> Any:
    """Return the configuration of an architecture, from checked settings only."""
    config = dict(parse_architecture(architecture, "The base model")["config"])
    return AutoConfig.for_model(config.pop("model_type"), **config)


def wrap_network(net: nn.Module) -> nn.Module:
    """Make the module that gives pooled features."""
    config: Any = net.config
    return PooledText(net) if config.model_type in MODEL_TYPES["text"] else PooledImages(net)


def find_longest_list(net: nn.Module) -> tuple[str, nn.ModuleList]:
    """Return the name and the items of the longest module list: the layers; ("", empty) if there is none.

    Parameters
    ----------
    net : Module
        A network of transformers.
    """
    lists = [(name, item) for name, item in net.named_modules() if isinstance(item, nn.ModuleList)]
    return max(lists, key=lambda pair: len(pair[1]), default=("", nn.ModuleList()))


def list_stages(net: nn.Module) -> tuple[Stage, ...]:
    """List the network's blocks from input to output; together they hold every parameter once.

    The blocks are the items of the longest module list (the layers); what stands before it belongs to the first
    stage, what stands behind it to the last.
    """
    prefix, blocks = find_longest_list(net)
    groups: list[list[str]] = [[] for _ in range(len(blocks) + 2)]
    seen = False
    for name, _ in net.named_parameters():
        inside = bool(prefix) and name.startswith(f"{prefix}.")
        seen = seen or inside
        place = int(name[len(prefix) + 1 :].split(".")[0]) + 1 if inside else (len(groups) - 1 if seen else 0)
        groups[place].append(name)
    return tuple(Stage(f"stage-{number}", tuple(names)) for number, names in enumerate(groups) if names)


def convert_weights(architecture: Mapping[str, Any], tensors: Mapping[str, Tensor], place: object) -> dict[str, Tensor]:
    """Return tensors of a published checkpoint under the names of the network, in float32.

    Transformers knows how names changed over the years; it sees the tensors that were read, and no file. Tensors of a
    pooler, which no feature depends on, may be missing: they are zeros then.

    Raises
    ------
    DataError
        If the network is larger than its weights, or tensors are missing or of another shape.
    """
    check_sizes(architecture, {name: tuple(value.shape) for name, value in tensors.items()}, place)
    with building_errors(place):
        config = make_configuration(architecture)
        with torch.device("meta"):
            outline = AutoModel.from_config(config, trust_remote_code=False)
        n_values = sum(value.numel() for value in outline.state_dict().values())
        n_stored = sum(value.numel() for value in tensors.values())
        if n_values > 2 * n_stored + MOST_POOLER_VALUES:
            raise DataError(f"{place} describes a network of {n_values:,} values, its weights hold {n_stored:,}.", HINT)
        net, report = type(outline).from_pretrained(
            None, config=config, state_dict=dict(tensors), dtype=torch.float32, output_loading_info=True,
            ignore_mismatched_sizes=True,
        )  # fmt: skip
    states: dict[str, Tensor] = net.state_dict()
    mismatched = [item if isinstance(item, str) else item[0] for item in report["mismatched_keys"]]
    absent = [name for name in report["missing_keys"] if name in states]
    wrong = sorted({*mismatched, *(name for name in absent if not _UNREAD.search(name))})
    if wrong:
        raise DataError(
            f"{place} does not fit its architecture: {len(wrong)} tensors are missing or of another shape "
            f"({list_offenders(wrong)}).",
            "Check that config.json and the weights belong together.",
        )
    return {name: torch.zeros_like(value) if name in absent else value for name, value in states.items()}


def check_settings(config: Mapping[str, Any], place: object) -> None:
    """Refuse settings that transformers would read and Headstart does not know: without them features differ.

    Raises
    ------
    DataError
    """
    unknown = list_unknown_settings(config)
    if not unknown:
        return
    with building_errors(place):
        default = AutoConfig.for_model(config["model_type"])
    read = sorted(name for name, value in unknown.items() if getattr(default, name, value) != value)
    if read:
        raise DataError(
            f"{place} has settings that Headstart does not know ({list_offenders(read)}).", "Choose another base model."
        )
