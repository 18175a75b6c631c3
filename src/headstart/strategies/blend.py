"""`blend`: several fitted strategies together, with weights chosen by cross-validation.

Members are averaged as logarithms for classes (a logarithmic opinion pool, Genest and Zidek 1986, so that any can veto
a class), as log-odds for labels, as they are for numbers. The start is the pair that is best together of one strategy
that uses the base and one that does not (else the two best); its weights are drawn to equal ones where rows are few.
Another member is added only where that is better by more than noise, so that many members on few rows do not
overfit (greedy selection after Caruana et al. 2004, "Ensemble selection from libraries of models").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.records import Index, Probabilities, State, nest
from headstart.strategies import STRATEGIES
from headstart.strategies.goals import GOALS
from headstart.strategies.links import LINK_OF, LINKS, logit
from headstart.strategies.model import Model, restore
from headstart.strategies.record import Fitted, Rows, Skipped, Task
from headstart.strategies.selection import predicted_rows

GRID = np.linspace(0, 1, 21)
EQUAL = 0.5
PRIOR = 4.0
"""How many rows' worth of belief in equal weights: with ten rows it decides, with a thousand it is forgotten."""
BEYOND_NOISE = 1.645
MOST_VALUES = 8_000_000
"""Outputs of a member on which weights are chosen: a sample of the rows where there are more."""
BLOCK = 4_096
SMALLEST = 1e-9
Weights = Mapping[str, float]
Floats = NDArray[np.float64]


def _logs(shares: Probabilities) -> Floats:
    return np.asarray(np.log(np.maximum(shares, SMALLEST)))


def _values(values: Probabilities) -> Floats:
    return np.asarray(values, dtype=np.float64)


SCALES: dict[str, Callable[[Probabilities], Floats]] = {"softmax": _logs, "logistic": logit, "identity": _values}
"""On which scale outputs are averaged, by the link that leads back."""


def pool(members: Mapping[str, Probabilities], weights: Weights, link: str = "softmax") -> Probabilities:
    """Average several outputs on their link's scale; rows of NaN stay NaN.

    Examples
    --------
    >>> pool({"a": np.array([[0.8, 0.2]]), "b": np.array([[0.2, 0.8]])}, {"a": 0.5, "b": 0.5}).round(3).tolist()
    [[0.5, 0.5]]
    """
    shape = next(iter(members.values())).shape
    made = np.empty(shape)
    for start in range(0, shape[0], BLOCK):
        block = slice(start, start + BLOCK)
        parts = [weight * SCALES[link](members[name][block]) for name, weight in weights.items()]
        made[block] = LINKS[link](np.sum(parts, axis=0))
    return made


@dataclass(frozen=True)
class Blend:
    """Fitted members and their weights (positive, sum 1)."""

    members: Mapping[str, Fitted]
    weights: Weights
    link: str

    def predict(self, rows: Rows) -> Probabilities:
        """Give outputs (n_rows, n_outputs)."""
        return pool({name: member.predict(rows) for name, member in self.members.items()}, self.weights, self.link)

    def state(self) -> State:
        """Give the members' states and weights."""
        parts = {name: member.state() for name, member in self.members.items()}
        return nest(parts, {"weights": dict(self.weights), "link": self.link})


@dataclass(frozen=True)
class Held:
    """Out-of-fold outputs of the members on their link's scale, on some rows, and how they are judged there."""

    task: Task
    rows: Index
    scaled: Mapping[str, Floats]

    @classmethod
    def of(cls, task: Task, members: Mapping[str, Probabilities], rows: Index) -> Held:
        """Take the predicted ones of some rows, at most as many as are needed to choose weights, drawn by the seed."""
        rows = rows[np.all([predicted_rows(values[rows]) for values in members.values()], axis=0)]
        most = max(1, MOST_VALUES // max(len(task.classes), 1))
        if len(rows) > most:
            rows = np.sort(np.random.default_rng(task.seed).choice(rows, most, replace=False))
        scale = SCALES[LINK_OF[task.kind]]
        return cls(task, rows, {name: scale(values[rows]) for name, values in members.items()})

    def losses(self, mixed: Floats) -> Floats:
        """Give each row's loss for outputs on the link's scale."""
        made = np.full((len(self.task.codes), mixed.shape[1]), np.nan)
        made[self.rows] = LINKS[LINK_OF[self.task.kind]](mixed)
        return GOALS[self.task.kind].losses(self.task, made)[self.rows]


def _line(held: Held, first: Floats, second: Floats, towards: float, prior: float) -> tuple[float, float]:
    """Give the weight of `first` (GRID) with the lowest loss plus `prior / n_rows * (weight - towards)^2`, and that.

    The loss is convex in the weight: a coarse search finds the neighbourhood.
    """

    def drawn(at: int) -> float:
        weight = float(GRID[at])
        loss = float(held.losses(weight * first + (1 - weight) * second).mean())
        return loss + prior / len(held.rows) * (weight - towards) ** 2

    known: dict[int, float] = {at: drawn(at) for at in range(0, len(GRID), 4)}
    centre = min(known, key=lambda at: known[at])
    known.update({at: drawn(at) for at in range(max(0, centre - 3), min(len(GRID), centre + 4)) if at not in known})
    best = min(sorted(known), key=lambda at: known[at])
    return float(GRID[best]), known[best]


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """Every pair of one that uses the base and one that does not; all pairs where there is none."""
    with_base = [name for name in names if STRATEGIES[name].kind == "transfer"]
    without = [name for name in names if name not in with_base]
    return [(one, other) for one in with_base for other in without] or list(combinations(names, 2))


def choose_weights(held: Held) -> dict[str, float]:
    """Give the members' weights: positive, sum 1.

    Examples
    --------
    A hundred rows on which one is always right and the other always undecided:

    >>> codes = np.array([0, 1] * 50)
    >>> task = Task(("a", "b"), codes, codes, "off", 0, clock=None)
    >>> sure, undecided = np.tile([[0.9, 0.1], [0.1, 0.9]], (50, 1)), np.full((100, 2), 0.5)
    >>> choose_weights(Held.of(task, {"linear-probe": sure, "classic": undecided}, np.arange(100)))
    {'linear-probe': 1.0}
    """
    if len(held.rows) == 0:
        first, second = _pairs(list(held.scaled))[0]
        return {first: EQUAL, second: EQUAL}
    found = {
        pair: _line(held, held.scaled[pair[0]], held.scaled[pair[1]], EQUAL, PRIOR) for pair in _pairs([*held.scaled])
    }
    first, second = min(found, key=lambda pair: found[pair][1])
    share = found[first, second][0]
    weights = {first: share, second: 1 - share}
    while True:
        added = _added(held, weights)
        if added is None:
            return {name: weight for name, weight in weights.items() if weight > 0}
        weights = added


def _added(held: Held, weights: dict[str, float]) -> dict[str, float] | None:
    """Add the member that helps most, if one helps beyond noise (paired over rows)."""
    mixed = np.sum([weight * held.scaled[name] for name, weight in weights.items()], axis=0)
    others = [name for name in held.scaled if not weights.get(name)]
    found = {name: _line(held, held.scaled[name], mixed, 0.0, PRIOR) for name in others}
    if not found:
        return None
    best = min(found, key=lambda name: found[name][1])
    share = found[best][0]
    gains = held.losses(mixed) - held.losses(share * held.scaled[best] + (1 - share) * mixed)
    if share == 0 or not gains.mean() > BEYOND_NOISE * gains.std() / np.sqrt(len(gains)):
        return None
    return {**{name: weight * (1 - share) for name, weight in weights.items()}, best: share}


def fit(rows: Rows, task: Task, members: Mapping[str, Fitted]) -> Fitted:
    """Choose members and weights; each fold is predicted with those that are best on the other folds.

    Raises
    ------
    Skipped
        If fewer than two members predicted as many rows as the one that predicted most.
    """
    shown = {name: fitted.out_of_fold for name, fitted in members.items()}
    covered = {name: int(predicted_rows(values).sum()) for name, values in shown.items()}
    whole = {name: values for name, values in shown.items() if covered[name] == max(covered.values())}
    if len(whole) < 2:
        raise Skipped("it needs two strategies that predicted every row")
    link, out_of_fold = LINK_OF[task.kind], np.full(next(iter(whole.values())).shape, np.nan)
    for fold in np.unique(task.folds):
        inside = np.flatnonzero(task.folds == fold)
        weights = choose_weights(Held.of(task, whole, np.flatnonzero(task.folds != fold)))
        out_of_fold[inside] = pool({name: whole[name][inside] for name in weights}, weights, link)
    weights = choose_weights(Held.of(task, whole, np.arange(len(task.codes))))
    ordered = {name: weights[name] for name in members if name in weights}
    note = ", ".join(f"{weight:.0%} {name}" for name, weight in ordered.items())
    return Model(Blend({name: members[name] for name in ordered}, ordered, link), out_of_fold, (note,))


def _first_form(meta: Mapping[str, Any]) -> dict[str, float]:
    """Read how the first bundles said it: one probe's weight, the rest for classic."""
    return {str(meta["probe"]): float(meta["weight"]), "classic": 1 - float(meta["weight"])}


def load(state: State, classes: tuple[str, ...]) -> Fitted:
    """Restore all members."""
    weights = state.meta["weights"] if "weights" in state.meta else _first_form(state.meta)
    members = {name: STRATEGIES[name].load(state.inner(name), classes) for name in weights}
    return restore(Blend(members, weights, str(state.meta.get("link", "softmax"))), state, classes)
