"""The Open Inference Protocol, version 2: tensors in, tensors out, for programs that know nothing of Headstart.

Source: https://github.com/kserve/open-inference-protocol (REST, JSON tensors; the binary extension is not spoken).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from headstart import __version__
from headstart.flow.inference.predict_memory import UnusableInput
from headstart.http.errors import RequestRefused
from headstart.http.uploads import check_image
from headstart.modalities import MODALITIES
from headstart.options import ServeOptions
from headstart.web.bodies import InferBody, parse_body
from headstart.web.models import ServedModel
from headstart.web.request_inputs import check_series, check_text, require_row_count

NAME = "input"
PLATFORM = "headstart"
Document = dict[str, Any]
_NUMBERS = ("FP32", "FP64", "INT32", "INT64")
_KINDS: dict[str, tuple[str, ...]] = {"image": ("BYTES",), "text": ("BYTES",), "series": _NUMBERS}

_ANSWER: dict[str, Callable[[Document], Any]] = {
    "answer": lambda document: document["answer"] or "",
    "reason": lambda document: document["reason"] or "",
    "kind": lambda document: document["kind"],
}
_CLASS: dict[str, tuple[str, Callable[[Document], Any]]] = {
    "label": ("BYTES", lambda document: document["label"] or ""),
    "probability": ("FP32", lambda document: document["probability"] if document["probability"] is not None else 0.0),
}
_OUTPUTS: dict[str, dict[str, tuple[str, Callable[[Document], Any]]]] = {
    "classification": _CLASS,
    "ordinal": _CLASS,
    "multi-label": {"labels": ("BYTES", lambda document: ";".join(document["labels"] or []))},
    "regression": {
        name: ("FP64", lambda document, name=name: document[name] if document[name] is not None else 0.0)  # type: ignore[misc]
        for name in ("value", "low", "high")
    },
}


def list_outputs(task: str) -> dict[str, tuple[str, Callable[[Document], Any]]]:
    """Return the output tensors of a task: name, datatype, and how to read the value from a document.

    Examples
    --------
    >>> list(list_outputs("classification"))
    ['answer', 'reason', 'kind', 'label', 'probability']
    """
    return {**{name: ("BYTES", take) for name, take in _ANSWER.items()}, **_OUTPUTS[task]}


def describe_server() -> Document:
    """Describe the server."""
    return {"name": PLATFORM, "version": __version__, "extensions": []}


def describe_tensors(model: ServedModel) -> Document:
    """Describe a model: its tensors; -1 is any number."""
    shape = [
        -1,
        *([model.n_channels] if model.n_channels > 1 else []),
        *([-1] if MODALITIES[model.modality].has_channels else []),
    ]
    return {
        "name": model.name,
        "platform": PLATFORM,
        "inputs": [{"name": NAME, "datatype": _KINDS[model.modality][0], "shape": shape}],
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1]} for name, (kind, _) in list_outputs(model.task).items()
        ],
    }


def parse_tensor(request: Any, model: ServedModel, limits: ServeOptions) -> list[Any]:
    """Return the inputs in the tensor of a request.

    Raises
    ------
    RequestRefused
        It is not what the model reads.
    """
    datatypes, known = _KINDS[model.modality], list_outputs(model.task)
    unknown_output = "outputs asks for something that this model does not give.", f"Known: {', '.join(known)}."
    wrong_shape = "The tensor has no shape or no data that fit the model.", "Give shape and data as lists."
    problems = {
        "inputs": ("inputs is no list of one tensor.", f"See GET /v2/models/{model.name} for its form."),
        "datatype": (f"This model reads tensors of {' or '.join(datatypes)}.", f"Give datatype {datatypes[0]}."),
        "outputs": unknown_output,
        "shape": wrong_shape,
        "data": wrong_shape,
    }
    body = parse_body(InferBody, request, problems)
    tensor, shape = body.inputs[0], body.inputs[0].shape
    if tensor.datatype not in datatypes:
        raise RequestRefused(422, *problems["datatype"])
    if any(output.name not in known for output in body.outputs or ()):
        raise RequestRefused(422, *unknown_output)
    if not _is_shape(shape, 3 if MODALITIES[model.modality].has_channels else 2):
        raise RequestRefused(422, *wrong_shape)
    require_row_count(shape[0], model.modality, limits)
    return _READ[model.modality](shape, tensor.data, limits)


def _is_shape(shape: list[int], max_dimensions: int) -> bool:
    return 0 < len(shape) <= max_dimensions


def _flatten_strings(shape: list[int], data: list[Any]) -> list[Any]:
    flat = [item for part in data for item in (part if isinstance(part, list) else [part])]
    if len(flat) != shape[0] or any(n != 1 for n in shape[1:]):
        raise RequestRefused(422, f"Shape {shape} does not fit {len(flat)} values.", "Give one value a row: shape [n].")
    return flat


def _parse_texts(shape: list[int], data: list[Any], limits: ServeOptions) -> list[Any]:
    return [check_text(item, limits) for item in _flatten_strings(shape, data)]


def _parse_images(shape: list[int], data: list[Any], limits: ServeOptions) -> list[Any]:
    return [_decode_image(item, limits) for item in _flatten_strings(shape, data)]


def _decode_image(item: Any, limits: ServeOptions) -> Any:
    if not isinstance(item, str):
        return UnusableInput("it is not an image file in base64")
    try:
        content = base64.b64decode(item, validate=True)
    except (binascii.Error, ValueError):
        return UnusableInput("it is not an image file in base64")
    return check_image(content, limits)


def _parse_series(shape: list[int], data: list[Any], limits: ServeOptions) -> list[Any]:
    """Cut numbers into series; `data` is flat, in row-major order, or nested as `shape` says."""
    flat = data
    for _ in shape[1:]:
        if any(isinstance(part, list) for part in flat):
            flat = [item for part in flat for item in (part if isinstance(part, list) else [part])]
    n_rows, *inner = shape
    each = 1
    for n in inner:
        each *= n
    if len(flat) != n_rows * each or not inner:
        raise RequestRefused(422, f"Shape {shape} does not fit {len(flat)} values.",
                      "Give shape [rows, steps] or [rows, channels, steps].")  # fmt: skip
    rows = [flat[start : start + each] for start in range(0, len(flat), each)]
    if len(inner) == 2:
        rows = [[row[start : start + inner[1]] for start in range(0, each, inner[1])] for row in rows]
    return [check_series(row, limits) for row in rows]


_READ: dict[str, Callable[[list[int], list[Any], ServeOptions], list[Any]]] = {
    "image": _parse_images,
    "text": _parse_texts,
    "series": _parse_series,
}


def make_infer_response(request: Any, model: ServedModel, documents: list[Document], request_id: str) -> Document:
    """Write answers as tensors; an input that could not be used has an empty answer and its reason."""
    request_id_field = request.get("id")
    names = [item["name"] for item in request.get("outputs") or []]
    outputs = list_outputs(model.task)
    return {
        "model_name": model.name,
        "id": request_id_field if isinstance(request_id_field, str) else request_id,
        "outputs": [
            {
                "name": name,
                "datatype": kind,
                "shape": [len(documents)],
                "data": [take(document) for document in documents],
            }
            for name, (kind, take) in outputs.items()
            if not names or name in names
        ],
    }
