"""`headstart project`: make a project, add data, see what it holds, bring labels out and in again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from headstart.cli.help_panels import write_epilog
from headstart.cli.surface import command, news, require_data, require_path
from headstart.errors import DataError
from headstart.options import AddDataOptions, ImportLabelsOptions, ListExamplesOptions, ProjectOptions, ReadOptions

if TYPE_CHECKING:
    from headstart.projects import Example, ImportedLabels, Project

Folder = Annotated[Path, typer.Argument(metavar="PROJECT", help="Folder of the project.")]
app = typer.Typer(
    name="project",
    help="Keep examples, labels and models in one folder.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog=write_epilog("project"),
)
_STATES: dict[str, dict[str, Any]] = {
    "in": {"state": "in"},
    "left_out": {"state": "left_out"},
    "labelled": {"labelled": True, "state": "in"},
    "open": {"answer": "", "state": "in"},
    "test": {"split": "test"},
    "train": {"split": "train"},
}
_PREVIEW = 60


@command(ProjectOptions)
def new(
    project: Folder,
    options: ProjectOptions,
    name: Annotated[str, typer.Option("--name", help="What people call it (default: the folder's name).")] = "",
) -> Any:
    """Make a project in a folder."""
    from headstart.projects import Project

    with Project.create(project, name) as opened:
        news.print(f"{opened.name} is made. Add data: headstart project add {project} DATA", markup=False)
        return {"format": 1, "folder": str(project), "name": opened.name}


@command(AddDataOptions)
def add(
    project: Folder,
    data: Annotated[Path, typer.Argument(help="Folder of images, table of texts or series, or a zip of either.")],
    options: AddDataOptions,
) -> Any:
    """Add images, texts or series, with or without labels; what is there already is not added twice."""
    from headstart import flow
    from headstart.modalities import MODALITIES
    from headstart.projects import Project

    if options.look:
        return _look_at(require_data(data), options)
    with Project.open(project) as opened:
        added = flow.add_data(opened, require_data(data), options)
        doubtful = flow.find_doubtful_examples(opened)
    many = MODALITIES[added.modality].plural
    news.print(f"{added.n_added:,} {many} added, {added.n_labelled:,} of them with a label.")
    _print_if(added.n_known, "{n:,} were there already.")
    _print_if(added.n_relabelled, "{n:,} of these got their label from this data.")
    _print_if(added.n_left_out, f"{{n:,}} cannot be read: headstart project list {project} --state left_out")
    for code, ids in doubtful.items():
        _print_if(len(ids), f"Worth a look: {{n:,}} {code.replace('_', ' ').replace('-', ' ')}.")
    return {"format": 1, **added.as_dict(), "doubtful": doubtful}


def _look_at(data: Path, options: AddDataOptions) -> Any:
    """Show what data is taken for."""
    from headstart import flow

    read_options = ReadOptions.model_validate(options.model_dump(include=set(ReadOptions.model_fields)))
    view = flow.inspect_source(data, read_options, without_labels=options.without_labels).view
    if view.problem:
        raise DataError(view.problem, view.hint)
    news.print(f"{view.n_examples:,} examples ({view.modality}), {view.n_unsorted:,} of them without an answer.")
    roles = {column.name: column.role for column in view.columns if column.role}
    news.print(", ".join(f"{name}: {role}" for name, role in roles.items()), markup=False, soft_wrap=True)
    for kind in view.kinds:
        news.print(f"  {kind.name}: {kind.n:,} ({kind.code})", markup=False)
    for doubt in view.doubts:
        amount = f" {doubt.n:,}" + (f" of {doubt.of:,}" if doubt.of else "") if doubt.n else ""
        mend = f" (--{doubt.option})" if doubt.option else ""
        news.print(f"{doubt.code}:{amount} {', '.join(doubt.names)}{mend}", markup=False, soft_wrap=True)
    return {"format": 1, **view.as_dict()}


def _print_if(n: int, text: str) -> None:
    if n:
        news.print(text.format(n=n), markup=False, soft_wrap=True)


@command(ListExamplesOptions)
def list_examples(project: Folder, options: ListExamplesOptions) -> Any:
    """List examples."""
    from headstart.projects import ExampleFilter, Project

    conditions = _STATES[options.state] if options.state else {}
    chosen = ExampleFilter(**conditions, kind=options.label, text_contains=options.contains)
    with Project.open(project) as opened:
        examples = opened.list_examples(chosen, options.offset, options.limit)
        n_all = opened.count_examples(chosen)
    _print_examples(examples)
    news.print(f"{len(examples):,} of {n_all:,}.")
    return {"format": 1, "n": n_all, "examples": list(map(_describe_example, examples))}


def _print_examples(examples: Sequence[Example]) -> None:
    from rich.table import Table

    table = Table(*("id", "name", "example", "kind", "by"), box=None)
    for item in examples:
        shape = "" if item.series is None else f"{item.series.shape[0]} x {item.series.shape[1]} values"
        preview = item.reason or item.text or shape
        answer = item.label or item.answer.replace("_", " ")
        cells = (str(item.id), item.name, preview[:_PREVIEW], answer, item.label_by or item.label_origin)
        table.add_row(*(escape(" ".join(cell.split())) for cell in cells))
    news.print(table)


def _describe_example(example: Example) -> dict[str, Any]:
    """Return the JSON document of an example; of a series only its shape."""
    document = {**vars(example), "path": None if example.path is None else str(example.path)}
    document["series"] = None if example.series is None else list(example.series.shape)
    return document


@command(ProjectOptions)
def show(project: Folder, options: ProjectOptions) -> Any:
    """Show what a project holds: examples, kinds, models."""
    from headstart.projects import Project

    with Project.open(project) as opened:
        document = _describe_project(opened)
    counts = document["counts"]
    news.print(f"[bold]{escape(document['name'])}[/bold] ({document['modality'] or 'no data yet'})")
    news.print(
        f"{counts['n_examples']:,} examples: {counts['n_labelled']:,} with a label, {counts['n_open']:,} open, "
        f"{counts['n_not_sure']:,} not sure, {counts['n_none']:,} none of the kinds, {counts['n_left_out']:,} left out."
    )
    for kind in document["kinds"]:
        sides = f"{kind['n_train']:,} to learn from, {kind['n_test']:,} for the check"
        news.print(f"  {escape(kind['name'])}: {kind['n_labelled']:,} ({sides})")
    for model in document["models"]:
        mark = ", in use" if model["is_current"] else ""
        news.print(f"Model {model['n']}: {model['state']}{mark}, {escape(model['folder'])}", soft_wrap=True)
    return document


def _describe_project(project: Project) -> dict[str, Any]:
    """Return the JSON document of a project."""
    models = [{**vars(model), "folder": str(model.folder)} for model in project.list_models()]
    return {
        "format": 1,
        "id": project.id,
        "name": project.name,
        "created": project.created,
        "revision": project.revision,
        "modality": project.get_setting("modality"),
        "counts": vars(project.count_labels()),
        "kinds": [vars(kind) for kind in project.list_kinds()],
        "sources": [vars(source) for source in project.list_sources()],
        "models": models,
    }


@command(ProjectOptions)
def labels(project: Folder, options: ProjectOptions) -> Any:
    """Write labels.csv: every example with its label, who gave it, and when."""
    from headstart.projects import Project

    with Project.open(project) as opened:
        path = opened.export_labels()
        n_examples = opened.count_examples()
    news.print(f"{n_examples:,} examples in {path}. Edit the label column, then:", markup=False, soft_wrap=True)
    news.print(f"headstart project import-labels {project} {path} --who NAME", markup=False, soft_wrap=True)
    return {"format": 1, "path": str(path), "n_examples": n_examples}


@command(ImportLabelsOptions)
def import_labels(
    project: Folder,
    file: Annotated[Path, typer.Argument(help="An edited labels.csv, or a workbook with its columns.")],
    options: ImportLabelsOptions,
) -> Any:
    """Take the labels that somebody changed in labels.csv into the project, under that person's name."""
    from headstart.projects import Project

    with Project.open(project) as opened:
        done = opened.import_labels(
            require_path(file), options.who, adds_kinds=options.new_kinds, replaces=options.replace
        )
    _print_import(done)
    return {"format": 1, **vars(done), "conflicts": [vars(item) for item in done.conflicts]}


def _print_import(done: ImportedLabels) -> None:
    from headstart.errors import list_offenders

    news.print(f"{done.n_changed:,} of {done.n_rows:,} changed, {done.n_unchanged:,} as they were.")
    notes = {
        "Not in this project: {}.": done.unknown_rows,
        "The label was deleted, which changes nothing (write not_sure or none under answer): {}.": done.emptied,
        "No kinds of this project, not taken (--new-kinds takes them): {}.": tuple(done.unknown_kinds),
        "Answered anew since the file was written, not taken (--replace takes them): {}.": tuple(
            item.name for item in done.conflicts
        ),
    }
    for text, names in notes.items():
        if names:
            news.print(text.format(list_offenders(names)), markup=False, soft_wrap=True)


for name, body in {
    "new": new,
    "add": add,
    "list": list_examples,
    "show": show,
    "labels": labels,
    "import-labels": import_labels,
}.items():
    app.command(name=name)(body)
