"""Continued pre-training: masked words and, for longer documents, matching the two halves of a pair of windows.

One step trains on about `MaskedTrainingConfig.n_tokens` tokens. All random numbers of a step come from the seed and
the number of the step, so a stopped training is resumed exactly. Dropout stays off: there are few epochs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart import progress
from headstart.bases.encoders import find_longest_list
from headstart.language.masked import MaskedNet, autocast_bfloat16
from headstart.language.settings import SETTINGS
from headstart.language.tokens import Corpus, SpecialTokens, TokenRows, cut_windows, lay_out_rows
from headstart.training.config import ParameterGroup
from headstart.training.loop import group_parameters
from headstart.training.networks import add_low_rank, merge_low_rank
from headstart.training.run import TrainingRun

CHECKPOINT_SECONDS = 60.0
PARTS: dict[str, str] = {
    "head": "the head alone",
    "embeddings": "embeddings and head",
    "upper": "the upper half of the layers and the head",
    "lora": "thin matrices on the attention layers (LoRA), embeddings and head",
    "all": "everything",
}
"""Parts of the network that can be trained."""
_ADAPTER = ".parametrizations.weight.0."
"""In the names of low-rank updates that are not merged (`headstart.training.networks.LowRank`)."""


@dataclass(frozen=True, kw_only=True)
class MaskedTrainingConfig:
    """The config of one training.

    Parameters
    ----------
    part : str
        Key of `PARTS`.
    seconds : float
        Time; it sets the number of steps by the measured speed, unless `steps` is given. No step begins more than a
        seventh later.
    seed : int
    steps : int
        0: as many as fit into `seconds`.
    n_tokens : int
        Tokens per step.
    learning_rate : float
        Highest learning rate of the layers; embeddings take twice, low-rank updates three, the head five times as much.
    pair_weight : float
        Weight of the second loss (windows of one document are more similar than those of others); 0: off.
    n_evaluations : int
        Number of evaluations on the development documents; the best weights are kept.
    patience : int
        Evaluations without a lower figure after which training stops.
    name : str
        Label of the progress bar.
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


@dataclass(frozen=True, kw_only=True)
class MaskedHistory:
    """The history of a training: steps done and planned, seconds, (step, figure) of each evaluation, and the speed."""

    steps: int
    planned_steps: int
    seconds: float
    evaluations: tuple[tuple[int, float], ...]
    n_tokens: int
    best_step: int

    @property
    def tokens_per_second(self) -> float:
        """Return the speed."""
        return self.n_tokens / max(self.seconds, 1e-9)


Evaluate = Callable[[], float]


@dataclass(frozen=True)
class MaskedTrainingData:
    """A network, what it learns from, and how."""

    net: MaskedNet
    corpus: Corpus
    special_tokens: SpecialTokens
    config: MaskedTrainingConfig


def list_parameter_groups(net: MaskedNet, config: MaskedTrainingConfig) -> list[ParameterGroup]:
    """Return the parameters that are trained, each with its highest learning rate."""
    path, layers = find_longest_list(net.encoder)
    upper = tuple(f"encoder.{path}.{number}." for number in range(len(layers) // 2, len(layers)))
    embeddings = {id(value) for value in net.encoder.get_input_embeddings().parameters()}
    groups: list[ParameterGroup] = []
    for name, value in net.named_parameters():
        is_embedding, is_head, is_adapter = id(value) in embeddings, name.startswith("head."), _ADAPTER in name
        is_trained = {
            "head": is_head,
            "embeddings": is_head or is_embedding,
            "upper": is_head or name.startswith(upper),
            "lora": is_head or is_embedding or is_adapter,
            "all": "pooler" not in name,
        }[config.part]
        if is_trained:
            factor = 5.0 if is_head else 3.0 if is_adapter else 2.0 if is_embedding else 1.0
            groups.append(ParameterGroup(name, config.learning_rate * factor))
    return groups


def pair_windows(
    corpus: Corpus, special_tokens: SpecialTokens, longest: int = SETTINGS.window_tokens
) -> NDArray[np.int64]:
    """Return pairs of neighbouring windows of one document: (n, 2, 3); a window alone is its own partner."""
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
    """Yield batches of pairs for ever: shuffled anew each epoch, pairs of similar length together."""
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
    """Return input ids with a fifth of the words hidden from a random token to their end, and the mask of the labels.

    Of the hidden tokens 80 % are masked, 10 % are another token and 10 % stay (as in BERT).
    """
    n_words = int(rows.word_index.max(initial=0)) + 1
    shape = (len(rows.ids), n_words)
    lengths = np.zeros(shape, dtype=np.int64)
    row, column = np.nonzero(rows.word_index >= 0)
    np.maximum.at(lengths, (row, rows.word_index[row, column]), rows.position[row, column] + 1)
    drawn = rng.random(shape) < SETTINGS.hidden_share
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
    """Return the mean loss in nats per hidden token, plus that of finding which windows belong together."""
    input_ids, label_mask = mask_words(rows, special_tokens, len(net.embeddings), rng)
    with autocast_bfloat16():
        out = net.encode(torch.from_numpy(input_ids), torch.from_numpy(rows.mask))
        guesses = net.score_tokens(out[torch.from_numpy(label_mask)])
    loss = nn.functional.cross_entropy(guesses, torch.from_numpy(rows.ids[label_mask]))
    first, second = couples
    if pair_weight and len(first) > 3:
        weight = torch.from_numpy(rows.mask)[..., None].float()
        pooled = nn.functional.normalize((out.float() * weight).sum(1) / weight.sum(1), dim=1)
        like = pooled[first] @ pooled[second].T / SETTINGS.contrast_temperature
        truth = torch.arange(len(first))
        loss = loss + pair_weight * 0.5 * (
            nn.functional.cross_entropy(like, truth) + nn.functional.cross_entropy(like.T, truth)
        )
    return loss


def lay_out_pairs(
    corpus: Corpus, couples: NDArray[np.int64], special_tokens: SpecialTokens
) -> tuple[TokenRows, tuple[Tensor, Tensor]]:
    """Return pairs laid out as rows, and the row numbers of both sides of each true pair."""
    alone = (couples[:, 0] == couples[:, 1]).all(axis=1)
    two, one = couples[~alone], couples[alone][:, 0]
    rows = lay_out_rows(corpus, np.concatenate([two[:, 0], two[:, 1], one]), special_tokens)
    return rows, (torch.arange(len(two)), torch.arange(len(two)) + len(two))


def compute_warmup_rate_factor(step: int, n_steps: int) -> float:
    """Return the factor (0-1) of the learning rate: up over the first twentieth, then linearly down to 0.02."""
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
    """Train a network in place; it then has the weights with the lowest figure, or the last ones without evaluations.

    Low-rank updates are merged into the weights at the end.

    Parameters
    ----------
    net : MaskedNet
    corpus : Corpus
    special_tokens : SpecialTokens
    config : MaskedTrainingConfig
    evaluate : function, optional
        Returns the figure (lower is better) on the development documents.
    checkpoint : Path, optional
        Checkpoint file, written about once a minute; an existing one is resumed.
    """
    net.encoder.eval()
    adapters = add_low_rank(net.encoder, config.seed) if config.part == "lora" else {}
    groups = group_parameters(net, list_parameter_groups(net, config), SETTINGS.weight_decay)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), eps=1e-6, fused=True)
    run = TrainingRun(net, optimizer, rate_factor=compute_warmup_rate_factor, n_steps=config.steps, path=checkpoint)
    training = _MaskedTraining(MaskedTrainingData(net, corpus, special_tokens, config), run, evaluate)
    training.plan_steps()
    training.train()
    run.restore_best()
    merge_low_rank(adapters)
    net.requires_grad_(False)
    return training.make_history()


class _MaskedTraining:
    """Training by steps, for a given time."""

    def __init__(self, data: MaskedTrainingData, run: TrainingRun, evaluate: Evaluate | None) -> None:
        self.data, self.run = data, run
        self.evaluate = evaluate if data.config.n_evaluations else None
        self.couples = pair_windows(data.corpus, data.special_tokens, min(SETTINGS.window_tokens, data.net.max_tokens))
        self.n_tokens, self.seconds_before = 0, 0.0
        resumed = run.resume()
        if resumed is not None:
            self.n_tokens, self.seconds_before = resumed.document["n_tokens"], resumed.document["seconds"]
            progress.say(f"Continuing at step {run.state.step} of {run.n_steps}.")
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Return the seconds of training, those before a resumed checkpoint included."""
        return self.seconds_before + time.monotonic() - self.started

    def draw_batches(self) -> Iterator[NDArray[np.int64]]:
        """Return the stream of batches, from its beginning."""
        return draw_batches(self.couples, self.data.config, self.data.special_tokens.n_around)

    def plan_steps(self) -> None:
        """Set the number of steps by the measured speed, unless it is known."""
        if not self.run.n_steps:
            seconds = measure_seconds_per_step(self.data, self.draw_batches())
            left = self.data.config.seconds - (time.monotonic() - self.started)
            self.run.n_steps = max(1, int(left / seconds))

    def train(self) -> None:
        """Run all steps that fit the time, with evaluations and checkpoints."""
        config, run, state = self.data.config, self.run, self.run.state
        between = max(1, run.n_steps // max(config.n_evaluations, 1))
        batch_stream = self.draw_batches()
        for _ in range(state.step):
            next(batch_stream)
        with progress.open_bar(config.name, int(config.seconds), "s") as bar:
            ticked = int(self.seconds)
            bar.advance(ticked)
            while state.step < run.n_steps and (config.steps or self.seconds < config.seconds * SETTINGS.late_factor):
                self.take_step(next(batch_stream))
                if self.evaluate and state.step % between == 0:
                    self.record_evaluation(self.evaluate)
                    if state.step - state.best_step > config.patience * between:
                        break
                run.save_if_due(CHECKPOINT_SECONDS, {}, {"seconds": self.seconds, "n_tokens": self.n_tokens})
                seconds = min(int(self.seconds), int(config.seconds))
                bar.advance(seconds - ticked)
                ticked = seconds
        if self.evaluate and (not state.evaluations or state.evaluations[-1][0] != state.step):
            self.record_evaluation(self.evaluate)

    def take_step(self, couples: NDArray[np.int64]) -> None:
        """Train on one batch of pairs."""
        rows, sides = lay_out_pairs(self.data.corpus, couples, self.data.special_tokens)
        self.run.take_step(self._compute_losses(rows, sides))
        self.n_tokens += int(rows.mask.sum())

    def _compute_losses(self, rows: TokenRows, sides: tuple[Tensor, Tensor]) -> Iterator[Tensor]:
        data, config = self.data, self.data.config
        rng = np.random.default_rng([config.seed, 1 + self.run.state.step, 7])
        yield compute_masked_loss(
            data.net, rows, data.special_tokens, rng=rng, couples=sides, pair_weight=config.pair_weight
        )

    def record_evaluation(self, evaluate: Evaluate) -> None:
        """Record an evaluation, and keep the weights if they are the best so far."""
        figure = evaluate()
        self.run.record_evaluation(figure, is_best=figure < self.run.state.best_loss, keep_weights=True)

    def make_history(self) -> MaskedHistory:
        """Return the history."""
        state = self.run.state
        return MaskedHistory(
            steps=state.step,
            planned_steps=self.run.n_steps,
            seconds=self.seconds,
            evaluations=tuple(state.evaluations),
            n_tokens=self.n_tokens,
            best_step=state.best_step if state.evaluations else state.step,
        )


def measure_seconds_per_step(data: MaskedTrainingData, batch_stream: Iterator[NDArray[np.int64]]) -> float:
    """Measure the seconds of a few steps that change nothing, so that the learning rate can follow its plan."""
    durations = []
    for number in range(SETTINGS.timed_steps):
        started = time.monotonic()
        rows, sides = lay_out_pairs(data.corpus, next(batch_stream), data.special_tokens)
        rng = np.random.default_rng(number)
        compute_masked_loss(
            data.net, rows, data.special_tokens, rng=rng, couples=sides, pair_weight=data.config.pair_weight
        ).backward()  # type: ignore[no-untyped-call]
        data.net.zero_grad(set_to_none=True)
        durations.append(time.monotonic() - started)
    return max(1.1 * float(np.mean(durations[1:])), 1e-6)
