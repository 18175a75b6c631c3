"""Several labels, numbers and grades from end to end: adapt, report, bundle, predict, evaluate, Python."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import headstart as hs
from headstart import bundle as bundles
from headstart import flow
from headstart.bundle import CONFIG, MANIFEST
from headstart.errors import DataError, OptionError
from headstart.flow.reporting import read_report_rows
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.results import (
    Evaluation,
    Metrics,
    MultiLabelMetrics,
    OrdinalMetrics,
    RegressionMetrics,
    Result,
)

WORDS = {
    "water": ["the pump is dry", "no water at the well", "the tap smells"],
    "food": ["no bread left", "the market has no rice", "children are hungry"],
    "roads": ["the bridge is out", "a tree blocks the road", "no bus comes"],
}
EXAMPLES = {
    "multi-label": ("text", "tags", {"task": "multi-label"}),
    "regression": ("series", "height", {}),
    "ordinal": ("text", "grade", {"order": "low,middle,high"}),
}


def options(**values: object) -> AdaptOptions:
    return parse(
        AdaptOptions, **{"strategy": "majority,linear-probe,classic", "offline": True, "precision": "float32", **values}
    )


def messages(path: Path) -> Path:
    """Two hundred messages about any of three needs, with a grade of how many there are."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(200):
        needs = [name for name, share in zip(WORDS, (0.5, 0.4, 0.15), strict=True) if rng.random() < share]
        parts = [WORDS[need][int(rng.integers(3))] for need in needs] or ["all is well here"]
        grade = ("low", "middle", "high", "high")[len(needs)]
        rows.append(
            [f"{' and '.join(parts)}, message {number}", ";".join(needs), grade, ("north", "south")[number % 2]]
        )
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text", "tags", "grade", "place"], *rows])
    return path


def waves(path: Path) -> Path:
    """A hundred and twenty waves whose height is to be told."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["height", *(f"t{step}" for step in range(30))])
        for _ in range(120):
            height = rng.uniform(1, 5)
            wave = height * np.sin(np.arange(30) * 0.5 + rng.uniform(0, 6)) + rng.normal(0, 0.1, 30)
            writer.writerow([f"{height:.3f}", *(f"{value:.4f}" for value in wave)])
    return path


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Adapt once a kind; gives (data, output folder)."""
    root = tmp_path_factory.mktemp("kinds")
    tables = {"text": messages(root / "messages.csv"), "series": waves(root / "waves.csv")}
    made = {}
    for task, (modality, label, more) in EXAMPLES.items():
        flow.adapt(tables[modality], root / task, options(label=label, **more))
        made[task] = (tables[modality], root / task)
    return made


def result(out: Path) -> Result:
    return Result.model_validate_json((out / "result.json").read_text("utf-8"))


@pytest.mark.parametrize("task", list(EXAMPLES))
def test_adapt_learns_and_says_so(task: str, adapted: dict[str, tuple[Path, Path]]) -> None:
    found = result(adapted[task][1])
    assert found.task == task and found.n_rows.test > 20
    test = found.strategy(found.chosen).test
    if isinstance(test, MultiLabelMetrics):
        assert test.macro_f1.value > 0.85 and found.verdict.measure == "macro-F1"
        assert found.classes == ["food", "roads", "water"] and found.class_counts["roads"]["test"] >= 4
    elif isinstance(test, RegressionMetrics):
        assert test.r2 is not None and test.r2.value > 0.8 and found.classes == ["height"] and found.class_counts == {}
        assert found.fit is not None and len(found.fit.observed) == found.n_rows.test
    else:
        assert isinstance(test, OrdinalMetrics) and test.accuracy.value > 0.7  # near copies stay on one side
        assert found.classes == ["low", "middle", "high"] and found.confusion is not None
        assert test.quadratic_kappa is not None and test.quadratic_kappa.value > 0.7
    assert (found.confusion is None) == ("confusion" in found.not_measured)


@pytest.mark.parametrize("task", list(EXAMPLES))
def test_the_page_and_the_card_speak_of_what_there_is(task: str, adapted: dict[str, tuple[Path, Path]]) -> None:
    out = adapted[task][1]
    page, card = (out / "report.html").read_text("utf-8"), (out / "README.md").read_text("utf-8")
    rows = read_report_rows(out / "report_rows.json")
    assert rows is not None and page.count("data-row=") == rows.n_shown == rows.n_test > 0
    assert ("Furthest off first" in page) == (task == "regression") == (not rows.n_outcomes) == (not rows.examples)
    errors = [row.error or 0.0 for row in rows.gallery]
    assert task != "regression" or errors == sorted(errors, reverse=True)
    titles = {
        "multi-label": "This model gives messages any of 3 labels",
        "regression": "This model predicts height for recordings",
        "ordinal": "This model puts messages into 3 grades",
    }
    assert titles[task] in page
    assert ('id="confused"' in page) == (task == "ordinal")
    assert ("Label by label" in page) == (task == "multi-label")
    assert ("Predicted against true" in page) == (task == "regression")
    assert ("Can its probabilities be believed?" in page) == (task != "regression")
    assert "None" not in page and "nan" not in page.casefold().replace("finance", "")
    measure = {"multi-label": "Micro-F1", "regression": "Mean absolute error", "ordinal": "Quadratic kappa"}[task]
    assert measure in page and measure in card
    rows = [line for line in card.splitlines() if line.startswith("| linear-probe")]
    header = next(line for line in card.splitlines() if line.startswith("| Strategy"))
    assert len(rows) == 1 and rows[0].count("|") == header.count("|")


@pytest.mark.parametrize("task", list(EXAMPLES))
def test_a_loaded_bundle_says_what_the_run_said(
    task: str, adapted: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    table, out = adapted[task]
    with (out / "test_predictions.csv").open(encoding="utf-8") as handle:
        tested = {row["id"]: row for row in csv.DictReader(handle)}
    flow.predict(out, [table], tmp_path / "p.csv", parse(PredictOptions, offline=True, precision="float32"))
    with (tmp_path / "p.csv").open(encoding="utf-8") as handle:
        said = {row["input"]: row for row in csv.DictReader(handle)}
    answer = {"multi-label": "labels", "regression": "height", "ordinal": "label"}[task]
    assert len(tested) == result(out).n_rows.test and set(tested) <= set(said)
    for name, row in tested.items():
        if task == "regression":
            assert float(said[name]["height"]) == pytest.approx(float(row["predicted"]), rel=1e-3)
        else:
            assert said[name][answer] == row["predicted"]


def test_the_thresholds_of_the_run_are_those_of_the_bundle(adapted: dict[str, tuple[Path, Path]]) -> None:
    out = adapted["multi-label"][1]
    found, loaded = result(out), bundles.load_bundle(out)
    test = found.strategy(found.chosen).test
    assert isinstance(test, MultiLabelMetrics) and loaded.task == "multi-label"
    assert dict(zip(loaded.classes, loaded.thresholds, strict=True)) == {
        item.label: item.threshold for item in test.per_label
    }


DECIDED = ["answer", "set", "reason"]


@pytest.mark.parametrize(
    ("task", "columns"),
    [
        (
            "multi-label",
            ["input", "labels", "p(food)", "p(roads)", "p(water)", "answer", "sure", "set", "reason", "kind"],
        ),
        ("regression", ["input", "height", *DECIDED, "low", "high", "kind"]),
        (
            "ordinal",
            ["input", "label", "probability", "label_2", "probability_2", "label_3", "probability_3", *DECIDED, "kind"],
        ),
    ],
)
def test_the_csv_has_the_columns_of_its_kind(
    task: str, columns: list[str], adapted: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    table, out = adapted[task]
    flow.predict(out, [table], tmp_path / "p.csv", parse(PredictOptions, offline=True, precision="float32"))
    assert (tmp_path / "p.csv").read_text("utf-8").splitlines()[0].split(",") == columns


@pytest.mark.parametrize("task", list(EXAMPLES))
def test_json_says_the_same_as_the_csv(task: str, adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    table, out = adapted[task]
    asked = parse(PredictOptions, offline=True, precision="float32")
    said = flow.predictions(out, [table], asked)
    json.dumps(said)
    flow.predict(out, [table], tmp_path / "p.csv", asked)
    with (tmp_path / "p.csv").open(encoding="utf-8") as handle:
        for row, item in zip(csv.DictReader(handle), said, strict=True):
            if task == "multi-label":
                assert row["labels"] == ";".join(item["labels"])
                assert float(row["p(food)"]) == pytest.approx(item["probabilities"]["food"], abs=1e-6)
            elif task == "regression":
                assert float(row["height"]) == pytest.approx(item["value"], rel=1e-5)
            else:
                assert row["label"] == item["label"] == item["top"][0]["label"]


@pytest.mark.parametrize("task", list(EXAMPLES))
def test_evaluate_finds_what_the_run_found(task: str, adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    table, out = adapted[task]
    with (out / "test_predictions.csv").open(encoding="utf-8") as handle:
        tested = {row["id"] for row in csv.DictReader(handle)}
    lines = table.read_text("utf-8").splitlines()
    kept = [line for number, line in enumerate(lines, start=1) if number == 1 or f"{table.name}:{number}" in tested]
    fresh = tmp_path / "fresh.csv"
    fresh.write_text("\n".join(kept) + "\n", encoding="utf-8")
    group = ("place",) if task != "regression" else ()
    found = flow.evaluate(out, fresh, parse(PredictOptions, offline=True, precision="float32", group=group))
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    own = result(out)
    test = own.strategy(own.chosen).test
    assert found.task == task and found.n_rows == own.n_rows.test == len(tested) and test is not None
    assert type(found.metrics) is type(test)
    if isinstance(test, RegressionMetrics) and isinstance(found.metrics, RegressionMetrics):
        assert found.metrics.mean_absolute_error.value == pytest.approx(test.mean_absolute_error.value, rel=1e-3)
    elif isinstance(test, Metrics) and isinstance(found.metrics, Metrics):
        assert found.metrics.accuracy.value == test.accuracy.value
    assert [part.column for part in found.groups if part.origin == "named"] == list(group)


def test_evaluate_counts_labels_that_the_model_does_not_know(
    adapted: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    table = tmp_path / "new.csv"
    table.write_text(
        "text,tags\nno bread left,food;fire\na tree blocks the road,roads\nall is well,\n", encoding="utf-8"
    )
    found = flow.evaluate(adapted["multi-label"][1], table, parse(PredictOptions, offline=True))
    assert found.unknown_labels == {"fire": 1} and found.n_rows == 3
    table.write_text("text,tags\nno bread left,fire\n", encoding="utf-8")
    with pytest.raises(DataError, match="knows none of the labels"):
        flow.evaluate(adapted["multi-label"][1], table, parse(PredictOptions, offline=True))


def test_python_gives_tuples_numbers_and_grades(adapted: dict[str, tuple[Path, Path]]) -> None:
    several, grades = hs.load(adapted["multi-label"][1]), hs.load(adapted["ordinal"][1])
    answers = several.predict(["no water at the well and no bread left", "all is well here"])
    assert set(answers[0]) == {"food", "water"} and answers[1] == ()
    assert several.predict_proba(["all is well here"]).shape == (1, 3) and several.task == "multi-label"
    assert grades.predict(["all is well here"]).tolist() == ["low"]
    number = hs.load(adapted["regression"][1])
    wave = 4 * np.sin(np.arange(30) * 0.5).astype(np.float32)
    assert number.predict([wave])[0] == pytest.approx(4, abs=0.8)
    with pytest.raises(OptionError, match=r"gives a number \(height\), no probability"):
        number.predict_proba([wave])


def test_a_bundle_without_a_task_is_one_of_classes(adapted: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    import hashlib
    import shutil

    folder = tmp_path / "old"
    shutil.copytree(adapted["ordinal"][1] / "bundle", folder)
    config = json.loads((folder / CONFIG).read_text("utf-8"))
    del config["task"], config["thresholds"]
    (folder / CONFIG).write_text(json.dumps(config), "utf-8")
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    manifest["sha256"][CONFIG] = hashlib.sha256((folder / CONFIG).read_bytes()).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    assert bundles.load_bundle(folder).task == "classification"


def test_several_columns_and_rare_labels_work_to_the_end(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(120):
        marks = [int(rng.random() < 0.5), int(rng.random() < 0.4), int(number in (3, 50, 90)), int(number == 7)]
        parts = [list(WORDS.values())[at][number % 3] for at in range(3) if marks[at]] or ["all is well"]
        rows.append([f"{' and '.join(parts)} {number}", *marks])
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([["text", "water", "food", "roads", "once"], *rows])
    model = hs.adapt(tmp_path / "a.csv", tmp_path / "out", strategy="classic", offline=True, labels_per_class=30)
    found = result(tmp_path / "out")
    assert found.task == "multi-label" and found.classes == ["water", "food", "roads", "once"]
    assert any(item.kind == "small-class" and "once: 1" in item.summary for item in found.checks)
    assert model.predict(["the pump is dry"])[0] == ("water",)
    scored = flow.evaluate(tmp_path / "out", tmp_path / "a.csv", parse(PredictOptions, offline=True))
    assert scored.n_rows + scored.n_learnt == 120 and not scored.unknown_labels


def test_a_separate_test_table_is_read_in_the_same_way(tmp_path: Path) -> None:
    table = messages(tmp_path / "a.csv")
    other = tmp_path / "b.csv"
    other.write_text("text,tags\nno bread left today,food\nthe pump is dry again,water\nquiet,\n", encoding="utf-8")
    found = flow.adapt(
        table, tmp_path / "out", options(label="tags", task="multi-label", test=other, strategy="majority,classic")
    )
    assert found.n_rows.test == 3 and found.task == "multi-label"


def test_options_that_make_no_sense_for_numbers_are_refused(tmp_path: Path) -> None:
    table = waves(tmp_path / "a.csv")
    with pytest.raises(OptionError, match="--balance on: the label is a number"):
        flow.adapt(table, tmp_path / "out", options(label="height", balance="on"))
    with pytest.raises(OptionError, match="--labels-per-class 5: the label is a number"):
        flow.adapt(table, tmp_path / "out", options(label="height", labels_per_class=5))
