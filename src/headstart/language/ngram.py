"""A character n-gram model with interpolated modified Kneser-Ney smoothing: the opponent that needs no base.

Source: Chen and Goodman (1999), "An empirical study of smoothing techniques for language modeling", section 3 (modified
Kneser-Ney, three discounts an order), interpolated down to a uniform distribution. Grams are numbered, never hashed: a
gram of n characters is the pair (number of its first n - 1, its last), so that any alphabet and order fit in 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.language.settings import SETTINGS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_START, _UNSEEN = 0, 1


@dataclass(frozen=True)
class _Order:
    """Grams of one length: sorted keys, how often each occurs, and what each context gives away.

    `totals` and `leftover` are by number of the context: counts of all its grams, and the share (0-1) of its
    probability that goes to shorter contexts; both for use as the longest order and for use as a shorter one.
    """

    keys: Ints
    probabilities: tuple[Floats, Floats]
    leftover: tuple[Floats, Floats]


@dataclass(frozen=True)
class CharacterModel:
    """A fitted model; `order` characters are looked at, the one to be predicted included."""

    alphabet: dict[str, int]
    orders: tuple[_Order, ...]
    order: int


def _encode_characters(texts: Sequence[str], alphabet: dict[str, int], pad: int) -> tuple[Ints, NDArray[np.bool_]]:
    """Return documents as one array of numbers, `pad` start symbols before each, and a mask of real characters."""
    parts: list[Ints] = []
    real: list[NDArray[np.bool_]] = []
    start, no = np.full(pad, _START, dtype=np.int64), np.zeros(pad, dtype=bool)
    for text in texts:
        codes = np.fromiter((alphabet.get(mark, _UNSEEN) for mark in text), dtype=np.int64, count=len(text))
        parts += [start, codes]
        real += [no, np.ones(len(text), dtype=bool)]
    return np.concatenate([np.zeros(0, np.int64), *parts]), np.concatenate([np.zeros(0, bool), *real])


def _discounts(counts: Ints) -> Floats:
    """Return D(0), D(1), D(2), D(3 and more) from the counts of counts; safe if those are zero."""
    n = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].astype(np.float64)
    n = np.maximum(n, 1.0)
    y = n[0] / (n[0] + 2 * n[1])
    discounts = np.array([0.0, 1 - 2 * y * n[1] / n[0], 2 - 3 * y * n[2] / n[1], 3 - 4 * y * n[3] / n[2]])
    return np.clip(discounts, [0.0, 0.1, 0.2, 0.3], [0.0, 0.95, 1.9, 2.85])


def _smooth_counts(counts: Ints, contexts: Ints, n_contexts: int) -> tuple[Floats, Floats]:
    """Return the discounted probability of each gram in its context, and what each context leaves to shorter ones."""
    discount = _discounts(counts)[np.minimum(counts, 3)]
    totals = np.bincount(contexts, counts, n_contexts)
    taken = np.bincount(contexts, discount, n_contexts)
    safe = np.maximum(totals, 1.0)
    return (counts - discount) / safe[contexts], np.where(totals > 0, taken / safe, 1.0)


def fit_character_model(
    texts: Sequence[str], order: int = max(SETTINGS.ngram_orders), most: int = SETTINGS.ngram_characters
) -> CharacterModel:
    """Count the grams of documents.

    Parameters
    ----------
    texts : sequence of str
    order : int
        Longest gram, 2 to 8.
    most : int
        Characters to fit on; later text is left out.

    Notes
    -----
    Grams shorter than the longest count in how many different ways they are continued to the left; those at the start
    of a document, which cannot be, count how often they occur.
    """
    used, total = [], 0
    for text in texts:
        if total >= most:
            break
        used.append(text)
        total += len(text)
    alphabet = {mark: number for number, mark in enumerate(sorted(set().union(*map(set, used))), start=2)}
    codes, real = _encode_characters(used, alphabet, order - 1)
    width = len(alphabet) + 2
    at = np.flatnonzero(real)
    orders: list[_Order] = []
    # numbers of the gram of length n that ends at each place; the empty gram has number 0
    ids = np.zeros(len(codes), dtype=np.int64)
    numbered: list[tuple[Ints, Ints, Ints]] = []  # keys, first places, counts
    n_contexts = [1]
    ids_of_order: list[Ints] = [ids]
    for n in range(1, order + 1):
        before = np.concatenate([[0], ids_of_order[-1][:-1]]) if n > 1 else ids
        keys, first, inverse, counts = np.unique(
            before * width + codes, return_index=True, return_inverse=True, return_counts=True
        )
        ids_of_order.append(inverse.reshape(-1).astype(np.int64))
        counts = np.bincount(
            ids_of_order[-1][at], minlength=len(keys)
        )  # grams that end in a start symbol are no events
        numbered.append((keys, first, counts.astype(np.int64)))
        n_contexts.append(len(keys))
    for n in range(1, order + 1):
        keys, first, counts = numbered[n - 1]
        contexts = keys // width
        used_counts = [counts]
        if n < order:
            _, longer_first, longer_counts = numbered[n]
            suffix = ids_of_order[n][longer_first]
            ways = np.bincount(suffix[longer_counts > 0], minlength=len(keys))
            begins = codes[np.maximum(first - n + 1, 0)] == _START
            used_counts.append(np.where(begins & (n > 1), counts, np.where(counts > 0, ways, 0)).astype(np.int64))
        else:
            used_counts.append(counts)
        smoothed = [_smooth_counts(some, contexts, n_contexts[n - 1]) for some in used_counts]
        orders.append(_Order(keys, (smoothed[0][0], smoothed[1][0]), (smoothed[0][1], smoothed[1][1])))
    return CharacterModel(alphabet, tuple(orders), order)


def shorten_order(model: CharacterModel, order: int) -> CharacterModel:
    """Return the same model with a shorter longest gram."""
    return CharacterModel(model.alphabet, model.orders[:order], order)


def compute_bits(model: CharacterModel, texts: Sequence[str]) -> Floats:
    """Compute the cost of each document (n_documents,) in bits: -log2 of its probability, character by character.

    A character that never occurred costs what the model gives to all unseen ones together, and
    `unseen_character_bits` to name it. The end of a document costs nothing.

    Examples
    --------
    A text of one letter only has little left to say:

    >>> model = fit_character_model(["aaaaaaaaaa"] * 20, order=3)
    >>> bool(compute_bits(model, ["aaaa"])[0] < 1), bool(compute_bits(model, ["zz"])[0] > 34)
    (True, True)
    """
    pad = model.order - 1
    codes, real = _encode_characters(texts, model.alphabet, pad)
    width = len(model.alphabet) + 2
    probability = np.full(len(codes), 1.0 / (len(model.alphabet) + 1))
    ids = np.zeros(len(codes), dtype=np.int64)  # of the context so far; -1 where it never occurred
    for n, one in enumerate(model.orders, start=1):
        context = np.concatenate([[-1], ids[:-1]]) if n > 1 else ids
        known = context >= 0
        keys = np.where(known, context, 0) * width + codes
        place = np.minimum(np.searchsorted(one.keys, keys), len(one.keys) - 1)
        is_known = known & (one.keys[place] == keys)
        which = 0 if n == model.order else 1
        left = one.leftover[which][np.where(known, context, 0)]
        probability = np.where(
            known, np.where(is_known, one.probabilities[which][place], 0.0) + left * probability, probability
        )
        ids = np.where(is_known, place, -1)
    cost = -np.log2(np.maximum(probability, 1e-300)) + SETTINGS.unseen_character_bits * (codes == _UNSEEN)
    ends = np.cumsum([len(text) + pad for text in texts])
    summed = np.concatenate([[0.0], np.cumsum(np.where(real, cost, 0.0))])
    return np.asarray(summed[ends] - summed[np.concatenate([[0], ends[:-1]])], dtype=np.float64)


def choose_character_model(
    train: Sequence[str], dev: Sequence[str], most: int = SETTINGS.ngram_characters
) -> CharacterModel:
    """Fit the orders 3 to 6 and return the one with the fewest bits on development documents."""
    whole = fit_character_model(train, max(SETTINGS.ngram_orders), most)
    models = [shorten_order(whole, order) for order in SETTINGS.ngram_orders]
    return min(models, key=lambda model: float(compute_bits(model, dev).sum()))
