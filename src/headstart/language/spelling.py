"""What a tokenizer loses, in bits: unknown words, accents and capitals that it drops, spaces that it forgets.

A model of tokens alone would look cheap on text that its tokenizer cannot see. So every document is charged for what it
takes to get the text back from the tokens, by how often things occurred in other text.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tokenizers import Encoding, Tokenizer

from headstart.language.settings import SETTINGS

_STOP = ""


@dataclass
class _ContextCounts:
    """Counts of each value in each context; Witten and Bell's estimate, the rest spelled out."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, context: str, value: str) -> None:
        self.counts[context][value] += 1

    def bits(self, context: str, value: str) -> float:
        seen = self.counts.get(context)
        foreign = SETTINGS.unseen_character_bits * max(len(value), 1)
        if not seen:
            return foreign
        total, kinds = seen.total(), len(seen)
        if value in seen:
            return -math.log2(seen[value] / (total + kinds))
        return foreign - math.log2(kinds / (total + kinds))


def split_graphemes(text: str) -> Iterator[str]:
    """Yield letters with their combining marks.

    Examples
    --------
    >>> len(list(split_graphemes("o\u0323\u0300a")))
    2
    """
    start = 0
    for at in range(1, len(text)):
        if not unicodedata.combining(text[at]):
            yield text[start:at]
            start = at
    if start < len(text):
        yield text[start:]


class SpellingModel:
    """Costs of what one tokenizer loses, fitted on text."""

    def __init__(self, tokenizer: Tokenizer, unknown: int) -> None:
        self.tokenizer, self.unknown = tokenizer, unknown
        self.letters, self.written, self.gaps = _ContextCounts(), _ContextCounts(), _ContextCounts()
        self.plain: dict[str, str] = {}

    def _normalise(self, unit: str) -> str:
        if unit not in self.plain:
            normal = self.tokenizer.normalizer
            self.plain[unit] = normal.normalize_str(unit) if normal is not None else unit
        return self.plain[unit]

    def _list_losses(self, text: str, encoding: Encoding) -> Iterator[tuple[str, str, str]]:
        """Yield (kind, context, value) of everything that the tokens alone do not say."""
        end, before, words = 0, "", encoding.word_ids
        for number, ((begin, stop), piece) in enumerate(zip(encoding.offsets, encoding.ids, strict=True)):
            same = number > 0 and words[number] == words[number - 1] and words[number] is not None
            after = text[begin : begin + 1]
            context = f"{same:d}{_character_kind(before)}{_character_kind(after)}"
            yield "gap", context, text[end:begin] if begin > end else ""
            start = max(begin, end)  # tokens of one letter share it
            span = text[start:stop]
            if piece == self.unknown:
                yield from (("letter", "", unit) for unit in (*split_graphemes(span), _STOP))
            else:
                yield from (("written", self._normalise(unit), unit) for unit in split_graphemes(span))
            end, before = max(end, stop), text[stop - 1 : stop]
        yield "gap", f"end{_character_kind(before)}", text[end:]

    def fit(self, texts: Sequence[str], encodings: Sequence[Encoding]) -> SpellingModel:
        """Count documents; letters are counted everywhere, as unknown words may hold any."""
        tables = {"gap": self.gaps, "written": self.written}
        for text, encoding in zip(texts, encodings, strict=True):
            for word in text.split():
                for unit in (*split_graphemes(word), _STOP):
                    self.letters.add("", unit)
            for kind, context, value in self._list_losses(text, encoding):
                if kind in tables:
                    tables[kind].add(context, value)
        return self

    def compute_bits(self, text: str, encoding: Encoding) -> float:
        """Compute the cost in bits of recovering a document from its tokens."""
        tables = {"gap": self.gaps, "written": self.written, "letter": self.letters}
        return sum(tables[kind].bits(context, value) for kind, context, value in self._list_losses(text, encoding))


def _character_kind(letter: str) -> str:
    return "-" if not letter else "a" if letter.isalnum() or unicodedata.combining(letter) else "p"


@dataclass(frozen=True, kw_only=True)
class TokenizerFit:
    """Fit of a tokenizer to text, without any model.

    Parameters
    ----------
    unknown_token_share, unknown_character_share : float
        Share (0-1) of tokens, and of characters that are no spaces, that become the unknown token.
    changed_character_share : float
        Share (0-1) of the other characters whose accents or capitals are dropped or replaced.
    pieces_per_word : float
        Words are what stands between spaces.
    bytes_per_token : float
        UTF-8 bytes of the text per token.
    """

    unknown_token_share: float
    unknown_character_share: float
    changed_character_share: float
    pieces_per_word: float
    bytes_per_token: float


def measure_tokenizer_fit(
    texts: Sequence[str], encodings: Sequence[Encoding], tokenizer: Tokenizer, unknown: int
) -> TokenizerFit:
    """Count how a tokenizer cuts documents."""
    spelling = SpellingModel(tokenizer, unknown)
    n_tokens = unknowns = lost = changed = seen = words = size = 0
    for text, encoding in zip(texts, encodings, strict=True):
        words += len(text.split())
        size += len(text.encode("utf-8", "replace"))
        n_tokens += len(encoding.ids)
        unknowns += sum(piece == unknown for piece in encoding.ids)
        for kind, plain, unit in spelling._list_losses(text, encoding):
            if kind == "letter":
                lost += len(unit)
            elif kind == "written":
                seen += len(unit)
                changed += len(unit) * (plain != unit)
    return TokenizerFit(
        unknown_token_share=unknowns / max(n_tokens, 1),
        unknown_character_share=lost / max(lost + seen, 1),
        changed_character_share=changed / max(seen, 1),
        pieces_per_word=n_tokens / max(words, 1),
        bytes_per_token=size / max(n_tokens, 1),
    )
