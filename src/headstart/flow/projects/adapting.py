"""`adapt` on a project: examples for the check are put away, and the run becomes a model of the project."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.errors import OptionError
from headstart.file_locks import lock_file
from headstart.flow.adaptation.run import adapt_to_folder
from headstart.flow.projects.splitting import assign_splits
from headstart.flow.run_records import WrittenRun
from headstart.options import AdaptOptions
from headstart.projects import Project, ProjectModel, is_project
from headstart.results import Result


def adapt_project(project: Project, out: Path | None, options: AdaptOptions) -> WrittenRun:
    """Adapt a base model to the labelled examples of a project, and register the run as its current model.

    Parameters
    ----------
    project : Project
    out : Path or None
        Output folder; None: models/N of the project, or that of the last run if it was interrupted and no example or
        label has changed since.
    options : AdaptOptions
        Where they name no group columns and no base, those of the project are used.

    Returns
    -------
    WrittenRun

    Raises
    ------
    HeadstartError
        What the user can fix.
    """
    options = _complete_options(project, options)
    assign_splits(project, options)
    facts: dict[str, Any] = {"position": list(project.position), "options": options.model_dump(mode="json")}
    model = _find_interrupted(project, facts, out)
    number = project.add_model(out, _describe_command(project, out, options)) if model is None else model.n
    folder = project.get_model(number).folder
    project.update_model(number, "running", {**facts, "pid": os.getpid()})
    with _note_failure(project, number, folder):
        written = adapt_to_folder(project.folder, folder, options)
    project.update_model(number, "done", _summarise(written.result))
    project.set_current_model(number)
    return written


def _complete_options(project: Project, options: AdaptOptions) -> AdaptOptions:
    """Take what the user does not name from the project."""
    changes: dict[str, Any] = {}
    columns = tuple(project.get_setting("group_columns", ()))
    if columns and "group" not in options.model_fields_set:
        changes["group"] = columns
    compared = tuple(project.get_setting("compare_columns", ()))
    if compared and "compare" not in options.model_fields_set:
        changes["compare"] = compared
    base = project.get_setting("base")
    if isinstance(base, str) and "base" not in options.model_fields_set:
        changes["base"] = base
    return options.model_copy(update=changes)


def _describe_command(project: Project, out: Path | None, options: AdaptOptions) -> str:
    """Return the command line that does the same."""
    words = ["headstart", "adapt", str(project.folder), *([] if out is None else ["-o", str(out)])]
    for name, value in options.model_dump(mode="json", exclude_defaults=True).items():
        written = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words += [written] if value else []
        else:
            words += [written, ",".join(map(str, value)) if isinstance(value, list) else str(value)]
    return shlex.join(words)


def _find_interrupted(project: Project, facts: dict[str, Any], out: Path | None) -> ProjectModel | None:
    """Return the model of a run that did not end, has the same data and options, and that nobody is working on."""
    for model in reversed(project.list_models()):
        if out is not None and model.folder.resolve() == out.resolve():
            return model
        same = {name: model.facts.get(name) for name in facts} == facts
        if out is None and same and model.state in ("running", "stopped") and not _is_locked(model.folder):
            return model
    return None


def _is_locked(folder: Path) -> bool:
    lock = folder / "run" / "lock"
    if not lock.exists():
        return False
    with lock_file(lock) as acquired:
        return not acquired


@contextmanager
def _note_failure(project: Project, number: int, folder: Path) -> Iterator[None]:
    """Note in the project that a run did not end; a first answer that it left can be used."""
    try:
        yield
    except BaseException as error:
        state = "stopped" if isinstance(error, KeyboardInterrupt) else "failed"
        facts = {"error": str(error)} if state == "failed" else {"has_answer": (folder / "bundle").is_dir()}
        project.update_model(number, state, facts)
        if (folder / "bundle").is_dir() and project.get_current_model() is None:
            project.set_current_model(number)
        raise


def _summarise(result: Result) -> dict[str, Any]:
    """Return the JSON document of what pages show of a model without opening its folder."""
    return {
        "readiness": None if result.readiness is None else result.readiness.level,
        "n_train": result.n_rows.train,
        "n_test": result.n_rows.test,
        "classes": list(result.classes),
        "chosen": result.chosen,
        "created": result.created,
        "error": None,
    }


def adapt_source(path: Path, out: Path | None, options: AdaptOptions) -> WrittenRun:
    """Adapt a base model to the data at `path`, or to the examples of the project there.

    Parameters
    ----------
    path : Path
        What `data.read_table` takes, or a project's folder.
    out : Path or None
        As for `adapt_project`; a folder is needed for other data.
    options : AdaptOptions

    Raises
    ------
    HeadstartError
        What the user can fix.
    """
    if is_project(path):
        with Project.open(path) as project:
            return adapt_project(project, out, options)
    if out is None:
        raise OptionError("No folder is named for report, result and model.", "Name one: -o OUT.")
    return adapt_to_folder(path, out, options)


def adapt(path: Path, out: Path | None, options: AdaptOptions) -> Result:
    """Return the content of result.json of `adapt_source`.

    Parameters
    ----------
    path, out, options
        As for `adapt_source`.
    """
    return adapt_source(path, out, options).result
