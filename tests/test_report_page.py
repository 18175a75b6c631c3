"""The report as a page: what it links, how heavy it is, what is printed, and that no English is left in a language."""

from __future__ import annotations

import html.parser
import re
from pathlib import Path

import pytest
from tests.browser import CHROMIUM, browser
from tests.needs import marked_without
from tests.test_report import LEAVES, made_result
from tests.test_report_languages import FOREIGN
from tests.test_report_languages import result as result  # noqa: PLC0414 - a fixture

from headstart.report import render_html
from headstart.report.first_page import describe_tested
from headstart.results import NextStep, Readiness, ReadinessReason, Result

SILENT = frozenset({"style", "script", "code", "pre"})
WORD = re.compile(r"(?<![\w/.])[a-z]{2,}(?![\w/.])")


class Texts(html.parser.HTMLParser):
    """The texts that a page shows, without code and without what is marked as English."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.stack: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br", "img"}:
            self.stack.append(tag in SILENT or ("class", "foreign") in attrs)

    def handle_endtag(self, tag: str) -> None:
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(self.stack):
            self.texts.append(" ".join(data.split()))


@pytest.mark.parametrize("code", FOREIGN)
def test_no_english_sentence_is_left_in_another_language(code: str, result: Result) -> None:
    english = {text for text in Texts(render_html(result, {})).texts if len(WORD.findall(text)) >= 3}
    assert len(english) > 60
    assert english & set(Texts(render_html(result, {}, code)).texts) == set()


def test_every_link_within_the_page_leads_somewhere(result: Result) -> None:
    page = render_html(result, {})
    ids = re.findall(r'\sid="([^"]+)"', page)
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(ids) == len(set(ids)) and len(links) > 10 and set(links) <= set(ids)
    assert not re.search(r'(?:href|src)="(?!#|data:image/)', page)


def test_page_one_has_no_cut_sentence(result: Result) -> None:
    for shown in (result, made_result(n_test=0), made_result(modality="series")):
        assert "…" not in render_html(shown, {}).split('id="contents"')[0]


@marked_without("browser", CHROMIUM, "Chromium is missing")
def test_folded_parts_open_by_their_links_and_are_printed_open(result: Result, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render_html(result, {}), encoding="utf-8")
    with browser(tmp_path / "profile") as tab:
        tab.size(360, 740)
        tab.open((tmp_path / "report.html").as_uri())
        tab.until("document.readyState === 'complete'")
        assert tab.run("document.documentElement.scrollWidth") == 360
        assert tab.run("document.documentElement.scrollHeight") < 6 * 740
        assert tab.run("[...document.querySelectorAll('details.fold')].every(each => !each.open)")
        tab.run("location.hash = '#strategies'")
        assert tab.until("document.getElementById('strategies').closest('details').open")
        assert tab.run("document.documentElement.scrollWidth") == 360
        tab.send("Emulation.setEmulatedMedia", media="print")
        hidden = "[...document.querySelectorAll('.inside')].filter(each => !each.getBoundingClientRect().height).length"
        assert tab.run(hidden) == 0
        assert tab.run("document.querySelector('.card').getBoundingClientRect().height") > 300


def test_the_field_card_names_its_kinds_and_when_to_ask(result: Result) -> None:
    card = render_html(result, {}).split('<section class="card"')[1].split("</section>")[0]
    assert all(f">{name}</bdi>" in card for name in LEAVES)
    assert "Ask a person" in card and "Checked by" in card and result.created[:10] in card


def test_what_it_was_tested_on_is_not_called_unseen_where_copies_of_it_were_learnt() -> None:
    stored = Path(__file__).parent / "data" / "home-0.3.0" / "run" / "result.json"
    result = Result.model_validate_json(stored.read_text(encoding="utf-8"))
    copies = ReadinessReason(code="test_copies", level="not_ready", n_rows=3)
    contaminated = Readiness(level="not_ready", reasons=[copies], next=NextStep(code="remove_copies"))
    assert "it had never seen" in describe_tested(result, "messages")
    marked = result.model_copy(update={"readiness": contaminated})
    assert describe_tested(marked, "messages") == "Tested on 15 messages; it learnt from 45 others."
