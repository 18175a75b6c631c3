"""From a request's body to inputs: what is over a limit refuses the request, what is odd refuses one input."""

from __future__ import annotations

import asyncio
import json
import math
import re
import unicodedata
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from headstart.data.reading.rows import make_encodable, make_unique
from headstart.errors import DataError, offenders
from headstart.flow.inference.predict_memory import UnusableInput
from headstart.modalities.image import decoded_bytes_of, size_of
from headstart.options import ServeOptions
from headstart.web.json_limits import JsonSize, bound_json, require_json_size
from headstart.web.models import ServedModel
from headstart.web.refusals import RequestRefused, make_size_error

_LONG_BODY = 1 << 20
DECODED_PER_BODY = 2.0
"""A picture may take so many times the limit of a body in memory, whatever its file takes."""
_SHORT_FILES = 1 << 16
_LONG_NAME, _LONG_PATH = 120, 4_096
_ONE_LONG = asyncio.Semaphore(1)
"""Long JSON may take many times its size in memory while it is read: one at a time."""
_MAGIC = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM|II\*\x00|MM\x00\*|RIFF....WEBP", re.DOTALL)
_PLURAL = {"image": "pictures", "text": "texts", "series": "series"}
_SEND = {
    "image": "Send pictures as files: multipart/form-data, each in a field named files.",
    "text": 'Send JSON: {"texts": ["...", "..."]}.',
    "series": 'Send JSON: {"series": [[1.0, 2.5, null], ...]}, or [[...], [...]] a series for several channels, '
    'or {"x": [...], "y": [...]} by the names of training.',
}


@dataclass(frozen=True)
class RequestInputs:
    """The inputs of a request, each with its name; some may be `UnusableInput`."""

    names: list[str]
    inputs: list[Any]


async def read_inputs(request: Request, model: ServedModel, limits: ServeOptions) -> RequestInputs:
    """Read what is to be answered.

    Raises
    ------
    RequestRefused
        The body is of another kind than the model reads, cannot be read, or is over a limit.
    """
    kind, modality = media_type(request), model.modality
    if kind == "multipart/form-data" and modality == "image":
        return await _read_image_form(request, limits)
    if kind == "application/json" and modality in _LISTS:
        return parse_inputs(await read_json(request, model, limits), modality, limits, model.channels)
    raise RequestRefused(415 if kind not in _KINDS else 422, f"This model reads {_PLURAL[modality]}.", _SEND[modality])


_KINDS = ("multipart/form-data", "application/json")


def media_type(request: Request) -> str:
    """Give the kind of the body, without its parameters."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def read_json(request: Request, model: ServedModel, limits: ServeOptions) -> Any:
    """Read a JSON body; NaN and Infinity, which JSON does not have, are refused.

    Raises
    ------
    RequestRefused
        It is no JSON, nested too deeply, or holds more than a request for this model may.
    """
    body, bound = await request.body(), bound_json(model.modality, model.n_channels, limits)
    if len(body) < _LONG_BODY:
        return _parse_json(body, bound)
    async with _ONE_LONG:
        return await asyncio.to_thread(_parse_json, body, bound)


def _parse_json(body: bytes, bound: JsonSize) -> Any:
    require_json_size(body, bound)
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise RequestRefused(422, "The JSON is nested too deeply.", "Send lists of texts or numbers.") from error
    except UnicodeDecodeError as error:
        raise RequestRefused(422, "The JSON is not UTF-8.", "Write it as UTF-8.") from error
    except ValueError as error:
        raise RequestRefused(422, f"The body is no JSON that can be read ({error}).", "Correct it.") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number; a missing value is null")


def parse_inputs(document: Any, modality: str, limits: ServeOptions, channels: Sequence[str] = ()) -> RequestInputs:
    """Take the inputs out of a JSON document; series may name their channels, which are then put in the model's order.

    Raises
    ------
    RequestRefused
        The field is missing, empty, over a limit, or `ids` do not fit.

    Examples
    --------
    >>> parse_inputs({"texts": ["Good.", 3]}, "text", ServeOptions())
    RequestInputs(names=['1', '2'], inputs=['Good.', UnusableInput(reason='it is no text')])
    """
    field, one = _LISTS[modality]
    values = document.get(field) if isinstance(document, dict) else None
    if not isinstance(values, list) or not values:
        raise RequestRefused(422, f"There is no list named {field}, or it is empty.", _SEND[modality])
    require_row_count(len(values), modality, limits)
    ordered = [order_channels(value, channels) for value in values]
    checked = [value if isinstance(value, UnusableInput) else one(value, limits) for value in ordered]
    return RequestInputs(_parse_ids(document.get("ids"), len(values)), checked)


def order_channels(value: Any, channels: Sequence[str]) -> Any:
    """Return a series as a list of channels in the order of the model, where it came as an object by name.

    Examples
    --------
    >>> order_channels({"z": [3], "x": [1]}, ("x", "z")), order_channels([1, 2], ())
    ([[1], [3]], [1, 2])
    >>> order_channels({"z": [3], "w": [1]}, ("x", "z")).reason
    'it lacks the channels x, and has w, which the model does not know'
    """
    if not isinstance(value, dict):
        return value
    if not channels:
        return UnusableInput("it names its channels, and the model knows no names: send lists in the order of training")
    missing, strange = (
        [name for name in one if name not in other] for one, other in ((channels, value), (value, channels))
    )
    if missing:
        has = f", and has {offenders(strange)}, which the model does not know" if strange else ""
        return UnusableInput(f"it lacks the channels {offenders(missing)}{has}")
    return [value[name] for name in channels]


def require_row_count(n_rows: int, modality: str, limits: ServeOptions) -> None:
    """Refuse more rows than one request may have."""
    if n_rows > limits.max_rows:
        raise make_size_error(
            f"The request has {n_rows:,} {_PLURAL[modality]}; {limits.max_rows:,} are the most.",
            "Send them in several requests.",
        )


def _parse_ids(ids: Any, n: int) -> list[str]:
    if ids is None:
        return [str(row + 1) for row in range(n)]
    if not isinstance(ids, list) or len(ids) != n or not all(isinstance(name, str) for name in ids):
        raise RequestRefused(422, "ids is no list of one text an input.", "Correct or leave out ids.")
    return make_unique([clean_file_name(name, f"{row + 1}") for row, name in enumerate(ids)])


def check_text(value: Any, limits: ServeOptions) -> str | UnusableInput:
    """Check one text."""
    if not isinstance(value, str):
        return UnusableInput("it is no text")
    if len(value) > limits.max_characters:
        return UnusableInput(f"the text has {len(value):,} characters; {limits.max_characters:,} are the most")
    return value


def check_series(value: Any, limits: ServeOptions) -> Any:
    """Check one series: a list of numbers and nulls, or one such list a channel.

    Returns (channels, time) or UnusableInput.

    Examples
    --------
    >>> check_series([1, None, 2.5], ServeOptions()).tolist()
    [[1.0, nan, 2.5]]
    >>> check_series([[1, 2], [3]], ServeOptions())
    UnusableInput(reason='its channels differ in length')
    """
    if not isinstance(value, list) or not value:
        return UnusableInput("it is no list of numbers")
    channels = value if all(isinstance(part, list) for part in value) else [value]
    lengths = {len(channel) for channel in channels}
    if len(lengths) > 1:
        return UnusableInput("its channels differ in length")
    if lengths == {0}:
        return UnusableInput("it has no values")
    if len(channels) * max(lengths) > limits.max_numbers:
        return UnusableInput(f"it has more than {limits.max_numbers:,} numbers")
    if not {type(number) for number in chain.from_iterable(channels)} <= {int, float, type(None)}:
        return UnusableInput("it holds something that is no number")
    return _to_float32(channels)


def _to_float32(channels: list[list[Any]]) -> Any:
    is_present = np.array([[number is not None for number in channel] for channel in channels], dtype=bool)
    try:
        with np.errstate(over="ignore"):
            values = np.array(channels, dtype=np.float64).astype(np.float32)
    except OverflowError:
        return UnusableInput("a number in it is too large")
    return values if np.isfinite(values[is_present]).all() else UnusableInput("a number in it is too large")


CheckInput = Callable[[Any, ServeOptions], Any]
_LISTS: dict[str, tuple[str, CheckInput]] = {"text": ("texts", check_text), "series": ("series", check_series)}
"""For modalities that come as JSON: the name of the list, and the check of one of its values."""


class _InMemoryParser(MultiPartParser):
    """Keeps files in memory, however large: the gate bounds the body, and nothing of it may lie on a disk."""

    spool_max_size = 1 << 62


async def read_form(request: Request, limits: ServeOptions) -> list[tuple[str, str | tuple[str, bytes]]]:
    """Read a form: pairs of field name and text, or (file name, content).

    Raises
    ------
    RequestRefused
        It is damaged, or has more files or fields than a request may have.
    """

    async def body() -> AsyncGenerator[bytes, None]:
        yield await request.body()

    most = limits.max_rows
    parser = _InMemoryParser(Headers(raw=request.headers.raw), body(), max_files=most, max_fields=most + 16)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise make_size_error(
                f"The request has more than {most:,} files.", "Send them in several requests."
            ) from error
        raise RequestRefused(422, f"The form cannot be read ({error.message}).", "Send multipart/form-data.") from error
    except (KeyError, ValueError, UnicodeError) as error:
        raise RequestRefused(422, "The form cannot be read.", "Send multipart/form-data with a boundary.") from error
    try:
        return [(name, await _read_part(value)) for name, value in form.multi_items()]
    finally:
        await form.close()


async def _read_part(value: str | UploadFile) -> str | tuple[str, bytes]:
    return value if isinstance(value, str) else (value.filename or "", await value.read())


async def _read_image_form(request: Request, limits: ServeOptions) -> RequestInputs:
    files = [value for _, value in await read_form(request, limits) if not isinstance(value, str)]
    if not files:
        raise RequestRefused(422, "The form holds no file.", _SEND["image"])
    names = make_unique([clean_file_name(name, f"file {row + 1}") for row, (name, _) in enumerate(files)])
    return RequestInputs(names, await check_images([content for _, content in files], limits))


async def check_images(contents: Sequence[bytes], limits: ServeOptions) -> list[bytes | UnusableInput]:
    """Check pictures by their first bytes and their size; long headers are read in a thread, pixels not at all."""
    if sum(map(len, contents)) < _SHORT_FILES:
        return [check_image(content, limits) for content in contents]
    return await asyncio.to_thread(lambda: [check_image(content, limits) for content in contents])


def check_image(content: bytes, limits: ServeOptions) -> bytes | UnusableInput:
    """Check the content of one picture file.

    Examples
    --------
    >>> check_image(b"%PDF-1.7", ServeOptions())
    UnusableInput(reason='this is no PNG, JPEG, WebP, GIF, BMP or TIFF picture')
    """
    if not content:
        return UnusableInput("the file is empty")
    if _MAGIC.match(content) is None:
        return UnusableInput("this is no PNG, JPEG, WebP, GIF, BMP or TIFF picture")
    try:
        width, height = size_of(content)
        decoded_mb = decoded_bytes_of(content) / 1e6
    except DataError as error:
        return UnusableInput(error.problem)
    if width * height > limits.max_megapixels * 1e6:
        return UnusableInput(f"the picture has more than {limits.max_megapixels:g} million pixels")
    most_mb = DECODED_PER_BODY * limits.max_mb
    if decoded_mb > most_mb:
        return UnusableInput(
            f"the picture takes {decoded_mb:,.0f} MB once it is decoded, and {most_mb:,.0f} MB are the most; "
            "save it as a plain JPEG, or smaller"
        )
    return content


def measure_input_share(item: Any, modality: str, limits: ServeOptions) -> float:
    """Give the size of a checked input as a share of the largest that is allowed.

    Examples
    --------
    >>> measure_input_share("x" * 500, "text", ServeOptions(max_characters=1_000))
    0.5
    """
    return 0.0 if isinstance(item, UnusableInput) else _WEIGHTS[modality](item, limits)


_WEIGHTS: dict[str, Callable[[Any, ServeOptions], float]] = {
    "image": lambda content, limits: math.prod(size_of(content)) / (limits.max_megapixels * 1e6),
    "text": lambda text, limits: len(text) / limits.max_characters,
    "series": lambda series, limits: series.size / limits.max_numbers,
}


def clean_file_name(name: str, otherwise: str) -> str:
    r"""Give a name that can be shown and written: without folders and unseen characters; it is never used as a path.

    Examples
    --------
    >>> clean_file_name("..\\..\\etc/pass\x00wd", "file 1"), clean_file_name("/", "file 1")
    ('passwd', 'file 1')
    """
    last = make_encodable(name[-_LONG_PATH:]).replace("\\", "/").rpartition("/")[2]
    seen = "".join(mark for mark in last if unicodedata.category(mark)[0] != "C").strip()
    return otherwise if seen.strip(".") == "" else seen[:_LONG_NAME]
