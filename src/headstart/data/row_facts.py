"""The facts of rows: computed once for all who ask, those of files kept beside the features under the row's hash."""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from PIL import __version__ as PILLOW_VERSION

from headstart import progress
from headstart.modalities import MODALITIES
from headstart.modalities.record import FileFacts, Fingerprint, RowFacts
from headstart.records import Table
from headstart.row_cache import RowCache

FACTS_VERSION = 2
"""It changes whenever fingerprints or properties do: what another version wrote is not used."""
_VECTORS, _LINES = "vectors", "lines"
_LONG_JOB, _SHARD_ROWS = 2_000, 1_024


class FactsCache(RowCache):
    """The facts of the files of a modality: vectors of fingerprints, and the rest as a line of JSON for each row.

    Those that another version of Pillow measured are not used: it may read files that this one cannot.

    Parameters
    ----------
    modality : str
    """

    def __init__(self, modality: str) -> None:
        key = hashlib.sha256(f"facts|{FACTS_VERSION}|{PILLOW_VERSION}|{modality}".encode()).hexdigest()
        super().__init__(key, {"base": f"facts of {MODALITIES[modality].plural}"})

    def add_facts(self, facts: Sequence[FileFacts]) -> None:
        """Write one shard.

        Parameters
        ----------
        facts : sequence of FileFacts
            Each with a digest.
        """
        if not facts:
            return
        lines = "\n".join(json.dumps([row.properties, row.extremes, row.content]) for row in facts)
        vectors = np.stack([row.fingerprint.vectors for row in facts])
        arrays = {_VECTORS: vectors, _LINES: np.frombuffer(lines.encode(), dtype=np.uint8)}
        self._add_shard([row.digest for row in facts], arrays)

    def find_facts(self, digests: Sequence[str]) -> dict[str, FileFacts]:
        """Return the facts that are known, by digest.

        Parameters
        ----------
        digests : sequence of str
        """
        self.refresh()
        rows_of_shard: dict[Path, list[tuple[str, int]]] = defaultdict(list)
        for digest in dict.fromkeys(digests):
            if bytes.fromhex(digest) in self._places:
                path, row = self._places[bytes.fromhex(digest)]
                rows_of_shard[path].append((digest, row))
        facts: dict[str, FileFacts] = {}
        for path, rows in rows_of_shard.items():
            arrays = self._read_whole(path)
            if arrays is not None:
                lines = bytes(arrays[_LINES]).split(b"\n")
                facts |= {digest: _parse_facts(digest, arrays[_VECTORS][row], lines[row]) for digest, row in rows}
        self.touch()
        return facts


def _parse_facts(digest: str, vectors: Any, line: bytes) -> FileFacts:
    properties, extremes, content = json.loads(line)
    return FileFacts(
        fingerprint=Fingerprint(vectors),
        properties={name: value if isinstance(value, str) else tuple(value) for name, value in properties.items()},
        digest=digest,
        extremes=None if extremes is None else tuple(extremes),
        content=content,
    )


def describe_rows(table: Table) -> list[RowFacts]:
    """Return the facts of each row, in order; files that were described before are not opened again.

    Parameters
    ----------
    table : Table
    """
    modality = MODALITIES[table.modality]
    cache = FactsCache(table.modality) if modality.is_file else None
    hashes = [str(digest) for digest in table.hashes]
    facts: dict[str, RowFacts] = {} if cache is None else {**cache.find_facts(hashes)}
    row_of_hash = {digest: row for row, digest in enumerate(hashes) if digest not in facts}
    missing = list(row_of_hash)
    bar_context = (
        progress.open_bar("Measuring", len(missing), modality.plural) if len(missing) > _LONG_JOB else nullcontext()
    )
    with bar_context as bar, ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        map_rows = pool.map if modality.is_file else map
        for start in range(0, len(missing), _SHARD_ROWS):
            shard = missing[start : start + _SHARD_ROWS]
            inputs = [table.inputs[row_of_hash[digest]] for digest in shard]
            for digest, row_facts in zip(shard, map_rows(modality.describe, inputs), strict=True):
                facts[digest] = row_facts
                if bar is not None:
                    bar.advance(1)
            if cache is not None:  # A file that has changed since it was hashed, or cannot be read now, is not kept.
                rows = [(digest, facts[digest]) for digest in shard]
                cache.add_facts([row for digest, row in rows if isinstance(row, FileFacts) and row.digest == digest])
    return [facts[digest] for digest in hashes]
