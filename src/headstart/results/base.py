"""The base model, and how others ranked beside it."""

from __future__ import annotations

from headstart.results.record import Figure, Record


class BaseFigures(Record):
    """The base model used."""

    name: str
    modality: str
    licence: str
    pretrained: bool
    training_data: str
    known_biases: str
    sha256: str
    n_dims: int
    fingerprint: str
    runtime: str


class RankedBase(Record):
    """One base model that was compared, on training rows."""

    base: str
    label: str
    probe: Figure
    head: str
    logme: float | None
    hscore: float | None
    knn: float | None
    log_loss: float | None
    seconds: float
    n_rows: int
    licence: str
    size_bytes: int
    tie: bool
    taken: bool
    unknown_share: float | None
    pieces_per_word: float | None


class LeftOut(Record):
    """A base model that was not compared, and why."""

    base: str
    reason: str


class BaseRanking(Record):
    """Which base models were compared for `--base auto`, best first, and why one was taken."""

    ranking: list[RankedBase]
    left_out: list[LeftOut]
    why: str
