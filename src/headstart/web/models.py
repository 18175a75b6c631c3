"""The models that are served: loaded and tried before the first request, each with its own queue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import bundle as bundles
from headstart import progress
from headstart.bundle import Bundle
from headstart.bundle.file_names import is_regular_file
from headstart.bundle.integrity import read_json
from headstart.decisions import DEFAULT_POLICY
from headstart.flow.inference.predict_memory import AnswerInputs, open_predictor
from headstart.http.errors import RequestRefused
from headstart.http.json_limits import JsonSize, bound_json
from headstart.options import ServeOptions


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """Model that is served.

    Parameters
    ----------
    name : str
        Unique, of letters, digits, dots, dashes and underscores.
    modality, task : str
    classes : tuple of str
    answer : inputs -> documents
    info : dict
        What `/info` returns.
    columns : mapping of str to str
        Which column served as what in training.
    """

    name: str
    modality: str
    task: str
    classes: tuple[str, ...]
    answer: AnswerInputs
    info: dict[str, Any]
    columns: Mapping[str, str]

    @property
    def n_channels(self) -> int:
        """Return how many channels a series has; 1 for other inputs."""
        return int(self.info.get("preprocessing", {}).get("n_channels", 1))

    def bound_json(self, limits: ServeOptions) -> JsonSize:
        """Return the most that the JSON body of a request may hold."""
        return bound_json(self.modality, self.n_channels, limits)

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the channels of a series, in order; empty where they have none."""
        names = (self.info.get("input_columns") or {}).get("channels", [])
        return tuple(names) if len(names) > 1 and all(names) else ()


def open_models(paths: Sequence[Path], options: ServeOptions) -> dict[str, ServedModel]:
    """Load bundles, open their base models and try them.

    Raises
    ------
    BundleError, MissingExtra
        As `headstart.bundle.loading`.
    """
    models: dict[str, ServedModel] = {}
    for path in paths:
        name = _make_unique_name(_derive_name(path), models)
        progress.say(f"Loading {name} ({path})")
        bundle = bundles.load_bundle(path, options.runtime, options.base)
        answer = open_predictor(bundle, options.precision)
        models[name] = ServedModel(
            name=name,
            modality=bundle.modality,
            task=bundle.task,
            classes=bundle.classes,
            answer=answer,
            info=_describe_bundle(name, bundle, path),
            columns=bundle.columns,
        )
    return models


def select_model(models: dict[str, ServedModel], name: str | None) -> ServedModel:
    """Return the model that a request names, or the only one.

    Raises
    ------
    RequestRefused
        There is none of this name, or several and none was named.
    """
    known = f"Known: {', '.join(models)}."
    if name is None:
        if len(models) > 1:
            raise RequestRefused(
                422, f"{len(models)} models are served and none was named.", f"Add ?model=NAME. {known}"
            )
        return next(iter(models.values()))
    if name not in models:
        raise RequestRefused(404, "There is no model of this name.", known)
    return models[name]


def _derive_name(path: Path) -> str:
    folder = bundles.find_bundle(path).resolve()
    plain = folder.parent.name if folder.name == "bundle" else folder.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.")[:64] or "model"


def _make_unique_name(name: str, taken: dict[str, ServedModel]) -> str:
    number = 2
    unique_name = name
    while unique_name in taken:
        unique_name, number = f"{name}-{number}", number + 1
    return unique_name


def _describe_bundle(name: str, bundle: Bundle, path: Path) -> dict[str, Any]:
    """Return what /models says of a bundle, as JSON."""
    folder = bundles.find_bundle(path)
    config, manifest = read_json(folder / bundles.CONFIG), read_json(folder / bundles.MANIFEST)
    return {
        "format": 1,
        "name": name,
        "modality": bundle.modality,
        "task": bundle.task,
        "classes": list(bundle.classes),
        "strategy": bundle.strategy,
        "thresholds": list(bundle.thresholds),
        "decision": _describe_decision_policy(bundle),
        "preprocessing": config["preprocessing"],
        "input_columns": bundle.input_columns.as_dict() if bundle.input_columns else None,
        "about": bundle.training_facts.as_dict(),
        "card": _read_card(folder),
        "made_with": manifest.get("versions", {}),
        "seed": bundle.seed,
    }


def _describe_decision_policy(bundle: Bundle) -> dict[str, Any] | None:
    """Return the JSON of how probabilities become answers, without arrays and names of training rows."""
    if bundle.decision_policy is DEFAULT_POLICY:
        return None
    policy = bundle.decision_policy.as_dict()
    if policy.get("novelty"):
        policy["novelty"] = {name: value for name, value in policy["novelty"].items() if name != "ids"}
    return policy


def _read_card(folder: Path) -> str | None:
    """Read the model card that lies in the bundle, or beside it where `adapt` wrote both."""
    cards = (place / "README.md" for place in (folder, folder.parent))
    existing = (path for path in cards if is_regular_file(path))  # No link: the card is shown to whoever asks.
    first = next(existing, None)
    return None if first is None else first.read_text("utf-8", errors="replace")
