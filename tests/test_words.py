"""Text without labels for `classic`: counted, projected, kept, and used only where cross-validation says so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_matrix
from typer.testing import CliRunner

from headstart import bases
from headstart.bases import BaseRequest
from headstart.cli.main import app
from headstart.errors import DataError
from headstart.records import Table, make_column
from headstart.strategies import STRATEGIES
from headstart.strategies.baselines import classic_text, text_encoding
from headstart.strategies.record import Clock, StrategyRows, Task
from headstart.strategies.settings import SETTINGS
from headstart.strategies.text.cooccurrence import (
    KINDS,
    Cooccurrence,
    align_columns,
    count_affordable_characters,
    learn_cooccurrence,
)
from headstart.strategies.text.tfidf import Idf, UnlabelledFrequencies, count_ngrams

CLASSIC = STRATEGIES["classic"]
SYLLABLES = [first + last for first in "bdfgklmn" for last in "aeiou"]
ENTRIES = 100


def lexicon(topic: int) -> list[str]:
    """Made-up words of one topic; no topic's words say anything by their letters."""
    rng = np.random.default_rng(7)
    made = list(dict.fromkeys("".join(rng.choice(SYLLABLES, 3)) for _ in range(4 * ENTRIES)))
    return made[topic * ENTRIES : (topic + 1) * ENTRIES]


def texts_of(codes: np.ndarray, seed: int) -> list[str]:
    """Six words of the topic of each code."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(lexicon(int(code)), 6)) for code in codes]


def rows_of(texts: list[str]) -> StrategyRows:
    ids = make_column([str(number) for number in range(len(texts))])
    return StrategyRows(
        Table(
            modality="text",
            ids=ids,
            inputs=make_column(texts),
            hashes=ids,
            labels=None,
            splits=make_column([""] * len(texts)),
        )
    )


def task_of(codes: np.ndarray, words: Cooccurrence | None, **more: object) -> Task:
    folds = np.arange(len(codes)) // 2 % 4
    return replace(
        Task(
            classes=("a", "b"), codes=codes, folds=folds, balance="off", seed=0, clock=Clock(600.0), cooccurrence=words
        ),
        **more,
    )


@pytest.fixture(scope="module")
def known() -> Cooccurrence:
    return learn_cooccurrence(texts_of(np.arange(300) % 2, 5), 0)


FEW = np.arange(8) % 2


def test_pieces_of_the_same_texts_point_the_same_way(known: Cooccurrence) -> None:
    place = {piece: at for at, piece in enumerate(known.ngrams["words"])}
    points = known.projection["words"].astype(np.float64)

    def alike(first: str, second: str) -> float:
        one, other = points[place[first]], points[place[second]]
        return float(one @ other / np.sqrt((one @ one) * (other @ other)))

    here, there = lexicon(0), lexicon(1)
    within = np.mean([alike(here[at], here[at + 1]) for at in range(99)])
    across = np.mean([alike(here[at], there[at]) for at in range(99)])
    assert within > across + 0.01


def test_words_that_go_together_help_where_rows_share_no_word(known: Cooccurrence) -> None:
    rows = rows_of(texts_of(FEW, 1))
    truth = np.arange(200) % 2
    test = rows_of(texts_of(truth, 2))
    right = {}
    for name, words in (("alone", None), ("words", known)):
        fitted = CLASSIC.fit(rows, task_of(FEW, words), {})
        right[name] = (fitted.predict(test).argmax(axis=1) == truth).mean()
        assert np.isfinite(fitted.out_of_fold).all()
    assert right["words"] > right["alone"] + 0.05
    assert any("300 texts without labels told how common words are" in note for note in fitted.notes)


def test_the_model_is_one_coefficient_a_piece_and_says_what_the_kernel_says(known: Cooccurrence) -> None:
    counts, pieces = zip(*(count_ngrams(texts_of(FEW, 1), kind) for kind in KINDS), strict=True)
    ground = text_encoding.TextDesign(counts=counts, most=[10_000, 10_000])
    (mixed, _), _ = classic_text._list_designs(ground, pieces, known)
    encoding = text_encoding.TextEncoding(mixed, np.arange(8))
    coefficients = np.random.default_rng(0).normal(size=(encoding.matrix.shape[1] + 1, 2))
    columns, intercept = encoding.to_columns(coefficients)
    sparse = text_encoding.join_blocks(
        [idf.apply(block) for idf, block in zip(encoding.idf, encoding.counts, strict=True)]
    )
    assert columns.shape == (sparse.shape[1], 2)
    assert np.allclose(sparse @ columns + intercept, encoding.matrix @ coefficients[:-1] + coefficients[-1], atol=1e-4)
    assert np.allclose(encoding.apply(np.arange(8)), encoding.matrix, atol=1e-4)
    only_there = np.setdiff1d(np.arange(sparse.shape[1]), sparse.indices)
    assert np.abs(columns[only_there]).max() > 0


def test_a_restored_model_predicts_the_same_and_the_same_seed_gives_the_same(known: Cooccurrence) -> None:
    rows, test = rows_of(texts_of(FEW, 1)), rows_of(texts_of(FEW, 2))
    first, second = (CLASSIC.fit(rows, task_of(FEW, known), {}) for _ in range(2))
    assert np.array_equal(first.predict(test), second.predict(test))
    back = CLASSIC.load(first.state(), ("a", "b"))
    assert np.allclose(back.predict(test), first.predict(test), atol=1e-6)


def test_idf_counts_texts_without_labels_as_if_they_were_rows() -> None:
    mine, theirs = ["rain again", "no rain"], ["rain", "sun", "no sun"]
    counts, pieces = count_ngrams(mine, "words")
    line = align_columns(learn_cooccurrence(theirs, 0), "words", pieces)
    idf = Idf.fit(replace(counts, n_columns=len(line.ngrams)), 100, line.unlabelled, added=True)
    every, names = count_ngrams([*mine, *theirs], "words")
    whole = Idf.fit(every, 100)
    expected = {names[at]: weight for at, weight in zip(whole.columns, whole.weights, strict=True)}
    assert {line.ngrams[at]: weight for at, weight in zip(idf.columns, idf.weights, strict=True)} == expected
    own = Idf.fit(replace(counts, n_columns=len(line.ngrams)), 100, line.unlabelled)
    assert {line.ngrams[at] for at in own.columns} == set(pieces)
    assert isinstance(line.unlabelled, UnlabelledFrequencies) and line.unlabelled.n_texts == 3


def test_few_texts_say_only_how_common_pieces_are() -> None:
    words = learn_cooccurrence(texts_of(np.arange(50) % 2, 5), 0)
    assert words.n_dims == 0 and words.n_texts == 50
    fitted = CLASSIC.fit(rows_of(texts_of(FEW, 1)), task_of(FEW, words), {})
    assert [note for note in fitted.notes if "without labels" in note] == [
        "50 texts without labels told how common words are"
    ]


def test_with_many_labels_nothing_changes(known: Cooccurrence, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (classic_text, text_encoding):
        monkeypatch.setattr(module, "SETTINGS", replace(SETTINGS, cooccurrence_max_labels=7))
    rows, test = rows_of(texts_of(FEW, 1)), rows_of(texts_of(FEW, 2))
    assert text_encoding.one_hot_classes(task_of(FEW, None)) is None
    fitted, plain = (CLASSIC.fit(rows, task_of(FEW, words), {}) for words in (known, None))
    assert np.array_equal(fitted.predict(test), plain.predict(test)) and fitted.notes == plain.notes


@pytest.mark.parametrize("kind", ["multi-label", "regression", "ordinal"])
def test_every_kind_of_task_survives(known: Cooccurrence, kind: str) -> None:
    truth = np.column_stack([FEW, 1 - FEW]).astype(np.float32)
    truth = truth[:, :1] if kind == "regression" else truth
    more: dict[str, object] = {"kind": kind}
    if kind != "ordinal":
        more |= {"truth": truth, "classes": ("a", "b")[: truth.shape[1]]}
    fitted = CLASSIC.fit(rows_of(texts_of(FEW, 1)), task_of(FEW, known, **more), {})
    assert np.isfinite(fitted.predict(rows_of(["", "unknown"]))).all()


def test_rows_without_folds_and_a_text_without_words_are_survived(known: Cooccurrence) -> None:
    rows = rows_of(["", *texts_of(FEW[1:], 1)])
    fitted = CLASSIC.fit(rows, task_of(FEW, known, folds=np.zeros(8, dtype=np.intp)), {})
    assert np.isfinite(fitted.predict(rows)).all()
    assert learn_cooccurrence([""] * 300, 0).ngrams["words"] == ()
    CLASSIC.fit(rows, task_of(FEW, learn_cooccurrence([""] * 300, 0)), {})


def test_long_text_is_sampled_and_short_time_reads_little() -> None:
    words = learn_cooccurrence(["one two three"] * 1_000, 0, most=1_300)
    assert words.n_texts == 100 and words.n_characters == 1_300
    assert count_affordable_characters(0.0) == 0 and count_affordable_characters(1e9) == 3_000_000
    assert learn_cooccurrence(["one two three"], 0, most=0).n_texts == 1


def test_arrays_bring_everything_back_and_damage_is_told(known: Cooccurrence, tmp_path: Path) -> None:
    path = tmp_path / "words.safetensors"
    save_file(known.arrays(), path)
    back = Cooccurrence.from_arrays(load_file(path), "the base")
    assert back.ngrams == known.ngrams and back.digest() == known.digest()
    arrays = known.arrays()
    for name, value in (("words/pieces", arrays["words/pieces"][:-20]), ("words/projection", arrays["counted"])):
        with pytest.raises(DataError, match="the base has no word statistics"):
            Cooccurrence.from_arrays({**arrays, name: value}, "the base")
    with pytest.raises(DataError, match="only a part of them"):
        Cooccurrence.from_arrays({"counted": arrays["counted"]}, "the base")


def test_telling_columns_weigh_more() -> None:
    rows = csr_matrix(np.array([[1.0, 1, 1], [1, 1, 0], [1, 0, 1], [1, 0, 0]]))
    weights = text_encoding.weigh_columns(rows, csr_matrix(np.eye(2)[[0, 0, 1, 1]]))
    assert weights[1] > weights[2] == weights[0] == 0  # The second says the class, the others occur alike in both.
    every = csr_matrix(np.ones((4, 1)))  # An answer that all rows have tells nothing of any column.
    assert text_encoding.weigh_columns(rows, every).tolist() == [1, 1, 1]


def test_uneven_classes_leave_columns_as_they_are() -> None:
    uneven = np.array([0, 0, 0, 0, 0, 1, 1, 1])
    assert text_encoding.one_hot_classes(task_of(uneven, None)) is None
    answers = text_encoding.one_hot_classes(task_of(FEW, None))
    assert answers is not None and answers.toarray().argmax(axis=1).tolist() == FEW.tolist()


def table(path: Path, texts: list[str], labels: list[str] | None = None) -> Path:
    lines = ["text,label"] + [f"{text},{label}" for text, label in zip(texts, labels, strict=True)] if labels else []
    path.write_text("\n".join(lines or ["text", *texts]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    codes = np.arange(40) % 2
    return table(tmp_path_factory.mktemp("few") / "few.csv", texts_of(codes, 1), ["ab"[code] for code in codes])


def adapted(few: Path, out: Path, *more: str) -> dict[str, object]:
    command = ["adapt", str(few), "--strategy", "classic", "--offline", "--json", "-q", "-o", str(out), *more]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def said_of(document: dict[str, object]) -> str:
    checks = document["checks"]
    assert isinstance(checks, list)
    return " ".join(item["summary"] for item in checks if item["kind"] == "unlabelled-text")


def test_adapt_learns_from_texts_without_labels_and_both_runtimes_say_the_same(few: Path, tmp_path: Path) -> None:
    raw = table(tmp_path / "raw.csv", texts_of(np.arange(300) % 2, 5))
    out = tmp_path / "out"
    said = said_of(adapted(few, out, "--unlabelled", str(raw)))
    assert "300 texts without labels (that you gave) told the method classic how common words are" in said
    assert "300 texts without labels" in (out / "report.html").read_text("utf-8")
    new = table(tmp_path / "new.csv", texts_of(np.arange(20) % 2, 9))
    answers = []
    for runtime in ("auto", "onnx"):
        path = tmp_path / f"{runtime}.csv"
        done = CliRunner().invoke(
            app, ["predict", str(out), str(new), "-o", str(path), "--runtime", runtime, "--layout", "machine"]
        )
        assert done.exit_code == 0, done.output
        answers.append([line.split(",")[1] for line in path.read_text("utf-8").splitlines()])
    assert answers[0] == answers[1] and len(answers[0]) == 21
    assert CliRunner().invoke(app, ["verify", str(out / "bundle")]).exit_code == 0


def test_a_base_with_words_teaches_classic_and_keeps_its_fingerprint(few: Path, tmp_path: Path) -> None:
    plain = bases.load_base("default", BaseRequest(modality="text", offline=True))
    folder = tmp_path / "base"
    bases.write_folder(plain.parts, folder)
    before = bases.load_base(f"file:{folder}", BaseRequest(modality="text", offline=True))
    assert before.parts.cooccurrence == {}
    words = learn_cooccurrence(texts_of(np.arange(300) % 2, 5), 0)
    save_file(words.arrays(), folder / "words.safetensors")
    after = bases.load_base(f"file:{folder}", BaseRequest(modality="text", offline=True))
    assert (
        after.fingerprint == before.fingerprint
        and Cooccurrence.from_arrays(after.parts.cooccurrence, "it").digest() == words.digest()
    )
    assert "(of the base" in said_of(adapted(few, tmp_path / "out", "--base", f"file:{folder}"))
    (folder / "words.safetensors").write_bytes(b"damaged")
    with pytest.raises(DataError, match="damaged"):
        bases.load_base(f"file:{folder}", BaseRequest(modality="text", offline=True))
