"""What all commands share: options made from their record, people's output on stderr, one JSON on stdout, exit codes.

0 done, 1 failed, 2 fixable by the user, 4 an export did not pass. No command declares an option or prints an error by
itself.
"""

from __future__ import annotations

import inspect
import io
import json
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from rich.console import Console
from rich.markup import escape
from typer.models import ArgumentInfo, OptionInfo

from headstart import progress
from headstart.cli.help_panels import find_option_panel
from headstart.disk_errors import explain_disk_error
from headstart.errors import HeadstartError
from headstart.options import Options, flag, parse
from headstart.options.fields import describe_value, list_choices, write_value

if TYPE_CHECKING:
    from headstart.report.live_progress import Terminal

console = Console(stderr=True, highlight=False)
"""For warnings and errors."""
news = Console(stderr=True, highlight=False)
"""For everything else that people read: silent with --quiet."""
_EVENTS_VARIABLE = "HEADSTART_PROGRESS"
"""File for the events of a job: `headstart.studio.jobs.places`, which is not loaded for nothing."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class CommandStopped(HeadstartError):
    """A command that did its work and found something that the user has to correct; `document` is what it found."""

    def __init__(self, problem: str, hint: str, document: object, code: int = 2) -> None:
        super().__init__(problem, hint)
        self.document, self.code = document, code


def _make_option(name: str, field: FieldInfo) -> inspect.Parameter:
    """Turn one field of an options record into a command-line option; its own type checks the value later."""
    written, text, annotation = flag(name), field.description or "", field.annotation
    default: Any = None if field.default is PydanticUndefined else field.default
    panel = find_option_panel(name)
    if annotation is bool:
        return _make_parameter(
            name, bool, default, typer.Option(written, help=text, metavar=_NO_VALUE, rich_help_panel=panel)
        )
    metavar = "|".join(list_choices(field)) or describe_value(field)
    if get_origin(annotation) is tuple or "tuple" in str(annotation):
        kind = typer.Option(written, help=text, show_default=False, metavar=metavar, rich_help_panel=panel)
        return _make_parameter(name, list[str], list(default), kind)
    default_text = None if default is None else write_value(field, default)
    kind = typer.Option(written, help=text, show_default=default is not None, metavar=metavar, rich_help_panel=panel)
    return _make_parameter(name, str | None, default_text, kind)


def _make_parameter(name: str, annotation: Any, default: Any, option: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[annotation, option]
    )


_OUTPUT = find_option_panel("json_output")


def _name_value(parameter: inspect.Parameter) -> inspect.Parameter:
    """Say in help texts what stands for the value of a command's own argument or option."""
    for info in getattr(parameter.annotation, "__metadata__", ()):
        if isinstance(info, ArgumentInfo) and info.metavar is None:
            info.metavar = parameter.name.upper()
        elif isinstance(info, OptionInfo) and info.metavar is None:
            info.metavar = _NO_VALUE if get_args(parameter.annotation)[0] is bool else "PATH"
        if isinstance(info, OptionInfo) and info.rich_help_panel is None:
            info.rich_help_panel = find_option_panel(parameter.name)
    return parameter


_NO_VALUE = " "
"""Shown for a switch, which takes no value."""
COMMON = {
    "json_output": (
        bool,
        typer.Option(
            "--json", help="Print one JSON document on standard output.", metavar=_NO_VALUE, rich_help_panel=_OUTPUT
        ),
    ),
    "quiet": (
        bool,
        typer.Option(
            "--quiet", "-q", help="Print warnings and errors only.", metavar=_NO_VALUE, rich_help_panel=_OUTPUT
        ),
    ),
    "verbose": (
        bool,
        typer.Option(
            "--verbose",
            "-v",
            help="Show the traceback of an internal error.",
            metavar=_NO_VALUE,
            rich_help_panel=_OUTPUT,
        ),
    ),
}


def command(kind: type[Options]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator: options of a record, the common ones, error handling and JSON output for a command.

    The decorated function takes its own arguments first and the options record as `options` (and, if it names it,
    whether `--json` was given as `as_json`); it returns a JSON-able document, which is printed with `--json`.
    """

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        takes = inspect.signature(body, eval_str=True).parameters
        own = [p for p in takes.values() if p.name not in ("options", "as_json")]
        fields = [_make_option(name, field) for name, field in kind.model_fields.items()]
        common = [_make_parameter(name, annotation, False, option) for name, (annotation, option) in COMMON.items()]

        def wrapper(**values: Any) -> None:
            as_json, quiet, verbose = (bool(values.pop(name)) for name in COMMON)
            raw_options = {name: values.pop(name) for name in kind.model_fields}
            set_options = {name: value for name, value in raw_options.items() if value is not None}
            if "as_json" in takes:
                values["as_json"] = as_json

            def work() -> Any:
                return body(**values, options=parse(kind, **set_options))

            run_command(work, as_json, quiet, verbose)

        keyword = [_name_value(p).replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own]
        wrapper.__signature__ = inspect.Signature([*keyword, *fields, *common])  # type: ignore[attr-defined]
        wrapper.__doc__ = body.__doc__
        wrapper.__name__ = body.__name__
        return wrapper

    return decorate


def run_command(work: Callable[[], Any], as_json: bool, quiet: bool, verbose: bool) -> None:
    """Do the work, print its document if asked, and leave with the right exit code; as a job where Studio says so."""
    news.quiet = quiet
    _use_utf8_output()
    if not verbose:
        sys.excepthook = _print_internal_error
    listener = _make_terminal(quiet or (as_json and not console.is_terminal))
    events = os.environ.get(_EVENTS_VARIABLE)
    if not events:
        _execute(work, listener, as_json, verbose)
        return
    from headstart.studio.jobs.child import JobListener, run_job

    run_job(Path(events), lambda writer: _execute(work, JobListener(listener, writer), as_json, verbose))


def _execute(work: Callable[[], Any], listener: progress.Listener, as_json: bool, verbose: bool) -> None:
    """Do the work; an error leaves as SystemExit that it caused."""
    try:
        with progress.listen(listener):
            document = work()
        if as_json:
            _print_document(document)
    except HeadstartError as error:
        _print_error(error.problem, error.hint)
        if as_json:
            _print_document(
                error.document if isinstance(error, CommandStopped) else _error_document(error.problem, error.hint)
            )
        raise SystemExit(error.code if isinstance(error, CommandStopped) else 2) from error
    except KeyboardInterrupt as error:
        console.print("Stopped. Run the same command again to go on where it stopped.")
        raise SystemExit(130) from error
    except BrokenPipeError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from error
    except (OSError, MemoryError) as error:
        known = explain_disk_error(error, [Path.cwd()]) if isinstance(error, OSError) else None
        if known is not None:
            _print_error(known.problem, known.hint)
            if as_json:
                _print_document(_error_document(known.problem, known.hint))
            raise SystemExit(2) from error
        if verbose:
            raise
        _print_error(_describe_system_error(error), "", "Failed")
        if as_json:
            _print_document(_error_document(_describe_system_error(error), ""))
        raise SystemExit(1) from error


def _make_terminal(quiet: bool) -> Terminal:
    """Return what shows progress; loaded here, since help needs none."""
    from headstart.report.live_progress import Terminal

    return Terminal(quiet, news, console)


def _use_utf8_output() -> None:
    """Set standard output to UTF-8, whatever the terminal or the system prefers."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")


def _print_document(document: object) -> None:
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False, indent=2)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _error_document(problem: str, hint: str) -> dict[str, Any]:
    return {"format": 1, "error": {"problem": problem, "hint": hint}}


def _print_error(problem: str, hint: str, word: str = "Error") -> None:
    console.print(f"[red]{word}:[/red] {escape(_remove_control_characters(problem))}", soft_wrap=True)
    if hint:
        console.print(escape(_remove_control_characters(hint)), soft_wrap=True)


def _remove_control_characters(text: str) -> str:
    """Return a message without what would move a terminal's cursor: names of files and labels may hold anything."""
    return _CONTROL.sub(" ", text)


def _describe_system_error(error: OSError | MemoryError) -> str:
    """Return what the system says, without its numbers."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}."
    return str(error) or "There is not enough memory."


def _print_internal_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show our own bug without its traceback."""
    _print_error(
        f"{kind.__name__}: {error}", "This is a fault in Headstart: please report it with what -v shows.", "Failed"
    )


def require_path(path: Path) -> Path:
    """Refuse a path that is not there, in our own words."""
    if not path.exists():
        raise HeadstartError(f"There is nothing at {path}.", "Check the path.")
    return path


def require_data(path: Path) -> Path:
    """Refuse data that is not there, and a model in its place: tables of its answers are no data."""
    if require_path(path).is_dir() and _is_model(path):
        raise HeadstartError(f"{path} holds a model, no data.", "Give a table, a folder of images, or a zip of either.")
    return path


def require_model(command: str, path: Path, *inputs: Path) -> Path:
    """Refuse a model that is not there, or that stands behind its inputs.

    Parameters
    ----------
    command : str
        Its name, for the hint.
    path : Path
        A bundle, the output folder of `adapt`, or a project.
    *inputs : Path
        The arguments behind it.
    """
    models = [item for item in inputs if _is_model(item)]
    if not models:
        path = choose_model(path)
    if models and path.exists() and not _is_model(path):
        others = [item for item in inputs if item != models[0]]
        raise HeadstartError(
            f"The model comes first, then the data; {path} is not a model, {models[0]} is one.",
            f"Run: headstart {command} {' '.join(shlex.quote(str(item)) for item in (models[0], path, *others))}",
        )
    if path.exists() and not _is_model(path):
        raise HeadstartError(
            f"{path} is not a bundle: it holds no model.", "Give the folder that `adapt -o` wrote, or the bundle in it."
        )
    return require_path(path)


def choose_model(path: Path) -> Path:
    """Return the folder of the model in use where a path is a project; any other path as it is.

    Parameters
    ----------
    path : Path

    Raises
    ------
    HeadstartError
        The project has no model yet.
    """
    if not (path / "project.sqlite").is_file():  # The room of projects is not loaded for nothing.
        return path
    from headstart.projects import Project

    with Project.open(path) as project:
        model = project.get_current_model()
    if model is None:
        raise HeadstartError(f"The project {path} has no model yet.", f"Run: headstart adapt {path}")
    return model.folder


def require_two_models(old: Path, new: Path, data: Path) -> None:
    """Refuse two models of which one stands behind the data, and what is no model.

    Parameters
    ----------
    old, new, data : Path
        The arguments of `compare`.
    """
    places = [old, new, data]
    models = [path for path in places if _is_model(path)]
    others = [path for path in places if path not in models]
    if len(models) == 2 and others and others[0] != data and others[0].exists():
        raise HeadstartError(
            f"The two models come first, then the data; {others[0]} is not a model.",
            f"Run: headstart compare {' '.join(shlex.quote(str(item)) for item in (*models, others[0]))}",
        )
    for path in (old, new):
        require_model("compare", path)
    require_data(data)


def _is_model(path: Path) -> bool:
    return any((folder / "manifest.json").is_file() for folder in (path, path / "bundle"))
