"""Answers to many: one folder a run in the project, with what was dropped, the answers, and people's answers beside.

`answers/N/`: `about.json`, `data/` (what was dropped), `answers.xlsx` or .csv (to download), `table.csv` (for
programs), `sorted/` (photos in folders), `examples.json` (which input is which example), `reviewed.csv` (answers of
people).
"""

from __future__ import annotations

import csv
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headstart.data.reading.stored_names import write_names
from headstart.errors import DataError, UnknownName
from headstart.file_locks import lock_file
from headstart.home import read_json, write_json
from headstart.options import PredictFileOptions, parse
from headstart.projects import Project
from headstart.projects.places import ANSWERS

ABOUT, DATA, TABLE = "about.json", "data", "table.csv"
SORTED, EXAMPLES, REVIEWED = "sorted", "examples.json", "reviewed.csv"
_CAME, _LOCK, _LOCK_SECONDS = ".came.jsonl", ".lock", 10.0
COLUMNS = ("text", "sheet", "id", "series", "time")
"""Options of `predict` that a run may name."""
TO_PERSON = ("not_sure", "none_of_these")
"""Kinds of answers that leave the input to a person."""


@dataclass(frozen=True, kw_only=True)
class AnswerRun:
    """One run.

    Parameters
    ----------
    n : int
        Its number.
    folder : Path
    model : int
        Number of the model.
    data : Path
        What is predicted: a file, or a folder of photos.
    name : str
        What people call it.
    columns : mapping of str to str
        Options that name columns, such as "text".
    source : int or None
        Number of the source of its examples in the project, once some are reviewed.
    is_photos : bool
        Whether photos are sorted into folders as well.
    """

    n: int
    folder: Path
    model: int
    data: Path
    name: str
    columns: Mapping[str, str] = field(default_factory=dict)
    source: int | None = None
    is_photos: bool = False

    @property
    def out(self) -> Path:
        """The file to download."""
        return self.folder / ("answers.csv" if self.data.suffix.lower() in (".csv", ".tsv", ".txt") else "answers.xlsx")

    @property
    def table(self) -> Path:
        """The answers as programs read them."""
        return self.folder / TABLE

    @property
    def sorted(self) -> Path | None:
        """The folder of sorted photos, where there are photos."""
        return self.folder / SORTED if self.is_photos else None


def create_run(project: Project, model: int) -> int:
    """Make the folder of a new run; return its number.

    Parameters
    ----------
    project : Project
    model : int
    """
    root = project.folder / ANSWERS
    root.mkdir(exist_ok=True)
    n = 1 + max((int(path.name) for path in root.iterdir() if path.name.isdecimal()), default=0)
    while True:
        try:
            (root / str(n)).mkdir()
            break
        except FileExistsError:
            n += 1
    (root / str(n) / DATA).mkdir()
    write_json(root / str(n) / ABOUT, {"format": 1, "model": model, "data": None, "name": "", "columns": {}})
    return n


def find_folder(project: Project, n: int) -> Path:
    """Return the folder of a run.

    Parameters
    ----------
    project : Project
    n : int

    Raises
    ------
    UnknownName
        There is none of this number.
    """
    folder = project.folder / ANSWERS / str(int(n))
    if not (folder / ABOUT).is_file():
        raise UnknownName("There are no such answers.", "Drop the file once more.")
    return folder


def open_run(project: Project, n: int) -> AnswerRun:
    """Return a run whose data has come.

    Parameters
    ----------
    project : Project
    n : int

    Raises
    ------
    HeadstartError
        There is none of this number, or nothing was dropped yet.
    """
    folder = find_folder(project, n)
    about = read_json(folder / ABOUT)
    if not about.get("data"):
        raise DataError("Nothing has come yet.", "Drop a file or a folder of photos.")
    return AnswerRun(
        n=int(n),
        folder=folder,
        model=int(about["model"]),
        data=folder / DATA / Path(about["data"]).name,
        name=str(about["name"]),
        columns={name: str(value) for name, value in about["columns"].items() if name in COLUMNS},
        source=about.get("source"),
        is_photos=bool(about.get("is_photos")),
    )


def change_run(project: Project, n: int, **changes: Any) -> AnswerRun:
    """Keep what is known of a run, and return it.

    Parameters
    ----------
    project : Project
    n : int
    **changes
        Fields of about.json: data, name, columns, source, model.
    """
    folder = find_folder(project, n)
    write_json(folder / ABOUT, {**read_json(folder / ABOUT), **changes})
    return open_run(project, n)


def list_runs(project: Project) -> list[AnswerRun]:
    """Return the runs that have data, the newest first.

    Parameters
    ----------
    project : Project
    """
    root = project.folder / ANSWERS
    numbers = sorted((int(path.name) for path in root.glob("*") if path.name.isdecimal()), reverse=True)
    runs = []
    for n in numbers:
        try:
            runs.append(open_run(project, n))
        except (DataError, UnknownName):
            continue
    return runs


def make_command(run: AnswerRun, model: Path) -> list[str]:
    """Return the command line that answers, without `headstart` in front.

    Parameters
    ----------
    run : AnswerRun
    model : Path
        Its output folder of `adapt`.
    """
    words = ["predict", str(model), str(run.data), "-o", str(run.out), "--table", str(run.table)]
    words += [word for name, value in run.columns.items() for word in (f"--{name}", value)]
    return [*words, *(["--sort-into", str(run.sorted)] if run.sorted else []), "--offline"]


def note_file(folder: Path, stored: str, name: str) -> None:
    """Note what a file that came is called.

    Parameters
    ----------
    folder : Path
        Of the data of a run.
    stored : str
        Its name there, which is ours.
    name : str
        To be shown; no path.
    """
    with lock_file(folder / _LOCK, _LOCK_SECONDS), (folder / _CAME).open("a", encoding="utf-8") as handle:
        handle.write(json.dumps([stored, name]) + "\n")


def number_files(folder: Path) -> dict[str, str]:
    """Give the files that came numbers as names, so that every reader knows what they are called; return both.

    Parameters
    ----------
    folder : Path
        Of the data of a run.
    """
    if not (folder / _CAME).is_file():
        return {}
    names = {}
    with lock_file(folder / _LOCK, _LOCK_SECONDS):
        lines = (folder / _CAME).read_text("utf-8").splitlines()
        for number, (came, name) in enumerate(map(json.loads, lines), start=1):
            stored = Path(came).name  # The list may come from elsewhere, in a copy of a project.
            numbered = f"{number:06}{Path(stored).suffix}"
            if (folder / stored).is_file():
                (folder / stored).rename(folder / numbered)
            names[numbered] = str(name)
        write_names(folder, names)
    return names


def make_predict_options(run: AnswerRun, **more: Any) -> PredictFileOptions:
    """Return the options by which a run reads its data.

    Parameters
    ----------
    run : AnswerRun
    **more
        Other fields.
    """
    columns = {name: (value,) if name == "text" else value for name, value in run.columns.items()}
    return parse(PredictFileOptions, offline=True, **columns, **more)


def count_answers(run: AnswerRun) -> dict[str, int]:
    """Return how many inputs got each kind of answer, "label" for those that were answered; empty before the end.

    Parameters
    ----------
    run : AnswerRun
    """
    if not run.table.is_file():
        return {}
    with run.table.open(encoding="utf-8", newline="") as opened:
        return dict(Counter(row["kind"] for row in csv.DictReader(opened)))


def describe_command(words: Sequence[str]) -> str:
    """Return a command line to show, or to copy.

    Parameters
    ----------
    words : sequence of str
        Without `headstart` in front.
    """
    return shlex.join(["headstart", *words])
