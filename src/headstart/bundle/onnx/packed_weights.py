"""Packed weights: whole numbers of 16 or 8 bits and the step of each row, made float32 before onnxruntime sees a file.

A packed array `X` is stored as `X.whole` (int16 or int8) and `X.step` (float32); the graph begins with their product,
so any ONNX tool can run it. onnxruntime would compute that product anew at every run (`ConstantFolding` is off: it has
no bound of time), so the file is rewritten in memory, with `X` in place of the product. A part of predict.py as well,
word for word.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bundle.onnx.reader import (
    iterate_fields,
    iterate_spans,
    parse_integer,
    parse_integers,
    parse_message,
    parse_text,
)

# --- code ---
WHOLE, STEP, FLOAT = ".whole", ".step", ".float"
NUMBER_TYPES = {1: "<f4", 3: "i1", 5: "<i2"}
"""Numpy's names of the types of weights that are read: float32, int8, int16."""


def unpack_weights(content: memoryview) -> bytes | None:
    """Return a model's file with its packed arrays as float32, or None where it has none.

    Parameters
    ----------
    content : memoryview of bytes
        The whole file, already checked.

    Raises
    ------
    ValueError
        A packed array and its steps do not fit each other.
    """
    graph = _find_graph(content)
    tensors = {_read_tensor_name(field): field for number, field in iterate_fields(graph) if number == 5}
    packed = _list_packed(graph, tensors)
    if not packed:
        return None
    removed = {name + ending for name in packed for ending in (WHOLE, STEP)}
    outputs = {name + ending for name in packed for ending in (FLOAT, "")}
    parts: list[bytes | memoryview] = []
    for number, field, span in iterate_spans(graph):
        if number == 5 and _read_tensor_name(field) in removed:
            continue
        if number == 1 and outputs.issuperset(_list_node_names(field, 2)):
            continue
        parts.append(span)
    for name in packed:
        parts += _encode_tensor(name, _unpack_tensor(name, tensors))
    whole: list[bytes | memoryview] = []
    for number, _, span in iterate_spans(content):
        whole += [_encode_header(7, sum(map(len, parts))), *parts] if number == 7 else [span]
    return b"".join(whole)


def read_float_arrays(content: memoryview) -> dict[str, NDArray[np.float32]]:
    """Return the float32 arrays of a graph by name, packed ones unpacked; arrays not stored as raw bytes are left out.

    Parameters
    ----------
    content : memoryview of bytes
        The whole file, already checked.
    """
    graph = _find_graph(content)
    tensors = {_read_tensor_name(field): field for number, field in iterate_fields(graph) if number == 5}
    arrays = {name: _unpack_tensor(name, tensors) for name in _list_packed(graph, tensors)}
    for name, field in tensors.items():
        kind, _, raw = _read_raw_tensor(field)
        if kind == 1 and raw is not None and not name.endswith(STEP):
            arrays[name] = _decode_tensor(name, field)
    return arrays


def _find_graph(content: memoryview) -> memoryview:
    return next(parse_message(value) for number, value in iterate_fields(content) if number == 7)


def _list_packed(graph: memoryview, tensors: dict[str, Any]) -> list[str]:
    """Return the names of arrays that two nodes make from whole numbers and steps."""
    nodes = {
        tuple(_list_node_names(field, 1)): tuple(_list_node_names(field, 2))
        for n, field in iterate_fields(graph)
        if n == 1
    }
    return [
        name
        for name in (whole.removesuffix(WHOLE) for whole in tensors if whole.endswith(WHOLE))
        if name + STEP in tensors
        and name not in tensors
        and nodes.get((name + WHOLE,)) == (name + FLOAT,)
        and nodes.get((name + FLOAT, name + STEP)) == (name,)
    ]


def _unpack_tensor(name: str, tensors: dict[str, Any]) -> Any:
    whole, steps = (_decode_tensor(name + ending, tensors[name + ending]) for ending in (WHOLE, STEP))
    if whole.dtype.kind != "i" or steps.ndim != whole.ndim or not _is_broadcast(steps.shape, whole.shape):
        raise ValueError(f"the packed weights {name[:60]} have other steps")
    return whole.astype(np.float32) * steps.astype(np.float32)


def _is_broadcast(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    return all(one in (1, two) for one, two in zip(small, large, strict=True))


def _decode_tensor(name: str, field: Any) -> Any:
    kind, sizes, raw = _read_raw_tensor(field)
    if kind not in NUMBER_TYPES or raw is None or len(raw) != prod(sizes) * np.dtype(NUMBER_TYPES[kind]).itemsize:
        raise ValueError(f"the weights {name[:60]} are not whole")
    return np.frombuffer(raw, NUMBER_TYPES[kind]).reshape(sizes)


def _read_raw_tensor(field: Any) -> tuple[int, list[int], Any]:
    """Return type, sizes and raw bytes (None where they are stored otherwise) of a tensor."""
    kind, sizes, raw = 0, list[int](), None
    for number, value in iterate_fields(parse_message(field)):
        if number == 1:
            sizes += parse_integers(value)
        elif number == 2:
            kind = parse_integer(value)
        elif number == 9:
            raw = parse_message(value)
    return kind, sizes, raw


def _read_tensor_name(field: Any) -> str:
    return next((parse_text(value) for number, value in iterate_fields(parse_message(field)) if number == 8), "")


def _list_node_names(field: Any, place: int) -> list[str]:
    """Return the names of the inputs (1) or outputs (2) of a node."""
    return [parse_text(value) for number, value in iterate_fields(parse_message(field)) if number == place]


def _encode_tensor(name: str, values: Any) -> list[bytes | memoryview]:
    """Return a float32 array as an entry of a graph."""
    sizes = b"".join(b"\x08" + _encode_integer(size) for size in values.shape)
    written = name.encode("utf-8")
    head = sizes + b"\x10\x01" + _encode_header(8, len(written)) + written + _encode_header(9, values.nbytes)
    raw = np.ascontiguousarray(values, "<f4").reshape(-1).view(np.uint8).data
    return [_encode_header(5, len(head) + values.nbytes), head, raw]


def _encode_header(number: int, n_bytes: int) -> bytes:
    return _encode_integer(number << 3 | 2) + _encode_integer(n_bytes)


def _encode_integer(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
