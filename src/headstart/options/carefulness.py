"""Options of how careful a model is."""

from __future__ import annotations

from pydantic import Field

from headstart.options.fields import Language
from headstart.options.record import Options


class SetCareOptions(Options):
    """How careful a model is to be: one of the three; none: only show what each setting would do."""

    refer_cost: float | None = Field(
        None,
        gt=0.0,
        le=1e9,
        description="Cost of asking a person, where a wrong answer costs 1 (or what --cost set): small for few wrong "
        "answers, 1 to answer everything.",
    )
    at_most_wrong: float | None = Field(
        None,
        gt=0.0,
        lt=100.0,
        description="Of 100 answers surely at most so many are to be wrong: chosen on rows held out in training, not "
        "on test rows.",
    )
    reset: bool = Field(False, description="Decide again as `adapt` made the model.")
    language: Language = "auto"
