"""The scored rows of a run as arrays: what decisions are taken from again when a model is to be more or less careful.

They lie in `run/scored_rows.safetensors` and hold class indices and probabilities, no row of the data and no name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headstart.array_files import DamagedArrays, read_arrays, write_arrays
from headstart.csv_files import read_csv_rows
from headstart.flow.scoring.carefulness import DecidableRows
from headstart.records import Index
from headstart.results import GroupColumn, Result

FILE = Path("run") / "scored_rows.safetensors"
PREDICTIONS = "test_predictions.csv"
_REFUSED = ("none of these", "none_of_these")


@dataclass(frozen=True, kw_only=True)
class RunRows:
    """Test rows of a run, and the training rows as they were predicted while they were held out.

    Parameters
    ----------
    test : DecidableRows
    calibration : DecidableRows or None
        None in runs of older versions, and where no row was held out.
    groups : mapping of str to Index, shape (n_test,)
        By compared column: the place of each row's value in `result.groups`, -1 for another value.
    are_clusters_known : bool
    """

    test: DecidableRows
    calibration: DecidableRows | None
    groups: Mapping[str, Index] = field(default_factory=dict)
    are_clusters_known: bool = True


def write_run_rows(rows: RunRows, columns: Sequence[GroupColumn], folder: Path) -> None:
    """Write the arrays of a run.

    Parameters
    ----------
    rows : RunRows
    columns : sequence of GroupColumn
        Of the result: `rows.groups` are written in their order.
    folder : Path
        The run folder.
    """
    parts = {"test": rows.test, **({"calibration": rows.calibration} if rows.calibration else {})}
    arrays: dict[str, np.ndarray] = {}
    for name, part in parts.items():
        arrays |= {
            f"{name}.codes": part.codes.astype(np.int32),
            f"{name}.probabilities": part.probabilities.astype(np.float32),
            f"{name}.is_refused": part.is_refused.astype(np.uint8),
        }
        if part.clusters is not None:
            arrays[f"{name}.clusters"] = part.clusters.astype(np.int32)
    for place, column in enumerate(columns):
        if column.column in rows.groups:
            arrays[f"group.{place}"] = rows.groups[column.column].astype(np.int32)
    (folder / FILE).parent.mkdir(exist_ok=True)
    write_arrays(folder / FILE, arrays)


def read_run_rows(folder: Path, result: Result) -> RunRows | None:
    """Read them back; of runs of older versions from test_predictions.csv, where every class has its column there.

    Parameters
    ----------
    folder : Path
        The run folder.
    result : Result
        Of that run.

    Returns
    -------
    RunRows or None
        None where the rows cannot be decided again.
    """
    try:
        arrays = read_arrays(folder / FILE)
        test = _take_part(arrays, "test")
    except (OSError, KeyError, DamagedArrays):
        return _read_predictions(folder / PREDICTIONS, result)
    if len(test.codes) != result.n_rows.test:
        return _read_predictions(folder / PREDICTIONS, result)
    groups = {
        column.column: arrays[f"group.{place}"].astype(np.intp)
        for place, column in enumerate(result.groups)
        if f"group.{place}" in arrays
    }
    calibration = _take_part(arrays, "calibration") if "calibration.codes" in arrays else None
    return RunRows(test=test, calibration=calibration, groups=groups)


def _take_part(arrays: Mapping[str, np.ndarray], name: str) -> DecidableRows:
    clusters = arrays.get(f"{name}.clusters")
    return DecidableRows(
        codes=arrays[f"{name}.codes"].astype(np.intp),
        probabilities=arrays[f"{name}.probabilities"].astype(np.float64),
        is_refused=arrays[f"{name}.is_refused"].astype(bool),
        clusters=None if clusters is None else clusters.astype(np.intp),
    )


def _read_predictions(path: Path, result: Result) -> RunRows | None:
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            header, *records = read_csv_rows(handle)
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    places = {name: at for at, name in enumerate(header)}
    columns = [places.get(f"p({name})", -1) for name in result.classes]
    if not records or not columns or min(columns) < 0 or "kind" not in places:
        return None
    codes = {name: at for at, name in enumerate(result.classes)}
    try:
        test = DecidableRows(
            codes=np.array([codes[record[places["label"]]] for record in records], dtype=np.intp),
            probabilities=np.array([[float(record[at]) for at in columns] for record in records]),
            is_refused=np.array([record[places["kind"]] in _REFUSED for record in records], dtype=bool),
        )
    except (KeyError, ValueError, IndexError):
        return None
    return RunRows(test=test, calibration=None, are_clusters_known=False)
