"""Messages that other systems send one by one: plain JSON, and submissions of KoboToolbox's REST Services."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, BackgroundTasks, Query, Request, Response

from headstart.errors import HeadstartError, OptionError
from headstart.flow.connecting.kobo import find_code_questions, list_values, read_code
from headstart.flow.connecting.kobo_server import KoboServer
from headstart.flow.inference.answer_layout import name_coder
from headstart.flow.inference.codes import Code, make_code, read_clock
from headstart.http.errors import RequestRefused, encode_json
from headstart.http.uploads import read_json
from headstart.modalities import MODALITIES
from headstart.options import ServeOptions
from headstart.web import bodies
from headstart.web.bodies import MessageBody, parse_body
from headstart.web.models import ServedModel, select_model
from headstart.web.request_inputs import check_text
from headstart.web.schemas import CodedMessage

LOG = logging.getLogger("headstart.hooks")
_Name = Annotated[str | None, Query(description="Which model, where several are served.", max_length=64)]


class AskModel(Protocol):
    """What answers inputs with a model: `PredictionService.ask`."""

    def __call__(self, model: ServedModel, inputs: list[Any]) -> Awaitable[list[dict[str, Any]]]:
        """Return one document an input."""


class CodeWriter:
    """The form that codes of the hook are written into.

    Parameters
    ----------
    options : ServeOptions

    Raises
    ------
    HeadstartError
        The form cannot be read, or has no question for the code.
    """

    def __init__(self, options: ServeOptions) -> None:
        url, _, asset = (options.kobo_form or "").rpartition("/")
        if options.kobo_hook is None:
            raise OptionError("--kobo-form without --kobo-hook writes nothing.", "Name the question with --kobo-hook.")
        if options.offline:
            raise OptionError("--kobo-form needs the network, and --offline forbids it.", "Leave out one of them.")
        self.server = KoboServer(url, asset, os.environ.get("KOBO_TOKEN", "").strip())
        self.places = find_code_questions(self.server.read_form(), "code")
        self._pool = ThreadPoolExecutor(1, "kobo")  # Its own: it may wait long for the server of the forms.

    async def write_later(self, number: int, code: Code) -> None:
        """Do as `write`, one submission after the other, while the server answers others."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self.write, number, code)

    def write(self, number: int, code: Code) -> None:
        """Write a code into a submission, unless a person has coded it meanwhile; a failure is logged.

        Parameters
        ----------
        number : int
            `_id` of the submission.
        code : Code
        """
        try:
            submission = self.server.read_submission(number)
            if not read_code(submission, self.places).is_of_person:
                self.server.change([number], list_values(code, self.places))
        except HeadstartError as error:
            LOG.warning("submission %d has no code yet: %s Later: headstart connect kobo.", number, error.problem)


@dataclass(frozen=True)
class _CodedText:
    """The code of a text, and the JSON fields of the answer that it is from."""

    code: Code
    document: Mapping[str, Any]

    def to_response(self, name: str | int | None, tasks: BackgroundTasks | None = None) -> Response:
        """Return the answer to a request."""
        fields = {key: self.document[key] for key in ("answer", "outcome", "reason")}
        content = encode_json({"format": 1, "id": name, **asdict(self.code), **fields})
        return Response(content, media_type="application/json", background=tasks)


def make_hook_routes(models: dict[str, ServedModel], ask: AskModel, options: ServeOptions) -> APIRouter:
    """Return the routes for messages, and for submissions where `--kobo-hook` names a question.

    Parameters
    ----------
    models : dict of str to ServedModel
    ask : function
        Answers inputs with a model.
    options : ServeOptions
    """
    routes = APIRouter(prefix="/hooks", tags=["hooks"])
    writer = CodeWriter(options) if options.kobo_form else None

    async def answer_text(model: ServedModel, text: Any) -> _CodedText:
        (document,) = await ask(model, [check_text(text, options)])
        return _CodedText(make_code(document, name_coder(model.name), read_clock()), document)

    @routes.post("/message", openapi_extra=bodies.MESSAGE, responses={200: {"model": CodedMessage}, 422: {}})
    async def message(request: Request, model: _Name = None) -> Response:
        """Code one message: {"id": "...", "text": "..."} in, its code out."""
        chosen = _select_text_model(models, model)
        document = await read_json(request, chosen.bound_json(options))
        body = parse_body(MessageBody, document, {"text": ("There is no text.", 'Send {"id": "1", "text": "..."}.')})
        answer = await answer_text(chosen, body.text)
        return answer.to_response(body.id if isinstance(body.id, str | int) else None)

    question = options.kobo_hook
    if question is None:
        return routes

    @routes.post("/kobo", openapi_extra=bodies.SUBMISSION, responses={200: {"model": CodedMessage}, 422: {}})
    async def kobo(request: Request, tasks: BackgroundTasks, model: _Name = None) -> Response:
        """Code one submission, as a REST Service of KoboToolbox sends it."""
        chosen = _select_text_model(models, model)
        submission = await read_json(request, chosen.bound_json(options))
        text, number = read_submission(submission, question)
        answer = await answer_text(chosen, text)
        if writer is not None and answer.code.code:
            tasks.add_task(writer.write_later, number, answer.code)
        return answer.to_response(number, tasks)

    return routes


def _select_text_model(models: dict[str, ServedModel], name: str | None) -> ServedModel:
    chosen = select_model(models, name)
    if not MODALITIES[chosen.modality].has_words:
        raise RequestRefused(422, f"{chosen.name} reads no texts.", "Name a model of texts: ?model=NAME.")
    return chosen


def read_submission(submission: Any, question: str) -> tuple[Any, int]:
    """Return the answer to a question and the number of a submission.

    Parameters
    ----------
    submission : Any
        JSON as it came.
    question : str
        Name, with or without its groups.

    Raises
    ------
    RequestRefused
        It is no submission.

    Examples
    --------
    >>> read_submission({"_id": 7, "feedback/comment": "no water"}, "comment")
    ('no water', 7)
    """
    number = submission.get("_id") if isinstance(submission, Mapping) else None
    if not isinstance(number, int) or isinstance(number, bool):
        raise RequestRefused(422, "This is no submission: it has no number _id.", "Choose JSON in the REST Service.")
    names = [name for name in submission if name == question or str(name).endswith(f"/{question}")]
    return (submission[names[0]] if names else ""), number
