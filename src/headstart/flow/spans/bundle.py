"""A bundle of spans: one folder with the field, its words, and the base that it needs; sealed, nothing pickled.

`spans.json` (format, tags, certainty), `spans.safetensors` (the field), `base/` (only where states are used).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart import bases
from headstart.array_files import DamagedArrays, read_arrays, write_arrays
from headstart.bases import BaseParts
from headstart.bundle import list_versions
from headstart.errors import BundleError
from headstart.flow.spans.sources import CONFIG, find_span_bundle
from headstart.home import read_json, write_json
from headstart.sealed_folders import is_sealed, seal_folder
from headstart.spans.crf import Crf
from headstart.spans.model import Certainty, SpanModel
from headstart.spans.settings import SETTINGS
from headstart.spans.strategies import FittedSpans
from headstart.spans.tags import OUTSIDE
from headstart.spans.token_states import JOINED, TokenEncoder, list_mixes
from headstart.spans.word_features import FEATURES_VERSION

FIELD, BASE, FORMAT = "spans.safetensors", "base", 1
_REQUIRED = ("bias", "transitions", "start")
_MOST_TAGS = 2_000


@dataclass(frozen=True, kw_only=True)
class SpanBundle:
    """A bundle that was read.

    Parameters
    ----------
    fitted : FittedSpans
    scheme : str
        `bio` or `words`.
    base_name : str
        "" without a base.
    """

    fitted: FittedSpans
    scheme: str
    base_name: str


def write_span_bundle(fitted: FittedSpans, parts: BaseParts | None, scheme: str, folder: Path) -> None:
    """Write a bundle; the folder takes its name when it is whole, an older one there is replaced.

    Parameters
    ----------
    fitted : FittedSpans
    parts : BaseParts or None
        Of the base that the model needs, tuned or not.
    scheme : str
    folder : Path
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    model = fitted.model
    arrays = {name: value for name, value in vars(model.crf).items() if value is not None}
    write_arrays(partial / FIELD, arrays)
    if parts is not None:
        (partial / BASE).mkdir()
        bases.write_folder(parts, partial / BASE)
    document: dict[str, Any] = {
        "format": FORMAT,
        "task": "spans",
        "strategy": model.strategy,
        "scheme": scheme,
        "tags": list(model.tags),
        "mix": model.mix,
        "certainty": asdict(model.certainty),
        "base": None if parts is None else parts.record.name,
        "features_version": FEATURES_VERSION,
        "versions": list_versions(),
    }
    write_json(partial / CONFIG, document)
    seal_folder(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def read_span_bundle(path: Path) -> SpanBundle:
    """Return the bundle at a path.

    Parameters
    ----------
    path : Path
        A bundle, or the output folder of `adapt`.

    Raises
    ------
    BundleError
        If it is none, was changed, or does not fit together.
    """
    folder = find_span_bundle(path)
    if folder is None:
        raise BundleError(f"{path} is no bundle of spans.", "Give the folder OUT/bundle.")
    if not is_sealed(folder):
        raise BundleError(f"Files of {folder} are missing or were changed.", "Copy the bundle again.")
    try:
        document = read_json(folder / CONFIG)
        arrays = read_arrays(folder / FIELD)
    except (OSError, ValueError, DamagedArrays) as error:
        raise BundleError(f"{folder} is damaged ({error}).", "Copy the bundle again.") from error
    _check_document(document, folder)
    crf = _read_field(arrays, len(document["tags"]), folder)
    model = SpanModel(
        strategy=str(document["strategy"]),
        tags=tuple(map(str, document["tags"])),
        crf=crf,
        mix=str(document["mix"]),
        certainty=Certainty(
            slope=float(document["certainty"]["slope"]), intercept=float(document["certainty"]["intercept"])
        ),
    )
    encoder = _open_encoder(folder, model) if model.uses_base else None
    return SpanBundle(
        fitted=FittedSpans(model=model, encoder=encoder),
        scheme=str(document["scheme"]),
        base_name=str(document["base"] or ""),
    )


def _check_document(document: Any, folder: Path) -> None:
    is_known = isinstance(document, dict) and document.get("format") == FORMAT
    if not (is_known and document.get("features_version") == FEATURES_VERSION and _is_whole(document)):
        raise BundleError(f"{folder / CONFIG} cannot be understood.", "Copy the bundle again, or update headstart.")


def _is_whole(document: Mapping[str, Any]) -> bool:
    """Return whether everything that is read has the type that it must have."""
    tags, certainty = document.get("tags"), document.get("certainty")
    if not isinstance(tags, list) or not isinstance(certainty, dict):
        return False
    is_listed = 1 < len(tags) <= _MOST_TAGS and all(isinstance(tag, str) for tag in tags) and tags[0] == OUTSIDE
    numbers, names = (certainty.get("slope"), certainty.get("intercept")), ("strategy", "scheme", "mix")
    return (
        is_listed
        and all(isinstance(number, int | float) for number in numbers)
        and all(isinstance(document.get(name), str) for name in names)
    )


def _read_field(arrays: dict[str, Any], n_tags: int, folder: Path) -> Crf:
    """Return the field after comparing the shapes of its arrays."""
    shapes = {
        "bias": (n_tags,),
        "start": (n_tags,),
        "transitions": (n_tags, n_tags),
        "hashed_weights": (SETTINGS.n_buckets, n_tags),
        "state_weights": (None, n_tags),
    }
    for name, value in arrays.items():
        expected = shapes.get(name)
        fits = expected is not None and len(expected) == value.ndim and value.dtype == np.float32
        if not fits or any(size not in (None, real) for size, real in zip(expected or (), value.shape, strict=False)):
            raise BundleError(f"{folder / FIELD} does not fit its tags.", "Copy the bundle again.")
        if not np.isfinite(value).all():
            raise BundleError(f"{folder / FIELD} holds values that are no numbers.", "Copy the bundle again.")
    if not set(_REQUIRED) <= set(arrays):
        raise BundleError(f"{folder / FIELD} is not whole.", "Copy the bundle again.")
    return Crf(**arrays)


def _open_encoder(folder: Path, model: SpanModel) -> TokenEncoder:
    blank = bases.BaseRecord(
        name="", modality="text", source="file", licence="", n_dims=0, size_bytes=0, training_data="", known_biases="",
        sha256="", url="", pretrained=True, summary="",
    )  # fmt: skip
    backbone = bases.assemble_backbone(bases.read_folder(folder / BASE, blank))
    encoder = TokenEncoder(backbone)
    mixes = list_mixes(int(encoder.net.config.num_hidden_layers))
    weights = model.crf.state_weights
    names = model.mix.split(JOINED)
    if not set(names) <= set(mixes) or weights is None or len(weights) != len(names) * encoder.n_dims:
        raise BundleError(f"The base of {folder} does not fit its model.", "Copy the bundle again.")
    return TokenEncoder(backbone, {name: mixes[name] for name in names})
