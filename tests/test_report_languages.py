"""Report and model card in every language: no sentence is missing, numbers are right, Arabic runs from the right."""

from __future__ import annotations

import gettext
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from babel.messages import Catalog
from PIL import Image
from tests.test_report import LEAVES, Outline, made_result, simulated
from typer.testing import CliRunner

from headstart.cli.main import app
from headstart.errors import DataError
from headstart.evaluation.fairness.groups import score_groups
from headstart.evaluation.uncertainty.calibration import measure_calibration
from headstart.flow import reporting
from headstart.flow.adaptation.text_scripts import count_scripts
from headstart.modalities import MODALITIES
from headstart.modalities.preview_records import ImagePreview
from headstart.options import ReportOptions
from headstart.progress import Plan
from headstart.records import Table, make_column
from headstart.report import (
    choose_language,
    draw_preview,
    list_limits,
    render_card,
    render_html,
    sentences,
    write_sentence,
)
from headstart.report.group_names import name_group, name_value
from headstart.report.live_progress import Terminal
from headstart.report.messages import LANGUAGES, load_catalogue, translate_count, translate_stored, use_language
from headstart.report.named import ADVICE
from headstart.report.property_names import name_property
from headstart.results import Figure, FindingRow, MitigatedCell, MitigatedFigures, Mitigation, Result
from headstart.strategies import STRATEGIES

ROOM = Path(__file__).parents[1] / "src" / "headstart" / "report"
FOREIGN = [code for code in LANGUAGES if code != "en"]
_spec = importlib.util.spec_from_file_location("catalogs", ROOM.parents[2] / "tools" / "messages.py")
assert _spec is not None and _spec.loader is not None
catalogs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(catalogs)
PLACE = re.compile(r"\{(\w*)\}")


def translations(code: str) -> Catalog:
    return catalogs.read_catalog(ROOM / "locale" / code / "LC_MESSAGES" / "headstart.po")


@pytest.fixture(scope="module")
def result() -> Result:
    """A result with groups, calibration and findings."""
    made = made_result()
    codes = np.sort(np.random.default_rng(1).choice(4, 357, p=np.linspace(3, 1, 4) / 8))
    said = simulated(codes, LEAVES, 0.83, 4)
    sites = make_column(np.where(said.class_indices == codes, "valley", "hill").tolist())
    found = score_groups(
        codes, said, {"site": sites, "clinic": make_column(["north"] * len(codes))}, clusters=None, seed=0
    )
    return made.model_copy(
        update={
            "group_columns": ["site", "clinic"],
            "groups": found,
            "calibration": measure_calibration(codes, said, None, 0),
            "scripts": {"Latin": 300, "Arabic": 2},
        }
    )


def bare(page: str) -> str:
    return page.replace("\u202f", " ").replace("\u2066", "").replace("\u2069", "")


@pytest.mark.parametrize("code", FOREIGN)
def test_every_message_is_translated_and_compiled_and_no_other(code: str) -> None:
    messages = catalogs.extract_messages()
    assert len(messages) > 400 and sum(isinstance(item.id, tuple) for item in messages) >= 4
    assert catalogs.list_faults(ROOM / "locale" / code / "LC_MESSAGES" / "headstart.po", messages) == []


def test_every_language_that_can_be_chosen_has_a_catalog() -> None:
    assert sorted(FOREIGN) == sorted(path.name for path in (ROOM / "locale").iterdir())


@pytest.mark.parametrize("path", sorted((ROOM / "templates").glob("*.html")), ids=lambda path: path.name)
def test_no_template_of_the_report_holds_text_of_its_own(path: Path) -> None:
    if path.name == "explained.html":
        pytest.skip("a page of another command, in English only")
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", " ", text)
    shown = " ".join(re.findall(r"[A-Za-z][\w-]+", text.split("</style>")[-1]))
    names = "LogME H-score NN MB headstart predict bundle predictions csv label-next UNLABELLED to_label"
    assert set(shown.split()) <= set(names.split()), shown


@pytest.mark.parametrize("code", FOREIGN)
def test_places_and_forms_match_and_no_translation_breaks_the_page(code: str) -> None:
    catalog = translations(code)
    counts: dict[int, list[int]] = {}  # Which numbers each plural form is used for.
    for n in (*range(1_001), 1_000_000):
        counts.setdefault(gettext.c2py(catalog.plural_expr)(n), []).append(n)
    assert set(counts) == set(range(catalog.num_plurals))
    for message in catalog:
        if not message.id:
            continue
        english, is_plural = (message.id[1], True) if isinstance(message.id, tuple) else (message.id, False)
        forms = message.string if is_plural else (message.string,)
        assert len(forms) == (catalog.num_plurals if is_plural else 1), english
        for form, text in enumerate(forms):
            places, expected = sorted(PLACE.findall(text)), sorted(PLACE.findall(english))
            is_named = is_plural and len(counts[form]) <= 2 and max(counts[form]) <= 2
            assert text.strip() and (
                places == expected or (is_named and places == [name for name in expected if name != "n"])
            ), (english, text)
            assert not set('"<>&') & set(text), text
            assert text != english or len(english) < 30 or english.startswith("{"), text


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_page_and_card_are_whole_in_every_language(code: str, result: Result) -> None:
    for shown in (result, made_result(n_test=0), made_result(("a", "b"), modality="text")):
        page, card = render_html(shown, {}, code), render_card(shown, code)
        assert Outline(page).stack == []
        assert f'<html lang="{code}" dir="{LANGUAGES[code].direction}">' in page
        assert len(page.encode()) < 2_000_000
        assert not re.search(r"<script|https?://|\{\w+\}", page)
        assert yaml.safe_load(card.split("---\n")[1])["license"] == "unknown"


@pytest.mark.parametrize("code", FOREIGN)
def test_the_field_card_holds_no_english_sentence(code: str, result: Result) -> None:
    card = render_html(result, {}, code).split('<section class="card"')[1].split('id="contents"')[0]
    assert 'lang="en"' not in card
    for word in (" the ", " were ", " rows"):
        assert word not in card, word


def test_the_arabic_page_runs_from_right_to_left_and_figures_do_not(result: Result) -> None:
    page = render_html(result, {}, "ar")
    assert 'dir="rtl"' in page and "svg { direction: ltr; }" in page
    assert '<pre dir="ltr">' in page
    css = (ROOM / "templates" / "report.css").read_text("utf-8")
    assert not re.search(
        r"(margin|padding|border|inset)-(left|right)|text-align:\s*(left|right)|[ ;{](left|right):", css
    )
    accuracy = result.strategy("blend").test.accuracy
    assert f"\u2066\u2066{100 * accuracy.value:.0f}\u2069\u202f%\u2069" in page


def test_numbers_follow_the_language(result: Result) -> None:
    f1 = result.strategy("blend").test.macro_f1.value
    assert f"{100 * f1:.1f} %".replace(".", ",") in bare(render_html(result, {}, "fr"))
    assert f"{100 * f1:.1f} %" in bare(render_html(result, {}, "sw"))
    with use_language("fr"):
        assert bare(translate_count("{n} row", "{n} rows", 1234)) == "1 234 exemples"
        assert translate_count("{n} row", "{n} rows", 0) == "0 exemple"
    with use_language("ar"):
        assert [bare(translate_count("{n} row", "{n} rows", n)) for n in (1, 2, 5, 11, 100)] == [
            "مثال واحد", "مثالان", "5 أمثلة", "11 مثالًا", "100 مثال",
        ]  # fmt: skip


def test_english_left_in_another_language_is_marked(result: Result) -> None:
    page = render_html(result, {}, "sw")
    assert f'<span class="foreign" lang="en" dir="ltr">{result.skipped[0].reason}' in page
    assert result.checks[0].summary not in page
    assert "Mifano ya majaribio iliyopo pia katika ya kujifunza (mifano 7)" in page
    assert '<span class="foreign"' not in render_html(result, {})


def test_the_limits_name_the_only_site_the_scripts_and_the_grave_findings(result: Result) -> None:
    told = " ".join(list_limits(result))
    assert "(clinic: north)" in told
    assert "Latin (300), Arabic (2)" in told


def test_a_flood_of_findings_leaves_page_one_and_the_field_card_short(result: Result) -> None:
    grave = FindingRow(
        kind="corrupt", severity="warn", n_rows=9, rows=["a"], summary="s" * 900, measure=None, advice="t" * 900
    )
    flood = render_html(result.model_copy(update={"checks": [grave] * 40}), {})
    first, rest = flood.split('id="contents"')
    assert first == render_html(result, {}).split('id="contents"')[0]
    assert "s" * 400 in rest


def test_auto_takes_the_language_of_the_system_if_it_is_one_of_ours() -> None:
    assert choose_language("auto", {"LANG": "en_US.UTF-8", "LC_ALL": "ar_EG.UTF-8"}) == "ar"
    assert choose_language("auto", {"LANG": "es_MX"}) == "es"
    assert choose_language("auto", {"LANG": "C.UTF-8"}) == choose_language("auto", {}) == "en"
    assert choose_language("fr", {"LANG": "sw_KE"}) == "fr"


def finished(result: Result, folder: Path) -> Path:
    folder.mkdir()
    (folder / "result.json").write_text(result.model_dump_json(), encoding="utf-8")
    return folder


def test_a_run_is_reported_again_in_another_language_with_its_pictures(result: Result, tmp_path: Path) -> None:
    run = finished(result, tmp_path / "run")
    reporting.write_previews({result.worst[0].id: ImagePreview(jpeg="AAAA", width=9, height=9)}, run)
    made = CliRunner().invoke(app, ["report", str(run), "--language", "fr", "--json"])
    assert made.exit_code == 0, made.output
    page = (run / "report.html").read_text("utf-8")
    assert '<html lang="fr"' in page and "image/jpeg;base64,AAAA" in page
    assert "## Usage prévu" in (run / "README.md").read_text("utf-8")
    document = reporting.rewrite_report(run / "result.json", tmp_path / "sw", ReportOptions(language="sw"))
    assert document["language"] == "sw" and '<html lang="sw"' in (tmp_path / "sw" / "report.html").read_text("utf-8")
    assert '<html lang="fr"' in (run / "report.html").read_text("utf-8")


def test_a_result_of_an_older_version_is_reported(result: Result, tmp_path: Path) -> None:
    document = json.loads(result.model_dump_json())
    newer = {"scripts", "ranking", "abstention", "conformal", "inherited", "slices", "mitigation", "label_errors",
             "honest_score", "learning_curve", "not_measured", "fit", "task"}  # fmt: skip
    old = {name: value for name, value in document.items() if name not in newer}
    for item in old["strategies"]:
        del item["forecast_seconds"], item["forecast_memory_bytes"], item["cross_validation_log_loss"]
    (tmp_path / "result.json").write_text(json.dumps(old), encoding="utf-8")
    for code in LANGUAGES:
        reporting.rewrite_report(tmp_path, None, ReportOptions(language=code))
        assert f'lang="{code}"' in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "There is no result.json"),
        ("{", "is not JSON (line 1"),
        ("[]", "is not the result of `adapt`"),
        ('{"format": 99}', "newer version (format 99)"),
        ('{"format": 1}', "in all)"),
        ("[" * 100_000, "nested without end"),
    ],
)
def test_what_is_no_result_is_named(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "result.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        reporting.rewrite_report(tmp_path, None, ReportOptions())
    assert said in caught.value.problem
    assert CliRunner().invoke(app, ["report", str(tmp_path)]).exit_code == 2


def test_damaged_pictures_do_not_stop_a_report(result: Result, tmp_path: Path) -> None:
    run = finished(result, tmp_path / "run")
    for text in ("{", "[1]", '{"previews": {"a": 3}}', "[" * 100_000):
        (run / "previews.json").write_text(text, encoding="utf-8")
        reporting.rewrite_report(run, None, ReportOptions(language="en"))
    assert (run / "report.html").exists()


@pytest.mark.parametrize(
    "own",
    [
        '<img src="data:image/jpeg;base64,AA" alt="a &#x27;b&#x27; &lt;i&gt;.png" width="9" height="9">',
        '<span dir="auto">1 &lt; 2 &amp; &lt;b&gt;bold&lt;/b&gt;</span>',
        '<svg viewBox="0 0 160 60" width="160" height="60" role="img"><title>1 channel, 4 steps</title><polyline '
        'points="1.0,2.0 3.0,-4.0" fill="none" stroke="#1f5fa8" stroke-width="1.2" stroke-linecap="round"/></svg>',
    ],
)
def test_previews_of_an_older_file_are_shown_only_in_the_form_that_was_written(
    own: str, result: Result, tmp_path: Path
) -> None:
    changed = own.replace(">", " a>", 1)
    hostile = ("<meta http-equiv=refresh content=0>", f"{own}<form action=x><input></form>", "<title>mine", changed)
    previews = dict(zip([row.id for row in result.worst], (own, *hostile), strict=False))
    run = finished(result, tmp_path / "run")
    (run / "previews.json").write_text(json.dumps({"previews": previews}), encoding="utf-8")
    reporting.rewrite_report(run, None, ReportOptions(language="en"))
    page = (run / "report.html").read_text("utf-8")
    assert own in page and not any(text in page for text in hostile)
    assert page.count("<meta http-equiv") == 1 and "<form" not in page


@pytest.mark.parametrize("modality", ["image", "text", "series"])
def test_previews_of_a_file_are_values_and_never_html(modality: str, result: Result, tmp_path: Path) -> None:
    Image.new("RGB", (8, 5)).save(tmp_path / "a 'b' <i>.png")
    series = np.array([[1.0, np.nan, -2.5, 4.0], [0.0, 0.0, 0.0, 1e-9]], dtype=np.float32)
    sources = {"image": tmp_path / "a 'b' <i>.png", "text": "1 < 2 & <b>bold</b>", "series": series}
    own = MODALITIES[modality].preview(sources[modality], 10_000)
    assert own is not None
    ids, values = [row.id for row in result.worst], own.model_dump(mode="json")
    hostile = ({**values, "html": "<form>"}, {"jpeg": 'AA"><form>', "width": 1, "height": 1}, {"text": "<form>"})
    run = finished(result, tmp_path / "run")
    document = {"format": 2, "previews": dict(zip(ids, (values, *hostile), strict=False))}
    (run / "previews.json").write_text(json.dumps(document), encoding="utf-8")
    reporting.rewrite_report(run, None, ReportOptions(language="en"))
    page = (run / "report.html").read_text("utf-8")
    assert str(draw_preview(own, ids[0])) in page and page.count("<form") == 0 and "&lt;form&gt;" in page


def test_scripts_are_counted_by_the_letters_of_each_text() -> None:
    texts = ["habari ya leo", "ሰላም abc ለዓለም ሁሉ", "123 !?", "صباح الخير", "jambo"]
    table = Table(
        modality="text",
        ids=make_column(list("abcde")),
        inputs=make_column(texts),
        hashes=make_column(texts),
        labels=None,
        splits=make_column(["train"] * 5),
    )
    assert count_scripts(table) == {"Latin": 2, "Ethiopic": 1, "Arabic": 1}


@pytest.mark.parametrize("code", FOREIGN)
def test_every_strategy_is_described_in_every_language(code: str) -> None:
    with use_language(code):
        for strategy in STRATEGIES.values():
            assert translate_stored(strategy.summary) != strategy.summary
            assert "lang=" not in sentences.mark_english(strategy.summary)


@pytest.mark.parametrize("code", FOREIGN)
def test_what_to_do_is_said_in_the_language_of_the_page(code: str) -> None:
    item = FindingRow(
        kind="duplicates", severity="note", n_rows=2, rows=["a", "b"], summary="2 rows are copies.", measure=None,
        advice="Copies are kept on one side of every split.",
    )  # fmt: skip
    with use_language(code):
        assert sentences.write_advice(item) == load_catalogue(code).gettext(ADVICE["duplicates"]) != item.advice
        assert sentences.write_advice(item.model_copy(update={"kind": "task"})) == ""


def test_a_mitigation_is_told_with_its_figures_in_every_language() -> None:
    half, most = Figure(value=0.5, low=0.4, high=0.6), Figure(value=0.75, low=0.7, high=0.8)
    figures = MitigatedFigures(
        n_rows=400, worst_before=half, worst_after=most, worst_gain=half, mean_before=most, mean_after=half,
        mean_gain=half, cells=[MitigatedCell(label="a", group="b", n_rows=9, before=half, after=most)],
    )  # fmt: skip
    found = Mitigation(
        way="group-balance", columns=["site"], before="blend", after="balanced-probe", out_of_fold=figures,
        test=figures, kept=False, mean_may_lose=0.1, n_rows_needed=5, reading="English",
    )  # fmt: skip
    for code in FOREIGN:
        with use_language(code):
            said = write_sentence(found)
        assert said.count("75") == 4 and "blend" in said and "English" not in said


def test_languages_and_properties_are_named_in_the_language_of_the_page() -> None:
    assert (name_value("language", "sw"), name_value("site", "sw"), name_property("words")) == (
        "Swahili", "sw", "number of words",
    )  # fmt: skip
    with use_language("fr"):
        assert name_group("language", "Swahili") == name_value("lang", "sw-KE") == "swahili"
        assert (name_group("site", "English"), name_value("language", "Walloon")) == ("site English", "Walloon")
        assert name_property("border 2") == "couleur au bord (2)"


def test_lines_of_a_run_are_said_in_the_language_of_its_plan(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(quiet=False)
    terminal.plan = Plan([], 1.0, language="es")
    terminal.say("Kind: texts. 300 texts.")
    terminal.say("a line without a translation")
    assert capsys.readouterr().err.splitlines() == ["Tipo: textos. Cantidad: 300.", "a line without a translation"]
