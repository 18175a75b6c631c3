"""The page that `headstart explain` writes: one file, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True, kw_only=True)
class ExplainedInput:
    """One input.

    Parameters
    ----------
    name : str
    answer : str
    drawn : str
        HTML, safe as it is.
    text : str
        The same as the drawing, in words.
    nearest : str
        Training rows that it is like; empty where none are remembered.
    """

    name: str
    answer: str
    drawn: str
    text: str
    nearest: str


def render_explained(items: Sequence[ExplainedInput]) -> str:
    """Return the page.

    Parameters
    ----------
    items : sequence of ExplainedInput
        In the order in which they are shown.
    """
    pages = Environment(
        loader=PackageLoader("headstart.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return pages.get_template("explained.html").render(
        items=[{**vars(item), "drawn": Markup(item.drawn)} for item in items]
    )
