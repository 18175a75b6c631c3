"""Counterfactual pairs: what is changed, in which language, and that a user's file is read or refused clearly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.errors import OptionError
from headstart.modalities import MODALITIES
from headstart.modalities.counterfactual import FOLDER, list_edits, read_pairs, strip_accents


def change(
    modality: str, name: str, row: object, inputs: list[object] | None = None, swaps: Path | None = None
) -> object:
    edit = next(item for item in list_edits(MODALITIES[modality], inputs or [row], swaps) if item.name == name)
    return edit.change(row, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("He told his mother.", "gender-swapped", "She told her father."),
        ("JOHN saw the center", "names-swapped", "KWAME saw the center"),
        ("the center", "spelling-swapped", "the centre"),
        ("the centre", "spelling-swapped", "the center"),
        ("Shi da yaro", "gender-swapped", "Ita da yarinya"),
        ("ɗan ƙasa", "spelling-swapped", "dan kasa"),
        ("هو رجل", "gender-swapped", "هي امرأة"),
        ("Ọjọ́", "no-diacritics", "Ojo"),
        ("nothing here 123", "gender-swapped", None),
        ("sheep", "gender-swapped", None),
    ],
)
def test_words_are_swapped_whole_both_ways_and_in_the_same_case(text: str, name: str, expected: str | None) -> None:
    assert change("text", name, text) == expected


def test_only_the_language_that_occurs_most_is_swapped() -> None:
    texts = ["Il voit son frère et sa mère.", "Elle chante avec son père.", "il dort"]
    assert change("text", "gender-swapped", "he il", texts) == "he elle"


def test_every_language_has_pairs_of_every_kind_that_change_something() -> None:
    pairs = read_pairs(FOLDER / "swaps.csv")
    languages = {pair.language for pair in pairs}
    assert {"en", "fr", "es", "sw", "ar", "ha", "yo", "am"} <= languages
    for language in languages:
        assert {pair.kind for pair in pairs if pair.language == language} == {"name", "gender", "spelling"}
    assert all(pair.source != pair.target for pair in pairs)


def test_a_file_of_the_users_takes_the_place_of_the_lists(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("language,kind,match,from,to\nany,name,word,Wafula,Müller\n", encoding="utf-8")
    assert change("text", "names-swapped", "Wafula runs", swaps=path) == "Müller runs"
    assert change("text", "gender-swapped", "he runs", swaps=path) is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("language,kind\nen,name\n", "lacks the columns match, from, to"),
        ("", "holds no pairs"),
        (
            "language,kind,match,from,to\nen,colour,word,a,b\nen,name,word,,b\n",
            r"2 lines cannot be used \(line 2, line 3\)",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_lines(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(OptionError, match=said):
        read_pairs(path)


@pytest.mark.parametrize("modality", MODALITIES)
def test_changes_have_names_of_their_own_and_some_are_quick(modality: str) -> None:
    found = list_edits(MODALITIES[modality], ["he"])
    assert len({item.name for item in found}) == len(found) >= 5
    assert any(item.is_quick for item in found)


def test_pictures_change_as_they_say_and_keep_their_kind() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(60, 160, (40, 50, 3), dtype=np.uint8))
    before = np.asarray(picture, dtype=float)
    for edit in list_edits(MODALITIES["image"]):
        made = edit.change(picture, np.random.default_rng(0))
        assert made.mode == "RGB" and (edit.name == "border-cropped" or made.size == picture.size)
    dark, warm = (np.asarray(change("image", name, picture), dtype=float) for name in ("darker", "warmer"))
    assert np.mean(dark) == pytest.approx(0.7 * before.mean(), rel=0.02)
    assert (warm - before)[..., 0].mean() > 5 and (warm - before)[..., 2].mean() < -5
    assert change("image", "border-cropped", picture).size == (42, 34)


def test_series_change_as_they_say_and_keep_their_length() -> None:
    values = np.vstack([np.sin(np.arange(80) / 5), np.arange(80)]).astype(np.float32)
    assert np.allclose(change("series", "gain-up", values), 1.2 * values)
    assert np.allclose(change("series", "offset", values) - values, 0.3 * values.std(axis=1, keepdims=True), atol=1e-4)
    lost = np.isnan(change("series", "dropped-samples", values))
    assert 0 < lost.mean() < 0.3 and (lost[0] == lost[1]).all()
    assert change("series", "jitter", values).shape == values.shape
    assert np.array_equal(change("series", "jitter", values), change("series", "jitter", values))


def test_marks_are_taken_off_without_harm_to_letters_that_have_none() -> None:
    assert strip_accents("ካፌ naïve") == "ካፌ naive"
