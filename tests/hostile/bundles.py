"""Bundles that somebody changed: configurations, arrays, graphs, golden rows, tokenizers, file names."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors.numpy import load_file, save_file
from tests.hostile.case import (
    ODD_VALUES,
    Case,
    Command,
    Random,
    Seeds,
    copy_bundle,
    list_paths,
    put_value,
    read_document,
    seal,
    take_out,
    write_document,
)

FILES = ("config.json", "strategy.json", "decision.json", "base/config.json", "manifest.json")
DOORS: dict[str, Callable[[Path, Path, Path], tuple[str, ...]]] = {
    "torch": lambda bundle, rows, data: ("predict", str(bundle), str(rows), "--runtime", "torch", "-o", "answers.csv"),
    "onnx": lambda bundle, rows, data: ("predict", str(bundle), str(rows), "--runtime", "onnx", "-o", "answers.csv"),
    "verify": lambda bundle, rows, data: ("verify", str(bundle)),
    "evaluate": lambda bundle, rows, data: ("evaluate", str(bundle), str(data), "--recalibrate", "corrected"),
    "export": lambda bundle, rows, data: ("export", str(bundle), "--to", "onnx", "-o", "exported"),
}
"""Ways in which a bundle is read."""
MODALITIES = {
    "image": "image", "text": "text", "classic-text": "text", "series": "series", "tuned-series": "series",
}  # fmt: skip


def open_door(door: str, seed: str, bundle: Path, seeds: Seeds) -> Command:
    """Return the command that reads a bundle through a door."""
    modality = MODALITIES[seed]
    return Command(arguments=DOORS[door](bundle, seeds.rows[modality], seeds.data[modality]), quiet=door != "verify")


def _changed_value(seed: str, file: str, door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    bundle = copy_bundle(seeds.bundles[seed], folder)
    if not (bundle / file).is_file():
        file = "config.json"
    document = read_document(bundle / file)
    paths = list(list_paths(document))
    path = paths[int(random.integers(len(paths)))]
    name = list(ODD_VALUES)[int(random.integers(len(ODD_VALUES) + 1)) - 1]
    if random.integers(8) == 0:
        take_out(document, path)
    else:
        put_value(document, path, ODD_VALUES[name])
    write_document(bundle / file, document)
    if file != "manifest.json":
        seal(bundle)
    return open_door(door, seed, bundle, seeds)


def _changed_text(seed: str, door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    bundle = copy_bundle(seeds.bundles[seed], folder)
    names = [name for name in FILES if (bundle / name).is_file()]
    name = names[int(random.integers(len(names)))]
    contents = [b"", b"[]", b"7", b"null", b'"x"', b"{", b"\xff\xfe\x00", b"[" * 100_000, b"{}", b'{"format": 99}']
    (bundle / name).write_bytes(contents[int(random.integers(len(contents)))])
    if name != "manifest.json":
        seal(bundle)
    return open_door(door, seed, bundle, seeds)


def _array_names(random: Random, arrays: dict[str, np.ndarray]) -> str:
    return sorted(arrays)[int(random.integers(len(arrays)))]


def _odd_array(random: Random, value: np.ndarray) -> np.ndarray:
    changes: list[Callable[[], np.ndarray]] = [
        lambda: np.zeros((0,), value.dtype),
        lambda: np.zeros((3, 1, 2), value.dtype),
        lambda: np.full_like(value, np.nan) if value.dtype.kind == "f" else value - 10**6,
        lambda: np.full_like(value, np.inf) if value.dtype.kind == "f" else np.zeros_like(value),
        lambda: value.astype(np.int64) if value.dtype.kind == "f" else value.astype(np.float32),
        lambda: value.reshape(-1)[: max(1, value.size // 2)],
        lambda: np.concatenate([value.reshape(-1), value.reshape(-1)]),
        lambda: value.reshape(value.shape[::-1]),
        lambda: (
            np.full_like(value, 3e38) if value.dtype.kind == "f" else np.full_like(value, np.iinfo(value.dtype).max)
        ),
    ]
    return np.ascontiguousarray(changes[int(random.integers(len(changes)))]())


def _changed_array(seed: str, door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    bundle = copy_bundle(seeds.bundles[seed], folder)
    files = sorted(bundle.rglob("*.safetensors"))
    path = files[int(random.integers(len(files)))]
    arrays = dict(load_file(path))
    name = _array_names(random, arrays)
    if random.integers(5) == 0 and len(arrays) > 1:
        del arrays[name]
    else:
        arrays[name] = _odd_array(random, arrays[name])
    save_file(arrays, path)
    seal(bundle)
    return open_door(door, seed, bundle, seeds)


def _lying_safetensors(header: Any, folder: Path, seeds: Seeds, random: Random) -> Command:
    bundle = copy_bundle(seeds.bundles["series"], folder)
    files = sorted(bundle.rglob("*.safetensors"))
    content = json.dumps(header).encode()
    size = int(random.choice([len(content), 2**40, 2**63, 0]))
    files[int(random.integers(len(files)))].write_bytes(struct.pack("<Q", size) + content)
    seal(bundle)
    return open_door("torch", "series", bundle, seeds)


def _golden(change: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    seed = ("image", "text", "series")[int(random.integers(3))]
    bundle = copy_bundle(seeds.bundles[seed], folder)
    path = bundle / "golden.npz"
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    first = sorted(arrays)[0]
    changes: dict[str, Callable[[], None]] = {
        "empty": arrays.clear,
        "one-missing": lambda: arrays.pop(first),
        "flat": lambda: arrays.update({name: value.reshape(-1) for name, value in arrays.items()}),
        "not-finite": lambda: arrays.update(
            {n: np.full_like(v, np.nan) for n, v in arrays.items() if v.dtype.kind == "f"}
        ),
        "texts": lambda: arrays.update({first: np.array(["a", "b"])}),
        "one-row": lambda: arrays.update({first: arrays[first][:1]}),
        "bomb": lambda: arrays.update({"bomb": np.zeros(300_000_000, np.uint8)}),
        "many": lambda: arrays.update({f"more{number}": np.zeros(1) for number in range(5_000)}),
        "more-axes": lambda: arrays.update({name: value[None, None] for name, value in arrays.items()}),
    }
    if change == "no-zip":
        path.write_bytes(b"PK\x03\x04" + random.bytes(300))
    elif change == "pickled":
        np.savez(path, **{**arrays, first: np.array([{"a": 1}, None], dtype=object)})
    elif change == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        changes[change]()
        np.savez_compressed(path, **arrays)
    seal(bundle)
    return open_door("verify", seed, bundle, seeds)


def _graph(change: str, door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    seed = ("image", "text", "series", "classic-text")[int(random.integers(4))]
    bundle = copy_bundle(seeds.bundles[seed], folder)
    path = bundle / "model.onnx"
    model = onnx.load(path)
    graph = model.graph
    if change == "bytes":
        content = bytearray(path.read_bytes())
        for place in random.integers(0, len(content), 40):
            content[int(place)] = int(random.integers(256))
        path.write_bytes(bytes(content))
    elif change in ("cut", "empty", "text"):
        contents = {"cut": path.read_bytes()[: path.stat().st_size // 3], "empty": b"", "text": b"hello" * 99}
        path.write_bytes(contents[change])
    else:
        _change_graph(model, graph, change)
        path.write_bytes(model.SerializeToString())
    seal(bundle)
    return open_door(door, seed, bundle, seeds)


def _change_graph(model: Any, graph: Any, change: str) -> None:
    if change == "external":
        tensor = graph.initializer[0] if graph.initializer else graph.initializer.add()
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "../../../../etc/passwd"), ("offset", "0"), ("length", "100")):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
    elif change == "unknown-operator":
        graph.node[0].op_type = "NoSuchOperator"
    elif change == "foreign-domain":
        graph.node[0].domain = "com.example.evil"
        model.opset_import.append(helper.make_opsetid("com.example.evil", 1))
    elif change == "opset":
        model.opset_import[0].version = 9_999
    elif change == "input-renamed":
        graph.input[0].name = "another"
    elif change == "output-renamed":
        graph.output[0].name = "another"
    elif change == "huge-tensor":
        name = graph.output[0].name
        shape = helper.make_tensor("huge_shape", TensorProto.INT64, [2], [1_000_000, 1_000_000])
        graph.initializer.append(shape)
        graph.node.append(helper.make_node("ConstantOfShape", ["huge_shape"], ["huge"]))
        graph.node.append(helper.make_node("ReduceSum", ["huge"], ["huge_sum"], keepdims=0))
        del graph.output[:]
        graph.output.append(helper.make_tensor_value_info("huge_sum", TensorProto.FLOAT, []))
        graph.output[0].name = "huge_sum" if name else name
    elif change == "endless-loop":
        body = helper.make_graph(
            [helper.make_node("Identity", ["condition_in"], ["condition_out"])], "body",
            [helper.make_tensor_value_info("i", TensorProto.INT64, []),
             helper.make_tensor_value_info("condition_in", TensorProto.BOOL, [])],
            [helper.make_tensor_value_info("condition_out", TensorProto.BOOL, [])],
        )  # fmt: skip
        graph.initializer.append(helper.make_tensor("forever", TensorProto.INT64, [], [2**62]))
        graph.initializer.append(helper.make_tensor("yes", TensorProto.BOOL, [], [True]))
        graph.node.insert(0, helper.make_node("Loop", ["forever", "yes"], [], body=body))
    elif change == "no-nodes":
        del graph.node[:]
    elif change == "no-inputs":
        del graph.input[:]
    elif change == "weights-nan":
        for tensor in graph.initializer:
            if tensor.data_type == TensorProto.FLOAT and tensor.raw_data:
                tensor.raw_data = np.full(len(tensor.raw_data) // 4, np.nan, np.float32).tobytes()


def _tokenizer_documents() -> dict[str, Callable[[dict[str, Any]], Any]]:
    def model(**changes: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda document: {**document, "model": {**document["model"], **changes}}

    def step(name: str, value: Any) -> Callable[[dict[str, Any]], Any]:
        return lambda document: {**document, name: value}

    regex = {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}
    growing = [{"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 60} for _ in range(12)]
    token = {
        "content": "odd",
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
    added = [{**token, "id": 10**9}]
    return {
        "empty": lambda document: {}, "list": lambda document: [], "no-model": step("model", None),
        "unknown-type": model(type="Nothing"), "no-vocabulary": model(vocab={}), "vocabulary-list": model(vocab=[1, 2]),
        "vocabulary-texts": model(vocab={"a": "b"}), "vocabulary-minus": model(vocab={"a": -1, "[UNK]": 0}),
        "vocabulary-huge": model(vocab={"a": 2**31, "[UNK]": 0}), "no-unknown": model(unk_token="nowhere"),
        "unknown-null": model(unk_token=None), "longest-word": model(max_input_chars_per_word=-1),
        "longest-word-none": model(max_input_chars_per_word=0), "unigram": model(type="Unigram", vocab=[["a", 0.0]], unk_id=99),
        "unigram-empty": model(type="Unigram", vocab=[], unk_id=None), "bpe-merges": model(type="BPE", merges=[["x", "y"]]),
        "bpe-texts": model(type="BPE", merges=["x"]), "bpe-number": model(type="BPE", merges=7),
        "word-level": model(type="WordLevel"), "pieces-above": model(vocab={f"p{n}": n for n in range(5_000)} | {"[UNK]": 5_000}),
        "added-huge": step("added_tokens", added), "added-texts": step("added_tokens", ["a"]),
        "added-number": step("added_tokens", 7), "regex-endless": step("pre_tokenizer", regex),
        "regex-broken": step("pre_tokenizer", {**regex, "pattern": {"Regex": "(("}}),
        "growing": step("normalizer", {"type": "Sequence", "normalizers": growing}),
        "nested": step("normalizer", _nest({"type": "Sequence", "normalizers": []}, 150)),
        "charsmap": step("normalizer", {"type": "Precompiled", "precompiled_charsmap": "AAAA"}),
        "charsmap-text": step("normalizer", {"type": "Precompiled", "precompiled_charsmap": "%%%"}),
        "processor": step("post_processor", {"type": "BertProcessing", "sep": ["x", 10**6], "cls": ["y", 10**6]}),
        "template": step("post_processor", {
            "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}] * 500,
            "pair": [], "special_tokens": {},
        }),
        "processor-odd": step("post_processor", {"type": "Nothing"}), "truncation": step("truncation", {"max_length": -1}),
        "truncation-zero": step("truncation", {"max_length": 0, "strategy": "LongestFirst", "stride": 9, "direction": "Right"}),
        "padding": step("padding", {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_to_multiple_of": None,
                                    "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}),
        "version": step("version", 7), "decoder": step("decoder", {"type": "Nothing"}),
    }  # fmt: skip


def _nest(step: dict[str, Any], depth: int) -> dict[str, Any]:
    for _ in range(depth):
        step = {"type": "Sequence", "normalizers": [step]}
    return step


def _tokenizer(
    change: Callable[[dict[str, Any]], Any], door: str, folder: Path, seeds: Seeds, random: Random
) -> Command:
    bundle = copy_bundle(seeds.bundles["text"], folder)
    for path in (bundle / "base" / "tokenizer.json", bundle / "tokenizer.json"):
        if path.is_file():
            path.write_text(json.dumps(change(read_document(path))), "utf-8")
    seal(bundle)
    return open_door(door, "text", bundle, seeds)


def _file_name(value: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    seed = ("image", "text", "series")[int(random.integers(3))]
    bundle = copy_bundle(seeds.bundles[seed], folder)
    config = read_document(bundle / "config.json")
    config["portable"]["files"] = [*config["portable"].get("files", []), value]
    for item in config["portable"]["inputs"]:
        for name in [name for name in item["spec"] if name.endswith("_file")]:
            item["spec"][name] = value
    if random.integers(2):
        config["portable"]["file"] = value
    write_document(bundle / "config.json", config)
    seal(bundle)
    door = ("torch", "onnx", "verify", "evaluate", "export")[int(random.integers(5))]
    return open_door(door, seed, bundle, seeds)


def _link(door: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    bundle = copy_bundle(seeds.bundles["text"], folder)
    names = ("decision.json", "reference.safetensors", "model.onnx", "README.md", "tokenizer.json")
    path = bundle / names[int(random.integers(len(names)))]
    outside = folder / "outside.txt"
    outside.write_bytes(path.read_bytes() if path.is_file() else b"outside")
    path.unlink(missing_ok=True)
    path.symlink_to(outside)
    seal(bundle)
    return open_door(door, "text", bundle, seeds)


def list_cases() -> Iterator[Case]:
    """Return the cases of this kind."""
    doors = ("torch", "onnx", "verify", "evaluate", "export")
    weighted = ("torch", "onnx", "torch", "onnx", "verify")
    for seed in MODALITIES:
        for number in range(24):
            file, door = FILES[number % len(FILES)], weighted[(number // 2) % len(weighted)]
            yield Case(
                name=f"bundle-config/{seed}-{file.replace('/', '-').removesuffix('.json')}-{door}-{number:02d}",
                make=partial(_changed_value, seed, file, door),
            )
        for number in range(4):
            yield Case(name=f"bundle-json/{seed}-{number}", make=partial(_changed_text, seed, weighted[number]))
        for number in range(8):
            door = ("torch", "torch", "onnx", "verify")[number % 4]
            yield Case(name=f"bundle-array/{seed}-{door}-{number}", make=partial(_changed_array, seed, door))
    headers: dict[str, Any] = {
        "huge-shape": {"a": {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 4]}},
        "minus": {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
        "no-dtype": {"a": {"shape": [1], "data_offsets": [0, 4]}},
        "list": [1, 2],
        "odd-dtype": {"a": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}},
        "overlap": {n: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for n in "ab"},
        "no-data": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
    }
    for name, header in headers.items():
        yield Case(name=f"bundle-safetensors/{name}", make=partial(_lying_safetensors, header))
    for name in ("empty", "one-missing", "flat", "not-finite", "texts", "one-row", "bomb", "many", "more-axes", "no-zip",
                 "pickled", "cut"):  # fmt: skip
        yield Case(name=f"bundle-golden/{name}", make=partial(_golden, name))
    changes = ("external", "unknown-operator", "foreign-domain", "opset", "input-renamed", "output-renamed", "huge-tensor",
               "endless-loop", "no-nodes", "no-inputs", "weights-nan", "cut", "empty", "text")  # fmt: skip
    for name in changes:
        for door in ("onnx", "verify"):
            yield Case(name=f"bundle-graph/{name}-{door}", make=partial(_graph, name, door))
    for number in range(12):
        yield Case(
            name=f"bundle-graph/bytes-{number:02d}", make=partial(_graph, "bytes", ("onnx", "verify")[number % 2])
        )
    for name, change in _tokenizer_documents().items():
        for door in ("torch", "onnx"):
            yield Case(name=f"bundle-tokenizer/{name}-{door}", make=partial(_tokenizer, change, door))
    names = {
        "parent": "../outside.txt", "absolute": "/tmp/outside.txt", "dots": "..", "empty": "", "nested": "a/../../b",
        "null": "a\x00b", "backslash": "..\\outside", "device": "/dev/zero", "home": "~/outside", "long": "x" * 5_000,
    }  # fmt: skip
    for name, value in names.items():
        for number in range(2):
            yield Case(name=f"bundle-file-name/{name}-{number}", make=partial(_file_name, value))
    for door in doors:
        yield Case(name=f"bundle-link/{door}", make=partial(_link, door))
