"""Where one strategy's trainings are done: each starts at the probe of its own rows and is judged on rows held out.

Weights are averaged between the probe and the end of training (WiSE-FT, Wortsman et al. 2022, arXiv:2109.01903), and
judged at several shares of the way.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.bases import Backbone, Stage, assemble, cutting
from headstart.modalities import MODALITIES
from headstart.records import TRAINING_ONLY, Features, FloatMatrix, Index
from headstart.strategies.fine_tuning.recipe import Outcome, Recipe, Trial, Weights
from headstart.strategies.fine_tuning.tuned_model import of_length_one
from headstart.strategies.linear.head import Head, Standard, fit_head
from headstart.strategies.linear.links import LINK_OF
from headstart.strategies.record import Rows, Skipped, Task
from headstart.training.bodies import Embedding, TunedNet, Whole
from headstart.training.loop import Lesson, predict, train
from headstart.training.plan import Group, Plan

BATCH_SIZE, PREDICT_ROWS = 32, 64
HEAD_RATE = 1e-4
PROBE_FOLDS = 3
"""Folds inside a fold's training rows, on which the strength of its first probe is chosen."""


class Workshop:
    """Everything that the trainings of one strategy share."""

    def __init__(self, recipe: Recipe, rows: Rows, task: Task) -> None:
        assert rows.features is not None, "rows come without features"
        if task.backbone is None or task.backbone.module is None:
            raise Skipped("the base model has no layers that can be trained")
        self.recipe, self.rows, self.task = recipe, rows, task
        self.base: Backbone = task.backbone
        self.features: Features = rows.features
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.half, self.rows_at_once, self.threads = False, 0, 0
        self.stages: tuple[Stage, ...] = self.base.stages()
        self.n_views = recipe.n_views if MODALITIES[rows.table.modality].augment is not None else 0
        self.n_blocks = cutting.n_blocks(task.backbone.module())

    def few(self, index: Index) -> Workshop:
        """Give a workshop for some of the rows, for measuring."""
        return Workshop(self.recipe, self.rows.take(index), self.task.take(index))

    def tails(self) -> list[int]:
        """Give the numbers of blocks to try, shallow first.

        Raises
        ------
        Skipped
            If the base is not of a kind that the recipe is for.
        """
        wanted = self.recipe.tails.get(str(self.base.parts.architecture["library"]), ())
        found = [n_tail for n_tail in wanted if n_tail < max(1, self.n_blocks)]
        net = self.fresh().net
        if not found or not self.recipe.trained(net, [name for name, _ in net.named_parameters()]):
            raise Skipped("this base model has no blocks that can be trained so")
        return found

    def fresh(self) -> Any:
        """Build the base anew; training never touches the one that others use."""
        made = assemble(self.base.parts).module
        assert made is not None
        return made()

    def targets(self) -> Tensor:
        """Give what is to be learnt."""
        if self.task.truth is not None:
            return torch.from_numpy(np.ascontiguousarray(self.task.truth, dtype=np.float32))
        return torch.from_numpy(self.task.codes.astype(np.int64))

    def weights(self, train: Index) -> Tensor:
        """Give the weights of the outputs in the loss."""
        n_outputs = len(self.task.classes)
        if self.task.kind == "regression":
            assert self.task.truth is not None
            return torch.from_numpy((1 / np.maximum(self.task.truth[train].var(axis=0), 1e-12)).astype(np.float32))
        if self.task.kind == "multi-label" or self.task.balance != "on":
            return torch.ones(n_outputs)
        counts = np.bincount(self.task.codes[train], minlength=n_outputs)
        return torch.from_numpy((len(train) / (np.count_nonzero(counts) * np.maximum(counts, 1))).astype(np.float32))

    def scale(self, train: Index) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give middle and unit of the scores: mean and spread of values, else 0 and 1."""
        n_outputs = len(self.task.classes)
        if self.task.kind != "regression":
            return np.zeros(n_outputs, dtype=np.float32), np.ones(n_outputs, dtype=np.float32)
        assert self.task.truth is not None
        values = self.task.truth[train]
        spread = values.std(axis=0)
        return values.mean(axis=0), np.where(spread > 0, spread, 1.0).astype(np.float32)

    def probe(self, values: FloatMatrix, train: Index) -> Head:
        """Fit a probe on some rows only; on tuned features its strength is chosen inside them."""
        inner = self.task.take(train)
        if values is self.features.final:
            return fit_head(values[train], inner, self.strength)[0]
        return fit_head(values[train], replace(inner, folds=merge_folds(inner.folds, PROBE_FOLDS)))[0]

    @cached_property
    def strength(self) -> float:
        """The probe's `C`, chosen once on the task's folds."""
        return fit_head(self.features.final, self.task)[1].choice.strength

    def net(self, trial: Trial, train: Index) -> tuple[TunedNet, Any, list[str], Callable[[], None]]:
        """Make a network that starts at the probe; also the bare base, what moves, and how adapters are merged."""
        module = self.fresh()
        names = [name for name, _ in module.net.named_parameters()]
        body: nn.Module = Whole(module)
        if trial.source.n_tail:
            halves = cutting.cut(module, trial.source.n_tail)
            assert halves is not None, "the cut was checked before"
            body, names = halves.tail, list(halves.names)
        standard = Standard.of(self.features.final, train)
        head = self.probe(self.features.final, train)
        scaled = np.divide(
            head.coefficients, standard.inverse[:, None],
            out=np.zeros_like(head.coefficients), where=standard.inverse[:, None] > 0,
        )  # fmt: skip
        moved = list(self.recipe.trained(module.net, names))
        merge = self.recipe.adapt(module.net, self.task.seed) if self.recipe.adapt else _nothing
        start = scaled.T, np.maximum(head.intercept, -1e4)
        made = TunedNet(body, (head.centre, standard.inverse), start, self.scale(train))
        return made, module, moved, merge

    def plan(self, net: TunedNet, module: Any, moved: Sequence[str], epochs: int) -> Plan:
        """Say what learns how fast."""
        wanted = set(moved)
        of = {id(value): name for name, value in module.net.named_parameters()}
        depth = {name: place for place, stage in enumerate(reversed(self.stages)) for name in stage.parameters}
        groups = [Group("head", HEAD_RATE)] if self.recipe.objective == "task" else []
        for name, value in net.named_parameters():
            original = of.get(id(value), "")
            if original in wanted or ".parametrizations.weight.0." in name:
                rate = self.recipe.learning_rate * self.recipe.decay ** depth.get(original, 0)
                groups.append(Group(name, rate))
        return Plan(
            epochs=epochs,
            batch_size=BATCH_SIZE,
            groups=tuple(groups),
            seed=self.task.seed,
            keep="last",
            patience=epochs,
            label_smoothing=0.1 if self.task.kind != "regression" else 0.0,
            frozen_statistics=True,
            rows_at_once=self.rows_at_once,
            half=self.half,
            device=self.device,
            threads=self.threads,
        )

    def lesson(self, trial: Trial, train: Index, held: Index) -> Lesson:
        """Say what is learnt."""
        kind = self.task.kind if self.recipe.objective == "task" else self.recipe.objective
        learnt, kept = (torch.from_numpy(part.astype(np.int64)) for part in (train, held))
        return Lesson(
            inputs=trial.source.inputs(trial.augmented),
            targets=self.targets(),
            train=learnt,
            held=kept,
            weights=self.weights(train),
            kind=kind,
        )

    def fit(self, trial: Trial, train_rows: Index, held: Index, shares: Sequence[float]) -> Outcome:
        """Train once; give weights and heads at the shares asked for, and what they say of the held-out rows."""
        net, module, moved, merge = self.net(trial, train_rows)
        module.net.requires_grad_(False)
        first = {name: torch.from_numpy(np.array(self.base.parts.weights[name])) for name in moved}
        first_head = {name: value.clone() for name, value in net.head.state_dict().items()}
        lesson = self.lesson(trial, train_rows, held)
        contrastive = self.recipe.objective != "task"
        learner: nn.Module = Embedding(net.body) if contrastive else net  # The same names of parameters in both.
        plan, path = self.plan(net, module, moved, trial.epochs), self._checkpoint(trial, train_rows)
        plan = replace(plan, mixup=trial.mixed and not contrastive)
        trained = train(learner, lesson, plan, name=self.recipe.name, path=path)
        merge()
        last = {name: module.net.state_dict()[name].clone() for name in moved}
        last_head = {name: value.clone() for name, value in net.head.state_dict().items()}
        made = Outcome(best_epoch=int(np.argmin(trained.held_losses)) + 1 if len(held) else trained.epochs)
        for share in shares:
            made.weights[share] = _mixed(first, last, share)
            module.net.load_state_dict(made.weights[share], strict=False)
            net.head.load_state_dict(_mixed(first_head, last_head, share))
            self._judge(net, trial, (train_rows, held), share=share, made=made)
        return made

    def _checkpoint(self, trial: Trial, train_rows: Index) -> Path | None:
        """Say where a training that is killed can be gone on from; each has a file of its own."""
        said = f"{trial.source.n_tail}-{int(trial.augmented)}-{trial.epochs}-{zlib.crc32(train_rows.tobytes()):08x}"
        return self.task.folder / f"training-{said}.safetensors" if self.task.folder else None

    def _judge(self, net: TunedNet, trial: Trial, rows: tuple[Index, Index], share: float, made: Outcome) -> None:
        """Fill in the head and the held-out scores of one share."""
        train_rows, held = rows
        source = trial.source
        if self.recipe.objective == "task":
            made.heads[share] = _as_head(net, LINK_OF[self.task.kind])
        else:
            values = np.zeros_like(self.features.final)
            every = torch.from_numpy(train_rows.astype(np.int64))
            values[train_rows] = of_length_one(predict(net.body, source.inputs(False), every, PREDICT_ROWS).numpy())
            made.heads[share] = self.probe(values, train_rows)
        if len(held) == 0:
            return
        head, views = made.heads[share], []
        for view in range(1 + (min(source.n_views, self.recipe.n_views) if trial.augmented else 0)):
            inputs = lambda at, generator, view=view: source.batch(view, at.tolist())  # noqa: E731
            found = predict(net.body, inputs, torch.from_numpy(held.astype(np.int64)), PREDICT_ROWS).numpy()
            found = found if self.recipe.objective == "task" else of_length_one(found)
            views.append((found.astype(np.float64) - head.centre) @ head.coefficients + head.intercept)
        made.scores[share] = np.stack(views)


def merge_folds(folds: Index, most: int) -> Index:
    """Return folds (n_rows,) joined to at most `most`; rows that are never held out stay so."""
    return np.where(folds == TRAINING_ONLY, TRAINING_ONLY, folds % most).astype(np.intp)


def _nothing() -> None:
    return None


def _mixed(first: Weights, last: Weights, share: float) -> dict[str, Tensor]:
    return {name: torch.lerp(first[name].float(), last[name].float(), share) for name in first}


def _as_head(net: TunedNet, link: str) -> Head:
    """Express the head for raw features."""
    return Head(net.centre.numpy().copy(), *net.raw(), link)
