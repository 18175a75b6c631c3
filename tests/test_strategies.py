"""Every strategy on every modality keeps the contract of `headstart.strategies.record`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load, save
from tests.tiny import BASES, MOVES, train_briefly

from headstart.errors import UnknownName
from headstart.features.views import compute_final_features
from headstart.fitted_state import FittedState
from headstart.records import Features, Table, make_column
from headstart.strategies import STRATEGIES, select_strategies
from headstart.strategies.record import Clock, Fitted, StrategyRows, StrategySkipped, Task
from headstart.strategies.scoring import OBJECTIVES

PIXELS = 32
IMAGE_SPEC = {
    "size": PIXELS, "resize": PIXELS, "fit": "squash", "interpolation": "bilinear", "mean": [0.5] * 3, "std": [0.5] * 3,
}  # fmt: skip
SPECS: Mapping[str, Mapping[str, object]] = {
    "image": IMAGE_SPEC,
    "text": {"max_length": 16, "pad_id": 0},
    "series": {"length": 40, "n_channels": 1},
}
ARCHITECTURES: Mapping[str, Mapping[str, object]] = {
    "image": {"library": "timm", "name": "test_resnet", "kwargs": {}},
    "text": {"library": "transformers", "config": {"model_type": "bert"}},
    "series": {"library": "minirocket"},
}
NEED_MORE = {name for name, item in STRATEGIES.items() if "unlabelled" in item.uses}
"""Strategies that need rows without labels; they have tests of their own."""
PAIRS = [
    (name, modality)
    for name, item in STRATEGIES.items()
    for modality in item.modalities
    if name not in NEED_MORE and (name, modality) != ("lora", "image")  # The tiny network has no attention.
]


def _inputs(modality: str, codes: np.ndarray, folder: Path) -> list[object]:
    rng = np.random.default_rng(7)
    if modality == "text":
        return [f"w{code}a w{code}b {rng.choice(['the', 'of', 'and'])} x{rng.integers(9)}" for code in codes]
    if modality == "series":
        steps = np.arange(40)
        return [(np.sin(steps * (0.2 + 0.05 * c)) + rng.normal(0, 0.3, 40)).astype(np.float32)[None] for c in codes]
    paths = [folder / f"{number}.png" for number in range(len(codes))]
    for path, code in zip(paths, codes, strict=True):
        pixels = rng.integers(0, 60, (PIXELS, PIXELS, 3)) + np.array([code * 67 % 190, code * 29 % 190, 0])
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return list(paths)


def make(
    modality: str, codes: np.ndarray, n_classes: int, folder: Path, folds: np.ndarray | None = None
) -> tuple[StrategyRows, Task]:
    n = len(codes)
    ids = make_column([f"{number:064x}" for number in range(n)])
    table = Table(
        modality=modality,
        ids=ids,
        inputs=make_column(_inputs(modality, codes, folder)),
        hashes=ids,
        labels=None,
        splits=make_column([""] * n),
    )
    rng = np.random.default_rng(3)

    def features(n_dims: int) -> Features:
        centres = rng.normal(size=(n_classes, n_dims))
        values = centres[codes] + rng.normal(0, 0.5, (n, n_dims))
        values[:, 0] = 1.0
        stages = {f"stage-{number}": (values[:, :5] * number).astype(np.float32) for number in range(3)}
        return Features(ids, values.astype(np.float32), "made up", stages)

    folds = np.arange(n) // n_classes % 5 if folds is None else folds
    classes = tuple(f"class {code:03d}" for code in range(n_classes))
    task = Task(
        classes=classes,
        codes=codes.astype(np.intp),
        folds=folds.astype(np.intp),
        balance="auto",
        seed=0,
        clock=Clock(600),
        spec=SPECS[modality],
        architecture=ARCHITECTURES[modality],
    )
    descriptors = features(12) if modality == "image" else None
    if modality in BASES:
        task = replace(task, backbone=BASES[modality]())
    return StrategyRows(table, features(24), descriptors), task


def tuned(rows: StrategyRows, task: Task) -> StrategyRows:
    """Give rows the features of the base itself: what moves its weights starts there."""
    assert task.backbone is not None
    final = compute_final_features(rows.table, task.backbone)[0]
    return replace(rows, features=Features(rows.table.ids, final, "tiny"))


def fit(name: str, rows: StrategyRows, task: Task) -> Fitted:
    members: dict[str, Fitted] = {}
    for member in STRATEGIES[name].members:
        strategy = STRATEGIES[member]
        suits = rows.table.modality in strategy.modalities and task.kind in strategy.tasks
        if suits and strategy.preset == "quick" and member not in NEED_MORE:
            members[member] = strategy.fit(rows, task, {})
    if name in MOVES:
        return STRATEGIES[name].fit(tuned(rows, task), replace(task, folds=task.folds % 2), members)
    return STRATEGIES[name].fit(rows, task, members)


@pytest.fixture(autouse=True)
def _few_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    train_briefly(monkeypatch)


@pytest.mark.parametrize(("name", "modality"), PAIRS)
def test_a_strategy_is_seeded_restorable_and_leaves_random_state_alone(
    name: str, modality: str, tmp_path: Path
) -> None:
    rows, task = make(modality, np.arange(30) % 3, 3, tmp_path)
    np.random.seed(5)  # noqa: NPY002
    first = fit(name, rows, task)
    drawn = np.random.random()  # noqa: NPY002
    second = fit(name, rows, task)
    made = first.predict(rows)
    np.testing.assert_array_equal(first.out_of_fold, second.out_of_fold)
    np.testing.assert_array_equal(made, second.predict(rows))
    np.random.seed(5)  # noqa: NPY002
    assert drawn == np.random.random(), "the global generator was moved"  # noqa: NPY002

    assert made.shape == (30, 3) and np.isfinite(made).all()
    np.testing.assert_allclose(made.sum(axis=1), 1, atol=1e-6)
    there = np.isfinite(first.out_of_fold).all(axis=1)
    assert there.any() and (there | np.isnan(first.out_of_fold).all(axis=1)).all()
    np.testing.assert_allclose(first.out_of_fold[there].sum(axis=1), 1, atol=1e-6)

    state = first.state()
    arrays = load(save({key: np.ascontiguousarray(value) for key, value in state.arrays.items()}))
    restored = STRATEGIES[name].load(FittedState(json.loads(json.dumps(dict(state.meta))), arrays), task.classes)
    np.testing.assert_allclose(restored.predict(rows), made, atol=1e-6)
    assert restored.notes == first.notes and len(restored.out_of_fold) == 0
    assert restored.predict(rows.take(np.array([4]))).shape == (1, 3)


BARELY = {"majority", "scratch", *MOVES}
"""Strategies that learn nothing, or too little in a test's time."""
LEARNERS = [pair for pair in PAIRS if pair[0] not in BARELY]


@pytest.mark.parametrize(("name", "modality"), LEARNERS)
def test_what_can_be_learnt_is_learnt(name: str, modality: str, tmp_path: Path) -> None:
    rows, task = make(modality, np.arange(60) % 3, 3, tmp_path)
    fitted = fit(name, rows, task)
    assert (fitted.out_of_fold.argmax(axis=1) == task.codes).mean() > 0.9
    assert (fitted.predict(rows).argmax(axis=1) == task.codes).mean() > 0.9


KINDS = ("multi-label", "regression")
TRIPLES = [(name, modality, kind) for kind in KINDS for name, modality in PAIRS if kind in STRATEGIES[name].tasks]


def as_kind(task: Task, kind: str) -> Task:
    """Turn classes into another kind of task: a label each and a rare one, or a number far from zero."""
    codes = task.codes
    rare = np.arange(len(codes)) == 4
    labels = np.column_stack([*(codes == code for code in range(len(task.classes))), codes > 0, rare, codes < 0])
    if kind == "multi-label":
        names = tuple(f"label {number}" for number in range(labels.shape[1]))
        return replace(task, kind=kind, classes=names, truth=labels.astype(np.float32))
    return replace(task, kind=kind, classes=("height",), truth=(500.0 + 20 * codes[:, None]).astype(np.float32))


@pytest.mark.parametrize(("name", "modality", "kind"), TRIPLES)
def test_labels_and_numbers_are_learnt_and_restored(name: str, modality: str, kind: str, tmp_path: Path) -> None:
    rows, task = make(modality, np.arange(60) % 3, 3, tmp_path)
    task = as_kind(task, kind)
    fitted = fit(name, rows, task)
    made = fitted.predict(rows)
    assert made.shape == (60, len(task.classes)) and np.isfinite(made).all()
    assert np.isfinite(fitted.out_of_fold).all() or name in BARELY
    if name not in BARELY:
        assert OBJECTIVES[kind].score(task, fitted.out_of_fold) > 0.7
        assert OBJECTIVES[kind].score(task, made) > 0.7
    state = fitted.state()
    restored = STRATEGIES[name].load(FittedState(json.loads(json.dumps(dict(state.meta))), state.arrays), task.classes)
    np.testing.assert_allclose(restored.predict(rows), made, rtol=1e-5)


@pytest.mark.parametrize(("name", "modality", "kind"), [triple for triple in TRIPLES if triple[0] != "scratch"])
def test_a_label_that_nobody_has_and_a_number_that_never_changes_do_no_harm(
    name: str, modality: str, kind: str, tmp_path: Path
) -> None:
    rows, task = make(modality, np.arange(12) % 2, 2, tmp_path)
    task = as_kind(task, kind)
    assert task.truth is not None
    same = replace(task, truth=np.full_like(task.truth, task.truth[0, 0]))
    made = fit(name, rows, same).predict(rows)
    assert np.isfinite(made).all()
    if name not in BARELY - {"majority"}:
        np.testing.assert_allclose(made, same.truth, atol=0.2)


@pytest.mark.parametrize(("name", "modality"), PAIRS)
@pytest.mark.parametrize("n_classes", [2, 30])
def test_two_rows_a_class_are_enough(name: str, modality: str, n_classes: int, tmp_path: Path) -> None:
    codes = np.arange(2 * n_classes) % n_classes
    rows, task = make(modality, codes, n_classes, tmp_path, np.arange(2 * n_classes) // n_classes)
    if name in MOVES and len(rows) < 10:
        with pytest.raises(StrategySkipped, match="only 4 rows"):
            fit(name, rows, task)
        return
    made = fit(name, rows, task).predict(rows)
    assert made.shape == (2 * n_classes, n_classes) and np.isfinite(made).all()


@pytest.mark.parametrize(("name", "modality"), PAIRS)
def test_a_class_that_stands_in_one_fold_only_is_survived(name: str, modality: str, tmp_path: Path) -> None:
    codes = np.arange(24) % 3
    rows, task = make(modality, codes, 3, tmp_path, np.where(codes == 2, 0, np.arange(24) % 4))
    fitted = fit(name, rows, task)
    held = (task.folds == 0) & (codes == 2)
    assert np.isfinite(fitted.out_of_fold[held]).all()
    if name not in ("scratch", *MOVES):
        assert (fitted.out_of_fold[held][:, 2] < 0.35).all()
    assert np.isfinite(fitted.predict(rows)).all()


@pytest.mark.parametrize(("name", "modality"), PAIRS)
def test_without_folds_a_model_is_still_made(name: str, modality: str, tmp_path: Path) -> None:
    rows, task = make(modality, np.arange(12) % 3, 3, tmp_path, np.zeros(12))
    if name in MOVES:
        with pytest.raises(StrategySkipped, match="too few rows to hold some out"):
            fit(name, rows, task)
        return
    fitted = fit(name, rows, task)
    assert np.isnan(fitted.out_of_fold).all()
    assert np.isfinite(fitted.predict(rows)).all()


@pytest.mark.parametrize("balance", ["on", "off", "auto"])
@pytest.mark.parametrize(("name", "modality"), LEARNERS)
def test_classes_of_different_size_can_be_weighted(name: str, modality: str, balance: str, tmp_path: Path) -> None:
    codes = np.array([0] * 30 + [1] * 10)
    rows, task = make(modality, codes, 2, tmp_path, np.arange(40) % 5)
    task = Task(
        classes=task.classes,
        codes=task.codes,
        folds=task.folds,
        balance=balance,
        seed=0,
        clock=task.clock,
        spec=task.spec,
        architecture=task.architecture,
    )
    fitted = fit(name, rows, task)
    assert np.isfinite(fitted.predict(rows)).all()
    if name != "blend":
        assert ("rare classes weighted up" in fitted.notes) >= (balance == "on")
        assert ("rare classes weighted up" not in fitted.notes) >= (balance == "off")


def test_the_text_model_works_without_spaces_and_with_nothing_known(tmp_path: Path) -> None:
    rows, task = make("text", np.arange(40) % 2, 2, tmp_path)
    words = make_column(
        [("天气很好今天" if code else "足球比赛结果") + str(row) for row, code in enumerate(task.codes)]
    )
    table = Table(
        modality="text", ids=rows.table.ids, inputs=words, hashes=rows.table.ids, labels=None, splits=rows.table.splits
    )
    fitted = STRATEGIES["classic"].fit(StrategyRows(table), task, {})
    assert (fitted.out_of_fold.argmax(axis=1) == task.codes).all()
    nothing = Table(
        modality="text",
        ids=make_column(["a", "b"]),
        inputs=make_column(["", "ж"]),
        hashes=make_column(["a", "b"]),
        labels=None,
        splits=make_column(["", ""]),
    )
    assert np.isfinite(fitted.predict(StrategyRows(nothing))).all()


def test_scratch_without_time_learns_for_few_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headstart.strategies.baselines import scratch

    monkeypatch.setattr(scratch, "SETTINGS", replace(scratch.SETTINGS, floor_seconds=0.0))
    rows, task = make("text", np.arange(30) % 3, 3, tmp_path)
    fitted = STRATEGIES["scratch"].fit(rows, replace(task, clock=Clock(0)), {})
    assert any("1 passes over the rows" in note for note in fitted.notes)
    assert np.isfinite(fitted.out_of_fold).all(axis=1).any()


def test_names_come_in_ladder_order_with_their_members() -> None:
    usual = [name for name, item in STRATEGIES.items() if "text" in item.modalities and item.preset != "thorough"]
    usual = [name for name in usual if not STRATEGIES[name].on_request]
    assert select_strategies("text", (), unlabelled=True) == usual
    pooled = select_strategies("image", ("blend", "majority"))
    assert pooled[0] == "majority" and pooled[-1] == "blend" and "classic" in pooled and "scratch" not in pooled
    assert "shrinkage-lda" not in select_strategies("image", ("quick",), "regression")
    with pytest.raises(UnknownName, match="Did you mean 'classic'"):
        select_strategies("image", ("clasic",))
    with pytest.raises(UnknownName, match="for series data"):
        select_strategies("series", ("scratch",))


def test_listing_strategies_imports_nothing_heavy() -> None:
    code = (
        "import sys, headstart.strategies, headstart.ladder\n"
        "print([m for m in ('torch', 'sklearn', 'scipy', 'aeon', 'transformers', 'timm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


HEADS = [pair for pair in PAIRS if STRATEGIES[pair[0]].forecast is not None and pair[0] != "scratch"]


@pytest.mark.parametrize(("name", "modality"), HEADS)
def test_a_strategy_says_what_it_will_cost(name: str, modality: str, tmp_path: Path) -> None:
    rows, task = make(modality, np.arange(60) % 3, 3, tmp_path)
    rows = tuned(rows, task) if name in MOVES else rows
    for kind in ("classification", *KINDS):
        if kind in STRATEGIES[name].tasks:
            forecast = STRATEGIES[name].forecast
            assert forecast is not None
            made = forecast(rows, task if kind == "classification" else as_kind(task, kind))
            assert 0 < made.seconds < 60 and 0 < made.memory_bytes < 1e9
