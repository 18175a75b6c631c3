"""A linear-chain conditional random field on any features of words, in numpy.

Source: Lafferty, McCallum and Pereira 2001; the variant with scaled (not logarithmic) forward and backward sums
(Rabiner 1989) and L-BFGS. Texts are packed by time step: at each step those that are long enough lie first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse

from headstart.records import FloatMatrix, Index
from headstart.spans.settings import SETTINGS

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class WordFeatures:
    """Features of the words of several texts, one row a word.

    Parameters
    ----------
    lengths : Index, shape (n_texts,)
        Words of each text; a text without words has 0.
    hashed : csr_matrix or None, shape (n_words, n_buckets)
    states : float array or None, shape (n_words, n_dims)
        Token states; of half precision as they are kept.
    """

    lengths: Index
    hashed: sparse.csr_matrix | None = None
    states: FloatMatrix | None = None

    def take(self, texts: Index) -> WordFeatures:
        """Return the features of some texts.

        Parameters
        ----------
        texts : Index
        """
        starts = np.concatenate([[0], np.cumsum(self.lengths)])
        rows = np.concatenate([np.arange(starts[text], starts[text + 1]) for text in texts] or [np.empty(0, int)])
        return WordFeatures(
            lengths=self.lengths[texts],
            hashed=None if self.hashed is None else self.hashed[rows],
            states=None if self.states is None else self.states[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Crf:
    """A fitted field.

    Parameters
    ----------
    hashed_weights : float32 or None, shape (n_buckets, n_tags)
    state_weights : float32 or None, shape (n_dims, n_tags)
    bias : float32, shape (n_tags,)
    transitions : float32, shape (n_tags, n_tags)
        Score of the tag of a column behind that of a row; a very low one where it may not follow.
    start : float32, shape (n_tags,)
        Score of the first tag of a text.
    """

    hashed_weights: FloatMatrix | None = None
    state_weights: FloatMatrix | None = None
    bias: NDArray[np.float32]
    transitions: NDArray[np.float32]
    start: NDArray[np.float32]

    def score_words(self, features: WordFeatures) -> Floats:
        """Return the score of each tag for each word (n_words, n_tags).

        Parameters
        ----------
        features : WordFeatures
        """
        scores = np.tile(self.bias.astype(np.float64), (int(features.lengths.sum()), 1))
        if self.hashed_weights is not None:
            assert features.hashed is not None
            scores += features.hashed @ self.hashed_weights
        if self.state_weights is not None:
            assert features.states is not None
            for first in range(0, len(scores), SETTINGS.words_at_once):
                part = slice(first, first + SETTINGS.words_at_once)
                scores[part] += np.asarray(features.states[part], dtype=np.float32) @ self.state_weights
        return scores


@dataclass(frozen=True)
class _Packing:
    """Order of words by time step: `rows[t]` are those of the texts with more than t words, the longest text first."""

    order: Index
    sizes: Index

    @classmethod
    def plan(cls, lengths: Index) -> _Packing:
        starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        by_length = np.argsort(-lengths, kind="stable")
        longest = int(lengths.max(initial=0))
        ordered = lengths[by_length]
        sizes = np.array([np.searchsorted(-ordered, -step, side="left") for step in range(longest)], dtype=np.intp)
        parts = [starts[by_length[:size]] + step for step, size in enumerate(sizes)]
        return cls(np.concatenate(parts).astype(np.intp) if parts else np.empty(0, np.intp), sizes)

    def list_steps(self) -> list[slice]:
        ends = np.cumsum(self.sizes)
        return [slice(int(end - size), int(end)) for end, size in zip(ends, self.sizes, strict=True)]


@dataclass(frozen=True)
class _Sums:
    """Log-likelihood's normaliser, probabilities of tags (n_words, n_tags, packed) and of pairs (n_tags, n_tags)."""

    log_normaliser: float
    marginals: Floats
    pairs: Floats


def _sum_paths(scores: Floats, packing: _Packing, transitions: Floats, start: Floats) -> _Sums:
    """Run the forward and backward sums over packed scores."""
    steps = packing.list_steps()
    highest = scores.max(axis=1, keepdims=True)
    weights, moves = np.exp(scores - highest), np.exp(transitions)
    forward, scales = np.empty_like(weights), np.empty(len(weights))
    for number, step in enumerate(steps):
        size = step.stop - step.start
        before = np.exp(start)[None] if number == 0 else forward[steps[number - 1]][:size] @ moves
        raw = weights[step] * before
        scales[step] = np.maximum(raw.sum(axis=1), 1e-300)
        forward[step] = raw / scales[step][:, None]
    backward = np.ones_like(weights)
    pairs = np.zeros_like(moves)
    for number in range(len(steps) - 1, 0, -1):
        step, previous = steps[number], steps[number - 1]
        size = step.stop - step.start
        ahead = weights[step] * backward[step] / scales[step][:, None]
        pairs += forward[previous][:size].T @ ahead
        backward[previous.start : previous.start + size] = ahead @ moves.T
    return _Sums(float(np.log(scales).sum() + highest.sum()), forward * backward, pairs * moves)


def fit_crf(
    features: WordFeatures, tags: Index, allowed: NDArray[np.bool_], *, hashed_decay: float, state_decay: float
) -> Crf:
    """Fit a field by L-BFGS.

    Parameters
    ----------
    features : WordFeatures
        Of the training texts.
    tags : Index, shape (n_words,)
        Number of the tag of each word.
    allowed : bool, shape (n_tags, n_tags)
        Which tag (column) may follow which (row).
    hashed_decay, state_decay : float
        L2 penalties of the weights (half of it times the sum of squares, beside the sum of log-likelihoods);
        states are scaled to unit deviation before.
    """
    problem = _Problem(features, tags, allowed, (hashed_decay, state_decay))
    optimum = optimize.minimize(
        problem.evaluate,
        np.zeros(problem.n_values),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": SETTINGS.crf_iterations, "maxcor": SETTINGS.crf_history},
    )
    return problem.finish(np.asarray(optimum.x))


class _Problem:
    """The penalised likelihood of the training texts as a function of one vector."""

    def __init__(
        self, features: WordFeatures, tags: Index, allowed: NDArray[np.bool_], decays: tuple[float, float]
    ) -> None:
        lengths = _cut_lengths(features.lengths)
        self.packing, self.n_tags = _Packing.plan(lengths), len(allowed)
        order = self.packing.order
        self.gold = tags[order]
        self.blocked = np.where(allowed, 0.0, SETTINGS.impossible)
        self.first_blocked = np.where([allowed[0, tag] for tag in range(self.n_tags)], 0.0, SETTINGS.impossible)
        self.used = np.empty(0, np.intp)
        self.hashed = None
        if features.hashed is not None:
            counts = np.asarray((features.hashed > 0).sum(axis=0)).ravel()
            self.used = np.flatnonzero(counts >= SETTINGS.least_count)
            self.hashed = features.hashed[order][:, self.used].tocsr()
            self.hashed_turned = self.hashed.T.tocsr()
        self.n_buckets = 0 if features.hashed is None else features.hashed.shape[1]
        self.states = None
        if features.states is not None:
            raw = np.asarray(features.states, dtype=np.float32)
            self.centre, self.spread = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-4)
            self.states = ((raw - self.centre) / self.spread)[order]
        n_dims = 0 if self.states is None else self.states.shape[1]
        self.sizes = [len(self.used) * self.n_tags, n_dims * self.n_tags, self.n_tags, self.n_tags**2, self.n_tags]
        self.n_values = sum(self.sizes)
        self.decays = (*decays, SETTINGS.bias_decay, SETTINGS.transition_decay, SETTINGS.transition_decay)
        self.gold_pairs = self._count_gold_pairs()

    def _count_gold_pairs(self) -> Floats:
        counts = np.zeros((self.n_tags, self.n_tags))
        steps = self.packing.list_steps()
        for before, step in pairwise(steps):
            size = step.stop - step.start
            np.add.at(counts, (self.gold[before][:size], self.gold[step]), 1.0)
        return counts

    def split(self, values: Floats) -> list[Floats]:
        """Return the parts of a vector of parameters: hashed, states, bias, transitions, start."""
        hashed, states, bias, transitions, start = np.split(values, np.cumsum(self.sizes)[:-1])
        n_tags = self.n_tags
        return [
            hashed.reshape(-1, n_tags), states.reshape(-1, n_tags), bias, transitions.reshape(n_tags, n_tags), start,
        ]  # fmt: skip

    def evaluate(self, values: Floats) -> tuple[float, Floats]:
        """Return the penalised negative log-likelihood and its gradient."""
        hashed, states, bias, transitions, start = self.split(values)
        scores = np.tile(bias, (len(self.gold), 1))
        if self.hashed is not None:
            scores += self.hashed @ hashed
        if self.states is not None:
            scores += self.states @ states.astype(np.float32)
        sums = _sum_paths(scores, self.packing, transitions + self.blocked, start + self.first_blocked)
        first = self.gold[self.packing.list_steps()[0]] if len(self.gold) else np.empty(0, np.intp)
        reached = scores[np.arange(len(self.gold)), self.gold].sum() + (self.gold_pairs * transitions).sum()
        loss = sums.log_normaliser - reached - start[first].sum()
        excess = sums.marginals
        first_excess = excess[: len(first)].sum(axis=0) - np.bincount(first, minlength=self.n_tags)
        excess[np.arange(len(self.gold)), self.gold] -= 1.0
        gradients = [
            np.empty((0, self.n_tags)) if self.hashed is None else self.hashed_turned @ excess,
            np.empty((0, self.n_tags)) if self.states is None else self.states.T @ excess.astype(np.float32),
            excess.sum(axis=0),
            sums.pairs - self.gold_pairs,
            first_excess,
        ]
        parts = [hashed, states, bias, transitions, start]
        slopes = []
        for decay, part, gradient in zip(self.decays, parts, gradients, strict=True):
            loss += decay / 2 * float(np.square(part).sum())
            slopes.append((gradient + decay * part).ravel())
        return float(loss), np.concatenate(slopes).astype(np.float64)

    def finish(self, values: Floats) -> Crf:
        """Return the field; the scaling of the states is part of its weights."""
        hashed, states, bias, transitions, start = self.split(values)
        state_weights = None
        if self.states is not None:
            scaled = states / self.spread[:, None]
            bias = bias - self.centre @ scaled
            state_weights = scaled.astype(np.float32)
        hashed_weights = None
        if self.hashed is not None:
            hashed_weights = np.zeros((self.n_buckets, self.n_tags), dtype=np.float32)
            hashed_weights[self.used] = hashed
        return Crf(
            hashed_weights=hashed_weights,
            state_weights=state_weights,
            bias=bias.astype(np.float32),
            transitions=(transitions + self.blocked).astype(np.float32),
            start=(start + self.first_blocked).astype(np.float32),
        )


def _cut_lengths(lengths: Index) -> Index:
    """Cut long texts for fitting, so that no step has a single text for long; only the transition at a cut is lost."""
    most = SETTINGS.most_fitted_words
    parts: list[int] = []
    for length in lengths:
        parts += [most] * (int(length) // most)
        parts += [int(length) % most] if int(length) % most else []
    return np.asarray(parts, dtype=np.intp)


@dataclass(frozen=True)
class DecodedWords:
    """The best path: tags (n_words,) and their probabilities (n_words,)."""

    tags: Index
    probabilities: Floats


def decode_words(scores: Floats, lengths: Index, crf: Crf) -> DecodedWords:
    """Return the most probable tags of texts (Viterbi), and the marginal probability of each.

    Parameters
    ----------
    scores : Floats, shape (n_words, n_tags)
        As `Crf.score_words` gives them.
    lengths : Index, shape (n_texts,)
    crf : Crf
    """
    packing = _Packing.plan(lengths)
    packed, moves, start = scores[packing.order], crf.transitions.astype(np.float64), crf.start.astype(np.float64)
    steps = packing.list_steps()
    best, origins = np.empty_like(packed), np.zeros(packed.shape, dtype=np.int32)
    for number, step in enumerate(steps):
        if number == 0:
            best[step] = packed[step] + start
            continue
        size = step.stop - step.start
        reached = best[steps[number - 1]][:size, :, None] + moves
        origins[step] = reached.argmax(axis=1)
        best[step] = packed[step] + reached.max(axis=1)
    tags = np.zeros(len(packed), dtype=np.intp)
    for number in range(len(steps) - 1, -1, -1):
        step = steps[number]
        tags[step] = best[step].argmax(axis=1)
        if number + 1 < len(steps):
            after = steps[number + 1]
            size = after.stop - after.start
            tags[step.start : step.start + size] = origins[after][np.arange(size), tags[after]]
    marginals = _sum_paths(packed, packing, moves, start).marginals
    probabilities = marginals[np.arange(len(tags)), tags] if len(tags) else np.empty(0)
    out_tags, out_probabilities = np.empty_like(tags), np.empty(len(tags))
    out_tags[packing.order], out_probabilities[packing.order] = tags, probabilities
    return DecodedWords(out_tags, np.clip(out_probabilities, 0.0, 1.0))


def compute_marginals(scores: Floats, lengths: Index, crf: Crf) -> Floats:
    """Return the probability of each tag for each word (n_words, n_tags).

    Parameters
    ----------
    scores : Floats, shape (n_words, n_tags)
    lengths : Index, shape (n_texts,)
    crf : Crf
    """
    packing = _Packing.plan(lengths)
    sums = _sum_paths(scores[packing.order], packing, crf.transitions.astype(np.float64), crf.start.astype(np.float64))
    marginals = np.empty_like(sums.marginals)
    marginals[packing.order] = sums.marginals
    return marginals


def number_tags(tags: Sequence[Sequence[str]], names: Sequence[str]) -> Index:
    """Return the numbers of the tags of all words, one text after the other.

    Parameters
    ----------
    tags : sequence of sequence of str
    names : sequence of str
        All tags; one that is not among them counts as the first.
    """
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers.get(tag, 0) for text in tags for tag in text], dtype=np.intp)
