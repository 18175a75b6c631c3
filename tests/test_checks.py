"""Copies that are not exact, properties that tell the class, and labels that are wrong are found; sound data is not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from headstart import checks, data
from headstart.checks import check_split, confident_learning, properties, property_skill
from headstart.checks.label_errors import list_likely_wrong
from headstart.checks.order import sort_by_gravity
from headstart.checks.shortcuts import check_properties
from headstart.checks.wrong_labels import estimate_wrong_classes, estimate_wrong_numbers
from headstart.data.duplicates import near_duplicates
from headstart.flow.data_check.check import check
from headstart.modalities.record import Fingerprint
from headstart.modalities.row_facts import collect_image_facts
from headstart.options import AdaptOptions, CheckOptions, parse
from headstart.records import Index, Table, make_column
from headstart.results.findings import make_finding

REAL = Path(__file__).parents[2] / "shared" / "data"


def picture(seed: int, size: int = 120) -> Image.Image:
    """Blotches and a fine grain, as photographs have them."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(40, 216, (6, 6, 3), dtype=np.uint8)).resize((size, size), 3)
    grain = rng.normal(0, 12, (size, size, 3))
    return Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8))


def folder_of(root: Path, n: int) -> Path:
    for row in range(n):
        place = root / ("ripe" if row % 2 else "green")
        place.mkdir(parents=True, exist_ok=True)
        picture(row).save(place / f"{row:03d}.png")
    return root


def table_of(inputs: list[object], modality: str, labels: list[str] | None = None) -> Table:
    n = len(inputs)
    names = make_column([f"r{row}" for row in range(n)])
    blank = make_column([""] * n)
    said = make_column(labels or ["a", "b"] * (n // 2) + ["a"] * (n % 2))
    return Table(
        modality=modality,
        ids=names,
        inputs=make_column(inputs),
        hashes=make_column([f"h{row}" for row in range(n)]),
        labels=said,
        splits=blank,
    )


EDITS = {
    "compressed": lambda one, to: one.save(to, "JPEG", quality=40),
    "smaller": lambda one, to: one.resize((70, 70)).save(to, "PNG"),
    "brighter": lambda one, to: ImageEnhance.Brightness(one).enhance(1.2).save(to, "PNG"),
    "cropped": lambda one, to: one.crop((4, 4, 116, 116)).save(to, "PNG"),
    "cut at one corner": lambda one, to: one.crop((6, 0, 120, 114)).save(to, "PNG"),
    "mirrored": lambda one, to: ImageOps.mirror(one).save(to, "PNG"),
    "turned": lambda one, to: one.rotate(90).save(to, "PNG"),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_changed_copy_of_a_picture_is_found_and_no_other_picture_is(tmp_path: Path, name: str) -> None:
    folder_of(tmp_path, 12)
    EDITS[name](Image.open(tmp_path / "ripe" / "003.png"), tmp_path / "ripe" / "zz.png")
    table = data.read_table(tmp_path)
    found = near_duplicates.find_near_duplicates(table)
    named = {str(row) for row, family in zip(table.ids, found.groups, strict=True) if family}
    assert named == {"ripe/003.png", "ripe/zz.png"}


def test_blank_pictures_are_not_copies_of_each_other(tmp_path: Path) -> None:
    for row, shade in enumerate((10, 60, 200, 250)):
        place = tmp_path / ("a" if row % 2 else "b")
        place.mkdir(exist_ok=True)
        Image.new("RGB", (80, 80), (shade, shade, shade)).save(place / f"{row}.png")
    assert not any(near_duplicates.find_near_duplicates(data.read_table(tmp_path)).groups)


SENTENCES = [
    "The river rose over night and the road to the northern clinic is closed for every kind of truck.",
    "Teachers of the new school ask for sixty chairs, two blackboards and clean water before the term begins.",
    "Flour became dearer again this week, say three bakers at the old market near the station.",
]


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text.replace(",", " ;").replace(" ", "  "),
        lambda text: text.replace("new", "big").replace("night", "noon").replace("week", "month"),
        lambda text: text + " Thanks!",
    ],
)
def test_a_text_with_small_changes_is_a_copy_and_another_text_is_not(change: object) -> None:
    texts = [*SENTENCES, change(SENTENCES[1])]  # type: ignore[operator]
    found = near_duplicates.find_near_duplicates(table_of(texts, "text"))
    assert found.groups.tolist() == ["", "h1", "", "h1"]


def test_short_texts_are_copies_only_where_letters_and_digits_are_the_same() -> None:
    found = near_duplicates.find_near_duplicates(table_of(["Good day!", "good day", "good days", "bad day"], "text"))
    assert found.groups.tolist() == ["h0", "h0", "", ""]


def test_a_series_with_another_gain_and_offset_is_a_copy_and_another_of_its_kind_is_not() -> None:
    rng = np.random.default_rng(0)
    waves = [
        (np.sin(np.linspace(0, 6, 90) + shift) + rng.normal(0, 0.2, 90))[None].astype(np.float32)
        for shift in rng.uniform(0, 0.3, 20)
    ]
    copy = (3 * waves[4] + 7 + rng.normal(0, 0.003, 90)).astype(np.float32)
    found = near_duplicates.find_near_duplicates(table_of([*waves, copy], "series"))
    assert [row for row, family in enumerate(found.groups) if family] == [4, 20]


def test_many_rows_are_compared_in_buckets_and_the_copies_still_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "BLOCK_ROWS", 100)
    monkeypatch.setattr(near_duplicates, "SETTINGS", replace(near_duplicates.SETTINGS, bucket_rows=50))
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(600, 1, 16)).astype(np.float32)
    vectors[300:330] = vectors[:30] + 0.01 * rng.normal(size=(30, 1, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=2, keepdims=True)
    found = near_duplicates.find_similar_pairs([Fingerprint(one) for one in vectors], 0.99, 0)
    assert found == [(row, row + 300) for row in range(30)]


def test_families_stay_on_one_side_of_the_split_and_of_every_fold() -> None:
    rng = np.random.default_rng(0)
    words = [f"{stem}{end}" for stem in ("kala", "nuri", "tebo", "sime", "wozu") for end in "abcdefgh"]
    texts = [" ".join(rng.choice(words, 14)) for _ in range(40)]
    table = table_of([*texts, *(text + " again" for text in texts)], "text", ["a", "b"] * 40)
    parts = data.assign_splits(table, AdaptOptions())
    assert parts.splits[:40].tolist() == parts.splits[40:].tolist()
    assert set(parts.splits) == {"train", "test"}
    dealt = data.assign_folds(data.number_strata(parts), data.number_clusters(parts), 5, 0)
    assert dealt[:40].tolist() == dealt[40:].tolist()


def test_a_family_that_grows_implausibly_is_reported_and_does_not_swallow_the_split() -> None:
    rng = np.random.default_rng(0)
    base = SENTENCES[0] + " " + SENTENCES[1]
    texts = [f"{base} number {rng.integers(10**6)}" for _ in range(40)]
    parts = data.assign_splits(table_of(list(texts), "text"), AdaptOptions())
    assert len(np.unique(data.number_clusters(parts))) == 40
    (told,) = [item for item in checks.check_table(parts) if item.kind == "much-alike"]
    assert len(told.rows) == 40


def test_copies_across_a_given_split_and_across_labels_are_named() -> None:
    texts = [*SENTENCES, SENTENCES[0].lower(), SENTENCES[2].upper()]
    table = table_of(texts, "text", ["a", "b", "a", "b", "a"])
    given = data.add_near_duplicate_groups(
        Table(
            modality="text",
            ids=table.ids,
            inputs=table.inputs,
            hashes=table.hashes,
            labels=table.labels,
            splits=make_column(["train"] * 3 + ["test"] * 2),
        )
    )
    found = {item.kind: item for item in check_split(given, ())}
    assert found["near-duplicates-across-splits"].rows == ("r3", "r4")
    assert found["near-duplicates-across-splits"].severity == "warn"
    assert found["near-duplicates-across-labels"].rows == ("r0", "r3")


def test_a_coloured_border_is_found_and_named_and_plain_noise_is_not(tmp_path: Path) -> None:
    sound = check_properties(data.read_table(folder_of(tmp_path / "sound", 60)), (), 0)
    assert [item.kind for item in sound if item.kind == "shortcut"] == []
    planted = folder_of(tmp_path / "planted", 60)
    for path in (planted / "ripe").iterdir():
        ImageOps.expand(Image.open(path).crop((5, 5, 115, 115)), 5, (200, 30, 30)).save(path)
    (told,) = [item for item in check_properties(data.read_table(planted), (), 0) if item.kind == "shortcut"]
    assert told.severity == "warn"
    assert "border" in told.summary
    assert told.measure is not None
    assert 0.8 < told.measure.low <= told.measure.value <= 1.0


def test_a_column_that_tells_the_class_is_named_and_one_that_only_repeats_it_is_not() -> None:
    rng = np.random.default_rng(0)
    labels = ["a", "b"] * 50
    site = ["north" if (label == "a") != (rng.random() < 0.1) else "south" for label in labels]
    table = table_of([" ".join(rng.choice(list("kmnprst"), 9)) for _ in range(100)], "text", labels)
    columns = {
        "site": make_column(site),
        "copy": make_column(labels),
        "nurse": make_column(rng.choice(list("xyz"), 100).tolist()),
    }
    table = Table(
        modality="text",
        ids=table.ids,
        inputs=table.inputs,
        hashes=table.hashes,
        labels=table.labels,
        splits=table.splits,
        metadata=columns,
    )
    told = [item.summary for item in check_properties(table, (), 0) if item.kind == "shortcut"]
    assert len(told) == 1
    assert "'site'" in told[0]


def test_a_place_or_day_that_tells_every_class_is_the_gravest_shortcut_and_its_interval_is_no_point() -> None:
    labels = ["a", "b"] * 50
    table = table_of([f"text {row}" for row in range(100)], "text", labels)
    columns = {
        "site": make_column(["north" if label == "a" else "south" for label in labels]),
        "day": make_column([f"{1 + row % 28:02d}/{1 + row % 2:02d}/2024" for row in range(100)]),
        "copy": make_column([label.upper() for label in labels]),
    }
    table = Table(
        modality="text",
        ids=table.ids,
        inputs=table.inputs,
        hashes=table.hashes,
        labels=table.labels,
        splits=table.splits,
        metadata=columns,
    )
    told = [item for item in check_properties(table, (), 0) if item.kind == "shortcut"]
    assert [item.severity for item in told] == ["warn", "warn"]
    assert {"'site'" in item.summary for item in told} == {True, False}
    for item in told:
        assert item.measure is not None and item.measure.value == 1.0 and 0.9 < item.measure.low < 0.99


def test_the_day_a_picture_was_taken_on_is_read_from_the_file(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags.get_ifd(0x8769)[0x9003] = "2024:05:31 10:00:00"
    picture(0).save(tmp_path / "a.jpg", exif=tags)
    tags = Image.Exif()
    tags[0x0132] = "2024:06:01 10:00:00"
    picture(0).save(tmp_path / "b.jpg", exif=tags)
    one, other = (collect_image_facts(tmp_path / name).properties["recording date"][0] for name in ("a.jpg", "b.jpg"))
    assert other - one == 1
    picture(0).save(tmp_path / "c.png")
    assert np.isnan(collect_image_facts(tmp_path / "c.png").properties["recording date"][0])


def test_telling_by_chance_gives_an_interval_that_holds_chance() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 4, 400)
    _, alone = property_skill.rank_properties(
        {"x": rng.normal(size=(400, 2))}, codes, np.arange(400) % 5, clusters=None, seed=0
    )
    assert alone[0].balanced_accuracy.low <= 0.25 <= alone[0].balanced_accuracy.high
    assert alone[0].chance == 0.25


def test_dates_and_numbers_in_columns_are_read_as_numbers_and_names_of_files_are_left_out() -> None:
    n = 200
    table = table_of(["text"] * n, "text")
    days = make_column([f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in range(n)])
    columns = {
        "day": days,
        "age": make_column([str(row) for row in range(n)]),
        "file": make_column([f"f{row}" for row in range(n)]),
    }
    found = properties.read_metadata_properties(
        Table(
            modality="text",
            ids=table.ids,
            inputs=table.inputs,
            hashes=table.hashes,
            labels=table.labels,
            splits=table.splits,
            metadata=columns,
        )
    )
    assert set(found) == {"day", "age"}
    assert found["day"].shape == (n, 1)


def test_unreadable_pictures_have_unknown_properties_and_look_like_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "x.jpg"
    broken.write_bytes(b"no picture")
    facts = collect_image_facts(broken)
    assert np.isnan(facts.properties["brightness"][0]) and not facts.fingerprint.vectors.any()


def test_flipped_labels_stand_at_the_top_of_the_ranking() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, 300)
    p = np.eye(3)[true] * 0.7 + 0.1 + rng.uniform(0, 0.1, (300, 3))
    p /= p.sum(axis=1, keepdims=True)
    given = true.copy()
    given[:30] = (true[:30] + 1) % 3
    found = confident_learning.find_class_errors(given, p)
    assert set(found.order[:30].tolist()) == set(range(30))
    assert 25 <= found.n_suspect <= 30
    assert found.suggested[:30].astype(int).tolist() == true[:30].tolist()
    assert found.share.low <= 0.1 <= found.share.high


def test_rows_without_an_out_of_fold_prediction_are_not_ranked() -> None:
    p = np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8]])
    found = confident_learning.find_class_errors(np.array([0, 1, 1]), p)
    assert 1 not in found.order
    assert found.n_suspect == 0


def test_wrong_numbers_and_missing_labels_are_ranked_first() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(80, 1)).astype(np.float32)
    said = numbers.astype(np.float64) + rng.normal(0, 0.05, (80, 1))
    numbers[7] += 9
    found = confident_learning.find_number_errors(numbers, said)
    assert found.order[:1].tolist() == [7]
    assert found.n_suspect == 1
    marks = (rng.random((80, 2)) < 0.5).astype(np.float32)
    p = np.clip(marks.astype(np.float64), 0.1, 0.9)
    marks[5, 1] = 1 - marks[5, 1]
    several = confident_learning.find_multilabel_errors(marks, p)
    assert several.order[:1].tolist() == [5]
    assert several.suggested[5] == 1


def doubt_labels(sureness: float, planted: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Index]:
    """Draw labels from probabilities and exchange a share; return which were, and which are doubted and listed."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1, (800, 4)) * sureness
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    codes = (p.cumsum(axis=1) > rng.random((800, 1))).argmax(axis=1)
    exchanged = rng.random(800) < planted
    codes = np.where(exchanged, (codes + rng.integers(1, 4, 800)) % 4, codes)
    errors = confident_learning.find_class_errors(codes, p)
    return exchanged, errors.order[: errors.n_suspect], list_likely_wrong(errors, estimate_wrong_classes(codes, p))


def test_a_model_that_is_often_wrong_lists_no_label() -> None:
    for planted in (0.0, 0.05):
        _, doubted, listed = doubt_labels(sureness=1.0, planted=planted)
        assert len(doubted) > 100
        assert len(listed) == 0


def test_a_good_model_lists_exchanged_labels_and_says_how_many_are_wrong() -> None:
    assert len(doubt_labels(sureness=12.0, planted=0.0)[2]) == 0
    for seed in range(3):
        exchanged, _, listed = doubt_labels(sureness=12.0, planted=0.06, seed=seed)
        assert exchanged[listed].sum() > 0.5 * exchanged.sum()
        assert exchanged[listed].mean() > 0.5


def test_the_expected_share_of_wrong_labels_is_about_the_true_one() -> None:
    rng = np.random.default_rng(5)
    true = rng.integers(0, 3, 600)
    logits = 5.0 * np.eye(3)[true] + rng.normal(0, 2.0, (600, 3))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    exchanged = rng.random(600) < 0.05
    codes = np.where(exchanged, (true + 1) % 3, true)
    errors, wrong = confident_learning.find_class_errors(codes, p), estimate_wrong_classes(codes, p)
    listed = list_likely_wrong(errors, wrong)
    expected = wrong.take(listed).expected_share()
    assert 10 < len(listed) < 60
    assert expected.low <= exchanged[listed].mean() + 0.1
    assert abs(expected.value - exchanged[listed].mean()) < 0.15


def test_numbers_are_listed_where_errors_are_longer_than_their_tails() -> None:
    rng = np.random.default_rng(0)
    said = rng.normal(0, 10, (300, 1))
    numbers = (said + rng.laplace(0, 0.5, (300, 1))).astype(np.float32)
    errors = confident_learning.find_number_errors(numbers, said)
    assert len(list_likely_wrong(errors, estimate_wrong_numbers(numbers, said))) == 0
    numbers[:12] = rng.permutation(numbers[:12]) + 15
    errors = confident_learning.find_number_errors(numbers, said)
    listed = list_likely_wrong(errors, estimate_wrong_numbers(numbers, said))
    assert np.count_nonzero(listed < 12) >= 8
    assert np.count_nonzero(listed >= 12) <= 2


def test_doubted_labels_are_never_the_first_finding_of_their_kind() -> None:
    findings = [make_finding("label-errors", "x", severity="warn"), make_finding("resolution", "y", severity="warn")]
    assert [item.kind for item in sort_by_gravity(findings)] == ["resolution", "label-errors"]


def test_check_gives_the_gravest_first_and_says_what_it_did_not_look_for(tmp_path: Path) -> None:
    rows = ["text,label,split"]
    rows += [f'"{text} {number}",{"ab"[number % 2]},train' for number, text in enumerate(SENTENCES * 4)]
    rows += [f'"{SENTENCES[0]} 0",a,test', f'"{SENTENCES[1]} x",b,test']
    path = tmp_path / "t.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    _, found = check(path, parse(CheckOptions, deep="off"))
    severities = [item.severity for item in found]
    assert severities == sorted(severities, key=["stop", "warn", "note"].index)
    assert found[0].kind == "duplicates-across-splits"
    assert all(
        set(json.loads(json.dumps(item.as_dict()))) >= {"kind", "n_rows", "rows", "severity", "measure", "advice"}
        for item in found
    )


@pytest.mark.real
@pytest.mark.parametrize(
    "name", ["sign_digits", "ucr/ECG200.parquet", "ucr/ItalyPowerDemand.parquet", "covid_xray_audit"]
)
def test_real_sets_in_which_rows_are_alike_do_not_collapse(name: str) -> None:
    if not (REAL / name).exists():
        pytest.skip(f"needs {name} of the shared data")
    table = data.read_table(REAL / name)
    some = table.take(np.arange(0, len(table), max(1, len(table) // 300)))
    found = near_duplicates.find_near_duplicates(some)
    assert not found.implausible_groups
    assert sum(bool(family) for family in found.groups) <= 0.02 * len(some)


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: f"{check.stage}: {check.code}")
def test_every_check_applies_only_where_what_it_needs_is_there(check: checks.Check) -> None:
    empty = Table(
        modality="text", **{name: make_column([]) for name in ("ids", "inputs", "hashes", "splits")}, labels=None
    )
    assert check.applies(checks.CheckInputs(table=empty)) is not bool(check.needs)


def test_near_duplicates_are_reported_once_the_splits_are_decided_and_not_again(tmp_path: Path) -> None:
    table = data.read_table(folder_of(tmp_path / "sound", 8))
    assert not {item.kind for item in checks.check_table(table)} & {"near-duplicates", "near-duplicates-across-splits"}
    twice = make_column(["a" if row in (0, 1) else "" for row in range(len(table))])
    decided = replace(table, near_duplicate_groups=twice)
    (finding,) = checks.check_split(decided, ())
    assert finding.kind == "near-duplicates" and checks.check_split(decided, (finding,)) == ()
