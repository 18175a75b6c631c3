"""Write a bundle as one ONNX graph: exporters in order, the first whose graph runs here and says the same is taken."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import torch

from headstart.bundle.runtime.inputs import INPUT_KINDS, ModelInput
from headstart.bundle.runtime.session import FAILURES
from headstart.errors import BundleError
from headstart.modalities.record import Array

OPSET = 17
MOST_BYTES = 1_900_000_000
"""One ONNX file holds 2 GB at most."""
OUTPUTS, FEATURES = "outputs", "features"

Arrays = tuple[Array, ...]


def _name_free_axes(inputs: Sequence[ModelInput]) -> dict[str, dict[int, str]]:
    """Name the axes of every array that have any length: rows, and tokens or pieces."""
    axes: dict[str, dict[int, str]] = {}
    for item in inputs:
        for name, (_, shape) in zip(item.arrays, INPUT_KINDS[item.kind].shapes(item.spec), strict=True):
            lengths = {
                place: f"n_{item.arrays[0]}" if place else "n" for place, size in enumerate(shape) if size is None
            }
            axes[name] = lengths
    return axes


def _export_traced(network: torch.nn.Module, arrays: Arrays, inputs: Sequence[ModelInput], path: Path) -> None:
    axes = _name_free_axes(inputs)
    names = [OUTPUTS, FEATURES][: 1 + bool(network.reads)]
    torch.onnx.export(
        network, tuple(torch.from_numpy(array) for array in arrays), path, input_names=list(axes), output_names=names,
        dynamo=False, opset_version=OPSET, dynamic_axes={**axes, **{name: {0: "n"} for name in names}},
    )  # fmt: skip


def _export_captured(network: torch.nn.Module, arrays: Arrays, inputs: Sequence[ModelInput], path: Path) -> None:
    axes, free = _name_free_axes(inputs), torch.export.Dim.AUTO
    names = [OUTPUTS, FEATURES][: 1 + bool(network.reads)]
    shapes = tuple(dict.fromkeys(places, free) for places in axes.values())
    torch.onnx.export(
        network, tuple(torch.from_numpy(array) for array in arrays), path, input_names=list(axes), output_names=names,
        dynamo=True, dynamic_shapes=(shapes,), external_data=False, verbose=False,
    )  # fmt: skip


EXPORTERS: dict[str, Callable[[torch.nn.Module, Arrays, Sequence[ModelInput], Path], None]] = {
    "torch.onnx (traced)": _export_traced, "torch.onnx (captured)": _export_captured,
}  # fmt: skip
"""In the order in which they are tried: tracing takes seconds, capturing ten times as long."""
REFUSALS: tuple[type[Exception], ...] = (
    RuntimeError, ValueError, TypeError, NotImplementedError, AttributeError, KeyError, IndexError, BundleError,
    *FAILURES,
)  # fmt: skip
"""What exporters raise (`torch.onnx.errors` are `RuntimeError`), and the runtime on bad graphs."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what exporters print and warn of from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def export_network(
    network: torch.nn.Module, inputs: Sequence[ModelInput], arrays: Arrays, path: Path, metadata: Mapping[str, str],
    explain_mismatch: Callable[[Path], str],
) -> tuple[str, str]:  # fmt: skip
    """Write a network by the first exporter that passes.

    Parameters
    ----------
    network : BundleNetwork
    inputs : sequence of ModelInput
    arrays : tuple of arrays
        Two or more prepared rows.
    path : Path
        The file; not there afterwards where no exporter passes.
    metadata : mapping of str to str
        `metadata_props` of the file.
    explain_mismatch : (path) -> str
        Why the file is not good enough; empty if it is.

    Returns
    -------
    tuple of two str
        The exporter's name, and why the others (or all) were not taken.
    """
    refused: list[str] = []
    for name, export in EXPORTERS.items():
        try:
            with _quiet():
                export(network, arrays, inputs, path)
            _add_metadata(path, metadata)
            why = explain_mismatch(path)
        except REFUSALS as error:
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        if not why:
            return name, "; ".join(refused)
        refused.append(f"{name}: {why}")
        path.unlink(missing_ok=True)
    return "", "; ".join(refused)


def _add_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    """Add `metadata_props`."""
    model = onnx.load(path)
    onnx.helper.set_model_props(model, dict(metadata))
    model.producer_name = "headstart"
    onnx.save(model, path)


def list_exporter_versions() -> dict[str, Any]:
    """Return as JSON what wrote a file: versions of packages."""
    return {
        "torch": torch.__version__,
        "onnx": onnx.__version__,
        "onnxruntime": onnxruntime.__version__,
        "opset": OPSET,
    }
