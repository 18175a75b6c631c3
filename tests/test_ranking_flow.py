"""Ranking bases from end to end with tiny checkpoints: `bases --for`, `--base auto`, training rows only, the cache."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from headstart import data, features, flow, ranking
from headstart.bases import DEFAULTS
from headstart.cli.main import app
from headstart.errors import DataError
from headstart.features import runtimes
from headstart.flow.base_choice import choose, measure
from headstart.options import AdaptOptions, BasesOptions, parse
from headstart.ranking import CandidateFilter
from headstart.ranking.settings import SETTINGS
from headstart.records import TRAIN
from headstart.report import fill_sentences, write_sentence
from headstart.strategies.record import Clock

KEYS = {"base", "probe", "logme", "hscore", "knn", "seconds", "n_rows", "licence", "size_bytes", "tie"}


def tiny_resnet(folder: Path, seed: int) -> str:
    """Write a random network of 48 pixels as timm does."""
    import torch
    from safetensors.numpy import save_file

    from headstart.bases import vision

    torch.manual_seed(seed)
    net = vision.timm.create_model("resnet10t", num_classes=0)
    folder.mkdir(parents=True)
    save_file({name: value.numpy() for name, value in net.state_dict().items()}, folder / "model.safetensors")
    cfg = {"input_size": [3, 48, 48], "mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 1.0}
    config = {"architecture": "resnet10t", "num_classes": 0, "license": "mit", "pretrained_cfg": cfg}
    (folder / "config.json").write_text(json.dumps(config))
    return f"file:{folder}"


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root = tmp_path_factory.mktemp("bases")
    return tiny_resnet(root / "one", 1), tiny_resnet(root / "two", 2)


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def simple(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One runtime, an empty hub cache, and a home for these tests alone: the choice of runtime is remembered there."""
    from huggingface_hub import constants

    monkeypatch.setenv("HEADSTART_HOME", str(own_home))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(runtimes, "RUNTIMES", {runtimes.REFERENCE: runtimes.RUNTIMES[runtimes.REFERENCE]})


def in_hub_cache(cache: Path, repository: str, reference: str) -> None:
    root = cache / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text("0" * 40)
    shutil.copytree(reference.removeprefix("file:"), root / "snapshots" / ("0" * 40))


def test_the_command_prints_the_ranking_as_json_and_a_table_for_people(
    image_folder: Path, checkpoints: tuple[str, str]
) -> None:
    arguments = ["bases", "--for", str(image_folder), "--offline", "--json"]
    for candidate in (*checkpoints, "all-minilm-l6-v2"):
        arguments += ["--candidate", candidate]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert set(document) == {"format", "ranking", "left_out", "proposals", "task", "why"} and document["format"] == 1
    assert {row["base"] for row in document["ranking"]} == {"efficientnet-lite0", *checkpoints}
    assert all(set(row) >= KEYS for row in document["ranking"])
    values = [row["probe"]["value"] for row in document["ranking"]]
    assert values == sorted(values, reverse=True)
    assert all(row["probe"]["low"] <= row["probe"]["value"] <= row["probe"]["high"] for row in document["ranking"])
    assert {row["licence"] for row in document["ranking"]} == {"apache-2.0", "mit"}
    assert sum(row["taken"] for row in document["ranking"]) == 1
    (left_out,) = document["left_out"]
    assert left_out["base"] == "all-minilm-l6-v2" and "for text data" in left_out["reason"]
    assert document["why"].split()[-1] in " ".join(done.stderr.split())
    assert "LogME" in done.stderr


def test_only_training_rows_are_looked_at(
    image_folder: Path, checkpoints: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def watched(table: object, *args: object, **options: object) -> object:
        seen.extend(table.splits)  # type: ignore[attr-defined]
        return features.extract_features(table, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(measure, "features", type("room", (), {"extract_features": staticmethod(watched)}))
    choose.rank(image_folder, parse(BasesOptions, candidate=checkpoints[:1], offline=True))
    assert seen and set(seen) == {TRAIN}


def test_adapt_recomputes_nothing_that_the_ranking_computed(
    image_folder: Path, checkpoints: tuple[str, str], simple: None, fresh_home: Path, tmp_path: Path
) -> None:
    choose.rank(image_folder, parse(BasesOptions, candidate=checkpoints[:1], offline=True))
    chosen = parse(AdaptOptions, base=checkpoints[0], strategy="classic,linear-probe", offline=True)
    result = flow.adapt(image_folder, tmp_path / "out", chosen)
    assert result.cost["rows_computed"] == result.n_rows.test


def test_auto_takes_what_the_ranking_takes_and_says_why(
    image_folder: Path, checkpoints: tuple[str, str], tmp_path: Path
) -> None:
    in_hub_cache(tmp_path / "hub", "clinic/tiny", checkpoints[0])
    ranked = choose.rank(image_folder, parse(BasesOptions))
    assert {item.candidate.reference for item in ranked.measured} == {"efficientnet-lite0", "hf:clinic/tiny"}
    result = flow.adapt(image_folder, tmp_path / "out", parse(AdaptOptions, base="auto", strategy="linear-probe"))
    assert result.base.name == ranked.taken
    (said,) = [item for item in result.checks if item.kind == "base-chosen"]
    assert said.severity == "note" and said.summary == write_sentence(ranked.to_record())
    assert result.ranking is not None and result.ranking.why == write_sentence(ranked.to_record())
    assert [row.base for row in result.ranking.ranking] == [item.candidate.reference for item in ranked.measured]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Why this base model?" in page and page.count("(taken)") == 1
    assert "hf:clinic/tiny" in page and write_sentence(ranked.to_record()).split(":")[0] in page


def test_auto_takes_the_only_candidate_without_a_ranking(
    series_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = ranking.list_candidates
    monkeypatch.setattr(choose.ranking, "list_candidates", lambda criteria: (every(criteria)[0][:1], {}))
    monkeypatch.setattr(choose, "compare_bases", lambda *args: pytest.fail("nothing to compare"))
    result = flow.adapt(series_table, tmp_path / "out", parse(AdaptOptions, base="auto", strategy="linear-probe"))
    assert result.base.name == "series-encoder"
    assert "only base model" in next(item for item in result.checks if item.kind == "base-chosen").summary


def test_auto_takes_the_default_when_there_is_no_time(
    image_folder: Path, checkpoints: tuple[str, str], tmp_path: Path
) -> None:
    in_hub_cache(tmp_path / "hub", "clinic/tiny", checkpoints[0])
    table = data.assign_splits(data.read_table(image_folder, AdaptOptions()), AdaptOptions())
    chosen = choose.choose_base(table, parse(AdaptOptions, base="auto"), Clock(0.0))
    assert chosen.backbone.record.name == DEFAULTS["image"]
    assert "default is taken" in chosen.findings[0].summary


def test_all_begin_on_few_rows_and_the_better_ones_go_on_to_more(
    image_folder: Path, checkpoints: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.ranking.ordering.SETTINGS", replace(SETTINGS, sample_rows=18))
    table = data.assign_splits(data.read_table(image_folder, AdaptOptions()), AdaptOptions())
    wanted = CandidateFilter("image", requested=checkpoints)
    found = choose.compare_bases(table, parse(AdaptOptions, offline=True), wanted, n_rows=1_000, clock=Clock(np.inf))
    n_train = int((table.splits == TRAIN).sum())
    n_rows = [len(item.ids) for item in found.measured]
    assert set(n_rows) <= {18, n_train} and n_rows == sorted(n_rows, reverse=True)
    assert n_rows.count(n_train) >= 2


def test_a_foreign_model_that_breaks_is_left_out_and_a_known_one_is_not_hidden(
    image_folder: Path, checkpoints: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(checkpoints[0].removeprefix("file:"), broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    found = choose.rank(image_folder, parse(BasesOptions, candidate=(f"file:{broken}",), offline=True))
    assert list(found.left_out) == [f"file:{broken}"] and "damaged" in found.left_out[f"file:{broken}"]
    assert "only one that could be tried" in write_sentence(found.to_record())

    def fault(*args: object) -> float:
        raise ValueError("our own fault")

    monkeypatch.setattr(ranking, "compute_logme", fault)
    with pytest.raises(ValueError, match="our own fault"):
        choose.rank(image_folder, parse(BasesOptions, offline=True))


def test_texts_show_how_the_vocabulary_copes(text_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = ranking.list_candidates
    monkeypatch.setattr(choose.ranking, "list_candidates", lambda criteria: (every(criteria)[0][:1], {}))
    (row,) = fill_sentences(choose.rank(text_table, parse(BasesOptions, offline=True)).to_record()).ranking
    assert row.base == "all-minilm-l6-v2" and row.vocabulary is not None and row.vocabulary.knowledge == "known"
    assert row.agreement == "much" and "knows the language" in row.reading and "the same label" in row.reading
    assert row.unknown_share == 0.0 and row.pieces_per_word is not None and 1.0 <= row.pieces_per_word < 2.0


def numbered(image_folder: Path, folder: Path, label: str) -> Path:
    """The same pictures in a table: `size` is a number, `kinds` may be several labels."""
    shutil.copytree(image_folder, folder)
    rows = ["file,label"]
    for number, path in enumerate(sorted(path for path in folder.rglob("*.*") if path.suffix in {".png", ".jpg"})):
        several = ";".join(name for name, every in (("a", 2), ("b", 3)) if number % every == 0) or "none"
        rows.append(f"{path.relative_to(folder)},{number + 0.25 if label == 'size' else several}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "metadata.csv"


@pytest.mark.parametrize(("label", "kind"), [("size", "regression"), ("kinds", "multi-label")])
def test_numbers_and_several_labels_are_ranked_by_the_error_taken_away(
    image_folder: Path, checkpoints: tuple[str, str], tmp_path: Path, label: str, kind: str
) -> None:
    table = numbered(image_folder, tmp_path / "rows", label)
    found = choose.rank(table, parse(BasesOptions, candidate=checkpoints[:1], task=kind, offline=True))
    assert {item.candidate.reference for item in found.measured} == {"efficientnet-lite0", checkpoints[0]}
    assert found.task == kind
    for item in found.measured:
        assert item.probe.low <= item.probe.value <= item.probe.high <= 1
        assert item.gains.mean() == pytest.approx(item.probe.value, abs=1e-6)
        assert np.isfinite([item.logme, item.hscore, item.knn, item.log_loss]).all()
    assert "takes away" in write_sentence(found.to_record())


def test_texts_in_a_foreign_script_are_warned_of_and_a_hub_model_for_another_language_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {"good": ["ጥሩ ነው", "በጣም ጥሩ"], "bad": ["መጥፎ ነው", "በጣም መጥፎ"]}
    rows = [f"{words[name][i % 2]} {i},{name}" for name in words for i in range(12)]
    path = tmp_path / "amharic.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    chosen = parse(AdaptOptions, base="all-minilm-l6-v2", strategy="linear-probe", offline=True)
    result = flow.adapt(path, tmp_path / "out", chosen)
    (said,) = [item for item in result.checks if item.kind == "foreign-script"]
    assert said.severity == "warn" and "does not know" in said.summary and "--for DATA" in said.advice
    foreign = measure.VocabularyCoverage(unknown_share=0.62, pieces_per_word=1.0)
    monkeypatch.setattr(measure, "measure_coverage", lambda *args: foreign)
    table = data.assign_splits(data.read_table(path, AdaptOptions()), AdaptOptions())
    sample = measure.Sample(table, np.arange(len(table)), 0)
    asked = choose.state_need(table, chosen)
    hub = ranking.Candidate("all-minilm-l6-v2", "hub", "mit", 1)
    monkeypatch.setitem(DEFAULTS, "text", "another")
    with pytest.raises(DataError, match="62% of what these texts are made of"):
        measure.measure_candidate(hub, sample, chosen, need=asked, seconds=60.0)


def test_a_candidate_without_data_is_a_mistake_of_the_user() -> None:
    done = CliRunner().invoke(app, ["bases", "--candidate", "file:somewhere"])
    assert done.exit_code == 2 and "--for DATA" in done.stderr
