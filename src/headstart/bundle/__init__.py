"""Save and load an adapted model: safetensors and JSON, every file hashed, nothing that is ever unpickled.

This room knows what a model is made of. It reads no data and evaluates nothing.
"""

from __future__ import annotations

import errno
import hashlib
import json
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
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from headstart.bases import Backbone, assemble, read_folder, write_folder
from headstart.bases.record import BaseRecord
from headstart.bundle import decision
from headstart.bundle.reference import Reference
from headstart.bundle.seen import Seen
from headstart.decisions import Rules
from headstart.errors import BundleError, offenders
from headstart.extras import require
from headstart.home import write_json, written_whole
from headstart.records import TASKS, State
from headstart.strategies import STRATEGIES
from headstart.strategies.record import Fitted

FORMAT = 1
_TRIES = 100
CONFIG, MANIFEST, STATE, WEIGHTS, BASE = "config.json", "manifest.json", "strategy.json", "model.safetensors", "base"
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


def versions() -> dict[str, str]:
    """List the versions of Python and of the packages that matter, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def save(bundle: Bundle, folder: Path) -> None:
    """Write a bundle; the folder takes its name only when it is complete, an older bundle there is replaced.

    Raises
    ------
    BundleError
        If `folder` exists and is no bundle.
    """
    if all(_holds_something_else(folder) for _ in range(3)):
        raise BundleError(f"{folder} exists and is no bundle.", "Choose another folder.")
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        fresh.mkdir(parents=True)
        _write(bundle, fresh)
        _settle(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


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


def _write(bundle: Bundle, fresh: Path) -> None:
    state = bundle.fitted.state()
    with written_whole(fresh / WEIGHTS) as partial:
        arrays = {name: np.ascontiguousarray(value) for name, value in state.arrays.items()}
        save_file(arrays or {"empty": np.zeros(1, dtype=np.float32)}, partial)
    write_json(fresh / STATE, dict(state.meta))
    if bundle.backbone is not None:
        write_folder(bundle.backbone.parts, fresh / BASE)
    if bundle.seen is not None:
        bundle.seen.write(fresh)
    if bundle.rules is not None:
        decision.write(bundle.rules, fresh)
    if bundle.reference is not None:
        bundle.reference.write(fresh)
    write_json(fresh / CONFIG, _config(bundle))
    files = {
        str(path.relative_to(fresh).as_posix()): _sha256(path) for path in sorted(fresh.rglob("*")) if path.is_file()
    }
    write_json(fresh / MANIFEST, {"format": FORMAT, "sha256": files, "versions": versions(), "seed": bundle.seed})


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
        "about": dict(bundle.about),
    }


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleError(
            f"{path.parent} is no bundle: {path.name} is missing.", "Give the folder OUT/bundle."
        ) from error
    except ValueError as error:
        raise BundleError(f"{path} is damaged ({error}).", "Copy the bundle again.") from error


def verify(folder: Path) -> Mapping[str, Any]:
    """Check that every file of a bundle is the one that was written; gives the manifest.

    Raises
    ------
    BundleError
        If it is no bundle, of a newer format, incomplete or changed.
    """
    manifest = _read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleError(f"{folder} has a bundle format that this version does not know.", "Update headstart.")
    wrong = []
    for name, expected in manifest["sha256"].items():
        path = (folder / name).resolve()
        if folder.resolve() not in path.parents or not path.is_file() or _sha256(path) != expected:
            wrong.append(name)
    if wrong:
        raise BundleError(
            f"{len(wrong)} files of {folder} are missing or were changed ({offenders(wrong)}).",
            "Copy the bundle again.",
        )
    return manifest


def find(path: Path) -> Path:
    """Give the bundle's folder for a bundle or for the OUT folder of `adapt`."""
    inside = path / "bundle"
    return inside if (inside / MANIFEST).is_file() and not (path / MANIFEST).is_file() else path


def load(path: Path) -> Bundle:
    """Load a bundle after checking every hash.

    Parameters
    ----------
    path : Path
        The bundle's folder, or the OUT folder of `adapt`.

    Raises
    ------
    BundleError
        If it is damaged or changed, or its content is not what this version wants.
    MissingExtra
        If the packages that its model runs on are not installed.
    """
    folder = find(path)
    try:
        return _read(folder)
    except (KeyError, TypeError, ValueError, AttributeError, SafetensorError) as error:
        raise BundleError(
            f"The bundle {folder} cannot be understood ({type(error).__name__}: {error}).",
            "Make it again with headstart adapt, or use the version of headstart that made it.",
        ) from error


def _read(folder: Path) -> Bundle:
    manifest = verify(folder)
    require("adapt", "Predicting with this bundle")
    config = _read_json(folder / CONFIG)
    name, classes = config["strategy"], tuple(config["classes"])
    if name not in STRATEGIES:
        raise BundleError(
            f"{folder} uses the strategy '{name}', which this version does not have.", "Update headstart."
        )
    task = config.get("task", "classification")
    if task not in TASKS:
        raise BundleError(f"{folder} is for the task '{task}', which this version does not have.", "Update headstart.")
    state = State(_read_json(folder / STATE), load_file(folder / WEIGHTS))
    backbone = None
    if (folder / BASE / CONFIG).is_file():
        blank = BaseRecord("", config["modality"], "file", "unknown", 0, 0, "", "", "", "", True, "")
        backbone = assemble(read_folder(folder / BASE, blank))
    return Bundle(
        config["modality"], classes, name, STRATEGIES[name].load(state, classes), backbone,
        frozenset(config["uses"]), config["columns"], manifest["seed"], config["about"],
        task, tuple(config.get("thresholds", ())), Seen.read(folder), config["preprocessing"],
        decision.read(folder), Reference.read(folder),
    )  # fmt: skip
