"""`quant`: quantiles of nested intervals of each series and extremely randomised trees; nothing pre-trained.

Dempster, Schmidt and Webb 2024, "QUANT: a minimalist interval method" (arXiv:2308.00928). The temperature of the trees'
votes is fitted on out-of-fold votes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.fitted_state import FittedState
from headstart.modalities import MODALITIES
from headstart.modalities.quantiles import DIVISOR, count_features, describe_series
from headstart.records import FloatMatrix, Index, Probabilities, list_held_out_folds
from headstart.strategies.baselines.settings import QUANT
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear import cost_model
from headstart.strategies.linear.cross_validation import make_empty_outputs
from headstart.strategies.linear.links import ABSENT, LINK_OF, LINKS, logit
from headstart.strategies.linear.temperature import find_class_temperature
from headstart.strategies.record import CostForecast, Fitted, StrategyRows, Task
from headstart.strategies.scoring import is_better_beyond_noise, is_imbalanced
from headstart.strategies.trees import Forest, ForestConfig, grow_classifier, grow_regressor

BATCH = 2_048
Floats = NDArray[np.float64]
Spec = Mapping[str, Any]


def choose_divisor(n_rows: int, spec: Spec) -> int:
    """Return the number of values of an interval for each quantile: 4, and more if memory requires it."""
    divisor, channels = DIVISOR, int(spec["n_channels"])
    while (
        n_rows * channels * count_features(int(spec["length"]), divisor) > QUANT.max_values and divisor < spec["length"]
    ):
        divisor *= 2
    return divisor


def _describe_series(rows: StrategyRows, spec: Spec, divisor: int) -> FloatMatrix:
    modality = MODALITIES["series"]
    blocks = []
    for start in range(0, len(rows), BATCH):
        inputs = rows.table.inputs[start : start + BATCH]
        series = [modality.prepare(modality.load(source, spec), spec)[0] for source in inputs]
        blocks.append(describe_series(np.stack(series), divisor))
    return np.concatenate(blocks) if blocks else np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class TreeModel:
    """Trees on quantiles.

    Parameters
    ----------
    spec : mapping
    divisor : int
    forest : Forest
    prior : Floats, shape (n_outputs,)
        Class frequencies, or mean targets: the vote of one more tree without splits.
    temperature : float
    link : str
    """

    spec: Spec
    divisor: int
    forest: Forest
    prior: Floats
    temperature: float
    link: str

    def scores(self, described: FloatMatrix) -> Floats:
        """Return scores before the temperature (n_rows, n_outputs)."""
        return SCORES[self.link](self.forest, described, self.prior)

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return probabilities or values (n_rows, n_outputs)."""
        outputs = np.empty((len(rows), len(self.prior)))
        for start in range(0, len(rows), BATCH):
            part = rows.take(np.arange(start, min(start + BATCH, len(rows))))
            scores = self.scores(_describe_series(part, self.spec, self.divisor))
            outputs[start : start + BATCH] = LINKS[self.link](scores / self.temperature)
        return outputs

    def state(self) -> FittedState:
        """Return the spec, the trees and the temperature."""
        meta = {
            "spec": dict(self.spec), "divisor": self.divisor, "temperature": self.temperature, "link": self.link,
        }  # fmt: skip
        return FittedState(meta, {**self.forest.state().arrays, "shares": self.prior})

    @classmethod
    def load(cls, state: FittedState) -> TreeModel:
        """Restore what `state` gave."""
        meta = state.meta
        return cls(
            spec=meta["spec"], divisor=int(meta["divisor"]), forest=Forest.load(state), prior=state.arrays["shares"],
            temperature=float(meta["temperature"]), link=str(meta["link"]),
        )  # fmt: skip


def _mean_votes(forest: Forest, described: FloatMatrix, prior: Floats) -> Floats:
    """Return the mean vote with one more tree that votes for the prior; absent classes stay at zero."""
    n_trees = len(forest.roots)
    votes = np.tile(prior, (len(described), 1))
    votes[:, prior > 0] += n_trees * forest.predict(described)
    return np.asarray(votes / (n_trees + 1))


def _class_scores(forest: Forest, described: FloatMatrix, prior: Floats) -> Floats:
    votes = _mean_votes(forest, described, prior)
    return np.where(votes > 0, np.log(np.maximum(votes, 1e-300)), ABSENT)


def _label_scores(forest: Forest, described: FloatMatrix, prior: Floats) -> Floats:
    n_trees = len(forest.roots)
    return logit((n_trees * forest.predict(described) + prior) / (n_trees + 1))


def _number_scores(forest: Forest, described: FloatMatrix, prior: Floats) -> Floats:
    return forest.predict(described)


SCORES: dict[str, Callable[[Forest, FloatMatrix, Floats], Floats]] = {
    "softmax": _class_scores, "logistic": _label_scores, "identity": _number_scores,
}  # fmt: skip


class _ForestFitter:
    """Everything that the forests of one task share."""

    def __init__(self, described: FloatMatrix, task: Task, balanced: bool) -> None:
        self.described, self.task, self.balanced = described, task, balanced
        n_values = QUANT.n_trees * len(described) * len(task.classes)
        self.min_leaf = max(1, -(-n_values // QUANT.max_leaf_values))

    def fit_forest(self, rows: Index, n_trees: int) -> tuple[Forest, Floats]:
        """Return a forest fitted on some rows, and the prior of its outputs there."""
        task, growth = self.task, ForestConfig(n_trees, self.min_leaf, self.task.seed)
        if task.truth is not None:
            targets = np.asarray(task.truth[rows], dtype=np.float32)
            return grow_regressor(self.described[rows], targets, growth), targets.mean(axis=0, dtype=np.float64)
        counts = np.bincount(task.codes[rows], minlength=len(task.classes)).astype(np.float64)
        class_weights = np.divide(counts.sum(), counts, out=np.zeros_like(counts), where=counts > 0)
        prior = (counts > 0).astype(np.float64) if self.balanced else counts
        forest = grow_classifier(
            self.described[rows], task.codes[rows], class_weights if self.balanced else None, growth
        )
        return forest, prior / prior.sum()

    def score_held_out(self) -> Floats:
        """Return the score of every row by trees that were not fitted on it (n_rows, n_outputs)."""
        scores, link = make_empty_outputs((len(self.described), len(self.task.classes))), LINK_OF[self.task.kind]
        numbers = list_held_out_folds(self.task.folds)
        for number in numbers if len(numbers) > 1 else []:
            inside, held = np.flatnonzero(self.task.folds != number), np.flatnonzero(self.task.folds == number)
            forest, prior = self.fit_forest(inside, QUANT.n_trees_held_out)
            scores[held] = SCORES[link](forest, self.described[held], prior)
        return scores

    def fit_temperature(self, scores: Floats, rows: Index) -> float:
        """Choose how sure votes make the model, on some rows."""
        if LINK_OF[self.task.kind] != "softmax":
            return 1.0
        return find_class_temperature(self.task.codes[rows], scores[rows])

    def compute_outputs(self, scores: Floats) -> Probabilities:
        """Compute outputs from held-out scores, each fold with the temperature of the others."""
        outputs, link = make_empty_outputs(scores.shape), LINKS[LINK_OF[self.task.kind]]
        for number in list_held_out_folds(self.task.folds):
            rows, others = np.flatnonzero(self.task.folds == number), np.flatnonzero(self.task.folds != number)
            outputs[rows] = link(scores[rows] / self.fit_temperature(scores, others))
        return outputs


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Fit trees on the folds, then on all rows."""
    divisor = choose_divisor(len(rows), task.spec)
    described, all_rows = _describe_series(rows, task.spec, divisor), np.arange(len(rows))
    fitter = _ForestFitter(described, task, task.balance == "on" and task.truth is None)
    scores = fitter.score_held_out()
    out_of_fold = fitter.compute_outputs(scores)
    if task.balance == "auto" and task.truth is None and is_imbalanced(task.codes):
        other = _ForestFitter(described, task, True)
        other_scores = other.score_held_out()
        other_outputs = other.compute_outputs(other_scores)
        if is_better_beyond_noise(task.codes, other_outputs, out_of_fold, task.seed):
            fitter, scores, out_of_fold = other, other_scores, other_outputs
    forest, prior = fitter.fit_forest(all_rows, QUANT.n_trees)
    temperature = fitter.fit_temperature(scores, all_rows)
    core = TreeModel(
        spec=task.spec, divisor=divisor, forest=forest, prior=prior, temperature=temperature, link=LINK_OF[task.kind]
    )
    weighted = ("rare classes weighted up",) if fitter.balanced else ()
    return FittedModel(core, out_of_fold, (f"{QUANT.n_trees} trees on {described.shape[1]} quantiles", *weighted))


def forecast(rows: StrategyRows, task: Task) -> CostForecast:
    """Return the forecast cost of `fit`, from a few trees on some rows."""
    n_rows = len(rows)
    sample = np.arange(0, n_rows, max(1, n_rows // QUANT.sample_rows))
    divisor = choose_divisor(n_rows, task.spec)
    part = rows.take(sample)
    describing = cost_model.measure_seconds(lambda: _describe_series(part, task.spec, divisor)) / len(sample)
    described = _describe_series(part, task.spec, divisor)
    codes = np.arange(len(sample)) % max(2, len(task.classes)) if task.truth is not None else task.codes[sample]
    growing = (
        cost_model.measure_seconds(lambda: grow_classifier(described, codes, None, ForestConfig(QUANT.sample_trees)))
        / QUANT.sample_trees
    )
    each = growing * n_rows * np.log2(n_rows + 1) / (len(sample) * np.log2(len(sample) + 1))
    n_folds = len(list_held_out_folds(task.folds))
    again = 2 if task.balance == "auto" and task.truth is None and is_imbalanced(task.codes) else 1
    n_trees = QUANT.n_trees + again * QUANT.n_trees_held_out * (n_folds if n_folds > 1 else 0)
    memory = 8.0 * n_rows * described.shape[1] + 4.0 * QUANT.max_leaf_values
    return CostForecast(float(describing * n_rows + each * n_trees), memory)


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the trees."""
    return restore_model(TreeModel.load(state), state, classes)
