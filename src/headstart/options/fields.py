"""Types of options, and the fields that several commands share."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from headstart.modalities import MODALITIES
from headstart.task_types import OWN_FLOWS, TASK_TYPES

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_GIGABYTES = {"": 1.0, "gb": 1.0, "g": 1.0, "mb": 1e-3, "m": 1e-3}
_POINTS = {"": 1.0, "pt": 0.01, "%": 0.01, "points": 0.01}
_AMOUNT = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-z%]*)\s*")


def parse_seconds(text: object) -> object:
    """Read a length of time: "90s", "10m", "1.5h"; a number that is no text is taken as seconds.

    Raises
    ------
    ValueError
        It has no unit: "10" may be meant as seconds or as minutes.

    Examples
    --------
    >>> parse_seconds("10m"), parse_seconds(90)
    (600.0, 90)
    """
    if isinstance(text, str) and re.fullmatch(r"\s*[0-9]*\.?[0-9]+\s*", text):
        raise ValueError(f"{text.strip()}s or {text.strip()}m? Write the unit")
    return _parse_amount(text, _SECONDS, "write it like 90s, 10m or 1.5h")


def format_seconds(seconds: float) -> str:
    """Write a length of time as `parse_seconds` reads it.

    Examples
    --------
    >>> format_seconds(600.0), format_seconds(90.0), format_seconds(0.5)
    ('10m', '90s', '0.5s')
    """
    minutes = seconds / 60
    return f"{minutes:g}m" if seconds > 0 and minutes == int(minutes) else f"{seconds:g}s"


def parse_names(value: object) -> object:
    """Split comma-separated names, given as one string or as several.

    Examples
    --------
    >>> parse_names(["classic,linear-probe", "blend"])
    ('classic', 'linear-probe', 'blend')
    """
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        return value
    return tuple(name.strip() for text in texts for name in str(text).split(",") if name.strip())


def wrap_names(value: object) -> object:
    """Return one string as a tuple of one: names that may hold commas.

    Examples
    --------
    >>> wrap_names("label, final"), wrap_names(None)
    (('label, final',), ())
    """
    return (value,) if isinstance(value, str) else () if value is None else value


def parse_gigabytes(text: object) -> object:
    """Read an amount of memory: "4gb", "800mb" (a number is taken as gigabytes).

    Examples
    --------
    >>> parse_gigabytes("800mb")
    0.8
    """
    return _parse_amount(text, _GIGABYTES, "write it like 4gb or 800mb")


def parse_points(text: object) -> object:
    """Read a loss of accuracy: "1pt" or "1%" is one point, 0.01; a bare number is a share.

    Examples
    --------
    >>> parse_points("1pt"), parse_points("0.02")
    (0.01, 0.02)
    """
    return _parse_amount(text, _POINTS, "write it like 1pt or 0.01")


def _parse_amount(text: object, units: dict[str, float], hint: str) -> object:
    """Number times unit; anything but text is returned as it is, for the type check."""
    if not isinstance(text, str):
        return text
    match = _AMOUNT.fullmatch(text.lower())
    if match is None or match[2] not in units:
        raise ValueError(hint)
    return float(match[1]) * units[match[2]]


Gigabytes = Annotated[float, BeforeValidator(parse_gigabytes), Field(ge=0.05, le=10_000.0)]
Names = Annotated[tuple[str, ...], BeforeValidator(parse_names)]
Columns = Annotated[tuple[str, ...], BeforeValidator(wrap_names)]
Points = Annotated[float, BeforeValidator(parse_points), Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, BeforeValidator(parse_seconds), Field(ge=1.0, le=7 * 24 * 3600.0)]


@dataclass(frozen=True)
class AutoOrOneOf:
    """The word auto, or a name in a table; the table is read when a value is checked, so what is added to it counts."""

    table: Collection[str]

    def list_words(self) -> list[str]:
        """Return what may be given."""
        return ["auto", *self.table]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"enum": self.list_words(), "type": "string"}

    def _check(self, value: object) -> object:
        *first, last = self.list_words()
        if not isinstance(value, str) or value not in (*first, last):
            expected = f"{', '.join(map(repr, first))} or {last!r}"
            raise PydanticCustomError("literal_error", "Input should be {expected}", {"expected": expected})
        return value


ModalityChoice = Annotated[str, AutoOrOneOf(MODALITIES)]
TaskChoice = Annotated[str, AutoOrOneOf(ChainMap(dict.fromkeys(OWN_FLOWS), TASK_TYPES))]


def list_choices(field: FieldInfo) -> list[str]:
    """Return the words that an option takes; none where it takes any value.

    Parameters
    ----------
    field : FieldInfo
        Of an options record.
    """
    for rule in field.metadata:
        if isinstance(rule, AutoOrOneOf):
            return rule.list_words()
    return [str(item) for item in get_args(field.annotation) if isinstance(item, str)]


_VALUES: dict[object, str] = {
    parse_seconds: "TIME",
    parse_gigabytes: "MEMORY",
    parse_points: "POINTS",
    parse_names: "NAMES",
    wrap_names: "TEXT",
}
"""What stands for the value of an option in help texts, by what reads it."""
_WRITERS: dict[object, Callable[[Any], str]] = {
    parse_seconds: format_seconds,
    parse_gigabytes: lambda value: f"{value:g}gb",
    parse_points: lambda value: f"{100 * value:g}pt",
}


def describe_value(field: FieldInfo) -> str:
    """Return what stands for the value of an option in help texts.

    Parameters
    ----------
    field : FieldInfo
        Of an options record.
    """
    for reader in _list_readers(field):
        if reader in _VALUES:
            return _VALUES[reader]
    kinds = (field.annotation, *get_args(field.annotation))
    names = {Path: "PATH", int: "NUMBER", float: "NUMBER", tuple[str, ...]: "NAME"}
    return next((name for kind, name in names.items() if kind in kinds), "TEXT")


def write_value(field: FieldInfo, value: object) -> str:
    """Write a default value as a user would.

    Parameters
    ----------
    field : FieldInfo
        Of an options record.
    value : object
    """
    writer = next((_WRITERS[reader] for reader in _list_readers(field) if reader in _WRITERS), None)
    if isinstance(value, float) and writer is None:
        return f"{value:g}"
    return str(value) if writer is None else writer(value)


def _list_readers(field: FieldInfo) -> list[object]:
    """Return the functions that read the text of an option."""
    inner = [item for part in get_args(field.annotation) for item in getattr(part, "__metadata__", ())]
    return [item.func for item in (*field.metadata, *inner) if isinstance(item, BeforeValidator)]


Seed = Annotated[int, Field(ge=0, le=2**31 - 1, description="Random seed.")]
Offline = Annotated[bool, Field(description="Open no network connection.")]
Precision = Annotated[
    Literal["auto", "float32"],
    Field(
        description="Numerics of the frozen base model: auto = the fastest whose features agree with float32, or "
        "always float32."
    ),
]
Runtime = Annotated[
    Literal["auto", "torch", "onnx"],
    Field(
        description="What runs the model: torch, or onnx = its portable form; auto = what answers soonest: for "
        "predict the portable form, else torch if it is installed."
    ),
]
HeadBase = Annotated[
    str | None,
    Field(
        description="For a head without its base: where the base model lies - a name, a folder, or a bundle that "
        "holds it (default: under its own name)."
    ),
]
MaxMemory = Annotated[Gigabytes, Field(description="Memory that training may use, such as 4gb or 800mb.")]
Language = Annotated[
    Literal["auto", "en", "fr", "es", "sw", "ar"],
    Field(description="Language of report and model card; auto = that of the system if it is one of these, else en."),
]
WithoutExamples = Annotated[
    bool,
    Field(description="Without any row of yours: no picture, text or name of a single row, for passing it on."),
]
Encoding = Annotated[
    str | None,
    Field(description="Encoding of text files that are not Unicode, such as windows-1251 (default: detected)."),
]
RawTextColumn = Annotated[
    str | None, Field(description="Column of tables that holds the text (default: found by name).")
]
MergeLabels = Annotated[
    bool, Field(description="Merge labels that differ only in letter case, spaces or Unicode form.")
]
TrainingLabel = Annotated[Columns, Field(description="Label column (default: that of training).")]
ComparedGroups = Annotated[
    tuple[str, ...],
    Field(description="Group column: its groups are compared, and intervals resample whole groups; repeatable."),
]
SplitGroups = Annotated[
    tuple[str, ...],
    Field(
        description="Group column, such as patient or farm: its rows stay together (with three or more groups each is "
        "on one side of a split), and the groups are compared; repeatable."
    ),
]
ComparedColumns = Annotated[
    Columns,
    Field(
        description="Columns to compare beside those of --group: A,B, or none (default: every column of few values, "
        "dates as periods, numbers as thirds, language and script of texts, source folder of images)."
    ),
]
ReservedClasses = Annotated[
    Columns,
    Field(
        description="Classes that mean 'none of these': A,B, or none (default: classes called _other, noise or "
        "background)."
    ),
]
Domain = Annotated[
    Literal[
        "photos", "biology", "medical", "microscopy", "satellite", "documents", "products", "drawings", "sensors",
        "weather", "energy", "sales",
    ]
    | None,
    Field(description="What the images or series are of: bases that were trained on such data are proposed first."),
]  # fmt: skip
