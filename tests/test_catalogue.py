"""The catalogue: every base says what people must know, and is read through the real code from a tiny checkpoint."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.numpy import load_file, save_file
from tests import tiny_published
from tests.tiny_published import WRITERS
from tokenizers import Tokenizer

from headstart import bases
from headstart.bases import CATALOGUE, DEFAULTS, BaseRequest
from headstart.bases.catalogue_loading import FORMATS, find_obstacle, find_revision, list_present
from headstart.bases.folder import read_folder
from headstart.bases.licences import CLASSES, FREE_CLASSES, UNKNOWN
from headstart.bases.record import BaseRecord, find_licence_class
from headstart.bases.series_bodies import SERIES_LAYOUTS
from headstart.errors import DataError
from headstart.modalities import MODALITIES
from headstart.ranking import CandidateFilter, list_candidates

FROM_HUB = [name for name, record in CATALOGUE.items() if record.repository and not record.package]
READABLE = [name for name in FROM_HUB if CATALOGUE[name].format in WRITERS]
ENCODERS = [name for name in READABLE if CATALOGUE[name].format == "transformers"]


def put_in_cache(record: BaseRecord, source: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay a folder out as the cache of huggingface_hub does, and let it be the cache."""
    commit = record.revision or "0" * 40
    root = cache / f"models--{record.repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(commit)
    shutil.copytree(source, root / "snapshots" / commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))


def load_offline(record: BaseRecord) -> bases.Backbone:
    return bases.load_base(record.name, BaseRequest(modality=record.modality, offline=True))


def compute_features(backbone: bases.Backbone) -> np.ndarray:
    assert backbone.module is not None
    torch.manual_seed(0)
    with torch.no_grad():
        if backbone.record.modality == "image":
            return backbone.module()(torch.randn(2, 3, backbone.spec["size"], backbone.spec["size"]))[-1].numpy()
        modality = MODALITIES["text"]
        rows = [modality.prepare(modality.load(text, backbone.spec), backbone.spec) for text in ("a bc", "xyz")]
        ids, mask = (torch.from_numpy(part) for part in modality.collate(rows, backbone.spec))
        return backbone.module()(ids, mask)[-1].numpy()


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_every_record_says_what_people_must_know(name: str) -> None:
    record = CATALOGUE[name]
    assert record.name == name
    assert all([record.licence, record.training_data, record.known_biases, record.url, record.summary, record.good_for])
    assert find_licence_class(record) in set(CLASSES) - {UNKNOWN}
    assert len(record.good_for) <= 60  # One or two lines of the list.
    if record.modality == "text":
        assert record.languages
        assert record.scripts
    assert set(record.facts_read) <= set(record.__dataclass_fields__)
    if name in FROM_HUB:
        assert record.repository.count("/") == 1
        assert record.format
        assert record.architecture
        assert record.n_parameters > 0
        assert record.size_bytes > 1_000_000
        assert not record.instead or record.instead in CATALOGUE
        assert record.sha256 == "", "pinned at the first fetch"


def test_every_form_of_files_has_a_tiny_checkpoint() -> None:
    assert {*WRITERS, *SERIES_LAYOUTS} == FORMATS  # Those of series are in test_series_bodies.
    assert {record.format for record in CATALOGUE.values()} - {""} <= FORMATS


def test_defaults_are_free_for_every_use_and_come_with_headstart() -> None:
    for modality, name in DEFAULTS.items():
        assert CATALOGUE[name].modality == modality
        assert find_licence_class(CATALOGUE[name]) in FREE_CLASSES
        assert CATALOGUE[name].source in ("embedded", "shipped")


@pytest.mark.parametrize("name", READABLE)
def test_a_tiny_checkpoint_of_every_record_is_read_through_the_real_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = CATALOGUE[name]
    torch.manual_seed(0)
    WRITERS[record.format](record, tmp_path / "model")
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    assert name in list_present([record])
    backbone = load_offline(record)
    assert backbone.record.name == name
    assert backbone.record.licence == record.licence
    values = compute_features(backbone)
    assert values.shape == (2, backbone.record.n_dims)
    assert np.isfinite(values).all()
    assert not np.allclose(values[0], values[1])
    assert not record.image_size or backbone.spec["size"] == record.image_size


@pytest.mark.parametrize("name", ENCODERS)
def test_a_checkpoint_of_years_ago_gives_the_same_features_as_one_of_today(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = CATALOGUE[name]
    torch.manual_seed(0)
    tiny_published.write_transformers(record, tmp_path / "model", is_old=True)
    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert any("gamma" in tensor for tensor in weights)
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    backbone = load_offline(record)
    body = {"bert": "bert", "xlm-roberta": "roberta"}[record.architecture]
    stored = weights[f"{body}.encoder.layer.1.output.LayerNorm.gamma"] * 1.0
    np.testing.assert_array_equal(backbone.parts.weights["encoder.layer.1.output.LayerNorm.weight"], stored)


@pytest.mark.parametrize("name", READABLE)
def test_a_tensor_of_another_name_fails_and_is_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = CATALOGUE[name]
    WRITERS[record.format](record, tmp_path / "model")
    path = tmp_path / "model" / record.weights_file
    weights = load_file(path)
    largest = _pick_tensor(weights)
    weights[f"another.{largest}"] = weights.pop(largest)
    save_file(weights, path)
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    with pytest.raises(DataError, match="does not fit its architecture"):
        load_offline(record)


def _pick_tensor(weights: dict[str, np.ndarray]) -> str:
    """Return the largest tensor of the first block or stage, which every network needs."""
    inner = [name for name in weights if any(part in name for part in ("blocks.0", "layer1", "layer.0", "stages.0"))]
    return max(inner, key=lambda name: (not name.startswith("transformer"), weights[name].size))


def test_the_tower_of_open_clip_gives_the_features_that_its_own_formula_gives(tmp_path: Path) -> None:
    record = CATALOGUE["bioclip-2"]
    tiny_published.write_open_clip(record, tmp_path / "model")
    backbone = bases.assemble_backbone(read_folder(tmp_path / "model", record))
    assert backbone.module is not None
    pixels = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    weights = load_file(tmp_path / "model" / "open_clip_model.safetensors")
    with torch.no_grad():
        expected = tiny_published.compute_clip_features(weights, pixels)
        np.testing.assert_allclose(backbone.module()(pixels)[-1], expected, atol=2e-5)


def test_a_tower_of_open_clip_with_unknown_settings_is_refused(tmp_path: Path) -> None:
    record = CATALOGUE["bioclip-2"]
    tiny_published.write_open_clip(record, tmp_path / "model")
    path = tmp_path / "model" / "open_clip_config.json"
    config = json.loads(path.read_text())
    config["model_cfg"]["vision_cfg"]["attentional_pool"] = True
    path.write_text(json.dumps(config))
    with pytest.raises(DataError, match="attentional_pool"):
        read_folder(tmp_path / "model", record)


def test_positions_are_stretched_for_smaller_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = CATALOGUE["dinov2-small"]
    WRITERS["timm"](record, tmp_path / "model")
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    stored = load_file(tmp_path / "model" / "model.safetensors")["pos_embed"]
    read = load_offline(record).parts.weights["pos_embed"]
    assert stored.shape[1] == 1 + 37 * 37  # 518 pixels of 14.
    assert read.shape[1] == 1 + 16 * 16
    np.testing.assert_array_equal(read[:, 0], stored[:, 0].astype(np.float32))
    assert abs(float(read[:, 1:].mean()) - float(stored[:, 1:].mean())) < 1e-2


@pytest.mark.parametrize("name", [name for name in FROM_HUB if find_obstacle(CATALOGUE[name])])
def test_a_base_that_cannot_be_had_names_another(name: str) -> None:
    record = CATALOGUE[name]
    with pytest.raises(DataError) as caught:
        load_offline(record)
    assert record.instead
    assert f"--base {record.instead}" in caught.value.hint


def test_a_repository_without_safetensors_names_another_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = CATALOGUE["labse"]
    WRITERS["transformers"](record, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    with pytest.raises(DataError) as caught:
        load_offline(record)
    assert "safetensors" in f"{caught.value.problem} {caught.value.hint}"


def test_a_repository_that_became_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = CATALOGUE["labse"]
    WRITERS["transformers"](replace(record, architecture="xlm-roberta"), tmp_path / "model")
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    with pytest.raises(DataError, match="another network"):
        load_offline(record)


def test_only_the_revision_that_a_record_names_counts_as_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = CATALOGUE["camelbert-mix"]
    WRITERS["transformers"](record, tmp_path / "model")
    put_in_cache(replace(record, revision=""), tmp_path / "model", tmp_path / "cache", monkeypatch)
    assert record.revision
    assert not list_present([record])
    assert find_revision(record) == record.revision
    put_in_cache(record, tmp_path / "model", tmp_path / "other", monkeypatch)
    assert list_present([record]) == {record.name}
    assert find_revision(replace(record, revision="")) == record.revision


def test_only_bases_that_are_here_are_ranked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = CATALOGUE["vit-small"]
    WRITERS["timm"](record, tmp_path / "model")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "none"))
    before, _ = list_candidates(CandidateFilter("image"))
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    after, _ = list_candidates(CandidateFilter("image"))
    assert [item.reference for item in before] == [DEFAULTS["image"]]
    assert [item.reference for item in after] == [DEFAULTS["image"], "vit-small"]  # Once, and by its own name.


def test_the_prefix_of_a_record_stands_in_its_tokenizer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = CATALOGUE["multilingual-e5-base"]
    WRITERS["transformers"](record, tmp_path / "model")
    put_in_cache(record, tmp_path / "model", tmp_path / "cache", monkeypatch)
    tokens = Tokenizer.from_str(load_offline(record).parts.tokenizer).encode("a").tokens
    assert "".join(tokens) == "<s>▁query:▁a</s>"
