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

from headstart.bases.licences import classify_licence

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
    licence_class : str
        Of `headstart.bases.licences`, where the licence's name does not tell it; "" for what its name says.
    n_parameters : int
        Of the part that is used; 0 until known.
    repository : str
        Of a model hub, `owner/name`; "" for a base that is on no hub or named otherwise.
    revision : str
        Commit of the repository that is fetched; "" until the first fetch pins one.
    files : tuple of str
        Names of the files that are fetched from the repository; empty where all of the usual ones are.
    weights_file : str
        Name of the file of the weights, safetensors.
    safetensors : bool
        False where the publisher gave pickled weights only, as far as is known: those are never read.
    format : str
        How these files describe the model: `timm`, `transformers`, `open-clip`, or a library for series; "" for a
        source without such files.
    architecture : str
        Which network that is: timm's name, or the model type of transformers.
    package : str
        Python package that carries the weights of an embedded base.
    image_size : int
        Side of the images in pixels, where it is not the published one; 0 for that.
    gated : bool
        Whether the hub gives it only to those who accepted terms on the page `url`.
    instead : str
        Name of the base to take where this one cannot be had; "" for none.
    prefix : str
        What every text must begin with, such as "query: "; it stands in the tokenizer.json.
    task : str
        What it was trained for: `sentences` where its features of whole texts can be compared as they are,
        `forecasting` where it continues series, else `features`.
    good_for : str
        One sentence: the data that it is worth trying on.
    languages : tuple of str
        BCP 47 codes of the languages that it was trained on.
    scripts : tuple of str
        ISO 15924 codes of the scripts that its vocabulary covers and its training texts were in.
    domains : tuple of str
        Of images and series: `photos`, `biology`, `medical` ...
    facts_read : tuple of str
        Names of the fields whose values were read from a source when the record was written; the others are
        remembered and may be wrong.
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
    licence_class: str = ""
    n_parameters: int = 0
    repository: str = ""
    revision: str = ""
    files: tuple[str, ...] = ()
    weights_file: str = "model.safetensors"
    safetensors: bool = True
    format: str = ""
    architecture: str = ""
    package: str = ""
    image_size: int = 0
    gated: bool = False
    instead: str = ""
    prefix: str = ""
    task: str = "features"
    good_for: str = ""
    languages: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    facts_read: tuple[str, ...] = ()


def find_licence_class(record: BaseRecord) -> str:
    """Return the class of a base's licence: the stated one, else what the licence's name says.

    Parameters
    ----------
    record : BaseRecord
    """
    return record.licence_class or classify_licence(record.licence)


def is_embedded(record: BaseRecord) -> bool:
    """Return whether a base comes with Headstart or one of its extras; every other is of a hub, made by others.

    Parameters
    ----------
    record : BaseRecord
    """
    return bool(record.package) or not record.repository


def find_fact_source(record: BaseRecord, field_name: str) -> str:
    """Return where a fact of a record comes from: `read` in a source, or `remembered` and not checked.

    Parameters
    ----------
    record : BaseRecord
    field_name : str
        Name of a field of the record.
    """
    return "read" if field_name in record.facts_read else "remembered"


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
        `{"library": "headstart-series", ...}`, `{"library": "minirocket", ...}`, or the library of one of
        `headstart.bases.series_bodies.SERIES_LAYOUTS` and its settings.
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
            digest.update(value.reshape(-1).data)  # Without a copy: a vocabulary alone may take 400 MB.
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
    stages : function giving a tuple of Stage
    release : function
        Frees the torch module; the next call builds it again.
    network : str
        Fingerprint of the base whose network this is, where only the tokenizer is another one: what is kept of the
        network (compiled forms, the fastest runtime) is shared. "" for its own.
    """

    parts: BaseParts
    fingerprint: str
    spec: Mapping[str, Any]
    module: Callable[[], nn.Module] | None
    transform: Callable[..., tuple[Array, ...]] | None
    stages: Callable[[], tuple[Stage, ...]]
    release: Callable[[], None] = lambda: None
    network: str = ""

    @property
    def record(self) -> BaseRecord:
        """The record for people."""
        return self.parts.record

    @property
    def network_key(self) -> str:
        """Under which what is kept of the network is found."""
        return self.network or self.fingerprint
