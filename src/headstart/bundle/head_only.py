"""A head without its base: a bundle of some kB that reads the features of a base model that is already there.

`head.json` names the base and the hash of everything that its features depend on (see `BaseParts.fingerprint`). Nothing
is fetched here, and no other base is taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from headstart.bases import Backbone, BaseRequest, assemble_backbone, load_base
from headstart.bundle.file_names import make_printable
from headstart.bundle.integrity import BASE, CONFIG, read_json
from headstart.bundle.record import Bundle
from headstart.bundle.records.schema import Count, Label, Sha256, StrictRecord, parse_record
from headstart.bundle.stored_base import open_stored_base
from headstart.errors import BundleError, DataError, MissingExtra, UnknownName
from headstart.extras import find_missing
from headstart.fitted_state import FittedState
from headstart.home import write_json
from headstart.strategies import STRATEGIES
from headstart.strategies.fitted import list_members

FILE = "head.json"
REASON = "it holds the head alone and reads a base model that is on the machine already"
_BY_PIP = ("embedded", "shipped")
"""Sources of base models that come with a Python package."""


class DetachedHeadRecord(StrictRecord):
    """`head.json`: which base model a head reads."""

    format: Literal[1]
    base: Annotated[Label, Field(min_length=1)]
    source: Label
    fingerprint: Sha256
    size_bytes: Count


def explain_no_head(bundle: Bundle) -> str:
    """Return why a model has no head-only form, as part of a sentence; "" where it has one.

    Parameters
    ----------
    bundle : Bundle
        In torch's form.
    """
    if bundle.portable_model is not None:
        return "it has only its portable form, in which base and head are one graph"
    state = bundle.fitted.state()
    names = (bundle.strategy, *list_members(state))
    moved = [name for name in names if _holds_tuned_base(name, state)]
    if moved:
        return f"{' and '.join(moved)} trained part of the base model, which has to travel with it"
    if "features" not in bundle.uses or bundle.backbone is None:
        return f"{bundle.strategy} reads no base model: the whole bundle is small already"
    if not bundle.backbone.record.pretrained:
        return f"its base ({bundle.backbone.record.name}) was fitted on the training rows and lies nowhere else"
    return ""


def _holds_tuned_base(name: str, state: FittedState) -> bool:
    """Return whether a strategy stores weights of a base model that it trained."""
    strategy = STRATEGIES[name]
    return strategy.kind == "transfer" and strategy.predicts_from == frozenset({"inputs"})


def write_head_record(folder: Path, backbone: Backbone) -> None:
    """Write `head.json`.

    Parameters
    ----------
    folder : Path
    backbone : Backbone
        The base model that the head reads.
    """
    record = backbone.record
    document = {
        "format": 1,
        "base": record.name,
        "source": record.source,
        "fingerprint": backbone.fingerprint,
        "size_bytes": record.size_bytes,
    }
    write_json(folder / FILE, document)


def open_named_base(backbone: Backbone, folder: Path) -> Backbone:
    """Return the base model of a bundle as other machines have it, under its own name.

    Parameters
    ----------
    backbone : Backbone
        That of the bundle; it may be a smaller form of the base (a vocabulary that was pruned).
    folder : Path
        The bundle, which serves as a place to find a base that has no public name.

    Raises
    ------
    BundleError
        The base is not on this machine.
    """
    record, spec = backbone.record, backbone.parts.spec
    if record.source == "file":
        return backbone
    try:
        base = load_base(record.name, BaseRequest(modality=record.modality, offline=True, spec=spec))
    except (MissingExtra, DataError, UnknownName) as error:
        raise BundleError(
            f"The base model {record.name} of {folder} is not on this machine; a head is compared on it.", error.hint
        ) from error
    return base if base.parts.spec == spec else assemble_backbone(replace(base.parts, spec=dict(spec)))


def open_base_of_head(folder: Path, modality: str, spec: Mapping[str, Any], place: str | None) -> Backbone:
    """Return the base model that a head reads, from this machine; no connection is opened.

    Parameters
    ----------
    folder : Path
        The head.
    modality : str
    spec : mapping
        The input that the head was fitted with (`preprocessing` of config.json).
    place : str or None
        Where the base lies: a name, a folder, or a bundle that holds it. None: under its own name.

    Raises
    ------
    BundleError
        The base is not on this machine, or another one has its name.
    """
    record = _read_record(folder)
    name, absent = make_printable(record.base), _describe_absence(folder, record)
    request = BaseRequest(modality=modality, offline=True, spec=spec)
    try:
        stored = _open_base_in_bundle(place) if place else None
        backbone = stored or load_base(_refer_to(place) if place else record.base, request)
    except MissingExtra as error:
        raise BundleError(f"{absent}.", error.hint) from error
    except (DataError, UnknownName) as error:
        more = f" ({error.problem.rstrip('.')})" if place else ""
        raise BundleError(f"{absent}{more}.", _explain_fetching(record, name)) from error
    if backbone.fingerprint != record.fingerprint:  # The data may have set how inputs are read.
        backbone = assemble_backbone(replace(backbone.parts, spec=dict(spec)))
    if backbone.fingerprint != record.fingerprint:
        raise BundleError(
            f"{folder} reads the base model {name} with the hash {record.fingerprint[:12]}; the one here has "
            f"{backbone.fingerprint[:12]}.",
            "Its answers would be wrong. Take the base that it was made with, or adapt again.",
        )
    return backbone


def require_packages_of_head(folder: Path) -> None:
    """Refuse a head where the packages that run base models are absent.

    Parameters
    ----------
    folder : Path
        The head.

    Raises
    ------
    BundleError
        They are; it names the base model.
    """
    if find_missing("adapt"):
        raise BundleError(f"{_describe_absence(folder, _read_record(folder))}.", "Run: pip install 'headstart[adapt]'")


def _read_record(folder: Path) -> DetachedHeadRecord:
    return parse_record(DetachedHeadRecord, read_json(folder / FILE), FILE)


def _describe_absence(folder: Path, record: DetachedHeadRecord) -> str:
    size = f" ({record.size_bytes / 1e6:,.0f} MB)" if record.size_bytes else ""
    return f"{folder} holds a head only, and its base model {make_printable(record.base)}{size} is not on this machine"


def _open_base_in_bundle(place: str) -> Backbone | None:
    """Return the base model of a bundle that keeps its weights once; None where there is none at a place."""
    path = Path(place).expanduser()
    return open_stored_base(path) or open_stored_base(path / "bundle")


def _refer_to(place: str) -> str:
    """Return a reference that `load_base` knows for a name, a folder, or a bundle that holds a base."""
    path = Path(place).expanduser()
    if not path.is_dir():
        return place
    inner = (path / BASE, path / "bundle" / BASE)
    return f"file:{next((folder for folder in inner if (folder / CONFIG).is_file()), path)}"


def _explain_fetching(record: DetachedHeadRecord, name: str) -> str:
    if record.source in _BY_PIP:
        return "Run: pip install 'headstart[adapt]'"
    if record.source == "file":
        return "Name its folder, or a bundle that holds it, with --base."
    return f"Run: headstart bases fetch {name}"
