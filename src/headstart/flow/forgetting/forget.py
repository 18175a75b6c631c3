"""`forget`: what Headstart keeps of a person's rows is listed, and removed if that is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from headstart.bundle import MANIFEST
from headstart.bundle.row_names import FILE as NAMES
from headstart.errors import OptionError
from headstart.flow.forgetting.caches import forget_features, forget_unpacked
from headstart.flow.forgetting.corrections import JOURNAL, forget_corrections
from headstart.flow.forgetting.indexes import forget_in_index
from headstart.flow.forgetting.model_rows import forget_in_bundle
from headstart.flow.forgetting.person_rows import PersonRows, read_person_rows
from headstart.flow.forgetting.project_rows import forget_in_project, list_dropped, read_example_names
from headstart.flow.forgetting.run_files import RESULT, forget_in_run
from headstart.home import find_home, read_json
from headstart.index import ABOUT, is_index
from headstart.options import ForgetOptions
from headstart.projects import is_project
from headstart.projects.store import DATABASE
from headstart.runs import MARK

What = Literal["features", "unpacked", "run", "bundle", "corrections", "project", "index"]


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Folders of runs, of models, of corrections, of projects, and of indexes that are of no project."""

    runs: list[Path]
    bundles: list[Path]
    corrections: list[Path]
    projects: list[Path]
    indexes: list[Path]


def forget(paths: Sequence[Path], options: ForgetOptions, apply: bool) -> dict[str, Any]:
    """List what is kept of some rows, or remove it.

    Parameters
    ----------
    paths : sequence of Path
        Folders that hold runs, models, corrections, projects and indexes, at any depth. The cache is looked through in
        any case.
    options : ForgetOptions
        Which rows.
    apply : bool
        False: nothing is changed.

    Returns
    -------
    dict
        JSON: `items` (place, what, n), `models` (path, n_learnt, n_tested) that were made with the rows, and
        `not_searched`: what people dropped into projects, as they dropped it.

    Raises
    ------
    HeadstartError
        No row was named, or a file cannot be read.
    """
    if not options.id and not options.row:
        raise OptionError("No row was named.", "Name rows with --id NAME, or give them with --row FILE.")
    places = _find_places(paths)
    person = read_person_rows(options.id, options.row, places.bundles)
    of_run = {folder: person.add_names(_read_names(folder)) for folder in places.runs}
    of_project = [person.add_names(read_example_names(folder)) for folder in places.projects]
    keys = frozenset[str]().union(person.keys, *(known.keys for known in (*of_run.values(), *of_project)))
    everywhere = PersonRows(person.ids, keys)
    items: list[dict[str, Any]] = []

    def note(place: Path, what: What, n: int) -> None:
        if n:
            items.append({"place": str(place), "what": what, "n": n})

    models = []
    for folder in places.bundles:  # First: the report of a run reads nothing of them, a failure leaves the rest.
        known = of_run.get(folder.parent, everywhere)
        rows = forget_in_bundle(folder, PersonRows(known.ids, keys), apply)
        note(folder, "bundle", rows.n_learnt + rows.n_tested)
        if rows.n_learnt or rows.n_tested:
            models.append({"path": str(folder), "n_learnt": rows.n_learnt, "n_tested": rows.n_tested})
    for folder, known in of_run.items():
        note(folder, "run", forget_in_run(folder, known, apply))
    for folder in places.corrections:
        note(folder, "corrections", forget_corrections(folder, everywhere, apply))
    for folder in places.projects:
        note(folder, "project", forget_in_project(folder, everywhere, apply))
    for folder in places.indexes:
        note(folder, "index", forget_in_index(folder, everywhere, apply))
    note(find_home() / "features", "features", forget_features(everywhere, apply))
    note(find_home() / "unpacked", "unpacked", forget_unpacked(everywhere, apply))
    dropped = [str(path) for folder in places.projects for path in list_dropped(folder)]
    return {"format": 1, "applied": apply, "items": items, "models": models, "not_searched": dropped}


def _find_places(paths: Sequence[Path]) -> _Places:
    def find(name: str) -> list[Path]:
        return sorted({file.parent for path in paths for file in path.rglob(name) if file.is_file()})

    runs, bundles = find(MARK), [folder for folder in find(MANIFEST) if (folder / "config.json").is_file()]
    beside = {folder.parent for folder in bundles if any((folder.parent / name).is_file() for name in (NAMES, RESULT))}
    indexes = [folder for folder in find(ABOUT) if is_index(folder) and not is_project(folder.parent)]
    return _Places(
        runs=sorted({*runs, *beside}), bundles=bundles, corrections=find(JOURNAL), projects=find(DATABASE),
        indexes=indexes,
    )  # fmt: skip


def _read_names(folder: Path) -> list[tuple[str, str]]:
    """Return the keys of the rows of a run, each with one of its names."""
    try:
        document = read_json(folder / NAMES)
    except (OSError, ValueError):
        return []
    parts = [document.get(name) for name in ("names", "copies")] if isinstance(document, dict) else []
    return [
        (str(key), str(name))
        for part in parts
        if isinstance(part, dict)
        for key, item in part.items()
        for name in (item if isinstance(item, list) else [item])
    ]
