"""A page that a phone in the same network opens: the address of this machine, a token of its own, and a QR code."""

from __future__ import annotations

import os
import secrets

from headstart.http.access import TOKEN_VARIABLE, is_loopback_host, read_token
from headstart.http.network_address import find_network_address
from headstart.options import ServeOptions

_TOKEN_BYTES = 16


def choose_access(options: ServeOptions) -> tuple[str, str | None]:
    """Return the address to listen at and the token of requests; with --phone both are made where none was given.

    Parameters
    ----------
    options : ServeOptions

    Raises
    ------
    OptionError
        The address can be reached by others and there is no token, or there is no network for a phone.
    """
    if not options.phone:
        return options.host, read_token(options.host, options.token_file)
    host = find_network_address() if is_loopback_host(options.host) else options.host
    if options.token_file is None and not os.environ.get(TOKEN_VARIABLE, "").strip():
        return host, secrets.token_urlsafe(_TOKEN_BYTES)
    return host, read_token(host, options.token_file)
