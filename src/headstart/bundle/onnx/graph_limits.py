"""Graphs that are run: those of plain operators, of known sizes, with all weights inside and inputs as in config.json.

Checked before onnxruntime sees the file. What a graph may hold in memory while it runs is bounded in
`headstart.bundle.runtime.session`.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.bundle.file_names import is_regular_file, make_printable
from headstart.bundle.onnx.operators import TYPES, explain_refusal
from headstart.bundle.onnx.reader import GraphFacts, ValueFacts, read_graph_facts
from headstart.bundle.records.schema import Misfit
from headstart.errors import BundleError, list_offenders

MOST_BYTES = 2_147_483_648
"""One ONNX file holds 2 GB at most."""
OUTPUT_TYPES = ("float32", "float64")


@dataclass(frozen=True)
class GraphContract:
    """Inputs and outputs that a graph must have.

    Parameters
    ----------
    inputs : mapping of str to (str, tuple of int or None)
        Type and sizes of each input; None: any size.
    outputs : tuple of str
    n_outputs : int
    n_features : int or None
        Columns of the second output, where they are known.
    """

    inputs: Mapping[str, tuple[str, tuple[int | None, ...]]]
    outputs: tuple[str, ...]
    n_outputs: int
    n_features: int | None = None

    @classmethod
    def from_config(cls, portable: Mapping[str, Any], n_outputs: int, n_features: int | None) -> GraphContract:
        """Return the contract of `portable` in `config.json`."""
        arrays = [array for item in portable["inputs"] for array in item["arrays"]]
        inputs = {array["name"]: (str(array["dtype"]), tuple(array["shape"])) for array in arrays}
        return cls(inputs, tuple(portable["outputs"]), n_outputs, n_features)


def require_graph(path: Path, contract: GraphContract | None = None) -> None:
    """Refuse a graph that is not a plain one, or whose inputs differ from those of its bundle.

    Parameters
    ----------
    path : Path
    contract : GraphContract or None
        None: only the graph itself is looked at.

    Raises
    ------
    BundleError
        The graph wants what is not run here.
    Misfit
        It does not fit the contract.
    """
    facts = _read_facts(path)
    reason = explain_refusal(facts)
    if reason:
        raise BundleError(f"{path} cannot be run ({reason}).", "Do not use it, or make the bundle again.")
    if contract is not None:
        _require_inputs(path.name, facts, contract)
        _require_outputs(path.name, facts, contract)


def _read_facts(path: Path) -> GraphFacts:
    size = path.stat().st_size if is_regular_file(path) else 0
    if not 0 < size <= MOST_BYTES:
        raise BundleError(f"{path} is not a graph ({size / 1e6:,.0f} MB).", "Copy the bundle again.")
    try:
        with path.open("rb") as handle:
            return read_graph_facts(memoryview(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)))
    except ValueError as error:
        raise BundleError(f"{path} cannot be run ({make_printable(error, 100)}).", "Copy the bundle again.") from error


def _require_inputs(name: str, facts: GraphFacts, contract: GraphContract) -> None:
    inputs = {value.name: value for value in facts.inputs if value.name not in facts.initializers}
    if set(inputs) != set(contract.inputs):
        raise Misfit(
            f"{name}: the inputs should be {list_offenders(sorted(contract.inputs))} as config.json says "
            f"(were {make_printable(list_offenders(sorted(inputs)), 200)})"
        )
    for key, (kind, sizes) in contract.inputs.items():
        _require_value(name, inputs[key], (kind,), sizes)


def _require_outputs(name: str, facts: GraphFacts, contract: GraphContract) -> None:
    output_names = tuple(value.name for value in facts.outputs)
    if output_names != contract.outputs:
        raise Misfit(
            f"{name}: the outputs should be {', '.join(contract.outputs)} as config.json says "
            f"(were {make_printable(', '.join(output_names), 200)})"
        )
    widths = (contract.n_outputs, contract.n_features)
    for value, width in zip(facts.outputs, widths, strict=False):
        _require_value(name, value, OUTPUT_TYPES, (None, width))


def _require_value(name: str, value: ValueFacts, kinds: Sequence[str], sizes: tuple[int | None, ...]) -> None:
    """Refuse an input or output whose type, or one of whose fixed sizes, is another."""
    kind = TYPES.get(value.type_number, ("unknown", 0))[0]
    if kind not in kinds:
        raise Misfit(f"{name}: {value.name}: should be {' or '.join(kinds)} (was {kind})")
    stated = sizes if value.sizes is None else value.sizes
    fits = len(stated) == len(sizes) and all(
        one is None or two is None or one == two for one, two in zip(stated, sizes, strict=True)
    )
    if not fits:
        raise Misfit(f"{name}: {value.name}: the shape should be {list(sizes)} (was {list(stated)})")
