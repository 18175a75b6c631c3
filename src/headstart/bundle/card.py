"""The README.md of a bundle: what the model is, how to run it without Headstart, what each file is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.bundle.record import Bundle
from headstart.markdown_text import escape_markdown

FILE = "README.md"
_FILES = {
    "model.onnx": "the whole model: prepared arrays in, probabilities out (onnxruntime)",
    "predict.py": "predicts without Headstart; needs what stands in requirements.txt",
    "requirements.txt": "what predict.py needs",
    "tokenizer.json": "how texts are cut into tokens",
    "pieces.json": "the pieces of words that the model knows",
    "golden.npz": "made-up inputs and what the model said of them: for headstart verify",
    "config.json": "labels, kind of task, how inputs are prepared",
    "decision.json": "when an answer is given: calibration, sets, what counts as unknown",
    "model.safetensors": "the model as it was adapted, for headstart with the extra adapt",
    "strategy.json": "the same, but for what model.onnx holds: shared.json and strategy.safetensors belong to it",
    "head.json": "which base model the head reads, and its hash",
    "base/": "the base model that it reads features of",
    "manifest.json": "sha256 of every file, versions, seed",
}


def render_card(bundle: Bundle, portable_config: Mapping[str, Any], slim: bool = False) -> str:
    """Write the README of a bundle.

    Parameters
    ----------
    bundle : Bundle
    portable_config : mapping
        What `config.json` says under `portable`.
    slim : bool
        Whether the bundle has only the portable form.
    """
    labels = ", ".join(map(escape_markdown, bundle.classes[:20])) + (
        f" and {len(bundle.classes) - 20} more" if bundle.classes[20:] else ""
    )
    base = bundle.backbone.record if bundle.backbone else None
    lines = [
        "# An adapted model", "",
        f"Kind of data: {bundle.modality}. Task: {bundle.task}. Answers: {labels}.",
        f"Learnt from: {escape_markdown(str(bundle.training_facts.data or 'unknown'))}. Method: {bundle.strategy}.",
    ]  # fmt: skip
    if base is not None:
        lines.append(f"Base model: {escape_markdown(base.name)}, licence {escape_markdown(base.licence)}.")
    lines += ["", "## Run it", "", "    headstart predict THIS-FOLDER INPUTS", ""]
    if portable_config["ok"]:
        lines += [
            "Without Headstart (Python, no network):", "",
            "    pip install -r requirements.txt", "    python predict.py INPUTS -o answers.csv", "",
            "`headstart verify THIS-FOLDER` checks that no file was changed and that this machine answers alike.",
        ]  # fmt: skip
    else:
        lines.append(
            f"It runs with Headstart and its extra `adapt` only: {escape_markdown(str(portable_config['reason']))}."
        )
    is_shared = portable_config["ok"] and not bundle.keeps_torch
    left_out = {"model.safetensors"} if slim or is_shared else set()
    left_out |= {"base/"} if slim else set()
    left_out |= {"strategy.json"} if slim or not is_shared else set()
    descriptions = {
        name: says
        for name, says in _FILES.items()
        if name not in left_out and _is_in_bundle(name, portable_config, base is not None)
    }
    return "\n".join([*lines, "", "## Files", "", *(f"- `{name}`: {says}" for name, says in descriptions.items()), ""])


def _is_in_bundle(name: str, portable_config: Mapping[str, Any], with_base: bool) -> bool:
    always = ("config.json", "decision.json", "manifest.json", "model.safetensors", "strategy.json")
    return name in always or name in portable_config.get("files", ()) or (name == "base/" and with_base)
