"""What forecasts were wrong by is kept for this machine, survives damage, and is not spoilt by one odd run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headstart import progress
from headstart.ladder import learnt_costs
from headstart.ladder.settings import SETTINGS


@pytest.fixture(autouse=True)
def _home(fresh_home: Path) -> None:
    assert learnt_costs.read_factor("classic", "text") == 1.0


def test_the_next_forecast_is_multiplied_by_the_error_of_the_last() -> None:
    learnt_costs.learn_factor("classic", "text", forecast_seconds=2.0, seconds=6.0)
    assert learnt_costs.read_factor("classic", "text") == pytest.approx(3.0, rel=1e-3)
    assert learnt_costs.read_factor("classic", "image") == learnt_costs.read_factor("quant", "text") == 1.0


def test_one_run_on_a_machine_that_slept_moves_it_by_a_part_and_short_runs_say_nothing() -> None:
    for _ in range(5):
        learnt_costs.learn_factor("classic", "text", forecast_seconds=2.0, seconds=4.0)
    learnt_costs.learn_factor("classic", "text", forecast_seconds=2.0, seconds=100_000.0)
    assert learnt_costs.read_factor("classic", "text") < SETTINGS.max_cost_factor / 2
    before = learnt_costs.read_factor("classic", "text")
    learnt_costs.learn_factor("classic", "text", forecast_seconds=5.0, seconds=SETTINGS.learnt_seconds / 2)
    assert learnt_costs.read_factor("classic", "text") == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"format": 2, "log_factors": {"classic|text": 1.0}}',
        '{"format": 1, "log_factors": {"classic|text": NaN}}',
        '{"format": 1, "log_factors": {"classic|text": 50}}',
        '{"format": 1, "log_factors": [1]}',
    ],
)
def test_a_damaged_file_says_nothing_and_is_begun_anew(content: str) -> None:
    learnt_costs.find_costs().write_text(content)
    assert learnt_costs.read_factor("classic", "text") == 1.0
    learnt_costs.learn_factor("classic", "text", forecast_seconds=2.0, seconds=4.0)
    assert learnt_costs.read_factor("classic", "text") == pytest.approx(2.0, rel=1e-3)


class Lines:
    """Keeps warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def test_a_damaged_file_is_named_once_and_an_absent_one_is_not() -> None:
    with progress.listen(lines := Lines()):
        learnt_costs.read_factor("classic", "text")
        assert lines.warnings == []
        learnt_costs.find_costs().write_text("{")
        for _ in range(2):
            learnt_costs.read_factor("classic", "text")
    assert len(lines.warnings) == 1 and "strategy-costs.json" in lines.warnings[0]


def test_nothing_is_lost_where_several_learn_at_once() -> None:
    names = [f"strategy-{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: learnt_costs.learn_factor(name, "text", 1.0, 2.0), names))
    assert [round(learnt_costs.read_factor(name, "text"), 3) for name in names] == [2.0] * len(names)
