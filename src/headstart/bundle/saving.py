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
from headstart.bases import write_folder
from headstart.bundle import decision
from headstart.bundle.file_names import require_listed_names
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.golden import Golden
from headstart.bundle.golden_decisions import Answering, with_decisions
from headstart.bundle.integrity import BASE, CONFIG, MANIFEST, STATE, WEIGHTS, read_json, sha256
from headstart.bundle.record import NOT_SHIPPED, Bundle
from headstart.errors import BundleError
from headstart.home import move_into_place, require_place, write_json

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
    "aeon",
)


def versions() -> dict[str, str]:
    """List the versions of Python and of the packages that matter, as far as they are installed."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def save(bundle: Bundle, folder: Path, slim: bool = False, check: Callable[[Path], None] | None = None) -> None:
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
        If `folder` exists and is no bundle.
    """
    require_free(folder)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        fresh.mkdir(parents=True)
        _write(bundle, fresh, slim)
        if check is not None:
            check(fresh)
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
            move_into_place(fresh, folder)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        with suppress(FileNotFoundError):  # another process moved it
            move_into_place(folder, aside)
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
        require_listed_names(bundle.shipped.folder, CONFIG, bundle.shipped.files)
        for name in bundle.shipped.files:
            shutil.copyfile(bundle.shipped.folder / name, fresh / name)
        if GOLDEN in bundle.shipped.files:
            answering = Answering(bundle.task, bundle.classes, bundle.thresholds, bundle.rules)
            with_decisions(Golden.read(bundle.shipped.folder), answering).write(fresh)
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
    """Copy the weights of a model that runs in its portable form; what its manifest does not list stays behind."""
    listed = read_json(folder / MANIFEST)["sha256"]
    names = [name for name in listed if name in (WEIGHTS, STATE) or name.startswith(f"{BASE}/")]
    require_listed_names(folder, MANIFEST, names)
    for name in names:
        (fresh / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / name, fresh / name)


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
