"""Adapted models over HTTP: one server for programs, the Open Inference Protocol, and a page for people.

Surfaces only: what is answered comes from `headstart.flow.inference.predict_memory`. Nothing that a client sends
touches the disk, save corrections where the owner of the server asked to keep them.
FastAPI and uvicorn are loaded inside the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart.extras import require
from headstart.options import ServeOptions


def serve(paths: Sequence[Path], options: ServeOptions) -> dict[str, Any]:
    """Answer over HTTP until the process is asked to stop; return the document of `headstart.web.server.serve`.

    Parameters
    ----------
    paths : sequence of Path
        Bundles, or OUT folders of `adapt`.
    options : ServeOptions

    Raises
    ------
    HeadstartError
        An option, a bundle or the address cannot be used.
    """
    require("serve", "Answering over HTTP")
    from headstart.web import server

    return server.serve(paths, options)
