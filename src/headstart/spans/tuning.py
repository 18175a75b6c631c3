"""`last-stages` for spans: the last blocks of the base and a field on top, trained on cached activations.

The field starts as the one that was fitted on the frozen states (Kumar et al. 2022: fit the head first, then tune), and
is trained by its own likelihood. The trunk before the cut runs once; what it says is mapped from disk.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart import progress
from headstart.bases import BaseParts, cutting
from headstart.features.activations import ActivationCache
from headstart.features.cache import round_to_half
from headstart.records import Index
from headstart.spans.crf import Crf
from headstart.spans.records import SpanText
from headstart.spans.settings import SETTINGS
from headstart.spans.token_states import TokenEncoder, Window, batch_windows, list_mixes, pad_windows, pool_words

Array = NDArray[Any]
LAST, MIDDLE = "last", "middle"
"""Mixes of layers: the one that is trained, and the one just before the blocks that are."""


@dataclass(frozen=True, kw_only=True)
class TunedBase:
    """A base whose last blocks were trained, and the field on its last layer.

    Parameters
    ----------
    parts : BaseParts
    crf : Crf
    n_epochs : int
        Passes through the training texts that were made.
    """

    parts: BaseParts
    crf: Crf
    n_epochs: int


@dataclass(frozen=True)
class _Example:
    """A window, the activations of its tokens at the cut (n_tokens, n_dims), and the tags of the words it owns."""

    window: Window
    activations: Array
    tags: Index


class _Field(nn.Module):
    """Scores of words from their states, and the likelihood of tags."""

    def __init__(self, crf: Crf) -> None:
        super().__init__()
        assert crf.state_weights is not None
        self.weights = nn.Parameter(torch.from_numpy(crf.state_weights.copy()))
        self.bias = nn.Parameter(torch.from_numpy(crf.bias.copy()))
        self.transitions = nn.Parameter(torch.from_numpy(crf.transitions.copy()))
        self.start = nn.Parameter(torch.from_numpy(crf.start.copy()))

    def compute_loss(self, states: Sequence[Tensor], tags: Sequence[Tensor]) -> Tensor:
        """Return the negative log-likelihood of the tags of windows, summed."""
        lengths = torch.tensor([len(item) for item in tags])
        padded = nn.utils.rnn.pad_sequence(list(states), batch_first=True)
        gold = nn.utils.rnn.pad_sequence(list(tags), batch_first=True)
        scores = padded @ self.weights + self.bias
        mask = torch.arange(scores.shape[1])[None] < lengths[:, None]
        chosen = scores.gather(2, gold[..., None]).squeeze(2)
        moved = self.transitions[gold[:, :-1], gold[:, 1:]]
        reached = (chosen * mask).sum() + (moved * mask[:, 1:]).sum() + self.start[gold[:, 0]].sum()
        total = self.start + scores[:, 0]
        for step in range(1, scores.shape[1]):
            following = torch.logsumexp(total[:, :, None] + self.transitions, dim=1) + scores[:, step]
            total = torch.where(mask[:, step, None], following, total)
        return torch.logsumexp(total, dim=1).sum() - reached

    def finish(self) -> Crf:
        """Return the field as arrays."""
        arrays = [
            item.detach().numpy().astype(np.float32).copy()
            for item in (self.weights, self.bias, self.transitions, self.start)
        ]
        return Crf(state_weights=arrays[0], bias=arrays[1], transitions=arrays[2], start=arrays[3])


def tune_base(
    encoder: TokenEncoder, texts: Sequence[SpanText], tags: Sequence[Index], crf: Crf, *, seed: int, seconds: float
) -> TunedBase:
    """Train the last blocks of a base on texts.

    Parameters
    ----------
    encoder : TokenEncoder
    texts : sequence of SpanText
    tags : sequence of Index
        Numbers of the tags of the words of each text.
    crf : Crf
        Fitted on the frozen states of the last layer.
    seed : int
    seconds : float
        About how long it may take; fewer epochs are made where it does not do.
    """
    torch.manual_seed(seed)
    began = time.monotonic()
    backbone = encoder.backbone
    assert backbone.module is not None
    n_tail = len(list_mixes(cutting.n_blocks(backbone.module()))["upper"])
    halves = cutting.cut_network(backbone.module(), n_tail)
    assert halves is not None
    examples = _make_examples(encoder, (halves.trunk, n_tail), texts, tags)
    net: Any = encoder.net
    frozen = {name: value.clone() for name, value in net.state_dict().items() if name in halves.names}
    tail: Any = halves.tail.requires_grad_(True).train()
    field = _Field(crf)
    blocks = [p for name, p in tail.named_parameters() if not name.startswith("embeddings")]
    optimiser = torch.optim.AdamW(
        [
            {"params": blocks, "lr": SETTINGS.tuned_rate, "weight_decay": SETTINGS.tuned_decay},
            {"params": list(field.parameters()), "lr": SETTINGS.field_rate, "weight_decay": 0.0},
        ]
    )
    n_epochs = _train(tail, field, optimiser, examples, seed=seed, seconds=seconds - (time.monotonic() - began))
    moved = {name: net.state_dict()[name].detach().numpy().astype(np.float32).copy() for name in halves.names}
    net.load_state_dict(frozen, strict=False)  # The encoder goes on giving the states of the frozen base.
    halves.tail.requires_grad_(False).eval()
    parts = replace(backbone.parts, weights={**backbone.parts.weights, **moved})
    return TunedBase(parts=parts, crf=field.finish(), n_epochs=n_epochs)


def _train(
    tail: Any, field: _Field, optimiser: torch.optim.Optimizer, examples: Sequence[_Example], *, seed: int,
    seconds: float,
) -> int:  # fmt: skip
    """Make the passes; the rate rises for a tenth of the steps and falls to 0. Return the number of passes."""
    rng = np.random.default_rng(seed)
    batches = list(batch_windows([item.window for item in examples]))
    n_epochs = max(SETTINGS.tuned_epochs, min(-(-SETTINGS.least_steps // len(batches)), SETTINGS.most_epochs))
    began = time.monotonic()
    rates = [group["lr"] for group in optimiser.param_groups]
    step = 0
    with progress.open_bar("Last stages", n_epochs * len(batches), "batches") as bar:
        epoch = 0
        while epoch < n_epochs:
            for number in rng.permutation(len(batches)):
                position = step / (n_epochs * len(batches))
                factor = min(position / SETTINGS.warm_up_share, (1 - position) / (1 - SETTINGS.warm_up_share))
                for group, rate in zip(optimiser.param_groups, rates, strict=True):
                    group["lr"] = rate * max(factor, 0.01)
                _take_step(tail, field, optimiser, [examples[item] for item in batches[number]])
                step += 1
                bar.advance(1)
            epoch += 1
            if epoch == 1:
                affordable = int(seconds / max(time.monotonic() - began, 1e-6))
                n_epochs = max(min(n_epochs, affordable), 1)
    return epoch


def _take_step(tail: Any, field: _Field, optimiser: torch.optim.Optimizer, batch: Sequence[_Example]) -> None:
    _, mask = pad_windows([item.window for item in batch], 0)
    hidden = torch.zeros((*mask.shape, batch[0].activations.shape[1]))
    for row, item in enumerate(batch):
        hidden[row, : len(item.activations)] = torch.from_numpy(np.asarray(item.activations, dtype=np.float32))
    tokens = tail.compute_tokens(hidden, mask)
    states = [pool_words(tokens[row], item.window) for row, item in enumerate(batch)]
    loss = field.compute_loss(states, [torch.from_numpy(item.tags) for item in batch])
    optimiser.zero_grad()
    mean_loss: Any = loss / sum(len(item.tags) for item in batch)
    mean_loss.backward()
    nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], 1.0)
    optimiser.step()


def _make_examples(
    encoder: TokenEncoder, cut_trunk: tuple[nn.Module, int], texts: Sequence[SpanText], tags: Sequence[Index]
) -> list[_Example]:
    """Run a trunk, cut before so many blocks, over the windows that the cache lacks."""
    trunk, n_tail = cut_trunk
    windows = [
        (window, np.asarray(numbers[window.own[0] : window.own[1]], dtype=np.int64))
        for item, numbers in zip(texts, tags, strict=True)
        for window in encoder.cut_text(item)
        if window.own[1] > window.own[0]
    ]
    key = f"{encoder.backbone.fingerprint}|tokens before the last {n_tail}|1"
    about = {"base": f"{encoder.backbone.record.name}, tokens before its last {n_tail} blocks"}
    cache = ActivationCache(hashlib.sha256(key.encode()).hexdigest(), about)
    hashes = [hashlib.sha256(window.ids.tobytes()).hexdigest() for window, _ in windows]
    missing = set(cache.find_missing(hashes))
    first = {item: number for number, item in reversed(list(enumerate(hashes))) if item in missing}
    todo = sorted(first.values())
    with progress.open_bar("Frozen part", len(todo), "texts") as bar:
        for start in range(0, len(todo), SETTINGS.texts_at_once):
            part = todo[start : start + SETTINGS.texts_at_once]
            rows = _run_trunk(encoder, trunk, [windows[item][0] for item in part])
            cache.add_rows([hashes[item] for item in part], rows)
            bar.advance(len(part))
    activations = cache.read_rows(hashes)
    return [_Example(window, row, numbers) for (window, numbers), row in zip(windows, activations, strict=True)]


def _run_trunk(encoder: TokenEncoder, trunk: nn.Module, windows: Sequence[Window]) -> list[Array]:
    rows: list[Array] = [np.empty(0)] * len(windows)
    for batch in batch_windows(windows):
        ids, mask = pad_windows([windows[item] for item in batch], int(encoder.backbone.spec["pad_id"]))
        with torch.no_grad():
            hidden = trunk(ids, mask)[0]
        for row, item in enumerate(batch):
            rows[item] = round_to_half(hidden[row, : len(windows[item].ids)].numpy())
    return rows
