"""Room: how images, texts and series become arrays; each modality is one record of functions.

`MODALITIES` is the only list of modalities. Names cost nothing: the records are imported when the first one is used.
Knows nothing of tables, labels or base models.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headstart.modalities.record import Modality


class ModalityTable(MutableMapping[str, "Modality"]):
    """Modalities by name, in the order of the options.

    Parameters
    ----------
    names : str
        Those whose records are in `headstart.modalities.built_in`, in capitals.
    """

    def __init__(self, *names: str) -> None:
        self._records: dict[str, Modality | None] = dict.fromkeys(names)

    def __contains__(self, name: object) -> bool:
        return name in self._records

    def __getitem__(self, name: str) -> Modality:
        record = self._records[name]
        if record is None:
            record = getattr(import_module("headstart.modalities.built_in"), name.upper())
            self._records[name] = record
        return record

    def __setitem__(self, name: str, record: Modality) -> None:
        self._records[name] = record

    def __delitem__(self, name: str) -> None:
        del self._records[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


MODALITIES = ModalityTable("image", "text", "series")
