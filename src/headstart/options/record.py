"""What every options record has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """What all option records share: frozen, and no unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
