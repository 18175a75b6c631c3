"""`label-next`: chosen rows are useful, never twice, and the table comes back in after a person has filled it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart import data, features, flow
from headstart.bundle.seen import FILE, SeenRows
from headstart.cli.main import app
from headstart.errors import DataError, OptionError
from headstart.flow.active_learning.label_next import MARGINS, label_next, project_features
from headstart.options import AdaptOptions, LabelNextOptions, ReadOptions, parse
from headstart.ranking.typicality import (
    choose_typical_rows,
    choose_uncertain_rows,
    cluster_rows,
    find_nearest_centres,
    scale_to_unit_length,
)
from headstart.records import TRAIN, make_column
from headstart.task_types import TASK_TYPES

RUN = CliRunner()


def clouds(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of length one in clouds of these sizes; and the cloud of each."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    centres = np.eye(16)[: len(sizes)] * 4
    return scale_to_unit_length((centres[owner] + rng.normal(0, 0.4, (len(owner), 16))).astype(np.float32)), owner


def test_typical_rows_come_one_from_each_group_the_largest_first_and_pass_over_what_is_labelled() -> None:
    rows, owner = clouds([60, 40, 30, 20])
    chosen = choose_typical_rows(rows, None, 4, seed=0)
    assert owner[chosen.rows].tolist() == [0, 1, 2, 3]
    known = rows[owner == 0][:3]
    again = choose_typical_rows(rows, known, 3, seed=0)
    assert set(owner[again.rows]) <= {0, 1, 2, 3} and 1 in owner[again.rows]
    assert min(np.linalg.norm(known - rows[row], axis=1).min() for row in again.rows) > 0.05


def test_a_typical_row_lies_in_the_middle_of_its_group() -> None:
    rows, owner = clouds([80, 80])
    chosen = choose_typical_rows(rows, None, 2, seed=0)
    for row in chosen.rows:
        middle = rows[owner == owner[row]].mean(axis=0)
        distance = np.linalg.norm(rows[owner == owner[row]] - middle, axis=1)
        assert np.linalg.norm(rows[row] - middle) < np.median(distance)


def test_unsure_rows_are_the_least_sure_of_different_kinds() -> None:
    rows, owner = clouds([500, 500])
    margins = np.where(np.arange(1_000) % 10 == 0, 0.01, 0.9) + np.random.default_rng(0).uniform(0, 0.009, 1_000)
    chosen = choose_uncertain_rows(rows, margins, 4, seed=0)
    assert (margins[chosen.rows] < 0.02).all()
    assert set(owner[chosen.rows]) == {0, 1}


@pytest.mark.parametrize("way", ["typical", "unsure"])
def test_near_copies_are_never_named_twice(way: str) -> None:
    one = clouds([10])[0]
    rows = np.concatenate([one] * 5)
    margins = np.zeros(len(rows))
    chosen = choose_typical_rows(rows, None, 20, 0) if way == "typical" else choose_uncertain_rows(rows, margins, 20, 0)
    assert len(chosen.rows) == 10
    assert len(np.unique(rows[chosen.rows].round(4), axis=0)) == 10


def test_a_hundred_thousand_rows_need_no_square_matrix() -> None:
    rows = scale_to_unit_length(
        np.random.default_rng(0).normal(0, 1, (100_000, 8)).astype(np.float32)
    )  # squared: 40 GB
    chosen = choose_typical_rows(rows, rows[:200], 50, seed=0)
    assert len(set(chosen.rows.tolist())) == 50


def test_wide_features_of_very_many_rows_become_narrow_and_likeness_stays() -> None:
    rows = np.random.default_rng(0).normal(0, 1, (40, 1_500)).astype(np.float32)
    rows[20:] = rows[:20] + 0.3 * rows[20:]
    assert project_features(rows, 20_000) is rows
    less = project_features(rows, 20_001)
    before, after = (
        scale_to_unit_length(rows) @ scale_to_unit_length(rows).T,
        scale_to_unit_length(less) @ scale_to_unit_length(less).T,
    )
    assert less.shape == (40, 256) and np.abs(before - after).max() < 0.3
    assert (before[:20, 20:].argmax(axis=1) == after[:20, 20:].argmax(axis=1)).all()
    assert np.allclose(project_features(rows[3:5], 20_001), less[3:5], atol=1e-4)


def test_nearest_is_what_all_distances_say() -> None:
    rows, centres = clouds([30, 30])[0], clouds([2, 2, 2])[0]
    owner, squared = find_nearest_centres(rows, centres)
    every = np.square(rows[:, None] - centres[None]).sum(axis=2)
    assert (owner == every.argmin(axis=1)).all()
    assert np.allclose(squared, every.min(axis=1), atol=1e-5)
    assert len(cluster_rows(rows, 5, 0).centres) == 5


def test_every_kind_of_task_says_how_sure_it_is_or_that_it_does_not() -> None:
    assert set(MARGINS) == set(TASK_TYPES)
    assert MARGINS["classification"](np.array([[0.5, 0.3, 0.2]])) == pytest.approx([0.2])
    assert MARGINS["multi-label"](np.array([[0.5, 0.9]])) == pytest.approx([0.0])
    assert MARGINS["regression"](np.array([[3.0]])) is None


def test_seen_remembers_contents_and_comes_back_from_its_file(tmp_path: Path) -> None:
    hashes = make_column(["ab" * 32, "cd" * 32])
    seen = SeenRows.from_hashes(hashes, np.ones((2, 3), dtype=np.float32))
    seen.write(tmp_path)
    back = SeenRows.read(tmp_path)
    assert back is not None and back.contains(make_column(["cd" * 32, "ef" * 32])).tolist() == [True, False]
    assert back.centres.tolist() == seen.centres.tolist()
    assert SeenRows.read(tmp_path / "nothing") is None


def said(*arguments: str | Path) -> dict[str, object]:
    done = RUN.invoke(app, [*map(str, arguments), "--json", "-q"])
    assert done.exit_code == 0, done.output
    found: dict[str, object] = json.loads(done.stdout)
    return found


def filled(path: Path, label: str, answers: dict[str, str], key: str) -> None:
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert rows and all(row[label] == "" for row in rows)
    for row in rows:
        row[label] = answers[row[key]]
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_texts_go_out_and_come_back_labelled(text_table: Path, tmp_path: Path) -> None:
    with text_table.open(encoding="utf-8") as opened:
        rows = list(csv.reader(opened))[1:]
    mine, rest = rows[::2], rows[1::2]
    (tmp_path / "mine.csv").write_text("text,label\n" + "".join(f'"{t}",{c}\n' for t, c in mine), "utf-8")
    # One row that was learnt from, and one text twice: neither may be named.
    bare = [mine[0][0], rest[0][0], *(text for text, _ in rest)]
    (tmp_path / "bare.csv").write_text("text\n" + "".join(f'"{text}"\n' for text in bare), "utf-8")
    run = tmp_path / "out"
    said("adapt", tmp_path / "mine.csv", "-o", run, "--strategy", "linear-probe")
    document = said("label-next", run, tmp_path / "bare.csv", "-n", "12", "-o", tmp_path / "next.csv")
    assert document["n_rows"] == 12 and document["n_left_out"] == 2
    named = [row["input"] for row in document["rows"]]  # type: ignore[attr-defined,index]
    assert len(set(named)) == 12 and "bare.csv:2" not in named
    filled(tmp_path / "next.csv", "label", dict(rows), "text")
    alone = data.read_table(tmp_path / "next.csv", parse(ReadOptions))
    assert set(alone.labels) <= {"water", "roads", "school"} and len(alone) == 12  # type: ignore[arg-type]
    both = said("adapt", tmp_path / "mine.csv", "-o", tmp_path / "again", "--strategy", "majority",
                "--also", tmp_path / "next.csv")  # fmt: skip
    before = json.loads((run / "result.json").read_text("utf-8"))["n_rows"]
    assert both["n_rows"]["train"] == before["train"] + 12  # type: ignore[index]
    assert both["n_rows"]["test"] == before["test"]  # type: ignore[index]


def test_pictures_go_out_and_come_back_labelled(image_folder: Path, tmp_path: Path) -> None:
    run, pool = tmp_path / "out", tmp_path / "pool"
    pool.mkdir()
    for number, path in enumerate(sorted(image_folder.glob("*/1*.png"))):
        (pool / f"{path.parent.name}-{number}.png").symlink_to(path)  # Photos may be links to where they are kept.
    mine = tmp_path / "mine"
    for path in image_folder.glob("*/0*.png"):
        (mine / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, mine / path.parent.name / path.name)
    said("adapt", mine, "-o", run, "--strategy", "linear-probe")
    with pytest.raises(OptionError, match="must be in or above the folder"):
        label_next(run, pool, tmp_path / "elsewhere" / "next.csv", LabelNextOptions())
    said("label-next", run, pool, "-n", "6", "-o", tmp_path / "next.csv")
    answers = {f"pool/{path.name}": path.name.rsplit("-", 1)[0] for path in pool.iterdir()}
    filled(tmp_path / "next.csv", "label", answers, "file_name")
    both = said("adapt", mine, "-o", tmp_path / "again", "--strategy", "majority", "--also", tmp_path / "next.csv")
    before = json.loads((run / "result.json").read_text("utf-8"))["n_rows"]
    assert both["n_rows"]["train"] == before["train"] + 6  # type: ignore[index]


def test_series_go_out_and_come_back_labelled_from_a_model_that_reads_no_features(
    series_table: Path, tmp_path: Path
) -> None:
    lines = series_table.read_text("utf-8").splitlines()
    (tmp_path / "mine.csv").write_text("\n".join([lines[0], *lines[1:25]]), "utf-8")
    bare = [line.split(",", 1)[1] for line in (lines[0], *lines[25:])]
    (tmp_path / "bare.csv").write_text("\n".join(bare), "utf-8")
    run = tmp_path / "out"
    said("adapt", tmp_path / "mine.csv", "-o", run, "--strategy", "majority")
    said("label-next", run, tmp_path / "bare.csv", "-n", "5", "-o", tmp_path / "next.csv")
    truth = {f"bare.csv:{row}": line.split(",", 1)[0] for row, line in enumerate(lines[25:], start=2)}
    filled(tmp_path / "next.csv", "label", truth, "id")
    back = data.read_table(tmp_path / "next.csv", parse(ReadOptions))
    assert back.modality == "series" and len(back) == 5
    original = data.read_inputs([tmp_path / "bare.csv"], "series", {})
    place = {name: at for at, name in enumerate(original.ids)}
    for name, values in zip(back.ids, back.inputs, strict=True):
        assert np.allclose(values, original.inputs[place[name]])


def test_a_bundle_without_memory_of_its_rows_still_names_rows(text_table: Path, tmp_path: Path) -> None:
    run = tmp_path / "out"
    said("adapt", text_table, "-o", run, "--strategy", "linear-probe")
    bundle = bundles.load_bundle(run)
    old = bundles.Bundle(**{**vars(bundle), "seen_rows": None, "training_facts": bundles.TrainingFacts()})
    bundles.save_bundle(old, tmp_path / "old")
    assert not (tmp_path / "old" / FILE).exists()
    document = said("label-next", tmp_path / "old", text_table, "-n", "3")
    assert document["n_rows"] == 3 and document["mode"] == "unsure"
    refused = RUN.invoke(app, ["label-next", str(run), str(text_table), "-q"])
    assert refused.exit_code == 2


def test_rows_that_are_added_only_train_and_copies_of_test_rows_are_left_out(text_table: Path) -> None:
    table = data.assign_splits(data.read_table(text_table), AdaptOptions())
    more = data.read_table(text_table)
    joined = data.add_training_rows(table, more, merge=False)
    added = np.array([str(name).startswith("also/") for name in joined.ids])
    assert set(joined.splits[added]) == {TRAIN}
    tested = set(table.hashes[table.splits == "test"])
    assert tested and not tested & set(joined.hashes[added])


def test_features_of_the_run_are_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"water": "pump well tap leak dry", "school": "teacher lesson book pupil class"}
    rows = [(f"The {words[label].split()[n % 5]} number {n} is here", label, n) for n in range(24) for label in words]
    lines = [f"{text},{label},{'test' if n % 3 == 0 else 'train'}" for text, label, n in rows]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label,split", *lines]), encoding="utf-8")
    (tmp_path / "pool.csv").write_text("\n".join(["text", *(text for text, _, n in rows if n % 3 == 0)]), "utf-8")
    options = parse(
        AdaptOptions, base="all-minilm-l6-v2", strategy="linear-probe", audit="none", time="2m", offline=True
    )
    flow.adapt(tmp_path / "rows.csv", tmp_path / "out", options)
    config = json.loads((tmp_path / "out" / "bundle" / "config.json").read_text("utf-8"))
    assert config["portable"]["weights"]["base"]  # The bundle's own base is another: rounded, and pruned.
    computed: list[int] = []
    extract = features.extract_features

    def count(*arguments: object, **named: object) -> features.Extraction:
        extraction = extract(*arguments, **named)
        computed.append(extraction.n_computed)
        return extraction

    with pytest.raises(DataError, match="or was tested on them"):
        label_next(tmp_path / "out", tmp_path / "pool.csv", None, parse(LabelNextOptions, n=3, offline=True))
    monkeypatch.setattr(features, "extract_features", count)
    monkeypatch.setattr(SeenRows, "was_tested_on", lambda seen, hashes: np.zeros(len(hashes), dtype=bool))
    label_next(tmp_path / "out", tmp_path / "pool.csv", None, parse(LabelNextOptions, n=3, offline=True))
    assert computed == [0]
