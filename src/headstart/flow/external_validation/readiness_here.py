"""Is a model ready for use at another place: the rules of readiness on its figures there."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath

from headstart.flow.external_validation.settings import SETTINGS
from headstart.flow.scoring.readiness import find_worst_group, judge_model, rank_reason
from headstart.flow.scoring.readiness_rules import JudgedModel
from headstart.options.requirements import Requirement
from headstart.results import BesideTraining, Evaluation, NextStep, Readiness, ReadinessReason


def judge_evaluation(
    result: Evaluation, worse: BesideTraining | None = None, requirements: Sequence[Requirement] = ()
) -> Readiness | None:
    """Return whether the model is ready for use at this place.

    Parameters
    ----------
    result : Evaluation
        With all figures of the new rows.
    worse : BesideTraining or None
        The first figure of the task, where it is worse here than on the test rows of training.

    requirements : sequence of Requirement
        Bounds of the user.

    Returns
    -------
    Readiness or None
        None without labels, and where most rows were test rows of the model: neither says anything new of its quality.
    """
    if result.metrics is None or 2 * result.n_tested > result.n_rows:
        return None
    model = JudgedModel(
        task=result.task,
        classes=list(result.classes),
        metrics=result.metrics,
        abstention=result.abstention,
        conformal=result.conformal,
        groups=result.groups,
        asked_columns=frozenset(part.column for part in result.groups if part.origin == "named"),
    )
    reasons = judge_model(model, requirements)
    if worse is not None:
        reasons.append(ReadinessReason(code="worse_here", level="supervised", figure=worse.here, n_rows=worse.n_rows))
        reasons.sort(key=rank_reason)
    return Readiness(
        level=reasons[0].level,
        reasons=reasons,
        worst_group=find_worst_group(model),
        next=_choose_next_step(result, reasons[0].level == "ready"),
    )


def _choose_next_step(result: Evaluation, is_ready: bool) -> NextStep:
    """Return what to do: use it, or let it learn from labelled rows of this place."""
    if is_ready:
        return NextStep(
            code="use", command=shlex.join(["headstart", "predict", result.bundle, "NEW_DATA", "-o", "answers.csv"])
        )
    out = f"{PurePath(result.data.rstrip('/')).stem or 'here'}-model"
    command = shlex.join(["headstart", "adapt", result.trained_on or "TRAINING_DATA", "--also", result.data, "-o", out])
    return NextStep(code="learn_here", n_rows=SETTINGS.min_labels, command=command)
