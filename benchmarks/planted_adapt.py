"""Planted truth through whole runs: series of the family, adapted as the command does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

import numpy as np
from planted import N_CLASSES, N_LATENT, N_NUISANCE, draw_series
from planted_trials import Cell, Record, start_generator

from headstart.evaluation import NamedPredictions, assess_transfer
from headstart.flow.adaptation.run import adapt_table
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Index, Table, make_column

FRESH_ROWS, TRAINING_ROWS = 1_500, 60
ADAPT_CELLS: tuple[Cell, ...] = tuple(
    {"modality": "series", "labels of rows": labels, "test rows": n} for labels in ("true", "random") for n in (200,)
)


def try_adapt(cell: Cell, trial: int) -> Iterator[Record]:
    """Adapt once; judge on the first test rows what the others, which are many, hold the truth of."""
    rng, n_test = start_generator(cell, trial), cell["test rows"]
    n = TRAINING_ROWS + n_test + FRESH_ROWS
    codes = rng.permutation(n) % N_CLASSES
    means = rng.normal(size=(N_CLASSES, N_LATENT))
    latents = means[codes] + rng.normal(size=(n, N_LATENT))
    series = draw_series(latents, rng.normal(size=(n, N_NUISANCE)), rng)
    if cell["labels of rows"] == "random":
        codes = rng.integers(0, N_CLASSES, n)
    began = time.perf_counter()
    options = AdaptOptions(strategy=("quick",), offline=True, audit="none", time=60.0, seed=trial)
    run = adapt_table(_make_table(series, codes), None, options)
    seconds, verdict, truth = time.perf_counter() - began, run.verdict, run.prepared.truth
    assert verdict.strategy and verdict.against
    pair = [run.scores.predictions[name] for name in (verdict.strategy, verdict.against)]
    again = assess_transfer(
        truth, *(NamedPredictions("", each) for each in pair), clusters=run.prepared.test_clusters,
        seed=run.prepared.task.seed,
    )  # fmt: skip
    order = np.argsort([int(str(name)) for name in pair[0].ids])
    judged, fresh = order[:n_test], order[n_test:]
    small = assess_transfer(
        truth[judged], *(NamedPredictions("", each.take(judged)) for each in pair), clusters=None, seed=trial
    )
    assert small.difference is not None
    scores = [float((each.class_indices[fresh] == truth[fresh]).mean()) for each in pair]
    is_null = cell["labels of rows"] == "random"
    yield {
        "outcome": small.transfer, "low": small.difference.low, "high": small.difference.high,
        "truth": 0.0 if is_null else scores[0] - scores[1], "seconds": seconds,
        "agrees": again.transfer == verdict.transfer and again.difference == verdict.difference,
        "pair": [verdict.strategy, verdict.against],
    }  # fmt: skip


def _make_table(series: np.ndarray, codes: Index) -> Table:
    splits = [TRAIN] * TRAINING_ROWS + [TEST] * (len(series) - TRAINING_ROWS)
    return Table(
        modality="series",
        ids=make_column([str(at) for at in range(len(series))]),
        inputs=make_column([row[None].astype(np.float32) for row in series]),
        hashes=make_column([hashlib.sha256(row.tobytes()).hexdigest() for row in series]),
        labels=make_column(["abcdefgh"[code] for code in codes]),
        splits=make_column(splits),
    )
