"""What fine-tuning costs: the forward pass of the frozen blocks and training steps, timed on some rows."""

from __future__ import annotations

import time
import zlib
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from headstart.features.activations import CannotCache, TrunkPass, compute_activations
from headstart.features.torch_runtime import cpu_has_bfloat16
from headstart.strategies.fine_tuning.live_rows import make_live_source
from headstart.strategies.fine_tuning.records import SETTINGS, RowSource, TailCost, TrainingVariant
from headstart.strategies.fine_tuning.trainer import Trainer
from headstart.strategies.record import StrategySkipped
from headstart.training.config import TrainingConfig
from headstart.training.loop import TrainingData, compute_loss, measure_seconds_per_row
from headstart.training.networks import FeatureNet, count_saved_bytes

_MEASURED: dict[tuple[object, ...], TailCost] = {}
"""Costs measured in this process: a forecast and the training after it measure once."""


def make_source(trainer: Trainer, n_tail: int, seconds: float) -> RowSource:
    """Compute the activations of the frozen blocks for all rows; without frozen blocks, read the rows themselves.

    Parameters
    ----------
    trainer : Trainer
    n_tail : int
        Blocks behind the cut; 0: the whole network is trained.
    seconds : float
        Limit for the forward pass.

    Raises
    ------
    StrategySkipped
        If the base cannot be cut, or the pass fits neither time nor disk.
    """
    table, task = trainer.rows.table, trainer.task
    if n_tail == 0:
        return make_live_source(table, trainer.base, task.max_memory_bytes / 2)
    try:
        forward_pass = TrunkPass(n_tail, trainer.config.n_views, task.precision, seconds)
        activation_views = compute_activations(table, trainer.base, forward_pass)
    except CannotCache as error:
        raise StrategySkipped(str(error)) from error
    return RowSource(n_tail, len(activation_views.views) - 1, activation_views.load_batch)


def measure_tail(trainer: Trainer, n_tail: int) -> TailCost:
    """Time the forward pass and a few training steps on some rows, and measure what fits memory and hardware.

    Parameters
    ----------
    trainer : Trainer
    n_tail : int
        Blocks behind the cut.
    """
    rows = zlib.crc32("".join(map(str, trainer.rows.table.hashes)).encode())
    key = (
        trainer.base.fingerprint,
        trainer.config.name,
        n_tail,
        rows,
        trainer.task.max_memory_bytes,
        trainer.task.precision,
    )
    if key in _MEASURED:
        return _MEASURED[key]
    order = np.random.default_rng(trainer.task.seed).permutation(len(trainer.rows))
    n_timed = min(SETTINGS.timed_rows, len(order) // 2)
    make_source(trainer.for_rows(order[:2]), n_tail, np.inf)  # Everything is opened before the clock is looked at.
    timed_trainer = trainer.for_rows(order[2 : 2 + n_timed])
    started = time.monotonic()
    source = make_source(timed_trainer, n_tail, np.inf)
    pass_seconds = (time.monotonic() - started) / max(1, len(timed_trainer.rows)) if n_tail else 0.0
    variant = TrainingVariant(source, bool(source.n_views), 1)
    started_network = timed_trainer.build_network(variant, np.arange(len(timed_trainer.rows)))
    net = started_network.net
    data = timed_trainer.make_data(variant, np.arange(len(timed_trainer.rows)), np.empty(0, np.intp))
    config = timed_trainer.make_config(started_network, 1)
    learner = net if trainer.config.objective == "task" else FeatureNet(net.body)
    two_rows = data.inputs(torch.arange(2), None)
    bytes_per_row = count_saved_bytes(learner, two_rows) / 2
    weight_bytes = sum(value.numel() * 4.0 for value in net.parameters())
    n_rows_that_fit = max(1, int((trainer.task.max_memory_bytes - 4 * weight_bytes) / max(1.0, bytes_per_row)))
    rows_at_once = 0 if n_rows_that_fit >= SETTINGS.batch_size else n_rows_that_fit
    config = replace(config, batch_size=SETTINGS.timed_batch_size)
    seconds, n_threads = measure_seconds_per_row(learner, data, config), 0
    if trainer.device == "cpu" and torch.get_num_threads() > 1:
        seconds_on_one_thread = measure_seconds_per_row(learner, data, replace(config, n_threads=1), n_batches=2)
        if seconds_on_one_thread * SETTINGS.one_thread_factor < seconds:
            seconds, n_threads = seconds_on_one_thread, 1
            config = replace(config, n_threads=1)
    half_precision = False
    if trainer.device == "cuda" or (cpu_has_bfloat16() and trainer.task.precision == "auto"):
        half_precision, seconds = _time_half_precision(learner, data, config, seconds)
    memory_bytes = 4 * weight_bytes + bytes_per_row * min(SETTINGS.batch_size, n_rows_that_fit)
    _MEASURED[key] = TailCost(
        pass_seconds=pass_seconds,
        row_seconds=seconds,
        memory_bytes=memory_bytes,
        rows_at_once=rows_at_once,
        half_precision=half_precision,
        n_threads=n_threads,
    )
    return _MEASURED[key]


def _time_half_precision(
    net: nn.Module, data: TrainingData, config: TrainingConfig, seconds: float
) -> tuple[bool, float]:
    """Return whether bfloat16 trains faster here at the same loss, and the seconds per row."""
    half_seconds = measure_seconds_per_row(net, data, replace(config, half_precision=True), n_batches=2)
    if half_seconds * SETTINGS.half_precision_factor > seconds:
        return False, seconds
    rows = data.train_rows[: SETTINGS.batch_size]
    with torch.no_grad():
        full_loss, half_loss = (
            float(compute_loss(net, data, rows, config=replace(config, half_precision=half), generator=None))
            for half in (False, True)
        )
    return (
        (True, half_seconds)
        if abs(full_loss - half_loss) <= SETTINGS.half_precision_tolerance * abs(full_loss)
        else (False, seconds)
    )
