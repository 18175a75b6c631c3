"""Climbing: order, time, resuming, and how the model is chosen."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from headstart.errors import OptionError
from headstart.fitted_state import FittedState
from headstart.ladder import choose_strategy, fit_strategies, learnt_costs, sampling
from headstart.records import Features, Probabilities, Table, make_column
from headstart.report.kinds import TASK_WORDINGS
from headstart.strategies import STRATEGIES, record, select_strategies, work_timer
from headstart.strategies.baselines import scratch
from headstart.strategies.linear import cost_model
from headstart.strategies.record import Clock, CostForecast, StrategyRows, StrategySkipped, Task
from headstart.strategies.scoring import OBJECTIVES


def problem(clock: Clock, signal: float = 2.0) -> tuple[StrategyRows, Task]:
    rng = np.random.default_rng(0)
    codes = np.arange(40) % 2
    ids = make_column([str(number) for number in range(40)])
    texts = make_column([f"{'good' if code else 'bad'} thing {number % 7}" for number, code in enumerate(codes)])
    table = Table(modality="text", ids=ids, inputs=texts, hashes=ids, labels=None, splits=make_column([""] * 40))
    values = (rng.normal(size=(40, 6)) + signal * codes[:, None]).astype(np.float32)
    return StrategyRows(table, Features(ids, values, "x")), Task(
        classes=("a", "b"), codes=codes, folds=np.arange(40) // 2 % 5, balance="auto", seed=0, clock=clock
    )


class Memory:
    """Keeps rungs in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, tuple[FittedState, Probabilities, float]] = {}
        self.saved: list[str] = []

    def load(self, name: str) -> tuple[FittedState, Probabilities, float] | None:
        return self.kept.get(name)

    def save(self, name: str, state: FittedState, out_of_fold: Probabilities, seconds: float) -> None:
        self.saved.append(name)
        self.kept[name] = (state, out_of_fold, seconds)

    def parts(self, name: str) -> Path:
        raise AssertionError("cheap rungs keep no parts")

    def log(self, event: str, **values: object) -> None:
        pass


def test_without_time_the_cheap_rungs_and_all_rivals_are_climbed_and_the_others_skipped_with_a_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scratch, "SETTINGS", replace(scratch.SETTINGS, floor_seconds=0.1))
    rows, task = problem(Clock(0))
    names = select_strategies("text", ())
    made = fit_strategies(rows, task, names)
    needs_stages = {"multi-stage-probe"}
    quick = [name for name in names if STRATEGIES[name].preset == "quick" and name not in needs_stages]
    assert set(made.fitted) | set(made.skipped) == set(names)
    assert set(made.fitted) <= {*quick, "scratch"}
    assert {"majority", "linear-probe", "classic", "scratch", "blend"} <= set(made.fitted)
    assert all("--time" in made.skipped[name] for name in ("last-stages", "contrastive"))
    assert set(made.scores) == set(made.seconds) == set(made.fitted)
    assert made.chosen in made.fitted


def test_a_killed_climb_goes_on_where_it_was_and_chooses_the_same() -> None:
    rows, task = problem(Clock(0))
    names = ["majority", "linear-probe", "classic", "blend"]
    keep = Memory()
    fit_strategies(rows, task, names[:2], keep)
    assert keep.saved == names[:2]
    resumed = fit_strategies(rows, task, names, keep)
    assert keep.saved == names
    whole = fit_strategies(rows, task, names)
    assert resumed.chosen == whole.chosen and resumed.scores == whole.scores
    assert resumed.seconds["majority"] == keep.kept["majority"][2]
    np.testing.assert_allclose(resumed.fitted["blend"].predict(rows), whole.fitted["blend"].predict(rows), atol=1e-6)


def test_a_blend_without_its_members_is_skipped() -> None:
    rows, task = problem(Clock(60))
    made = fit_strategies(rows, task, ["majority", "blend"])
    assert made.skipped == {"blend": "it needs two strategies that predicted every row"}


def test_a_rung_whose_forecast_does_not_fit_is_skipped_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, task = problem(Clock(60))

    def foresees(seconds: float, memory_bytes: float) -> None:
        costly = replace(
            STRATEGIES["classic"],
            kind="transfer",
            preset="default",
            forecast=lambda *_: CostForecast(seconds, memory_bytes),
        )
        monkeypatch.setitem(STRATEGIES, "classic", costly)

    foresees(1e4, 0.0)
    assert "needs about 10000 s" in fit_strategies(rows, task, ["majority", "classic"]).skipped["classic"]
    foresees(1.0, 3e12)
    assert "--max-memory" in fit_strategies(rows, task, ["majority", "classic"]).skipped["classic"]
    foresees(1.0, 1e6)
    made = fit_strategies(rows, task, ["majority", "classic"])
    assert made.forecasts["classic"] == CostForecast(1.0, 1e6) and "classic" in made.fitted


def _costs_by_row(monkeypatch: pytest.MonkeyPatch, name: str, seconds: float, memory_bytes: float = 0.0) -> None:
    def forecast(rows: StrategyRows, task: Task) -> CostForecast:
        return CostForecast(seconds * len(rows), memory_bytes * len(rows))

    monkeypatch.setitem(STRATEGIES, name, replace(STRATEGIES[name], forecast=forecast))


def test_strategies_without_the_base_are_fitted_first_and_stand_in_the_order_of_the_ladder() -> None:
    rows, task = problem(Clock(60))
    keep, names = Memory(), ["majority", "linear-probe", "classic", "blend"]
    made = fit_strategies(rows, task, names, keep)
    assert keep.saved == ["majority", "classic", "linear-probe", "blend"]
    assert list(made.fitted) == list(made.seconds) == list(made.scores) == names


@pytest.mark.parametrize(("seconds", "memory_bytes"), [(1.0, 0.0), (0.0, 1e8)])
def test_a_rival_that_does_not_fit_learns_from_a_sample_and_says_so(
    monkeypatch: pytest.MonkeyPatch, seconds: float, memory_bytes: float
) -> None:
    monkeypatch.setattr(sampling, "SETTINGS", replace(sampling.SETTINGS, min_sample_rows=10))
    rows, task = problem(Clock(25))
    _costs_by_row(monkeypatch, "classic", seconds, memory_bytes)
    made = fit_strategies(rows, replace(task, max_memory_bytes=1.5e9), ["majority", "linear-probe", "classic"])
    predicted = np.isfinite(made.fitted["classic"].out_of_fold).all(axis=1)
    assert 10 <= predicted.sum() < 40 and np.bincount(task.codes[predicted]).min() >= 5
    assert any("of 40 rows" in note for note in made.fitted["classic"].notes)
    assert made.fitted["classic"].predict(rows).shape == (40, 2)
    assert np.isfinite(made.fitted["linear-probe"].out_of_fold).all() and "classic" in made.scores


def test_without_time_the_first_strategy_on_the_base_learns_from_a_sample_and_further_ones_are_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampling, "SETTINGS", replace(sampling.SETTINGS, min_sample_rows=20))
    rows, task = problem(Clock(0))
    for name in ("linear-probe", "shrinkage-lda"):
        _costs_by_row(monkeypatch, name, 100.0)
    made = fit_strategies(rows, task, ["majority", "linear-probe", "shrinkage-lda"])
    assert set(made.fitted) == {"majority", "linear-probe"} and "--time" in made.skipped["shrinkage-lda"]
    assert np.isfinite(made.fitted["linear-probe"].out_of_fold).all(axis=1).sum() == 20


def test_on_a_busy_machine_the_rival_and_the_probe_are_fitted_though_the_time_is_long_over(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = itertools.count(step=100.0)  # Every look at the clock finds 100 s gone: the limit is over at once.
    monkeypatch.setattr(record, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(cost_model, "measure_slowdown", lambda: 30.0)
    monkeypatch.setattr(scratch, "SETTINGS", replace(scratch.SETTINGS, floor_seconds=0.1))
    monkeypatch.setattr(sampling, "SETTINGS", replace(sampling.SETTINGS, min_sample_rows=20))
    rows, task = problem(Clock(60, started=next(ticks)))
    for name in ("classic", "linear-probe"):
        _costs_by_row(monkeypatch, name, 5.0)
        for _ in range(3):
            learnt_costs.learn_factor(name, "text", forecast_seconds=1.0, seconds=1e6)  # And it expects the worst.
    fitted = fit_strategies(rows, task, select_strategies("text", ()))
    rivals_and_probe = {"majority", "classic", "scratch", "linear-probe"}
    assert rivals_and_probe <= set(fitted.fitted)
    assert all(np.isfinite(fitted.losses[name]) for name in rivals_and_probe)
    assert "--time" in fitted.skipped["last-stages"]


def test_what_was_learnt_is_no_reason_to_leave_out_a_strategy_that_keeps_to_its_time(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, task = problem(Clock(300))
    costly = replace(STRATEGIES["classic"], kind="transfer", preset="default", forecast=lambda *_: CostForecast(200.0))
    monkeypatch.setitem(STRATEGIES, "classic", costly)
    learnt_costs.learn_factor("classic", "text", forecast_seconds=1.0, seconds=3.0)
    fitted = fit_strategies(rows, task, ["majority", "classic"])
    assert "classic" in fitted.fitted and 200 < fitted.forecasts["classic"].seconds <= 300


def test_what_other_programs_take_does_not_count_as_work(monkeypatch: pytest.MonkeyPatch) -> None:
    passed, processor = iter([0.0, 10.0, 20.0]), iter([0.0, 2.0, 30.0])
    monkeypatch.setattr(work_timer.time, "perf_counter", passed.__next__)
    monkeypatch.setattr(work_timer, "_read_processor", processor.__next__)
    timer = work_timer.WorkTimer(work_timer.time.perf_counter(), work_timer._read_processor())
    assert (timer.measure_work(), timer.measure_work()) == (2.0, 20.0)  # The second: several threads at once.


def test_a_busy_machine_is_measured_as_slower_than_an_idle_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cost_model.measure_slowdown(0.01) >= 1.0
    ticks = iter(range(100))
    monkeypatch.setattr(cost_model.time, "perf_counter", lambda: 3.0 * next(ticks))
    monkeypatch.setattr(cost_model.time, "thread_time", iter([0.0, 0.0, 0.5, 1.0, 1.0, 1.0]).__next__)
    assert cost_model.measure_slowdown(0.9) == pytest.approx(3.0)


def test_a_costlier_rung_takes_over_only_where_it_is_better_by_more_than_noise() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(200) % 2
    task = Task(classes=("a", "b"), codes=codes, folds=codes, balance="off", seed=0, clock=Clock(1))

    def told(shares: np.ndarray) -> np.ndarray:
        return np.where(codes[:, None] == np.arange(2), shares[:, None], 1 - shares[:, None])

    probe = rng.uniform(0.5, 0.9, 200)
    noisy = np.clip(probe + rng.normal(0.002, 0.3, 200), 0.05, 0.95)
    better = np.clip(probe + 0.05, 0.05, 0.95)
    assert choose_strategy(task, {"linear-probe": told(probe), "last-stages": told(noisy)}) == "linear-probe"
    assert choose_strategy(task, {"linear-probe": told(probe), "last-stages": told(better)}) == "last-stages"


HALF = np.array([[1.0, 0.0], [0.0, 1.0], [np.nan, np.nan], [np.nan, np.nan]])
TASK = Task(
    classes=("a", "b"),
    codes=np.array([0, 1, 0, 1]),
    folds=np.array([0, 0, 1, 1]),
    balance="off",
    seed=0,
    clock=Clock(1),
)


def test_a_partly_predicting_strategy_is_compared_on_its_own_rows() -> None:
    right, wrong = np.eye(2)[TASK.codes], 1 - np.eye(2)[TASK.codes]
    first_half = np.vstack([right[:2], wrong[2:]])
    second_half = np.vstack([wrong[:2], right[2:]])
    assert choose_strategy(TASK, {"classic": first_half, "scratch": HALF}) == "classic"
    assert choose_strategy(TASK, {"classic": second_half, "scratch": HALF}) == "scratch"


def test_equal_scores_go_to_the_cheaper_strategy_and_a_baseline_may_win() -> None:
    right, wrong = np.eye(2)[TASK.codes], 1 - np.eye(2)[TASK.codes]
    assert choose_strategy(TASK, {"linear-probe": right, "classic": right}) == "linear-probe"
    assert choose_strategy(TASK, {"majority": right, "linear-probe": wrong}) == "majority"
    unsure = np.array([[0.4, 0.6], [0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    assert choose_strategy(TASK, {"majority": np.full((4, 2), 0.5), "linear-probe": unsure}) == "linear-probe", (
        "within noise"
    )
    assert choose_strategy(TASK, {"majority": wrong, "linear-probe": right, "blend": right}) == "linear-probe"
    nothing = np.full((4, 2), np.nan)
    assert choose_strategy(TASK, {"majority": nothing, "classic": nothing}) == "classic"


@pytest.mark.parametrize("name", ["majority", "classic"])
def test_one_strategy_alone_is_chosen(name: str) -> None:
    rows, task = problem(Clock(60))
    assert fit_strategies(rows, task, [name]).chosen == name


def test_where_a_tuning_strategy_alone_is_skipped_the_probe_is_fitted_instead() -> None:
    rows, task = problem(Clock(0))
    made = fit_strategies(rows, task, ["last-stages"])
    assert made.chosen == "linear-probe" and list(made.fitted) == ["linear-probe"]
    assert "--time" in made.skipped["last-stages"]


def test_only_the_last_costly_strategy_may_take_nearly_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, task = problem(Clock(60))
    seen: dict[str, bool] = {}
    for name in ("last-stages", "contrastive"):

        def forecast(rows: StrategyRows, task: Task, name: str = name) -> CostForecast:
            seen[name] = task.is_only_costly
            raise StrategySkipped("it is not trained here")

        monkeypatch.setitem(STRATEGIES, name, replace(STRATEGIES[name], forecast=forecast))
    fit_strategies(rows, task, ["majority", "classic", "last-stages", "contrastive"])
    assert seen == {"last-stages": False, "contrastive": True}
    fit_strategies(rows, task, ["majority", "classic", "last-stages"])
    assert seen["last-stages"]


def test_where_every_strategy_is_skipped_and_none_stands_in_the_error_says_why() -> None:
    rows, task = problem(Clock(0))
    with pytest.raises(OptionError, match=r"None of the strategies could be trained.*blend: it needs two"):
        fit_strategies(rows, task, ["blend"])


@pytest.mark.parametrize("task", OBJECTIVES)
def test_scores_of_cross_validation_are_called_alike_while_training_and_in_the_report(task: str) -> None:
    assert OBJECTIVES[task].score_name == TASK_WORDINGS[task].validated
