"""What the templates show of readiness: level, verdict, next step, and each reason with what the next level takes."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.report.sentences.readiness import (
    describe_facts,
    describe_next_step,
    describe_reason,
    describe_requirement,
    describe_verdict,
    name_level,
)
from headstart.results import ReadinessLevel, Result


@dataclass(frozen=True, kw_only=True)
class ReadinessView:
    """The verdict in words.

    Parameters
    ----------
    level : "ready", "supervised" or "not_ready"
        For the colour.
    level_name, facts, verdict, next_step : str
        `verdict` is the level and the facts.
    command : str
        Of the next step; empty if there is none.
    reasons : list of (level, str)
        What each rule allows, and why; the worst first.
    """

    level: ReadinessLevel
    level_name: str
    facts: str
    verdict: str
    next_step: str
    command: str
    reasons: list[tuple[ReadinessLevel, str]]


def gather_readiness(result: Result) -> ReadinessView | None:
    """Return the verdict of a result in the language spoken; None where an older result has none.

    Parameters
    ----------
    result : Result
    """
    readiness = result.readiness
    if readiness is None:
        return None
    reasons = [
        (item.level, " ".join(filter(None, (describe_reason(item, result.modality), describe_requirement(item)))))
        for item in readiness.reasons
    ]
    return ReadinessView(
        level=readiness.level,
        level_name=name_level(readiness.level),
        facts=describe_facts(readiness, result.modality),
        verdict=describe_verdict(readiness, result.modality),
        next_step=describe_next_step(readiness.next, result.modality),
        command=readiness.next.command,
        reasons=reasons,
    )
