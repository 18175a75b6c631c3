"""What to ask a person next, and which examples to lay side by side: over a project, its index and a round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from headstart.errors import make_unknown_name
from headstart.flow.labelling.choosing import choose_useful
from headstart.flow.labelling.likeness import find_alike, group_sure_rows, order_rows
from headstart.flow.labelling.project_rows import ALL_IN, RANDOM, list_random_answers, read_project_rows
from headstart.flow.labelling.records import Cohort, ExampleChoice
from headstart.flow.labelling.rounds import LabelRound
from headstart.flow.labelling.settings import SETTINGS
from headstart.index import VectorIndex
from headstart.projects import ExampleFilter, Project
from headstart.records import Index

OPEN = ExampleFilter(state="in", answer="")


def choose_next(project: Project, learnt: LabelRound, n: int = 1, mode: str = "useful") -> list[int]:
    """Return the examples to ask about next.

    Parameters
    ----------
    project : Project
        As it is now: what was answered since the round is left out.
    learnt : LabelRound
    n : int
    mode : str
        "useful", "random", "review" or "human_reference".

    Returns
    -------
    list of int
        At most n ids. `choose_examples` also says why.
    """
    return [choice.id for choice in choose_examples(project, learnt, n, mode)]


def choose_examples(project: Project, learnt: LabelRound, n: int = 1, mode: str = "useful") -> list[ExampleChoice]:
    """Return the examples to ask about next, and how each was chosen.

    Parameters
    ----------
    project : Project
    learnt : LabelRound
    n : int
    mode : str
        "useful": the first 20 of a project in random order, then those whose labels tell most; "random"; "review": the
        surest guesses first; "human_reference": examples of the check, for a person who does not see their label.

    Raises
    ------
    UnknownName
        There is no such mode.
    """
    if mode not in MODES:
        raise make_unknown_name("mode", mode, list(MODES))
    return MODES[mode](project, learnt, n)


def _choose_random(project: Project, learnt: LabelRound, n: int) -> list[ExampleChoice]:
    put_away = set(project.list_ids(replace(OPEN, split="test")))  # Unlabelled ones of the check: not learnt from.
    ids = project.list_ids(OPEN, limit=n + len(put_away), order="random")
    ids = [number for number in ids if number not in put_away][:n]
    if len(ids) < n:
        ids += _list_returning(project)[: n - len(ids)]
    return [ExampleChoice(number, RANDOM) for number in ids]


def _choose_useful(project: Project, learnt: LabelRound, n: int) -> list[ExampleChoice]:
    n_random = max(0, SETTINGS.first_random - len(list_random_answers(project)))
    choices = _choose_random(project, learnt, min(n, n_random)) if n_random else []
    if len(choices) == n:
        return choices
    taken = {choice.id for choice in choices}
    useful = _take_from_queue(project, learnt, taken)
    if len(useful) < n - len(choices):
        taken.update(choice.id for choice in useful)
        _fill_queue(project, learnt, taken, n - len(choices))
        useful += _take_from_queue(project, learnt, taken)
    return choices + useful[: n - len(choices)]


def _take_from_queue(project: Project, learnt: LabelRound, taken: set[int]) -> list[ExampleChoice]:
    """Return what the queue holds that nobody has answered since; the queue keeps it until it is answered."""
    waiting = [choice.id for choice in learnt.queue]
    still_open = set(project.list_ids(ExampleFilter(state="in", ids=waiting))) - _list_answered(project, waiting)
    learnt.queue[:] = [choice for choice in learnt.queue if choice.id in still_open]
    return [choice for choice in learnt.queue if choice.id not in taken]


def _list_answered(project: Project, ids: Sequence[int]) -> set[int]:
    """Return which examples have an answer, or were skipped a short while ago."""
    is_open = set(project.list_ids(ExampleFilter(answer="", ids=ids)))
    return set(ids) - is_open - set(_list_returning(project))


def _list_returning(project: Project) -> list[int]:
    """Return skipped examples that come back: so many other answers were given since, the longest ago first."""
    skipped = project.list_ids(ExampleFilter(state="in", answer="skip"))
    if not skipped:
        return []
    n_since = dict.fromkeys(skipped, 0)
    n_answers = 0
    for event in project.iterate_events(purpose="label"):
        n_answers += event.answer != "skip"
        if event.answer == "skip" and event.example in n_since:
            n_since[event.example] = n_answers
    back = [number for number in skipped if n_answers - n_since[number] >= SETTINGS.skip_pause]
    return sorted(back, key=lambda number: n_since[number])


def _fill_queue(project: Project, learnt: LabelRound, taken: set[int], n: int) -> None:
    """Choose more useful examples; those answered since the round count as known, so nothing like them comes again."""
    open_ids = set(project.list_ids(OPEN)) | set(_list_returning(project))
    open_ids -= taken | {choice.id for choice in learnt.queue}
    rows = learnt.rows
    may_be_used = rows.is_in & ~rows.is_test
    is_candidate = np.isin(rows.ids, list(open_ids)) & may_be_used
    known = learnt.describe_rows()
    is_candidate[known.judged] = False
    is_answered = may_be_used & ~is_candidate
    is_answered[known.judged] = False
    known = replace(known, answered=np.flatnonzero(is_answered))
    picks = choose_useful(known, np.flatnonzero(is_candidate), max(n, SETTINGS.queue_rows), seed=learnt.revision)
    learnt.queue.extend(ExampleChoice(int(rows.ids[pick.row]), "useful", pick.reason) for pick in picks)


def _choose_for_review(project: Project, learnt: LabelRound, n: int) -> list[ExampleChoice]:
    rows = _list_unanswered_rows(project, learnt)
    order = np.argsort(-learnt.probabilities[rows].max(axis=1, initial=0.0), kind="stable")[:n]
    return [ExampleChoice(number, "review") for number in learnt.rows.ids[rows[order]].tolist()]


def _list_unanswered_rows(project: Project, learnt: LabelRound) -> Index:
    """Return the rows with a guess that no person has answered; none of those put away for the check."""
    open_ids = project.list_ids(OPEN) + project.list_ids(ExampleFilter(state="in", origin="model"))
    return np.flatnonzero(np.isin(learnt.rows.ids, open_ids) & learnt.has_guess & ~learnt.rows.is_test)


def _choose_reference(project: Project, learnt: LabelRound, n: int) -> list[ExampleChoice]:
    answered = {event.example for event in project.iterate_events(purpose="reference")}
    waiting = [number for number in list_reference(project) if number not in answered]
    return [ExampleChoice(number, "reference") for number in waiting[:n]]


def list_reference(project: Project) -> list[int]:
    """Return the examples of the human reference: labelled ones of the check, drawn by chance.

    Parameters
    ----------
    project : Project
    """
    chosen = ExampleFilter(state="in", split="test", labelled=True)
    return project.list_ids(chosen, limit=SETTINGS.reference_rows, order="random")


MODES: Mapping[str, Callable[[Project, LabelRound, int], list[ExampleChoice]]] = {
    "useful": _choose_useful,
    "random": _choose_random,
    "review": _choose_for_review,
    "human_reference": _choose_reference,
}


def list_cohorts(project: Project, learnt: LabelRound) -> list[Cohort]:
    """Return groups of alike examples with one sure guess, the surest first.

    Parameters
    ----------
    project : Project
    learnt : LabelRound
        Nothing is proposed while it is too early.
    """
    if learnt.state != "learnt":
        return []
    rows = _list_unanswered_rows(project, learnt)
    best = learnt.probabilities[rows].argmax(axis=1)
    certainty = learnt.probabilities[rows].max(axis=1, initial=0.0).astype(np.float64)
    cohorts = []
    for code in np.unique(best):
        mine = best == code
        for members in group_sure_rows(learnt.rows.vectors, rows[mine], certainty[mine]):
            mean = float(learnt.probabilities[members, code].mean())
            cohorts.append(Cohort(learnt.kinds[code], tuple(learnt.rows.ids[members].tolist()), mean))
    return sorted(cohorts, key=lambda cohort: -cohort.mean_probability)[: SETTINGS.most_cohorts]


def order_by_likeness(
    project: Project, index: VectorIndex, ids: Sequence[int] | None = None, seed_id: int | None = None
) -> list[int]:
    """Order examples so that neighbours are alike, or by likeness to one.

    Parameters
    ----------
    project : Project
    index : VectorIndex
    ids : sequence of int, optional
        All that are not left out.
    seed_id : int, optional
        The example to begin with.

    Returns
    -------
    list of int
        Examples without a vector come last.
    """
    numbers = project.list_ids(ALL_IN) if ids is None else list(ids)
    rows = read_project_rows(project, index)
    places = rows.find(numbers)
    seed = rows.find([] if seed_id is None else [seed_id])
    if len(seed):
        places, _ = find_alike(rows.vectors, np.asarray(rows.vectors[seed[0]]), places, len(places))
    else:
        places = order_rows(rows.vectors, places)
    ordered: list[int] = rows.ids[places].tolist()
    present = set(ordered)
    return ordered + [number for number in numbers if number not in present]
