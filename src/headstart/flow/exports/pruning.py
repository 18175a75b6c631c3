"""Prune the vocabulary of a text bundle, and measure what becomes of texts with words that it was not chosen for.

Rows of the run keep all their pieces, held-out ones as well (no label is looked at), so they are answered as before.
How other texts fare is estimated: a vocabulary chosen without the held-out rows answers these.
"""

from __future__ import annotations

from collections import Counter
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
from headstart.flow.exports.vocabulary import choose_pieces, count_used_pieces
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
        """Return rows to choose pieces from, and rows to try them on: held-out ones, or half of the training rows."""
        generator = np.random.default_rng(seed)
        if len(self.held_out):
            rows = generator.permutation(len(self.held_out))[: SETTINGS.unseen_rows]
            return self.training, self.held_out.take(np.sort(rows))
        first, *more = self.training
        order = generator.permutation(len(first))
        half, rest = order[::2], order[1::2]
        return (first.take(np.sort(half)), *more), first.take(np.sort(rest[: SETTINGS.unseen_rows]))


@dataclass(frozen=True)
class UnseenFigures:
    """How a pruned vocabulary answers texts that it was not chosen for, held against the whole one.

    Parameters
    ----------
    n_rows : int
    same_labels : float
        Share of rows (0-1).
    mean_difference : float
        Mean over rows of the largest difference of an output; of numbers in units of their spread.
    """

    n_rows: int
    same_labels: float
    mean_difference: float

    @property
    def passes(self) -> bool:
        """Return whether so few rows are answered otherwise that the vocabulary may be pruned."""
        n_allowed = max(1, int((1 - SETTINGS.min_unseen_same) * self.n_rows))
        n_changed = round((1 - self.same_labels) * self.n_rows)
        return n_changed <= n_allowed and self.mean_difference <= SETTINGS.max_unseen_difference


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
    expected = run_reference(bundle, held_out)
    n_frequent = SETTINGS.frequent_pieces
    while n_frequent < max(sizes):
        trial = _prune_to(bundle, choosing, n_frequent)
        figures = _compare(bundle, expected, run_reference(trial.bundle, held_out))
        if figures.passes and max(trial.sizes) < max(sizes):
            final = _prune_to(bundle, (*seen.training, seen.held_out), n_frequent)
            facts = {
                "n_pieces": max(final.sizes),
                "n_whole": max(sizes),
                "n_frequent": n_frequent,
                "unseen": vars(figures),
            }
            return PrunedBundle(final.bundle, facts)
        progress.say(f"More pieces are kept: {100 * figures.same_labels:.0f} % of held-out rows kept their label.")
        n_frequent *= 2
    return PrunedBundle(bundle, {"reason": "with fewer pieces held-out rows were answered otherwise"})


@dataclass(frozen=True)
class _Pruned:
    """A pruned bundle, and the number of pieces of each of its bases."""

    bundle: Bundle
    sizes: list[int]


def _prune_to(bundle: Bundle, tables: tuple[Table, ...], n_frequent: int) -> _Pruned:
    sizes: list[int] = []
    counts: dict[str, Counter[int]] = {}

    def prune(parts: BaseParts) -> BaseParts:
        if parts.tokenizer not in counts:
            counts[parts.tokenizer] = count_used_pieces(parts, tables)
        chosen = choose_pieces(read_vocabulary(parts), counts[parts.tokenizer], n_frequent)
        smaller = prune_vocabulary(parts, chosen)
        sizes.append(int(smaller.architecture["config"]["vocab_size"]))
        return smaller

    return _Pruned(change_base(bundle, prune), sizes)


def _compare(bundle: Bundle, expected: ReferenceOutputs, outputs: ReferenceOutputs) -> UnseenFigures:
    one, two = (assign_labels(bundle.task, part.outputs, bundle.thresholds) for part in (expected, outputs))
    if one.shape != two.shape or not len(one):
        return UnseenFigures(0, 0.0, float("inf"))
    spread = float(np.std(expected.outputs)) or 1.0
    size = spread if TASK_TYPES[bundle.task].is_number else 1.0
    differences = np.abs(outputs.outputs - expected.outputs).max(axis=1) / size
    return UnseenFigures(len(one), float((one == two).all(axis=1).mean()), round(float(differences.mean()), 6))
