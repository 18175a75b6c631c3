"""A text has one answer in whatever Unicode form it was typed: composed (NFC) or in parts (NFD, as macOS writes it)."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.twins import needs_node, run
from tokenizers import Tokenizer, models, pre_tokenizers

from headstart import flow, ranking
from headstart.data import from_arrays, read_table
from headstart.flow.active_learning.coarse_features import COARSE_FEATURES
from headstart.modalities.fingerprints import fingerprint_text
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.strategies.text import cooccurrence, tfidf

TEXTS = ["l'été à côté du marché nº {}", "déjà décédé, santé précaire à l'hôpital {}", "việc làm ở Hà Nội số {}"]
FRENCH = [TEXTS[row % 3].format(row) for row in range(36)]

_WORDS = Tokenizer(models.WordLevel({"[UNK]": 0, "été": 1, "côté": 2, "déjà": 3}, "[UNK]"))
_WORDS.pre_tokenizer = pre_tokenizers.Whitespace()
TOKENIZER = _WORDS.to_str()


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def _table(path: Path, texts: list[str]) -> Path:
    rows = [f'"{text}",{"abc"[row % 3]}' for row, text in enumerate(texts)]
    path.write_text("\n".join(["text,label", *rows]) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("unicode")
    options = parse(AdaptOptions, strategy="classic", offline=True, time="1m")
    flow.adapt(_table(root / "fr.csv", FRENCH), root / "out", options)
    return root / "out"


def test_composed_and_decomposed_texts_get_the_same_answer(bundle: Path, tmp_path: Path) -> None:
    options = parse(PredictOptions, offline=True)
    answers = []
    for form in ("NFC", "NFD"):
        path = _table(tmp_path / "new.csv", [unicodedata.normalize(form, text) for text in FRENCH[:6]])
        flow.predict(bundle, [path], tmp_path / f"{form}.csv", options)
        script = [sys.executable, str(bundle / "bundle" / "predict.py"), str(path)]
        answers += [(tmp_path / f"{form}.csv").read_text("utf-8")]
        answers += [subprocess.run(script, capture_output=True, text=True, check=True).stdout]
    assert answers[0] == answers[2] and answers[1] == answers[3]


@pytest.mark.parametrize(
    "describe",
    [
        lambda text: from_arrays([text]).hashes.tolist(),
        lambda text: from_arrays([text]).inputs.tolist(),
        lambda text: fingerprint_text(text * 400).vectors.tolist(),
        lambda text: tfidf.normalise_texts([text], 9),
        lambda text: cooccurrence.learn_cooccurrence([text] * 3, 0).ngrams,
        lambda text: COARSE_FEATURES["text"](from_arrays([text, "x"])).tolist(),
        lambda text: ranking.measure_vocabulary_coverage(TOKENIZER, [text]).counts.tolist(),
    ],
    ids=["hash", "input", "near copies", "n-grams", "words", "rough", "vocabulary"],
)
def test_every_reader_of_texts_sees_one_form(describe: Callable[[str], object]) -> None:
    for text in FRENCH[:3]:
        assert describe(text) == describe(decomposed(text))


def test_one_text_in_two_forms_is_a_copy(tmp_path: Path) -> None:
    table = read_table(_table(tmp_path / "t.csv", [FRENCH[0], decomposed(FRENCH[0]), FRENCH[1]]))
    assert len(set(table.hashes)) == 2


def test_a_vocabulary_that_was_counted_in_parts_is_still_counted_so() -> None:
    """Bundles of earlier versions answer as they did."""
    text = decomposed("été")
    old = tfidf.Vectorizer(99, {"words": {text: 0}}, {"words": np.ones(1, np.float32)})
    assert old.blocks([text])[0].values.tolist() == [1.0]
    new = tfidf.Vectorizer(99, {"words": {"été": 0}}, {"words": np.ones(1, np.float32)})
    assert new.blocks([text])[0].values.tolist() == new.blocks(["été"])[0].values.tolist() == [1.0]


@needs_node
def test_the_page_counts_both_forms_alike(tmp_path: Path) -> None:
    pieces = {"words": [word for text in FRENCH[:3] for word in text.split()]}
    script = """
      const count = page.texts.makeNgramCounter(inputs.document);
      return inputs.texts.map((text) => Array.from(count(text)[0].data, Number));"""
    texts = [text for one in FRENCH[:3] for text in (one, decomposed(one))]
    found = run(tmp_path, script, {"texts": texts, "document": {"longest": 60, "pieces": pieces}})
    assert found[::2] == found[1::2] and all(len(ids) > 3 for ids in found)
    old = {"longest": 60, "pieces": {"words": [decomposed("été")]}}
    assert run(tmp_path, script, {"texts": [decomposed("été")], "document": old}) == [[0]]
