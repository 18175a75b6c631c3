"""An encoder with a masked-token head, and where such heads come from."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.bases import Backbone, BaseParts, BaseRequest, load_base
from headstart.bases.folder import WEIGHTS, read_weights
from headstart.bases.record import Array
from headstart.features.torch_runtime import cpu_has_bfloat16

HEAD_FILE = "masked_head.safetensors"
_NAMES = ("dense.weight", "dense.bias", "norm.weight", "norm.bias", "bias")
_FAMILIES = (
    tuple(
        f"cls.predictions.{name}"
        for name in (
            "transform.dense.weight", "transform.dense.bias", "transform.LayerNorm.weight",
            "transform.LayerNorm.bias", "bias",
        )
    ),
    tuple(
        f"lm_head.{name}" for name in ("dense.weight", "dense.bias", "layer_norm.weight", "layer_norm.bias", "bias")
    ),
    (
        "vocab_transform.weight", "vocab_transform.bias", "vocab_layer_norm.weight", "vocab_layer_norm.bias",
        "vocab_projector.bias",
    ),
)  # fmt: skip
"""The same five tensors as BERT, RoBERTa and DistilBERT name them."""


class MaskedHead(nn.Module):
    """BERT's head: linear, GELU, layer norm, then the product with the input embeddings plus a bias per token."""

    def __init__(self, n_dims: int, n_inner: int, n_pieces: int) -> None:
        super().__init__()
        self.dense = nn.Linear(n_dims, n_inner)
        self.norm = nn.LayerNorm(n_inner)
        self.bias = nn.Parameter(torch.zeros(n_pieces))

    def forward(self, hidden: Tensor, embeddings: Tensor) -> Tensor:
        inner = self.norm(nn.functional.gelu(self.dense(hidden)))
        return nn.functional.linear(inner, embeddings) + self.bias


class MaskedNet(nn.Module):
    """Encoder and head.

    Parameters
    ----------
    encoder : Module
        A transformers encoder.
    head : MaskedHead
    """

    def __init__(self, encoder: Any, head: MaskedHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    @property
    def embeddings(self) -> Tensor:
        """Input embeddings (n_pieces, n_inner), which are the output embeddings too."""
        embeddings: Tensor = self.encoder.get_input_embeddings().weight
        return embeddings

    @property
    def max_tokens(self) -> int:
        """Return the tokens that fit into a row, special tokens included (two positions are reserved as in RoBERTa)."""
        return int(getattr(self.encoder.config, "max_position_embeddings", 0) or 512) - 2

    def encode(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return the last layer (n_rows, n_tokens, n_dims)."""
        states: Tensor = self.encoder(input_ids=ids, attention_mask=mask, return_dict=True).last_hidden_state
        return states

    def score_tokens(self, hidden: Tensor) -> Tensor:
        """Return logits (m, n_vocabulary) for positions (m, n_dims)."""
        scores: Tensor = self.head(hidden, self.embeddings)
        return scores.float()


@dataclass(frozen=True)
class MaskedBase:
    """A text base: its parts, its network (frozen) and its own masked-token head, if it has one."""

    backbone: Backbone
    head: Mapping[str, Array] | None

    @property
    def parts(self) -> BaseParts:
        """Everything needed to build it again."""
        return self.backbone.parts


def open_base(reference: str, offline: bool) -> MaskedBase:
    """Load a text base by name, `file:...`, `hf:...` or `default`, with its head if one lies beside its weights.

    Parameters
    ----------
    reference : str
    offline : bool
        Whether downloads are refused.
    """
    backbone = load_base(reference, BaseRequest(modality="text", offline=offline))
    source, _, rest = reference.partition(":")
    folder: Path | None = None
    if source in ("file", "hf") and rest:
        path = Path(rest).expanduser()
        folder = path.parent if path.suffix == ".safetensors" else path
        if source == "hf" and not folder.is_dir():
            folder = import_module("headstart.bases.hub").fetch_repository(rest, offline)
    return MaskedBase(backbone, None if folder is None else _read_head(folder))


def _read_head(folder: Path) -> Mapping[str, Array] | None:
    if (folder / HEAD_FILE).is_file():
        return read_weights(folder / HEAD_FILE)
    if not (folder / WEIGHTS).is_file():
        return None
    weights = read_weights(folder / WEIGHTS)
    for family in _FAMILIES:
        if all(name in weights for name in family):
            return dict(zip(_NAMES, (weights[name] for name in family), strict=True))
    return None


def build_masked_net(base: MaskedBase, counts: Array, seed: int) -> MaskedNet:
    """Make the network with its head; a head that is not there starts anew.

    Parameters
    ----------
    base : MaskedBase
    counts : array, shape (n_pieces,)
        Counts of the tokens: a new head starts with these frequencies.
    seed : int
        Of a new head.
    """
    assert base.backbone.module is not None
    encoder = copy.deepcopy(base.backbone.module().net)
    return attach_head(encoder, base.head, counts, seed)


def attach_head(encoder: Any, head: Mapping[str, Array] | None, counts: Array, seed: int) -> MaskedNet:
    """Return an encoder with a head: the one given if it fits, else a new one."""
    encoder.eval().requires_grad_(False)
    n_pieces, n_inner = encoder.get_input_embeddings().weight.shape
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        new_head = MaskedHead(int(encoder.config.hidden_size), int(n_inner), int(n_pieces))
    probabilities = (counts + 0.1) / (counts + 0.1).sum()
    new_head.bias.data = torch.from_numpy(np.log(probabilities).astype(np.float32))
    scale = float(encoder.get_input_embeddings().weight.norm(dim=1).mean())
    new_head.norm.weight.data.fill_(min(1.0, 0.3 / max(scale, 1e-6)))
    if head is not None and len(head["bias"]) == n_pieces:
        new_head.load_state_dict({name: torch.from_numpy(np.array(head[name])) for name in _NAMES})
    return MaskedNet(encoder, new_head).eval()


def copy_head_arrays(net: MaskedNet) -> dict[str, Array]:
    """Return the head as plain arrays."""
    return {name: value.detach().float().numpy().copy() for name, value in net.head.state_dict().items()}


def autocast_bfloat16() -> contextlib.AbstractContextManager[Any]:
    """Return the autocast context: bfloat16 if the processor has it."""
    return torch.autocast("cpu", torch.bfloat16) if cpu_has_bfloat16() else contextlib.nullcontext()
