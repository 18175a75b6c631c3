"""What turns one loaded row into features: the backbone under its chosen runtime, and classic descriptors.

An extractor is a value; `extract_features` runs any number of them over one decoding pass.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.bases import Backbone
from headstart.features.cache import FeatureCache
from headstart.features.runtimes import ChosenRuntime, Run, open_runtime
from headstart.features.settings import SETTINGS
from headstart.modalities import MODALITIES
from headstart.modalities.descriptors import DESCRIPTORS_VERSION, describe_image
from headstart.modalities.image_values import VALUE_RANGES
from headstart.modalities.record import Array

PREPARATION_VERSION = 2
"""Raised whenever the preparation of rows changes in a way that changes features."""


@dataclass(frozen=True, kw_only=True)
class Extractor:
    """Kind of features.

    Parameters
    ----------
    name : str
    key : str
        Hex name of everything that the features depend on besides the row.
    prepare : loaded row -> tuple of arrays
    cost : prepared row -> int
        Rows of similar cost are batched together; `batch_cost` bounds rows x largest cost.
    collate : prepared rows -> tuple of arrays
    spec : mapping
        What `load` has to deliver for (images are decoded no larger than that needs).
    open : function giving a Run
        Called at most once, and only if a row is missing.
    load : (one of `Table.inputs`) -> loaded row, or None
        How rows are opened where their modality's own way is not the one.
    """

    name: str
    key: str
    prepare: Callable[[Any], tuple[Array, ...]]
    cost: Callable[[tuple[Array, ...]], int]
    collate: Callable[[Sequence[tuple[Array, ...]]], tuple[Array, ...]]
    spec: Mapping[str, Any]
    open: Callable[[], Run]
    batch_rows: int
    batch_cost: int
    load: Callable[[Any], Any] | None = None

    def cache(self) -> FeatureCache:
        """Open the cache of this kind of features."""
        return FeatureCache(self.key, {"base": self.name})


def _hash_parts(*parts: object) -> str:
    return hashlib.sha256("|".join(str(part) for part in parts).encode()).hexdigest()


def make_backbone_extractor(backbone: Backbone, runtime: ChosenRuntime) -> Extractor:
    """Return the extractor of a frozen base model.

    Parameters
    ----------
    backbone : Backbone
    runtime : ChosenRuntime
        It is opened when the first row is run; its numerics are part of the cache key.
    """
    modality = MODALITIES[backbone.record.modality]
    spec = backbone.spec
    return Extractor(
        name=backbone.record.name,
        key=_hash_parts(backbone.fingerprint, runtime.numerics, PREPARATION_VERSION),
        prepare=lambda loaded: modality.prepare(loaded, spec),
        cost=modality.cost,
        collate=lambda rows: modality.collate(rows, spec),
        spec=spec,
        open=lambda: open_runtime(backbone, runtime),
        batch_rows=modality.batch_rows,
        batch_cost=modality.batch_cost,
    )


def _stack(rows: Sequence[tuple[Array, ...]]) -> tuple[Array, ...]:
    return (np.stack([row[0] for row in rows]),)


def _make_image_descriptors(spec: Mapping[str, Any]) -> Extractor:
    ranges = {VALUE_RANGES: spec[VALUE_RANGES]} if VALUE_RANGES in spec else {}
    return Extractor(
        name="colour and gradient histograms",
        key=_hash_parts("descriptors", DESCRIPTORS_VERSION, PREPARATION_VERSION, json.dumps(ranges, sort_keys=True)),
        prepare=lambda loaded: (describe_image(loaded),),
        cost=lambda row: 1,
        collate=_stack,
        spec={"resize": SETTINGS.descriptor_pixels, **ranges},
        open=lambda: lambda values: (values,),
        batch_rows=256,
        batch_cost=1 << 62,
    )


DESCRIPTOR_EXTRACTORS: Mapping[str, Callable[[Mapping[str, Any]], Extractor]] = {"image": _make_image_descriptors}
"""Classic descriptors by modality, where `classic` wants them cached; each is made for the spec of a base."""
