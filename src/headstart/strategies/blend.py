"""`blend`: several fitted strategies together, with weights chosen by cross-validation.

Members are averaged as logarithms for classes (a logarithmic opinion pool, Genest and Zidek 1986, so that any can veto
a class), as log-odds for labels, as they are for numbers. The weights are those with the lowest out-of-fold loss, drawn
towards prior weights: half of the weight for the strategies that use the base, half for the others, in equal
parts. With few rows that belief decides, so that many members do not overfit. Where the names of the classes were read,
heads on the same features that do not know them are left out: they know less, and only thin out the answer
(docs/decisions/0037).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.fitted_state import FittedState, nest_states
from headstart.records import Index, Probabilities, list_held_out_folds
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies import STRATEGIES
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear.glm import LOSSES, Targets, minimise, read_targets
from headstart.strategies.linear.links import LINK_OF, LINKS, logit, softmax
from headstart.strategies.probes.few_rows import may_names_add
from headstart.strategies.record import Fitted, StrategyRows, StrategySkipped, Task
from headstart.strategies.scoring import mask_predicted_rows
from headstart.strategies.settings import SETTINGS

BLOCK = 4_096
Weights = Mapping[str, float]
Floats = NDArray[np.float64]


def _logs(probabilities: Probabilities) -> Floats:
    return np.asarray(np.log(np.maximum(probabilities, SHARED_SETTINGS.min_probability)))


def _values(values: Probabilities) -> Floats:
    return np.asarray(values, dtype=np.float64)


SCALES: dict[str, Callable[[Probabilities], Floats]] = {"softmax": _logs, "logistic": logit, "identity": _values}
"""On which scale outputs are averaged, by the link that leads back."""


def pool_outputs(members: Mapping[str, Probabilities], weights: Weights, link: str = "softmax") -> Probabilities:
    """Average several outputs on their link's scale; rows of NaN stay NaN.

    Examples
    --------
    >>> pool_outputs({"a": np.array([[0.8, 0.2]]), "b": np.array([[0.2, 0.8]])}, {"a": 0.5, "b": 0.5}).round(3).tolist()
    [[0.5, 0.5]]
    """
    shape = next(iter(members.values())).shape
    pooled = np.empty(shape)
    for start in range(0, shape[0], BLOCK):
        block = slice(start, start + BLOCK)
        parts = [weight * SCALES[link](members[name][block]) for name, weight in weights.items()]
        pooled[block] = LINKS[link](np.sum(parts, axis=0))
    return pooled


@dataclass(frozen=True)
class Blend:
    """Fitted members and their weights (positive, sum 1)."""

    members: Mapping[str, Fitted]
    weights: Weights
    link: str

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return outputs (n_rows, n_outputs)."""
        return pool_outputs(
            {name: member.predict(rows) for name, member in self.members.items()}, self.weights, self.link
        )

    def state(self) -> FittedState:
        """Return the members' states and weights."""
        parts = {name: member.state() for name, member in self.members.items()}
        return nest_states(parts, {"weights": dict(self.weights), "link": self.link})


@dataclass(frozen=True)
class HeldOutOutputs:
    """Out-of-fold outputs of the members on their link's scale, on some rows, and the loss there.

    Parameters
    ----------
    names : tuple of str
    scaled : Floats, shape (n_members, n_rows, n_outputs)
    targets : Targets
        Of the rows, on the same scale: numbers in units of their spread, so that the loss has no unit.
    link : str
    """

    names: tuple[str, ...]
    scaled: Floats
    targets: Targets
    link: str

    @classmethod
    def collect(cls, task: Task, members: Mapping[str, Probabilities], rows: Index) -> HeldOutOutputs:
        """Select predicted rows, at most as many as are needed to choose weights, drawn by the seed."""
        rows = rows[np.all([mask_predicted_rows(values[rows]) for values in members.values()], axis=0)]
        most = max(1, SETTINGS.blend_values // max(len(task.classes), 1))
        if len(rows) > most:
            rows = np.sort(np.random.default_rng(task.seed).choice(rows, most, replace=False))
        link, targets, shape = LINK_OF[task.kind], read_targets(task), (len(members), len(rows), len(task.classes))
        scaled = np.reshape([SCALES[link](values[rows]) for values in members.values()], shape)
        if link == "identity":
            mean, spread = targets.mean(), float(targets.std()) or 1.0
            return cls(tuple(members), (scaled - mean) / spread, (targets[rows] - mean) / spread, link)
        return cls(tuple(members), scaled, targets[rows], link)

    def evaluate(self, weights: Floats) -> tuple[float, Floats]:
        """Return the mean loss of the mixture (over rows and labels), and its slope by weight (n_members,)."""
        n_rows, n_outputs = self.scaled.shape[1:]
        n_losses = n_rows * n_outputs if self.link == "logistic" else n_rows
        mixed = np.tensordot(weights, self.scaled, 1)
        value, slope = LOSSES[self.link].evaluate(mixed, self.targets, np.full(n_rows, 1 / n_losses))
        return value, np.asarray(np.tensordot(self.scaled, slope, 2), dtype=np.float64)


def compute_prior_weights(names: Sequence[str]) -> Floats:
    """Return the prior weights of members (n_members,).

    Examples
    --------
    >>> compute_prior_weights(["linear-probe", "shrinkage-lda", "classic"]).tolist()
    [0.25, 0.25, 0.5]
    """
    with_base = np.asarray([STRATEGIES[name].kind == "transfer" for name in names])
    sizes = np.where(with_base, with_base.sum(), (~with_base).sum())
    return np.asarray(1 / sizes / (2 if len(set(with_base)) == 2 else 1))


def choose_weights(outputs: HeldOutOutputs) -> dict[str, float]:
    """Return the members' weights: positive, sum 1.

    Minimises the mean loss plus `blend_prior_rows / n_rows` times the relative entropy to the prior weights, a convex
    problem.

    Examples
    --------
    A hundred rows on which one is always right and the other always undecided:

    >>> codes = np.array([0, 1] * 50)
    >>> task = Task(classes=("a", "b"), codes=codes, folds=codes, balance="off", seed=0, clock=None)
    >>> sure, undecided = np.tile([[0.9, 0.1], [0.1, 0.9]], (50, 1)), np.full((100, 2), 0.5)
    >>> choose_weights(HeldOutOutputs.collect(task, {"linear-probe": sure, "classic": undecided}, np.arange(100)))
    {'linear-probe': 1.0}
    """
    log_prior, n_rows = np.log(compute_prior_weights(outputs.names)), outputs.scaled.shape[1]

    def penalised_loss(logs: Floats) -> tuple[float, Floats]:
        weights = softmax(logs[None])[0]
        value, slope = outputs.evaluate(weights)
        log_ratios = np.log(np.maximum(weights, SHARED_SETTINGS.min_probability)) - log_prior
        value += SETTINGS.blend_prior_rows / n_rows * float(weights @ log_ratios)
        slope += SETTINGS.blend_prior_rows / n_rows * (log_ratios + 1)
        return value, weights * (slope - weights @ slope)

    logs = minimise(penalised_loss, log_prior, SETTINGS.blend_tolerance / len(log_prior)) if n_rows else log_prior
    weights = softmax(logs[None])[0]
    weights[weights < min(SETTINGS.min_blend_weight, float(weights.max()))] = 0
    named_weights = zip(outputs.names, weights / weights.sum(), strict=True)
    return {name: float(weight) for name, weight in named_weights if weight > 0}


def fit(rows: StrategyRows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Choose members and weights; each fold is predicted with those that are best on the other folds.

    Raises
    ------
    StrategySkipped
        If fewer than two members predicted as many rows as the one that predicted most.
    """
    nameless = _list_nameless(members, task)
    outputs = {name: fitted.out_of_fold for name, fitted in members.items() if name not in nameless}
    covered = {name: int(mask_predicted_rows(values).sum()) for name, values in outputs.items()}
    complete = {name: values for name, values in outputs.items() if covered[name] == max(covered.values())}
    if len(complete) < 2:
        raise StrategySkipped("it needs two strategies that predicted every row")
    link, out_of_fold = LINK_OF[task.kind], np.full(next(iter(complete.values())).shape, np.nan)
    for fold in list_held_out_folds(task.folds):
        inside = np.flatnonzero(task.folds == fold)
        weights = choose_weights(HeldOutOutputs.collect(task, complete, np.flatnonzero(task.folds != fold)))
        out_of_fold[inside] = pool_outputs({name: complete[name][inside] for name in weights}, weights, link)
    weights = choose_weights(HeldOutOutputs.collect(task, complete, np.arange(len(task.codes))))
    ordered = {name: weights[name] for name in members if name in weights}
    note = ", ".join(f"{weight:.0%} {name}" for name, weight in ordered.items())
    return FittedModel(Blend({name: members[name] for name in ordered}, ordered, link), out_of_fold, (note,))


def _list_nameless(members: Mapping[str, Fitted], task: Task) -> list[str]:
    """Name the quick heads on the base's features that do not know the names of the classes, where another one does."""
    heads = [name for name in members if STRATEGIES[name].kind == "transfer" and STRATEGIES[name].preset == "quick"]
    nameless = [name for name in heads if "names" not in STRATEGIES[name].uses]
    are_read = task.name_features is not None and may_names_add(task.codes, len(task.classes))
    return nameless if are_read and len(nameless) < len(heads) else []


def read_first_format_weights(meta: Mapping[str, Any]) -> dict[str, float]:
    """Return the weights as the first bundles stored them: one probe's weight, the rest for classic."""
    return {str(meta["probe"]): float(meta["weight"]), "classic": 1 - float(meta["weight"])}


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore all members."""
    weights = state.meta["weights"] if "weights" in state.meta else read_first_format_weights(state.meta)
    members = {name: STRATEGIES[name].load(state.select_part(name), classes) for name in weights}
    return restore_model(Blend(members, weights, str(state.meta.get("link", "softmax"))), state, classes)
