"""The same model behind LitServe, for benchmarks/serving.py: `PYTHON benchmarks/peer_server.py BUNDLE KIND --port N`.

Runs in an environment of its own that needs nothing of Headstart: litserve, python-multipart, and what requirements.txt
of the bundle names. The bundle's own predict.py prepares inputs and decides; model.onnx runs in onnxruntime. Batches
are as large, and wait as long, as those of `headstart serve`.
"""

import importlib.util
import io
import sys
from pathlib import Path
from typing import Any

import litserve
import numpy as np
import onnxruntime
from fastapi import Request

MAX_BATCH, WINDOW_SECONDS = 32, 0.005
TAKE = {
    "image": lambda form: io.BytesIO(form["files"].file.read()),
    "text": lambda document: document["texts"][0],
    "series": lambda document: np.array([document["series"][0]], dtype=np.float32),
}
"""For each kind: the one input of a request."""


class Served(litserve.LitAPI):  # type: ignore[misc]
    """One bundle."""

    def __init__(self, bundle: Path, kind: str) -> None:
        super().__init__(max_batch_size=MAX_BATCH, batch_timeout=WINDOW_SECONDS)
        self.bundle, self.kind = bundle, kind

    def setup(self, device: str) -> None:
        """Open the model, in the process that runs it."""
        found = importlib.util.spec_from_file_location("predict", self.bundle / "predict.py")
        assert found is not None and found.loader is not None
        self.script: Any = importlib.util.module_from_spec(found)
        found.loader.exec_module(self.script)
        file = str(self.bundle / self.script.PORTABLE["file"])
        self.session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        self.known = self.script.tensors("decision.safetensors") if self.script.RULES["novelty"] else {}

    def decode_request(self, request: Request) -> Any:
        """Prepare one input. (LitServe reads the form or the JSON where the annotation is exactly this class.)"""
        return self.script.prepared(TAKE[self.kind](request))

    def batch(self, inputs: list[Any]) -> Any:
        """Put rows together."""
        return self.script.batch_of(inputs)

    def predict(self, batch: Any) -> Any:
        """Answer rows that were put together."""
        found = self.session.run(None, batch)
        shares = self.script.calibrated(np.asarray(found[0], np.float64))
        far = self.script.distances(found[1], self.known) if self.known else np.full(len(shares), np.nan)
        return [self.script.decided(*one) for one in zip(shares, far, strict=True)]

    def unbatch(self, output: Any) -> Any:
        """Give the answers one by one."""
        return output

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Write one answer."""
        return dict(zip(self.script.header()[1:], output, strict=False))


if __name__ == "__main__":
    served = Served(Path(sys.argv[1]), sys.argv[2])
    litserve.LitServer(served, accelerator="cpu", healthcheck_path="/ready", timeout=60).run(
        host="127.0.0.1", port=int(sys.argv[4]), log_level="error", generate_client_file=False
    )
