"""Labelling rounds over a project: what is learnt, what is asked next, what the labels tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.errors import HeadstartError
from headstart.flow.labelling import figures, kind_names, questions, rounds, searching
from headstart.flow.labelling.coding_frames import KindDescription, store_kinds
from headstart.flow.labelling.kind_vectors import open_kind_vectors
from headstart.index import IndexFacts, VectorIndex
from headstart.projects import NewExample, NewLabel, Project
from headstart.records import Table

KINDS = ("rust", "blight", "healthy")
N = 240


def make_index(ids: Sequence[str], vectors: np.ndarray) -> VectorIndex:
    about = IndexFacts(modality="text", base="b", base_name="b", fingerprint="f", n_rows=len(ids), n_dims=16)
    return VectorIndex(ids=list(ids), vectors=vectors.astype(np.float16), about=about)


def make_vectors(codes: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    vectors = 2.0 * np.eye(3, 16)[codes] + 0.5 * rng.normal(size=(len(codes), 16))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "leaves", "Leaves") as made:
        made.add_examples(
            [NewExample(name=f"row {at}", content_hash=f"{at:064d}", text=f"text {at}") for at in range(N)]
        )
        for kind in KINDS:
            made.add_kind(kind)
        yield made


@pytest.fixture
def index(project: Project) -> VectorIndex:
    ids = project.list_ids()
    return make_index([str(number) for number in ids], make_vectors(np.arange(N) % 3))


def name_truth(example: int) -> str:
    return KINDS[(example - 1) % 3]


def answer(
    project: Project, ids: Sequence[int], who: str = "Amina", chosen: str = "random", purpose: str = "label"
) -> None:
    labels = [NewLabel(example=one, label=name_truth(one), who=who, chosen=chosen, purpose=purpose) for one in ids]
    project.add_labels(labels)


def skip(project: Project, example: int) -> None:
    project.add_labels([NewLabel(example=example, answer="skip", who="Amina", chosen="random")])


def test_without_labels_there_are_no_guesses_and_the_first_twenty_are_random(
    project: Project, index: VectorIndex
) -> None:
    learnt = rounds.learn_round(project, index)
    assert (learnt.state, learnt.n_judged, learnt.right, dict(learnt.guesses)) == ("nothing", 0, None, {})
    choices = questions.choose_examples(project, learnt, 30)
    assert [choice.chosen for choice in choices] == ["random"] * 20 + ["useful"] * 10
    assert len({choice.id for choice in choices}) == 30
    assert sorted(choice.id for choice in choices[:20]) != [choice.id for choice in choices[:20]]
    assert questions.choose_next(project, learnt, 5) == [choice.id for choice in choices[:5]]


def test_few_labels_are_too_early_and_more_are_learnt_from(project: Project, index: VectorIndex) -> None:
    nothing = rounds.learn_round(project, index)
    answer(project, questions.choose_next(project, nothing, 8, "random"))
    early = rounds.learn_round(project, index)
    assert early.state == "too-early" and early.guesses and questions.list_cohorts(project, early) == []
    answer(project, questions.choose_next(project, early, 32, "random"))
    learnt = rounds.learn_round(project, index)
    assert learnt.state == "learnt" and learnt.n_judged == 40 == sum(learnt.counts.values())
    hits = [kind == name_truth(example) for example, (kind, _) in learnt.guesses.items()]
    assert len(hits) == N and np.mean(hits) > 0.9
    assert learnt.right is not None and learnt.right.n == 40 and learnt.right.n_hits >= 30


def test_what_was_answered_is_never_asked_again_and_skipped_examples_come_back(
    project: Project, index: VectorIndex
) -> None:
    learnt = rounds.learn_round(project, index)
    first = questions.choose_next(project, learnt, 1, "random")
    skip(project, first[0])
    others = questions.choose_next(project, learnt, 25, "random")
    assert first[0] not in others
    answer(project, others)
    learnt = rounds.learn_round(project, index)
    asked = set(others)
    for _ in range(4):
        batch = questions.choose_next(project, learnt, 6)
        assert not asked & set(batch) and len(batch) == 6
        answer(project, batch, chosen="useful")
        asked |= set(batch)
    rest = questions.choose_next(project, learnt, N, "random")
    assert first[0] == rest[-1] and not asked & set(rest)


def test_nothing_is_learnt_or_chosen_from_the_check(project: Project, index: VectorIndex) -> None:
    ids = project.list_ids(order="random")
    answer(project, ids[:60])
    project.set_splits(dict.fromkeys(ids[:30], "test") | dict.fromkeys(ids[200:], "test"))
    learnt = rounds.learn_round(project, index)
    assert learnt.n_judged == 30
    wrong = [NewLabel(example=one, label="rust", who="Amina") for one in ids[:30]]
    project.add_labels(wrong)
    again = rounds.learn_round(project, index)
    assert np.array_equal(again.probabilities, learnt.probabilities)
    for mode in ("useful", "review"):
        assert not set(questions.choose_next(project, again, 100, mode)) & {*ids[:30], *ids[200:]}
    assert not {one for cohort in questions.list_cohorts(project, again) for one in cohort.ids} & set(ids[200:])


def test_examples_left_out_are_not_asked_about(project: Project, index: VectorIndex) -> None:
    ids = project.list_ids(order="random")
    answer(project, ids[:40])
    project.set_state(ids[40:100], "left_out", "blurred")
    learnt = rounds.learn_round(project, index)
    assert not set(questions.choose_next(project, learnt, 150)) & set(ids[40:100])
    assert not set(learnt.guesses) & set(ids[40:100])


def test_review_begins_with_the_surest_and_cohorts_are_of_one_kind(project: Project, index: VectorIndex) -> None:
    answer(project, project.list_ids(order="random")[:60])
    learnt = rounds.learn_round(project, index)
    certainties = [learnt.guesses[one][1] for one in questions.choose_next(project, learnt, 50, "review")]
    assert certainties == sorted(certainties, reverse=True)
    cohorts = questions.list_cohorts(project, learnt)
    assert cohorts and all({learnt.guesses[one][0] for one in cohort.ids} == {cohort.kind} for cohort in cohorts)
    assert np.mean([name_truth(one) == cohort.kind for cohort in cohorts for one in cohort.ids]) > 0.9


def test_an_order_of_likeness_holds_all_and_begins_with_the_seed(project: Project, index: VectorIndex) -> None:
    ids = project.list_ids()
    order = questions.order_by_likeness(project, index)
    assert sorted(order) == ids
    seeded = questions.order_by_likeness(project, index, ids[:50], seed_id=7)
    assert seeded[0] == 7 and sorted(seeded) == ids[:50]


def test_names_of_kinds_guess_until_labels_do_better(project: Project, index: VectorIndex) -> None:
    poor = make_index(KINDS, np.eye(3, 16)[[0, 1, 1]] + 0.4 * np.eye(3, 16)[[1, 0, 0]])
    learnt = rounds.learn_round(project, index, poor)
    assert learnt.state == "names" and 0 < len(learnt.guesses) < N and learnt.right is None
    answer(project, project.list_ids(order="random")[:20])
    learnt = rounds.learn_round(project, index, poor)
    assert learnt.state == "names" and not learnt.took_over and learnt.right is not None and learnt.right.n == 20
    answer(project, project.list_ids(order="random")[20:60])
    learnt = rounds.learn_round(project, index, poor)
    assert learnt.state == "learnt" and learnt.took_over


def test_shares_come_from_random_examples_only(project: Project) -> None:
    ids = project.list_ids(order="random")
    assert figures.estimate_shares(project) == []
    answer(project, ids[:18])
    project.add_labels([NewLabel(example=one, answer="not_sure", who="Amina", chosen="random") for one in ids[18:20]])
    answer(project, [one for one in ids[20:] if name_truth(one) == "rust"], chosen="search")
    shares = figures.estimate_shares(project)
    assert {share.kind for share in shares} == {*KINDS, ""} and sum(share.count.n_hits for share in shares) == 20
    assert {share.count.n for share in shares} == {20}
    assert next(share.count.n_hits for share in shares if share.kind == "") == 2


def test_two_people_are_compared_on_what_both_labelled(project: Project) -> None:
    assert figures.measure_agreement(project).same.n == 0
    ids = project.list_ids()
    answer(project, ids[:30])
    answer(project, ids[:20], who="Juma", purpose="second")
    project.add_labels([NewLabel(example=ids[20], label="rust", who="Juma", purpose="second")])
    project.add_labels([NewLabel(example=ids[22], label="rust", who="Juma", purpose="second")])
    agreement = figures.measure_agreement(project)
    assert (agreement.same.n_hits, agreement.same.n) == (20, 22) and set(agreement.people) == {"Amina", "Juma"}
    assert agreement.differing == (ids[20], ids[22]) and agreement.kappa is not None


def test_the_human_reference_is_blind_labelled_and_from_the_check(project: Project, index: VectorIndex) -> None:
    ids = project.list_ids(order="random")
    answer(project, ids[:100])
    project.set_splits(dict.fromkeys(ids[:70], "test"))
    learnt = rounds.learn_round(project, index)
    reference = questions.choose_next(project, learnt, 60, "human_reference")
    assert len(reference) == 50 and set(reference) <= set(ids[:70])
    answer(project, reference[:10], who="Juma", purpose="reference")
    project.add_labels([NewLabel(example=reference[10], answer="not_sure", who="Juma", purpose="reference")])
    by_model = {one: name_truth(one) for one in reference[5:11]}
    measured = figures.measure_human_reference(project, by_model)
    assert (measured.person.n_hits, measured.person.n, measured.n_waiting) == (10, 11, 39)
    assert measured.model is not None and (measured.model.n_hits, measured.model.n) == (6, 11)
    assert (measured.only_person, measured.only_model) == (5, 1) and measured.differing == (reference[10],)
    assert not set(reference[:11]) & set(questions.choose_next(project, learnt, 60, "human_reference"))


def test_advice_rests_on_labels_outside_the_check(project: Project, index: VectorIndex) -> None:
    ids = project.list_ids(order="random")
    answer(project, ids[:60])
    assert figures.advise_more(project, rounds.learn_round(project, index)).n_labels == 60
    project.set_splits(dict.fromkeys(ids[:40], "test"))
    advice = figures.advise_more(project, rounds.learn_round(project, index))
    assert (advice.code, advice.n_labels, advice.gain) == ("too-few", 20, None)


def test_another_mode_is_refused(project: Project, index: VectorIndex) -> None:
    with pytest.raises(HeadstartError, match="reveiw"):
        questions.choose_next(project, rounds.learn_round(project, index), 1, "reveiw")


def test_search_finds_by_meaning_by_word_and_by_example(
    project: Project, index: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "embed_queries", lambda index, table, options: np.eye(1, 16, 1, dtype=np.float32))
    assert {name_truth(one) for one in searching.search_examples(project, index, "spots on leaves", 20)} == {"blight"}
    assert searching.search_examples(project, index, "text 100", 5)[0] == 101  # "rust", but it holds the words.
    alike = searching.search_examples(project, index, 7, 20)
    assert 7 not in alike and len(alike) == 20 and np.mean([name_truth(one) == name_truth(7) for one in alike]) > 0.9
    assert searching.search_examples(project, index, "  ") == []
    with pytest.raises(HeadstartError, match="9999"):
        searching.search_examples(project, index, 9999)


def test_vectors_of_kinds_are_computed_once_and_again_after_a_new_description(
    project: Project, index: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[list[str]] = []

    def embed(index: VectorIndex, table: Table, options: object) -> np.ndarray:
        texts.append(list(map(str, table.inputs)))
        return np.eye(len(table), 16, dtype=np.float32)

    monkeypatch.setattr(kind_names, "embed_queries", embed)
    assert open_kind_vectors(project, index) is None
    for _ in range(2):
        names = kind_names.embed_kinds(project, index)
        assert names is not None and list(names.ids) == list(KINDS)
    store_kinds(project, [KindDescription("rust", "orange spots"), KindDescription("borer")])
    assert kind_names.embed_kinds(project, index) is not None
    assert texts == [list(KINDS), ["rust: orange spots", "blight", "healthy", "borer"]]
    stored = open_kind_vectors(project, index)
    assert stored is not None and rounds.learn_round(project, index).state == "names"
    other = VectorIndex(ids=index.ids, vectors=index.vectors, about=replace(index.about, fingerprint="other"))
    assert open_kind_vectors(project, other) is None
