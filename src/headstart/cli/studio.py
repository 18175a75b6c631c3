"""`headstart studio`: the page for people without a terminal."""

from __future__ import annotations

from typing import Any

from headstart.cli.surface import command
from headstart.options import StudioOptions


@command(StudioOptions)
def studio(options: StudioOptions) -> Any:
    """Open Studio: a page on this machine on which examples become a model that is checked and in use."""
    from headstart.studio import run_studio

    return run_studio(options)
