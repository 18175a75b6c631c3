"""The file beside a language's base with the words of its raw text and their co-occurrence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.array_files import encode_arrays
from headstart.bases.folder import COOCCURRENCE_FILE
from headstart.home import write_whole
from headstart.language.reading import RawText
from headstart.language.settings import SETTINGS
from headstart.strategies.text import cooccurrence

MOST_NGRAMS = {"characters": SETTINGS.character_ngrams, "words": SETTINGS.word_ngrams}


@dataclass(frozen=True)
class WordFile:
    """The content of the file, and what `language.json` says of it."""

    content: bytes
    description: Mapping[str, Any]

    def write(self, folder: Path) -> None:
        """Write it into the folder of a base."""
        with write_whole(folder / COOCCURRENCE_FILE) as partial:
            partial.write_bytes(self.content)


def count_words(raw: RawText, seconds: float, seed: int) -> WordFile:
    """Count the words of raw text.

    Parameters
    ----------
    raw : RawText
    seconds : float
        Time that was asked for; longer text is sampled.
    seed : int
    """
    cooccurrence_counts = cooccurrence.learn_cooccurrence(
        raw.documents, seed, cooccurrence.count_affordable_characters(SETTINGS.count_share * seconds), MOST_NGRAMS
    )
    content = encode_arrays(cooccurrence_counts.arrays())
    about = {
        "file": COOCCURRENCE_FILE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "n_texts": cooccurrence_counts.n_texts,
        "n_pieces": sum(map(len, cooccurrence_counts.ngrams.values())),
        "n_dims": cooccurrence_counts.n_dims,
    }
    return WordFile(content, about)
