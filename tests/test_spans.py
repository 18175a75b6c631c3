"""Texts with spans: reading, tags, the field, scores, and the whole way from data to answers."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, sparse
from starlette.testclient import TestClient
from tests.tiny_published import write_transformers
from typer.testing import CliRunner

import headstart as hs
from headstart.bases.catalogue import CATALOGUE
from headstart.cli.main import app
from headstart.errors import BundleError, DataError, OptionError
from headstart.flow.spans.adapt import adapt_spans, split_texts
from headstart.flow.spans.bundle import read_span_bundle
from headstart.flow.spans.export import export_spans
from headstart.flow.spans.predict import find_spans, open_span_answers
from headstart.flow.spans.redact import cover, redact
from headstart.flow.spans.sources import is_span_source, make_text, read_plain_texts, read_span_data
from headstart.options import AdaptOptions, ColumnOptions, ExportOptions, RedactOptions, ServeOptions
from headstart.results.spans import SPAN_NOTICES
from headstart.spans import crf
from headstart.spans.choosing import assign_folds
from headstart.spans.notices import Tally
from headstart.spans.offsets import mend_spans
from headstart.spans.personal_data import RULE_KINDS, find_personal_data
from headstart.spans.records import Span, SpanText
from headstart.spans.scoring import compare_f1, compute_f1, count_spans, number_documents, score_spans
from headstart.spans.tags import list_tags, make_tags, may_follow, read_tags
from headstart.spans.words import find_words
from headstart.web.spans import build_span_app

NAMES, PLACES = ("Amina", "Musa", "Juma", "Wanjiru", "Otieno", "Fatuma"), ("Kisumu", "Kano", "Jinja", "Ibadan", "Lagos")


def write_lines(path: Path, n: int = 40, first: int = 0) -> Path:
    """Write sentences with a person and a place each as JSON lines."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(first, first + n):
        name, place = str(rng.choice(NAMES)), str(rng.choice(PLACES))
        text = f"{number}: {name} went to {place}."
        spans = [
            {"start": text.index(part), "end": text.index(part) + len(part), "label": kind}
            for part, kind in ((name, "PER"), (place, "LOC"))
        ]
        lines.append(json.dumps({"id": f"r{number}", "text": text, "spans": spans}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-PER I-PER O B-LOC", [(0, 2, "PER"), (3, 4, "LOC")]),
        ("I-PER I-PER O I-LOC", [(0, 2, "PER"), (3, 4, "LOC")]),  # IOB1
        ("I-PER B-PER O", [(0, 1, "PER"), (1, 2, "PER")]),
        ("B-PER E-PER S-LOC O", [(0, 2, "PER"), (2, 3, "LOC")]),  # BIOES
        ("B-PER L-PER U-LOC U-LOC", [(0, 2, "PER"), (2, 3, "LOC"), (3, 4, "LOC")]),  # BILOU
        ("B-PER I-LOC", [(0, 1, "PER"), (1, 2, "LOC")]),
        ("E-PER I-PER", [(0, 1, "PER"), (1, 2, "PER")]),
        ("O O", []),
    ],
)  # fmt: skip
def test_tags_of_every_scheme_become_the_spans_of_conlleval(tags: str, spans: list[tuple[int, int, str]]) -> None:
    assert list(read_tags(tags.split()).spans) == [Span(*item) for item in spans]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ìbàdàn, 3km", ["Ìbàdàn", ",", "3km"]),
        ("قال محمد(٢٠)", ["قال", "محمد", "(", "٢٠", ")"]),
        ("นา北京x", ["น", "า", "北", "京", "x"]),
        ("क्षि \U0001f600o\u0300", ["क्षि", "\U0001f600", "o\u0300"]),
        ("\u0301a \x00", ["\u0301a"]),
        ("", []),
    ],
)
def test_words_are_cut_from_the_original_string_in_any_script(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in find_words(text)] == words


def test_broken_marks_are_mended_and_counted() -> None:
    text, tally = "Amina lives in Kano city", Tally()
    spans = [Span(0, 6, "PER"), Span(15, 24, "LOC"), Span(15, 19, "LOC"), Span(20, 30, "LOC"), Span(5, 6, "PER")]
    spans += [Span(12, 17, "X"), Span(8, 9, "PER"), Span(-1, 2, "PER"), Span(9, 4, "PER")]
    spans += [Span(12, 14, "Y")]
    mended = mend_spans(spans, text, find_words(text), name="r1", tally=tally)
    assert mended == (Span(0, 5, "PER"), Span(8, 9, "PER"), Span(12, 17, "X"))
    counts = {item.code: item.n for item in tally.list_notices()}
    assert counts == {
        "span-outside-text": 2, "empty-span": 2, "crossing-spans": 2, "overlapping-spans": 1, "span-inside-word": 2,
    }  # fmt: skip
    assert set(counts) <= set(SPAN_NOTICES)


def test_every_form_of_file_is_recognised_and_gives_the_same_spans(tmp_path: Path) -> None:
    text, marks = "Amina in Kano", [[0, 5, "PER"], [9, 13, "LOC"]]
    value = [{"value": {"start": a, "end": b, "text": text[a:b], "labels": [c]}} for a, b, c in marks]
    contents = {
        "a.conll": "Amina\tB-PER\nin\tO\nKano\tB-LOC\n\n",
        "b.txt": "-DOCSTART- O\n\nAmina NN I-PER\nin IN O\nKano NN I-LOC\n",
        "c.jsonl": json.dumps({"text": text, "label": marks}),
        "d.json": json.dumps([{"data": {"text": text}, "annotations": [{"result": value}]}]),
        "e.jsonl": json.dumps(
            {"text": text, "entities": [{"start_offset": a, "end_offset": b, "label": c} for a, b, c in marks]}
        ),
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        assert is_span_source(path), name
        (item,) = read_span_data(path).texts
        assert (item.text, item.spans) == (text, tuple(Span(*mark) for mark in marks)), name
    plain = tmp_path / "plain.tsv"
    plain.write_text("text\tlabel\nno water\twater\nill child\thealth\n", encoding="utf-8")
    assert not is_span_source(plain)


def test_parts_of_speech_are_spans_of_one_word(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("Amina\tPROPN\nsees\tVERB\nKano\tPROPN\n.\tPUNCT\n\n" * 5, encoding="utf-8")
    source = read_span_data(tmp_path)
    assert (source.scheme, source.list_kinds()) == ("words", ("PROPN", "PUNCT", "VERB"))
    assert len(source.texts[0].spans) == 4 and list_tags(source.list_kinds(), "words")[0] == "O"


@pytest.mark.parametrize(
    "content",
    ["Amina\tB-PER\nin\nKano\tB-LOC\n", '{"text": "x", "spans": [{"start": "a", "end": 1, "label": "L"}]}', "{"],
)
def test_files_that_cannot_be_read_are_refused_with_the_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / ("x.conll" if content.startswith("A") else "x.jsonl")
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError):
        read_span_data(path)


def test_span_f1_wants_start_end_and_kind_and_its_interval_contains_it() -> None:
    truth = [[Span(0, 4, "A"), Span(5, 6, "B")], [Span(0, 1, "A")], []]
    predicted = [[Span(0, 4, "A"), Span(5, 6, "A")], [], [Span(0, 2, "B")]]
    counts = count_spans(truth, predicted)
    assert counts.tolist() == [[1, 2, 2], [0, 0, 1], [0, 1, 0]]
    assert compute_f1(counts.sum(axis=0)) == pytest.approx(2 * 1 / (3 + 3))
    interval = score_spans(counts, None, 0)
    assert interval.low <= interval.value <= interval.high
    assert (interval.low, interval.high) == (0, 1)  # Three texts say nothing of others.
    sure = score_spans(count_spans(truth * 4, truth * 4), None, 0)
    assert sure.value == sure.high == 1 and 0 < sure.low < 1
    gain = compare_f1(count_spans(truth, truth), counts, None, 0)
    assert gain.low <= 0 < gain.value  # Three texts are no evidence.
    texts = [SpanText(id=str(n), text=text, words=()) for n, text in enumerate(("a", "b", "a"))]
    assert number_documents(texts).tolist() == [0, 1, 0]


def test_the_field_is_what_counting_all_paths_gives() -> None:
    rng = np.random.default_rng(0)
    lengths, n_tags = np.array([3, 0, 2]), 3
    field = crf.Crf(
        bias=np.zeros(n_tags, np.float32),
        transitions=rng.normal(size=(n_tags, n_tags)).astype(np.float32),
        start=rng.normal(size=n_tags).astype(np.float32),
    )
    scores = rng.normal(size=(5, n_tags))
    decoded = crf.decode_words(scores, lengths, field)
    for first, length in ((0, 3), (3, 2)):
        paths = {
            path: field.start[path[0]]
            + sum(scores[first + place, tag] for place, tag in enumerate(path))
            + sum(field.transitions[a, b] for a, b in itertools.pairwise(path))
            for path in itertools.product(range(n_tags), repeat=length)
        }
        best = max(paths, key=lambda path: paths[path])
        assert tuple(decoded.tags[first : first + length]) == best
        total = sum(np.exp(value) for value in paths.values())
        for place in range(length):
            share = sum(np.exp(value) for path, value in paths.items() if path[place] == best[place]) / total
            assert decoded.probabilities[first + place] == pytest.approx(share, abs=1e-5)


def test_the_gradient_of_the_likelihood_is_that_of_its_differences() -> None:
    rng = np.random.default_rng(1)
    lengths = np.array([3, 1, 5, 0, 2])
    hashed = sparse.csr_matrix((rng.random((11, 6)) > 0.5).astype(np.float32))
    features = crf.WordFeatures(lengths=lengths, hashed=hashed)
    problem = crf._Problem(features, rng.integers(0, 3, 11), np.ones((3, 3), dtype=bool), (1.0, 1.0))
    point = rng.normal(size=problem.n_values) * 0.3
    error = optimize.check_grad(lambda x: problem.evaluate(x)[0], lambda x: problem.evaluate(x)[1], point)
    assert error < 1e-4


def test_a_tag_inside_follows_only_its_own_kind() -> None:
    tags = list_tags(("LOC", "PER"), "bio")
    allowed = dict(zip(tags, may_follow(tags), strict=True))
    assert [tag for tag, fine in zip(tags, allowed["B-PER"], strict=True) if fine] == ["O", "B-LOC", "B-PER", "I-PER"]
    words = ((0, 3), (4, 9), (9, 10))
    assert make_tags([Span(2, 8, "LOC")], words) == ["B-LOC", "I-LOC", "O"]


def test_texts_become_a_bundle_that_answers_and_refuses_changes(tmp_path: Path) -> None:
    source, out = write_lines(tmp_path / "data.jsonl"), tmp_path / "out"
    written = hs.adapt_spans(source, out, strategy=("word-crf",), offline=True)
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["span_f1"]["value"] == written.span_f1.value >= 0.9  # type: ignore[union-attr]
    assert result["span_f1"]["low"] <= result["span_f1"]["value"] and result["task"] == "spans"
    assert "word-crf" in (out / "report.md").read_text(encoding="utf-8")
    assert hs.find_spans(out, ["9: Musa went to Jinja."])[0][0].span == Span(3, 7, "PER")
    texts = tmp_path / "new.txt"
    texts.write_text("9: Musa went to Jinja.\n\n=cmd\n", encoding="utf-8")
    runner = CliRunner()
    answered = runner.invoke(app, ["predict", str(out), str(texts), "-o", str(tmp_path / "spans.csv"), "-q"])
    assert answered.exit_code == 0, answered.output
    lines = (tmp_path / "spans.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:5] for line in lines[1:3]] == [
        ["1", "3", "7", "PER", "Musa"],
        ["1", "16", "21", "LOC", "Jinja"],
    ]
    assert runner.invoke(app, ["adapt", str(source), "-o", str(out), "--strategy", "nothing"]).exit_code == 2
    evaluated = runner.invoke(app, ["evaluate", str(out), str(source), "--json", "-q"])
    assert json.loads(evaluated.stdout)["metrics"]["span_f1"]["value"] > 0.9
    with TestClient(
        build_span_app(open_span_answers(out), ServeOptions(), None), base_url="http://127.0.0.1"
    ) as client:
        served = client.post("/predict", json={"texts": ["9: Musa went to Jinja.", 3, ""]}).json()["predictions"]
        assert client.post("/predict", json={"texts": "x"}).status_code == 422
    assert [(item["start"], item["label"]) for item in served[0]["spans"]] == [(3, "PER"), (16, "LOC")]
    assert served[1]["reason"] and served[2]["spans"] == []
    weights = out / "bundle" / "spans.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    with pytest.raises(BundleError):
        read_span_bundle(out)


def test_a_base_is_tuned_stored_and_gives_the_same_spans_again(tmp_path: Path) -> None:
    write_transformers(CATALOGUE["xlm-roberta-base"], tmp_path / "base")
    source, out = tmp_path / "data", tmp_path / "out"
    source.mkdir()
    for number, split in enumerate(("train", "valid", "test")):
        write_lines(source / f"{split}.jsonl", 24, first=100 * number)
    options = AdaptOptions(base=f"file:{tmp_path / 'base'}", strategy=("last-stages-blend",), offline=True, time=60.0)
    written = adapt_spans(source, out, options)
    assert {item.name for item in written.result.strategies} == {"word-crf", "last-stages", "last-stages-blend"}
    assert written.result.verdict.against == "word-crf" and written.result.verdict.difference is not None
    long = " ".join(["Musa went to Jinja ."] * 400)
    texts = [make_text("a", "3: Musa went to Kano."), make_text("b", ""), make_text("c", long)]
    answers = find_spans(read_span_bundle(out), texts)
    assert answers[1].spans == [] and len(answers) == 3
    assert all(long[item.span.start : item.span.end].strip() for item in answers[2].spans)
    exported = export_spans(out, tmp_path / "portable", ExportOptions(to="onnx"))
    assert exported["largest_error"] < 1e-4
    (tmp_path / "new.jsonl").write_text(json.dumps("3: Musa went to Kano.") + "\n" + json.dumps(long), encoding="utf-8")
    script = [sys.executable, str(tmp_path / "portable" / "predict.py"), str(tmp_path / "new.jsonl")]
    lines = subprocess.run(script, capture_output=True, text=True, check=True, env={"PATH": ""}).stdout.splitlines()
    expected = [item.span for answer in (answers[0], answers[2]) for item in answer.spans]
    assert [Span(int(row[1]), int(row[2]), row[3]) for row in csv.reader(lines[1:])] == expected


def test_a_test_is_drawn_by_documents_and_copies_of_test_texts_are_not_learned(tmp_path: Path) -> None:
    split = split_texts(read_span_data(write_lines(tmp_path / "a.jsonl")), 0)
    assert split.is_test_drawn and len(split.test) == 8 and not {x.id for x in split.test} & {x.id for x in split.train}
    source = read_span_data(tmp_path / "a.jsonl", test=tmp_path / "a.jsonl")
    with pytest.raises(DataError):
        split_texts(source, 0)
    huge = SpanText(id="h", text="x " * 999, words=(), spans=tuple(Span(n, n + 1, "A") for n in range(99)))
    assert assign_folds([huge, *source.texts], 5, 0)[0] != 0
    few = replace(source, texts=source.texts[:2], has_test=False)
    with pytest.raises(DataError):
        split_texts(few, 0)


def test_redaction_covers_by_rule_and_counts_what_is_left(tmp_path: Path) -> None:
    text = "Call 0712 345 678 or ٠٧١٢٣٤٥٦٧٨, amina@example.org, car KBX 123A, 3 litres in 2024."
    spans = find_personal_data(text, frozenset(RULE_KINDS))
    assert cover(text, spans) == "Call [PHONE] or [PHONE], [MAIL], car [PLATE], 3 litres in 2024."
    for text in (
        "0712345678 " * 30,
        "++254712345678",
        "07\u200b12345678",
        "0712\u00a0345\u2011678b",
        "http://x.org/1 0712345678",
    ):
        covered = cover(text, find_personal_data(text, frozenset(RULE_KINDS)))
        assert not any(character.isdigit() for character in covered), text
    for piece in ("(", "A1-", "+(", "a@"):  # Once minutes: a rule looked ahead from every place.
        find_personal_data(piece * 100_000, frozenset(RULE_KINDS))
    source = write_lines(tmp_path / "data.jsonl")
    adapt_spans(source, tmp_path / "out", AdaptOptions(strategy=("word-crf",), offline=True))
    with pytest.raises(OptionError):
        redact(source, None, None, RedactOptions(types=("person",)))
    with pytest.raises(OptionError):
        redact(source, source, None, RedactOptions(types=("phone",)))
    redaction = redact(source, tmp_path / "r.txt", tmp_path / "out", RedactOptions(types=("person", "phone")))
    assert redaction.recall is not None and redaction.recall.low <= redaction.recall.value <= redaction.recall.high
    assert redaction.recall.value > 0.9 and "LOC" not in redaction.counts
    more = redact(source, None, tmp_path / "out", RedactOptions(types=("person",), least=0.0))
    assert more.recall is not None and more.recall.value == 1 and set(more.texts[0].text) <= set("[PER] ")
    assert "Musa" not in (tmp_path / "r.txt").read_text(encoding="utf-8")


def test_a_cell_of_a_megabyte_and_scripts_from_right_to_left_are_answered_whole(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "data.jsonl")
    adapt_spans(source, tmp_path / "out", AdaptOptions(strategy=("word-crf",), offline=True))
    huge = "x" * 950_000 + " Musa went to Jinja " * 2_000
    texts = tmp_path / "t.jsonl"
    texts.write_text(json.dumps(huge) + "\n" + json.dumps("ذهب محمد إلى كانو"), encoding="utf-8")
    answers = find_spans(read_span_bundle(tmp_path / "out"), read_plain_texts(texts, ColumnOptions()))
    assert answers[0].text.text == huge and len(answers[0].spans) >= 2_000
