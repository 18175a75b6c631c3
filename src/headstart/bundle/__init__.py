"""Room: an adapted model in a folder - safetensors and JSON, every file hashed, nothing that is ever unpickled.

This room knows what a model is made of. It reads no data and evaluates nothing.
"""

from headstart.bundle.integrity import CONFIG, MANIFEST, verify
from headstart.bundle.loading import find, load, read_decisions
from headstart.bundle.record import NOT_SHIPPED, RUNTIMES, Bundle, Shipped
from headstart.bundle.saving import FORMAT, PACKAGES, require_free, save, versions

__all__ = [
    "CONFIG", "FORMAT", "MANIFEST", "NOT_SHIPPED", "PACKAGES", "RUNTIMES", "Bundle", "Shipped", "find", "load",
    "read_decisions", "require_free", "save", "verify", "versions",
]  # fmt: skip
