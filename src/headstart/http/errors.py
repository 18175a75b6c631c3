"""Why a request is not answered: a status, and the two strings that the command line prints as well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from headstart.errors import HeadstartError

FAULT = "This is a fault in Headstart."
FAULT_HINT = "Please report it, with the request id and what stands in the log of the server."


class RequestRefused(HeadstartError):
    """A request that is not answered.

    Parameters
    ----------
    status : int
        Of HTTP: 401, 403, 404, 405, 413, 415, 421, 422 or 503.
    problem, hint : str
    headers : mapping of str to str
        Such as Retry-After.
    """

    def __init__(self, status: int, problem: str, hint: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem, hint)
        self.status = status
        self.headers = dict(headers or {})


def make_busy_error(problem: str, seconds: float = 1.0) -> RequestRefused:
    """Return the refusal of a server that has too much to do.

    Parameters
    ----------
    problem : str
    seconds : float
        After which to try again.

    Examples
    --------
    >>> make_busy_error("512 rows are waiting.", 2.4).headers
    {'Retry-After': '3'}
    """
    again = max(1, min(60, -int(-seconds // 1)))
    return RequestRefused(503, problem, f"Try again in {again} s.", {"Retry-After": str(again)})


def make_size_error(problem: str, hint: str) -> RequestRefused:
    """Return the refusal of a request over a limit; the connection is closed, as its rest may never be read.

    Parameters
    ----------
    problem, hint : str
    """
    return RequestRefused(413, problem, hint, {"Connection": "close"})


def build_error_document(problem: str, hint: str, path: str = "") -> dict[str, Any]:
    """Return the JSON form of an error: that of the command line or, below /v2, that of the Open Inference Protocol.

    Parameters
    ----------
    problem, hint : str
    path : str
        Of the request.

    Examples
    --------
    >>> build_error_document("No text.", "Give one.")
    {'format': 1, 'error': {'problem': 'No text.', 'hint': 'Give one.'}}
    >>> build_error_document("No text.", "Give one.", "/v2/models/m/infer")
    {'error': 'No text. Give one.'}
    """
    if path.startswith("/v2"):
        return {"error": f"{problem} {hint}"}
    return {"format": 1, "error": {"problem": problem, "hint": hint}}


def encode_json(document: Any) -> bytes:
    """Return JSON as bytes; half characters (surrogates), which UTF-8 cannot hold, become the replacement sign.

    Parameters
    ----------
    document : JSON value
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode("utf-8")
