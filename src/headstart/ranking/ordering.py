"""From scores to an order: what ties with the best, what goes on to more rows, what to take and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headstart.ranking.listing import Candidate
from headstart.ranking.settings import SETTINGS
from headstart.ranking.vocabulary import VocabularyCoverage, make_fit
from headstart.records import Column, Index, Interval
from headstart.results import Agreement, BaseRanking, Figure, LeftOut, RankedBase


@dataclass(frozen=True, kw_only=True)
class MeasuredCandidate:
    """Scores of one candidate on one sample of training rows.

    Parameters
    ----------
    candidate : Candidate
    probe : Interval
        Mean of `gains`: the share of rows that the probe got right while it had not seen them, with 95 % interval;
        without classes, the share of the error of always saying the average that it takes away (for numbers: R2).
    log_loss : float
        Loss of the same outputs a row (classes, labels: nats); orders candidates of equal `probe`.
    logme, hscore, knn : float
    seconds : float
        Spent on this candidate so far.
    ids : Column, shape (n_rows,)
    gains : float64, shape (n_rows,)
        1 where the probe was right, else 0; without classes, 1 - loss / mean loss of always saying the average.
    clusters : Index, shape (n_rows,)
        Rows that belong together.
    stage : int
        0 for the small sample, 1 for the large one.
    coverage : VocabularyCoverage or None
    chance : float
        Share of the most frequent class among these rows; not finite where rows have no single class.
    n_languages : int
        That the base was trained on; 0 where that is not known.
    head : str
        The probe that `probe` is about: on the last stage, or on several.
    """

    candidate: Candidate
    probe: Interval
    log_loss: float
    logme: float
    hscore: float
    knn: float
    seconds: float
    ids: Column
    gains: NDArray[np.float64]
    clusters: Index
    stage: int = 0
    coverage: VocabularyCoverage | None = None
    chance: float = float("nan")
    n_languages: int = 0
    head: str = "linear-probe"


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Candidates in order, best first.

    Parameters
    ----------
    measured : tuple of MeasuredCandidate
    ties : frozenset of str
        References of those that tie with the best; with it, or empty.
    taken : str
        What `--base auto` takes; "" where nothing could be measured.
    task : str
        Of the rows: a key of `TASK_TYPES`.
    left_out : mapping of str to str
        Why, by reference.
    """

    measured: tuple[MeasuredCandidate, ...]
    ties: frozenset[str]
    taken: str
    task: str
    left_out: Mapping[str, str] = field(default_factory=dict)

    def to_record(self) -> BaseRanking:
        """Return the part of result.json, without its sentence."""
        return BaseRanking(
            ranking=[self._make_row(item) for item in self.measured],
            left_out=[LeftOut(base=name, reason=reason) for name, reason in self.left_out.items()],
            task=self.task,
        )

    def _make_row(self, item: MeasuredCandidate) -> RankedBase:
        name, cover = item.candidate.reference, item.coverage
        return RankedBase(
            base=name,
            label=item.candidate.label,
            probe=Figure.from_interval(item.probe),
            head=item.head,
            logme=_drop_infinite(item.logme),
            hscore=_drop_infinite(item.hscore),
            knn=_drop_infinite(item.knn),
            log_loss=_drop_infinite(item.log_loss),
            seconds=item.seconds,
            n_rows=len(item.ids),
            licence=item.candidate.licence,
            size_bytes=item.candidate.size_bytes,
            tie=name in self.ties,
            taken=name == self.taken,
            unknown_share=cover.unknown_share if cover else None,
            pieces_per_word=cover.pieces_per_word if cover else None,
            vocabulary=make_fit(item.candidate.label, cover, item.n_languages) if cover else None,
            knn_chance=_drop_infinite(item.chance),
            agreement=_judge_agreement(item.knn, item.chance),
        )


def _judge_agreement(knn: float, chance: float) -> Agreement | None:
    """Return how well the nearest rows agree with the labels, of the way from the most frequent one to certainty."""
    if not np.isfinite([knn, chance]).all() or chance >= 1:
        return None
    skill = (knn - chance) / (1 - chance)
    return "much" if skill >= SETTINGS.much_agreement else "some" if skill >= SETTINGS.some_agreement else "little"


def _drop_infinite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def draw_stratified_sample(codes: Index, n_rows: int, seed: int) -> Index:
    """Draw about `n_rows` rows, classes in their shares but with at least five rows each where they have them.

    Parameters
    ----------
    codes : Index, shape (n,)
    n_rows : int
        With too many classes for five rows each, only some classes are drawn.
    seed : int
        At one seed, a smaller draw is a part of a larger one.

    Returns
    -------
    Index, shape (m,)
        Ascending; all rows where there are no more than `n_rows`.

    Examples
    --------
    >>> codes = np.repeat([0, 1], [90, 10])
    >>> np.bincount(codes[draw_stratified_sample(codes, 20, seed=0)]).tolist()
    [18, 5]
    >>> forty = np.arange(400) // 10
    >>> drawn = draw_stratified_sample(forty, 50, seed=0)
    >>> np.bincount(np.bincount(forty[drawn], minlength=40)).tolist()  # 30 with none, 10 with five
    [30, 0, 0, 0, 0, 10]
    """
    if len(codes) <= n_rows:
        return np.arange(len(codes))
    counts, rng = np.bincount(codes), np.random.default_rng(seed)
    order, most = rng.permutation(len(codes)), max(2, n_rows // SETTINGS.min_class_rows)
    quotas = np.maximum(np.rint(n_rows * counts / len(codes)), np.minimum(counts, SETTINGS.min_class_rows))
    if np.count_nonzero(counts) > most:
        quotas = np.minimum(counts, SETTINGS.min_class_rows)
        quotas[rng.permutation(np.flatnonzero(counts))[most:]] = 0
    place = np.empty(len(codes), dtype=np.intp)  # of each row among those of its class, in the order drawn
    by_class = order[np.argsort(codes[order], kind="stable")]
    place[by_class] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.flatnonzero(place < quotas[codes])


def plan_sample_sizes(n_rows: int, most: int, n_candidates: int) -> tuple[int, ...]:
    """Return how many rows each stage looks at: one stage where there is little to save.

    Parameters
    ----------
    n_rows : int
        Training rows.
    most : int
        Rows of the last stage.
    n_candidates : int

    Examples
    --------
    >>> plan_sample_sizes(5_000, 1_000, 6), plan_sample_sizes(250, 1_000, 6), plan_sample_sizes(5_000, 1_000, 1)
    ((200, 1000), (250,), (1000,))
    """
    most = min(n_rows, most)
    return (SETTINGS.sample_rows, most) if n_candidates > 1 and most >= 1.5 * SETTINGS.sample_rows else (most,)


def compute_lead(first: MeasuredCandidate, second: MeasuredCandidate, seed: int) -> Interval | None:
    """Return how much more `first` gains than `second` on the same rows, with its 95 % interval; None without any.

    Parameters
    ----------
    first, second : MeasuredCandidate
    seed : int
        Of 2,000 paired bootstrap draws, of clusters where rows belong together.

    Returns
    -------
    Interval or None
        Of the mean difference of `gains`; above 0 `first` is better.
    """
    both = np.isin(first.ids, second.ids)
    if first.stage != second.stage or not both.any():
        return None
    paired = dict(zip(second.ids, second.gains, strict=True))
    difference = first.gains[both] - np.asarray([paired[name] for name in first.ids[both]])
    _, owner = np.unique(first.clusters[both], return_inverse=True)
    sums, counts = np.bincount(owner, difference), np.bincount(owner)
    drawn = np.random.default_rng(seed).multinomial(len(sums), np.full(len(sums), 1 / len(sums)), SETTINGS.draws)
    low, high = np.quantile((drawn @ sums) / np.maximum(drawn @ counts, 1), (0.025, 0.975))
    value = float(difference.mean())
    return Interval(value, min(value, float(low)), max(value, float(high)))


def is_tied(best: MeasuredCandidate, other: MeasuredCandidate, seed: int) -> bool:
    """Return whether chance among rows explains that `best` has the higher accuracy, on the same rows.

    The 95 % interval of the difference over 2,000 paired bootstrap draws (of clusters) then holds zero.
    """
    lead = compute_lead(best, other, seed)
    return lead is not None and lead.low <= 0


def _sort(measured: Sequence[MeasuredCandidate]) -> list[MeasuredCandidate]:
    return sorted(measured, key=lambda item: (-item.stage, -item.probe.value, item.log_loss, item.candidate.reference))


def _join_ties(ordered: Sequence[MeasuredCandidate], seed: int) -> frozenset[str]:
    tied = {item.candidate.reference for item in ordered[1:] if is_tied(ordered[0], item, seed)}
    return frozenset(tied | {ordered[0].candidate.reference} if tied else ())


def select_survivors(measured: Sequence[MeasuredCandidate], seed: int) -> list[Candidate]:
    """Return those that go on to more rows: the better half, and all that tie with the best (successive halving).

    Parameters
    ----------
    measured : sequence of MeasuredCandidate
    seed : int
        Of the bootstrap draws by which ties are found.
    """
    ordered = _sort(measured)
    ties = _join_ties(ordered, seed) if ordered else frozenset()
    half = (len(ordered) + 1) // 2
    return [item.candidate for place, item in enumerate(ordered) if place < half or item.candidate.reference in ties]


def select_smallest_tied(ordered: Sequence[MeasuredCandidate], ties: frozenset[str]) -> MeasuredCandidate:
    """Return the smallest of those that tie with the best, are at most a point below it and have no higher loss."""
    best = ordered[0]
    least = best.probe.value - SETTINGS.tie_margin - 1e-9
    tied = [item for item in ordered[1:] if item.candidate.reference in ties]
    near = [item for item in tied if item.probe.value >= least and item.log_loss <= best.log_loss]
    return min([best, *near], key=lambda item: item.candidate.size_bytes or float("inf"))


def rank_candidates(
    measured: Sequence[MeasuredCandidate], left_out: Mapping[str, str], task: str, seed: int
) -> Ranking:
    """Rank candidates and choose one.

    Parameters
    ----------
    measured : sequence of MeasuredCandidate
        The latest of each candidate.
    left_out : mapping of str to str
    task : str
        Of the rows: a key of `TASK_TYPES`.
    seed : int

    Returns
    -------
    Ranking
    """
    ordered = _sort(measured)
    if not ordered:
        return Ranking(measured=(), ties=frozenset(), taken="", task=task, left_out=left_out)
    ties = _join_ties(ordered, seed)
    taken = select_smallest_tied(ordered, ties)
    return Ranking(
        measured=tuple(ordered),
        ties=ties,
        taken=taken.candidate.reference,
        task=task,
        left_out=left_out,
    )
