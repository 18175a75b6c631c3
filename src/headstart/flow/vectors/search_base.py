"""The base of an index: which one it is, with what before a row and before a query, and vectors of unit length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart import bases, features, progress
from headstart.bases import DEFAULTS, OTHER_LANGUAGES, Backbone
from headstart.bases.prefix import SEARCHED_PREFIXES, replace_prefix
from headstart.errors import DataError, OptionError
from headstart.flow.base_choice.choose import state_need
from headstart.index.record import Halves
from headstart.options import AdaptOptions, parse
from headstart.ranking.typicality import scale_to_unit_length
from headstart.records import TRAIN, SetAside, Table, make_column

DEFAULT_BASES = {**DEFAULTS, **OTHER_LANGUAGES}
"""The base of an index by modality, where none is named: for texts the one of many languages."""
BLOCK_ROWS = 32_768
"""Rows that are embedded at a time: their features in float32 are in memory."""


@dataclass(frozen=True, kw_only=True)
class SearchBase:
    """A base as an index uses it.

    Parameters
    ----------
    reference : str
        As `--base` takes it.
    backbone : Backbone
        As it was loaded: what stands before a query is its own prefix.
    input_spec : mapping
        What the rows wanted of it: channels of series, value ranges of images.
    """

    reference: str
    backbone: Backbone
    input_spec: Mapping[str, Any] = field(default_factory=dict)

    @property
    def query_prefix(self) -> str:
        """What stands before a query."""
        return self.backbone.record.prefix

    @property
    def row_prefix(self) -> str:
        """What stands before a row that is searched."""
        return SEARCHED_PREFIXES.get(self.query_prefix, self.query_prefix)


def open_search_base(
    reference: str, table: Table, is_offline: bool, input_spec: Mapping[str, Any] | None = None
) -> SearchBase:
    """Load the base of an index.

    Parameters
    ----------
    reference : str
        As `--base` takes it; "default" is that of the modality.
    table : Table
        Rows that it will read.
    is_offline : bool
    input_spec : mapping, optional
        Of an index whose queries these are; derived from the rows by default.

    Raises
    ------
    HeadstartError
        There is none such, it is for other data, or it would be fitted to these very rows.
    """
    name = DEFAULT_BASES[table.modality] if reference == "default" else reference
    rows = replace(table, splits=make_column([TRAIN] * len(table)))
    need = state_need(rows, parse(AdaptOptions, offline=is_offline))
    if input_spec is not None:
        need = replace(need, spec=input_spec)
    backbone = bases.load_base(name, need)
    if backbone.transform is not None:
        raise OptionError(
            f"{backbone.record.name} is fitted to the rows of each data set: vectors of two cannot be compared.",
            f"Choose another base, such as {DEFAULT_BASES[table.modality]}.",
        )
    return SearchBase(reference=name, backbone=backbone, input_spec=need.spec or {})


def change_prefix(backbone: Backbone, prefix: str) -> Backbone:
    """Return the base with another prefix before every text; its network, and what is kept of it, stays.

    Parameters
    ----------
    backbone : Backbone
    prefix : str
        Such as "passage: ".
    """
    record = backbone.record
    if prefix == record.prefix:
        return backbone
    tokenizer = replace_prefix(backbone.parts.tokenizer, record.prefix, prefix)
    parts = replace(backbone.parts, record=replace(record, prefix=prefix), tokenizer=tokenizer)
    changed = bases.assemble_backbone(parts)
    return replace(
        changed,
        module=backbone.module,
        stages=backbone.stages,
        release=backbone.release,
        network=backbone.network_key,
    )


@dataclass(frozen=True, kw_only=True)
class EmbeddedRows:
    """Vectors of the rows that could be read.

    Parameters
    ----------
    table : Table
        Those rows.
    vectors : Halves, shape (n_rows, n_dims)
        Of unit length.
    set_aside : tuple of SetAside
        Rows that could not be read.
    n_computed : int
        Rows that were not in the feature cache.
    """

    table: Table
    vectors: Halves
    set_aside: tuple[SetAside, ...]
    n_computed: int


def embed_rows(table: Table, backbone: Backbone, precision: str) -> EmbeddedRows:
    """Compute the vectors of rows; the base runs only for what the feature cache does not have.

    Parameters
    ----------
    table : Table
    backbone : Backbone
    precision : str
        "auto" or "float32".

    Raises
    ------
    DataError
        Not a single row could be read.
    """
    blocks, readable, set_aside, n_computed = list[Halves](), list[np.ndarray](), list[SetAside](), 0
    for start in range(0, len(table), BLOCK_ROWS):
        part = table.take(np.arange(start, min(start + BLOCK_ROWS, len(table)), dtype=np.intp))
        try:
            extraction = features.extract_features(part, backbone, precision, uses=frozenset({"features"}))
        except DataError as error:
            if len(table) <= BLOCK_ROWS:
                raise
            progress.warn(error.problem)
            continue
        assert extraction.features is not None
        blocks.append(scale_to_unit_length(extraction.features.final).astype(np.float16))
        readable.append(start + extraction.readable_rows)
        set_aside += extraction.set_aside
        n_computed += extraction.n_computed
    if not blocks:
        raise DataError(f"None of the {len(table)} inputs of {table.source} could be read.", "Open one to check.")
    rows = np.concatenate(readable)
    return EmbeddedRows(
        table=table.take(rows), vectors=np.concatenate(blocks), set_aside=tuple(set_aside), n_computed=n_computed
    )
