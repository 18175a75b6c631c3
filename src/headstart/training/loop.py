"""The one training loop: AdamW, one learning-rate cycle, the epoch with the lowest held-out loss, or the last, is kept.

Deterministic on a CPU for a seed, a plan and a number of threads, unless `limit_seconds` cuts it. Global random state
is left as it was.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart import progress
from headstart.training import checkpoint
from headstart.training.losses import LOSSES
from headstart.training.plan import Plan

CHECKPOINT_SECONDS = 30.0
Batch = tuple[Tensor, ...]
Inputs = Callable[[Tensor, torch.Generator | None], Batch]
"""(row numbers, generator) -> network inputs; with a generator the rows are augmented."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is to be learnt.

    Parameters
    ----------
    inputs : Inputs
    targets : Tensor, int64 of shape (n_rows,), or float32 of shape (n_rows, n_outputs)
        Class codes; or 0 and 1 for each label; or values.
    train, held : Tensor of int64
        Row numbers to learn from, and to stop by (may be empty: then the last epoch is kept).
    weights : Tensor of float32, shape (n_outputs,)
        Of the classes; for values one over their variance.
    kind : str
        Key of `headstart.training.losses.LOSSES`.
    """

    inputs: Inputs
    targets: Tensor
    train: Tensor
    held: Tensor
    weights: Tensor
    kind: str = "classification"


@dataclass(frozen=True)
class Trained:
    """How it went; the network holds the weights of `best_epoch` (counted from 1), or of the last one if so planned."""

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


def autocast(plan: Plan) -> contextlib.AbstractContextManager[Any]:
    """Give the context in which a plan's multiplications are done."""
    if not plan.half:
        return contextlib.nullcontext()
    kind = torch.bfloat16 if plan.device == "cpu" or torch.cuda.is_bf16_supported() else torch.float16
    return torch.autocast(plan.device, kind)


@contextlib.contextmanager
def threads(n_threads: int) -> Iterator[None]:
    """Work with so many threads of the processor (0: as it is)."""
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def placed(batch: Batch, device: str) -> Batch:
    """Put a batch on the device."""
    if device == "cpu":
        return batch
    return tuple(part.pin_memory().to(device, non_blocking=True) if device == "cuda" else part.to(device)
                 for part in batch)  # fmt: skip


def teach(net: nn.Module, plan: Plan) -> None:
    """Set a network to learning; batch norms and dropout stay as they are in use where the plan says so."""
    net.train()
    for module in net.modules() if plan.frozen_statistics else ():
        if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd):
            module.eval()


def loss_of(net: nn.Module, lesson: Lesson, rows: Tensor, plan: Plan, generator: torch.Generator | None) -> Tensor:
    """Give the mean loss on some rows; with a generator, as the plan says, of rows that are mixed in pairs."""
    inputs = placed(lesson.inputs(rows, generator), plan.device)
    parts = [(1.0, rows)]
    if plan.mixup and generator is not None:
        share, order = float(torch.rand(1, generator=generator)), torch.randperm(len(rows), generator=generator)
        inputs = tuple(torch.lerp(part[order], part, share) for part in inputs)
        parts = [(share, rows), (1 - share, rows[order])]
    with autocast(plan):
        scores = net(*inputs).float()
    weights, mean = lesson.weights.to(plan.device), LOSSES[lesson.kind].mean
    losses = [
        share * mean(scores, lesson.targets[some].to(plan.device), weights, plan.label_smoothing)
        for share, some in parts
    ]
    return torch.stack(losses).sum()


def step(
    net: nn.Module, lesson: Lesson, rows: Tensor, made: torch.optim.Optimizer, plan: Plan, generator: torch.Generator
) -> None:
    """Learn from one batch, in parts where the plan bounds the rows at once."""
    made.zero_grad(set_to_none=True)
    for part in torch.split(rows, plan.rows_at_once or len(rows)):
        loss = loss_of(net, lesson, part, plan=plan, generator=generator) * (len(part) / len(rows))
        loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    made.step()


def predict(net: nn.Module, inputs: Inputs, rows: Tensor, batch_size: int, device: str = "cpu") -> Tensor:
    """Give scores (n_rows, n_outputs) without learning."""
    net.eval()
    with torch.inference_mode():
        parts = [net(*placed(inputs(part, None), device)).float().cpu() for part in torch.split(rows, batch_size)]
    return torch.cat(parts)


def held_loss(net: nn.Module, lesson: Lesson, plan: Plan) -> float:
    """Give the weighted mean loss on the held-out rows (NaN if there are none)."""
    if len(lesson.held) == 0:
        return math.nan
    found = predict(net, lesson.inputs, lesson.held, batch_size=plan.batch_size, device=plan.device)
    return float(LOSSES[lesson.kind].mean(found, lesson.targets[lesson.held], lesson.weights, 0.0))


@dataclass(kw_only=True)
class _Progress:
    """How far a training is; all of it goes into a checkpoint."""

    epoch: int = 0
    best: int = 0
    best_loss: float = math.inf
    losses: list[float] = field(default_factory=list)
    kept: dict[str, Tensor] = field(default_factory=dict)


class _Training:
    """One network learning one lesson."""

    def __init__(self, net: nn.Module, lesson: Lesson, plan: Plan, path: Path | None) -> None:
        self.net, self.lesson, self.plan, self.path = net, lesson, plan, path
        self.generator = torch.Generator().manual_seed(plan.seed)
        self.made = optimiser(net, plan)
        self.at = _Progress()
        self.saved = time.monotonic()
        n_batches = len(batches(lesson.train, plan.batch_size, torch.Generator().manual_seed(0)))
        n_steps = plan.epochs * n_batches
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.made, lambda at: cycle(at, n_steps))
        found = checkpoint.load(path, net, self.made) if path else None
        if found is not None:
            tensors, said = found
            self.generator.set_state(tensors.pop("generator"))
            torch.set_rng_state(tensors.pop("global"))
            self.at = _Progress(**said, kept=tensors)
            self.schedule.last_epoch = self.at.epoch * n_batches
            for group, rate in zip(self.made.param_groups, self.schedule.base_lrs, strict=True):
                group["lr"] = rate * cycle(self.schedule.last_epoch, n_steps)

    def epoch(self) -> None:
        """Go through the rows once and judge."""
        plan, at = self.plan, self.at
        teach(self.net, plan)
        for rows in batches(self.lesson.train, plan.batch_size, self.generator):
            step(self.net, self.lesson, rows, made=self.made, plan=plan, generator=self.generator)
            self.schedule.step()
        at.epoch += 1
        at.losses.append(held_loss(self.net, self.lesson, plan))
        if plan.keep == "last" or not at.losses[-1] >= at.best_loss:
            at.best, at.best_loss = at.epoch, at.losses[-1] if math.isfinite(at.losses[-1]) else math.inf
            if plan.keep == "best":
                at.kept = {key: value.detach().clone() for key, value in self.net.state_dict().items()}
        if self.path and time.monotonic() - self.saved > CHECKPOINT_SECONDS:
            said = {"epoch": at.epoch, "best": at.best, "best_loss": at.best_loss, "losses": at.losses}
            tensors = {**at.kept, "generator": self.generator.get_state(), "global": torch.get_rng_state()}
            checkpoint.save(self.path, self.net, self.made, tensors=tensors, said=said)
            self.saved = time.monotonic()


def train(net: nn.Module, lesson: Lesson, plan: Plan, name: str = "training", path: Path | None = None) -> Trained:
    """Train a network in place.

    Parameters
    ----------
    net : nn.Module
        Gives scores (n, n_outputs) for the inputs of a batch.
    lesson : Lesson
    plan : Plan
    name : str
        What the progress bar says.
    path : Path or None
        Where a checkpoint is kept, at most every 30 seconds; one that is there is gone on from.

    Returns
    -------
    Trained
        The network comes back on the CPU.
    """
    began = time.monotonic()
    with torch.random.fork_rng(devices=[]), threads(plan.threads), progress.bar(name, plan.epochs, "epochs") as bar:
        torch.manual_seed(plan.seed)
        net.to(plan.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # Halves convolutions.
        training = _Training(net, lesson, plan, path)
        bar.advance(training.at.epoch)
        at = training.at
        while at.epoch < plan.epochs:
            training.epoch()
            bar.advance()
            if at.epoch - at.best >= plan.patience or time.monotonic() - began > plan.limit_seconds:
                break
        if at.kept:
            net.load_state_dict(at.kept)
        net.cpu().eval()
    if path:
        path.unlink(missing_ok=True)
    return Trained(at.best, len(at.losses), tuple(at.losses))


def seconds_per_row(net: nn.Module, lesson: Lesson, plan: Plan, n_batches: int = 3) -> float:
    """Time a few steps at a learning rate of zero; weights stay, batch-norm averages may move."""
    net.to(plan.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser(net, plan)  # Freezes what the plan freezes.
    made = torch.optim.SGD([value for value in net.parameters() if value.requires_grad], lr=0.0)
    generator = torch.Generator().manual_seed(0)
    some = batches(lesson.train, plan.batch_size, generator)[: n_batches + 1]
    some = (some * (n_batches + 1))[: n_batches + 1]
    seconds = 0.0
    with torch.random.fork_rng(devices=[]), threads(plan.threads):
        teach(net, plan)
        for number, rows in enumerate(some):
            began = time.monotonic()
            step(net, lesson, rows, made=made, plan=plan, generator=generator)
            seconds += (time.monotonic() - began) / len(rows) if number else 0.0
    return seconds / n_batches
