"""A bundle predicts anywhere: from model.onnx without torch, by its own script without Headstart, and as years ago."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from tests.tiny import BASES

from headstart import bundle as bundles
from headstart import flow
from headstart.bases import rocket, write_folder
from headstart.bundle import integrity, standalone
from headstart.bundle.onnx.graph import STRATEGY_BUILDERS
from headstart.bundle.onnx.images import ImageDescriptors
from headstart.bundle.onnx.series import MiniRocketNetwork, QuantileFeatures
from headstart.bundle.runtime.agreement import compare_outputs
from headstart.bundle.verification import verify_bundle
from headstart.decisions import DEFAULT_POLICY, Calibrator, Costs, DecisionPolicy, SetRule
from headstart.flow.inference.answer_tables import list_columns, write_row
from headstart.flow.inference.answers import make_answers
from headstart.modalities.descriptors import describe_image, shrink_image
from headstart.modalities.quantiles import describe_series
from headstart.options import AdaptOptions, CheckOptions, PredictOptions, parse
from headstart.records import Predictions, make_column
from headstart.strategies import STRATEGIES

DATA = Path(__file__).parent / "data"
HEAVY = (
    "torch", "timm", "transformers", "sklearn", "scipy", "aeon", "openvino", "numba", "pandas", "pyarrow", "onnx",
    "onnxscript", "torchvision", "openpyxl", "threadpoolctl", "huggingface_hub",
)  # fmt: skip
LACKING = """
import sys
LACKING = set({names!r})
class Lacking:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in LACKING else self.finder.find_spec(name, path, target)
    def invalidate_caches(self):
        return None
sys.meta_path[:] = [Lacking(finder) for finder in sys.meta_path]
"""


def without(names: tuple[str, ...], code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that does not find some packages."""
    script = LACKING.format(names=names) + code
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=120)


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, image_folder: Path, text_table: Path, series_table: Path
) -> dict[str, tuple[Path, Path]]:
    """Give the output folder and the data of one quick run for each modality."""
    made = {}
    root = tmp_path_factory.mktemp("portable")
    for modality, data, names in (
        ("image", image_folder, "linear-probe,classic,multi-stage-probe,blend"),
        ("text", text_table, "quick"),
        ("series", series_table, "linear-probe,classic,quant,blend"),
    ):
        base = "default"
        if modality in BASES:
            write_folder(BASES[modality]().parts, root / f"base-{modality}")
            base = f"file:{root / f'base-{modality}'}"
        options = parse(AdaptOptions, base=base, strategy=names, offline=True, precision="float32")
        flow.adapt(data, root / modality, options)
        made[modality] = root / modality, data
    return made


def table_of(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text)))


def assert_alike(found: list[list[str]], expected: list[list[str]]) -> None:
    """Same cells; numbers may differ by a thousandth, and the percentages in reasons by rounding."""
    assert found[0] == expected[0] and len(found) == len(expected) > 1
    for one, two in zip(found[1:], expected[1:], strict=True):
        for name, a, b in zip(expected[0], one, two, strict=True):
            if name.startswith(("probability", "p(", "low", "high")):
                assert float(a) == pytest.approx(float(b), abs=1e-3), (name, one, two)
            elif name not in ("reason", "nearest"):
                assert a == b, (name, one, two)
            else:
                assert a.split()[-1:] == b.split()[-1:], (name, one, two)


@pytest.mark.parametrize("modality", ["image", "text", "series"])
def test_the_base_install_predicts_as_the_full_one_does(modality: str, runs: dict[str, tuple[Path, Path]]) -> None:
    out, data = runs[modality]
    code = "from headstart.cli.main import run\ntry:\n    run()\nfinally:\n    assert not LACKING & set(sys.modules)\n"
    light = without(HEAVY, code, "predict", out, data, "--explain")
    assert light.returncode == 0, light.stderr
    options = parse(PredictOptions, explain=True, precision="float32", offline=True)
    flow.predict(out, [data], out / "full.csv", options)
    assert_alike(table_of(light.stdout), table_of((out / "full.csv").read_text("utf-8")))


@pytest.mark.parametrize("name", ["adapt", "read", "Adapter"])
def test_what_needs_the_extra_says_so_in_python_too(name: str) -> None:
    code = f"import headstart as hs\ntry:\n    hs.{name}\nexcept hs.errors.MissingExtra as error:\n    print(error)\n"
    said = without(HEAVY, code)
    assert f"headstart.{name} needs" in said.stdout and "pip install 'headstart[adapt]'" in said.stdout, said.stderr


@pytest.mark.parametrize("modality", ["image", "text", "series"])
def test_the_script_of_a_bundle_predicts_without_headstart(modality: str, runs: dict[str, tuple[Path, Path]]) -> None:
    out, data = runs[modality]
    code = "import runpy\npath = sys.argv.pop(1)\nsys.argv[0] = path\nrunpy.run_path(path, run_name='__main__')\n"
    alone = without(("headstart", "safetensors", *HEAVY), code, out / "bundle" / "predict.py", data)
    assert alone.returncode == 0, alone.stderr
    options = parse(PredictOptions, precision="float32", offline=True)
    flow.predict(out, [data], out / "again.csv", options)
    assert_alike(table_of(alone.stdout), table_of((out / "again.csv").read_text("utf-8")))


def test_a_graph_says_of_itself_what_it_is(runs: dict[str, tuple[Path, Path]]) -> None:
    out, _ = runs["series"]
    told = {one.key: one.value for one in onnx.load(out / "bundle" / "model.onnx").metadata_props}
    named = {"format", "labels", "task", "modality", "strategy", "preprocess", "decision", "base_model", "licence"}
    assert set(told) == named and (out / "bundle" / told["decision"]).is_file()


def test_the_bundle_says_what_its_graph_is_fed_and_how_well_it_agrees(runs: dict[str, tuple[Path, Path]]) -> None:
    for out, _ in runs.values():
        told = json.loads((out / "bundle" / "config.json").read_text("utf-8"))["portable"]
        assert told["ok"] and told["gate"]["same_labels"] == 1.0 and told["gate"]["max_difference"] < 1e-3
        assert {item["kind"] for item in told["inputs"]} <= {"pixels", "picture", "tokens", "pieces", "series"}
        assert (out / "bundle" / "golden.npz").stat().st_size < 2_500_000


def test_a_bundle_without_a_portable_form_says_what_to_install(tmp_path: Path) -> None:
    code = "from headstart.cli.main import run\nrun()\n"
    done = without(HEAVY, code, "predict", DATA / "bundle-format-1", DATA / "bundle-rows.csv")
    assert done.returncode == 2 and "headstart[adapt]" in done.stderr


LIGHT: dict[str, tuple[str, ...]] = {
    "adapt": ("adapt", "{data}", "-o", "{new}"),
    "rank": ("bases", "--for", "{data}"),
    "openvino": ("export", "{out}", "--to", "openvino", "-o", "{new}"),
    "int8": ("export", "{out}", "--to", "onnx-int8", "-o", "{new}"),
    "torch": ("predict", "{out}", "{data}", "--runtime", "torch"),
}
"""What takes the extra."""


@pytest.mark.parametrize("name", LIGHT)
def test_without_the_extra_what_needs_it_names_the_pip_line(
    name: str, runs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    out, data = runs["text"]
    told = [part.format(out=out, data=data, new=tmp_path / "new") for part in LIGHT[name]]
    done = without(HEAVY, "from headstart.cli.main import run\nrun()\n", *told)
    assert done.returncode == 2 and "pip install 'headstart[adapt]'" in done.stderr, done.stderr


@pytest.mark.parametrize("name", ["compare", "explain", "recalibrate", "export"])
def test_without_the_extra_bundles_are_compared_explained_corrected_and_exported(
    name: str, runs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    out, data = runs["text"]
    few = tmp_path / "few.csv"
    few.write_text("\n".join(data.read_text("utf-8").splitlines()[:4]), "utf-8")
    fresh = tmp_path / "fresh.csv"  # Rows that the model learnt from are not scored.
    fresh.write_text(data.read_text("utf-8").replace('",', ' now",'), "utf-8")
    told = {
        "compare": ("compare", out, out, fresh), "explain": ("explain", out, few, "-o", tmp_path / "page.html"),
        "recalibrate": ("evaluate", out, fresh, "--recalibrate", tmp_path / "new"),
        "export": ("export", out, "--to", "onnx", "-o", tmp_path / "slim"),
    }[name]  # fmt: skip
    done = without(HEAVY, "from headstart.cli.main import run\nrun()\n", *told)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("number", "runtime"), [(1, "torch"), (2, "torch"), (2, "onnx")])
def test_a_bundle_of_each_format_still_answers_as_it_did(number: int, runtime: str, tmp_path: Path) -> None:
    stored, rows = DATA / f"bundle-format-{number}", tmp_path / "few.csv"
    assert json.loads((stored / "manifest.json").read_text("utf-8"))["format"] == number
    rows.write_bytes((DATA / "bundle-rows.csv").read_bytes())
    options = parse(PredictOptions, explain=True, precision="float32", offline=True, runtime=runtime)
    flow.predict(stored, [rows], tmp_path / "found.csv", options)
    expected = table_of((DATA / f"bundle-format-{number}-answers.csv").read_text("utf-8"))
    found = table_of((tmp_path / "found.csv").read_text("utf-8"))
    if "kind" not in expected[0]:  # Written before answers had a kind.
        at = found[0].index("kind")
        found = [[*row[:at], *row[at + 1 :]] for row in found]
    assert_alike(found, expected)
    assert verify_bundle(stored).passes


def test_every_format_that_is_read_is_stored() -> None:
    assert {f"bundle-format-{number}" for number in integrity.READABLE_FORMATS} == {
        path.name for path in DATA.iterdir() if path.is_dir() and path.name.startswith("bundle-format-")
    }


def test_a_bundle_loaded_in_its_portable_form_is_saved_whole(
    runs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    out, _ = runs["text"]
    bundles.save_bundle(bundles.load_bundle(out, "onnx"), tmp_path / "copy")
    full = bundles.load_bundle(tmp_path / "copy", "torch")
    assert full.strategy == bundles.load_bundle(out).strategy and (tmp_path / "copy" / "model.onnx").is_file()


def test_every_strategy_has_its_part_of_a_graph() -> None:
    assert set(STRATEGY_BUILDERS) == set(STRATEGIES)


def test_descriptors_in_the_graph_are_those_of_the_features() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (6, 20, 26, 3), dtype=np.uint8)
    pictures = [Image.fromarray(one).resize((130, 100)) for one in pixels]
    expected = np.stack([describe_image(one) for one in pictures])
    found = ImageDescriptors()(torch.from_numpy(np.stack([shrink_image(one) for one in pictures]))).numpy()
    np.testing.assert_allclose(found, expected, atol=5e-4)  # Cube roots of moments that are nearly zero.


@pytest.mark.parametrize("n_channels", [1, 4])
def test_convolutions_in_the_graph_are_those_of_minirocket(n_channels: int) -> None:
    series = np.random.default_rng(0).normal(size=(12, n_channels, 40)).astype(np.float32)
    weights = rocket.fit_rocket(list(series), 0, 840)
    found = MiniRocketNetwork(weights, n_channels, 40)(torch.from_numpy(series)).numpy()
    np.testing.assert_allclose(found, rocket.transform_series(weights, series)[0], atol=1e-5)


@pytest.mark.parametrize(("length", "n_channels", "divisor"), [(9, 1, 4), (30, 2, 4), (65, 1, 8)])
def test_quantiles_in_the_graph_are_those_of_quant(length: int, n_channels: int, divisor: int) -> None:
    series = np.random.default_rng(1).normal(size=(5, n_channels, length)).astype(np.float32)
    found = QuantileFeatures(length, divisor)(torch.from_numpy(series)).numpy()
    np.testing.assert_allclose(found, describe_series(series, divisor), atol=2e-5)


def test_agreement_counts_labels_and_the_largest_difference() -> None:
    expected = np.array([[0.6, 0.4], [0.9, 0.1]])
    found = compare_outputs("classification", expected, np.array([[0.45, 0.55], [0.9, 0.1]]))
    assert (found.same_labels, found.max_difference, found.passes) == (0.5, pytest.approx(0.15), False)
    assert not compare_outputs("regression", np.array([[1.0]]), np.array([[np.nan]])).passes


CLASSES = ("a", "b", "noise")
RULES: dict[str, tuple[str, tuple[str, ...], DecisionPolicy, tuple[float, ...]]] = {
    "sets": ("classification", CLASSES, DecisionPolicy(sets=SetRule(0.9, (0.3, 0.2, 0.4), (False,) * 3, 60)), ()),
    "few rows": ("classification", CLASSES, DecisionPolicy(sets=SetRule(0.9, (0.0,) * 3, (False,) * 3, 6)), ()),
    "warm": (
        "classification",
        CLASSES,
        DecisionPolicy(calibrator=Calibrator(method="temperature", temperature=2.0)),
        (),
    ),
    "curve": (
        "classification",
        CLASSES,
        DecisionPolicy(
            calibrator=Calibrator(method="isotonic", temperature=1.0, knots=(0.0, 0.5, 1.0), levels=(0.1, 0.3, 0.8))
        ),
        (),
    ),
    "costs": ("classification", CLASSES, DecisionPolicy(costs=Costs(((0, 9, 1), (1, 0, 1), (1, 1, 0)), 0.3)), ()),
    "grades": ("ordinal", ("1", "2", "3"), DecisionPolicy(sets=SetRule(0.9, (0.3,) * 3, (False,) * 3, 60)), ()),
    "several": ("multi-label", CLASSES, DecisionPolicy(), (0.3, 0.5, 0.7)),
    "many labels": ("multi-label", tuple(f"l{at}" for at in range(25)), DecisionPolicy(), ()),
    "number": ("regression", ("yield",), DecisionPolicy(margin=1.25), ()),
    "number, few rows": ("regression", ("yield",), DecisionPolicy(margin=np.inf), ()),
}


def script_of(folder: Path, config: dict[str, Any], rules: DecisionPolicy) -> ModuleType:
    """Import the script of a bundle that has a configuration and rules only."""
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "decision.json").write_text(json.dumps(rules.as_dict()), "utf-8")
    (folder / "predict.py").write_text(standalone.build_script("series"), "utf-8")
    spec = importlib.util.spec_from_file_location("predict_of_bundle", folder / "predict.py")
    assert spec is not None and spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("name", RULES)
def test_the_script_decides_as_the_rules_do(name: str, tmp_path: Path) -> None:
    task, classes, rules, thresholds = RULES[name]
    config = {
        "task": task, "modality": "series", "classes": classes, "thresholds": thresholds, "columns": {},
        "portable": {"ok": False, "reason": "only the rules are tried"},
    }  # fmt: skip
    script = script_of(tmp_path, config, rules)
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(len(classes), 0.7), 40) if len(classes) > 1 else rng.normal(size=(40, 1))
    said = rules.calibrate(
        Predictions(
            ids=make_column([str(at) for at in range(40)]),
            classes=classes,
            probabilities=shares,
            task=task,
            thresholds=thresholds,
        )
    )
    made = rules.decide(said, None)
    columns = list_columns(task, classes)
    assert script.list_columns() == columns
    assert [columns[at] for at in script.order_columns(columns)][:2] == ["input", "answer"]
    corrected = script.calibrate(shares) if task in ("classification", "ordinal") else shares
    answered = make_answers(said, made)
    for at in range(40):
        expected = write_row(str(at), answered[at])
        assert [str(at), *script.decide_row(corrected[at], np.nan)] == expected


def test_a_damaged_picture_gets_a_row_with_the_reason(runs: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    out, data = runs["image"]
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "good.png").write_bytes(next(data.rglob("*.png")).read_bytes())
    code = "import runpy\npath = sys.argv.pop(1)\nsys.argv[0] = path\nrunpy.run_path(path, run_name='__main__')\n"
    alone = without(("headstart",), code, out / "bundle" / "predict.py", tmp_path)
    rows = table_of(alone.stdout)
    assert len(rows) == 3 and rows[1][1] == "" and rows[2][1] != ""
    assert rows[1][-2:] == ["this is not an image that can be read", "unusable"]


ALONE = "import runpy\npath = sys.argv.pop(1)\nsys.argv[0] = path\nrunpy.run_path(path, run_name='__main__')\n"


def test_the_script_reads_tables_as_headstart_does(runs: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    out, _ = runs["text"]
    rows = "id;text\r\nخط 1;the pump, broken\r\nrow 2\r\nrow 3;good\r\n"
    (tmp_path / "semi.csv").write_bytes(b"\xef\xbb\xbf" + rows.encode())
    ascii_only = "import io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, 'ascii')\n"
    alone = without(("headstart",), ascii_only + ALONE, out / "bundle" / "predict.py", tmp_path / "semi.csv")
    assert alone.returncode == 0, alone.stderr
    flow.predict(out, [tmp_path / "semi.csv"], tmp_path / "found.csv", parse(PredictOptions, offline=True))
    found = table_of((tmp_path / "found.csv").read_text("utf-8"))
    told = table_of(alone.stdout)
    assert told[3] == found[3] and found[3][-2] == "the row has 1 cell, the header has 2"
    assert_alike(told[:3], found[:3])


def _zeros(n_bytes: int) -> bytes:
    """Return an .npz file that says to hold so many bytes; they are not there."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("X.npy", b"0")
    return content.getvalue().replace(struct.pack("<II", 1, 1), struct.pack("<II", 1, n_bytes))


ZEROS = _zeros(3_000_000_000)


WIDE = ",".join(f"t{step}" for step in range(30))
UNREAD: dict[str, tuple[str, str, bytes | None, str]] = {
    "an empty table": ("text", "rows.csv", b"", "is empty"),
    "other letters": ("text", "rows.csv", b"text\n\xe9cole\n", "UTF-8"),
    "nothing": ("text", "rows.csv", None, "nothing at"),
    "another column": ("text", "rows.csv", b"a\n1\n", "no column"),
    "a header alone": ("text", "rows.csv", b"text\n", "Nothing could be read"),
    "empty texts": ("text", "rows.csv", b"text,b\n,1\n", "Nothing could be read"),
    "a workbook": ("text", "rows.xlsx", b"PK", "headstart predict"),
    "a folder of texts": ("text", "", None, "is a folder"),
    "a folder without images": ("image", "", None, "no image"),
    "a damaged image": ("image", "a.png", b"no picture", "Nothing could be read"),
    "a long table": ("series", "rows.csv", b"id,time,value\na,1,2\n", "a row a series"),
    "arrays that fill the memory": ("series", "rows.npz", ZEROS, "unpacks to 3,000 MB"),
    "broken arrays": ("series", "rows.npz", b"PK\x03\x04", "numpy.savez"),
    "a quotation mark left open": ("text", "rows.csv", b'text,id\n"a\nb\n', "never closed"),
    "two kinds of comma": (
        "series",
        "rows.csv",
        f"{WIDE.replace(',', ';')}\n{'1;' * 29}1,234.5\n".encode(),
        "Nothing could be read",
    ),
    "words for numbers": ("series", "rows.csv", f"{WIDE}\n{'x,' * 29}x\n".encode(), "Nothing could be read"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_the_script_says_in_words_what_it_cannot_read(
    name: str, runs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    modality, file, content, said = UNREAD[name]
    if content is not None:
        (tmp_path / file).write_bytes(content)
    script = runs[modality][0] / "bundle" / "predict.py"
    alone = without(("headstart",), ALONE, script, tmp_path / file)
    assert alone.returncode == 2 and said in alone.stderr and "Traceback" not in alone.stderr


def test_the_script_reads_tables_in_utf_16(runs: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    out, _ = runs["text"]
    (tmp_path / "rows.csv").write_bytes("id\ttext\n1\tthe pump is broken\n".encode("utf-16"))
    alone = without(("headstart",), ALONE, out / "bundle" / "predict.py", tmp_path / "rows.csv")
    flow.predict(out, [tmp_path / "rows.csv"], tmp_path / "found.csv", parse(PredictOptions, offline=True))
    assert_alike(table_of(alone.stdout), table_of((tmp_path / "found.csv").read_text("utf-8")))


def odd_pictures(folder: Path) -> list[Path]:
    """Write pictures of kinds and names that the two readers could take for different things."""
    shades = np.linspace(0, 1, 48 * 48, dtype=np.float32).reshape(48, 48)
    Image.fromarray(shades).save(folder / "shares.tif")
    Image.fromarray(shades * 3000 - 500).save(folder / "heights.tif")
    for name in ("photo.jfif", "b_a.png", "bytes\udcff.png"):
        Image.fromarray((shades * 255).astype(np.uint8)).save(folder / name, "JPEG" if "jfif" in name else "PNG")
    (folder / "b").mkdir()
    (folder / ".hidden").mkdir()
    for name in ("b/a.png", ".hidden/a.png"):
        (folder / name).write_bytes((folder / "b_a.png").read_bytes())
    (folder / "half.png").write_bytes((folder / "b_a.png").read_bytes()[:200])
    (folder / "empty.png").touch()
    (folder / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(12))
    (folder / "gone.png").symlink_to("nowhere")
    return [folder, folder / "b_a.png"]


def odd_texts(folder: Path) -> list[Path]:
    """Write tables of texts that are easily cut in the wrong places."""
    rows = '\n\ntext,id\n"a ""b"", c\nd",1\ntoo, many, cells\nz\x00ero,3\n"  ",4\n\nshort\n'
    (folder / "rows.csv").write_bytes(rows.encode())
    (folder / "tabs.tsv").write_bytes(b'text\tid\nit"s one\t1\n"two"\t2\n')
    rows = [f"pump {row} broke,{'ab'[row % 2]}" for row in range(12)]
    rows[2], rows[5], rows[7] = f'"{rows[2]}', rows[5].replace("broke", 'broke" again'), "'=1+1,#N/A"
    (folder / "stray.csv").write_text("Complaints,\n,\ntext,remark\n" + "\n".join(rows) + "\n,,\nlast,x", "utf-8")
    (folder / "one.csv").write_text("text\nno water, no power\n\n#REF!\n'-- so\n", "utf-8")
    (folder / "wide.txt").write_bytes("l'e\u0301te\u0301 \u00e0 Kito\n".encode("utf-16"))
    (folder / "note.md").write_bytes(b"\xef\xbb\xbf# Pump\r\nbroken\r\n")
    names = ("rows.csv", "tabs.tsv", "tabs.tsv", "stray.csv", "one.csv", "wide.txt", "note.md")
    return [folder / name for name in names]


def odd_series(folder: Path) -> list[Path]:
    """Write series with decimal commas, gaps, numbers beyond float32, and names of their own."""
    (folder / "comma.csv").write_text(f"{WIDE.replace(',', ';')}\n1.234,5;1,5;?;1e39;{';'.join('7' * 26)}\n", "utf-8")
    (folder / "more.csv").write_text(f"{WIDE}\n{','.join('1' * 32)}\n{','.join('123' * 10)}\n", "utf-8")
    good, bad = ",".join("12" * 15), ",".join(["1", "sensor off", *"2" * 28])
    (folder / "bad.csv").write_text(f"{WIDE}\n{bad}\n{good}\n{good.replace('1', '#N/A', 1)}\n", "utf-8")
    values = np.random.default_rng(0).normal(size=(3, 30))
    values[1] = np.nan
    np.savez(folder / "named.npz", X=values, id=np.array(["a", "b", "a"]))
    return [folder / name for name in ("comma.csv", "more.csv", "bad.csv", "named.npz")]


ODD: dict[str, Callable[[Path], list[Path]]] = {"image": odd_pictures, "text": odd_texts, "series": odd_series}


@pytest.mark.parametrize("modality", ODD)
def test_the_script_writes_the_very_rows_that_headstart_writes_for_odd_inputs(
    modality: str, runs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    script = runs[modality][0] / "bundle" / "predict.py"
    (tmp_path / "odd").mkdir()
    paths = ODD[modality](tmp_path / "odd")
    alone = without(("headstart",), ALONE, script, *paths)
    assert (alone.returncode, alone.stderr) == (0, "")
    flow.predict(script.parent, paths, tmp_path / "found.csv", parse(PredictOptions, offline=True, runtime="onnx"))
    assert table_of(alone.stdout) == table_of((tmp_path / "found.csv").read_text("utf-8"))


@pytest.fixture(scope="module")
def several_channels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give a run on series of two channels, and its table."""
    root, rng = tmp_path_factory.mktemp("channels"), np.random.default_rng(0)
    names = [f"{channel}_{step}" for channel in "ab" for step in range(20)]
    lines = [",".join(["label", *names])]
    for row in range(40):
        values = rng.normal(size=40) + np.sin(np.arange(40) * (0.4, 1.3)[row % 2])
        lines.append(",".join([("x", "y")[row % 2], *(f"{value:.4f}" for value in values)]))
    (root / "rows.csv").write_text("\n".join(lines), "utf-8")
    flow.adapt(root / "rows.csv", root / "out", parse(AdaptOptions, strategy="classic", offline=True))
    return root / "out", root / "rows.csv"


def test_the_script_reads_series_of_several_channels(several_channels: tuple[Path, Path], tmp_path: Path) -> None:
    out, rows = several_channels
    values = np.loadtxt(rows, delimiter=",", skiprows=1, usecols=range(1, 41)).astype(np.float32).reshape(-1, 2, 20)
    np.savez(tmp_path / "rows.npz", X=values)
    for path in (rows, tmp_path / "rows.npz"):
        alone = without(("headstart",), ALONE, out / "bundle" / "predict.py", path)
        assert alone.returncode == 0, alone.stderr
        flow.predict(out, [path], tmp_path / "found.csv", parse(PredictOptions, offline=True))
        assert_alike(table_of(alone.stdout), table_of((tmp_path / "found.csv").read_text("utf-8")))
    np.savez(tmp_path / "rows.npz", X=values[:, :1])
    alone = without(("headstart",), ALONE, out / "bundle" / "predict.py", tmp_path / "rows.npz")
    assert "X has 1 channels of 20 steps; the model learnt from 2" in alone.stderr
    assert alone.returncode == 2
    lines = [line.split(",") for line in rows.read_text("utf-8").splitlines()]
    turned = "\n".join(",".join([line[0], *reversed(line[1:])]) for line in lines) + "\n"
    (tmp_path / rows.name).write_text(turned, "utf-8")
    found = [
        without(("headstart",), ALONE, out / "bundle" / "predict.py", path).stdout
        for path in (rows, tmp_path / rows.name)
    ]
    assert_alike(table_of(found[0]), table_of(found[1]))
    (tmp_path / rows.name).write_text(turned.replace(lines[0][3], "other", 1), "utf-8")
    alone = without(("headstart",), ALONE, out / "bundle" / "predict.py", tmp_path / rows.name)
    assert alone.returncode == 2 and "other" in alone.stderr and lines[0][3] in alone.stderr


def test_a_tuned_network_is_exported_with_its_changed_views(runs: dict[str, tuple[Path, Path]], tmp_path: Path) -> None:
    from headstart.flow.exports.portable import make_portable
    from headstart.flow.exports.reference_outputs import run_reference
    from headstart.strategies.fine_tuning.tuned_model import TunedModel
    from headstart.strategies.fitted import FittedModel
    from headstart.strategies.linear.head import Head

    out, data = runs["image"]
    bundle = bundles.load_bundle(out, "torch")
    table = flow.check(data, parse(CheckOptions, deep="off", offline=True))[0].take(np.arange(6))
    base, rng = BASES["image"](), np.random.default_rng(0)
    head = Head(np.zeros(base.record.n_dims, np.float32), rng.normal(size=(base.record.n_dims, 3)).astype(np.float32),
                np.zeros(3, np.float32))  # fmt: skip
    core = TunedModel(modality="image", parts=base.parts, head=head, n_views=2)
    fitted = FittedModel(core, np.empty((0, 3)))
    tuned = replace(
        bundle, strategy="last-stages", fitted=fitted, uses=frozenset({"inputs"}), decision_policy=DEFAULT_POLICY
    )
    made = make_portable(tuned, table, tmp_path / "shipping")
    assert made.portable_files is not None and made.portable_files.config["ok"], made.portable_files
    assert [item["kind"] for item in made.portable_files.config["inputs"]] == ["views"]
    bundles.save_bundle(made, tmp_path / "bundle")
    light = run_reference(bundles.load_bundle(tmp_path / "bundle", "onnx"), table)
    np.testing.assert_allclose(light.outputs, run_reference(tuned, table).outputs, atol=1e-4)


def test_an_unchanged_model_keeps_its_graph_and_a_changed_or_damaged_one_gets_a_new_one(
    runs: dict[str, tuple[Path, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.bundle.onnx import graph
    from headstart.flow.exports.portable import make_portable

    out, data = runs["series"]
    bundle = bundles.load_bundle(out, "torch")
    table = flow.check(data, parse(CheckOptions, deep="off", offline=True))[0].take(np.arange(6))
    first = make_portable(bundle, table, tmp_path / "first")
    assert first.portable_files is not None and first.portable_files.config["ok"]
    bundles.save_bundle(first, tmp_path / "bundle")
    asked: list[str] = []
    whole = graph.build_network
    monkeypatch.setattr(graph, "build_network", lambda made: asked.append(made.strategy) or whole(made))
    again = make_portable(bundle, table, tmp_path / "again", tmp_path / "bundle")
    assert not asked and again.portable_files is not None and again.portable_files.config == first.portable_files.config
    assert set(again.portable_files.files) == set(first.portable_files.files)
    assert all((tmp_path / "again" / name).is_file() for name in again.portable_files.files)
    make_portable(bundle, table.take(np.arange(5)), tmp_path / "other", tmp_path / "bundle")
    assert len(asked) == 1
    (tmp_path / "bundle" / "model.onnx").write_bytes(b"damaged")
    assert make_portable(bundle, table, tmp_path / "third", tmp_path / "bundle").portable_files is not None
    assert len(asked) == 2


def test_a_reader_that_has_seen_enough_ends_predict_py_without_a_traceback(runs: dict[str, tuple[Path, Path]]) -> None:
    out, data = runs["text"]
    command = [sys.executable, str(out / "bundle" / "predict.py"), *[str(data)] * 300]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as alone:
        assert alone.stdout is not None and alone.stderr is not None
        alone.stdout.close()
        assert "Traceback" not in alone.stderr.read()
