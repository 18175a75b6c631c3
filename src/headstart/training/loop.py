"""The one training loop: AdamW, one learning-rate cycle; keeps the epoch with the lowest validation loss, or the last.

Deterministic on a CPU for a seed, a config and a number of threads, unless `limit_seconds` stops it. Global random
state is not changed.
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
from headstart.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from headstart.training.config import TrainingConfig
from headstart.training.losses import LOSSES

CHECKPOINT_SECONDS = 30.0
Batch = tuple[Tensor, ...]
Inputs = Callable[[Tensor, torch.Generator | None], Batch]
"""(row numbers, generator) -> network inputs; with a generator the rows are augmented."""


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """The data of a training, and its loss.

    Parameters
    ----------
    inputs : Inputs
    targets : Tensor, int64 of shape (n_rows,), or float32 of shape (n_rows, n_outputs)
        Class indices; or 0 and 1 for each label; or values.
    train_rows, validation_rows : Tensor of int64
        Row numbers. Without validation rows the last epoch is kept.
    output_weights : Tensor of float32, shape (n_outputs,)
        Class weights; for values one over their variance.
    loss_name : str
        Key of `headstart.training.losses.LOSSES`.
    """

    inputs: Inputs
    targets: Tensor
    train_rows: Tensor
    validation_rows: Tensor
    output_weights: Tensor
    loss_name: str = "classification"


@dataclass(frozen=True)
class History:
    """The history of a training; the network has the weights of `best_epoch` (counted from 1)."""

    best_epoch: int
    epochs: int
    validation_losses: tuple[float, ...]


def build_optimizer(net: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return AdamW for the groups of a config; vectors (norms, biases) are not decayed; all else is frozen."""
    longest = sorted(config.groups, key=lambda group: -len(group.prefix))
    parameters_of: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        group = next((group for group in longest if name.startswith(group.prefix)), None)
        parameter.requires_grad_(group is not None)
        if group is not None:
            decay = config.weight_decay if parameter.ndim > 1 else 0.0
            parameters_of.setdefault((group.learning_rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": values, "lr": rate, "weight_decay": decay} for (rate, decay), values in parameters_of.items()]
    )


def rate_factor(step: int, n_steps: int) -> float:
    """Return the factor (0-1) of the learning rate: a rise over the first quarter, then half a cosine to near zero."""
    rise = max(1, n_steps // 4)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, n_steps - rise))) * 0.999 + 0.001


def shuffle_into_batches(rows: Tensor, size: int, generator: torch.Generator) -> list[Tensor]:
    """Return shuffled rows in batches; a last batch of one row joins the one before (batch norms need two)."""
    shuffled = rows[torch.randperm(len(rows), generator=generator)]
    cut = list(torch.split(shuffled, size))
    if len(cut) > 1 and len(cut[-1]) == 1:
        cut[-2:] = [torch.cat(cut[-2:])]
    return cut


def make_autocast(config: TrainingConfig) -> contextlib.AbstractContextManager[Any]:
    """Return the autocast context of a config."""
    if not config.half_precision:
        return contextlib.nullcontext()
    dtype = torch.bfloat16 if config.device == "cpu" or torch.cuda.is_bf16_supported() else torch.float16
    return torch.autocast(config.device, dtype)


@contextlib.contextmanager
def limit_threads(n_threads: int) -> Iterator[None]:
    """Use so many CPU threads inside this context.

    Parameters
    ----------
    n_threads : int
        0: as many as now.
    """
    previous = torch.get_num_threads()
    torch.set_num_threads(n_threads or previous)
    try:
        yield
    finally:
        torch.set_num_threads(previous)


def move_batch(batch: Batch, device: str) -> Batch:
    """Return a batch on the device."""
    if device == "cpu":
        return batch
    return tuple(part.pin_memory().to(device, non_blocking=True) if device == "cuda" else part.to(device)
                 for part in batch)  # fmt: skip


def set_training_mode(net: nn.Module, config: TrainingConfig) -> None:
    """Set a network to training mode; with `frozen_statistics`, batch norms and dropout stay in evaluation mode."""
    net.train()
    for module in net.modules() if config.frozen_statistics else ():
        if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd):
            module.eval()


def compute_loss(
    net: nn.Module, data: TrainingData, rows: Tensor, config: TrainingConfig, generator: torch.Generator | None
) -> Tensor:
    """Return the mean loss on some rows.

    Parameters
    ----------
    net : Module
    data : TrainingData
    rows : Tensor of int64
    config : TrainingConfig
    generator : torch.Generator or None
        For augmentation and mixup; None: neither.
    """
    inputs = move_batch(data.inputs(rows, generator), config.device)
    parts = [(1.0, rows)]
    if config.mixup and generator is not None:
        share, order = float(torch.rand(1, generator=generator)), torch.randperm(len(rows), generator=generator)
        inputs = tuple(torch.lerp(part[order], part, share) for part in inputs)
        parts = [(share, rows), (1 - share, rows[order])]
    with make_autocast(config):
        scores = net(*inputs).float()
    weights, mean = data.output_weights.to(config.device), LOSSES[data.loss_name].compute_mean
    losses = [
        share * mean(scores, data.targets[part_rows].to(config.device), weights, config.label_smoothing)
        for share, part_rows in parts
    ]
    return torch.stack(losses).sum()


def train_on_batch(
    net: nn.Module,
    data: TrainingData,
    rows: Tensor,
    optimizer: torch.optim.Optimizer,
    config: TrainingConfig,
    generator: torch.Generator,
) -> None:
    """Take one optimizer step on a batch; gradients are accumulated if the config bounds the rows at once."""
    optimizer.zero_grad(set_to_none=True)
    for part in torch.split(rows, config.rows_at_once or len(rows)):
        loss = compute_loss(net, data, part, config=config, generator=generator) * (len(part) / len(rows))
        loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()


def predict_scores(net: nn.Module, inputs: Inputs, rows: Tensor, batch_size: int, device: str = "cpu") -> Tensor:
    """Return scores (n_rows, n_outputs), on the CPU.

    Parameters
    ----------
    net : Module
    inputs : Inputs
    rows : Tensor of int64
    batch_size : int
    device : str
    """
    net.eval()
    with torch.inference_mode():
        parts = [net(*move_batch(inputs(part, None), device)).float().cpu() for part in torch.split(rows, batch_size)]
    return torch.cat(parts)


def compute_validation_loss(net: nn.Module, data: TrainingData, config: TrainingConfig) -> float:
    """Return the weighted mean loss on the validation rows (NaN if there are none)."""
    if len(data.validation_rows) == 0:
        return math.nan
    scores = predict_scores(net, data.inputs, data.validation_rows, batch_size=config.batch_size, device=config.device)
    return float(
        LOSSES[data.loss_name].compute_mean(scores, data.targets[data.validation_rows], data.output_weights, 0.0)
    )


@dataclass(kw_only=True)
class _TrainingState:
    """The state of a training; all of it is saved in a checkpoint."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = math.inf
    losses: list[float] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)


class _Training:
    """One training of one network."""

    def __init__(self, net: nn.Module, data: TrainingData, config: TrainingConfig, path: Path | None) -> None:
        self.net, self.data, self.config, self.path = net, data, config, path
        self.generator = torch.Generator().manual_seed(config.seed)
        self.optimizer = build_optimizer(net, config)
        self.state = _TrainingState()
        self.saved_at = time.monotonic()
        n_batches = len(shuffle_into_batches(data.train_rows, config.batch_size, torch.Generator().manual_seed(0)))
        n_steps = config.epochs * n_batches
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda at: rate_factor(at, n_steps))
        loaded = load_checkpoint(path, net, self.optimizer) if path else None
        if loaded is not None:
            tensors, document = loaded.tensors, loaded.document
            self.generator.set_state(tensors.pop("generator"))
            torch.set_rng_state(tensors.pop("global"))
            self.state = _TrainingState(
                epoch=document["epoch"],
                best_epoch=document["best"],
                best_loss=document["best_loss"],
                losses=document["losses"],
                best_weights=tensors,
            )
            self.schedule.last_epoch = self.state.epoch * n_batches
            for group, rate in zip(self.optimizer.param_groups, self.schedule.base_lrs, strict=True):
                group["lr"] = rate * rate_factor(self.schedule.last_epoch, n_steps)

    def run_epoch(self) -> None:
        """Train on all rows once and compute the validation loss."""
        config, state = self.config, self.state
        set_training_mode(self.net, config)
        for rows in shuffle_into_batches(self.data.train_rows, config.batch_size, self.generator):
            train_on_batch(self.net, self.data, rows, optimizer=self.optimizer, config=config, generator=self.generator)
            self.schedule.step()
        state.epoch += 1
        state.losses.append(compute_validation_loss(self.net, self.data, config))
        if config.keep == "last" or not state.losses[-1] >= state.best_loss:
            state.best_epoch, state.best_loss = (
                state.epoch,
                state.losses[-1] if math.isfinite(state.losses[-1]) else math.inf,
            )
            if config.keep == "best":
                state.best_weights = {key: value.detach().clone() for key, value in self.net.state_dict().items()}
        if self.path and time.monotonic() - self.saved_at > CHECKPOINT_SECONDS:
            document = {
                "epoch": state.epoch,
                "best": state.best_epoch,
                "best_loss": state.best_loss,
                "losses": state.losses,
            }
            tensors = {**state.best_weights, "generator": self.generator.get_state(), "global": torch.get_rng_state()}
            save_checkpoint(self.path, self.net, self.optimizer, Checkpoint(tensors, document))
            self.saved_at = time.monotonic()


def train_network(
    net: nn.Module, data: TrainingData, config: TrainingConfig, name: str = "training", path: Path | None = None
) -> History:
    """Train a network in place.

    Parameters
    ----------
    net : nn.Module
        Returns scores (n, n_outputs) for the inputs of a batch.
    data : TrainingData
    config : TrainingConfig
    name : str
        Label of the progress bar.
    path : Path or None
        Checkpoint file, written at most every 30 seconds; an existing one is resumed.

    Returns
    -------
    History
        The network is on the CPU afterwards.
    """
    started = time.monotonic()
    with (
        torch.random.fork_rng(devices=[]),
        limit_threads(config.n_threads),
        progress.bar(name, config.epochs, "epochs") as bar,
    ):
        torch.manual_seed(config.seed)
        net.to(config.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # Halves convolutions.
        training = _Training(net, data, config, path)
        bar.advance(training.state.epoch)
        state = training.state
        while state.epoch < config.epochs:
            training.run_epoch()
            bar.advance()
            if state.epoch - state.best_epoch >= config.patience or time.monotonic() - started > config.limit_seconds:
                break
        if state.best_weights:
            net.load_state_dict(state.best_weights)
        net.cpu().eval()
    if path:
        path.unlink(missing_ok=True)
    return History(state.best_epoch, len(state.losses), tuple(state.losses))


def measure_seconds_per_row(net: nn.Module, data: TrainingData, config: TrainingConfig, n_batches: int = 3) -> float:
    """Return the measured seconds per row of a few steps at a learning rate of zero; batch-norm averages may change.

    Parameters
    ----------
    net : Module
    data : TrainingData
    config : TrainingConfig
    n_batches : int
        Timed batches; one more is run before.
    """
    net.to(config.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    build_optimizer(net, config)  # Freezes what the config freezes.
    optimizer = torch.optim.SGD([value for value in net.parameters() if value.requires_grad], lr=0.0)
    generator = torch.Generator().manual_seed(0)
    timed_batches = shuffle_into_batches(data.train_rows, config.batch_size, generator)[: n_batches + 1]
    timed_batches = (timed_batches * (n_batches + 1))[: n_batches + 1]
    seconds = 0.0
    with torch.random.fork_rng(devices=[]), limit_threads(config.n_threads):
        set_training_mode(net, config)
        for number, rows in enumerate(timed_batches):
            started = time.monotonic()
            train_on_batch(net, data, rows, optimizer=optimizer, config=config, generator=generator)
            seconds += (time.monotonic() - started) / len(rows) if number else 0.0
    return seconds / n_batches
