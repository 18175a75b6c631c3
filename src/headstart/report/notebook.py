"""What notebooks show of a model: verdict, what it mixes up, and its most confident mistakes."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup, escape

from headstart.report.messages import use_language
from headstart.report.previews import Previews
from headstart.report.ready import gather_readiness
from headstart.report.render import draw_preview, open_templates
from headstart.report.view import confusion_cells
from headstart.results import Result


def render_verdict(result: Result, language: str = "en") -> tuple[str, str]:
    """Return the verdict and the next step as text, and as HTML.

    Parameters
    ----------
    result : Result
    language : str
        A code.
    """
    with use_language(language):
        view = gather_readiness(result)
    if view is None:
        return result.verdict.sentence, str(Markup("<p>{}</p>").format(result.verdict.sentence))
    command = Markup("<pre>{}</pre>").format(view.command) if view.command else ""
    html = Markup("<p><strong>{}.</strong> {}</p><p>{}</p>{}")
    return f"{view.verdict} {view.next_step}", str(
        html.format(view.level_name, view.facts, view.next_step, Markup(command))
    )


def render_confusion(result: Result, language: str = "en") -> str:
    """Return the table of what was taken for what, as HTML; empty where rows have no single class.

    Parameters
    ----------
    result : Result
    language : str
        A code.
    """
    cells = confusion_cells(result)
    if cells is None:
        return ""
    with use_language(language):
        parts: Any = open_templates().get_template("notebook.html").module
        return str(parts.confusion(result.classes, cells))


def render_mistakes(result: Result, previews: Previews, n: int, language: str = "en") -> str:
    """Return the most confident mistakes on test rows, with pictures or texts where they are kept, as HTML.

    Parameters
    ----------
    result : Result
    previews : Previews
        Thumbnails, texts and values, by row.
    n : int
        Most rows.
    language : str
        A code.
    """
    with use_language(language):
        rows = []
        for row in result.worst[:n]:
            preview = previews.get(row.id)
            rows.append(
                (row, escape(row.id) if preview is None or isinstance(preview, str) else draw_preview(preview, row.id))
            )
        parts: Any = open_templates().get_template("notebook.html").module
        return str(parts.mistakes(rows))
