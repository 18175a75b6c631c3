"""A tally of what is wrong with marked spans, while a source is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from headstart.results.spans import SPAN_NOTICES
from headstart.spans.records import SpanNotice


@dataclass
class Tally:
    """Counts of notices, each with the place of the first."""

    counts: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def add(self, code: str, n: int, place: str) -> None:
        """Count a notice.

        Parameters
        ----------
        code : str
        n : int
            How often; 0 counts nothing.
        place : str
        """
        assert code in SPAN_NOTICES, code
        if n:
            self.counts[code] = self.counts.get(code, 0) + n
            self.places.setdefault(code, place)

    def list_notices(self) -> tuple[SpanNotice, ...]:
        """Return what was counted."""
        return tuple(SpanNotice(code=code, n=n, first=self.places[code]) for code, n in self.counts.items())
