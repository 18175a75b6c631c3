"""No library below Headstart reports its use to anybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import headstart.bundle.runtime.session
import numpy, onnxruntime, onnx
from onnx import TensorProto, helper
value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
"""


def test_onnxruntime_collects_nothing_to_report(tmp_path: Path) -> None:
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, env={**settings, "HOME": str(tmp_path)}, timeout=120)
    assert list(tmp_path.rglob("*onnxruntime*")) == []
