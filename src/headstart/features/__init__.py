"""Run the frozen part once: the feature cache, the runtimes, and the one pass over the rows.

This room turns a `Table` into `Features`. It knows no labels, splits or strategies.
"""

from headstart.features.chunks import run_chunks
from headstart.features.extraction import Extraction, choose_runtime, extract_features
from headstart.features.extractors import DESCRIPTOR_EXTRACTORS, Extractor, make_backbone_extractor

__all__ = [
    "DESCRIPTOR_EXTRACTORS",
    "Extraction",
    "Extractor",
    "choose_runtime",
    "extract_features",
    "make_backbone_extractor",
    "run_chunks",
]
