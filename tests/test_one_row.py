"""From one row a class, and data in which hardly anything differs: a model, or two lines that say why there is none."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tiny import text_base

from headstart import data, features, flow
from headstart.cli import show
from headstart.errors import DataError
from headstart.ladder import choose_strategy
from headstart.options import AdaptOptions, PredictOptions
from headstart.records import TRAINING_ONLY, Features, Table, list_held_out_folds, make_column
from headstart.results import Result
from headstart.strategies import STRATEGIES
from headstart.strategies.fine_tuning.last_stages import CONFIG
from headstart.strategies.fine_tuning.records import TrainingVariant
from headstart.strategies.fine_tuning.search import VariantSearch
from headstart.strategies.fine_tuning.trainer import Trainer, merge_folds
from headstart.strategies.record import Clock, StrategyRows, Task, renumber_folds

TEXTS = {"water": "The pump is broken", "roads": "The bridge is flooded", "school": "The teacher is absent"}


def _write(path: Path, rows: list[tuple[str, str]], columns: tuple[str, str] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([columns, *rows])
    return path


def _adapted(path: Path, out: Path, **options: object) -> Result:
    wanted = {"strategy": ("quick",), "time": 600, "audit": "none", **options}
    return flow.adapt(path, out, AdaptOptions.model_validate(wanted))


def _answers(out: Path, path: Path) -> list[str]:
    return [row["label"] for row in flow.predictions(out / "bundle", [path], PredictOptions())]


def test_one_text_a_class_is_learnt_and_its_scores_are_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(text, label) for label, text in TEXTS.items()]
    result = _adapted(_write(tmp_path / "t.csv", rows), tmp_path / "out")
    assert result.chosen == "shrinkage-lda"
    assert all(item.cross_validation is None for item in result.strategies)
    assert all(item.cross_validation_log_loss is None for item in result.strategies)
    assert "none of the 3 training rows can be held out" in result.not_measured["cross_validation"]
    assert _answers(tmp_path / "out", tmp_path / "t.csv") == list(TEXTS)
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Not measured" in report and "none of the 3 training rows can be held out" in report
    assert result.rows_missing_for_sets == 6 and "at least 6 more labelled rows are needed" in report
    assert result.split.startswith("no test rows")
    show.show_result(result, tmp_path / "out")
    told = capsys.readouterr().err
    assert "The score is the mean of accuracy and macro-F1." in told
    assert "at least 6 more labelled rows are needed" in " ".join(told.split())


def test_two_texts_a_class_are_each_held_out_once_and_sets_count_what_is_missing(tmp_path: Path) -> None:
    rows = [(f"{text} {number}", label) for number in ("now", "again") for label, text in TEXTS.items()]
    result = _adapted(_write(tmp_path / "t.csv", rows), tmp_path / "out")
    assert (result.n_rows.train, result.n_rows.test) == (6, 0) and "cross_validation" not in result.not_measured
    assert result.rows_missing_for_sets == 3  # Nine held-out rows are the least for sets of 90 %.
    assert result.verdict.transfer == "no evidence" and "conformal" in result.not_measured
    document = flow.predictions(tmp_path / "out" / "bundle", [tmp_path / "t.csv"], PredictOptions())
    assert [row["label"] for row in document] == [label for _, label in rows]


def test_a_class_that_stands_once_in_train_is_tested_on_a_given_test_set(tmp_path: Path) -> None:
    train = _write(tmp_path / "train.csv", [(text, label) for label, text in TEXTS.items()])
    test = _write(tmp_path / "test.csv", [(f"{text} again, please help", label) for label, text in TEXTS.items()] * 2)
    result = _adapted(train, tmp_path / "out", test=test)
    metrics = result.strategy(result.chosen).test
    assert metrics is not None and metrics.n_rows == 6
    assert metrics.accuracy.value == 1.0 and metrics.accuracy.low < 1.0  # type: ignore[union-attr]


def test_a_class_with_one_row_among_large_ones_is_learnt_and_left_out_of_the_figures(
    text_table: Path, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text_table.read_text("utf-8") + '"No nurse at the clinic today",health\n', encoding="utf-8")
    result = _adapted(path, tmp_path / "out", strategy=("shrinkage-lda",))
    assert result.classes == ["health", "roads", "school", "water"] and result.class_counts["health"]["train"] == 1
    assert "1 row in health" in result.not_measured["cross_validation"]
    assert result.strategy("shrinkage-lda").cross_validation is not None
    assert {item.kind for item in result.checks} >= {"single-row-class"}
    lone = _write(tmp_path / "new.csv", [("No nurse at the clinic today", "health")])
    assert _answers(tmp_path / "out", lone) == ["health"]


def test_a_label_that_applies_to_one_row_is_learnt(tmp_path: Path) -> None:
    rows = [(f"{text} {number}", label) for number in range(4) for label, text in TEXTS.items()]
    path = _write(tmp_path / "t.csv", [*rows, ("No nurse and no road", "health;roads")])
    result = _adapted(path, tmp_path / "out", task="multi-label", strategy=("linear-probe",))
    assert "health" in result.classes and "1 row in health" in result.not_measured["cross_validation"]


def _waves(label: int, rng: np.random.Generator) -> list[str]:
    return [f"{value:.4f}" for value in np.sin(np.arange(24) * (0.3, 1.1)[label] + rng.uniform(0, 6))]


def _series_table(path: Path, rows: list[tuple[str, list[str]]]) -> Path:
    lines = ["label," + ",".join(f"t{step}" for step in range(24))]
    lines += [",".join([name, *values]) for name, values in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_one_series_a_class_is_learnt(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = _series_table(tmp_path / "t.csv", [("slow", _waves(0, rng)), ("fast", _waves(1, rng))])
    result = _adapted(path, tmp_path / "out", strategy=("quick", "quant"))
    assert result.chosen == "shrinkage-lda" and not any(item.cross_validation for item in result.strategies)
    assert _answers(tmp_path / "out", path) == ["slow", "fast"]


def test_one_picture_a_class_is_learnt_and_black_pictures_give_a_model(tmp_path: Path) -> None:
    for label in range(2):
        for number in range(6):
            folder = tmp_path / "black" / f"c{label}"
            folder.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40 + number + 10 * label, 32)).save(folder / f"{number}.png")
    result = _adapted(tmp_path / "black", tmp_path / "out")
    assert result.n_rows.train >= 8 and "shrinkage-lda" in {item.name for item in result.strategies}
    for label in range(2):
        folder = tmp_path / "one" / f"c{label}"
        folder.mkdir(parents=True)
        Image.new("RGB", (32, 32), (200 * label, 90, 20)).save(folder / "0.png")
    assert _adapted(tmp_path / "one", tmp_path / "out2").chosen == "shrinkage-lda"


@pytest.mark.parametrize("task", ["auto", "multi-label"])
def test_rows_that_are_all_the_same_input_are_refused(tmp_path: Path, task: str) -> None:
    path = _write(tmp_path / "t.csv", [("no answer", "ab"[number % 2]) for number in range(12)])
    with pytest.raises(DataError, match="All 12 rows to learn from hold the same input"):
        _adapted(path, tmp_path / "out", task=task)


def test_series_that_are_all_the_same_are_refused(tmp_path: Path) -> None:
    path = _series_table(tmp_path / "t.csv", [("ab"[number % 2], ["1.5"] * 24) for number in range(12)])
    with pytest.raises(DataError, match="the same input"):
        _adapted(path, tmp_path / "out")


def test_two_inputs_many_times_are_not_measured_rather_than_wrong(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", [(("yes", "no")[number % 2], "ab"[number % 2]) for number in range(20)])
    result = _adapted(path, tmp_path / "out")
    assert all(item.cross_validation is None for item in result.strategies)
    assert _answers(tmp_path / "out", path)[:2] == ["a", "b"]


def test_four_rows_with_a_number_all_train(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", [(text, str(place * 10.5)) for place, text in enumerate("abcd")], ("text", "y"))
    result = _adapted(path, tmp_path / "out", label="y", task="regression", strategy=("linear-probe",))
    assert (result.n_rows.train, result.n_rows.test) == (4, 0)


def test_one_test_row_gives_no_verdict(tmp_path: Path) -> None:
    rows = [(f"{text} {number}", str(number + place)) for number in range(4) for place, text in enumerate("abc")]
    train, test = _write(tmp_path / "t.csv", rows), _write(tmp_path / "new.csv", [("a 9", "9.5")])
    result = _adapted(train, tmp_path / "out", task="regression", test=test)
    assert result.verdict.transfer == "no evidence" and result.verdict.difference is None
    assert "one test row, which says nothing of others" in result.verdict.sentence


def _lone_task(n_features: int = 6, constant: bool = False) -> tuple[StrategyRows, Task]:
    rng, codes = np.random.default_rng(0), np.array([0] * 10 + [1] * 10 + [2])
    features = np.ones((21, n_features)) if constant else rng.normal(size=(21, n_features)) + codes[:, None]
    ids = make_column([str(number) for number in range(21)])
    texts = make_column([f"row {'abc'[code]} {number}" for number, code in enumerate(codes)])
    table = Table(
        modality="text",
        ids=ids,
        inputs=texts,
        hashes=ids,
        labels=make_column(["xyz"[code] for code in codes]),
        splits=make_column(["train"] * 21),
        metadata={},
    )
    rows = StrategyRows(
        table, Features(ids, features.astype(np.float32), "k", stages={"stage-0": features.astype(np.float32)})
    )
    folds = np.append(np.arange(20) % 5, TRAINING_ONLY)
    return rows, Task(classes=("x", "y", "z"), codes=codes, folds=folds, balance="auto", seed=0, clock=Clock(60.0))


QUICK = ["majority", "linear-probe", "shrinkage-lda", "multi-stage-probe", "classic", "balanced-probe"]


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("constant", [False, True])
def test_every_quick_strategy_predicts_all_rows_that_are_held_out_and_learns_the_others(
    name: str, constant: bool
) -> None:
    rows, task = _lone_task(constant=constant)
    fitted = STRATEGIES[name].fit(rows, task, {})
    assert np.isfinite(fitted.out_of_fold[:20]).all() and np.isnan(fitted.out_of_fold[20]).all()
    assert (fitted.out_of_fold[:20, 2] > 0).all()  # The lone class was in every training part.
    shares = fitted.predict(rows)
    assert np.isfinite(shares).all() and np.allclose(shares.sum(axis=1), 1)
    if not constant and name != "majority":
        assert shares[20, 2] > shares[:20, 2].max()


@pytest.mark.parametrize("name", QUICK)
def test_without_any_fold_every_quick_strategy_still_learns(name: str) -> None:
    rows, task = _lone_task()
    alone = Task(
        classes=task.classes,
        codes=task.codes,
        folds=np.full(21, TRAINING_ONLY),
        balance="auto",
        seed=0,
        clock=Clock(60.0),
    )
    fitted = STRATEGIES[name].fit(rows, alone, {})
    assert np.isnan(fitted.out_of_fold).all() and np.isfinite(fitted.predict(rows)).all()


def test_one_row_a_class_does_not_make_a_model_certain() -> None:
    rows, task = _lone_task()
    some = np.array([0, 10, 20])
    alone = Task(
        classes=task.classes,
        codes=task.codes[some],
        folds=np.full(3, TRAINING_ONLY),
        balance="auto",
        seed=0,
        clock=Clock(60.0),
    )
    shares = STRATEGIES["shrinkage-lda"].fit(rows.take(some), alone, {}).predict(rows.take(some))
    assert (shares.max(axis=1) < 0.9).all() and (shares.argmax(axis=1) == [0, 1, 2]).all()


def test_folds_are_renumbered_and_merged_around_rows_that_stay() -> None:
    folds = np.array([4, TRAINING_ONLY, 7, 4])
    assert renumber_folds(folds).tolist() == [0, TRAINING_ONLY, 1, 0]
    assert merge_folds(folds, 3).tolist() == [1, TRAINING_ONLY, 1, 1] and list_held_out_folds(folds) == [4, 7]


def test_copies_of_one_row_stay_in_training_like_a_lone_row() -> None:
    codes = np.array([0, 0, 0, 1, 1, 1])
    table = Table(
        modality="text", **dict.fromkeys(("ids", "inputs", "hashes", "labels", "splits"), make_column(["x"] * 6))
    )
    dealt = data.assign_folds(codes, np.array([0, 0, 0, 1, 2, 3]), 5, 0)
    (folds,) = data.mark_lone_classes((dealt,), codes, table)
    assert (folds[:3] == TRAINING_ONLY).all() and (folds[3:] != TRAINING_ONLY).all()


def test_where_nothing_was_held_out_a_stated_default_is_taken() -> None:
    nothing = np.full((2, 2), np.nan)
    task = Task(
        classes=("a", "b"),
        codes=np.array([0, 1]),
        folds=np.full(2, TRAINING_ONLY),
        balance="off",
        seed=0,
        clock=Clock(1.0),
    )
    assert (
        choose_strategy(task, {"majority": nothing, "linear-probe": nothing, "shrinkage-lda": nothing})
        == "shrinkage-lda"
    )
    assert choose_strategy(task, {"majority": nothing, "blend": nothing}) == "blend"


def test_a_strategy_that_moves_weights_keeps_lone_rows_in_every_training_part() -> None:
    base, rng = text_base(), np.random.default_rng(0)
    codes = np.array([0] * 8 + [1] * 8 + [2])
    texts = make_column(["".join(rng.choice(list("abc" if code else "xyz"), 6)) for code in codes])
    ids = make_column([f"{number:064x}" for number in range(17)])
    table = Table(
        modality="text",
        ids=ids,
        inputs=texts,
        hashes=ids,
        labels=make_column(["xyz"[code] for code in codes]),
        splits=make_column(["train"] * 17),
        metadata={},
    )
    made = features.extract_features(table, base, "float32", frozenset({"features"}))
    task = Task(
        classes=("x", "y", "z"),
        codes=codes,
        folds=np.append(np.arange(16) % 4, TRAINING_ONLY),
        balance="off",
        seed=0,
        clock=Clock(60.0),
        spec=base.spec,
        architecture=base.parts.architecture,
        backbone=base,
        precision="float32",
    )
    trials = VariantSearch(Trainer(CONFIG, StrategyRows(table, made.features), task), task.clock)
    assert trials.folds_of_repeat(0) == [0, 1, 2, 3]
    choice = trials.score_variant(TrainingVariant(trials.source_of(trials.tails[0]), False, 1), trials.held_out_folds())
    assert np.isnan(choice.outputs[16]).all() and np.isfinite(choice.outputs[:16]).all()
