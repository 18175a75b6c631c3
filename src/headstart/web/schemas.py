"""What answers look like, for the OpenAPI document and for people who read it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from headstart.decisions import Outcome, ReasonCode


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
    outcome: Outcome | None = Field(description="Whether there is an answer; null: the input could not be used.")
    kind: Literal["label", "not_sure", "none_of_these", "unusable"] = Field(
        description="The same as `outcome`: `label` stands for answered, `unusable` for null."
    )
    reason: str | None = Field(description="Why this answer, or why the input could not be used, in English.")
    reason_code: ReasonCode | None = Field(description="Why this answer; null: the input could not be used.")
    reason_values: dict[str, Any] = Field(description="What a sentence about the reason needs; depends on its code.")
    set: list[Any] = Field(description="What is likely enough: labels, or the two ends of a range.")
    levels: list[str] | None = Field(None, description="Codes in levels: what is answered at each, the widest first.")
    label: str | None = Field(None, description="The most probable class.")
    probability: float | None = Field(None, ge=0, le=1)
    top: list[Share] = Field(default_factory=list)
    labels: list[str] | None = Field(None, description="For several labels an input.")
    sure: list[str] = Field(default_factory=list, description="Those of them that are sure.")
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


class PredictSeveralResponse(BaseModel):
    """Answers of several models to the same inputs."""

    format: int = 1
    n_rows: int
    models: list[PredictResponse] = Field(description="In the order in which they were named.")


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


class CodedMessage(BaseModel):
    """A message with its code; empty where the model is not sure."""

    format: int = 1
    id: str | int | None
    code: str
    certainty: str = Field(examples=["0.91"])
    coded_by: str = Field(examples=["needs, Headstart 0.5.0"])
    coded_at: str = Field(examples=["2026-05-01T10:00:00Z"])
    answer: str | None
    outcome: Outcome | None
    reason: str | None
