"""`config.json` as records: classes, how inputs are read, and the inputs of the graph.

A further kind of input is one line in `INPUT_SPECS`; a further key is one field of `ConfigRecord`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ConfigDict, Field, model_validator

from headstart.bundle.file_names import make_printable
from headstart.bundle.records.schema import (
    MOST_CLASSES,
    Count,
    FileName,
    Label,
    Misfit,
    Number,
    Share,
    StrictRecord,
    Text,
    make_misfit,
    parse_record,
    require_mapping,
)
from headstart.bundle.runtime.inputs import INPUT_KINDS
from headstart.errors import BundleError, list_offenders
from headstart.records import InputColumns
from headstart.results import Setting, SiteFigures
from headstart.results.record import ModalityName
from headstart.task_types import TASK_TYPES, TaskName

CONFIG = "config.json"
Part = TypeVar("Part", bound=StrictRecord)
Pixels = Annotated[int, Field(ge=1, le=4_096)]
Channels = Annotated[int, Field(ge=1, le=100_000)]
MOST_SERIES_VALUES = 16_000_000
"""Channels x steps of one prepared series."""


BlackAndWhite = Annotated[list[Number], Field(min_length=2, max_length=2)]


class ValueRangesRecord(StrictRecord):
    """Black and white of images with more than 8 bits."""

    integer: BlackAndWhite | None = None
    float_: Annotated[BlackAndWhite | None, Field(alias="float")] = None


class ImageSpec(StrictRecord):
    """Spec of images: side in pixels, and scaling of pixels."""

    size: Pixels
    resize: Annotated[float, Field(ge=1, le=16_384)]
    fit: Literal["crop", "squash"]
    interpolation: Literal["bilinear", "bicubic"]
    mean: Annotated[list[Annotated[float, Field(ge=-100, le=100)]], Field(min_length=3, max_length=3)]
    std: Annotated[list[Annotated[float, Field(ge=1e-6, le=1e6)]], Field(min_length=3, max_length=3)]
    value_ranges: ValueRangesRecord | None = None


class ViewsSpec(ImageSpec):
    """Images, each with some augmented copies."""

    views: Annotated[int, Field(ge=1, le=64)]


class SmallImageSpec(StrictRecord):
    """Images for descriptors."""

    size: Annotated[int, Field(ge=96, le=96)]
    resize: Annotated[float, Field(ge=1, le=16_384)]
    value_ranges: ValueRangesRecord | None = None


class TextSpec(StrictRecord):
    """Spec of texts: number of tokens, and the token that fills short rows."""

    max_length: Annotated[int, Field(ge=1, le=100_000)]
    pad_id: Annotated[int, Field(ge=0, lt=2**31)]


class TokensSpec(TextSpec):
    """Texts for a graph."""

    tokenizer_file: FileName


class NgramsSpec(StrictRecord):
    """N-grams that are counted."""

    pieces_file: FileName


class SeriesSpec(StrictRecord):
    """Length and number of channels, and whether the model gets a mask of the gaps."""

    length: Annotated[int, Field(ge=1, le=1_000_000)]
    n_channels: Channels
    gaps: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> SeriesSpec:
        if self.length * self.n_channels > MOST_SERIES_VALUES:
            raise ValueError(f"length times n_channels should be at most {MOST_SERIES_VALUES:,}")
        return self


class RowsSpec(StrictRecord):
    """No inputs: a model that always gives the same answer."""


INPUT_SPECS: dict[str, type[StrictRecord]] = {
    "rows": RowsSpec, "pixels": ImageSpec, "views": ViewsSpec, "picture": SmallImageSpec, "tokens": TokensSpec,
    "pieces": NgramsSpec, "series": SeriesSpec,
}  # fmt: skip
"""The spec of each kind of input (see `headstart.bundle.runtime.inputs.INPUT_KINDS`)."""
INPUT_KINDS_OF = {
    "image": ("rows", "pixels", "views", "picture"), "text": ("rows", "tokens", "pieces"), "series": ("rows", "series"),
}  # fmt: skip
"""Kinds of input of each modality."""
BASE_SPECS: dict[str, type[StrictRecord]] = {"image": ImageSpec, "text": TextSpec, "series": SeriesSpec}
"""How rows are read where the base does it; may be empty where no base is used."""


class ArrayRecord(StrictRecord):
    """Input array of a graph; a size that is None may have any value."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
    dtype: Literal["float32", "int64", "uint8"]
    shape: Annotated[list[int | None], Field(max_length=6)]


class InputRecord(StrictRecord):
    """Input of a graph."""

    kind: str
    arrays: Annotated[list[ArrayRecord], Field(min_length=1, max_length=8)]
    spec: dict[str, Any]


class GateRecord(StrictRecord):
    """Agreement of the graph with the model where it was made."""

    n_rows: Count | None
    same_labels: Share
    max_difference: Annotated[float, Field(ge=0)]


class PortableRecord(StrictRecord):
    """Inputs and outputs of the graph, and the files that belong to it."""

    ok: Literal[True]
    file: FileName
    files: Annotated[list[FileName], Field(max_length=100)]
    inputs: Annotated[list[InputRecord], Field(min_length=1, max_length=32)]
    outputs: list[Literal["outputs", "features"]]
    reads: Literal["", "features", "descriptors", "representation"]
    gate: GateRecord | None = None
    n_golden: Count | None = None
    golden: Text | None = None
    exporter: Text | None = None
    exported: Text | None = None
    key: Text | None = None

    @model_validator(mode="after")
    def _consistent(self) -> PortableRecord:
        if self.outputs != ["outputs", "features"][: 1 + bool(self.reads)]:
            raise ValueError("outputs should be as `reads` says")
        names = [array.name for item in self.inputs for array in item.arrays]
        if len(set(names)) < len(names):
            raise ValueError("two arrays should not have one name")
        return self


class WithoutPortableRecord(StrictRecord):
    """`portable` where there is no graph that Headstart runs; `files` may name those of other tools."""

    ok: Literal[False]
    reason: Text
    file: FileName | None = None
    files: Annotated[list[FileName], Field(max_length=100)] = []


class TrainingFacts(StrictRecord):
    """Facts about the training run, for people and for later commands; there may be further ones.

    Parameters
    ----------
    data : str
        The training data, as the user named it.
    verdict : str
    task : str
        The option --task: "auto", or a name.
    labels_per_class : dict of str to int
        Training rows of each class or label; empty for a number.
    site : SiteFigures or None
        Figures on the test rows of training.
    recalibrated : dict or None
        On which rows the decision policy was fitted again, if it was.
    """

    model_config = ConfigDict(extra="allow")

    data: Text = ""
    verdict: Text = ""
    task: Text = ""
    labels_per_class: dict[Label, Count] = {}
    site: SiteFigures | None = None
    recalibrated: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form: what was set, and what else stood in the file."""
        return self.model_dump(mode="json", exclude_unset=True)


class InputColumnsRecord(StrictRecord):
    """Columns and channels of series in training; see `headstart.records.InputColumns`."""

    layout: Literal["", "wide", "long", "files", "array"] = ""
    channels: Annotated[list[Text], Field(max_length=100_000)] = []
    values: Annotated[list[Annotated[list[Text], Field(max_length=1_000_000)]], Field(max_length=100_000)] = []
    axes: Literal["channels-first", "time-first"] = "channels-first"
    n_channels: Count = 0
    fewest_steps: Count = 0
    most_steps: Count = 0

    @model_validator(mode="after")
    def _consistent(self) -> InputColumnsRecord:
        lengths = {len(steps) for steps in self.values}
        if self.layout == "wide" and (len(self.values) != len(self.channels) or len(lengths) != 1):
            raise ValueError("values should be one list of columns a channel, all of one length")
        if self.channels and self.n_channels not in (0, len(self.channels)):
            raise ValueError(f"there should be {self.n_channels} channels (found: {len(self.channels)})")
        return self


class ConfigRecord(StrictRecord):
    """`config.json` of formats 1, 2 and 3; what format 1 lacks has a default."""

    format: Annotated[int, Field(ge=1)] = 1
    modality: ModalityName
    task: TaskName = "classification"
    classes: Annotated[list[Label], Field(min_length=1, max_length=MOST_CLASSES)]
    thresholds: list[Annotated[float, Field(ge=-1e-9, le=1.000001)]] = []
    strategy: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")]
    uses: Annotated[list[Label], Field(max_length=20)]
    preprocessing: dict[str, Any]
    columns: dict[Label, Label]
    input_columns: InputColumnsRecord | None = None
    about: TrainingFacts
    settings: dict[Label, dict[Label, Setting]] = {}
    portable: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> ConfigRecord:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes should differ")
        if len(self.thresholds) not in (0, len(self.classes)):
            raise ValueError(f"thresholds should be none, or one for each of the {len(self.classes)} classes")
        if TASK_TYPES[self.task].is_number and len(self.classes) != 1:
            raise ValueError(f"a number should have one name (was {len(self.classes)})")
        return self


def read_input_columns(config: ConfigRecord) -> InputColumns | None:
    """Return the value columns of training as the reader of data wants them."""
    stored = config.input_columns
    return None if stored is None else InputColumns.from_dict(stored.model_dump())


def parse_config(document: object, folder: object) -> ConfigRecord:
    """Return `config.json` as a record, with everything in it checked.

    Parameters
    ----------
    document : what JSON gave
    folder : the bundle, for messages

    Raises
    ------
    Misfit
        Something is not as it has to be.
    BundleError
        A task or a kind of input is one of a newer version.
    """
    raw = require_mapping(document, CONFIG)
    task = raw.get("task", "classification")
    if isinstance(task, str) and task.isidentifier() and task not in TASK_TYPES:
        raise BundleError(
            f"{folder} is for the task '{make_printable(task)}', which this version does not have.", "Update headstart."
        )
    config = parse_record(ConfigRecord, raw, CONFIG)
    if config.preprocessing:
        _parse_at(BASE_SPECS[config.modality], config.preprocessing, ("preprocessing",))
    parse_portable(config.portable, config.modality, folder)
    return config


def parse_portable(
    document: Mapping[str, Any] | None, modality: str, folder: object
) -> PortableRecord | WithoutPortableRecord | None:
    """Return what `config.json` says under `portable` as a record; None where it says nothing (format 1)."""
    if document is None:
        return None
    if document.get("ok") is not True:
        return _parse_at(WithoutPortableRecord, document, ("portable",))
    portable = _parse_at(PortableRecord, document, ("portable",))
    unknown = [make_printable(item.kind) for item in portable.inputs if item.kind not in INPUT_KINDS]
    if unknown:
        raise BundleError(
            f"{folder} wants inputs that this version does not know ({list_offenders(unknown)}).", "Update headstart."
        )
    for number, item in enumerate(portable.inputs):
        _parse_input(item, modality, ("portable", "inputs", number))
    return portable


def _parse_input(item: InputRecord, modality: str, place: tuple[int | str, ...]) -> None:
    """Refuse an input whose spec or arrays are not those of its kind."""
    if item.kind not in INPUT_KINDS_OF[modality]:
        raise make_misfit(CONFIG, (*place, "kind"), f"a model of {modality} data has no such input", item.kind)
    _parse_at(INPUT_SPECS[item.kind], item.spec, (*place, "spec"))
    expected = [(kind, list(shape)) for kind, shape in INPUT_KINDS[item.kind].shapes(item.spec)]
    stated = [(array.dtype, array.shape) for array in item.arrays]
    if stated != expected:
        raise make_misfit(CONFIG, (*place, "arrays"), f"should be {expected} as the spec says", stated)


def _parse_at(kind: type[Part], document: Mapping[str, Any], place: tuple[int | str, ...]) -> Part:
    inner = ".".join(map(str, place))
    try:
        return parse_record(kind, document, inner)
    except Misfit as error:
        raise Misfit(f"{CONFIG}: {str(error).replace(f'{inner}: ', f'{inner}.', 1)}") from error
