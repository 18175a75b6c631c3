"""What a run leaves to a person becomes examples of the project, and the answers of people go into its files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart import bundle as bundles
from headstart.csv_files import read_csv_rows, write_csv_rows
from headstart.data import OrderedInputs
from headstart.flow.inference.answer_files import rewrite_answers
from headstart.flow.inference.answer_layout import read_answers
from headstart.flow.inference.lining_up import order_inputs
from headstart.flow.inference.reviewed_answers import COLUMNS
from headstart.flow.using.answer_runs import EXAMPLES, REVIEWED, TO_PERSON, AnswerRun, change_run, make_predict_options
from headstart.flow.using.examples import list_answered
from headstart.home import read_json, write_json, write_whole
from headstart.projects import NewExample, Project


def add_for_review(project: Project, run: AnswerRun, model: Path) -> AnswerRun:
    """Take the inputs that are left to a person into the project as examples, and return the run with their source.

    Parameters
    ----------
    project : Project
    run : AnswerRun
    model : Path
        That answered.
    """
    content = read_answers(run.table)
    waiting = {
        name for name, kind in zip(content.column("input"), content.column("kind"), strict=True) if kind in TO_PERSON
    }
    source = run.source or project.add_source(run.name or run.data, f"answers {run.n}", dict(run.columns))
    table = _read_inputs(run, model).table
    rows = {str(name): row for row, name in enumerate(table.ids) if name in waiting}
    asked_before = project.find_ids_of_hashes(str(table.hashes[row]) for row in rows.values())
    known = _find_hashes(project, asked_before)
    place = _PLACES[table.modality]
    fresh = {name: row for name, row in rows.items() if table.hashes[row] not in known}
    new = [
        NewExample(
            name=name.replace(run.data.name, run.name or run.data.name, 1) if run.data.is_file() else name,
            content_hash=str(table.hashes[row]),
            source=source,
            **{place: _keep(project, place, table.inputs[row])},
        )
        for name, row in fresh.items()
    ]
    by_hash = {**known, **_find_hashes(project, project.add_examples(new))}
    examples = {name: by_hash[str(table.hashes[row])] for name, row in rows.items() if table.hashes[row] in by_hash}
    write_json(run.folder / EXAMPLES, {"format": 1, "examples": examples})
    return change_run(project, run.n, source=source)


def _find_hashes(project: Project, ids: Sequence[int]) -> dict[str, int]:
    return {item.content_hash: item.id for item in project.get_examples(ids)}


_PLACES = {"image": "path", "text": "text", "series": "series"}
"""Field of an example that holds an input, by modality."""


def _keep(project: Project, place: str, value: Any) -> Any:
    if place != "path":
        return value
    path = Path(value).resolve()
    root = project.folder.resolve()
    return path.relative_to(root) if path.is_relative_to(root) else path


def _read_inputs(run: AnswerRun, model: Path) -> OrderedInputs:
    return order_inputs(bundles.load_bundle(model, "quickest"), [run.data], make_predict_options(run), {})


def save_reviewed(project: Project, run: AnswerRun, model: Path) -> int:
    """Write the answers of people into the files of a run, with their names; return how many they are.

    Parameters
    ----------
    project : Project
    run : AnswerRun
    model : Path
        That answered.
    """
    if run.source is None:
        return 0
    answered = list_answered(project, read_json(run.folder / EXAMPLES)["examples"])
    rows = [list(COLUMNS), *([name, answer, person] for name, (answer, person) in sorted(answered.items()))]
    path = run.folder / REVIEWED
    with write_whole(path) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        write_csv_rows(handle, rows)
    more = {"sort_into": run.sorted} if run.sorted else {}
    if run.sorted:
        shutil.rmtree(run.sorted, ignore_errors=True)
    rewrite_answers(
        model, [run.data], table=run.table, out=run.out, options=make_predict_options(run, reviewed=path, **more)
    )
    return len(answered)


def count_people(project: Project, run: AnswerRun) -> int:
    """Return how many of the inputs that were left to a person have an answer of one now.

    Parameters
    ----------
    project : Project
    run : AnswerRun
    """
    path = run.folder / EXAMPLES
    return len(list_answered(project, read_json(path)["examples"])) if path.is_file() else 0


def count_reviewed(run: AnswerRun) -> int:
    """Return how many answers of people are in the files of a run.

    Parameters
    ----------
    run : AnswerRun
    """
    path = run.folder / REVIEWED
    if not path.is_file():
        return 0
    with path.open(encoding="utf-8", newline="") as opened:
        return max(0, len(read_csv_rows(opened)) - 1)
