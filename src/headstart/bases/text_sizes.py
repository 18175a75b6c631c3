"""Whether a tokenizer and the input spec fit the tables of an encoder: else it reads outside of them."""

from __future__ import annotations

from dataclasses import replace

from headstart.bases.architectures import HINT
from headstart.bases.record import BaseParts
from headstart.errors import DataError

_OFFSET = (
    "camembert", "data2vec-text", "ibert", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl",
    "xmod",
)  # fmt: skip
"""Types that number positions from the padding's number plus one: two places of the table are never used."""
_POSITIONS, _WORDS = "position_embeddings.weight", "word_embeddings.weight"


def count_reserved_positions(model_type: str) -> int:
    """Return how many positions of the table a type never uses."""
    return 2 if model_type in _OFFSET else 0


def fit_text_sizes(parts: BaseParts, place: str) -> BaseParts:
    """Return parts whose texts are cut to the positions that the network has.

    Raises
    ------
    DataError
        If it has too few for any text.
    """
    n_positions = _count_rows(parts, _POSITIONS)
    if n_positions is None:
        return parts
    longest = n_positions - count_reserved_positions(parts.architecture["config"]["model_type"])
    if longest < 2:
        raise DataError(f"{place} has {n_positions:,} positions: too few for a text.", HINT)
    return replace(parts, spec={**parts.spec, "max_length": min(longest, int(parts.spec["max_length"]))})


def check_token_ids(parts: BaseParts, highest_id: int, place: str) -> None:
    """Refuse a tokenizer with pieces that the network has no row for.

    Raises
    ------
    DataError
    """
    n_words = _count_rows(parts, _WORDS) or parts.architecture["config"].get("vocab_size")
    if n_words is not None and max(highest_id, int(parts.spec["pad_id"])) >= n_words:
        raise DataError(f"{place} has token ids up to {highest_id:,}, the network knows {n_words:,} tokens.", HINT)


def _count_rows(parts: BaseParts, ending: str) -> int | None:
    return min(
        (int(value.shape[0]) for name, value in parts.weights.items() if name.endswith(ending) and value.ndim),
        default=None,
    )
