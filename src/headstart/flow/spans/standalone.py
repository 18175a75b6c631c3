"""The `predict.py` of an exported model of spans: the functions of `headstart.spans` themselves, written into one file.

It needs numpy, and onnxruntime and tokenizers where the model uses a base; nothing of Headstart.
"""

from __future__ import annotations

import inspect
from types import ModuleType

from headstart import csv_files
from headstart.flow.spans import standalone_main
from headstart.modalities import text as text_modality
from headstart.spans import crf, model, records, tags, token_states, word_features, words
from headstart.spans.settings import SETTINGS

_SETTINGS = (
    "n_buckets", "affix_characters", "context_words", "most_word_characters", "least_probability", "batch_tokens",
)  # fmt: skip
_CONSTANTS: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (words, ("_JOINERS", "_UNSPACED", "LETTER", "MARK", "SIGN", "SPACE", "ALONE")),
    (tags, ("OUTSIDE", "_FIRST", "_LAST")),
    (word_features, ("_EDGE",)),
)
_PATTERNS = ((tags, "_PREFIXED"), (text_modality, "_CONTROL"), (csv_files, "FORMULA"))
_PIECES: tuple[tuple[ModuleType, tuple[str, ...]], ...] = (
    (records, ("Span",)),
    (words, ("_classify", "find_words")),
    (tags, ("ReadTags", "read_tags")),
    (word_features, ("describe_shape", "_list_own_features", "_list_names", "list_buckets")),
    (text_modality, ("load_text",)),
    (token_states, ("Window", "cut_windows", "_list_ranges", "_share_words")),
    (crf, ("_Packing", "_Sums", "_sum_paths", "DecodedWords", "decode_words")),
    (model, ("Certainty",)),
    (csv_files, ("guard_cell", "is_finite_number", "write_csv_rows")),
    (standalone_main, ("read_texts", "open_model", "compute_states", "score_text", "answer_text", "main")),
)
_HEAD = '''"""Find the spans in texts: python predict.py FILE ... [-o spans.csv]

FILE: .txt (one text a line), .jsonl (one object with "text" a line) or .csv (a column "text"). Offsets count code
points of the text. Written by Headstart; needs numpy{needs}, and nothing of Headstart.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import sys
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import numpy as np

HERE = Path(__file__).parent
Array = Index = Floats = Spec = Crf = Tokenizer = Any
'''
NEEDS = ("onnxruntime", "tokenizers")


def build_span_script(uses_base: bool) -> str:
    """Return the source of predict.py.

    Parameters
    ----------
    uses_base : bool
        Whether the model has a graph of a base.
    """
    needs = f", {' and '.join(NEEDS)}" if uses_base else ""
    numbers = ", ".join(f"{name}={getattr(SETTINGS, name)!r}" for name in _SETTINGS)
    constants = [f"{name} = {getattr(module, name)!r}" for module, names in _CONSTANTS for name in names]
    patterns = [
        f"{name} = re.compile({getattr(module, name).pattern!r}, {int(getattr(module, name).flags)})"
        for module, name in _PATTERNS
    ]
    parts = [
        _HEAD.replace("{needs}", needs) + f"SETTINGS = SimpleNamespace({numbers})",
        "\n".join([*constants, *patterns]),
    ]
    pieces = [getattr(module, name) for module, names in _PIECES for name in names]
    parts += [inspect.getsource(inspect.unwrap(piece)).rstrip() for piece in pieces]
    return "\n\n\n".join(parts) + '\n\n\nif __name__ == "__main__":\n    main()\n'
