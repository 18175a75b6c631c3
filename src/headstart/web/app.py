"""The routes: each reads its request, asks the model, and writes what `headstart predict --json` writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from headstart import __version__
from headstart.errors import HeadstartError
from headstart.http.access import AccessPolicy
from headstart.http.batching import Batcher, BatchLimits
from headstart.http.errors import FAULT, FAULT_HINT, RequestRefused, encode_json
from headstart.http.metrics import CONTENT_TYPE, ServerMetrics
from headstart.http.middleware import RequestMiddleware, encode_refusal
from headstart.http.uploads import read_json
from headstart.options import ServeOptions
from headstart.web import bodies, protocol, schemas
from headstart.web.feedback import CorrectionStore
from headstart.web.hooks import make_hook_routes
from headstart.web.models import ServedModel, is_several, select_model, select_models
from headstart.web.reference import render_reference as reference_page
from headstart.web.request_inputs import RequestInputs, measure_input_share, read_inputs

PAGE_MODULES = ("page", "answers", "dom", "history", "i18n", "inputs", "tables")
"""The scripts that the page of the server shares with an exported page."""
STATIC = {
    **{f"{name}.js": (f"{name}.js", "text/javascript") for name in PAGE_MODULES},
    "api.js": ("api-rest.js", "text/javascript"),
    "messages.json": ("messages.json", "application/json"),
    "style.css": ("style.css", "text/css"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
"""What the page is made of: name in the address, file in this package, kind."""
OPEN_PATHS = frozenset(
    ("/", "/docs", "/openapi.json", "/health", "/ready", "/v2/health/live", "/v2/health/ready", "/favicon.ico")
)
"""What needs no token: whether the server lives, which routes it has, and the page, which asks for the token itself."""
HEALTH_PATHS = frozenset(("/health", "/ready", "/metrics", "/v2/health/live", "/v2/health/ready"))
"""What is answered even while the server stops."""
_ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": schemas.Error} for code in (401, 403, 404, 413, 415, 421, 422, 503)
}
_Name = Annotated[str | None, Query(description="Which model, where several are served.", max_length=64)]
_Names = Annotated[
    str | None,
    Query(
        description="Which model, where several are served; NAME,NAME or * for the answers of several.",
        max_length=4_096,
    ),
]


class PredictionService:
    """The models with their queues, and what is counted.

    Parameters
    ----------
    models : dict of str to ServedModel
    options : ServeOptions
    """

    def __init__(self, models: dict[str, ServedModel], options: ServeOptions) -> None:
        self.models, self.options = models, options
        self.metrics = ServerMetrics()
        self.batchers: dict[str, Batcher] = {}
        self.corrections = CorrectionStore(options.feedback) if options.feedback else None
        self.middleware: RequestMiddleware | None = None

    @property
    def stopping(self) -> bool:
        """Return whether new requests are refused."""
        return self.middleware is not None and self.middleware.stopping

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer inside the block: one thread, so that models do not fight for the processor."""
        limits = BatchLimits(self.options.window_ms / 1e3, self.options.max_batch, self.options.max_queue)
        with ThreadPoolExecutor(1, "model") as pool:
            for model in self.models.values():
                name = _name_queue(model)
                if name in self.batchers:
                    continue
                batcher = Batcher(
                    model.shared.answer if model.shared else model.answer,
                    pool,
                    limits,
                    measure_size=partial(measure_input_share, modality=model.modality, limits=self.options),
                    on_batch=partial(self._count_batch, name),
                )
                self.batchers[name] = batcher
                self.metrics.waiting.labels(name).set_function(partial(_count_waiting, batcher))
            tasks = [asyncio.create_task(one.run()) for one in self.batchers.values()]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()

    def _count_batch(self, name: str, n_rows: int, documents: list[dict[str, Any]]) -> None:
        self.metrics.batches.labels(name).observe(n_rows)

    async def ask(self, model: ServedModel, inputs: list[Any]) -> list[dict[str, Any]]:
        """Answer inputs together with those of other requests; one JSON document an input."""
        return (await self.ask_all([model], inputs))[model.name]

    async def ask_all(self, models: Sequence[ServedModel], inputs: list[Any]) -> dict[str, list[dict[str, Any]]]:
        """Answer inputs with several models; a base that they share runs once. Documents by name of the model."""
        queues = list(dict.fromkeys(map(_name_queue, models)))
        answered = dict(
            zip(queues, await asyncio.gather(*(self.batchers[name].submit(inputs) for name in queues)), strict=True)
        )
        by_model = {}
        for model in models:
            documents = answered[_name_queue(model)]
            by_model[model.name] = [item[model.name] for item in documents] if model.shared else documents
            for document in by_model[model.name]:
                self.metrics.answers.labels(model.name, document["kind"]).inc()
        return by_model


def _name_queue(model: ServedModel) -> str:
    return model.shared.name if model.shared else model.name


def _count_waiting(batcher: Batcher) -> float:
    return batcher.n_waiting


def make_predict_response(model: ServedModel, inputs: RequestInputs, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the answers as `headstart predict --json` does.

    Raises
    ------
    RequestRefused
        Not one input can be used.
    """
    predictions = [{"input": name, **document} for name, document in zip(inputs.names, documents, strict=True)]
    failed = [{"id": item["input"], "reason": item["reason"]} for item in predictions if item["answer"] is None]
    if len(failed) == len(predictions) and all(item.get("reason_code") is None for item in predictions):
        one = failed[0]
        raise RequestRefused(
            422,
            f"None of the {len(predictions)} inputs can be used ({one['id']}: {one['reason']}).",
            "Correct the inputs.",
        )
    return {"format": 1, "model": model.name, "n_rows": len(predictions), "predictions": predictions, "failed": failed}


def _json_response(document: Any, status: int = 200) -> Response:
    return Response(encode_json(document), status, media_type="application/json")


def _make_predict_routes(service: PredictionService) -> APIRouter:
    routes = APIRouter(responses=_ERRORS, tags=["predict"])

    @routes.post(
        "/predict",
        openapi_extra=bodies.PREDICT,
        responses={200: {"model": schemas.PredictResponse | schemas.PredictSeveralResponse}},
    )
    async def predict(request: Request, model: _Names = None) -> Response:
        """Answer images, texts or series; one that cannot be used gets its reason."""
        chosen = select_models(service.models, model)
        inputs = await read_inputs(request, chosen[0], service.options)
        answered = await service.ask_all(chosen, inputs.inputs)
        responses = [make_predict_response(one, inputs, answered[one.name]) for one in chosen]
        if not is_several(model):
            return _json_response(responses[0])
        return _json_response({"format": 1, "n_rows": len(inputs.inputs), "models": responses})

    @routes.get("/info")
    async def info(model: _Name = None) -> Response:
        """Return all about a model: card, classes, decision policy, versions, limits; of several, their names."""
        about = select_model(service.models, model).info if model or len(service.models) == 1 else {"format": 1}
        limits = {name: value for name, value in service.options.model_dump().items() if name.startswith("max_")}
        more = {"models": list(service.models), "limits": limits, "feedback": service.corrections is not None}
        return _json_response({**about, **more, "headstart": __version__})

    @routes.post("/feedback", openapi_extra=bodies.FEEDBACK, responses={200: {"model": schemas.Stored}})
    async def feedback(request: Request, model: _Name = None) -> Response:
        """Keep a correction: an input with its right label (only where the server was started with --feedback)."""
        chosen = select_model(service.models, model)
        if service.corrections is None:
            raise RequestRefused(404, "This server stores no corrections.", "Start it with --feedback FOLDER.")
        n_rows = await service.corrections.take(request, chosen, service.options)
        service.metrics.corrections.labels(chosen.name).inc()
        return _json_response({"format": 1, "stored": True, "n_rows": n_rows})

    return routes


def _make_health_routes(service: PredictionService) -> APIRouter:
    routes = APIRouter(tags=["watch"])

    @routes.get("/health", responses={200: {"model": schemas.Health}})
    async def health() -> Response:
        """Return whether the server is live."""
        return _json_response({"format": 1, "status": "live", "models": []})

    @routes.get("/ready", responses={200: {"model": schemas.Health}, 503: {"model": schemas.Health}})
    async def ready() -> Response:
        """Return whether requests are taken."""
        status = "stopping" if service.stopping else "ready"
        names = [] if service.middleware and service.middleware.policy.token else list(service.models)
        return _json_response({"format": 1, "status": status, "models": names}, 503 if service.stopping else 200)

    @routes.get("/metrics", responses={401: {"model": schemas.Error}}, response_class=Response)
    async def metrics() -> Response:
        """Count requests, times, waiting rows, batches and answers, in the text format of Prometheus."""
        return Response(service.metrics.format_text(), media_type=CONTENT_TYPE)

    return routes


def _make_protocol_routes(service: PredictionService) -> APIRouter:
    routes = APIRouter(prefix="/v2", tags=["Open Inference Protocol v2"], responses={404: {}, 422: {}, 503: {}})

    @routes.get("")
    async def server() -> Response:
        """Describe the server."""
        return _json_response(protocol.describe_server())

    @routes.get("/health/live")
    async def live() -> Response:
        """Return whether the server is live."""
        return _json_response({"live": True})

    @routes.get("/health/ready")
    async def ready() -> Response:
        """Return whether requests are taken."""
        return _json_response({"ready": not service.stopping}, 503 if service.stopping else 200)

    @routes.get("/models/{name}")
    async def metadata(name: str) -> Response:
        """Describe a model's tensors."""
        return _json_response(protocol.describe_tensors(select_model(service.models, name)))

    @routes.get("/models/{name}/ready")
    async def model_ready(name: str) -> Response:
        """Return whether a model is ready."""
        return _json_response({"name": select_model(service.models, name).name, "ready": True})

    @routes.post("/models/{name}/infer", openapi_extra=bodies.INFER)
    async def infer(name: str, request: Request) -> Response:
        """Answer one tensor: BYTES (texts, or image files in base64), or numbers (series)."""
        chosen = select_model(service.models, name)
        document = await read_json(request, chosen.bound_json(service.options))
        inputs = await asyncio.to_thread(protocol.parse_tensor, document, chosen, service.options)
        documents = await service.ask(chosen, inputs)
        return _json_response(protocol.make_infer_response(document, chosen, documents, request.state.id))

    return routes


def _make_page_routes(application: FastAPI) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    folder = files("headstart.web").joinpath("static")
    static_files = {name: (folder.joinpath(file).read_bytes(), kind) for name, (file, kind) in STATIC.items()}
    first = folder.joinpath("index.html").read_bytes()

    @routes.get("/")
    async def page() -> Response:
        return Response(first, media_type="text/html")

    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in static_files:
            raise RequestRefused(404, "There is no such file.", "Open / for the page.")
        return Response(static_files[name][0], media_type=static_files[name][1])

    @routes.get("/favicon.ico")
    async def icon() -> Response:
        return Response(*static_files["icon.svg"][:1], media_type="image/svg+xml")

    @routes.get("/docs")
    async def docs() -> Response:
        return Response(reference_page(application.openapi()), media_type="text/html")

    return routes


async def _answer_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HeadstartError)
    refusal = error if isinstance(error, RequestRefused) else RequestRefused(422, error.problem, error.hint)
    status, headers, body = encode_refusal(refusal, request.url.path)
    return Response(body, status, headers)


_HTTP_ERRORS: Mapping[int, tuple[str, str]] = {
    404: ("There is nothing at this address.", "See /docs for what there is."),
    405: ("This address does not take this method.", "See /docs for what there is."),
}


async def _by_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem, hint = _HTTP_ERRORS.get(error.status_code, (str(error.detail), "See /docs."))
    return await _answer_refusal(request, RequestRefused(error.status_code, problem, hint, error.headers))


async def _odd_parameter(request: Request, error: Exception) -> Response:
    return await _answer_refusal(request, RequestRefused(422, "A parameter of the address is not valid.", "See /docs."))


async def _gone(request: Request, error: Exception) -> Response:
    return await _answer_refusal(request, RequestRefused(400, "The request ended too early.", "Send it again."))


async def _fault(request: Request, error: Exception) -> Response:
    return await _answer_refusal(request, RequestRefused(500, FAULT, FAULT_HINT))


HANDLERS: dict[Any, Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    HeadstartError: _answer_refusal,
    HTTPException: _by_framework,
    RequestValidationError: _odd_parameter,
    ClientDisconnect: _gone,
    Exception: _fault,
}


def build_app(models: dict[str, ServedModel], options: ServeOptions, token: str | None) -> RequestMiddleware:
    """Return the application: routes, error answers, and the middleware before them.

    Parameters
    ----------
    models : dict of str to ServedModel
        As `headstart.web.models.open_models` gives them.
    options : ServeOptions
    token : str or None
        What requests must carry; None: requests from this machine need none.
    """
    service = PredictionService(models, options)

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    application = FastAPI(
        title="Headstart", version=__version__, summary="Models adapted with Headstart, over HTTP.",
        docs_url=None, redoc_url=None, lifespan=lifespan, redirect_slashes=False, exception_handlers=HANDLERS,
    )  # fmt: skip
    routers = (
        _make_predict_routes(service),
        _make_health_routes(service),
        _make_protocol_routes(service),
        make_hook_routes(models, service.ask, options),
        _make_page_routes(application),
    )
    for router in routers:
        application.include_router(router)
    policy = AccessPolicy(
        token=token,
        max_bytes=int(options.max_mb * 1e6),
        timeout_seconds=options.timeout,
        open_paths=OPEN_PATHS,
        open_prefix="/static/",
        health_paths=HEALTH_PATHS,
    )
    middleware = RequestMiddleware(application, policy, service.metrics)
    service.middleware = middleware
    return middleware
