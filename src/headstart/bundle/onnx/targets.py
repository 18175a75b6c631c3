"""Other forms of a portable model, as a table: what each is, and how it is made from `model.onnx`.

A further target is one line in `TARGETS`. Whether a form is written is decided in `headstart.flow.exports.export`.
"""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bundle.onnx.packed_weights import unpack_weights
from headstart.bundle.runtime.inputs import ModelInputs
from headstart.bundle.runtime.session import MODEL, GraphRun, open_graph
from headstart.bundle.settings import SETTINGS
from headstart.modalities.record import Array

INT8, OPENVINO = "model.int8.onnx", "model.xml"


@dataclass(frozen=True)
class TargetSource:
    """Sources of an exported form.

    Parameters
    ----------
    graph : Path
        `model.onnx`.
    model_inputs : ModelInputs
    rows : sequence of prepared rows
        Real rows that int8 is calibrated on.
    """

    graph: Path
    model_inputs: ModelInputs
    rows: Sequence[tuple[Array, ...]]

    def write_unpacked(self, folder: Path) -> Path:
        """Return the graph with weights in 32 bits, as other tools read it; it is written where weights are packed."""
        unpacked = unpack_weights(memoryview(self.graph.read_bytes()))
        if unpacked is None:
            return self.graph
        path = folder / "unpacked.onnx"
        path.write_bytes(unpacked)
        return path


@dataclass(frozen=True)
class ExportedForm:
    """Exported form of one method: its name, what it wrote, and how it is run."""

    method: str
    files: tuple[str, ...]
    run: GraphRun


@dataclass(frozen=True, kw_only=True)
class ExportTarget:
    """A form that can be exported.

    Parameters
    ----------
    name : str
    description : str
        What it is for.
    is_exact : bool
        Whether it must pass the gate of float forms; else no class may lose more than `--max-drop`.
    methods : tuple of (NamedTensors, folder) -> ExportedForm
        Tried in order; the first that passes is taken.
    has_script : bool
        Whether `predict.py` and Headstart run it.
    is_page : bool
        Whether it is a page for browsers (see `headstart.flow.exports.web_page`).
    is_head : bool
        Whether it is the head without its base (see `headstart.flow.exports.head_file`), and no graph.
    """

    name: str
    description: str
    is_exact: bool
    methods: tuple[Callable[[TargetSource, Path], ExportedForm], ...]
    has_script: bool = True
    is_page: bool = False
    is_head: bool = False


def _copy_onnx(source: TargetSource, folder: Path) -> ExportedForm:
    shutil.copyfile(source.graph, folder / MODEL)
    return ExportedForm("onnx", (MODEL,), open_graph(folder / MODEL, source.model_inputs.names))


def _write_small_weights(source: TargetSource, folder: Path) -> ExportedForm:
    """Write blocks of 4 bits where the base came in such, and 16 bits for all other weights."""
    _require_onnx()
    blocks, cut = import_module("headstart.bundle.onnx.block_weights"), folder / "blocks.onnx"
    if not blocks.write_blocks(source.write_unpacked(folder), cut):
        return _quantise_to_16_bits(source, folder)
    import_module("headstart.bundle.onnx.weight_quantisation").quantise_weights(cut, folder / MODEL)
    run = open_graph(blocks.join_blocks(folder / MODEL, folder / "joined.onnx"), source.model_inputs.names)
    return ExportedForm("weights of 4 bits in blocks, others of 16 bits", (MODEL,), run)


def _require_onnx() -> None:
    if find_spec("onnx") is None:
        raise RuntimeError("the package onnx is not installed (pip install 'headstart[adapt]')")


def _quantise_to_16_bits(source: TargetSource, folder: Path) -> ExportedForm:
    _require_onnx()
    import_module("headstart.bundle.onnx.weight_quantisation").quantise_weights(source.graph, folder / MODEL)
    return ExportedForm("weights of 16 bits", (MODEL,), open_graph(folder / MODEL, source.model_inputs.names))


class _CalibrationRows:
    """Prepared rows one by one, in the form that onnxruntime's calibration reads."""

    def __init__(self, source: TargetSource) -> None:
        names = source.model_inputs.names
        self.left = iter([dict(zip(names, source.model_inputs.collate([row]), strict=True)) for row in source.rows])

    def get_next(self) -> dict[str, Array] | None:
        """Return the next row; None at the end."""
        return next(self.left, None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def is_network_node(name: str) -> bool:
    """Return whether a node is part of a network (a base, tuned or not); heads, counts and descriptors stay float.

    Examples
    --------
    >>> is_network_node("/features/network/net/conv_stem/Conv"), is_network_node("/descriptors/described/Sqrt")
    (True, False)
    """
    return "/network/" in name and not any(part in name for part in ("/network/inner", "/first/"))


def _list_float_nodes(graph: Path) -> list[str]:
    """Name the nodes that stay float, because a small error there changes answers."""
    model = import_module("onnx").load(graph, load_external_data=False)
    return [node.name for node in model.graph.node if not is_network_node(node.name)]


STATIC_OPERATORS = ("Conv", "MatMul", "Gemm", "Add", "Clip", "AveragePool", "GlobalAveragePool")
"""Steps that are calculated in 8 bits: also what stands between the convolutions, or it would be turned to and fro."""


def _list_early_nodes(graph: Path) -> list[str]:
    """Name the first nodes of a network, those that hold the first few of its weights."""
    onnx = import_module("onnx")
    model = onnx.load(graph, load_external_data=False)
    sizes = {item.name: int(np.prod(item.dims)) for item in model.graph.initializer}
    nodes = [node for node in model.graph.node if is_network_node(node.name)]
    held = np.cumsum([sum(sizes.get(name, 0) for name in node.input) for node in nodes])
    return [
        node.name for node, before in zip(nodes, held, strict=True) if before < SETTINGS.early_weight_share * held[-1]
    ]


def _quantise_static(source: TargetSource, folder: Path, all_layers: bool = True) -> ExportedForm:
    tools = import_module("onnxruntime.quantization")
    shaped = folder / "shaped.onnx"
    with _quiet():
        import_module("onnxruntime.quantization.shape_inference").quant_pre_process(
            source.write_unpacked(folder), shaped, skip_symbolic_shape=True
        )
        tools.quantize_static(
            shaped, folder / INT8, _CalibrationRows(source), quant_format=tools.QuantFormat.QDQ, per_channel=True,
            op_types_to_quantize=list(STATIC_OPERATORS),
            nodes_to_exclude=_list_float_nodes(shaped) + ([] if all_layers else _list_early_nodes(shaped)),
            activation_type=tools.QuantType.QUInt8, weight_type=tools.QuantType.QInt8,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )  # fmt: skip
    shaped.unlink()
    method = "static int8" if all_layers else "static int8, first layers in float"
    return ExportedForm(method, (INT8,), open_graph(folder / INT8, source.model_inputs.names))


def _quantise_dynamic(source: TargetSource, folder: Path) -> ExportedForm:
    tools, graph = import_module("onnxruntime.quantization"), source.write_unpacked(folder)
    with _quiet():
        tools.quantize_dynamic(
            graph, folder / INT8, per_channel=True, weight_type=tools.QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm", "Gather"], nodes_to_exclude=_list_float_nodes(graph),
        )  # fmt: skip
    return ExportedForm("dynamic int8", (INT8,), open_graph(folder / INT8, source.model_inputs.names))


def _quantise_to_8_bits(source: TargetSource, folder: Path) -> ExportedForm:
    import_module("headstart.bundle.onnx.weight_quantisation").quantise_weights(
        source.write_unpacked(folder), folder / INT8, 8, is_network_node
    )
    return ExportedForm(
        "weights of 8 bits, calculated in 32", (INT8,), open_graph(folder / INT8, source.model_inputs.names)
    )


def _convert_to_openvino(source: TargetSource, folder: Path) -> ExportedForm:
    ov: Any = import_module("headstart.features.openvino_runtime").import_openvino()
    with _quiet():
        model = ov.convert_model(str(source.write_unpacked(folder)))
    ov.save_model(model, folder / OPENVINO, compress_to_fp16=False)
    compiled = ov.Core().compile_model(str(folder / OPENVINO), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(*arrays: Array) -> tuple[Array, ...]:
        outputs = compiled(dict(zip(source.model_inputs.names, arrays, strict=True)))
        values = [np.asarray(outputs[place], dtype=np.float32) for place in range(len(compiled.outputs))]
        return values[0], values[1] if len(values) > 1 else np.empty((len(values[0]), 0), dtype=np.float32)

    return ExportedForm("openvino", (OPENVINO, "model.bin"), run)


TARGETS: dict[str, ExportTarget] = {
    target.name: target
    for target in (
        ExportTarget(
            name="onnx", description="a slim bundle without torch's weights", is_exact=True, methods=(_copy_onnx,)
        ),
        ExportTarget(
            name="onnx-int8",
            description="the same in 8 bits: smaller, often faster",
            is_exact=False,
            methods=(
                _quantise_static,
                partial(_quantise_static, all_layers=False),
                _quantise_dynamic,
                _quantise_to_8_bits,
            ),
        ),
        ExportTarget(
            name="openvino",
            description="a network for OpenVINO's own tools",
            is_exact=True,
            methods=(_convert_to_openvino,),
            has_script=False,
        ),
        ExportTarget(
            name="web",
            description="a page that answers on the device, without a server",
            is_exact=True,
            methods=(_write_small_weights, _quantise_to_16_bits, _copy_onnx),
            has_script=False,
            is_page=True,
        ),
        ExportTarget(
            name="head",
            description="the head alone, some kB, for machines that have its base model",
            is_exact=True,
            methods=(),
            has_script=False,
            is_head=True,
        ),
    )
}
