"""`headstart studio`: the page for people without a terminal."""

from __future__ import annotations

from typing import Any

from headstart.cli.surface import command, news
from headstart.options import StudioOptions


@command(StudioOptions)
def studio(options: StudioOptions) -> Any:
    """Open Studio: a page on this machine on which examples become a model that is checked and in use."""
    from headstart.studio import run_studio
    from headstart.studio.desktop import write_desktop_icon

    if not options.desktop_icon:
        return run_studio(options)
    paths = write_desktop_icon()
    news.print(f"Double click {paths[-1]} to open Studio.", markup=False, soft_wrap=True)
    return {"format": 1, "files": list(map(str, paths))}
