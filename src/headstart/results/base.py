"""The base model, and how others ranked beside it."""

from __future__ import annotations

from pydantic import Field

from headstart.results.record import Figure, Record
from headstart.task_types import TaskName


class BaseFigures(Record):
    """The base model."""

    name: str = Field(description="Its name, as in `headstart bases`.")
    modality: str = Field(description="The modality of its inputs.")
    licence: str = Field(description="Licence of its weights.")
    pretrained: bool = Field(description="False for random convolutions (`minirocket`): nothing was pre-trained.")
    training_data: str = Field(description="What it was pre-trained on; empty where unknown.")
    known_biases: str = Field(description="Known biases of its training data; empty where none are recorded.")
    sha256: str = Field(description="SHA-256 of its weights; empty where there is no file.")
    n_dims: int = Field(description="Number of features of a row.")
    fingerprint: str = Field(
        description="Hash of base model, preprocessing and numerics. Equal fingerprints mean equal features.",
    )
    runtime: str = Field(description="What computed the features, such as `openvino-f32`.")


class RankedBase(Record):
    """One of the base models that were compared, on training rows."""

    base: str = Field(description="Its name, as `--base` takes it.")
    label: str = Field(description="Short form of the name.")
    probe: Figure = Field(description="Cross-validated accuracy of the probe, 0 to 1.")
    head: str = Field(description="The probe: `linear-probe`, or `multi-stage-probe` where its log-loss is lower.")
    logme: float | None = Field(description="LogME in nats a row; higher is better. `null` if not computed.")
    hscore: float | None = Field(
        description="H-score, 0 to the number of classes - 1; higher is better. `null` if not computed.",
    )
    knn: float | None = Field(description="Accuracy of five nearest neighbours, 0 to 1. `null` if not computed.")
    log_loss: float | None = Field(description="Log-loss of the probe in nats; lower is better.")
    seconds: float = Field(description="Time spent on this base model, in seconds.")
    n_rows: int = Field(description="Training rows it was scored on. Weaker base models see fewer rows.")
    licence: str = Field(description='Licence of its weights; `"unknown"` if not stated.')
    size_bytes: int = Field(description="Size of its weights in bytes; 0 if not stated.")
    tie: bool = Field(description="Whether its difference from the best is within noise.")
    taken: bool = Field(description="Whether it was chosen.")
    unknown_share: float | None = Field(
        description="Texts: share of tokens that its vocabulary does not know, 0 to 1; else `null`.",
    )
    pieces_per_word: float | None = Field(description="Texts: mean number of tokens per word; else `null`.")


class LeftOut(Record):
    """A base model that was not compared."""

    base: str = Field(description="Name of the base model.")
    reason: str = Field(description="Why it was not compared.")


class BaseRanking(Record):
    """The base models that `--base auto` compared on training rows, as `headstart bases --for DATA` does."""

    ranking: list[RankedBase] = Field(description="The base models that were compared, best first.")
    left_out: list[LeftOut] = Field(description="The base models that were not compared.")
    task: TaskName | None = Field(default=None, description="Task of the data; `null` in older results.")
    why: str = Field(default="", description="Why one was chosen, in a sentence.")
