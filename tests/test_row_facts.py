"""Facts of rows are computed once: an image is decoded once for all checks, and not again by a second run."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from headstart import data, flow
from headstart.data.row_facts import describe_rows
from headstart.modalities import row_facts
from headstart.modalities.record import FileFacts
from headstart.options import AdaptOptions, CheckOptions, parse
from headstart.row_cache import list_entries, prune_cache


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADSTART_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often images were decoded, by the content of their file."""
    counts: Counter[bytes] = Counter()
    lock, load = threading.Lock(), ImageFile.ImageFile.load

    def count_load(opened: ImageFile.ImageFile) -> object:
        if opened.tile and opened.fp is not None:
            place = opened.fp.tell()
            opened.fp.seek(0)
            content = opened.fp.read()
            opened.fp.seek(place)
            with lock:
                counts[content] += 1
        return load(opened)

    monkeypatch.setattr(ImageFile.ImageFile, "load", count_load)
    return counts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """48 images of two classes; two of them have 16 bits, one a near copy, one is damaged after its header."""
    generator = np.random.default_rng(0)
    for number in range(48):
        path = tmp_path / "data" / ("dark", "light")[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = generator.integers(0, 120, (6, 5, 3)) + 130 * (number % 2)
        image = Image.fromarray(coarse.astype(np.uint8)).resize((200, 240), Image.Resampling.BICUBIC)
        if number < 2:
            image = Image.fromarray(np.asarray(image)[..., 0].astype(np.uint16) * 16)
        image.save(path)
        if number == 46:
            image.save(path.with_name("copy.jpg"), quality=80)
        if number == 47:
            path.write_bytes(path.read_bytes()[:2_000])
    return tmp_path / "data"


def list_contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.rglob("*.*")}


def test_check_decodes_each_image_once_and_a_second_run_none(
    fresh_home: Path, folder: Path, decodes: Counter[bytes]
) -> None:
    options = parse(CheckOptions, deep="off")
    table, findings = flow.check(folder, options)
    assert set(decodes) == list_contents(folder) and set(decodes.values()) == {1}
    assert {"near-duplicates", "value-range"} <= {item.kind for item in findings}
    decodes.clear()
    again, same_findings = flow.check(folder, options)
    assert not decodes and same_findings == findings
    assert again.near_duplicate_groups is not None and table.near_duplicate_groups is not None
    assert again.near_duplicate_groups.tolist() == table.near_duplicate_groups.tolist()


def test_adapt_decodes_each_image_once_for_facts_and_once_for_features(
    fresh_home: Path, folder: Path, decodes: Counter[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described: list[Image.Image] = []
    decode = row_facts.decode_opened
    monkeypatch.setattr(row_facts, "decode_opened", lambda *args: described.append(args[0]) or decode(*args))
    flow.adapt(folder, tmp_path / "out", parse(AdaptOptions, strategy="majority,linear-probe", offline=True))
    assert set(decodes) == list_contents(folder) and len(described) == len(decodes)
    usual_count = sorted(decodes.values())[len(decodes) // 4]
    assert usual_count == 2, "only rows that are timed, perturbed, compared or shown are decoded again"


def test_facts_are_the_same_from_the_cache_and_are_counted_and_pruned(fresh_home: Path, folder: Path) -> None:
    table = data.read_table(folder)
    computed, stored = describe_rows(table), describe_rows(table)
    for one, other, path in zip(computed, stored, table.inputs, strict=True):
        assert isinstance(one, FileFacts) and isinstance(other, FileFacts)
        assert np.array_equal(one.fingerprint.vectors, other.fingerprint.vectors)
        assert repr(one.properties) == repr(other.properties) and one.extremes == other.extremes
        assert one.digest == other.digest == row_facts.collect_image_facts(path).digest
    (entry,) = list_entries()
    assert (entry.base, entry.n_rows) == ("facts of images", len(table))
    assert [item.key for item in prune_cache(0)] == [entry.key] and list_entries() == []


def test_facts_of_a_file_that_changed_since_it_was_read_are_not_kept(fresh_home: Path, folder: Path) -> None:
    table = data.read_table(folder)
    Image.new("RGB", (90, 90)).save(str(table.inputs[5]))
    describe_rows(table.take(np.array([4, 5, 6])))
    assert [entry.n_rows for entry in list_entries()] == [2]


def test_a_damaged_shard_of_facts_is_computed_again(fresh_home: Path, folder: Path, decodes: Counter[bytes]) -> None:
    table = data.read_table(folder)
    facts = describe_rows(table)
    (shard,) = fresh_home.rglob("shard-*")
    shard.write_bytes(shard.read_bytes()[:-100])
    decodes.clear()
    again = describe_rows(table)
    assert len(decodes) == len(table) and repr(again[3].properties) == repr(facts[3].properties)


def test_facts_that_another_pillow_measured_are_not_used(
    fresh_home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = data.read_table(folder)
    describe_rows(table)
    monkeypatch.setattr("headstart.data.row_facts.PILLOW_VERSION", "1.0")
    describe_rows(table)
    assert [entry.n_rows for entry in list_entries()] == [len(table)] * 2


def test_no_rows_have_no_facts(fresh_home: Path, folder: Path) -> None:
    assert describe_rows(data.read_table(folder).take(np.zeros(0, dtype=np.intp))) == []
    assert list_entries() == []
