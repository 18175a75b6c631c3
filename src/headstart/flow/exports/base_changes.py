"""Change the base models of a fitted bundle - the frozen one, and those that a strategy tuned - and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.bases import BaseParts, BaseRecord, assemble_backbone
from headstart.bundle import Bundle
from headstart.fitted_state import FittedState
from headstart.strategies import STRATEGIES

ChangeParts = Callable[[BaseParts], BaseParts]
TOKENIZER = "tokenizer"


def change_base(bundle: Bundle, change: ChangeParts) -> Bundle:
    """Return a bundle with its base models changed: the frozen one, and those that a strategy tuned.

    Parameters
    ----------
    bundle : Bundle
    change : (parts) -> parts
    """
    backbone = bundle.backbone
    if backbone is not None and backbone.module is not None:
        parts = change(backbone.parts)
        backbone = (
            backbone if parts is backbone.parts else assemble_backbone(parts)
        )  # Hashing a large base takes seconds.
    state = bundle.fitted.state()
    arrays = dict(state.arrays)
    meta = _change_state(state.meta, arrays, "", change)
    if backbone is bundle.backbone and meta == state.meta and arrays.keys() == state.arrays.keys():
        unchanged = all(arrays[name] is value for name, value in state.arrays.items())
        if unchanged:
            return bundle
    fitted = STRATEGIES[bundle.strategy].load(FittedState(meta, arrays), bundle.classes)
    return replace(bundle, backbone=backbone, fitted=fitted)


def _change_state(meta: Mapping[str, Any], arrays: dict[str, Any], place: str, change: ChangeParts) -> dict[str, Any]:
    """Return the JSON of a state whose tuned bases are changed; their arrays are replaced in `arrays`."""
    if "architecture" not in meta or "record" not in meta:
        return {
            name: _change_state(value, arrays, f"{place}{name}/", change) if isinstance(value, dict) else value
            for name, value in meta.items()
        }
    start, tokenizer = f"{place}base/", place + TOKENIZER
    parts = BaseParts(
        record=BaseRecord(**meta["record"]),
        architecture=meta["architecture"],
        spec=meta["spec"],
        weights={name.removeprefix(start): value for name, value in arrays.items() if name.startswith(start)},
        tokenizer=arrays[tokenizer].tobytes().decode("utf-8") if tokenizer in arrays else "",
    )
    changed = change(parts)
    arrays |= {f"{start}{name}": value for name, value in changed.weights.items()}
    if changed.tokenizer:
        arrays[tokenizer] = np.frombuffer(changed.tokenizer.encode("utf-8"), dtype=np.uint8)
    return {**meta, "architecture": dict(changed.architecture), "spec": dict(changed.spec)}
