"""The page of `serve`: whole in every language, nothing from elsewhere, and usable in a real browser on a phone."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import httpx
import numpy as np
import pytest
import uvicorn
from PIL import Image
from tests.browser import CHROMIUM, Browser, browser
from tests.needs import skip_without

from headstart.decisions import DecisionPolicy, Reason, ReasonCode, SetRule
from headstart.flow.inference.answers import make_answers, make_document, make_unusable_document
from headstart.flow.inference.predict_memory import UnusableInput
from headstart.options import ServeOptions
from headstart.records import Predictions, make_column
from headstart.web.app import PAGE_MODULES, STATIC, build_app
from headstart.web.models import ServedModel

PAGE = files("headstart.web").joinpath("static")
SCRIPTS = (*(f"{name}.js" for name in PAGE_MODULES), "api-rest.js")
TEXTS = {name: PAGE.joinpath(name).read_text("utf-8") for name in ("index.html", *SCRIPTS, "style.css")}
CODE = "".join(TEXTS[name] for name in SCRIPTS)
MESSAGES: dict[str, dict[str, str]] = json.loads(PAGE.joinpath("messages.json").read_text("utf-8"))


def fields(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def test_every_sentence_is_there_in_every_language_with_the_same_gaps() -> None:
    assert list(MESSAGES) == ["en", "fr", "es", "sw", "ar"]
    for language, texts in MESSAGES.items():
        assert texts.keys() == MESSAGES["en"].keys(), language
        assert all(text.strip() for text in texts.values())
        assert {key: fields(text) for key, text in texts.items()} == {
            key: fields(text) for key, text in MESSAGES["en"].items()
        }
        same = [key for key, text in texts.items() if len(text) > 12 and text == MESSAGES["en"][key]]
        assert same == [] or language == "en"
    assert MESSAGES["ar"]["direction"] == "rtl"


def test_every_sentence_that_the_page_uses_exists_and_no_other() -> None:
    used = set(re.findall(r'data-t="(\w+)"', TEXTS["index.html"]))
    used |= set(re.findall(r'\bt\("(\w+)"', CODE)) | set(re.findall(r'key: "(\w+)"', CODE))
    used |= set(re.findall(r'(?:0|401|413|503): "(\w+)"', CODE))
    used |= {"name", "not_sure", "none_of_these", "unusable", "place_device"}
    assert used == set(MESSAGES["en"])


def test_nothing_comes_from_elsewhere_and_nothing_stands_inline() -> None:
    for name, text in TEXTS.items():
        assert re.findall(r"https?://(?!www\.w3\.org)", text) == [], name
    page = TEXTS["index.html"]
    assert (
        "style=" not in page and re.findall(r"<script(?![^>]*src=)", page) == [] and re.findall(r"\son\w+=", page) == []
    )
    assert "innerHTML" not in CODE and "eval(" not in CODE
    assert {file for file, _ in STATIC.values()} | {"index.html"} == {
        item.name for item in PAGE.iterdir() if item.is_file()
    }


def test_every_control_has_a_label() -> None:
    page = TEXTS["index.html"]
    for control in re.findall(r'<(?:input|textarea|select) id="([\w-]+)"', page):
        assert f'for="{control}"' in page or control == "language"


CLASSES = ("red", "blue", "not sure")
SURE = DecisionPolicy()
DOUBTFUL = DecisionPolicy(sets=SetRule(0.9, (0.1, 0.1, 0.1), (False,) * 3, 50))


def answer_row(probabilities: tuple[float, ...], policy: DecisionPolicy, is_known: bool = True) -> dict[str, Any]:
    """Return the document of one row, made as that of any model."""
    predictions = Predictions(
        ids=make_column(["1"]), classes=CLASSES, probabilities=np.array([probabilities]), task="classification"
    )
    (answer,) = make_answers(predictions, policy.decide(predictions, None))
    if not is_known:
        reason = Reason("out_of_distribution", {"share": 0.95})
        answer = replace(answer, outcome="none_of_these", text="none of these", reason=reason)
    return make_document(answer)


def answer_inputs(inputs: Sequence[Any]) -> list[dict[str, Any]]:
    """Tell red images from others, texts that doubt from others, rising series from falling ones."""
    documents = []
    for item in inputs:
        if isinstance(item, UnusableInput):
            documents.append(make_unusable_document("classification", item.reason))
        elif isinstance(item, bytes):
            red, _, blue = Image.open(io.BytesIO(item)).convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
            documents.append(answer_row((0.91, 0.05, 0.04), SURE, is_known=red > blue))
        elif isinstance(item, str):
            named = answer_row((0.05, 0.05, 0.9), SURE)  # The class of this name, not an abstention.
            documents.append(named if item == "who knows" else answer_row((0.5, 0.45, 0.05), DOUBTFUL))
        else:
            rises = item[0, -1] > item[0, 0]
            documents.append(answer_row((1.0, 0.0, 0.0) if rises else (0.0, 1.0, 0.0), SURE))
    return documents


def model(modality: str) -> ServedModel:
    info = {
        "format": 1, "name": modality, "modality": modality, "task": "classification", "classes": list(CLASSES),
        "preprocessing": {"n_channels": 1},
    }  # fmt: skip
    return ServedModel(
        name=modality,
        modality=modality,
        task="classification",
        classes=CLASSES,
        answer=answer_inputs,
        info=info,
        columns={},
    )


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrections")


@contextmanager
def running(options: ServeOptions, token: str | None = None) -> Iterator[str]:
    """Serve three toy models; gives the address."""
    gate = build_app({name: model(name) for name in ("image", "text", "series")}, options, token)
    server = uvicorn.Server(uvicorn.Config(gate, port=0, log_config=None, ws="none", lifespan="on"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join(20)


@pytest.fixture(scope="module")
def address(corrections: Path) -> Iterator[str]:
    with running(ServeOptions(feedback=corrections)) as page:
        yield page


@pytest.fixture
def phone(address: str, tmp_path: Path) -> Iterator[Browser]:
    skip_without("browser", CHROMIUM, "there is no Chromium on this machine")
    with browser(tmp_path / "profile") as page:
        page.size(360, 800)
        page.open(address)
        page.until("document.querySelector('#ask') && !document.querySelector('#ask').hidden")
        yield page


def choose(phone: Browser, field: str, value: str) -> None:
    phone.run(
        f"{{const e = document.querySelector('{field}'); e.value = '{value}'; e.dispatchEvent(new Event('change'))}}"
    )


def read_answers(phone: Browser) -> list[str]:
    answers: list[str] = phone.run("[...document.querySelectorAll('.outcome bdi')].map(one => one.textContent)")
    return answers


def test_a_person_with_a_phone_gets_answers_corrects_one_and_takes_them_home(
    phone: Browser, address: str, corrections: Path, tmp_path: Path
) -> None:
    for name, colour in (("red.png", (200, 20, 20)), ("blue.png", (20, 20, 200))):
        Image.new("RGB", (64, 64), colour).save(tmp_path / name)
    phone.files("#images", tmp_path / "red.png", tmp_path / "blue.png")
    phone.until("document.querySelectorAll('.answer').length == 2")
    assert read_answers(phone) == ["red", "None of these"]
    assert phone.run("document.documentElement.scrollWidth") <= 360
    phone.run("document.querySelector('.answer form input').value = 'blue'")
    phone.run("document.querySelector('.answer form').requestSubmit()")
    phone.until("document.querySelector('.answer form [role=status]').textContent")
    with (corrections / "image" / "metadata.csv").open(encoding="utf-8") as handle:
        assert [row["label"] for row in csv.DictReader(handle)] == ["blue"]
    phone.open(address)  # What was answered is still there.
    phone.until("document.querySelectorAll('#history-list li').length == 2")
    phone.run(
        "{window.savedText = null; const makeAddress = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => {"
        " blob.text().then((text) => { window.savedText = text; }); return makeAddress(blob); }}"
    )
    phone.run("document.querySelector('#save').click()")
    rows = list(csv.DictReader(io.StringIO(phone.until("window.savedText").lstrip("\ufeff"))))
    assert [(row["input"], row["kind"], row["answer"]) for row in rows] == [
        ("blue.png", "none_of_these", "none of these"), ("red.png", "label", "red"),
    ]  # fmt: skip
    phone.run("document.querySelector('#forget').click()")
    assert phone.run("document.querySelector('#history').hidden") and phone.troubles() == []
    assert all(requested.startswith((address, f"blob:{address}")) for requested in phone.list_addresses())


def test_more_images_than_one_request_may_hold_are_all_answered(phone: Browser, tmp_path: Path) -> None:
    names = [tmp_path / f"photo-{number}.bmp" for number in range(5)]
    for name in names:
        Image.new("RGB", (100, 100), (200, 20, 20)).save(name)  # 30 kB each.
    with running(ServeOptions(max_mb=0.07)) as tight:
        phone.open(tight)
        phone.until("document.querySelector('#ask') && !document.querySelector('#ask').hidden")
        phone.files("#images", *names)
        phone.until("document.querySelectorAll('.answer').length == 5")
        assert read_answers(phone) == ["red"] * 5 and phone.run("document.querySelector('#problem').hidden")


def test_the_keyboard_alone_is_enough_and_arabic_goes_from_right_to_left(phone: Browser) -> None:
    choose(phone, "#language", "ar")
    choose(phone, "#model", "text")
    assert phone.run("[document.documentElement.dir, document.documentElement.lang]") == ["rtl", "ar"]
    assert phone.run("getComputedStyle(document.body).direction") == "rtl"
    phone.run("document.querySelector('#model').focus()")
    phone.key("Tab", 9)
    assert phone.run("document.activeElement.id") == "text"
    phone.send("Input.insertText", text="hakuna maji")
    phone.key("Tab", 9)
    phone.key("Enter", 13, "\r")
    phone.until("document.querySelectorAll('.answer').length == 1")
    assert read_answers(phone) == [MESSAGES["ar"]["not_sure"]]
    assert "red" in phone.run("document.querySelector('.reason').textContent")
    assert "may be" not in phone.run("document.querySelector('.reason').textContent")
    assert phone.run("document.querySelector('#answers').getAttribute('aria-live')") == "polite"
    assert phone.run("document.documentElement.scrollWidth") <= 360 and phone.troubles() == []


def test_a_class_that_is_called_not_sure_is_an_answer(phone: Browser, address: str) -> None:
    choose(phone, "#language", "fr")
    choose(phone, "#model", "text")
    for text in ("who knows", "something else"):
        phone.run(f"document.querySelector('#text').value = '{text}'")
        phone.run("document.querySelector('#answer-list').replaceChildren()")
        phone.run("document.querySelector('#ask').requestSubmit()")
        phone.until("document.querySelectorAll('.answer').length == 1")
        cells = "['.mark', '.outcome bdi', '.reason'].map(one => document.querySelector(one).textContent)"
        mark, answer, reason = phone.run(cells)
        words = MESSAGES["fr"]
        expected = ("mark_sure", "not sure") if text == "who knows" else ("mark_person", words["not_sure"])
        assert (mark, answer) == (words[expected[0]], expected[1])
        assert reason.replace("\u202f", " ").replace("\xa0", " ").startswith("Sûr à 90 %") == (text == "who knows")
    phone.open(address)
    phone.until("document.querySelectorAll('#history-list li').length == 2")
    entries = phone.run("[...document.querySelectorAll('#history-list li bdi:last-child')].map(one => one.textContent)")
    assert entries == [MESSAGES["fr"]["not_sure"], "not sure"]
    metrics = httpx.get(f"{address}metrics").text
    counts = dict(re.findall(r'headstart_answers_total\{kind="(\w+)",model="text"\} (\d+)', metrics))
    assert counts["label"] == "1" and int(counts["not_sure"]) >= 1


def test_every_reason_has_words_on_both_pages_and_is_documented() -> None:
    offline = PAGE.joinpath("offline").joinpath("reasons.js").read_text("utf-8")
    for table in (TEXTS["answers.js"].partition("const REASONS = {")[2], offline.partition("const TEXTS = {")[2]):
        assert set(re.findall(r"^  (\w+):", table.partition("\n};")[0], re.MULTILINE)) == set(get_args(ReasonCode))
    reference = Path(__file__).parents[1].joinpath("docs", "reference", "json.md").read_text("utf-8")
    rows = reference.partition("| `reason_code` |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", rows, re.MULTILINE) == list(get_args(ReasonCode))


def test_series_are_read_as_people_paste_them(phone: Browser) -> None:
    choose(phone, "#model", "series")
    cases = {
        "1,2,3\\n3,2,1": ["red", "blue"],
        "t0,t1,t2\\n1,,3": ["red"],
        "1,5;2,5;3,5": ["red"],
        "3\\n2\\n1": ["blue"],
        "1 2 3": ["red"],
    }
    for pasted, expected in cases.items():
        phone.run(f"document.querySelector('#series').value = '{pasted}'")
        phone.run("document.querySelector('#ask').requestSubmit()")
        phone.until("document.querySelectorAll('.outcome').length || !document.querySelector('#problem').hidden")
        assert read_answers(phone) == expected, pasted
        phone.run("document.querySelector('#answer-list').replaceChildren()")
    phone.run("document.querySelector('#series').value = '1,2,x'; document.querySelector('#ask').requestSubmit()")
    phone.until("!document.querySelector('#problem').hidden")
    assert "no number" in phone.run("document.querySelector('#problem').textContent")


def test_a_refused_request_is_told_in_words(phone: Browser) -> None:
    choose(phone, "#language", "en")
    phone.files("#images", Path(__file__))
    phone.until("!document.querySelector('#problem').hidden")
    problem = phone.run("document.querySelector('#problem').textContent")
    assert problem.startswith("That did not work. None of the 1 inputs can be used")


def test_a_server_with_a_token_asks_for_it_once(phone: Browser) -> None:
    with running(ServeOptions(), "a-token-of-more-than-16") as guarded:
        phone.open(guarded)
        phone.until("document.querySelector('#token-form') && !document.querySelector('#token-form').hidden")
        for code, hidden in (("wrong", True), ("a-token-of-more-than-16", False)):
            phone.run(f"document.querySelector('#token').value = '{code}'")
            phone.run("document.querySelector('#token-form').requestSubmit()")
            phone.until("document.querySelector('#token').value == ''")
            phone.until(f"document.querySelector('#ask').hidden == {str(hidden).lower()}")
        assert phone.run("document.querySelector('#token-form').hidden")
        phone.open(f"{guarded}?again")
        phone.until("document.querySelector('#ask') && !document.querySelector('#ask').hidden")
