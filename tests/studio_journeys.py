"""Journeys through Studio as a person makes them: a server of its own, a browser, files, keys and buttons."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.browser import Browser, browser

from headstart.projects import Project

ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/")
NAME = "document.querySelector('#example-name').textContent"
ALL_ARRIVED = "Object.keys(localStorage).every((key) => !key.startsWith('headstart-label:'))"
"""No answer waits in the browser."""
BUTTONS = "[...document.querySelectorAll('.kind-buttons [data-kind]')].map((button) => button.dataset.kind)"


@dataclass
class StudioProcess:
    """Studio as a person starts it."""

    process: subprocess.Popen[str]
    address: str

    def cut_power(self) -> None:
        """Kill the server and all that it has started, each at once, as a power cut does."""
        for number in [self.process.pid, *list_descendants(self.process.pid)]:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.process.wait()


def list_descendants(parent: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = place.read_text("utf-8").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(place.parent.name))
    descendants, waiting = [], [parent]
    while waiting:
        waiting.extend(children.get(waiting.pop(), []))
        descendants = [*descendants, *waiting]
    return sorted(set(descendants))


def start_studio(folder: Path, *words: str, prefix: tuple[str, ...] = (), port: str = "0") -> StudioProcess:
    """Start Studio, on a free port unless it says which, and wait until it is open."""
    command = [*prefix, sys.executable, "-m", "headstart", "studio", "--folder", str(folder), "--port", port,
               "--no-browser", "--offline", *words]  # fmt: skip
    with (folder.parent / "studio.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, stderr=log, stdout=subprocess.DEVNULL, text=True)
    stop = time.monotonic() + 120
    while not (match := ADDRESS.search((folder.parent / "studio.log").read_text("utf-8"))):
        assert process.poll() is None and time.monotonic() < stop, (folder.parent / "studio.log").read_text("utf-8")
        time.sleep(0.05)
    return StudioProcess(process, match[1])


@dataclass
class Journey:
    """One project on its way through the steps, in one tab."""

    tab: Browser
    studio: StudioProcess
    folder: Path

    @property
    def project(self) -> str:
        """Return its id."""
        return self.folder.name

    def restart(self) -> None:
        """Start Studio again at the same address, as the browser still has it open."""
        self.studio = start_studio(self.folder.parent, port=self.studio.address.rpartition(":")[2])

    def open(self, step: str) -> None:
        """Open the page of a step and wait until it is there."""
        self.tab.open(f"{self.studio.address}/p/{self.project}/{step}")
        self.tab.until(f"location.pathname.endsWith('/{step}') && document.readyState === 'complete'")

    def click(self, selector: str) -> None:
        """Press a button once it is there."""
        self.tab.until(f"!!document.querySelector({json.dumps(selector)})")
        self.tab.run(f"document.querySelector({json.dumps(selector)}).click()")

    def is_visible(self, selector: str) -> str:
        """Return the expression for whether something can be seen."""
        return f"!!document.querySelector({json.dumps(selector)})?.getClientRects().length"

    def answer_dialog(self, text: str) -> None:
        """Write into the small dialog of the Label screen."""
        self.tab.until("document.querySelector('#ask').open")
        self.tab.run(f"document.querySelector('#ask-field').value = {json.dumps(text)}")
        self.tab.run("document.querySelector('#ask button[value=ok]').click()")
        self.tab.until("!document.querySelector('#ask').open")

    def add(self, *files: Path, seconds: float = 300) -> str:
        """Give files to the Examples screen, take what was understood, and return its summary."""
        self.open("examples")
        self.tab.until(self.is_visible("#intake"))
        self.tab.files("#files", *files)
        self.tab.until(self.is_visible("#use-these"), seconds)
        self.tab.run("document.querySelector('#use-these').click()")
        self.tab.until(self.is_visible("#overview"), seconds)
        return str(self.tab.run("document.querySelector('#overview-summary').textContent"))

    def begin_labelling(self, kinds: list[str], who: str = "Amina") -> None:
        """Open the Label screen, give a name where it is asked for, and make the kinds."""
        self.open("label")
        self.tab.until("document.querySelector('#ask').open || document.body.dataset.ready === 'true'")
        if self.tab.run("document.querySelector('#ask').open"):
            self.answer_dialog(who)
        self.tab.until("document.body.dataset.ready === 'true'")
        for kind in kinds:
            if kind in self.list_kinds():
                continue
            self.click("#new-kind")
            self.answer_dialog(kind)
            stop = time.monotonic() + 30
            while kind not in self.list_kinds():
                assert time.monotonic() < stop, f"the kind {kind} did not come"

    def list_kinds(self) -> list[str]:
        """Return the kinds that the server knows, in their order on the page."""
        state = f"fetch('/api/p/{self.project}/label/state').then((reply) => reply.json())"
        return [str(kind["name"]) for kind in self.tab.run(state)["kinds"]]

    def press_kind(self, kind: str) -> None:
        """Choose a kind by its key."""
        for turn in ("PageUp", "PageDown", "PageDown", "PageDown"):
            kinds = self.tab.run(BUTTONS)
            if kind in kinds:
                break
            self.tab.key(turn, 33 if turn == "PageUp" else 34)
        digit = str(kinds.index(kind) + 1)
        self.tab.key(digit, ord(digit), digit)

    def label(self, n: int, truth: Mapping[str, str], pause: float = 0.0) -> list[str]:
        """Answer n examples as fast as the page shows them; return their names in order."""
        names: list[str] = []
        for _ in range(n):
            last = json.dumps(names[-1] if names else "")
            visible = f"!document.querySelector('#stage').hidden && {NAME} !== {last} && {NAME}"
            names.append(str(self.tab.until(visible, 120)))
            time.sleep(pause)
            self.press_kind(truth[names[-1]])
        self.tab.until(ALL_ARRIVED, 60)
        return names

    def learn(self, seconds: float = 900, **options: str) -> tuple[float, str]:
        """Press Learn; return the seconds to the first figure and what stands at the end."""
        self.open("learn")
        start = time.monotonic()
        if options:
            self.send_options(options)
        else:
            self.click("#learn")
        self.tab.until("document.querySelector('#figure-value').textContent.trim().length > 1", seconds)
        first = time.monotonic() - start
        self.tab.until(self.is_visible("#end"), seconds)
        return first, str(self.tab.run("document.querySelector('#during').innerText"))

    def learn_in_background(self, strategy: str) -> None:
        """Press Learn and do not wait."""
        self.open("learn")
        self.send_options({"strategy": strategy})

    def send_options(self, options: Mapping[str, str]) -> None:
        """Learn with the options for experts."""
        for name, value in options.items():
            self.tab.run(f"document.querySelector('#options').elements.{name}.value = {json.dumps(value)}")
        self.tab.run("document.querySelector('#options').requestSubmit()")

    def read_events(self) -> list[tuple[str, str | None]]:
        """Return the names and labels of what people answered, in order."""
        with Project.open(self.folder) as project:
            events = list(project.iterate_events(origin="person"))
            return [(project.get_example(event.example).name, event.label) for event in events if not event.undone]


@contextmanager
def begin_journey(root: Path, name: str, *words: str, prefix: tuple[str, ...] = ()) -> Iterator[Journey]:
    """Start Studio and a browser with one empty project."""
    folder = root / "projects" / name
    if not folder.exists():
        Project.create(folder, name).close()
    studio = start_studio(folder.parent, *words, prefix=prefix)
    with browser(root / "profile") as tab:
        journey = Journey(tab, studio, folder)
        try:
            tab.size(1280, 900)
            yield journey
        finally:
            journey.studio.cut_power()
