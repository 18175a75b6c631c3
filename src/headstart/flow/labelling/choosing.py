"""Which unlabelled rows to label next: pure functions over vectors, probabilities and labels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headstart.flow.labelling.learning import BLOCK, Vectors
from headstart.flow.labelling.likeness import read_alike_rows
from headstart.flow.labelling.settings import SETTINGS
from headstart.ranking.typicality import cluster_rows
from headstart.records import FloatMatrix, Index

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class LabelledRows:
    """What is known of the rows when one is chosen.

    Parameters
    ----------
    vectors : Vectors, shape (n_rows, n_dims)
    judged : Index, shape (n_judged,)
        Rows with a label that may be learnt from.
    codes : Index, shape (n_judged,)
        Kind of each of them.
    probabilities : FloatMatrix, shape (n_rows, n_kinds)
        Of each kind for each row; zero columns where nothing is known yet.
    answered : Index
        Further rows that were answered or wait for an answer: rows like them tell little more.
    """

    vectors: Vectors
    judged: Index
    codes: Index
    probabilities: FloatMatrix
    answered: Index = field(default_factory=lambda: np.empty(0, dtype=np.intp))


@dataclass(frozen=True)
class ChosenRow:
    """One row to label, and why: "doubtful", "rare" or "far"."""

    row: int
    reason: str


def order_randomly(n_rows: int, seed: int) -> Index:
    """Return all rows in random order; more rows leave the order of the earlier ones as it was.

    Parameters
    ----------
    n_rows : int
    seed : int

    Examples
    --------
    >>> order = order_randomly(6, seed=1).tolist()
    >>> sorted(order), [row for row in order_randomly(9, seed=1).tolist() if row < 6] == order
    ([0, 1, 2, 3, 4, 5], True)
    """
    return np.argsort(np.random.default_rng(seed).random(n_rows), kind="stable")


def choose_useful(known: LabelledRows, candidates: Index, n: int, seed: int) -> list[ChosenRow]:
    """Choose the rows whose labels would tell most, spread over groups of alike rows.

    Parameters
    ----------
    known : LabelledRows
    candidates : Index, shape (n_candidates,)
        Rows that may be asked about: unlabelled, unanswered, not put away.
    n, seed : int

    Returns
    -------
    list of ChosenRow
        At most n.

    Notes
    -----
    A row counts by the product of three: doubt (one less the margin of the two likeliest kinds), how typical it is
    (mean likeness to its nearest rows: information density, Settles and Craven 2008), and how unlike the nearest
    labelled row. A batch takes one row a group of the best. A share of a batch goes to likely rows of the rarest kinds,
    and to rows most unlike the labelled ones.

    Examples
    --------
    >>> rows = np.array([[1, 0.0], [0.99, 0.1], [0, 1.0], [0.1, 1]], dtype=np.float32)
    >>> known = LabelledRows(vectors=rows, judged=np.array([0]), codes=np.array([0]), probabilities=np.ones((4, 1)))
    >>> choose_useful(known, np.array([1, 2, 3]), 1, seed=0)[0].row in (2, 3)
    True
    """
    candidates = _draw_candidates(candidates, seed)
    n = min(n, len(candidates))
    if n == 0:
        return []
    rng = np.random.default_rng([seed, len(known.judged)])
    likeness = read_alike_rows(known.vectors, np.concatenate([candidates, known.judged, known.answered]))
    rows, labelled = likeness[: len(candidates)], likeness[len(candidates) :]
    novelty = 1 - find_nearness(rows, labelled)
    scores = measure_doubt(known.probabilities[candidates]) * measure_density(rows, rng) * novelty
    draws, picks = rng.random(n), dict[int, str]()
    for place in _find_rare(known, candidates, int((draws < SETTINGS.rare_share).sum())):
        picks[place] = "rare"
    n_far = int((draws > 1 - SETTINGS.far_share).sum()) if len(labelled) else 0
    for place in _take_best(novelty, picks, n_far):
        picks[place] = "far"
    for place in _spread_best(rows, scores, picks, n - len(picks), seed=seed):
        picks[place] = "doubtful"
    return [ChosenRow(int(candidates[place]), reason) for place, reason in picks.items()]


def _draw_candidates(candidates: Index, seed: int) -> Index:
    if len(candidates) <= SETTINGS.most_candidates:
        return candidates
    return np.sort(np.random.default_rng(seed).permutation(candidates)[: SETTINGS.most_candidates])


def find_nearness(rows: FloatMatrix, labelled: FloatMatrix) -> Floats:
    """Return the likeness (0 to 1) of each row to the nearest labelled one, 0 where nothing is labelled.

    Parameters
    ----------
    rows : FloatMatrix, shape (n_rows, n_dims)
        Of length one.
    labelled : FloatMatrix, shape (n_labelled, n_dims)
    """
    nearest = np.zeros(len(rows))
    for start in range(0, len(labelled), BLOCK):
        nearest = np.maximum(nearest, (rows @ labelled[start : start + BLOCK].T).max(axis=1))
    return np.clip(nearest, 0.0, 1.0)


def measure_doubt(probabilities: FloatMatrix) -> Floats:
    """Return how much doubt there is about each row: 0 is sure, 1 is two kinds alike (or nothing known).

    Parameters
    ----------
    probabilities : FloatMatrix, shape (n_rows, n_kinds)

    Examples
    --------
    >>> measure_doubt(np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]])).round(2).tolist()
    [0.5, 1.0]
    """
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    top = np.partition(probabilities, -2, axis=1)
    return np.asarray(1.0 - (top[:, -1] - top[:, -2]), dtype=np.float64)


def measure_density(rows: FloatMatrix, rng: np.random.Generator) -> Floats:
    """Return how typical each row is: the mean likeness (0 to 1) to its nearest rows of a sample.

    Parameters
    ----------
    rows : FloatMatrix, shape (n_rows, n_dims)
        Of length one.
    rng : Generator
    """
    others = rows[np.sort(rng.permutation(len(rows))[: SETTINGS.density_rows])]
    n_nearest = min(SETTINGS.density_neighbours, len(others) - 1)
    if n_nearest < 1:
        return np.ones(len(rows))
    density = np.empty(len(rows))
    for start in range(0, len(rows), BLOCK):
        likeness = rows[start : start + BLOCK] @ others.T
        nearest = np.partition(likeness, -n_nearest - 1, axis=1)[:, -n_nearest - 1 :]
        density[start : start + BLOCK] = nearest.mean(axis=1)
    return np.maximum(density, 0.0)


def _find_rare(known: LabelledRows, candidates: Index, n: int) -> list[int]:
    """Return the likeliest rows of the kinds with fewest labels, one kind after the other, where they are likely."""
    n_kinds = known.probabilities.shape[1]
    counts = np.bincount(known.codes, minlength=n_kinds)
    taken: list[int] = []
    for kind in np.argsort(counts, kind="stable"):
        if len(taken) == n or counts[kind] >= np.mean(counts):
            break
        chances = known.probabilities[candidates, kind].astype(np.float64)
        chances[taken] = 0.0
        best = int(chances.argmax())
        if chances[best] >= SETTINGS.likeliest_rare:
            taken.append(best)
    return taken


def _take_best(scores: Floats, taken: Collection[int], n: int) -> list[int]:
    """Return the places with the highest scores that are not taken."""
    order = np.argsort(-scores, kind="stable")[: n + len(taken)].tolist()
    return [place for place in order if place not in taken][:n]


def _spread_best(rows: FloatMatrix, scores: Floats, taken: Collection[int], n: int, seed: int) -> list[int]:
    """Return the best row of each of n groups of the best rows, so that a batch is not n times the same."""
    pool = _take_best(scores, taken, SETTINGS.pool_factor * n)
    if n < 2 or len(pool) <= n:
        return pool[:n]
    groups = cluster_rows(rows[pool], n, seed).owner
    best = list(dict(zip(groups[::-1].tolist(), pool[::-1], strict=True)).values())
    best += [place for place in pool if place not in best]
    return sorted(best[:n], key=lambda place: -scores[place])
