"""The contract of the demo data: what is there after the installation, and that it stays the same."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart import demo
from headstart.demo import series

GOLDEN = Path(__file__).with_name("golden") / "demo.json"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return demo.write_demo_data(tmp_path_factory.mktemp("demo"))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_demo_data_covers_every_modality_and_nothing_else_is_written(written: dict[str, Path]) -> None:
    assert {kind: path.name for kind, path in written.items()} == {
        "image": "digits",
        "text": "feedback.csv",
        "series": "crops.csv",
    }
    folder = written["text"].parent
    assert sorted(path.name for path in folder.iterdir()) == ["crops.csv", "digits", "feedback.csv"]


def test_writing_twice_gives_the_same_bytes(written: dict[str, Path], tmp_path: Path) -> None:
    demo.write_demo_data(tmp_path / "again")
    first = everything(written["text"].parent)
    assert first == everything(tmp_path / "again")
    assert len(first) == 502


def test_messages_have_the_promised_columns_and_no_empty_or_repeated_text(written: dict[str, Path]) -> None:
    rows = read(written["text"])
    assert list(rows[0]) == ["text", "label", "language", "district", "date"]
    assert len(rows) == 300
    assert len({row["text"].casefold() for row in rows}) == 300
    assert all(value.strip() == value and value for row in rows for value in row.values())
    assert {date.fromisoformat(row["date"]).year for row in rows} == {2025}


def test_messages_are_balanced_over_categories_in_both_languages(written: dict[str, Path]) -> None:
    rows = read(written["text"])
    counts = Counter((row["label"], row["language"]) for row in rows)
    assert {label for label, _ in counts} == {"water", "health", "food", "roads", "school"}
    for language, expected in (("en", 180), ("sw", 120)):
        numbers = [count for (_, name), count in counts.items() if name == language]
        assert sum(numbers) == expected
        assert max(numbers) <= 1.5 * min(numbers)
    assert len({row["district"] for row in rows}) == 4


def test_messages_hold_no_numbers_long_enough_to_be_a_telephone_or_an_account(written: dict[str, Path]) -> None:
    longest = max(len(word) for row in read(written["text"]) for word in row["text"].split() if word.isdigit())
    assert longest <= 4


def test_digits_are_an_image_folder_with_twenty_training_pictures_a_class(written: dict[str, Path]) -> None:
    for split, count in (("train", 20), ("test", 30)):
        folders = sorted((written["image"] / split).iterdir())
        assert [folder.name for folder in folders] == [f"digit_{digit}" for digit in range(10)]
        assert {len(list(folder.glob("*.png"))) for folder in folders} == {count}
    with Image.open(written["image"] / "train" / "digit_0" / "000.png") as picture:
        assert (picture.size, picture.mode) == ((64, 64), "L")


def test_the_demo_data_has_its_golden_figures(written: dict[str, Path]) -> None:
    curves = {crop: [row for row in read(written["series"]) if row["label"] == crop] for crop in series.CROPS}
    values = {
        crop: [float(row[f"t{t}"]) for row in rows for t in range(36) if row[f"t{t}"]] for crop, rows in curves.items()
    }
    ink = [np.asarray(Image.open(path)).mean() for path in sorted(written["image"].rglob("*.png"))]
    found = {
        "feedback_sha256": hashlib.sha256(written["text"].read_bytes()).hexdigest(),
        "mean_greenness": {crop: round(float(np.mean(part)), 3) for crop, part in values.items()},
        "n_values": {crop: len(part) for crop, part in values.items()},
        "mean_grey_of_digits": round(float(np.mean(ink)), 1),
    }
    if os.environ.get("HEADSTART_GOLDEN") == "write":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_no_digit_stands_in_both_training_and_test(written: dict[str, Path]) -> None:
    pictures = [path.read_bytes() for path in written["image"].rglob("*.png")]
    assert len(set(pictures)) == len(pictures) == 500


def test_crops_are_a_wide_table_with_gaps(written: dict[str, Path]) -> None:
    rows = read(written["series"])
    assert list(rows[0]) == ["label", "site", *(f"t{step}" for step in range(36))]
    assert Counter(row["label"] for row in rows) == dict.fromkeys(series.CROPS, 40)
    assert {row["site"] for row in rows} == set(series.SITES)
    empty = sum(row[f"t{step}"] == "" for row in rows for step in range(36))
    assert 0.05 < empty / (len(rows) * 36) < 0.25


def test_the_simulator_gives_the_same_fields_for_the_same_seed_only() -> None:
    one, same, other = (
        series.simulate_fields(3, seed=5),
        series.simulate_fields(3, seed=5),
        series.simulate_fields(3, seed=6),
    )
    assert [row[:2] for row in one] == [row[:2] for row in same]
    np.testing.assert_array_equal(np.stack([row[2] for row in one]), np.stack([row[2] for row in same]))
    assert not np.array_equal(np.stack([row[2] for row in one]), np.stack([row[2] for row in other]), equal_nan=True)


def test_the_crops_can_be_told_apart_but_not_perfectly() -> None:
    def matrix(seed: int) -> tuple[np.ndarray, np.ndarray]:
        fields = series.simulate_fields(seed=seed)
        curves = np.stack([curve for *_, curve in fields])
        return np.where(np.isnan(curves), np.nanmean(curves, axis=0), curves), np.array([crop for crop, *_ in fields])

    train, labels = matrix(0)
    test, truth = matrix(1)
    nearest = labels[((test[:, None] - train[None]) ** 2).sum(axis=2).argmin(axis=1)]
    assert 0.6 < (nearest == truth).mean() < 0.97
