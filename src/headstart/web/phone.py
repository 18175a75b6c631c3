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


def make_phone_address(host: str, port: int, token: str) -> str:
    """Return the address that opens the page with its token; what follows # stays in the browser and in no log.

    Parameters
    ----------
    host : str
        0.0.0.0 and :: stand for every address of this machine: one that a phone can open takes its place.
    port : int
    token : str

    Examples
    --------
    >>> make_phone_address("192.168.1.20", 8000, "a-b_c")
    'http://192.168.1.20:8000/#token=a-b_c'
    """
    name = find_network_address() if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}/#token={token}"
