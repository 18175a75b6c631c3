"""The report and the model card: what they say, how heavy they are, and that hostile names cannot break them."""

from __future__ import annotations

import html.parser
import json
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from headstart.evaluation import NamedPredictions, assess_transfer, confusion_matrix, score_classes, worst_class_rows
from headstart.evaluation.fairness.groups import score_groups
from headstart.evaluation.uncertainty.calibration import measure_calibration
from headstart.records import Predictions, make_column
from headstart.report import list_limits, render_card, render_card_plot, render_html, write_sentence
from headstart.report.previews import BUDGET_BYTES, PreviewBudget
from headstart.report.words import round_outwards
from headstart.results import (
    BaseFigures,
    Confusion,
    FindingRow,
    Result,
    RowCounts,
    SetAsideRow,
    SkippedStrategy,
    StrategyResult,
    Verdict,
)

LEAVES = ("healthy", "rust", "leaf blight", "grey spot")
SUMMARIES = {
    "majority": ("baseline", "Always answers with the most frequent class.", 0.0),
    "classic": ("scratch", "Colour and gradient histograms with logistic regression.", 0.62),
    "scratch": ("scratch", "The base's own architecture, trained from random weights.", 0.45),
    "linear-probe": ("transfer", "Logistic regression on the frozen base's features.", 0.8),
    "blend": ("transfer", "Average of linear-probe and classic.", 0.83),
}


def simulated(codes: np.ndarray, classes: tuple[str, ...], skill: float, seed: int) -> Predictions:
    rng = np.random.default_rng(seed)
    told = rng.random((len(codes), len(classes))) ** 3
    told[np.arange(len(codes)), codes] += 2.0 * (rng.random(len(codes)) < skill)
    told[:, 0] += 0.001 + 5.0 * (skill == 0)
    ids = make_column([f"{classes[code]}/img_{at:04d}.jpg" for at, code in enumerate(codes)])
    return Predictions(ids=ids, classes=classes, probabilities=told / told.sum(axis=1, keepdims=True))


def counted(test: dict[str, int]) -> dict[str, dict[str, int]]:
    return {name: {"train": 80, "test": n} for name, n in test.items()}


def made_result(classes: tuple[str, ...] = LEAVES, n_test: int = 357, modality: str = "image") -> Result:
    rng = np.random.default_rng(1)
    codes = np.sort(rng.choice(len(classes), n_test, p=np.linspace(3, 1, len(classes)) / (2 * len(classes))))
    made = {name: simulated(codes, classes, skill, at) for at, (name, (_, _, skill)) in enumerate(SUMMARIES.items())}
    strategies = [
        StrategyResult(
            name=name,
            kind=kind,
            summary=summary,
            test=score_classes(codes, made[name], None, 0) if n_test else None,
            cross_validation=skill or 0.2,
            seconds=1.5 + at * 20,
            notes=["C = 0.01"] if kind == "transfer" else [],
        )
        for at, (name, (kind, summary, skill)) in enumerate(SUMMARIES.items())
    ]
    counts = np.bincount(codes, minlength=len(classes))
    return Result(
        modality=modality,
        data="/home/amina/maize_leaves",
        classes=list(classes),
        n_rows=RowCounts(train=80 * len(classes), test=n_test, set_aside=3),
        class_counts=counted(dict(zip(classes, counts.tolist(), strict=True))),
        split="A fifth of the rows, drawn at random within each class (seed 0); exact copies stay on one side.",
        base=BaseFigures(
            name="efficientnet-lite0",
            modality=modality,
            licence="Apache-2.0",
            pretrained=True,
            training_data="ImageNet-1k: 1.28 million photos from the web in 1,000 classes.",
            known_biases="Photos mostly from North America and Europe; few crops, clinics or farms elsewhere.",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
            n_dims=1280,
            fingerprint="f0",
            runtime="openvino-f32",
        ),
        chosen="blend",
        strategies=strategies,
        skipped=[SkippedStrategy(name="fine-tune", reason="would have taken 14 min of the 10 min given")],
        verdict=assess_transfer(
            codes,
            NamedPredictions("blend", made["blend"]),
            NamedPredictions("classic", made["classic"]),
            clusters=None,
            seed=0,
        ),
        confusion=Confusion(matrix=confusion_matrix(codes, made["blend"]).tolist()) if n_test else None,
        worst=worst_class_rows(codes, made["blend"]) if n_test else [],
        checks=[
            FindingRow(
                kind="duplicates-across-splits",
                severity="warn",
                n_rows=7,
                rows=[f"rust/img_{at}.jpg" for at in range(7)],
                summary="7 training rows are exact copies of test rows.",
                measure=None,
                advice="Run again with --duplicates drop.",
            )
        ],
        set_aside=[
            SetAsideRow(id="rust/broken.jpg", reason="cannot be decoded: the file is cut off"),
            SetAsideRow(id="rust/empty1.jpg", reason="the file is empty"),
            SetAsideRow(id="rust/empty2.jpg", reason="the file is empty"),
        ],
        seconds={"total": 93.2, "features": 11.8, "strategies": 80.0},
        cost={"features_forecast_seconds": 14.0, "features_seconds": 11.8, "rows_from_cache": 0.0},
        seed=0,
        options={"time": 600.0},
        versions={"headstart": "0.1.0", "torch": "2.8.0", "python": "3.11.7"},
        created="2026-11-23T13:29:00+00:00",
    )


class Outline(html.parser.HTMLParser):
    """Open elements, headings and accessibility facts; fails on an element closed in the wrong place."""

    void = frozenset({"meta", "br", "img", "line", "circle", "hr", "input", "link", "rect"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag, (tag, self.getpos())


def is_named(svg: dict[str, str | None]) -> bool:
    """Whether screen readers are given a name, or pass over what the words beside say."""
    return svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and bool(svg["aria-label"]))


def header_of(card: str) -> dict[str, object]:
    return yaml.safe_load(card.split("---\n")[1])


@pytest.fixture(scope="module")
def result() -> Result:
    return made_result()


@pytest.fixture(scope="module")
def many() -> Result:
    return made_result(tuple(f"species number {at:02d}" for at in range(40)), 2000)


def test_page_one_counts_in_hundreds_and_leaves_pre_training_to_the_experts(result: Result) -> None:
    page = render_html(result, {})
    first, rest = page.split('id="contents"')
    accuracy = result.strategy("blend").test.accuracy
    assert f">{100 * accuracy.value:.0f} of 100</span> photos" in first
    low, high = math.floor(100 * accuracy.low), math.ceil(100 * accuracy.high)
    assert f"surely between {low} and {high}" in first
    assert write_sentence(result.verdict) not in first and write_sentence(result.verdict) in rest
    for name in ("majority", "classic", "scratch", "blend"):
        assert f'aria-label="{name}: ' in rest


def test_the_contents_lead_to_folded_parts_and_each_finding_is_shown_once(result: Result) -> None:
    page = render_html(result, {})
    links = re.findall(r'<li><a href="#([\w-]+)">([^<]+)</a></li>', page)
    assert [name for name, _ in links] == re.findall(r'<div class="inside" id="([\w-]+)">', page)
    assert [title for _, title in links] == re.findall(r'<summary><h2 id="[\w-]+-title">([^<]+)</h2></summary>', page)
    assert page.count('<details class="fold"') == len(links) > 8
    finding, skipped = result.checks[0].summary, result.skipped[0].reason
    once = (finding, skipped, result.base.known_biases, write_sentence(result.verdict))
    assert [page.count(text) for text in once] == [1, 1, 1, 1]


def test_the_page_has_no_script_and_no_remote_part(result: Result) -> None:
    page = render_html(result, {})
    assert not re.search(r"<script|<link|@import|url\(|https?://|javascript:", page)
    assert "default-src 'none'" in page


def test_the_page_is_well_formed_and_every_table_has_a_caption_and_scopes(result: Result, many: Result) -> None:
    for shown in (result, many, made_result(n_test=0)):
        outline = Outline(render_html(shown, {}))
        assert outline.stack == []
        tags = [tag for tag, _ in outline.tags]
        assert tags.count("h1") == 1
        assert tags.count("table") == tags.count("caption")
        assert all("scope" in given for tag, given in outline.tags if tag == "th")
        assert all(is_named(given) for tag, given in outline.tags if tag == "svg")
        ids = [given["id"] for _, given in outline.tags if "id" in given]
        assert len(ids) == len(set(ids))
        assert {given["aria-labelledby"] for _, given in outline.tags if "aria-labelledby" in given} <= set(ids)


def test_more_than_fifteen_classes_show_the_most_confused_pairs_instead_of_a_matrix(
    result: Result, many: Result
) -> None:
    assert 'class="matrix' in render_html(result, {})
    page = render_html(many, {})
    assert 'class="matrix' not in page
    assert "taken for something else most often" in page
    matrix = np.array(many.confusion.matrix)
    np.fill_diagonal(matrix, 0)
    assert f">{matrix.max()} of " in page


def test_previews_are_shown_as_they_are_and_only_within_the_budget(result: Result) -> None:
    ids = [row.id for row in result.worst]
    heavy = {name: f'<img alt="{at}" src="data:{"x" * 190_000}">' for at, name in enumerate(ids)}
    page = render_html(result, heavy)
    assert '<img alt="0" src="data:xxx' in page
    assert page.count("<img") == len(ids) and len(page.encode()) < 3_000_000
    heavier = {f"{at}.jpg": f'<img alt="{at}" src="data:{"x" * 190_000}">' for at in range(40)}
    budget = PreviewBudget(heavier)
    sizes = [len(preview) for name in heavier if (preview := budget.take(name)) is not None]
    assert 0 < len(sizes) < 40 and sum(sizes) <= BUDGET_BYTES and budget.n_taken == len(sizes)


def test_two_hundred_classes_with_hostile_names_stay_below_two_megabytes() -> None:
    names = tuple(f"{at} <script>alert(1)</script> & \"quote\" 'x' | `y`\n{'long ' * 400}" for at in range(200))
    hostile = made_result(names, 3000)
    flood = hostile.model_copy(
        update={
            "set_aside": [SetAsideRow(id=f"{at}" * 50, reason="r" * 900 + str(at)) for at in range(5000)],
            "checks": hostile.checks * 500,
            "data": "<b>data</b>",
        }
    )
    page = render_html(flood, {row.id: "<p>" + "y" * 150_000 + "</p>" for row in flood.worst})
    assert len(page.encode()) < 2_000_000
    assert "<script" not in page
    assert "<b>" not in page
    assert Outline(page).stack == []


def test_right_to_left_labels_survive_and_carry_their_direction() -> None:
    page = render_html(made_result(("صحي", "صدأ", "बीमार", "健康")), {})
    assert '<bdi dir="auto">صدأ</bdi>' in page


def test_half_characters_in_file_names_do_not_stop_the_report(result: Result) -> None:
    odd = result.model_copy(update={"set_aside": [SetAsideRow(id="bad\udcff.jpg", reason="the file is empty")]})
    render_html(odd, {}).encode("utf-8")
    render_card(odd).encode("utf-8")


def test_without_test_rows_nothing_is_claimed() -> None:
    untested = made_result(n_test=0)
    page, card = render_html(untested, {}), render_card(untested)
    assert "Not measured" in page
    assert "Not measured" in card
    assert "model-index" not in header_of(card)
    assert list_limits(untested)[0].startswith("Anything at all")


def test_the_limits_name_small_classes_missing_groups_and_open_findings(result: Result) -> None:
    counts = {"healthy": 300, "rust": 19, "leaf blight": 20, "grey spot": 0}
    told = " ".join(list_limits(result.model_copy(update={"class_counts": counted(counts)})))
    assert "rust (19), grey spot (0)" in told
    assert "leaf blight" not in told
    assert "--compare" in told
    assert "exact copies of test rows" in told
    assert "--group" not in " ".join(list_limits(result.model_copy(update={"group_columns": ["farm"]})))


def test_a_class_without_test_rows_is_named_as_unknown(result: Result) -> None:
    counts = counted({"healthy": 300, "rust": 57, "leaf blight": 20, "grey spot": 0})
    page = render_html(result.model_copy(update={"class_counts": counts}), {})
    assert 'nothing is known: <bdi dir="auto">grey spot</bdi>' in page


def test_the_header_of_the_card_is_valid_yaml_with_the_fields_of_the_hub(result: Result) -> None:
    header = header_of(render_card(result))
    assert header["license"] == "unknown"
    assert "base_model" not in header and "datasets" not in header
    assert header["pipeline_tag"] == "image-classification"
    assert header["tags"] and header["metrics"] and header["library_name"] == "headstart"
    found = header["model-index"][0]["results"][0]["metrics"]
    assert [item["value"] for item in found] == [
        result.strategy("blend").test.accuracy.value,
        result.strategy("blend").test.macro_f1.value,
    ]


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("resnet-50", "timm/resnet50.a1_in1k"),
        ("hf:clinic/tiny", "clinic/tiny"),
        ("all-minilm-l6-v2", None),
        ("x", None),
    ],
)
def test_the_card_names_the_base_as_the_hub_does_or_not_at_all(
    name: str, identifier: str | None, result: Result
) -> None:
    base = result.base.model_copy(update={"name": name})
    assert header_of(render_card(result.model_copy(update={"base": base}))).get("base_model") == identifier


def test_the_card_holds_no_row_of_the_data_and_a_picture_beside_it(result: Result) -> None:
    card = render_card(result)
    rows = [*(row.id for row in result.worst), *(row.id for row in result.set_aside), *result.checks[0].rows]
    assert len(rows) > 10 and not any(name in card for name in rows)
    assert "](card.svg)" in card and "data:image" not in card
    plot = ElementTree.fromstring(render_card_plot(result))
    names = [part.text for part in plot.iter("{http://www.w3.org/2000/svg}text")]
    assert set(LEAVES) <= set(names) and not render_card_plot(made_result(n_test=0))


@pytest.mark.parametrize("name", ['a: "b" # c', "---", "x\u2028y\x85z", "صدأ", "😀", "{{ 7 * 7 }}", "- [x]"])
def test_any_name_of_the_data_keeps_the_yaml_header_valid(result: Result, name: str) -> None:
    header = header_of(render_card(result.model_copy(update={"data": name})))
    assert header["model-index"][0]["results"][0]["dataset"]["name"] == name


def test_a_class_named_like_markdown_does_not_break_the_table() -> None:
    card = render_card(made_result(("a|b", "# c", "<i>d</i>", "e\nf")))
    assert "| a\\|b |" in card
    assert "\ne" not in card
    assert "\\<i\\>" in card


def test_every_share_in_the_card_stands_in_the_result(result: Result) -> None:
    document = json.loads(result.model_dump_json())
    shares: set[str] = set()

    def walk(part: object) -> None:
        if isinstance(part, dict):
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)
        elif isinstance(part, float):
            shares.update(round_outwards(100 * part, 1, end) for end in ("value", "low", "high"))

    walk(document)
    card = render_card(result).split("## How good it is")[1].split("## Verdict")[0]
    printed = re.findall(r"(\d+\.\d)\u202f%", card)
    assert len(printed) > 20
    assert set(printed) <= shares


def test_a_base_that_is_not_pretrained_is_called_so(result: Result) -> None:
    base = result.base.model_copy(update={"pretrained": False})
    page = render_html(result.model_copy(update={"base": base, "modality": "series"}), {})
    assert "<dt>Pre-trained</dt><dd>no</dd>" in page
    assert "recordings.csv" in page


def test_a_verdict_without_difference_is_shown(result: Result) -> None:
    said = Verdict(transfer="no evidence", strategy=None, against=None, difference=None, sentence="Nothing compared.")
    assert "Nothing compared." in render_html(result.model_copy(update={"verdict": said}), {})


def with_groups(**values: list[str]) -> Result:
    made = made_result(LEAVES)
    codes = np.sort(np.random.default_rng(1).choice(4, 357, p=np.linspace(3, 1, 4) / 8))
    said = simulated(codes, LEAVES, 0.83, 4)
    found = score_groups(
        codes, said, {name: make_column(given) for name, given in values.items()}, clusters=None, seed=0
    )
    checked = measure_calibration(codes, said, None, 0)
    return made.model_copy(update={"group_columns": list(values), "groups": found, "calibration": checked})


@pytest.fixture(scope="module")
def grouped() -> Result:
    codes = np.sort(np.random.default_rng(1).choice(4, 357, p=np.linspace(3, 1, 4) / 8))
    right = simulated(codes, LEAVES, 0.83, 4).class_indices == codes
    unlucky = np.where(right, "valley", "hill")
    return with_groups(
        region=[name if at % 3 else "hill" for at, name in enumerate(unlucky)],
        farm=["east"] * 14 + ["west", "north", "south"] * 114 + ["west"],
        farmer=[f"farmer {at}" for at in range(357)],
    )


def test_groups_are_charted_with_their_reading_and_few_rows_are_an_answer(grouped: Result) -> None:
    page = render_html(grouped, {}).replace("\u202f", " ")
    shown = page.split('id="groups-title"')[1].split('id="probabilities"')[0]
    assert "Is it equally good for everyone?" in shown
    assert shown.count('aria-label="') >= 5
    assert "cannot tell (14 photos)" in shown
    assert "357 values with few rows each; they only keep rows together" in shown
    valley = next(item for item in grouped.groups[0].values if item.value == "valley")
    assert valley.metrics is not None
    assert f'aria-label="valley: {100 * valley.metrics.accuracy.value:.1f} %' in shown
    assert "very likely real" in shown.split('class="verdict"')[1]


def test_the_diagram_has_a_dot_for_each_bin_and_a_text_that_says_the_same(grouped: Result) -> None:
    page = render_html(grouped, {}).replace("\u202f", " ")
    svg = re.search(r'<svg [^>]*aria-label="Share of answers that were right.*?</svg>', page, flags=re.DOTALL)
    assert svg and grouped.calibration
    assert re.search(r'class="dots ours" d="([^"]*)"', svg[0])[1].count("h0") == len(grouped.calibration.bins)
    assert svg[0].count("; stated ") + 1 == len(grouped.calibration.bins)
    assert write_sentence(grouped.calibration) in page


def test_the_page_stays_well_formed_with_groups(grouped: Result) -> None:
    outline = Outline(render_html(grouped, {}))
    assert outline.stack == []
    tags = [tag for tag, _ in outline.tags]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in given for tag, given in outline.tags if tag == "th")
    assert all(is_named(given) for tag, given in outline.tags if tag == "svg")
    ids = [given["id"] for _, given in outline.tags if "id" in given]
    assert len(ids) == len(set(ids))
    assert {given["aria-labelledby"] for _, given in outline.tags if "aria-labelledby" in given} <= set(ids)


def test_without_groups_and_calibration_the_page_and_the_card_are_silent() -> None:
    plain = made_result()
    for text in (render_html(plain, {}), render_card(plain)):
        assert "equally good for everyone?" not in text
        assert "probabilities be believed?" not in text
    told = " ".join(list_limits(plain))
    assert "no column of the data tells them apart" in told
    assert "was not checked" in told


def test_the_limits_say_what_the_groups_showed(grouped: Result) -> None:
    told = list_limits(grouped)
    assert any(text.startswith("A group that fares worse. For region hill") for text in told)
    assert any("farm: east (14)" in text for text in told)
    assert any("could not be told: farmer" in text for text in told)
    assert not any("was not checked" in text for text in told)
    assert not any("no column of the data" in text for text in told)


def test_honest_probabilities_are_no_limit(grouped: Result) -> None:
    assert grouped.calibration
    fine = grouped.calibration.model_copy(
        update={
            "error": grouped.calibration.error.model_copy(update={"low": 0.0}),
            "overconfidence": grouped.calibration.overconfidence.model_copy(update={"low": -0.1, "high": 0.1}),
        }
    )
    assert not any("robabilities" in text for text in list_limits(grouped.model_copy(update={"calibration": fine})))


def test_the_card_lists_every_group_and_the_calibration(grouped: Result) -> None:
    card = render_card(grouped).replace("\u202f", " ")
    rows = re.findall(r"^\| (?:region|farm) \| (\w+) \| ([\d,]+) \| (.*?) \|", card, flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == ["hill", "valley", "east", "north", "south", "west"]
    assert rows[2] == ("east", "14", "cannot tell")
    assert "| farmer |" not in card
    table = card.split("| Column | Group |")[1].split("\n\n")[0]
    assert table.count("\n| ") == 6


def test_hostile_group_names_are_escaped() -> None:
    odd = with_groups(**{"<script>x</script>|`": ["<b>bold</b>|" * 30, "صدأ"] * 178 + ["صدأ"]})
    page, card = render_html(odd, {}), render_card(odd)
    assert "<script" not in page and "<b>" not in page
    assert Outline(page).stack == []
    assert '<bdi dir="auto">صدأ</bdi>' in page
    assert "<b>" not in card.replace("\\<b\\>", "")
