"""What was decided of the golden rows: stored when a bundle is written, decided again from its files by `verify`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.bundle.golden import Golden
from headstart.decisions import DEFAULT_POLICY, KINDS, DecisionPolicy, Decisions
from headstart.records import Predictions, make_column


@dataclass(frozen=True)
class Answering:
    """What turns outputs into answers: task, classes, thresholds of labels, and the rules of decision."""

    task: str
    classes: tuple[str, ...]
    thresholds: tuple[float, ...]
    rules: DecisionPolicy | None

    def decide(self, golden: Golden) -> Decisions:
        """Return what is decided of golden rows, from their stored outputs and features."""
        rules = self.rules or DEFAULT_POLICY
        ids = make_column([str(row) for row in range(len(golden.outputs))])
        predictions = Predictions(
            ids=ids, classes=self.classes, probabilities=golden.outputs, task=self.task, thresholds=self.thresholds
        )
        features = golden.features if golden.features.shape[1] else None
        return rules.decide(rules.calibrate(predictions), features)


def with_decisions(golden: Golden, answering: Answering) -> Golden:
    """Return golden rows with the kind and the class that are decided of each."""
    decisions = answering.decide(golden)
    kinds = np.asarray([KINDS.index(kind) for kind in decisions.kinds], dtype=np.uint8)
    return replace(golden, kinds=kinds, codes=np.asarray(decisions.codes, dtype=np.int64))


def rows_decided_otherwise(golden: Golden, answering: Answering) -> Sequence[int]:
    """Return the numbers of golden rows of which another kind or class is decided than is stored.

    Bundles of format 1 and 2 store no decisions: there are none then.
    """
    if golden.kinds is None or golden.codes is None:
        return []
    again = with_decisions(golden, answering)
    assert again.kinds is not None and again.codes is not None
    differs = (again.kinds != golden.kinds) | (again.codes != golden.codes)
    return [int(row) for row in np.flatnonzero(differs)]
