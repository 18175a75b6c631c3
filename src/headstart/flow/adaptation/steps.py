"""The steps of a run as people see them: one bar over all of them."""

from __future__ import annotations

from headstart.progress import PlannedStep
from headstart.report import choose_language, use_language
from headstart.report.sentences.terminal import describe_steps

_USUAL_SECONDS = {
    "read": 3.0, "base": 5.0, "features": 5.0, "strategies": 3.0, "first_answer": 2.0, "search": 0.0, "evaluation": 5.0,
    "write": 10.0,
}  # fmt: skip
"""Only for the time that is shown as left, until a step is known better."""


def plan_steps(language: str) -> tuple[PlannedStep, ...]:
    """Return the steps of a run with what they usually take; each says more once it is known.

    Parameters
    ----------
    language : str
        A code, or "auto".
    """
    with use_language(choose_language(language)):
        words_by_step = describe_steps()
    return tuple(
        PlannedStep(name=name, words=words, seconds=_USUAL_SECONDS[name]) for name, words in words_by_step.items()
    )
