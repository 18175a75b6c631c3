"""`export --to onnx` of a bundle of spans: a graph of the base, the field, the tokenizer and a `predict.py`.

The graph is compared with the base in torch on texts before the folder takes its name.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from headstart.array_files import write_npz
from headstart.bundle import require_free_folder
from headstart.errors import BundleError, MissingExtra, OptionError
from headstart.flow.spans.bundle import SpanBundle, read_span_bundle
from headstart.flow.spans.sources import find_span_bundle, make_text, read_plain_texts
from headstart.flow.spans.standalone import NEEDS, build_span_script
from headstart.home import write_json, write_text
from headstart.offline import offline
from headstart.options import ExportOptions
from headstart.sealed_folders import seal_folder
from headstart.spans.records import SpanText
from headstart.spans.settings import SETTINGS
from headstart.spans.token_states import TokenEncoder, pad_windows

GRAPH, ARRAYS, DOCUMENT, SCRIPT, TARGET = "model.onnx", "spans.npz", "spans.json", "predict.py", "onnx"
_OPSET = 17
_SAMPLE = ("Amina went to Kano on 3 May.", "ذهب محمد إلى كانو", "Ọjọ́ kẹta ni Ìbàdàn.", "water " * 40)
"""Texts on which the graph is compared where no others are given."""


class _StateGraph(nn.Module):
    """Ids and mask (n, tokens) in; the mixed states of the tokens side by side (n, tokens, n_mixes x n_dims) out."""

    def __init__(self, encoder: TokenEncoder) -> None:
        super().__init__()
        self.net, self.layers = encoder.net, tuple(encoder.mixes.values())

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        hidden = self.net(input_ids=ids, attention_mask=mask, output_hidden_states=True, return_dict=True).hidden_states
        return torch.cat([torch.stack([hidden[layer] for layer in part]).mean(0) for part in self.layers], dim=2)


def export_spans(path: Path, out: Path | None, options: ExportOptions) -> dict[str, Any]:
    """Write a bundle of spans for machines without torch.

    Parameters
    ----------
    path : Path
        A bundle of spans, or the output folder of `adapt`.
    out : Path or None
        Folder to write; beside the bundle if None.
    options : ExportOptions
        `to` must be onnx; `data` may name texts to compare on.

    Returns
    -------
    dict
        JSON: `written`, `largest_error` (of states, relative), `n_texts`.

    Raises
    ------
    HeadstartError
        The form is not one for spans, a package is missing, or the graph says something else.
    """
    if options.to != TARGET:
        raise OptionError(f"Spans are not exported to {options.to}.", f"Choose --to {TARGET}.")
    folder = find_span_bundle(path)
    place = out or (folder or path).with_name(f"{(folder or path).name}-{TARGET}")
    require_free_folder(place)
    with offline(options.offline):
        bundle = read_span_bundle(path)
        texts = read_plain_texts(options.data, options) if options.data else _make_sample()
        partial = place.with_name(f".{place.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        error = _write_graph(bundle, partial, texts) if bundle.fitted.model.uses_base else 0.0
        _write_rest(bundle, partial)
        seal_folder(partial)
        partial.rename(place)
    return {
        "format": 1, "bundle": str(folder), "to": options.to, "written": str(place), "method": "float32",
        "n_texts": len(texts), "largest_error": error,
    }  # fmt: skip


def _make_sample() -> tuple[SpanText, ...]:
    return tuple(make_text(str(number), text) for number, text in enumerate(_SAMPLE))


def _write_graph(bundle: SpanBundle, folder: Path, texts: Sequence[SpanText]) -> float:
    """Write graph and tokenizer; return the largest relative difference of the states on texts."""
    missing = [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"Exporting needs {missing[0]}.", "pip install 'headstart[export]'")
    encoder = bundle.fitted.encoder
    assert encoder is not None
    module = _StateGraph(encoder).eval()
    windows = [window for text in texts[: SETTINGS.compared_texts] for window in encoder.cut_text(text)]
    pad_id = int(encoder.backbone.spec["pad_id"])
    ids, mask = pad_windows(windows[:2], pad_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of tracing; the graph is compared below.
        _trace(module, ids, mask, folder / GRAPH)
    write_text(folder / "tokenizer.json", encoder.backbone.parts.tokenizer)
    return _compare(module, folder, [pad_windows([window], pad_id) for window in windows])


def _trace(module: nn.Module, ids: Tensor, mask: Tensor, path: Path) -> None:
    axes = {0: "n", 1: "n_tokens"}
    torch.onnx.export(
        module, (ids, mask), path, input_names=["ids", "mask"], output_names=["states"], dynamo=False,
        opset_version=_OPSET, dynamic_axes={"ids": axes, "mask": axes, "states": axes},
    )  # fmt: skip


def _compare(module: nn.Module, folder: Path, inputs: Sequence[tuple[Tensor, Tensor]]) -> float:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(folder / GRAPH), providers=["CPUExecutionProvider"])
    largest = 0.0
    for ids, mask in inputs:
        with torch.inference_mode():
            expected = module(ids, mask).numpy()
        states = np.asarray(session.run(None, {"ids": ids.numpy(), "mask": mask.numpy()})[0])
        size = float(np.linalg.norm(expected))
        largest = max(largest, float(np.linalg.norm(states - expected)) / max(size, 1e-9))
    if not largest <= SETTINGS.most_graph_error:
        shutil.rmtree(folder)
        raise BundleError(
            f"The graph's states differ from those of the base by {largest:.2g}.", "Use the bundle as it is."
        )
    return largest


def _write_rest(bundle: SpanBundle, folder: Path) -> None:
    model, encoder = bundle.fitted.model, bundle.fitted.encoder
    arrays = {name: value for name, value in vars(model.crf).items() if value is not None}
    write_npz(folder / ARRAYS, arrays)
    document = {
        "format": 1,
        "tags": list(model.tags),
        "base": bundle.base_name,
        "certainty": vars(model.certainty),
        "max_length": encoder.max_length if encoder else 0,
    }
    write_json(folder / DOCUMENT, json.loads(json.dumps(document)))
    write_text(folder / SCRIPT, build_span_script(model.uses_base))
    needs = ("numpy", *(NEEDS if model.uses_base else ()))
    write_text(folder / "requirements.txt", "".join(f"{name}>={version(name)}\n" for name in needs))
