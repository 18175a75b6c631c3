"""The base model, and how others ranked beside it."""

from __future__ import annotations

from typing import Literal

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


Agreement = Literal["much", "some", "little"]


class VocabularyFit(Record):
    """How well the vocabulary of a text base fits the training texts; at most 500 of them are read."""

    base: str = Field(description="Its name.")
    knowledge: Literal["known", "unclear", "unknown"] = Field(
        description="Whether the vocabulary knows the language of the texts.",
    )
    sign: Literal["words", "script", "tokens", "few-words"] = Field(
        description="What that was seen by: words held whole, the script, unknown tokens; `few-words`: nothing.",
    )
    known_words_share: float = Field(
        description="Share (0 to 1) of words that it holds whole, as one token. In Latin letters only words of four "
        "letters and more count.",
    )
    n_words: int = Field(description="Number of these words.")
    unknown_share: float = Field(description="Share of tokens that it does not know, 0 to 1.")
    pieces_per_word: float = Field(description="Mean number of tokens for each word between spaces.")
    script: str = Field(description="Script of most letters, such as `Latin`; empty without letters.")


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
    vocabulary: VocabularyFit | None = Field(
        default=None,
        description="Texts: how well its vocabulary fits them; else `null`.",
    )
    knn_chance: float | None = Field(
        default=None,
        description="Share of the most frequent class among the rows of `knn`, 0 to 1; `null` where rows have no "
        "single class.",
    )
    agreement: Agreement | None = Field(
        default=None,
        description="How well rows that it finds alike agree in their label: how far `knn` is on the way from "
        "`knn_chance` to 1. `null` where `knn_chance` is.",
    )
    reading: str = Field(default="", description="How much it has to do with these rows, in words.")


class BaseChoice(Record):
    """How the base model of texts was chosen where `--base default` is used. Test rows are never looked at."""

    default: str = Field(description="The default base model.")
    other: str = Field(description="The base model of many languages.")
    taken: str = Field(description="The one that was taken.")
    reason: Literal["language", "few-words", "probe", "tie", "not-installed", "unusable", "no-time"] = Field(
        description="What decided. `language`: how well the vocabularies know it; `few-words`: there are too few to "
        "tell; `probe`: one is better on the same training rows beyond noise; `tie`: neither is, so that the language "
        "decides; `not-installed`, `unusable`, `no-time`: why the other base model was not looked at.",
    )
    fits: list[VocabularyFit] = Field(description="Of the default, and of the other one if it was looked at.")
    task: TaskName = Field(description="Task of the data.")
    lead: Figure | None = Field(
        default=None,
        description="How much more often a probe on the other base model is right on the same training rows in "
        "cross-validation (0 to 1, negative if less often), with its 95 % interval of paired rows; for several labels "
        "and numbers: how much more of the error it takes away. `null` if they were not compared.",
    )
    n_rows: int = Field(default=0, description="Training rows of this comparison, at most 200.")
    install: str = Field(default="", description="Command that brings the other base model; empty if it is here.")
    size_bytes: int = Field(default=0, description="What that command fetches, in bytes; 0 if nothing is needed.")
    why: str = Field(default="", description="The choice in words.")


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
