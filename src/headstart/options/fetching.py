"""Options of getting base models: from the hub, onto a stick, and from one."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from headstart.options.record import Options


class FetchBaseOptions(Options):
    """Where a base model is fetched from, and where to."""

    to: Path | None = Field(
        None,
        description="Folder to write the base into, such as a USB stick, instead of keeping it here; `headstart bases "
        "add` takes it from there.",
    )
    mirror: str = Field(
        "", description="Address of a server laid out as the hub (default: the hub, or what HF_ENDPOINT names)."
    )
    update: bool = Field(
        False, description="Take what the hub has now, also where it differs from what was pinned at the first fetch."
    )


class AddBaseOptions(Options):
    """How to take base models from a folder."""

    update: bool = Field(
        False, description="Take what the folder holds, also where it differs from what was pinned at the first fetch."
    )
