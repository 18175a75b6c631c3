"""The examples run, on very little data, through their own `main`."""

from __future__ import annotations

import csv
import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import openpyxl
import pytest
from PIL import Image
from tests.tiny import BASES

from headstart import demo
from headstart.bases.folder import write_folder
from headstart.demo import series

EXAMPLES = Path(__file__).parents[1] / "examples"


def example(name: str) -> ModuleType:
    spec = spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_HOME", str(tmp_path / "home"))


def test_there_is_a_test_for_every_example() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"learn_from_texts", "how_many_labels", "code_a_survey"}


def test_the_notebooks_run_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = {"water": "pump well dry tap leak", "school": "teacher lesson book pupil class"}
    rows = [f"{' '.join(text.split()[n % 5 :])} {n},{label}" for n in range(20) for label, text in words.items()]
    (tmp_path / "messages.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    for name, colour in {"dark": 60, "light": 180}.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for n in range(12):
            grain = np.random.default_rng(n).integers(-50, 50, (40, 40, 3))
            Image.fromarray((colour + grain).astype(np.uint8)).save(tmp_path / "photos" / name / f"{n}.png")
    small = {"text": tmp_path / "messages.csv", "image": tmp_path / "photos"}
    monkeypatch.setattr(demo, "write_demo_data", lambda folder: small)
    notebooks = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES.glob("*.ipynb")}
    assert set(notebooks) == {"messages", "photos"}
    for modality, name in (("text", "messages"), ("image", "photos")):
        write_folder(BASES[modality]().parts, tmp_path / modality)
        names: dict[str, object] = {}
        for cell in notebooks[name]["cells"]:
            assert not cell.get("outputs")
            if cell["cell_type"] == "code":
                source = "".join(cell["source"]).replace('base="default"', f'base="file:{modality}", offline=True')
                exec(source.replace('"quick"', '"linear-probe,majority"'), names)
    assert (tmp_path / "report.html").is_file() and (tmp_path / "photo-model" / "manifest.json").is_file()


def test_the_text_example_learns_keeps_loads_and_labels(tmp_path: Path) -> None:
    with demo.write_demo_data(tmp_path / "demo")["text"].open(encoding="utf-8", newline="") as opened:
        rows = [
            row for row in csv.DictReader(opened) if row["language"] == "en" and row["label"] in ("water", "school")
        ]
    table = tmp_path / "messages.csv"
    with table.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("text", "label"), *((row["text"], row["label"]) for row in rows)])
    assert example("learn_from_texts").main(table, tmp_path) == ["water", "school"]
    assert (tmp_path / "model").is_dir()


def test_the_survey_example_codes_what_nobody_has_coded(tmp_path: Path) -> None:
    coding = example("code_a_survey")
    coding.STRATEGIES = ("majority", "linear-probe")
    words = {"water": "the pump is dry and the tap leaks", "school": "no teacher came to the lesson of our class"}
    rows = [(f"{text} {n}", label) for n in range(12) for label, text in words.items()]
    with (tmp_path / "messages.csv").open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows([("text", "label"), *rows])
    coding.make_export(tmp_path / "messages.csv", tmp_path / "export.xlsx", coded=20)
    write_folder(BASES["text"]().parts, tmp_path / "base")
    out = coding.main(tmp_path / "export.xlsx", tmp_path, "comment", "code", f"file:{tmp_path / 'base'}")
    sheet = openpyxl.load_workbook(out).active
    people = [row[4] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert people[:20] == ["Amina"] * 20 and all(by is None or "Headstart" in by for by in people[20:])


def test_the_label_count_example_gives_an_accuracy_for_each_size(tmp_path: Path) -> None:
    table = series.write_crops(tmp_path / "crops.csv", n_per_class=12)
    found = example("how_many_labels").main(table, [3, 6])
    assert list(found) == [3, 6]
    assert all(0.25 <= accuracy <= 1 for accuracy in found.values())
