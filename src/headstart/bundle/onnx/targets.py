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

from headstart.bundle.runtime.inputs import Feed
from headstart.bundle.runtime.session import MODEL, Run, opened
from headstart.modalities.record import Array

INT8, OPENVINO = "model.int8.onnx", "model.xml"
CALIBRATION_ROWS = 64


@dataclass(frozen=True)
class Given:
    """What a form is made from.

    Parameters
    ----------
    graph : Path
        `model.onnx`.
    feed : Feed
    rows : sequence of prepared rows
        Real rows that int8 is calibrated on.
    """

    graph: Path
    feed: Feed
    rows: Sequence[tuple[Array, ...]]


@dataclass(frozen=True)
class Form:
    """One way to make a target: its name, what it wrote, and how it is run."""

    method: str
    files: tuple[str, ...]
    run: Run


@dataclass(frozen=True, kw_only=True)
class Target:
    """A form that can be exported.

    Parameters
    ----------
    name : str
    says : str
        What it is for.
    exact : bool
        Whether it must pass the gate of float forms; else no class may lose more than `--max-drop`.
    ways : tuple of (Given, folder) -> Form
        Tried in order; the first that passes is taken.
    scripted : bool
        Whether `predict.py` and Headstart run it.
    page : bool
        Whether it is a page for browsers (see `headstart.flow.exports.web_page`).
    """

    name: str
    says: str
    exact: bool
    ways: tuple[Callable[[Given, Path], Form], ...]
    scripted: bool = True
    page: bool = False


def _onnx(given: Given, folder: Path) -> Form:
    shutil.copyfile(given.graph, folder / MODEL)
    return Form("onnx", (MODEL,), opened(folder / MODEL, given.feed.names))


def _sixteen_bits(given: Given, folder: Path) -> Form:
    if find_spec("onnx") is None:
        raise RuntimeError("the package onnx is not installed (pip install 'headstart[adapt]')")
    import_module("headstart.bundle.onnx.weight_quantisation").halve(given.graph, folder / MODEL)
    return Form("weights of 16 bits", (MODEL,), opened(folder / MODEL, given.feed.names))


class _Rows:
    """Prepared rows one by one, in the form that onnxruntime's calibration reads."""

    def __init__(self, given: Given) -> None:
        names = given.feed.names
        self.left = iter([dict(zip(names, given.feed.collate([row]), strict=True)) for row in given.rows])

    def get_next(self) -> dict[str, Array] | None:
        """Give the next row; None at the end."""
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


def of_network(name: str) -> bool:
    """Say whether a node is part of a network (a base, tuned or not); heads, counts and descriptors stay float.

    Examples
    --------
    >>> of_network("/features/network/net/conv_stem/Conv"), of_network("/descriptors/described/Sqrt")
    (True, False)
    """
    return "/network/" in name and not any(part in name for part in ("/network/inner", "/first/"))


def _others(graph: Path) -> list[str]:
    """Name the nodes that stay float, because a small error there changes answers."""
    model = import_module("onnx").load(graph, load_external_data=False)
    return [node.name for node in model.graph.node if not of_network(node.name)]


EVERY = ("Conv", "MatMul", "Gemm", "Add", "Clip", "AveragePool", "GlobalAveragePool")
"""Steps that are calculated in 8 bits: also what stands between the convolutions, or it would be turned to and fro."""
EARLY = 0.15
"""The layers before this share of a network's weights stay float in the second way: they hold little and lose most."""


def _early(graph: Path) -> list[str]:
    """Name the first nodes of a network, those that hold the first few of its weights."""
    onnx = import_module("onnx")
    model = onnx.load(graph, load_external_data=False)
    sizes = {item.name: int(np.prod(item.dims)) for item in model.graph.initializer}
    nodes = [node for node in model.graph.node if of_network(node.name)]
    held = np.cumsum([sum(sizes.get(name, 0) for name in node.input) for node in nodes])
    return [node.name for node, before in zip(nodes, held, strict=True) if before < EARLY * held[-1]]


def _static(given: Given, folder: Path, all_layers: bool = True) -> Form:
    tools = import_module("onnxruntime.quantization")
    shaped = folder / "shaped.onnx"
    with _quiet():
        import_module("onnxruntime.quantization.shape_inference").quant_pre_process(
            given.graph, shaped, skip_symbolic_shape=True
        )
        tools.quantize_static(
            shaped, folder / INT8, _Rows(given), quant_format=tools.QuantFormat.QDQ, per_channel=True,
            op_types_to_quantize=list(EVERY), nodes_to_exclude=_others(shaped) + ([] if all_layers else _early(shaped)),
            activation_type=tools.QuantType.QUInt8, weight_type=tools.QuantType.QInt8,
            extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
        )  # fmt: skip
    shaped.unlink()
    how = "static int8" if all_layers else "static int8, first layers in float"
    return Form(how, (INT8,), opened(folder / INT8, given.feed.names))


def _dynamic(given: Given, folder: Path) -> Form:
    tools = import_module("onnxruntime.quantization")
    with _quiet():
        tools.quantize_dynamic(
            given.graph, folder / INT8, per_channel=True, weight_type=tools.QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gemm", "Gather"], nodes_to_exclude=_others(given.graph),
        )  # fmt: skip
    return Form("dynamic int8", (INT8,), opened(folder / INT8, given.feed.names))


def _eight_bits(given: Given, folder: Path) -> Form:
    import_module("headstart.bundle.onnx.weight_quantisation").halve(given.graph, folder / INT8, 8, of_network)
    return Form("weights of 8 bits, calculated in 32", (INT8,), opened(folder / INT8, given.feed.names))


def _openvino(given: Given, folder: Path) -> Form:
    ov: Any = import_module("headstart.features.openvino_runtime").silent_openvino()
    with _quiet():
        model = ov.convert_model(str(given.graph))
    ov.save_model(model, folder / OPENVINO, compress_to_fp16=False)
    compiled = ov.Core().compile_model(str(folder / OPENVINO), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def run(*arrays: Array) -> tuple[Array, ...]:
        found = compiled(dict(zip(given.feed.names, arrays, strict=True)))
        values = [np.asarray(found[place], dtype=np.float32) for place in range(len(compiled.outputs))]
        return values[0], values[1] if len(values) > 1 else np.empty((len(values[0]), 0), dtype=np.float32)

    return Form("openvino", (OPENVINO, "model.bin"), run)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target(name="onnx", says="a slim bundle without torch's weights", exact=True, ways=(_onnx,)),
        Target(
            name="onnx-int8",
            says="the same in 8 bits: smaller, often faster",
            exact=False,
            ways=(_static, partial(_static, all_layers=False), _dynamic, _eight_bits),
        ),
        Target(
            name="openvino", says="a network for OpenVINO's own tools", exact=True, ways=(_openvino,), scripted=False
        ),
        Target(
            name="web",
            says="a page that answers on the device, without a server",
            exact=True,
            ways=(_sixteen_bits, _onnx),
            scripted=False,
            page=True,
        ),
    )
}
