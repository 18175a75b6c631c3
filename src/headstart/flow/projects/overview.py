"""What a project looks like from outside: for lists of projects, without opening its examples or models."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.projects import Example, ExampleFilter, Project

_MOST_LOOKED_AT = 50


@dataclass(frozen=True, kw_only=True)
class ProjectOverview:
    """One project of a list.

    Parameters
    ----------
    id, name : str
    changed : str
        When somebody or something last changed its labels, models or jobs; else when it was made (UTC).
    n_examples, n_labelled, n_kinds : int
    readiness : str or None
        Level of the model in use; None without a model or a level.
    has_model : bool
    picture : Example or None
        The example that stands for it.
    """

    id: str
    name: str
    changed: str
    n_examples: int
    n_labelled: int
    n_kinds: int
    readiness: str | None
    has_model: bool
    picture: Example | None


def describe_project(project: Project) -> ProjectOverview:
    """Return what a list shows of a project.

    Parameters
    ----------
    project : Project
    """
    counts, model = project.count_labels(), project.get_current_model()
    examples = project.list_examples(ExampleFilter(state="in"), limit=_MOST_LOOKED_AT)
    usable = [item for item in examples if item.path is None or item.path.is_file()]
    times = [project.created, *(item.at for item in project.list_models()), *(job.at for job in project.list_jobs())]
    labelled = [item.label_at for item in examples if item.label_at]
    return ProjectOverview(
        id=project.id, name=project.name, changed=max([*times, *labelled]), n_examples=counts.n_examples,
        n_labelled=counts.n_labelled, n_kinds=len(project.list_kinds()),
        readiness=None if model is None else model.facts.get("readiness"), has_model=model is not None,
        picture=usable[0] if usable else None,
    )  # fmt: skip
