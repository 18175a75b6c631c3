"""Climbing: order, time, resuming, and how the model is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from headstart import ladder
from headstart.ladder import choose, climb
from headstart.records import Features, Probabilities, State, Table, column
from headstart.strategies import STRATEGIES, chosen_names
from headstart.strategies.record import Clock, Rows, Task


def problem(clock: Clock, signal: float = 2.0) -> tuple[Rows, Task]:
    rng = np.random.default_rng(0)
    codes = np.arange(40) % 2
    ids = column([str(number) for number in range(40)])
    texts = column([f"{'good' if code else 'bad'} thing {number % 7}" for number, code in enumerate(codes)])
    table = Table("text", ids, texts, ids, None, column([""] * 40))
    values = (rng.normal(size=(40, 6)) + signal * codes[:, None]).astype(np.float32)
    return Rows(table, Features(ids, values, "x")), Task(("a", "b"), codes, np.arange(40) // 2 % 5, "auto", 0, clock)


class Memory:
    """Keeps rungs in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[State, Probabilities, float]] = {}
        self.saved: list[str] = []

    def load(self, name: str) -> tuple[State, Probabilities, float] | None:
        return self.kept.get(name)

    def save(self, name: str, state: State, out_of_fold: Probabilities, seconds: float) -> None:
        self.saved.append(name)
        self.kept[name] = (state, out_of_fold, seconds)


def test_without_time_the_cheap_rungs_are_climbed_and_the_others_skipped_with_a_reason() -> None:
    rows, task = problem(Clock(0))
    made = climb(rows, task, chosen_names("text", ()))
    assert list(made.fitted) == ["majority", "linear-probe", "classic", "blend"]
    assert list(made.skipped) == ["multi-stage-probe", "scratch"] and "--time" in made.skipped["scratch"]
    assert set(made.scores) == set(made.seconds) == set(made.fitted)
    assert made.chosen in made.fitted and made.scores[made.chosen] == max(made.scores.values())


def test_a_killed_climb_goes_on_where_it_was_and_chooses_the_same() -> None:
    rows, task = problem(Clock(0))
    names = ["majority", "linear-probe", "classic", "blend"]
    keep = Memory()
    climb(rows, task, names[:2], keep)
    assert keep.saved == names[:2]
    resumed = climb(rows, task, names, keep)
    assert keep.saved == names
    whole = climb(rows, task, names)
    assert resumed.chosen == whole.chosen and resumed.scores == whole.scores
    assert resumed.seconds["majority"] == keep.kept["majority"][2]
    np.testing.assert_allclose(resumed.fitted["blend"].predict(rows), whole.fitted["blend"].predict(rows), atol=1e-6)


def test_a_blend_without_its_members_is_skipped() -> None:
    rows, task = problem(Clock(60))
    made = climb(rows, task, ["majority", "blend"])
    assert made.skipped == {"blend": "it needs classic and a probe"}


def test_every_strategy_that_is_always_climbed_exists() -> None:
    assert set(ladder.ALWAYS) <= set(STRATEGIES)


HALF = np.array([[1.0, 0.0], [0.0, 1.0], [np.nan, np.nan], [np.nan, np.nan]])
TASK = Task(("a", "b"), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), "off", 0, Clock(1))


def test_a_partly_predicting_strategy_is_compared_on_its_own_rows() -> None:
    right, wrong = np.eye(2)[TASK.codes], 1 - np.eye(2)[TASK.codes]
    first_half = np.vstack([right[:2], wrong[2:]])
    second_half = np.vstack([wrong[:2], right[2:]])
    assert choose(TASK, {"classic": first_half, "scratch": HALF}) == "classic"
    assert choose(TASK, {"classic": second_half, "scratch": HALF}) == "scratch"


def test_equal_scores_go_to_the_cheaper_strategy_and_a_baseline_may_win() -> None:
    right, wrong = np.eye(2)[TASK.codes], 1 - np.eye(2)[TASK.codes]
    assert choose(TASK, {"majority": right, "linear-probe": right}) == "majority"
    assert choose(TASK, {"majority": wrong, "linear-probe": right, "blend": right}) == "linear-probe"
    nothing = np.full((4, 2), np.nan)
    assert choose(TASK, {"majority": nothing, "classic": nothing}) == "majority"


@pytest.mark.parametrize("name", ["majority", "classic"])
def test_one_strategy_alone_is_chosen(name: str) -> None:
    rows, task = problem(Clock(60))
    assert climb(rows, task, [name]).chosen == name
