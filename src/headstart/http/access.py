"""Access policy: this machine alone, or whoever has the token. Nothing here is ever written to a log."""

from __future__ import annotations

import hmac
import ipaddress
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from headstart.errors import OptionError

TOKEN_VARIABLE = "HEADSTART_TOKEN"
MIN_TOKEN_CHARACTERS = 16
_MAKE_ONE = 'Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"'


@dataclass(frozen=True, kw_only=True)
class AccessPolicy:
    """Who may ask, how much, and for how long.

    Parameters
    ----------
    token : str or None
        What requests must carry; None: only this machine may ask, and needs none.
    max_bytes : int
        Of the body of a request.
    timeout_seconds : float
        Until the answer begins, from the last byte of the request.
    open_paths, open_prefix : frozenset of str, str
        Paths that need no token: health, the list of routes, and the page, which asks for the token itself.
    health_paths : frozenset of str
        Paths that are answered even while the server stops.
    host_names : frozenset of str
        By which the server may be addressed, beside the names of this machine for itself; empty: by any, where there
        is a token.
    cookie : str
        Name of the cookie that may carry the token instead of the header Authorization; empty: none may.
    entry_path : str
        The page to which a browser without the token is sent; empty: it is refused like everybody else.
    write_header : str
        Header that every request which may change something must have. A page of another site cannot send it without
        asking first, and nobody answers that question. Empty: none is needed.
    max_json_bytes : int
        Of a body that is held in memory, whatever it calls itself; 0: `max_bytes`.
    upload_endings : tuple of str
        Endings of the paths whose bodies go to the disk as they come: `max_bytes` holds for these.
    """

    token: str | None
    max_bytes: int
    timeout_seconds: float
    open_paths: frozenset[str]
    open_prefix: str
    health_paths: frozenset[str]
    host_names: frozenset[str] = frozenset()
    cookie: str = ""
    entry_path: str = ""
    write_header: str = ""
    max_json_bytes: int = 0
    upload_endings: tuple[str, ...] = ()

    def is_open(self, path: str) -> bool:
        """Return whether a path needs no token."""
        return self.token is None or path in self.open_paths or path.startswith(self.open_prefix)

    def allows_host(self, name: str) -> bool:
        """Return whether the server may be addressed by a name: otherwise any site could point its own name here."""
        if is_loopback_host(name) or name in self.host_names:
            return True
        return self.token is not None and not self.host_names


@lru_cache(maxsize=256)
def is_loopback_host(host: str) -> bool:
    """Return whether an address can be reached from this machine only.

    Parameters
    ----------
    host : str
        Name or IP address.

    Examples
    --------
    >>> [is_loopback_host(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_token(host: str, file: Path | None) -> str | None:
    """Return the token that requests must carry; None if only this machine can ask and none was set.

    Parameters
    ----------
    host : str
        Address to listen at.
    file : Path or None
        None: the environment variable HEADSTART_TOKEN.

    Raises
    ------
    OptionError
        The address can be reached by others and there is no token, or the token is short or cannot be read.
    """
    token = _read_token_file(file) if file is not None else os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        if file is None and is_loopback_host(host):
            return None
        raise OptionError(
            f"{host} may be reached from other machines, and there is no token." if file is None
            else f"{file} holds no token.",
            f"Put one into the environment variable {TOKEN_VARIABLE} or a file (--token-file). {_MAKE_ONE} "
            "For phones in the same Wi-Fi --phone does this by itself.",
        )  # fmt: skip
    if len(token) < MIN_TOKEN_CHARACTERS or not token.isascii() or not token.isprintable() or " " in token:
        raise OptionError(
            f"The token needs at least {MIN_TOKEN_CHARACTERS} plain characters (letters, digits, signs; no spaces).",
            _MAKE_ONE,
        )
    return token


def _read_token_file(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"The token file {file} cannot be read.", "Check the path and its permissions.") from error


def has_bearer_token(header: str, token: str) -> bool:
    """Return whether an Authorization header carries the token, in a time that does not depend on how much is right.

    Examples
    --------
    >>> token = "secret-of-sixteen"
    >>> has_bearer_token(f"Bearer {token}", token), has_bearer_token(token, token)
    (True, False)
    """
    scheme, _, credentials = header.partition(" ")
    return is_same_token(credentials.strip(), token) and scheme.lower() == "bearer"


def is_same_token(sent: str, token: str) -> bool:
    """Return whether two tokens are the same, in a time that does not depend on how much of them is."""
    return hmac.compare_digest(sent.encode("utf-8", "replace"), token.encode())


def parse_host(header: str) -> str:
    """Return the name in a Host or Origin header, without scheme and port.

    Examples
    --------
    >>> parse_host("http://localhost:8000"), parse_host("[::1]:8000"), parse_host("a.example")
    ('localhost', '::1', 'a.example')
    """
    plain = header.rpartition("://")[2].split("/")[0]
    return plain[1:].partition("]")[0] if plain.startswith("[") else plain.partition(":")[0]
