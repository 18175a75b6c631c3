"""Which costly strategies are worth their time: rules on what the quick ones showed, on training rows alone.

They hold where the user named no strategy. Measured for them (benchmarks/results/the-ladder.md and gains.md): no costly
strategy was chosen on any of ten sets; the whole ladder gained about 5 points with 5 labelled texts a class, 2 with 20,
none with 100, and none with images. A network from random weights was never better than `classic`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from headstart.ladder.choice import is_better_beyond_noise
from headstart.ladder.settings import SETTINGS
from headstart.records import Probabilities
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Task
from headstart.strategies.scoring import OBJECTIVES, mean_loss


@dataclass(frozen=True)
class QuickOutcome:
    """What the quick strategies showed.

    Parameters
    ----------
    task : Task
    out_of_fold : mapping of str to Probabilities
        Outputs (n_rows, n_outputs) by strategy; NaN where a row was not held out.
    scores : mapping of str to float
        By cross-validation, 0-1.
    """

    task: Task
    out_of_fold: Mapping[str, Probabilities]
    scores: Mapping[str, float]


def explain_no_gain(name: str, quick: QuickOutcome) -> str:
    """Return why a costly strategy is not expected to be better, as part of a sentence; "" where it is tried.

    Parameters
    ----------
    name : str
        Key of `STRATEGIES`.
    quick : QuickOutcome
    """
    best = max((score for score in quick.scores.values() if np.isfinite(score)), default=0.0)
    if best >= SETTINGS.ample_score:
        return f"the quick ones reach {best:.3f} by cross-validation, which leaves little to gain; {_HOW_TO_TRY}"
    rule = _RULES.get(name)
    reason = rule(quick) if rule else ""
    return f"{reason}; {_HOW_TO_TRY}" if reason else ""


_HOW_TO_TRY = "--strategy thorough tries it"


def _expect_from_contrastive(quick: QuickOutcome) -> str:
    counts = np.bincount(quick.task.codes)
    n_labels = int(np.median(counts[counts > 0]))
    if n_labels <= SETTINGS.few_labels:
        return ""
    return f"it gains with few labels a class, and the usual class here has {n_labels:,}"


def _expect_from_tuning(quick: QuickOutcome) -> str:
    """Train the base further only where its features, as they are, say no more than the rows themselves."""
    with_base, without = _lowest_loss(quick, {"transfer"}), _lowest_loss(quick, {"baseline"})
    if not with_base or not without:
        return ""
    losses = OBJECTIVES[quick.task.kind].losses
    if not is_better_beyond_noise(
        losses(quick.task, quick.out_of_fold[with_base]), losses(quick.task, quick.out_of_fold[without])
    ):
        return ""
    return f"{with_base} is clearly better than {without}: the base model knows such data as it is"


def _expect_from_scratch(quick: QuickOutcome) -> str:
    n_rows = len(quick.task.codes)
    if n_rows >= SETTINGS.scratch_rows:
        return ""
    return f"{n_rows:,} rows are too few for it to be better than classic"


def _lowest_loss(quick: QuickOutcome, kinds: set[str]) -> str:
    """Return the strategy of these kinds with the lowest loss; "" where there is none."""
    losses = OBJECTIVES[quick.task.kind].losses
    names = [name for name in quick.out_of_fold if STRATEGIES[name].kind in kinds and not STRATEGIES[name].members]
    return min(names, key=lambda name: mean_loss(losses(quick.task, quick.out_of_fold[name])), default="")


_RULES: Mapping[str, Callable[[QuickOutcome], str]] = {
    "contrastive": _expect_from_contrastive,
    "last-stages": _expect_from_tuning,
    "scratch": _expect_from_scratch,
}
