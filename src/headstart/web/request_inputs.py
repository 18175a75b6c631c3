"""From a request's body to inputs: what is over a limit refuses the request, what is odd refuses one input."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from starlette.requests import Request

from headstart.data.reading.rows import make_unique
from headstart.errors import list_offenders
from headstart.flow.inference.predict_memory import UnusableInput
from headstart.http.errors import RequestRefused, make_size_error
from headstart.http.uploads import check_images, clean_file_name, read_form, read_json, read_media_type
from headstart.modalities import MODALITIES
from headstart.modalities.image import read_size
from headstart.options import ServeOptions
from headstart.web.bodies import SeriesBody, TextsBody, parse_body
from headstart.web.models import ServedModel

_PLURAL = {"image": "images", "text": "texts", "series": "series"}
_IDS_PROBLEM, _IDS_HINT = "ids is no list of one text an input.", "Correct or leave out ids."
_SEND = {
    "image": "Send images as files: multipart/form-data, each in a field named files.",
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
    kind, modality = read_media_type(request), model.modality
    if kind == "multipart/form-data" and MODALITIES[modality].is_file:
        return await _read_image_form(request, limits)
    if kind == "application/json" and modality in _LISTS:
        return parse_inputs(await read_json(request, model.bound_json(limits)), modality, limits, model.channels)
    raise RequestRefused(415 if kind not in _KINDS else 422, f"This model reads {_PLURAL[modality]}.", _SEND[modality])


_KINDS = ("multipart/form-data", "application/json")


def parse_inputs(document: Any, modality: str, limits: ServeOptions, channels: Sequence[str] = ()) -> RequestInputs:
    """Return the inputs of a JSON document; series may name their channels, which are then put in the model's order.

    Raises
    ------
    RequestRefused
        The field is missing, empty, over a limit, or `ids` do not fit.

    Examples
    --------
    >>> parse_inputs({"texts": ["Good.", 3]}, "text", ServeOptions())
    RequestInputs(names=['1', '2'], inputs=['Good.', UnusableInput(reason='it is no text')])
    """
    field, body_model, check_input = _LISTS[modality]
    problems = {
        field: (f"There is no list named {field}, or it is empty.", _SEND[modality]),
        "ids": (_IDS_PROBLEM, _IDS_HINT),
    }
    body = parse_body(body_model, document, problems)
    values = getattr(body, field)
    require_row_count(len(values), modality, limits)
    ordered = [order_channels(value, channels) for value in values]
    checked = [value if isinstance(value, UnusableInput) else check_input(value, limits) for value in ordered]
    return RequestInputs(_parse_ids(body.ids, len(values)), checked)


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
        return UnusableInput("it has channel names, but the model has none: send lists in the order of training")
    missing, unknown = (
        [name for name in one if name not in other] for one, other in ((channels, value), (value, channels))
    )
    if missing:
        has = f", and has {list_offenders(unknown)}, which the model does not know" if unknown else ""
        return UnusableInput(f"it lacks the channels {list_offenders(missing)}{has}")
    return [value[name] for name in channels]


def require_row_count(n_rows: int, modality: str, limits: ServeOptions) -> None:
    """Refuse more rows than one request may have."""
    if n_rows > limits.max_rows:
        raise make_size_error(
            f"The request has {n_rows:,} {_PLURAL[modality]}; {limits.max_rows:,} are the most.",
            "Send them in several requests.",
        )


def _parse_ids(ids: list[str] | None, n: int) -> list[str]:
    if ids is None:
        return [str(row + 1) for row in range(n)]
    if len(ids) != n:
        raise RequestRefused(422, _IDS_PROBLEM, _IDS_HINT)
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
        return UnusableInput("it has a value that is not a number")
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
_LISTS: dict[str, tuple[str, type[TextsBody | SeriesBody], CheckInput]] = {
    "text": ("texts", TextsBody, check_text),
    "series": ("series", SeriesBody, check_series),
}
"""For modalities that come as JSON: the name of the list, its body, and the check of one of its values."""


async def _read_image_form(request: Request, limits: ServeOptions) -> RequestInputs:
    files = [value for _, value in await read_form(request, limits) if not isinstance(value, str)]
    if not files:
        raise RequestRefused(422, "The form holds no file.", _SEND["image"])
    names = make_unique([clean_file_name(name, f"file {row + 1}") for row, (name, _) in enumerate(files)])
    return RequestInputs(names, await check_images([content for _, content in files], limits))


def measure_input_share(item: Any, modality: str, limits: ServeOptions) -> float:
    """Return the size of a checked input as a share of the largest that is allowed.

    Examples
    --------
    >>> measure_input_share("x" * 500, "text", ServeOptions(max_characters=1_000))
    0.5
    """
    return 0.0 if isinstance(item, UnusableInput) else _WEIGHTS[modality](item, limits)


_WEIGHTS: dict[str, Callable[[Any, ServeOptions], float]] = {
    "image": lambda content, limits: math.prod(read_size(content)) / (limits.max_megapixels * 1e6),
    "text": lambda text, limits: len(text) / limits.max_characters,
    "series": lambda series, limits: series.size / limits.max_numbers,
}
