"""Pack the weights of a graph that were rounded before: half of the file, and not one answer changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from headstart.bundle.onnx.packed_weights import FLOAT, STEP, WHOLE
from headstart.bundle.weight_rounding import Floats, is_worth_rounding, split_into_steps


def pack_weights(path: Path) -> int:
    """Rewrite a graph with every array of rounded weights as whole numbers of 16 bits and steps.

    Parameters
    ----------
    path : Path
        Arrays that are no product of whole numbers and powers of two stay as they are.

    Returns
    -------
    int
        How many arrays were packed.
    """
    model = onnx.load(path)
    first: list[NodeProto] = []
    for array in list(model.graph.initializer):
        if array.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(array)
        parts = _split_exactly(values) if is_worth_rounding(values) else None
        if parts is None:
            continue
        name = array.name
        array.CopyFrom(numpy_helper.from_array(parts[0], name + WHOLE))
        model.graph.initializer.append(numpy_helper.from_array(parts[1], name + STEP))
        first.append(helper.make_node("Cast", [name + WHOLE], [name + FLOAT], to=TensorProto.FLOAT))
        first.append(helper.make_node("Mul", [name + FLOAT, name + STEP], [name]))
    nodes = [*first, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)
    return len(first) // 2


def _split_exactly(values: Floats) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int16]], Floats] | None:
    """Return whole numbers and steps whose product is just what was given; None where there are none.

    Exporters turn matrices around, so a row of the weights may be a column of the graph's array.
    """
    for axis in (0, -1):
        whole, steps = split_into_steps(values, axis)
        if np.array_equal(whole.astype(np.float32) * steps, values):
            return whole, steps
    return None
