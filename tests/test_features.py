"""The one pass: cached by content, resumable after a kill, safe for two processes, silent about corrupt files never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart import bases, data, features
from headstart import row_cache as cache
from headstart.bases import Backbone, BaseRequest
from headstart.errors import DataError
from headstart.features import chunks, memory, openvino_runtime, runtimes
from headstart.features.activations import ActivationCache
from headstart.features.cache import FeatureCache
from headstart.options import ReadOptions
from headstart.records import Table, make_column


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return bases.load_base("default", BaseRequest(modality="image", offline=True))


def read(folder: Path) -> Table:
    return data.read_table(folder, ReadOptions())


def test_a_second_run_computes_nothing_and_gives_the_same(image_folder: Path, backbone: Backbone) -> None:
    table = read(image_folder)
    first = features.extract_features(table, backbone, "float32")
    again = features.extract_features(table, backbone, "float32")
    assert again.n_computed == 0
    np.testing.assert_array_equal(first.features.final, again.features.final)
    assert first.features.final.shape == (48, 1280)
    assert first.descriptors is not None and len(first.descriptors) == 48


def test_only_new_rows_are_computed_and_equal_content_only_once(
    fresh_home: Path, image_folder: Path, backbone: Backbone
) -> None:
    table = read(image_folder)
    features.extract_features(table.take(np.arange(40)), backbone, "float32")
    doubled = table.take(np.asarray([*range(48), 47, 47]))
    doubled = replace(doubled, ids=make_column([str(i) for i in range(50)]))
    found = features.extract_features(doubled, backbone, "float32")
    assert found.n_computed == 8
    np.testing.assert_array_equal(found.features.final[47], found.features.final[49])


def test_features_do_not_depend_on_what_stands_beside_a_row(fresh_home: Path, text_table: Path) -> None:
    base = bases.load_base("default", BaseRequest(modality="text", offline=True))
    table = read(text_table)
    whole = features.extract_features(table, base, "float32").features.final
    cache.prune_cache(0)
    alone = features.extract_features(table.take(np.asarray([7])), base, "float32").features.final
    np.testing.assert_allclose(whole[7], alone[0], atol=1e-5)


def test_a_corrupt_image_is_named_and_set_aside(tmp_path: Path, image_folder: Path, backbone: Backbone) -> None:
    import shutil

    shutil.copytree(image_folder, tmp_path / "p")
    victim = tmp_path / "p" / "class-1" / "03.png"
    raw = victim.read_bytes()
    victim.write_bytes(raw[: len(raw) // 2])
    found = features.extract_features(read(tmp_path / "p"), backbone, "float32")
    assert [item.id for item in found.set_aside] == ["class-1/03.png"]
    assert "03.png" in found.set_aside[0].reason
    assert len(found.features) == len(found.readable_rows) == 47


def test_without_time_some_rows_are_late_and_the_next_run_goes_on(
    fresh_home: Path, text_table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bases.load_base("default", BaseRequest(modality="text", offline=True))
    table = read(text_table)
    monkeypatch.setattr(chunks, "SETTINGS", replace(chunks.SETTINGS, chunk_bytes=1))
    first = features.extract_features(table, base, "float32", seconds=1e-9)
    assert len(first.late) == len(table) - 32 and len(first.readable_rows) == first.n_computed == 32
    again = features.extract_features(table, base, "float32")
    assert again.late == () and again.n_computed == len(table) - 32


def test_nothing_readable_is_an_error(tmp_path: Path, backbone: Backbone) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG broken")
    table = Table(
        modality="image",
        ids=make_column(["a"]),
        inputs=make_column([tmp_path / "a.png"]),
        hashes=make_column(["0" * 64]),
        labels=None,
        splits=make_column([""]),
        source="here",
    )
    with pytest.raises(DataError, match="None of the 1 inputs"):
        features.extract_features(table, backbone, "float32")


def test_a_damaged_shard_is_dropped_and_computed_again(fresh_home: Path) -> None:
    store = FeatureCache("ab" * 20, {"base": "x"})
    hashes = [f"{number:064x}" for number in range(3)]
    store.add_features(hashes, np.eye(3, dtype=np.float32), {})
    shard = next(store.folder.glob("shard-*"))
    shard.write_bytes(shard.read_bytes()[:50])
    fresh = FeatureCache("ab" * 20, {"base": "x"})
    assert fresh.find_missing(hashes) == hashes
    assert not shard.exists()


def test_a_shard_with_one_changed_value_is_dropped_before_it_is_used(fresh_home: Path) -> None:
    store = FeatureCache("ab" * 20, {"base": "x"})
    hashes = [f"{number:064x}" for number in range(3)]
    store.add_features(hashes[:2], np.eye(2, dtype=np.float32), {})
    shard = next(store.folder.glob("shard-*"))
    raw = bytearray(shard.read_bytes())
    raw[raw.index(np.eye(2, dtype=np.float32).tobytes())] ^= 1
    store.add_features(hashes[2:], np.ones((1, 2), dtype=np.float32), {})
    shard.write_bytes(raw)
    fresh = FeatureCache("ab" * 20, {"base": "x"})
    assert fresh.find_missing(hashes) == hashes[:2] and not shard.exists()
    assert fresh.get_features(hashes[2:]).tolist() == [[1, 1]]


def test_a_shard_that_cannot_be_read_just_now_is_not_removed(fresh_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FeatureCache("ab" * 20, {"base": "x"})
    hashes = ["0" * 64]
    store.add_features(hashes, np.ones((1, 2), dtype=np.float32), {})
    shard = next(store.folder.glob("shard-*"))
    whole = Path.open

    def refuse(path: Path, *rest: Any, **options: Any) -> Any:
        if path == shard:
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path, *rest, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert FeatureCache("ab" * 20, {"base": "x"}).find_missing(hashes) == hashes and shard.exists()
    assert FeatureCache("ab" * 20, {"base": "x"}).find_missing(hashes) == []


def test_features_of_any_memory_order_come_back_as_they_were_in_memory(fresh_home: Path) -> None:
    """More rows than dimensions and fewer; safetensors 0.8 writes the memory of an array as it lies."""
    for rows, dims in ((40, 3), (3, 40)):
        values = np.asfortranarray(np.random.default_rng(0).normal(size=(rows, dims)).astype(np.float32))
        hashes = [f"{number:064x}" for number in range(rows)]
        store = FeatureCache(f"{rows:040x}", {"base": "x"})
        store.add_features(hashes, values, {"stage-0": values})
        np.testing.assert_array_equal(store.get_features(hashes), values)
        np.testing.assert_array_equal(store.get_features(hashes, "stage-0"), values.astype(np.float16))


@pytest.mark.parametrize("shape", [(1, 8, 5, 6), (7, 4)])
def test_activations_of_any_memory_order_come_back_as_they_were_in_memory(
    fresh_home: Path, shape: tuple[int, ...]
) -> None:
    """A batch of pictures lies with its channels last, and every row of it is a view into that memory."""
    batch = np.random.default_rng(0).normal(size=(5, *shape[1:])).astype(np.float16)
    lies = np.moveaxis(np.moveaxis(batch, 1, -1).copy(), -1, 1)
    rows = [lies[at : at + 1] for at in range(5)] if len(shape) == 4 else [lies.T.copy().T for _ in range(5)]
    store = ActivationCache("ab" * 20, {"base": "x"})
    hashes = [f"{number:064x}" for number in range(5)]
    store.add_rows(hashes, rows)
    fresh = ActivationCache("ab" * 20, {"base": "x"})
    assert fresh.find_missing(hashes) == []
    for back, row in zip(fresh.read_rows(hashes), rows, strict=True):
        np.testing.assert_array_equal(back, row)


def test_what_an_earlier_version_kept_is_listed_never_read_and_pruned_first(fresh_home: Path) -> None:
    store = FeatureCache("ab" * 20, {"base": "x"})
    store.add_features(["0" * 64], np.ones((1, 2), dtype=np.float32), {})
    store.folder.parent.rename(fresh_home / "features" / "v1")
    assert FeatureCache("ab" * 20, {"base": "x"}).find_missing(["0" * 64]) == ["0" * 64]
    (entry,) = cache.list_entries()
    assert not entry.is_current
    assert [item.key for item in cache.prune_cache(30.0)] == ["ab" * 20] and cache.list_entries() == []


def test_two_writers_of_one_cache_do_not_harm_each_other(fresh_home: Path) -> None:
    first, second = (FeatureCache("cd" * 20, {"base": "x"}) for _ in range(2))
    hashes = [f"{number:064x}" for number in range(4)]
    first.add_features(hashes[:3], np.arange(3, dtype=np.float32)[:, None], {"stage-0": np.full((3, 1), 7e9)})
    second.add_features(hashes[1:], np.arange(1, 4, dtype=np.float32)[:, None], {"stage-0": np.zeros((3, 1))})
    third = FeatureCache("cd" * 20, {"base": "x"})
    assert third.find_missing(hashes) == []
    assert third.get_features(hashes[::-1]).ravel().tolist() == [3, 2, 1, 0]
    assert np.isfinite(first.get_features(hashes[:1], "stage-0")).all()


def test_the_cache_lists_and_prunes(fresh_home: Path) -> None:
    FeatureCache("ef" * 20, {"base": "somebody"}).add_features(["0" * 64], np.ones((1, 2), dtype=np.float32), {})
    (entry,) = cache.list_entries()
    assert (entry.base, entry.n_rows) == ("somebody", 1)
    assert cache.prune_cache(1.0) == []
    assert len(cache.prune_cache(0.0)) == 1
    assert cache.list_entries() == []


def test_batches_keep_within_rows_and_cost() -> None:
    extractor = replace(
        features.DESCRIPTOR_EXTRACTORS["image"]({}), batch_rows=4, batch_cost=20, cost=lambda row: len(row[0])
    )
    costs = [9, 2, 3, 50, 4, 4, 9, 1]
    found = list(chunks.cut_batches(costs, extractor))
    assert sorted(int(i) for index in found for i in index) == list(range(8))
    for index in found:
        assert len(index) <= 4
        assert len(index) == 1 or len(index) * max(costs[i] for i in index) <= 20


def test_runtimes_that_disagree_are_not_chosen(
    fresh_home: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = runtimes.RUNTIMES[runtimes.REFERENCE]

    def wrong(base: Backbone) -> runtimes.Run:
        run = reference.open(base)
        return lambda *arrays: tuple(part * 1.5 for part in run(*arrays))

    table = {"torch-float32": reference, "bad": replace(reference, name="bad", open=wrong)}
    monkeypatch.setattr(runtimes, "RUNTIMES", table)
    batch = [np.zeros((2, 3, 224, 224), dtype=np.float32)]
    assert (
        runtimes.choose_fastest(backbone, batch, 2.0, precision="auto", limits=(0.01, float("inf"))).name
        == "torch-float32"
    )
    assert runtimes.read_runtime_choice(backbone, "auto") is not None


def test_without_time_to_compare_runtimes_one_is_taken_for_this_process_and_not_written(
    fresh_home: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = runtimes.RUNTIMES[runtimes.REFERENCE]

    def never(base: Backbone) -> runtimes.Run:
        raise AssertionError("opened without time")

    table = {"torch-float32": reference, "slow": replace(reference, name="slow", open=never)}
    monkeypatch.setattr(runtimes, "RUNTIMES", table)
    monkeypatch.setattr(runtimes, "_HURRIED", {})
    batch = [np.zeros((2, 3, 224, 224), dtype=np.float32)]
    hurried = runtimes.choose_fastest(backbone, batch, 2.0, precision="auto", limits=(0.01, 0.0))
    assert hurried.name == "torch-float32" and runtimes.read_runtime_choice(backbone, "auto") == hurried
    assert not list(fresh_home.rglob("runtimes/*.json"))


@pytest.mark.parametrize("name", list(runtimes.RUNTIMES))
def test_every_float32_runtime_here_agrees_with_the_reference(
    name: str, backbone: Backbone, image_folder: Path
) -> None:
    runtime = runtimes.RUNTIMES[name]
    if not runtime.available() or runtime.numerics != "float32":
        pytest.skip(f"{name} is not available here, or is of half precision and judged on real rows")
    modality = chunks.MODALITIES["image"]
    paths = sorted(image_folder.rglob("*.png"))[:4]
    rows = [modality.prepare(modality.load(path, backbone.spec), backbone.spec) for path in paths]
    batch = modality.collate(rows, backbone.spec)
    expected = runtimes.RUNTIMES[runtimes.REFERENCE].open(backbone)(*batch)
    assert runtimes.measure_relative_error(expected, runtime.open(backbone)(*batch)) <= runtime.tolerance


def test_a_large_network_is_freed_once_it_is_converted_and_built_again_alike(
    fresh_home: Path, text_table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bases.load_base("default", BaseRequest(modality="text", offline=True))
    assert base.module is not None
    monkeypatch.setattr(memory, "SETTINGS", replace(memory.SETTINGS, released_bytes=1))
    before = {name: value.numpy().copy() for name, value in base.module().state_dict().items()}
    network = weakref.ref(base.module())
    openvino_runtime.convert_backbone(base)
    assert network() is None
    for name, value in base.module().state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])


def test_products_of_8_bits_give_nearly_the_same_features_of_texts(fresh_home: Path, text_table: Path) -> None:
    base = bases.load_base("default", BaseRequest(modality="text", offline=True))
    modality = chunks.MODALITIES["text"]
    rows = [modality.prepare(modality.load(text, base.spec), base.spec) for text in read(text_table).inputs[:8]]
    batch = modality.collate(rows, base.spec)
    expected = runtimes.RUNTIMES[runtimes.REFERENCE].open(base)(*batch)
    error = runtimes.measure_relative_error(expected, runtimes.RUNTIMES["openvino-int8"].open(base)(*batch))
    assert 0 < error < 0.1  # MiniLM is beyond the tolerance, so it is never taken for it; mE5 is within.


def test_a_runtime_of_8_bits_that_rounds_nothing_is_not_chosen(
    fresh_home: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = runtimes.RUNTIMES[runtimes.REFERENCE]
    same = replace(runtimes.RUNTIMES["openvino-int8"], available=lambda: True, open=reference.open)
    monkeypatch.setattr(runtimes, "RUNTIMES", {same.name: same, reference.name: reference})
    batch = [np.zeros((2, 3, 224, 224), dtype=np.float32)]
    chosen = runtimes.choose_fastest(backbone, batch, 2.0, precision="auto", limits=(0.01, float("inf")))
    assert chosen.name == runtimes.REFERENCE


def test_a_network_has_its_own_copy_of_the_weights() -> None:
    base = bases.load_base("default", BaseRequest(modality="text", offline=True))
    assert base.module is not None
    fingerprint = base.parts.fingerprint()
    for parameter in base.module().parameters():
        parameter.data.zero_()
    assert base.parts.fingerprint() == fingerprint == base.fingerprint


def test_one_runtime_is_open_at_a_time_while_they_are_compared(
    fresh_home: Path, backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    most: list[int] = []

    class Opened:
        def __init__(self) -> None:
            alive.add(self)
            most.append(len(alive))

        def __call__(self, *arrays: Any) -> tuple[Any, ...]:
            return (np.ones((1, 4), dtype=np.float32),)

    always = {"available": lambda: True, "open": lambda backbone: Opened()}
    monkeypatch.setattr(
        runtimes, "RUNTIMES", {name: replace(item, **always) for name, item in runtimes.RUNTIMES.items()}
    )
    runtimes.choose_fastest(backbone, [np.ones((1, 3), dtype=np.float32)], 1.0, "auto", (0.0, np.inf))
    assert len(most) > 3
    assert max(most) == 1


def test_a_frozen_base_is_bit_identical_after_the_pass(image_folder: Path, backbone: Backbone) -> None:
    assert backbone.module is not None
    before = {name: value.clone() for name, value in backbone.module().state_dict().items()}
    cache.prune_cache(0)
    features.extract_features(read(image_folder), backbone, "float32")
    after = backbone.module().state_dict()
    assert all((after[name] == value).all() for name, value in before.items())


def test_openvinos_usage_reports_are_never_loaded(tmp_path: Path) -> None:
    code = """
        import sys, socket
        def refused(*args, **kwargs): raise SystemExit("a socket was opened")
        socket.socket.connect = refused
        socket.getaddrinfo = refused
        from headstart.features.openvino_runtime import import_openvino
        import_openvino().Core()
        loaded = [name for name in sys.modules if name.startswith("openvino_telemetry") and sys.modules[name]]
        assert not loaded, loaded
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=120)


def test_a_kill_in_the_middle_loses_only_the_shard_in_work(tmp_path: Path) -> None:
    """Extraction is killed (SIGKILL) once the first shard is there; what is left needs fewer rows, nothing is half."""
    table = tmp_path / "many.csv"
    rows = [f"message number {number} says the road is wet,{'ab'[number % 2]}" for number in range(2_600)]
    table.write_text("text,label\n" + "\n".join(rows) + "\n")
    code = f"""
        from pathlib import Path
        from headstart import bases, data, features
        from dataclasses import replace
        from headstart.features import extraction
        from headstart.options import ReadOptions
        extraction.SETTINGS = replace(extraction.SETTINGS, shard_rows=200)
        base = bases.load_base("default", bases.BaseRequest(modality="text", offline=True))
        features.extract_features(data.read_table(Path({str(table)!r}), ReadOptions()), base, "float32")
    """
    home = tmp_path / "home"
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], env={**os.environ, "HEADSTART_HOME": str(home)}
    )
    for _ in range(1200):
        if list(home.glob("features/v*/*/shard-*")) or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = list(home.glob("features/v*/*/shard-*"))
    assert kept, "no shard was written before the end"
    os.environ["HEADSTART_HOME"], before = str(home), os.environ["HEADSTART_HOME"]
    try:
        n_rows = sum(entry.n_rows for entry in cache.list_entries())
        base = bases.load_base("default", BaseRequest(modality="text", offline=True))
        found = features.extract_features(read(table), base, "float32")
    finally:
        os.environ["HEADSTART_HOME"] = before
    assert 200 <= n_rows < 2_600
    assert found.n_computed == 2_600 - n_rows
    assert len(found.features) == 2_600
