"""The trials of `verdict.py`: a planted truth each, judged by the product's own scoring and verdict functions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from planted import (
    CLUSTER,
    LABELS,
    N_CLASSES,
    N_FOLDS,
    TASKS,
    Features,
    Floats,
    Pool,
    compute_scores,
    fit_chosen,
    make_pool,
    make_predictions,
    see_with_base,
    see_without_base,
)

from headstart.decisions.sets import fit_sets
from headstart.evaluation import NamedPredictions, assess_transfer
from headstart.evaluation.fairness.groups import score_groups
from headstart.evaluation.fairness.inherited_bias import ComparedModels, trace_gap
from headstart.evaluation.metrics.per_task import score_predictions
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.flow.scoring.readiness import judge_model
from headstart.flow.scoring.readiness_rules import JudgedModel
from headstart.records import Index, Predictions, make_column
from headstart.results import Abstention, Figure

Record = dict[str, Any]
Cell = dict[str, Any]

TEST_ROWS = (20, 50, 100, 200, 500, 1000, 2000)
RARE = np.array([0.85, 0.05, 0.05, 0.05])

VERDICT_CELLS: tuple[Cell, ...] = (
    *(
        {"modality": modality, "base": base, "task": "classification", "rows": "independent"}
        for base in ("useful", "random labels", "harmful", "shuffled", "twin")
        for modality in ("series", "image", "text")
    ),
    {"modality": "image", "base": "useful", "task": "classification", "rows": "clusters"},
    {"modality": "image", "base": "random labels", "task": "classification", "rows": "clusters"},
    {"modality": "image", "base": "twin", "task": "classification", "rows": "clusters"},
    {"modality": "text", "base": "useful", "task": "classification", "rows": "imbalanced"},
    {"modality": "text", "base": "random labels", "task": "classification", "rows": "imbalanced"},
    {"modality": "image", "base": "useful", "task": "multi-label", "rows": "independent"},
    {"modality": "text", "base": "shuffled", "task": "multi-label", "rows": "independent"},
    {"modality": "text", "base": "twin", "task": "classification", "rows": "imbalanced"},
    {"modality": "image", "base": "twin", "task": "multi-label", "rows": "independent"},
    {"modality": "image", "base": "twin", "task": "ordinal", "rows": "independent"},
    {"modality": "image", "base": "twin", "task": "regression", "rows": "independent"},
    {"modality": "series", "base": "useful", "task": "regression", "rows": "independent"},
    {"modality": "image", "base": "shuffled", "task": "regression", "rows": "independent"},
    {"modality": "image", "base": "useful", "task": "regression", "rows": "clusters"},
    {"modality": "text", "base": "useful", "task": "ordinal", "rows": "independent"},
    {"modality": "image", "base": "random labels", "task": "ordinal", "rows": "independent"},
    {"modality": "image", "base": "useful", "task": "multi-label", "rows": "clusters"},
)  # fmt: skip


def name_cell(cell: Cell) -> str:
    """Return a cell in a few words; seeds follow from it."""
    return ", ".join(f"{key} {value}" for key, value in cell.items())


def start_generator(cell: Cell, trial: int) -> np.random.Generator:
    """Return the random numbers of a trial: the same wherever it runs."""
    return np.random.default_rng([*name_cell(cell).encode(), trial])


@cache
def _features(base: str, modality: str, use: str, clustered: bool) -> tuple[Features, Features]:
    """Return features with the base and without it."""
    pool = make_pool(modality, use, clustered)
    return see_with_base(pool, base, modality, use), see_without_base(pool, base, use)


def _draw(codes: Index, n: int, cell: Cell, rng: np.random.Generator) -> tuple[Index, Index | None]:
    """Draw rows of a pool with replacement, and number their clusters."""
    if cell["rows"] == "clusters":
        n_units = n // CLUSTER
        units = rng.integers(0, len(codes) // CLUSTER, n_units)
        return (units[:, None] * CLUSTER + np.arange(CLUSTER)).ravel(), np.repeat(np.arange(n_units), CLUSTER)
    if cell["rows"] == "imbalanced":
        return rng.choice(len(codes), n, p=_weigh(codes, cell)), None
    return rng.integers(0, len(codes), n), None


def _weigh(codes: Index, cell: Cell) -> Floats:
    if cell["rows"] != "imbalanced":
        return np.full(len(codes), 1 / len(codes))
    return np.asarray((RARE / np.bincount(codes, minlength=N_CLASSES))[codes])


def _draw_training_rows(codes: Index, cell: Cell, rng: np.random.Generator) -> Index:
    """Draw independent training rows, three of each class at least."""
    independent = {**cell, "rows": "imbalanced" if cell["rows"] == "imbalanced" else "independent"}
    n = LABELS[int(rng.integers(len(LABELS)))]
    rows = _draw(codes, n, independent, rng)[0]
    some = [rng.choice(np.flatnonzero(codes == code), 3) for code in range(N_CLASSES)]
    return np.concatenate([*some, rows])[: max(n, 3 * N_CLASSES)]


def try_verdict(cell: Cell, trial: int) -> Iterator[Record]:
    """Fit a pair on drawn training rows, and judge it on 20 to 2,000 drawn test rows."""
    rng, task = start_generator(cell, trial), TASKS[cell["task"]]
    base, clustered, is_null = cell["base"], cell["rows"] == "clusters", cell["base"] == "random labels"
    train, test = (make_pool(cell["modality"], use, clustered) for use in ("train", "test"))
    truths = [task.truth(pool) for pool in (train, test)]
    rows = _draw_training_rows(train.codes, cell, rng)
    learnt = rng.permutation(truths[0][rows]) if is_null else truths[0][rows]
    outputs = []
    sides = [_features(base, cell["modality"], use, clustered) for use in ("train", "test")]
    for features in zip(*sides, strict=True):
        outputs.append(fit_chosen(features[0][rows], task.targets(learnt))(features[1]))
    pair, weights = [make_predictions(each, task) for each in outputs], _weigh(test.codes, cell)
    scores = [_score_null(each, weights, cell) if is_null else compute_scores(truths[1], each, weights)
              for each in pair]  # fmt: skip
    for n in TEST_ROWS:
        drawn, clusters = _draw(test.codes, n, cell, rng)
        truth = truths[1][drawn]
        if is_null:
            truth = _draw_labels(n, clusters, cell, rng)
        ids = make_column(list(range(n)))
        named = [NamedPredictions(name, make_predictions(each[drawn], task, ids))
                 for name, each in zip(("probe", "classic"), outputs, strict=True)]  # fmt: skip
        verdict = assess_transfer(truth, *named, clusters=clusters, seed=trial)
        difference = verdict.difference
        assert difference is not None
        yield {"n": n, "labels": len(rows), "truth": scores[0] - scores[1], "outcome": verdict.transfer,
               "value": difference.value, "low": difference.low, "high": difference.high}  # fmt: skip


def _draw_labels(n: int, clusters: Index | None, cell: Cell, rng: np.random.Generator) -> Index:
    """Draw labels that have nothing to do with rows, one a cluster."""
    prior = RARE if cell["rows"] == "imbalanced" else np.full(N_CLASSES, 1 / N_CLASSES)
    labels = rng.choice(N_CLASSES, n, p=prior)
    return np.asarray(labels if clusters is None else labels[clusters], dtype=np.intp)


def _score_null(predictions: Predictions, weights: Floats, cell: Cell) -> float:
    """Return the score on labels drawn by chance: 0 in kappa; accuracy depends on the answers where some are rare."""
    prior = RARE if cell["rows"] == "imbalanced" else np.full(N_CLASSES, 1 / N_CLASSES)
    return 0.0 if cell["task"] == "ordinal" else float(weights @ prior[predictions.class_indices])


GAP_CELLS: tuple[Cell, ...] = (
    {"gap": 0.15, "accuracy": 0.9, "columns": 1, "values": 2, "rows a value": 200, "clusters": False},
    {"gap": 0.15, "accuracy": 0.8, "columns": 1, "values": 2, "rows a value": 200, "clusters": False},
    {"gap": 0.15, "accuracy": 0.7, "columns": 1, "values": 2, "rows a value": 200, "clusters": False},
    {"gap": 0.15, "accuracy": 0.8, "columns": 5, "values": 2, "rows a value": 200, "clusters": False},
    {"gap": 0.0, "accuracy": 0.8, "columns": 1, "values": 2, "rows a value": 200, "clusters": False},
    {"gap": 0.0, "accuracy": 0.8, "columns": 5, "values": 2, "rows a value": 200, "clusters": False},
    {"gap": 0.0, "accuracy": 0.8, "columns": 1, "values": 6, "rows a value": 60, "clusters": False},
    {"gap": 0.0, "accuracy": 0.8, "columns": 1, "values": 2, "rows a value": 200, "clusters": True},
    {"gap": 0.15, "accuracy": 0.8, "columns": 1, "values": 2, "rows a value": 200, "clusters": True},
    {"gap": 0.15, "accuracy": 0.8, "columns": 1, "values": 2, "rows a value": 400, "clusters": True},
    {"gap": 0.15, "accuracy": 0.8, "columns": 1, "values": 3, "rows a value": (25, 200, 200), "clusters": False},
    {"gap": 0.0, "accuracy": 0.8, "columns": 1, "values": 3, "rows a value": (25, 200, 200), "clusters": False},
)


def _predict_right(codes: Index, right: NDArray[np.bool_], n_classes: int, rng: np.random.Generator) -> Predictions:
    """Return answers of which these are right."""
    other = (codes + rng.integers(1, n_classes, len(codes))) % n_classes
    probabilities = np.full((len(codes), n_classes), 0.1 / (n_classes - 1))
    probabilities[np.arange(len(codes)), np.where(right, codes, other)] = 0.9
    names = tuple("abcdefgh"[:n_classes])
    return Predictions(ids=make_column(list(range(len(codes)))), classes=names, probabilities=probabilities)


def try_gaps(cell: Cell, trial: int) -> Iterator[Record]:
    """Compare groups: the last value of the first column is `gap` worse than `accuracy`, other columns say nothing."""
    rng, n_values = start_generator(cell, trial), cell["values"]
    sizes = np.broadcast_to(cell["rows a value"], n_values)
    n = int(sizes.sum())
    units = np.arange(n) // CLUSTER if cell["clusters"] else np.arange(n)
    group = units % n_values if np.ptp(sizes) == 0 else np.repeat(np.arange(n_values), sizes)
    others = [rng.permutation(group) for _ in range(cell["columns"] - 1)]
    names = np.array([f"value {at}" for at in range(n_values)], dtype=object)
    columns = {f"column {at}": names[each] for at, each in enumerate([group, *others])}
    luck = rng.random(n)
    if cell["clusters"]:
        luck = np.where(rng.random(n) < 0.5, rng.random(n)[units], luck)
    right = luck < cell["accuracy"] - cell["gap"] * (group == n_values - 1)
    codes = rng.integers(0, 3, n)
    compared = score_groups(
        codes, _predict_right(codes, right, 3, rng), columns, clusters=units if cell["clusters"] else None, seed=trial
    )
    alarms = [item.gap is not None and item.gap.low > 0 for item in compared]
    by_class = [item.class_gap is not None and item.class_gap.gap.low > 0 for item in compared]
    is_null = cell["gap"] == 0
    first = compared[0].gap
    yield {
        "power": None if is_null else alarms[0],
        "p": compared[0].p_value,
        "false": any(alarms if is_null else alarms[1:]),
        "false by class": any(by_class if is_null else by_class[1:]),
        "holds": first is not None and (n_values > 2 or first.low - 1e-9 <= cell["gap"] <= first.high + 1e-9),
    }


READY_ROWS = (60, 120, 250, 500, 1000)
READY_CELLS: tuple[Cell, ...] = (
    {"breaks": "answered right", "right": (0.895, 0.895, 0.895), "group": 0.0, "clusters": False},
    {"breaks": "worst class", "right": (0.98, 0.98, 0.79), "group": 0.0, "clusters": False},
    {"breaks": "worst group", "right": (0.95, 0.95, 0.95), "group": 0.16, "clusters": False},
    {"breaks": "answered right", "right": (0.895, 0.895, 0.895), "group": 0.0, "clusters": True},
    {"breaks": "answered", "right": (0.97, 0.97, 0.97), "group": 0.0, "clusters": False},
    {"breaks": "nothing", "right": (0.97, 0.97, 0.97), "group": 0.0, "clusters": False},
)


def try_readiness(cell: Cell, trial: int) -> Iterator[Record]:
    """Judge a model whose true figures break one rule by a point or less, or none."""
    rng = start_generator(cell, trial)
    for n in READY_ROWS:
        units = np.arange(n) // CLUSTER if cell["clusters"] else np.arange(n)
        luck = rng.random(n)
        if cell["clusters"]:
            luck = np.where(rng.random(n) < 0.5, rng.random(n)[units], luck)
        codes, group = rng.integers(0, 3, n), rng.random(n) < 1 / 3
        right = luck < np.array(cell["right"])[codes] - cell["group"] * group
        answered = rng.random(n) < (0.49 if cell["breaks"] == "answered" else 0.95)
        clusters = units if cell["clusters"] else None
        predictions = _predict_right(codes, right, 3, rng)
        columns = {"site": np.where(group, "south", "north").astype(object)} if cell["group"] else {}
        model = JudgedModel(
            task="classification", classes=predictions.classes,
            metrics=score_predictions(codes, predictions, clusters, trial),
            abstention=_measure_answers(right, answered, clusters),
            groups=score_groups(codes, predictions, columns, clusters=clusters, seed=trial) if columns else (),
            asked_columns=frozenset(columns),
        )  # fmt: skip
        for part in model.groups:
            part.origin = "named"
        yield {"n": n, "level": judge_model(model)[0].level}


def _measure_answers(right: NDArray[np.bool_], answered: NDArray[np.bool_], clusters: Index | None) -> Abstention:
    """Measure as `flow.scoring.decisions` does what readiness looks at."""
    inside = None if clusters is None else clusters[answered]
    share = Figure.from_interval(share_interval(answered, clusters))
    return Abstention.model_construct(
        n_rows=len(right), n_answered=int(answered.sum()), shares={"label": share},
        accuracy_answered=Figure.from_interval(share_interval(right[answered], inside)) if answered.any() else None,
    )  # fmt: skip


SET_CELLS: tuple[Cell, ...] = tuple(
    {"modality": modality, "rows": rows, "labels": n}
    for n in (60, 200, 800)
    for modality, rows in (("image", "independent"), ("text", "independent"), ("series", "imbalanced"))
)


def try_sets(cell: Cell, trial: int) -> Iterator[Record]:
    """Learn sets of 90 % on out-of-fold rows, and compute how often they hold the truth on the whole pool."""
    rng, task = start_generator(cell, trial), TASKS["classification"]
    train, test = (make_pool(cell["modality"], use) for use in ("train", "test"))
    rows = _draw(train.codes, cell["labels"], cell, rng)[0]
    features, codes = train.based[rows], train.codes[rows]
    targets, folds = task.targets(codes), np.arange(len(rows)) % N_FOLDS
    probabilities = np.empty((len(rows), N_CLASSES))
    for fold in range(N_FOLDS):
        held = folds == fold
        predict = fit_chosen(features[~held], targets[~held])
        probabilities[held] = make_predictions(predict(features[held]), task).probabilities
    rule = fit_sets(codes, probabilities, 0.9)
    outputs = make_predictions(fit_chosen(features, targets)(test.based), task).probabilities
    holds = [sets[np.arange(len(test.codes)), test.codes] for sets in (rule.exact_sets(outputs), rule.sets(outputs))]
    weights = _weigh(test.codes, cell)
    true = [float(weights @ each) for each in holds]
    drawn = _draw(test.codes, 200, cell, rng)[0]
    measured = share_interval(holds[0][drawn], None)
    least = min(float(holds[1][test.codes == code].mean()) for code in range(N_CLASSES))
    yield {"exact": true[0], "as given": true[1], "least class": least,
           "holds": measured.low <= true[0] <= measured.high}  # fmt: skip


ORIGIN_CELLS: tuple[Cell, ...] = tuple(
    {"planted in": place, "values": values, "rows a value": n}
    for place in ("base", "labels", "neither")
    for values, n in ((2, 100), (2, 200), (5, 100))
)


def try_origin(cell: Cell, trial: int) -> Iterator[Record]:
    """Trace a gap: planted in the base's features of the last group, in its labels, or nowhere.

    The model without a base and that with it see the family equally well, each with noise of its own.
    """
    rng, task, n_values = start_generator(cell, trial), TASKS["classification"], cell["values"]
    train, test = (make_pool("image", use) for use in ("train", "test"))
    scale, outputs = train.based.std(axis=0), []
    group = [rng.integers(0, n_values, len(pool.codes)) == n_values - 1 for pool in (train, test)]
    codes = [_mislabel(pool, worse, cell, rng) for pool, worse in zip((train, test), group, strict=True)]
    rows = rng.integers(0, len(train.codes), 400)
    for seen in ("based", "plain"):
        views = []
        for pool, worse in ((train, group[0]), (test, group[1])):
            noise = np.where(worse & (cell["planted in"] == "base") & (seen == "based"), 1.8, 0.5)[:, None]
            views.append((pool.based + noise * scale * rng.normal(size=pool.based.shape)).astype(np.float32))
        outputs.append(fit_chosen(views[0][rows], task.targets(codes[0][rows]))(views[1]))
    right = [each.argmax(axis=1) == codes[1] for each in outputs]
    gaps = [float(each[~group[1]].mean() - each[group[1]].mean()) for each in right]
    n = cell["rows a value"]
    better, worse = (rng.choice(np.flatnonzero(group[1] == side), size)
                     for side, size in ((False, n * (n_values - 1)), (True, n)))  # fmt: skip
    drawn = np.concatenate([better, worse])
    members = np.concatenate([np.arange(len(better)) % (n_values - 1), np.full(n, n_values - 1)])
    based, plain = (make_predictions(each[drawn], task) for each in outputs)
    models = ComparedModels(chosen=based, frozen=based, plain=plain, without_base="classic", is_frozen=True)
    values = np.array([f"value {at}" for at in range(n_values)], dtype=object)[members]
    origin = trace_gap("site", codes[1][drawn], models, values, None, trial)
    if origin is None or origin.brought is None or origin.without_base is None:
        yield {"origin": "neither", "sign": 0, "holds": None, "truth": gaps[0] - gaps[1]}
        return
    truth = gaps[0] - gaps[1]
    sign = 1 if origin.brought.low > 0 else -1 if origin.brought.high < 0 else 0
    place = "base" if sign > 0 else "labels" if origin.without_base.low > 0 else "neither"
    is_pair = n_values == 2 and origin.between == ["value 0", "value 1"]
    yield {"origin": place, "sign": sign, "truth": truth,
           "holds": origin.brought.low <= truth <= origin.brought.high if is_pair else None}  # fmt: skip


def _mislabel(pool: Pool, worse: NDArray[np.bool_], cell: Cell, rng: np.random.Generator) -> Index:
    """Give three of ten rows of the worse group a label drawn by chance, where the gap is planted in labels."""
    is_wrong = worse & (cell["planted in"] == "labels") & (rng.random(len(worse)) < 0.3)
    return np.where(is_wrong, rng.integers(0, N_CLASSES, len(worse)), pool.codes)
