"""The Label screen: every answer is stored once, nothing is given away too early, and what comes next is learnt."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi.testclient import TestClient
from tests.browser import CHROMIUM, Browser, browser
from tests.needs import marked_without

from headstart.flow.labelling.model_answers import read_model_answers
from headstart.index import IndexDraft, IndexFacts, write_index
from headstart.options import StudioOptions
from headstart.projects import NewExample, NewLabel, Project
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.screens.label_answers import FORMS, choose_form, join_kinds, split_label
from headstart.studio.screens.label_choice import LabelFocus, list_focused
from headstart.studio.server import make_policy
from headstart.task_types import TASK_TYPES

KINDS = ("rust", "blight")
N = 48


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of projects: one of texts about two kinds, with vectors that tell them apart."""
    with Project.create(tmp_path / "maize", "Maize") as project:
        project.set_setting("modality", "text")
        texts = [f"{KINDS[number % 2]} on leaf {number}" for number in range(N)]
        ids = project.add_examples(
            [NewExample(name=text, content_hash=f"{at:064x}", text=text) for at, text in enumerate(texts)]
        )
        for kind in KINDS:
            project.add_kind(kind)
        vectors = np.random.default_rng(0).normal(size=(N, 8)) + 3 * np.eye(8)[np.arange(N) % 2]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        facts = IndexFacts(modality="text", base="none", base_name="none", fingerprint="none")
        draft = IndexDraft(ids=[str(number) for number in ids], vectors=vectors.astype(np.float16), about=facts)
        write_index(project.folder / "vectors", draft)
    return tmp_path


def make_client(folder: Path) -> TestClient:
    context = StudioContext(options=StudioOptions(folder=folder), policy=make_policy(None, 8765))
    return TestClient(create_app(context), base_url="http://127.0.0.1", headers={"X-Headstart": "1"})


class Page:
    """What a page asks of the server, in short."""

    def __init__(self, client: TestClient, name: str = "aa" * 8, who: str = "Amina") -> None:
        self.client, self.name, self.who, self.number = client, name, who, 0

    def post(self, path: str, **body: Any) -> Any:
        reply = self.client.post(f"/api/p/maize/label/{path}", json={"who": self.who, **body})
        assert reply.status_code == 200, reply.text
        return reply.json()

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/p/maize/label/{path}", params={"who": self.who}).json()

    def next(self, n: int = 5, mode: str = "useful") -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.post("next", client=self.name, n=n, mode=mode)["examples"]
        return items

    def send(self, *operations: dict[str, Any], first: int | None = None) -> list[dict[str, Any]]:
        start = self.number + 1 if first is None else first
        self.number = start + len(operations) - 1
        numbered = [
            {"number": start + at, "who": self.who, "action": "label", **operation}
            for at, operation in enumerate(operations)
        ]
        reply = self.client.post("/api/p/maize/label/operations", json={"client": self.name, "operations": numbered})
        assert reply.status_code == 200, reply.text
        outcomes: list[dict[str, Any]] = reply.json()["outcomes"]
        return outcomes

    def label(self, items: list[dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
        return self.send(*({"examples": [item["id"]], "labels": [item["text"].split()[0]], **more} for item in items))

    def wait(self, key: str) -> dict[str, Any]:
        stop = time.monotonic() + 20
        while time.monotonic() < stop:
            state: dict[str, Any] = self.get("state")
            if state[key] and not state["is_learning"]:
                return state
            time.sleep(0.02)
        raise AssertionError(f"{key}: {state}")


def test_every_task_is_answered_in_its_way() -> None:
    assert {choose_form(task) for task in TASK_TYPES.values()} == set(FORMS)
    for task in TASK_TYPES.values():
        kinds = ["3"] if task.is_number else ["b", "a"] if task.has_label_sets else ["a; b"]
        assert split_label(join_kinds(kinds, task), task) == kinds


def test_an_answer_that_is_sent_again_is_stored_once(folder: Path) -> None:
    page = Page(make_client(folder))
    rust = {"examples": [1], "labels": ["rust"], "note": "a note"}
    page.send(rust, {"examples": [1], "labels": ["blight"]}, {"examples": [2], "answer": "not_sure"})
    page.send({"examples": [1], "labels": ["blight"]}, {"examples": [2], "answer": "not_sure"}, first=2)
    page.send({"action": "undo"}, first=4)
    page.send({"action": "undo"}, first=4)  # The reply was lost: one step back, not two.
    other = Page(page.client, "bb" * 8)
    unknown, kept = other.send({"examples": [999], "labels": ["rust"]}, {"examples": [3], "labels": ["rust"]})
    assert unknown["problem"] and unknown["hint"] and not kept["problem"]
    with Project.open(folder / "maize") as project:
        assert [len(project.list_events(example)) for example in (1, 2, 3)] == [2, 1, 1]
        assert project.get_example(1).label == "blight" and project.get_example(2).answer == ""
    assert page.post("examples", ids=[1])["examples"][0]["note"] == "a note"


def test_kinds_come_by_button_and_answers_follow_a_new_name(folder: Path) -> None:
    page = Page(make_client(folder))
    page.post("kinds", add=" smut ")
    page.post("kinds", rename="rust", to="common rust")
    page.send({"examples": [1], "labels": ["rust"]})
    assert [(kind["name"], kind["n"]) for kind in page.get("state")["kinds"]] == [
        ("common rust", 1), ("blight", 0), ("smut", 0)
    ]  # fmt: skip


def test_guesses_come_after_the_answer_and_never_where_one_labels_blind(folder: Path) -> None:
    page, other = Page(make_client(folder)), Page(make_client(folder), "bb" * 8, "Juma")
    items = page.next(n=20)
    other.client = page.client
    assert not {item["id"] for item in other.next()} & {item["id"] for item in items}
    assert all(item["guess"] is None and item["chosen"] == "random" for item in items)
    assert all(outcome["guess"] is None for outcome in page.label(items[:1]))
    assert page.get("state")["has_guesses"] is False and page.get("cohorts")["cohorts"] == []
    page.label(items[1:], chosen="random")
    state = page.wait("has_guesses")
    assert state["n_labelled"] == 20 and state["can_learn"] and "19" in state["shares_words"]
    (outcome,) = page.label(page.next(n=1))
    assert outcome["guess"]["label"] in KINDS and 0 < outcome["guess"]["probability"] <= 1
    reviewed = page.next(mode="review")
    assert all(item["guess"]["label"] == item["text"].split()[0] for item in reviewed)
    blind = other.next(n=10, mode="second")
    assert [item["id"] for item in blind] == [item["id"] for item in items[:10]]
    assert not any({"kind", "label_by"} & set(item) or item["labels"] or item["guess"] for item in blind)
    (cohort, *_) = page.get("cohorts")["cohorts"]
    assert cohort["kind"] in KINDS and len(cohort["examples"]) >= 4
    page.send({"examples": [item["id"] for item in cohort["examples"]], "labels": [cohort["kind"]]})
    assert page.send({"action": "undo"})[0]["examples"] == [item["id"] for item in cohort["examples"]]


def test_a_person_and_the_model_are_counted_on_the_same_examples_of_the_check(folder: Path) -> None:
    page = Page(make_client(folder))
    assert page.get("people")["reference"]["n_waiting"] == 0
    with Project.open(folder / "maize") as project:
        project.add_labels([NewLabel(example=number, label=KINDS[number % 2 - 1]) for number in (1, 2, 3, 4)])
        project.set_splits(dict.fromkeys((1, 2, 3, 4), "test"))
        model = folder / "model"
        model.mkdir()
        rows = [f"{project.get_example(number).name},{KINDS[number % 2 - 1]},rust" for number in (1, 2, 3, 4)]
        (model / "test_predictions.csv").write_text("\n".join(["id,label,predicted", *rows]), encoding="utf-8")
        project.set_current_model(project.add_model(model))
        assert read_model_answers(project) == dict.fromkeys((1, 2, 3, 4), "rust")
    items = page.next(mode="human_reference")
    assert {item["id"] for item in items} == {1, 2, 3, 4} and not any("kind" in item for item in items)
    page.label(items[1:], purpose="human_reference")
    page.send({"examples": [items[0]["id"]], "answer": "not_sure", "purpose": "human_reference"})
    reference = page.get("people")["reference"]
    assert [bar["words"] for bar in reference["bars"]] == ["3 of 4", "2 of 4"] and reference["n_waiting"] == 0
    with Project.open(folder / "maize") as project:
        assert project.get_example(items[0]["id"]).answer == "label"


def test_what_was_left_of_one_file_is_asked_about_alone(folder: Path) -> None:
    with Project.open(folder / "maize") as project:
        source = project.add_source("answers.xlsx", "answers 1")
        left = project.add_examples([NewExample(name="left", content_hash="f" * 64, text="left", source=source)])
    page = Page(make_client(folder))
    (item,) = page.post("next", client=page.name, source=source)["examples"]
    assert item["id"] == left[0] and item["chosen"] == "review"  # It is hard for the model: nothing for the check.


def test_a_second_person_differs_and_one_of_them_settles_it(folder: Path) -> None:
    page = Page(make_client(folder))
    items = page.next(n=4)
    page.label(items)
    juma = Page(page.client, "bb" * 8, "Juma")
    juma.label(items[1:], purpose="second")
    juma.send({"examples": [items[0]["id"]], "labels": ["blight" if items[0]["text"][0] == "r" else "rust"],
               "purpose": "second"})  # fmt: skip
    people = page.get("people")
    assert "3 of 4" in people["agreement"]["words"] and len(people["agreement"]["bars"]) == 1
    (differing,) = people["agreement"]["differing"]
    assert differing["example"]["id"] == items[0]["id"] and len(differing["answers"]) == 2
    with Project.open(folder / "maize") as project:
        assert project.get_example(items[0]["id"]).label == items[0]["text"].split()[0]


def test_the_grid_is_ordered_by_likeness_and_by_words(folder: Path) -> None:
    page = Page(make_client(folder))
    page.send({"examples": [1], "labels": ["rust"]})
    order = page.post("order")
    assert len(order["ids"]) == N - 1 and 1 not in order["ids"]
    alike = page.post("order", example=2)["ids"][:10]
    assert sum(number % 2 == 0 for number in alike) >= 8  # Even ids are the blighted ones.
    assert page.post("order", words="leaf 47")["ids"] == [48]


@contextmanager
def run_server(folder: Path, port: int) -> Iterator[None]:
    """Run Studio; at the end it is gone as if it was killed."""
    context = StudioContext(options=StudioOptions(folder=folder), policy=make_policy(None, port))
    server = uvicorn.Server(uvicorn.Config(create_app(context), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)


def press(tab: Browser, keys: str) -> None:
    for key in keys:
        tab.until("!document.getElementById('stage').hidden")
        tab.key(key, ord(key.upper()), key)


@marked_without("browser", CHROMIUM, "Chromium is missing")
def test_no_answer_is_lost_when_the_server_stops_or_the_page_is_loaded_again(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ready = "document.body.dataset.ready === 'true' && !document.getElementById('stage').hidden"
    saved = "document.getElementById('saving').textContent === 'Saved'"
    with browser(folder / "profile") as tab:
        with run_server(folder, port):
            tab.size(360, 740)
            tab.open(f"http://127.0.0.1:{port}/p/maize/label")
            tab.until("!!document.querySelector('#ask[open]')")
            tab.run("document.getElementById('ask-field').value = 'Amina'")
            tab.run("document.querySelector('#ask .button').click()")
            tab.until(ready)
            assert tab.run("document.documentElement.scrollWidth") <= 360
            first = tab.run("document.getElementById('example-name').textContent")
            press(tab, "11n2s0")
            tab.key("Backspace", 8)
            tab.key("Backspace", 8)
            tab.run("document.querySelector('#redo').click()")
            tab.until(saved)
        press(tab, "12")  # Nobody answers: both stay in the browser.
        tab.until("document.getElementById('saving').classList.contains('is-waiting')")
        assert tab.run("Object.keys(localStorage).filter((key) => key.startsWith('headstart-label')).length") == 2
        with run_server(folder, port):
            tab.open(f"http://127.0.0.1:{port}/p/maize/label")
            tab.until(ready)
            tab.until(saved)
            assert tab.run("Object.keys(localStorage).filter((key) => key.startsWith('headstart-label')).length") == 0
    with Project.open(folder / "maize") as project:
        answers = sorted(event.answer for event in project.iterate_events())
        assert answers == ["label"] * 5 + ["not_sure", "skip"]
        assert project.list_examples(order="answered")[0].name != ""
        labelled = {example.name: example.label for example in project.list_examples() if example.answer == "label"}
        assert labelled[first] == "rust" and len(labelled) == 5


def test_a_button_that_asks_for_more_of_a_kind_or_a_group_gets_them_first(folder: Path) -> None:
    with Project.open(folder / "maize") as project:
        more = [NewExample(name=f"south {n}", content_hash=f"s{n:063x}", text=f"south {n}", metadata={"place": "south"})
                for n in range(3)]  # fmt: skip
        south = set(project.add_examples(more))
        chosen = list_focused(project, None, LabelFocus(group="place", value="south"), 5)
        assert {choice.id for choice in chosen} == south and {choice.chosen for choice in chosen} == {"group"}
        assert list_focused(project, None, LabelFocus(kind="rust"), 5) == []
    client = make_client(folder)
    page = client.get("/p/maize/label", params={"group": "place", "value": '"><b>south'}).text
    assert "&#34;&gt;&lt;b&gt;south" in page or ("\\u003c" in page and "<b>south" not in page)
    body = {"who": "Amina", "client": "a" * 16, "n": 3, "focus": {"group": "place", "value": "south"}}
    reply = client.post("/api/p/maize/label/next", json=body)
    assert reply.status_code == 200, reply.text
    assert {item["id"] for item in reply.json()["examples"]} == south
