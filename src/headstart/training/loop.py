"""The one training loop: AdamW, one learning-rate cycle; keeps the epoch with the lowest validation loss, or the last.

Deterministic on a CPU for a seed, a config and a number of threads, unless `limit_seconds` stops it. Global random
state is not changed.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart import progress
from headstart.training.config import ParameterGroup, TrainingConfig
from headstart.training.losses import LOSSES
from headstart.training.run import TrainingRun, update_weights

CHECKPOINT_SECONDS = 30.0
LONG_SECONDS = 1.0
"""A batch that takes longer is timed once."""
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


def group_parameters(net: nn.Module, groups: Sequence[ParameterGroup], weight_decay: float) -> list[dict[str, Any]]:
    """Return AdamW's parameter groups; vectors (norms, biases) are not decayed; parameters in no group are frozen.

    Parameters
    ----------
    net : Module
    groups : sequence of ParameterGroup
        The longest prefix that fits a parameter's name counts.
    weight_decay : float
    """
    longest = sorted(groups, key=lambda group: -len(group.prefix))
    parameters_of: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in net.named_parameters():
        group = next((group for group in longest if name.startswith(group.prefix)), None)
        parameter.requires_grad_(group is not None)
        if group is not None:
            decay = weight_decay if parameter.ndim > 1 else 0.0
            parameters_of.setdefault((group.learning_rate, decay), []).append(parameter)
    return [{"params": values, "lr": rate, "weight_decay": decay} for (rate, decay), values in parameters_of.items()]


def build_optimizer(net: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return AdamW for the groups of a config; all other parameters are frozen."""
    return torch.optim.AdamW(group_parameters(net, config.groups, config.weight_decay))


def compute_rate_factor(step: int, n_steps: int) -> float:
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


def compute_batch_losses(
    net: nn.Module, data: TrainingData, rows: Tensor, config: TrainingConfig, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield the parts of a batch's mean loss; more than one if the config bounds the rows at once.

    Parameters
    ----------
    net : Module
    data : TrainingData
    rows : Tensor of int64
    config : TrainingConfig
    generator : torch.Generator
        For augmentation and mixup.
    """
    for part in torch.split(rows, config.rows_at_once or len(rows)):
        yield compute_loss(net, data, part, config=config, generator=generator) * (len(part) / len(rows))


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


class _Training:
    """Training by epochs."""

    def __init__(self, net: nn.Module, data: TrainingData, config: TrainingConfig, path: Path | None) -> None:
        self.net, self.data, self.config = net, data, config
        self.generator = torch.Generator().manual_seed(config.seed)
        self.n_batches = len(shuffle_into_batches(data.train_rows, config.batch_size, torch.Generator().manual_seed(0)))
        optimizer = build_optimizer(net, config)
        n_steps = config.epochs * self.n_batches
        self.run = TrainingRun(net, optimizer, rate_factor=compute_rate_factor, n_steps=n_steps, path=path)
        resumed = self.run.resume()
        if resumed is not None:
            self.generator.set_state(resumed.tensors["generator"])
            torch.set_rng_state(resumed.tensors["global"])

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.run.state.step // self.n_batches

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights are kept, counted from 1."""
        return self.run.state.best_step // self.n_batches

    def run_epoch(self) -> None:
        """Train on all rows once and compute the validation loss."""
        config, run = self.config, self.run
        set_training_mode(self.net, config)
        for rows in shuffle_into_batches(self.data.train_rows, config.batch_size, self.generator):
            run.take_step(compute_batch_losses(self.net, self.data, rows, config=config, generator=self.generator))
        loss = compute_validation_loss(self.net, self.data, config)
        is_best = config.keep == "last" or not loss >= run.state.best_loss
        run.record_evaluation(loss, is_best=is_best, keep_weights=config.keep == "best")
        states = {"generator": self.generator.get_state(), "global": torch.get_rng_state()}
        run.save_if_due(CHECKPOINT_SECONDS, states, {})


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
        progress.open_bar(name, config.epochs, "epochs") as bar,
    ):
        torch.manual_seed(config.seed)
        net.to(config.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # Halves convolutions.
        training = _Training(net, data, config, path)
        bar.advance(training.epoch)
        while training.epoch < config.epochs:
            training.run_epoch()
            bar.advance()
            is_late = time.monotonic() - started > config.limit_seconds
            if is_late or training.epoch - training.best_epoch >= config.patience:
                break
        training.run.restore_best()
        net.cpu().eval()
    if path:
        path.unlink(missing_ok=True)
    losses = tuple(loss for _, loss in training.run.state.evaluations)
    return History(training.best_epoch, training.epoch, losses)


def measure_seconds_per_row(net: nn.Module, data: TrainingData, config: TrainingConfig, n_batches: int = 3) -> float:
    """Return the measured seconds per row of a few steps at a learning rate of zero; batch-norm averages may change.

    Parameters
    ----------
    net : Module
    data : TrainingData
    config : TrainingConfig
    n_batches : int
        Timed batches; one more is run before. A first batch that takes `LONG_SECONDS` is all that is run: next to it,
        what a first call costs does not count.
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
            losses = compute_batch_losses(net, data, rows, config=config, generator=generator)
            update_weights(net, optimizer, losses)
            took = time.monotonic() - started
            if number == 0 and took > LONG_SECONDS:
                return took / len(rows)
            seconds += took / len(rows) if number else 0.0
    return seconds / n_batches
