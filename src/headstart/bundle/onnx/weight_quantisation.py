"""Keep the weights of a graph as numbers of 16 or 8 bits: a half or a quarter of the file, calculated in 32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from headstart.bundle.onnx.packed_weights import FLOAT, STEP, WHOLE
from headstart.bundle.settings import SETTINGS

STEPS = {16: 32_767, 8: 127}
"""The largest whole number of so many bits."""


def quantise_weights(source: Path, target: Path, bits: int = 16, chosen: Callable[[str], bool] | None = None) -> int:
    """Write a graph with its large float32 arrays as whole numbers, turned back where the graph begins.

    Each row of an array (along its first axis) has a step of its own, so that what is rounded off is, with 16 bits, at
    most half of 1 / 32,767 of the row's largest number: several times less than float16 would round off.

    Parameters
    ----------
    source, target : Path
    bits : int
        16 or 8.
    chosen : (name of a node) -> bool
        Only arrays that all go into such nodes; all arrays if None.

    Returns
    -------
    int
        How many arrays were halved.
    """
    model = onnx.load(source)
    graph = model.graph
    float_names = {name for node in graph.node if chosen and not chosen(node.name) for name in node.input}
    large = [
        item
        for item in graph.initializer
        if item.data_type == TensorProto.FLOAT and item.name not in float_names and not item.name.endswith(STEP)
    ]
    first: list[NodeProto] = []
    n_quantised = 0
    for array in large:
        values = numpy_helper.to_array(array)
        if values.size < SETTINGS.min_quantised_values or not np.isfinite(values).all():
            continue
        name, (whole, steps) = array.name, quantise_array(values, bits)
        array.CopyFrom(numpy_helper.from_array(whole, name + WHOLE))
        graph.initializer.append(numpy_helper.from_array(steps, name + STEP))
        first.append(helper.make_node("Cast", [name + WHOLE], [name + FLOAT], to=TensorProto.FLOAT))
        first.append(helper.make_node("Mul", [name + FLOAT, name + STEP], [name]))
        n_quantised += 1
    nodes = [*first, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, target)
    return n_quantised


def quantise_array(
    values: NDArray[np.float32], bits: int = 16
) -> tuple[NDArray[np.signedinteger], NDArray[np.float32]]:
    """Return whole numbers and the step of each row; their product is nearly what was given.

    Parameters
    ----------
    values : float32 array, shape (n_rows, ...) or (n,)
    bits : int
        16 or 8.

    Returns
    -------
    int16 or int8 array, as `values`; float32 array, shape (n_rows, 1, ...) or (1,)

    Examples
    --------
    >>> whole, steps = quantise_array(np.array([[1.0, -0.5], [0.0, 0.0]], dtype=np.float32))
    >>> whole.tolist(), (whole * steps).round(4).tolist()
    ([[32767, -16384], [0, 0]], [[1.0, -0.5], [0.0, 0.0]])
    """
    axes = tuple(range(1, values.ndim)) if values.ndim > 1 else (0,)
    most = np.abs(values).max(axis=axes, keepdims=True)
    top = STEPS[bits]
    steps = np.where(most > 0, most / top, 1.0).astype(np.float32)
    return np.rint(values / steps).clip(-top, top).astype(f"int{bits}"), steps
