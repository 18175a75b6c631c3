"""Bundles that were changed by somebody who can write a manifest that fits: a seeded generator of small mutations.

`mutate(source, target, number)` copies a bundle, changes one thing of it and seals it again. The same number makes the
same change.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

Place = tuple[str | int, ...]
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**9, 10**18, -(10**18), 1.5, -0.5, 1e300, float("nan"), float("inf"), "", "x", "../x",
    "/etc/passwd", "\ud800", "\u202e\x1b[2J", [], [[]], [[[]]], {}, {"a": 1}, [None], ["x"] * 3, [1e300] * 3,
)  # fmt: skip
"""Values that stand where others should."""


def copy(source: Path, target: Path) -> Path:
    """Copy a bundle without its bytes where that is possible; files are replaced, never changed in place."""
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(source, target, copy_function=os.link)
    return target


def put(path: Path, content: bytes) -> None:
    """Replace a file."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def seal(bundle: Path) -> None:
    """Write a manifest that fits what lies in the folder."""
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path.name != "manifest.json")
    manifest["sha256"] = {
        path.relative_to(bundle).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }
    put(bundle / "manifest.json", json.dumps(manifest).encode())


def mutate(source: Path, target: Path, number: int) -> str:
    """Copy a bundle and change one thing of it; gives what was changed, in words."""
    generator = np.random.default_rng(number)
    copy(source, target)
    ways = [way for way in WAYS if way.applies(target)]
    weights = np.array([way.weight for way in ways])
    way = ways[int(generator.choice(len(ways), p=weights / weights.sum()))]
    said = way.change(target, generator)
    if "manifest.json" not in said:
        seal(target)
    return said


def _leaves(document: Any, place: Place = ()) -> Iterator[Place]:
    """List the places of a document, inner ones too; of long lists the first few."""
    if place:
        yield place
    if isinstance(document, dict):
        for key in list(document)[:30]:
            yield from _leaves(document[key], (*place, key))
    elif isinstance(document, list):
        for at in range(min(len(document), 2)):
            yield from _leaves(document[at], (*place, at))


def _change_json(file: str) -> Callable[[Path, np.random.Generator], str]:
    def change(bundle: Path, generator: np.random.Generator) -> str:
        document = json.loads((bundle / file).read_text("utf-8"))
        places = list(_leaves(document))
        place = places[int(generator.integers(len(places)))] if places else ()
        holder = document
        for part in place[:-1]:
            holder = holder[part]
        if generator.random() < 0.15 and isinstance(holder, dict) and place:
            del holder[place[-1]]
            said = f"{file}: {'.'.join(map(str, place))} taken out"
        else:
            value = ODD[int(generator.integers(len(ODD)))]
            if place:
                holder[place[-1]] = value
            else:
                document = value
            said = f"{file}: {'.'.join(map(str, place))} = {value!r}"
        put(bundle / file, json.dumps(document).encode())
        return said

    return change


def _change_array(values: np.ndarray, generator: np.random.Generator) -> tuple[str, np.ndarray]:
    odd: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "one row less": lambda array: array[:-1], "flat": lambda array: array.ravel(), "empty": lambda array: array[:0],
        "twice": lambda array: np.concatenate([array, array]) if array.ndim else array[None],
        "one axis more": lambda array: array[None], "whole numbers": lambda array: (array * 0 + 7).astype(np.int64),
        "turned": lambda array: np.ascontiguousarray(array.T), "bytes": lambda array: (array * 0).astype(np.uint8),
        "not finite": lambda array: array * 0 + np.nan if array.dtype.kind == "f" else array * 0 - 1,
        "huge": lambda array: (array * 0 + 3e4).astype(array.dtype), "negative": lambda array: array * 0 - 5,
    }  # fmt: skip
    name = list(odd)[int(generator.integers(len(odd)))]
    with np.errstate(all="ignore"):
        return name, np.ascontiguousarray(odd[name](values))


def _change_tensors(file: str) -> Callable[[Path, np.random.Generator], str]:
    def change(bundle: Path, generator: np.random.Generator) -> str:
        arrays = load_file(bundle / file)
        name = list(arrays)[int(generator.integers(len(arrays)))]
        said, arrays[name] = _change_array(arrays[name], generator)
        if generator.random() < 0.15:
            del arrays[name]
            said = "taken out"
        (bundle / file).unlink()
        save_file({key: np.ascontiguousarray(value) for key, value in arrays.items()}, bundle / file)
        return f"{file}: {name} {said}"

    return change


def _change_golden(bundle: Path, generator: np.random.Generator) -> str:
    with np.load(bundle / "golden.npz") as held:
        arrays = {name: held[name] for name in held.files}
    name = list(arrays)[int(generator.integers(len(arrays)))]
    said, arrays[name] = _change_array(arrays[name], generator)
    if generator.random() < 0.15:
        del arrays[name]
        said = "taken out"
    (bundle / "golden.npz").unlink()
    np.savez_compressed(bundle / "golden.npz", **arrays)  # type: ignore[arg-type]
    return f"golden.npz: {name} {said}"


def _flip(file: str) -> Callable[[Path, np.random.Generator], str]:
    """Change some bytes of a file, or cut it."""

    def change(bundle: Path, generator: np.random.Generator) -> str:
        content = bytearray((bundle / file).read_bytes())
        if generator.random() < 0.2:
            content = content[: int(generator.integers(len(content)))]
            put(bundle / file, bytes(content))
            return f"{file}: cut to {len(content)} bytes"
        near = min(len(content), 4_096) if generator.random() < 0.5 else len(content)  # Names lie near the beginning.
        places = generator.integers(0, near, int(generator.integers(1, 4)))
        for place in places:
            content[place] = int(generator.integers(256))
        put(bundle / file, bytes(content))
        return f"{file}: bytes {places.tolist()} changed"

    return change


class Way:
    """One way to change a bundle."""

    def __init__(self, file: str, weight: float, change: Callable[[Path, np.random.Generator], str]) -> None:
        self.file, self.weight, self.change = file, weight, change

    def applies(self, bundle: Path) -> bool:
        """Whether the bundle has what is changed."""
        return (bundle / self.file).is_file()


WAYS = (
    Way("config.json", 8, _change_json("config.json")), Way("decision.json", 4, _change_json("decision.json")),
    Way("strategy.json", 3, _change_json("strategy.json")), Way("manifest.json", 1, _change_json("manifest.json")),
    Way("tokenizer.json", 2, _change_json("tokenizer.json")), Way("pieces.json", 2, _change_json("pieces.json")),
    Way("model.safetensors", 3, _change_tensors("model.safetensors")),
    Way("strategy.safetensors", 3, _change_tensors("strategy.safetensors")),
    Way("shared.json", 2, _change_json("shared.json")),
    Way("decision.safetensors", 3, _change_tensors("decision.safetensors")),
    Way("reference.safetensors", 1, _change_tensors("reference.safetensors")),
    Way("seen.safetensors", 1, _change_tensors("seen.safetensors")), Way("golden.npz", 2, _change_golden),
    Way("golden.npz", 1, _flip("golden.npz")), Way("model.onnx", 3, _flip("model.onnx")),
    Way("config.json", 1, _flip("config.json")), Way("model.safetensors", 1, _flip("model.safetensors")),
    Way("tokenizer.json", 1, _flip("tokenizer.json")),
)  # fmt: skip
