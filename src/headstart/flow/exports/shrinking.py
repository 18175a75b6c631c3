"""Make a fitted bundle smaller before its forms are written: fewer pieces of words, weights of 16 bits.

What is written is the smaller model, in every form, so all forms agree with each other exactly as before. Whether it
answers like the model that was measured is tried on rows that were held out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from headstart.bundle import Bundle
from headstart.bundle.runtime.agreement import compare_outputs
from headstart.bundle.weight_rounding import round_weights
from headstart.features.runtimes import measure_relative_error
from headstart.flow.exports.base_changes import change_base
from headstart.flow.exports.pruning import RunTexts, prune_bundle
from headstart.flow.exports.reference_outputs import ReferenceOutputs, run_reference
from headstart.flow.exports.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.records import Table


@dataclass(frozen=True)
class ShrunkBundle:
    """A bundle as it will be written, and what `config.json` says of how it was made smaller.

    Parameters
    ----------
    bundle : Bundle
    facts : mapping
        `bits` of the base's weights (16 or 32), and of texts `vocabulary` (see `prune_bundle`).
    """

    bundle: Bundle
    facts: Mapping[str, Any]


def shrink_bundle(bundle: Bundle, sample_rows: Table, seen: RunTexts | None = None) -> ShrunkBundle:
    """Return a bundle with a smaller vocabulary and smaller weights, or as it is where its answers would change.

    Parameters
    ----------
    bundle : Bundle
        As it was fitted.
    sample_rows : Table
        Rows that the model did not learn from.
    seen : RunTexts or None
        Texts whose pieces the vocabulary keeps; None: the whole vocabulary stays.
    """
    if bundle.keeps_torch or bundle.portable_model is not None:
        return ShrunkBundle(bundle, {"bits": 32})
    expected = run_reference(bundle, sample_rows)
    pruned, facts = bundle, dict[str, Any]()
    if seen is not None and not bundle.keeps_vocabulary and MODALITIES[bundle.modality].has_words:
        trial = prune_bundle(bundle, seen)
        pruned, facts = trial.bundle, {"vocabulary": dict(trial.facts)}
    rounded = change_base(pruned, lambda parts: replace(parts, weights=round_weights(parts.weights)))
    if _answers_alike(rounded, sample_rows, expected):
        return ShrunkBundle(rounded, {"bits": 16, **facts})
    if _answers_alike(pruned, sample_rows, expected):
        return ShrunkBundle(pruned, {"bits": 32, **facts})
    return ShrunkBundle(bundle, {"bits": 32})


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
