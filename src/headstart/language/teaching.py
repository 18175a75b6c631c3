"""Going on with pre-training: hidden words to guess and, for longer documents, two halves that belong together.

One step learns from about `Course.pieces` pieces. Everything random in a step comes from the seed and the number of the
step, so a training that was stopped goes on exactly where it was. Dropout stays off: there are few epochs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart import progress
from headstart.bases.encoders import find_longest_list
from headstart.language.masked import MaskedNet, autocast_bfloat16
from headstart.language.pieces import Corpus, SpecialTokens, TokenRows, cut_windows, lay_out_rows
from headstart.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from headstart.training.networks import add_low_rank, merge_low_rank

LONGEST = 64
"""Pieces of a window in training, marks included: attention is cheap there, and most sentences fit."""
HIDDEN_SHARE = 0.2
TEMPERATURE = 0.05
CHECKPOINT_SECONDS = 60.0
_LATE = 1.15
_TIMED_STEPS = 3
PARTS: dict[str, str] = {
    "head": "the head alone",
    "embeddings": "embeddings and head",
    "upper": "the upper half of the layers and the head",
    "lora": "thin matrices on the attention layers (LoRA), embeddings and head",
    "all": "everything",
}
"""What may learn."""
_THIN = ".parametrizations.weight.0."
"""In the names of the thin matrices while they are beside the weights (`headstart.training.networks.LowRank`)."""


@dataclass(frozen=True, kw_only=True)
class MaskedTrainingConfig:
    """One training.

    Parameters
    ----------
    part : str
        Key of `PARTS`.
    seconds : float
        The number of steps is set by the speed of a few, measured before, unless `steps` says it; no step begins
        more than a seventh later than this.
    seed : int
    steps : int
        0: as many as fit into `seconds`.
    pieces : int
        Pieces a step.
    rate : float
        Highest learning rate of the layers; embeddings take twice, thin matrices three, the head five times as much.
    together : float
        Weight of the second goal (two parts of one document are more alike than parts of others); 0: off.
    n_looks : int
        How often it is measured on the documents that choose; the best state is kept.
    patience : int
        Looks without a lower figure after which it stops.
    name : str
        For the bar.
    """

    part: str
    seconds: float
    seed: int = 0
    steps: int = 0
    n_tokens: int = 512
    learning_rate: float = 3e-4
    pair_weight: float = 0.1
    n_evaluations: int = 0
    patience: int = 3
    name: str = "Training"


@dataclass(kw_only=True)
class MaskedHistory:
    """How it went: steps done and planned, seconds, (step, figure) of each look, and the speed."""

    steps: int = 0
    planned_steps: int = 0
    seconds: float = 0.0
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    n_tokens: int = 0
    best_step: int = 0

    @property
    def tokens_per_second(self) -> float:
        """Give the speed."""
        return self.n_tokens / max(self.seconds, 1e-9)


Evaluate = Callable[[], float]


@dataclass(frozen=True)
class MaskedTrainingData:
    """A network, what it learns from, and how."""

    net: MaskedNet
    corpus: Corpus
    special_tokens: SpecialTokens
    config: MaskedTrainingConfig


def make_parameter_groups(net: MaskedNet, config: MaskedTrainingConfig) -> list[dict[str, Any]]:
    """Freeze what does not learn and group what does by its rate; vectors are not decayed."""
    path, layers = find_longest_list(net.encoder)
    upper = tuple(f"encoder.{path}.{number}." for number in range(len(layers) // 2, len(layers)))
    embeddings = {id(value) for value in net.encoder.get_input_embeddings().parameters()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, value in net.named_parameters():
        is_embedding, is_head, is_thin = id(value) in embeddings, name.startswith("head."), _THIN in name
        learns = {
            "head": is_head,
            "embeddings": is_head or is_embedding,
            "upper": is_head or name.startswith(upper),
            "lora": is_head or is_embedding or is_thin,
            "all": "pooler" not in name,
        }[config.part]
        value.requires_grad_(learns)
        if learns:
            rate = config.learning_rate * (5.0 if is_head else 3.0 if is_thin else 2.0 if is_embedding else 1.0)
            groups.setdefault((rate, 0.01 if value.ndim > 1 else 0.0), []).append(value)
    return [
        {"params": values, "lr": rate, "top": rate, "weight_decay": decay} for (rate, decay), values in groups.items()
    ]


def pair_windows(corpus: Corpus, special_tokens: SpecialTokens, longest: int = LONGEST) -> NDArray[np.int64]:
    """Pair neighbouring windows of one document: (n, 2, 3); a window alone has itself as partner."""
    cut = cut_windows(corpus, longest - special_tokens.n_around)
    couples: list[NDArray[np.int64]] = []
    at = 0
    while at < len(cut):
        two = at + 1 < len(cut) and cut[at + 1, 2] == cut[at, 2]
        couples.append(np.stack([cut[at], cut[at + 1] if two else cut[at]]))
        at += 2 if two else 1
    return np.stack(couples)


def draw_batches(
    couples: NDArray[np.int64], config: MaskedTrainingConfig, n_special: int
) -> Iterator[NDArray[np.int64]]:
    """Give batches of pairs for ever: shuffled anew each epoch, pairs of like length side by side."""
    longest = (couples[:, :, 1] - couples[:, :, 0]).max(axis=1) + n_special
    n_rows = np.where((couples[:, 0] == couples[:, 1]).all(axis=1), 1, 2)
    epoch = 0
    while True:
        rng = np.random.default_rng([config.seed, epoch])
        noisy = longest * rng.uniform(0.9, 1.1, len(longest))
        order = np.argsort(noisy, kind="stable")
        groups, start, width, total = [], 0, 0, 0
        for at, number in enumerate(order.tolist()):
            width, total = max(width, int(longest[number])), total + int(n_rows[number])
            if width * total > config.n_tokens and at > start:
                groups.append(order[start:at])
                start, width, total = at, int(longest[number]), int(n_rows[number])
        groups.append(order[start:])
        for place in rng.permutation(len(groups)):
            yield couples[groups[place]]
        epoch += 1


def mask_words(
    rows: TokenRows, special_tokens: SpecialTokens, n_vocabulary: int, rng: np.random.Generator
) -> tuple[Any, NDArray[np.bool_]]:
    """Hide a fifth of the words from a piece drawn at random to their end; gives ids to show and what to guess.

    Of the hidden pieces 80 % are masked, 10 % are another piece and 10 % stay (as in BERT).
    """
    n_words = int(rows.word_index.max(initial=0)) + 1
    shape = (len(rows.ids), n_words)
    lengths = np.zeros(shape, dtype=np.int64)
    row, column = np.nonzero(rows.word_index >= 0)
    np.maximum.at(lengths, (row, rows.word_index[row, column]), rows.position[row, column] + 1)
    drawn = rng.random(shape) < HIDDEN_SHARE
    drawn[np.arange(len(drawn)), rng.integers(0, np.maximum((lengths > 0).sum(axis=1), 1))] = True
    first = np.floor(rng.random(shape) * lengths).astype(np.int64)
    take = np.arange(len(rows.ids))[:, None], np.maximum(rows.word_index, 0)
    label_mask = (rows.word_index >= 0) & drawn[take] & (rows.position >= first[take])
    how = rng.random(rows.ids.shape)
    other = rng.integers(0, n_vocabulary, rows.ids.shape)
    input_ids = np.where(
        label_mask & (how < 0.8), special_tokens.mask, np.where(label_mask & (how < 0.9), other, rows.ids)
    )
    return input_ids, np.asarray(label_mask)


def compute_masked_loss(
    net: MaskedNet,
    rows: TokenRows,
    special_tokens: SpecialTokens,
    rng: np.random.Generator,
    couples: Any,
    pair_weight: float,
) -> Tensor:
    """Give the mean loss in nats a guess, plus that of telling which windows belong together."""
    input_ids, label_mask = mask_words(rows, special_tokens, len(net.embeddings), rng)
    with autocast_bfloat16():
        out = net.encode(torch.from_numpy(input_ids), torch.from_numpy(rows.mask))
        guesses = net.score_tokens(out[torch.from_numpy(label_mask)])
    loss = nn.functional.cross_entropy(guesses, torch.from_numpy(rows.ids[label_mask]))
    first, second = couples
    if pair_weight and len(first) > 3:
        weight = torch.from_numpy(rows.mask)[..., None].float()
        pooled = nn.functional.normalize((out.float() * weight).sum(1) / weight.sum(1), dim=1)
        like = pooled[first] @ pooled[second].T / TEMPERATURE
        truth = torch.arange(len(first))
        loss = loss + pair_weight * 0.5 * (
            nn.functional.cross_entropy(like, truth) + nn.functional.cross_entropy(like.T, truth)
        )
    return loss


def lay_out_pairs(
    corpus: Corpus, couples: NDArray[np.int64], special_tokens: SpecialTokens
) -> tuple[TokenRows, tuple[Tensor, Tensor]]:
    """Lay pairs out as rows; gives also which rows are the two sides of each true pair."""
    alone = (couples[:, 0] == couples[:, 1]).all(axis=1)
    two, one = couples[~alone], couples[alone][:, 0]
    rows = lay_out_rows(corpus, np.concatenate([two[:, 0], two[:, 1], one]), special_tokens)
    return rows, (torch.arange(len(two)), torch.arange(len(two)) + len(two))


def warmup_rate_factor(step: int, n_steps: int) -> float:
    """Give the share (0-1) of the highest rate: up over the first twentieth, then straight down to almost nothing."""
    rise = max(1, n_steps // 20)
    return (step + 1) / rise if step < rise else max(0.02, (n_steps - step) / max(n_steps - rise, 1))


def train_masked_net(
    net: MaskedNet,
    corpus: Corpus,
    special_tokens: SpecialTokens,
    config: MaskedTrainingConfig,
    evaluate: Evaluate | None = None,
    checkpoint: Path | None = None,
) -> MaskedHistory:
    """Train; the net then holds the state with the lowest figure of the looks, or the last one without looks.

    Thin matrices (LoRA) are merged into the weights at the end: the network keeps its shape.

    Parameters
    ----------
    net : MaskedNet
    found : Corpus
        To learn from.
    marks : Marks
    course : Course
    look : function, optional
        Gives the figure (lower is better) on documents that choose.
    kept : Path, optional
        File for checkpoints, about one a minute; if it is there, training goes on from it.
    """
    net.encoder.eval()
    adapters = add_low_rank(net.encoder, config.seed) if config.part == "lora" else {}
    optimizer = torch.optim.AdamW(make_parameter_groups(net, config), betas=(0.9, 0.98), eps=1e-6, fused=True)
    couples = pair_windows(corpus, special_tokens, min(LONGEST, net.max_tokens))
    history = MaskedHistory(planned_steps=config.steps)
    best = _BestWeights(net)
    if checkpoint is not None and checkpoint.is_file():
        _resume(checkpoint, net, optimizer, history=history, best=best)
    data = MaskedTrainingData(net, corpus, special_tokens, config)
    seconds_before, started, saved = history.seconds, time.monotonic(), time.monotonic()
    if not history.planned_steps:
        seconds = measure_seconds_per_step(data, draw_batches(couples, config, special_tokens.n_around))
        history.planned_steps = max(1, int((config.seconds - (time.monotonic() - started)) / seconds))
    between = max(1, history.planned_steps // max(config.n_evaluations, 1))
    batch_stream = draw_batches(couples, config, special_tokens.n_around)
    for _ in range(history.steps):
        next(batch_stream)
    with progress.bar(config.name, int(config.seconds), "s") as bar:
        ticked = int(seconds_before)
        bar.advance(ticked)
        while history.steps < history.planned_steps and (config.steps or history.seconds < config.seconds * _LATE):
            _step(data, optimizer, next(batch_stream), history)
            history.seconds = seconds_before + time.monotonic() - started
            if evaluate and config.n_evaluations and history.steps % between == 0:
                figure = evaluate()
                history.evaluations.append((history.steps, figure))
                best.keep(figure, history.steps)
                history.seconds = seconds_before + time.monotonic() - started
                if history.steps - best.step > config.patience * between:
                    break
            if checkpoint is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save(checkpoint, net, optimizer, history=history, best=best)
                saved = time.monotonic()
            bar.advance(min(int(history.seconds), int(config.seconds)) - ticked)
            ticked = min(int(history.seconds), int(config.seconds))
    if evaluate and config.n_evaluations and (not history.evaluations or history.evaluations[-1][0] != history.steps):
        figure = evaluate()
        history.evaluations.append((history.steps, figure))
        best.keep(figure, history.steps)
    history.best_step = best.restore() if history.evaluations else history.steps
    merge_low_rank(adapters)
    net.requires_grad_(False)
    return history


def measure_seconds_per_step(data: MaskedTrainingData, batch_stream: Iterator[NDArray[np.int64]]) -> float:
    """Time a few steps that change nothing, so that the rate can follow its plan from the first real one."""
    durations = []
    for number in range(_TIMED_STEPS):
        began = time.monotonic()
        rows, sides = lay_out_pairs(data.corpus, next(batch_stream), data.special_tokens)
        rng = np.random.default_rng(number)
        compute_masked_loss(
            data.net, rows, data.special_tokens, rng=rng, couples=sides, pair_weight=data.config.pair_weight
        ).backward()  # type: ignore[no-untyped-call]
        data.net.zero_grad(set_to_none=True)
        durations.append(time.monotonic() - began)
    return max(1.1 * float(np.mean(durations[1:])), 1e-6)


def _step(
    data: MaskedTrainingData, optimizer: torch.optim.Optimizer, couples: NDArray[np.int64], history: MaskedHistory
) -> None:
    net, corpus, special_tokens, config = data.net, data.corpus, data.special_tokens, data.config
    rng = np.random.default_rng([config.seed, 1 + history.steps, 7])
    rows, sides = lay_out_pairs(corpus, couples, special_tokens)
    for group in optimizer.param_groups:
        group["lr"] = group["top"] * warmup_rate_factor(history.steps, history.planned_steps)
    optimizer.zero_grad(set_to_none=True)
    loss = compute_masked_loss(net, rows, special_tokens, rng=rng, couples=sides, pair_weight=config.pair_weight)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([value for value in net.parameters() if value.requires_grad], 1.0)
    optimizer.step()
    history.steps += 1
    history.n_tokens += int(rows.mask.sum())


class _BestWeights:
    """The best weights so far, of the parameters that learn."""

    def __init__(self, net: MaskedNet) -> None:
        self.net, self.figure, self.step = net, math.inf, 0
        self.values: dict[str, Tensor] = {}

    def keep(self, figure: float, step: int) -> None:
        if figure < self.figure:
            self.figure, self.step = figure, step
            self.values = {
                name: value.detach().clone() for name, value in self.net.named_parameters() if value.requires_grad
            }

    def restore(self) -> int:
        own = dict(self.net.named_parameters())
        for name, value in self.values.items():
            own[name].data.copy_(value)
        return self.step


def _save(
    path: Path, net: MaskedNet, optimizer: torch.optim.Optimizer, history: MaskedHistory, best: _BestWeights
) -> None:
    document = {
        "steps": history.steps, "planned": history.planned_steps, "seconds": history.seconds,
        "looks": history.evaluations,
        "pieces": history.n_tokens, "best": [best.figure if math.isfinite(best.figure) else None, best.step],
    }  # fmt: skip
    tensors = {f"best/{name}": value for name, value in best.values.items()}
    save_checkpoint(path, net, optimizer, Checkpoint(tensors, document))


def _resume(
    path: Path, net: MaskedNet, optimizer: torch.optim.Optimizer, history: MaskedHistory, best: _BestWeights
) -> None:
    loaded = load_checkpoint(path, net, optimizer)
    if loaded is None:
        return
    tensors, document = loaded.tensors, loaded.document
    history.steps, history.planned_steps, history.seconds, history.n_tokens = (
        document["steps"], document["planned"], document["seconds"], document["pieces"],
    )  # fmt: skip
    history.evaluations = [(int(step), float(figure)) for step, figure in document["looks"]]
    figure, best.step = document["best"]
    best.figure = math.inf if figure is None else float(figure)
    best.values = {name.removeprefix("best/"): value for name, value in tensors.items()}
    progress.say(f"Going on at step {history.steps} of {history.planned_steps}.")
