"""The record of a base model inside a bundle; the fields of later versions have the values of records without them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headstart.bundle.records.schema import StrictRecord, Text

Words = Annotated[list[Text], Field(max_length=1_000)]


class BaseFacts(StrictRecord):
    """Facts about a base model, for people (see `headstart.bases.record.BaseRecord`)."""

    name: Text
    modality: Text
    source: Text
    licence: Text
    n_dims: Annotated[int, Field(ge=0, le=10**7)]
    size_bytes: Annotated[int, Field(ge=0)]
    training_data: Text
    known_biases: Text
    sha256: Text
    url: Text
    pretrained: bool
    summary: Text
    licence_class: Text = ""
    n_parameters: Annotated[int, Field(ge=0)] = 0
    repository: Text = ""
    revision: Text = ""
    files: Words = []
    weights_file: Text = "model.safetensors"
    safetensors: bool = True
    format: Text = ""
    architecture: Text = ""
    package: Text = ""
    image_size: Annotated[int, Field(ge=0, le=65_536)] = 0
    gated: bool = False
    instead: Text = ""
    prefix: Text = ""
    task: Text = "features"
    good_for: Text = ""
    languages: Words = []
    scripts: Words = []
    domains: Words = []
    facts_read: Words = []
