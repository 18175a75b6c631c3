"""How careful a model may be: what each setting answers, gets wrong and leaves to a person, on test rows."""

from __future__ import annotations

from pydantic import Field

from headstart.results.record import Figure, Record


class CareLevel(Record):
    """What one setting does with the test rows. `n_right`, `n_wrong` and `n_left` add up to all of them."""

    refer_cost: float = Field(description="Cost of asking a person that makes this setting.")
    questions_per_mistake: float = Field(
        description="So many questions to a person count as much as the worst mistake; 1: every row is answered."
    )
    n_right: int = Field(description="Test rows that get a right answer.")
    n_wrong: int = Field(description="Test rows that get a wrong answer.")
    n_left: int = Field(description="Test rows that are left to a person.")
    right: Figure = Field(description="Proportion of test rows with a right answer, 0 to 1.")
    wrong: Figure = Field(description="Proportion of test rows with a wrong answer, 0 to 1.")
    left: Figure = Field(description="Proportion of test rows without an answer, 0 to 1.")
    wrong_of_answered: Figure | None = Field(
        description="Proportion of the answers that are wrong, 0 to 1; `null` where nothing is answered."
    )


class Carefulness(Record):
    """The settings from the least careful to the most, and what the model does now."""

    format: int = Field(default=1, description="Number of this format.")
    n_rows: int = Field(description="Number of test rows.")
    levels: list[CareLevel] = Field(description="The least careful first.")
    present: CareLevel = Field(
        description="The model as it is; `refer_cost` is 0 where it does not decide by costs (see `is_by_cost`)."
    )
    is_by_cost: bool = Field(description="Whether the model decides by costs now.")
    has_calibration_rows: bool = Field(
        description="Whether rows held out in training are there, on which a setting can be chosen."
    )
    are_clusters_known: bool = Field(
        description="Whether intervals take account of rows that belong together; false for runs of older versions."
    )
