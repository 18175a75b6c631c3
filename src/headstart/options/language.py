"""Options of base models for a language, made from raw text."""

from __future__ import annotations

from pydantic import Field

from headstart.options.fields import Encoding, MaxMemory, Offline, RawTextColumn, Seconds, Seed
from headstart.options.record import Options


class AdaptLanguageOptions(Options):
    """How to make a base model for a language from raw text."""

    base: str = Field("default", description="Base model to start from: default, a name, hf:REPO or file:PATH.")
    column: RawTextColumn = None
    encoding: Encoding = None
    time: Seconds = Field(1800.0, description="Time limit of the whole command, such as 90s, 10m or 1h.")
    seed: Seed = 0
    max_memory: MaxMemory = 4.0
    offline: Offline = False


class EvaluateLanguageOptions(Options):
    """How to measure a base model on raw text."""

    column: RawTextColumn = None
    encoding: Encoding = None
    time: Seconds = Field(
        120.0, description="Time to train a head if the base model has none; measuring takes about as long again."
    )
    seed: Seed = 0
    offline: Offline = False
