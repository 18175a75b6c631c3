"""Bases that are not here are proposed by script, domain, licence and size; `--fetch` gets and ranks two."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.hub_server import FakeHub, isolate, serve_hub
from typer.testing import CliRunner

from headstart.bases import CATALOGUE
from headstart.cli.main import app
from headstart.errors import HeadstartError
from headstart.flow.base_choice.measure import list_expected_errors
from headstart.flow.base_choice.proposals import ISO_SCRIPTS, DataFacts, ProposalLimits, propose_bases
from headstart.options import BasesOptions
from headstart.ranking import Candidate

PRESENT = frozenset({"efficientnet-lite0", "all-minilm-l6-v2", "multilingual-e5-small", "series-encoder", "minirocket"})


def propose(facts: DataFacts, **limits: object) -> list[str]:
    chosen = propose_bases(CATALOGUE.values(), PRESENT, facts, ProposalLimits(**limits))  # type: ignore[arg-type]
    return [item.record.name for item in chosen]


def test_texts_get_bases_that_know_their_script() -> None:
    arabic = propose(DataFacts(modality="text", scripts=("Arabic", "Latin")))
    assert arabic[:2] == ["multilingual-minilm-l12", "camelbert-mix"], "one for sentences, one for this script"
    assert "bert-base" not in arabic and "marbert-v2" not in arabic
    ethiopic = propose(DataFacts(modality="text", scripts=("Ethiopic",)), max_bytes=2e9)
    assert ethiopic[:3] == ["multilingual-e5-base", "labse", "afro-xlmr-base"]
    assert not {"bert-base", "bert-multilingual", "camelbert-mix", "indicbert-v2"} & set(ethiopic)
    assert propose(DataFacts(modality="text", scripts=("Runic",))) == []


def test_latin_letters_get_english_bases_only_where_the_words_are_english() -> None:
    assert propose(DataFacts(modality="text", scripts=("Latin",), is_english=True))[0] == "bert-base"
    others = propose(DataFacts(modality="text", scripts=("Latin",)))
    assert others and "bert-base" not in others


def test_images_get_broad_bases_or_those_of_their_domain() -> None:
    (first, *others) = propose_bases(CATALOGUE.values(), PRESENT, DataFacts(modality="image"), ProposalLimits())
    assert (first.record.name, first.reason, round(first.size_bytes / 1e6)) == ("dinov2-small", "broad", 88)
    assert first.command == "headstart bases fetch dinov2-small"
    assert "dinov2-base" not in [item.record.name for item in others], "one of a family is enough"
    assert propose(DataFacts(modality="image", domain="biology"), max_bytes=2e9)[0] == "bioclip-2"
    assert propose(DataFacts(modality="image", domain="documents")) == ["siglip2-base"]


@pytest.mark.parametrize("modality", ["image", "text", "series"])
def test_licence_size_and_what_is_here_hold_for_every_modality(modality: str) -> None:
    facts = DataFacts(modality=modality)
    names = propose(facts, max_bytes=1e12)
    assert not PRESENT & set(names)
    assert all(CATALOGUE[name].modality == modality and not CATALOGUE[name].gated for name in names)
    assert all(CATALOGUE[name].task != "forecasting" for name in names)
    assert propose(facts, max_bytes=0.0) == []
    assert len(propose(facts, max_bytes=1e12, any_licence=True)) >= len(names)


def test_restricted_bases_are_proposed_only_on_request() -> None:
    restricted = {"dinov3-small", "marbert-v2"}
    for facts in (DataFacts(modality="image"), DataFacts(modality="text", scripts=("Arabic",))):
        assert not restricted & set(propose(facts))
        assert restricted & set(propose(facts, any_licence=True)), facts


def test_every_script_and_domain_of_the_catalogue_can_be_asked_for() -> None:
    codes = {code for entry in ISO_SCRIPTS.values() for code in entry}
    assert {code for record in CATALOGUE.values() for code in record.scripts} <= codes
    field = BasesOptions.model_fields["domain"]
    domains = {domain for record in CATALOGUE.values() for domain in record.domains}
    assert all(f"'{domain}'" in str(field.annotation) for domain in domains)


def test_a_fetched_base_that_cannot_be_run_is_left_out_and_one_of_ours_is_not() -> None:
    fetched, ours = (Candidate(name, "catalogue", "mit", 1) for name in ("resnet-18", "multilingual-e5-small"))
    assert RuntimeError in list_expected_errors(fetched)
    assert list_expected_errors(ours) == (HeadstartError,)


def test_fetch_needs_data_and_a_network() -> None:
    for line, words in ((["--fetch"], "--fetch needs data"), (["--domain", "biology"], "--domain needs data")):
        refused = CliRunner().invoke(app, ["bases", *line])
        assert refused.exit_code == 2 and words in refused.stderr


def test_fetch_gets_the_best_and_ranks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.test_bases import tiny_resnet

    from headstart.bases.downloads import settings

    isolate(tmp_path, monkeypatch)
    monkeypatch.setattr(settings, "SETTINGS", settings.DownloadSettings())
    tiny_resnet(tmp_path / "model")
    files = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
    record = replace(CATALOGUE["resnet-18"], name="tinynet-1", repository="clinic/tiny", size_bytes=10_000)
    for name in [name for name, item in CATALOGUE.items() if item.modality == "image" and item.repository]:
        monkeypatch.delitem(CATALOGUE, name)
    monkeypatch.setitem(CATALOGUE, "tinynet-1", record)
    rng = np.random.default_rng(0)
    for number in range(48):
        folder = tmp_path / "images" / ("dark" if number % 2 else "light")
        folder.mkdir(parents=True, exist_ok=True)
        level = 40 if number % 2 else 190
        pixels = np.clip(rng.normal(level, 25, size=(40, 40, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    with serve_hub(FakeHub(files)) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        line = ["bases", "--for", str(tmp_path / "images"), "--json", "--rows", "30"]
        first = json.loads(CliRunner().invoke(app, line).stdout)
        assert [item["base"] for item in first["proposals"]] == ["tinynet-1"]
        assert "tinynet-1" not in [row["base"] for row in first["ranking"]]
        assert server.requests == []
        refused = CliRunner().invoke(app, [*line, "--fetch"])
        assert refused.exit_code == 2 and "--yes" in refused.stderr
        second = CliRunner().invoke(app, [*line, "--fetch", "--yes"])
        document = json.loads(second.stdout)
    assert "tinynet-1" in [row["base"] for row in document["ranking"]], second.stderr
    assert document["proposals"] == []
