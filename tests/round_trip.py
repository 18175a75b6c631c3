"""What a model answers in memory it answers from its files: what the tests of each modality share.

Once with more training rows than features (arrays then lie in another memory order) and once with fewer.
"""

from __future__ import annotations

import csv
import importlib.util
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.tiny import BASES, MOVES

from headstart import bundle as bundles
from headstart import data
from headstart.bases import write_folder
from headstart.bundle import Bundle
from headstart.bundle.runtime.agreement import compare_outputs
from headstart.bundle.verification import verify_bundle
from headstart.decisions import Decisions
from headstart.flow.adaptation import decision_rules
from headstart.flow.adaptation.run import adapt_table
from headstart.flow.exports.portable import make_portable
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.inference.answer_tables import list_columns, write_row
from headstart.flow.inference.answers import make_answers
from headstart.flow.inference.predict_table import decide_table
from headstart.flow.run_records import AdaptedRun
from headstart.flow.scoring.predictions import choose_label_thresholds
from headstart.options import AdaptOptions, parse
from headstart.records import Predictions, Table, make_column
from headstart.strategies import STRATEGIES
from headstart.strategies.fitted import list_members
from headstart.task_types import TASK_TYPES

N_ROWS = {"more": {"image": 150, "text": 66, "series": 216}, "fewer": {"image": 36, "text": 24, "series": 36}}
"""Rows; tiny bases have 96, 32 and 148 features, and two thirds of the rows are learnt from."""
CASES = {
    "image": [("classification", "fewer"), ("regression", "fewer")],
    "text": [("classification", "more"), ("multi-label", "fewer")],
    "series": [("ordinal", "fewer"), ("regression", "fewer")],
}
"""Every task once, and of each modality one with classes and one without; all twelve add minutes and say no more."""
assert {task for cases in CASES.values() for task, _ in cases} == set(TASK_TYPES)
N_ASKED = 10
UNSUITABLE = {("lora", "image")}
"""The tiny network of pictures has no attention."""


def _inputs(modality: str, codes: np.ndarray, folder: Path) -> list[object]:
    rng = np.random.default_rng(7)
    if modality == "text":
        return [f"w{code}a w{code}b {rng.choice(['the', 'of', 'and'])} x{number}" for number, code in enumerate(codes)]
    if modality == "series":
        steps = np.arange(40)
        waves = [np.sin(steps * (0.2 + 0.1 * code)) + rng.normal(0, 0.2, 40) for code in codes]
        return [wave.astype(np.float32)[None] for wave in waves]
    folder.mkdir()
    paths = [folder / f"{number:04d}.png" for number in range(len(codes))]
    for path, code in zip(paths, codes, strict=True):
        pixels = rng.integers(0, 60, (32, 32, 3)) + np.array([code * 67 % 190, code * 29 % 190, 0])
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    return list(paths)


def table_of(modality: str, task: str, size: str, folder: Path) -> Table:
    """Rows of three classes, with labels for a task."""
    codes = np.random.default_rng(1).permutation(np.arange(N_ROWS[size][modality]) % 3)
    table = data.from_arrays(_inputs(modality, codes, folder), None, modality)
    names = make_column([f"class {code}" for code in codes])
    if task == "classification":
        return replace(table, labels=names)
    if task == "ordinal":
        return replace(table, labels=names, task=task, target_names=tuple(sorted(set(names))))
    if task == "regression":
        values = codes + np.random.default_rng(2).normal(0, 0.1, len(codes))
        targets = values.astype(np.float32)[:, None]
        return replace(
            table,
            task=task,
            labels=make_column([str(value) for value in values]),
            targets=targets,
            target_names=("height",),
        )
    marks = np.stack([codes == 0, codes != 1], axis=1).astype(np.float32)
    labels = make_column([";".join(name for name, has in zip("ab", row, strict=True) if has) for row in marks])
    return replace(table, task=task, labels=labels, targets=marks, target_names=("a", "b"))


def learn(modality: str, task: str, size: str, folder: Path) -> AdaptedRun:
    """Fit every strategy that suits; with few rows those that train a network are left to the other size."""
    write_folder(BASES[modality]().parts, folder / "base")
    names = [
        name for name, item in STRATEGIES.items()
        if modality in item.modalities and task in item.tasks and "unlabelled" not in item.uses
        and (name, modality) not in UNSUITABLE and (size == "more" or name not in {*MOVES, "scratch"})
    ]  # fmt: skip
    options = parse(
        AdaptOptions, base=f"file:{folder / 'base'}", strategy=",".join(names), offline=True, precision="float32",
        time=3600, audit="none",
    )  # fmt: skip
    return adapt_table(table_of(modality, task, size, folder / "rows"), None, options)


def models(adapted: AdaptedRun) -> Iterator[Bundle]:
    """Make each fitted strategy the model of a bundle, as `adapt` does with the one that it chooses."""
    prepared, options = adapted.prepared, parse(AdaptOptions, offline=True)
    for name, fitted in adapted.strategies.fitted.items():
        strategy = STRATEGIES[name]
        members = list_members(fitted.state())
        uses = strategy.predicts_from.union(*(STRATEGIES[member].predicts_from for member in members))
        policy = decision_rules.fit_policy(prepared, replace(adapted.strategies, chosen=name), frozenset(uses), options)
        reads = frozenset(uses | ({policy.out_of_distribution.reads} if policy.out_of_distribution else set()))
        yield replace(
            adapted.bundle, strategy=name, fitted=fitted, uses=reads, decision_policy=policy,
            backbone=prepared.backbone if "features" in reads else None,
            thresholds=choose_label_thresholds(prepared.task, fitted),
        )  # fmt: skip


def same(first: tuple[Predictions, Decisions, object], second: tuple[Predictions, Decisions, object]) -> None:
    """The same answers bit by bit, and probabilities but for rounding."""
    (said, made, failed), (again, remade, failed_again) = first, second
    assert failed == failed_again == {}
    np.testing.assert_allclose(again.probabilities, said.probabilities, atol=1e-6, rtol=1e-5)
    for part in ("outcomes", "codes", "answers", "sets"):
        np.testing.assert_array_equal(getattr(remade, part), getattr(made, part), err_msg=part)


def written_by_script(bundle: Path, paths: list[Path], capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Give the rows that the bundle's predict.py writes."""
    spec = importlib.util.spec_from_file_location("predict_of_bundle", bundle / "predict.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    capsys.readouterr()
    with warnings.catch_warnings():
        script.main([str(path) for path in paths])
    return list(csv.reader(capsys.readouterr().out.splitlines()))


def as_files(table: Table, folder: Path) -> list[Path]:
    """Write rows as predict.py reads them."""
    if table.modality == "image":
        return list(table.inputs)
    with (folder / "asked.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        if table.modality == "text":
            writer.writerows([["text"], *([text] for text in table.inputs)])
        else:
            writer.writerow([f"t{step}" for step in range(40)])
            writer.writerows([repr(float(value)) for value in values[0]] for values in table.inputs)
    return [folder / "asked.csv"]


def alike(found: list[list[str]], said: Predictions, made: Decisions, novelty_threshold: float) -> None:
    """The script's rows are those of the model in memory; a row on the very edge of a rule may fall to either side."""
    names = list_columns(said.task, said.classes)
    assert found[0] == names and len(found) == len(said.ids) + 1
    answered = make_answers(said, made)
    for row, cells in enumerate(found[1:]):
        if abs(float(made.distances[row]) - novelty_threshold) < 1e-3:
            continue
        expected = write_row(cells[0], answered[row])
        for name, cell, true in zip(names, cells, expected, strict=True):
            is_number = said.task == "regression" and name == "answer" and made.outcomes[row] == "answered"
            if is_number or name.startswith(("probability", "p(", "low", "high", "value")):
                assert float(cell) == pytest.approx(float(true), abs=2e-3, rel=2e-3), (name, cells, expected)
            elif name in ("label", "answer", "labels"):
                assert cell == true, (name, cells, expected)


def check_round_trips(modality: str, task: str, size: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fit every strategy that suits, write each as a bundle, and compare its answers in every form."""
    adapted = learn(modality, task, size, tmp_path)
    test = adapted.prepared.test.table
    asked = test.take(np.arange(min(N_ASKED, len(test))))
    files, tried = as_files(asked, tmp_path), []
    for bundle in models(adapted):
        place = tmp_path / bundle.strategy
        memory = decide_table(bundle, asked, "float32")
        if bundle.decision_policy and bundle.decision_policy.out_of_distribution:
            assert (memory[1].outcomes == "none_of_these").mean() < 0.5, "most rows are like the training rows"
        made = make_portable(bundle, asked, tmp_path / f"shipping-{bundle.strategy}")
        assert made.portable_files is not None and made.portable_files.config["ok"], made.portable_files
        check = lambda folder, made=made: require_same_answers(folder, made, asked)  # noqa: E731
        bundles.save_bundle(made, place, check=check)
        written = decide_table(made, asked, "float32")  # Weights of 16 bits, within the gate of the model in memory.
        assert compare_outputs(task, memory[0].probabilities, written[0].probabilities, bundle.thresholds).passes
        same(written, decide_table(bundles.load_bundle(place, "torch"), asked, "float32"))
        light = bundles.load_bundle(place, "onnx")
        said, decided, failed = decide_table(light, asked, "float32")
        found = compare_outputs(task, memory[0].probabilities, said.probabilities, bundle.thresholds)
        assert failed == {} and found.passes, found
        assert verify_bundle(place).passes
        threshold = (
            bundle.decision_policy.out_of_distribution.threshold
            if bundle.decision_policy and bundle.decision_policy.out_of_distribution
            else np.inf
        )
        alike(written_by_script(place, files, capsys), written[0], written[1], threshold)
        edge = np.abs(decided.distances - threshold) < 1e-3
        np.testing.assert_array_equal(decided.outcomes[~edge], written[1].outcomes[~edge])
        tried.append(bundle.strategy)
    assert {"majority", "linear-probe", "classic", "blend"} <= set(tried)
    if size == "more" and task == "classification":
        assert "last-stages" in tried
