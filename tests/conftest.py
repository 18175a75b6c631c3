"""What all tests share: a Headstart home of their own, small real inputs, and the development data if it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # One thread each: several workers share the cores already.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from PIL import Image
from tests.needs import skip_without

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session", autouse=True)
def headstart_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Everything that the tests cache lies in one temporary folder; all workers share the bases that one converted."""
    folder = tmp_path_factory.mktemp("headstart-home")
    if "PYTEST_XDIST_WORKER" in os.environ:
        for name in ("bases", "runtimes", "tokenizers"):
            common = tmp_path_factory.getbasetemp().parent / "common-home" / name
            common.mkdir(parents=True, exist_ok=True)
            (folder / name).symlink_to(common, target_is_directory=True)
    before = os.environ.get("HEADSTART_HOME")
    os.environ["HEADSTART_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["HEADSTART_HOME"]
    else:
        os.environ["HEADSTART_HOME"] = before


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty Headstart home to one test."""
    monkeypatch.setenv("HEADSTART_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def picture(label: int, seed: int, size: int = 48) -> Image.Image:
    """Draw a small picture: the class is the colour and the direction of its stripes."""
    rng = np.random.default_rng(seed)
    ramp = np.indices((size, size))[label % 2] // 6 % 2
    pixels = rng.integers(0, 60, (size, size, 3)) + ramp[..., None] * 80
    pixels[..., label % 3] += 90
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 16 pictures, one folder a class."""
    root = tmp_path_factory.mktemp("pictures")
    for label in range(3):
        folder = root / f"class-{label}"
        folder.mkdir()
        for number in range(16):
            picture(label, 100 * label + number).save(folder / f"{number:02d}.png")
    return root


@pytest.fixture(scope="session")
def text_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty short messages about water, roads and school, written by a small grammar."""
    subjects = {
        "water": ["The pump is broken", "No water at the well", "The tap water smells", "Our borehole is dry"],
        "roads": ["The bridge is flooded", "Holes in the main road", "The road is blocked", "No bus on this road"],
        "school": ["The teacher is absent", "No books in class", "The school roof leaks", "Exams were cancelled"],
    }
    endings = ["since Monday.", "please help us!", "in our village", "again this week", "and nobody comes."]
    path = tmp_path_factory.mktemp("messages") / "messages.csv"
    rows = [f'"{start} {end}",{label}' for label, starts in subjects.items() for start in starts for end in endings]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def fresh_table(text_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same messages, each with a word more: rows that a model of `text_table` has not learnt from."""
    path = tmp_path_factory.mktemp("fresh") / "messages.csv"
    path.write_text(text_table.read_text("utf-8").replace('",', ' now",'), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def series_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty series of 30 steps: slow and fast waves."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("waves") / "waves.csv"
    lines = ["label," + ",".join(f"t{step}" for step in range(30))]
    for number in range(40):
        label = ("slow", "fast")[number % 2]
        wave = np.sin(np.arange(30) * (0.3, 1.1)[number % 2] + rng.uniform(0, 6)) + rng.normal(0, 0.3, 30)
        lines.append(label + "," + ",".join(f"{value:.4f}" for value in wave))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def noisy_run(text_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the classic rival alone, on messages.csv beside it, of which some have a wrong label."""
    from headstart import flow
    from headstart.options import AdaptOptions, parse

    folder = tmp_path_factory.mktemp("noisy")
    header, *lines = text_table.read_text("utf-8").splitlines()
    noisy = [line.rpartition(",")[0] + ",roads" if at % 7 == 0 else line for at, line in enumerate(lines)]
    (folder / "messages.csv").write_text("\n".join([header, *noisy]), "utf-8")
    flow.adapt(folder / "messages.csv", folder / "out", parse(AdaptOptions, strategy=("classic",), audit="none"))
    return folder / "out"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the development data, or skip."""
    skip_without("shared", SHARED.is_dir(), "the development data sets are not on this machine")
    return SHARED
