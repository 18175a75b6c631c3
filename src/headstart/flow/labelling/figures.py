"""What the labels of a project tell: shares of the kinds, agreement of two people, a person beside the model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

from headstart.flow.labelling.agreement import compare_labels, make_count
from headstart.flow.labelling.curve import forecast_labels
from headstart.flow.labelling.learning import take_rows
from headstart.flow.labelling.project_rows import SETTLED, list_random_answers
from headstart.flow.labelling.questions import list_reference
from headstart.flow.labelling.records import HumanReference, KindShare, LabelAgreement, LabellingAdvice
from headstart.flow.labelling.rounds import LabelRound
from headstart.projects import Project


def estimate_shares(project: Project) -> list[KindShare]:
    """Estimate how frequent the kinds are, from the examples that were asked about in random order.

    Parameters
    ----------
    project : Project

    Returns
    -------
    list of KindShare
        All kinds, and "" for examples of none of them or that people were not sure about; the most frequent first.
        Empty without such examples.
    """
    answers = list_random_answers(project)
    if not answers:
        return []
    counts = Counter(answers.values())
    kinds = [*(kind.name for kind in project.list_kinds()), *([""] if counts[""] else [])]
    shares = [KindShare(kind, make_count(counts[kind], len(answers))) for kind in kinds]
    return sorted(shares, key=lambda share: -share.count.n_hits)


def advise_more(project: Project, learnt: LabelRound) -> LabellingAdvice:
    """Advise whether more labels would tell much more.

    Parameters
    ----------
    project : Project
    learnt : LabelRound
        Examples that are put away for the check have no part in it.
    """
    judged = learnt.rows.judged
    return forecast_labels(take_rows(learnt.rows.vectors, judged), learnt.rows.codes[judged], seed=0)


def measure_agreement(project: Project) -> LabelAgreement:
    """Compare the two people who labelled most of the same examples.

    Parameters
    ----------
    project : Project

    Notes
    -----
    Each one's newest answer counts, be it the label or a second opinion; answers of the human reference do not, nor
    do those by which two people settled a difference.
    """
    answers: dict[str, dict[int, str]] = defaultdict(dict)
    for event in project.iterate_events(origin="person"):
        if event.purpose in ("label", "second") and event.answer == "label" and event.who and event.chosen != SETTLED:
            answers[event.who][event.example] = event.label or ""
    pairs = [(len(set(answers[one]) & set(answers[other])), one, other) for one, other in combinations(answers, 2)]
    n, one, other = max(pairs, key=lambda pair: pair[0], default=(0, "", ""))
    if n == 0:
        return compare_labels([], [], [])
    both = sorted(set(answers[one]) & set(answers[other]))
    agreement = compare_labels(both, [answers[one][i] for i in both], [answers[other][i] for i in both])
    return replace(agreement, people=(one, other))


def measure_human_reference(project: Project, model_answers: Mapping[int, str] | None = None) -> HumanReference:
    """Compare the blind answers of a person with the labels of the check, beside those of a model.

    Parameters
    ----------
    project : Project
    model_answers : mapping of int to str, optional
        Kind by example that the model answers.

    Notes
    -----
    An answer "not sure" or "none of these" counts as an answer that is not the label. The model is counted on the same
    examples; where it gives no answer, it is not right either.
    """
    people = {
        event.example: event.label or ""
        for event in project.iterate_events(purpose="reference")
        if event.answer != "skip"
    }
    ids = sorted(people)
    labels = {example.id: example.label for example in project.get_examples(ids)}
    ids = [number for number in ids if labels.get(number)]
    is_right = {number: people[number] == labels[number] for number in ids}
    by_model = {number: (model_answers or {}).get(number) == labels[number] for number in ids}
    return HumanReference(
        person=make_count(sum(is_right.values()), len(ids)),
        model=None if model_answers is None else make_count(sum(by_model.values()), len(ids)),
        only_person=sum(is_right[number] and not by_model[number] for number in ids) if model_answers else 0,
        only_model=sum(by_model[number] and not is_right[number] for number in ids),
        n_waiting=len(set(list_reference(project)) - set(people)),
        differing=tuple(number for number in ids if not is_right[number]),
    )
