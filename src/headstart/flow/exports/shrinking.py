"""Make a fitted bundle smaller before its forms are written: base weights of 16 bits, where the answers stay the same.

What is written is the smaller model, in every form, so all forms agree with each other exactly as before. Whether it
answers like the model that was measured is tried on rows that were held out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart.bases import BaseParts, BaseRecord, assemble_backbone
from headstart.bundle import Bundle
from headstart.bundle.runtime.agreement import compare_outputs
from headstart.bundle.weight_rounding import round_weights
from headstart.features.runtimes import measure_relative_error
from headstart.fitted_state import FittedState
from headstart.flow.exports.reference_outputs import ReferenceOutputs, run_reference
from headstart.flow.exports.settings import SETTINGS
from headstart.records import Table
from headstart.strategies import STRATEGIES

ChangeParts = Callable[[BaseParts], BaseParts]
TOKENIZER = "tokenizer"


@dataclass(frozen=True)
class ShrunkBundle:
    """A bundle as it will be written, and what `config.json` says of how it was made smaller.

    Parameters
    ----------
    bundle : Bundle
    facts : mapping
        `bits`: of the base's weights, 16 or 32.
    """

    bundle: Bundle
    facts: Mapping[str, Any]


def shrink_bundle(bundle: Bundle, sample_rows: Table) -> ShrunkBundle:
    """Return a bundle with smaller weights, or as it is where its answers would change.

    Parameters
    ----------
    bundle : Bundle
        As it was fitted.
    sample_rows : Table
        Rows that the model did not learn from.
    """
    if bundle.keeps_torch or bundle.portable_model is not None:
        return ShrunkBundle(bundle, {"bits": 32})
    expected = run_reference(bundle, sample_rows)
    rounded = _change_base(bundle, lambda parts: replace(parts, weights=round_weights(parts.weights)))
    if rounded is bundle or not _answers_alike(rounded, sample_rows, expected):
        return ShrunkBundle(bundle, {"bits": 32})
    return ShrunkBundle(rounded, {"bits": 16})


def _answers_alike(smaller: Bundle, sample_rows: Table, expected: ReferenceOutputs) -> bool:
    """Return whether a smaller bundle passes the gate of float forms."""
    outputs = run_reference(smaller, sample_rows)
    if len(outputs.rows) != len(expected.rows):
        return False
    if not compare_outputs(smaller.task, expected.outputs, outputs.outputs, smaller.thresholds).passes:
        return False
    if not expected.features.shape[1] or not len(expected.rows):
        return True
    return measure_relative_error([expected.features], [outputs.features]) <= SETTINGS.max_feature_difference


def _change_base(bundle: Bundle, change: ChangeParts) -> Bundle:
    """Return a bundle with its base models changed: the frozen one, and those that a strategy tuned."""
    backbone = bundle.backbone
    if backbone is not None and backbone.module is not None:
        backbone = assemble_backbone(change(backbone.parts))
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
