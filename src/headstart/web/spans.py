"""`serve` for a model of spans: texts as JSON in, spans with offsets and probabilities out; no page.

Access, limits, batches and error answers are those of every server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from headstart import __version__, flow, progress
from headstart.http.access import AccessPolicy
from headstart.http.batching import Batcher, BatchLimits
from headstart.http.errors import encode_json
from headstart.http.json_limits import bound_json
from headstart.http.metrics import CONTENT_TYPE, ServerMetrics
from headstart.http.middleware import RequestMiddleware
from headstart.http.network_address import make_phone_address, show_phone_address
from headstart.http.running import (
    HeadstartServer,
    bind_socket,
    format_host,
    log_to_stderr,
    make_server_config,
    run_until_stopped,
    start_listening,
)
from headstart.http.uploads import read_json
from headstart.offline import offline
from headstart.options import ServeOptions
from headstart.web import bodies
from headstart.web.app import HANDLERS, HEALTH_PATHS
from headstart.web.phone import choose_access
from headstart.web.request_inputs import parse_inputs

MODALITY = "text"
OPEN_PATHS = frozenset(("/health", "/ready"))
Answer = Callable[[Sequence[Any]], list[dict[str, Any]]]
"""Texts (or `UnusableInput`s) in, one document a text out."""


def serve_spans(path: Path, options: ServeOptions) -> dict[str, Any]:
    """Answer over HTTP until a signal comes.

    Parameters
    ----------
    path : Path
        A bundle of spans, or the output folder of `adapt`.
    options : ServeOptions

    Returns
    -------
    dict
        JSON: what was served, and how many requests of each status there were.

    Raises
    ------
    HeadstartError
        An option, the bundle or the address cannot be used.
    """
    host, token = choose_access(options)
    with log_to_stderr(), offline(options.offline), bind_socket(host, options.port) as bound:
        answer: Answer = flow.open_span_answers(path)
        middleware = build_span_app(answer, options, token)
        config = make_server_config(middleware, options.timeout)
        start_listening(bound)
        where = f"http://{format_host(host)}:{bound.getsockname()[1]}"
        progress.say(f'Ready at {where}: POST {where}/predict with {{"texts": ["..."]}}. Stop with Ctrl+C.')
        if options.phone and token:
            show_phone_address(make_phone_address(host, bound.getsockname()[1], token))
        run_until_stopped(HeadstartServer(config, middleware, options.timeout), [bound])
    return {"format": 1, "address": where, "models": [path.name], "requests": middleware.metrics.count_statuses()}


def build_span_app(answer: Answer, options: ServeOptions, token: str | None) -> RequestMiddleware:
    """Return the application.

    Parameters
    ----------
    answer : texts -> documents
        Called in one thread.
    options : ServeOptions
    token : str or None
        What requests must carry; None: requests from this machine need none.
    """
    metrics = ServerMetrics()
    batchers: list[Batcher] = []

    @asynccontextmanager
    async def lifespan(application: FastAPI) -> AsyncIterator[None]:
        limits = BatchLimits(options.window_ms / 1e3, options.max_batch, options.max_queue)
        with ThreadPoolExecutor(1, "model") as pool:
            batchers.append(Batcher(answer, pool, limits, measure_size=lambda text: _measure(text, options)))
            task = asyncio.create_task(batchers[0].run())
            try:
                yield
            finally:
                task.cancel()

    application = FastAPI(
        title="Headstart", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan,
        redirect_slashes=False, exception_handlers=HANDLERS,
    )  # fmt: skip
    application.include_router(_make_routes(batchers, options, metrics))
    policy = AccessPolicy(
        token=token, max_bytes=int(options.max_mb * 1e6), timeout_seconds=options.timeout, open_paths=OPEN_PATHS,
        open_prefix="/static/", health_paths=HEALTH_PATHS,
    )  # fmt: skip
    return RequestMiddleware(application, policy, metrics)


def _measure(text: Any, options: ServeOptions) -> float:
    return len(text) / options.max_characters if isinstance(text, str) else 0.0


def _make_routes(batchers: Sequence[Batcher], options: ServeOptions, metrics: ServerMetrics) -> APIRouter:
    routes = APIRouter()

    @routes.post("/predict", openapi_extra=bodies.PREDICT)
    async def predict(request: Request) -> Response:
        """Answer texts with their spans; one that cannot be used gets its reason."""
        inputs = parse_inputs(await read_json(request, bound_json(MODALITY, 0, options)), MODALITY, options)
        documents = await batchers[0].submit(inputs.inputs)
        predictions = [{**item, "input": name} for name, item in zip(inputs.names, documents, strict=True)]
        return _respond({"format": 1, "n_rows": len(predictions), "predictions": predictions})

    @routes.get("/health")
    async def health() -> Response:
        return _respond({"format": 1, "status": "live", "models": []})

    @routes.get("/ready")
    async def ready() -> Response:
        return _respond({"format": 1, "status": "ready", "models": []})

    @routes.get("/metrics")
    async def show_metrics() -> Response:
        return Response(metrics.format_text(), media_type=CONTENT_TYPE)

    return routes


def _respond(document: Any) -> Response:
    return Response(encode_json(document), media_type="application/json")
