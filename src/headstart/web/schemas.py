"""What requests and answers look like, for the OpenAPI document and for people who read it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class ErrorDetail(BaseModel):
    """What is wrong, and what to do: the same two strings as on the command line."""

    problem: str = Field(examples=["There is no list named texts, or it is empty."])
    hint: str = Field(examples=['Send JSON: {"texts": ["...", "..."]}.'])


class Error(BaseModel):
    """Why a request was not answered."""

    format: int = 1
    error: ErrorDetail


class Share(BaseModel):
    """A class and its probability."""

    label: str
    probability: float = Field(ge=0, le=1)


class Prediction(BaseModel):
    """One answer, with the fields of `headstart predict --json`; which are there depends on the task."""

    input: str = Field(description="Name of the input: the file's, that of `ids`, or its number from 1.")
    answer: str | None = Field(description='The label, "not sure" or "none of these"; null: it could not be used.')
    kind: Literal["label", "not_sure", "none_of_these", "unusable"] = Field(
        description="Whether the answer is a label: a class may itself be called 'not sure'."
    )
    reason: str | None = Field(description="Why this answer, or why the input could not be used.")
    set: list[Any] = Field(description="What is likely enough: labels, or the two ends of a range.")
    label: str | None = Field(None, description="The most probable class.")
    probability: float | None = Field(None, ge=0, le=1)
    top: list[Share] = Field(default_factory=list)
    labels: list[str] | None = Field(None, description="For several labels an input.")
    probabilities: dict[str, float] = Field(default_factory=dict)
    value: float | None = Field(None, description="For numbers, with low and high.")
    low: float | None = None
    high: float | None = None


class Failed(BaseModel):
    """An input that could not be used."""

    id: str
    reason: str


class PredictResponse(BaseModel):
    """The answers to a request, in its order."""

    format: int = 1
    model: str
    n_rows: int
    predictions: list[Prediction]
    failed: list[Failed]


class Health(BaseModel):
    """Whether the server lives, or is ready."""

    format: int = 1
    status: str = Field(examples=["live", "ready", "stopping"])
    models: list[str] = Field(default_factory=list)


class Stored(BaseModel):
    """A correction that was kept."""

    format: int = 1
    stored: bool = True
    n_rows: int = Field(description="Corrections of this model that are in the table now.")


_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
_CHANNEL: dict[str, Any] = {"type": "array", "items": _NUMBER, "minItems": 1}
_SERIES: dict[str, Any] = {
    "oneOf": [
        _CHANNEL,
        {"type": "array", "items": _CHANNEL, "minItems": 1},
        {"type": "object", "additionalProperties": _CHANNEL},
    ]
}
_IDS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_PICTURES: dict[str, Any] = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}


def _make_object_schema(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _make_request_body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {kind: {"schema": form} for kind, form in content.items()}}}


PREDICT = _make_request_body(
    {
        "application/json": {
            "oneOf": [
                _make_object_schema({"texts": _TEXTS, "ids": _IDS}, "texts"),
                _make_object_schema(
                    {"series": {"type": "array", "items": _SERIES, "minItems": 1}, "ids": _IDS}, "series"
                ),
            ]
        },
        "multipart/form-data": _make_object_schema({"files": _PICTURES}, "files"),
    }
)
"""The body of /predict: texts or series as JSON, pictures as files."""

FEEDBACK = _make_request_body(
    {
        "application/json": {
            "oneOf": [
                _make_object_schema({"text": {"type": "string"}, "label": {"type": "string"}}, "text", "label"),
                _make_object_schema({"series": _SERIES, "label": {"type": "string"}}, "series", "label"),
            ]
        },
        "multipart/form-data": _make_object_schema(
            {"file": {"type": "string", "format": "binary"}, "label": {"type": "string"}}, "file", "label"
        ),
    }
)
"""The body of /feedback: one input and its right label."""

_TENSOR = _make_object_schema(
    {
        "name": {"type": "string"},
        "datatype": {"type": "string", "enum": ["BYTES", "FP32", "FP64", "INT32", "INT64"]},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 1}},
        "data": {"type": "array", "items": {}},
    },
    "name", "datatype", "shape", "data",
)  # fmt: skip
INFER = _make_request_body(
    {
        "application/json": _make_object_schema(
            {"id": {"type": "string"}, "inputs": {"type": "array", "items": _TENSOR, "minItems": 1}}, "inputs"
        )
    }
)
"""The body of the Open Inference Protocol."""
