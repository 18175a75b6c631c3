"""The models that are served: loaded and tried before the first request, each with its own queue."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headstart import bundle as bundles
from headstart import progress
from headstart.bases import Backbone
from headstart.bundle import Bundle
from headstart.bundle.file_names import is_regular_file
from headstart.bundle.integrity import read_json
from headstart.decisions import DEFAULT_POLICY
from headstart.flow.inference.predict_memory import AnswerInputs, AnswerWithHeads, open_head_predictor, open_predictor
from headstart.flow.model_names import name_model
from headstart.http.errors import RequestRefused
from headstart.http.json_limits import JsonSize, bound_json
from headstart.options import ServeOptions
from headstart.report.readiness_texts import read_readiness_texts


@dataclass(frozen=True)
class SharedBase:
    """A base model that several served models read; it runs once for all of them.

    Parameters
    ----------
    name : str
        Unique among those of a server.
    answer : inputs -> one document by name of the model for each input
    """

    name: str
    answer: AnswerWithHeads


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
    shared : SharedBase or None
        Its base model, where others read it as well.
    """

    name: str
    modality: str
    task: str
    classes: tuple[str, ...]
    answer: AnswerInputs
    info: dict[str, Any]
    columns: Mapping[str, str]
    shared: SharedBase | None = None

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
    opened: dict[str, Bundle] = {}
    places: dict[str, Path] = {}
    backbones: dict[str, Backbone] = {}
    for path in paths:
        name = _make_unique_name(_derive_name(path), opened)
        progress.say(f"Loading {name} ({path})")
        bundle = bundles.load_bundle(path, options.runtime, options.base)
        if bundle.backbone is not None:  # One in memory, however many read it.
            bundle = replace(bundle, backbone=backbones.setdefault(bundle.backbone.fingerprint, bundle.backbone))
        opened[name], places[name] = bundle, path
    shared = _open_shared_bases(opened, options)
    return {
        name: ServedModel(
            name=name,
            modality=bundle.modality,
            task=bundle.task,
            classes=bundle.classes,
            answer=_choose_answer(name, shared[name]) if name in shared else open_predictor(bundle, options.precision),
            info=_describe_bundle(name, bundle, places[name]),
            columns=bundle.columns,
            shared=shared.get(name),
        )
        for name, bundle in opened.items()
    }


def _open_shared_bases(opened: Mapping[str, Bundle], options: ServeOptions) -> dict[str, SharedBase]:
    """Open each base that two or more models read; return it by name of the model."""
    readers: dict[str, dict[str, Bundle]] = {}
    for name, bundle in opened.items():
        if bundle.backbone is not None and "features" in bundle.uses:
            readers.setdefault(bundle.backbone.fingerprint, {})[name] = bundle
    shared: dict[str, SharedBase] = {}
    for fingerprint, heads in readers.items():
        if len(heads) > 1:
            record = next(bundle.backbone.record for bundle in heads.values() if bundle.backbone is not None)
            progress.say(f"{len(heads)} models read {record.name}: it runs once for all of them.")
            base = SharedBase(f"{record.name}-{fingerprint[:8]}", open_head_predictor(heads, options.precision))
            shared |= dict.fromkeys(heads, base)
    return shared


def _choose_answer(name: str, base: SharedBase) -> AnswerInputs:
    return lambda inputs: [documents[name] for documents in base.answer(inputs)]


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


def is_several(names: str | None) -> bool:
    """Return whether a request asks for the answers of several models, even where only one is served."""
    return names is not None and (names == "*" or "," in names)


def select_models(models: dict[str, ServedModel], names: str | None) -> list[ServedModel]:
    """Return the models that a request names: one, several with commas between them, or all that are served (*).

    Raises
    ------
    RequestRefused
        There is none of a name, or they do not read the same inputs.
    """
    if names is None or not is_several(names):
        return [select_model(models, names)]
    chosen = list(models.values()) if names == "*" else [select_model(models, name) for name in names.split(",")]
    chosen = list({model.name: model for model in chosen}.values())
    if len({(model.modality, model.n_channels, model.channels) for model in chosen}) > 1:
        raise RequestRefused(
            422, "The models that were named read different inputs.", "Ask for those of one kind: ?model=NAME,NAME."
        )
    return chosen


def _derive_name(path: Path) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name_model(bundles.find_bundle(path))).strip("-.")[:64] or "model"


def _make_unique_name(name: str, taken: Mapping[str, object]) -> str:
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
        "base": bundle.backbone.record.name if bundle.backbone else None,
        "thresholds": list(bundle.thresholds),
        "decision": _describe_decision_policy(bundle),
        "preprocessing": config["preprocessing"],
        "input_columns": bundle.input_columns.as_dict() if bundle.input_columns else None,
        "columns": dict(bundle.columns),
        "about": bundle.training_facts.as_dict(),
        "card": _read_card(folder),
        "readiness": read_readiness_texts(folder.parent / "result.json", bundle.modality),
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
