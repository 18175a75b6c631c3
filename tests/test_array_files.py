"""Arrays on disk: what is read back equals what was in memory, whatever its memory layout; damage is never silent."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import headstart
from headstart.array_files import (
    ArraySpec,
    DamagedArrays,
    encode_arrays,
    map_array,
    read_arrays,
    read_header,
    write_arrays,
    write_npz,
)

SOURCE = Path(headstart.__file__).parent
DTYPES = ("float64", "float32", "float16", "int64", "int32", "uint8", "bool")


def _layouts(values: np.ndarray) -> dict[str, np.ndarray]:
    """The same values in every memory layout that numpy makes."""
    wide = np.zeros(tuple(2 * size for size in values.shape), dtype=values.dtype)
    every_second = wide[(..., *(slice(None, None, 2) for _ in values.shape))]
    every_second[...] = values
    back = (..., *(slice(None, None, -1) for _ in values.shape))
    axes = tuple(np.roll(np.arange(values.ndim), 1))
    return {
        "C": values.copy(),
        "Fortran": np.array(values, order="F"),
        "strided": every_second,
        "reversed": values[back].copy()[back],
        "permuted": np.transpose(np.transpose(values, axes).copy(), np.argsort(axes)),
        "big-endian": values.astype(values.dtype.newbyteorder(">")),
    }


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(0, 4), min_size=0, max_size=4).map(tuple),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 99),
)
def test_every_memory_layout_reads_back_equal_to_what_was_in_memory(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, ...], dtype: str, seed: int
) -> None:
    values = np.asarray(np.random.default_rng(seed).normal(size=shape) * 50).astype(dtype)
    folder = tmp_path_factory.mktemp("arrays")
    arrays = _layouts(values)
    write_arrays(folder / "a.safetensors", arrays)
    write_npz(folder / "a.npz", arrays)
    theirs, unpacked = load_file(folder / "a.safetensors"), np.load(folder / "a.npz")
    for name, read in read_arrays(folder / "a.safetensors").items():
        for back in (read, theirs[name], unpacked[name], map_array(folder / "a.safetensors", name)):
            assert back.shape == values.shape and back.dtype.name == dtype, name
            np.testing.assert_array_equal(back, values, err_msg=name)
    assert (folder / "a.safetensors").read_bytes() == encode_arrays(arrays)


def test_a_broadcast_array_and_a_tensor_are_written_whole(tmp_path: Path) -> None:
    row = np.broadcast_to(np.arange(3.0), (4, 3))
    net = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    write_arrays(tmp_path / "a", {"row": row, "net": net, "scalar": torch.tensor(7)})
    back = read_arrays(tmp_path / "a")
    np.testing.assert_array_equal(back["row"], row)
    np.testing.assert_array_equal(back["net"], net.numpy())
    assert back["scalar"].shape == () and back["scalar"] == 7


def test_bf16_weights_of_other_tools_come_as_float32(tmp_path: Path) -> None:
    from safetensors.torch import save_file as save_torch

    values = torch.tensor([[1.5, -2.0], [3e38, 0.0]], dtype=torch.bfloat16)
    save_torch({"w": values}, tmp_path / "w.safetensors")
    np.testing.assert_array_equal(read_arrays(tmp_path / "w.safetensors")["w"], values.float().numpy())


def _written(path: Path) -> Path:
    write_arrays(path, {"a": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.arange(3, dtype=np.int64)})
    return path


def _with_header(path: Path, change: Any) -> None:
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    document = json.loads(raw[8 : 8 + size])
    change(document)
    header = json.dumps(document).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + raw[8 + size :])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["a"].update(shape=[4, 3]), None),
        (lambda d: d["a"].update(shape=[10**12, 4]), "takes"),
        (lambda d: d["a"].update(shape=[-3, -4]), "whole numbers"),
        (lambda d: d["a"].update(dtype="F99"), "F99"),
        (lambda d: d["a"].update(dtype="I32"), "int32"),
        (lambda d: d["a"].update(data_offsets=[0, 10**15]), "takes"),
        (lambda d: d["b"].update(data_offsets=[8, 32]), "does not begin"),
        (lambda d: d.pop("a"), "no array 'a'|does not begin|describes"),
        (lambda d: d.update(a=[1]), "cannot be understood"),
        (lambda d: d["__metadata__"].update(headstart_arrays='{"format": 1, "crc32": {}}'), "not the ones"),
        (lambda d: d["__metadata__"].update(headstart_arrays='{"format": 1}'), "cannot be understood"),
        (lambda d: d.pop("__metadata__"), "no checksums"),
    ],
)  # fmt: skip
def test_a_header_that_does_not_fit_its_file_or_what_is_expected_is_damage(
    tmp_path: Path, change: Any, words: str | None
) -> None:
    path = _written(tmp_path / "a.safetensors")
    _with_header(path, change)
    specs = {"a": ArraySpec("float32", (3, 4)), "b": ArraySpec("int64", (3,))}
    with pytest.raises(DamagedArrays, match=words):
        read_arrays(path, specs, need_checksums=True)


def test_a_changed_value_and_a_cut_file_are_damage_and_a_missing_file_is_not(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.safetensors")
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(DamagedArrays, match="not the ones that were written"):
        read_arrays(path)
    for end in (0, 5, 40, len(raw) - 1):
        path.write_bytes(raw[:end])
        with pytest.raises(DamagedArrays, match=r"whole|bytes"):
            read_arrays(path)
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "absent.safetensors")


def test_one_named_size_must_be_the_same_wherever_it_stands(tmp_path: Path) -> None:
    path = _written(tmp_path / "a.safetensors")
    read_arrays(path, {"a": ArraySpec("float16|float32", ("rows", "")), "b": ArraySpec("int64", ("rows",))})
    with pytest.raises(DamagedArrays, match="shape"):
        read_arrays(path, {"a": ArraySpec("float32", ("", "columns")), "b": ArraySpec("int64", ("columns",))})
    with pytest.raises(DamagedArrays, match="axes"):
        read_arrays(path, {"a": ArraySpec("float32", ("",))})
    with pytest.raises(DamagedArrays, match="no array 'c'"):
        read_arrays(path, {"c": ArraySpec("float32", ("",))})
    with pytest.raises(DamagedArrays, match="no array 'c'"):
        read_arrays(path, names=("c",))


def test_values_that_are_not_finite_are_refused_where_they_must_be(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a", {"a": np.array([1.0, np.nan])})
    assert len(read_arrays(tmp_path / "a", {"a": ArraySpec("float64", (2,))})["a"]) == 2
    with pytest.raises(DamagedArrays, match="not finite"):
        read_arrays(tmp_path / "a", {"a": ArraySpec("float64", (2,), finite=True)})


def test_metadata_come_back_beside_the_checksums(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a", {"a": np.zeros(2)}, {"note": "ä"})
    header = read_header(tmp_path / "a")
    assert header.notes["note"] == "ä" and set(header.checksums or ()) == {"a"}
    save_file({"a": np.zeros(2)}, tmp_path / "b")
    assert read_header(tmp_path / "b").checksums is None and len(read_arrays(tmp_path / "b")) == 1


WRITERS = {"save", "savez", "savez_compressed", "savetxt", "memmap", "open_memmap"}


def _array_writers(tree: ast.AST) -> list[str]:
    """Names with which a module reads or writes array files by itself."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [item.name for item in node.names if item.name.partition(".")[0] == "safetensors"]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "safetensors":
            names.append(str(node.module))
        elif isinstance(node, ast.Constant) and str(node.value).split(".")[0] == "safetensors" and "." in node.value:
            names.append(node.value)  # import_module("safetensors.torch")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = node.value.id
            if (owner in ("np", "numpy") and node.attr in WRITERS) or (owner == "torch" and node.attr == "save"):
                names.append(f"{owner}.{node.attr}")
        if isinstance(node, ast.Attribute) and node.attr in ("tofile", "to_file"):
            names.append(node.attr)
    return names


def test_no_other_module_writes_or_reads_array_files_by_itself() -> None:
    """Beside numpy's reader of the user's own .npz files."""
    found = {
        path.relative_to(SOURCE).as_posix(): _array_writers(ast.parse(path.read_text("utf-8")))
        for path in SOURCE.rglob("*.py")
    }
    assert {name for name, writers in found.items() if writers} == {"array_files.py"}, found
