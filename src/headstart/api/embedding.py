"""Embeddings for Python users: what the frozen base gives for rows in memory, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from headstart import data
from headstart.bundle import Bundle
from headstart.errors import OptionError
from headstart.extras import require
from headstart.modalities.record import Array

if TYPE_CHECKING:
    from headstart.bases import Backbone


def embed_inputs(bundle: Bundle, backbone: Backbone | None, inputs: Any) -> Array:
    """Return the embeddings of inputs (n_rows, n_dims), float32; NaN where a row cannot be read.

    Parameters
    ----------
    bundle : Bundle
        How inputs are read.
    backbone : Backbone or None
        The base.
    inputs : sequence, array, Series or DataFrame

    Raises
    ------
    OptionError
        There is no base.
    """
    if backbone is None:
        raise OptionError(
            "This model holds no base, so it gives no embeddings.", "Adapt it with --strategy linear-probe."
        )
    require("adapt", "Embedding inputs")
    from headstart.features import extract_features

    with data.remove_saved_images():
        ordered = data.make_ordered_inputs(inputs, bundle.modality, bundle.columns, bundle.known_input_columns)
        extraction = extract_features(ordered.table, backbone, uses=frozenset({"features"}))
    assert extraction.features is not None
    values = extraction.features.final
    place_of = {name: place for place, (name, _) in enumerate(ordered.order)}
    embeddings = np.full((len(ordered.order), values.shape[1]), np.nan, dtype=np.float32)
    embeddings[[place_of[str(name)] for name in extraction.features.ids]] = values
    return embeddings
