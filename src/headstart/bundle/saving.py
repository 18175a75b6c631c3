"""Write an adapted model: every file hashed; the folder takes its name only when it is complete."""

from __future__ import annotations

import errno
import platform
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from headstart.array_files import write_arrays
from headstart.bases import write_config, write_folder
from headstart.bundle import decision
from headstart.bundle.file_names import require_listed_names
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.golden import GoldenRows
from headstart.bundle.golden_decisions import DecisionContext, add_decisions
from headstart.bundle.head_only import FILE as HEAD
from headstart.bundle.integrity import BASE, CONFIG, MANIFEST, STATE, WEIGHTS, read_json
from headstart.bundle.record import Bundle
from headstart.bundle.shared_weights import BASE_ARRAYS, BASE_TOKENIZER, MODEL_ARRAYS, REST, write_shared
from headstart.bundle.shared_weights import FILE as SHARED
from headstart.decisions import DEFAULT_POLICY
from headstart.errors import BundleError
from headstart.home import move_into_place, require_place, write_json
from headstart.sealed_folders import hash_file

FORMAT = 3
_TRIES = 100
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
)


def list_versions() -> dict[str, str]:
    """List the versions of Python and of the packages that matter, as far as they are installed."""
    versions_by_name = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions_by_name[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions_by_name


def save_bundle(bundle: Bundle, folder: Path, slim: bool = False, check: Callable[[Path], None] | None = None) -> None:
    """Write a bundle; the folder takes its name only when it is complete, an older bundle there is replaced.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
    slim : bool
        Write its portable form only, without the weights that torch reads.
    check : (folder) -> None, or None
        Called with the finished files before they take the name of the folder; what it raises keeps them from it.

    Raises
    ------
    BundleError
        If `folder` exists and is not a bundle.
    """
    require_free_folder(folder)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        fresh.mkdir(parents=True)
        _write_files(bundle, fresh, slim)
        if check is not None:
            check(fresh)
        _move_into_place(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def require_free_folder(folder: Path) -> None:
    """Refuse a folder that a bundle cannot be written to, before any work is done for it.

    Parameters
    ----------
    folder : Path
        It may be absent, be empty, or hold a bundle.

    Raises
    ------
    BundleError
        If it exists and is not a bundle.
    OptionError
        If it cannot be made.
    """
    require_place(folder)
    if all(_holds_something_else(folder) for _ in range(3)):
        raise BundleError(f"{folder} exists and is not a bundle.", "Choose another folder.")


def _holds_something_else(folder: Path) -> bool:
    """Return whether there are files and no manifest; try again if another process may just be replacing it."""
    try:
        names = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return True
    return bool(names) and MANIFEST not in names


def _move_into_place(fresh: Path, folder: Path) -> None:
    """Move a finished bundle into place; an older one keeps its name until then, and is removed afterwards."""
    aside = fresh.with_name(f"{fresh.name}.old")
    try:
        for _ in range(_TRIES):
            try:
                move_into_place(fresh, folder)
                return
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            shutil.rmtree(aside, ignore_errors=True)
            with suppress(FileNotFoundError):  # another process moved it
                move_into_place(folder, aside)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    raise BundleError(f"Other processes keep writing {folder}.", "Choose another folder, or wait for them.")


def _write_files(bundle: Bundle, fresh: Path, slim: bool) -> None:
    if slim:
        assert bundle.portable_files is not None, "there is no portable form"
    elif bundle.portable_model is not None:
        _copy_model(bundle.portable_model.folder, fresh)
    elif bundle.keeps_torch or not bundle.portable_config["ok"]:
        _write_model(bundle, fresh)
    if bundle.portable_files is not None:
        require_listed_names(bundle.portable_files.folder, CONFIG, bundle.portable_files.files)
        for name in bundle.portable_files.files:
            shutil.copyfile(bundle.portable_files.folder / name, fresh / name)
        if GOLDEN in bundle.portable_files.files:
            answering = DecisionContext(bundle.task, bundle.classes, bundle.thresholds, bundle.decision_policy)
            add_decisions(GoldenRows.read(bundle.portable_files.folder), answering).write(fresh)
    if not (slim or bundle.keeps_torch or bundle.portable_model is not None) and bundle.portable_config["ok"]:
        _write_model_once(bundle, fresh)
    if bundle.seen_rows is not None:
        bundle.seen_rows.write(fresh)
    if bundle.decision_policy is not DEFAULT_POLICY:  # Read from a bundle that stores none.
        decision.write_decision_policy(bundle.decision_policy, fresh)
    if bundle.reference_sample is not None:
        bundle.reference_sample.write(fresh)
    write_json(fresh / CONFIG, _build_config(bundle))
    files = {
        str(path.relative_to(fresh).as_posix()): hash_file(path) for path in sorted(fresh.rglob("*")) if path.is_file()
    }
    write_json(fresh / MANIFEST, {"format": FORMAT, "sha256": files, "versions": list_versions(), "seed": bundle.seed})


def _write_model(bundle: Bundle, fresh: Path) -> None:
    state = bundle.fitted.state()
    write_arrays(fresh / WEIGHTS, state.arrays or {"empty": np.zeros(1, dtype=np.float32)})
    write_json(fresh / STATE, dict(state.meta))
    is_head = bundle.portable_files is not None and HEAD in bundle.portable_files.files
    if bundle.backbone is not None and not is_head:  # The base of a head is on the machine already.
        write_folder(bundle.backbone.parts, fresh / BASE)


def _write_model_once(bundle: Bundle, fresh: Path) -> None:
    """Write the model as it was adapted without what the portable form, which lies there already, holds."""
    assert bundle.portable_files is not None
    state, base = bundle.fitted.state(), bundle.backbone.parts if bundle.backbone else None
    arrays = {f"{MODEL_ARRAYS}{name}": value for name, value in state.arrays.items()}
    if base is not None:
        arrays |= {f"{BASE_ARRAYS}{name}": value for name, value in base.weights.items()}
        if base.tokenizer:
            arrays[BASE_TOKENIZER] = np.frombuffer(base.tokenizer.encode(), dtype=np.uint8)
        (fresh / BASE).mkdir()
        write_config(base, fresh / BASE)
    config = bundle.portable_files.config
    write_shared(arrays, fresh, [config["file"], *(name for name in config["files"] if name.startswith("tokenizer"))])
    write_json(fresh / STATE, dict(state.meta))


def _copy_model(folder: Path, fresh: Path) -> None:
    """Copy the weights of a model that runs in its portable form; what its manifest does not list stays behind."""
    listed = read_json(folder / MANIFEST)["sha256"]
    names = [name for name in listed if name in (WEIGHTS, STATE, SHARED, REST) or name.startswith(f"{BASE}/")]
    require_listed_names(folder, MANIFEST, names)
    for name in names:
        (fresh / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / name, fresh / name)


def _build_config(bundle: Bundle) -> dict[str, Any]:
    """Return the JSON of config.json."""
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
        "about": bundle.training_facts.as_dict(),
        "settings": {name: dict(numbers) for name, numbers in bundle.settings.items()},
        "portable": dict(bundle.portable_config),
    }
