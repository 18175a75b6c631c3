"""The Open Inference Protocol, version 2: tensors in, tensors out, for programs that know nothing of Headstart.

Source: https://github.com/kserve/open-inference-protocol (REST, JSON tensors; the binary extension is not spoken).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from headstart import __version__
from headstart.flow.inference.predict_memory import Unusable
from headstart.options import ServeOptions
from headstart.web.models import Model
from headstart.web.reading import one_picture, one_series, one_text, refuse_many
from headstart.web.refusals import Refused

NAME = "input"
PLATFORM = "headstart"
Document = dict[str, Any]
_NUMBERS = ("FP32", "FP64", "INT32", "INT64")
_KINDS: dict[str, tuple[str, ...]] = {"image": ("BYTES",), "text": ("BYTES",), "series": _NUMBERS}

_ANSWER: dict[str, Callable[[Document], Any]] = {
    "answer": lambda found: found["answer"] or "",
    "reason": lambda found: found["reason"] or "",
    "kind": lambda found: found["kind"],
}
_CLASS: dict[str, tuple[str, Callable[[Document], Any]]] = {
    "label": ("BYTES", lambda found: found["label"] or ""),
    "probability": ("FP32", lambda found: found["probability"] if found["probability"] is not None else 0.0),
}
_OUTPUTS: dict[str, dict[str, tuple[str, Callable[[Document], Any]]]] = {
    "classification": _CLASS,
    "ordinal": _CLASS,
    "multi-label": {"labels": ("BYTES", lambda found: ";".join(found["labels"] or []))},
    "regression": {
        name: ("FP64", lambda found, name=name: found[name] if found[name] is not None else 0.0)  # type: ignore[misc]
        for name in ("value", "low", "high")
    },
}


def outputs_of(task: str) -> dict[str, tuple[str, Callable[[Document], Any]]]:
    """Give the output tensors of a kind of task: name, datatype, and how to take the value from a document.

    Examples
    --------
    >>> list(outputs_of("classification"))
    ['answer', 'reason', 'kind', 'label', 'probability']
    """
    return {**{name: ("BYTES", take) for name, take in _ANSWER.items()}, **_OUTPUTS[task]}


def server() -> Document:
    """Describe the server."""
    return {"name": PLATFORM, "version": __version__, "extensions": []}


def metadata(model: Model) -> Document:
    """Describe a model: its tensors; -1 is any number."""
    shape = [-1, *([model.n_channels] if model.n_channels > 1 else []), *([-1] if model.modality == "series" else [])]
    return {
        "name": model.name,
        "platform": PLATFORM,
        "inputs": [{"name": NAME, "datatype": _KINDS[model.modality][0], "shape": shape}],
        "outputs": [
            {"name": name, "datatype": kind, "shape": [-1]} for name, (kind, _) in outputs_of(model.task).items()
        ],
    }


def inputs_of(request: Any, model: Model, limits: ServeOptions) -> list[Any]:
    """Read the tensor of a request.

    Raises
    ------
    Refused
        It is not what the model reads.
    """
    tensors = request.get("inputs") if isinstance(request, dict) else None
    if not isinstance(tensors, list) or len(tensors) != 1 or not isinstance(tensors[0], dict):
        raise Refused(422, "inputs is no list of one tensor.", f"See GET /v2/models/{model.name} for its form.")
    tensor = tensors[0]
    kind, data = tensor.get("datatype"), tensor.get("data")
    shape: Any = tensor.get("shape")
    if kind not in _KINDS[model.modality]:
        kinds = " or ".join(_KINDS[model.modality])
        raise Refused(422, f"This model reads tensors of {kinds}.", f"Give datatype {kinds.split(' or ')[0]}.")
    asked = request.get("outputs") or []
    known = outputs_of(model.task)
    if not isinstance(asked, list) or not all(
        isinstance(one, dict) and one.get("name") in list(known) for one in asked
    ):
        raise Refused(422, "outputs asks for something that this model does not give.", f"Known: {', '.join(known)}.")
    if not isinstance(data, list) or not _is_shape(shape, 3 if model.modality == "series" else 2):
        raise Refused(422, "The tensor has no shape or no data that fit the model.", "Give shape and data as lists.")
    refuse_many(shape[0], model.modality, limits)
    return _READ[model.modality](shape, data, limits)


def _is_shape(shape: Any, most: int) -> bool:
    return isinstance(shape, list) and 0 < len(shape) <= most and all(type(n) is int and n > 0 for n in shape)


def _strings(shape: list[int], data: list[Any]) -> list[Any]:
    flat = [item for part in data for item in (part if isinstance(part, list) else [part])]
    if len(flat) != shape[0] or any(n != 1 for n in shape[1:]):
        raise Refused(422, f"Shape {shape} does not fit {len(flat)} values.", "Give one value a row: shape [n].")
    return flat


def _texts(shape: list[int], data: list[Any], limits: ServeOptions) -> list[Any]:
    return [one_text(item, limits) for item in _strings(shape, data)]


def _pictures(shape: list[int], data: list[Any], limits: ServeOptions) -> list[Any]:
    return [_picture(item, limits) for item in _strings(shape, data)]


def _picture(item: Any, limits: ServeOptions) -> Any:
    if not isinstance(item, str):
        return Unusable("it is no picture file in base64")
    try:
        content = base64.b64decode(item, validate=True)
    except (binascii.Error, ValueError):
        return Unusable("it is no picture file in base64")
    return one_picture(content, limits)


def _series(shape: list[int], data: list[Any], limits: ServeOptions) -> list[Any]:
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
        raise Refused(422, f"Shape {shape} does not fit {len(flat)} values.",
                      "Give shape [rows, steps] or [rows, channels, steps].")  # fmt: skip
    rows = [flat[start : start + each] for start in range(0, len(flat), each)]
    if len(inner) == 2:
        rows = [[row[start : start + inner[1]] for start in range(0, each, inner[1])] for row in rows]
    return [one_series(row, limits) for row in rows]


_READ: dict[str, Callable[[list[int], list[Any], ServeOptions], list[Any]]] = {
    "image": _pictures,
    "text": _texts,
    "series": _series,
}


def response(request: Any, model: Model, found: list[Document], request_id: str) -> Document:
    """Write answers as tensors; an input that could not be used has an empty answer and its reason."""
    given = request.get("id")
    names = [item["name"] for item in request.get("outputs") or []]
    outputs = outputs_of(model.task)
    return {
        "model_name": model.name,
        "id": given if isinstance(given, str) else request_id,
        "outputs": [
            {"name": name, "datatype": kind, "shape": [len(found)], "data": [take(document) for document in found]}
            for name, (kind, take) in outputs.items()
            if not names or name in names
        ],
    }
