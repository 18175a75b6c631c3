"""Two models side by side, and the field card to print."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from headstart.flow.review.run_changes import RunChanges, compare_runs
from headstart.projects import Project
from headstart.report.messages import translate
from headstart.report.people_words import count_of_hundred
from headstart.report.sentences.carefulness import FEWEST_FOR_HUNDRED
from headstart.studio.context import StudioContext
from headstart.studio.example_json import Document
from headstart.studio.screens.check_models import ReviewedModel, require_model
from headstart.studio.screens.check_values import write_verdict
from headstart.studio.screens.check_wall import describe_rows

MOST_CHANGED = 120
"""Changed examples that are shown."""
_CHANCE = 0.05


def make_routes(context: StudioContext) -> APIRouter:
    """Return the routes of these pages.

    Parameters
    ----------
    context : StudioContext
    """
    routes = APIRouter()

    @routes.get("/p/{project}/check/compare")
    def show_comparison(request: Request, project: str, old: int, new: int) -> Response:
        opened = context.open(project)
        models = [require_model(opened, number) for number in (old, new)]
        changes = compare_runs(models[0].run, models[1].run)
        with context.speak(request):
            values = gather_comparison(opened, models, changes)
            return context.render(request, "compare.html", project=opened, step="check", **values)

    return routes


def gather_comparison(project: Project, models: list[ReviewedModel], changes: RunChanges) -> Document:
    """Return what the page shows of two models, in the language spoken.

    Parameters
    ----------
    project : Project
    models : list of ReviewedModel
        The old one and the new one.
    changes : RunChanges
    """
    n = changes.n_rows
    chosen = changes.changed[:MOST_CHANGED]
    items = describe_rows(project, models[1], [item.new for item in chosen])
    return {
        "models": models,
        "verdicts": [write_verdict(item.result) for item in models],
        "counts": [_count(changes.n_old_right, n), _count(changes.n_new_right, n)],
        "changes": changes,
        "is_chance": changes.p_value > _CHANCE,
        "items": [
            {**item, "before": change.old.predicted, "gain": change.gain}
            for item, change in zip(items, chosen, strict=True)
        ],
    }


def _count(n_right: int, n_rows: int) -> str:
    """Return how many are right: of 100, or of how many there are."""
    if n_rows < FEWEST_FOR_HUNDRED:
        return translate("{n} of {of}", n=n_right, of=n_rows)
    return translate("{n} of 100", n=count_of_hundred(n_right / n_rows))
