"""An index as it is opened: its rows, their vectors, and what they were made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Halves = NDArray[np.float16]
"""(n_rows, n_dims), rows of unit length."""


@dataclass(frozen=True, kw_only=True)
class IndexFacts:
    """What the vectors of an index were made with, as index.json says it.

    Parameters
    ----------
    modality : str
        One of `MODALITIES`.
    base : str
        Reference of the base model, as `--base` takes it.
    base_name, fingerprint : str
        Name of the base and the hash of everything that its features depend on.
    prefix, query_prefix : str
        What stood before each text, and what stands before a query; "" where the base wants none.
    input_spec : mapping
        What the rows wanted of the base: channels of series, value ranges of images. JSON.
    n_rows, n_dims : int
    source : str
        Where the rows came from.
    made_with : str
        Version of Headstart.
    columns : tuple of str
        Columns of the data that rows can be filtered by.
    is_hybrid : bool
        Whether the words of the texts are searched as well.
    graph : str
        SHA-256 of the graph for approximate search; "" without one.
    """

    modality: str
    base: str
    base_name: str
    fingerprint: str
    prefix: str = ""
    query_prefix: str = ""
    input_spec: Mapping[str, Any] = field(default_factory=dict)
    n_rows: int = 0
    n_dims: int = 0
    source: str = ""
    made_with: str = ""
    columns: tuple[str, ...] = ()
    is_hybrid: bool = False
    graph: str = ""

    def to_document(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**vars(self), "columns": list(self.columns), "input_spec": dict(self.input_spec)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> IndexFacts:
        """Return the record that the JSON form describes; what it does not know is passed over.

        Parameters
        ----------
        document : mapping
            Of index.json.

        Raises
        ------
        KeyError, TypeError
            It is none.
        """
        values = {item.name: document[item.name] for item in fields(cls) if item.name in document}
        for item in fields(cls):
            kind = {"str": str, "int": int, "bool": bool, "tuple[str, ...]": list}.get(str(item.type), dict)
            if item.name in values and type(values[item.name]) is not kind:
                raise TypeError(f"{item.name} is {type(values[item.name]).__name__}")
        return cls(**{**values, "columns": tuple(map(str, values.get("columns", ())))})


@dataclass(frozen=True, kw_only=True)
class VectorIndex:
    """An opened index.

    Parameters
    ----------
    ids : sequence of str, length n_rows
        Unique names of the rows; for a project the ids of its examples, as texts.
    vectors : Halves, shape (n_rows, n_dims)
        A memory map where the index is large.
    about : IndexFacts
    graph : Path or None
        File of the graph for approximate search (see `headstart.index.graph`).
    read_rows : function giving a mapping
        Reads `rows.json` when columns or texts are first needed.
    read_words : function giving arrays
        Reads the arrays of `headstart.index.words` of a hybrid index.
    """

    ids: Sequence[str]
    vectors: Halves
    about: IndexFacts
    graph: Path | None = None
    read_rows: Callable[[], Mapping[str, Any]] = field(default=dict, repr=False)
    read_words: Callable[[], Mapping[str, Array]] = field(default=dict, repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _rows(self) -> Mapping[str, Any]:
        return self.read_rows()

    @property
    def columns(self) -> Mapping[str, Sequence[str]]:
        """The cells of each column that rows can be filtered by."""
        columns: Mapping[str, Sequence[str]] = self._rows.get("columns", {})
        return columns

    @property
    def texts(self) -> Sequence[str]:
        """The beginning of each text; empty where the rows are no texts."""
        texts: Sequence[str] = self._rows.get("texts", ())
        return texts

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {name: place for place, name in enumerate(self.ids)}

    def find_row(self, name: str) -> int | None:
        """Return the number of the row with an id; None where there is none.

        Parameters
        ----------
        name : str
        """
        return self._places.get(name)


@dataclass(frozen=True)
class Hit:
    """One row that a query finds: its number and its score, the cosine (-1 to 1; high is alike)."""

    row: int
    score: float
