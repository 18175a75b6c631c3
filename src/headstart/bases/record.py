"""What a base model is: a record for people, parts that can be stored and hashed, a backbone that runs.

No weights are read here and torch is only named for the type checker.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[Any]
Architecture = dict[str, Any]
"""Which network to build, as JSON: see `BaseParts.architecture`."""


@dataclass(frozen=True, kw_only=True)
class BaseRecord:
    """Facts about a base model, for people.

    Parameters
    ----------
    name : str
        Permanent name, or the reference the user gave (`timm:...`, `hf:...`, `file:...`).
    modality : str
    source : str
        `embedded`, `shipped`, `timm`, `hf`, `file` or `transform`.
    licence : str
        Of the weights, as their publisher states it; "unknown" rather than nothing.
    n_dims : int
        Length of the final features; 0 until known.
    size_bytes : int
        Of the weights file; 0 until known.
    training_data, known_biases : str
        In words; "unknown" rather than nothing.
    sha256 : str
        Of the weights file; "" until known.
    url : str
        Where its description can be read.
    pretrained : bool
        False for transforms that have learnt nothing.
    summary : str
        One line for lists.
    """

    name: str
    modality: str
    source: str
    licence: str
    n_dims: int
    size_bytes: int
    training_data: str
    known_biases: str
    sha256: str
    url: str
    pretrained: bool
    summary: str


@dataclass(frozen=True)
class Stage:
    """Block of a backbone, from input to output: its name and the names of its parameters."""

    name: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class BaseParts:
    """A base model as plain data: everything needed to build it again anywhere.

    Parameters
    ----------
    record : BaseRecord
    architecture : mapping
        `{"library": "timm", "name": ..., "kwargs": {...}}`, `{"library": "transformers", "config": {...}}`,
        `{"library": "headstart-series", ...}` or `{"library": "minirocket", ...}`.
    spec : mapping
        The input it wants (see `headstart.modalities.record.Spec`), without machine-dependent paths.
    weights : mapping of str to array
    tokenizer : str
        The content of tokenizer.json for texts, else "".
    cooccurrence : mapping of str to array
        What the raw text that it was made from says of words (`headstart.strategies.text.cooccurrence`); features do
        not depend on it. Empty for most bases, and in a bundle.
    """

    record: BaseRecord
    architecture: Mapping[str, Any]
    spec: Mapping[str, Any]
    weights: Mapping[str, Array] = field(repr=False)
    tokenizer: str = field(default="", repr=False)
    cooccurrence: Mapping[str, Array] = field(default_factory=dict, repr=False)

    def fingerprint(self) -> str:
        """Hash (hex) of everything that the features depend on."""
        digest = hashlib.sha256(json.dumps([self.architecture, self.spec], sort_keys=True).encode())
        digest.update(self.tokenizer.encode())
        for name in sorted(self.weights):
            value = np.ascontiguousarray(self.weights[name])
            digest.update(f"{name}{value.dtype}{value.shape}".encode())
            digest.update(value.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A base model ready to run; always frozen.

    Parameters
    ----------
    parts : BaseParts
    fingerprint : str
    spec : mapping
        `parts.spec` completed for this machine (where tokenizer.json lies).
    module : function giving a torch module, or None
        Called with prepared arrays it returns the pooled output of every stage, the last being the final features.
        Built at the first call only, so that a cached compiled form needs no torch.
    transform : function, or None
        The same for a base that is no neural network: arrays in, tuple of float32 arrays out.
    """

    parts: BaseParts
    fingerprint: str
    spec: Mapping[str, Any]
    module: Callable[[], nn.Module] | None
    transform: Callable[..., tuple[Array, ...]] | None
    stages: Callable[[], tuple[Stage, ...]]

    @property
    def record(self) -> BaseRecord:
        """The record for people."""
        return self.parts.record
