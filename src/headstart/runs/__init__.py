"""One run is one folder: claimed, logged, resumable. What a rung made is kept under a key and used again.

This room knows files and keys, not what a strategy is.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.array_files import DamagedArrays, read_arrays, write_arrays
from headstart.errors import OptionError
from headstart.file_locks import hold_output_folder
from headstart.fitted_state import FittedState
from headstart.home import read_json, remove_leftovers, write_json
from headstart.records import Probabilities

MARK = "run.json"
FORMAT = 1
OOF = "out_of_fold"
EARLIER = "earlier"
OUTPUTS = (
    "bundle", "row_names.json", "test_predictions.csv", "report_rows.json", "previews.json", "card.svg",
    "field_card.html", "report.html", "README.md", "result.json",
)  # fmt: skip
"""What a run writes into its folder; the last one says that the others are complete."""


def compute_key(*parts: Any) -> str:
    """Hash (hex) of JSON-able parts: inputs, options, versions."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True)
class Run:
    """The folder of one run.

    Parameters
    ----------
    folder : Path
    key : str
        Names what the rungs depend on; results under another key are not used.
    """

    folder: Path
    key: str

    def log(self, event: str, **values: Any) -> None:
        """Add one line to events.jsonl."""
        line = json.dumps({"time": round(time.time(), 3), "event": event, **values}, default=str)
        with (self.folder / "run" / "events.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(line + "\n")

    def _paths(self, name: str) -> tuple[Path, Path]:
        folder = self.folder / "run" / "rungs"
        return folder / f"{name}.safetensors", folder / f"{name}.json"

    def load(self, name: str) -> tuple[FittedState, Probabilities, float] | None:
        """Return the state, the out-of-fold probabilities and the seconds of a rung finished earlier under this key."""
        arrays_path, meta_path = self._paths(name)
        try:
            meta = read_json(meta_path)
            if meta["key"] != self.key:
                return None
            arrays = read_arrays(arrays_path, need_checksums=True)
            out_of_fold = arrays.pop(OOF)
            return FittedState(dict(meta["meta"]), arrays), out_of_fold, float(meta["seconds"])
        except (OSError, ValueError, KeyError, TypeError, DamagedArrays):
            return None

    def save(self, name: str, state: FittedState, out_of_fold: Probabilities, seconds: float) -> None:
        """Keep a finished rung; the JSON with the key comes last."""
        arrays_path, meta_path = self._paths(name)
        meta_path.unlink(missing_ok=True)
        write_arrays(arrays_path, {**state.arrays, OOF: out_of_fold})
        write_json(meta_path, {"key": self.key, "meta": dict(state.meta), "seconds": seconds})
        shutil.rmtree(self.parts_folder(name), ignore_errors=True)

    def parts_folder(self, name: str) -> Path:
        """Return a folder for the finished parts of a rung, made if need be; parts under another key are removed."""
        folder = self.folder / "run" / "rungs" / f"{name}-{self.key[:16]}"
        for other in folder.parent.glob(f"{name}-????????????????"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


@contextmanager
def claim_folder(folder: Path, **places: Path | None) -> Iterator[None]:
    """Make a run folder, or take one over that Headstart made, and keep other runs out of it while the block runs.

    What an earlier run that was killed left half-written is removed.

    Parameters
    ----------
    folder : Path
    **places : Path or None
        Where what the run reads lies, by a name; kept for `read_places`.

    Raises
    ------
    OptionError
        If the folder cannot be made, holds something else (nothing of the user's is ever overwritten), or another run
        is writing into it.
    """
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file, not a folder.", "Name another output folder with -o.")
    if folder.is_dir() and {path.name for path in folder.iterdir()} - {"run"} and not (folder / MARK).is_file():
        raise OptionError(
            f"{folder} exists and was not made by headstart adapt.", "Name another output folder with -o."
        )
    try:
        (folder / "run" / "rungs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(
            f"{folder} cannot be made ({error.strerror}).", "Name another output folder with -o."
        ) from error
    with hold_output_folder(folder, folder / "run" / "lock"):
        restore_bundle(folder)
        for place in (folder, folder / "run", folder / "run" / "rungs"):
            for pattern in (".*.partial", ".*.partial.old", ".shipping-*"):
                remove_leftovers(place, pattern, idle_seconds=0.0)
        is_finished = _holds_finished_run(folder)
        paths = {name: str(path.resolve()) for name, path in places.items() if path is not None}
        write_json(folder / MARK, {"headstart_run": FORMAT, "places": paths, "finished": is_finished})
        yield


def mark_finished(folder: Path) -> None:
    """Note that a run has written everything: the next one into this folder keeps it under `earlier`.

    Parameters
    ----------
    folder : Path
        A claimed run folder.
    """
    _set_finished(folder, True)


def set_aside_finished(folder: Path) -> Path | None:
    """Move the outputs of a finished run to `earlier/N`; a run that was killed is continued and stays where it is.

    Parameters
    ----------
    folder : Path
        A claimed run folder.

    Returns
    -------
    Path or None
        Where they lie now; None if there was no finished run. After a kill in between the same folder is filled up.
    """
    if not _holds_finished_run(folder):
        return None
    place = _find_place(folder / EARLIER)
    place.mkdir(parents=True, exist_ok=True)
    for name in OUTPUTS:
        if (folder / name).exists():
            (folder / name).rename(place / name)
    _set_finished(folder, False)
    return place


def restore_bundle(folder: Path) -> None:
    """Give a bundle its name back that was about to be replaced when the process was killed.

    Parameters
    ----------
    folder : Path
        A claimed run folder.
    """
    for aside in folder.glob(".bundle.*.partial.old"):
        if not (folder / "bundle").exists():
            aside.rename(folder / "bundle")


def _find_place(earlier: Path) -> Path:
    """Return the folder of a move that was cut off, else that of the next number."""
    numbers = sorted(int(path.name) for path in earlier.glob("[0-9]*") if path.name.isdigit())
    if numbers and not (earlier / str(numbers[-1]) / OUTPUTS[-1]).exists():
        return earlier / str(numbers[-1])
    return earlier / str(numbers[-1] + 1 if numbers else 1)


def _holds_finished_run(folder: Path) -> bool:
    """Return whether the outputs are those of a run that came to its end; versions before 0.4 wrote no such note."""
    try:
        is_finished = bool(read_json(folder / MARK).get("finished", True))
    except (OSError, ValueError, AttributeError):
        is_finished = True
    return is_finished and (folder / OUTPUTS[-1]).is_file()


def _set_finished(folder: Path, is_finished: bool) -> None:
    write_json(folder / MARK, {**read_json(folder / MARK), "finished": is_finished})


def read_places(folder: Path) -> dict[str, Path]:
    """Return where what a run read lay, by the names that `claim_folder` was given; nothing for runs of older versions.

    Parameters
    ----------
    folder : Path
    """
    try:
        places = read_json(folder / MARK)["places"]
        return {str(name): Path(path) for name, path in places.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
