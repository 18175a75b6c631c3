"""The right to abstain through the whole program: adapt, predict, the bundle, the report, Python."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import headstart as hs
from headstart import bundle as bundles
from headstart import flow
from headstart.decisions import DEFAULT_POLICY, NONE
from headstart.errors import OptionError
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.results import Result

QUICK = {"strategy": "linear-probe", "offline": True, "precision": "float32", "audit": "none"}


@pytest.fixture(scope="module")
def pictures(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three classes, and noise under the reserved name."""
    root = tmp_path_factory.mktemp("reserved") / "data"
    shutil.copytree(image_folder, root)
    (root / "_other").mkdir()
    for number in range(16):
        noise = np.random.default_rng(number).integers(0, 255, (48, 48, 3)).astype(np.uint8)
        Image.fromarray(noise).save(root / "_other" / f"{number:02d}.png")
    return root


@pytest.fixture(scope="module")
def adapted(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("decided") / "out"
    flow.adapt(pictures, out, parse(AdaptOptions, **QUICK, cost=["class-0->class-1=20"], coverage=0.8))
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def test_the_document_states_and_measures(adapted: Path) -> None:
    found = Result.model_validate_json((adapted / "result.json").read_text("utf-8"))
    assert found.conformal and found.conformal.stated == 0.8 and found.conformal.n_rows == found.n_rows.test
    away = found.abstention
    assert away and away.reserved_classes == ["_other"] and away.costs and away.costs.given == ["class-0->class-1=20"]
    assert sum(figure.value for figure in away.shares.values()) == pytest.approx(1.0)
    assert away.novelty and away.novelty.reads == "features" and away.novelty.n_rows_kept <= found.n_rows.train
    assert away.risk_coverage and len(away.risk_coverage.points) == 10
    page = (adapted / "report.html").read_text("utf-8")
    assert "How sure it is, and what it leaves to you" in page and away.reading.replace('"', "&#34;") in page
    assert "When it abstains" in (adapted / "README.md").read_text("utf-8")


def test_predictions_have_answers_and_the_test_rows_have_the_same(
    adapted: Path, pictures: Path, tmp_path: Path
) -> None:
    options = parse(PredictOptions, offline=True, precision="float32", explain=True)
    flow.predict(adapted, [pictures], tmp_path / "p.csv", options)
    found, tested = rows_of(tmp_path / "p.csv"), rows_of(adapted / "test_predictions.csv")
    assert list(found[0])[-5:] == ["answer", "set", "reason", "kind", "nearest"]
    assert list(tested[0])[-4:] == ["answer", "set", "reason", "kind"]
    assert all(row["answer"] == NONE for row in found if row["label"] == "_other")
    assert all("distance" in row["nearest"] and row["reason"] for row in found)
    by_name = {row["input"].split("/data/")[1]: row for row in found}
    for row in tested:
        assert (row["answer"], row["set"]) == (by_name[row["id"]]["answer"], by_name[row["id"]]["set"])


def test_python_and_json_say_the_same(adapted: Path, pictures: Path) -> None:
    paths = sorted(pictures.glob("*/00.png"))
    said = hs.load(adapted).answer(paths)
    told = flow.predictions(adapted, paths, parse(PredictOptions, offline=True))
    json.dumps([said, told])
    assert [(row["answer"], row["set"]) for row in said] == [(row["answer"], row["set"]) for row in told]


def test_foreign_pictures_are_none_of_these(adapted: Path, pictures: Path) -> None:
    made = hs.load(adapted)
    ramp = np.linspace(0, 255, 96 * 96 * 3).reshape(96, 96, 3).astype(np.uint8)
    paths = []
    for number in range(3):
        paths.append(adapted / f"strange-{number}.png")
        Image.fromarray(np.rot90(ramp, number)).save(paths[-1])
    ordinary = sorted(pictures.glob("class-*/*.png"))
    answers = [row["answer"] for row in made.answer([*paths, *ordinary])]
    assert answers[:3] == [NONE] * 3 and answers[3:].count(NONE) < len(ordinary) / 5


def test_a_bundle_without_rules_answers_the_most_probable_class(adapted: Path, pictures: Path, tmp_path: Path) -> None:
    bundles.save_bundle(replace(bundles.load_bundle(adapted), decision_policy=DEFAULT_POLICY), tmp_path / "old")
    assert not (tmp_path / "old" / "decision.json").exists()
    made = hs.load(tmp_path / "old")
    paths = sorted(pictures.glob("class-*/01.png"))
    assert [row["answer"] for row in made.answer(paths)] == made.predict(paths).tolist()


def test_costs_that_cannot_be_are_refused_before_anything_is_learnt(pictures: Path, tmp_path: Path) -> None:
    for cost, part in (("class-O->class-1=3", "did you mean 'class-"), ("class-0=3", "not of the form")):
        with pytest.raises(OptionError) as caught:
            flow.adapt(pictures, tmp_path / "o", parse(AdaptOptions, **QUICK, cost=[cost]))
        assert part in caught.value.problem
    assert not (tmp_path / "o" / "bundle").exists()


def test_new_costs_do_not_fit_anything_again(pictures: Path, adapted: Path) -> None:
    from headstart import progress

    said: list[str] = []

    class Listener(progress.Silent):
        def say(self, text: str) -> None:
            said.append(text)

        def warn(self, text: str) -> None:
            said.append(text)

    with progress.listen(Listener()):
        flow.adapt(pictures, adapted, parse(AdaptOptions, **QUICK, cost=["class-0->class-2=9"], coverage=0.8))
    assert any("linear-probe" in text and "kept from an earlier run" in text for text in said)


def test_whatever_model_is_chosen_strange_series_are_told_by_the_small_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.ladder.choose_strategy", lambda task, found: "majority")
    rng = np.random.default_rng(0)
    steps = np.linspace(0, 6, 40)
    lines = ["label," + ",".join(f"t{step}" for step in range(40))]
    for number in range(60):
        values = np.sin(steps + rng.uniform(0, 1)) + rng.normal(0, 0.1, 40)
        lines.append(f"{'ab'[number % 2]}," + ",".join(f"{value:.3f}" for value in values))
    (tmp_path / "waves.csv").write_text("\n".join(lines), "utf-8")
    options = parse(AdaptOptions, **{**QUICK, "strategy": ["majority", "linear-probe"]})
    result = flow.adapt(tmp_path / "waves.csv", tmp_path / "o", options)
    assert result.chosen == "majority" and result.abstention and result.abstention.novelty
    assert result.abstention.novelty.reads == "features"
    noise = rng.normal(0, 1, (3, 40))
    told = hs.load(tmp_path / "o").answer(list(noise))
    assert [row["answer"] for row in told] == [NONE] * 3
