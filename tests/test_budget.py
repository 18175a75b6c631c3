"""The time of a run: what later steps keep, what is left out without time, and what is refused at once."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from headstart import data, flow, progress
from headstart.errors import OptionError
from headstart.flow.adaptation import budget as budgets
from headstart.flow.adaptation.budget import STEPS, Budget
from headstart.options import AdaptOptions
from headstart.strategies import Clock
from headstart.strategies.linear import cost_model


def _budget(limit_seconds: float, n_rows: int = 1_000, slowdown: float = 1.0) -> Budget:
    return Budget(clock=Clock(limit_seconds), n_rows=n_rows, slowdown=slowdown)


def test_training_leaves_what_later_steps_need_and_more_on_a_busy_machine() -> None:
    needed = sum(_budget(600).seconds_for(step.name) for step in STEPS)
    assert _budget(600).training_clock().limit_seconds == pytest.approx(600 - needed)
    busy = _budget(600, slowdown=4.0)
    assert busy.training_clock().limit_seconds < 600 - 2 * needed
    short = _budget(60, slowdown=4.0)
    fixed = sum(short.seconds_for(step.name) for step in STEPS if not step.optional)
    assert short.training_clock().limit_seconds == pytest.approx(60 - fixed - 0.15 * 60)


def test_a_step_is_allowed_only_where_necessary_ones_still_fit_behind_it() -> None:
    writing = _budget(600).seconds_for("write")
    assert _budget(600).allows("audit") and _budget(600).allows("honest_score")
    assert not _budget(writing + 0.5).allows("audit")
    assert _budget(writing + 5).allows("write")
    assert _budget(600, n_rows=10**7).seconds_for("checks") == _budget(600, n_rows=5_000).seconds_for("checks")


def test_a_time_that_no_model_fits_is_refused_before_any_work(
    text_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = replace(budgets.SETTINGS, preparing_seconds=60.0, preparing_seconds_per_1000=0.0)
    monkeypatch.setattr(budgets, "SETTINGS", slow)
    options = AdaptOptions.model_validate({"time": 20})
    with pytest.raises(OptionError, match=r"--time 20s: even the simplest model of 60 rows takes about \d+ s"):
        flow.adapt(text_table, tmp_path / "out", options)
    assert not (tmp_path / "out" / "bundle").exists()


class Lines(progress.Silent):
    """Keeps warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def test_a_machine_too_busy_for_the_time_is_said_before_any_work(
    text_table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost_model, "measure_slowdown", lambda: 30.0)
    with progress.listen(lines := Lines()):
        busy = Budget.start(data.read_table(text_table), None, AdaptOptions.model_validate({"time": 20}), 0.0)
    assert any("--time 20s cannot be kept" in text for text in lines.warnings)
    assert busy.reading_seconds(0) == busy.least_reading_seconds() > 0


def test_without_time_for_them_optional_steps_are_left_out_and_named(
    text_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def allows(self: Budget, name: str) -> bool:
        return False

    monkeypatch.setattr(Budget, "allows", allows)
    monkeypatch.setattr(budgets.Budget, "clock_for", lambda self, name: Clock(0.0, time.monotonic()))
    options = AdaptOptions.model_validate({"time": 600, "strategy": ("linear-probe", "classic")})
    result = flow.adapt(text_table, tmp_path / "out", options)
    assert result.verdict.difference is not None and result.portable is not None and result.portable.ok
    assert result.inherited is not None and "--time" in result.inherited.not_measured["all"]
    assert result.honest_score is None and result.learning_curve is not None
    assert "no time was left" in result.learning_curve.sentence
    assert any(item.kind == "not-looked-deeper" and "shortcuts" in item.summary for item in result.checks)
