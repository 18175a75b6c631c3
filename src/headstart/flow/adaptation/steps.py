"""The steps of a run as people see them: one bar over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headstart.options import AdaptOptions
from headstart.progress import PlannedStep, open_plan
from headstart.report import choose_language, use_language
from headstart.report.sentences.terminal import describe_steps

_USUAL_SECONDS = {
    "read": 3.0, "base": 5.0, "features": 5.0, "strategies": 3.0, "first_answer": 2.0, "search": 0.0, "evaluation": 5.0,
    "write": 10.0,
}  # fmt: skip
"""Only for the time that is shown as left, until a step is known better."""


@contextmanager
def show_steps(options: AdaptOptions) -> Iterator[None]:
    """Show one bar over the steps of a run, with what they usually take; each says more once it is known.

    Parameters
    ----------
    options : AdaptOptions
    """
    language = choose_language(options.language)
    with use_language(language):
        steps = [
            PlannedStep(name=name, words=words, seconds=_USUAL_SECONDS[name])
            for name, words in describe_steps().items()
        ]
    with open_plan(steps, options.time, language):
        yield
