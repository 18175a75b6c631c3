"""The trainer of one strategy: each training starts at the probe of its own rows and is scored on held-out rows.

Weights are interpolated between the probe and the end of training (WiSE-FT, Wortsman et al. 2022, arXiv:2109.01903) and
scored at several coefficients.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.bases import Backbone, Stage, assemble_backbone, cutting
from headstart.modalities import MODALITIES
from headstart.records import TRAINING_ONLY, Features, FloatMatrix, Index
from headstart.strategies.fine_tuning.records import (
    SETTINGS,
    FineTuningConfig,
    TrainingOutcome,
    TrainingVariant,
    Weights,
)
from headstart.strategies.fine_tuning.tuned_model import scale_to_unit_length
from headstart.strategies.linear.head import Head, Standardizer, fit_head
from headstart.strategies.linear.links import LINK_OF
from headstart.strategies.record import StrategyRows, StrategySkipped, Task
from headstart.task_types import TASK_TYPES
from headstart.training.config import ParameterGroup, TrainingConfig
from headstart.training.loop import TrainingData, predict_scores, train_network
from headstart.training.networks import FeatureNet, FinalFeatures, TunedNet


@dataclass(frozen=True, kw_only=True)
class StartedNetwork:
    """A network that starts at the probe.

    Parameters
    ----------
    net : TunedNet
    base : Any
        The wrapped base model that `net` is built on.
    trained_names : list of str
        Parameters that are trained, as the base names them.
    merge_adapters : function
        Merges adapters into the weights.
    """

    net: TunedNet
    base: Any
    trained_names: list[str]
    merge_adapters: Callable[[], None]


class Trainer:
    """Everything that the trainings of one strategy share."""

    def __init__(self, config: FineTuningConfig, rows: StrategyRows, task: Task) -> None:
        assert rows.features is not None, "rows come without features"
        if task.backbone is None or task.backbone.module is None:
            raise StrategySkipped("the base model has no layers that can be trained")
        self.config, self.rows, self.task = config, rows, task
        self.base: Backbone = task.backbone
        self.features: Features = rows.features
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.half_precision, self.rows_at_once, self.n_threads = False, 0, 0
        self.stages: tuple[Stage, ...] = self.base.stages()
        self.n_views = config.n_views if MODALITIES[rows.table.modality].augment is not None else 0
        self.n_blocks = cutting.n_blocks(task.backbone.module())

    def for_rows(self, index: Index) -> Trainer:
        """Return a trainer for some of the rows, for measuring."""
        return Trainer(self.config, self.rows.take(index), self.task.take(index))

    def list_tails(self) -> list[int]:
        """Return the numbers of blocks to try, shallow first.

        Raises
        ------
        StrategySkipped
            If the strategy cannot train this base model.
        """
        candidates = self.config.tails.get(str(self.base.parts.architecture["library"]), ())
        tails = [n_tail for n_tail in candidates if n_tail < max(1, self.n_blocks)]
        net = self.build_base().net
        if not tails or not self.config.select_trained(net, [name for name, _ in net.named_parameters()]):
            raise StrategySkipped("this base model has no blocks that can be trained like this")
        return tails

    def build_base(self) -> Any:
        """Return a new copy of the base; training never changes the one that others use."""
        build = assemble_backbone(self.base.parts).module
        assert build is not None
        return build()

    def make_targets(self) -> Tensor:
        """Return the targets of all rows."""
        if self.task.truth is not None:
            return torch.from_numpy(np.ascontiguousarray(self.task.truth, dtype=np.float32))
        return torch.from_numpy(self.task.codes.astype(np.int64))

    def compute_output_weights(self, train: Index) -> Tensor:
        """Return the weights of the outputs in the loss."""
        n_outputs = len(self.task.classes)
        if TASK_TYPES[self.task.kind].is_number:
            assert self.task.truth is not None
            return torch.from_numpy((1 / np.maximum(self.task.truth[train].var(axis=0), 1e-12)).astype(np.float32))
        if TASK_TYPES[self.task.kind].has_label_sets or self.task.balance != "on":
            return torch.ones(n_outputs)
        counts = np.bincount(self.task.codes[train], minlength=n_outputs)
        return torch.from_numpy((len(train) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32))

    def compute_score_scale(self, train: Index) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the centre and scale of the scores: mean and standard deviation of values, else 0 and 1."""
        n_outputs = len(self.task.classes)
        if not TASK_TYPES[self.task.kind].is_number:
            return np.zeros(n_outputs, dtype=np.float32), np.ones(n_outputs, dtype=np.float32)
        assert self.task.truth is not None
        values = self.task.truth[train]
        spread = values.std(axis=0)
        return values.mean(axis=0), np.where(spread > 0, spread, 1.0).astype(np.float32)

    def fit_probe(self, values: FloatMatrix, train: Index) -> Head:
        """Fit a probe on some rows; on tuned features its strength is chosen by folds inside them."""
        inner = self.task.take(train)
        if values is self.features.final:
            return fit_head(values[train], inner, self.probe_strength)[0]
        return fit_head(values[train], replace(inner, folds=merge_folds(inner.folds, SETTINGS.probe_folds)))[0]

    @cached_property
    def probe_strength(self) -> float:
        """The probe's `C`, chosen once on the task's folds."""
        return fit_head(self.features.final, self.task)[1].choice.strength

    def build_network(self, variant: TrainingVariant, train: Index) -> StartedNetwork:
        """Return a network that starts at the probe of some rows."""
        module = self.build_base()
        names = [name for name, _ in module.net.named_parameters()]
        body: nn.Module = FinalFeatures(module)
        if variant.source.n_tail:
            halves = cutting.cut_network(module, variant.source.n_tail)
            assert halves is not None, "the cut was checked before"
            body, names = halves.tail, list(halves.names)
        standard = Standardizer.fit(self.features.final, train)
        head = self.fit_probe(self.features.final, train)
        scaled = np.divide(
            head.coefficients, standard.inverse[:, None],
            out=np.zeros_like(head.coefficients), where=standard.inverse[:, None] > 0,
        )  # fmt: skip
        trained_names = list(self.config.select_trained(module.net, names))
        merge_adapters = (
            self.config.add_adapters(module.net, self.task.seed) if self.config.add_adapters else _merge_nothing
        )
        start = scaled.T, np.maximum(head.intercept, -1e4)
        net = TunedNet(body, (head.centre, standard.inverse), start, self.compute_score_scale(train))
        return StartedNetwork(net=net, base=module, trained_names=trained_names, merge_adapters=merge_adapters)

    def make_config(self, network: StartedNetwork, epochs: int) -> TrainingConfig:
        """Return the training config: learning rates of the parameters, most for the last blocks."""
        trained_names = set(network.trained_names)
        name_of = {id(value): name for name, value in network.base.net.named_parameters()}
        depth = {name: place for place, stage in enumerate(reversed(self.stages)) for name in stage.parameters}
        groups = [ParameterGroup("head", SETTINGS.head_learning_rate)] if self.config.objective == "task" else []
        for name, value in network.net.named_parameters():
            original = name_of.get(id(value), "")
            if original in trained_names or ".parametrizations.weight.0." in name:
                rate = self.config.learning_rate * self.config.decay ** depth.get(original, 0)
                groups.append(ParameterGroup(name, rate))
        return TrainingConfig(
            epochs=epochs,
            batch_size=SETTINGS.batch_size,
            groups=tuple(groups),
            seed=self.task.seed,
            keep="last",
            patience=epochs,
            label_smoothing=SETTINGS.label_smoothing if not TASK_TYPES[self.task.kind].is_number else 0.0,
            frozen_statistics=True,
            rows_at_once=self.rows_at_once,
            half_precision=self.half_precision,
            device=self.device,
            n_threads=self.n_threads,
        )

    def make_data(self, variant: TrainingVariant, train: Index, held: Index) -> TrainingData:
        """Return the training data of a variant."""
        loss_name = self.task.kind if self.config.objective == "task" else self.config.objective
        train_rows, validation_rows = (torch.from_numpy(part.astype(np.int64)) for part in (train, held))
        return TrainingData(
            inputs=variant.source.make_inputs(variant.augmented),
            targets=self.make_targets(),
            train_rows=train_rows,
            validation_rows=validation_rows,
            output_weights=self.compute_output_weights(train),
            loss_name=loss_name,
        )

    def train_variant(
        self, variant: TrainingVariant, train_rows: Index, held: Index, alphas: Sequence[float]
    ) -> TrainingOutcome:
        """Train once; return weights, heads and scores of held-out rows at each interpolation coefficient."""
        network = self.build_network(variant, train_rows)
        net, module, trained_names = network.net, network.base, network.trained_names
        module.net.requires_grad_(False)
        first = {name: torch.from_numpy(np.array(self.base.parts.weights[name])) for name in trained_names}
        first_head = {name: value.clone() for name, value in net.head.state_dict().items()}
        data = self.make_data(variant, train_rows, held)
        contrastive = self.config.objective != "task"
        learner: nn.Module = FeatureNet(net.body) if contrastive else net  # The same names of parameters in both.
        config, path = self.make_config(network, variant.epochs), self._checkpoint_path(variant, train_rows)
        config = replace(config, mixup=variant.uses_mixup and not contrastive)
        history = train_network(learner, data, config, name=self.config.name, path=path)
        network.merge_adapters()
        last = {name: module.net.state_dict()[name].clone() for name in trained_names}
        last_head = {name: value.clone() for name, value in net.head.state_dict().items()}
        outcome = TrainingOutcome(
            best_epoch=int(np.argmin(history.validation_losses)) + 1 if len(held) else history.epochs
        )
        for alpha in alphas:
            outcome.weights[alpha] = _interpolate(first, last, alpha)
            module.net.load_state_dict(outcome.weights[alpha], strict=False)
            net.head.load_state_dict(_interpolate(first_head, last_head, alpha))
            self._score_held_rows(net, variant, (train_rows, held), alpha=alpha, outcome=outcome)
        return outcome

    def _checkpoint_path(self, variant: TrainingVariant, train_rows: Index) -> Path | None:
        """Return the checkpoint file of a training; each has its own."""
        key = (
            f"{variant.source.n_tail}-{int(variant.augmented)}-{variant.epochs}-{zlib.crc32(train_rows.tobytes()):08x}"
        )
        return self.task.folder / f"training-{key}.safetensors" if self.task.folder else None

    def _score_held_rows(
        self, net: TunedNet, variant: TrainingVariant, rows: tuple[Index, Index], alpha: float, outcome: TrainingOutcome
    ) -> None:
        """Add the head and the held-out scores at one interpolation coefficient to the outcome."""
        train_rows, held = rows
        source = variant.source
        if self.config.objective == "task":
            outcome.heads[alpha] = _make_head(net, LINK_OF[self.task.kind])
        else:
            values = np.zeros_like(self.features.final)
            all_rows = torch.from_numpy(train_rows.astype(np.int64))
            values[train_rows] = scale_to_unit_length(
                predict_scores(net.body, source.make_inputs(False), all_rows, SETTINGS.predict_batch_size).numpy()
            )
            outcome.heads[alpha] = self.fit_probe(values, train_rows)
        if len(held) == 0:
            return
        head, views = outcome.heads[alpha], []
        for view in range(1 + (min(source.n_views, self.config.n_views) if variant.augmented else 0)):
            inputs = lambda at, generator, view=view: source.load_batch(view, at.tolist())  # noqa: E731
            features = predict_scores(
                net.body, inputs, torch.from_numpy(held.astype(np.int64)), SETTINGS.predict_batch_size
            ).numpy()
            features = features if self.config.objective == "task" else scale_to_unit_length(features)
            views.append((features.astype(np.float64) - head.centre) @ head.coefficients + head.intercept)
        outcome.scores[alpha] = np.stack(views)


def merge_folds(folds: Index, most: int) -> Index:
    """Return folds (n_rows,) joined to at most `most`; rows that are never held out stay so."""
    return np.where(folds == TRAINING_ONLY, TRAINING_ONLY, folds % most).astype(np.intp)


def _merge_nothing() -> None:
    return None


def _interpolate(first: Weights, last: Weights, alpha: float) -> dict[str, Tensor]:
    return {name: torch.lerp(first[name].float(), last[name].float(), alpha) for name in first}


def _make_head(net: TunedNet, link: str) -> Head:
    """Return the head for raw features."""
    return Head(net.centre.numpy().copy(), *net.head_for_raw_features(), link)
