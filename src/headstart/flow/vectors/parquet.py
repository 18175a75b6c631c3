"""The vectors of an index as a Parquet table, for other programs."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as arrow
from pyarrow import parquet

from headstart.home import write_whole
from headstart.index import VectorIndex
from headstart.index.files import PARQUET


def write_parquet(folder: Path, index: VectorIndex) -> Path:
    """Write ids and vectors as a table; its schema says under "headstart" what they were made with.

    Parameters
    ----------
    folder : Path
        Gets the file vectors.parquet.
    index : VectorIndex
    """
    values = arrow.array(index.vectors.astype("float32").reshape(-1))
    vectors = arrow.FixedSizeListArray.from_arrays(values, index.about.n_dims)
    about = {"headstart": json.dumps(index.about.to_document(), ensure_ascii=False)}
    table = arrow.table({"id": list(index.ids), "vector": vectors}).replace_schema_metadata(about)
    path = folder / PARQUET
    with write_whole(path) as partial:
        parquet.write_table(table, partial)
    return path
