"""What the Label screen asks of a project and of its newest round, as JSON."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from headstart.errors import HeadstartError
from headstart.flow.labelling.figures import estimate_shares, measure_agreement, measure_human_reference
from headstart.flow.labelling.model_answers import read_model_answers
from headstart.flow.labelling.project_rows import SETTLED
from headstart.flow.labelling.questions import list_cohorts, order_by_likeness
from headstart.flow.labelling.rounds import LabelRound
from headstart.flow.labelling.searching import search_examples
from headstart.index import VectorIndex
from headstart.projects import Example, ExampleFilter, Project
from headstart.projects.places import VECTORS
from headstart.report.messages import translate, translate_count
from headstart.studio.context import StudioContext
from headstart.studio.example_json import describe_example
from headstart.studio.screens.label_answers import choose_form, find_task, list_kind_buttons, split_label
from headstart.studio.screens.label_choice import BLIND, NextRequest, list_for_second, pick_examples
from headstart.studio.screens.label_operations import (
    LabelBatch,
    LabelGuess,
    LabelOutcome,
    may_show_guess,
    read_note,
)
from headstart.studio.screens.label_rounds import SETTINGS, ProjectRounds, RoundKeeper, has_enough, read_index
from headstart.studio.screens.label_words import (
    describe_advice,
    describe_agreement,
    describe_cohort,
    describe_learning,
    describe_progress,
    describe_reference,
    describe_shares,
)

REVEALING = frozenset({"kind", "answer", "label_by", "label_origin", "group"})
"""Fields of an example that tell, or hint at, what somebody answered."""
RESERVED_SECONDS = 300.0
"""An example that one page has fetched is not offered to another meanwhile."""
MOST_SPARE, MOST_DIFFERING, MOST_HITS, MOST_ORDERED = 200, 50, 300, 10_000


class LabelQueries:
    """Questions of the pages of one Studio.

    Parameters
    ----------
    context : StudioContext
    keeper : RoundKeeper
    """

    def __init__(self, context: StudioContext, keeper: RoundKeeper) -> None:
        self.context, self.keeper = context, keeper
        self._reserved: dict[tuple[str, int], tuple[str, float]] = {}
        self._lock = threading.Lock()

    def learn_if_due(self, project: Project) -> None:
        """Begin a round in the background if one is due and the task has kinds."""
        if find_task(project).has_one_class:
            self.keeper.learn_if_due(project)

    def find_shown_round(self, project: Project) -> LabelRound | None:
        """Return the newest round if its guesses are worth showing, else None.

        Parameters
        ----------
        project : Project
        """
        last = self.keeper.find(project).last
        return last if last is not None and last.state != "nothing" and has_enough(project) else None

    def add_guesses(self, project: Project, batch: LabelBatch, outcomes: Sequence[LabelOutcome]) -> None:
        """Add to stored answers what the newest round would have answered.

        Parameters
        ----------
        project : Project
        batch : LabelBatch
        outcomes : sequence of LabelOutcome
            One an operation of the batch.
        """
        newest = self.find_shown_round(project)
        for operation, outcome in zip(batch.operations, outcomes, strict=True):
            guess = newest.guesses.get(operation.examples[0]) if newest and may_show_guess(operation) else None
            outcome.guess = LabelGuess(label=guess[0], probability=guess[1]) if guess else None

    def read_state(self, project: Project) -> dict[str, Any]:
        """Return counts, kinds and what the background does, as JSON.

        Parameters
        ----------
        project : Project
        """
        task, counts, rounds = find_task(project), project.count_labels(), self.keeper.find(project)
        advice = rounds.advice
        enough = has_enough(project) if not task.is_number else counts.n_labelled > 0
        return {
            "kinds": [vars(kind) for kind in list_kind_buttons(project, task)],
            "form": choose_form(task),
            "n_labelled": counts.n_labelled,
            "n_examples": counts.n_examples,
            "counter": describe_progress(counts.n_labelled, advice),
            "advice": describe_advice(advice),
            "can_learn": enough,
            "has_guesses": self.find_shown_round(project) is not None,
            "round": rounds.number,
            "is_learning": rounds.is_learning,
            "round_words": rounds.problem
            or describe_learning(
                rounds.n_labels, SETTINGS.labels_a_kind, is_learning=rounds.is_learning, has_enough=enough
            ),
            "vectors": describe_vectors(project),
            **describe_shares(estimate_shares(project) if task.has_one_class else []),
        }

    def choose_next(self, project: Project, request: NextRequest) -> list[dict[str, Any]]:
        """Return as JSON the examples that a page shows next; those that other pages have are left to them.

        Parameters
        ----------
        project : Project
        request : NextRequest
        """
        rounds, busy = self.keeper.find(project), set(request.except_)
        embed_if_needed(self.context, project, rounds)
        self.learn_if_due(project)
        reserved = set() if request.mode in BLIND else set(self._list_reserved(project, request.client))
        n = min(request.n + len(busy | reserved), MOST_SPARE)
        with rounds.lock:  # A round hands out its useful examples from one queue.
            choices = pick_examples(project, rounds.last, n, request)
        chosen = {choice.id: choice for choice in choices if choice.id not in busy}
        ids = sorted(chosen, key=lambda number: number in reserved)[: request.n]  # The last ones go to everybody.
        self._reserve(project, request.client, ids)
        items = self.describe_examples(project, ids, request.who, request.mode)
        return [{**item, "chosen": chosen[item["id"]].chosen} for item in items]

    def _list_reserved(self, project: Project, client: str) -> list[int]:
        now = time.monotonic()
        with self._lock:
            self._reserved = {key: value for key, value in self._reserved.items() if value[1] > now}
            return [number for (name, number), (owner, _) in self._reserved.items()
                    if name == project.id and owner != client]  # fmt: skip

    def _reserve(self, project: Project, client: str, ids: Iterable[int]) -> None:
        until = time.monotonic() + RESERVED_SECONDS
        with self._lock:
            self._reserved.update({(project.id, number): (client, until) for number in ids})

    def describe_examples(self, project: Project, ids: Sequence[int], who: str, mode: str) -> list[dict[str, Any]]:
        """Return examples as JSON, with what this person said of them so far.

        Parameters
        ----------
        project : Project
        ids : sequence of int
        who, mode : str
        """
        task, last = find_task(project), self.find_shown_round(project)
        items = []
        for example in project.get_examples(ids):
            item = describe_example(project.id, example)
            if mode in BLIND:
                item = {key: item[key] for key in item if key not in REVEALING}
                items.append({**item, **_read_blind_answer(project, example, who, BLIND[mode])})
                continue
            labels = split_label(example.label, task) if example.label else []
            item |= {"answer": example.answer, "labels": labels, "note": read_note(project, example.id)}
            item["guess"] = _find_review_guess(last, example.id) if mode == "review" else None
            items.append(item)
        return items

    def order_examples(self, project: Project, words: str, example: int | None) -> dict[str, Any]:
        """Return ids as JSON: all unlabelled examples by likeness, or what is most like words or one example.

        Parameters
        ----------
        project : Project
        words : str
        example : int or None
        """
        index = read_index(project, self.keeper.find(project))
        unlabelled = project.list_ids(ExampleFilter(state="in", labelled=False))
        title = ""
        if words or example is not None:
            ids = find_examples(project, index, words or example or 0)
            chosen = [number for number in ids if number != example]
            return {"ids": chosen, "title": ""}
        if index is None:
            title = translate("They are ordered by likeness once all were looked at.")
        else:
            unlabelled = order_by_likeness(project, index, unlabelled[:MOST_ORDERED]) + unlabelled[MOST_ORDERED:]
        counted = translate_count("{n} without a label.", "{n} without a label.", len(unlabelled))
        return {"ids": unlabelled, "title": " ".join(part for part in (counted, title) if part)}

    def list_cohorts(self, project: Project, who: str) -> list[dict[str, Any]]:
        """Return as JSON groups of unlabelled examples that the last round is sure of.

        Parameters
        ----------
        project : Project
        who : str
        """
        last = self.find_shown_round(project)
        if last is None:
            return []
        return [
            {
                "kind": cohort.kind, "probability": cohort.mean_probability,
                "title": describe_cohort(cohort.kind, len(cohort.ids)),
                "examples": self.describe_examples(project, cohort.ids, who, ""),
            }
            for cohort in list_cohorts(project, last)
        ]  # fmt: skip

    def compare_people(self, project: Project, who: str) -> dict[str, Any]:
        """Return as JSON the agreement of two people, where they differ, and the human reference.

        Parameters
        ----------
        project : Project
        who : str
        """
        agreement = measure_agreement(project)
        reference = measure_human_reference(project, read_model_answers(project) or None)
        ids = [number for number in agreement.differing if not is_settled(project, number)][:MOST_DIFFERING]
        differing = [
            {"example": item, "answers": list_answers(project, item["id"])}
            for item in self.describe_examples(project, ids, who, "")
        ]
        return {
            "agreement": {**describe_agreement(agreement), "differing": differing},
            "can_be_second": bool(list_for_second(project, who, 1)),
            "reference": describe_reference(reference),
        }


def describe_vectors(project: Project) -> dict[str, Any]:
    """Return as JSON the job that looks at all examples once; no words where none is needed.

    Parameters
    ----------
    project : Project
    """
    jobs = [job for job in project.list_jobs() if job.kind == VECTORS]
    if not jobs or jobs[-1].state in {"done", "cancelled"}:
        return {"job": None, "words": "", "share": None}
    if jobs[-1].state == "failed":
        words = translate("It could not look at all examples. You can label all the same; open Learn to see why.")
        return {"job": None, "words": words, "share": None}
    words = translate("It looks at all examples once, so that it can learn while you label.")
    return {"job": jobs[-1].id, "words": words, "share": jobs[-1].facts.get("share")}


def embed_if_needed(context: StudioContext, project: Project, rounds: ProjectRounds) -> None:
    """Start the job that computes the vectors of a project, once for each number of examples.

    Parameters
    ----------
    context : StudioContext
    project : Project
    rounds : ProjectRounds
        Keeps for how many examples the job was started.
    """
    n_examples = project.count_labels().n_examples
    index = read_index(project, rounds)
    n_vectors = len(index) if index is not None else 0
    if n_vectors < n_examples and rounds.n_embedded != n_examples:
        rounds.n_embedded = n_examples
        context.jobs.submit(project, VECTORS, ["embed", str(project.folder)])


def find_examples(project: Project, index: VectorIndex | None, query: str | int) -> list[int]:
    """Return the examples most like words or one example; while that cannot be known, those that hold the words.

    Parameters
    ----------
    project : Project
    index : VectorIndex or None
    query : str or int
        Words, or the id of an example.
    """
    with suppress(HeadstartError):  # Such as a base that is not on this machine.
        if index is not None:
            return search_examples(project, index, query, MOST_HITS, is_offline=True)
    words = ExampleFilter(state="in", text_contains=query if isinstance(query, str) else None)
    return project.list_ids(words, limit=MOST_HITS) if isinstance(query, str) else []


def is_settled(project: Project, example: int) -> bool:
    """Return whether people have decided between their answers."""
    return any(event.chosen == SETTLED and not event.undone for event in project.list_events(example))


def list_answers(project: Project, example: int) -> list[dict[str, Any]]:
    """Return as JSON what each person said of an example, the newest answer of each.

    Parameters
    ----------
    project : Project
    example : int
    """
    task = find_task(project)
    latest = {
        event.who: event
        for event in project.list_events(example)
        if event.origin == "person" and not event.undone and event.answer in {"label", "none"}
    }
    return [
        {
            "who": event.who, "answer": event.answer,
            "labels": split_label(event.label, task) if event.label else [],
            "words": translate("{kind} ({who})", kind=event.label or translate("None of these"), who=event.who),
        }
        for event in latest.values()
    ]  # fmt: skip


def _read_blind_answer(project: Project, example: Example, who: str, purpose: str) -> dict[str, Any]:
    """Return as JSON what a person answered for a purpose."""
    own = [event for event in project.list_events(example.id)
           if event.who == who and event.purpose == purpose and not event.undone]  # fmt: skip
    labels = split_label(own[-1].label, find_task(project)) if own and own[-1].label else []
    return {"answer": own[-1].answer if own else "", "labels": labels, "note": "", "guess": None}


def _find_review_guess(label_round: LabelRound | None, example: int) -> dict[str, Any] | None:
    """Return as JSON what the round guesses."""
    guess = label_round.guesses.get(example) if label_round else None
    return {"label": guess[0], "probability": float(guess[1])} if guess else None
