"""What a bundle answers as it was fitted, in torch's float32: other forms are held against it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.bundle import Bundle
from headstart.features import DESCRIPTOR_EXTRACTORS, Extractor, make_backbone_extractor
from headstart.features.memory import free_large_network
from headstart.features.runtimes import REFERENCE, ChosenRuntime
from headstart.flow.inference.predict_table import read_with, select_ood_features
from headstart.records import FloatMatrix, Index, Probabilities, Table
from headstart.strategies.record import StrategyRows


@dataclass(frozen=True)
class ReferenceOutputs:
    """Outputs of the model for some rows in torch's float32, and the features that its decision policy reads."""

    rows: Index
    outputs: Probabilities
    features: FloatMatrix


def run_reference(bundle: Bundle, table: Table) -> ReferenceOutputs:
    """Run rows through the bundle as it was fitted, in float32.

    Parameters
    ----------
    bundle : Bundle
    table : Table

    Returns
    -------
    ReferenceOutputs
        Of the rows that could be read.
    """
    portable = bundle.portable_model
    readable, rows, _ = read_with(
        bundle,
        table,
        {"portable": portable.make_extractor()} if portable is not None else _make_exact_extractors(bundle),
    )
    outputs = bundle.fitted.predict(rows) if len(readable) else np.empty((0, len(bundle.classes)))
    if portable is None and bundle.backbone is not None:
        free_large_network(bundle.backbone)  # The form that is written next needs its room.
    return ReferenceOutputs(readable, outputs, _select_ood_features(bundle, rows))


def _make_exact_extractors(bundle: Bundle) -> dict[str, Extractor]:
    extractors: dict[str, Extractor] = {}
    if "features" in bundle.uses and bundle.backbone is not None:
        extractors["features"] = make_backbone_extractor(bundle.backbone, ChosenRuntime(REFERENCE, "float32", 0.0))
    if "descriptors" in bundle.uses and bundle.modality in DESCRIPTOR_EXTRACTORS:
        extractors["descriptors"] = DESCRIPTOR_EXTRACTORS[bundle.modality](bundle.spec)
    return extractors


def _select_ood_features(bundle: Bundle, rows: StrategyRows) -> FloatMatrix:
    """Return the features that the decision policy reads (n_rows, n_dims); no columns where it reads none."""
    ood_check = bundle.decision_policy.out_of_distribution
    features = select_ood_features(rows, ood_check.reads) if ood_check else None
    return np.empty((len(rows), 0), dtype=np.float32) if features is None else features
