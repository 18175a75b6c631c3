"""Run Studio: listen on this machine (and in its network with --share), open the browser, stop in order."""

from __future__ import annotations

import secrets
import socket
import threading
import webbrowser
from contextlib import ExitStack
from typing import Any

from headstart import progress
from headstart.errors import OptionError
from headstart.http.access import AccessPolicy
from headstart.http.middleware import RequestMiddleware
from headstart.http.network_address import find_network_address, show_phone_address
from headstart.http.running import (
    HeadstartServer,
    bind_socket,
    log_to_stderr,
    make_server_config,
    run_until_stopped,
    start_listening,
)
from headstart.offline import offline
from headstart.options import StudioOptions
from headstart.studio.app import create_app
from headstart.studio.context import WRITE_HEADER, StudioContext
from headstart.studio.entry import ENTRY_PAGE, OPEN_PATHS
from headstart.studio.settings import SETTINGS
from headstart.studio.uploads import UPLOAD_ENDINGS

_LOCAL = "127.0.0.1"
_TOKEN_BYTES = 16


class StudioServer(HeadstartServer):
    """A server that ends the streams of events when it is asked to stop."""

    def __init__(self, context: StudioContext, middleware: RequestMiddleware) -> None:
        super().__init__(make_server_config(middleware, SETTINGS.timeout_seconds), middleware, SETTINGS.timeout_seconds)
        self.context = context

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to stop."""
        self.context.is_stopping = True
        super().handle_exit(sig, frame)


def make_policy(token: str | None, port: int, network_address: str = "") -> AccessPolicy:
    """Return who may ask Studio.

    Parameters
    ----------
    token : str or None
        None: this machine only.
    port : int
        It names the cookie, as browsers give cookies to all ports of a host.
    network_address : str
        Of this machine in its network; empty if it is not shared.
    """
    return AccessPolicy(
        token=token, max_bytes=SETTINGS.max_upload_bytes, timeout_seconds=SETTINGS.timeout_seconds,
        open_paths=OPEN_PATHS, open_prefix="/static/", health_paths=frozenset(),
        host_names=frozenset([network_address] if network_address else []), cookie=f"headstart_{port}",
        entry_path=ENTRY_PAGE, write_header=WRITE_HEADER, max_json_bytes=SETTINGS.max_json_bytes,
        upload_endings=UPLOAD_ENDINGS,
    )  # fmt: skip


def run_studio(options: StudioOptions) -> dict[str, Any]:
    """Answer the pages until a signal comes.

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
        The folder or the address cannot be used.
    """
    network_address = find_network_address() if options.share else ""
    token = secrets.token_urlsafe(_TOKEN_BYTES) if options.share else None
    with ExitStack() as stack:
        stack.enter_context(log_to_stderr(with_requests=False))
        stack.enter_context(offline(options.offline))
        local = stack.enter_context(_bind_any(options))
        port = int(local.getsockname()[1])
        listening = [local]
        if network_address:
            listening.append(stack.enter_context(bind_socket(network_address, port)))
        context = StudioContext(options=options, policy=make_policy(token, port, network_address))
        folder = context.projects_folder
        middleware = create_app(context)
        for bound in listening:
            start_listening(bound)
        code = f"{ENTRY_PAGE.lstrip('/')}#token={token}" if token else ""
        address = f"http://{_LOCAL}:{port}/{code}"
        progress.say(f"Studio is open at {address} (projects: {folder}). Stop with Ctrl+C.")
        if network_address:
            show_phone_address(f"http://{network_address}:{port}/{code}", "see and change the projects")
        if not options.no_browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        run_until_stopped(StudioServer(context, middleware), listening)
    return {
        "format": 1, "address": f"http://{_LOCAL}:{port}/", "folder": str(folder),
        "requests": middleware.metrics.count_statuses(),
    }  # fmt: skip


def _bind_any(options: StudioOptions) -> socket.socket:
    """Bind the port of the options; where nobody asked for it and it is in use, any free one."""
    try:
        return bind_socket(_LOCAL, options.port)
    except OptionError:
        if "port" in options.model_fields_set:
            raise
        return bind_socket(_LOCAL, 0)
