"""A project and its index of vectors as arrays: which row is which example, and what was answered about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.flow.labelling.learning import Vectors
from headstart.index import VectorIndex
from headstart.projects import ExampleFilter, Project
from headstart.records import Index

LEARNT_ORIGINS = ("person", "import")
"""Whose labels are learnt from; a model's own are not."""
RANDOM = "random"
"""`NewLabel.chosen` of examples that were asked about in random order."""
SETTLED = "settled"
"""`NewLabel.chosen` of answers by which two people settled a difference: they say nothing of how far they agree."""
ALL_IN = ExampleFilter(state="in")


@dataclass(frozen=True, kw_only=True)
class ProjectRows:
    """The rows of an index, and what the project knows of them.

    Parameters
    ----------
    ids : array of int64, shape (n_rows,)
        Examples; -1 where the project has none.
    vectors : Vectors, shape (n_rows, n_dims)
    kinds : tuple of str
        In the order of the project.
    codes : Index, shape (n_rows,)
        Kind by a person or from the data; -1 without.
    is_in, is_test : array of bool, shape (n_rows,)
        Not left out; put away for the check.
    """

    ids: NDArray[np.int64]
    vectors: Vectors
    kinds: tuple[str, ...]
    codes: Index
    is_in: NDArray[np.bool_]
    is_test: NDArray[np.bool_]

    @property
    def judged(self) -> Index:
        """Rows that may be learnt from."""
        return np.flatnonzero((self.codes >= 0) & self.is_in & ~self.is_test)

    def find(self, examples: Sequence[int]) -> Index:
        """Return the rows of examples, in their order, without those that have no vector.

        Parameters
        ----------
        examples : sequence of int
        """
        order = np.argsort(self.ids, kind="stable")
        numbers = np.asarray(examples, dtype=np.int64)
        if len(order) == 0 or len(numbers) == 0:
            return np.empty(0, dtype=np.intp)
        places = np.minimum(np.searchsorted(self.ids[order], numbers), len(order) - 1)
        rows = order[places]
        return np.asarray(rows[self.ids[rows] == numbers], dtype=np.intp)


def read_project_rows(project: Project, index: VectorIndex) -> ProjectRows:
    """Return what the project knows of the rows of its index.

    Parameters
    ----------
    project : Project
    index : VectorIndex
        Its ids are those of examples.
    """
    ids = np.asarray([int(name) if name.isdecimal() else -1 for name in index.ids], dtype=np.int64)
    listed = project.list_kinds()
    kinds = tuple(kind.name for kind in listed)
    codes = np.full(len(ids), -1, dtype=np.intp)
    blank = ProjectRows(
        ids=ids,
        vectors=index.vectors,
        kinds=kinds,
        codes=codes,
        is_in=np.isin(ids, project.list_ids(ALL_IN)),
        is_test=np.isin(ids, project.list_ids(ExampleFilter(split="test"))),
    )
    for code, kind in enumerate(listed):
        for origin in LEARNT_ORIGINS if kind.n_labelled else ():
            chosen = ExampleFilter(kind=kind.name, labelled=True, state="in", origin=origin)
            codes[blank.find(project.list_ids(chosen))] = code
    return blank


def list_random_answers(project: Project) -> dict[int, str]:
    """Return the examples that were asked about in random order, with the kind that holds now ("" without one).

    Parameters
    ----------
    project : Project

    Notes
    -----
    These estimate the shares of the kinds, and are the ones to put away for the check first. Not sure and none of these
    are answers, too; a skipped example is not.
    """
    answers: dict[int, str] = {}
    for event in project.iterate_events(origin="person", purpose="label"):
        if event.answer != "skip" and (event.chosen == RANDOM or event.example in answers):
            answers[event.example] = event.label or ""
    present = set(project.list_ids(ExampleFilter(state="in", ids=list(answers))))
    return {example: label for example, label in answers.items() if example in present}
