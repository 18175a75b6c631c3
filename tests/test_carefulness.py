"""How careful a model is: the settings, what is chosen on held-out rows, and a run whose documents follow its model."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from headstart import flow
from headstart.decisions import Costs, DecisionPolicy
from headstart.errors import DataError, OptionError
from headstart.flow.scoring.carefulness import (
    DecidableRows,
    choose_level,
    decide_codes,
    list_refer_costs,
    measure_level,
    measure_levels,
    set_refer_cost,
)
from headstart.flow.scoring.scored_rows import FILE, read_run_rows
from headstart.options import SetCareOptions, parse
from headstart.records import Predictions, make_column
from headstart.report.sentences.carefulness import describe_level
from headstart.results import Result

CLASSES = ("blight", "noise", "rust")


def draw_rows(n: int = 300, seed: int = 0) -> DecidableRows:
    """Draw rows whose probabilities are what they say."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet((0.5, 0.2, 0.5), n)
    codes = np.array([rng.choice(3, p=row) for row in probabilities])
    return DecidableRows(codes=codes, probabilities=probabilities, is_refused=np.arange(n) % 50 == 0)


@pytest.mark.parametrize("costs", [None, Costs(((0.0, 1.0, 20.0), (1.0, 0.0, 1.0), (1.0, 1.0, 0.0)), 0.25, ("x",))])
@pytest.mark.parametrize("task", ["classification", "ordinal"])
def test_every_setting_decides_as_the_model_will(costs: Costs | None, task: str) -> None:
    rows = draw_rows()
    policy = DecisionPolicy(costs=costs)
    ids = make_column([str(at) for at in range(len(rows.codes))])
    predictions = Predictions(ids=ids, classes=CLASSES, probabilities=rows.probabilities, task=task)
    for level in measure_levels(rows, policy, CLASSES, task):
        careful = set_refer_cost(policy, level.refer_cost, CLASSES, task)
        expected = np.where(rows.is_refused, -1, careful.decide(predictions, None).codes)
        np.testing.assert_array_equal(decide_codes(careful, rows, CLASSES), expected)


def test_a_more_careful_model_answers_less_and_is_wrong_less_often() -> None:
    levels = measure_levels(draw_rows(3_000), DecisionPolicy(), CLASSES, "classification")
    assert (
        levels[0].n_left == sum(draw_rows(3_000).is_refused) + levels[0].n_left - levels[0].n_left or levels[0].n_left
    )
    assert all(one.n_left <= two.n_left and one.n_wrong >= two.n_wrong for one, two in pairwise(levels))
    assert all(level.n_right + level.n_wrong + level.n_left == 3_000 for level in levels)
    assert all(level.wrong.low <= level.wrong.value <= level.wrong.high for level in levels)
    assert levels[0].wrong_of_answered is not None and levels[-2].wrong_of_answered is not None
    assert levels[-2].wrong_of_answered.value < levels[0].wrong_of_answered.value / 5


def test_grades_that_are_far_off_cost_more() -> None:
    policy = set_refer_cost(DecisionPolicy(), 0.5, ("low", "middle", "high"), "ordinal")
    assert policy.costs is not None and policy.costs.matrix[0] == (0.0, 1.0, 2.0)
    assert list_refer_costs(policy.costs.matrix)[0] == 2.0


def test_the_chosen_setting_is_surely_good_enough_and_the_least_careful_such() -> None:
    levels = measure_levels(draw_rows(3_000), DecisionPolicy(), CLASSES, "classification")
    level = choose_level(levels, 0.1)
    assert level is not None and level.wrong_of_answered is not None and level.wrong_of_answered.high <= 0.1
    before = levels[levels.index(level) - 1]
    assert before.wrong_of_answered is not None and before.wrong_of_answered.high > 0.1
    assert choose_level(levels, 1e-6) is None


def test_few_examples_are_counted_and_not_told_of_a_hundred() -> None:
    rows = draw_rows(9)
    rows = replace(rows, is_refused=np.zeros(9, dtype=bool))
    text = describe_level(measure_level(rows, rows.codes, DecisionPolicy()), 9)
    assert text == "Of 9 examples it answers 9 right and 0 wrong, and leaves 0 to you."


@pytest.fixture
def run(noisy_run: Path) -> Path:
    """A finished run; a test leaves it as it was."""
    return noisy_run


def test_model_result_report_and_predictions_follow_a_setting_and_come_back(run: Path) -> None:
    before = {name: (run / name).read_text("utf-8") for name in ("result.json", "test_predictions.csv")}
    shown = flow.set_care(run, parse(SetCareOptions))
    assert shown is not None and not shown.is_by_cost and shown.has_calibration_rows
    assert 0 < shown.present.n_left < shown.n_rows
    everything = flow.set_care(run, parse(SetCareOptions, refer_cost=1.0))
    assert everything is not None and everything.is_by_cost and everything.present == everything.levels[0]
    changed = Result.model_validate_json((run / "result.json").read_text("utf-8"))
    assert (
        changed.abstention is not None
        and changed.abstention.n_answered == everything.n_rows - everything.present.n_left
    )
    assert changed.pictures is not None and changed.pictures.outcomes is not None
    assert changed.pictures.outcomes.right == everything.present.right
    rows = json.loads((run / "report_rows.json").read_text("utf-8"))
    assert rows["n_outcomes"]["right"] == everything.present.n_right
    assert flow.verify(run).passes
    flow.set_care(run, parse(SetCareOptions, reset=True))
    assert (run / "test_predictions.csv").read_text("utf-8") == before["test_predictions.csv"]
    restored = Result.model_validate_json((run / "result.json").read_text("utf-8"))
    assert restored == Result.model_validate_json(before["result.json"])


def test_a_run_of_an_older_version_is_read_from_its_predictions(run: Path, tmp_path: Path) -> None:
    result = Result.model_validate_json((run / "result.json").read_text("utf-8"))
    stored = read_run_rows(run, result)
    (run / FILE).rename(tmp_path / "aside")
    try:
        read = read_run_rows(run, result)
        with pytest.raises(DataError, match="held out in training"):
            flow.set_care(run, parse(SetCareOptions, at_most_wrong=5.0))
    finally:
        (tmp_path / "aside").rename(run / FILE)
    assert stored is not None and read is not None and not read.are_clusters_known and read.calibration is None
    np.testing.assert_array_equal(stored.test.codes, read.test.codes)
    np.testing.assert_allclose(stored.test.probabilities, read.test.probabilities, atol=1e-6)


def test_two_settings_at_once_are_refused(run: Path) -> None:
    with pytest.raises(OptionError, match="exclude each other"):
        flow.set_care(run, parse(SetCareOptions, refer_cost=1.0, reset=True))
