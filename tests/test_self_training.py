"""Rows without labels: read from where they are, kept out of every held-out row's sight, and used where they help."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from headstart import data
from headstart.cli.main import app
from headstart.errors import DataError, OptionError
from headstart.options import ReadOptions, parse
from headstart.records import Features, Table, make_column
from headstart.strategies import STRATEGIES, select_strategies
from headstart.strategies.probes.self_training import select_confident_rows
from headstart.strategies.record import Clock, StrategyRows, StrategySkipped, Task

SELF = STRATEGIES["self-training"]


def rings(n_rows: int, seed: int) -> tuple[StrategyRows, np.ndarray]:
    """Two half moons in 2 of 6 dimensions: similar rows have one label, no line parts them with few labels."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, n_rows)
    angle = rng.uniform(0, np.pi, n_rows)
    x = np.where(codes == 0, np.cos(angle), 1 - np.cos(angle))
    y = np.where(codes == 0, np.sin(angle), 0.5 - np.sin(angle))
    values = np.column_stack([4 * x, 4 * y, rng.normal(0, 0.05, (n_rows, 4))]).astype(np.float32)
    ids, blank = make_column([f"{seed}-{row}" for row in range(n_rows)]), make_column([""] * n_rows)
    return StrategyRows(
        Table(modality="text", ids=ids, inputs=blank, hashes=ids, labels=None, splits=blank),
        Features(ids, values, "made"),
    ), codes


def task_of(codes: np.ndarray, unlabelled: StrategyRows | None) -> Task:
    folds = np.arange(len(codes)) // 2 % 4
    return Task(
        classes=("a", "b"), codes=codes, folds=folds, balance="off", seed=0, clock=Clock(600.0), unlabelled=unlabelled
    )


def balanced(seed: int) -> tuple[StrategyRows, np.ndarray]:
    rows, codes = rings(60, seed)
    kept = np.concatenate([np.flatnonzero(codes == code)[:8] for code in range(2)])
    order = np.argsort(np.tile(np.arange(8), 2), kind="stable")
    return rows.take(kept[order]), codes[kept[order]]


def test_rows_without_labels_help_where_similar_rows_have_one_label() -> None:
    rows, codes = balanced(1)
    bare, _ = rings(400, 2)
    test, truth = rings(400, 3)
    fitted = SELF.fit(rows, task_of(codes, bare), {})
    probe = STRATEGIES["linear-probe"].fit(rows, task_of(codes, None), {})
    right = [(model.predict(test).argmax(axis=1) == truth).mean() for model in (fitted, probe)]
    assert right[0] > right[1] + 0.02
    assert np.allclose(fitted.predict(test).sum(axis=1), 1)
    assert "400 rows without labels" in fitted.notes[0]


def test_a_held_out_row_is_predicted_without_its_label() -> None:
    rows, codes = balanced(1)
    bare, _ = rings(100, 2)
    task = task_of(codes, bare)
    before = SELF.fit(rows, task, {}).out_of_fold
    held = task.folds == 0
    turned = np.where(held, 1 - codes, codes)
    # The strength is chosen on all folds, so it is held fixed here by giving the same task but for the labels held out.
    from headstart.strategies.probes import self_training

    def out_of_fold(labels: np.ndarray) -> np.ndarray:
        learnt = self_training.fit_head
        try:
            self_training.fit_head = lambda features, other: learnt(features, task)
            return SELF.fit(rows, replace(task, codes=labels), {}).out_of_fold
        finally:
            self_training.fit_head = learnt

    assert np.allclose(out_of_fold(turned)[held], before[held])
    assert np.isfinite(before).all()


def test_the_same_seed_gives_the_same_model_and_a_restored_one_predicts_the_same() -> None:
    rows, codes = balanced(1)
    bare, _ = rings(100, 2)
    test, _ = rings(30, 3)
    first, second = (SELF.fit(rows, task_of(codes, bare), {}) for _ in range(2))
    assert np.array_equal(first.predict(test), second.predict(test))
    back = SELF.load(first.state(), ("a", "b"))
    assert np.allclose(back.predict(test), first.predict(test), atol=1e-6)
    assert back.predict(test.take(np.arange(0))).shape == (0, 2)


def test_without_enough_rows_it_says_what_it_needs_and_is_left_out_of_the_list() -> None:
    rows, codes = balanced(1)
    few, _ = rings(5, 2)
    for bare in (None, few):
        with pytest.raises(StrategySkipped, match="at least 20 unlabelled rows"):
            SELF.fit(rows, task_of(codes, bare), {})
    assert "self-training" not in select_strategies("text", ()) + select_strategies("text", ("blend",))
    assert "self-training" in select_strategies("text", (), unlabelled=True)
    assert select_strategies("text", ("self-training",)) == ["self-training"]
    assert "self-training" not in select_strategies("text", (), "regression", unlabelled=True)


def test_a_class_that_one_fold_alone_has_and_rows_without_folds_are_survived() -> None:
    rows, codes = balanced(1)
    bare, _ = rings(50, 2)
    task = task_of(codes, bare)
    alone = replace(task, folds=codes)
    fitted = SELF.fit(rows, alone, {})
    assert np.allclose(fitted.out_of_fold.sum(axis=1), 1)
    whole = SELF.fit(rows, replace(task, folds=np.zeros(len(codes), dtype=np.intp)), {})
    assert np.isnan(whole.out_of_fold).all() and np.isfinite(whole.predict(bare)).all()


def test_sure_rows_come_from_every_class_by_its_share() -> None:
    shares = np.column_stack([np.linspace(0.1, 0.9, 40), np.linspace(0.9, 0.1, 40)])
    rows = select_confident_rows(shares, np.array([0.75, 0.25]))
    answers = shares[rows].argmax(axis=1)
    assert (answers == 0).sum() == 15 and (answers == 1).sum() == 5
    assert shares[rows].max(axis=1).min() > 0.6


def mixed(text_table: Path, path: Path) -> Path:
    lines = text_table.read_text("utf-8").splitlines()
    bare = [line if number % 2 else line.rsplit(",", 1)[0] + "," for number, line in enumerate(lines[1:])]
    path.write_text("\n".join([lines[0], *bare]) + "\n", "utf-8")
    return path


def test_what_unlabelled_says_is_checked_and_stop_and_drop_stay_as_they_were(text_table: Path, tmp_path: Path) -> None:
    path = mixed(text_table, tmp_path / "mixed.csv")
    with pytest.raises(OptionError, match="--unlabelled us: this is neither stop, drop, use nor a path that exists"):
        data.read_table(path, parse(ReadOptions, unlabelled="us"))
    with pytest.raises(DataError, match="30 rows have no label"):
        data.read_table(path, parse(ReadOptions))
    assert len(data.read_table(path, parse(ReadOptions, unlabelled="drop"))) == 30


def test_use_gives_the_rows_of_the_data_without_a_label(text_table: Path, tmp_path: Path) -> None:
    path = mixed(text_table, tmp_path / "mixed.csv")
    options = parse(ReadOptions, unlabelled="use")
    table = data.read_table(path, options)
    bare = data.read_unlabelled(table, options)
    assert len(table) == 30 and len(bare) == 30 and bare.labels is None
    assert not set(table.hashes) & set(bare.hashes)


def test_rows_elsewhere_that_stand_among_the_others_are_left_out(text_table: Path, tmp_path: Path) -> None:
    lines = text_table.read_text("utf-8").splitlines()
    (tmp_path / "mine.csv").write_text("\n".join(lines[:31]) + "\n", "utf-8")
    bare = tmp_path / "bare.csv"
    bare.write_text("text\n" + "\n".join(line.rsplit(",", 1)[0] for line in lines[21:]) + "\n", "utf-8")
    options = parse(ReadOptions, unlabelled=str(bare))
    table = data.read_table(tmp_path / "mine.csv", options)
    assert len(data.read_unlabelled(table, options)) == len(lines) - 31


def test_adapt_tries_it_with_rows_without_labels_only(text_table: Path, tmp_path: Path) -> None:
    path = mixed(text_table, tmp_path / "mixed.csv")
    wanted = ["--strategy", "linear-probe,self-training,blend", "--json", "-q"]
    done = CliRunner().invoke(app, ["adapt", str(path), "-o", str(tmp_path / "out"), "--unlabelled", "use", *wanted])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert "self-training" in [item["name"] for item in document["strategies"]]
    assert document["n_rows"]["train"] + document["n_rows"]["test"] == 30
