"""A bundle at another place: drift, class shares, figures beside the training site, advice, recalibration."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart import bundle as bundles
from headstart import flow
from headstart.bundle.reference import ReferenceSample
from headstart.errors import DataError
from headstart.evaluation.shift.drift import measure_drift
from headstart.evaluation.shift.prior_shift import measure_prior_shift
from headstart.flow.external_validation.site_comparison import advise_after_recalibration, choose_advice
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.report import write_sentence
from headstart.results import Advice, Evaluation, Figure

QUICK = {"strategy": "linear-probe", "offline": True, "precision": "float32", "audit": "none"}
ASKED = parse(PredictOptions, offline=True, precision="float32")


@pytest.fixture(scope="module")
def adapted(text_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("place") / "out"
    flow.adapt(text_table, out, parse(AdaptOptions, **QUICK))
    return out


def noise(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 200)).astype(np.float32)


def test_rows_of_the_same_kind_are_rarely_called_drifted_although_the_sample_was_learnt_from() -> None:
    hits = 0
    for seed in range(40):
        kept = ReferenceSample.draw(noise(60, seed), "features", np.arange(60), 0)
        found = measure_drift(
            kept.values, kept.project(noise(40, 1000 + seed)), kept.clusters, clusters_new=np.arange(40), seed=seed
        )
        assert found is not None and found.auroc.low <= found.auroc.value <= found.auroc.high
        hits += found.found
    assert hits <= 6


def test_rows_that_moved_are_found_and_few_rows_cannot_tell() -> None:
    kept = ReferenceSample.draw(noise(60, 0), "features", np.arange(60), 0)
    moved = kept.project(noise(40, 1) + np.float32(1.0))
    found = measure_drift(kept.values, moved, kept.clusters, clusters_new=np.arange(40), seed=0)
    assert found is not None and found.found and found.auroc.low > 0.8
    assert found == measure_drift(kept.values, moved, kept.clusters, clusters_new=np.arange(40), seed=0)
    assert measure_drift(kept.values, moved[:14], kept.clusters, clusters_new=np.arange(14), seed=0) is None
    assert measure_drift(kept.values, moved, kept.clusters, clusters_new=np.arange(40) // 20, seed=0) is None


def test_the_sample_of_training_rows_is_kept_and_read_back(tmp_path: Path) -> None:
    kept = ReferenceSample.draw(noise(30, 0), "descriptors", np.arange(30) // 2, 0)
    kept.write(tmp_path)
    back = ReferenceSample.read(tmp_path)
    assert back is not None and back.reads == "descriptors" and np.array_equal(back.values, kept.values)
    assert np.array_equal(back.project(noise(5, 3)), kept.project(noise(5, 3)))


def test_equal_shares_are_no_shift_and_clusters_count_once() -> None:
    codes = np.array([0] * 45 + [1] * 15)
    same = measure_prior_shift(["a", "b"], {"a": 75, "b": 25}, codes, clusters=None, kind="labels", seed=0)
    assert same is not None and not same.found
    other = measure_prior_shift(["a", "b"], {"a": 50, "b": 50}, codes, clusters=None, kind="labels", seed=0)
    assert other is not None and other.found
    clustered = measure_prior_shift(
        ["a", "b"], {"a": 50, "b": 50}, codes, clusters=np.arange(60) // 15, kind="labels", seed=0
    )
    assert clustered is not None and not clustered.found
    assert measure_prior_shift(["a", "b"], {}, codes, clusters=None, kind="labels", seed=0) is None


def test_evaluate_holds_new_rows_against_the_training_site(adapted: Path, fresh_table: Path) -> None:
    found = flow.evaluate(adapted, fresh_table, ASKED)
    assert Evaluation.model_validate_json(found.model_dump_json()) == found
    names = [row.name for row in found.beside_training]
    assert {"accuracy", "macro_f1", "label", "not sure", "none of these"} <= set(names)
    result = json.loads((adapted / "result.json").read_text("utf-8"))
    chosen = next(item for item in result["strategies"] if item["name"] == result["chosen"])
    row = found.beside_training[names.index("accuracy")]
    assert row.there.model_dump() == chosen["test"]["accuracy"] and row.n_rows_there == result["n_rows"]["test"]
    assert row.difference.value == pytest.approx(row.here.value - row.there.value)
    assert found.advice is not None and found.prior_shift is not None and not found.prior_shift.found
    assert found.conformal is not None and found.abstention is not None and found.drift is not None


def test_without_labels_there_are_shares_drift_and_advice_only(
    adapted: Path, fresh_table: Path, tmp_path: Path
) -> None:
    with fresh_table.open(encoding="utf-8", newline="") as handle:
        texts = [row["text"] for row in csv.DictReader(handle)]
    path = tmp_path / "bare.csv"
    path.write_text("text\n" + "\n".join(f'"{text}"' for text in texts) + "\n", encoding="utf-8")
    found = flow.evaluate(adapted, path, ASKED)
    assert found.metrics is None and found.calibration is None and not found.labelled
    assert found.drift is not None and found.prior_shift is not None and found.prior_shift.kind == "predictions"
    assert found.advice is not None and found.shares["label"].value + found.shares["not sure"].value <= 1
    with pytest.raises(DataError, match="0 rows with a known label"):
        flow.evaluate(adapted, path, ASKED, tmp_path / "new")


def test_a_bundle_without_sample_and_figures_says_what_is_not_measured(
    adapted: Path, fresh_table: Path, tmp_path: Path
) -> None:
    made = bundles.load_bundle(adapted)
    facts = made.training_facts.model_copy(update={"site": None})
    bundles.save_bundle(replace(made, reference_sample=None, training_facts=facts), tmp_path / "old" / "bundle")
    found = flow.evaluate(tmp_path / "old" / "bundle", fresh_table, ASKED)
    assert found.drift is None and {"drift", "beside_training"} <= set(found.not_measured)
    assert found.advice is not None and found.advice.action in ("cannot tell", "recalibrate")


def test_recalibrating_needs_labels_writes_a_new_bundle_and_never_over_another(
    adapted: Path, fresh_table: Path, tmp_path: Path
) -> None:
    few = tmp_path / "few.csv"
    few.write_text("".join(fresh_table.read_text("utf-8").splitlines(keepends=True)[:20]), encoding="utf-8")
    with pytest.raises(DataError, match="19 rows"):
        flow.evaluate(adapted, few, ASKED, tmp_path / "new")
    before = (adapted / "bundle" / "decision.json").read_bytes()
    whole = flow.evaluate(adapted, fresh_table, ASKED, tmp_path / "new")
    found = whole.recalibration
    assert found is not None and found.n_rows == 60 and found.least_rows == 30
    assert {item.name for item in found.figures} >= {"log_loss", "coverage", "mean_set_size"}
    new, old = bundles.load_bundle(tmp_path / "new"), bundles.load_bundle(adapted)
    assert new.decision_policy is not None and old.decision_policy is not None
    assert (new.decision_policy.calibrator != old.decision_policy.calibrator) == found.calibration_kept
    assert (new.decision_policy.sets != old.decision_policy.sets) == found.sets_kept
    assert (adapted / "bundle" / "decision.json").read_bytes() == before
    with pytest.raises(DataError, match="exists"):
        flow.evaluate(adapted, fresh_table, ASKED, tmp_path / "new")


def test_what_was_just_recalibrated_is_not_advised_again(adapted: Path, fresh_table: Path, tmp_path: Path) -> None:
    found = flow.evaluate(adapted, fresh_table, ASKED, tmp_path / "new")
    made, unsure = (
        found.recalibration,
        Advice(
            action="recalibrate",
            code="too-sure",
            here=Figure(value=0.1, low=0.05, high=0.2),
            n_labels=30,
        ),
    )
    assert made is not None
    told = [
        advise_after_recalibration(
            found.model_copy(update={"advice": unsure, "recalibration": made.model_copy(update={"sets_kept": kept})})
        )
        for kept in (True, False)
    ]
    assert found.readiness is not None
    expected = {"ready": "use", "supervised": "use with a person checking", "not_ready": "do not use"}
    assert [item.action for item in told] == [expected[found.readiness.level]] * 2
    assert f"corrected in {made.bundle}" in write_sentence(told[0]) and "nothing was changed" in write_sentence(told[1])


def test_recalibrating_mends_probabilities_that_are_far_too_sure(
    adapted: Path, fresh_table: Path, tmp_path: Path
) -> None:
    rows = fresh_table.read_text("utf-8").splitlines()
    labels = ["water", "roads", "school"]
    wrong = [f"{line.rsplit(',', 1)[0]},{labels[at % 3]}" for at, line in enumerate(rows[1:])]
    path = tmp_path / "wrong.csv"
    path.write_text("\n".join([rows[0], *wrong]) + "\n", encoding="utf-8")
    found = flow.evaluate(adapted, path, ASKED, tmp_path / "new")
    assert found.recalibration is not None and found.recalibration.calibration_kept and found.recalibration.sets_kept
    loss = next(item for item in found.recalibration.figures if item.name == "log_loss")
    assert loss.before is not None and loss.after.value < loss.before.value
    assert found.recalibration.gain is not None and found.recalibration.gain.low > 0
    assert found.advice is not None and found.advice.action == "re-train"
    again = flow.evaluate(tmp_path / "new", path, ASKED)
    assert again.metrics is not None and found.metrics is not None
    assert again.metrics.log_loss.value < found.metrics.log_loss.value


def test_many_rows_that_are_none_of_these_ask_for_training() -> None:
    found = Evaluation.model_validate(
        {"bundle": "b", "data": "d", "classes": [], "n_rows": 50, "unknown_labels": {}, "metrics": None,
         "confusion": None, "set_aside": [], "trained_on": "", "labelled": False}
    )  # fmt: skip
    assert choose_advice(found).action == "cannot tell"
    mostly_unknown = {"none of these": Figure(value=0.5, low=0.36, high=0.64)}
    assert choose_advice(found.model_copy(update={"shares": mostly_unknown})).action == "re-train"


@pytest.mark.real
def test_a_foreign_language_looks_different(shared: Path, tmp_path: Path) -> None:
    csv.field_size_limit(10_000_000)
    made = {}
    for name in ("eng", "yor"):
        with (shared / "data" / "masakhanews" / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            made[name] = list(csv.DictReader(handle))[:120]
    for name, rows, columns in (
        ("train", made["eng"][:80], ["text", "label"]), ("same", made["eng"][80:], ["text"]),
        ("other", made["yor"][:40], ["text"]),
    ):  # fmt: skip
        with (tmp_path / f"{name}.csv").open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**row, "text": row["text"][:500]} for row in rows)
    flow.adapt(tmp_path / "train.csv", tmp_path / "out", parse(AdaptOptions, **QUICK))
    found = {name: flow.evaluate(tmp_path / "out", tmp_path / f"{name}.csv", ASKED).drift for name in ("same", "other")}
    assert found["other"] is not None and found["other"].found and found["other"].auroc.value > 0.9
    assert found["same"] is not None and found["same"].auroc.value < found["other"].auroc.value
