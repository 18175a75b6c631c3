"""Synthetic families whose truth is known: images, texts and series, a base that learnt the family, and fitted pairs.

Rows are drawn with replacement from a pool of 50,000 whose features are made once: what a fitted model scores on the
whole pool is its true score, without an error of simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from headstart.records import Index, Predictions, make_column
from headstart.strategies.linear.ridge_loo import fit_ridge_loo

Floats = NDArray[np.float64]
Features = NDArray[np.float32]

POOL, TRAINING_POOL, CLUSTER = 50_000, 10_000, 5
N_CLASSES, N_LATENT, N_NUISANCE, N_WORDS = 4, 8, 8, 64
PRETRAINING_CLASSES, PRETRAINING_ROWS = 40, 4_000
LABELS = (20, 60, 200)
"""Training rows of a trial, in turn."""
ALIKE = 0.7
"""Share of the variance of latents that the rows of a cluster have in common."""
AGREES = 0.95
"""Share of training rows in which a spurious feature of the harmful base names the class; in test the next one."""


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Rows of a family: latents (n, 8), what is seen without a base (n, d), and features of the useful base (n, 8)."""

    codes: Index
    latents: Floats
    plain: Features
    based: Features


def _waves(n: int, rng: np.random.Generator) -> Floats:
    """Return smooth 8 x 8 patterns (n, 64)."""
    at = np.arange(8) / 8
    waves = [
        np.cos(np.pi * (i * at[:, None] + rng.random())) * np.cos(np.pi * (j * at[None] + rng.random()))
        for i, j in rng.integers(0, 5, (n, 2))
    ]
    return np.array(waves).reshape(n, 64)


def _see_images(latents: Floats, nuisance: Floats, rng: np.random.Generator) -> Features:
    layout = np.random.default_rng(11)
    signal, other = _waves(N_LATENT, layout), _waves(N_NUISANCE, layout)
    pixels = np.tanh(0.3 * (latents @ signal) + 0.6 * (nuisance @ other)) + 0.3 * rng.normal(size=(len(latents), 64))
    return pixels.astype(np.float32)


def _see_texts(latents: Floats, nuisance: Floats, rng: np.random.Generator) -> Features:
    layout = np.random.default_rng(12)
    signal, other = (layout.normal(size=(n, N_WORDS)) / np.sqrt(n) for n in (N_LATENT, N_NUISANCE))
    words = rng.poisson(np.exp(np.clip(0.7 * latents @ signal + nuisance @ other, -4, 3)))
    return np.log1p(words).astype(np.float32)


def draw_series(latents: Floats, nuisance: Floats, rng: np.random.Generator) -> Features:
    """Return series (n, 64) with one oscillation a latent, of random phase."""
    time = 2 * np.pi * np.arange(64) / 64
    sizes = np.exp(0.5 * np.hstack([latents, 1.5 * nuisance]))
    series = rng.normal(size=(len(latents), 64)).astype(np.float32)
    for at in range(sizes.shape[1]):
        phases = rng.uniform(0, 2 * np.pi, (len(latents), 1))
        series += (sizes[:, at : at + 1] * np.cos((at + 3) * time + phases)).astype(np.float32)
    return series


def _see_series(latents: Floats, nuisance: Floats, rng: np.random.Generator) -> Features:
    """Return the log spectrum of drawn series."""
    return compute_log_spectrum(draw_series(latents, nuisance, rng))


def compute_log_spectrum(series: Features) -> Features:
    """Return the logarithm of the amplitudes of series (n, 64) by frequency."""
    return np.log(np.abs(np.fft.rfft(series, axis=1)) + 0.1).astype(np.float32)


SEEN: dict[str, Callable[[Floats, Floats, np.random.Generator], Features]] = {
    "image": _see_images,
    "text": _see_texts,
    "series": _see_series,
}


@cache
def learn_base(modality: str) -> Features:
    """Return the weights (d, 8) of a base that learnt to tell 40 other classes of the family apart (LDA)."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, PRETRAINING_CLASSES, PRETRAINING_ROWS)
    latents = 1.5 * rng.normal(size=(PRETRAINING_CLASSES, N_LATENT))[codes] + 0.7 * rng.normal(
        size=(PRETRAINING_ROWS, N_LATENT)
    )
    seen = SEEN[modality](latents, rng.normal(size=(PRETRAINING_ROWS, N_NUISANCE)), rng).astype(np.float64)
    means = np.array([seen[codes == code].mean(axis=0) for code in range(PRETRAINING_CLASSES)])
    within = np.cov((seen - means[codes]).T) + 1e-3 * np.eye(seen.shape[1])
    values, vectors = np.linalg.eigh(within)
    whiten = vectors / np.sqrt(values)
    axes = np.linalg.svd((means - means.mean(axis=0)) @ whiten, full_matrices=False)[2][:N_LATENT]
    return np.asarray(whiten @ axes.T, dtype=np.float32)


@cache
def make_pool(modality: str, use: str, clustered: bool = False) -> Pool:
    """Draw a pool, for training or for test; in clusters five rows of a class have most of their latents in common."""
    rng = np.random.default_rng([7, use == "test", clustered, list(SEEN).index(modality)])
    n = POOL if use == "test" else TRAINING_POOL
    n_units = n // CLUSTER if clustered else n
    means = np.random.default_rng(3).normal(size=(N_CLASSES, N_LATENT))

    def draw(n_dims: int) -> Floats:
        own = rng.normal(size=(n, n_dims))
        if not clustered:
            return own
        common = np.repeat(rng.normal(size=(n_units, n_dims)), CLUSTER, axis=0)
        return np.asarray(np.sqrt(ALIKE) * common + np.sqrt(1 - ALIKE) * own)

    codes = np.repeat(rng.integers(0, N_CLASSES, n_units), n // n_units)
    latents = means[codes] + draw(N_LATENT)
    plain = SEEN[modality](latents, draw(N_NUISANCE), rng)
    return Pool(codes=codes, latents=latents, plain=plain, based=plain @ learn_base(modality))


def see_with_base(pool: Pool, kind: str, modality: str, use: str) -> Features:
    """Return the features of a base.

    "useful": it learnt the family; "shuffled": its weights permuted; "harmful": with a spurious feature that flips in
    test; "twin": a noisy view of the useful one, as good as what `see_without_base` then gives.
    """
    if kind == "twin":
        return _add_noise(pool.based, [17, use == "test"])
    if kind not in ("shuffled", "harmful"):
        return pool.based
    weights = learn_base(modality)
    shuffled = np.random.default_rng(9).permutation(weights.ravel()).reshape(weights.shape)
    features = pool.plain @ shuffled
    if kind == "shuffled":
        return features
    rng = np.random.default_rng([13, use == "test"])
    agrees = rng.random(len(pool.codes)) < AGREES
    first = pool.codes if use == "train" else (pool.codes + 1) % N_CLASSES
    named = np.where(agrees, first, rng.integers(0, N_CLASSES, len(pool.codes)))
    spurious = np.eye(N_CLASSES)[named] * 2 * features.std()
    return np.hstack([features, spurious]).astype(np.float32)


def see_without_base(pool: Pool, kind: str, use: str) -> Features:
    """Return the features of the rival: what is seen of the rows, or for "twin" another view as good as the base."""
    return _add_noise(pool.based, [19, use == "test"]) if kind == "twin" else pool.plain


def _add_noise(features: Features, seed: list[int]) -> Features:
    noise = np.random.default_rng(seed).normal(size=features.shape)
    return np.asarray(features + 0.7 * features.std(axis=0) * noise, dtype=np.float32)


def _fit_ridge(features: Features, targets: Floats) -> Callable[[Features], Floats]:
    return fit_ridge_loo(features, targets).predict


def _fit_means(features: Features, targets: Floats) -> Callable[[Features], Floats]:
    """Fit ridge regression on few rows as if features were independent: the classes' means, scaled by variance."""
    centre, scale = features.mean(axis=0), features.var(axis=0) + 1e-6
    mean = targets.mean(axis=0)
    weights = ((features - centre) / scale).T @ (targets - mean) / len(features) / np.sqrt(features.shape[1])
    return lambda rows: np.asarray((rows - centre) @ weights + mean, dtype=np.float64)


HEADS = {"ridge": _fit_ridge, "means": _fit_means}
N_FOLDS = 4


def fit_chosen(features: Features, targets: Floats) -> Callable[[Features], Floats]:
    """Fit the head that cross-validation on the training rows prefers, on all of them."""
    scale = features.std(axis=0) + 1e-6
    rows = (features / scale).astype(np.float32)
    folds = np.arange(len(rows)) % N_FOLDS
    losses = {
        name: sum(
            float(np.square(fit(rows[folds != fold], targets[folds != fold])(rows[folds == fold])
                            - targets[folds == fold]).sum())
            for fold in range(N_FOLDS)
        )
        for name, fit in HEADS.items()
    }  # fmt: skip
    predict = HEADS[min(losses, key=lambda name: losses[name])](rows, targets)
    return lambda other: predict((other / scale).astype(np.float32))


@dataclass(frozen=True, kw_only=True)
class PlantedTask:
    """What is asked of the rows of a pool, how answers are made of outputs, and the measure of the difference."""

    task: str
    truth: Callable[[Pool], NDArray[np.generic]]
    targets: Callable[[NDArray[np.generic]], Floats]
    names: tuple[str, ...]


def _number(pool: Pool) -> Floats:
    noise = np.random.default_rng(len(pool.codes)).normal(size=len(pool.codes))
    return pool.latents[:, 0] + pool.latents[:, 1] * 0.7 + noise


def _grades(pool: Pool) -> Index:
    return np.searchsorted(np.array([-1.5, 0.0, 1.5]), _number(pool)).astype(np.intp)


def _indicators(codes: NDArray[np.generic]) -> Floats:
    return np.asarray(np.eye(N_CLASSES)[codes.astype(np.intp)])


def _as_floats(values: NDArray[np.generic]) -> Floats:
    return values.astype(np.float64)


def _labels(pool: Pool) -> Features:
    noise = np.random.default_rng(len(pool.codes)).normal(size=(len(pool.codes), 3))
    return (pool.latents[:, :3] + 0.5 * noise > np.array([0.5, 1.0, 1.5])).astype(np.float32)


def _column(pool: Pool) -> Features:
    return _number(pool)[:, None].astype(np.float32)


TASKS: dict[str, PlantedTask] = {
    "classification": PlantedTask(
        task="classification", truth=lambda pool: pool.codes, targets=_indicators, names=tuple("abcd")
    ),
    "ordinal": PlantedTask(task="ordinal", truth=_grades, targets=_indicators, names=tuple("1234")),
    "multi-label": PlantedTask(task="multi-label", truth=_labels, targets=_as_floats, names=tuple("abc")),
    "regression": PlantedTask(task="regression", truth=_column, targets=_as_floats, names=("y",)),
}


def make_predictions(outputs: Floats, task: PlantedTask, ids: NDArray[np.object_] | None = None) -> Predictions:
    """Return outputs of a head as the predictions of a model."""
    probabilities = outputs
    if task.task == "multi-label":
        probabilities = np.clip(outputs + 0.15, 0, 1)
    elif task.task != "regression":
        whole = np.exp(8 * (outputs - outputs.max(axis=1, keepdims=True)))
        probabilities = whole / whole.sum(axis=1, keepdims=True)
    ids = make_column(list(range(len(outputs)))) if ids is None else ids
    return Predictions(ids=ids, classes=task.names, probabilities=probabilities, task=task.task)


def compute_scores(truth: NDArray[np.generic], predictions: Predictions, weights: Floats) -> float:
    """Return the true score (higher is better) on a whole pool whose rows are drawn with these weights."""
    if predictions.task == "classification":
        return float(weights @ (predictions.class_indices == truth))
    if predictions.task == "regression":
        return -float(weights @ np.abs(predictions.values - truth[:, 0].astype(np.float64)))
    if predictions.task == "ordinal":
        n = len(predictions.classes)
        joint = np.bincount(truth.astype(np.intp) * n + predictions.class_indices, weights, n * n).reshape(n, n)
        cost = np.square(np.subtract.outer(np.arange(n), np.arange(n)))
        return 1 - float((cost * joint).sum() / (cost * np.outer(joint.sum(axis=1), joint.sum(axis=0))).sum())
    true, mask = truth == 1, predictions.label_mask
    both, either = weights @ (true & mask), weights @ true + weights @ mask
    return float((2 * both / np.maximum(either, 1e-12)).mean())
