"""Pre-trained base models as records and parts; every source ends in the same `Backbone`.

This room finds, checks and builds base models. It knows nothing of rows, labels or strategies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from headstart.bases import series_shape
from headstart.bases.architectures import HINT, check_sizes, parse_architecture
from headstart.bases.catalogue import CATALOGUE, DEFAULTS, OTHER_LANGUAGES
from headstart.bases.catalogue_loading import load_from_hub
from headstart.bases.folder import TOKENIZER, read_config, read_folder, write_config, write_folder
from headstart.bases.prefix import add_prefix
from headstart.bases.record import Array, Backbone, BaseParts, BaseRecord, Stage
from headstart.bases.rocket_weights import check_rocket_weights
from headstart.bases.series_bodies import SERIES_LAYOUTS
from headstart.bases.specs import find_modality, parse_spec
from headstart.bases.text_sizes import check_token_ids, fit_text_sizes
from headstart.errors import DataError, MissingExtra, OptionError, UnknownName, make_unknown_name
from headstart.home import clear_place, make_writable_folder, write_text
from headstart.modalities import MODALITIES
from headstart.modalities.image_values import VALUE_RANGES
from headstart.modalities.text import open_tokenizer
from headstart.modalities.tokenizer_files import MOST_BYTES as MOST_TOKENIZER_BYTES
from headstart.modalities.tokenizer_files import find_highest_id
from headstart.sealed_folders import hash_file

__all__ = [
    "CATALOGUE",
    "DEFAULTS",
    "OTHER_LANGUAGES",
    "Backbone",
    "BaseParts",
    "BaseRecord",
    "BaseRequest",
    "Stage",
    "assemble_backbone",
    "find_repository",
    "load_base",
    "read_config",
    "read_folder",
    "resolve_base",
    "write_config",
    "write_folder",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BaseRequest:
    """Request for a base model.

    Parameters
    ----------
    modality : str
    offline : bool
    seed : int
    sample : sequence of prepared arrays
        Training series (channels, time), for transforms that are fitted; empty otherwise.
    spec : mapping
        The series spec (length, channels), for such transforms; for images the ranges of values of more than 8 bits.
    """

    modality: str
    offline: bool = False
    seed: int = 0
    sample: Sequence[Any] = ()
    spec: Mapping[str, Any] | None = None


def _make_blank_record(name: str, need: BaseRequest, source: str) -> BaseRecord:
    return BaseRecord(
        name=name,
        modality=need.modality,
        source=source,
        licence="unknown",
        n_dims=0,
        size_bytes=0,
        training_data="unknown",
        known_biases="unknown",
        sha256="",
        url="",
        pretrained=True,
        summary=f"given as {name}",
    )


def _load_embedded(record: BaseRecord, need: BaseRequest) -> BaseParts:
    """Read a base from its package; where that is not installed, from the hub."""
    try:
        return import_module("headstart.bases.embedded").load_embedded(record)  # type: ignore[no-any-return]
    except MissingExtra as missing:
        if not record.repository:
            raise
        try:
            parts = _load_from_hub(record.repository, record, need.offline)
        except DataError as error:
            if not need.offline:
                raise  # The line, not the package, is what failed.
            elsewhere = f"Where it has no wheel (Windows, Intel Macs): headstart bases fetch {record.name}"
            raise MissingExtra(missing.problem, f"{missing.hint} {elsewhere}") from error
    return replace(parts, tokenizer=add_prefix(parts.tokenizer, record.prefix))


def _load_shipped(record: BaseRecord) -> BaseParts:
    return import_module("headstart.bases.shipped").load_shipped(record)  # type: ignore[no-any-return]


def _fit_transform(record: BaseRecord, need: BaseRequest) -> BaseParts:
    rocket = import_module("headstart.bases.rocket")
    weights = rocket.fit_rocket(need.sample, need.seed)
    n_dims = len(weights["biases"])
    return BaseParts(
        record=replace(record, n_dims=n_dims),
        architecture={"library": "minirocket"},
        spec=dict(need.spec or {}),
        weights=weights,
    )


def _load_from_hub(repository: str, record: BaseRecord, offline: bool) -> BaseParts:
    hub = import_module("headstart.bases.hub")
    folder = hub.fetch_repository(repository, offline)
    licence = hub.read_licence(folder) or "unknown"
    known = replace(record, licence=licence, url=f"https://huggingface.co/{repository}")
    parts = read_folder(folder, known)
    hub.require_pinned_weights(folder, repository, parts.record.sha256)
    return parts


def _load_hf(rest: str, need: BaseRequest) -> BaseParts:
    if Path(rest).is_dir():
        return _load_file(rest, need)
    return _load_from_hub(rest, _make_blank_record(f"hf:{rest}", need, "hf"), need.offline)


def find_repository(reference: str) -> str:
    """Return the repository of the hub that a reference names; "" where it names none.

    Parameters
    ----------
    reference : str
        `hf:OWNER/NAME` or `timm:NAME`.

    Raises
    ------
    UnknownName
        timm has no such network, or no weights of it.
    """
    source, _, rest = reference.partition(":")
    return _find_timm_repository(rest) if source == "timm" else rest if source == "hf" else ""


def _find_timm_repository(rest: str) -> str:
    vision = import_module("headstart.bases.vision")
    if not vision.is_known(rest):
        names = import_module("timm").list_models()
        raise make_unknown_name("timm architecture", rest.split(".", maxsplit=1)[0], names)
    repository = vision.read_pretrained_config(rest).get("hf_hub_id") or ""
    if not repository:
        raise UnknownName(
            f"timm has no pre-trained weights for '{rest}'.", "Choose another, e.g. timm:resnet18.a1_in1k."
        )
    tagged: str = repository if repository.count("/") else f"timm/{rest}"
    return tagged.rstrip("/")


def _load_timm(rest: str, need: BaseRequest) -> BaseParts:
    record = _make_blank_record(f"timm:{rest}", need, "timm")
    return _load_from_hub(_find_timm_repository(rest), record, need.offline)


def _load_file(rest: str, need: BaseRequest) -> BaseParts:
    path = Path(rest).expanduser()
    folder = path.parent if path.suffix == ".safetensors" else path
    if not folder.is_dir():
        raise UnknownName(f"There is no base model at {path}.", "Give a folder with config.json and model.safetensors.")
    return read_folder(folder, _make_blank_record(f"file:{folder.name}", need, "file"))


SOURCES: dict[str, Callable[[str, BaseRequest], BaseParts]] = {"timm": _load_timm, "hf": _load_hf, "file": _load_file}


def resolve_base(reference: str, modality: str) -> BaseRecord | None:
    """Return the record of a base known by name ("default" is the modality's own), None for `source:...` references.

    Raises
    ------
    UnknownName
        If it is neither, with the nearest names.
    """
    name = DEFAULTS[modality] if reference == "default" else reference
    if name in CATALOGUE:
        return CATALOGUE[name]
    if name.partition(":")[0] in SOURCES:
        return None
    raise make_unknown_name("base model", name, ["default", *CATALOGUE, *(f"{source}:..." for source in SOURCES)])


def load_base(reference: str, need: BaseRequest) -> Backbone:
    """Find, check and build a base model.

    Parameters
    ----------
    reference : str
        `default`, a name of `headstart bases`, `timm:NAME`, `hf:REPO-OR-FOLDER`, `file:FOLDER`.
    need : BaseRequest

    Returns
    -------
    Backbone

    Raises
    ------
    UnknownName, DataError, BundleError
        If there is none, it cannot be fetched, or it is damaged.
    OptionError
        If it is for another modality.
    """
    record = resolve_base(reference, need.modality)
    if record is None:
        source, _, rest = reference.partition(":")
        parts = SOURCES[source](rest, need)
    else:
        _require_modality(record, need)
        parts = CATALOGUE_SOURCES[record.source](record, need)
    _require_modality(parts.record, need)
    return assemble_backbone(_adapt_to_data(parts, need))


CATALOGUE_SOURCES: dict[str, Callable[[BaseRecord, BaseRequest], BaseParts]] = {
    "embedded": _load_embedded,
    "shipped": lambda record, need: _load_shipped(record),
    "transform": _fit_transform,
    "timm": lambda record, need: load_from_hub(record, need.offline),
    "hf": lambda record, need: load_from_hub(record, need.offline),
}


def _adapt_to_data(parts: BaseParts, need: BaseRequest) -> BaseParts:
    """Set the number of channels of a network for series, and the value range of one for images."""
    if need.spec and VALUE_RANGES in need.spec:
        return replace(parts, spec={**parts.spec, **need.spec})
    layout = SERIES_LAYOUTS.get(str(parts.architecture["library"]))
    if layout is not None:
        spec = layout.make_spec(parts.architecture, need.spec)
        record = replace(parts.record, n_dims=layout.count_dims(parts.architecture, int(spec["n_channels"])))
        return replace(parts, record=record, spec=spec)
    if parts.architecture["library"] != series_shape.LIBRARY:
        return parts
    n_channels = int((need.spec or {}).get("n_channels", 1))
    record = replace(parts.record, n_dims=series_shape.count_dims(parts.architecture, n_channels))
    return replace(parts, record=record, spec=series_shape.make_spec(parts.architecture, n_channels))


def _require_modality(record: BaseRecord, need: BaseRequest) -> None:
    if record.modality != need.modality:
        raise OptionError(
            f"The base model {record.name} is for {record.modality} data, this data is {need.modality}.",
            "Leave --base out, or choose one from `headstart bases`.",
        )


def assemble_backbone(parts: BaseParts) -> Backbone:
    """Return a base ready to run; the network itself is built when it is first needed.

    Parts may come from a stranger's bundle: architecture and spec are checked here, whoever read them.

    Parameters
    ----------
    parts : BaseParts
        Of a base model, a bundle or a tuned model.

    Raises
    ------
    DataError
        If they name what they may not, or do not go together.
    """
    place = f"The base model {parts.record.name}"
    architecture = parse_architecture(parts.architecture, place)
    check_sizes(architecture, {name: tuple(value.shape) for name, value in parts.weights.items()}, place)
    modality = find_modality(architecture)
    if modality != parts.record.modality:
        raise DataError(f"{place} says that it reads {parts.record.modality}, its network reads {modality}.", HINT)
    has_words = MODALITIES[modality].has_words
    if has_words and not parts.tokenizer:
        raise DataError(f"{place} has no tokenizer.", "Add the model's tokenizer.json.")
    parts = replace(parts, architecture=architecture, spec=parse_spec(parts.spec, modality, place))
    if architecture["library"] == "minirocket":
        check_rocket_weights(parts.weights, parts.spec, place)
    parts = fit_text_sizes(parts, place) if has_words else parts
    return BUILDERS[architecture["library"]](parts, parts.fingerprint())


@dataclass(frozen=True)
class _Network:
    """A network that is built at the first call and then kept."""

    room: str
    parts: BaseParts
    built: list[Any] = field(default_factory=list)

    def __call__(self) -> Any:
        if not self.built:
            room = import_module(self.room)
            building = import_module("headstart.bases.building")
            shapes = {name: tuple(value.shape) for name, value in self.parts.weights.items()}
            place = f"the base model {self.parts.record.name}"
            side = self.parts.spec.get("size")
            net = building.build_network(room, self.parts.architecture, shapes, place, side=side)
            building.load_weights(net, self.parts.weights, place)
            self.built.append(room.wrap_network(net).eval().requires_grad_(False))
        return self.built[0]

    def release(self) -> None:
        """Free the network; the next call builds it again."""
        self.built.clear()

    def stages(self) -> tuple[Stage, ...]:
        """Return the blocks of the network."""
        return import_module(self.room).list_stages(self().net)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Rocket:
    """MiniRocket with its weights."""

    weights: Mapping[str, Array]

    def __call__(self, series: Array) -> tuple[Array, ...]:
        return import_module("headstart.bases.rocket").transform_series(self.weights, series)  # type: ignore[no-any-return]

    def stages(self) -> tuple[Stage, ...]:
        """Return its one block."""
        return import_module("headstart.bases.rocket").list_stages()  # type: ignore[no-any-return]


def _build_neural_backbone(parts: BaseParts, fingerprint: str) -> Backbone:
    network = _Network(NETWORK_MODULES[parts.architecture["library"]], parts)
    return Backbone(
        parts=parts,
        fingerprint=fingerprint,
        spec=_complete_spec(parts),
        module=network,
        transform=None,
        stages=network.stages,
        release=network.release,
    )


def _complete_spec(parts: BaseParts) -> Mapping[str, Any]:
    if not parts.tokenizer:
        return parts.spec
    place = f"The tokenizer of {parts.record.name}"
    if len(parts.tokenizer) > MOST_TOKENIZER_BYTES:
        raise DataError(f"{place} is too large (at most {MOST_TOKENIZER_BYTES // 1_000_000} MB).", HINT)
    digest = import_module("hashlib").sha256(parts.tokenizer.encode()).hexdigest()
    path = make_writable_folder("tokenizers", digest[:32]) / TOKENIZER
    if not path.is_file() or hash_file(path) != digest:
        clear_place(path)
        write_text(path, parts.tokenizer)
    tokenizer = open_tokenizer(str(path), int(parts.spec["max_length"]))
    check_token_ids(parts, find_highest_id(tokenizer), place)
    return {**parts.spec, "tokenizer_file": str(path)}


def _build_rocket_backbone(parts: BaseParts, fingerprint: str) -> Backbone:
    transform = _Rocket(parts.weights)
    return Backbone(
        parts=parts, fingerprint=fingerprint, spec=parts.spec, module=None, transform=transform, stages=transform.stages
    )


NETWORK_MODULES = {
    "timm": "headstart.bases.vision",
    "transformers": "headstart.bases.encoders",
    series_shape.LIBRARY: "headstart.bases.series_encoder",
    **{library: layout.module for library, layout in SERIES_LAYOUTS.items()},
}
BUILDERS: dict[str, Callable[[BaseParts, str], Backbone]] = {
    "timm": _build_neural_backbone,
    "transformers": _build_neural_backbone,
    series_shape.LIBRARY: _build_neural_backbone,
    "minirocket": _build_rocket_backbone,
    **dict.fromkeys(SERIES_LAYOUTS, _build_neural_backbone),
}
