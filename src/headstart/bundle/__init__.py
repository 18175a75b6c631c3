"""Room: an adapted model in a folder - safetensors and JSON, every file hashed, nothing that is ever unpickled.

This room knows what a model is made of. It reads no data and evaluates nothing.
"""

from headstart.bundle.integrity import CONFIG, MANIFEST, verify_files
from headstart.bundle.loading import find_bundle, load_bundle, read_decision_policy
from headstart.bundle.record import NO_PORTABLE_FORM, RUNTIMES, Bundle, PortableFiles
from headstart.bundle.records.config_records import TrainingFacts
from headstart.bundle.saving import FORMAT, PACKAGES, list_versions, require_free_folder, save_bundle

__all__ = [
    "CONFIG",
    "FORMAT",
    "MANIFEST",
    "NO_PORTABLE_FORM",
    "PACKAGES",
    "RUNTIMES",
    "Bundle",
    "PortableFiles",
    "TrainingFacts",
    "find_bundle",
    "list_versions",
    "load_bundle",
    "read_decision_policy",
    "require_free_folder",
    "save_bundle",
    "verify_files",
]  # fmt: skip
