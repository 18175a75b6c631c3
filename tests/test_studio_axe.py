"""Every page of Studio is clean for axe-core: the rules that screen readers, keyboards and weak eyes depend on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.browser import CHROMIUM, Browser, browser
from tests.needs import skip_without
from tests.test_studio_check import project
from tests.test_studio_check_page import run_server

from headstart.projects import Project

__all__ = ["project"]

ROOT = Path(__file__).parents[1]
PLACE = "/p/village"
READY = "document.readyState === 'complete' && !document.querySelector('.skeleton')?.getClientRects().length"
PAGES: dict[str, tuple[str, ...]] = {
    "/": ("[data-new]",),
    "/bin": (),
    "/settings": (),
    "/p/nowhere/check": (),
    f"{PLACE}/examples": ("#boxes .box-picture",),
    f"{PLACE}/label": ("#new-kind", "#view-many", "#view-cohorts", "#view-people"),
    f"{PLACE}/learn": (),
    f"{PLACE}/check": ("#wall-grid [role=option]",),
    f"{PLACE}/compare": (),
    f"{PLACE}/card": (),
    f"{PLACE}/use": ("#tab-many", "#tab-phones", "#tab-elsewhere", "#tab-later"),
    "/p/empty/examples": (),
    "/p/empty/label": (),
    "/p/empty/learn": (),
    "/p/empty/check": (),
    "/p/empty/use": (),
}
"""By address, what is pressed one after the other; the page is looked at before and after each."""
NAME_FIELD = "document.querySelector('#ask')?.open && document.querySelector('#ask-field')"
CLOSE = "document.querySelectorAll('dialog[open]').forEach((dialog) => dialog.close())"
RUN = """axe.run(document, {resultTypes: ['violations']}).then(({violations}) => JSON.stringify(violations.map(
    ({id, impact, nodes}) => [impact, id, nodes.slice(0, 3).map(({html, any, all}) => html.slice(0, 160) + ' ' +
    ([...any, ...all][0]?.message ?? '').slice(0, 160))])))"""


def find_axe() -> Path | None:
    """Return the script of axe-core: beside the npm packages of exported pages, or in build/npm."""
    folders = [Path(os.environ.get("HEADSTART_RUNTIME_WEB", ".")), ROOT / "build" / "npm" / "node_modules"]
    scripts = (folder / "axe-core" / "axe.min.js" for folder in folders)
    return next((script for script in scripts if script.is_file()), None)


def list_violations(tab: Browser, at: str) -> list[str]:
    """Run axe on the page as it is now."""
    return [f"{at}: {' '.join(map(str, item))}" for item in json.loads(tab.run(RUN))]


def walk(tab: Browser, address: str, path: str) -> list[str]:
    """Look at one page, and at it again after each thing that is pressed."""
    tab.run("window.isOld = true")
    tab.open(f"{address}{path}")
    tab.until(f"!window.isOld && location.pathname === {json.dumps(path)} && {READY}")
    if path.endswith("/label"):
        tab.until(f"!!({NAME_FIELD}) || document.body.dataset.ready === 'true'")
    violations = list_violations(tab, path)
    for selector in PAGES[path]:
        tab.run(CLOSE)
        tab.until(f"!!document.querySelector({json.dumps(selector)})")
        tab.run(f"document.querySelector({json.dumps(selector)}).click()")
        tab.until(READY)
        violations += list_violations(tab, f"{path} {selector}")
    tab.run(CLOSE)
    return violations


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
@pytest.mark.usefixtures("fresh_home")
def test_no_page_breaks_a_rule_of_axe(project: Project, tmp_path: Path, language: str, scheme: str) -> None:
    axe = find_axe()
    skip_without("browser", CHROMIUM, "there is no Chromium on this machine")
    skip_without("axe", axe, "the npm package axe-core is not on this machine")
    assert axe is not None
    Project.create(project.folder.parent / "empty", "Empty").close()
    with run_server(project.folder.parent) as address, browser(tmp_path / "profile") as tab:
        tab.size(1280, 900)
        tab.send("Page.addScriptToEvaluateOnNewDocument", source=axe.read_text("utf-8"))
        tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        tab.open(f"{address}/")
        button = f"document.querySelector('[data-language={language}]')"
        tab.until(f"!!{button} && {READY}")
        violations = list_violations(tab, "the first start")
        tab.run(f"{button}.click()")
        home = f"document.documentElement.lang === '{language}' && !!document.querySelector('[data-new]')"
        tab.until(f"{home} && {READY}")
        violations += [line for path in PAGES for line in walk(tab, address, path)]
    with run_server(project.folder.parent, "a-code-of-some-length") as address, browser(tmp_path / "profile") as tab:
        tab.open(f"{address}/")  # Leads to the page that asks for the code.
        tab.until(f"location.pathname === '/enter' && {READY}")
        tab.run(axe.read_text("utf-8"))
        violations += list_violations(tab, "/enter")
    assert not violations, "\n".join(violations)
