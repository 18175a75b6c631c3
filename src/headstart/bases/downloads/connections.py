"""The only module of the house that opens a connection: HTTP requests to the hub, and to a server of forms.

Redirects are followed here, so that a token never reaches another host. Proxies are those of the environment.
"""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from headstart.bases.downloads import settings
from headstart.bases.downloads.settings import DownloadSettings
from headstart.errors import DataError, OptionError

HUB = "https://huggingface.co"
_PORTS = {"http": 80, "https": 443}
_TRUE = {"1", "ON", "YES", "TRUE"}
_REDIRECTS = {301, 302, 303, 307, 308}


class Interrupted(Exception):
    """A request that failed in a way that may pass: the reason, and how many seconds the server asks to wait."""

    def __init__(self, reason: str, wait_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.wait_seconds = reason, wait_seconds


@dataclass(frozen=True)
class Hub:
    """A server laid out as the hub, or another one that takes a token.

    Parameters
    ----------
    endpoint : str
        Its address without a slash at the end.
    token : str
        Sent to this host only; "" for none.
    settings : DownloadSettings
    scheme : str
        The word before the token in the header Authorization.
    """

    endpoint: str
    token: str = field(default="", repr=False)
    settings: DownloadSettings = field(default_factory=lambda: settings.SETTINGS)
    scheme: str = "Bearer"

    @property
    def host(self) -> str:
        """Name of the host, for messages."""
        return urlsplit(self.endpoint).netloc


@dataclass(frozen=True)
class Response:
    """The answer to a request, still to be read."""

    status: int
    headers: Mapping[str, str]
    url: str
    raw: Any = field(repr=False)

    def read(self, n_bytes: int) -> bytes:
        """Return the bytes that have come, at most `n_bytes`; none at the end.

        Raises
        ------
        Interrupted
        """
        with _interruptions(self.url):
            return bytes(self.raw.read1(n_bytes))


def open_hub(mirror: str = "") -> Hub:
    """Return the hub that files are fetched from.

    Parameters
    ----------
    mirror : str
        Address of a mirror; else the environment variable HF_ENDPOINT, else the hub itself. The token (HF_TOKEN, or
        the file that `hf auth login` writes) goes to the latter two only.

    Raises
    ------
    OptionError
        If the address is none.
    """
    endpoint = (mirror or os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    if not is_address(endpoint):
        name = "--mirror" if mirror else "HF_ENDPOINT"
        address = endpoint.rpartition("@")[2][:100]  # Without a password.
        raise OptionError(f"{name} is not the address of a server: {address}.", f"Give one such as {HUB}.")
    return Hub(endpoint, "" if mirror else read_token())


def is_address(url: str) -> bool:
    """Return whether a text is the address of a server, of signs that a request may hold and without a password.

    Parameters
    ----------
    url : str
    """
    try:
        parts = urlsplit(url)
        has_host = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:  # Of brackets without an end, or of a port that is no number.
        return False
    return has_host and url.isascii() and url.isprintable() and " " not in url


def is_switched_off() -> bool:
    """Return whether the user forbids downloads with HF_HUB_OFFLINE, as huggingface_hub reads it."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE


def read_token() -> str:
    """Return the user's token for the hub, from where `huggingface_hub` has it; "" for none."""
    named = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or ""
    if not named and os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").upper() not in _TRUE:
        path = Path(os.environ.get("HF_TOKEN_PATH") or find_hub_home() / "token").expanduser()
        try:
            named = path.read_text("utf-8")
        except (OSError, ValueError):
            return ""
    token = "".join(named.split())
    return token if token.isascii() and token.isprintable() else ""


def find_hub_home() -> Path:
    """Return the folder of `huggingface_hub` (HF_HOME)."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or Path(cache, "huggingface")).expanduser()


@contextmanager
def send_request(
    hub: Hub, url: str, headers: Mapping[str, str], *, method: str = "GET", body: bytes | None = None
) -> Iterator[Response]:
    """Send a request and yield the answer, whatever its status.

    Parameters
    ----------
    hub : Hub
    url : str
    headers : mapping of str to str
    method : str
    body : bytes or None
        A request with a body is not sent to where a server redirects.

    Raises
    ------
    Interrupted
        The connection failed.
    DataError
        The server cannot be trusted, or redirects without end.
    """
    opener, target = _make_opener(), url
    for _ in range(hub.settings.most_redirects + 1):
        request = urllib.request.Request(target, body, headers=_complete_headers(hub, target, headers), method=method)
        with _interruptions(target):
            raw = opener.open(request, timeout=hub.settings.stall_seconds)
        with raw:
            location = raw.headers.get("Location") if raw.status in _REDIRECTS and body is None else None
            if location is None:
                yield Response(raw.status, raw.headers, target, raw)
                return
        target = _follow(target, location)
    raise DataError(f"{hub.host} redirects without end.", "Try another server with --mirror.")


def _follow(url: str, location: str) -> str:
    with suppress(ValueError):
        target = urljoin(url, location)
        if is_address(target) and (url.startswith("http:") or target.startswith("https:")):
            return target
    problem = f"{urlsplit(url).netloc} redirects to an address that is not safe ({location[:100]!a})."
    raise DataError(problem, "Try another server with --mirror.")


def _complete_headers(hub: Hub, url: str, headers: Mapping[str, str]) -> dict[str, str]:
    complete = {"User-Agent": "headstart", "Accept-Encoding": "identity", **headers}
    if hub.token and _find_origin(url) == _find_origin(hub.endpoint):
        complete["Authorization"] = f"{hub.scheme} {hub.token}"
    return complete


def _find_origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _make_opener() -> urllib.request.OpenerDirector:
    """Return an opener that neither follows redirects nor raises for a status."""
    context = ssl.create_default_context()
    if not os.environ.get("SSL_CERT_FILE") and find_spec("certifi"):
        context.load_verify_locations(import_module("certifi").where())
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=context),
    ):
        opener.add_handler(handler)
    return opener


@contextmanager
def _interruptions(url: str) -> Iterator[None]:
    """Turn what a connection raises into `Interrupted`; a certificate that is not trusted will not pass by waiting."""
    host = urlsplit(url).netloc
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        cause = getattr(error, "reason", error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise DataError(
                f"The certificate of {host} is not trusted ({cause.verify_message}).",
                "Check this machine's clock. Behind a proxy that opens connections, set SSL_CERT_FILE to its "
                "certificates.",
            ) from error
        raise Interrupted(_describe_failure(cause, host)) from error


def _describe_failure(cause: object, host: str) -> str:
    if isinstance(cause, TimeoutError):
        return f"{host} sends nothing"
    if isinstance(cause, OSError) and cause.strerror:
        return f"no connection to {host}: {cause.strerror}"
    return f"the connection to {host} was cut"
