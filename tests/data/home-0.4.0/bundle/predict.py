"""Predict with this model: python predict.py FILE-OR-FOLDER ... -o answers.csv

Without -o the answers go to standard output, with the columns for programs.

Needs what stands in requirements.txt and nothing else; reads model.onnx, config.json and decision.json beside it.
"""

from __future__ import annotations

import codecs
import csv
import json
import math
import os
import re
import stat
import sys
import threading
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import lru_cache, partial
from itertools import islice, pairwise
from math import prod
from pathlib import Path
from typing import Any, NamedTuple, TextIO

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reports its use unless it is told not to.

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


class RefusedInput(Exception):
    """An input that cannot be predicted, and what to do; the exit code is 2."""


def require_kind(path: Path, suffixes: tuple[str, ...]) -> None:
    """Refuse folders and files of other kinds."""
    if path.is_dir() or path.suffix.lower() not in suffixes:
        what = "is a folder" if path.is_dir() else "is of a kind that this script does not read"
        raise RefusedInput(f"{path} {what}. It reads {', '.join(suffixes)}; for all others use: headstart predict.")


Message = memoryview
MOST_DEPTH = 4
"""Graphs inside of graphs."""
MOST_NODES, MOST_TENSORS, MOST_RANK = 100_000, 100_000, 16


class TensorFacts(NamedTuple):
    """A stored tensor: its name, number of its type, sizes, bytes of its content, and whether these lie elsewhere."""

    name: str
    type_number: int
    sizes: tuple[int, ...]
    content_bytes: int
    is_elsewhere: bool


class ValueFacts(NamedTuple):
    """An input or output: its name, number of its type, and sizes (None: any)."""

    name: str
    type_number: int
    sizes: tuple[int | None, ...] | None


class GraphFacts:
    """The content of a file.

    Parameters
    ----------
    opsets : dict of str to int
        Version of each set of operators, by domain.
    operators : set of (domain, name)
    inputs, outputs : list of ValueFacts
    tensors : list of TensorFacts
        Weights and constants, of all graphs.
    extras : set of str
        Parts that are not read any further: "functions", "training", "sparse tensors".
    """

    def __init__(self) -> None:
        self.opsets: dict[str, int] = {}
        self.operators: set[tuple[str, str]] = set()
        self.inputs: list[ValueFacts] = []
        self.outputs: list[ValueFacts] = []
        self.tensors: list[TensorFacts] = []
        self.initializers: set[str] = set()
        self.extras: set[str] = set()
        self.n_nodes = 0


def read_graph_facts(content: memoryview) -> GraphFacts:
    """Return what an ONNX file states.

    Parameters
    ----------
    content : memoryview of bytes
        The whole file.

    Raises
    ------
    ValueError
        It is no such file, or has more parts than any model has.
    """
    facts = GraphFacts()
    graphs = 0
    for number, value in iterate_fields(content):
        if number == 7:
            graphs += 1
            _read_graph(parse_message(value), facts, 0)
        elif number == 8:
            domain, version = _read_opset(parse_message(value))
            facts.opsets[domain] = version
        elif number in _MODEL_EXTRAS:
            facts.extras.add(_MODEL_EXTRAS[number])
    if graphs != 1:
        raise ValueError(f"it holds {graphs} graphs")
    return facts


_MODEL_EXTRAS = {20: "training", 25: "functions"}


def _read_opset(message: Message) -> tuple[str, int]:
    domain, version = "", 0
    for number, value in iterate_fields(message):
        if number == 1:
            domain = parse_text(value)
        elif number == 2:
            version = parse_integer(value)
    return domain, version


def _read_graph(message: Message, facts: GraphFacts, depth: int) -> None:
    if depth > MOST_DEPTH:
        raise ValueError("graphs are nested too deeply")
    for number, value in iterate_fields(message):
        if number == 1:
            _read_node(parse_message(value), facts, depth)
        elif number == 5:
            tensor = _read_tensor(parse_message(value))
            facts.tensors.append(tensor)
            facts.initializers.add(tensor.name)
        elif number == 15:
            facts.extras.add("sparse tensors")
        elif number == 11 and depth == 0:
            facts.inputs.append(_read_value(parse_message(value)))
        elif number == 12 and depth == 0:
            facts.outputs.append(_read_value(parse_message(value)))
        if facts.n_nodes > MOST_NODES or len(facts.tensors) > MOST_TENSORS:
            raise ValueError("it has more parts than any model has")


def _read_node(message: Message, facts: GraphFacts, depth: int) -> None:
    name, domain = "", ""
    facts.n_nodes += 1
    for number, value in iterate_fields(message):
        if number == 4:
            name = parse_text(value)
        elif number == 7:
            domain = parse_text(value)
        elif number == 5:
            _read_attribute(parse_message(value), facts, depth)
    facts.operators.add((domain, name))


def _read_attribute(message: Message, facts: GraphFacts, depth: int) -> None:
    for number, value in iterate_fields(message):
        if number in (5, 10):
            facts.tensors.append(_read_tensor(parse_message(value)))
        elif number in (6, 11):
            _read_graph(parse_message(value), facts, depth + 1)
        elif number in (22, 23):
            facts.extras.add("sparse tensors")
        elif number == 21:
            facts.extras.add("functions")


def _read_tensor(message: Message) -> TensorFacts:
    name, kind, sizes, content, elsewhere = "", 0, list[int](), 0, False
    for number, value in iterate_fields(message):
        if number == 1:
            sizes += parse_integers(value)
        elif number == 2:
            kind = parse_integer(value)
        elif number == 8:
            name = parse_text(value)
        elif number in (4, 5, 6, 7, 9, 10, 11):
            content += len(value) if isinstance(value, memoryview) else 8
        elif number == 13 or (number == 14 and value != 0):
            elsewhere = True
        if len(sizes) > MOST_RANK:
            raise ValueError("a tensor has too many axes")
    return TensorFacts(name=name, type_number=kind, sizes=tuple(sizes), content_bytes=content, is_elsewhere=elsewhere)


def _read_value(message: Message) -> ValueFacts:
    name, kind, sizes = "", 0, None
    for number, value in iterate_fields(message):
        if number == 1:
            name = parse_text(value)
        elif number == 2:
            for inner, part in iterate_fields(parse_message(value)):
                if inner == 1:
                    kind, sizes = _read_tensor_type(parse_message(part))
    return ValueFacts(name, kind, sizes)


def _read_tensor_type(message: Message) -> tuple[int, tuple[int | None, ...] | None]:
    kind, sizes = 0, None
    for number, value in iterate_fields(message):
        if number == 1:
            kind = parse_integer(value)
        elif number == 2:
            sizes = tuple(
                _read_size(parse_message(part)) for inner, part in iterate_fields(parse_message(value)) if inner == 1
            )
    if sizes is not None and len(sizes) > MOST_RANK:
        raise ValueError("a tensor has too many axes")
    return kind, sizes


def _read_size(message: Message) -> int | None:
    """Return the size of an axis; None where it may have any."""
    return next((parse_integer(value) for number, value in iterate_fields(message) if number == 1), None)


def iterate_fields(message: Message) -> Iterator[tuple[int, int | memoryview]]:
    """Yield number and value of each field of a message."""
    for number, value, _ in iterate_spans(message):
        yield number, value


def iterate_spans(message: Message) -> Iterator[tuple[int, int | memoryview, memoryview]]:
    """Yield number and value of each field of a message, and the field as it lies in the file."""
    start, end = 0, len(message)
    while start < end:
        tag, place = _varint(message, start)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, place = _varint(message, place)
            yield number, value, message[start:place]
            start = place
            continue
        if wire == 2:
            size, place = _varint(message, place)
        else:
            size = {1: 8, 5: 4}.get(wire, -1)
        if size < 0 or place + size > end or number == 0:
            raise ValueError("it is damaged")
        yield number, message[place : place + size], message[start : place + size]
        start = place + size


def _varint(message: Message, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(message):
            raise ValueError("it ends too early")
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
    raise ValueError("it is damaged")


def parse_message(value: int | memoryview) -> memoryview:
    """Return the value of a field as a message; raise ValueError where it is none."""
    if not isinstance(value, memoryview):
        raise ValueError("it is damaged")
    return value


def parse_integer(value: int | memoryview) -> int:
    """Return a whole number with its sign."""
    if isinstance(value, memoryview):
        raise ValueError("it is damaged")
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def parse_integers(value: int | memoryview) -> list[int]:
    """Return whole numbers, packed or alone."""
    if not isinstance(value, memoryview):
        return [parse_integer(value)]
    numbers, place = list[int](), 0
    while place < len(value) and len(numbers) <= MOST_RANK:
        number, place = _varint(value, place)
        numbers.append(parse_integer(number))
    return numbers


def parse_text(value: int | memoryview) -> str:
    """Return the value of a field as text."""
    content = parse_message(value)
    if len(content) > 10_000:
        raise ValueError("a name is too long")
    return bytes(content).decode("utf-8")


LARGEST_SIZE = 2_147_483_648
DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
OPSETS = (1, 30)
_NAMES = """
Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization BitShift
BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil Celu CenterCropPad Clip Compress Concat Constant
ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumSum DepthToSpace DequantizeLinear Div Dropout
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu
Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HardSigmoid
HardSwish Hardmax Identity If InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual
Log LogSoftmax LpNormalization LpPool MatMul MatMulInteger Max MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul
Neg NonZero Not OneHot Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Range Reciprocal
ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare
Relu Reshape Resize RotaryEmbedding Round ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign Sin Sinh Size Slice
Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan Tanh ThresholdedRelu Tile TopK Transpose
Trilu Unsqueeze Upsample Where Xor
"""
OPERATORS = frozenset(_NAMES.split())
"""Steps that end, are the same each time and read nothing but their inputs: no loops, no chance, no files, no texts."""
TYPES = {1: ("float32", 4), 2: ("uint8", 1), 3: ("int8", 1), 4: ("uint16", 2), 5: ("int16", 2), 6: ("int32", 4),
         7: ("int64", 8), 9: ("bool", 1), 10: ("float16", 2), 11: ("float64", 8), 12: ("uint32", 4),
         13: ("uint64", 8), 16: ("bfloat16", 2)}  # fmt: skip
"""Names and bytes of ONNX's types of number."""


def explain_refusal(facts: GraphFacts) -> str:
    """Return why a graph is not run; empty where nothing speaks against it."""
    if facts.extras:
        return f"it has parts that Headstart never writes: {', '.join(sorted(facts.extras))}"
    used = {domain for domain, _ in facts.operators}  # Exporters also state sets that no step is taken from.
    odd = [f"{domain or 'ai.onnx'} {version}" for domain, version in sorted(facts.opsets.items())
           if (domain not in DOMAINS and domain in used)
           or (domain in DOMAINS and not OPSETS[0] <= version <= OPSETS[1])]  # fmt: skip
    if odd:
        return f"it wants sets of steps that are not known here: {_first_few(odd)}"
    steps = [f"{domain}.{name}".lstrip(".") for domain, name in sorted(facts.operators)
             if domain not in DOMAINS[:2] or name not in OPERATORS]  # fmt: skip
    if steps:
        return f"it wants steps that are not run here: {_first_few(steps)}"
    elsewhere = [tensor.name for tensor in facts.tensors if tensor.is_elsewhere]
    if elsewhere:
        return f"its weights lie in other files: {_first_few(elsewhere)}"
    wrong = [tensor.name for tensor in facts.tensors if not _is_whole(tensor)]
    return f"its weights are not of the size that it states: {_first_few(wrong)}" if wrong else ""


def _first_few(names: list[str]) -> str:
    """Return at most five names, short, and without characters that move the cursor."""
    plain = ["".join(mark if mark.isprintable() else "?" for mark in name[:60]) for name in names[:5]]
    return ", ".join(plain) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _is_whole(tensor: TensorFacts) -> bool:
    """Return whether a tensor holds a byte at least for each number that it states, so that no small file is large."""
    if tensor.type_number not in TYPES or any(not 0 <= size <= LARGEST_SIZE for size in tensor.sizes):
        return False
    return prod(tensor.sizes) <= tensor.content_bytes


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


FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""Beginnings that spreadsheets take for a formula; with apostrophes before them, so that the guard can be taken off."""


def guard_cell(cell: object) -> object:
    """Return a cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe.

    Parameters
    ----------
    cell : Texts that begin like a formula are guarded
        numbers and other values are not.

    Examples
    --------
    >>> [guard_cell(cell) for cell in ("=1+1", "-0.5", "- none", "'=1", "water", -2.5)]
    ["'=1+1", '-0.5', "'- none", "''=1", 'water', -2.5]
    """
    if not isinstance(cell, str) or not FORMULA.match(cell) or is_finite_number(cell):
        return cell
    return f"'{cell}"


def unguard_cell(cell: str) -> str:
    """Return what a cell was before `guard_cell`.

    Parameters
    ----------
    cell : str
        As read from a file.

    Examples
    --------
    >>> [unguard_cell(cell) for cell in ("'=1+1", "''=1", "'tis", "-0.5")]
    ['=1+1', "'=1", "'tis", '-0.5']
    """
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def is_finite_number(cell: str) -> bool:
    """Return whether a cell is a number, such as "-0.5".

    Parameters
    ----------
    cell : str
    """
    try:
        return math.isfinite(float(cell)) and cell == cell.strip()
    except ValueError:
        return False


def write_csv_rows(
    handle: TextIO, rows: Iterable[Sequence[object]], delimiter: str = ",", line_end: str = "\n"
) -> None:
    """Write rows as lines of a CSV file, every cell guarded.

    Parameters
    ----------
    handle : TextIO
        Opened for writing with newline="".
    rows : iterable of sequence of object
    delimiter, line_end : str
        Between cells, and behind each line.
    """
    csv.writer(handle, delimiter=delimiter, lineterminator=line_end).writerows(
        [guard_cell(cell) for cell in row] for row in rows
    )


CONTENT_FAULTS = {
    "too_small": "it has too few pixels: send the original picture, or take it again from nearer",
    "too_dark": "it is too dark: take it again with more light",
    "too_bright": "it is too bright: take it again with less light",
    "one_colour": "it is one colour and nothing else: take it again",
    "too_blurred": "it is too blurred: hold still and take it again",
    "no_words": "it has no letter, digit or emoji: write words",
    "no_values": "it has no values",
    "constant": "it has the same value all along: look whether the device works, and measure it again",
}
"""The reason and the advice by the code of a fault, as the end of a sentence."""
EMPTY_TEXT = "the text is empty"
"""The reason of the fault `no_words` where there is not even a mark."""
NO_WORDS = {"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me", "Sm", "Sc", "Sk"}
"""Categories of characters that say nothing alone; pictographs (So) do: a tweet may be one emoji."""
CONTENT_SIDE = 96
"""Side in pixels of the small image that is measured."""


def measure_text_content(text: str) -> dict[str, float]:
    """Measure a text by code of fault: 1 where a character says something, such as a letter, a digit or an emoji.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> [measure_text_content(text)["no_words"] for text in ("ok!", "... ?!", "👍")]
    [1.0, 0.0, 1.0]
    """
    return {"no_words": float(any(unicodedata.category(character) not in NO_WORDS for character in text))}


def find_content_fault(measures: Mapping[str, float], limits: Mapping[str, float]) -> str:
    """Return the code of the first fault that an input has, or "".

    Parameters
    ----------
    measures : mapping of str to float
        Of one input, in the order in which faults are named.
    limits : mapping of str to float
        The least of each measure; codes without a limit are no faults.

    Examples
    --------
    >>> find_content_fault({"no_words": 0.0}, {"no_words": 1.0}), find_content_fault({"no_words": 0.0}, {})
    ('no_words', '')
    """
    return next((code for code, value in measures.items() if value < limits.get(code, value)), "")


BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
HEAD_BYTES, CHUNK_BYTES = 1 << 16, 1 << 20
LONGEST_LINE = 20_000_000
BROKEN_SHARE = 0.05
"""A file with fewer broken bytes, as a share of what is not ASCII, is UTF-8 all the same."""
CONTROL_SHARE = ZERO_SHARE = 0.02
FEWEST_ZEROS = 3
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


class TextProblem(ValueError):
    """A problem of a text file, and what to do about it."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem} {hint}")
        self.problem, self.hint = problem, hint


class CertainEncoding(NamedTuple):
    """An encoding that is no guess, and the number of characters that are broken in it."""

    name: str
    n_broken: int


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as handle:
        return handle.read(HEAD_BYTES)


def detect_byte_order_mark(head: bytes) -> CertainEncoding | None:
    """Return the encoding that a byte order mark names; None where there is no mark."""
    names = [name for byte_order_mark, name in BYTE_ORDER_MARKS if head.startswith(byte_order_mark)]
    return CertainEncoding(names[0], 0) if names else None


def detect_certain_encoding(path: Path) -> CertainEncoding | None:
    """Return the encoding of a text file and the number of its broken characters; None where it cannot be known.

    Parameters
    ----------
    path : Path

    Raises
    ------
    TextProblem
        The file holds no text.
    """
    head = read_head(path)
    marked = detect_byte_order_mark(head)
    if marked is not None:
        return marked
    utf16 = detect_utf16(head)
    if utf16 is not None:
        return CertainEncoding(utf16, 0)
    sample = head.decode("utf-8", "replace")
    if len(CONTROL_CHARACTERS.findall(sample)) > CONTROL_SHARE * len(sample):
        raise TextProblem(f"{path} has no text.", "Check that this is the right file.")
    n_broken, n_non_ascii = count_broken_characters(path)
    return CertainEncoding("utf-8", n_broken) if n_broken == 0 or n_broken < BROKEN_SHARE * n_non_ascii else None


def detect_utf16(head: bytes) -> str | None:
    """Return UTF-16 of some byte order where zero bytes stand at every other place only; None where they do not."""
    head = head[: len(head) // 2 * 2]
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if max(zeros) < max(FEWEST_ZEROS, ZERO_SHARE * len(head) / 2) or min(zeros) > 0.05 * max(zeros):
        return None
    name = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    text = head.decode(name, "replace")
    n_odd = text.count("\ufffd") + len(CONTROL_CHARACTERS.findall(text))
    is_parted = max(zeros) > 0.9 * len(text) or any(
        separator in text for separator in " \n,;\t"
    )  # A stray zero parts nothing.
    return name if is_parted and n_odd <= 1 + CONTROL_SHARE * len(text) else None


def count_broken_characters(path: Path) -> tuple[int, int]:
    """Count the characters of a file that are not UTF-8, and those that are not ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    n_broken = n_non_ascii = 0
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            if not text.isascii():
                n_broken += text.count("\ufffd")
                n_non_ascii += sum(map(len, re.findall(r"[^\x00-\x7f]+", text)))
    return n_broken + decoder.decode(b"", final=True).count("\ufffd"), n_non_ascii


class TextFormat(NamedTuple):
    """The way a table is written as text.

    Parameters
    ----------
    encoding : str
    errors : str
        As `open` takes them.
    separator : str
        What stands between the cells of a table.
    literal_quotes : bool
        Quotation marks are letters.
    n_skipped : int
        Lines before the header ("sep=;").
    """

    encoding: str
    errors: str = "strict"
    separator: str = ","
    literal_quotes: bool = False
    n_skipped: int = 0

    @property
    def decimal_comma(self) -> bool:
        """Return whether "1,5" may be a number: the comma is not the separator."""
        return self.separator != ","


def read_lines(path: Path, text_format: TextFormat) -> Iterator[str]:
    """Yield the lines with their ends.

    Parameters
    ----------
    path : Path
    text_format : TextFormat
        Only its encoding counts.

    Raises
    ------
    TextProblem
        A line is too long to be a row of a table, or a byte cannot be decoded.
    """
    number = 0
    with path.open(encoding=text_format.encoding, errors=text_format.errors, newline="") as handle:
        while True:
            try:
                line = handle.readline(LONGEST_LINE + 1)
            except UnicodeError as error:
                raise TextProblem(
                    f"{path}: what follows line {number} is not {text_format.encoding}.",
                    "Name the encoding that the file was saved in with --encoding, or save it as UTF-8.",
                ) from error
            if not line:
                return
            number += 1
            if len(line) > LONGEST_LINE:
                raise TextProblem(
                    f"{path}: line {number} has more than {LONGEST_LINE:,} characters.",
                    "Check that this is a table with a line for each row.",
                )
            yield line


def read_text(path: Path, encoding: str, errors: str = "strict") -> str:
    """Return a whole text file, with line ends as Python writes them.

    Parameters
    ----------
    path : Path
    encoding : str
    errors : str
        As `open` takes it.
    """
    text = "".join(read_lines(path, TextFormat(encoding, errors)))
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").removeprefix("\ufeff")


SEPARATORS = ",;\t|"
NO_SEPARATOR = "\x1f"
"""Stands between the cells of a table of one column: a character that no text has."""
BLANK_SEPARATOR = " "
"""Parts columns of numbers only, one blank or several, as the older files of the UCR archive have it."""
SAMPLE_CHARACTERS, SAMPLE_ROWS = 1 << 18, 100
FEWEST_STEPS, MOST_TITLES, LONGEST_NAME = 8, 5, 60
SPREADSHEET_ERROR = re.compile(
    r"\s*(#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|BUSY!|UNKNOWN!"
    r"|GETTING_DATA)|Err:\d{3})\s*",
    re.IGNORECASE,
)
"""What a spreadsheet writes into a cell that it cannot compute."""
MOSTLY_SHARE, MANY_LINES = 0.9, 10
"""Share of lines that are rows by themselves; lines of one row, and times the usual length, that are odd."""
csv.field_size_limit(2**31 - 1)


def detect_text_format(path: Path, encoding: str, errors: str = "strict") -> TextFormat:
    """Find separator and quoting of a table by looking at its beginning."""
    lines, size = [], 0
    for line in read_lines(path, TextFormat(encoding, errors)):
        lines.append(line.replace("\0", ""))
        size += len(line)
        if size > SAMPLE_CHARACTERS:
            lines.pop()  # It need not be whole, and its cells would count.
            break
    separator_line = re.fullmatch(r"sep=(.)\r?\n?", lines[0]) if lines else None
    table_lines = lines[1:] if separator_line else lines
    separator = separator_line[1] if separator_line else find_separator(table_lines)
    text_format = TextFormat(encoding, errors, separator, n_skipped=1 if separator_line else 0)
    if separator == "\t" and has_literal_quotes(path, text_format):
        return text_format._replace(literal_quotes=True)
    return text_format


def find_separator(lines: list[str]) -> str:
    """Return the separator with which most rows have as many cells as the first; none where it parts no header."""
    regularities = {separator: measure_regularity(lines, separator) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: regularities[separator])
    if regularities[best][1] > 1:
        return best
    rows = [cells for line in lines[:SAMPLE_ROWS] if (cells := line.split())]
    widths = {len(cells) for cells in rows}
    is_blank = len(widths) == 1 and min(widths) > FEWEST_STEPS and all(is_number(cell) for row in rows for cell in row)
    return BLANK_SEPARATOR if is_blank else NO_SEPARATOR


def measure_regularity(lines: list[str], separator: str) -> tuple[float, int]:
    """Return the share of rows with as many cells as the first row, and that number; (0, 0) if it never separates."""
    rows = islice((row for row in csv.reader(lines, delimiter=separator) if row), SAMPLE_ROWS)
    counts = [len(row) for row in rows]
    if not counts or counts[0] < 2:
        return 0.0, 0
    return sum(count == counts[0] for count in counts) / len(counts), counts[0]


def has_literal_quotes(path: Path, text_format: TextFormat) -> bool:
    """Return whether a tab-separated file uses quotation marks as letters: every line is a full row, some are odd."""
    has_odd_quotes, n_tabs = False, 0
    for line in islice(read_lines(path, text_format), text_format.n_skipped, None):
        if not line.strip():
            continue
        n_tabs = n_tabs or line.count("\t")
        if line.count("\t") != n_tabs:
            return False
        has_odd_quotes = has_odd_quotes or line.count('"') % 2 == 1
    return has_odd_quotes


def split_line(line: str, separator: str) -> list[str]:
    """Return the cells of one line; quotation marks that do not fit are letters.

    Examples
    --------
    >>> split_line('"a, b",x', ","), split_line('"a b,x', ",")
    (['a, b', 'x'], ['"a b', 'x'])
    """
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return next(csv.reader([line], delimiter=separator, quoting=csv.QUOTE_NONE), [])


def is_number(cell: str) -> bool:
    """Return whether a cell is a number."""
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return False
    return True


class RowHabits(NamedTuple):
    """Common properties of the rows at the beginning of a table.

    Parameters
    ----------
    repeated : list of set of str
        For each column the values that occur more than once.
    numeric : list of bool
        Whether a column holds numbers.
    blank : list of bool
        Whether a column is empty in some row.
    length : float
        Median length of a line.
    doubled : bool
        Every other line is empty, as where line ends were written twice.
    """

    repeated: list[set[str]]
    numeric: list[bool]
    blank: list[bool]
    length: float
    doubled: bool

    def match_rows(self, rows: list[list[str]]) -> bool:
        """Return whether lines are rows by some column: values of other rows, or numbers where others have such."""
        for position, (values, numeric) in enumerate(zip(self.repeated, self.numeric, strict=True)):
            cells = [row[position] for row in rows]
            if all(cell in values for cell in cells) or (numeric and all(map(is_number, cells))):
                return True
        return False


def summarise_rows(lines: Iterable[str], text_format: TextFormat, n_columns: int) -> RowHabits:
    """Return what the first rows of a table have in common, one line a row."""
    full_rows: list[list[str]] = []
    lengths, n_characters, filled = [], 0, []
    for line in lines:
        n_characters += len(line)
        if n_characters > SAMPLE_CHARACTERS or len(full_rows) >= 2_000:
            break
        cells = split_line(line, text_format.separator)
        filled.append(bool(line.strip()))
        lengths.append(len(line))
        if len(cells) == n_columns:
            full_rows.append(cells)
    columns = list(zip(*full_rows, strict=True)) if full_rows else [() for _ in range(n_columns)]
    return RowHabits(
        repeated=[{cell for cell, n in Counter(column).items() if n > 1 and cell.strip()} for column in columns],
        numeric=[bool(column) and all(is_number(cell) for cell in column) for column in columns],
        blank=[any(not cell.strip() for cell in column) for column in columns],
        length=float(sorted(lengths)[len(lengths) // 2]) if lengths else 0.0,
        doubled=sum(filled) >= FEWEST_STEPS and not any(first == second for first, second in pairwise(filled)),
    )


def is_heading(cells: list[str], names: list[str], rows: list[list[str]]) -> bool:
    """Return whether a row stands above the header, such as the merged cells of a form: it has gaps, the next has none.

    Parameters
    ----------
    cells : list of str
        Cells of the first row.
    names : list of str
        Cells of the second row.
    rows : list of list of str
        Some rows below.

    Examples
    --------
    >>> is_heading(["Who", "", "Answer"], ["id", "age", "text"], [["1", "20", "no water"]])
    True
    >>> is_heading(["text", "", "label"], ["no water", "pump", "a"], [["no seeds", "seed", "a"]])
    False
    """
    gaps = [position for position, cell in enumerate(cells) if not cell.strip()]
    inside = [
        position for position in gaps if any(map(str.strip, cells[:position])) and any(map(str.strip, cells[position:]))
    ]
    if not inside or len(names) < len(cells) or len({*map(str.strip, names)} - {""}) < len(names):
        return False
    if any(is_number(name) or len(name) > LONGEST_NAME for name in names):
        return False
    return bool(rows) and not any(cell == name for row in rows for cell, name in zip(row, names, strict=False))


def explain_cell_count(n_cells: int, n_columns: int) -> str:
    """Return why a row cannot be used."""
    return f"the row has {n_cells} cell{'s' if n_cells > 1 else ''}, the header has {n_columns}"


class TextTable:
    """A table in a text file; reading its rows fills in what was noticed.

    Parameters
    ----------
    path : Path
    text_format : TextFormat
    header : list of str
        The row that names the columns; `first_line` is its line, from 1.

    Attributes
    ----------
    n_lines : int
        Lines of the file, the header included, once all rows were read.
    n_blank : int
        Lines without a character, and rows without a filled cell at the end of the file.
    stray_spans : list of (int, int)
        First and last line of what a stray quotation mark would have made one row; it was read line by line.
    long_spans : list of (int, int)
        First and last line of rows that are far longer than the others, or whose lines look like rows.
    filled_lines : list of int
        Lines whose missing last cells were taken for empty.
    too_long_lines, too_short_lines : list of int
        Lines with more, and with fewer cells than the header.
    """

    def __init__(self, path: Path, text_format: TextFormat, header: list[str], first_line: int) -> None:
        self.path, self.text_format, self.header, self.first_line = path, text_format, header, first_line
        self.n_lines = self.n_blank = 0
        self.stray_spans: list[tuple[int, int]] = []
        self.long_spans: list[tuple[int, int]] = []
        self.filled_lines: list[int] = []
        self.too_long_lines: list[int] = []
        self.too_short_lines: list[int] = []
        self.is_at_end = False

    @classmethod
    def open(cls, path: Path, encoding: str, errors: str = "strict") -> TextTable:
        """Read the header of a table."""
        table = cls(path, detect_text_format(path, encoding, errors), [], 1)
        filled = ((line, cells) for line, _, cells in table._read_records() if any(map(str.strip, cells)))
        top = list(islice(filled, MOST_TITLES + SAMPLE_ROWS))
        above = top[: MOST_TITLES + 1] or [(1, [])]
        widths = [sum(bool(cell.strip()) for cell in cells) for _, cells in above]
        n_titles = next((position for position, width in enumerate(widths) if width > 1), 0)
        n_titles = n_titles if len(above[0][1]) > 1 else 0  # Titles are rows of one filled cell and empty ones.
        below = [cells for _, cells in top[n_titles + 1 :]]
        n_titles += bool(below) and is_heading(top[n_titles][1], below[0], below[1:])
        first = (top or above)[n_titles]
        table.first_line, table.header = first[0], [unguard_cell(cell) for cell in first[1]]
        table.n_lines, table.is_at_end = 0, False
        return table

    def read_rows(self, n_columns: int, with_first: bool = False) -> Iterator[tuple[int, list[str] | str]]:
        """Yield the line and the cells of each row below the header; in place of cells, why a row cannot be used.

        Parameters
        ----------
        n_columns : int
            Columns that are named.
        with_first : bool
            The first row is no header but data.
        """
        habits = summarise_rows(islice(self._read_lines(), self.first_line, None), self.text_format, n_columns)
        empty: list[int] = []
        blank_counts = n_columns == 1 and not habits.numeric[0] and not habits.doubled
        for line, raw_lines, cells in self._read_records():
            if line < self.first_line or (line == self.first_line and not with_first):
                continue
            for number, record in self._resolve_record(line, raw_lines, cells, n_columns=n_columns, habits=habits):
                if not any(map(str.strip, record)):
                    if record or blank_counts:
                        empty.append(number)  # Counts as a row where another follows; at the end it is no row.
                    else:
                        self.n_blank += 1
                    continue
                yield from ((position, "the row is empty" if n_columns > 1 else [""]) for position in empty)
                empty = []
                yield number, self._fit_cells(number, record, n_columns, habits)
        self.n_blank += len(empty)

    def _fit_cells(self, line: int, record: list[str], n_columns: int, habits: RowHabits) -> list[str] | str:
        """Return as many cells as there are columns, or why that cannot be."""
        if any(map(str.strip, record[n_columns:])):
            self.too_long_lines.append(line)
            return explain_cell_count(len(record), n_columns)
        if len(record) < n_columns:
            missing = habits.blank[len(record) :]
            if not all(missing) and not (n_columns >= FEWEST_STEPS and is_number(record[-1])):
                self.too_short_lines.append(line)
                return explain_cell_count(len(record), n_columns)
            self.filled_lines.append(line)
        return [unguard_cell(cell) for cell in (record + [""] * (n_columns - len(record)))[:n_columns]]

    def _read_lines(self) -> Iterator[str]:
        for line in read_lines(self.path, self.text_format):
            plain = line.replace("\0", "")
            yield plain if self.text_format.separator != BLANK_SEPARATOR else f"{BLANK_SEPARATOR.join(plain.split())}\n"

    def _read_records(self) -> Iterator[tuple[int, list[str], list[str]]]:
        """Yield the first line, the raw lines and the cells of each record, empty ones too."""
        raw_lines: list[str] = []

        def remember() -> Iterator[str]:
            for line in islice(self._read_lines(), self.text_format.n_skipped, None):
                raw_lines.append(line)
                yield line
            self.is_at_end = True

        separator, lines = self.text_format.separator, remember()
        literal = csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
        line = 1 + self.text_format.n_skipped
        for cells in literal if self.text_format.literal_quotes else csv.reader(lines, delimiter=separator):
            yield line, list(raw_lines), cells
            line += len(raw_lines)
            raw_lines.clear()
            self.n_lines = line - 1

    def _resolve_record(
        self, line: int, raw_lines: list[str], cells: list[str], n_columns: int, habits: RowHabits
    ) -> list[tuple[int, list[str]]]:
        """Return the rows of a record: itself, or its lines where a stray quotation mark made them one.

        Raises
        ------
        TextProblem
            A quotation mark is never closed, and the lines below it are no rows.
        """
        if len(raw_lines) < 2 or self.text_format.literal_quotes:
            return [(line, cells)]
        split_lines = [split_line(line_text, self.text_format.separator) for line_text in raw_lines]
        full_rows = [row for row in split_lines if len(row) == n_columns]
        n_filled = sum(bool(line_text.strip()) for line_text in raw_lines)
        looks_like_rows = (
            self.is_at_end or not self._has_proper_quotes(raw_lines) if n_columns == 1 else habits.match_rows(full_rows)
        )
        last = line + len(raw_lines) - 1
        if len(full_rows) >= MOSTLY_SHARE * n_filled and (looks_like_rows or self.is_at_end):
            self.stray_spans.append((line, last))
            return list(enumerate(split_lines, start=line))
        if self.is_at_end:  # The mark has swallowed every row to the end of the file.
            raise TextProblem(
                f"{self.path}: a quotation mark that is opened in line {line} is never closed.",
                "Close or remove it, or save the table as XLSX.",
            )
        is_far_longer = len(raw_lines) >= MANY_LINES and sum(map(len, raw_lines)) > MANY_LINES * habits.length
        if is_far_longer or (n_columns > 1 and len(full_rows) >= max(2, n_filled / 2)):
            self.long_spans.append((line, last))
        return [(line, cells)]

    def _has_proper_quotes(self, raw_lines: list[str]) -> bool:
        """Return whether quotation marks open at the beginning and close at the end of cells."""
        try:
            return len(list(csv.reader(raw_lines, delimiter=self.text_format.separator, strict=True))) > 0
        except csv.Error:
            return False


IDS = ("id", "rowid", "sampleid", "uid", "uuid")
TABLES = (".csv", ".tsv", ".tab")


def read_table(path: Path, columns: dict[str, str]) -> tuple[list[str], list[tuple[str, Any]], bool]:
    """Return the columns of a table of text, name and cells of each row, and whether a comma may be a decimal sign.

    Rows that cannot be used come last, with the reason in place of cells.
    """
    rows: list[tuple[str, Any]] = []
    unusable: list[tuple[str, Any]] = []
    try:
        if not path.stat().st_size:
            raise RefusedInput(f"{path} is empty.")
        table = TextTable.open(path, find_encoding(path), "replace")
        names = [unicodedata.normalize("NFC", name.strip().lstrip("\ufeff")) for name in table.header]
        while names and not names[-1]:
            names.pop()
        for line, cells in table.read_rows(len(names)):
            name = f"{path.name}:{line}"
            if isinstance(cells, str):
                unusable.append((name, ValueError(cells)))
            else:
                rows.append((name, ["" if SPREADSHEET_ERROR.fullmatch(cell) else cell for cell in cells]))
    except (OSError, TextProblem) as error:
        raise RefusedInput(f"{path} cannot be read: {error}") from error
    usual = [name for name in names if re.sub(r"[\W_]", "", name.casefold()) in IDS]
    for at in (names.index(name) for name in (columns.get("id"), *usual) if name in names):
        ids = [cells[at] for _, cells in rows]
        if all(ids) and len(set(ids)) == len(ids):
            rows = [(cells[at], cells) for _, cells in rows]
            break
    return names, [*rows, *unusable], table.text_format.decimal_comma


def find_encoding(path: Path) -> str:
    """Return the encoding of a text file; one that is not Unicode is refused, never guessed."""
    certain = detect_certain_encoding(path)
    if certain is None:
        raise RefusedInput(f"{path} is not in UTF-8: save it as UTF-8, or use headstart predict --encoding NAME.")
    return certain.name


def read_text_file(path: Path) -> str:
    """Return the text of a file."""
    try:
        return read_text(path, find_encoding(path), "replace")
    except (OSError, TextProblem) as error:
        raise RefusedInput(f"{path} cannot be read: {error}") from error


MOST_BYTES = 100_000_000
"""The largest vocabularies in use (a quarter of a million pieces) take about 20 MB."""
MODEL_TYPES = ("WordPiece", "BPE", "Unigram", "WordLevel")
MOST_TOKENS = 2_000_000
MOST_STEPS, DEEPEST = 64, 8
LONGEST_PATTERN, LONGEST_REPLACEMENT = 1_000, 64
MOST_GROWTH = 64
"""How many times longer a normalizer may make a text."""
MOST_REPEATS = 2
"""Unbounded repetitions in one alternative of a regular expression: two cost at most the square of a text's length."""
_SAMPLE = "Water 12, eau; ماء 水 \U0001f600 a"
_STEPS = ("normalizer", "pre_tokenizer", "post_processor", "decoder")
_STDERR = threading.Lock()


class UnusableTokenizer(ValueError):
    """Reason against a tokenizer.json, as the end of a sentence that begins with the name of the file."""


def make_tokenizer(text: str, longest: int | None) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json, without padding, after it has encoded a sample.

    Parameters
    ----------
    text : str
        Content of a tokenizer.json.
    longest : int or None
        Tokens that a text is cut to; None: not cut.

    Raises
    ------
    UnusableTokenizer
        It is none, or one that could stall or fill the memory.
    """
    _check_document(text)
    with _without_panic_messages():
        try:
            tokenizer = Tokenizer.from_str(text)
            tokenizer.no_padding()
            tokenizer.no_truncation()
            if longest is not None:
                tokenizer.enable_truncation(longest)
            n_sample, highest = len(tokenizer.encode(_SAMPLE).ids), find_highest_id(tokenizer)
        except BaseException as error:  # The library raises plain Exception, its panics are BaseException.
            raise to_unusable_error(error) from error
    if longest is not None and n_sample > longest:
        raise UnusableTokenizer(f"adds more special tokens than the {longest} tokens that a text may have")
    if highest > MOST_TOKENS:
        raise UnusableTokenizer(f"numbers its pieces up to {highest:,}, at most {MOST_TOKENS:,} are allowed")
    return tokenizer


def find_highest_id(tokenizer: Tokenizer) -> int:
    """Return the highest id that a tokenizer gives to a token or to a special token around a text.

    Parameters
    ----------
    tokenizer : Tokenizer
    """
    return max((*tokenizer.get_vocab().values(), *tokenizer.encode(_SAMPLE).ids), default=0)


def to_unusable_error(error: BaseException) -> UnusableTokenizer:
    """Return what the library raised as one kind of error; what is not its own (Ctrl-C, no memory) goes on.

    Parameters
    ----------
    error : BaseException
        It is raised again if it is not the library's own.
    """
    if type(error).__name__ != "PanicException" and type(error) not in (Exception, ValueError, TypeError, KeyError):
        raise error
    return UnusableTokenizer(f"holds no tokenizer that works ({' '.join(str(error).split())[:200]})")


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise UnusableTokenizer(f"holds no tokenizer that may be used: {problem}")


def _check_document(text: str) -> None:
    if len(text) > MOST_BYTES:
        raise UnusableTokenizer(f"is too large for a tokenizer (at most {MOST_BYTES // 1_000_000} MB)")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableTokenizer(f"is no valid JSON ({str(error)[:100]})") from error
    _check_model(document)
    for part in _STEPS:
        growth = _measure_growth(document.get(part), part, 0)
        _require(growth <= MOST_GROWTH, f"its {part} makes texts more than {MOST_GROWTH} times longer")


def _check_model(document: Any) -> None:
    _require(isinstance(document, dict) and isinstance(document.get("model"), dict), "it has no model")
    model, added = document["model"], document.get("added_tokens") or []
    kind = model.get("type", MODEL_TYPES[0])
    _require(kind in MODEL_TYPES, f"its model is of the type {str(kind)[:40]!r}, known are {', '.join(MODEL_TYPES)}")
    vocabulary = model.get("vocab")
    sized = isinstance(vocabulary, dict | list) and 0 < len(vocabulary) <= MOST_TOKENS
    _require(sized, f"its vocabulary must hold 1 to {MOST_TOKENS:,} pieces")
    _require(isinstance(added, list) and len(added) <= MOST_TOKENS, "its added tokens are no list")
    numbers = vocabulary.values() if isinstance(vocabulary, dict) else ()
    added_numbers = [item.get("id") if isinstance(item, dict) else None for item in added]
    numbered = all(type(number) is int and 0 <= number < MOST_TOKENS for number in (*numbers, *added_numbers))
    _require(numbered, f"its pieces must be numbered from 0 to {MOST_TOKENS:,}")


def _measure_growth(step: Any, part: str, depth: int) -> float:
    """Return how many times longer a step, with those inside it, may make a text."""
    if step is None:
        return 1.0
    if not isinstance(step, dict) or depth > DEEPEST:
        raise UnusableTokenizer(f"holds no tokenizer that may be used: its {part} is no list of steps that can be read")
    lists = ("normalizers", "pretokenizers", "processors", "decoders")
    inner: list[Any] = next((step[name] for name in lists if name in step), [])
    _require(isinstance(inner, list) and len(inner) <= MOST_STEPS, f"its {part} must have at most {MOST_STEPS} steps")
    pattern = step.get("pattern")
    quick = not (isinstance(pattern, dict) and "Regex" in pattern) or is_quick_pattern(pattern["Regex"])
    _require(quick, f"its {part} has a regular expression that may take without end")
    words = [step[name] for name in ("content", "prepend", "prefix", "replacement") if step.get(name) is not None]
    short = all(isinstance(word, str) and len(word) <= LONGEST_REPLACEMENT for word in words)
    _require(short, f"its {part} puts in more than {LONGEST_REPLACEMENT} characters")
    n_special = sum(len(side) for side in _iterate_templates(step))
    _require(n_special <= MOST_STEPS, f"its {part} adds more than {MOST_STEPS} special tokens")
    growth = float(max([1, *(len(word) for word in words)])) if step.get("type") == "Replace" else 1.0
    return growth * math.prod(_measure_growth(item, part, depth + 1) for item in inner)


def _iterate_templates(step: Mapping[str, Any]) -> Iterator[list[Any]]:
    for name in ("single", "pair"):
        if isinstance(step.get(name), list):
            yield step[name]


def is_quick_pattern(pattern: object) -> bool:
    r"""Return whether a regular expression takes at most the square of a text's length.

    Parameters
    ----------
    pattern : object
        Of a tokenizer.json; what is no text is not quick.

    Notes
    -----
    Nothing that repeats may stand in a group that repeats, and an alternative has at most `MOST_REPEATS` unbounded
    repetitions. Stricter than need be; the patterns of GPT-2, Llama 3, Qwen and their like pass.

    Examples
    --------
    >>> is_quick_pattern(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
    True
    >>> is_quick_pattern("(a+)+$"), is_quick_pattern("a*a*a*b"), is_quick_pattern(r"(a|a)*b")
    (False, False, False)
    """
    if not isinstance(pattern, str) or len(pattern) > LONGEST_PATTERN:
        return False
    plain = re.sub(r"\\[pP]\{[^}]*\}|\\x\{[^}]*\}|\\.", "x", pattern, flags=re.DOTALL)
    plain = re.sub(r"\[\^?\]?(?:[^\[\]]|\[:?[^\]]*\])*\]", "x", plain)
    plain = re.sub(r"(?<=[*+?}])\+", "", plain)  # Possessive ones never give back.
    if re.search(r"\)(?:[*+]|\{\d*,\d*\}|\{\d{2,}\})", plain):
        return False
    alternatives = re.sub(r"\(\?[a-zA-Z]*[:=!>]|\(\?<[=!]", "(", plain)
    return all(
        len(re.findall(r"[*+]|\{\d*,\}|\{\d*,?\d{3,}\}", part)) <= MOST_REPEATS for part in alternatives.split("|")
    )


@contextmanager
def _without_panic_messages() -> Iterator[None]:
    """Keep what Rust writes to standard error when it panics from the user; takes milliseconds, once a file."""
    try:
        number = sys.__stderr__.fileno() if sys.__stderr__ is not None else -1
    except (OSError, ValueError):
        number = -1
    if number < 0:
        yield
        return
    with _STDERR, Path(os.devnull).open("wb") as nowhere:
        original = os.dup(number)
        try:
            os.dup2(nowhere.fileno(), number)
            yield
        finally:
            os.dup2(original, number)
            os.close(original)


EMPTY = ("", "na", "n/a", "nan", "null", "none", "?", "-", "--", ".", "missing", "inf", "-inf")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]+")
TEXTS = (".txt", ".text", ".md")
SPECS = {"text": {
    "tokens": ({"max_length": (1, 100_000), "pad_id": (0, 2**31), "tokenizer_file": str}, 2),
    "pieces": ({"pieces_file": str}, 2),
}}  # fmt: skip
BETWEEN = re.compile(r"[\s!-/:-@\[-`{-~]+")


def iterate_rows(path: Path, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and text of each row of a CSV file, or of a file that is one text."""
    require_kind(path, (*TABLES, *TEXTS))
    if path.suffix.lower() in TEXTS:
        yield path.as_posix(), read_text_file(path)
        return
    names, records, _ = read_table(path, config["columns"])
    places = [find_column(name, names, path) for name in list_text_columns(config["columns"])]
    for name, record in records:
        yield name, record if isinstance(record, ValueError) else join_columns([record[at] for at in places])


def list_text_columns(columns: dict[str, str]) -> list[str]:
    """Return the text columns of training, in their order; a model that learnt from a list of texts knows none."""
    parts = [(int(role[5:]), name) for role, name in columns.items() if role[:5] == "text " and role[5:].isdecimal()]
    return [name for _, name in sorted(parts)] or [columns.get("text", "text")]


def join_columns(parts: list[str]) -> str:
    """Return several columns as one text, a line each, empty ones left out."""
    return parts[0] if len(parts) == 1 else "\n".join(part for part in parts if part.strip().casefold() not in EMPTY)


def find_column(name: str, names: list[str], path: Path) -> int:
    """Return the place of a column: by its exact name, or by one spelling of it."""
    if name in names:
        return names.index(name)
    alike = [at for at, other in enumerate(names) if fold_name(other) == fold_name(name)]
    if len(alike) != 1:
        near = get_close_matches(name.casefold(), [other.casefold() for other in names], n=1)
        guess = next((f" Did you mean '{other}'?" for other in names if [other.casefold()] == near), "")
        raise RefusedInput(f"{path} has no column '{name}'; it has {', '.join(names)}.{guess}")
    print(f"{path}: the column '{names[alike[0]]}' for '{name}' was taken.", file=sys.stderr)
    return alike[0]


def fold_name(name: str) -> str:
    """Return a name so that spellings of one name are equal."""
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", name).casefold())


def prepare_input(kind: str, source: Any, spec: dict[str, Any]) -> tuple[Any, ...]:
    """Return ids and mask of the tokens of a text, or numbers and weights of its n-grams."""
    if not source.strip():
        raise ValueError(EMPTY_TEXT)
    if kind == "pieces":
        return _count_ngrams(str(source), *_read_ngrams(spec["pieces_file"]))
    longest = int(spec["max_length"])
    whole = CONTROL.sub("", source.encode("utf-8", "replace").decode("utf-8"))
    text = unicodedata.normalize("NFC", whole)[: longest * 64]
    try:
        ids = _read_tokenizer(spec["tokenizer_file"], longest).encode(text).ids or [int(spec["pad_id"])]
    except BaseException as error:  # Panics of the library derive from it.
        raise RefusedInput(f"{spec['tokenizer_file']} {to_unusable_error(error)}.\n{HINT}") from None
    return np.asarray(ids, np.int64), np.ones(len(ids), np.int64)


def measure_content(source: Any, inputs: list[dict[str, Any]]) -> dict[str, float]:
    """Return whether a text says anything, by code of fault."""
    if not source.strip():
        raise ValueError(EMPTY_TEXT)
    return measure_text_content(source)


@lru_cache
def _read_tokenizer(file: str, longest: int) -> Any:
    try:
        return make_tokenizer((HERE / file).read_text("utf-8"), longest)
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedInput(f"{file} cannot be read ({error}).\n{HINT}") from None
    except UnusableTokenizer as error:
        raise RefusedInput(f"{file} {error}.\n{HINT}") from None


@lru_cache
def _read_ngrams(file: str) -> tuple[int, dict[str, dict[str, int]], Any]:
    """Return the length of texts, the number of each n-gram, and the Unicode form in which they were counted."""
    document = read_document(HERE, file)
    require_shape(document, {"longest": (1, 10**9), "pieces": {"characters?": [str], "words?": [str]}}, file)
    require_shape(list(document["pieces"]), [{"characters", "words"}], f"{file}.pieces")
    composed = all(unicodedata.is_normalized("NFC", ngram) for every in document["pieces"].values() for ngram in every)
    numbered = {kind: {ngram: at for at, ngram in enumerate(every)} for kind, every in document["pieces"].items()}
    return document["longest"], numbered, partial(unicodedata.normalize, "NFC") if composed else str


def _count_ngrams(text: str, longest: int, numbered: dict[str, dict[str, int]], form: Any) -> tuple[Any, Any]:
    """Return numbers and weights of the known n-grams: 2 to 5 characters of a word, words, and pairs of words."""
    cut = form(form(text)[:longest].lower())
    padded = [f" {word} " for word in cut.split()]
    words = [word for word in BETWEEN.split(cut) if word]
    ngrams = {
        "characters": [
            p[at : at + n] for p in padded for n in range(2, min(5, len(p)) + 1) for at in range(len(p) - n + 1)
        ],
        "words": [*words, *(f"{one} {two}" for one, two in pairwise(words))],
    }
    ids, weights, first = [], [], 0
    for kind, known in numbered.items():
        for at, count in sorted(Counter(known[ngram] for ngram in ngrams[kind] if ngram in known).items()):
            ids.append(first + at)
            weights.append(1 + np.log(count))
        first += len(known)
    return np.asarray(ids, np.int64), np.asarray(weights, np.float32)


PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+\-]{0,119}")
TASKS = ("classification", "multi-label", "regression", "ordinal")
HINT = "Copy the bundle again, or make it again with headstart adapt."
SHARE, COUNT, NUMBER = (0, 1.000001), (0, 1e12), (-1e300, 1e300)
MOST_JSON_BYTES = 256_000_000


def make_misfit(place: str, problem: str, value: Any) -> RefusedInput:
    """Return the error for one place of a file."""
    value_text = "".join(character if character.isprintable() else "?" for character in repr(value)[:40])
    return RefusedInput(f"This bundle cannot be understood: {place}: {problem} (was {value_text}).\n{HINT}")


def require_shape(value: Any, shape: Any, place: str) -> None:
    """Refuse a value that is not of a shape.

    A type (str, bool, int, dict), two numbers (from, to; whole ones where both are `int`), a set of values, a list of
    one shape, or a dict of shapes; a key that ends with "?" may be absent or null.
    """
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise make_misfit(place, "should be an object", value)
        for key, inner in shape.items():
            name = key.rstrip("?")
            if value.get(name) is not None or not key.endswith("?"):
                require_shape(value.get(name), inner, f"{place}.{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise make_misfit(place, "should be a list", value)
        for at, one in enumerate(value):
            require_shape(one, shape[0], f"{place}.{at}")
    elif isinstance(shape, tuple):
        whole = all(isinstance(end, int) for end in shape)
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not number or not (math.isfinite(value) and shape[0] <= value <= shape[1]):
            raise make_misfit(place, f"should be a number from {shape[0]:g} to {shape[1]:g}", value)
    elif isinstance(shape, set):
        if not isinstance(value, str) or value not in shape:
            raise make_misfit(place, f"should be one of {', '.join(sorted(shape)) or 'none'}", value)
    elif type(value) is not shape:
        raise make_misfit(place, f"should be of the kind {shape.__name__}", value)


def find_file(folder: Path, name: Any, place: str) -> Path:
    """Return the path of a file of the bundle: a plain name of a regular file, no link."""
    if not isinstance(name, str) or not PLAIN.fullmatch(name):
        raise make_misfit(place, "is no plain file name", name)
    try:
        regular = stat.S_ISREG((folder / name).lstat().st_mode)
    except OSError:
        raise RefusedInput(f"This bundle lacks the file {name}.\n{HINT}") from None
    if not regular:
        raise make_misfit(place, "is no regular file", name)
    return folder / name


def read_document(folder: Path, name: str) -> Any:
    """Return what a JSON file holds; NaN, infinity and numbers of more than 19 digits are no numbers."""
    path = find_file(folder, name, name)
    if path.stat().st_size > MOST_JSON_BYTES:
        raise RefusedInput(f"{name} is too large.\n{HINT}")

    def parse_number(text: str) -> Any:
        value: Any = float(text) if len(text) > 19 or not text.lstrip("-").isdigit() else int(text)
        if not math.isfinite(value) or (len(text) > 19 and text.lstrip("-").isdigit()):
            raise ValueError(f"{text[:20]} is no number")
        return value

    try:
        text = path.read_text("utf-8")
        document = json.loads(text, parse_int=parse_number, parse_float=parse_number, parse_constant=parse_number)
        json.dumps(document, ensure_ascii=False).encode("utf-8") if "\\u" in text else None
    except (ValueError, RecursionError) as error:
        raise RefusedInput(f"{name} is damaged ({str(error)[:100]}).\n{HINT}") from None
    return document


def read_config(folder: Path) -> dict[str, Any]:
    """Return config.json, checked."""
    config: dict[str, Any] = read_document(folder, "config.json")
    values = {
        "layout?": {"", "wide", "long", "files", "array"}, "channels?": [str], "values?": [[str]],
        "axes?": {"channels-first", "time-first"}, "n_channels?": COUNT,
    }  # fmt: skip
    shape = {
        "input_columns?": values, "task": set(TASKS), "modality": set(SPECS), "classes": [str],
        "thresholds?": [SHARE], "columns": dict, "portable": {"ok": bool},
    }  # fmt: skip
    require_shape(config, shape, "config.json")
    classes, portable = config["classes"], config["portable"]
    config["thresholds"] = config.get("thresholds") or []
    if not classes or len(set(classes)) < len(classes) or (config["task"] == "regression" and len(classes) != 1):
        raise make_misfit("config.json.classes", "should be names that differ; one for a number", classes)
    if len(config["thresholds"]) not in (0, len(classes)):
        raise make_misfit("config.json.thresholds", "should be one for each class", config["thresholds"])
    require_shape(list(config["columns"].values()), [str], "config.json.columns")
    named = config.get("input_columns") or {}
    lengths = {len(steps) for steps in named.get("values") or []}
    if named.get("layout") == "wide" and len(lengths) != 1:
        raise make_misfit("config.json.input_columns.values", "should be lists of one length", named.get("values"))
    if not portable["ok"]:
        require_shape(portable, {"reason": str}, "config.json.portable")
        return config
    inputs = {"kind": str, "arrays": [{"name": str, "dtype": {"float32", "int64", "uint8"}}], "spec": dict}
    reads = {"", "features", "descriptors"}
    require_shape(portable, {"file": str, "inputs": [inputs], "outputs": [str], "reads": reads}, "config.json.portable")
    if not portable["inputs"] or portable["outputs"] != ["outputs", "features"][: 1 + bool(portable["reads"])]:
        raise make_misfit("config.json.portable.outputs", "should be as `reads` says", portable["outputs"])
    for at, item in enumerate(portable["inputs"]):
        _check_input(folder, item, SPECS[config["modality"]], f"config.json.portable.inputs.{at}")
    return config


def _check_input(folder: Path, item: dict[str, Any], specs: dict[str, Any], place: str) -> None:
    require_shape(item["kind"], {"rows", *specs}, f"{place}.kind")
    shape, n_arrays = specs.get(item["kind"], ({}, 1))
    require_shape(item["spec"], shape, f"{place}.spec")
    if len(item["arrays"]) != (3 if item["spec"].get("gaps") else n_arrays):
        raise make_misfit(f"{place}.arrays", "should be as the spec says", item["arrays"])
    for key, name in item["spec"].items():
        if key.endswith("_file"):
            find_file(folder, name, f"{place}.spec.{key}")


def read_policy(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return decision.json, checked; rules that change nothing where there is none."""
    if not (folder / "decision.json").is_file():
        return {"calibrator": {"method": "none"}, "sets": None, "novelty": None, "costs": None, "margin": None}
    policy: dict[str, Any] = read_document(folder, "decision.json")
    n_classes = len(config["classes"])
    shape = {
        "coverage": SHARE, "margin?": (0.0, 1e300), "too_few?": bool, "reserved?": [str], "answer_below?": SHARE,
        "content?": {f"{fault}?": NUMBER for fault in CONTENT_FAULTS},
        "calibrator": {
            "method": {"none", "temperature", "isotonic"}, "temperature": (1e-3, 1e6), "knots": [SHARE],
            "levels": [(-0.01, 1.01)],
        },
        "sets?": {"floors": [SHARE], "n_rows": COUNT},
        "novelty?": {"reads": {"features", "descriptors"}, "threshold": (-1e6, 1e6), "false_alarm": SHARE},
        "costs?": {"matrix": [[NUMBER]], "refer": NUMBER},
    }  # fmt: skip
    require_shape(policy, shape, "decision.json")
    policy = {"sets": None, "novelty": None, "costs": None, "margin": None, **policy}
    knots, levels = policy["calibrator"]["knots"], policy["calibrator"]["levels"]
    curve = knots or policy["calibrator"]["method"] != "isotonic"
    if not curve or len(knots) != len(levels) or knots != sorted(knots):
        raise make_misfit("decision.json.calibrator.knots", "should rise, one for each level", knots)
    rows = [policy["sets"]["floors"]] if policy["sets"] else []
    rows += [policy["costs"]["matrix"], *policy["costs"]["matrix"]] if policy["costs"] else []
    for row in rows:
        if len(row) != n_classes:
            raise make_misfit("decision.json", f"there should be one for each of {n_classes} classes", row)
    if policy["novelty"] and policy["novelty"]["reads"] != config["portable"].get("reads"):
        raise make_misfit("decision.json.novelty.reads", "the graph does not give it", policy["novelty"]["reads"])
    return policy


def read_graph(path: Path) -> str | bytes:
    """Return a graph's file with its packed weights unpacked, else its path; refuse one of other than plain steps."""
    content = path.read_bytes()
    try:
        reason = explain_refusal(read_graph_facts(memoryview(content)))
        if not reason:
            return unpack_weights(memoryview(content)) or str(path)
    except ValueError as error:
        reason = str(error)[:100]
    raise RefusedInput(f"{path.name} cannot be run ({reason}).\nDo not use it, or make the bundle again.")


HERE = Path(__file__).parent
try:
    CONFIG = read_config(HERE)
    POLICY = read_policy(HERE, CONFIG)
except RefusedInput as refused:
    print(refused, file=sys.stderr)
    raise SystemExit(2) from None
TASK, CLASSES, PORTABLE = CONFIG["task"], CONFIG["classes"], CONFIG["portable"]
SINGLE = TASK in ("classification", "ordinal")
NOT_SURE, NONE, RESERVED = "not sure", "none of these", ("_other", "noise", "background")
HEADINGS = {"label": "best guess", "labels": "best guess", "label_2": "second guess", "label_3": "third guess",
            "probability_2": "probability of the second", "probability_3": "probability of the third",
            "set": "likely answers"}  # fmt: skip
BATCH, MOST_RUN_BYTES, MOST_RUN_SECONDS = 16, 2_000_000_000, 300.0
RAISED = vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
FAILURES: tuple[type[Exception], ...] = (
    *(item for item in RAISED if isinstance(item, type) and issubclass(item, Exception)),
    UnicodeDecodeError,
)


def read_tensors(file: str) -> dict[str, Any]:
    """Read a safetensors file as float32, after its header was held against its size."""
    raw = find_file(HERE, file, file).read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    kinds, arrays = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "I64": np.int64, "I32": np.int32}, {}
    try:
        for name, item in json.loads(raw[8:start]).items():
            if name != "__metadata__":
                first, last = item["data_offsets"]
                if not 0 <= first <= last <= len(raw) - start:
                    raise ValueError("it ends too early")
                values = np.frombuffer(raw[start + first : start + last], kinds[item["dtype"]])
                arrays[name] = values.reshape(item["shape"]).astype(np.float32)
        n_dims, n_kept = arrays["basis"].shape
        shapes = {"centre": (1, n_dims), "inner": (n_kept, n_kept), "kept": (len(arrays["kept"]), n_kept),
                  "means": (len(arrays["means"]), n_kept)}  # fmt: skip
        wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape or not len(arrays[name])]
        wrong += [name for name in ("basis", *shapes) if not np.isfinite(arrays[name]).all()]
        if wrong:
            raise ValueError(f"{wrong[0]} has another shape, or values that are no numbers")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedInput(f"{file} is damaged ({str(error)[:100]}).\n{HINT}") from None
    return arrays


def open_graph() -> Any:
    """Open the graph; what it holds in memory while it runs is bounded."""
    path = find_file(HERE, PORTABLE["file"], "config.json.portable.file")
    content = read_graph(path)
    options, kind = onnxruntime.SessionOptions(), onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    options.log_severity_level = 4
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(MOST_RUN_BYTES, 1, -1, -1))
    for key in ("use_env_allocators", "use_device_allocator_for_initializers"):
        options.add_session_config_entry(f"session.{key}", "1")
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], enable_fallback=0,
            disabled_optimizers=["ConstantFolding"],  # It would compute without a bound of time.
        )  # fmt: skip
    except FAILURES as error:
        raise RefusedInput(f"{path.name} cannot be run ({' '.join(str(error).split())[:150]}).\n{HINT}") from None
    graph_inputs = sorted(one.name for one in session.get_inputs())
    if sorted(array["name"] for item in PORTABLE["inputs"] for array in item["arrays"]) != graph_inputs:
        raise make_misfit("config.json.portable.inputs", "should name the arrays of the graph", graph_inputs)
    return session


def run_rows(session: Any, rows: list[Any]) -> tuple[Any, Any]:
    """Return outputs and features of rows."""
    limits = onnxruntime.RunOptions()
    timer = threading.Timer(MOST_RUN_SECONDS, setattr, (limits, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        results = session.run(None, collate_rows(rows), limits)
    except FAILURES as error:
        slow = f"{len(rows)} rows take more than {MOST_RUN_SECONDS:g} seconds" if limits.terminate else str(error)
        raise RefusedInput(f"The graph cannot be run ({' '.join(slow.split())[:150]}).\n{HINT}") from None
    finally:
        timer.cancel()
    outputs, features = results[0], results[1] if len(results) > 1 else np.empty((len(rows), 0), np.float32)
    if outputs.shape != (len(rows), len(CLASSES)) or features.ndim != 2 or len(features) != len(rows):
        raise RefusedInput(f"The graph answers with numbers of the shape {outputs.shape}.\n{HINT}")
    return np.asarray(outputs, np.float64), features


def measure_distances(values: Any, known: dict[str, Any]) -> Any:
    """Return the distances of rows from the training rows, 0 to 2."""
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    centred = (unit - known["centre"]).astype(np.float32)
    inside = centred @ known["basis"]
    rest = np.maximum((centred**2).sum(1) - (inside**2).sum(1), 0)
    white = inside @ known["inner"]
    place = white / np.maximum(np.sqrt((white**2).sum(1) + rest), 1e-9)[:, None]
    near = np.sort(place @ known["kept"].T, axis=1)[:, -3:].mean(axis=1)
    return 1 - (near + (place @ known["means"].T).max(axis=1)) / 2


def calibrate(probabilities: Any) -> Any:
    """Return corrected probabilities (n_rows, n_classes)."""
    calibrator = POLICY["calibrator"]
    if calibrator["method"] == "none":
        return probabilities
    if calibrator["method"] == "isotonic":
        corrected = np.interp(probabilities, calibrator["knots"], calibrator["levels"]) + 1e-4 * probabilities
    else:
        logs = np.log(np.maximum(probabilities, 1e-12)) / calibrator["temperature"]
        corrected = np.exp(logs - logs.max(axis=1, keepdims=True))
    return corrected / corrected.sum(axis=1, keepdims=True)


def describe_class(row: Any, index: int) -> str:
    """Return a class with its probability, as text."""
    return f"{CLASSES[index]} ({100 * row[index]:.0f} %)"


def decide_row(row: Any, distance: float) -> list[str]:
    """Return the cells of one row after the input: prediction, answer, set, reason, kind."""
    cells, answer, prediction_set, reason, ends, kind = DECIDERS[TASK](row)
    out_of_distribution = POLICY["novelty"]
    if out_of_distribution and distance > out_of_distribution["threshold"]:
        share = f"{100 * (1 - out_of_distribution['false_alarm']):.0f} %"
        answer, kind = NONE, "none_of_these"
        reason = f"unlike the training rows: farther from them than {share} of them are from each other"
    return [*cells, answer, prediction_set, reason, *ends, kind]


def decide_class(row: Any) -> tuple[list[str], str, str, str, list[str], str]:
    """Decide on the probabilities of classes or grades."""
    best = int(row.argmax())
    if TASK == "ordinal":
        best = min(int((np.cumsum(row) < 0.5 - 1e-9).sum()), len(row) - 1)
    order = [int(index) for index in np.argsort(-row, kind="stable")]
    top = [best, *(index for index in order if index != best)][:3]
    sets, costs = POLICY["sets"], POLICY["costs"]
    inside = {best, *((int(row.argmax()), *np.flatnonzero(row >= np.asarray(sets["floors"]))) if sets else ())}
    prediction_set = sorted(inside, key=lambda index: (-row[index], index))
    reserved = POLICY.get("reserved")
    refused = [name.strip().casefold() in RESERVED if reserved is None else name in reserved for name in CLASSES]
    index, reason = (best if len(prediction_set) == 1 or all(refused[at] for at in prediction_set) else -1), ""
    if costs:
        expected = row @ np.asarray(costs["matrix"])
        index = cheapest = int(expected.argmin())
        if expected[cheapest] > costs["refer"]:
            index = -1
            reason = f"asking costs {costs['refer']:g}; the cheapest answer, {CLASSES[cheapest]}, "
            reason += f"is expected to cost {expected[cheapest]:.2g}"
        elif index != int(row.argmax()):
            first = int(row.argmax())
            reason = f"{describe_class(row, first)} is more probable, but a mistake would be expected to cost "
            reason += f"{expected[first]:.2g}"
    elif index >= 0 and not refused[index] and row[index] < (POLICY.get("answer_below") or 0):
        reason = f"{describe_class(row, index)} is the best guess, but less probable than "
        reason += f"{100 * POLICY['answer_below']:.0f} %"
        index = -1
    if not reason and index >= 0:
        reason = f"{100 * row[index]:.0f} % sure" + ("; no other class is likely enough" if sets and not costs else "")
    elif not reason and sets and not any(floor > 0 for floor in sets["floors"]):
        reason = f"{sets['n_rows']} training rows are too few to rule any class out"
        if not sets["n_rows"]:
            reason = "no training row could be held out, so no class can be ruled out"
    elif not reason:
        more = f" and {len(prediction_set) - 3} more" if len(prediction_set) > 3 else ""
        reason = f"may be {', '.join(describe_class(row, at) for at in prediction_set[:3])}{more}"
    answer, kind = (CLASSES[index], "label") if index >= 0 else (NOT_SURE, "not_sure")
    if index >= 0 and refused[index]:
        answer, kind = NONE, "none_of_these"
        reason = f"most like the training rows of {describe_class(row, index)}"
    names = [CLASSES[at] for at in prediction_set[:20]] + (
        [f"{len(prediction_set) - 20} more"] if len(prediction_set) > 20 else []
    )
    cells = [part for at in top for part in (CLASSES[at], f"{row[at]:.6f}")]
    return cells, answer, ";".join(names), reason, [], kind


def decide_labels(row: Any) -> tuple[list[str], str, str, str, list[str], str]:
    """Decide on the probabilities of labels of which a row may have several."""
    labels = np.flatnonzero(row >= np.asarray(CONFIG["thresholds"] or (0.5,)))
    written = ";".join(CLASSES[at] for at in labels)
    if len(CLASSES) <= 20:
        return [written, *(f"{probability:.6f}" for probability in row)], written, "", "", [], "label"
    best = np.argsort(-row, kind="stable")[:3]
    return [written, *(part for at in best for part in (CLASSES[at], f"{row[at]:.6f}"))], written, "", "", [], "label"


def decide_number(row: Any) -> tuple[list[str], str, str, str, list[str], str]:
    """Decide on a number."""
    written, margin = f"{row[0]:.7g}", POLICY["margin"]
    if margin is None:
        few = "too few training rows to give a range" if POLICY.get("too_few") else ""
        return [written], written, "", few, ["", ""], "label"
    ends = [f"{row[0] - margin:.7g}", f"{row[0] + margin:.7g}"]
    reason = f"{100 * POLICY['coverage']:.0f} % of such ranges are stated to hold the truth"
    return [written], written, " to ".join(ends), reason, ends, "label"


DECIDERS = {
    "classification": decide_class,
    "ordinal": decide_class,
    "multi-label": decide_labels,
    "regression": decide_number,
}


def list_columns() -> list[str]:
    """Return the names of the columns."""
    ranks = [f"{what}_{rank}" for rank in range(1, 4) for what in ("label", "probability")]
    columns = ["label", "probability", *ranks[2 : 2 * min(3, len(CLASSES))]]
    if TASK == "multi-label":
        columns = ["labels", *([f"p({name})" for name in CLASSES] if len(CLASSES) <= 20 else ranks)]
    if TASK == "regression":
        columns = list(CLASSES)
    return ["input", *columns, "answer", "set", "reason", *(["low", "high"] if TASK == "regression" else []), "kind"]


def collate_rows(rows: list[list[Any]]) -> dict[str, Any]:
    """Return prepared rows as one batch; shorter texts are filled up."""
    batch = {}
    for at, item in enumerate(PORTABLE["inputs"]):
        for place, array in enumerate(item["arrays"]):
            parts = [row[at][place] for row in rows]
            longest = tuple(max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True))
            fill = item["spec"].get("pad_id", 0) if place == 0 else 0
            whole: Any = np.full((len(parts), *(max(1, size) for size in longest)), fill, array["dtype"])
            for number, part in enumerate(parts):
                whole[(number, *(slice(0, size) for size in part.shape))] = part
            batch[array["name"]] = whole
    return batch


def prepare_row(source: Any) -> list[Any]:
    """Return the arrays of one row; ValueError if it cannot be used."""
    if isinstance(source, ValueError):
        raise source
    limits = POLICY.get("content")
    fault = find_content_fault(measure_content(source, PORTABLE["inputs"]), limits) if limits else ""
    if fault:
        raise ValueError(CONTENT_FAULTS[fault])
    kinds = [(item["kind"], item["spec"]) for item in PORTABLE["inputs"]]
    return [(np.zeros(1, np.float32),) if kind == "rows" else prepare_input(kind, source, spec) for kind, spec in kinds]


def order_columns(names: list[str]) -> list[int]:
    """Return the places of columns as people read them: the input, its answer, the best guess, how probable it is."""
    first = [name for name in ("input", "answer", "label", "labels", "probability") if name in names[:-1]]
    places = [names.index(name) for name in first]
    return [*places, *(at for at in range(len(names) - 1) if at not in places)]


def main(paths: list[str]) -> None:
    """Predict every input and write one row each, into the file behind -o as people read them."""
    if "-o" not in paths[:-1]:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        predict_paths(paths, lambda row: write_csv_rows(sys.stdout, [row]))
        return
    at_out = paths.index("-o")
    out, names = Path(paths[at_out + 1]), list_columns()
    order, headings = order_columns(names), {} if TASK == "regression" else HEADINGS
    partial = out.with_name(f"{out.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as sink:
            write_csv_rows(sink, [[headings.get(names[at], names[at]) for at in order]])
            rows = iter([True])  # The first row has the names for programs.
            predict_paths(
                paths[:at_out] + paths[at_out + 2 :],
                lambda row: None if next(rows, False) else write_csv_rows(sink, [[row[at] for at in order]]),
            )
        partial.replace(out)
    except OSError as error:
        raise RefusedInput(f"{out} cannot be written ({error.strerror}).") from None
    finally:
        partial.unlink(missing_ok=True)


def predict_paths(paths: list[str], write: Callable[[list[Any]], None]) -> None:
    """Predict every input and write the names of the columns and one row each."""
    if not PORTABLE["ok"] or not paths:
        raise RefusedInput(__doc__ if PORTABLE["ok"] else f"There is no model.onnx: {PORTABLE['reason']}.")
    for missing in (path for path in paths if not Path(path).exists()):
        raise RefusedInput(f"There is nothing at {missing}.")
    warnings.simplefilter("ignore")  # Warnings about odd inputs are reasons in their rows.
    session = open_graph()
    out_of_distribution = read_tensors("decision.safetensors") if POLICY["novelty"] else {}
    names = list_columns()
    titles = [names]  # Written with the first answers: nothing is where the graph cannot be run.

    def answer(waiting: list[tuple[str, Any]]) -> None:
        good = [arrays for _, arrays in waiting if not isinstance(arrays, str)]
        probabilities, features = run_rows(session, good) if good else (np.empty((0, 1)), np.empty((0, 0)))
        if good and out_of_distribution and features.shape[1] != out_of_distribution["centre"].shape[1]:
            raise RefusedInput(f"decision.safetensors does not fit the graph.\n{HINT}")
        probabilities = calibrate(probabilities) if SINGLE else probabilities
        distances = (
            measure_distances(features, out_of_distribution)
            if good and out_of_distribution
            else np.full(len(good), np.nan)
        )
        for title_row in titles:
            write(title_row)
        titles.clear()
        answers = iter(zip(probabilities, distances, strict=True))
        for name, arrays in waiting:
            unread = [*("" if title != "reason" else str(arrays) for title in names[1:-1]), "unusable"]
            write([name, *(unread if isinstance(arrays, str) else decide_row(*next(answers)))])

    waiting: list[tuple[str, Any]] = []
    counts = Counter[str]()
    n_good = 0
    for path in paths:
        for path_text, source in iterate_rows(Path(path), CONFIG):
            name = path_text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            counts[name] += 1
            name += f"#{counts[name]}" if counts[name] > 1 else ""
            try:
                waiting.append((name, prepare_row(source)))
                n_good += 1
            except ValueError as error:
                waiting.append((name, str(error)))
            if len(waiting) == BATCH:
                answer(waiting)
                waiting = []
    answer(waiting)
    if not n_good:
        raise RefusedInput("Nothing could be read: see the reasons in the rows above, if there are any.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RefusedInput as refused:
        print(refused, file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:  # What reads the answers has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
