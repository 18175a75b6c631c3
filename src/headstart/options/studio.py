"""Options of `headstart studio`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from headstart.options.record import Options


class StudioOptions(Options):
    """Where Studio keeps projects, and who may open its page."""

    folder: Path | None = Field(
        None,
        description="Folder of the projects (default: that of the settings, at first Headstart in your own folder).",
    )
    port: int = Field(8765, ge=0, le=65_535, description="Port to listen on (0, or where it is in use: any free port).")
    no_browser: bool = Field(False, description="Open no browser; the address is printed.")
    share: bool = Field(
        False, description="Answer other devices in the same network: makes a token and shows the address as a QR code."
    )
    desktop_icon: bool = Field(
        False, description="Put a start file for a double click on the desktop, and do nothing else."
    )
    offline: bool = Field(False, description="Open no network connection; incoming ones are accepted.")
