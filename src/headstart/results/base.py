"""The base model, and how others ranked beside it."""

from __future__ import annotations

from pydantic import Field

from headstart.results.record import Figure, Record


class BaseFigures(Record):
    """The base model used."""

    name: str = Field(description="As `headstart bases` lists it.")
    modality: str = Field(description="What it takes.")
    licence: str = Field(description="Licence of the weights.")
    pretrained: bool = Field(
        description="Whether it has learnt from other data before. False for random convolutions (`minirocket`).",
    )
    training_data: str = Field(description="What it has learnt from; empty where unknown.")
    known_biases: str = Field(description="What is known to be one-sided about it; empty where nothing is recorded.")
    sha256: str = Field(description="Hash of its weights; empty where there is no file.")
    n_dims: int = Field(description="Numbers in the features of one row.")
    fingerprint: str = Field(
        description="Names base, preprocessing and numerics; equal fingerprints mean equal features.",
    )
    runtime: str = Field(description="What ran the frozen part.")


class RankedBase(Record):
    """One base model that was compared, on training rows."""

    base: str = Field(description="What `--base` takes.")
    label: str = Field(description="A short form of it.")
    probe: Figure = Field(description="Share of training rows that a probe got right while it had not seen them.")
    head: str = Field(
        description="The probe: `linear-probe`, or `multi-stage-probe` where that has the lower log-loss.",
    )
    logme: float | None = Field(
        description="Hints: LogME (nats a row), H-score (0 to number of classes - 1), share right by five "
        "neighbours. Higher is better; `null` where they cannot be computed.",
    )
    hscore: float | None = Field(
        description="Hints: LogME (nats a row), H-score (0 to number of classes - 1), share right by five "
        "neighbours. Higher is better; `null` where they cannot be computed.",
    )
    knn: float | None = Field(
        description="Hints: LogME (nats a row), H-score (0 to number of classes - 1), share right by five "
        "neighbours. Higher is better; `null` where they cannot be computed.",
    )
    log_loss: float | None = Field(description="Of the probe's answers, in nats; lower is better.")
    seconds: float = Field(description="Time spent on this base.")
    n_rows: int = Field(description="Training rows it was measured on: the weaker ones see fewer.")
    licence: str = Field(description='Of its weights; `"unknown"` and 0 where not stated.')
    size_bytes: int = Field(description='Of its weights; `"unknown"` and 0 where not stated.')
    tie: bool = Field(description="Whether chance explains the lead of the best.")
    taken: bool = Field(description="Whether it is the one that was taken.")
    unknown_share: float | None = Field(
        description="Texts only, else `null`: share of the pieces that its vocabulary does not know, and the pieces"
        " a word is cut into.",
    )
    pieces_per_word: float | None = Field(
        description="Texts only, else `null`: share of the pieces that its vocabulary does not know, and the pieces"
        " a word is cut into.",
    )


class LeftOut(Record):
    """A base model that was not compared, and why."""

    base: str = Field(description="Name of the base model.")
    reason: str = Field(description="Why it was not compared.")


class BaseRanking(Record):
    """Which base models were compared for `--base auto`, best first, and why one was taken."""

    ranking: list[RankedBase] = Field(description="One entry for each, best first: the fields below.")
    left_out: list[LeftOut] = Field(description="What was not compared: `base` and `reason`.")
    why: str = Field(description="Why one was taken, in a sentence.")
