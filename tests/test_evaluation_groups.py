"""Groups: a planted gap is found, chance is not, and too few rows are an answer of their own."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from headstart import flow
from headstart.errors import UnknownName
from headstart.evaluation import has_too_many_values, score_classes
from headstart.evaluation.fairness.groups import (
    correct_by_holm,
    score_groups,
)
from headstart.evaluation.settings import SETTINGS
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.records import Predictions, make_column
from headstart.report import write_sentence
from headstart.results import GroupColumn


def answers(right: NDArray[np.bool_]) -> Predictions:
    told = np.eye(2)[np.where(right, 0, 1)]
    return Predictions(
        ids=make_column([f"row {at}" for at in range(len(right))]), classes=("a", "b"), probabilities=told
    )


def compared(
    right: NDArray[np.bool_], clusters: NDArray[np.intp] | None = None, seed: int = 0, **columns: list[object]
) -> list[GroupColumn]:
    given = {name: make_column(values) for name, values in columns.items()}
    return score_groups(np.zeros(len(right), dtype=np.intp), answers(right), given, clusters=clusters, seed=seed)


def quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer permutations (the size of the test stays) and resamples."""
    quick = replace(SETTINGS, permutations=199, resamples=50)
    for name in ("fairness.gap_tests", "fairness.groups", "intervals"):
        monkeypatch.setattr(import_module(f"headstart.evaluation.{name}"), "SETTINGS", quick)


def drawn(kind: str, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.intp], NDArray[np.intp] | None]:
    """Rows right or not, and groups that have nothing to do with it: single rows, or four a patient."""
    if kind in ("two", "five"):
        n, k = (150, 2) if kind == "two" else (300, 5)
        return rng.random(n) < 0.8, rng.integers(0, k, n), None
    patient = np.sort(rng.integers(0, 60, 200))
    right = rng.random(200) < rng.beta(2, 1, 60)[patient]
    if kind == "one group a patient":
        return right, rng.integers(0, 2, 60)[patient], patient
    return right, (rng.random(200) < rng.beta(1, 1, 60)[patient]).astype(np.intp), patient


@pytest.mark.parametrize("kind", ["two", "five", "one group a patient", "several groups a patient"])
def test_groups_that_do_not_differ_are_rarely_told_apart(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quicker(monkeypatch)
    alarms, times = 0, 300
    for repeat in range(times):
        right, group, clusters = drawn(kind, np.random.default_rng([7, repeat]))
        found = compared(right, clusters, repeat, site=[f"site {at}" for at in group])[0]
        assert found.p_value is not None
        alarms += found.p_value <= 0.05
    assert 0.01 <= alarms / times <= 0.08, alarms / times


def test_ignoring_patients_would_raise_false_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    quicker(monkeypatch)
    alarms = 0
    for repeat in range(150):
        right, group, _ = drawn("one group a patient", np.random.default_rng([7, repeat]))
        alarms += (compared(right, None, repeat, site=list(map(str, group)))[0].p_value or 1.0) <= 0.05
    assert alarms / 150 > 0.08


def test_a_planted_gap_is_found_with_its_size_and_both_names() -> None:
    site = ["A"] * 100 + ["B"] * 100 + ["C"] * 100
    right = np.array([True] * 88 + [False] * 12 + [True] * 61 + [False] * 39 + [True] * 80 + [False] * 20)
    found = compared(right, site=site)[0]
    assert found.gap is not None
    assert (found.gap.value, found.gap_between) == (pytest.approx(0.27), ["A", "B"])
    assert 0.1 < found.gap.low < 0.27 < found.gap.high < 0.45
    assert found.p_value is not None
    assert found.p_value < 0.005
    assert write_sentence(found).startswith(
        "For site B the model was right 61 % of the time, for site A 88 %: a gap of 27 points (95 % interval "
    )
    assert "very likely real" in write_sentence(found)


def test_the_interval_of_a_gap_covers_it() -> None:
    covered = 0
    for repeat in range(200):
        rng = np.random.default_rng([11, repeat])
        right = np.concatenate([rng.random(60) < 0.9, rng.random(60) < 0.6])
        gap = compared(right, seed=repeat, site=["A"] * 60 + ["B"] * 60)[0].gap
        assert gap is not None
        covered += gap.low <= 0.3 <= gap.high
    assert 0.92 <= covered / 200 <= 0.995


def test_the_figures_of_a_group_are_those_of_its_rows_alone() -> None:
    rng = np.random.default_rng(5)
    codes, told = rng.integers(0, 3, 90), rng.dirichlet([1, 1, 1], 90)
    said = Predictions(ids=make_column(list(map(str, range(90)))), classes=("a", "b", "c"), probabilities=told)
    site = np.where(np.arange(90) % 3 == 0, "far", "near")
    found = score_groups(codes, said, {"site": make_column(site.tolist())}, clusters=None, seed=4)[0]
    rows = np.flatnonzero(site == "far")
    assert found.values[0].metrics == score_classes(
        codes[rows], Predictions(ids=said.ids[rows], classes=said.classes, probabilities=told[rows]), None, 4
    )


def test_a_group_just_below_the_minimum_cannot_be_told() -> None:
    right = np.arange(SETTINGS.min_rows * 3 - 1) % 3 > 0
    site = ["big"] * (2 * SETTINGS.min_rows) + ["small"] * (SETTINGS.min_rows - 1)
    found = compared(right, site=site)[0]
    assert [(item.value, item.told, item.metrics is None) for item in found.values] == [
        ("big", True, False),
        ("small", False, True),
    ]
    assert (found.gap, found.gap_between, found.p_value) == (None, None, None)
    assert write_sentence(found).startswith("Cannot tell: ")
    assert f"small: {SETTINGS.min_rows - 1} rows" in write_sentence(found)
    assert compared(np.append(right, True), site=[*site, "small"])[0].gap is not None


def test_many_rows_of_few_patients_cannot_be_told() -> None:
    site = ["A"] * 100 + ["B"] * 100
    patients = np.concatenate([np.arange(100) // (100 // (SETTINGS.min_clusters - 1) + 1), 500 + np.arange(100)])
    found = compared(np.ones(200, dtype=bool), patients, site=site)[0]
    assert [item.told for item in found.values] == [False, True]


def test_one_group_alone_and_no_values_cannot_be_told() -> None:
    right = np.ones(60, dtype=bool)
    assert "all of them have the value 'F'" in write_sentence(compared(right, sex=["F"] * 60)[0])
    assert "none of them has a value" in write_sentence(compared(right, sex=[""] * 60)[0])


def test_rows_without_a_value_are_counted_and_never_compared() -> None:
    right = np.array([True] * 60 + [False] * 90)
    found = compared(right, sex=["F"] * 30 + ["M"] * 30 + [None] * 30 + [float("nan")] * 30 + [" "] * 30)[0]
    assert [(item.value, item.n_rows, item.told) for item in found.values] == [
        ("", 90, False), ("F", 30, True), ("M", 30, True),
    ]  # fmt: skip
    assert found.gap is not None
    assert found.gap.value == 0


def test_a_column_with_many_values_only_keeps_rows_together() -> None:
    right = np.ones(320, dtype=bool)
    many = [f"patient {at % (SETTINGS.max_group_values + 1)}" for at in range(320)]
    found = compared(right, patient=many)[0]
    assert (found.values, found.gap) == ([], None)
    assert (
        write_sentence(found)
        == f"Not compared: {SETTINGS.max_group_values + 1} values with few rows each; they only keep rows together."
    )
    assert "bands (0-17" in write_sentence(compared(right, age=[str(at % 80) for at in range(320)])[0])
    assert not has_too_many_values(make_column([f"site {at % SETTINGS.max_group_values}" for at in range(320)]))
    assert has_too_many_values(make_column([f"patient {at // (SETTINGS.min_median_rows - 1)}" for at in range(40)]))


def test_everything_right_gives_no_gap_no_nan_and_no_warning() -> None:
    for share in (0.0, 1.0):
        found = compared(np.full(80, bool(share)), site=["A"] * 40 + ["B"] * 40, farm=["x", "y"] * 40)
        text = json.dumps([item.model_dump() for item in found], allow_nan=False)
        assert "NaN" not in text
        assert [item.p_value for item in found] == [1.0, 1.0]
        assert all(item.gap is not None and item.gap.low < 0 < item.gap.high for item in found)
        assert "no evidence" in write_sentence(found[0])


def test_more_columns_make_the_test_stricter() -> None:
    right = np.array([True] * 37 + [False] * 3 + [True] * 28 + [False] * 12)
    site = ["A"] * 40 + ["B"] * 40
    alone = compared(right, site=site)[0]
    among = compared(right, site=site, farm=["x", "y"] * 40, farmer=["u", "u", "v", "v"] * 20)[0]
    assert alone.p_value is not None and among.p_value == pytest.approx(3 * alone.p_value)
    assert "corrected for the 3 columns compared" in write_sentence(among)
    assert "corrected" not in write_sentence(alone)


def test_holm_equals_the_worked_figures() -> None:
    assert correct_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert correct_by_holm([None, 0.9]) == [None, 0.9]
    assert correct_by_holm([]) == []


def test_p_value_and_interval_never_disagree() -> None:
    for repeat in range(60):
        rng = np.random.default_rng([13, repeat])
        found = compared(rng.random(200) < 0.75, seed=repeat, site=[f"s{at}" for at in rng.integers(0, 6, 200)])[0]
        assert found.gap is not None and found.p_value is not None
        assert found.p_value <= 0.05 or found.gap.low <= 0


def test_a_value_of_few_rows_does_not_hide_the_gap_between_two_of_many() -> None:
    rows = {"a": (160, 200), "b": (125, 200), "c": (15, 25)}
    right = np.concatenate([np.arange(n) < hits for hits, n in rows.values()])
    (column,) = compared(right, site=[name for name, (_, n) in rows.items() for _ in range(n)])
    assert column.gap_between == ["a", "b"]
    assert column.p_value is not None and column.p_value < 0.005


def test_equal_gaps_of_chance_count_half_and_the_interval_agrees_with_the_test() -> None:
    site = ["a"] * 200 + ["b"] * 200
    (column,) = compared(np.concatenate([np.arange(200) < 160, np.arange(200) < 143]), site=site)
    assert column.p_value is not None and column.p_value == pytest.approx(0.046, abs=0.01)
    assert column.gap is not None and column.gap.low > 0
    (column,) = compared(np.concatenate([np.arange(200) < 160, np.arange(200) < 160]), site=site)
    assert column.p_value == 1.0


def test_a_different_mix_of_classes_is_named_as_a_possible_reason() -> None:
    codes = np.array([0] * 50 + [1] * 50)
    told = np.eye(2)[np.zeros(100, dtype=int)]
    said = Predictions(ids=make_column(list(map(str, range(100)))), classes=("a", "b"), probabilities=told)
    found = score_groups(codes, said, {"site": make_column(["A"] * 50 + ["B"] * 50)}, clusters=None, seed=0)[0]
    assert write_sentence(found).endswith("The two do not hold the same mix of classes, which may be why.")


def test_the_same_seed_gives_the_same_document_and_no_column_gives_nothing() -> None:
    right = np.random.default_rng(2).random(120) < 0.7
    site = ["A", "B", "C"] * 40
    assert compared(right, site=site) == compared(right, site=site)
    assert compared(right) == []


def test_adapt_and_evaluate_fill_the_groups_of_each_named_column(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["text,label,split,clinic,patient,sex,phone"]
    for at in range(360):
        label, test, clinic = at % 2, at >= 160, ("north", "south")[at // 2 % 2]
        told = rng.integers(0, 2) if test and clinic == "south" else label
        words = "clean water from the pump" if told else "bad road with holes"
        others = f"{clinic},p{at // 2},{'fm'[at // 8 % 2]},+25470{at:07d}"
        rows.append(f"{words} {rng.integers(1e6)},{label},{'test' if test else 'train'},{others}")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    asked = {"offline": True, "group": ("clinic", "patient")}
    made = flow.adapt(tmp_path / "t.csv", tmp_path / "o", parse(AdaptOptions, strategy="classic", **asked))
    scored = flow.evaluate(tmp_path / "o" / "bundle", tmp_path / "t.csv", parse(PredictOptions, **asked))
    with pytest.raises(UnknownName, match="no group column 'town'"):
        flow.evaluate(tmp_path / "o" / "bundle", tmp_path / "t.csv", parse(PredictOptions, group=("town",)))
    for found in (made.groups, scored.groups):
        clinic, patient, sex = found
        assert clinic.gap is not None
        assert clinic.gap_between == ["north", "south"]
        assert clinic.gap.low > 0.2
        assert patient.values == []
        assert (clinic.origin, sex.origin, clinic.n_columns_compared) == ("named", "column", 2)
        assert [item.answered is not None for item in sex.values] == [True, True]
    assert made.columns_left_alone == scored.columns_left_alone == {"phone": "personal"}
    assert made.languages == {"": 160}  # All texts are short.
    assert not any(b"+25470" in file.read_bytes() for file in (tmp_path / "o").rglob("*") if file.is_file())
    assert made.calibration is not None
    assert scored.calibration is not None
    assert scored.calibration.n_rows == made.n_rows.test == 200
