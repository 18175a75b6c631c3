"""Bits per character of a masked language model, and the calibration of its predictions.

How it is computed. Each word is hidden together with about a seventh of the words of its window (every seventh one,
so that neighbours stay visible) and guessed token by token from left to right: when a token is guessed, the earlier
tokens of its word are shown and the later ones stay hidden (PLL-word-l2r, Kauf and Ivanova 2023, arXiv:2305.10588,
after Salazar et al. 2020, arXiv:1910.14659). Hiding single tokens instead would favour tokenizers that cut words into
many tokens, whose endings give each other away. Added is what the tokenizer loses (`headstart.language.spelling`):
unknown words are spelled, dropped accents, capitals and spaces are coded. The sum in bits over the number of
characters is the figure. It sees the words on both sides of a gap, which an n-gram model does not: it is a
pseudo-likelihood, not a compression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Encoding

from headstart.evaluation.intervals import draw_bootstrap_weights, envelope, percentiles
from headstart.language.masked import MaskedNet, autocast_bfloat16
from headstart.language.settings import SETTINGS
from headstart.language.spelling import SpellingModel
from headstart.language.tokens import Corpus, SpecialTokens, TokenRows, cut_windows, join_documents, lay_out_rows
from headstart.records import Interval

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MaskedPredictions:
    """Predictions of hidden tokens: highest probability, whether it was correct, and the document."""

    confidence: Floats
    is_correct: NDArray[np.bool_]
    document: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class DocumentCosts:
    """The cost of documents.

    Parameters
    ----------
    bits : Floats, shape (n_documents,)
        Tokens and what the tokenizer loses.
    lost_bits : Floats, shape (n_documents,)
        The second part alone.
    characters : Floats, shape (n_documents,)
    n_tokens : int
    predictions : MaskedPredictions
    """

    bits: Floats
    lost_bits: Floats
    characters: Floats
    n_tokens: int
    predictions: MaskedPredictions


def measure_documents(
    net: MaskedNet,
    special_tokens: SpecialTokens,
    spelling: SpellingModel,
    texts: Sequence[str],
    encodings: Sequence[Encoding],
    budget: int,
) -> DocumentCosts:
    """Measure documents.

    Parameters
    ----------
    net : MaskedNet
    special_tokens : SpecialTokens
    spelling : SpellingModel
        Learnt from other text.
    texts, encodings : sequences of n_documents
    budget : int
        Tokens put through the network at most, about.
    """
    corpus = join_documents(encodings)
    windows = cut_windows(corpus, min(SETTINGS.scoring_window_tokens, net.max_tokens - special_tokens.n_around))
    n_folds = int(np.clip(budget // max(3 * len(corpus.ids), 1), 1, SETTINGS.scoring_folds))
    shift = np.random.default_rng(len(texts)).integers(0, SETTINGS.scoring_folds, max(len(texts), 1))
    cost = np.zeros(len(texts))
    parts: list[tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]] = []
    order = np.argsort(windows[:, 1] - windows[:, 0], kind="stable")
    for bounds in _cut_batches(windows[order]):
        rows = lay_out_rows(corpus, bounds, special_tokens)
        for fold in range(n_folds):
            hidden = (rows.word_index >= 0) & (
                (rows.word_index + shift[bounds[:, 2]][:, None] + fold) % SETTINGS.scoring_folds == 0
            )
            for row, bits, sure, right in _predict_hidden_words(net, special_tokens, rows, hidden):
                document = bounds[row, 2]
                np.add.at(cost, document, bits * (SETTINGS.scoring_folds / n_folds))
                parts.append((sure, right, document))
    lost = np.array([spelling.compute_bits(text, one) for text, one in zip(texts, encodings, strict=True)])
    sure, right, document = (np.concatenate([part[at] for part in parts]) for at in range(3))
    characters = np.array([len(text) for text in texts], dtype=np.float64)
    return DocumentCosts(
        bits=cost + lost,
        lost_bits=lost,
        characters=characters,
        n_tokens=len(corpus.ids),
        predictions=MaskedPredictions(sure, right.astype(bool), document),
    )


def _cut_batches(cut: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Cut windows that are sorted by length into batches of at most `scoring_batch_tokens` tokens."""
    batches, start = [], 0
    while start < len(cut):
        end = start + 1
        while (
            end < len(cut) and (end - start + 1) * int(cut[end, 1] - cut[end, 0] + 2) <= SETTINGS.scoring_batch_tokens
        ):
            end += 1
        batches.append(cut[start:end])
        start = end
    return batches


def _predict_hidden_words(
    net: MaskedNet, special_tokens: SpecialTokens, rows: TokenRows, hidden: NDArray[np.bool_]
) -> list[tuple[NDArray[np.int64], Floats, Floats, NDArray[np.bool_]]]:
    """Predict hidden words token by token: (rows, bits, highest probability, correct) for each position."""
    predictions = []
    for position in range(int(rows.position[hidden].max(initial=-1)) + 1):
        label_mask = hidden & (rows.position == position)
        row_numbers = np.flatnonzero(label_mask.any(axis=1))
        if len(row_numbers) == 0:
            continue
        # words that are finished stay hidden, so that every token is guessed from the same surroundings
        longer = _mark_longer_words(rows, hidden, position)
        is_visible = longer & (rows.position < position)
        ids = np.where(hidden & ~is_visible, special_tokens.mask, rows.ids)[row_numbers]
        row, column = np.nonzero(label_mask[row_numbers])
        with torch.inference_mode(), autocast_bfloat16():
            out = net.encode(torch.from_numpy(ids), torch.from_numpy(rows.mask[row_numbers]))
            logs = net.score_tokens(out[torch.from_numpy(row), torch.from_numpy(column)]).log_softmax(-1)
        truth = rows.ids[row_numbers[row], column]
        best = logs.max(-1)
        bits = -logs[torch.arange(len(row)), torch.from_numpy(truth)].double().numpy() / np.log(2)
        predictions.append((row_numbers[row], bits, best.values.exp().double().numpy(), best.indices.numpy() == truth))
    return predictions


def _mark_longer_words(rows: TokenRows, hidden: NDArray[np.bool_], position: int) -> NDArray[np.bool_]:
    """Return a mask of the tokens of hidden words that have a token at `position` (n_rows, width)."""
    n_words = int(rows.word_index.max(initial=0)) + 1
    has = np.zeros((len(rows.ids), n_words), dtype=bool)
    row, column = np.nonzero(hidden & (rows.position == position))
    has[row, rows.word_index[row, column]] = True
    return np.asarray(has[np.arange(len(rows.ids))[:, None], np.maximum(rows.word_index, 0)] & (rows.word_index >= 0))


def compute_bits_per_character(bits: Floats, characters: Floats, seed: int) -> Interval:
    """Compute bits per character with the bootstrap interval over documents (lower is better).

    Examples
    --------
    >>> compute_bits_per_character(np.array([2.0, 4.0]), np.array([1.0, 2.0]), 0)
    Interval(value=2.0, low=2.0, high=2.0)
    """
    sums = np.column_stack([bits, characters]).astype(np.float32)
    drawn = np.concatenate([times @ sums for times in draw_bootstrap_weights(len(sums), seed)]).astype(np.float64)
    low, high = percentiles(drawn[:, :1] / drawn[:, 1:])
    value = float(bits.sum() / characters.sum())
    return envelope(value, (float(low[0]), float(high[0])), within=(0.0, float("inf")))


def compute_change(new: Floats, old: Floats, characters: Floats, seed: int) -> Interval:
    """Compute new over old bits minus one (-0.2: a fifth less), paired over documents, with its bootstrap interval."""
    sums = np.column_stack([new, old, characters]).astype(np.float32)
    drawn = np.concatenate([times @ sums for times in draw_bootstrap_weights(len(sums), seed)]).astype(np.float64)
    low, high = percentiles(drawn[:, :1] / drawn[:, 1:2] - 1)
    return envelope(float(new.sum() / old.sum() - 1), (float(low[0]), float(high[0])), within=(-1.0, float("inf")))


@dataclass(frozen=True)
class TokenCalibration:
    """Calibration of predicted tokens: expected error (0-1, lower is better), mean probability, and accuracy."""

    error: Interval
    mean_probability: float
    accuracy: float
    n_guesses: int

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "error": self.error.as_dict(),
            "mean_probability": self.mean_probability,
            "share_right": self.accuracy,
            "n_guesses": self.n_guesses,
        }


def measure_calibration(predictions: MaskedPredictions, seed: int) -> TokenCalibration:
    """Measure the expected calibration error of the predicted tokens.

    Notes
    -----
    Expected calibration error over ten bins of equal mass: mean over guesses of |mean probability - share right| of the
    bin; 95 % interval by the bootstrap over documents.
    """
    edges = np.unique(np.quantile(predictions.confidence, np.linspace(0, 1, SETTINGS.calibration_bins + 1)[1:-1]))
    bins = np.searchsorted(edges, predictions.confidence)
    n_bins = int(bins.max(initial=0)) + 1
    _, cluster = np.unique(predictions.document, return_inverse=True)
    sums = np.zeros((int(cluster.max()) + 1, 2 * n_bins), dtype=np.float32)
    np.add.at(sums, (cluster, bins), (predictions.confidence - predictions.is_correct).astype(np.float32))
    np.add.at(sums, (cluster, n_bins + bins), 1.0)

    def error(sums: Floats) -> Floats:
        return np.asarray(np.abs(sums[:, :n_bins]).sum(axis=1) / np.maximum(sums[:, n_bins:].sum(axis=1), 1.0))

    drawn = np.concatenate(
        [error((times @ sums).astype(np.float64)) for times in draw_bootstrap_weights(len(sums), seed)]
    )
    low, high = percentiles(drawn[:, None])
    value = float(error(sums.sum(axis=0, keepdims=True).astype(np.float64))[0])
    interval = envelope(value, (float(low[0]), float(high[0])))
    return TokenCalibration(
        interval,
        float(predictions.confidence.mean()),
        float(predictions.is_correct.mean()),
        len(predictions.confidence),
    )


def count_tokens(corpus: Corpus, n_vocabulary: int) -> Floats:
    """Count how often each token occurs (n_pieces,)."""
    return np.bincount(corpus.ids, minlength=n_vocabulary).astype(np.float64)
