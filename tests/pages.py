"""What tests of exported pages share: the packages that pages run with, and a host that serves files."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from headstart.flow.exports.web_runtime import ENGINE, TOKENIZERS, VARIABLE, find_package

REAL_HOME = Path(user_cache_dir("headstart", appauthor=False)) / "web"


def find_real_package(name: str) -> Path | None:
    """Find a package where the developer, or an export before, has put it."""
    package = {one.name: one for one in (ENGINE, TOKENIZERS)}[name]
    if os.environ.get(VARIABLE):
        return find_package(package, Path(os.environ[VARIABLE]), True)
    folder = REAL_HOME / package.folder
    return folder if all((folder / file).is_file() for file in package.files) else None


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: Any) -> None:
        return None


@contextmanager
def host_folder(folder: Path) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """Serve files as any file host does, and nothing more."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
