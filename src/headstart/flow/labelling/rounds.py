"""One round: learn from the labels so far, and guess all other examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from headstart.flow.labelling.agreement import make_count
from headstart.flow.labelling.choosing import LabelledRows
from headstart.flow.labelling.kind_vectors import open_kind_vectors
from headstart.flow.labelling.learning import Guesses, guess_kinds
from headstart.flow.labelling.project_rows import ProjectRows, list_random_answers, read_project_rows
from headstart.flow.labelling.records import ExampleChoice, LabelCount
from headstart.flow.labelling.settings import SETTINGS
from headstart.flow.labelling.zero_shot import guess_by_names, mark_clear_names, score_names
from headstart.index import VectorIndex
from headstart.projects import Project
from headstart.records import FloatMatrix, Index


@dataclass(frozen=True, kw_only=True)
class LabelRound:
    """What is learnt from the labels so far.

    Parameters
    ----------
    state : str
        "nothing" (no guesses are possible), "names" (guesses by the kinds' names), "too-early" (guesses from very few
        labels), or "learnt".
    took_over : bool
        Whether labels do better than the kinds' names, which were used before.
    n_judged : int
        Labelled examples that were learnt from; none of those that are put away for the check.
    counts : mapping of str to int
        Of them, by kind; all kinds of the project.
    right : LabelCount or None
        Examples asked about in random order that were guessed right, each without its own label; None without such.
    n_unguessed : int
        Of these, examples without a guess.
    rows : ProjectRows
    probabilities : FloatMatrix, shape (n_rows, n_kinds)
    has_guess : array of bool, shape (n_rows,)
    revision : int
        Of the project when this was learnt.
    queue : list of ExampleChoice
        Useful examples that were chosen in this round and not yet handed out; `choose_next` fills and empties it.
    """

    state: str
    took_over: bool
    n_judged: int
    counts: Mapping[str, int]
    right: LabelCount | None
    n_unguessed: int
    rows: ProjectRows = field(repr=False)
    probabilities: FloatMatrix = field(repr=False)
    has_guess: NDArray[np.bool_] = field(repr=False)
    revision: int
    queue: list[ExampleChoice] = field(default_factory=list, repr=False)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds, in the order of the project."""
        return self.rows.kinds

    @cached_property
    def guesses(self) -> Mapping[int, tuple[str, float]]:
        """Guessed kind and its probability (0-1) by example, labelled ones included."""
        rows = np.flatnonzero(self.has_guess & self.rows.is_in)
        best = self.probabilities[rows].argmax(axis=1) if len(rows) else np.empty(0, dtype=np.intp)
        certainty = self.probabilities[rows, best]
        names = [self.kinds[code] for code in best]
        return dict(zip(self.rows.ids[rows].tolist(), zip(names, certainty.tolist(), strict=True), strict=True))

    def describe_rows(self) -> LabelledRows:
        """Return what choosing the next examples needs."""
        judged = self.rows.judged
        return LabelledRows(
            vectors=self.rows.vectors, judged=judged, codes=self.rows.codes[judged], probabilities=self.probabilities
        )


def learn_round(project: Project, index: VectorIndex, names: VectorIndex | None = None) -> LabelRound:
    """Learn from the labels so far, and guess all examples.

    Parameters
    ----------
    project : Project
    index : VectorIndex
        Of the examples: `headstart embed PROJECT`.
    names : VectorIndex or None
        Of the kinds' names and descriptions, by the same base; None: those that `label --codes` stored, if any.

    Returns
    -------
    LabelRound
    """
    revision = project.revision
    rows = read_project_rows(project, index)
    judged = rows.judged
    codes = rows.codes[judged]
    counts = np.bincount(codes, minlength=len(rows.kinds))
    by_labels = guess_kinds(rows.vectors, judged, codes, len(rows.kinds)) if (counts > 0).sum() > 1 else None
    names = names or open_kind_vectors(project, index)
    by_names = None if names is None else _guess_from_names(rows, names)
    round_state = _decide(rows, judged, by_labels, by_names)
    right, n_unguessed = _count_right(project, rows, round_state)
    return LabelRound(
        state=round_state.state,
        took_over=round_state.state in ("learnt", "too-early") and by_names is not None,
        n_judged=len(judged),
        counts=dict(zip(rows.kinds, counts.tolist(), strict=True)),
        right=right,
        n_unguessed=n_unguessed,
        rows=rows,
        probabilities=round_state.probabilities,
        has_guess=round_state.has_guess,
        revision=revision,
    )


@dataclass(frozen=True)
class _Decision:
    """Which guesses are used, and for judged rows those that did not see their own label."""

    state: str
    probabilities: FloatMatrix
    has_guess: NDArray[np.bool_]
    unseen: FloatMatrix


def _decide(rows: ProjectRows, judged: Index, by_labels: Guesses | None, by_names: _Decision | None) -> _Decision:
    """Let the labels guess once they do better, out of fold, than the names of the kinds."""
    n_rows = len(rows.ids)
    if by_labels is None:
        empty = np.zeros((n_rows, len(rows.kinds)), dtype=np.float32)
        return by_names or _Decision("nothing", empty, np.zeros(n_rows, dtype=bool), empty)
    unseen = by_labels.probabilities.copy()
    unseen[by_labels.judged] = by_labels.out_of_fold
    is_early = by_labels.method != "head"
    learnt = _Decision(
        "too-early" if is_early else "learnt", by_labels.probabilities, np.ones(n_rows, dtype=bool), unseen
    )
    if by_names is None:
        return learnt
    codes = rows.codes[judged]
    has_enough = len(judged) >= SETTINGS.head_labels * len(np.unique(codes))
    return (
        learnt if has_enough and _count_hits(learnt, judged, codes) > _count_hits(by_names, judged, codes) else by_names
    )


def _count_hits(decision: _Decision, judged: Index, codes: Index) -> int:
    guesses = np.nan_to_num(decision.unseen[judged], nan=-1.0)
    return int((guesses.argmax(axis=1) == codes)[guesses.max(axis=1) > 0].sum())


def _guess_from_names(rows: ProjectRows, names: VectorIndex) -> _Decision | None:
    """Guess by the names that have a vector; None where fewer than two have."""
    places = [names.find_row(kind) for kind in rows.kinds]
    columns = [code for code, place in enumerate(places) if place is not None]
    if len(columns) < 2 or names.vectors.shape[1] != rows.vectors.shape[1]:
        return None
    vectors = np.asarray(names.vectors[[place for place in places if place is not None]], dtype=np.float32)
    scores = score_names(rows.vectors, vectors)
    judged = rows.judged[np.isin(rows.codes[rows.judged], columns)]
    probabilities = np.zeros((len(rows.ids), len(rows.kinds)), dtype=np.float32)
    probabilities[:, columns] = guess_by_names(scores, judged, np.searchsorted(columns, rows.codes[judged]))
    return _Decision("names", probabilities, mark_clear_names(scores), probabilities)


def _count_right(project: Project, rows: ProjectRows, decision: _Decision) -> tuple[LabelCount | None, int]:
    """Count examples asked about in random order that were guessed right without their own label."""
    answers = {example: label for example, label in list_random_answers(project).items() if label in rows.kinds}
    examples = [example for example in answers if len(rows.find([example]))]
    if not examples or decision.state == "nothing":
        return None, 0
    places = rows.find(examples)
    unseen = decision.unseen[places]
    is_guessed = decision.has_guess[places] & np.isfinite(unseen).all(axis=1)
    codes = np.asarray([rows.kinds.index(answers[example]) for example in examples])
    hits = is_guessed & (np.nan_to_num(unseen, nan=-1.0).argmax(axis=1) == codes)
    return make_count(int(hits.sum()), len(examples)), int((~is_guessed).sum())
