"""Run the server: bind, answer, and stop so that nobody who was let in goes without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart import progress
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
from headstart.offline import offline
from headstart.options import ServeOptions
from headstart.task_types import TASK_TYPES
from headstart.web.app import build_app
from headstart.web.models import open_models
from headstart.web.phone import choose_access


def serve(paths: Sequence[Path], options: ServeOptions) -> dict[str, Any]:
    """Answer over HTTP until a signal comes.

    Parameters
    ----------
    paths : sequence of Path
        Bundles, or OUT folders of `adapt`.
    options : ServeOptions

    Returns
    -------
    dict
        JSON: what was served, and how many requests of each status there were.

    Raises
    ------
    HeadstartError
        An option, a bundle or the address cannot be used.
    """
    host, token = choose_access(options)
    with log_to_stderr(), offline(options.offline), bind_socket(host, options.port) as bound:
        models = open_models(paths, options)
        middleware = build_app(models, options, token)
        config = make_server_config(middleware, options.timeout)
        start_listening(bound)
        where = f"http://{format_host(host)}:{bound.getsockname()[1]}"
        for model in models.values():
            classes = "" if TASK_TYPES[model.task].is_number else f", {len(model.classes)} classes"
            progress.say(f"{model.name}: {model.modality}, {model.task}{classes}")
        progress.say(f"Ready at {where} (page: {where}/, all routes: {where}/docs). Stop with Ctrl+C.")
        if options.phone and token:
            show_phone_address(make_phone_address(host, bound.getsockname()[1], token))
        run_until_stopped(HeadstartServer(config, middleware, options.timeout), [bound])
    return {"format": 1, "address": where, "models": list(models), "requests": middleware.metrics.count_statuses()}
