"""Every command that reads a bundle or a base model, on ones whose base asks for the network or for files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.hostile.base_folders import FOLDERS, TIMM, TRANSFORMERS
from tests.hostile.case import Case, Command, Random, Seeds, copy_bundle, read_document, seal, write_document

Arguments = Callable[[Path, Seeds], tuple[object, ...]]
READING: Mapping[str, Arguments] = {
    "predict": lambda bundle, seeds: ("predict", bundle, seeds.rows["image"]),
    "predict-torch": lambda bundle, seeds: ("predict", bundle, seeds.rows["image"], "--runtime", "torch"),
    "predict-onnx": lambda bundle, seeds: ("predict", bundle, seeds.rows["image"], "--runtime", "onnx"),
    "predict-offline": lambda bundle, seeds: ("predict", bundle, seeds.rows["image"], "--offline"),
    "evaluate": lambda bundle, seeds: ("evaluate", bundle, seeds.data["image"]),
    "recalibrate": lambda bundle, seeds: ("evaluate", bundle, seeds.data["image"], "--recalibrate", "corrected"),
    "explain": lambda bundle, seeds: ("explain", bundle, seeds.rows["image"], "-o", "explained"),
    "compare": lambda bundle, seeds: ("compare", seeds.bundles["image"], bundle, seeds.data["image"]),
    "label-next": lambda bundle, seeds: ("label-next", bundle, seeds.rows["image"], "-o", "next.csv"),
    "export-onnx": lambda bundle, seeds: ("export", bundle, "--to", "onnx", "-o", "exported"),
    "verify": lambda bundle, seeds: ("verify", bundle),
}
"""Commands that read a bundle."""
ASKING: Mapping[str, tuple[str, dict[str, Any]]] = {
    "url": ("kwargs", TIMM["pretrained-url"]), "overlay": ("kwargs", TIMM["overlay"]), "hub": ("kwargs", TIMM["hub-name"]),
    "backbone": ("config", TRANSFORMERS["backbone-mask2former"]), "layers": ("config", TRANSFORMERS["layers"]),
    "kernels": ("config", {**TRANSFORMERS["kernels"], "hidden_size": 32}),
}  # fmt: skip
"""Architectures that ask for what they may not."""


def _read_bundle(arguments: Arguments, asking: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    bundle = copy_bundle(seeds.bundles["image"], folder)
    config = read_document(bundle / "base" / "config.json")
    part, change = ASKING[asking]
    architecture = config["architecture"]
    config["architecture"] = (
        {"library": "transformers", "config": change} if part == "config" else {**architecture, **change}
    )
    write_document(bundle / "base" / "config.json", config)
    seal(bundle)
    return Command(arguments=tuple(str(part) for part in arguments(bundle, seeds)))


def _base_folder(command: str, name: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    base = Path(shutil.copytree(seeds.bases["image"], folder / "base"))
    write_document(base / "config.json", FOLDERS[name])
    if command == "bases":
        arguments = ("bases", "--for", str(seeds.data["image"]), "--candidate", f"file:{base}")
        return Command(arguments=arguments)
    arguments = ("adapt", str(seeds.data["image"]), "-o", "out", "--base", f"{command}:{base}", "--time", "20s")
    return Command(arguments=arguments, codes=(2,))


def _language(command: str, folder: Path, seeds: Seeds, random: Random) -> Command:
    base = Path(shutil.copytree(seeds.bases["text"], folder / "base"))
    config = read_document(base / "config.json")
    config["architecture"]["config"] = {**config["architecture"]["config"], **TRANSFORMERS["attention"]}
    write_document(base / "config.json", config)
    text = folder / "raw.txt"
    text.write_text("\n".join(f"some words of a language number {number} and more" for number in range(400)), "utf-8")
    if command == "evaluate-language":
        return Command(arguments=(command, f"file:{base}", str(text)), codes=(2,))
    arguments = (command, str(text), "--base", f"file:{base}", "-o", "new", "--time", "10s")
    return Command(arguments=arguments, codes=(2,))


def _strategy(seed: str, change: dict[str, Any], folder: Path, seeds: Seeds, random: Random) -> Command:
    """A tuned base states its architecture once more, in the strategy's file."""
    bundle = copy_bundle(seeds.bundles[seed], folder)
    strategy = read_document(bundle / "strategy.json")
    strategy["architecture"] = change
    write_document(bundle / "strategy.json", strategy)
    seal(bundle)
    return Command(arguments=("predict", str(bundle), str(seeds.rows["series"]), "--runtime", "torch"))


def list_cases() -> Iterator[Case]:
    """Return the cases of this kind."""
    kinds = list(ASKING)
    for number, (door, arguments) in enumerate(READING.items()):
        for asking in (kinds[number % len(kinds)], kinds[(number + 1) % len(kinds)]):
            yield Case(name=f"door/{door}-{asking}", make=partial(_read_bundle, arguments, asking))
    for command in ("file", "hf", "bases"):
        for name in ("model-args-url", "architecture-hub", "remote-code"):
            yield Case(name=f"door/{command}-{name}", make=partial(_base_folder, command, name))
    for command in ("adapt-language", "evaluate-language"):
        yield Case(name=f"door/{command}", make=partial(_language, command))
    for asking, (part, change) in ASKING.items():
        architecture = (
            {"library": "transformers", "config": change} if part == "config" else {"library": "timm", **change}
        )
        yield Case(name=f"door/strategy-{asking}", make=partial(_strategy, "tuned-series", architecture))
