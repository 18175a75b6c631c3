"""Save and load an adapted model: safetensors and JSON, every file hashed, nothing that is ever unpickled.

This room knows what a model is made of. It reads no data and evaluates nothing.
"""

from __future__ import annotations

import errno
import platform
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from headstart import progress
from headstart.array_files import read_arrays, write_arrays
from headstart.bases import Backbone, assemble, read_folder, write_folder
from headstart.bases.record import BaseRecord
from headstart.bundle import decision
from headstart.bundle.checked_parts import CheckedModel, check_fed_files, features_read, require_parts, stated_files
from headstart.bundle.config_records import ConfigRecord, SeriesSpec, known_inputs, parse_config
from headstart.bundle.file_names import require_listed_names, shown
from headstart.bundle.graph_limits import GraphContract, require_graph
from headstart.bundle.integrity import (
    BASE,
    CONFIG,
    MANIFEST,
    STATE,
    WEIGHTS,
    read_json,
    sha256,
    verify,
)  # fmt: skip
from headstart.bundle.portable import Answers, Portable
from headstart.bundle.reference import FILE as REFERENCE
from headstart.bundle.reference import Reference
from headstart.bundle.schema import misfit, parse_record, reading
from headstart.bundle.seen import FILE as SEEN
from headstart.bundle.seen import Seen
from headstart.bundle.strategy_records import StateContext, check_rocket, check_state
from headstart.decisions import Rules
from headstart.errors import BundleError, offenders
from headstart.extras import missing, require
from headstart.home import require_place, write_json
from headstart.records import InputColumns, State
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Fitted

__all__ = [
    "CONFIG", "FORMAT", "MANIFEST", "NOT_SHIPPED", "PACKAGES", "RUNTIMES", "Bundle", "Shipped", "find", "load",
    "require_free", "save", "verify", "versions",
]  # fmt: skip

FORMAT = 2
_TRIES = 100
RUNTIMES = ("auto", "torch", "onnx")
PACKAGES = (
    "headstart",
    "numpy",
    "pillow",
    "tokenizers",
    "torch",
    "timm",
    "transformers",
    "scikit-learn",
    "openvino",
    "aeon",
)


@dataclass(frozen=True)
class Shipped:
    """The portable form of a model, as files.

    Parameters
    ----------
    folder : Path
        Where they lie.
    told : mapping
        What `config.json` says under `portable`: `ok`, and the `reason` where it is false.
    files : tuple of str
        Names within the folder.
    """

    folder: Path
    told: Mapping[str, Any]
    files: tuple[str, ...] = ()


NOT_SHIPPED = {"ok": False, "reason": "the model was saved without its portable form"}


@dataclass(frozen=True)
class Bundle:
    """An adapted model, ready to predict.

    Parameters
    ----------
    modality : str
    classes : tuple of str
        In the order of the probabilities.
    strategy : str
        Name in `headstart.strategies.STRATEGIES`.
    fitted : Fitted
    backbone : Backbone or None
        None where the strategy reads no frozen features.
    uses : frozenset of str
        "features", "descriptors", "inputs".
    columns : mapping of str to str
        Column names of the training table.
    seed : int
    about : mapping
        Further facts for people: the data's name, test figures.
    task : str
        One of `headstart.records.TASKS`; `classes` are then grades from the lowest, labels, or the one number.
    thresholds : tuple of float
        For "multi-label": from which probability on each label is given.
    seen : Seen or None
        What is remembered of the training rows; None in bundles of older versions.
    spec : mapping
        How inputs are read where there is no backbone (see `headstart.modalities.record.Spec`).
    rules : Rules or None
        How probabilities become answers; None in bundles of older versions: the most probable class is the answer.
    reference : Reference or None
        A sample of training rows, to hold rows of another place against; None where none is kept.
    shipped : Shipped or None
        The portable form; None where it was not made, or in bundles of older versions.
    portable : Portable or None
        Set where the model runs in its portable form now; `fitted` and `backbone` are then empty.
    input_columns : InputColumns or None
        For series: the value columns of training; None in bundles of older versions.
    """

    modality: str
    classes: tuple[str, ...]
    strategy: str
    fitted: Fitted
    backbone: Backbone | None
    uses: frozenset[str]
    columns: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)
    task: str = "classification"
    thresholds: tuple[float, ...] = ()
    seen: Seen | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    rules: Rules | None = None
    reference: Reference | None = None
    shipped: Shipped | None = None
    portable: Portable | None = None
    input_columns: InputColumns | None = None

    @property
    def known_inputs(self) -> InputColumns | None:
        """The value columns of training; of bundles of older versions only how many channels there were."""
        if self.input_columns is not None or self.modality != "series":
            return self.input_columns
        spec = self.backbone.spec if self.backbone else self.spec
        return InputColumns(n_channels=int(spec.get("n_channels", 0)))


def versions() -> dict[str, str]:
    """List the versions of Python and of the packages that matter, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def save(bundle: Bundle, folder: Path, slim: bool = False) -> None:
    """Write a bundle; the folder takes its name only when it is complete, an older bundle there is replaced.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
    slim : bool
        Write its portable form only, without the weights that torch reads.

    Raises
    ------
    BundleError
        If `folder` exists and is no bundle.
    """
    require_free(folder)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        fresh.mkdir(parents=True)
        _write(bundle, fresh, slim)
        _settle(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def require_free(folder: Path) -> None:
    """Refuse a folder that a bundle cannot be written to, before any work is done for it.

    Raises
    ------
    BundleError
        If it exists and is no bundle.
    OptionError
        If it cannot be made.
    """
    require_place(folder)
    if all(_holds_something_else(folder) for _ in range(3)):
        raise BundleError(f"{folder} exists and is no bundle.", "Choose another folder.")


def _holds_something_else(folder: Path) -> bool:
    """Whether there are files and no manifest; looked at again where another process may just be replacing it."""
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True
    return bool(names) and MANIFEST not in names


def _settle(fresh: Path, folder: Path) -> None:
    """Give a finished bundle its name; an older one is moved out of the way first, so that none is ever half there."""
    aside = fresh.with_name(f"{fresh.name}.old")
    for _ in range(_TRIES):
        try:
            fresh.rename(folder)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        with suppress(FileNotFoundError):  # another process moved it
            folder.rename(aside)
            shutil.rmtree(aside)
    raise BundleError(f"Other processes keep writing {folder}.", "Choose another folder, or wait for them.")


def _write(bundle: Bundle, fresh: Path, slim: bool) -> None:
    if slim:
        assert bundle.shipped is not None, "there is no portable form"
    elif bundle.portable is not None:
        _copy_model(bundle.portable.folder, fresh)
    else:
        _write_model(bundle, fresh)
    if bundle.shipped is not None:
        for name in bundle.shipped.files:
            shutil.copyfile(bundle.shipped.folder / name, fresh / name)
    if bundle.seen is not None:
        bundle.seen.write(fresh)
    if bundle.rules is not None:
        decision.write(bundle.rules, fresh)
    if bundle.reference is not None:
        bundle.reference.write(fresh)
    write_json(fresh / CONFIG, _config(bundle))
    files = {
        str(path.relative_to(fresh).as_posix()): sha256(path) for path in sorted(fresh.rglob("*")) if path.is_file()
    }
    write_json(fresh / MANIFEST, {"format": FORMAT, "sha256": files, "versions": versions(), "seed": bundle.seed})


def _write_model(bundle: Bundle, fresh: Path) -> None:
    state = bundle.fitted.state()
    write_arrays(fresh / WEIGHTS, state.arrays or {"empty": np.zeros(1, dtype=np.float32)})
    write_json(fresh / STATE, dict(state.meta))
    if bundle.backbone is not None:
        write_folder(bundle.backbone.parts, fresh / BASE)


def _copy_model(folder: Path, fresh: Path) -> None:
    """Copy a model that runs in its portable form, with the weights that were not loaded."""
    for name in (WEIGHTS, STATE):
        if (folder / name).is_file():
            shutil.copyfile(folder / name, fresh / name)
    if (folder / BASE).is_dir():
        shutil.copytree(folder / BASE, fresh / BASE)


def _config(bundle: Bundle) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "task": bundle.task,
        "thresholds": list(bundle.thresholds),
        "modality": bundle.modality,
        "classes": list(bundle.classes),
        "id2label": {str(code): label for code, label in enumerate(bundle.classes)},
        "strategy": bundle.strategy,
        "uses": sorted(bundle.uses),
        "preprocessing": dict(bundle.backbone.parts.spec if bundle.backbone else bundle.spec),
        "columns": dict(bundle.columns),
        "input_columns": bundle.input_columns.as_dict() if bundle.input_columns else None,
        "about": dict(bundle.about),
        "portable": dict(bundle.shipped.told if bundle.shipped else NOT_SHIPPED),
    }


def find(path: Path) -> Path:
    """Give the bundle's folder for a bundle or for the OUT folder of `adapt`."""
    inside = path / "bundle"
    return inside if (inside / MANIFEST).is_file() and not (path / MANIFEST).is_file() else path


def load(path: Path, runtime: str = "auto") -> Bundle:
    """Load a bundle after checking every hash.

    Parameters
    ----------
    path : Path
        The bundle's folder, or the OUT folder of `adapt`.
    runtime : str
        "torch": as it was adapted. "onnx": its portable form, without torch. "auto": as it was adapted where the extra
        `adapt` is installed, else the portable form.

    Raises
    ------
    BundleError
        If it is damaged or changed, or its content is not what this version wants.
    MissingExtra
        If the packages that its model runs on are not installed.
    """
    folder = find(path)
    with reading(folder):
        return _read(folder, runtime)


def _read(folder: Path, runtime: str) -> Bundle:
    assert runtime in RUNTIMES, runtime
    manifest = verify(folder)
    config, listed = read_json(folder / CONFIG), manifest["sha256"]
    record = parse_config(config, folder)
    name, classes, task = record.strategy, tuple(record.classes), record.task
    told: Mapping[str, Any] = config.get("portable") or NOT_SHIPPED
    require_listed_names(folder, CONFIG, stated_files(told))
    if runtime == "onnx" or (runtime == "auto" and told["ok"] and (missing("adapt") or WEIGHTS not in listed)):
        return _portable(folder, config, record, manifest)
    if runtime == "auto" and not told["ok"] and missing("adapt") and WEIGHTS in listed:
        progress.warn(f"This bundle has no portable form: {told['reason']}.")
    if WEIGHTS not in listed and not told["ok"]:
        raise BundleError(f"{folder} cannot be run here: {told['reason']}.", "Give the bundle that it was made from.")
    if WEIGHTS not in listed:
        raise BundleError(f"{folder} holds the portable form only.", "Leave --runtime out, or give the whole bundle.")
    require("adapt", "Predicting with this bundle")
    if name not in STRATEGIES:
        raise BundleError(
            f"{folder} uses the strategy '{name}', which this version does not have.", "Update headstart."
        )
    if STATE not in listed:
        raise BundleError(f"{folder} is no bundle: {STATE} is missing.", "Give the folder OUT/bundle.")
    state = State(read_json(folder / STATE), read_arrays(folder / WEIGHTS))
    backbone = _read_base(folder, record.modality, listed)
    n_dims = backbone.record.n_dims if backbone is not None else 0
    check_state(name, state, StateContext(record.modality, task, len(classes), n_dims))
    require_parts(record, state, backbone is not None)
    return Bundle(
        record.modality, classes, name, CheckedModel(folder, STRATEGIES[name].load(state, classes), len(classes)),
        backbone, frozenset(record.uses), config["columns"], manifest["seed"], config["about"],
        task, tuple(record.thresholds), Seen.read(folder) if SEEN in listed else None, config["preprocessing"],
        _decisions(folder, record, listed), Reference.read(folder) if REFERENCE in listed else None,
        _shipped(folder, told, listed), input_columns=known_inputs(record),
    )  # fmt: skip


def _read_base(folder: Path, modality: str, listed: Mapping[str, str]) -> Backbone | None:
    """Read the base of a bundle from files that its manifest lists; None where there is none."""
    if f"{BASE}/{CONFIG}" not in listed:
        return None
    beside = [f"{BASE}/{path.name}" for path in (folder / BASE).iterdir()]
    unlisted = sorted(name for name in beside if name not in listed)
    if unlisted:
        raise BundleError(
            f"{folder} holds files that its manifest does not list ({offenders([shown(name) for name in unlisted])}).",
            "Take them out, or copy the bundle again.",
        )
    blank = BaseRecord("", modality, "file", "unknown", 0, 0, "", "", "", "", True, "")
    parts = read_folder(folder / BASE, blank)
    if parts.record.modality != modality:
        raise misfit(f"{BASE}/{CONFIG}", ("record", "modality"), f"should be {modality}", parts.record.modality)
    if parts.architecture["library"] == "minirocket":
        check_rocket(parts.weights, parse_record(SeriesSpec, parts.spec, f"{BASE}/{CONFIG}"), f"{BASE}/{WEIGHTS}")
    return assemble(parts)


def _decisions(folder: Path, record: ConfigRecord, listed: Mapping[str, str]) -> Rules | None:
    return decision.read(folder, record.classes, record.task) if decision.FILE in listed else None


def _shipped(folder: Path, told: Mapping[str, Any], listed: Mapping[str, str]) -> Shipped:
    return Shipped(folder, told, (*told.get("files", ()), *(["README.md"] if "README.md" in listed else [])))


def _portable(
    folder: Path, config: Mapping[str, Any], record: ConfigRecord, manifest: Mapping[str, Any]
) -> Bundle:  # fmt: skip
    """Read a bundle in its portable form."""
    told: Mapping[str, Any] = config.get("portable") or NOT_SHIPPED
    if not told["ok"]:
        raise BundleError(
            f"{folder} has no portable form: {told['reason']}.",
            "Leave --runtime out and install: pip install 'headstart[adapt]'",
        )
    listed = manifest["sha256"]
    shipped = _shipped(folder, told, listed)
    unlisted = [name for name in (*stated_files(told), *shipped.files) if name not in listed]
    if unlisted:
        raise BundleError(
            f"{folder} lacks files of its portable form ({offenders(unlisted)}).", "Copy the bundle again."
        )
    check_fed_files(folder, told)
    rules = _decisions(folder, record, listed)
    n_features = features_read(rules, told["reads"])
    require_graph(folder / told["file"], GraphContract.of(told, len(record.classes), n_features))
    made = Portable(folder, told, record.modality, len(record.classes), listed[told["file"]], n_features)
    return Bundle(
        record.modality, tuple(record.classes), record.strategy, Answers(made), None,
        frozenset(record.uses), config["columns"], manifest["seed"], config["about"], record.task,
        tuple(record.thresholds), Seen.read(folder) if SEEN in listed else None, config["preprocessing"],
        rules, Reference.read(folder) if REFERENCE in listed else None, shipped, made, known_inputs(record),
    )  # fmt: skip
