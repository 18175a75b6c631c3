"""What a base was when it was opened for queries: its compiled network is then opened again without its weights.

Reading and comparing 470 MB of weights takes most of the time of one search. Only bases whose files are pinned are
remembered, and what is remembered is used only while every byte of the compiled network and of the tokenizer is the one
that was written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.bases import CATALOGUE, Backbone, BaseParts
from headstart.bundle import list_versions
from headstart.features.runtimes import RUNTIMES, ChosenRuntime, name_machine
from headstart.home import allow_failed_write, find_home, read_json, write_json
from headstart.sealed_folders import hash_file

FORMAT = 1
_COMPILED = "openvino"
"""Runtimes that keep the network in a file of their own."""


class NetworkLost(Exception):
    """The compiled network is not there any more, or damaged: the base itself is loaded."""


@dataclass(frozen=True)
class RememberedBase:
    """A base without its weights, and the runtime that has them in its own form."""

    backbone: Backbone
    runtime: ChosenRuntime


def recall_base(reference: str, precision: str, input_spec: Mapping[str, Any]) -> RememberedBase | None:
    """Return what is remembered of a base; None where nothing is, or not all of it is here.

    Parameters
    ----------
    reference : str
        As `--base` takes it.
    precision : str
        "auto" or "float32".
    input_spec : mapping
        What the rows wanted of it.
    """
    record = CATALOGUE.get(reference)
    if record is None or not record.sha256:
        return None
    with suppress(OSError, ValueError, KeyError, TypeError):
        document = read_json(_find_place(reference, precision, input_spec))
        runtime = ChosenRuntime(**document["runtime"])
        spec, tokenizer = dict(document["spec"]), document["spec"].get("tokenizer_file")
        if runtime.name not in RUNTIMES:
            return None
        if tokenizer is not None and hash_file(Path(tokenizer)) != document["tokenizer"]:
            return None
        backbone = Backbone(
            parts=BaseParts(record=record, architecture={}, spec=spec, weights={}),
            fingerprint=str(document["fingerprint"]),
            spec=spec,
            module=_refuse_to_build,
            transform=None,
            stages=tuple,
            network=str(document["network"]),
        )
        return RememberedBase(backbone, runtime)
    return None


def remember_base(reference: str, precision: str, input_spec: Mapping[str, Any], opened: RememberedBase) -> None:
    """Remember a base that was opened, where its file is pinned and its network compiled.

    Parameters
    ----------
    reference, precision, input_spec
        As for `recall_base`.
    opened : RememberedBase
    """
    record = CATALOGUE.get(reference)
    backbone, runtime = opened.backbone, opened.runtime
    if record is None or not record.sha256 or not runtime.name.startswith(_COMPILED):
        return
    tokenizer = backbone.spec.get("tokenizer_file")
    document = {
        "format": FORMAT,
        "fingerprint": backbone.fingerprint,
        "network": backbone.network_key,
        "spec": dict(backbone.spec),
        "tokenizer": None if tokenizer is None else hash_file(Path(tokenizer)),
        "runtime": vars(runtime),
    }
    with allow_failed_write():
        write_json(_find_place(reference, precision, input_spec), document)


def _find_place(reference: str, precision: str, input_spec: Mapping[str, Any]) -> Path:
    """Return the file of a base; another version of anything, or another machine, has another one."""
    facts = [FORMAT, reference, CATALOGUE[reference].sha256, precision, dict(input_spec)]
    facts += [list_versions(), name_machine()]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return find_home() / "queries" / f"{digest[:32]}.json"


def _refuse_to_build() -> Any:
    raise NetworkLost
