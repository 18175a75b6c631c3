"""How good a model is at each level of its coding frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headstart import evaluation
from headstart.coding_frames import join_path, split_path
from headstart.decisions import DecisionPolicy
from headstart.decisions.rolling_up import is_rolled_up, list_level_nodes, split_answer
from headstart.evaluation.uncertainty.conformal import share_interval
from headstart.flow.scoring.decisions import ScoredRows
from headstart.records import Index, Predictions
from headstart.results import Figure, LevelFigures, Metrics, MultiLabelMetrics
from headstart.task_types import TASK_TYPES


def measure_levels(rows: ScoredRows, policy: DecisionPolicy, seed: int) -> list[LevelFigures]:
    """Return the figures of each level, the widest first; none for a model without a coding frame.

    Parameters
    ----------
    rows : ScoredRows
        One or more.
    policy : DecisionPolicy
    seed : int
        Of the bootstrap.
    """
    if policy.frame is None:
        return []
    measure = _measure_class_level if TASK_TYPES[rows.predictions.task].has_one_class else _measure_label_level
    return [measure(rows, name, depth, seed) for depth, name in enumerate(policy.frame.levels, start=1)]


def _measure_class_level(rows: ScoredRows, name: str, depth: int, seed: int) -> LevelFigures:
    predictions, decided, clusters = rows.predictions, rows.decisions, rows.clusters
    nodes = list_level_nodes(predictions.classes, depth)
    probabilities = nodes.sum_probabilities(predictions.probabilities)
    truth = nodes.node_of_class[np.asarray(rows.truth, dtype=np.intp)]
    at_level = Predictions(ids=predictions.ids, classes=nodes.names, probabilities=probabilities)
    metrics = evaluation.score_predictions(truth, at_level, clusters, seed)
    assert isinstance(metrics, Metrics)
    answers = [str(answer) for answer in decided.answers]
    is_rolled = np.asarray([is_rolled_up(answer) for answer in answers], dtype=bool)
    paths = [split_answer(answer) for answer in answers]
    is_full = decided.outcomes == "answered"
    is_answered = is_full | (is_rolled & np.asarray([len(path) >= depth for path in paths], dtype=bool))
    is_right = np.asarray(
        [join_path(path[:depth]) == nodes.names[code] for path, code in zip(paths, truth, strict=True)], dtype=bool
    )
    ends_here = is_rolled & np.asarray([len(path) == depth for path in paths], dtype=bool)
    return LevelFigures(
        name=name,
        n_codes=len(nodes.names),
        metrics=metrics,
        answered=Figure.from_interval(share_interval(is_answered, clusters)),
        right=_measure_share(is_right, is_answered, clusters),
        rolled_up=Figure.from_interval(share_interval(ends_here, clusters)),
        rolled_up_right=_measure_share(is_right, ends_here, clusters),
    )


def _measure_share(hits: NDArray[np.bool_], among: NDArray[np.bool_], clusters: Index | None) -> Figure | None:
    if not among.any():
        return None
    return Figure.from_interval(share_interval(hits[among], None if clusters is None else clusters[among]))


def _measure_label_level(rows: ScoredRows, name: str, depth: int, seed: int) -> LevelFigures:
    columns = [at for at, label in enumerate(rows.predictions.classes) if len(split_path(label)) == depth]
    predictions = _close_upwards(rows.predictions)
    thresholds = predictions.thresholds or (0.5,) * len(predictions.classes)
    at_level = replace(
        predictions,
        classes=tuple(predictions.classes[at] for at in columns),
        probabilities=predictions.probabilities[:, columns],
        thresholds=tuple(thresholds[at] for at in columns),
    )
    metrics = evaluation.score_predictions(rows.truth[:, columns], at_level, rows.clusters, seed)
    assert isinstance(metrics, MultiLabelMetrics)
    return LevelFigures(name=name, n_codes=len(columns), metrics=metrics)


def _close_upwards(predictions: Predictions) -> Predictions:
    """Return predictions in which a label that is given gives its parents, too."""
    probabilities = predictions.probabilities.copy()
    mask, thresholds = predictions.label_mask, predictions.thresholds or (0.5,) * len(predictions.classes)
    place = {name: at for at, name in enumerate(predictions.classes)}
    for at, parents in _list_parents(predictions.classes, place):
        for parent in parents:
            rows = np.flatnonzero(mask[:, at])
            probabilities[rows, parent] = np.maximum(probabilities[rows, parent], thresholds[parent])
    return replace(predictions, probabilities=probabilities)


def _list_parents(classes: Sequence[str], place: dict[str, int]) -> list[tuple[int, list[int]]]:
    paths = [split_path(name) for name in classes]
    names = [[join_path(path[:depth]) for depth in range(1, len(path))] for path in paths]
    return [(at, [place[name] for name in parents if name in place]) for at, parents in enumerate(names)]
