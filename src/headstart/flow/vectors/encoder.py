"""What turns queries into vectors: the base of an index, opened once a process and kept without its weights.

Queries do not enter the feature cache: each would be a file of its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from headstart import features
from headstart.errors import DataError
from headstart.features import Extractor
from headstart.flow.vectors.opened_before import NetworkLost, RememberedBase, recall_base, remember_base
from headstart.flow.vectors.search_base import DEFAULT_BASES, open_search_base
from headstart.ranking.typicality import scale_to_unit_length
from headstart.records import FloatMatrix, Table


@dataclass(frozen=True, kw_only=True)
class QueryEncoder:
    """A base that is ready for queries.

    Parameters
    ----------
    base_name, fingerprint, prefix : str
        Of the base, and what it puts before a query.
    extractor : Extractor
        Its `open` gives the network that is open already.
    lock : Lock
        A network answers one thread at a time.
    """

    base_name: str
    fingerprint: str
    prefix: str
    extractor: Extractor
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def encode(self, table: Table) -> FloatMatrix:
        """Return the vectors of queries (n_queries, n_dims), of unit length.

        Parameters
        ----------
        table : Table

        Raises
        ------
        DataError
            One of them cannot be read.
        """
        blocks: list[FloatMatrix] = []
        with self.lock:
            for _, batches, failed in features.run_chunks(
                table, [self.extractor], np.arange(len(table), dtype=np.intp)
            ):
                if failed:
                    row, reason = next(iter(failed.items()))
                    raise DataError(f"The query {str(table.ids[row])[:80]} cannot be read: {reason}.", "Leave it out.")
                blocks.append(batches[0][1][-1])
        return scale_to_unit_length(np.concatenate(blocks))


_OPEN: dict[str, QueryEncoder] = {}
_LOCK = threading.Lock()


def open_encoder(
    reference: str,
    table: Table,
    precision: str,
    is_offline: bool,
    *,
    input_spec: Mapping[str, Any] | None = None,
) -> QueryEncoder:
    """Return the encoder of a base; the one that was opened last stays open.

    Parameters
    ----------
    reference : str
        As `--base` takes it.
    table : Table
        The queries: a runtime is chosen on them where none is remembered.
    precision : str
        "auto" or "float32".
    is_offline : bool
    input_spec : mapping, optional
        What the rows of the index wanted of the base; by default it is derived from `table`.

    Raises
    ------
    HeadstartError
        The base is not here, or no query can be read.
    """
    key = json.dumps([reference, table.modality, precision, dict(input_spec or {})], sort_keys=True)
    with _LOCK:
        if key not in _OPEN:
            encoder = _open(reference, table, precision, is_offline, input_spec=input_spec)
            _OPEN.clear()
            _OPEN[key] = encoder
        return _OPEN[key]


def _open(
    reference: str, table: Table, precision: str, is_offline: bool, *, input_spec: Mapping[str, Any] | None
) -> QueryEncoder:
    name = DEFAULT_BASES[table.modality] if reference == "default" else reference
    if input_spec is not None and (remembered := recall_base(name, precision, input_spec)) is not None:
        with suppress(NetworkLost):
            return _make_encoder(remembered)
    base = open_search_base(name, table, is_offline, input_spec)
    runtime = features.choose_runtime(table, base.backbone, precision)
    if runtime is None:
        raise DataError("None of the queries can be read.", "Check them.")
    opened = RememberedBase(base.backbone, runtime)
    encoder = _make_encoder(opened)
    remember_base(name, precision, base.input_spec, opened)
    return encoder


def _make_encoder(opened: RememberedBase) -> QueryEncoder:
    """Open the network; its weights are not kept beside it."""
    extractor = features.make_backbone_extractor(opened.backbone, opened.runtime)
    run = extractor.open()
    record = opened.backbone.record
    return QueryEncoder(
        base_name=record.name,
        fingerprint=opened.backbone.fingerprint,
        prefix=record.prefix,
        extractor=replace(extractor, open=lambda: run),
    )
