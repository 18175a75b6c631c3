"""KoboToolbox over its REST API v2: the questions of a form, its submissions page by page, and changes of values.

Paths and bodies are those of its public documentation (`/api/v2/assets/{uid}/`, `data/`, `data/bulk/`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from headstart.bases.downloads import settings as downloads
from headstart.bases.downloads.connections import Hub, Interrupted, Response, is_address, send_request
from headstart.bases.downloads.retrying import Retries, read_wait
from headstart.errors import DataError, OptionError, UnknownName, cut_problem, make_unknown_name
from headstart.flow.connecting.settings import SETTINGS

Submission = Mapping[str, Any]
_ASSET = re.compile(r"[A-Za-z0-9]{3,64}")
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
_MAY_PASS = {408, 425, 429, 500, 502, 503, 504}
_AGAIN = "Run the same command again: what is coded already is left out."
_BEGIN, _END = re.compile(r"begin[_ ](group|repeat|score|rank|kobomatrix)"), re.compile(r"end[_ ]")


@dataclass(frozen=True, kw_only=True)
class KoboForm:
    """A form.

    Parameters
    ----------
    name : str
    questions : tuple of str
        Paths of the questions, groups first, as submissions have them: "feedback/comment".
    repeats : tuple of str
        Paths of the groups that may be filled in several times.
    """

    name: str
    questions: tuple[str, ...]
    repeats: tuple[str, ...] = ()

    def find_question(self, name: str, option: str) -> str:
        """Return the path of a question that the user named, with or without its groups.

        Parameters
        ----------
        name : str
        option : str
            For messages.

        Raises
        ------
        UnknownName
            There is none of this name, or several.
        OptionError
            It stands in a group that is filled in several times.
        """
        matching = [path for path in self.questions if path == name]
        matching = matching or [path for path in self.questions if path.endswith(f"/{name}")]
        if not matching:
            raise make_unknown_name("question", name, self.questions, f" in the form '{self.name}'")
        if len(matching) > 1:
            raise UnknownName(
                f"{len(matching)} questions are called {name}: {', '.join(matching[:5])}.",
                f"Name one with its groups: {option} {matching[0]}.",
            )
        inside = next((repeat for repeat in self.repeats if matching[0].startswith(f"{repeat}/")), None)
        if inside is not None:
            raise OptionError(
                f"{matching[0]} is asked several times in a submission (repeat group {inside}).",
                "Such answers cannot be changed one by one. Export the form as XLSX and code that: "
                "headstart predict MODEL export.xlsx --sheet SHEET --layout codes -o coded.xlsx.",
            )
        return matching[0]


@dataclass(frozen=True)
class KoboServer:
    """One form of one server.

    Parameters
    ----------
    url : str
        Address of the server.
    asset : str
    token : str
    token_variable : str
        Where the token is from, for messages.
    """

    url: str
    asset: str
    token: str = field(repr=False)
    token_variable: str = "KOBO_TOKEN"

    def __post_init__(self) -> None:
        """Refuse addresses that no token should be sent to."""
        address = urlsplit(self.url) if is_address(self.url) else None
        if address is None or (address.scheme != "https" and address.hostname not in _THIS_MACHINE):
            raise OptionError(
                f"{self.url.rpartition('@')[2][:100]} is not the address of a server that a token may be sent to.",
                "Give one that begins with https://, such as https://kf.kobotoolbox.org.",
            )
        if _ASSET.fullmatch(self.asset) is None:
            raise OptionError(
                f"'{self.asset[:60]}' is not the identifier of a form.",
                "It is in the address of the form: .../#/forms/aSAvYreNzVEkrWg5Gdcvg.",
            )
        if not self.token.isascii() or not self.token.isprintable() or not self.token or " " in self.token:
            raise OptionError(
                f"The environment variable {self.token_variable} holds no token.",
                f"Copy it from the account settings of KoboToolbox (Security), then: export {self.token_variable}=...",
            )

    @property
    def _hub(self) -> Hub:
        waiting = replace(downloads.SETTINGS, stall_seconds=SETTINGS.stall_seconds)
        return Hub(self.url.rstrip("/"), self.token, waiting, scheme="Token")

    def read_form(self) -> KoboForm:
        """Return the questions of the form.

        Raises
        ------
        HeadstartError
            The server cannot be reached, refuses, or has no such form.
        """
        document = self._ask("The form", f"{self._path()}?format=json")
        content = document.get("content") if isinstance(document, dict) else None
        survey = content.get("survey") if isinstance(content, dict) else None
        if not isinstance(survey, list):
            raise DataError(f"{self._hub.host} sent no form.", "Check --url and --asset.")
        return read_survey(str(document.get("name") or self.asset), [row for row in survey if isinstance(row, dict)])

    def iterate_submissions(self, since: str | None = None) -> Iterator[tuple[list[Submission], int]]:
        """Yield the submissions page by page, in the order of their numbers, with how many there are in all.

        Each page begins behind the last number of the one before, so that none is missed or given twice where others
        are sent or deleted meanwhile.

        Parameters
        ----------
        since : str, optional
            Day or time from which on they were sent.
        """
        last, n_all = 0, 0
        while True:
            conditions: dict[str, Any] = {"_id": {"$gt": last}}
            if since is not None:
                conditions["_submission_time"] = {"$gte": since}
            query = {
                "format": "json", "limit": SETTINGS.page_rows, "sort": '{"_id": 1}', "query": json.dumps(conditions),
            }  # fmt: skip
            page = self._ask("A page of submissions", f"{self._path()}data/?{urlencode(query)}")
            rows = page.get("results") if isinstance(page, dict) else None
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise DataError(f"{self._hub.host} sent no submissions.", "Check --url and --asset.")
            new = [row for row in rows if isinstance(row.get("_id"), int) and row["_id"] > last]
            n_all = n_all or int(page.get("count") or 0)
            yield new, n_all
            if not new or not page.get("next"):
                return
            last = max(row["_id"] for row in new)

    def read_submission(self, number: int) -> Submission:
        """Return one submission.

        Parameters
        ----------
        number : int
            Its `_id`.
        """
        document = self._ask("A submission", f"{self._path()}data/{number}/?format=json")
        if not isinstance(document, dict):
            raise DataError(f"{self._hub.host} sent no submission.", "Check --url and --asset.")
        return document

    def change(self, ids: Sequence[int], values: Mapping[str, str]) -> list[str]:
        """Give questions of some submissions new values; asked twice, it does the same.

        Parameters
        ----------
        ids : sequence of int
            `_id` of the submissions.
        values : mapping of str to str
            New value by path of the question.

        Returns
        -------
        list of str
            What the server says of those that it did not change.
        """
        body = json.dumps({"payload": {"submission_ids": list(ids), "data": dict(values)}}).encode()
        answer = self._ask("A change of submissions", f"{self._path()}data/bulk/?format=json", "PATCH", body)
        results = answer.get("results") if isinstance(answer, dict) else None
        failed = [
            item for item in results or () if isinstance(item, dict) and item.get("status_code") not in (200, 201)
        ]
        return [cut_problem(str(item.get("message") or item.get("status_code")), "") for item in failed]

    def _path(self) -> str:
        return f"{self._hub.endpoint}/api/v2/assets/{quote(self.asset)}/"

    def _ask(self, what: str, url: str, method: str = "GET", body: bytes | None = None) -> Any:
        """Return the JSON of an answer; failures that may pass are tried again."""
        hub = self._hub
        retries = Retries(what, SETTINGS.attempts, hub.settings, _AGAIN)
        headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if body else {})}
        while True:
            try:
                with send_request(hub, url, headers, method=method, body=body) as response:
                    self._check(response)
                    return _read_json(response, hub.host)
            except Interrupted as failure:
                retries.wait(failure)

    def _check(self, response: Response) -> None:
        """Return for an answer with content; raise what any other one means."""
        status, host = response.status, self._hub.host
        if status in (200, 201):
            return
        if status in _MAY_PASS:
            reason = "asks to wait" if status == 429 else f"answers {status}"
            raise Interrupted(f"{host} {reason}", read_wait(response.headers))
        if status in (401, 403):
            raise OptionError(
                f"{host} does not accept the token in {self.token_variable} for this form (status {status}).",
                "Copy the token again from the account settings, and check that the account may edit submissions.",
            )
        if status == 404:
            raise UnknownName(f"{host} has no form {self.asset} for this account.", "Check --url and --asset.")
        message = cut_problem(_read_all(response, host, 2_000).decode("utf-8", "replace"), "")
        raise DataError(f"{host} refuses the request (status {status}): {message}", "Check the names of the questions.")


def read_survey(name: str, survey: Sequence[Mapping[str, Any]]) -> KoboForm:
    """Return the questions of a form from the rows of its survey.

    Parameters
    ----------
    name : str
    survey : sequence of mapping
        With type and name; "$xpath" where the server gives it.

    Examples
    --------
    >>> rows = [{"type": "begin_group", "name": "a"}, {"type": "text", "name": "b"}, {"type": "end_group"}]
    >>> read_survey("form", rows).questions
    ('a/b',)
    """
    groups: list[str] = []
    questions, repeats = [], []
    for row in survey:
        kind, own = str(row.get("type") or ""), str(row.get("name") or row.get("$autoname") or "")
        path = str(row.get("$xpath") or "/".join([*groups, own]))
        if _END.match(kind):
            del groups[-1:]
        elif _BEGIN.match(kind):
            groups.append(own)
            repeats += [path] if "repeat" in kind else []
        elif own:
            questions.append(path)
    return KoboForm(name=name, questions=tuple(questions), repeats=tuple(repeats))


def _read_json(response: Response, host: str) -> Any:
    content = _read_all(response, host, SETTINGS.most_page_bytes)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{host} sent no JSON.", "Check --url: it is the address of the server.") from error


def _read_all(response: Response, host: str, most_bytes: int) -> bytes:
    content = bytearray()
    while block := response.read(1 << 16):
        content += block
        if len(content) > most_bytes:
            raise DataError(f"{host} sent more than {most_bytes / 1e6:.0f} MB at once.", "Ask for less with --since.")
    return bytes(content)
