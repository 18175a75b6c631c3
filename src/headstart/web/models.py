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
from headstart.flow.inference.predict_memory import Answering, answering
from headstart.options import ServeOptions
from headstart.web.refusals import Refused


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model.

    Parameters
    ----------
    name : str
        Unique, of letters, digits, dots, dashes and underscores.
    modality, task : str
    classes : tuple of str
    answer : inputs -> documents
    info : dict
        What `/info` tells.
    columns : mapping of str to str
        Which column served as what in training.
    """

    name: str
    modality: str
    task: str
    classes: tuple[str, ...]
    answer: Answering
    info: dict[str, Any]
    columns: Mapping[str, str]

    @property
    def n_channels(self) -> int:
        """Return how many channels a series has; 1 for other inputs."""
        return int(self.info.get("preprocessing", {}).get("n_channels", 1))

    @property
    def channels(self) -> tuple[str, ...]:
        """Return the names of the channels of a series, in order; empty where they have none."""
        names = (self.info.get("input_columns") or {}).get("channels", [])
        return tuple(names) if len(names) > 1 and all(names) else ()


def kind_of(document: dict[str, Any]) -> str:
    """Name the kind of an answer: a label, not sure, none of these, or unusable."""
    return str(document["kind"])


def open_models(paths: Sequence[Path], options: ServeOptions) -> dict[str, Model]:
    """Load bundles, open their base models and try them.

    Raises
    ------
    BundleError, MissingExtra
        As `headstart.bundle.loading`.
    """
    found: dict[str, Model] = {}
    for path in paths:
        name = _fresh(_name_of(path), found)
        progress.say(f"Loading {name} ({path})")
        bundle = bundles.load(path, options.runtime)
        answer = answering(bundle, options.precision)
        found[name] = Model(
            name=name,
            modality=bundle.modality,
            task=bundle.task,
            classes=bundle.classes,
            answer=answer,
            info=_info(name, bundle, path),
            columns=bundle.columns,
        )
    return found


def pick(models: dict[str, Model], name: str | None) -> Model:
    """Give the model that a request names, or the only one.

    Raises
    ------
    Refused
        There is none of this name, or several and none was named.
    """
    known = f"Known: {', '.join(models)}."
    if name is None:
        if len(models) > 1:
            raise Refused(422, f"{len(models)} models are served and none was named.", f"Add ?model=NAME. {known}")
        return next(iter(models.values()))
    if name not in models:
        raise Refused(404, "There is no model of this name.", known)
    return models[name]


def _name_of(path: Path) -> str:
    folder = bundles.find(path).resolve()
    plain = folder.parent.name if folder.name == "bundle" else folder.name
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.")[:64] or "model"


def _fresh(name: str, taken: dict[str, Model]) -> str:
    number = 2
    made = name
    while made in taken:
        made, number = f"{name}-{number}", number + 1
    return made


def _info(name: str, bundle: Bundle, path: Path) -> dict[str, Any]:
    folder = bundles.find(path)
    config, manifest = read_json(folder / bundles.CONFIG), read_json(folder / bundles.MANIFEST)
    return {
        "format": 1,
        "name": name,
        "modality": bundle.modality,
        "task": bundle.task,
        "classes": list(bundle.classes),
        "strategy": bundle.strategy,
        "thresholds": list(bundle.thresholds),
        "decision": _decision(bundle),
        "preprocessing": config["preprocessing"],
        "input_columns": bundle.input_columns.as_dict() if bundle.input_columns else None,
        "about": dict(bundle.about),
        "card": _card(folder),
        "made_with": manifest.get("versions", {}),
        "seed": bundle.seed,
    }


def _decision(bundle: Bundle) -> dict[str, Any] | None:
    """Tell how probabilities become answers, without the arrays that this rests on and the names of training rows."""
    if bundle.rules is None:
        return None
    told = bundle.rules.as_dict()
    if told.get("novelty"):
        told["novelty"] = {name: value for name, value in told["novelty"].items() if name != "ids"}
    return told


def _card(folder: Path) -> str | None:
    """Read the model card that lies in the bundle, or beside it where `adapt` wrote both."""
    cards = (place / "README.md" for place in (folder, folder.parent))
    there = (path for path in cards if is_regular_file(path))  # No link: the card is shown to whoever asks.
    first = next(there, None)
    return None if first is None else first.read_text("utf-8", errors="replace")
