"""What pictures are drawn from: outcomes, certainty, periods, series, the map; on rows that are counted by hand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from headstart.decisions import NONE, NOT_SURE, Decisions
from headstart.flow.adaptation.row_map import place_rows
from headstart.flow.adaptation.series_overview import summarise_series
from headstart.flow.scoring.decisions import ScoredRows
from headstart.flow.scoring.outcomes import (
    measure_certainty,
    measure_class_outcomes,
    measure_group_outcomes,
    measure_outcomes,
    measure_over_time,
)
from headstart.records import Features, Predictions, Table, make_column
from headstart.results import GroupColumn, GroupValue
from headstart.results.report_rows import ReportRow, ReportRows
from headstart.strategies.record import Clock, StrategyRows, Task

GRADES = ("low", "middle", "high")


def table_of(n_rows: int, modality: str = "text", **columns: object) -> Table:
    texts = make_column([str(at) for at in range(n_rows)])
    parts = {"ids": texts, "inputs": texts, "hashes": texts, "labels": texts, "splits": make_column([""] * n_rows)}
    return Table(modality=modality, **(parts | columns))


def scored(truth: list[int], guesses: list[int], answered: list[bool], task: str = "classification") -> ScoredRows:
    n_rows, silent = len(truth), make_column([NOT_SURE, NONE] * len(truth))[: len(truth)]
    probabilities = np.full((n_rows, 3), 0.1)
    probabilities[np.arange(n_rows), guesses] = 0.8
    outcomes = make_column(
        [
            "answered" if is_answered else "not_sure" if at % 2 else "none_of_these"
            for at, is_answered in enumerate(answered)
        ]
    )
    empty = np.zeros((n_rows, 0))
    return ScoredRows(
        table=table_of(n_rows),
        truth=np.array(truth, dtype=np.intp),
        predictions=Predictions(
            ids=make_column([str(at) for at in range(n_rows)]), classes=GRADES, probabilities=probabilities, task=task
        ),
        decisions=Decisions(
            outcomes=outcomes,
            codes=np.where(answered, guesses, -1).astype(np.intp),
            answers=silent,
            sets=empty.astype(bool),
            ends=empty,
            reasons=silent,
            distances=np.full(n_rows, np.nan),
            sure=empty.astype(bool),
        ),
        clusters=None,
    )


ROWS = scored([0, 0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 1, 0, 2, 2], [True, True, True, True, True, False, True, False])


def test_rows_are_right_wrong_or_not_answered() -> None:
    shares = measure_outcomes(ROWS)
    assert shares is not None and shares.n_rows == 8 and shares.near is None
    assert (shares.right.value, shares.wrong.value, shares.not_answered.value) == (0.5, 0.25, 0.25)
    assert shares.right.low < 0.5 < shares.right.high
    first, second, third = measure_class_outcomes(ROWS)
    assert [(part.name, part.n_rows) for part in (first, second, third)] == [("low", 4), ("middle", 2), ("high", 2)]
    assert (first.right.value, first.wrong.value, second.not_answered.value) == (0.5, 0.5, 0.5)


def test_grades_that_are_one_off_are_counted_among_the_wrong_ones() -> None:
    rows = scored([0, 0, 0, 0], [0, 1, 2, 1], [True, True, True, False], task="ordinal")
    shares = measure_outcomes(rows)
    assert shares is not None and shares.near is not None
    assert (shares.near.value, shares.wrong.value, shares.not_answered.value) == (0.25, 0.5, 0.25)


def test_groups_that_were_compared_are_counted_like_classes() -> None:
    sites = make_column(["hill"] * 4 + ["shore"] * 3 + ["far"])
    values = [GroupValue(value=name, n_rows=n, told=name != "far", metrics=None) for name, n in Counter(sites).items()]
    column = GroupColumn(column="site", values=values, gap=None, gap_between=None, p_value=None)
    (part,) = measure_group_outcomes(ROWS, [column], {"site": sites})
    assert [(item.name, item.n_rows, item.right.value) for item in part.values] == [
        ("hill", 4, 0.5),
        ("shore", 3, 2 / 3),
    ]
    assert measure_group_outcomes(ROWS, [column], {}) == []


def test_certainty_is_counted_by_the_first_guess() -> None:
    bins = measure_certainty(ROWS)
    assert sum(part.n_right for part in bins) == 5 and sum(part.n_wrong for part in bins) == 3
    assert [(part.low, part.high) for part in bins if part.n_right] == [(0.8, 0.85)]


def test_periods_are_months_where_rows_suffice_and_none_else() -> None:
    days = ["2025-01-31", "2025-02-01"] * 5
    seconds = np.array(days, dtype="datetime64[s]").astype(np.float64)
    rows = scored([0] * 10, [0, 1] * 5, [True] * 10)
    dated = replace(rows, table=table_of(10, metadata={"when": make_column(days)}))
    assert measure_over_time(dated, lambda texts: None) == []
    (part,) = measure_over_time(dated, lambda texts: seconds)
    assert (part.column, part.unit, part.n_without) == ("when", "month", 0)
    assert [(period.start, period.n_rows, period.right.value) for period in part.periods] == [
        ("2025-01-01", 5, 1.0),
        ("2025-02-01", 5, 0.0),
    ]
    few = np.where(np.arange(10) < 5, seconds, np.nan)
    assert measure_over_time(dated, lambda texts: few) == []
    years = seconds + np.where(np.arange(10) < 5, 0, 400 * 86_400.0)
    assert measure_over_time(dated, lambda texts: years)[0].unit == "year"


def task_of(codes: np.ndarray) -> Task:
    return Task(classes=GRADES, codes=codes, folds=codes * 0, balance="auto", seed=0, clock=Clock(60.0))


def test_series_are_summarised_by_class_and_gaps_stay_gaps() -> None:
    series = [np.full((1, 200), float(at), dtype=np.float32) for at in (1, 3, 5, 7)]
    series[0] = series[0][:, :100]
    overview = summarise_series(
        table_of(4, "series", inputs=make_column(series)), task_of(np.array([0, 0, 1, 1], dtype=np.intp))
    )
    assert overview is not None and overview.n_steps == 200 and len(overview.steps) == 80
    low, middle = overview.channels[0].bands
    assert (low.label, low.n_rows, low.median[0], middle.median[0]) == ("low", 2, 2.0, 6.0)
    assert low.median[-1] is None and middle.low[0] == pytest.approx(5.2) and middle.high[0] == pytest.approx(6.8)
    assert len(json.dumps(overview.model_dump())) < 10_000
    assert summarise_series(table_of(2), task_of(np.zeros(2, dtype=np.intp))) is None


def place(values: np.ndarray) -> ReportRows:
    table = table_of(len(values))
    none = StrategyRows(table_of(0))
    features = Features(ids=table.ids, final=values.astype(np.float32), fingerprint="")
    prepared = SimpleNamespace(train=StrategyRows(table, features), test=none)
    rows = [ReportRow(id=str(name), split="train", true="a") for name in table.ids]
    return place_rows(prepared, ReportRows(rows=rows, n_test=0, n_shown=0))  # type: ignore[arg-type]


def test_rows_lie_near_each_other_on_the_map_if_their_features_do() -> None:
    values = np.random.default_rng(0).normal(size=(40, 6)) + np.repeat([[0.0], [9.0]], 20, axis=0)
    placed = place(values)
    assert placed == place(values) and placed.map_source == "features" and 0 < placed.map_spread_share <= 1
    places = np.array([[row.x, row.y] for row in placed.rows])
    assert ((places >= 0) & (places <= 1)).all()
    one, other = places[:20, 0], places[20:, 0]
    assert one.max() < other.min() or other.max() < one.min()


def test_rows_without_features_or_alike_have_no_place() -> None:
    for values in (np.ones((40, 6)), np.ones((3, 6))):
        placed = place(values)
        assert placed.map_source is None and placed.rows[0].x is None
