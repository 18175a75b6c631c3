"""Free the torch network of a large base where another runtime is in use: two copies would fill a small machine."""

from __future__ import annotations

import ctypes
import gc
import sys

from headstart.bases import Backbone
from headstart.features.settings import SETTINGS
from headstart.modalities.text import open_tokenizer


def free_large_network(backbone: Backbone) -> None:
    """Free the torch network of a base with many weights, and what else was freed; it is built again where needed.

    Parameters
    ----------
    backbone : Backbone
    """
    if _is_large(backbone):
        backbone.release()
        gc.collect()  # Converting leaves cycles that hold the network.
        _return_freed_memory()


def free_large_base(backbone: Backbone) -> None:
    """Free the network of a large base and its tokenizer: that of 250,000 pieces takes 280 MB. Both are read again.

    Parameters
    ----------
    backbone : Backbone
    """
    if _is_large(backbone):
        open_tokenizer.cache_clear()
        free_large_network(backbone)


def _is_large(backbone: Backbone) -> bool:
    return sum(value.nbytes for value in backbone.parts.weights.values()) >= SETTINGS.released_bytes


def _return_freed_memory() -> None:
    """Return freed memory to the system where the C library keeps it (glibc): 200 MB after a large tokenizer."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
