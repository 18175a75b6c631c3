"""Run a backbone in OpenVINO, the fastest way on most CPUs. Its usage reports are kept from ever being loaded.

The converted network is kept under the fingerprint of its base, so that a second run needs no torch at all.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases import Backbone
from headstart.features.memory import free_large_network
from headstart.home import allow_failed_write, make_writable_folder, move_into_place, remove_leftovers
from headstart.modalities.record import Array
from headstart.sealed_folders import is_sealed, seal_folder

TELEMETRY = "openvino_telemetry"
VERSION = 2


@lru_cache(maxsize=1)
def import_openvino() -> Any:
    """Import OpenVINO so that its telemetry package is never imported (it falls back to its own empty stub)."""
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]
    return import_module("openvino")


def _make_example(backbone: Backbone) -> tuple[Any, ...]:
    torch = import_module("torch")
    if "size" in backbone.spec:
        side = int(backbone.spec["size"])
        return (torch.zeros(2, 3, side, side),)
    if "length" in backbone.spec:
        values = torch.ones(2, int(backbone.spec["n_channels"]), int(backbone.spec["length"]))
        return values, values, torch.ones(2, 1)
    return torch.ones(2, 16, dtype=torch.int64), torch.ones(2, 16, dtype=torch.int64)


@contextmanager
def _no_gradients() -> Iterator[None]:
    torch = import_module("torch")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def convert_backbone(backbone: Backbone) -> Any:
    """Return the network in OpenVINO's form: the path of the copy that is kept, converted on first use.

    Where no copy can be written, the network itself.
    """
    assert backbone.module is not None
    path = make_writable_folder("runtimes") / f"{backbone.network_key[:32]}-openvino-v{VERSION}" / "model.xml"
    if is_sealed(path.parent):
        return path
    shutil.rmtree(path.parent, ignore_errors=True)
    remove_leftovers(path.parent.parent, "*.partial")
    with _no_gradients():
        model = import_openvino().convert_model(backbone.module(), example_input=_make_example(backbone))
    if "size" in backbone.spec:
        side = int(backbone.spec["size"])
        model.reshape({model.inputs[0]: import_openvino().PartialShape([-1, 3, side, side])})
    with allow_failed_write():
        _save_network(model, path)
        free_large_network(backbone)
        return path
    return model


def _save_network(model: Any, path: Path) -> None:
    """Write a copy of the network; the folder takes its name when it is whole.

    Raises
    ------
    OSError
        It cannot be written.
    """
    partial = path.parent.with_name(f"{path.parent.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    try:
        import_openvino().save_model(model, partial / path.name, compress_to_fp16=False)
        seal_folder(partial)
        move_into_place(partial, path.parent)
    except RuntimeError as error:  # Its writer knows no other reason.
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(partial)) from error
    except OSError:
        if not is_sealed(path.parent):  # Else another process was first; its result is the same.
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def open_openvino(backbone: Backbone, precision: str) -> Callable[..., tuple[Array, ...]]:
    """Make a function from prepared arrays to pooled float32 features of every stage."""
    network = convert_backbone(backbone)
    return compile_network(
        str(network) if isinstance(network, Path) else network, {"INFERENCE_PRECISION_HINT": precision}
    )


def compile_network(network: Any, properties: Mapping[str, Any]) -> Callable[..., tuple[Array, ...]]:
    """Compile a network for this processor and make a function from its arrays to float32 outputs.

    Parameters
    ----------
    network : OpenVINO model, or path of one
    properties : mapping of str to value
        Of the processor plug-in.
    """
    compiled = import_openvino().Core().compile_model(network, "CPU", {"PERFORMANCE_HINT": "LATENCY", **properties})
    request = compiled.create_infer_request()
    n_outputs, one_at_a_time = len(compiled.outputs), threading.Lock()

    def run(*arrays: Array) -> tuple[Array, ...]:
        with one_at_a_time:  # A request that is busy refuses another thread, and its results lie in its own memory.
            results = request.infer([np.ascontiguousarray(array) for array in arrays])
            return tuple(np.array(results[position], dtype=np.float32) for position in range(n_outputs))

    return run
