"""Run a backbone in OpenVINO with the weights of its matrix products in 8 bits, for processors without bfloat16.

Each row of weights has a step of its own. While it runs, OpenVINO rounds activations to 8 bits in groups, so that the
products are of whole numbers (VNNI); all else is float32.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases import Backbone
from headstart.features.openvino_runtime import compile_network, convert_backbone, import_openvino
from headstart.modalities.record import Array

GROUP_SIZE = 32
"""Activations that share a step."""
LARGEST = 127


def round_weights(values: Array, axis: int) -> tuple[Array, Array]:
    """Return int8 values and their steps; the product is nearly what was given.

    Parameters
    ----------
    values : float array, 2 or more dimensions
    axis : int
        Along which values share a step: the one that is summed over.

    Examples
    --------
    >>> whole, steps = round_weights(np.array([[1.0, -0.5], [0.0, 0.0]], dtype=np.float32), 1)
    >>> whole.tolist(), (whole * steps).round(2).tolist()
    ([[127, -64], [0, 0]], [[1.0, -0.5], [0.0, 0.0]])
    """
    most = np.abs(values).max(axis=axis, keepdims=True)
    steps = np.where(most > 0, most / LARGEST, 1.0).astype(np.float32)
    return np.rint(values / steps).clip(-LARGEST, LARGEST).astype(np.int8), steps


def _round_products(model: Any) -> None:
    """Put 8-bit constants in place of the float32 ones that matrix products multiply by."""
    operations = import_module("openvino.opset13")
    for node in model.get_ordered_ops():
        if node.get_type_name() != "MatMul" or node.input_value(1).get_node().get_type_name() != "Constant":
            continue
        values = node.input_value(1).get_node().get_data().astype(np.float32)
        whole, steps = round_weights(values, -1 if node.get_attributes()["transpose_b"] else -2)
        rounded = operations.multiply(
            operations.convert(operations.constant(whole, dtype=np.int8), "f32"), operations.constant(steps)
        )
        node.input(1).replace_source_output(rounded.output(0))


def open_int8(backbone: Backbone) -> Callable[..., tuple[Array, ...]]:
    """Make a function from prepared arrays to pooled float32 features of every stage."""
    network = convert_backbone(backbone)
    model = import_openvino().Core().read_model(str(network)) if isinstance(network, Path) else network
    _round_products(model)
    return compile_network(model, {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP_SIZE})
