"""Read what an ONNX file states - operators, inputs, outputs, sizes - without building anything of it.

A small reader of the protobuf wire format, bounded by the file itself: no package but numpy is needed, no weight is
copied, and what is no ONNX file ends as `ValueError`. A part of predict.py as well, word for word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# --- code ---
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
