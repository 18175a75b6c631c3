"""Base folders of strangers: networks of an allow-list, weights that we read ourselves, tokenizers that end."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tests.test_bases import tiny_bert, tiny_resnet
from tests.tiny import BASES
from tokenizers import Tokenizer, models
from transformers import AutoConfig, AutoModel, PretrainedConfig

from headstart import bases
from headstart.bases import BaseParts, BaseRequest, assemble_backbone, encoders, vision
from headstart.bases.architectures import list_unknown_settings, parse_architecture
from headstart.bases.building import build_network
from headstart.bases.settings import MODEL_TYPES, SETTINGS, UNUSED
from headstart.errors import DataError
from headstart.modalities.tokenizer_files import encode_text, is_quick_pattern, parse_tokenizer

TYPES = [name for names in MODEL_TYPES.values() for name in sorted(names)]


def shapes_of(net: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in net.state_dict().items()}


@pytest.mark.parametrize("model_type", TYPES)
def test_every_setting_of_a_listed_type_is_known_and_its_default_is_built(model_type: str) -> None:
    default = AutoConfig.for_model(model_type)
    names = {field.name for field in dataclasses.fields(default)} | set(default.to_dict())
    shared = {field.name for field in dataclasses.fields(PretrainedConfig)}
    assert names - set(SETTINGS) - UNUSED - shared == set()
    config = json.loads(json.dumps(default.to_dict()))
    encoders.check_settings(config, "a folder")
    architecture = parse_architecture({"library": "transformers", "config": config}, "a folder")
    with torch.device("meta"):
        ours, theirs = encoders.build_network(architecture), AutoModel.from_config(default)
    assert shapes_of(ours) == shapes_of(theirs)


def timm_parts(**changes: Any) -> BaseParts:
    parts = BASES["image"]().parts
    return dataclasses.replace(parts, architecture={**parts.architecture, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "hf-hub:someone/something"},
        {"name": "local-dir:/etc"},
        {"name": "/etc/passwd"},
        {"name": "resnet18/../x"},
        {"name": ["resnet18"]},
        {"library": "os"},
        *(
            {"kwargs": {name: "x"}}
            for name in ("checkpoint_path", "cache_dir", "pretrained_cfg", "pretrained_cfg_overlay")
        ),
        {"kwargs": {"pretrained": True}},
        {"kwargs": {"features_only": True}},
        {"kwargs": {"img_size": 10**6}},
        {"kwargs": ["pretrained"]},
    ],
)
def test_an_architecture_names_a_plain_network_and_listed_arguments_only(changes: dict[str, Any]) -> None:
    with pytest.raises(DataError):
        assemble_backbone(timm_parts(**changes))


@pytest.mark.parametrize("name", ["detr", "mask2former", "rt_detr", "timm_wrapper", "clip", "gpt2", "../bert", None, 7])
def test_a_type_that_is_not_listed_is_refused_before_anything_is_built(name: object) -> None:
    with pytest.raises(DataError, match="does not build"):
        parse_architecture({"library": "transformers", "config": {"model_type": name}}, "a folder")


@pytest.mark.parametrize("name", ["auto_map", "_attn_implementation", "quantization_config", "transformers_weights"])
def test_a_setting_that_names_something_to_load_or_run_is_refused(name: str) -> None:
    with pytest.raises(DataError, match=name):
        parse_architecture({"library": "transformers", "config": {"model_type": "bert", name: "a/b"}}, "a folder")


def test_a_setting_that_transformers_reads_and_headstart_does_not_know_is_refused() -> None:
    config = {"model_type": "bert", "directionality": "bidi"}
    encoders.check_settings(config, "a folder")  # Nothing reads it.
    assert list_unknown_settings(config) == {"directionality": "bidi"}
    with pytest.raises(DataError, match="output_scores_twice"):
        original = AutoConfig.for_model
        with pytest.MonkeyPatch.context() as patch:

            def with_one_more(name: str) -> Any:
                made = original(name)
                made.output_scores_twice = False
                return made

            patch.setattr(AutoConfig, "for_model", with_one_more)
            encoders.check_settings({**config, "output_scores_twice": True}, "a folder")


@pytest.mark.parametrize(
    "changes",
    [{"num_hidden_layers": 400}, {"hidden_size": 60_000}, {"vocab_size": 1_900_000}, {"num_hidden_layers": 10**9}],
)
def test_a_network_that_is_larger_than_its_weights_is_never_built(
    changes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = BASES["text"]().parts
    config = {**parts.architecture["config"], **changes}

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("something was built")

    monkeypatch.setattr(encoders, "build_network", refuse)
    with pytest.raises(DataError):
        assemble_backbone(dataclasses.replace(parts, architecture={"library": "transformers", "config": config}))


def test_a_network_is_compared_with_its_weights_before_it_takes_memory() -> None:
    weights = shapes_of(vision.build_network({"library": "timm", "name": "test_resnet", "kwargs": {}}))
    with pytest.raises(DataError, match="tensors are missing or of another shape"):
        build_network(vision, {"library": "timm", "name": "vit_giant_patch14_224", "kwargs": {}}, weights, "a folder")


@pytest.mark.parametrize(
    ("room", "architecture", "side"),
    [
        (vision, {"library": "timm", "name": "vit_tiny_patch16_224", "kwargs": {
            "img_size": 8, "patch_size": 1, "dynamic_img_size": True, "depth": 1, "embed_dim": 16, "num_heads": 1}},
         2048),
        (encoders, {"library": "transformers", "config": {
            "model_type": "dinov2", "image_size": 8, "patch_size": 1, "num_hidden_layers": 1, "hidden_size": 16,
            "num_attention_heads": 1}}, 1024),
    ],
)  # fmt: skip
def test_a_network_that_would_compute_for_hours_is_not_run(
    room: ModuleType, architecture: dict[str, Any], side: int
) -> None:
    with torch.device("meta"):
        shapes = shapes_of(room.build_network(parse_architecture(architecture, "a folder")))
    assert build_network(room, architecture, shapes, "a folder", side=8)
    with pytest.raises(DataError, match="operations for an image"):
        build_network(room, architecture, shapes, "a folder", side=side)


@pytest.mark.parametrize("model_type", sorted(MODEL_TYPES["image"]))
def test_every_listed_type_for_images_reads_images(model_type: str) -> None:
    config = {**json.loads(json.dumps(AutoConfig.for_model(model_type).to_dict())), "model_type": model_type}
    architecture = parse_architecture({"library": "transformers", "config": config}, "a folder")
    with torch.device("meta"), torch.no_grad():
        net = encoders.wrap_network(encoders.build_network(architecture).eval())
        side = config["image_size"] if isinstance(config.get("image_size"), int) else 224
        assert all(stage.ndim == 2 and len(stage) == 1 for stage in net(torch.zeros(1, 3, side, side)))


def test_nothing_that_builds_may_open_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    from headstart.bases import vision
    from headstart.bases.building import building_errors
    from headstart.errors import HeadstartError

    assert vision  # Imported before: what is refused is not an import.
    with pytest.raises(HeadstartError, match="asked for the network"), building_errors("a folder"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)


def test_only_one_module_imports_what_can_fetch() -> None:
    source = Path(sys.modules["headstart"].__file__ or "").parent
    words = (
        "snapshot_download",
        "hf_hub_download",
        "urlopen",
        "requests.get",
        "httpx.get",
        "torch.hub",
        "load_state_dict_from_url",
        "OpenerDirector",
        "build_opener",
        "HTTPConnection",
        "HTTPSConnection",
        "create_connection",
    )
    users = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if any(word in path.read_text("utf-8") for word in words) and "standalone" not in path.parts
    }
    assert users == {"bases/downloads/connections.py"}


def published_bert(folder: Path) -> dict[str, np.ndarray]:
    tiny_bert(folder)
    return dict(load_file(folder / "model.safetensors"))


def test_weights_in_several_files_beside_their_index_are_read(tmp_path: Path) -> None:
    weights = published_bert(tmp_path / "model")
    whole = bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text"))
    names = sorted(weights)
    shards = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for shard, inside in shards.items():
        save_file({name: weights[name] for name in inside}, tmp_path / "model" / shard)
    (tmp_path / "model" / "model.safetensors").unlink()
    index = {"weight_map": {name: shard for shard, inside in shards.items() for name in inside}}
    (tmp_path / "model" / "model.safetensors.index.json").write_text(json.dumps(index))
    assert bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text")).fingerprint == whole.fingerprint


@pytest.mark.parametrize("name", ["../outside.safetensors", "/etc/passwd", "pytorch_model.bin", 7, "a\\b.safetensors"])
def test_an_index_names_weights_beside_it_only(tmp_path: Path, name: object) -> None:
    published_bert(tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").rename(tmp_path / "outside.safetensors")
    (tmp_path / "model" / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(DataError, match="does not list weights"):
        bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text"))


def test_names_of_older_checkpoints_are_understood_and_a_missing_pooler_is_zeros(tmp_path: Path) -> None:
    weights = published_bert(tmp_path / "model")
    whole = bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text"))
    older = {f"bert.{name}": value for name, value in weights.items() if "pooler" not in name}
    save_file(older, tmp_path / "model" / "model.safetensors")
    first, second = (bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text")) for _ in range(2))
    assert first.fingerprint == second.fingerprint
    for name, value in whole.parts.weights.items():
        expected = np.zeros_like(value) if "pooler" in name else value
        np.testing.assert_array_equal(first.parts.weights[name], expected)


def test_missing_weights_of_a_published_encoder_are_named_not_drawn_at_random(tmp_path: Path) -> None:
    weights = published_bert(tmp_path / "model")
    del weights["encoder.layer.0.output.dense.weight"]
    save_file(weights, tmp_path / "model" / "model.safetensors")
    with pytest.raises(DataError, match=r"1 tensors are missing .*output\.dense\.weight"):
        bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text"))


def test_a_list_of_words_makes_a_tokenizer_where_there_is_no_other(tmp_path: Path) -> None:
    published_bert(tmp_path / "model")
    tokenizer = Tokenizer.from_file(str(tmp_path / "model" / "tokenizer.json"))
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    (tmp_path / "model" / "tokenizer.json").unlink()
    (tmp_path / "model" / "vocab.txt").write_text("\n".join(words), "utf-8")
    backbone = bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="text"))
    made = parse_tokenizer(backbone.parts.tokenizer, "a tokenizer")
    assert encode_text(made, "The roads").ids == tokenizer.encode("The roads").ids


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    tiny_resnet(tmp_path / "model")
    weights = dict(load_file(tmp_path / "model" / "model.safetensors"))
    weights["conv1.weight"] = np.full_like(weights["conv1.weight"], np.nan)
    save_file(weights, tmp_path / "model" / "model.safetensors")
    with pytest.raises(DataError, match="not numbers"):
        bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="image"))


def test_model_args_of_a_folder_reach_timm_only_if_they_are_listed(tmp_path: Path) -> None:
    tiny_resnet(tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "model_args": {"act_layer": "silu"}}))
    assert bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="image")).parts.architecture[
        "kwargs"
    ] == {"act_layer": "silu"}
    path.write_text(json.dumps({**config, "model_args": {"pretrained": True, "cache_dir": "x"}}))
    with pytest.raises(DataError, match="cache_dir, pretrained"):
        bases.load_base(f"file:{tmp_path / 'model'}", BaseRequest(modality="image"))


def word_pieces() -> dict[str, Any]:
    words = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "water", "road", "##s"])}
    return dict(json.loads(Tokenizer(models.WordPiece(words, unk_token="[UNK]")).to_str()))


REPLACING = [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 60} for _ in range(3)]
ODD_TOKENIZERS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no mapping": lambda document: [],
    "no model": lambda document: {**document, "model": None},
    "another model": lambda document: {**document, "model": {**document["model"], "type": "Nothing"}},
    "texts for numbers": lambda document: {**document, "model": {**document["model"], "vocab": {"a": "b"}}},
    "no unknown piece": lambda document: {**document, "model": {**document["model"], "unk_token": "nowhere"}},
    "huge number": lambda document: {**document, "model": {**document["model"], "vocab": {"[UNK]": 2**31}}},
    "added texts": lambda document: {**document, "added_tokens": ["a"]},
    "another step": lambda document: {**document, "pre_tokenizer": {"type": "Nothing"}},
    "nested steps": lambda document: {**document, "normalizer": nest(30)},
    "growing text": lambda document: {**document, "normalizer": {"type": "Sequence", "normalizers": REPLACING}},
    "broken map": lambda document: {**document, "normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}},
    "endless pattern": lambda document: {
        **document,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False},
    },
}


def nest(depth: int) -> dict[str, Any]:
    step: dict[str, Any] = {"type": "Lowercase"}
    for _ in range(depth):
        step = {"type": "Sequence", "normalizers": [step]}
    return step


@pytest.mark.parametrize("name", list(ODD_TOKENIZERS))
def test_an_odd_tokenizer_is_refused_in_two_lines(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    text = json.dumps(ODD_TOKENIZERS[name](word_pieces()))
    with pytest.raises(DataError) as caught:
        parse_tokenizer(text, "a/tokenizer.json", 16)
    assert "a/tokenizer.json" in caught.value.problem
    assert capfd.readouterr().err == ""


def test_a_healthy_tokenizer_is_read_as_it_is() -> None:
    text = json.dumps(word_pieces())
    assert encode_text(parse_tokenizer(text, "a", 16), "waters").ids == Tokenizer.from_str(text).encode("waters").ids


@pytest.mark.parametrize(
    ("pattern", "quick"),
    [
        (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s+(?!\S)|\s+", True),
        (r"(?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+", True),
        ("(a+)+$", False),
        ("(?:a|aa)+b", False),
        (".*.*.*=", False),
        ("(a{1,50}){1,50}b", False),
        (7, False),
    ],
)  # fmt: skip
def test_patterns_that_could_take_without_end_are_told_from_those_in_use(pattern: object, quick: bool) -> None:
    assert is_quick_pattern(pattern) is quick


def test_a_tokenizer_with_more_pieces_than_the_network_is_refused() -> None:
    parts = BASES["text"]().parts
    document = json.loads(parts.tokenizer)
    document["model"]["vocab"] |= {f"piece{number}": len(document["model"]["vocab"]) + number for number in range(9)}
    with pytest.raises(DataError, match="the network knows"):
        assemble_backbone(dataclasses.replace(parts, tokenizer=json.dumps(document)))


def test_texts_are_cut_to_the_positions_that_the_network_has() -> None:
    parts = BASES["text"]().parts
    backbone = assemble_backbone(dataclasses.replace(parts, spec={**parts.spec, "max_length": 4_000}))
    assert backbone.spec["max_length"] == 32


@pytest.mark.parametrize(
    "changes",
    [
        {"channel_indices": np.array([10**6])},
        {"dilations": np.array([-1])},
        {"dilations": np.array([10**6])},
        {"features_per_dilation": np.array([10**9])},
        {"channels_per_combination": np.array([7] * 84)},
        {"biases": np.zeros(3, np.float32)},
        {"biases": np.zeros((84, 1), np.float32)},
        {"dilations": np.array([1.5])},
    ],
)
def test_convolutions_that_would_be_read_outside_of_their_arrays_are_refused(changes: dict[str, np.ndarray]) -> None:
    from headstart.bases.rocket_weights import check_rocket_weights

    weights = {
        "channels_per_combination": np.ones(84, np.int32), "channel_indices": np.zeros(84, np.int32),
        "dilations": np.ones(1, np.int32), "features_per_dilation": np.ones(1, np.int32),
        "biases": np.zeros(84, np.float32),
    }  # fmt: skip
    spec = {"length": 20, "n_channels": 1}
    check_rocket_weights(weights, spec, "a base")
    with pytest.raises(DataError):
        check_rocket_weights({**weights, **changes}, spec, "a base")
