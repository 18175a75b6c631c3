"""The audit and the mitigation: planted effects are found, chance is not, and the public command tells both."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart import bundle as bundles
from headstart import flow
from headstart.errors import OptionError
from headstart.evaluation.fairness.class_gaps import measure_class_gap
from headstart.evaluation.fairness.groups import score_groups
from headstart.evaluation.fairness.inherited_bias import ComparedModels, trace_gap
from headstart.evaluation.fairness.mitigation import compare_mitigation
from headstart.evaluation.fairness.slices import find_failing_clusters
from headstart.evaluation.settings import SETTINGS
from headstart.flow.audit.attribute_probes import ProbeTarget, probe_attributes
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.records import Predictions, make_column
from headstart.report import write_sentence
from headstart.results import Result

DATA = Path(__file__).parents[2] / "shared" / "data"


def options(**values: object) -> AdaptOptions:
    return parse(AdaptOptions, **{"strategy": "quick", "offline": True, "precision": "float32", **values})


def answers(right: np.ndarray) -> Predictions:
    return Predictions(
        ids=make_column(list(range(len(right)))), classes=("a", "b"), probabilities=np.eye(2)[np.where(right, 0, 1)]
    )


def quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = replace(SETTINGS, slice_permutations=99, permutations=199, resamples=100)
    for name in ("fairness.slices", "fairness.class_gaps", "intervals"):
        monkeypatch.setattr(import_module(f"headstart.evaluation.{name}"), "SETTINGS", quick)


def test_clusters_that_are_no_slices_are_rarely_told(monkeypatch: pytest.MonkeyPatch) -> None:
    quicker(monkeypatch)
    alarms = 0
    for repeat in range(200):
        rng = np.random.default_rng([5, repeat])
        strata = rng.integers(0, 3, 200)
        wrong = (rng.random(200) < np.array([0.05, 0.2, 0.5])[strata]).astype(float)
        clusters = np.where(rng.random(200) < 0.7, strata, rng.integers(0, 6, 200))  # They follow the hard classes.
        alarms += bool(find_failing_clusters(wrong, [clusters, rng.integers(0, 4, 200)], strata, repeat))
    assert alarms / 200 <= 0.09, alarms


def test_a_planted_slice_is_found_once_and_named_by_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    quicker(monkeypatch)
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(8), 40)
    wrong = (rng.random(320) < np.where(clusters == 3, 0.6, 0.1)).astype(float)
    found = find_failing_clusters(wrong, [clusters, clusters // 2], rng.integers(0, 2, 320), 0)
    assert [(item.clustering, item.cluster) for item in found] == [(0, 3)]
    assert found[0].p_value == 0.01


def test_class_gaps_that_are_chance_are_rarely_told(monkeypatch: pytest.MonkeyPatch) -> None:
    quicker(monkeypatch)
    alarms = 0
    for repeat in range(200):
        rng = np.random.default_rng([6, repeat])
        codes, members = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
        found = measure_class_gap(
            codes, rng.random(300) < 0.8, members, names=(("x", "y", "z"), ("a", "b", "c")), seed=repeat
        )
        assert found is not None and (found.gap.low > 0) <= (found.p_value <= 0.05)
        alarms += found.p_value <= 0.05
    assert 0.01 <= alarms / 200 <= 0.09, alarms


def test_a_model_that_follows_the_group_is_seen_though_both_groups_fare_alike() -> None:
    codes, border = np.repeat([0, 1], 60), np.array(["red", "blue"] * 60, dtype=object)
    said = np.where(np.arange(120) % 10 < 6, border == "blue", codes).astype(int)
    made = Predictions(ids=make_column(list(range(120))), classes=("a", "b"), probabilities=np.eye(2)[said])
    found = score_groups(codes, made, {"border": border}, clusters=None, seed=0)[0]
    assert found.gap is not None and found.gap.low <= 0
    assert found.class_gap is not None and found.class_gap.gap.low > 0.3 and found.class_gap.p_value <= 0.001
    few = score_groups(codes[::4], made.take(np.arange(0, 120, 4)), {"border": border[::4]}, clusters=None, seed=0)[0]
    assert few.class_gap is None


def test_a_constant_answer_has_no_gap_and_that_is_told() -> None:
    found = measure_class_gap(
        np.repeat([0, 1], 60), np.repeat([True, False], 60), np.arange(120) % 2, names=(("x", "y"), ("a", "b")), seed=0
    )
    assert found is not None and found.gap.value == 0 and found.p_value == 1.0
    assert "no evidence" in write_sentence(found)


def test_a_gap_that_came_with_the_base_is_told_from_one_that_adaptation_made() -> None:
    site = np.array(["a"] * 60 + ["b"] * 60, dtype=object)
    fine, bad = answers(np.ones(120, bool)), answers(np.arange(120) < 80)
    came = trace_gap(
        "site",
        np.zeros(120, int),
        ComparedModels(chosen=bad, frozen=bad, plain=fine, without_base="classic", is_frozen=True),
        values=site,
        clusters=None,
        seed=0,
    )
    made = trace_gap(
        "site",
        np.zeros(120, int),
        ComparedModels(chosen=bad, frozen=fine, plain=fine, without_base="classic"),
        values=site,
        clusters=None,
        seed=0,
    )
    assert came is not None and came.brought is not None and came.brought.low > 0 and came.adaptation is None
    assert "The base widened it" in write_sentence(came)
    assert made is not None and made.adaptation is not None and made.adaptation.low > 0
    assert made.brought is not None and made.brought.value == 0 and "Adapting it widened it" in write_sentence(made)
    alone = trace_gap(
        "site",
        np.zeros(120, int),
        ComparedModels(chosen=bad, frozen=None, plain=None, without_base=None),
        values=site,
        clusters=None,
        seed=0,
    )
    assert alone is not None and alone.frozen is alone.without_base is alone.brought is None


def test_the_pair_of_a_gap_favours_neither_side_and_a_gap_by_chance_reaches_zero() -> None:
    site = np.repeat(np.array(["a", "b", "c", "d", "e", "f"], dtype=object), 100)
    place = np.tile(np.arange(100), 6)
    based, plain = (
        answers((place >= 20) | (site != "b")),  # 20 points worse on b.
        answers((place >= 30) | (site != "c")),  # 30 points worse on c.
    )
    origin = trace_gap(
        "site", np.zeros(600, int), ComparedModels(chosen=based, frozen=based, plain=plain, without_base="classic",
        is_frozen=True), site, None, 0,
    )  # fmt: skip
    assert origin is not None and origin.between == ["a", "c"]
    luck = answers(place >= np.repeat([15, 20, 20, 20, 20, 27], 100))
    picked = trace_gap(
        "site",
        np.zeros(600, int),
        ComparedModels(chosen=luck, frozen=None, plain=None, without_base=None),
        site,
        None,
        0,
    )
    assert picked is not None and picked.between == ["a", "f"] and picked.chosen.low == 0 < picked.chosen.value


def test_what_features_hold_is_read_off_and_noise_is_not() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, 200)
    full, noise = rng.normal(size=(200, 30)).astype(np.float32), rng.normal(size=(200, 30)).astype(np.float32)
    full[:, 3] += 3 * codes
    asked = [
        ProbeTarget("site", "group", ("a", "b"), codes),
        ProbeTarget("rare", "group", ("a", "b"), np.arange(200) // 175),
    ]
    site, rare = probe_attributes(asked, {"frozen": full, "answers": noise}, codes, clusters=np.arange(200), seed=0)
    assert site.frozen is not None and site.frozen.low > 0.8 and "can be read off" in write_sentence(site)
    assert site.answers is not None and site.answers.low < 0.5 < site.answers.high
    assert rare.frozen is not None and rare.frozen.low < 0.5, "answering with the frequent value must not count"
    assert "No evidence" in write_sentence(rare)


def test_a_cell_of_few_rows_is_no_worst_group() -> None:
    cells = np.array([0] * 30 + [1] * 30 + [2] * 4)
    right = cells != 2
    found = compare_mitigation((right, right), cells, [("x", "a"), ("x", "b"), ("y", "a")], clusters=None, seed=0)
    assert found is not None and found.worst_before.value == 1.0 and found.worst_gain.value == 0.0
    assert [cell.before is None for cell in found.cells] == [False, False, True]
    assert compare_mitigation((right, right), np.zeros(64, int), [("x", "a")], clusters=None, seed=0) is None


def bordered(folder: Path, share: float = 0.95) -> Path:
    """Faint stripes say the class; a coloured border says it as well in most training rows, and nothing in test."""
    rng, rows = np.random.default_rng(0), ["file,label,split,border"]
    for split, n, agree in (("train", 200, share), ("test", 120, 0.5)):
        for number in range(n):
            label = number % 2
            colour = label if (number // 2 % 40) / 40 < agree else 1 - label
            pixels = rng.integers(90, 130, (48, 48, 3))
            stripes = 9 * (np.arange(48) // 4 % 2)
            pixels += (stripes[:, None] if label else stripes[None, :])[..., None]
            rim = np.ones((48, 48), bool)
            rim[8:-8, 8:-8] = False
            pixels[rim] = [(220, 30, 30), (30, 30, 220)][colour]
            path = folder / split / f"class {label}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
            rows.append(f"{path.relative_to(folder)},class {label},{split},{['red', 'blue'][colour]}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("bordered")
    data, out = bordered(folder / "data"), folder / "out"
    chosen = options(strategy="linear-probe,majority", group=("border",), mitigate="group-balance")
    return out, flow.adapt(data, out, chosen)


def test_balancing_groups_helps_the_worst_one_and_the_bundle_predicts_so(mended: tuple[Path, Result]) -> None:
    out, result = mended
    found = result.mitigation
    assert found is not None and found.out_of_fold is not None and found.test is not None
    assert found.way == "group-balance" and found.columns == ["border"] and found.before == "linear-probe"
    assert found.test.worst_after.value >= found.test.worst_before.value
    assert found.kept == (
        found.out_of_fold.worst_gain.value > 0 and found.out_of_fold.mean_gain.value >= -found.mean_may_lose
    )
    assert result.chosen == ("balanced-probe" if found.kept else "linear-probe")
    assert bundles.load_bundle(out).strategy == result.chosen
    scored = flow.evaluate(out, out.parent / "data", PredictOptions(precision="float32", group=("border",)))
    assert scored.metrics == result.strategy(result.chosen).test or scored.n_rows == result.n_rows.test


def test_the_report_and_the_document_tell_the_audit(mended: tuple[Path, Result]) -> None:
    out, result = mended
    found = result.inherited
    assert found is not None and result.slices is not None
    border = next(item for item in found.readable if item.name == "border")
    assert border.kind == "group" and border.frozen is not None and border.frozen.low > 0.8
    assert {item.name for item in found.counterfactuals} >= {"darker", "border-cropped", "blurred"}
    assert all(item.flips and item.n_rows >= 20 for item in found.counterfactuals)
    assert {part.column for part in found.counterfactuals[0].parts} == {"", "border"}
    page = (out / "report.html").read_text("utf-8")
    assert "What the base brought in" in page and "Was the worst group helped?" in page
    assert json.loads((out / "result.json").read_text("utf-8"))["inherited"]["n_rows"] == result.n_rows.test


def test_without_groups_the_cheap_parts_run_and_none_means_none(text_table: Path, tmp_path: Path) -> None:
    usual = flow.adapt(text_table, tmp_path / "usual", options(strategy="linear-probe,majority"))
    assert usual.inherited is not None and usual.inherited.counterfactuals == []
    assert "Not asked for" in usual.inherited.not_measured["counterfactuals"]
    silent = flow.adapt(text_table, tmp_path / "none", options(strategy="linear-probe,majority", audit="none"))
    assert silent.inherited is None and silent.slices is None and silent.mitigation is None
    assert silent.strategy("linear-probe").test == usual.strategy("linear-probe").test


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"mitigate": "group-balance"}, "needs a column of groups"),
        ({"mitigate": "reweight", "task": "regression"}, "one class a row"),
    ],
)
def test_a_mitigation_that_cannot_work_is_refused_before_anything_is_run(
    extra: dict[str, str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "".join(f"word {n},{n % 7}.{n}\n" for n in range(60)), encoding="utf-8")
    if "task" not in extra:
        path.write_text("text,label\n" + "".join(f"word {n},{'ab'[n % 2]}\n" for n in range(60)), encoding="utf-8")
    with pytest.raises(OptionError, match=said):
        flow.adapt(path, tmp_path / "out", options(**extra))


@pytest.mark.real
@pytest.mark.skipif(not DATA.is_dir(), reason="the real data sets are not here")
def test_the_sex_of_real_persons_is_read_off_series_and_told(tmp_path: Path) -> None:
    result = flow.adapt(
        DATA / "gunpoint_groups", tmp_path / "out", options(group=("sex",), strategy="linear-probe,majority")
    )
    assert result.inherited is not None
    found = next(item for item in result.inherited.readable if item.name == "sex")
    assert found.frozen is not None and found.frozen.low > 0.7
    assert [item.column for item in result.inherited.gaps] == ["sex"]
    assert len(result.inherited.counterfactuals) == 5
