"""What previous versions left on a user's disk still serves: home folders and a bundle."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from tests.tiny import BASES

from headstart import flow
from headstart.bases.folder import write_folder
from headstart.bundle.verification import verify_bundle
from headstart.options import AdaptOptions, CacheOptions, PredictOptions, ReportOptions, parse
from headstart.row_cache import list_entries

DATA = Path(__file__).parent / "data"
VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.4.0")
"""Each left the features and the tokenizer of 60 messages, read by the tiny text base of the tests."""
BUNDLES = VERSIONS[1:]
"""Those that left a bundle too, and its answers to seven rows; from 0.3.0 on a run folder as well."""


@pytest.fixture(params=(VERSIONS[0], VERSIONS[-1]))
def old_home(request: pytest.FixtureRequest, fresh_home: Path) -> Path:
    """Give a copy of the oldest and of the newest stored home folder, in use: their form is the same in between."""
    shutil.copytree(DATA / f"home-{request.param}", fresh_home)
    return fresh_home


def test_features_of_previous_versions_are_listed_used_and_pruned(old_home: Path, tmp_path: Path) -> None:
    (entry,) = list_entries()
    assert entry.base == "tiny-bert" and entry.n_rows == 60 and entry.is_current
    write_folder(BASES["text"]().parts, tmp_path / "base")
    options = parse(AdaptOptions, base=f"file:{tmp_path / 'base'}", strategy="linear-probe", offline=True, time="2m")
    result = flow.adapt(old_home / "messages.csv", tmp_path / "out", options)
    assert result.chosen == "linear-probe"
    assert entry.key in {kept.key for kept in list_entries()}
    _, left, removed = flow.list_cache(parse(CacheOptions, prune=True, older_than=0.0))
    assert entry.key in {gone.key for gone in removed} and not left


@pytest.mark.parametrize("version", BUNDLES)
@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_a_bundle_of_a_previous_version_answers_as_it_did(runtime: str, version: str, tmp_path: Path) -> None:
    stored = DATA / f"home-{version}"
    bundle = Path(shutil.copytree(stored / "bundle", tmp_path / "bundle"))
    rows = Path(shutil.copy(DATA / "bundle-rows.csv", tmp_path))
    options = parse(PredictOptions, precision="float32", offline=True, runtime=runtime)
    flow.predict(bundle, [rows], tmp_path / "answers.csv", options)
    answers, expected = (_read_rows(folder / "answers.csv") for folder in (tmp_path, stored))
    assert len(answers) == len(expected) == 7
    for answer, before in zip(answers, expected, strict=True):
        assert {name: answer[name] for name in ("input", "label", "answer", "kind")} == {
            name: before[name] for name in ("input", "label", "answer", "kind")
        }
        assert float(answer["probability"]) == pytest.approx(float(before["probability"]), abs=2e-3)
    assert verify_bundle(bundle).passes


@pytest.mark.parametrize("version", VERSIONS[2:])
def test_the_report_of_a_previous_version_is_written_again(version: str, tmp_path: Path) -> None:
    run = Path(shutil.copytree(DATA / f"home-{version}" / "run", tmp_path / "run"))
    for language in ("en", "ar"):
        flow.report(run, None, parse(ReportOptions, language=language))
        assert "messages.csv" in (run / "report.html").read_text(encoding="utf-8")
    assert "messages.csv" in (run / "README.md").read_text(encoding="utf-8")


def _read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))
