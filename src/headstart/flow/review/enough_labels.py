"""Is there enough to learn from: kinds of a project that have too few examples."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.projects import ExampleFilter, Project

FEWEST_KINDS, FEWEST_EXAMPLES = 2, 5
"""Kinds that a model tells apart at least, and examples of each that make a beginning."""


@dataclass(frozen=True)
class MissingLabels:
    """A kind with too few examples, or, without a name, kinds that are missing: how many there are and are needed."""

    kind: str
    n: int
    n_needed: int


def find_missing_labels(project: Project) -> list[MissingLabels]:
    """Return what is missing before a model can be learnt; empty where there is enough.

    Parameters
    ----------
    project : Project
    """
    if project.get_setting("task", "auto") in ("regression", "multi-label"):
        n = project.count_examples(ExampleFilter(labelled=True, state="in"))
        needed = FEWEST_KINDS * FEWEST_EXAMPLES
        return [] if n >= needed else [MissingLabels("", n, needed)]
    kinds = [kind for kind in project.list_kinds() if kind.n_labelled]
    few = [kind for kind in kinds if kind.n_labelled < FEWEST_EXAMPLES]
    missing = [MissingLabels(kind.name, kind.n_labelled, FEWEST_EXAMPLES) for kind in few]
    enough = len(kinds) - len(missing)
    if enough >= FEWEST_KINDS:
        return []
    return missing or [MissingLabels("", len(kinds), FEWEST_KINDS)]
