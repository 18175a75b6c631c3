"""The one training loop: AdamW, one learning-rate cycle, the epoch with the lowest held-out loss is kept.

Deterministic on a CPU for a seed, a plan and a number of threads, unless `limit_seconds` cuts it. Global random state
is left as it was.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart import progress
from headstart.training.plan import Plan

Batch = tuple[Tensor, ...]
Inputs = Callable[[Tensor, torch.Generator | None], Batch]
"""(row numbers, generator) -> network inputs; with a generator the rows are augmented."""


@dataclass(frozen=True)
class Lesson:
    """What is to be learnt.

    Parameters
    ----------
    inputs : Inputs
    codes : Tensor of int64, shape (n_rows,)
    train, held : Tensor of int64
        Row numbers to learn from, and to stop by (may be empty: then the last epoch is kept).
    class_weights : Tensor of float32, shape (n_classes,)
    """

    inputs: Inputs
    codes: Tensor
    train: Tensor
    held: Tensor
    class_weights: Tensor


@dataclass(frozen=True)
class Trained:
    """How it went; the network holds the weights of `best_epoch` (counted from 1)."""

    best_epoch: int
    epochs: int
    held_losses: tuple[float, ...]


def optimiser(net: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """Make AdamW with one group a prefix; vectors (norms, biases) are not decayed; the rest is frozen."""
    longest = sorted(plan.groups, key=lambda group: -len(group.prefix))
    found: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        group = next((group for group in longest if name.startswith(group.prefix)), None)
        parameter.requires_grad_(group is not None)
        if group is not None:
            decay = plan.weight_decay if parameter.ndim > 1 else 0.0
            found.setdefault((group.learning_rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": values, "lr": rate, "weight_decay": decay} for (rate, decay), values in found.items()]
    )


def cycle(step: int, n_steps: int) -> float:
    """Give the share (0-1) of the learning rate: a rise over the first quarter, then half a cosine to almost zero."""
    rise = max(1, n_steps // 4)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, n_steps - rise))) * 0.999 + 0.001


def batches(rows: Tensor, size: int, generator: torch.Generator) -> list[Tensor]:
    """Cut shuffled rows into batches; a last batch of one row joins the one before (batch norms need two)."""
    shuffled = rows[torch.randperm(len(rows), generator=generator)]
    cut = list(torch.split(shuffled, size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [torch.cat(cut[-2:])]
    return cut


def step(net: nn.Module, lesson: Lesson, rows: Tensor, made: torch.optim.Optimizer, generator: torch.Generator) -> None:
    """Learn from one batch."""
    scores = net(*lesson.inputs(rows, generator))
    loss = functional.cross_entropy(scores, lesson.codes[rows], weight=lesson.class_weights, label_smoothing=0.05)
    made.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    made.step()


def predict(net: nn.Module, inputs: Inputs, rows: Tensor, batch_size: int) -> Tensor:
    """Give log-probabilities (n_rows, n_classes) without learning."""
    net.eval()
    with torch.inference_mode():
        parts = [functional.log_softmax(net(*inputs(part, None)), dim=1) for part in torch.split(rows, batch_size)]
    return torch.cat(parts)


def held_loss(net: nn.Module, lesson: Lesson, batch_size: int) -> float:
    """Give the weighted mean log-loss on the held-out rows (NaN if there are none)."""
    if len(lesson.held) == 0:
        return math.nan
    found = predict(net, lesson.inputs, lesson.held, batch_size)
    return float(functional.nll_loss(found, lesson.codes[lesson.held], weight=lesson.class_weights))


def train(net: nn.Module, lesson: Lesson, plan: Plan, name: str = "training") -> Trained:
    """Train a network in place.

    Parameters
    ----------
    net : nn.Module
        Gives scores (n, n_classes) for the inputs of a batch.
    lesson : Lesson
    plan : Plan
    name : str
        What the progress bar says.

    Returns
    -------
    Trained
    """
    began = time.monotonic()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        return _epochs(net, lesson, plan, name, began)


def _epochs(net: nn.Module, lesson: Lesson, plan: Plan, name: str, began: float) -> Trained:
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # Halves the time of convolutions.
    generator = torch.Generator().manual_seed(plan.seed)
    made = optimiser(net, plan)
    n_steps = plan.epochs * len(batches(lesson.train, plan.batch_size, torch.Generator().manual_seed(0)))
    schedule = torch.optim.lr_scheduler.LambdaLR(made, lambda at: cycle(at, n_steps))
    losses: list[float] = []
    best, best_loss, kept = 0, math.inf, {}
    with progress.bar(name, plan.epochs, "epochs") as bar:
        for epoch in range(1, plan.epochs + 1):
            net.train()
            for rows in batches(lesson.train, plan.batch_size, generator):
                step(net, lesson, rows, made, generator)
                schedule.step()
            losses.append(held_loss(net, lesson, plan.batch_size))
            bar.advance()
            if not losses[-1] >= best_loss:
                best, best_loss = epoch, losses[-1] if math.isfinite(losses[-1]) else math.inf
                kept = {key: value.detach().clone() for key, value in net.state_dict().items()}
            if epoch - best >= plan.patience or time.monotonic() - began > plan.limit_seconds:
                break
    net.load_state_dict(kept)
    net.eval()
    return Trained(best, len(losses), tuple(losses))


def seconds_per_row(net: nn.Module, lesson: Lesson, batch_size: int, n_batches: int = 3) -> float:
    """Time a few steps on a copy's worth of gradients (learning rate zero); weights stay, batch-norm averages move."""
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    made = torch.optim.SGD(net.parameters(), lr=0.0)
    generator = torch.Generator().manual_seed(0)
    some = batches(lesson.train, batch_size, generator)[: n_batches + 1]
    some = (some * (n_batches + 1))[: n_batches + 1]
    seconds = 0.0
    with torch.random.fork_rng(devices=[]):
        net.train()
        for number, rows in enumerate(some):
            began = time.monotonic()
            step(net, lesson, rows, made, generator)
            seconds += (time.monotonic() - began) / len(rows) if number else 0.0
    return seconds / n_batches
