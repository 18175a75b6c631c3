"""Cut a network between two blocks: the frozen trunk runs once, the tail behind the cut can be trained on what it gave.

Both halves share their parameters with the network they were cut from. A cut is checked on real rows before it is used
(`halves_agree`), so that a network with an unusual forward pass is refused instead of trained wrongly.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from headstart.bases.encoders import PooledText, find_longest_list
from headstart.bases.series_encoder import PooledSeries, SeriesTail, SeriesTrunk
from headstart.bases.vision import PooledVision

TOLERANCE = 1e-3
"""Largest relative L2 difference of the features between a network and its two halves."""


@dataclass(frozen=True)
class Halves:
    """A network in two.

    Parameters
    ----------
    trunk : Module
        Prepared arrays in; a tuple with one tensor out, (n, channels, height, width) or (n, tokens, n_dims), for
        series (n, channels, tokens, n_dims).
    tail : Module
        That tensor, and for texts the mask (n, tokens), in; final features (n, n_dims) out.
    names : tuple of str
        Parameters of the tail, as the whole network names them.
    """

    trunk: nn.Module
    tail: nn.Module
    names: tuple[str, ...]


class _Chain(nn.Module):
    """Blocks one after the other; answers with a tuple, as every backbone does."""

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, values: Tensor) -> tuple[Tensor, ...]:
        for block in self.blocks:
            values = block(values)
        return (values,)


class _ImageTail(nn.Module):
    """Blocks of a vision network, then its own pooling."""

    def __init__(self, net: Any, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.net = net
        self.blocks = nn.ModuleList(blocks)

    def forward(self, values: Tensor) -> Tensor:
        for block in self.blocks:
            values = block(values)
        features: Tensor = self.net.forward_head(values, pre_logits=True)
        return features


class _StoredEmbeddings(nn.Module):
    """Stands for the embeddings of an encoder and answers with what it was given."""

    value: Tensor | None = None

    def forward(self, *_: Any, **__: Any) -> Tensor | None:
        return self.value


class _TextTrunk(nn.Module):
    """The first layers of an encoder."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        return (self.net(input_ids=ids, attention_mask=mask, return_dict=True).last_hidden_state,)


class _TextTail(nn.Module):
    """The last layers of an encoder and the mean over the mask."""

    def __init__(self, net: nn.Module, embeddings: _StoredEmbeddings) -> None:
        super().__init__()
        self.net, self.embeddings = net, embeddings

    def compute_tokens(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Return the last layer's state of each token (n, tokens, n_dims)."""
        self.embeddings.value = hidden
        out: Tensor = self.net(input_ids=torch.zeros_like(mask), attention_mask=mask, return_dict=True)[0]
        self.embeddings.value = None
        return out

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        out = self.compute_tokens(hidden, mask)
        weight = mask[..., None].to(out.dtype)
        pooled: Tensor = (out * weight).sum(1) / weight.sum(1).clamp(min=1.0)
        return pooled


def list_image_blocks(net: Any) -> list[nn.Module]:
    """List the blocks of a timm network, input to output, without its pooling; empty for families not known here."""
    blocks: list[Any] = []
    if all(hasattr(net, name) for name in ("conv_stem", "bn1", "blocks", "conv_head", "bn2")):
        blocks = [nn.Sequential(net.conv_stem, net.bn1), *net.blocks, nn.Sequential(net.conv_head, net.bn2)]
    elif all(hasattr(net, name) for name in ("conv_stem", "bn1", "blocks", "forward_head")):
        blocks = [nn.Sequential(net.conv_stem, net.bn1), *net.blocks]
    elif all(hasattr(net, name) for name in ("conv1", "bn1", "act1", "maxpool", "layer1", "layer4")):
        stem = nn.Sequential(net.conv1, net.bn1, net.act1, net.maxpool)
        blocks = [stem, net.layer1, net.layer2, net.layer3, net.layer4]
    elif all(hasattr(net, name) for name in ("stem", "stages", "norm_pre", "forward_head")):
        blocks = [net.stem, *net.stages, net.norm_pre]
    return blocks


def _first_layers(net: Any, n_layers: int) -> nn.Module:
    """Copy an encoder's shell with its first layers only; parameters are shared."""
    path, layers = find_longest_list(net)
    return _replace_module(net, path, nn.ModuleList(layers[:n_layers]))


def _replace_module(net: nn.Module, path: str, value: nn.Module) -> nn.Module:
    """Copy the shells of the modules along a path and put another module at its end; nothing else is copied."""
    head, _, rest = path.partition(".")
    shell = copy.copy(net)
    shell._modules = dict(net._modules)
    inner = net._modules[head]
    assert inner is not None
    shell._modules[head] = _replace_module(inner, rest, value) if rest else value
    return shell


def _cut_text(module: PooledText, n_tail: int) -> Halves | None:
    net: Any = module.net
    path, layers = find_longest_list(net)
    if not path or "embeddings" not in net._modules or not 0 < n_tail < len(layers):
        return None
    n_trunk = len(layers) - n_tail
    embeddings = _StoredEmbeddings()
    shell = _replace_module(_replace_module(net, path, nn.ModuleList(layers[n_trunk:])), "embeddings", embeddings)
    names = tuple(
        f"{path}.{n_trunk + number}.{name}"
        for number, layer in enumerate(layers[n_trunk:])
        for name, _ in layer.named_parameters()
    )
    return Halves(_TextTrunk(_first_layers(net, n_trunk)), _TextTail(shell, embeddings), names)


def _cut_images(module: PooledVision, n_tail: int) -> Halves | None:
    blocks = list_image_blocks(module.net)
    if not 0 < n_tail < len(blocks):
        return None
    inside = {id(value) for block in blocks[-n_tail:] for value in block.parameters()}
    names = tuple(name for name, value in module.net.named_parameters() if id(value) in inside)
    return Halves(_Chain(blocks[:-n_tail]), _ImageTail(module.net, blocks[-n_tail:]), names)


def _cut_series(module: PooledSeries, n_tail: int) -> Halves | None:
    n_blocks = len(module.net.blocks)
    if not 0 < n_tail <= n_blocks:
        return None
    names = tuple(
        f"blocks.{number}.{name}"
        for number in range(n_blocks - n_tail, n_blocks)
        for name, _ in module.net.blocks[number].named_parameters()
    )
    return Halves(SeriesTrunk(module.net, n_tail), SeriesTail(module.net, n_tail), names)


CUTTERS: dict[type[nn.Module], Callable[[Any, int], Halves | None]] = {
    PooledText: _cut_text,
    PooledVision: _cut_images,
    PooledSeries: _cut_series,
}


def n_blocks(module: nn.Module) -> int:
    """Return the number of blocks between which a pooled network can be cut; 0 if it cannot.

    Parameters
    ----------
    module : Module
        What `Backbone.module()` gives.
    """
    if isinstance(module, PooledText):
        return len(find_longest_list(module.net)[1])
    if isinstance(module, PooledSeries):
        return 1 + len(module.net.blocks)  # The stem is the first.
    return len(list_image_blocks(module.net)) if isinstance(module, PooledVision) else 0


def cut_network(module: nn.Module, n_tail: int) -> Halves | None:
    """Return a pooled network cut before its last `n_tail` blocks; None if it cannot be cut.

    Parameters
    ----------
    module : Module
        What `Backbone.module()` gives; parameters are shared with it.
    n_tail : int
        1 to `n_blocks(module) - 1`.
    """
    cutter = CUTTERS.get(type(module))
    return cutter(module, n_tail) if cutter else None


def halves_agree(module: nn.Module, halves: Halves, rows: Sequence[Tensor]) -> bool:
    """Return whether both halves together give the features of the whole network, up to `TOLERANCE`.

    Parameters
    ----------
    module : Module
        The whole network.
    halves : Halves
    rows : sequence of Tensor
        One batch of prepared rows, as the network takes it; the first axis is the row.
    """
    with torch.no_grad():
        whole = module(*rows)[-1]
        inner = halves.trunk(*rows)[0]
        features = halves.tail(inner, *rows[1:])
    return bool((features - whole).norm() <= TOLERANCE * whole.norm())
