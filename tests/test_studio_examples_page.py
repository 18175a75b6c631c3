"""The page Examples in a real browser: files become a look with menus; a wall of many examples goes by keys."""

from __future__ import annotations

from pathlib import Path

from tests.browser import CHROMIUM, browser
from tests.needs import marked_without
from tests.test_studio_check_page import run_server

from headstart.data.reading.content import hash_text
from headstart.projects import NewExample, Project

N_MANY = 1_500
FOCUS = "document.getElementById('all-wall').getAttribute('aria-activedescendant').split('-').pop()"
MENUS = "[...document.querySelectorAll('.sentences select')].map(menu => menu.value).join()"
N_SELECTED = "document.querySelectorAll('#all-wall [aria-selected=true]').length"


def make_project(folder: Path) -> Project:
    project = Project.create(folder / "projects" / "hotline", "Hotline")
    project.set_setting("modality", "text")
    texts = [f"message {number} about the well" for number in range(N_MANY)]
    new = [NewExample(name=text, content_hash=hash_text(text), text=text, label="water") for text in texts]
    project.add_examples(new)
    return project


def write_table(folder: Path) -> Path:
    rows = [f"the well {n} is dry again,{('water', 'roads')[n % 2]},{'NS'[n // 4 % 2]}" for n in range(24)]
    path = folder / "survey.csv"
    path.write_text("\n".join(["message,topic,place", *rows]), encoding="utf-8")
    return path


@marked_without("browser", CHROMIUM, "there is no Chromium on this machine")
def test_a_wall_goes_by_keys_and_a_table_is_corrected_by_menus(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    with run_server(project.folder.parent) as address, browser(tmp_path / "profile") as tab:
        tab.size(360, 800)
        tab.open(f"{address}/p/hotline/examples")
        tab.until("!!document.querySelector('#overview:not([hidden]) .box-actions .push')")
        assert tab.run("document.documentElement.scrollWidth") <= 360
        tab.run("document.querySelector('.box-actions .push').click()")
        tab.until("document.querySelectorAll('.wall-tile:not(.wall-waiting)').length > 3")
        assert tab.run("document.querySelector('.wall-tile').getAttribute('aria-setsize')") == str(N_MANY)
        tab.run("document.getElementById('all-wall').focus()")
        tab.key(" ", 32, " ")
        tab.key("ArrowDown", 40)
        tab.key(" ", 32, " ")
        assert tab.run(N_SELECTED) == 2
        tab.key("End", 35)
        tab.until("!document.querySelector('.wall-waiting')")
        assert tab.run(FOCUS) == str(N_MANY - 1)
        assert tab.run("document.querySelectorAll('.wall-tile').length") < 60
        tab.key("Home", 36)
        tab.run("document.getElementById('all-out').click()")
        tab.until("!document.getElementById('left-out-words').hidden")
        assert project.count_labels().n_left_out == 2
        tab.run("document.getElementById('all-close').click()")
        tab.files("#files", write_table(tmp_path))
        tab.until("document.querySelectorAll('#look:not([hidden]) .sentences select').length === 2")
        assert (
            tab.run("[...document.querySelectorAll('.sentences select')].map(menu => menu.value).join()")
            == "message,topic"
        )
        assert tab.run("document.querySelector('.header-row .is-label').textContent") == "topic"
        tab.run("const menu = document.querySelectorAll('.sentences select')[1]; menu.value = 'place';"
                "menu.dispatchEvent(new Event('change'))")  # fmt: skip
        tab.until("document.querySelector('.header-row .is-label')?.textContent === 'place'")
        tab.run("document.getElementById('throw-away').click()")
        tab.until("!document.getElementById('overview').hidden")
        assert tab.troubles() == []
