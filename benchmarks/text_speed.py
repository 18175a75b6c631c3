"""How fast text bases run here: every runtime, short and long texts, 128 and 256 tokens, beside the machine's limit.

`python benchmarks/text_speed.py [--data FOLDER] [--bases NAME ...] [--seconds 1.5] [--threads 1] [--results FOLDER]`

Texts a second of processor time, on one core, so that other programs disturb it little; rows are sorted by length and
cut into batches as `adapt` does it. The limit is the floating-point operations of the real tokens (padding is waste)
over the rate of a matrix product of the network's own sizes in bfloat16, measured here.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import machine
import material
import numpy as np
import torch
from tables import keep, table

from headstart import bases
from headstart.bases import Backbone
from headstart.features.chunks import cut_batches
from headstart.features.extractors import make_backbone_extractor
from headstart.features.runtimes import REFERENCE, RUNTIMES, ChosenRuntime, Run, measure_relative_error
from headstart.modalities import MODALITIES
from headstart.modalities.record import Array

Batch = tuple[Array, ...]
KINDS: Mapping[str, tuple[str, int]] = {"tweets": ("afrisenti/am.csv", 1_024), "news": ("masakhanews/yor.csv", 96)}
MOST_TOKENS = (128, 256)
ONNX, ONNX_INT8 = "onnxruntime-float32", "onnxruntime-int8"


def read_rows(backbone: Backbone, path: Path, n_rows: int, most_tokens: int) -> list[Batch]:
    """Return prepared rows of a set, cut to so many tokens."""
    modality, spec = MODALITIES["text"], {**backbone.spec, "max_length": most_tokens}
    texts = [row["text"] for row in islice(material.read_csv(path), n_rows)]
    return [modality.prepare(modality.load(text, spec), spec) for text in texts]


def make_batches(backbone: Backbone, rows: Sequence[Batch]) -> list[Batch]:
    """Cut rows into the batches that `adapt` runs."""
    extractor = make_backbone_extractor(backbone, ChosenRuntime(REFERENCE, "float32", 0.0))
    costs = [extractor.cost(row) for row in rows]
    return [extractor.collate([rows[number] for number in index]) for index in cut_batches(costs, extractor)]


def count_operations(backbone: Backbone, lengths: Sequence[int]) -> float:
    """Return the floating-point operations of the matrix products for texts of so many tokens."""
    config = backbone.parts.architecture["config"]
    width, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    dense = 2.0 * (4 * width * width + 2 * width * inner)
    return float(sum(layers * (n * dense + 4.0 * n * n * width) for n in lengths))


def measure_product_rate(backbone: Backbone, dtype: torch.dtype, seconds: float) -> float:
    """Return operations a second of the network's largest matrix product, 2,048 tokens at once: the best of many."""
    config = backbone.parts.architecture["config"]
    values = torch.randn(2_048, config["hidden_size"]).to(dtype)
    weights = torch.randn(config["intermediate_size"], config["hidden_size"]).to(dtype)
    n, best, began = 2.0 * values.numel() * len(weights), np.inf, time.process_time()
    while time.process_time() - began < seconds:
        start = time.process_time()
        torch.nn.functional.linear(values, weights)
        best = min(best, time.process_time() - start)
    return n / best


def open_onnx(backbone: Backbone, folder: Path, threads: int) -> Iterator[tuple[str, Run]]:
    """Yield onnxruntime on the exported network, in float32 and with weights and products of 8 bits."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    assert backbone.module is not None
    path, small = folder / "base.onnx", folder / "int8.onnx"
    ones = torch.ones(2, 16, dtype=torch.int64)
    axes = {name: {0: "n", 1: "tokens"} for name in ("ids", "mask")}
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            backbone.module(), (ones, ones), path, input_names=list(axes), dynamo=False, dynamic_axes=axes
        )
    quantize_dynamic(path, small, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
    for name, file in ((ONNX, path), (ONNX_INT8, small)):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])

        def run(*arrays: Array, session: Any = session) -> tuple[Array, ...]:
            return tuple(session.run(None, dict(zip(axes, arrays, strict=True))))

        yield name, run


def list_runs(backbone: Backbone, folder: Path, threads: int) -> Iterator[tuple[str, Run]]:
    """Yield every runtime that works here, opened: one at a time is in memory."""
    for name, runtime in RUNTIMES.items():
        if (runtime.available() or name == "openvino-int8") and not name.startswith(("cuda", "mps")):
            yield name, runtime.open(backbone)
    yield from open_onnx(backbone, folder, threads)


def measure_seconds(run: Run, batches: Sequence[Batch], seconds: float) -> float:
    """Return the processor seconds of all batches, repeated for so long."""
    n, began = 0, time.process_time()
    while n == 0 or time.process_time() - began < seconds:
        for batch in batches:
            run(*batch)
        n += 1
    return (time.process_time() - began) / n


def measure_base(name: str, given: argparse.Namespace, folder: Path) -> list[dict[str, object]]:
    """Measure a base: one row a kind of text, number of tokens and runtime."""
    backbone = bases.load_base(name, bases.BaseRequest(modality="text", offline=True))
    cases = []
    for kind, (path, n_rows) in KINDS.items():
        for most in MOST_TOKENS if kind == "news" else MOST_TOKENS[:1]:
            rows = read_rows(backbone, given.data / path, n_rows, most)
            cases.append((f"{kind}, {most} tokens", rows, make_batches(backbone, rows)))
    rate = measure_product_rate(backbone, torch.bfloat16, given.seconds)
    expected: dict[str, list[tuple[Array, ...]]] = {}
    reference = RUNTIMES[REFERENCE].open(backbone)
    for case, _, batches in cases:
        expected[case] = [reference(*batch) for batch in batches[::4]]
    lines: list[dict[str, object]] = []
    for runtime, run in list_runs(backbone, folder, given.threads):
        for case, rows, batches in cases:
            outputs = [run(*batch) for batch in batches[::4]]
            errors = [measure_relative_error(*pair) for pair in zip(expected[case], outputs, strict=True)]
            lengths = [len(row[0]) for row in rows]
            spent = measure_seconds(run, batches, given.seconds)
            padded = sum(batch[0].size for batch in batches)
            lines.append({
                "base": name,
                "texts": case,
                "tokens a text": f"{np.mean(lengths):.0f}",
                "padding": f"{1 - sum(lengths) / padded:.0%}",
                "runtime": runtime,
                "texts/s": f"{len(rows) / spent:.0f}",
                "difference": f"{np.mean(errors):.4f}",
                "limit": f"{len(rows) * rate / count_operations(backbone, lengths):.0f}",
                "of the limit": f"{count_operations(backbone, lengths) / rate / spent:.0%}",
            })  # fmt: skip
            print(lines[-1], flush=True)
    return sorted(lines, key=lambda line: str(line["texts"]), reverse=True)


LEGEND = (
    "Texts a second of processor time on one core. `difference`: mean relative L2 difference of the features from "
    "torch in float32; `adapt` takes a runtime of less than 32 bits up to 0.03. `limit`: the operations of the real "
    "tokens at the rate of one matrix product of the network's size (torch, bfloat16). `padding`: share of the tokens "
    "that are run for nothing, after sorting by length."
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--bases", nargs="*", default=["all-minilm-l6-v2", "multilingual-e5-small"])
    parser.add_argument("--seconds", type=float, default=1.5, help="for which each case is measured, at least")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    if hasattr(os, "sched_setaffinity"):  # What OpenVINO takes for the cores that there are.
        os.sched_setaffinity(0, set(list(os.sched_getaffinity(0))[: given.threads]))
    torch.set_num_threads(given.threads)
    about, lines = machine.describe(), list[dict[str, object]]()
    for name in given.bases:
        with tempfile.TemporaryDirectory() as folder:
            lines += measure_base(name, given, Path(folder))
    keep(given.results, "Speed of text bases: runtimes", f"{about}\n\n{LEGEND}\n\n{table(lines)}")


if __name__ == "__main__":
    main()
