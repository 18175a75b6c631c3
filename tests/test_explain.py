"""`explain`: the part that decides is found, the page is whole, bad input is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from headstart import flow
from headstart.cli.main import app
from headstart.modalities import MODALITIES
from headstart.modalities.occlusion import average_cells, cut_text, find_heaviest, weigh_text
from headstart.modalities.preview_records import AnyWeights, TextPreview
from headstart.options import AdaptOptions
from headstart.report.explained import ExplainedInput, ExplainedPage, HeavyPart, SimilarRow, render_explained

RUNNER = CliRunner()
KEYWORDS = {"water": "the pump is broken", "food": "no maize is left"}


@pytest.fixture(scope="module")
def text_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    lines = ["text,label"]
    fillers = ["today", "again", "here", "since monday", "for us", "in the camp", "near the school", "please help"]
    for label, phrase in KEYWORDS.items():
        lines += [f"{phrase} {one} {two},{label}" for one in fillers for two in fillers[:3]]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    flow.adapt(folder / "rows.csv", folder / "out", AdaptOptions(strategy=("classic",), time=60))
    return folder / "out" / "bundle"


def test_the_words_that_decide_are_found_and_shown(text_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text('text\n"please help us, <b>pump</b> broken yesterday"\nx\n', encoding="utf-8")
    page = tmp_path / "page.html"
    done = RUNNER.invoke(
        app, ["explain", str(text_bundle), str(tmp_path / "new.csv"), "-o", str(page), "--json", "--text", "text"]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    first, last = document["explained"]
    weights = {item["part"]: item["weight"] for item in first["parts"]}
    assert first["explains"] == "water" and max(weights, key=lambda name: weights[name]) in ("broken", "<b>pump</b>")
    assert last["parts"] == [] and "only one part" in last["reading"]
    text = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;pump" in text and "<b>pump" not in text
    assert "http" not in text.replace("http-equiv", "")


def test_without_a_page_or_json_it_says_what_to_do(text_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("text\npump\n", encoding="utf-8")
    done = RUNNER.invoke(app, ["explain", str(text_bundle), str(tmp_path / "new.csv")])
    assert done.exit_code == 2 and "-o explained.html" in done.output


def test_pictures_are_explained_where_they_differ(image_folder: Path, tmp_path: Path) -> None:
    flow.adapt(image_folder, tmp_path / "out", AdaptOptions(strategy=("classic",), time=60))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    some = sorted(image_folder.rglob("*.png"))[:2] or sorted(image_folder.rglob("*.jpg"))[:2]
    done = RUNNER.invoke(
        app, ["explain", str(tmp_path / "out"), *map(str, some), str(broken), "-o", str(tmp_path / "p.html"), "--json"]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert len(document["explained"]) == 2 and len(document["explained"][0]["parts"]) == 49
    assert [item["id"].endswith("broken.png") for item in document["failed"]] == [True]


@pytest.mark.parametrize(
    ("modality", "loaded"),
    [
        ("image", Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 64, 3), dtype=np.uint8))),
        ("text", "one two three four"),
        ("series", np.arange(40, dtype=np.float32)[None] ** 2),
    ],
)
def test_each_part_hides_something_and_the_drawing_takes_as_many_weights(modality: str, loaded: object) -> None:
    occlusion = MODALITIES[modality].occlusion
    parts = occlusion.list_parts(loaded)
    assert len({part.name for part in parts}) == len(parts) > 1
    assert not any(np.array_equal(np.asarray(part.hidden), np.asarray(loaded)) for part in parts)
    page = draw(occlusion.weigh(loaded, np.linspace(-1, 1, len(parts))))
    assert "rgba(230" in page and "rgba(20" in page
    assert "rgba" not in draw(occlusion.weigh(loaded, np.zeros(len(parts))))


def draw(weights: AnyWeights) -> str:
    item = ExplainedInput(
        name="a", outcome="not_sure", answer="rust", probability=0.4, explains="rust", whole=0.4, is_number=False,
        original=None, weights=weights, heaviest=[HeavyPart(name="x", place={"row": 2, "column": 3}, without=0.1)],
        similar=[SimilarRow(id="b", label="blight", distance=0.5, preview=TextPreview(text="<script> seen"))],
    )  # fmt: skip
    page = render_explained(ExplainedPage(items=[item], n_inputs=9, n_ranked=9))
    assert "row 2, column 3 (without it 10" in page and "&lt;script&gt; seen" in page and "<script>" not in page
    return page.split("<section")[1]


def test_a_patch_marks_the_cells_that_it_hid() -> None:
    weights = np.zeros(49)
    weights[0] = 1.0
    heat = average_cells(weights)
    assert heat[0, 0] == 1.0 and heat[1, 1] == 0.25 and heat[2:].sum() == 0


def test_texts_without_spaces_are_cut_between_letters() -> None:
    assert cut_text("\u6c34\u4e0d\u591f") == ["\u6c34", "\u4e0d", "\u591f"] and cut_text("") == []
    assert "<script>" not in draw(weigh_text("<script> a", np.array([1.0, 0.5])))
    assert find_heaviest(np.array([-1.0, 0.0])) == []
