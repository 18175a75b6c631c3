"""`scratch`: a network of the base's kind, trained from random weights on the user's rows alone, in the time left.

One fold is held out: it decides when to stop, and its rows are the only ones with an out-of-fold prediction. Sizes are
timed before the start, so that the number of epochs is settled then; on a machine whose speed varies, two runs may
settle on different sizes or numbers of epochs (both stand in the notes). It is never skipped for lack of time: without
time it learns for few epochs, and the ladder gives it a sample of the rows.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.bases import encoders, vision
from headstart.bases.building import build_network, load_weights
from headstart.errors import BundleError
from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.baselines.scratch_image import METHOD as IMAGE_METHOD
from headstart.strategies.baselines.scratch_sizes import SETTINGS, NetworkSize, ScratchMethod
from headstart.strategies.baselines.scratch_text import METHOD as TEXT_METHOD
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.record import Clock, CostForecast, Fitted, OwnSpace, RepresentedFold, StrategyRows, Task
from headstart.task_types import TASK_TYPES
from headstart.training.config import ParameterGroup, TrainingConfig, count_epochs_that_fit
from headstart.training.loop import History, TrainingData, measure_seconds_per_row, predict_scores, train_network
from headstart.training.losses import LOSSES

METHODS: dict[str, ScratchMethod] = {"image": IMAGE_METHOD, "text": TEXT_METHOD}
ROOMS: dict[str, Any] = {"timm": vision, "transformers": encoders}
_INSIDE = "body.net."


class ScaledNetwork(nn.Module):
    """A network with random weights and a linear head on its final features; scores are in the unit of the target."""

    centre: Tensor
    spread: Tensor

    def __init__(self, body: nn.Module, n_dims: int, n_outputs: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(n_dims, n_outputs)
        self.register_buffer("centre", torch.zeros(n_outputs))
        self.register_buffer("spread", torch.ones(n_outputs))

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.score(self.body(*inputs)[-1])

    def score(self, final: Tensor) -> Tensor:
        """Return scores (n_rows, n_outputs) from final features."""
        scores: Tensor = self.head(final) * self.spread + self.centre
        return scores


class _FinalFeatures(nn.Module):
    """The body of a `ScaledNetwork` alone: its final features."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, *inputs: Tensor) -> Tensor:
        final: Tensor = self.body(*inputs)[-1]
        return final


def _build_body(architecture: Mapping[str, Any]) -> nn.Module:
    room = ROOMS[architecture["library"]]
    body: nn.Module = room.wrap_network(room.build_network(architecture))
    return body


def build_scratch_network(
    architecture: Mapping[str, Any], n_classes: int, sample: tuple[Tensor, ...], seed: int
) -> ScaledNetwork:
    """Make a network with seeded random weights; global random state is left as it was."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        body = _build_body(architecture).eval()
        return ScaledNetwork(body, body(*sample)[-1].shape[1], n_classes)


@dataclass(frozen=True, kw_only=True)
class ScratchModel:
    """A trained network and how its rows are read."""

    modality: str
    size: NetworkSize
    net: ScaledNetwork
    n_outputs: int
    kind: str = "classification"

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return outputs (n_rows, n_outputs)."""
        outputs = np.empty((len(rows), self.n_outputs))
        for part, scores in self._run(self.net, rows):
            outputs[part] = LOSSES[self.kind].to_outputs(scores.double()).numpy()
        return outputs

    def represent(self, rows: StrategyRows) -> FloatMatrix:
        """Return the final features of the network (n_rows, n_dims), which its head reads."""
        values = np.empty((len(rows), self.net.head.in_features), dtype=np.float32)
        for part, final in self._run(_FinalFeatures(self.net.body), rows):
            values[part] = final.numpy()
        return values

    def _run(self, network: nn.Module, rows: StrategyRows) -> Iterator[tuple[slice, Tensor]]:
        """Yield what a network gives for some of the rows after the other."""
        for start in range(0, len(rows), SETTINGS.predict_batch_rows):
            part = slice(start, min(start + SETTINGS.predict_batch_rows, len(rows)))
            inputs = METHODS[self.modality].load_inputs(rows.table.inputs[part], self.size.spec)
            yield part, predict_scores(network, inputs, torch.arange(part.stop - start), SETTINGS.batch_size)

    def state(self) -> FittedState:
        """Return architecture, spec and weights."""
        meta = {
            "modality": self.modality,
            "label": self.size.label,
            "kind": self.kind,
            "architecture": dict(self.size.architecture),
            "spec": dict(self.size.spec),
        }
        return FittedState(meta, {name: value.numpy() for name, value in self.net.state_dict().items()})

    @classmethod
    def load(cls, state: FittedState, n_outputs: int) -> ScratchModel:
        """Restore what `state` gave; the first bundles knew classes only."""
        meta = state.meta
        size = NetworkSize(
            label=str(meta["label"]), architecture=meta["architecture"], spec=meta["spec"], cost=0.0, learning_rate=0.0
        )
        inside = {name.removeprefix(_INSIDE): value for name, value in state.arrays.items()}
        shapes = {name: tuple(value.shape) for name, value in inside.items()}
        place = f"the {size.label} network of the bundle"
        room = ROOMS.get(str(size.architecture.get("library")))
        if room is None:
            raise BundleError(f"This version cannot build {place}.", "Update headstart.")
        with torch.random.fork_rng(devices=[]):
            body = room.wrap_network(build_network(room, size.architecture, shapes, place, side=size.spec.get("size")))
            net = ScaledNetwork(body, state.arrays["head.weight"].shape[1], n_outputs)
        centred = {"centre": net.centre.numpy(), "spread": net.spread.numpy(), **state.arrays}
        load_weights(net, centred, place)
        return cls(
            modality=str(meta["modality"]),
            size=size,
            net=net.eval(),
            n_outputs=n_outputs,
            kind=str(meta.get("kind", "classification")),
        )


def _split_rows(task: Task) -> tuple[Index, Index]:
    """Return training rows and the held-out fold (the first); all and none without folds."""
    numbers = list_held_out_folds(task.folds)
    held = np.flatnonzero(task.folds == numbers[0]) if len(numbers) > 1 else np.empty(0, np.intp)
    return np.setdiff1d(np.arange(len(task.codes)), held), held


def _make_targets(task: Task) -> Tensor:
    if task.truth is not None:
        return torch.from_numpy(np.ascontiguousarray(task.truth, dtype=np.float32))
    return torch.from_numpy(task.codes.astype(np.int64))


def _set_score_scale(net: ScaledNetwork, task: Task, train_rows: Index) -> None:
    """Set the scale of a regression's scores to mean and standard deviation of the training rows."""
    if TASK_TYPES[task.kind].is_number:
        assert task.truth is not None
        net.centre.copy_(torch.from_numpy(task.truth[train_rows].mean(axis=0)))
        net.spread.copy_(torch.from_numpy(np.maximum(task.truth[train_rows].std(axis=0), 1e-6)))


def _compute_output_weights(task: Task, train_rows: Index) -> Tensor:
    """Compute weights of the outputs: by class if `balance` is "on", one over the variance for values, else ones."""
    if TASK_TYPES[task.kind].is_number:
        assert task.truth is not None
        return torch.from_numpy((1 / np.maximum(task.truth[train_rows].var(axis=0), 1e-12)).astype(np.float32))
    if TASK_TYPES[task.kind].has_label_sets:
        return torch.ones(len(task.classes))
    counts = np.bincount(task.codes[train_rows], minlength=len(task.classes))
    weights = len(train_rows) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return torch.from_numpy((weights if task.balance == "on" else np.ones(len(counts))).astype(np.float32))


@dataclass(frozen=True)
class EpochForecast:
    """Cost of a size on this machine."""

    seconds_per_epoch: float
    loading_seconds: float

    def count_epochs(self, clock: Clock) -> int:
        """Return how many epochs fit."""
        return count_epochs_that_fit(
            clock.remaining_seconds() - self.loading_seconds, self.seconds_per_epoch, SETTINGS.most_epochs
        )

    def forecast_seconds(self, n_epochs: int) -> float:
        """Return the seconds of loading the rows and of so many epochs."""
        return self.loading_seconds + n_epochs * self.seconds_per_epoch


_MEASURED: dict[tuple[object, ...], EpochForecast] = {}
"""Costs measured in this process: a forecast and the training after it measure once."""


def _forecast_epoch(rows: StrategyRows, task: Task, size: NetworkSize) -> EpochForecast:
    """Time a few training steps on a few rows, once."""
    content = zlib.crc32("".join(map(str, rows.table.hashes)).encode())
    key = (content, len(rows), len(task.classes), task.seed, size.label)
    if key not in _MEASURED:
        _MEASURED[key] = _measure_epoch(rows, task, size)
    return _MEASURED[key]


def _measure_epoch(rows: StrategyRows, task: Task, size: NetworkSize) -> EpochForecast:
    train_rows, held = _split_rows(task)
    sample = train_rows[np.random.default_rng(task.seed).permutation(len(train_rows))[: SETTINGS.timed_rows]]
    started = time.monotonic()
    inputs = METHODS[rows.table.modality].load_inputs(rows.table.inputs[sample], size.spec)
    loading = (time.monotonic() - started) / len(sample)
    net = build_scratch_network(size.architecture, len(task.classes), inputs(torch.arange(1), None), task.seed)
    everything = torch.arange(len(sample))
    ones = torch.ones(len(task.classes))
    data = TrainingData(
        inputs=inputs,
        targets=_make_targets(task)[torch.from_numpy(sample)],
        train_rows=everything,
        validation_rows=everything[:0],
        output_weights=ones,
        loss_name=task.kind,
    )
    each = measure_seconds_per_row(
        net,
        data,
        TrainingConfig(epochs=1, batch_size=SETTINGS.batch_size, groups=(ParameterGroup("", size.learning_rate),)),
    )
    return EpochForecast(each * (len(train_rows) + SETTINGS.scoring_cost * len(held)), loading * len(task.codes))


@dataclass(frozen=True, kw_only=True)
class SizeChoice:
    """A size of network, its cost, and how many epochs fit (0 where none does)."""

    size: NetworkSize
    cost: EpochForecast
    n_epochs: int


def choose_size(rows: StrategyRows, task: Task, clock: Clock) -> SizeChoice:
    """Return the most expensive size of which enough epochs fit; the cheapest where of none."""
    chosen: SizeChoice | None = None
    last: tuple[EpochForecast, float] | None = None
    for size in METHODS[rows.table.modality].list_sizes(rows.table.inputs, task):
        if last is not None:
            likely = last[0].seconds_per_epoch * size.cost / last[1]
            if (
                count_epochs_that_fit(clock.remaining_seconds(), likely, SETTINGS.most_epochs)
                < SETTINGS.enough_epochs / 2
            ):
                break
        forecast = _forecast_epoch(rows, task, size)
        last = forecast, size.cost
        epochs = forecast.count_epochs(clock)
        if chosen is not None and epochs < SETTINGS.enough_epochs:
            break
        chosen = SizeChoice(size=size, cost=forecast, n_epochs=max(epochs, 0))
        if epochs < SETTINGS.enough_epochs:
            break
    assert chosen is not None, "no size of network is listed"
    return chosen


def _start_clock(task: Task) -> Clock:
    """Start the clock of this strategy: its share of the time left, and `floor_seconds` in any case."""
    n_rows = len(task.codes)
    at_most = float(np.clip(SETTINGS.seconds_per_row * n_rows, SETTINGS.least_seconds, SETTINGS.most_seconds))
    share = min(SETTINGS.time_share * task.clock.remaining_seconds(), at_most)
    return Clock(max(share, SETTINGS.floor_seconds))


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the forecast cost of `fit`; of the fewest epochs that make sense where they do not fit its time."""
    choice = choose_size(rows, task, _start_clock(task))
    seconds = choice.cost.forecast_seconds(max(choice.n_epochs, SETTINGS.fewest_epochs))
    return CostForecast(seconds, choice.size.memory_bytes)


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Time the sizes, choose one, learn, and keep the epoch with the lowest held-out loss."""
    clock = _start_clock(task)
    choice = choose_size(rows, task, clock)
    size, epochs = choice.size, max(1, choice.n_epochs)
    train_rows, held = _split_rows(task)
    inputs = METHODS[rows.table.modality].load_inputs(rows.table.inputs, size.spec)
    net = build_scratch_network(size.architecture, len(task.classes), inputs(torch.arange(1), None), task.seed)
    _set_score_scale(net, task, train_rows)
    training_rows, validation_rows = (torch.from_numpy(part.astype(np.int64)) for part in (train_rows, held))
    data = TrainingData(
        inputs=inputs,
        targets=_make_targets(task),
        train_rows=training_rows,
        validation_rows=validation_rows,
        output_weights=_compute_output_weights(task, train_rows),
        loss_name=task.kind,
    )
    groups = (ParameterGroup("", size.learning_rate),)
    history = train_network(
        net,
        data,
        TrainingConfig(
            epochs=epochs,
            batch_size=SETTINGS.batch_size,
            groups=groups,
            limit_seconds=clock.remaining_seconds(),
            seed=task.seed,
        ),
        "scratch",
    )
    out_of_fold = np.full((len(task.codes), len(task.classes)), np.nan)
    if len(held):
        scores = predict_scores(net, inputs, validation_rows, SETTINGS.batch_size).double()
        out_of_fold[held] = LOSSES[task.kind].to_outputs(scores).numpy()
    core = ScratchModel(modality=rows.table.modality, size=size, net=net, n_outputs=len(task.classes), kind=task.kind)
    return FittedModel(core, out_of_fold, _notes(size, history, epochs))


def _notes(size: NetworkSize, history: History, planned: int) -> tuple[str, ...]:
    done = f"{planned} passes over the rows" if history.epochs == planned else f"{history.epochs} of {planned} passes"
    return (
        size.label,
        f"{done}, the best was number {history.best_epoch}",
        "one fold held out to decide when to stop",
    )


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the network."""
    return restore_model(ScratchModel.load(state, len(classes)), state, classes)


class FinalFeatureSpace:
    """The `headstart.strategies.record.OwnSpace` of a network: the features that its head reads."""

    def add_space(self, rows: StrategyRows, task: Task, fitted: Fitted) -> Fitted:
        """Return the model: it has its space already."""
        return fitted

    def hold_out(self, rows: StrategyRows, task: Task, fitted: Fitted) -> Iterator[RepresentedFold]:
        """Yield the fold that was held out while the network learnt."""
        learnt, held_out = _split_rows(task)
        values = fitted.represent(rows)
        if len(held_out) and values is not None:
            yield RepresentedFold(
                learnt=learnt, held_out=held_out, learnt_values=values[learnt], held_out_values=values[held_out]
            )


OWN_SPACES: dict[str, OwnSpace] = {"text": FinalFeatureSpace()}
"""By modality. Images have descriptors that tell rows apart."""
