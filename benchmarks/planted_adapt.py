"""Planted truth through whole runs: rows of the families, adapted as the command does, with what a planted base sees.

Everything is the product's own but the pass through the base: its features are those of a base that learnt the family,
of a harmful one, or of a noisy one. The rival without the base reads the images, texts or series themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np
from planted import (
    N_CLASSES,
    N_LATENT,
    N_NUISANCE,
    N_WORDS,
    SEEN,
    TASKS,
    Floats,
    Pool,
    compute_log_spectrum,
    draw_series,
    fit_chosen,
    learn_base,
    make_predictions,
    see_with_base,
)
from planted_trials import Cell, Record, start_generator

from headstart import data
from headstart.bases import DEFAULTS
from headstart.evaluation import NamedPredictions, assess_transfer
from headstart.features import extract_features
from headstart.flow.adaptation import prepare
from headstart.flow.adaptation.run import adapt_table
from headstart.flow.run_records import AdaptedRun
from headstart.options import AdaptOptions
from headstart.records import Features, Index, Table
from headstart.results import Verdict
from headstart.strategies import StrategyRows

TRAINING_ROWS, TEST_ROWS, FRESH_ROWS = 60, 200, 1_000
STRATEGIES = ("linear-probe", "shrinkage-lda", "classic")
ADAPT_CELLS: tuple[Cell, ...] = tuple(
    {"modality": modality, "base": base, "labels": TRAINING_ROWS, "test rows": TEST_ROWS}
    for modality in ("image", "text", "series")
    for base in ("useful", "random labels", "harmful", "twin")
)


@dataclass(frozen=True, kw_only=True)
class DrawnRows:
    """Rows of a family as a user would have them, and what the bench's two sides see of them."""

    table: Table
    codes: Index
    plain: Floats
    based: Floats


def _write_images(plain: Floats, rng: np.random.Generator) -> Any:
    pixels = np.clip(127 + 90 * plain, 0, 255).astype(np.uint8).reshape(-1, 8, 8)
    return np.repeat(np.kron(pixels, np.ones((8, 8), dtype=np.uint8))[..., None], 3, axis=-1)


def _write_texts(plain: Floats, rng: np.random.Generator) -> Any:
    counts = np.rint(np.expm1(plain)).astype(np.intp)
    names = np.array([f"{first}{second}" for first in ("ka", "mo", "ri", "tu") for second in SYLLABLES], dtype=object)
    return [" ".join(rng.permutation(np.repeat(names, row))) or "nothing" for row in counts]


SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "yo", "zu", "ha")
WRITERS: Mapping[str, Callable[[Floats, np.random.Generator], Any]] = {"image": _write_images, "text": _write_texts}
assert len(SYLLABLES) * 4 == N_WORDS


def draw_rows(cell: Cell, use: str, n: int, means: Floats, rng: np.random.Generator) -> DrawnRows:
    """Draw rows of a family, for training or for test; with random labels nothing that is seen says the label."""
    modality, codes = cell["modality"], rng.permutation(n) % N_CLASSES
    latents, nuisance = means[codes] + rng.normal(size=(n, N_LATENT)), rng.normal(size=(n, N_NUISANCE))
    if modality == "series":
        inputs: Any = draw_series(latents, nuisance, rng)
        plain = compute_log_spectrum(inputs)
    else:
        plain = SEEN[modality](latents, nuisance, rng)
        inputs = WRITERS[modality](plain, rng)
    pool = Pool(codes=codes, latents=latents, plain=plain, based=plain @ learn_base(modality))
    kind = "useful" if cell["base"] == "random labels" else cell["base"]
    based = see_with_base(pool, kind, modality, use)
    if cell["base"] == "random labels":
        codes = rng.permutation(codes)
    table = data.from_arrays(inputs, [str(code) for code in codes], modality)
    return DrawnRows(table=table, codes=codes, plain=plain, based=based)


def try_adapt(cell: Cell, trial: int) -> Iterator[Record]:
    """Adapt once; many fresh rows tell what the fitted models' true difference is."""
    rng = start_generator(cell, trial)
    means = rng.normal(size=(N_CLASSES, N_LATENT)) if cell["modality"] != "series" else 1.3 * rng.normal(
        size=(N_CLASSES, N_LATENT))  # fmt: skip
    train, test, fresh = (
        draw_rows(cell, use, n, means, rng)
        for use, n in (("train", TRAINING_ROWS), ("test", TEST_ROWS), ("test", FRESH_ROWS))
    )
    began = time.perf_counter()
    run = _adapt(train, test, trial)
    seconds, verdict, difference = time.perf_counter() - began, run.verdict, run.verdict.difference
    assert verdict.strategy and verdict.against and difference is not None
    again, own = _compare_again(run, verdict), _compare_by_trial(train, test, trial)
    is_null = cell["base"] == "random labels"
    yield {
        "n": TEST_ROWS, "outcome": verdict.transfer, "low": difference.low, "high": difference.high,
        "truth": 0.0 if is_null else _measure_truth(run, (verdict.strategy, verdict.against), fresh),
        "seconds": seconds, "agrees": again.transfer == verdict.transfer and again.difference == difference,
        "trial": own.transfer, "pair": [verdict.strategy, verdict.against],
    }  # fmt: skip


def _adapt(train: DrawnRows, test: DrawnRows, seed: int) -> AdaptedRun:
    """Run `adapt`, with planted features where the pass through the base would be."""
    planted = {
        name: values
        for rows in (train, test)
        for name, values in zip(rows.table.hashes, rows.based.astype(np.float32), strict=True)
    }

    def extract_planted(table: Table, backbone: Any, precision: str, uses: frozenset[str], seconds: float) -> Any:
        extraction = extract_features(table, backbone, precision, uses=uses & {"descriptors"}, seconds=seconds)
        kept = table.take(extraction.readable_rows)
        final = np.stack([planted[name] for name in kept.hashes])
        return replace(extraction, features=Features(kept.ids, final, "planted"))

    options = AdaptOptions(
        strategy=STRATEGIES, base=DEFAULTS[train.table.modality], offline=True, audit="none", time=60.0, seed=seed
    )
    with mock.patch.object(prepare.features, "extract_features", extract_planted):
        return adapt_table(train.table, test.table, options)


def _compare_again(run: AdaptedRun, verdict: Verdict) -> Verdict:
    """Judge the predictions of a run once more."""
    pair = (NamedPredictions("", run.scores.predictions[str(name)]) for name in (verdict.strategy, verdict.against))
    return assess_transfer(
        run.prepared.truth, *pair, clusters=run.prepared.test_clusters, seed=run.prepared.task.seed
    )  # fmt: skip


def _compare_by_trial(train: DrawnRows, test: DrawnRows, seed: int) -> Verdict:
    """Judge the two heads of the trials on the same rows."""
    task, pair = TASKS["classification"], []
    for name, features in (("probe", (train.based, test.based)), ("classic", (train.plain, test.plain))):
        outputs = fit_chosen(features[0], task.targets(train.codes))(features[1])
        pair.append(NamedPredictions(name, make_predictions(outputs, task)))
    return assess_transfer(test.codes, *pair, clusters=None, seed=seed)


def _measure_truth(run: AdaptedRun, names: tuple[str, str], fresh: DrawnRows) -> float:
    """Return by how much more of fresh rows the first of two fitted strategies gets right."""
    descriptors = extract_features(fresh.table, run.prepared.backbone, uses=frozenset({"descriptors"})).descriptors
    features = Features(fresh.table.ids, fresh.based.astype(np.float32), "planted")
    rows = StrategyRows(table=fresh.table, features=features, descriptors=descriptors)
    right = [float((run.strategies.fitted[name].predict(rows).argmax(axis=1) == fresh.codes).mean()) for name in names]
    return right[0] - right[1]
