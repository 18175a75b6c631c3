"""Weights once: what torch reads is taken from the graph of the same bundle, and only the rest is stored beside it.

`shared.json` names, for each array that the graph (or a file such as tokenizer.json) holds bit for bit, where it lies;
`strategy.safetensors` holds all others. `base/...` are arrays of the base model, `model/...` those of the strategy.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from headstart.array_files import read_arrays, write_arrays
from headstart.bundle.integrity import read_json
from headstart.bundle.onnx.graph_limits import require_graph
from headstart.bundle.onnx.packed_weights import read_float_arrays
from headstart.bundle.records.schema import FileName, Misfit, StrictRecord, parse_record
from headstart.bundle.settings import SETTINGS
from headstart.home import write_json
from headstart.modalities.tokenizer_files import MOST_BYTES as MOST_TOKENIZER_BYTES

FILE, REST = "shared.json", "strategy.safetensors"
BASE_ARRAYS, BASE_TOKENIZER, MODEL_ARRAYS = "base/", "base-tokenizer", "model/"
"""How names of arrays of the base model and of the strategy begin, and the name of the content of tokenizer.json."""
GRAPH_ENDING = ".onnx"
LEAST_FILE_BYTES = 1_000

Arrays = Mapping[str, NDArray[Any]]


class SharedArray(StrictRecord):
    """Where an array lies: under a name in a graph, perhaps with its axes turned around, or as all bytes of a file."""

    file: FileName
    name: Annotated[str, Field(max_length=10_000)] = ""
    transposed: bool = False


class SharedRecord(StrictRecord):
    """`shared.json`: arrays of the model as it was adapted that other files of the bundle hold."""

    arrays: dict[Annotated[str, Field(max_length=10_000)], SharedArray]


def write_shared(arrays: Arrays, folder: Path, files: Sequence[str]) -> None:
    """Write `shared.json`, and `strategy.safetensors` with the arrays that no other file of the bundle holds.

    Parameters
    ----------
    arrays : mapping of str to array
    folder : Path
        The bundle.
    files : sequence of str
        Names of its files that may hold arrays: a graph, a tokenizer.
    """
    places = _list_places(folder, files)
    shared = {name: place for name, value in arrays.items() if (place := _find_place(value, places)) is not None}
    rest = {name: value for name, value in arrays.items() if name not in shared}
    write_arrays(folder / REST, rest or {"empty": np.zeros(1, dtype=np.float32)})
    write_json(folder / FILE, SharedRecord(arrays=shared).model_dump())


def _list_places(folder: Path, files: Sequence[str]) -> dict[str, SharedArray]:
    places = {}
    for file in files:
        if file.endswith(GRAPH_ENDING):
            for name, value in _read_graph(folder / file).items():
                places[_hash_array(value)] = SharedArray(file=file, name=name)
        else:
            content = np.frombuffer((folder / file).read_bytes(), dtype=np.uint8)
            places[_hash_array(content)] = SharedArray(file=file)
    return places


def _find_place(value: NDArray[Any], places: Mapping[str, SharedArray]) -> SharedArray | None:
    if value.dtype == np.uint8 and value.nbytes >= LEAST_FILE_BYTES:
        return places.get(_hash_array(value))
    if value.dtype != np.float32 or value.size < SETTINGS.min_quantised_values:
        return None
    place = places.get(_hash_array(value))
    if place is None and value.ndim > 1:
        turned = places.get(_hash_array(value.T))
        place = turned and turned.model_copy(update={"transposed": True})
    return place


def _hash_array(value: NDArray[Any]) -> str:
    digest = hashlib.sha256(f"{value.dtype}{value.shape}".encode())
    digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _read_graph(path: Path) -> dict[str, NDArray[np.float32]]:
    require_graph(path)
    with path.open("rb") as handle:
        return read_float_arrays(memoryview(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)))


def read_shared(folder: Path, listed: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return all arrays of the model as it was adapted.

    Parameters
    ----------
    folder : Path
        The bundle, whose hashes were compared.
    listed : collection of str
        Files that its manifest names.

    Raises
    ------
    Misfit
        A file or an array is missing.
    BundleError, DamagedArrays
        The graph or the arrays are damaged.
    """
    record = parse_record(SharedRecord, read_json(folder / FILE), FILE)
    files = {place.file for place in record.arrays.values()}
    absent = sorted(({*files, REST}) - set(listed))
    if absent:
        raise Misfit(f"{FILE}: the bundle has no file {absent[0]}")
    arrays = read_arrays(folder / REST)
    graphs = {file: _read_graph(folder / file) for file in files if file.endswith(GRAPH_ENDING)}
    read: dict[SharedArray, NDArray[Any]] = {}
    for name, place in record.arrays.items():
        if place not in read:  # One in memory, however many names it has.
            read[place] = _read_place(folder, place, graphs.get(place.file))
        arrays[name] = read[place]
    return arrays


def _read_place(folder: Path, place: SharedArray, graph: Arrays | None) -> NDArray[Any]:
    """Return the array at one place: of a graph, or else all bytes of a file."""
    if graph is None:
        if (folder / place.file).stat().st_size > MOST_TOKENIZER_BYTES:
            raise Misfit(f"{FILE}: arrays: {place.file} is too large for a tokenizer")
        return np.frombuffer(bytearray((folder / place.file).read_bytes()), dtype=np.uint8)
    value = graph.get(place.name)
    if value is None:
        raise Misfit(f"{FILE}: arrays: {place.file} has no array {place.name[:60]}")
    return np.array(value.T if place.transposed else value, order="C")
