"""One candidate base on one sample of training rows: its pass, its probe by cross-validation, its scores."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart import bases, data, evaluation, features, ranking
from headstart.bases import CATALOGUE, DEFAULTS, Backbone
from headstart.bases.record import is_embedded
from headstart.checks.vocabulary import measure_coverage
from headstart.errors import DataError, HeadstartError, cut_problem
from headstart.evaluation.intervals import mean_interval
from headstart.flow.base_choice.settings import SETTINGS
from headstart.options import AdaptOptions
from headstart.ranking import Candidate, MeasuredCandidate, VocabularyCoverage
from headstart.records import Index, Interval, Predictions, Probabilities, Table
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies import STRATEGIES, Clock, StrategyRows, Task
from headstart.strategies.record import StrategySkipped
from headstart.strategies.scoring import OBJECTIVES, mask_predicted_rows, mean_loss

PROBES = ("linear-probe", "multi-stage-probe")
"""A base model is ranked by the better of these in cross-validation, as in `adapt`."""
UNUSABLE = (HeadstartError, ValueError, TypeError, RuntimeError, OSError)
"""What a model of others may raise when it is built or run: it is then left out, with the reason."""


class OutOfTime(DataError):
    """The rows of a sample do not pass through a base in the time given."""


@dataclass(frozen=True)
class Sample:
    """Some training rows: what every candidate is measured on in one turn (0: few rows, 1: more)."""

    table: Table
    clusters: Index
    turn: int


def list_expected_errors(candidate: Candidate) -> tuple[type[Exception], ...]:
    """Name the errors that leave a candidate out; anything else is our own fault and must be seen.

    Parameters
    ----------
    candidate : Candidate
    """
    is_ours = candidate.origin == "catalogue" and is_embedded(CATALOGUE[candidate.reference])
    return (HeadstartError,) if is_ours else UNUSABLE


def describe_failure(error: Exception) -> str:
    """Return the reason in short.

    Parameters
    ----------
    error : Exception
    """
    reason = (
        error.problem if isinstance(error, HeadstartError) else f"it cannot be used ({' '.join(str(error).split())})"
    )
    return cut_problem(reason[:300], "")


def measure_candidate(
    candidate: Candidate, sample: Sample, options: AdaptOptions, need: bases.BaseRequest, seconds: float
) -> MeasuredCandidate:
    """Load one candidate and score it.

    Parameters
    ----------
    candidate : Candidate
    sample : Sample
    options : AdaptOptions
    need : BaseRequest
    seconds : float
        Limit of the pass through the base.

    Raises
    ------
    DataError
        If the time does not suffice, no row can be held out, or the base does not know the script of the texts.
    """
    began = time.monotonic()
    if seconds <= 0:
        raise DataError("There was no time left for it.", "Give more with --time.")
    backbone = bases.load_base(candidate.reference, replace(need, offline=need.offline or candidate.origin == "hub"))
    coverage = measure_coverage(backbone, sample.table)
    if coverage and candidate.reference != DEFAULTS[need.modality] and candidate.origin != "given":
        _refuse_unknown_script(coverage, candidate)
    measured = replace(measure_backbone(backbone, candidate, sample, options, seconds=seconds), coverage=coverage)
    return replace(measured, seconds=time.monotonic() - began)


def measure_backbone(
    backbone: Backbone, candidate: Candidate, sample: Sample, options: AdaptOptions, *, seconds: float
) -> MeasuredCandidate:
    """Score a candidate that is loaded.

    Parameters
    ----------
    backbone : Backbone
    candidate : Candidate
    sample : Sample
    options : AdaptOptions
    seconds : float
        Limit of the pass through the base.

    Raises
    ------
    DataError
        If the time does not suffice, or no row can be held out.
    """
    began = time.monotonic()
    is_default = backbone.record.name == DEFAULTS[sample.table.modality]  # Descriptors are made for its decoding.
    uses = {"features", "stages", *(["descriptors"] if is_default else [])}
    extraction = features.extract_features(
        sample.table, backbone, options.precision, uses=frozenset(uses), seconds=seconds
    )
    assert extraction.features is not None
    if extraction.late:
        raise OutOfTime("Its features of the sample cannot be computed in the given time.", "Give more with --time.")
    rows, clusters = (
        StrategyRows(sample.table.take(extraction.readable_rows), extraction.features),
        sample.clusters[extraction.readable_rows],
    )
    task = _make_task(rows.table, clusters, options.seed)
    head, outputs = _fit_better_probe(rows, task)
    held_out = np.flatnonzero(mask_predicted_rows(outputs))
    if len(held_out) == 0:
        problem = "No training row can be held out: there is one a class, or they belong together."
        raise DataError(problem, "Add rows, or rows of other groups.")
    sized = replace(candidate, size_bytes=candidate.size_bytes or backbone.record.size_bytes)
    final, scored, scored_task = extraction.features.final, rows.take(held_out), task.take(held_out)
    outputs, scored_clusters = outputs[held_out], clusters[held_out]
    gains = _compute_gains(scored_task, outputs)
    return MeasuredCandidate(
        candidate=sized,
        probe=_compute_interval(scored_task, scored, outputs, gains=gains, clusters=scored_clusters),
        log_loss=float(OBJECTIVES[task.kind].losses(scored_task, outputs).mean()),
        logme=ranking.compute_logme(final, task.codes if task.truth is None else task.truth),
        hscore=ranking.compute_h_score(final, task.codes),
        knn=ranking.knn_accuracy(final, task.codes, clusters=clusters),
        seconds=time.monotonic() - began,
        ids=scored.table.ids,
        gains=gains,
        clusters=scored_clusters,
        stage=sample.turn,
        chance=float(np.bincount(task.codes).max() / len(task.codes)) if task.truth is None else np.nan,
        n_languages=len(backbone.record.languages),
        head=head,
    )


def _refuse_unknown_script(coverage: VocabularyCoverage, candidate: Candidate) -> None:
    if coverage.unknown_share >= SETTINGS.mostly_unknown_share:
        problem = f"Its vocabulary does not know {coverage.unknown_share:.0%} of what these texts are made of"
        raise DataError(
            f"{problem}; name it with --candidate {candidate.reference} to use it anyway.",
            "Choose a base for this language.",
        )


def _make_task(table: Table, clusters: Index, seed: int) -> Task:
    """State what the probe has to learn; grades count as classes here."""
    codes = data.number_strata(table)
    classes, kind = table.target_names, table.task
    if table.targets is None:
        assert table.labels is not None
        classes, kind = tuple(sorted({str(label) for label in table.labels})), "classification"
    elif table.targets.shape[1] == 0:
        raise DataError("No label is frequent enough in the sample.", "Use more rows with --rows.")
    (fold_ids,) = data.mark_lone_classes(
        (data.assign_folds(codes, clusters, SHARED_SETTINGS.n_folds, seed),), codes, table
    )
    return Task(
        classes=classes,
        codes=codes,
        folds=fold_ids,
        balance="off",
        seed=seed,
        clock=Clock(np.inf),
        kind=kind,
        truth=table.targets,
    )


def _fit_better_probe(rows: StrategyRows, task: Task) -> tuple[str, Probabilities]:
    """Return the better probe's name and out-of-fold outputs."""
    outputs_by_probe: dict[str, Probabilities] = {}
    for name in PROBES:
        if rows.table.modality in STRATEGIES[name].modalities:
            with suppress(StrategySkipped):
                outputs_by_probe[name] = STRATEGIES[name].fit(rows, task, {}).out_of_fold
    losses = {
        name: mean_loss(OBJECTIVES[task.kind].losses(task, outputs)) for name, outputs in outputs_by_probe.items()
    }
    best = min(outputs_by_probe, key=lambda name: np.nan_to_num(losses[name], nan=np.inf))
    return best, outputs_by_probe[best]


def _compute_gains(task: Task, outputs: Probabilities) -> NDArray[np.float64]:
    """Return 1 for a row that is right and 0 for one that is wrong; without classes, how much error was taken away."""
    if task.truth is None:
        return np.asarray(outputs.argmax(axis=1) == task.codes, dtype=np.float64)
    goal, average = OBJECTIVES[task.kind], np.broadcast_to(task.truth.mean(axis=0, dtype=np.float64), outputs.shape)
    before = float(goal.losses(task, average).mean())
    return 1 - goal.losses(task, outputs) / max(before, 1e-12)


def _compute_interval(
    task: Task, rows: StrategyRows, outputs: Probabilities, gains: NDArray[np.float64], clusters: Index
) -> Interval:
    if task.truth is not None:
        return mean_interval(gains, clusters, task.seed, (-np.inf, 1.0))
    metrics = evaluation.score_classes(
        task.codes, Predictions(ids=rows.table.ids, classes=task.classes, probabilities=outputs), clusters, task.seed
    )
    return Interval(metrics.accuracy.value, metrics.accuracy.low, metrics.accuracy.high)
