"""The limit: how fast this machine can decode rows and take them once through the network, and nothing else.

Written without Headstart's own decoding, batching and cache, so that their cost cannot hide in it. Decoding and forward
pass are measured apart, at steady state (after a warm-up; imports, conversion and compilation are not counted), and
added. Prints one JSON document. Usage: `python benchmarks/limit.py image|text PATH`.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from weights import lite0, minilm_folder

from headstart.features.openvino_runtime import import_openvino

ov = import_openvino()

BATCH = 32
SIZE = 224
TOLERANCE = 0.03
"""Largest mean relative difference from float32 torch at which a runtime counts (the one that Headstart allows)."""

Batch = tuple[np.ndarray, ...]


class Pooled(torch.nn.Module):
    """A vision network up to its pooled features."""

    def __init__(self) -> None:
        super().__init__()
        self.network = lite0()

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.network.forward_head(self.network.forward_features(pictures), pre_logits=True)


class MeanPooled(torch.nn.Module):
    """A text encoder, mean-pooled over the mask."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import AutoModel

        self.network = AutoModel.from_pretrained(minilm_folder(), attn_implementation="eager")

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        tokens = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[..., None].to(tokens.dtype)
        return (tokens * weights).sum(1) / weights.sum(1)


def decode(path: Path) -> np.ndarray:
    """Read a picture as (3, 224, 224) float32 in -1..1, with the cheapest decoding that is enough."""
    from PIL import Image

    with Image.open(path) as picture:
        picture.draft("RGB", (SIZE, SIZE))
        small = picture.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    return np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / 127.5 - 1


def image_batches(folder: Path) -> tuple[list[Batch], float]:
    """Decode all pictures in threads; give batches and the seconds it took."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))
    began = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(decode, paths))
    seconds = time.perf_counter() - began
    return [(np.stack(rows[start : start + BATCH]),) for start in range(0, len(rows), BATCH)], seconds


def text_batches(path: Path) -> tuple[list[Batch], float]:
    """Tokenise all texts, sort them by length; give batches and the seconds it took."""
    from tokenizers import Tokenizer

    folder = Path(minilm_folder())
    longest = json.loads(folder.joinpath("sentence_bert_config.json").read_text(encoding="utf-8"))["max_seq_length"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    with path.open(encoding="utf-8", newline="") as opened:
        texts = [row["text"] for row in csv.DictReader(opened)]
    began = time.perf_counter()
    rows = sorted((found.ids for found in tokenizer.encode_batch(texts)), key=len)
    batches = []
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        ids, mask = np.zeros((2, len(part), max(map(len, part))), dtype=np.int64)
        for row, (line, seen) in zip(part, zip(ids, mask, strict=True), strict=True):
            line[: len(row)], seen[: len(row)] = row, 1
        batches.append((ids, mask))
    return batches, time.perf_counter() - began


Pass = Callable[[Sequence[Batch]], list[np.ndarray]]


def in_torch(network: torch.nn.Module, half: bool) -> Pass:
    """Run in torch, channels last, perhaps in bfloat16."""

    def whole(batches: Sequence[Batch]) -> list[np.ndarray]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            given = ([torch.from_numpy(part) for part in batch] for batch in batches)
            laid = (
                [part.to(memory_format=torch.channels_last) if part.ndim == 4 else part for part in b] for b in given
            )
            return [network(*batch).float().numpy() for batch in laid]

    return whole


def in_openvino(network: torch.nn.Module, example: Batch, precision: str) -> Pass:
    """Run in OpenVINO with as many requests in flight as it asks for."""
    with torch.no_grad():
        model = ov.convert_model(network, example_input=tuple(torch.from_numpy(part[:2]) for part in example))
    if example[0].ndim == 4:
        model.reshape({model.inputs[0]: ov.PartialShape([-1, 3, SIZE, SIZE])})
    hints = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT"}
    compiled = ov.Core().compile_model(model, "CPU", hints)

    n_requests = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    requests = [compiled.create_infer_request() for _ in range(n_requests)]

    def answer(request: Any) -> np.ndarray:
        request.wait()
        return np.array(request.get_output_tensor().data)

    def whole(batches: Sequence[Batch]) -> list[np.ndarray]:
        found = []
        for number, batch in enumerate(batches):
            request = requests[number % n_requests]
            if number >= n_requests:
                found.append(answer(request))
            request.start_async(list(batch))
        left = range(max(0, len(batches) - n_requests), len(batches))
        return found + [answer(requests[number % n_requests]) for number in left]

    return whole


def measure(network: torch.nn.Module, batches: Sequence[Batch]) -> dict[str, dict[str, float]]:
    """Take all batches through every runtime; give seconds and difference from float32 torch."""
    network.eval()
    runtimes = {
        "torch-float32": partial(in_torch, network, False),
        "torch-bfloat16": partial(in_torch, network, True),
        "openvino-float32": partial(in_openvino, network, batches[0], "f32"),
        "openvino-bfloat16": partial(in_openvino, network, batches[0], "bf16"),
    }
    sample = [batches[0], batches[len(batches) // 2], batches[-1]]
    expected = np.concatenate(runtimes["torch-float32"]()(sample))
    measured = {}
    for name, make in runtimes.items():
        whole = make()
        found = np.concatenate(whole(sample))
        error = np.mean(np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1))
        began = time.perf_counter()
        whole(batches)
        measured[name] = {"seconds": time.perf_counter() - began, "error": float(error)}
    return measured


READERS = {"image": (image_batches, Pooled), "text": (text_batches, MeanPooled)}


def main(kind: str, path: str) -> None:
    """Measure and print."""
    read, network = READERS[kind]
    read(Path(path))
    batches, decoding = read(Path(path))
    measured = measure(network(), batches)
    right = {name: item["seconds"] for name, item in measured.items() if item["error"] <= TOLERANCE}
    fastest = min(right, key=right.__getitem__)
    document = {
        "n_rows": sum(len(batch[0]) for batch in batches),
        "decode_seconds": decoding,
        "forward_seconds": right[fastest],
        "fastest": fastest,
        "limit_seconds": decoding + right[fastest],
        "runtimes": measured,
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
