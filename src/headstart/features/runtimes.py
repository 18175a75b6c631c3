"""Ways to run a frozen backbone, behind one small interface, and the choice of the fastest one that is right.

Reference is torch in float32 on the CPU. A runtime counts as right if its features differ from the reference on real
rows by no more than its tolerance: relative L2 error, mean over rows. The choice is remembered for base and machine.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from headstart.bases import Backbone
from headstart.features.memory import free_large_network
from headstart.features.settings import SETTINGS
from headstart.home import allow_failed_write, clear_place, find_home, read_json, write_json
from headstart.modalities.record import Array

Run = Callable[..., tuple[Array, ...]]
"""Prepared arrays in, pooled features of every stage out, the final ones last; all float32."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Runtime of a backbone.

    Parameters
    ----------
    name : str
    numerics : str
        `float32`, `half` or `int8`; features of different numerics never share a cache key.
    tolerance : float
        Largest mean relative L2 error against the reference.
    available : function giving bool
    open : Backbone -> Run
    """

    name: str
    numerics: str
    tolerance: float
    available: Callable[[], bool]
    open: Callable[[Backbone], Run]


def _make_torch_opener(device: str, half: bool) -> Callable[[Backbone], Run]:
    def opened(backbone: Backbone) -> Run:
        return import_module("headstart.features.torch_runtime").open_torch(backbone, device, half)  # type: ignore[no-any-return]

    return opened


def _make_openvino_opener(precision: str) -> Callable[[Backbone], Run]:
    def opened(backbone: Backbone) -> Run:
        return import_module("headstart.features.openvino_runtime").open_openvino(backbone, precision)  # type: ignore[no-any-return]

    return opened


def _open_int8(backbone: Backbone) -> Run:
    return import_module("headstart.features.openvino_int8").open_int8(backbone)  # type: ignore[no-any-return]


def _make_device_check(name: str) -> Callable[[], bool]:
    def is_available() -> bool:
        return bool(import_module("headstart.features.torch_runtime").is_device_available(name))

    return is_available


def _has_bfloat16() -> bool:
    return bool(import_module("headstart.features.torch_runtime").cpu_has_bfloat16())


def _lacks_bfloat16() -> bool:
    return not _has_bfloat16()


def _always() -> bool:
    return True


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="cuda-half",
            numerics="half",
            tolerance=SETTINGS.half_tolerance,
            available=_make_device_check("cuda"),
            open=_make_torch_opener("cuda", half=True),
        ),
        Runtime(
            name="cuda-float32",
            numerics="float32",
            tolerance=SETTINGS.exact_tolerance,
            available=_make_device_check("cuda"),
            open=_make_torch_opener("cuda", half=False),
        ),
        Runtime(
            name="mps-float32",
            numerics="float32",
            tolerance=SETTINGS.exact_tolerance,
            available=_make_device_check("mps"),
            open=_make_torch_opener("mps", half=False),
        ),
        Runtime(
            name="openvino-bfloat16",
            numerics="half",
            tolerance=SETTINGS.half_tolerance,
            available=_has_bfloat16,
            open=_make_openvino_opener("bf16"),
        ),
        Runtime(
            name="openvino-int8",
            numerics="int8",
            tolerance=SETTINGS.half_tolerance,
            available=_lacks_bfloat16,  # Where there is bfloat16 it is faster, and nearer to the reference.
            open=_open_int8,
        ),
        Runtime(
            name="openvino-float32",
            numerics="float32",
            tolerance=SETTINGS.exact_tolerance,
            available=_always,
            open=_make_openvino_opener("f32"),
        ),
        Runtime(
            name="torch-bfloat16",
            numerics="half",
            tolerance=SETTINGS.half_tolerance,
            available=_has_bfloat16,
            open=_make_torch_opener("cpu", half=True),
        ),
        Runtime(
            name="torch-float32",
            numerics="float32",
            tolerance=SETTINGS.exact_tolerance,
            available=_always,
            open=_make_torch_opener("cpu", half=False),
        ),
    )
}
"""Those that are most often fastest come first, for runs that have no time to compare them all."""
REFERENCE = "torch-float32"
NATIVE = "native"


@dataclass(frozen=True)
class ChosenRuntime:
    """A runtime that was chosen: its name, numerics and speed in units of cost (images, tokens, series) a second."""

    name: str
    numerics: str
    units_per_second: float


_HURRIED: dict[tuple[str, str], ChosenRuntime] = {}
"""Choices made without the time to compare all runtimes: they hold in this process and are not written."""


def name_machine() -> str:
    """Name what a remembered choice depends on: processor, torch and OpenVINO."""
    versions = [version(name) for name in ("torch", "openvino")]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return "-".join([platform.machine(), platform.processor() or "cpu", str(count_cores()), *versions, visible])


def count_cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure_relative_error(reference: Sequence[Array], features: Sequence[Array]) -> float:
    """Return the mean over rows of the relative L2 error of the final features (0: equal).

    Parameters
    ----------
    reference, features : sequence of arrays
        Outputs of two runtimes for the same rows; only the last array, shape (n_rows, n_dims), is compared.
    """
    a, b = reference[-1].astype(np.float64), features[-1].astype(np.float64)
    scale = np.maximum(np.linalg.norm(a, axis=1), 1e-12)
    return float(np.mean(np.linalg.norm(a - b, axis=1) / scale))


def _measure_speed(run: Run, batch: Sequence[Array], units: float, seconds: float) -> float:
    """Units a second of a runtime that has run this batch once already."""
    began, n = time.perf_counter(), 0.0
    while n == 0 or time.perf_counter() - began < seconds:
        run(*batch)
        n += units
    return n / (time.perf_counter() - began)


def _find_choices(backbone: Backbone) -> Path:
    """Return the file that keeps the choices for a base."""
    return find_home() / "runtimes" / f"{backbone.network_key[:32]}.json"


def _read_choices(path: Path) -> dict[str, Any]:
    """Return the JSON of such a file; a damaged one holds nothing."""
    try:
        choices = read_json(path)
    except (OSError, ValueError):
        return {}
    return choices if isinstance(choices, dict) else {}


def read_runtime_choice(backbone: Backbone, precision: str) -> ChosenRuntime | None:
    """Return the choice made earlier on this machine, if there is one.

    Parameters
    ----------
    backbone : Backbone
    precision : str
        "auto", "float32", or `REFERENCE` for plain torch, whatever was chosen.
    """
    if backbone.transform is not None:
        return ChosenRuntime(NATIVE, "float32", 0.0)
    if precision == REFERENCE:
        return ChosenRuntime(REFERENCE, "float32", 0.0)
    if (backbone.network_key, precision) in _HURRIED:
        return _HURRIED[backbone.network_key, precision]
    try:
        choice = _read_choices(_find_choices(backbone))[f"{name_machine()}|{precision}"]["chosen"]
        runtime = RUNTIMES[choice["name"]]
        return ChosenRuntime(runtime.name, runtime.numerics, float(choice["units_per_second"]))
    except (KeyError, TypeError, ValueError):
        return None


def choose_fastest(
    backbone: Backbone,
    batch: Sequence[Array],
    units: float,
    precision: str,
    limits: tuple[float, float] = (SETTINGS.runtime_seconds, float("inf")),
) -> ChosenRuntime:
    """Compare the runtimes on real rows and remember the fastest one that is right.

    Parameters
    ----------
    backbone : Backbone
    batch : sequence of arrays
        Prepared rows, as the runtime will see them.
    units : float
        What the batch costs: images, tokens (padding included) or series.
    precision : str
        "auto" or "float32" (then half-precision runtimes are not considered).
    limits : (float, float)
        Seconds for which each is timed, and after which no further one is compared; the choice is then not remembered.
    """
    seconds, most_seconds = limits
    reference, began, complete = RUNTIMES[REFERENCE], time.monotonic(), True
    expected = reference.open(backbone)(*batch)
    measured: dict[str, dict[str, float]] = {}
    run: Run | None = None
    for runtime in RUNTIMES.values():
        if (precision == "float32" and runtime.numerics != "float32") or not runtime.available():
            continue
        if measured and time.monotonic() - began > most_seconds:
            complete = False
            break
        run = None  # Frees the one before: two at once are two copies of the weights.
        run = runtime.open(backbone)
        error = 0.0 if runtime is reference else measure_relative_error(expected, run(*batch))
        if runtime.numerics == "int8" and error == 0:  # A network without products to round, as of convolutions.
            continue
        if np.isfinite(error) and error <= runtime.tolerance:
            measured[runtime.name] = {"units_per_second": _measure_speed(run, batch, units, seconds), "error": error}
    run = None
    free_large_network(backbone)
    best = max(measured, key=lambda name: measured[name]["units_per_second"])
    chosen = ChosenRuntime(best, RUNTIMES[best].numerics, measured[best]["units_per_second"])
    if not complete:
        _HURRIED[backbone.network_key, precision] = chosen
        return chosen
    path = _find_choices(backbone)
    known = _read_choices(path)
    known[f"{name_machine()}|{precision}"] = {"chosen": chosen.__dict__, "measured": measured}
    with allow_failed_write():
        clear_place(path)
        write_json(path, known)
    return chosen


def open_runtime(backbone: Backbone, chosen: ChosenRuntime) -> Run:
    """Make the chosen runtime ready."""
    if backbone.transform is not None:
        return backbone.transform
    return RUNTIMES[chosen.name].open(backbone)
