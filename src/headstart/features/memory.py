"""Free the torch network of a large base where another runtime is in use: two copies would fill a small machine."""

from __future__ import annotations

import gc

from headstart.bases import Backbone
from headstart.features.settings import SETTINGS


def free_large_network(backbone: Backbone) -> None:
    """Free the torch network of a base with many weights; it is built again where it is needed.

    Parameters
    ----------
    backbone : Backbone
    """
    if sum(value.nbytes for value in backbone.parts.weights.values()) >= SETTINGS.released_bytes:
        backbone.release()
        gc.collect()  # Converting leaves cycles that hold the network.
