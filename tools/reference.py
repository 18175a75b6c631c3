"""Write the reference pages that are made from the code: `python tools/reference.py` (with --check: only compare).

Commands and options come from the command line itself, the Python page from docstrings, the page of result.json from
the descriptions of its fields.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import typer.main
from record_tables import describe_records
from settings_page import describe_all_settings

import headstart
from headstart import options, results
from headstart.bundle.integrity import ManifestRecord
from headstart.bundle.records.config_records import INPUT_SPECS, ConfigRecord, PortableRecord
from headstart.bundle.records.decision_records import RulesRecord
from headstart.bundle.shared_weights import SharedRecord
from headstart.cli.main import app
from headstart.results.check_codes import CHECK_CODES

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
HEAD = "<!-- Made by tools/reference.py from the code: change the text there. -->\n"
CLI_INTRO = """# The command line

Messages for people go to standard error. With `--json` standard output is exactly one JSON document, after an error
too: `{"format": 1, "error": {"problem": ..., "hint": ...}}`. Exit codes: 0 done; 1 failed; 2 something you can mend
(two lines: what is wrong, what to do).

DATA is a folder of images, a table of texts or series, or a zip of either. BUNDLE is a bundle, or the folder that
`adapt` wrote.
"""
PYTHON_INTRO = """# Python

`import headstart as hs` loads nothing heavy. `hs.read`, `hs.adapt` and `hs.Adapter` need the extra `adapt`;
`hs.load` and what it returns need the light install only. Every error that a user can mend is a
`headstart.errors.HeadstartError` with the attributes `problem` and `hint`.
"""
RESULT_INTRO = """# result.json

`headstart adapt DATA -o OUT` writes `OUT/result.json`; with `--json` the same document is printed. It has every figure
of the report and the model card. Sentences in it are English. Within a format number fields are only added; none is
removed, and none changes its meaning. A reader should ignore fields that it does not know.

```json
{
  "format": 1,
  "modality": "image",
  "task": "classification",
  "classes": ["healthy", "rust"],
  "n_rows": {"train": 160, "test": 39, "set_aside": 3},
  "chosen": "blend",
  "verdict": {
    "measure": "accuracy",
    "transfer": "helped",
    "strategy": "blend",
    "against": "classic",
    "difference": {"value": 0.118, "low": 0.059, "high": 0.175},
    "sentence": "On 39 test rows ..."
  },
  "...": "..."
}
```

Times are in seconds, log-loss is in nats, proportions and probabilities are 0 to 1. How the figures are computed:
[figures and tests](../explanation/figures.md).

The whole document is under [Result](#result); after it come the records inside it, each with its place. The documents
of [`evaluate --json`](#evaluation) and [`compare --json`](#comparison) and the [codes of findings](#codes-of-findings)
follow.
"""
BUNDLE_INTRO = """# JSON files of a bundle

Types and ranges of `manifest.json`, `config.json` and `decision.json`. A value that does not fit is refused: nothing is
converted ("3" is not a number), NaN and infinity are not numbers. Keys that are not named here are ignored. What the
files are for, and the arrays: [the bundle](bundle.md).
"""
RECORDS = (options.ReadOptions, options.AdaptOptions)


def escaped(text: str) -> str:
    """Return a text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def command_names() -> list[str]:
    """Return the names of all commands in the order of `headstart --help`, each followed by those inside it."""
    names = [info.name for info in app.registered_commands if info.name]
    for group in app.registered_groups:
        inner = group.typer_instance.registered_commands if group.typer_instance else []
        names += [str(group.name), *(f"{group.name} {info.name}" for info in inner)]
    return names


def find_command(name: str) -> click.Command:
    """Return a command by its name, such as "bases fetch"."""
    command: click.Command = typer.main.get_command(app)
    for part in name.split():
        command = command.commands[part]  # type: ignore[attr-defined]
    return command


def describe_command(name: str) -> Iterator[str]:
    """Yield the lines about one command: usage, what it does, its options as a table."""
    command = find_command(name)
    context = command.make_context(name, [], resilient_parsing=True)
    usage = command.get_usage(context).replace("Usage: ", "").replace(f"{name} ", f"headstart {name} ", 1)
    yield f"## `headstart {name}`\n"
    yield f"{(command.help or '').strip()}\n"
    yield f"```text\n{' '.join(usage.split())}\n```\n"
    yield "| option | value | default | meaning |\n|---|---|---|---|"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or "--help" in record[0]:
            continue
        label, text = record
        default = re.search(r"\[default: (.*?)\]", " ".join(text.split()))
        text = re.sub(r"\s*\[(default: .*?|required)\]", "", " ".join(text.split()))
        value = " ".join(re.findall(r"<[^>]*>|\{[^}]*\}|[A-Z]{3,}\S*|(?<= )[a-z0-9-]+(?:\|[a-z0-9-]+)+", label))
        flag = (
            ", ".join(f"`{part}`" for part in parameter.opts)
            if parameter.opts[0].startswith("-")
            else f"`{parameter.name}`"
        )
        shown = default[1] if default else ("needed" if parameter.required else "")
        yield f"| {flag} | {f'`{escaped(value)}`' if value else ''} | {escaped(shown)} | {escaped(text)} |"
    yield ""


def write_cli() -> str:
    """Return the page of the command line."""
    lines = [HEAD, CLI_INTRO]
    lines.append("| command | what it does |\n|---|---|")
    for name in command_names():
        first = (find_command(name).help or "").strip().split("\n\n")[0]
        lines.append(f"| [`headstart {name}`](#headstart-{name.replace(' ', '-')}) | {escaped(first)} |")
    lines.append("")
    for name in command_names():
        lines.extend(describe_command(name))
    return "\n".join(lines).rstrip() + "\n"


def sections(docstring: str) -> str:
    """Return a numpydoc docstring as Markdown: its sections as bold words, its examples as code."""
    text = inspect.cleandoc(docstring)
    text = re.sub(r"^(\w[\w ]*)\n-{3,}\n", r"**\1**\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"^(\*{0,2}[\w, *]+) : (.+)\n((?:    .+\n?)*)", _parameter, text, flags=re.MULTILINE)
    return re.sub(r"((?:^>>> .*\n?(?:^(?!\n).+\n?)*)+)", r"```python\n\1\n```\n", text, flags=re.MULTILINE)


def _parameter(match: re.Match[str]) -> str:
    meaning = " ".join(match[3].split())
    return f"- `{match[1]}` ({match[2]})" + (f": {meaning}" if meaning else "") + "\n"


def describe_callable(name: str, target: object, level: int = 2) -> Iterator[str]:
    """Yield the lines about a function, a method or a class with its public methods."""
    signature = str(inspect.signature(target)) if callable(target) else ""  # type: ignore[arg-type]
    signature = re.sub(r"'([^']*)'", r"\1", signature)
    yield f"{'#' * level} `{name}`\n"
    if signature:
        yield f"```text\n{name}{signature}\n```\n"
    yield sections(inspect.getdoc(target) or "") + "\n"
    if inspect.isclass(target):
        owner = name.rpartition(".")[2]
        for attribute, member in vars(target).items():
            if attribute.startswith("_"):
                continue
            if isinstance(member, property):
                yield f"{'#' * (level + 1)} `{owner}.{attribute}`\n\n{sections(inspect.getdoc(member) or '')}\n"
            elif inspect.isfunction(member) and member.__doc__ and member.__module__.startswith("headstart"):
                yield from describe_callable(f"{owner}.{attribute}", member, level + 1)


def write_python() -> str:
    """Return the page of the Python interface."""
    lines = [HEAD, PYTHON_INTRO]
    for name in sorted(headstart.__all__):
        if not name.startswith("_"):
            lines.extend(describe_callable(f"headstart.{name}", getattr(headstart, name)))
    for record in RECORDS:
        lines.append(f"## `{record.__name__}`\n\n{sections(inspect.getdoc(record) or '')}\n")
        lines.append("| field | default | meaning |\n|---|---|---|")
        for field, info in record.model_fields.items():
            default = "needed" if info.is_required() else repr(info.get_default(call_default_factory=True))
            lines.append(f"| `{field}` | `{escaped(default)}` | {escaped(info.description or '')} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def write_result() -> str:
    """Return the page of result.json and of what `evaluate` and `compare` print."""
    lines, known = [HEAD, RESULT_INTRO], set[str]()
    for record in (results.Figure, results.Result, results.Evaluation, results.Comparison):
        lines.extend(describe_records(record, known))
    lines.append("## Codes of findings\n\nMore may be added.\n")
    lines.append("| code | what it reports | what to do in general |\n|---|---|---|")
    lines += [f"| `{code}` | {escaped(item.title)} | {escaped(item.advice)} |" for code, item in CHECK_CODES.items()]
    return "\n".join(lines).rstrip() + "\n"


def write_settings() -> str:
    """Return the page of the tunable numbers."""
    return f"{HEAD}\n{describe_all_settings()}"


def write_bundle() -> str:
    """Return the page of the JSON files of a bundle."""
    lines, known = [HEAD, BUNDLE_INTRO], {"SiteFigures", "Figure"}
    files = {
        "manifest.json": ManifestRecord,
        "config.json": ConfigRecord,
        "decision.json": RulesRecord,
        "shared.json": SharedRecord,
    }
    for file, record in files.items():
        lines.append(f"## `{file}`\n")
        lines.extend(describe_records(record, known, file))
        if record is ConfigRecord:
            lines.extend(describe_records(PortableRecord, known, "config.json: portable"))
            for kind, spec in INPUT_SPECS.items():
                lines.extend(describe_records(spec, known, f"config.json: portable.inputs[].spec` of kind `{kind}"))
    return "\n".join(lines).replace("](#sitefigures)", "](result.md)").rstrip() + "\n"


PAGES = {
    "cli.md": write_cli,
    "python.md": write_python,
    "result.md": write_result,
    "bundle-files.md": write_bundle,
    "settings.md": write_settings,
}


def main() -> int:
    """Write the pages, or say which of them differ from the code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = []
    for name, write in PAGES.items():
        text = write()
        path = FOLDER / name
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(path.relative_to(ROOT).as_posix())
        elif not check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"{', '.join(stale)}: not as the code says; run `python tools/reference.py`.")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
