"""Small bundles: pruned vocabularies, weights of 16 bits, and weights that are stored once."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray
from tests.tiny import BASES
from tokenizers import Tokenizer

import headstart as hs
from headstart import bundle as bundles
from headstart import data, flow
from headstart.bases import BaseParts, assemble_backbone, write_folder
from headstart.bases.pruned_vocabulary import explain_no_pruning, prune_vocabulary, read_vocabulary
from headstart.bundle.onnx.block_weights import BLOCK, join_blocks, split_into_blocks, write_blocks
from headstart.bundle.onnx.packed_weights import read_float_arrays, unpack_weights
from headstart.bundle.onnx.packing import pack_weights
from headstart.bundle.runtime.session import open_graph
from headstart.bundle.shared_weights import read_shared
from headstart.bundle.weight_rounding import round_array, split_into_steps
from headstart.errors import BundleError
from headstart.flow.exports import pruning
from headstart.flow.exports.pruning import RunTexts
from headstart.flow.exports.reference_outputs import ReferenceOutputs
from headstart.flow.exports.vocabulary import UsedPieces, choose_pieces, rank_pieces
from headstart.home import write_json
from headstart.options import (
    AdaptOptions,
    CompareOptions,
    EvaluateOptions,
    ExplainOptions,
    ExportOptions,
    LabelNextOptions,
    PredictOptions,
    ReadOptions,
    parse,
)
from headstart.sealed_folders import hash_file

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = ("pump", "well", "water", "bridge", "school", "book", "road", "tap", "pipe", "desk")


def _word_piece() -> dict[str, Any]:
    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[unused1]",
        *LETTERS,
        *(f"##{one}" for one in LETTERS),
        "\u0431",
        "7",
    ]
    pieces += [*WORDS, *(f"##{word[1:]}" for word in WORDS), *(f"{word}s" for word in WORDS)]
    added = [{"id": place, "content": pieces[place], "special": True, "single_word": False, "lstrip": False,
              "rstrip": False, "normalized": False} for place in range(4)]  # fmt: skip
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}, "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {piece: place for place, piece in enumerate(pieces)}},
    }  # fmt: skip


def _unigram() -> dict[str, Any]:
    scored: list[tuple[str, float]] = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    scored += [(f"\u2581{word}", -3.0 - number / 10) for number, word in enumerate(WORDS)]
    scored += [(word[1:], -5.0 - number / 10) for number, word in enumerate(WORDS)]
    scored += [(letter, -8.0 - number / 10) for number, letter in enumerate(["\u2581", *LETTERS, "\u0431", "7", ":"])]
    scored += [("\u2581query", -9.0), ("zzz", -20.0)]
    place = {piece: number for number, (piece, _) in enumerate(scored)}
    around = ["<s>", "\u2581query", ":", "</s>"]
    added = [{"id": number, "content": piece, "special": True, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False} for number, (piece, _) in enumerate(scored[:4])]  # fmt: skip
    before = [{"SpecialToken": {"id": token, "type_id": 0}} for token in around[:3]]
    after = [{"SpecialToken": {"id": "</s>", "type_id": 0}}]
    template = [*before, {"Sequence": {"id": "A", "type_id": 0}}, *after]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": {"type": "NFKC"},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "post_processor": {
            "type": "TemplateProcessing", "single": template,
            "pair": [*template, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {token: {"id": token, "ids": [place[token]], "tokens": [token]} for token in around},
        },
        "decoder": None, "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": False, "vocab": scored},
    }  # fmt: skip


TOKENIZERS = {"WordPiece": _word_piece, "Unigram": _unigram}


def _make_parts(kind: str) -> BaseParts:
    parts = BASES["text"]().parts
    document = TOKENIZERS[kind]()
    n_pieces, pad_id = len(document["model"]["vocab"]), {"WordPiece": 0, "Unigram": 1}[kind]
    (table,) = [name for name in parts.weights if name.endswith("word_embeddings.weight")]
    weights = {**parts.weights, table: np.random.default_rng(0).normal(size=(n_pieces, parts.weights[table].shape[1]))}
    weights[table] = weights[table].astype(np.float32)
    config = {**parts.architecture["config"], "vocab_size": n_pieces, "pad_token_id": pad_id}
    return replace(
        parts,
        architecture={**parts.architecture, "config": config},
        spec={**parts.spec, "pad_id": pad_id},
        weights=weights,
        tokenizer=json.dumps(document),
    )


@pytest.mark.parametrize("kind", TOKENIZERS)
@settings(deadline=None, max_examples=30)
@given(
    texts=st.lists(st.lists(st.sampled_from([*WORDS, "tapes", "watering", "7b"]), min_size=1), min_size=1, max_size=4)
)
def test_texts_are_cut_into_the_same_pieces_with_a_pruned_vocabulary(kind: str, texts: list[list[str]]) -> None:
    parts = _make_parts(kind)
    before = Tokenizer.from_str(parts.tokenizer)
    encoded = [before.encode(" ".join(words)) for words in texts]
    used = Counter(place for item in encoded for place in item.ids)
    pieces = UsedPieces(used, Counter(f" {word}" for words in texts for word in words))
    pruned = prune_vocabulary(parts, choose_pieces(read_vocabulary(parts), pieces, n_pieces=0))
    after = Tokenizer.from_str(pruned.tokenizer)
    assert [after.encode(" ".join(words)).tokens for words in texts] == [item.tokens for item in encoded]
    for letter in LETTERS:
        assert after.encode(letter).tokens == before.encode(letter).tokens


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_ids_are_dense_rows_follow_them_and_special_tokens_stay(kind: str) -> None:
    parts = _make_parts(kind)
    nothing = UsedPieces(Counter(), Counter())
    pruned = prune_vocabulary(parts, choose_pieces(read_vocabulary(parts), nothing, n_pieces=2))
    before, after = (Tokenizer.from_str(item.tokenizer) for item in (parts, pruned))
    vocabulary, old = after.get_vocab(), before.get_vocab()
    assert sorted(vocabulary.values()) == list(range(len(vocabulary))) and len(vocabulary) < len(old)
    (table,) = [name for name in parts.weights if name.endswith("word_embeddings.weight")]
    for piece, place in vocabulary.items():
        np.testing.assert_array_equal(pruned.weights[table][place], parts.weights[table][old[piece]])
    assert len(pruned.weights[table]) == pruned.architecture["config"]["vocab_size"] == len(vocabulary)
    specials = [token.content for token in before.get_added_tokens_decoder().values()]
    assert set(specials) <= set(vocabulary)
    assert after.encode("pump").tokens[0] == before.encode("pump").tokens[0]
    assert after.encode("").tokens == before.encode("").tokens
    assert vocabulary[specials[pruned.spec["pad_id"]]] == pruned.spec["pad_id"]
    assert assemble_backbone(pruned).fingerprint != assemble_backbone(parts).fingerprint


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_pieces_that_look_like_the_words_of_the_texts_come_first(kind: str) -> None:
    vocabulary = read_vocabulary(_make_parts(kind))
    ranks = {place: rank for rank, place in enumerate(rank_pieces(vocabulary, {" pumped": 9, " pumping": 9}))}
    (pump,), (bridge,) = (
        [place for place in ranks if vocabulary.pieces[place] == word and place in vocabulary.starts]
        for word in ("pump", "bridge")
    )
    assert ranks[pump] < ranks[bridge] and {pump, bridge} <= set(vocabulary.ranked)


def test_the_number_of_pieces_is_that_of_the_settings_where_texts_need_no_more() -> None:
    vocabulary = read_vocabulary(_make_parts("Unigram"))
    used = UsedPieces(Counter(vocabulary.ranked[4:6]), Counter({" pump": 1}))
    (least, more) = (choose_pieces(vocabulary, used, n_pieces=number) for number in (0, 48))
    assert len(least) < 48 == len(more) and least < more


def _make_outputs(probabilities: list[list[float]]) -> ReferenceOutputs:
    outputs = np.asarray(probabilities)
    return ReferenceOutputs(np.arange(len(outputs)), outputs, np.empty((len(outputs), 0), dtype=np.float32))


@pytest.mark.parametrize(("sure", "passes"), [(0.51, True), (0.95, False)])
def test_changed_labels_count_by_what_they_cost(sure: float, passes: bool, adapted: Path) -> None:
    bundle = bundles.load_bundle(adapted / "words", "torch")
    before = [[sure, 1 - sure]] * 5 + [[0.9, 0.1]] * 95
    after = [[1 - sure, sure]] * 5 + [[0.9, 0.1]] * 95
    figures = pruning._compare(bundle, _make_outputs(before), _make_outputs(after))
    assert figures.same_labels == 0.95 and figures.expected_loss == pytest.approx((2 * sure - 1) / 20)
    assert figures.passes is passes


def test_other_kinds_of_tokenizers_are_not_pruned() -> None:
    parts = _make_parts("WordPiece")
    document = json.loads(parts.tokenizer)
    document["model"] = {"type": "BPE", "vocab": {"a": 0}, "merges": []}
    assert "BPE" in explain_no_pruning(replace(parts, tokenizer=json.dumps(document)))
    assert explain_no_pruning(parts) == ""


@settings(deadline=None)
@given(
    arrays_of.arrays(
        np.float32, (3, 7), elements=st.floats(-1e6, 1e6, width=32).filter(lambda x: x == 0 or abs(x) > 1e-20)
    )
)
def test_rounding_twice_changes_nothing_and_the_error_is_bounded(values: np.ndarray) -> None:
    once = round_array(values)
    np.testing.assert_array_equal(round_array(once), once)
    bound = np.abs(values).max(axis=1, keepdims=True) / 32_766
    assert (np.abs(once - values) <= bound + 1e-38).all()
    whole, steps = split_into_steps(once)
    np.testing.assert_array_equal(whole * steps, once)
    assert (np.frexp(steps)[0] == 0.5).all()


def test_a_packed_graph_is_half_as_large_and_unpacks_to_the_same_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rounded, plain = (round_array(rng.normal(size=(80, 60)).astype(np.float32)), rng.normal(size=(60, 40)))
    weights = {"turned": np.ascontiguousarray(rounded.T), "plain": plain.astype(np.float32)}
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "turned"], ["y"]), onnx.helper.make_node("Identity", ["plain"], ["z"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", 1, [None, 60])],
        [onnx.helper.make_tensor_value_info("y", 1, [None, 80]), onnx.helper.make_tensor_value_info("z", 1, [60, 40])],
        [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    path = tmp_path / "model.onnx"
    onnx.save(onnx.helper.make_model(graph), path)
    before = path.stat().st_size
    assert unpack_weights(memoryview(path.read_bytes())) is None
    assert pack_weights(path) == 1 and path.stat().st_size < before - rounded.nbytes // 2 + 1_000
    content = memoryview(path.read_bytes())
    for name, value in read_float_arrays(content).items():
        np.testing.assert_array_equal(value, weights[name])
    unpacked = onnx.load_from_string(unpack_weights(content))
    onnx.checker.check_model(unpacked)
    assert [node.op_type for node in unpacked.graph.node] == ["MatMul", "Identity"]
    for item in unpacked.graph.initializer:
        np.testing.assert_array_equal(onnx.numpy_helper.to_array(item), weights[item.name])


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a linear head on a base with more pieces than the texts need."""
    folder = tmp_path_factory.mktemp("small")
    rng = np.random.default_rng(0)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text", "label"])
        for number in range(90):
            label = ("water", "school")[number % 2]
            words = {"water": WORDS[:3], "school": WORDS[4:6]}[label]
            writer.writerow([" ".join(rng.permutation(words)) + f" {number}", label])
    write_folder(_make_parts("Unigram"), folder / "base")
    options = {"base": f"file:{folder / 'base'}", "strategy": ("linear-probe",), "time": 60, "offline": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "SETTINGS", replace(pruning.SETTINGS, pruned_pieces=10))
        flow.adapt(folder / "rows.csv", folder / "out", AdaptOptions(**options))
    flow.adapt(folder / "rows.csv", folder / "whole", AdaptOptions(**options, keep_torch=True))
    flow.adapt(folder / "rows.csv", folder / "words", AdaptOptions(**options, keep_vocabulary=True))
    return folder


def test_a_bundle_keeps_its_weights_once_and_runs_in_both_forms(adapted: Path) -> None:
    folder = adapted / "out" / "bundle"
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"shared.json", "strategy.safetensors", "base/config.json"} <= names
    assert not names & {"model.safetensors", "base/model.safetensors", "base/tokenizer.json"}
    exact = {"precision": "float32", "offline": True}
    answers = {
        runtime: flow.predictions(adapted / "out", [adapted / "rows.csv"], PredictOptions(runtime=runtime, **exact))
        for runtime in ("torch", "onnx")
    }
    for one, two in zip(*answers.values(), strict=True):
        assert one["label"] == two["label"] and one["probability"] == pytest.approx(two["probability"], abs=1e-5)
    whole = flow.predictions(adapted / "whole", [adapted / "rows.csv"], PredictOptions(**exact))
    for one, two in zip(answers["torch"], whole, strict=True):
        assert one["label"] == two["label"] and one["probability"] == pytest.approx(two["probability"], abs=1e-3)


def test_config_json_says_what_was_left_out(adapted: Path) -> None:
    facts = {
        name: json.loads((adapted / name / "bundle" / "config.json").read_text("utf-8"))["portable"]["weights"]
        for name in ("out", "whole", "words")
    }
    vocabulary = facts["out"]["vocabulary"]
    assert facts["out"]["bits"] == 16 and 10 < vocabulary["n_pieces"] < vocabulary["n_whole"]
    assert vocabulary["unseen"]["same_labels"] == 1.0
    assert facts["whole"] == {"bits": 32} and facts["words"]["bits"] == 16 and "vocabulary" not in facts["words"]


def test_with_few_unseen_texts_the_whole_vocabulary_stays(adapted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = data.read_table(adapted / "rows.csv", parse(ReadOptions))
    monkeypatch.setattr(pruning, "SETTINGS", replace(pruning.SETTINGS, pruned_pieces=10))
    bundle = hs.load(adapted / "whole").bundle
    few = RunTexts((table.take(np.arange(40)),), table.take(np.arange(40, 50)))
    kept = pruning.prune_bundle(bundle, few)
    assert kept.bundle is bundle and "20 unseen rows cannot tell" in kept.facts["reason"]
    more = RunTexts((table.take(np.arange(80)),), table.take(np.arange(80, 90)))
    choosing, unseen = more.split(0)
    assert len(unseen) == 40 and not set(unseen.ids) & {name for part in choosing for name in part.ids}
    assert pruning.prune_bundle(bundle, more).facts["unseen"]["n_rows"] == 40


def test_a_pruned_bundle_goes_through_every_function(adapted: Path, tmp_path: Path) -> None:
    folder, rows = adapted / "out", adapted / "rows.csv"
    new = tmp_path / "new.csv"
    new.write_text("text\npump tapes 7\nbook bridge\nwatering \u0431\n", "utf-8")
    assert flow.evaluate(folder, rows, parse(EvaluateOptions, offline=True)).n_rows > 0
    comparison = flow.compare(adapted / "words", folder, rows, tmp_path / "c.csv", parse(CompareOptions, offline=True))
    assert comparison.n_better == comparison.n_worse == 0
    flow.explain(folder, [new], tmp_path / "explained", parse(ExplainOptions, offline=True))
    assert "tapes" in (tmp_path / "explained").read_text("utf-8")
    flow.label_next(folder, new, tmp_path / "next.csv", parse(LabelNextOptions, offline=True))
    assert "book bridge" in (tmp_path / "next.csv").read_text("utf-8")
    script = [sys.executable, str(folder / "bundle" / "predict.py"), str(new)]
    alone = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    answers = list(csv.DictReader(alone.splitlines()))
    expected = flow.predictions(folder, [new], PredictOptions(runtime="torch", precision="float32", offline=True))
    assert [row["label"] for row in answers] == [row["label"] for row in expected]


def test_a_bundle_that_is_saved_again_keeps_its_weights_once(adapted: Path, tmp_path: Path) -> None:
    for runtime in ("torch", "onnx"):
        bundle = bundles.load_bundle(adapted / "out", runtime)
        bundles.save_bundle(bundle, tmp_path / runtime)
        names = {path.name for path in (tmp_path / runtime).iterdir()}
        assert "shared.json" in names and "model.safetensors" not in names
        assert bundles.load_bundle(tmp_path / runtime, "torch").backbone is not None


def _reseal(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["sha256"] = {name: hash_file(folder / name) for name in manifest["sha256"]}
    write_json(folder / "manifest.json", manifest)


@pytest.mark.parametrize(
    "place",
    [{"file": "../model.onnx"}, {"file": "model.onnx", "name": "nothing"}, {"file": "absent.onnx"}, {"name": "x"}, 7],
)
def test_a_shared_array_that_lies_elsewhere_is_refused(place: Any, adapted: Path, tmp_path: Path) -> None:
    bundles.save_bundle(bundles.load_bundle(adapted / "out", "torch"), tmp_path / "bundle")
    document = json.loads((tmp_path / "bundle" / "shared.json").read_text("utf-8"))
    document["arrays"]["base/more"] = place
    write_json(tmp_path / "bundle" / "shared.json", document)
    _reseal(tmp_path / "bundle")
    with pytest.raises(BundleError, match=r"shared\.json"):
        bundles.load_bundle(tmp_path / "bundle", "torch")


def test_an_array_with_many_names_is_in_memory_once(adapted: Path, tmp_path: Path) -> None:
    bundles.save_bundle(bundles.load_bundle(adapted / "out", "torch"), tmp_path / "bundle")
    document = json.loads((tmp_path / "bundle" / "shared.json").read_text("utf-8"))
    name, place = next(item for item in document["arrays"].items() if item[1]["file"].endswith(".onnx"))
    document["arrays"] |= {f"base/more-{number}": place for number in range(3)}
    write_json(tmp_path / "bundle" / "shared.json", document)
    _reseal(tmp_path / "bundle")
    listed = json.loads((tmp_path / "bundle" / "manifest.json").read_text("utf-8"))["sha256"]
    arrays = read_shared(tmp_path / "bundle", listed)
    assert all(arrays[f"base/more-{number}"] is arrays[name] for number in range(3))


def test_a_head_that_is_written_again_holds_no_base(adapted: Path, tmp_path: Path) -> None:
    head, whole, rows = tmp_path / "head", str(adapted / "whole"), tmp_path / "others.csv"
    texts = [f"{WORDS[place % 3]} {WORDS[(place + 1) % 3]} {place}" for place in range(200, 260)]
    rows.write_text("\n".join(["text,label", *(f"{text},water" for text in texts[::2]),
                               *(f"{text} school,school" for text in texts[1::2])]), "utf-8")  # fmt: skip
    flow.export(adapted / "whole", head, ExportOptions(to="head", data=rows))
    options = EvaluateOptions(base=whole, precision="float32", offline=True)
    flow.evaluate(head, rows, options, recalibrate=tmp_path / "corrected")
    assert not (tmp_path / "corrected" / "base").exists()
    exact = PredictOptions(base=whole, precision="float32", offline=True)
    before, after = (flow.predictions(place, [rows], exact) for place in (head, tmp_path / "corrected"))
    assert [item["label"] for item in before] == [item["label"] for item in after]


def test_a_pruned_model_that_is_saved_twice_is_the_same_twice(
    adapted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(pruning.SETTINGS, pruned_pieces=2, min_unseen_same=0.0, max_unseen_loss=1.0)
    monkeypatch.setattr(pruning, "SETTINGS", few)
    base, rows = f"file:{adapted / 'base'}", adapted / "rows.csv"
    model = hs.adapt(rows, base=base, strategy="linear-probe", time=60, offline=True)
    for name in ("once", "twice"):
        model.save(tmp_path / name)
    once, twice = (json.loads((tmp_path / name / "config.json").read_text("utf-8")) for name in ("once", "twice"))
    vocabulary = once["portable"]["weights"]["vocabulary"]
    assert 0 < vocabulary["n_pieces"] < vocabulary["n_whole"] == len(_unigram()["model"]["vocab"])
    assert once == twice
    texts = ["pump water well", "school book", "desk road"]
    assert np.allclose(hs.load(tmp_path / "twice").predict_proba(texts), model.predict_proba(texts), atol=1e-5)


def test_a_bundle_without_a_graph_says_what_was_left_out(
    adapted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.bundle.onnx import graph

    def refuse(bundle: Any) -> None:
        raise graph.CannotExport("it is refused here")

    monkeypatch.setattr(graph, "build_network", refuse)
    options = {"base": f"file:{adapted / 'base'}", "strategy": ("linear-probe",), "time": 60, "offline": True}
    flow.adapt(adapted / "rows.csv", tmp_path / "out", AdaptOptions(**options))
    portable = json.loads((tmp_path / "out" / "bundle" / "config.json").read_text("utf-8"))["portable"]
    assert not portable["ok"] and portable["weights"]["bits"] == 16


def _make_blocks(shape: tuple[int, int], axis: int, seed: int = 0) -> NDArray[np.float32]:
    """Draw weights as a base holds them that came in blocks of 4 bits along an axis: steps and products in float16."""
    generator = np.random.default_rng(seed)
    rows, columns = shape if axis else shape[::-1]
    whole = generator.integers(-7, 8, (rows, columns // BLOCK, BLOCK))
    whole[:, :, 5] = -8
    steps = generator.uniform(1e-3, 1e-2, (rows, columns // BLOCK, 1)).astype(np.float16).astype(np.float32)
    values = (whole * steps).reshape(rows, columns).astype(np.float16).astype(np.float32)
    return round_array(values if axis else values.T)


@pytest.mark.parametrize("axis", [0, 1])
def test_weights_that_came_in_blocks_of_4_bits_are_recognised_along_either_axis(axis: int) -> None:
    values = _make_blocks((64, 96), axis)
    blocks = split_into_blocks(values)
    assert blocks is not None and blocks.whole.dtype == np.int8 and np.abs(blocks.whole).max() == 8
    np.testing.assert_allclose((blocks.whole * blocks.steps).reshape(64, 96), values, rtol=0, atol=1e-4)
    assert split_into_blocks(np.random.default_rng(1).normal(size=(64, 96)).astype(np.float32)) is None
    assert split_into_blocks(values[:50, :90]) is None


def test_a_graph_of_blocks_answers_as_before_and_other_weights_stay(tmp_path: Path) -> None:
    arrays = {"table": _make_blocks((100, 32), 1), "matrix": _make_blocks((32, 64), 0)}
    arrays["other"] = np.random.default_rng(2).normal(size=(64, 64)).astype(np.float32)
    nodes = [
        onnx.helper.make_node("Gather", ["table", "ids"], ["rows"]),
        onnx.helper.make_node("MatMul", ["rows", "matrix"], ["first"]),
        onnx.helper.make_node("MatMul", ["first", "other"], ["outputs"]),
    ]
    graph = onnx.helper.make_graph(
        nodes, "g", [onnx.helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, [None])],
        [onnx.helper.make_tensor_value_info("outputs", onnx.TensorProto.FLOAT, [None, 64])],
        [onnx.numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "whole.onnx")
    assert write_blocks(tmp_path / "whole.onnx", tmp_path / "blocks.onnx") == 2
    assert (tmp_path / "blocks.onnx").stat().st_size < 0.65 * (tmp_path / "whole.onnx").stat().st_size
    join_blocks(tmp_path / "blocks.onnx", tmp_path / "joined.onnx")
    ids = np.arange(100, dtype=np.int64)
    whole, blocks, joined = (
        open_graph(tmp_path / f"{name}.onnx", ["ids"])(ids)[0] for name in ("whole", "blocks", "joined")
    )
    np.testing.assert_array_equal(blocks, joined)
    np.testing.assert_allclose(blocks, whole, rtol=0, atol=1e-3 * np.abs(whole).max())
    assert {item.name for item in onnx.load(tmp_path / "joined.onnx").graph.initializer} == set(arrays)


def test_a_graph_without_blocks_is_not_written(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=(64, 64)).astype(np.float32)
    graph = onnx.helper.make_graph([], "g", [], [], [onnx.numpy_helper.from_array(values, "other")])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "whole.onnx")
    assert write_blocks(tmp_path / "whole.onnx", tmp_path / "blocks.onnx") == 0
    assert not (tmp_path / "blocks.onnx").exists()
