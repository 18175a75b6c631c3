"""Disks lose sectors, fill up, and refuse writing: damaged copies are made again, and nothing is used silently."""

from __future__ import annotations

import errno
import json
import os
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors import SafetensorError

from headstart import array_files, bases, data, features, progress
from headstart import row_cache as cache
from headstart.array_files import write_arrays
from headstart.bases import BaseRequest
from headstart.data.reading.archive import unpack
from headstart.errors import OptionError
from headstart.features import runtimes
from headstart.features.cache import FeatureCache
from headstart.home import allow_failed_write, find_home, make_writable_folder, remove_leftovers, write_text
from headstart.options import ReadOptions
from headstart.runs import Run, claim_folder, read_places
from headstart.sealed_folders import is_sealed, seal_folder


@pytest.fixture
def warnings_shown() -> Iterator[list[str]]:
    class Listener(progress.Silent):
        def __init__(self) -> None:
            self.lines: list[str] = []

        def warn(self, text: str) -> None:
            self.lines.append(text)

    listener = Listener()
    with progress.listen(listener):
        yield listener.lines


def zero_sectors(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4096] = bytes(len(content[middle : middle + 4096]))
    path.write_bytes(content)


def _make_pipe(path: Path) -> None:
    os.mkfifo(path)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


DAMAGE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "zeroed sectors": ("model.safetensors", zero_sectors),
    "weights cut off": ("model.safetensors", cut_in_half),
    "config cut off": ("config.json", cut_in_half),
    "config of something else": ("config.json", lambda path: path.write_text('{"headstart_base": 1}')),
    "no seal": ("seal.json", lambda path: path.unlink()),
    "an empty seal": ("seal.json", lambda path: path.write_text("{}")),
    "a seal without end": ("seal.json", lambda path: path.write_text("[" * 100_000)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_copy_of_a_base_is_made_again_and_never_used(
    kind: str, fresh_home: Path, warnings_shown: list[str]
) -> None:
    need = BaseRequest(modality="image", offline=True)
    first = bases.load_base("default", need).fingerprint
    folder = next((fresh_home / "bases").iterdir())
    assert is_sealed(folder)
    name, damage = DAMAGE[kind]
    damage(folder / name)
    assert bases.load_base("default", need).fingerprint == first
    assert is_sealed(folder) and any("made again" in line for line in warnings_shown)


def test_a_damaged_tokenizer_copy_is_written_again(fresh_home: Path) -> None:
    path = Path(bases.load_base("default", BaseRequest(modality="text", offline=True)).spec["tokenizer_file"])
    content = path.read_bytes()
    cut_in_half(path)
    assert (
        Path(bases.load_base("default", BaseRequest(modality="text", offline=True)).spec["tokenizer_file"]).read_bytes()
        == content
    )


@pytest.mark.parametrize(
    "content", ["{", "[]", "null", '{"x": 1}', '{"MACHINE": {"chosen": {"name": "no such runtime"}}}']
)
def test_a_damaged_choice_of_runtime_is_as_good_as_none(content: str, fresh_home: Path) -> None:
    backbone = bases.load_base("default", BaseRequest(modality="image", offline=True))
    path = find_home() / "runtimes" / f"{backbone.fingerprint[:32]}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content.replace("MACHINE", f"{runtimes.name_machine()}|auto"))
    assert runtimes.read_runtime_choice(backbone, "auto") is None


def test_a_damaged_openvino_copy_is_converted_again(fresh_home: Path) -> None:
    openvino_runtime = pytest.importorskip("headstart.features.openvino_runtime")
    backbone = bases.load_base("default", BaseRequest(modality="image", offline=True))
    path = openvino_runtime.convert_backbone(backbone)
    weights = path.with_suffix(".bin")
    content = weights.read_bytes()
    zero_sectors(weights)
    assert openvino_runtime.convert_backbone(backbone) == path
    assert weights.read_bytes() == content


def test_where_no_copy_of_the_network_can_be_written_the_network_itself_is_run(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch, warnings_shown: list[str]
) -> None:
    openvino_runtime = pytest.importorskip("headstart.features.openvino_runtime")

    def fail(*arguments: object, **options: object) -> None:
        raise RuntimeError("basic_ios::clear: iostream error")

    monkeypatch.setattr(openvino_runtime.import_openvino(), "save_model", fail)
    backbone = bases.load_base("default", BaseRequest(modality="image", offline=True))
    run = openvino_runtime.open_openvino(backbone, "f32")
    assert run(np.zeros((1, 3, 224, 224), dtype=np.float32))[-1].shape[0] == 1
    assert any("No space left" in line for line in warnings_shown)
    assert not list((fresh_home / "runtimes").iterdir())


def test_an_unpacked_zip_that_lost_a_file_is_unpacked_again(tmp_path: Path, fresh_home: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("a/one.csv", "text,label\n")
        archive.writestr("a/two.csv", "text,label\n")
    folder = unpack(tmp_path / "d.zip")
    (folder / "a" / "one.csv").unlink()
    cut_in_half(folder / "a" / "two.csv")
    assert unpack(tmp_path / "d.zip") == folder
    assert [(folder / "a" / name).read_text() for name in ("one.csv", "two.csv")] == ["text,label\n"] * 2


def test_a_home_that_may_not_be_written_to_costs_a_warning_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings_shown: list[str]
) -> None:
    """As root every folder may be written to, so the system's refusal is put in its place."""
    monkeypatch.setenv("HEADSTART_HOME", str(tmp_path / "read-only"))
    real = Path.mkdir

    def refuse(self: Path, *args: object, **kwargs: object) -> None:
        if (tmp_path / "read-only") in (self, *self.parents):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        real(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert find_home() == tmp_path / "read-only"
    folder = make_writable_folder("tokenizers", "x")
    (folder / "file").write_text("x")
    assert (tmp_path / "read-only") not in folder.parents
    assert bases.load_base("default", BaseRequest(modality="text", offline=True)).spec["tokenizer_file"]
    assert any("HEADSTART_HOME" in line and "Permission denied" in line for line in warnings_shown)


def test_a_full_disk_only_loses_what_saves_time_later(tmp_path: Path, warnings_shown: list[str]) -> None:
    with allow_failed_write():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(IsADirectoryError), allow_failed_write():
        (tmp_path).read_bytes()


def test_what_killed_processes_left_is_removed_and_what_is_at_work_stays(tmp_path: Path) -> None:
    old, new, folder = tmp_path / ".a.1.partial", tmp_path / ".b.2.partial", tmp_path / ".c.3.partial"
    for path in (old, new):
        path.write_text("x")
    folder.mkdir()
    (folder / "inside").write_text("x")
    before = time.time() - 86_400
    for path in (old, folder / "inside", folder):
        os.utime(path, (before, before))
    (tmp_path / "kept.txt").write_text("x")
    remove_leftovers(tmp_path, ".*.partial")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.2.partial", "kept.txt"]


def test_a_seal_covers_folders_below_and_leaves_out_what_is_being_written(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    np.save(tmp_path / "dist" / "x.npy", np.zeros(3))
    (tmp_path / ".x.partial").write_text("x")
    seal_folder(tmp_path)
    (tmp_path / ".x.partial").unlink()
    assert is_sealed(tmp_path) and set(json.loads((tmp_path / "seal.json").read_text())) == {"dist/x.npy"}
    np.save(tmp_path / "dist" / "x.npy", np.ones(3))
    assert not is_sealed(tmp_path)


def test_a_second_run_into_one_output_folder_is_refused_while_the_first_works(tmp_path: Path) -> None:
    with claim_folder(tmp_path / "out", data=tmp_path):
        with pytest.raises(OptionError, match="Another run is writing"), claim_folder(tmp_path / "out"):
            raise AssertionError("two runs at once")
        assert read_places(tmp_path / "out") == {"data": tmp_path}
    with claim_folder(tmp_path / "out"):
        pass


def test_the_next_run_removes_what_a_killed_one_left_half_written(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with claim_folder(out):
        pass
    for name in (".shipping-abc", ".bundle.12345678.partial", ".bundle.12345678.partial.old"):
        (out / name).mkdir()
        (out / name / "model.onnx").write_text("x")
    (out / "run" / "rungs" / ".x.safetensors.1.partial").write_text("x")
    (out / "notes.txt").write_text("x")
    with claim_folder(out):
        names = {path.relative_to(out).as_posix() for path in out.rglob("*")}
    # The bundle that was about to be replaced has its name back.
    assert names == {"run", "run/rungs", "run/lock", "run.json", "notes.txt", "bundle", "bundle/model.onnx"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("spoil", [_make_pipe, lambda path: path.write_text("[" * 100_000)])
def test_what_lies_in_the_place_of_notes_of_a_run_is_not_waited_for(
    spoil: Callable[[Path], None], tmp_path: Path
) -> None:
    run = Run(tmp_path, "key")
    (tmp_path / "run" / "rungs").mkdir(parents=True)
    spoil(tmp_path / "run.json")
    spoil(tmp_path / "run" / "rungs" / "classic.json")
    assert read_places(tmp_path) == {} and run.load("classic") is None


def test_a_run_killed_before_it_wrote_its_mark_can_be_run_again(tmp_path: Path) -> None:
    (tmp_path / "out" / "run" / "rungs").mkdir(parents=True)
    with claim_folder(tmp_path / "out"):
        assert (tmp_path / "out" / "run.json").is_file()


def test_rows_that_are_pruned_while_a_run_needs_them_are_computed_again(
    fresh_home: Path, image_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = data.read_table(image_folder, ReadOptions())
    backbone = bases.load_base("default", BaseRequest(modality="image", offline=True))
    expected = features.extract_features(table, backbone).features
    real, pruned = FeatureCache.get_features, list[int]()

    def prune_first(self: FeatureCache, hashes: list[str], name: str = "final") -> object:
        if not pruned:
            pruned.append(len(cache.prune_cache(0)))
        return real(self, hashes, name)

    monkeypatch.setattr(FeatureCache, "get_features", prune_first)
    again = features.extract_features(table, backbone).features
    assert pruned[0] > 0 and expected is not None and again is not None
    np.testing.assert_allclose(again.final, expected.final, atol=1e-5)


def test_on_a_full_disk_features_stay_in_memory_and_the_run_goes_on(
    fresh_home: Path, image_folder: Path, monkeypatch: pytest.MonkeyPatch, warnings_shown: list[str]
) -> None:
    def refuse(path: Path, arrays: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    table = data.read_table(image_folder, ReadOptions())
    backbone = bases.load_base("default", BaseRequest(modality="image", offline=True))
    monkeypatch.setattr(cache, "write_arrays", refuse)
    made = features.extract_features(table, backbone, uses=frozenset({"features", "stages"})).features
    assert made is not None and len(made.final) == len(table) and made.stages
    assert not list(fresh_home.rglob("shard-*")) and any("No space left" in line for line in warnings_shown)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENOMEM])
def test_a_shard_that_cannot_be_opened_just_now_is_left_alone(
    code: int, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = [f"{row:064x}" for row in range(3)]
    FeatureCache("k" * 40, {}).add_features(hashes, np.ones((3, 4), dtype=np.float32), {})
    real = Path.open

    def refuse(self: Path, *args: object, **kwargs: object) -> object:
        if self.name.startswith("shard-"):
            raise OSError(code, os.strerror(code), str(self))
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert FeatureCache("k" * 40, {}).find_missing(hashes) == hashes
        assert [entry.n_rows for entry in cache.list_entries()] == [0]
    assert FeatureCache("k" * 40, {}).find_missing(hashes) == []


def test_a_damaged_note_beside_the_shards_hides_nothing_from_list_and_prune(fresh_home: Path) -> None:
    FeatureCache("k" * 40, {"base": "b"}).add_features(["0" * 64], np.ones((1, 4), dtype=np.float32), {})
    next(fresh_home.rglob("about.json")).write_text("{")
    assert [(entry.base, entry.n_rows) for entry in cache.list_entries()] == [("?", 1)]
    next(fresh_home.rglob("about.json")).unlink()
    assert len(cache.prune_cache(0)) == 1 and not list(fresh_home.rglob("shard-*"))


def test_two_processes_that_prune_and_write_at_once_do_not_fail(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cache.write_arrays

    def prune_before(path: Path, arrays: dict[str, object]) -> None:
        real(path, arrays)
        cache.prune_cache(0)
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))

    monkeypatch.setattr(cache, "write_arrays", prune_before)
    one = FeatureCache("k" * 40, {})
    one.add_features(["0" * 64], np.ones((1, 4), dtype=np.float32), {})
    assert one.get_features(["0" * 64]).tolist() == [[1.0] * 4]


@pytest.mark.parametrize(
    "write", [lambda path: write_arrays(path, {"x": np.zeros(9)}), lambda path: write_text(path, "x" * 9)]
)
def test_an_error_of_the_disk_names_the_file_whoever_writes_it(
    write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    def fail_plainly(self: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(array_files, "save_file", fail)
    monkeypatch.setattr(Path, "write_bytes", fail_plainly)
    with pytest.raises(OSError, match="No space left") as caught:
        write(tmp_path / "file")
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(tmp_path / "file")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["folder", "device"])
def test_what_is_no_file_in_the_place_of_a_seal_is_read_by_nobody(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.txt").write_text("a")
    seal_folder(tmp_path)
    assert is_sealed(tmp_path)
    (tmp_path / "seal.json").unlink()
    if kind == "folder":
        (tmp_path / "seal.json").mkdir()
    else:
        (tmp_path / "seal.json").symlink_to("/dev/zero")
    assert not is_sealed(tmp_path)
