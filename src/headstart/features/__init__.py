"""Run the frozen part once: the feature cache, the runtimes, and the one pass over the rows.

This room turns a `Table` into `Features`. It knows no labels, splits or strategies.
"""

from headstart.features.extraction import Extraction, choose_runtime, extract, run_chunks
from headstart.features.extractors import DESCRIPTORS, Extractor, backbone_extractor

__all__ = ["DESCRIPTORS", "Extraction", "Extractor", "backbone_extractor", "choose_runtime", "extract", "run_chunks"]
