"""Options of `read` and `adapt` by keyword, for completion and type checking; `headstart.options` holds what they mean.

A test keeps these in step with the option records.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Literal, TypedDict

Names = str | Sequence[str]
"""One name, several with commas, or a sequence."""
FilePath = str | PathLike[str]


class ReadKeywords(TypedDict, total=False):
    """Fields of `headstart.options.ReadOptions`."""

    text: Names
    id: str
    values: str
    channels: Names
    time_column: str
    axes: Literal["auto", "channels-first", "time-first"]
    sheet: str
    encoding: str
    label: Names
    group: Names
    modality: Literal["auto", "image", "text", "series"]
    merge_labels: bool
    unlabelled: str
    task: Literal["auto", "classification", "ordinal", "multi-label", "regression"]
    order: Names
    frame: FilePath
    level_mark: str


class ColumnKeywords(TypedDict, total=False):
    """Fields of `headstart.options.ColumnOptions`."""

    text: Names
    id: str
    values: str
    channels: Names
    time_column: str
    axes: Literal["auto", "channels-first", "time-first"]
    sheet: str
    encoding: str


class EmbedKeywords(ColumnKeywords, total=False):
    """Fields of `headstart.options.EmbedOptions`."""

    modality: Literal["auto", "image", "text", "series"]
    base: str
    hybrid: Literal["auto", "on", "off"]
    to: Literal["safetensors", "parquet"]
    precision: Literal["auto", "float32"]
    offline: bool


class SearchKeywords(ColumnKeywords, total=False):
    """Fields of `headstart.options.SearchOptions`; queries are an argument of their own."""

    like: Names
    filter: Names
    k: int
    base: str
    precision: Literal["auto", "float32"]
    offline: bool


class AdaptKeywords(ReadKeywords, total=False):
    """Fields of `headstart.options.AdaptOptions`."""

    base: str
    strategy: Names
    time: float | str
    seed: int
    test: FilePath
    also: FilePath
    labels_per_class: int
    coverage: float
    cost: Names
    answer_below: float
    refer_cost: float
    reserved: Names
    require: Names
    compare: Names
    balance: Literal["auto", "on", "off"]
    duplicates: Literal["keep", "drop"]
    precision: Literal["auto", "float32"]
    max_memory: float
    audit: Literal["auto", "none", "quick", "full"]
    swaps: FilePath
    mitigate: Literal["none", "group-balance", "reweight"]
    keep_torch: bool
    keep_vocabulary: bool
    language: Literal["auto", "en", "fr", "es", "sw", "ar"]
    offline: bool
