"""The page Check in a real browser: slider, filters of the wall, a cell of the table, a correction and its undo."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from tests.browser import CHROMIUM, browser
from tests.needs import marked_without
from tests.test_studio_check import project, read_result

from headstart.flow.review.corrections import list_corrections
from headstart.options import StudioOptions
from headstart.projects import Project
from headstart.studio.app import create_app
from headstart.studio.context import StudioContext
from headstart.studio.server import make_policy

__all__ = ["project"]


@contextmanager
def run_server(folder: Path, token: str | None = None) -> Iterator[str]:
    """Run Studio on a free port and give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = StudioContext(options=StudioOptions(folder=folder), policy=make_policy(token, port))
    server = uvicorn.Server(uvicorn.Config(create_app(context), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(20)


@marked_without("browser", CHROMIUM, "there is no Chromium on this machine")
def test_slider_wall_table_and_corrections_in_a_browser(project: Project, tmp_path: Path) -> None:
    result = read_result(project)
    assert result.confusion is not None
    n_cell = result.confusion.matrix[0][0]
    n_tiles = "document.querySelectorAll('#wall-grid [role=option] .tested').length"
    with run_server(project.folder.parent) as address, browser(tmp_path / "profile") as tab:
        tab.size(360, 800)
        tab.open(f"{address}/p/village/check")
        tab.until(f"{n_tiles} > 0")
        assert tab.run("document.documentElement.scrollWidth") <= 360
        before = tab.run("document.getElementById('care-sentence').textContent")
        assert tab.run("document.querySelectorAll('.person').length") == result.n_rows.test
        tab.run("document.getElementById('care-level').value = 0")
        tab.run("document.getElementById('care-level').dispatchEvent(new Event('input'))")
        after = tab.run("document.getElementById('care-sentence').textContent")
        assert after != before and tab.run("!document.getElementById('care-use').disabled")
        assert tab.run("document.querySelectorAll('.person.left').length") == 0
        tab.run("document.querySelector('.mixed .hit a').click()")
        tab.until(f"{n_tiles} === {n_cell}")
        values = json.loads(
            tab.run("JSON.stringify([...document.querySelectorAll('#filters select')].map(s => s.value))")
        )
        assert values[1:3] == [result.classes[0], result.classes[0]]
        click = "document.querySelector('#wall-grid [role=option]').click()"  # Nothing opens while a tile loads.
        tab.until(f"({click}, !!document.querySelector('#detail[open] form'))", 90)
        tab.run("document.querySelector('#detail select').value = document.querySelector('#kind-choices').content."
                "lastElementChild.textContent")  # fmt: skip
        tab.run("document.querySelector('#detail form').requestSubmit()")
        tab.until("document.querySelectorAll('#correction-list li').length === 1")
        changed = [example for example in project.iterate_examples() if example.label_origin == "person"]
        assert len(changed) == 1 and (changed[0].split, changed[0].chosen) == ("test", "check-test")
        tab.run("document.querySelector('#correction-list button').click()")
        tab.until("document.querySelectorAll('#correction-list li').length === 0")
        assert not list_corrections(project)
        assert tab.troubles() == []
