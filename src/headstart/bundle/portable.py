"""A bundle run from `model.onnx` with onnxruntime and numpy: no torch, no scikit-learn.

`config.json` says under `portable` whether there is such a file, what it is fed and what it gives.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from headstart.bundle.feeding import Feed, Input
from headstart.errors import BundleError
from headstart.features.extractors import Extractor
from headstart.features.runtimes import n_cores
from headstart.modalities.record import Array
from headstart.records import Features, FloatMatrix, Probabilities, State, Table
from headstart.strategies.record import Rows

MODEL = "model.onnx"
OUTPUTS = "outputs"
BATCH_ROWS = {"image": 32, "text": 64, "series": 64}
BATCH_COST = 8_192
FAILURES: tuple[type[Exception], ...] = tuple(
    item for item in vars(raised).values() if isinstance(item, type) and issubclass(item, Exception)
)
"""What onnxruntime raises on a graph or on inputs that it cannot use."""
Run = Callable[..., tuple[Array, ...]]


@dataclass(frozen=True)
class Portable:
    """The portable form of a model.

    Parameters
    ----------
    folder : Path
    told : mapping
        What `config.json` says under `portable`.
    modality : str
    n_outputs : int
    sha256 : str
        Of `model.onnx`.
    """

    folder: Path
    told: Mapping[str, Any]
    modality: str
    n_outputs: int
    sha256: str

    @property
    def reads(self) -> str:
        """What the second output is, and what decisions read: "features", "descriptors" or nothing."""
        return str(self.told["reads"])

    @property
    def feed(self) -> Feed:
        """How rows become arrays."""
        inputs = tuple(Input.of(item).placed(self.folder) for item in self.told["inputs"])
        return Feed(inputs, self.n_outputs)

    def extractor(self) -> Extractor:
        """Give what makes outputs and features of rows in one pass."""
        feed = self.feed
        return Extractor(
            "model.onnx", self.sha256, feed.prepare, feed.cost, feed.collate, {},
            lambda: opened(self.folder / str(self.told["file"]), feed.names),
            BATCH_ROWS[self.modality], BATCH_COST, feed.load,
        )  # fmt: skip

    def rows(self, table: Table, outputs: Sequence[tuple[Array, ...]]) -> Rows:
        """Give rows as decisions and `Answers` read them, from what batches of the extractor gave."""
        said, values = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
        found = Features(table.ids, values, self.sha256, {OUTPUTS: said})
        return Rows(table, None, found) if self.reads == "descriptors" else Rows(table, found)


@dataclass(frozen=True)
class Answers:
    """A fitted strategy whose outputs were made by the graph already (see `headstart.strategies.record.Fitted`)."""

    portable: Portable

    @property
    def out_of_fold(self) -> Probabilities:
        """Nothing: it is known where the model was fitted."""
        return np.empty((0, self.portable.n_outputs))

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing to tell."""
        return ()

    def predict(self, rows: Rows) -> Probabilities:
        """Give the outputs (n_rows, n_outputs) that came with the rows."""
        found = rows.descriptors if self.portable.reads == "descriptors" else rows.features
        assert found is not None, "rows were not read by the portable model"
        return found.stages[OUTPUTS].astype(np.float64)

    def state(self) -> State:
        """Name the graph by its hash."""
        return State({}, {"sha256": np.frombuffer(bytes.fromhex(self.portable.sha256), dtype=np.uint8)})


def session(path: Path) -> onnxruntime.InferenceSession:
    """Open a graph on the processor, with as many threads as this process may use; it never calls home.

    Weights in other files are refused: no graph of ours has any, and no hash would cover them.

    Raises
    ------
    BundleError
        If onnxruntime cannot run it.
    """
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or n_cores())
    chosen.log_severity_level = 3
    chosen.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path / "nowhere"))
    try:
        return onnxruntime.InferenceSession(str(path), chosen, providers=["CPUExecutionProvider"])
    except FAILURES as error:
        said = " ".join(str(error).split())[:200]
        raise BundleError(f"{path} cannot be run ({said}).", "Copy it again, or update onnxruntime.") from error


def opened(path: Path, names: Sequence[str]) -> Run:
    """Make a function from prepared arrays to outputs and features, both float32 (features may have no column)."""
    running = session(path)

    def run(*arrays: Array) -> tuple[Array, ...]:
        found = running.run(None, dict(zip(names, arrays, strict=True)))
        none: FloatMatrix = np.empty((len(found[0]), 0), dtype=np.float32)
        return found[0], found[1] if len(found) > 1 else none

    return run
