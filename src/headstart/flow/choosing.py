"""Which base: candidates -> features of a sample of training rows -> scores -> order. Test rows are never looked at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from headstart import bases, data, evaluation, features, progress, ranking
from headstart.bases import DEFAULTS, Backbone
from headstart.errors import DataError, HeadstartError, ending
from headstart.extras import require
from headstart.modalities import MODALITIES, series
from headstart.offline import offline
from headstart.options import AdaptOptions, BasesOptions
from headstart.ranking import Candidate, Measured, Ranking, Wanted
from headstart.records import TRAIN, Finding, Index, Interval, Predictions, Probabilities, Table
from headstart.strategies import STRATEGIES, Clock, Rows, Task
from headstart.strategies.record import Skipped
from headstart.strategies.selection import log_loss

AUTO = "auto"
AUTO_SHARE = 0.4
"""Largest share of the time left that `--base auto` spends on choosing."""
AUTO_ROWS, AUTO_BYTES = 1_000, 1e9
PROBES = ("linear-probe", "multi-stage-probe")
"""What a base is judged by: the better of these in cross-validation, as in `adapt`."""
N_FOLDS = 5
N_TEXTS = 500
"""Texts on which a tokenizer is measured."""
UNUSABLE = (HeadstartError, ValueError, TypeError, RuntimeError, OSError)
"""What a model of foreign origin may raise when it is built or run: it is then left out, with the reason."""


@dataclass(frozen=True)
class _Sample:
    """Some training rows: what every candidate is measured on in one turn."""

    table: Table
    codes: Index
    classes: tuple[str, ...]
    clusters: Index
    turn: int


def base(table: Table, options: AdaptOptions, clock: Clock) -> tuple[Backbone, tuple[Finding, ...], Ranking | None]:
    """Load the base that the options name; with `auto`, the one that suits the training rows best, and why.

    Parameters
    ----------
    table : Table
        Every split decided.
    options : AdaptOptions
    clock : Clock
    """
    asked = need(table, options)
    if options.base != AUTO:
        return bases.load(options.base, asked), (), None
    wanted = Wanted(table.modality, max_bytes=AUTO_BYTES)
    found, _ = ranking.candidates(wanted)
    ranked = None
    taken, why = DEFAULTS[table.modality], f"{DEFAULTS[table.modality]} is the only base model at hand for this data."
    if len(found) > 1:
        ranked = compare(table, options, wanted, AUTO_ROWS, clock.share(AUTO_SHARE))
        taken, why = ranked.taken or taken, ranked.why
        if not ranked.taken:
            why += f" The default is taken: {taken}."
    progress.say(f"Base model: {taken}. {why}")
    advice = "Compare them yourself with `headstart bases --for DATA`, or name another with --base."
    on_disk = any(item.reference == taken and item.origin == "hub" for item in found)
    chosen = bases.load(taken, replace(asked, offline=asked.offline or on_disk))
    return chosen, (Finding("base-chosen", "note", (), why, advice),), ranked


def need(table: Table, options: AdaptOptions) -> bases.Need:
    """Say what is asked of a base for these rows; transforms of series are fitted on training rows."""
    sample: list[np.ndarray] = []
    spec: Mapping[str, object] = {}
    if table.modality == "series":
        inputs = list(table.where_split(TRAIN).inputs)
        spec = series.describe(inputs)
        prepare_one = MODALITIES["series"].prepare
        sample = [prepare_one(MODALITIES["series"].load(item, spec), spec)[0] for item in inputs[:500]]
    return bases.Need(table.modality, options.offline, options.seed, sample, spec)


def rank(path: Path, options: BasesOptions) -> Ranking:
    """Rank base models on the training rows of the data at `path`.

    Raises
    ------
    DataError
        If nothing can be learnt from the data.
    """
    require("adapt", "Ranking base models")
    shared = set(AdaptOptions.model_fields) & set(BasesOptions.model_fields)
    adapting = AdaptOptions.model_validate(options.model_dump(include=shared))
    with offline(options.offline):
        table = data.read(path, options)
        data.require_trainable(table)
        decided = data.split(table, adapting)
        data.require_trainable(decided)
        wanted = Wanted(table.modality, options.licence, options.max_mb * 1e6, options.candidate)
        return compare(decided, adapting, wanted, options.rows, Clock(np.inf))


def compare(table: Table, options: AdaptOptions, wanted: Wanted, n_rows: int, clock: Clock) -> Ranking:
    """Measure candidates by successive halving: all on few training rows, the better ones on up to `n_rows`.

    Parameters
    ----------
    table : Table
        Every split decided; only its training rows are used.
    options : AdaptOptions
        `group`, `precision`, `seed` and `offline` are used.
    wanted : Wanted
    n_rows : int
    clock : Clock
        Candidates that it leaves no time for are left out.

    Notes
    -----
    Successive halving: Jamieson and Talwalkar 2016 (arXiv:1502.07943).
    """
    going, left_out = ranking.candidates(wanted)
    train, asked = table.where_split(TRAIN), need(table, options)
    assert train.labels is not None
    classes, codes = np.unique(train.labels.astype(str), return_inverse=True)
    clusters = data.clusters(train, options.group)
    measured: dict[str, Measured] = {}
    for turn, size in enumerate(ranking.sizes(len(train), n_rows, len(going))):
        if turn:
            going = ranking.survivors(list(measured.values()), options.seed)
            if len(going) < 2:
                break
        rows = ranking.sample(codes, size, options.seed)
        sample = _Sample(train.take(rows), codes[rows], tuple(str(name) for name in classes), clusters[rows], turn)
        models = f"{len(going)} base models" if len(going) > 1 else "one base model"
        progress.say(f"Trying {models} on {len(rows)} training rows.")
        for place, candidate in enumerate(going):
            name, share = candidate.reference, clock.left() / (len(going) - place)
            try:
                found = _measure(candidate, sample, options, asked, share)
            except _failures(candidate) as error:
                if name not in measured:
                    left_out[name] = _said(error)
                continue
            before = measured[name].seconds if name in measured else 0.0
            measured[name] = replace(found, seconds=found.seconds + before)
    return ranking.order(list(measured.values()), left_out, options.seed)


def _failures(candidate: Candidate) -> tuple[type[Exception], ...]:
    return (HeadstartError,) if candidate.origin == "catalogue" else UNUSABLE


def _said(error: Exception) -> str:
    said = error.problem if isinstance(error, HeadstartError) else f"it cannot be used ({' '.join(str(error).split())})"
    return ending(said[:300], "")


def _measure(
    candidate: Candidate, sample: _Sample, options: AdaptOptions, asked: bases.Need, seconds: float
) -> Measured:
    """Score one candidate; raises `DataError` where the time does not suffice or no row can be held out."""
    began = time.monotonic()
    if seconds <= 0:
        raise DataError("There was no time left to try it.", "Give more with --time.")
    backbone = bases.load(candidate.reference, replace(asked, offline=asked.offline or candidate.origin == "hub"))
    is_default = candidate.reference == DEFAULTS[asked.modality]  # Its decoding is the one descriptors are made for.
    uses = {"features", "stages", *(["descriptors"] if is_default else [])}
    passed = features.extract(sample.table, backbone, options.precision, frozenset(uses), seconds)
    assert passed.features is not None
    if passed.late:
        raise DataError("Its pass over the sample does not fit the time given.", "Give more with --time.")
    final, codes, clusters = passed.features.final, sample.codes[passed.kept], sample.clusters[passed.kept]
    dealt = data.folds(codes, clusters, N_FOLDS, options.seed)
    task = Task(sample.classes, codes, dealt, "off", options.seed, Clock(np.inf))
    name, said = _probe(Rows(sample.table.take(passed.kept), passed.features), task)
    if np.isnan(said).any():
        raise DataError("The training rows all belong together: none can be held out.", "Add rows of other groups.")
    probe = evaluation.evaluate(
        codes, Predictions(passed.features.ids, sample.classes, said), clusters, options.seed
    ).accuracy
    vocabulary = backbone.parts.tokenizer
    covered = (
        ranking.coverage(vocabulary, [str(text) for text in sample.table.inputs[:N_TEXTS]]) if vocabulary else None
    )
    sized = replace(candidate, size_bytes=candidate.size_bytes or backbone.record.size_bytes)
    return Measured(
        sized, Interval(probe.value, probe.low, probe.high), log_loss(codes, said),
        ranking.logme(final, codes), ranking.h_score(final, codes),
        ranking.knn_accuracy(final, codes, clusters=clusters),
        time.monotonic() - began, passed.features.ids, (said.argmax(axis=1) == codes).astype(np.float64), clusters,
        sample.turn, covered, name,
    )  # fmt: skip


def _probe(rows: Rows, task: Task) -> tuple[str, Probabilities]:
    """Give the better probe's name and out-of-fold outputs."""
    found: dict[str, Probabilities] = {}
    for name in PROBES:
        if rows.table.modality in STRATEGIES[name].modalities:
            with suppress(Skipped):
                found[name] = STRATEGIES[name].fit(rows, task, {}).out_of_fold
    best = min(found, key=lambda name: np.nan_to_num(log_loss(task.codes, found[name]), nan=np.inf))
    return best, found[best]
