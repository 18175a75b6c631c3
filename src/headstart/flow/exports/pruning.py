"""Prune the vocabulary of a text bundle, and measure what becomes of texts with words that it was not chosen for.

Rows of the run keep all their pieces, held-out ones as well (no label is looked at), so they are answered as before.
How other texts fare is estimated: a vocabulary chosen without the held-out rows answers these. Where there are too
few rows to tell, the whole vocabulary stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart import progress
from headstart.bases import BaseParts
from headstart.bases.pruned_vocabulary import explain_no_pruning, prune_vocabulary, read_vocabulary
from headstart.bundle import Bundle
from headstart.bundle.runtime.agreement import assign_labels
from headstart.flow.exports.base_changes import change_base
from headstart.flow.exports.reference_outputs import ReferenceOutputs, run_reference
from headstart.flow.exports.settings import SETTINGS
from headstart.flow.exports.vocabulary import UsedPieces, choose_pieces, count_used_pieces
from headstart.flow.run_records import Prepared
from headstart.records import Table
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True)
class RunTexts:
    """Rows of a run: those that were learnt from, with or without labels, and those held out.

    Parameters
    ----------
    training : tuple of Table
    held_out : Table
        May be empty.
    """

    training: tuple[Table, ...]
    held_out: Table

    @classmethod
    def of_run(cls, prepared: Prepared) -> RunTexts:
        """Return the rows of a run."""
        unlabelled = prepared.task.unlabelled
        more = () if unlabelled is None else (unlabelled.table,)
        return cls((prepared.train.table, *more), prepared.test.table)

    def split(self, seed: int) -> tuple[tuple[Table, ...], Table]:
        """Return rows to choose pieces from, and rows to try them on: held-out ones, or half of all if these are few.

        The rows to try them on are those of the larger table, so that they can be read as one.
        """
        generator = np.random.default_rng(seed)
        if len(self.held_out) >= SETTINGS.min_unseen_rows:
            rows = generator.permutation(len(self.held_out))[: SETTINGS.unseen_rows]
            return self.training, self.held_out.take(np.sort(rows))
        largest, *more = sorted((*self.training, self.held_out), key=len, reverse=True)
        order = generator.permutation(len(largest))
        half, rest = order[::2], order[1::2]
        return (largest.take(np.sort(half)), *more), largest.take(np.sort(rest[: SETTINGS.unseen_rows]))


@dataclass(frozen=True, kw_only=True)
class UnseenFigures:
    """How a pruned vocabulary answers texts that it was not chosen for, held against the whole one.

    Parameters
    ----------
    n_rows : int
    same_labels : float
        Share of rows (0-1).
    expected_loss : float
        What the changed labels cost by the probabilities of the whole vocabulary: mean over rows of the probability of
        its label minus that of the other label, so an expected loss of accuracy (0-1); of label sets the mean over
        labels. Of numbers the mean difference in units of their spread.
    mean_difference : float
        Mean over rows of the largest difference of an output; of numbers in units of their spread.
    """

    n_rows: int
    same_labels: float
    expected_loss: float
    mean_difference: float

    @property
    def passes(self) -> bool:
        """Return whether the vocabulary may be pruned."""
        return self.same_labels >= SETTINGS.min_unseen_same and self.expected_loss <= SETTINGS.max_unseen_loss


@dataclass(frozen=True)
class PrunedBundle:
    """A bundle, pruned or as it was, and what `config.json` says of that: `reason`, or sizes and figures."""

    bundle: Bundle
    facts: Mapping[str, Any]


def prune_bundle(bundle: Bundle, seen: RunTexts) -> PrunedBundle:
    """Return a bundle with a pruned vocabulary, or as it is.

    Parameters
    ----------
    bundle : Bundle
        As it was fitted.
    seen : RunTexts
    """
    reasons: list[str] = []
    sizes: list[int] = []

    def inspect(parts: BaseParts) -> BaseParts:
        reasons.append(explain_no_pruning(parts))
        sizes.append(0 if reasons[-1] else len(read_vocabulary(parts).pieces))
        return parts

    change_base(bundle, inspect)
    if not sizes or any(reasons):
        return PrunedBundle(bundle, {"reason": next(filter(None, reasons), "it reads no base model")})
    choosing, held_out = seen.split(bundle.seed)
    if len(held_out) < SETTINGS.min_unseen_rows:
        return PrunedBundle(bundle, {"reason": f"{len(held_out)} unseen rows cannot tell how other texts would fare"})
    expected, used = run_reference(bundle, held_out), dict[str, UsedPieces]()
    n_pieces = SETTINGS.pruned_pieces
    while n_pieces < max(sizes):
        trial = _prune_to(bundle, choosing, n_pieces, used)
        figures = _compare(bundle, expected, run_reference(trial.bundle, held_out))
        if figures.passes and max(trial.sizes) < max(sizes):
            final = _prune_to(bundle, (*seen.training, seen.held_out), n_pieces, {})
            facts = {"n_pieces": max(final.sizes), "n_whole": max(sizes), "unseen": vars(figures)}
            return PrunedBundle(final.bundle, facts)
        progress.say(f"More pieces are kept: {100 * figures.same_labels:.0f} % of held-out rows kept their label.")
        n_pieces *= 2
    return PrunedBundle(bundle, {"reason": "with fewer pieces held-out rows were answered otherwise"})


@dataclass(frozen=True)
class _Pruned:
    """A pruned bundle, and the number of pieces of each of its bases."""

    bundle: Bundle
    sizes: list[int]


def _prune_to(bundle: Bundle, tables: tuple[Table, ...], n_pieces: int, used: dict[str, UsedPieces]) -> _Pruned:
    """Prune every base of a bundle; what its tokenizer cuts the texts into is counted once, in `used`."""
    sizes: list[int] = []

    def prune(parts: BaseParts) -> BaseParts:
        if parts.tokenizer not in used:
            used[parts.tokenizer] = count_used_pieces(parts, tables)
        chosen = choose_pieces(read_vocabulary(parts), used[parts.tokenizer], n_pieces)
        smaller = prune_vocabulary(parts, chosen)
        sizes.append(int(smaller.architecture["config"]["vocab_size"]))
        return smaller

    return _Pruned(change_base(bundle, prune), sizes)


def _compare(bundle: Bundle, expected: ReferenceOutputs, outputs: ReferenceOutputs) -> UnseenFigures:
    one, two = (assign_labels(bundle.task, part.outputs, bundle.thresholds) for part in (expected, outputs))
    if one.shape != two.shape:  # Some rows cannot be read any more.
        return UnseenFigures(n_rows=len(one), same_labels=0.0, expected_loss=1.0, mean_difference=1.0)
    if not len(one):
        return UnseenFigures(n_rows=0, same_labels=1.0, expected_loss=0.0, mean_difference=0.0)
    task = TASK_TYPES[bundle.task]
    size = (float(np.std(expected.outputs)) or 1.0) if task.is_number else 1.0
    difference = float((np.abs(outputs.outputs - expected.outputs).max(axis=1) / size).mean())
    if task.is_number:
        losses = np.full(len(one), difference)
    elif task.has_label_sets:
        losses = (np.abs(2 * expected.outputs - 1) * (one != two)).mean(axis=1)
    else:
        before, after = (np.take_along_axis(expected.outputs, labels, axis=1)[:, 0] for labels in (one, two))
        losses = np.abs(before - after)  # Of grades the median one need not be the likeliest.
    return UnseenFigures(
        n_rows=len(one),
        same_labels=float((one == two).all(axis=1).mean()),
        expected_loss=round(float(losses.mean()), 6),
        mean_difference=round(difference, 6),
    )
