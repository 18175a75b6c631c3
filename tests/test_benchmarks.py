"""The parts of the benchmarks that can go wrong without anybody noticing: tables, material, equal rows, resuming."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in [path.stem for path in FOLDER.glob("*.py")]:
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_table_has_a_column_for_every_key_and_a_blank_where_a_row_lacks_it() -> None:
    import tables

    assert tables.table([{"a": 1}, {"a": 2, "b": "x"}]) == "| a | b |\n|---|---|\n| 1 |  |\n| 2 | x |"


def test_a_section_is_replaced_and_the_others_are_kept() -> None:
    import tables

    text = tables.replace_section(tables.replace_section("", "One", "old"), "Two", "kept")
    again = tables.replace_section(text, "One", "new")
    assert "old" not in again
    assert again.count("## One\n\nnew\n") == again.count("## Two\n\nkept\n") == 1
    assert again == tables.replace_section(again, "One", "new")


def test_percent_shows_the_interval_and_says_when_there_is_none() -> None:
    import tables

    assert tables.percent({"value": 0.5, "low": 0.25, "high": 0.755}) == "50.0 (25.0-75.5)"
    assert tables.percent(None) == "-"


def test_missing_pictures_are_topped_up_by_crops(tmp_path: Path) -> None:
    import material
    from PIL import Image

    source = tmp_path / "data" / "corn_leaf" / "train" / "rust"
    source.mkdir(parents=True)
    for number in range(3):
        Image.new("RGB", (50, 40), (number * 80, 90, 10)).save(source / f"{number}.jpg")
    said = material.image_folder(tmp_path / "data", 7, tmp_path / "out")
    assert "topped up with 4" in said
    assert len(list((tmp_path / "out" / "corn_leaf-rust").glob("*.jpg"))) == 7


def test_without_a_data_folder_rows_are_generated_the_same_each_time(tmp_path: Path) -> None:
    import material

    nowhere = tmp_path / "nowhere"
    assert "generated" in material.image_folder(nowhere, 5, tmp_path / "images")
    assert len(list((tmp_path / "images").rglob("*.jpg"))) == 5
    for name in ("a.csv", "b.csv"):
        assert material.text_table(nowhere, 9, tmp_path / name).startswith("9 texts")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_official_splits_are_kept_apart(tmp_path: Path) -> None:
    import material

    table = tmp_path / "rows.csv"
    table.write_text("text,label,split\na,x,train\nNone,y,test\nc,x,train\n", encoding="utf-8")
    split = material.texts(table)
    assert (split.train, split.train_labels, split.test, split.test_labels) == (["a", "c"], ["x", "x"], ["None"], ["y"])


def test_rows_kept_for_validation_are_training_rows(tmp_path: Path) -> None:
    import material

    table = tmp_path / "rows.csv"
    table.write_text("text,label,split\na,x,train\nb,y,valid\nc,x,test\n", encoding="utf-8")
    assert material.texts(table).train == ["a", "b"]


def split_of(n_train: int = 30, n_test: int = 12) -> Any:
    import material

    def some(n: int, name: str) -> list[str]:
        return [f"{name} {number}" for number in range(n)]

    def labels(n: int) -> list[str]:
        return [("b", "a", "c")[number % 3] for number in range(n)]

    return material.Split(some(n_train, "train"), labels(n_train), some(n_test, "test"), labels(n_test))


def drawn_of(labels: int, seed: int = 0) -> Any:
    from drawing import Caps, draw

    return draw(split_of(), ("text", "words", labels, seed), Caps(20, 9))


def test_a_draw_takes_the_labels_asked_for_and_the_same_test_rows_every_time() -> None:
    first, second, all_rows = drawn_of(2), drawn_of(2, seed=1), drawn_of(0)
    assert first == drawn_of(2)
    assert sorted(first.train_labels) == ["a", "a", "b", "b", "c", "c"]
    assert first.train != second.train and first.digest != second.digest
    assert first.test == second.test == all_rows.test and len(first.test) == 9
    assert len(all_rows.train) == 20


def test_a_draw_of_more_labels_than_there_are_is_the_draw_of_all() -> None:
    from drawing import Caps, draw

    hundred, everything = (draw(split_of(), ("text", "words", count, 0), Caps(1000, 9)) for count in (100, 0))
    assert hundred.digest == everything.digest


@pytest.mark.parametrize("kind", ["image", "text", "series"])
def test_every_tool_reads_the_rows_that_were_drawn_in_their_order(kind: str, tmp_path: Path) -> None:
    from drawing import Caps, draw, rows, written
    from PIL import Image

    split = split_of()
    if kind == "image":
        for part in (split.train, split.test):
            for number, name in enumerate(part):
                part[number] = tmp_path / f"{name}.{'png' if number % 2 else 'jpg'}"
                Image.new("RGB", (8, 8), (number * 9, 90, 10)).save(part[number])
    if kind == "series":
        for part in (split.train, split.test):
            part[:] = [np.full((1, 5), float(number)) for number in range(len(part))]
    drawn = draw(split, (kind, "set", 2, 0), Caps())
    read = rows(written(drawn, tmp_path / "rows"), kind)
    assert (read.train_labels, read.test_labels) == (drawn.train_labels, drawn.test_labels)

    def content(values: list[Any]) -> list[Any]:
        return [value.read_bytes() if kind == "image" else np.asarray(value).tolist() for value in values]

    assert (content(read.train), content(read.test)) == (content(drawn.train), content(drawn.test))


def test_our_predictions_are_read_in_the_order_of_the_test_rows(tmp_path: Path) -> None:
    from gains import answers

    path = tmp_path / "test_predictions.csv"
    path.write_text("id,label,predicted\nrows2.csv:10,b,c\nrows2.csv:9,a,a\n", encoding="utf-8")
    assert answers(path) == (["a", "b"], ["a", "c"])


def asked(folder: Path, *arguments: str) -> argparse.Namespace:
    import gains

    given = gains.parsed(["--kept", str(folder / "kept.jsonl"), "--results", str(folder / "results"), *arguments])
    given.about = "- a machine"
    return given


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Measure nothing: TF-IDF is right on every row, ours wrong on the first, SetFit takes too long."""
    import gains

    ran = []
    right = {"tf-idf": 9, "headstart-quick": 8}

    def measured(cell: Any, path: Path, given: argparse.Namespace) -> dict[str, Any]:
        assert path.is_file()
        ran.append(str(cell))
        row = {**gains.described(cell, given), "seconds": 2.0, "cpu_seconds": 2.0, "peak_gib": 0.5, "error": ""}
        if cell.method == "setfit":
            return {**row, "seconds": 600.0, "status": "over", "ended_after": 600.0, "error": "> 600 s"}
        truth = [0] * 3 + [1] * 3 + [2] * 3
        wrong = 9 - right[cell.method]
        return {**row, "status": "ok", "truth": truth, "told": [1] * wrong + truth[wrong:]}

    monkeypatch.setattr(gains, "measured", measured)
    return ran


def plan_of(*draws: Any) -> list[list[Any]]:
    from gains_plan import Cell

    return [[Cell(name, drawn) for name in ("headstart-quick", "setfit", "tf-idf")] for drawn in draws]


def test_a_run_that_was_cut_off_goes_on_and_measures_nothing_twice(tmp_path: Path, measuring: list[str]) -> None:
    import gains

    given = asked(tmp_path)
    plan = plan_of(drawn_of(2), drawn_of(2, seed=1))
    gains.climb(plan[:1], gains.Kept(given.kept, 600.0), given)
    whole = given.kept.read_text(encoding="utf-8")
    given.kept.write_text(whole + whole[:40], encoding="utf-8")
    gains.climb(plan, gains.Kept(given.kept, 600.0), given)
    assert len(measuring) == len(set(measuring)) == 6
    assert len([json.loads(line) for line in given.kept.read_text(encoding="utf-8").splitlines()]) == 6


def test_equal_rows_are_measured_once_and_stand_in_the_table_for_both(tmp_path: Path, measuring: list[str]) -> None:
    import gains
    from drawing import Caps, draw

    given = asked(tmp_path)
    plan = plan_of(*(draw(split_of(), ("text", "words", count, 0), Caps(1000, 9)) for count in (100, 0)))
    for _ in range(2):
        gains.climb(plan, gains.Kept(given.kept, 600.0), given)
    assert len(measuring) == 3
    assert [row["labels"] for row in gains.Kept(given.kept, 600.0).rows] == [100, 100, 100, 0, 0, 0]


def test_an_ended_cell_is_tried_again_only_when_it_gets_longer(tmp_path: Path, measuring: list[str]) -> None:
    import gains

    given, plan = asked(tmp_path), plan_of(drawn_of(2))
    gains.climb(plan, gains.Kept(given.kept, 600.0), given)
    gains.climb(plan, gains.Kept(given.kept, 900.0), given)
    assert [name.endswith("SetFit") for name in measuring] == [False, True, False, True]


def test_what_does_not_fit_the_limit_is_not_started_and_said(tmp_path: Path, measuring: list[str]) -> None:
    import gains

    given = asked(tmp_path, "--limit-minutes", "0.2")
    left = gains.climb(plan_of(drawn_of(2)), gains.Kept(given.kept, 600.0), given)
    assert [name.split(" (")[0].split(", ")[-1] for name in left] == ["quick", "SetFit"]
    assert len(measuring) == 1
    assert "Not run: words, 2 labels, seed 0, headstart, quick (about" in (given.results / "gains.md").read_text(
        "utf-8"
    )


def test_the_tables_say_how_far_apart_the_tools_are(tmp_path: Path, measuring: list[str]) -> None:
    import gains

    given = asked(tmp_path)
    drawn = [gains_labels(drawn_of(2, seed), 5) for seed in (0, 1)]
    gains.climb(plan_of(*drawn), gains.Kept(given.kept, 600.0), given)
    text = "".join(page.read_text("utf-8") for page in sorted(given.results.iterdir()))
    assert "| text | 5 | quick | no: -11.1 (-33.3-0.0) to TF-IDF + LR | yes; worst -11.1" in text
    assert "no: > 300.0 x" not in text and "yes: > 300.0 x (SetFit)" in text
    assert "| words | 5 | SetFit |  |  |  |  |  |  | > 600 s |" in text
    assert "| words | 5 | TF-IDF + LR | 6 / 9 | 2 | 100.0 (70.1-100.0) | 100.0 (100.0-100.0) | 2.0 | 0.50 |  |" in text


def gains_labels(drawn: Any, labels: int) -> Any:
    from dataclasses import replace

    return replace(drawn, labels=labels)


def test_tools_are_compared_only_on_draws_that_both_finished() -> None:
    from gains_tables import differences

    def row(told: list[int], digest: str = "same") -> dict[str, Any]:
        return {"truth": [0, 1], "told": told, "digest": digest}

    ours = {("s", 0): row([0, 1]), ("s", 1): row([1, 0]), ("t", 0): row([0, 1])}
    theirs = {("s", 0): row([0, 0]), ("t", 0): row([0, 1])}
    assert {name: values.tolist() for name, values in differences(ours, theirs).items()} == {
        "s": [[0.0, 1.0]],
        "t": [[0.0, 0.0]],
    }
    with pytest.raises(AssertionError, match="not the same rows"):
        differences(ours, {("s", 0): row([0, 1], "other")})


def test_the_tools_take_turns_and_further_draws_come_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gains_plan

    data = tmp_path / "data" / "masakhanews"
    data.mkdir(parents=True)
    lines = "".join(f"row {number},{'ab'[number % 2]},{('train', 'test')[number % 3 == 0]}\n" for number in range(90))
    (data / "eng.csv").write_text("text,label,split\n" + lines, encoding="utf-8")
    given = asked(tmp_path, "--data", str(tmp_path / "data"), "--kinds", "text", "--sets", "masakhanews/eng")
    plan = gains_plan.planned(given)
    assert [(cells[0].drawn.labels, cells[0].drawn.seed) for cells in plan] == [
        (5, 0), (20, 0), (100, 0), (0, 0), (5, 1), (20, 1), (5, 2), (20, 2),
    ]  # fmt: skip
    assert [cell.method for cell in plan[0]] == [
        *[cell.method for cell in plan[1]][-1:],
        *[c.method for c in plan[1]][:-1],
    ]
    assert "setfit" not in [cell.method for cell in plan[-1]]


def test_macro_f1_is_that_of_scikit_learn_and_inside_its_interval() -> None:
    import resampling
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    truth, told = rng.integers(0, 4, 60), rng.integers(0, 5, (2, 60))
    expected = np.mean([f1_score(truth, answers, average="macro") for answers in told])
    found = resampling.macro_f1(truth, told)
    assert found["value"] == pytest.approx(expected)
    assert found["low"] < found["value"] < found["high"]


def test_all_right_is_not_a_point_and_more_draws_are_surer() -> None:
    import resampling

    assert resampling.accuracy(np.ones((1, 30)))["low"] == pytest.approx(30 / 33.8415, abs=1e-4)
    rng = np.random.default_rng(0)
    widths = [np.ptp(list(resampling.mean([rng.random((n, 50))]).values())) for n in (1, 20)]
    assert widths[1] < widths[0]


def test_a_process_is_ended_after_its_limit_and_a_failed_one_says_why() -> None:
    import timed

    ended = timed.run([sys.executable, "-c", "import time; time.sleep(60)"], limit_seconds=0.2)
    assert (ended.document, ended.error) == (None, "> 0 s")
    failed = timed.run([sys.executable, "-c", "raise SystemExit('no room left')"])
    assert (failed.document, failed.error) == (None, "exit code 1 no room left")
    assert timed.run([sys.executable, "-c", "print('{\"a\": 1}')"]).document == {"a": 1}


def test_the_table_of_forecasts_leaves_out_rungs_without_one() -> None:
    import forecast

    rungs = [
        {"name": "last-stages", "seconds": 30.0, "forecast_seconds": 20.0},
        {"name": "last-stages", "seconds": 10.0, "forecast_seconds": 20.0},
        {"name": "classic", "seconds": 1.0, "forecast_seconds": None},
    ]
    assert "| last-stages | 2 | 20.0 | 20.0 | 1.00 | 50 % |" in forecast.section(rungs)
    assert "classic" not in forecast.section(rungs)
    assert "No rung had a forecast" in forecast.section(rungs[2:])


def test_the_ranking_is_held_against_the_best_base_over_the_same_rows() -> None:
    import ranking

    def figure(value: float) -> dict[str, float]:
        return {"value": value, "low": value, "high": value}

    def final(n_right: int) -> Any:
        return ranking.Final(figure(n_right / 100), (np.arange(100) < n_right).astype(float), "blend")

    def row(base: str, score: float, taken: bool = False) -> dict[str, Any]:
        hints = {"logme": score, "hscore": -score, "knn": 0.5, "seconds": 1.0, "head": "linear-probe", "tie": False}
        return {"base": f"file:/far/{base}", "probe": figure(score), "taken": taken, **hints}

    rows = [row("a", 0.9, taken=True), row("b", 0.8), row("c", 0.7)]
    finals = {"file:/far/a": final(80), "file:/far/b": final(95), "file:/far/c": final(70)}
    figures, summary = ranking.lines("leaves", rows, finals)
    assert summary["ranked first"].startswith("a 80.0") and summary["best in the end"].startswith("b 95.0")
    assert summary["regret"].startswith("15.0") and summary["within 1 point or interval"] == "no"
    assert [line["base"] for line in figures] == ["a", "b", "c"]
    same = ranking.taus(rows, {item["base"]: final(int(100 * item["probe"]["value"])) for item in rows})
    assert same["probe"] == pytest.approx(1.0) and same["hscore"] == pytest.approx(-1.0)


def test_made_texts_say_their_class_and_are_the_same_each_time(tmp_path: Path) -> None:
    import many

    for name in ("a.csv", "b.csv"):
        many.texts(tmp_path / name, 60, 7)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    labels = [line.rsplit(",", 1)[1] for line in (tmp_path / "a.csv").read_text("utf-8").splitlines()[1:]]
    assert len(labels) == 60 and min(labels.count(name) for name in set(labels)) >= 5 and len(set(labels)) == 7


def test_heads_of_two_revisions_are_compared_on_the_sets_that_both_measured() -> None:
    import linear_heads

    def result(loss: float) -> dict[str, Any]:
        figures = {"accuracy": 0.5, "loss": loss, "seconds": 0.1, "n": 10}
        return {"modality": "text", "runs": {"few-0": {"classic": figures}}}

    (row,) = linear_heads.summarise({"a": result(0.75), "b": result(9.0)}, {"a": result(0.5)})
    assert row["sets"] == 1 and row["strategy"] == "classic" and row["accuracy after"] == "50.0"
    assert (row["loss before"], row["loss after"], row["largest change of loss"]) == ("0.500", "0.750", "+0.250")


def _make_text_record(base: str, score: float, **more: Any) -> dict[str, Any]:
    figures = {"macro_f1": {"classic": 0.5, "linear-probe": score, "shrinkage-lda": 0.1, "blend": score}}
    losses = {"losses": {"classic": 0.9, "linear-probe": 0.4, "shrinkage-lda": 0.5, "blend": 0.3}}
    run = {"set": "news/eng", "labels_per_class": 8, "seed": 0, "base": base, "chosen": "blend", "verdict": "helped"}
    return {**run, **figures, **losses, "n_train": 16, "n_test": 100, "revision": "abc+", **more}


def test_the_default_has_the_figures_of_the_base_that_was_chosen_for_the_run() -> None:
    import text_bases_tables

    records = [
        _make_text_record("all-minilm-l6-v2", 0.6),
        _make_text_record("multilingual-e5-small", 0.7),
        {"set": "news/eng", "labels_per_class": 8, "seed": 0, "base": "default", "choice": "all-minilm-l6-v2"},
    ]
    columns = text_bases_tables.list_columns(text_bases_tables.resolve_default(records))
    scores = {name: list(values.values()) for name, values in columns.items()}
    assert scores == {
        "TF-IDF": [0.5], "MiniLM, probe": [0.6], "MiniLM, adapt": [0.6], "mE5, probe": [0.7], "mE5, adapt": [0.7],
        "default": [0.6],
    }  # fmt: skip
    (_, means), (_, sets) = text_bases_tables.write_tables(records)
    assert "| no |" in means
    assert "| MiniLM 1 |" in sets


def test_a_choice_without_figures_of_its_base_is_left_out() -> None:
    import text_bases_tables

    record = {"set": "news/eng", "labels_per_class": 8, "seed": 0, "base": "default", "choice": "all-minilm-l6-v2"}
    assert text_bases_tables.resolve_default([record]) == []


def test_runs_of_text_bases_go_on_behind_a_line_that_was_cut_off(tmp_path: Path) -> None:
    import text_bases

    path = tmp_path / "records.jsonl"
    text_bases.add_record(path, _make_text_record("all-minilm-l6-v2", 0.6))
    with path.open("a", encoding="utf-8") as opened:
        opened.write('{"set": "news/')
    (record,) = text_bases.read_records(path)
    assert text_bases.name_run(record) == ("news/eng", 8, 0, "all-minilm-l6-v2")
    text_bases.add_record(path, record)
    assert len(text_bases.read_records(path)) == 2


def test_the_plan_of_text_bases_has_three_draws_of_few_labels_and_one_of_all() -> None:
    plan = json.loads((FOLDER / "sets.json").read_text(encoding="utf-8"))
    draws: dict[tuple[str, int | None], list[int]] = {}
    for run in plan["runs"]:
        draws.setdefault((run["set"], run["labels_per_class"]), []).append(run["seed"])
    assert len({name for name, _ in draws}) == 16
    assert all(sorted(seeds) == ([0] if labels is None else [0, 1, 2]) for (_, labels), seeds in draws.items())
    assert {labels for _, labels in draws} == {8, 20, None}


def test_a_large_set_is_cut_to_the_same_rows_every_time(tmp_path: Path) -> None:
    import material
    import text_bases

    source = tmp_path / "all.csv"
    lines = [f"text {number},{'ab'[number % 2]},{'test' if number % 3 == 0 else 'train'}" for number in range(60)]
    source.write_text("text,label,split\n" + "\n".join(lines) + "\n", encoding="utf-8")
    plan = {"rows": 30, "test_rows": 10}
    first, second = (material.read_csv(text_bases.draw_set(source, tmp_path / name, plan)) for name in ("1", "2"))
    assert first == second
    assert [row["split"] for row in first].count("test") == 10
    assert len(first) == 30


def test_no_results_page_has_a_name_in_braces_where_a_figure_belongs() -> None:
    braces = {
        page.name: found
        for page in sorted((FOLDER / "results").glob("*.md"))
        if (found := re.findall(r"\{[^}\n]*\}", page.read_text(encoding="utf-8")))
    }
    assert braces == {}


def test_a_section_with_a_name_in_braces_is_not_written(tmp_path: Path) -> None:
    import tables

    with pytest.raises(ValueError, match=r"\{rows\}"):
        tables.write_section(tmp_path, "One", "text {rows}")
    assert not list(tmp_path.iterdir())
