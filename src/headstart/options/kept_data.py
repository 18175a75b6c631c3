"""Options of what Headstart keeps of the user's data."""

from __future__ import annotations

from pydantic import Field

from headstart.options.record import Options


class CacheOptions(Options):
    """What to do with the feature cache."""

    prune: bool = Field(False, description="Remove what was not used recently.")
    older_than: float = Field(30.0, ge=0.0, description="Days without use after which --prune removes (0: everything).")
