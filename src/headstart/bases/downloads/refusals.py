"""What a status of the hub means: wait, start again, or an error with a way out."""

from __future__ import annotations

from urllib.parse import urlsplit

from headstart.bases.downloads.connections import HUB, Hub, Interrupted, Response
from headstart.bases.downloads.retrying import read_wait
from headstart.errors import DataError, UnknownName

_MAY_PASS = {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
_DENIED = {401, 403}


def check_status(response: Response, hub: Hub, repository: str, name: str = "") -> None:
    """Return for an answer with content; raise what any other one means.

    Parameters
    ----------
    response : Response
    hub : Hub
    repository : str
    name : str
        File that was requested; "" for the list of files.

    Raises
    ------
    Interrupted
        It may be different later.
    UnknownName
        There is no such repository.
    DataError
        The base is for people who accepted its terms only, or the server refuses.
    """
    status, code = response.status, response.headers.get("X-Error-Code") or ""
    if status in (200, 206):
        return
    host = urlsplit(response.url).netloc
    if status in _MAY_PASS or (status in _DENIED and host != hub.host):  # Signed addresses elsewhere expire.
        reason = "asks to wait" if status == 429 else f"answers {status}"
        raise Interrupted(f"{host} {reason}", read_wait(response.headers))
    if code == "GatedRepo" or (status in _DENIED and code != "RepoNotFound"):
        raise _make_gated_error(hub, repository)
    if status == 404 and name:
        raise DataError(
            f"{hub.host} has no file {name} of the base model '{repository}' any more.",
            "Try without --mirror, or take what is there now: headstart bases fetch NAME --update.",
        )
    if status in _DENIED or status == 404:
        if code == "RevisionNotFound":
            raise DataError(
                f"{hub.host} no longer has the revision of '{repository}' that is pinned here.",
                "Take what is there now: headstart bases fetch NAME --update.",
            )
        raise UnknownName(
            f"The hub has no base model '{repository}', or it is private.",
            "Check the name. For a private one set HF_TOKEN to a token that may read it.",
        )
    raise DataError(f"{host} refuses the request for '{repository}' (status {status}).", "Try --mirror URL, or later.")


def _make_gated_error(hub: Hub, repository: str) -> DataError:
    page = f"{HUB}/{repository}"
    if hub.token:
        return DataError(
            f"The base model '{repository}' is for people who accepted its terms, and your HF_TOKEN has not.",
            f"Accept them at {page} with the account of the token, or choose another base.",
        )
    return DataError(
        f"The base model '{repository}' is for people who accepted its terms.",
        f"Accept them at {page}, make a token at {HUB}/settings/tokens, and set the environment variable HF_TOKEN to "
        "it (it is not sent to a server named with --mirror).",
    )
