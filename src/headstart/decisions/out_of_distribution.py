"""Detect out-of-distribution rows: by angles to training rows, in a space where rows of a class lie close.

The threshold is what a stated small share of training rows exceed when the space was made without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.decisions.config import CONFIG
from headstart.decisions.sets import conformal_quantile
from headstart.records import TRAINING_ONLY, Column, FloatMatrix, Index, list_held_out_folds

TINY, ROUNDING = 1e-9, 1e-6


@dataclass(frozen=True)
class WhitenedSpace:
    """A space in which angles are measured.

    Parameters
    ----------
    centre : FloatMatrix, shape (1, n_dims)
        Mean of the training rows, each of length one.
    basis : FloatMatrix, shape (n_dims, n_kept)
        Directions in which they vary most, orthonormal.
    inner : FloatMatrix, shape (n_kept, n_kept)
        Makes rows of one class vary alike in these directions, and as much as is assumed for all others.
    """

    centre: FloatMatrix
    basis: FloatMatrix
    inner: FloatMatrix

    def project(self, values: FloatMatrix) -> FloatMatrix:
        """Return rows as directions (n_rows, n_kept); shorter than one by what lies outside all directions."""
        residual = normalize_rows(values) - self.centre
        inside = residual @ self.basis
        rest = np.maximum(np.square(residual).sum(axis=1) - np.square(inside).sum(axis=1), 0.0)
        white = inside @ self.inner
        length = np.sqrt(np.square(white).sum(axis=1) + rest)
        return np.asarray(white / np.maximum(length, TINY)[:, None], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class OutOfDistributionDetector:
    """A threshold on the distance of rows from training rows.

    Parameters
    ----------
    reads : str
        "features", "descriptors", or "representation": what the model itself makes of rows.
    space : WhitenedSpace
    remembered : FloatMatrix, shape (n_kept_rows, n_kept)
        Places of the training rows that are remembered.
    codes : Index, shape (n_kept_rows,)
        Their classes.
    ids : Column, shape (n_kept_rows,)
    means : FloatMatrix, shape (n_classes, n_kept)
        Mean place of each class.
    threshold : float
        A row with a larger distance (0 to 2) is out of distribution.
    false_alarm : float
        Stated share of ordinary rows beyond it.
    n_rows : int
        Training rows that the threshold was learnt from.
    """

    reads: str
    space: WhitenedSpace
    remembered: FloatMatrix
    codes: Index
    ids: Column
    means: FloatMatrix
    threshold: float
    false_alarm: float
    n_rows: int

    def distances(self, values: FloatMatrix) -> NDArray[np.float64]:
        """Return how far rows (n_rows, n_dims) are from what was learnt, 0 to 2 (n_rows,)."""
        return _distances(self.space.project(values), self.remembered, self.means)

    def nearest(self, values: FloatMatrix, n: int) -> tuple[Index, NDArray[np.float64]]:
        """Return the nearest remembered rows: their numbers and distances, each (n_rows, n), the nearest first."""
        once = self._distinct_rows
        cosines = self.space.project(values) @ self.remembered[once].T
        order = np.argsort(-cosines, axis=1, kind="stable")[:, :n]
        return once[order], 1.0 - np.take_along_axis(cosines, order, axis=1).astype(np.float64)

    @cached_property
    def _distinct_rows(self) -> Index:
        """Places of remembered rows, each once: rows of small classes stand there several times."""
        first: dict[tuple[str, bytes], int] = {}
        for row, (name, place) in enumerate(zip(self.ids, self.remembered, strict=True)):
            first.setdefault((str(name), place.tobytes()), row)
        return np.array(list(first.values()), dtype=np.intp)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays, to be written."""
        small = {"centre": self.space.centre, "basis": self.space.basis, "inner": self.space.inner}
        small |= {"kept": self.remembered, "means": self.means}
        return {**{name: value.astype(np.float16) for name, value in small.items()}, "codes": self.codes}

    def as_dict(self) -> dict[str, Any]:
        """Return the rest, as JSON."""
        names = ("reads", "threshold", "false_alarm", "n_rows")
        return {**{name: getattr(self, name) for name in names}, "ids": list(self.ids)}

    @classmethod
    def from_arrays(cls, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> OutOfDistributionDetector:
        """Read it back."""
        floats = {name: arrays[name].astype(np.float32) for name in ("centre", "basis", "inner", "kept", "means")}
        space = WhitenedSpace(floats["centre"], floats["basis"], floats["inner"])
        ids, codes = np.asarray(document["ids"], dtype=object), arrays["codes"].astype(np.intp)
        return cls(
            reads=document["reads"], space=space, remembered=floats["kept"], codes=codes, ids=ids,
            means=floats["means"],
            threshold=document["threshold"], false_alarm=document["false_alarm"], n_rows=document["n_rows"],
        )  # fmt: skip


@dataclass(frozen=True)
class HeldOutPart:
    """Rows (n_rows, n_dims) that something was learnt from, their classes, and rows that were held out."""

    values: FloatMatrix
    codes: Index
    held_out_values: FloatMatrix


def round_as_stored(values: FloatMatrix) -> FloatMatrix:
    """Return values as they are read back from a file, so that a model decides before as after it is saved."""
    return np.asarray(values.astype(np.float16), dtype=np.float32, order="C")


def normalize_rows(values: FloatMatrix) -> FloatMatrix:
    """Return each row the length one."""
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, TINY), dtype=np.float32)


def fit_out_of_distribution(
    values: FloatMatrix,
    codes: Index,
    folds: Index | Sequence[HeldOutPart],
    ids: Column,
    reads: str = "features",
    seed: int = 0,
) -> OutOfDistributionDetector | None:
    """Learn what ordinary rows look like.

    Parameters
    ----------
    values : FloatMatrix, shape (n_rows, n_dims)
        Features of the training rows.
    codes : Index, shape (n_rows,)
        Their classes.
    folds : Index, shape (n_rows,), or sequence of HeldOutPart
        What belongs together shares a fold. Parts, for features that were learnt from rows (at most
        `CONFIG.remembered_rows`): each in features that were learnt without what it holds out.
    ids : Column, shape (n_rows,)
    reads : str
    seed : int

    Returns
    -------
    OutOfDistributionDetector or None
        None with fewer than `CONFIG.detector_rows` rows, or of held-out rows, or where all of them share a fold.

    Notes
    -----
    Distance: one minus the mean of two cosines, that to the nearest class mean and that to the nearest rows (as the
    k-nearest-neighbour score of Sun et al. 2022, arXiv:2204.06507), in features whitened by the shrunken covariance
    within classes (as Mahalanobis' distance of Lee et al. 2018, arXiv:1807.03888), with what lies outside the main
    directions counted (as Wang et al. 2022, arXiv:2203.10807). The threshold is a conformal quantile (Bates et al.
    2023, arXiv:2104.08279) over folds.
    """
    if len(values) < CONFIG.detector_rows:
        return None
    remembered = sample_remembered(codes, seed)
    if isinstance(folds, np.ndarray):
        if len(list_held_out_folds(folds)) < 2:
            return None
        reduced = _reduce_dimensions(values[remembered])
        distances = _held_out_distances(_hold_out_folds(reduced, codes[remembered], folds[remembered]))
    else:
        distances = _held_out_distances(folds)
        if len(distances) < CONFIG.detector_rows:
            return None
    false_alarm = max(CONFIG.false_alarm, 1 / (len(distances) + 1))
    threshold = -conformal_quantile(-distances, 1 - false_alarm)
    space = _fit_space(values[remembered], codes[remembered])
    space = WhitenedSpace(*(round_as_stored(part) for part in (space.centre, space.basis, space.inner)))
    remembered = remembered[_repeat_rows_of_small_classes(codes[remembered])]
    places, means = map(round_as_stored, _places_and_means(space, values[remembered], codes[remembered]))
    return OutOfDistributionDetector(
        reads=reads,
        space=space,
        remembered=places,
        codes=codes[remembered],
        ids=ids[remembered],
        means=means,
        threshold=threshold,
        false_alarm=false_alarm,
        n_rows=len(distances),
    )


def sample_remembered(codes: Index, seed: int) -> Index:
    """Draw the rows (n_kept,) that are remembered: as many of each class as its share, one at least.

    Parameters
    ----------
    codes : Index, shape (n_rows,)
    seed : int
    """
    if len(codes) <= CONFIG.remembered_rows:
        return np.arange(len(codes))
    order = np.random.default_rng(seed).permutation(len(codes))
    sizes = np.bincount(codes)
    n_by_class = np.maximum(1, sizes * CONFIG.remembered_rows // len(codes))
    ranks = np.empty(len(codes), dtype=np.intp)
    by_class = order[np.argsort(codes[order], kind="stable")]
    starts = np.cumsum(sizes) - sizes
    ranks[by_class] = np.arange(len(codes)) - starts[codes[by_class]]
    return np.flatnonzero(ranks < n_by_class[codes])


def _reduce_dimensions(values: FloatMatrix) -> FloatMatrix:
    """Turn rows into as few dimensions as there are rows; all lengths and angles stay."""
    if values.shape[1] <= len(values):
        return values
    rows = normalize_rows(values)
    strengths, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    return np.asarray(vectors * np.sqrt(np.maximum(strengths, 0.0)), dtype=np.float32)


def _hold_out_folds(values: FloatMatrix, codes: Index, folds: Index) -> Iterator[HeldOutPart]:
    """Yield each part of the rows with all others; several folds make a part where there are many."""
    parts = np.where(folds == TRAINING_ONLY, TRAINING_ONLY, folds % CONFIG.n_parts)
    for part in list_held_out_folds(parts):
        rest, out = parts != part, parts == part
        yield HeldOutPart(values[rest], codes[rest], values[out])


def _held_out_distances(parts: Iterable[HeldOutPart]) -> NDArray[np.float64]:
    """Return the distance of all held-out rows from the others of their part."""
    distances = [np.empty(0)]
    for part in parts:
        space = _fit_space(part.values, part.codes)
        rows = _repeat_rows_of_small_classes(part.codes)
        learnt = _places_and_means(space, part.values[rows], part.codes[rows])
        distances.append(_distances(space.project(part.held_out_values), *learnt))
    return np.concatenate(distances)


def _repeat_rows_of_small_classes(codes: Index) -> Index:
    """Return rows such that each class has as many as neighbours count: without it a class of one row is never near.

    Examples
    --------
    >>> _repeat_rows_of_small_classes(np.array([0, 1, 0, 0])).tolist()
    [0, 1, 2, 3, 1, 1]
    """
    sizes = np.bincount(codes)
    small = np.flatnonzero((sizes > 0) & (sizes < CONFIG.neighbours))
    more = [np.resize(np.flatnonzero(codes == code), CONFIG.neighbours)[sizes[code] :] for code in small]
    return np.concatenate([np.arange(len(codes)), *more])


def _places_and_means(space: WhitenedSpace, values: FloatMatrix, codes: Index) -> tuple[FloatMatrix, FloatMatrix]:
    """Return the places of rows and of their class means."""
    places = space.project(values)
    names, numbers = np.unique(codes, return_inverse=True)
    sums = np.zeros((len(names), places.shape[1]), dtype=np.float32)
    np.add.at(sums, numbers, places)
    return places, normalize_rows(sums)


def _distances(places: FloatMatrix, remembered: FloatMatrix, means: FloatMatrix) -> NDArray[np.float64]:
    cosines = places @ remembered.T
    n = min(CONFIG.neighbours, cosines.shape[1])
    near = np.partition(cosines, cosines.shape[1] - n, axis=1)[:, -n:].mean(axis=1)
    return np.asarray(1.0 - (near + (places @ means.T).max(axis=1)) / 2, dtype=np.float64)


def _fit_space(values: FloatMatrix, codes: Index) -> WhitenedSpace:
    """Find the main directions and how rows of a class vary in them."""
    rows = normalize_rows(values).astype(np.float64)
    centre = rows.mean(axis=0, keepdims=True)
    residual = rows - centre
    most = int(np.clip(CONFIG.most_cells // residual.shape[1], CONFIG.least_dims, CONFIG.most_dims))
    basis = _main_directions(residual, most)
    inside = residual @ basis
    names, numbers = np.unique(codes, return_inverse=True)
    sums = np.zeros((len(names), inside.shape[1]))
    np.add.at(sums, numbers, inside)
    within = inside - (sums / np.bincount(numbers)[:, None])[numbers]
    if not np.square(within).sum() > TINY:  # One row a class says nothing of how a class varies.
        within = inside
    spread = within.T @ within / len(rows)
    even = float(np.trace(spread)) / len(spread) + TINY
    strengths, turned = np.linalg.eigh((1 - CONFIG.shrinkage) * spread + CONFIG.shrinkage * even * np.eye(len(spread)))
    inner = (turned / np.sqrt(strengths)) @ turned.T
    scale = np.sqrt(CONFIG.shrinkage * even)
    parts = (centre, basis, inner * scale)
    return WhitenedSpace(*(part.astype(np.float32) for part in parts))


def _main_directions(residual: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return the orthonormal directions of largest spread (n_dims, at most `most`)."""
    rows = residual.astype(np.float32)
    small = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
    strengths, vectors = np.linalg.eigh(small.astype(np.float64))
    largest = np.flatnonzero(strengths > ROUNDING * max(strengths[-1], TINY))[::-1][:most]
    if len(largest) == 0:  # All rows are alike.
        return np.zeros((residual.shape[1], 1))
    vectors = vectors[:, largest]
    return vectors if len(residual) > residual.shape[1] else residual.T @ vectors / np.sqrt(strengths[largest])
