"""A bundle run from `model.onnx` with onnxruntime and numpy: no torch, no scikit-learn.

`config.json` says under `portable` whether there is such a file, with its inputs and outputs.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as raised

from headstart.bundle.file_names import make_printable
from headstart.bundle.onnx.graph_limits import GraphContract, require_graph
from headstart.bundle.onnx.packed_weights import unpack_weights
from headstart.bundle.runtime.inputs import ModelInput, ModelInputs
from headstart.errors import BundleError
from headstart.features.extractors import Extractor
from headstart.features.runtimes import count_cores
from headstart.fitted_state import FittedState
from headstart.modalities import MODALITIES
from headstart.modalities.record import Array
from headstart.records import Features, FloatMatrix, Probabilities, Table
from headstart.strategies.record import StrategyRows

MODEL = "model.onnx"
OUTPUTS = "outputs"
BATCH_COST = 8_192
FAILURES: tuple[type[Exception], ...] = (
    *(item for item in vars(raised).values() if isinstance(item, type) and issubclass(item, Exception)),
    UnicodeDecodeError,
)
"""What onnxruntime raises on a graph or on inputs that it cannot use; its own messages may be no text."""
MOST_RUN_BYTES = 2_000_000_000
"""What graphs may hold in memory while they run, beside their weights; where a batch needs more it is halved."""
MOST_RUN_SECONDS = 60.0
"""After so long a batch is stopped between two steps of its graph, and its rows run alone; one row alone is refused."""
UNBOUNDED = ("ConstantFolding",)
"""What onnxruntime would compute while it opens a graph, without a bound of time; opening is quicker without."""
Widths = tuple[int | None, int | None]
"""Columns of outputs and of features; None: any number."""
GraphRun = Callable[..., tuple[Array, ...]]


@dataclass(frozen=True, kw_only=True)
class PortableModel:
    """The portable form of a model.

    Parameters
    ----------
    folder : Path
    config : mapping
        What `config.json` says under `portable`.
    modality : str
    n_outputs : int
    sha256 : str
        Of `model.onnx`.
    n_features : int or None
        Columns of what decisions read, where they are known.
    """

    folder: Path
    config: Mapping[str, Any]
    modality: str
    n_outputs: int
    sha256: str
    n_features: int | None = None

    @property
    def reads(self) -> str:
        """Return the second output, which decisions read: "features", "descriptors", "representation" or ""."""
        return str(self.config["reads"])

    @property
    def model_inputs(self) -> ModelInputs:
        """Return the inputs of the graph."""
        inputs = tuple(ModelInput.from_dict(item).with_files_in(self.folder) for item in self.config["inputs"])
        return ModelInputs(inputs, self.n_outputs)

    @property
    def contract(self) -> GraphContract:
        """Inputs and outputs of the graph."""
        return GraphContract.from_config(self.config, self.n_outputs, self.n_features)

    def make_extractor(self) -> Extractor:
        """Return what makes outputs and features of rows in one pass."""
        model_inputs = self.model_inputs
        path, widths = self.folder / str(self.config["file"]), (self.n_outputs, self.n_features)
        return Extractor(
            name="model.onnx",
            key=self.sha256,
            prepare=model_inputs.prepare,
            cost=model_inputs.cost,
            collate=model_inputs.collate,
            spec={},
            open=lambda: open_graph(path, model_inputs.names, widths),
            batch_rows=MODALITIES[self.modality].batch_rows,
            batch_cost=BATCH_COST,
            load=model_inputs.load,
        )

    def to_rows(self, table: Table, outputs: Sequence[tuple[Array, ...]]) -> StrategyRows:
        """Return rows as decisions and `PortableOutputs` read them, from what batches of the extractor gave."""
        outputs_of_rows, values = (np.concatenate(parts) for parts in zip(*outputs, strict=True))
        features = Features(table.ids, values, self.sha256, {OUTPUTS: outputs_of_rows})
        if self.reads == "descriptors":
            return StrategyRows(table, None, features)
        return StrategyRows(table, features, None, values if self.reads == "representation" else None)


@dataclass(frozen=True)
class PortableOutputs:
    """A fitted strategy whose outputs were made by the graph already (see `headstart.strategies.record.Fitted`)."""

    portable: PortableModel

    @property
    def out_of_fold(self) -> Probabilities:
        """Nothing: it is known where the model was fitted."""
        return np.empty((0, self.portable.n_outputs))

    @property
    def notes(self) -> tuple[str, ...]:
        """No message."""
        return ()

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return the outputs (n_rows, n_outputs) that came with the rows."""
        features = rows.descriptors if self.portable.reads == "descriptors" else rows.features
        assert features is not None, "rows were not read by the portable model"
        return features.stages[OUTPUTS].astype(np.float64)

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return what came with the rows."""
        return rows.representation

    def state(self) -> FittedState:
        """Name the graph by its hash."""
        return FittedState({}, {"sha256": np.frombuffer(bytes.fromhex(self.portable.sha256), dtype=np.uint8)})


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Open a graph on the processor, with as many threads as this process may use; it never calls home.

    Weights in other files are refused: no graph of ours has any, and no hash would cover them. What the graph holds in
    memory while it runs is bounded by `MOST_RUN_BYTES`.

    Raises
    ------
    BundleError
        If it wants what is not run here, or onnxruntime cannot run it.
    """
    require_graph(path)
    _bound_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or count_cores())
    options.log_severity_level = 4
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path / "nowhere"))
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    try:
        return onnxruntime.InferenceSession(
            _read_unpacked(path),
            options,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # It would print and try again.
            disabled_optimizers=UNBOUNDED,
        )
    except FAILURES as error:
        reason = " ".join(str(error).split())[:200]
        raise BundleError(f"{path} cannot be run ({reason}).", "Copy it again, or update onnxruntime.") from error


def _read_unpacked(path: Path) -> str | bytes:
    """Return the file with its packed weights unpacked; its path where it has none."""
    try:
        with path.open("rb") as handle:
            content = memoryview(mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ))
        return unpack_weights(content) or str(path)
    except ValueError as error:
        raise BundleError(f"{path} cannot be run ({make_printable(error, 100)}).", "Copy the bundle again.") from error


@cache
def _bound_memory() -> None:
    """Bound what all graphs of this process hold in memory while they run; weights lie beside that."""
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # Memory is taken as it is asked for (1), not in ever larger pieces; the other two are onnxruntime's own.
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(MOST_RUN_BYTES, 1, -1, -1))


def open_graph(path: Path, names: Sequence[str], widths: Widths = (None, None)) -> GraphRun:
    """Make a function from prepared arrays to outputs and features, both float32 (features may have no column).

    Parameters
    ----------
    path : Path
    names : sequence of str
        Of the arrays, in the order in which they come.
    widths : (int or None, int or None)
        Columns that outputs and features must have; None: any.

    Raises
    ------
    BundleError
        The graph cannot be opened; the function raises it if the graph fails on its inputs.
    """
    session = open_session(path)

    def run(*arrays: Array) -> tuple[Array, ...]:
        try:
            with _bounded_time() as limits:
                arrays_out = session.run(None, dict(zip(names, arrays, strict=True)), limits)
        except FAILURES as error:
            n_rows = len(arrays[0])
            if n_rows < 2:
                reason = f"one row takes more than {MOST_RUN_SECONDS:g} seconds" if limits.terminate else str(error)
                reason = " ".join(reason.split())[:200]
                raise BundleError(
                    f"{path} cannot be run ({reason}).", "Copy the bundle again, or update onnxruntime."
                ) from error
            size = 1 if limits.terminate else n_rows // 2  # Fewer rows need less memory.
            parts = [run(*(array[at : at + size] for array in arrays)) for at in range(0, n_rows, size)]
            return tuple(np.concatenate(both) for both in zip(*parts, strict=True))
        no_features: FloatMatrix = np.empty((len(arrays_out[0]), 0), dtype=np.float32)
        return _check_shapes(
            path, (arrays_out[0], arrays_out[1] if len(arrays_out) > 1 else no_features), len(arrays[0]), widths
        )

    return run


@contextmanager
def _bounded_time() -> Iterator[onnxruntime.RunOptions]:
    """Return the options of a run that is stopped after `MOST_RUN_SECONDS`; `terminate` then says so."""
    options = onnxruntime.RunOptions()
    timer = threading.Timer(MOST_RUN_SECONDS, setattr, (options, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        yield options
    finally:
        timer.cancel()


def _check_shapes(
    path: Path, arrays: tuple[Array, ...], n_rows: int, widths: tuple[int | None, int | None]
) -> tuple[Array, ...]:
    """Refuse what a graph gave where it has another shape than it should have."""
    for values, width in zip(arrays, widths, strict=True):
        shape = n_rows, values.shape[1] if width is None and values.ndim == 2 else width
        if values.shape != shape or values.dtype.kind != "f":
            raise BundleError(
                f"{path} returns an array of shape {values.shape}, not {shape}.",
                "Do not use it, or make the bundle again.",
            )
    return arrays
