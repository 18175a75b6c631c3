"""Names of classes that say something are more examples; names that say nothing are left out."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from headstart import data
from headstart.flow.adaptation.class_names import read_class_names
from headstart.flow.adaptation.run import _compute_run_key
from headstart.options import AdaptOptions
from headstart.records import Features
from headstart.strategies import blend
from headstart.strategies.fitted import FittedModel
from headstart.strategies.probes import shrinkage_lda
from headstart.strategies.record import Clock, StrategyRows, Task

CLASSES = ("health", "roads", "water")


def make_rows(per: int, seed: int, n_dims: int = 60) -> tuple[StrategyRows, np.ndarray, np.ndarray]:
    """Give rows of three classes that hardly differ, and the directions in which they do."""
    places = np.random.default_rng(7).normal(0, 1, (3, n_dims))
    codes = np.repeat(np.arange(3), per)
    values = places[codes] * 0.5 + np.random.default_rng(seed).normal(0, 1.5, (len(codes), n_dims))
    table = data.from_arrays([f"text {number}" for number in range(len(codes))], None, "text")
    return StrategyRows(table, Features(table.ids, values.astype(np.float32), "test", {})), codes, places


def make_task(codes: np.ndarray, names: np.ndarray | None) -> Task:
    held_out = len(codes) > 3
    folds = data.assign_folds(codes, np.arange(len(codes)), 5, 0) if held_out else np.zeros(len(codes), dtype=np.intp)
    return Task(
        classes=CLASSES, codes=codes, folds=folds, balance="off", seed=0, clock=Clock(np.inf),
        name_features=None if names is None else names.astype(np.float32),
    )  # fmt: skip


@pytest.mark.parametrize("per", [1, 3])
def test_names_that_lie_where_their_classes_do_raise_accuracy(per: int) -> None:
    rows, codes, places = make_rows(per, seed=1)
    asked, truth, _ = make_rows(200, seed=2)
    task = make_task(codes, places + 3)  # Names lie elsewhere as a whole: only how they differ counts.
    named = shrinkage_lda.fit(rows, task, {})
    plain = shrinkage_lda.fit(rows, replace(task, name_features=None), {})
    assert any("name of a class" in note for note in named.notes)
    right = [float((model.predict(asked).argmax(1) == truth).mean()) for model in (named, plain)]
    assert right[0] > right[1] + 0.05
    assert named.predict(asked).shape == (600, 3)


def test_names_that_say_nothing_are_left_out() -> None:
    rows, codes, _ = make_rows(20, seed=1)
    names = np.random.default_rng(5).normal(0, 1, (3, 60))
    assert not any("name of a class" in note for note in shrinkage_lda.fit(rows, make_task(codes, names), {}).notes)


@pytest.mark.parametrize("are_read", [True, False])
def test_heads_that_do_not_know_the_names_are_left_out_of_a_blend_where_another_one_does(are_read: bool) -> None:
    rows, codes, places = make_rows(5, seed=1)
    task = make_task(codes, places if are_read else None)
    sure = FittedModel(None, np.eye(3)[codes] * 0.7 + 0.1)  # type: ignore[arg-type]
    members = dict.fromkeys(("linear-probe", "shrinkage-lda", "multi-stage-probe", "classic"), sure)
    expected = {"shrinkage-lda", "classic"} if are_read else set(members)
    assert set(blend.fit(rows, task, members).predictor.weights) == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("classes", [("0", "1"), ("A", "B"), ("only one",), ("same_name", "same name")])
def test_names_without_words_are_not_read(classes: tuple[str, ...]) -> None:
    table = data.from_arrays(["one text", "another"], ["x", "y"], "text")
    assert read_class_names(table, classes, None, "auto", frozenset({"names"})) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("are_read", [True, False])
def test_a_run_with_other_names_is_not_resumed_where_names_are_read(are_read: bool) -> None:
    rows, codes, places = make_rows(3, seed=1)
    task = make_task(codes, places if are_read else None)
    keys = {
        _compute_run_key(
            SimpleNamespace(  # type: ignore[arg-type]
                train=rows, task=replace(task, classes=classes),
                backbone=SimpleNamespace(fingerprint="f"), extraction=SimpleNamespace(runtime="torch"),
            ),
            AdaptOptions(),
        )
        for classes in (CLASSES, ("h", "r", "w"))
    }  # fmt: skip
    assert len(keys) == 1 + are_read
