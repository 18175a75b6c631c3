"""What was decided of the golden rows: stored when a bundle is written, decided again from its files by `verify`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.bundle.golden import GoldenRows
from headstart.coding_frames import MOST_LEVELS, split_path
from headstart.decisions import OUTCOMES, DecisionPolicy, Decisions
from headstart.decisions.rolling_up import is_rolled_up, split_answer
from headstart.records import Predictions, make_column


@dataclass(frozen=True)
class DecisionContext:
    """Context that turns outputs into answers: task, classes, thresholds of labels, and the rules of decision."""

    task: str
    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    policy: DecisionPolicy

    def decide(self, golden: GoldenRows) -> Decisions:
        """Return what is decided of golden rows, from their stored outputs and features."""
        ids = make_column([str(row) for row in range(len(golden.outputs))])
        predictions = Predictions(
            ids=ids, classes=self.classes, probabilities=golden.outputs, task=self.task, thresholds=self.thresholds
        )
        features = golden.features if golden.features.shape[1] else None
        return self.policy.decide(self.policy.calibrate(predictions), features)


def add_decisions(golden: GoldenRows, context: DecisionContext) -> GoldenRows:
    """Return golden rows with the kind, and the class or the levels of the labels, that are decided of each."""
    decisions = context.decide(golden)
    kind_codes = np.asarray([OUTCOMES.index(outcome) for outcome in decisions.outcomes], dtype=np.uint8)
    levels = None
    if decisions.sure.shape[1]:
        levels = decisions.sets.astype(np.uint8) + decisions.sure.astype(np.uint8)
    codes = _number_answers(decisions, context.classes)
    return replace(golden, kind_codes=kind_codes, class_indices=codes, label_levels=levels)


def _number_answers(decisions: Decisions, classes: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the class of each answer, -1 for none; a level of a coding frame as -2 and below, by its first class."""
    numbers = np.asarray(decisions.codes, dtype=np.int64).copy()
    for row in np.flatnonzero([is_rolled_up(str(answer)) for answer in decisions.answers]):
        path = split_answer(str(decisions.answers[row]))
        first = next(at for at, name in enumerate(classes) if split_path(name)[: len(path)] == path)
        numbers[row] = -2 - (first * MOST_LEVELS + len(path))
    return numbers


def list_changed_decisions(golden: GoldenRows, context: DecisionContext) -> Sequence[int]:
    """Return the numbers of golden rows whose kind, class or labels are decided otherwise than is stored.

    Bundles of format 1 and 2 store no decisions: there are none then.

    Parameters
    ----------
    golden : GoldenRows
        With the outputs to decide from and the stored decisions.
    context : DecisionContext
    """
    if golden.kind_codes is None or golden.class_indices is None:
        return []
    decided = add_decisions(golden, context)
    assert decided.kind_codes is not None and decided.class_indices is not None
    differs = (decided.kind_codes != golden.kind_codes) | (decided.class_indices != golden.class_indices)
    if golden.label_levels is not None and decided.label_levels is not None:
        differs |= (decided.label_levels != golden.label_levels).any(axis=1)
    return [int(row) for row in np.flatnonzero(differs)]
