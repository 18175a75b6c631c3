"""The verdict on a terminal: the first line after a run, then the next step with its command."""

from __future__ import annotations

from rich.markup import escape

from headstart.cli.surface import news
from headstart.report.sentences.readiness import describe_next_step, describe_verdict
from headstart.results import Readiness

_COLOURS = {"ready": "green", "supervised": "yellow", "not_ready": "red"}


def show_readiness(readiness: Readiness | None, modality: str) -> None:
    """Show whether a model is ready for use, and what to do next; nothing for results of older versions.

    Parameters
    ----------
    readiness : Readiness or None
    modality : str
    """
    if readiness is None:
        return
    colour = _COLOURS[readiness.level]
    news.print(f"[bold {colour}]{escape(describe_verdict(readiness, modality))}[/]", soft_wrap=True)
    news.print(escape(describe_next_step(readiness.next, modality)), soft_wrap=True)
    if readiness.next.command:
        news.print(f"  {escape(readiness.next.command)}", soft_wrap=True)
