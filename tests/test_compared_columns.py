"""Which columns are compared without being asked, how they are cut into bands, and which gap is named first."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from headstart.data.grouping.columns import choose_compared_columns, find_compared_names
from headstart.errors import UnknownName
from headstart.evaluation.fairness.groups import AnsweredRows, score_groups
from headstart.evaluation.fairness.harm import order_by_harm
from headstart.modalities.languages import LANGUAGE_NAMES, detect_languages
from headstart.records import Column, Predictions, Table, make_column
from headstart.report.group_names import describe_other_columns
from headstart.report.sentences import write_sentence
from headstart.results import Result

N = 120


def table_of(metadata: dict[str, list[object]], **changes: object) -> Table:
    n = len(next(iter(metadata.values())))
    texts = [f"row {at}" for at in range(n)]
    return Table(
        **{
            "modality": "text",
            "ids": make_column(texts),
            "inputs": make_column(texts),
            "hashes": make_column(texts),
            "labels": make_column([f"class {at % 2}" for at in range(n)]),
            "splits": make_column(["train"] * n),
            "metadata": {name: make_column(values) for name, values in metadata.items()},
            **changes,
        }
    )


def choose(metadata: dict[str, list[object]], **options: object) -> tuple[dict[str, str], dict[str, str]]:
    """Return the origin of each compared column, and why the others are not."""
    table = table_of(metadata)
    chosen = choose_compared_columns(table, np.arange(len(table)), **options)
    return {item.name: item.origin for item in chosen.columns}, dict(chosen.left_alone)


RNG = np.random.default_rng(0)
COLUMNS: dict[str, list[object]] = {
    "sex": ["fm"[at % 3 == 0] for at in range(N)],
    "visit": [f"2025-{1 + at % 4:02d}-0{1 + at % 9}" for at in range(N)],
    "weight": [f"{value:.2f}" for value in RNG.normal(60, 9, N)],
    "phone": [f"0{700000000 + at * 3571}" for at in range(N)],
    "reach": [f"p{at}@example.org" if at % 5 else "" for at in range(N)],
    "patient_name": ["AB"[at % 2] for at in range(N)],
    "case_id": [str(90 + 7 * at) for at in range(N)],
    "note": [f"note number {at}" for at in range(N)],
    "remark": [
        ("the long answer of a survey, word for word, as it was read out " * 2) + "ab"[at // 60] for at in range(N)
    ],
    "site": ["one place"] * N,
    "answer": [f"is {at % 2}" for at in range(N)],
    "sexe": ["hf"[at % 3 == 0] for at in range(N)],
}


def test_columns_of_few_values_are_compared_and_those_that_name_persons_are_not() -> None:
    origins, left_alone = choose(COLUMNS)
    assert origins == {"sex": "column", "visit": "date", "weight": "number"}
    assert left_alone == {
        "phone": "personal", "reach": "personal", "patient_name": "personal", "case_id": "many-values",
        "note": "many-values", "remark": "free-text", "site": "one-value", "answer": "label", "sexe": "same",
    }  # fmt: skip


def test_named_columns_are_compared_whatever_they_hold_and_none_switches_it_off() -> None:
    assert choose(COLUMNS, compare=("none",)) == ({}, {})
    assert choose(COLUMNS, groups=("patient_name",), compare=("none",))[0] == {"patient_name": "named"}
    assert choose(COLUMNS, compare=("weight,patient_name",))[0] == {"weight": "number", "patient_name": "column"}
    with pytest.raises(UnknownName, match="no column to compare 'sax'") as caught:
        find_compared_names(table_of(COLUMNS), ("sax",))
    assert "Did you mean 'sex'" in caught.value.hint


def test_only_so_many_columns_are_compared_and_the_rest_is_named() -> None:
    columns = {f"c{at}": RNG.integers(0, 3, N).astype(str).tolist() for at in range(11)}
    origins, left_alone = choose(columns)
    assert len(origins) == 8
    assert left_alone == dict.fromkeys(("c8", "c9", "c10"), "limit")


def periods(dates: list[object]) -> set[str]:
    table = table_of({"when": dates})
    (column,) = choose_compared_columns(table, np.arange(len(table))).columns
    return set(column.values)


def test_dates_are_months_where_these_have_enough_rows_else_longer_periods() -> None:
    assert periods([f"2025-0{1 + at % 3}-{1 + at % 28:02d}" for at in range(N)]) == {"2025-01", "2025-02", "2025-03"}
    days = [f"2025-{1 + at % 12:02d}-{1 + at % 28:02d}" for at in range(N)]
    assert periods(days) == {"2025-01 – 2025-03", "2025-04 – 2025-06", "2025-07 – 2025-09", "2025-10 – 2025-12"}


def test_numbers_become_thirds_with_their_bounds() -> None:
    table = table_of({"age": [*map(str, range(30, 90)), *[""] * 4, *map(str, range(30, 90))]})
    (column,) = choose_compared_columns(table, np.arange(len(table))).columns
    names, counts = np.unique(column.values.astype(str), return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {"": 4, "49 – 69": 40, "> 69": 40, "≤ 49": 40}


def test_source_folders_are_compared_unless_they_are_classes_or_splits(tmp_path: Path) -> None:
    def folder_origin(pattern: str) -> list[str]:
        paths = [
            tmp_path / pattern.format(label=at % 2, site=at // 30, at=at, split=("train", "test")[at // 60])
            for at in range(N)
        ]
        table = table_of({"x": ["1"] * N}, modality="image", inputs=make_column(paths))
        return [item.name for item in choose_compared_columns(table, np.arange(N)).columns]

    assert folder_origin("class {label}/site {site}/{at}.jpg") == ["folder"]
    assert folder_origin("site {site}/class {label}/{at}.jpg") == ["folder"]
    assert folder_origin("{split}/class {label}/{at}.jpg") == []


SWAHILI = "Wazee hawawezi kusimama kwenye foleni ya mgao wa chakula"
HAUSA = "Mutane suna bukatar ruwa mai tsafta a wannan garin yanzu"
AMHARIC = "ሰዎች ንጹህ ውሃ ይፈልጋሉ ብለዋል፤ በከተማው ውስጥ ውሃ የለም"


def test_languages_are_told_from_long_texts_and_never_brought_in_by_short_ones() -> None:
    english = ["The water in the tank has been dirty for two weeks now"] * 30
    told = detect_languages(
        [*english, *[SWAHILI] * 8, *[HAUSA] * 8, *[AMHARIC] * 8, "maji", "ok", "12 !", "@a http://b.c"]
    )
    assert told[:30] == ["English"] * 30
    assert told[30:54] == ["Swahili"] * 8 + ["Hausa"] * 8 + ["Amharic"] * 8
    assert told[-2:] == ["", ""]
    assert set(detect_languages([*english, *["maji yako wapi"] * 20])) <= {"English", ""}


def test_without_the_library_no_language_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid", None)
    monkeypatch.setattr("headstart.modalities.languages.knows_languages", lambda: False)
    assert detect_languages([SWAHILI] * 9) == [""] * 9


def test_every_language_that_the_library_tells_has_a_name() -> None:
    langid = pytest.importorskip("py3langid.langid")
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE)
    assert set(identifier.nb_classes) - {"zxx"} <= set(LANGUAGE_NAMES)


def two_columns() -> tuple[dict[str, Column], np.ndarray, Predictions]:
    """Right on all but most rows of one language, which is nearly all of one district."""
    language = np.array(["en"] * 80 + ["sw"] * 40, dtype=object)
    district = np.array(["north"] * 84 + ["south"] * 36, dtype=object)
    right = np.array([True] * 80 + [at % 4 == 0 for at in range(40)])
    probabilities = np.eye(2)[np.where(right, 0, 1)]
    predictions = Predictions(ids=np.arange(120).astype(object), classes=("a", "b"), probabilities=probabilities)
    coin = np.random.default_rng(1).permutation(np.array(["x", "y"] * 60, dtype=object))
    return {"coin": coin, "district": district, "language": language}, right, predictions


def test_the_worst_gap_stands_first_and_the_same_gap_is_named_once() -> None:
    columns, right, predictions = two_columns()
    answers = AnsweredRows(np.array([True] * 80 + [False] * 40), right)
    groups = score_groups(np.zeros(120, dtype=int), predictions, columns, clusters=None, seed=0, answers=answers)
    ordered = order_by_harm(groups, columns)
    assert [(part.column, part.same_as) for part in ordered] == [
        ("language", ""),
        ("district", "language"),
        ("coin", ""),
    ]
    english, swahili = ordered[0].values
    assert english.answered and english.answered.value == 1.0
    assert english.answered_right and english.answered_right.value == 1.0
    assert swahili.answered and swahili.answered.value == 0.0
    assert swahili.answered_right is None
    assert "For Swahili the model was right 25 % of the time, for English 100 %" in write_sentence(ordered[0])
    assert "most of these rows are those of the gap in language" in write_sentence(ordered[1])


def test_columns_without_a_gap_are_named_in_one_sentence() -> None:
    columns, _, predictions = two_columns()
    groups = score_groups(np.zeros(120, dtype=int), predictions, columns, clusters=None, seed=0)
    unasked = [part.model_copy(update={"origin": "column"}) for part in groups]
    document = Result.model_construct(groups=unasked, columns_left_alone={"phone": "personal", "x": "one-value"})
    assert describe_other_columns(document) == [
        "Compared without a difference that chance does not explain: coin.",
        "Left alone, because they name persons or ways to reach them: phone.",
    ]
