"""Studio: the whole way from examples to a model in use, as a page on this machine for people without a terminal.

Surfaces only: every screen calls functions of `headstart.flow` and `headstart.projects`, which have commands too; long
work runs as commands of Headstart in child processes (`studio.jobs`). Nothing is computed here. What a browser sends
as a name or path never becomes a path on the disk.
"""

from __future__ import annotations

from typing import Any

from headstart.extras import require
from headstart.options import StudioOptions


def run_studio(options: StudioOptions) -> dict[str, Any]:
    """Answer the pages of Studio until the process is asked to stop.

    Parameters
    ----------
    options : StudioOptions

    Returns
    -------
    dict
        JSON: the address, the folder of the projects, and how many requests of each status there were.

    Raises
    ------
    HeadstartError
        An option, the folder or the address cannot be used.
    """
    require("studio", "Studio")
    from headstart.studio import server

    return server.run_studio(options)
