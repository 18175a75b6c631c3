"""A bundle from a stranger: whatever stands in its files, it is refused in two lines or it answers; nothing else."""

from __future__ import annotations

import io
import json
import os
import runpy
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from tests.mutations import copy, mutate, put, seal
from tests.tiny import BASES
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart import flow
from headstart.bases import write_folder
from headstart.bundle import npz_limits, standalone
from headstart.bundle.checked_parts import NgramList
from headstart.bundle.file_names import is_listed_name, is_plain_name
from headstart.bundle.integrity import ManifestRecord
from headstart.bundle.onnx.graph_limits import require_graph
from headstart.bundle.records.array_records import ArrayRule, check_arrays
from headstart.bundle.records.config_records import (
    ConfigRecord,
    ImageSpec,
    InputRecord,
    PortableRecord,
    SeriesSpec,
    TextSpec,
    TrainingFacts,
)
from headstart.bundle.records.decision_records import REFERENCE_ARRAYS, SEEN_ARRAYS, RulesRecord
from headstart.bundle.records.schema import Misfit
from headstart.bundle.records.strategy_records import STATES, StateContext, check_state
from headstart.bundle.records.tokenizer_records import TokenizerRecord, check_tokenizer
from headstart.bundle.runtime import session
from headstart.bundle.runtime.session import open_graph
from headstart.bundle.verification import verify_bundle
from headstart.cli.main import app
from headstart.decisions import DEFAULT_POLICY
from headstart.errors import BundleError, HeadstartError
from headstart.fitted_state import FittedState
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.strategies import STRATEGIES

DATA = Path(__file__).parent / "data"
MODALITIES = ("text", "image", "series")
N_MUTATIONS = 7
"""Of each bundle and way to run it; more were run while this was written (`tests.mutations`)."""


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, image_folder: Path, series_table: Path
) -> dict[str, tuple[Path, Path]]:
    """Give a bundle of each modality and some rows for it; that of texts is a stored one."""
    root = tmp_path_factory.mktemp("hostile")
    found = {}
    for modality, data in (("image", image_folder), ("series", series_table)):
        write_folder(BASES[modality]().parts, root / f"base-{modality}")
        base = f"file:{root / f'base-{modality}'}"
        options = parse(AdaptOptions, base=base, strategy="linear-probe", offline=True, precision="float32")
        flow.adapt(data, root / modality, options)
        found[modality] = root / modality / "bundle", data
    shutil.copytree(DATA / "bundle-format-2", root / "text")
    put(root / "text" / "predict.py", standalone.build_script("text").encode())
    seal(root / "text")
    few = root / "few.csv"
    few.write_bytes((DATA / "bundle-rows.csv").read_bytes())
    pictures = root / "pictures"
    pictures.mkdir()
    first = sorted(image_folder.rglob("*.png"))[0]
    (pictures / "a.png").write_bytes(first.read_bytes())
    waves = root / "waves.csv"
    waves.write_text("\n".join(series_table.read_text("utf-8").splitlines()[:4]), "utf-8")
    return {
        "text": (root / "text", few), "image": (found["image"][0], pictures), "series": (found["series"][0], waves),
    }  # fmt: skip


def change(bundle: Path, target: Path, file: str, place: tuple[str | int, ...], value: object) -> Path:
    """Copy a bundle with another value at one place of a JSON file."""
    copy(bundle, target)
    document = json.loads((target / file).read_text("utf-8"))
    holder: Any = document
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    put(target / file, json.dumps(document).encode())
    seal(target)
    return target


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


class _Text(io.StringIO):
    def reconfigure(self, **ways: object) -> None:
        """As the real standard output."""


def run_script(bundle: Path, rows: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """Run predict.py in this process; its bound on memory is one for the whole process and set once."""
    out, err = _Text(), _Text()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["predict.py", str(rows)])
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        patch.setattr(onnxruntime, "create_and_register_allocator", _once(onnxruntime.create_and_register_allocator))
        try:
            runpy.run_path(str(bundle / "predict.py"), run_name="__main__")
        except SystemExit as left:
            return int(str(left.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def _once(register: Callable[..., None]) -> Callable[..., None]:
    def call(*arguments: Any) -> None:
        try:
            register(*arguments)
        except Exception as error:
            assert "exist" in str(error).lower(), error

    return call


# --- names of files ---


@pytest.mark.parametrize(
    "name",
    ["../x", "..", ".", "/etc/passwd", "a/b", "a\\b", "C:x", "x\0", "", ".bashrc", "CON", "nul.txt", "x.", "a" * 200],
)  # fmt: skip
def test_a_name_that_is_no_plain_one_is_none(name: str) -> None:
    assert not is_plain_name(name) and not is_listed_name(name)


def test_plain_names_and_those_in_base_are_names() -> None:
    assert all(map(is_plain_name, ("model.onnx", "model.int8.onnx", "tokenizer-2.json", "README.md")))
    assert is_listed_name("base/model.safetensors") and not is_listed_name("base/base/x")


OUTSIDE: dict[str, tuple[tuple[str | int, ...], object]] = {
    "files": (("portable", "files", 0), "../../stolen.txt"), "file": (("portable", "file"), "../../stolen.txt"),
    "absolute": (("portable", "files", 0), "/etc/hostname"),
    "backslash": (("portable", "files", 0), "..\\..\\stolen.txt"),
    "fed": (("portable", "inputs", 0, "spec", "tokenizer_file"), "../../stolen.txt"),
}  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("command", ["predict", "evaluate", "export", "web", "verify", "script"])
def test_a_file_named_outside_is_neither_read_nor_written(
    name: str, command: str, made: dict[str, tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, rows = made["text"]
    inner = tmp_path / "one" / "two"
    inner.mkdir(parents=True)
    (tmp_path / "stolen.txt").write_text("secret", "utf-8")
    place, value = OUTSIDE[name]
    bad = change(bundle, inner / "bundle", "config.json", place, value)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    new = inner / "new"
    told = {
        "predict": ("predict", bad, rows), "evaluate": ("evaluate", bad, rows, "--recalibrate", new),
        "export": ("export", bad, "--to", "onnx", "-o", new), "web": ("export", bad, "--to", "web", "-o", new),
        "verify": ("verify", bad),
    }  # fmt: skip
    if command == "script":
        if name in ("files", "absolute", "backslash"):
            return  # predict.py reads none of `files`.
        code, _, said = run_script(bad, rows, monkeypatch)
    else:
        code, _, said = run(*told[command])
    assert code == 2 and "plain file name" in said and len(said.strip().splitlines()) == 2, said
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert before == after and not new.exists()


def test_a_link_a_pipe_and_a_folder_are_no_files_of_a_bundle(
    made: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    for number, spoil in enumerate((
        lambda path: path.symlink_to(Path("/dev/zero")), os.mkfifo, Path.mkdir,
        lambda path: path.symlink_to(made["text"][0] / "README.md"),
    )):  # fmt: skip
        bad = copy(made["text"][0], tmp_path / f"bundle-{number}")
        (bad / "README.md").unlink()
        spoil(bad / "README.md")
        code, _, said = run("verify", bad)
        assert code == 2 and "outside of the bundle (README.md)" in said


def test_a_file_that_the_manifest_does_not_list_is_never_read(
    made: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    bad = copy(made["series"][0], tmp_path / "bundle")
    (bad / "decision.json").unlink()
    seal(bad)
    os.mkfifo(bad / "decision.json")
    assert bundles.load_bundle(bad, "onnx").decision_policy is DEFAULT_POLICY


def test_a_file_that_the_manifest_does_not_list_is_not_copied_into_a_corrected_bundle(
    made: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("mine", "utf-8")
    bad = copy(made["image"][0], tmp_path / "bundle")
    (bad / "strategy.json").unlink()
    seal(bad)
    (bad / "strategy.json").symlink_to(secret)
    (bad / "base" / "notes.txt").symlink_to(secret)
    os.mkfifo(bad / "base" / "pipe")
    bundles.save_bundle(bundles.load_bundle(bad, "onnx"), tmp_path / "new")
    new = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert {"base/config.json", "strategy.safetensors"} <= new
    assert not new & {"strategy.json", "base/notes.txt", "base/pipe"}


@pytest.mark.parametrize("name", ["panics when read", "panics when used", "fills the memory", "never ends"])
def test_an_odd_tokenizer_stops_the_script_in_two_lines(
    name: str, made: dict[str, tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: dict[str, dict[str, Any]] = {
        "panics when read": {
            "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b", "ab ab"]},
        },
        "panics when used": {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
        "fills the memory": {"normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Replace", "pattern": {"String": "a"}, "content": "a" * 64}] * 5}},
        "never ends": {"pre_tokenizer": {
            "type": "Split", "pattern": {"Regex": "(a|aa)+$"}, "behavior": "Isolated", "invert": False}},
    }  # fmt: skip
    bad = copy(made["text"][0], tmp_path / "bundle")
    document = json.loads((bad / "tokenizer.json").read_text("utf-8"))
    put(bad / "tokenizer.json", json.dumps({**document, **parts[name]}).encode())
    code, out, said = run_script(bad, made["text"][1], monkeypatch)
    assert code == 2 and out == "" and said.startswith("tokenizer.json holds no tokenizer that"), said
    assert len(said.strip().splitlines()) == 2


# --- records ---


WRONG: dict[str, tuple[str, str, tuple[str | int, ...], object, str]] = {
    "gaps": ("series", "config.json", ("portable", "inputs", 0, "spec", "gaps"), [[[]]],
             "config.json: portable.inputs.0.spec.gaps: input should be a valid boolean (was [[[]]])"),
    "length": ("series", "config.json", ("portable", "inputs", 0, "spec", "length"), {"a": 1}, "spec.length: "),
    "arrays": ("series", "config.json", ("portable", "inputs", 0, "arrays"), [], "portable.inputs.0.arrays: "),
    "preprocessing": ("series", "config.json", ("preprocessing", "length"), 10**12, "preprocessing.length: "),
    "size": ("image", "config.json", ("preprocessing", "size"), 10**6, "preprocessing.size: "),
    "std": ("image", "config.json", ("preprocessing", "std"), [0, 0, 0], "preprocessing.std.0: "),
    "classes": ("text", "config.json", ("classes",), ["a", "a", "b"], "classes should differ"),
    "one class": ("text", "config.json", ("classes",), ["a"], "should"),
    "thresholds": ("text", "config.json", ("thresholds",), [0.5], "thresholds should be"),
    "columns": ("text", "config.json", ("columns",), {"text": 7}, "columns.text: "),
    "uses": ("text", "config.json", ("uses",), [{}], "uses.0: "),
    "seed": ("text", "manifest.json", ("seed",), -1, "manifest.json: seed: "),
    "coverage": ("text", "decision.json", ("coverage",), "0.9", "decision.json: coverage: "),
    "floors": ("text", "decision.json", ("sets", "floors"), [0.1], "one for each of the 3 classes (were 1)"),
    "ids": ("text", "decision.json", ("novelty", "ids"), ["a"], "decision.safetensors: "),
    "knots": ("text", "decision.json", ("calibrator", "knots"), [0.5], "knots and levels"),
    "figure": ("text", "config.json", ("about", "site"), {"data": 1}, "about.site."),
    "huge number": ("text", "config.json", ("about", "data"), 10**400, "damaged"),
    "vocabulary": ("text", "tokenizer.json", ("model", "vocab"), {"a": 10**9}, "tokenizer.json: model.vocab"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_with_its_file_its_place_and_what_was_found(
    name: str, made: dict[str, tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modality, file, place, value, expected = WRONG[name]
    bad = copy(made[modality][0], tmp_path / "bundle")
    document = json.loads((bad / file).read_text("utf-8"))
    holder: Any = document
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = value
    put(bad / file, json.dumps(document).encode())
    if file != "manifest.json":
        seal(bad)
    for runtime in ("onnx", *(("auto",) if file != "tokenizer.json" else ())):
        code, out, said = run("predict", bad, made[modality][1], "--runtime", runtime)
        assert code == 2 and not out and expected in said and len(said.strip().splitlines()) == 2, said


def test_a_model_whose_arrays_do_not_fit_is_refused_before_it_is_built() -> None:
    context = StateContext(modality="series", task="classification", n_outputs=3, n_dims=5)
    good = {"centre": np.zeros(5, np.float32), "coefficients": np.zeros((5, 3), np.float32),
            "intercept": np.zeros(3, np.float32)}  # fmt: skip
    check_state("linear-probe", FittedState({"link": "softmax", "notes": []}, good), context)
    for name, values in (
        ("coefficients", np.zeros((3, 5))), ("centre", np.zeros(4)), ("intercept", np.full(3, np.nan)),
        ("centre", np.zeros(5, np.int64)),
    ):  # fmt: skip
        with pytest.raises(Misfit, match=name):
            check_state("linear-probe", FittedState({"link": "softmax", "notes": []}, {**good, name: values}), context)
    with pytest.raises(Misfit, match="link"):
        check_state("linear-probe", FittedState({"link": "identity", "notes": []}, good), context)


def test_trees_that_lead_round_in_a_circle_are_refused() -> None:
    spec = {"length": 30, "n_channels": 1}
    meta = {"spec": spec, "divisor": 4, "temperature": 1.0, "link": "softmax", "notes": []}
    trees = {
        "roots": np.array([0]), "feature": np.array([0, -1, -1]), "threshold": np.zeros(3),
        "children": np.array([[1, 2], [0, 0], [0, 0]]), "leaf": np.array([0, 0, 1]), "values": np.eye(2),
        "shares": np.array([0.5, 0.5]),
    }  # fmt: skip
    context = StateContext(modality="series", task="classification", n_outputs=2)
    check_state("quant", FittedState(meta, trees), context)
    for name, values in (
        ("children", np.array([[0, 2], [0, 0], [0, 0]])), ("children", np.array([[1, 9], [0, 0], [0, 0]])),
        ("leaf", np.array([0, 0, 7])), ("roots", np.array([5])), ("values", np.eye(3)),
    ):  # fmt: skip
        with pytest.raises(Misfit, match="not whole"):
            check_state("quant", FittedState(meta, {**trees, name: values}), context)


def test_the_state_of_every_strategy_is_checked() -> None:
    assert set(STATES) == set(STRATEGIES)


def test_an_array_has_to_have_one_size_wherever_its_name_stands() -> None:
    rules = {"a": ArrayRule(("n", 2)), "b": ArrayRule(("n",))}
    assert check_arrays({"a": np.ones((4, 2)), "b": np.ones(4)}, rules, "x") == {"n": 4}
    with pytest.raises(Misfit, match=r"x: b: the shape should be \(4\)"):
        check_arrays({"a": np.ones((4, 2)), "b": np.ones(3)}, rules, "x")


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(\w*)*x", r"(a)\1"])
def test_a_tokenizer_with_a_pattern_that_may_never_end_is_refused(
    pattern: str, made: dict[str, tuple[Path, Path]]
) -> None:
    document = json.loads((made["text"][0] / "tokenizer.json").read_text("utf-8"))
    check_tokenizer(json.dumps(document).encode(), 16, "tokenizer.json")
    document["pre_tokenizer"] = {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }
    with pytest.raises(Misfit, match="pattern"):
        check_tokenizer(json.dumps(document).encode(), 16, "tokenizer.json")


DESCRIBED = (
    ManifestRecord, ConfigRecord, TrainingFacts, PortableRecord, InputRecord, ImageSpec, TextSpec, SeriesSpec,
    RulesRecord, NgramList, TokenizerRecord,
)  # fmt: skip


def test_every_key_that_is_read_is_documented() -> None:
    page = (Path(__file__).parents[1] / "docs" / "reference" / "bundle.md").read_text("utf-8")
    keys = {key for record in DESCRIBED for key in record.model_fields} | set(REFERENCE_ARRAYS) | set(SEEN_ARRAYS)
    assert sorted(key for key in keys if f"`{key}`" not in page) == []


# --- golden rows ---


def _npz(path: Path, header: bytes, content: bytes = b"") -> None:
    block = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", block + content)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 2), }\n",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': 7, }\n", b"[" * 3_000, b"\xff",
    ],
)  # fmt: skip
def test_an_array_whose_header_says_more_than_its_file_holds_is_damaged(header: bytes, tmp_path: Path) -> None:
    _npz(tmp_path / "a.npz", header)
    with pytest.raises(Misfit):
        npz_limits.read_npz(tmp_path / "a.npz", 10**6)


def test_golden_rows_larger_than_golden_rows_may_be_are_not_read(
    made: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    bad = copy(made["series"][0], tmp_path / "bundle")
    with np.load(bad / "golden.npz") as held:
        arrays = {name: held[name] for name in held.files}
    (bad / "golden.npz").unlink()
    np.savez_compressed(bad / "golden.npz", **{**arrays, "in_series": np.zeros((32, 1, 2_100_000), np.float32)})  # type: ignore[arg-type]
    seal(bad)
    code, _, said = run("verify", bad)
    assert code == 2 and "golden.npz: it states" in said and len(said.strip().splitlines()) == 2


def test_golden_rows_of_another_shape_are_named(made: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    bad = copy(made["series"][0], tmp_path / "bundle")
    with np.load(bad / "golden.npz") as held:
        arrays = {name: held[name] for name in held.files}
    (bad / "golden.npz").unlink()
    np.savez_compressed(bad / "golden.npz", **{**arrays, "outputs": arrays["outputs"][:, 0]})  # type: ignore[arg-type]
    seal(bad)
    code, _, said = run("verify", bad)
    assert code == 2 and "golden.npz: outputs: the shape should be" in said


# --- graphs ---


def _graph(path: Path, nodes: list[Any], tensors: list[Any], domain: str = "") -> Path:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])]
    outputs = [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, None)]
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model = helper.make_model(helper.make_graph(nodes, "g", inputs, outputs, tensors), opset_imports=opsets)
    model.ir_version = 8
    onnx.save(model, path)
    return path


def _loop() -> list[Any]:
    count, go, value, on, last = (
        helper.make_tensor_value_info(name, kind, shape)
        for name, kind, shape in (
            ("i", TensorProto.INT64, []), ("c", TensorProto.BOOL, []), ("v", TensorProto.FLOAT, ["n", 1]),
            ("d", TensorProto.BOOL, []), ("w", TensorProto.FLOAT, ["n", 1]),
        )
    )  # fmt: skip
    steps = [helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Identity", ["v"], ["w"])]
    body = helper.make_graph(steps, "body", [count, go, value], [on, last])
    return [helper.make_node("Loop", ["", "go", "x"], ["outputs"], body=body)]


def test_a_graph_that_may_never_end_or_is_not_of_plain_steps_is_not_opened(tmp_path: Path) -> None:
    go = helper.make_tensor("go", TensorProto.BOOL, [], [True])
    with pytest.raises(BundleError, match="steps that are not run here: Loop"):
        open_graph(_graph(tmp_path / "loop.onnx", _loop(), [go]), ("x",))
    odd = helper.make_node("Magic", ["x"], ["outputs"], domain="com.example")
    with pytest.raises(BundleError, match=r"sets of steps that are not known here: com\.example"):
        open_graph(_graph(tmp_path / "odd.onnx", [odd], [], "com.example"), ("x",))
    chance = helper.make_node("RandomNormalLike", ["x"], ["outputs"])
    with pytest.raises(BundleError, match="RandomNormalLike"):
        open_graph(_graph(tmp_path / "chance.onnx", [chance], []), ("x",))


def test_a_weight_that_states_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT)
    tensor.dims.extend([10**6, 10**3])
    path = _graph(tmp_path / "lie.onnx", [helper.make_node("Add", ["x", "w"], ["outputs"])], [tensor])
    with pytest.raises(BundleError, match="not of the size that it states: w"):
        require_graph(path)


GROWING: dict[str, tuple[list[Any], list[Any]]] = {
    "constant": (
        [helper.make_node("ConstantOfShape", ["s"], ["c"]), helper.make_node("ReduceSum", ["c"], ["r"], keepdims=0),
         helper.make_node("Add", ["x", "r"], ["outputs"])],
        [helper.make_tensor("s", TensorProto.INT64, [1], [3 * 10**9])],
    ),
    "expand": (
        [helper.make_node("Expand", ["x", "s"], ["c"]), helper.make_node("ReduceSum", ["c"], ["outputs"], keepdims=0)],
        [helper.make_tensor("s", TensorProto.INT64, [2], [1, 3 * 10**9])],
    ),
    "product": (
        [helper.make_node("Tile", ["x", "s"], ["a"]), helper.make_node("Transpose", ["a"], ["b"]),
         helper.make_node("MatMul", ["b", "a"], ["c"]), helper.make_node("ReduceSum", ["c"], ["outputs"], keepdims=0)],
        [helper.make_tensor("s", TensorProto.INT64, [2], [1, 60_000])],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GROWING)
def test_a_graph_that_wants_more_memory_than_any_model_is_stopped(name: str, tmp_path: Path) -> None:
    run_graph = open_graph(_graph(tmp_path / "growing.onnx", *GROWING[name]), ("x",))
    with pytest.raises(BundleError, match="cannot be run"):
        run_graph(np.ones((2, 1), np.float32))


@pytest.mark.parametrize("source", ["its input", "constants"])
def test_a_graph_that_computes_for_hours_is_stopped(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "MOST_RUN_SECONDS", 0.05)
    first = {
        "its input": [helper.make_node("ReduceSum", ["x"], ["one"], keepdims=0),
                      helper.make_node("Expand", ["one", "s"], ["m0"])],
        "constants": [helper.make_node("ConstantOfShape", ["s"], ["m0"])],
    }  # fmt: skip
    products = [helper.make_node("MatMul", [f"m{at}", "m0"], [f"m{at + 1}"]) for at in range(400)]
    last = [
        helper.make_node("ReduceMax", ["m400"], ["most"], keepdims=0),
        helper.make_node("Mul", ["x", "most"], ["outputs"]),
    ]  # fmt: skip
    sizes = helper.make_tensor("s", TensorProto.INT64, [2], [1_200, 1_200])
    path = _graph(tmp_path / "slow.onnx", [*first[source], *products, *last], [sizes])
    with pytest.raises(BundleError, match="one row takes more than"):
        open_graph(path, ("x",))(np.ones((5, 1), np.float32))


def test_a_batch_that_needs_too_much_memory_is_halved(tmp_path: Path) -> None:
    nodes = [helper.make_node("Tile", ["x", "s"], ["a"]), helper.make_node("ReduceMax", ["a"], ["outputs"], axes=[1])]
    tensors = [helper.make_tensor("s", TensorProto.INT64, [2], [1, 200_000_000])]
    outputs, _ = open_graph(_graph(tmp_path / "wide.onnx", nodes, tensors), ("x",))(np.ones((3, 1), np.float32))
    assert outputs.shape == (3, 1) and bool((outputs == 1).all())


def test_a_graph_is_fed_and_gives_what_its_bundle_says(made: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    bad = copy(made["series"][0], tmp_path / "bundle")
    model = onnx.load(bad / "model.onnx")
    model.graph.output[0].name = "other"
    put(bad / "model.onnx", model.SerializeToString())
    seal(bad)
    code, _, said = run("predict", bad, made["series"][1], "--runtime", "onnx")
    assert code == 2 and "model.onnx: the outputs should be outputs, features as config.json says" in said


# --- mutations ---


def _ends_well(bundle: Path, rows: Path, way: str, tmp_path: Path) -> None:
    """Answer or verify; raises nothing but HeadstartError."""
    try:
        if way == "verify":
            verify_bundle(bundle)
        else:
            options = parse(PredictOptions, runtime=way, offline=True, precision="float32")
            flow.predict(bundle, [rows], tmp_path / "out.csv", options)
    except HeadstartError as error:
        assert error.problem and error.hint and "\n" not in error.problem


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("way", ["verify", "onnx", "torch"])
def test_a_changed_bundle_is_refused_in_words_or_answers(
    modality: str, way: str, made: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    bundle, rows = made[modality]
    for number in range(1_000, 1_000 + N_MUTATIONS):
        changed = tmp_path / str(number)
        mutate(bundle, changed, number)
        _ends_well(changed, rows, way, tmp_path)


@pytest.mark.parametrize("modality", MODALITIES)
def test_the_script_of_a_changed_bundle_says_it_in_two_lines_or_answers(
    modality: str, made: dict[str, tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, rows = made[modality]
    for number in range(2_000, 2_000 + 2 * N_MUTATIONS):
        changed = tmp_path / str(number)
        what = mutate(bundle, changed, number)
        code, out, said = run_script(changed, rows, monkeypatch)
        assert code == 0 or (code == 2 and not out and len(said.splitlines()) == 2), (what, code, said)
