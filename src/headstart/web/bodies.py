"""Bodies of requests in JSON: one model each, which reads them and describes them in the OpenAPI document.

Values of single rows are `Any` here and checked one by one: what is odd in one refuses that row, not the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, WithJsonSchema

from headstart.http.errors import RequestRefused

_CHANNEL: dict[str, Any] = {"type": "array", "items": {"type": ["number", "null"]}, "minItems": 1}
_SERIES: dict[str, Any] = {
    "oneOf": [
        _CHANNEL,
        {"type": "array", "items": _CHANNEL, "minItems": 1},
        {"type": "object", "additionalProperties": _CHANNEL},
    ]
}
_STRING: dict[str, Any] = {"type": "string"}
_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_DATATYPES = ["BYTES", "FP32", "FP64", "INT32", "INT64"]


class Body(BaseModel):
    """A body: types are not converted, fields of other names are passed over."""

    model_config = ConfigDict(strict=True)


class TextsBody(Body):
    """Texts to answer."""

    texts: list[Annotated[Any, WithJsonSchema(_STRING)]] = Field(min_length=1)
    ids: Annotated[list[str] | None, WithJsonSchema({"type": "array", "items": _STRING})] = None


class SeriesBody(Body):
    """Series to answer: numbers and nulls, a list a channel, or channels by name."""

    series: list[Annotated[Any, WithJsonSchema(_SERIES)]] = Field(min_length=1)
    ids: Annotated[list[str] | None, WithJsonSchema({"type": "array", "items": _STRING})] = None


class TextCorrection(Body):
    """A text and its right label."""

    text: Annotated[Any, WithJsonSchema(_STRING)]
    label: Annotated[Any, WithJsonSchema(_STRING)]


class MessageBody(Body):
    """A message of another system."""

    text: Annotated[Any, WithJsonSchema(_STRING)]
    id: Annotated[Any, WithJsonSchema({"type": ["string", "integer", "null"]})] = None


class SeriesCorrection(Body):
    """A series and its right label."""

    series: Annotated[Any, WithJsonSchema(_SERIES)]
    label: Annotated[Any, WithJsonSchema(_STRING)]


class TensorBody(Body):
    """A tensor of the Open Inference Protocol."""

    name: Annotated[Any, WithJsonSchema(_STRING)] = "input"
    datatype: Annotated[Any, WithJsonSchema({"type": "string", "enum": _DATATYPES})]
    shape: list[PositiveInt]
    data: list[Any]


class OutputName(Body):
    """An output that is asked for."""

    name: str


def describe_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of a body, without the titles that pydantic makes of the names.

    Parameters
    ----------
    model : type of BaseModel
    """
    schema = model.model_json_schema()
    fields = {
        name: {key: value for key, value in field.items() if key not in ("title", "default")}
        for name, field in schema["properties"].items()
    }
    return {"type": "object", "properties": fields, "required": schema.get("required", [])}


class InferBody(Body):
    """A request of the Open Inference Protocol: one tensor, and which outputs are wanted."""

    id: Annotated[Any, WithJsonSchema(_STRING)] = None
    inputs: Annotated[
        list[TensorBody],
        Field(min_length=1, max_length=1),
        WithJsonSchema({"type": "array", "items": describe_body(TensorBody), "minItems": 1}),
    ]
    outputs: Annotated[
        list[OutputName] | None, WithJsonSchema({"type": "array", "items": describe_body(OutputName)})
    ] = None


BodyModel = TypeVar("BodyModel", bound=Body)


def parse_body(model: type[BodyModel], document: Any, problems: Mapping[str, tuple[str, str]]) -> BodyModel:
    """Return a document as a body.

    Parameters
    ----------
    model : type of BodyModel
    document : JSON value
    problems : mapping of str to (problem, hint)
        What to say of each field that is wrong, the first of them first.

    Raises
    ------
    RequestRefused
        A field is missing or of another type.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        wrong = {next((part for part in reversed(item["loc"]) if part in problems), "") for item in error.errors()}
        field = next((name for name in problems if name in wrong), next(iter(problems)))
        raise RequestRefused(422, *problems[field]) from error


def _make_request_body(content: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON that describes a body in OpenAPI."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": form} for kind, form in content.items()}}}


def _describe_form(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a form whose fields must all be there."""
    return {"type": "object", "properties": properties, "required": list(properties)}


PREDICT = _make_request_body(
    {
        "application/json": {"oneOf": [describe_body(TextsBody), describe_body(SeriesBody)]},
        "multipart/form-data": _describe_form({"files": {"type": "array", "items": _FILE, "minItems": 1}}),
    }
)
"""The body of /predict: texts or series as JSON, images as files."""

FEEDBACK = _make_request_body(
    {
        "application/json": {"oneOf": [describe_body(TextCorrection), describe_body(SeriesCorrection)]},
        "multipart/form-data": _describe_form({"file": _FILE, "label": _STRING}),
    }
)
"""The body of /feedback: one input and its right label."""

MESSAGE = _make_request_body({"application/json": describe_body(MessageBody)})
"""The body of /hooks/message."""

SUBMISSION = _make_request_body(
    {"application/json": {"type": "object", "properties": {"_id": {"type": "integer"}}, "required": ["_id"]}}
)
"""The body of /hooks/kobo: a submission with its number."""

INFER = _make_request_body({"application/json": describe_body(InferBody)})
"""The body of the Open Inference Protocol."""
