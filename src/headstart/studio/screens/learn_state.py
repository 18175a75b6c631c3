"""How far learning is, as the page Learn shows it: read from the project and from the files of the run."""

from __future__ import annotations

import shlex

from headstart.flow.review.enough_labels import find_missing_labels
from headstart.flow.review.learning_steps import TriedStrategy, read_tried_strategies
from headstart.flow.review.tested_rows import choose_telling_rows, read_tested_rows
from headstart.projects import OPEN_STATES, Job, Project, ProjectModel
from headstart.report.kinds import NOUNS, TASK_WORDINGS
from headstart.report.messages import translate
from headstart.report.people_words import count_of_hundred
from headstart.report.sentences.carefulness import FEWEST_FOR_HUNDRED
from headstart.results import Result
from headstart.studio.example_json import Document
from headstart.studio.screens.check_models import ReviewedModel, find_model, open_model
from headstart.studio.screens.check_wall import describe_rows
from headstart.task_types import TASK_TYPES

N_SHOWN = 3
"""Examples that are right, and that are wrong, beside the figure."""


def find_learning_job(project: Project) -> Job | None:
    """Return the job that learns or waits to learn, if there is one.

    Parameters
    ----------
    project : Project
    """
    return next((job for job in project.list_jobs(OPEN_STATES) if job.kind == "adapt"), None)


def describe_state(project: Project) -> Document:
    """Return what is missing, how far the job is, and the figures of the newest model, as JSON.

    Parameters
    ----------
    project : Project
    """
    job, models = find_learning_job(project), project.list_models()
    newest = models[-1] if models else None
    is_learning = job is not None
    model = newest if is_learning and newest is not None and newest.state == "running" else None
    checked = open_model(model) if model is not None else None if is_learning else find_model(project)
    run = model.folder if model is not None else checked.run if checked is not None else None
    missing = [{"kind": item.kind, "n": item.n, "needed": item.n_needed} for item in find_missing_labels(project)]
    return {
        "missing": missing,
        "job": None if job is None else {"id": job.id, "state": job.state, "command": _write_command(job)},
        "last": None if is_learning else _describe_end(project, newest),
        "model": None if checked is None else checked.model.n,
        "previous": next((item.n for item in reversed(models[:-1]) if item.state == "done"), None),
        "command": checked.model.command if checked else "",
        "curve": [] if run is None else _describe_curve(read_tried_strategies(run)),
        **_describe_figure(project, checked),
    }


def _write_command(job: Job) -> str:
    return shlex.join(["headstart", *job.argv])


def _describe_end(project: Project, newest: ProjectModel | None) -> Document | None:
    """Return how the last job of learning ended, if not well."""
    ended = [job for job in project.list_jobs() if job.kind == "adapt"]
    if not ended or ended[-1].state == "done":
        return None
    facts = ended[-1].facts
    error = facts.get("error") or (newest.facts.get("error") if newest else None) or ""
    if isinstance(error, dict):
        return {"state": ended[-1].state, "problem": error.get("problem", ""), "hint": error.get("hint", "")}
    return {"state": ended[-1].state, "problem": str(error), "hint": ""}


def _describe_curve(tried: list[TriedStrategy]) -> list[Document]:
    """Return the best so far after each way of learning."""
    points, best = [], 0.0
    for item in tried:
        best = max(best, item.n_right / item.n_rows)
        words = (
            translate("{n} of {of}", n=item.n_right, of=item.n_rows)
            if item.n_rows < FEWEST_FOR_HUNDRED
            else translate("{n} of 100", n=count_of_hundred(item.n_right / item.n_rows))
        )
        points.append({"name": item.name, "best": best, "words": words, "n_rows": item.n_rows})
    return points


def _describe_figure(project: Project, checked: ReviewedModel | None) -> Document:
    """Return the big figure with its meaning, and a few examples on both sides of it."""
    metrics = checked.result.strategy(checked.result.chosen).test if checked is not None else None
    if checked is None or metrics is None:
        return {"figure": None, "right": [], "wrong": []}
    result = checked.result
    headline = TASK_WORDINGS[result.task].headlines(metrics, _name_number(result))[0]
    noun, n = translate(NOUNS[result.modality]), result.n_rows.test
    figure = {
        "value": headline.value,
        "meaning": translate(headline.meaning, noun=noun, name=headline.name),
        "ends": headline.ends,
        "n": n,
    }
    rows = read_tested_rows(checked.run, result.task)
    right, wrong = choose_telling_rows(rows, N_SHOWN)
    if TASK_TYPES[result.task].is_number:
        right, wrong = [], rows[:N_SHOWN]
    elif n < FEWEST_FOR_HUNDRED:
        n_right = sum(row.predicted == row.true for row in rows)
        figure |= {"value": translate("{n} of {of}", n=n_right, of=n), "ends": ""}
    return {
        "figure": figure,
        "right": describe_rows(project, checked, right),
        "wrong": describe_rows(project, checked, wrong),
    }


def _name_number(result: Result) -> str:
    return result.classes[0] if TASK_TYPES[result.task].is_number and result.classes else ""
