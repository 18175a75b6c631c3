"""Write weights that came in blocks of 4 bits as such blocks again: an eighth of the file, nearly the same numbers.

Between lie float16 (the base in the home folder) and 16 bits (bundles), so the products are nearly those of the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from headstart.bundle.onnx.packed_weights import FLOAT, STEP, WHOLE
from headstart.bundle.weight_rounding import TOP, Floats, is_worth_rounding

BLOCK = 32
"""Weights that share a step."""
LARGEST = 8
"""What the largest weight of a block is stored as."""
HALF_ROUNDING = 2**-10
"""How far a product may be off, as a share of the largest weight of its block: twice what float16 rounds off."""
SHAPE, BLOCKS = ".shape", ".blocks"


@dataclass(frozen=True)
class BlockWeights:
    """Whole numbers and steps, whose product is an array cut into blocks.

    Parameters
    ----------
    whole : int8 array, shape (..., 32, ...)
        -8 to 8.
    steps : float32 array, shape (..., 1, ...)
        One a block.
    """

    whole: NDArray[np.int8]
    steps: Floats


def split_into_blocks(values: Floats) -> BlockWeights | None:
    """Return the blocks of an array along one of its axes; None where it was not made of such blocks.

    Parameters
    ----------
    values : float32 array, shape (n_rows, n_columns)
        What differs is at most twice what float16, and then 16 bits with a step a row, round off.

    Examples
    --------
    >>> steps = np.array([[[0.5], [0.25]]], dtype=np.float32)
    >>> values = (np.resize(np.arange(-8, 8), (1, 2, 32)) * steps).astype(np.float32).reshape(1, 64)
    >>> blocks = split_into_blocks(values)
    >>> bool((blocks.whole * blocks.steps == values.reshape(1, 2, 32)).all())
    True
    >>> split_into_blocks(values**2) is None
    True
    """
    n_rows, n_columns = values.shape
    for axis, shape in ((-1, (n_rows, n_columns // BLOCK, BLOCK)), (0, (n_rows // BLOCK, BLOCK, n_columns))):
        if values.shape[axis] % BLOCK:
            continue
        cut, inner = values.reshape(shape), 2 if axis else 1
        most = np.abs(cut).max(axis=inner, keepdims=True)
        steps = np.where(most > 0, most / LARGEST, 1).astype(np.float32)
        whole = np.rint(cut / steps)
        allowed = HALF_ROUNDING * most + 2 / (TOP - 1) * most.max(axis=1 if axis else 0, keepdims=True)
        if (np.abs(whole * steps - cut) <= allowed).all():
            return BlockWeights(whole.astype(np.int8), steps)
    return None


def write_blocks(source: Path, target: Path) -> int:
    """Write a graph with arrays of blocks as whole numbers of 8 bits (which compress to 4), turned back at its begin.

    Parameters
    ----------
    source, target : Path
        Nothing is written where there is no such array.

    Returns
    -------
    int
        How many arrays were cut into blocks.
    """
    model = onnx.load(source)
    first: list[NodeProto] = []
    n_arrays = 0
    for array in list(model.graph.initializer):
        if array.data_type != TensorProto.FLOAT or len(array.dims) != 2:
            continue
        values = numpy_helper.to_array(array)
        blocks = split_into_blocks(values) if is_worth_rounding(values) else None
        if blocks is not None:
            first += _replace_array(model, array, blocks)
            n_arrays += 1
    if n_arrays:
        nodes = [*first, *model.graph.node]
        del model.graph.node[:]
        model.graph.node.extend(nodes)
        onnx.save(model, target)
    return n_arrays


def _replace_array(model: ModelProto, array: TensorProto, blocks: BlockWeights) -> list[NodeProto]:
    """Replace an array of a graph; return the nodes that make it again."""
    name = array.name
    shape = np.array(array.dims, dtype=np.int64)
    array.CopyFrom(numpy_helper.from_array(blocks.whole, name + WHOLE))
    model.graph.initializer.append(numpy_helper.from_array(blocks.steps, name + STEP))
    model.graph.initializer.append(numpy_helper.from_array(shape, name + SHAPE))
    return [
        helper.make_node("Cast", [name + WHOLE], [name + FLOAT], to=TensorProto.FLOAT),
        helper.make_node("Mul", [name + FLOAT, name + STEP], [name + BLOCKS]),
        helper.make_node("Reshape", [name + BLOCKS, name + SHAPE], [name]),
    ]


def join_blocks(source: Path, target: Path) -> Path:
    """Write a graph of `write_blocks` with its arrays as float32, as browsers make them once; return its place.

    Headstart's own sessions would make them anew at every run.

    Parameters
    ----------
    source, target : Path
    """
    model = onnx.load(source)
    arrays = {item.name: item for item in model.graph.initializer}
    joined = {
        node.output[0] for node in model.graph.node if node.op_type == "Reshape" and node.input[0].endswith(BLOCKS)
    }
    removed = {name + ending for name in joined for ending in (FLOAT, BLOCKS, "")}
    for name in sorted(joined):
        whole, steps, shape = (numpy_helper.to_array(arrays[name + ending]) for ending in (WHOLE, STEP, SHAPE))
        values = (whole.astype(np.float32) * steps).reshape(shape)
        model.graph.initializer.append(numpy_helper.from_array(values, name))
        for ending in (WHOLE, STEP, SHAPE):
            model.graph.initializer.remove(arrays[name + ending])
    nodes = [node for node in model.graph.node if node.output[0] not in removed]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, target)
    return target
