"""What labelling rounds give: counts, codes and example ids; sentences are written by the surfaces."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.records import Interval


@dataclass(frozen=True)
class LabelCount:
    """So many of so many, with the 95 % interval of the share (0-1)."""

    n_hits: int
    n: int
    share: Interval


@dataclass(frozen=True)
class ExampleChoice:
    """An example to ask about.

    `chosen` is what its answer is to be stored with (`NewLabel.chosen`): "random", "useful", "review" or "reference";
    `reason` says more of a useful one: "doubtful", "rare" or "far".
    """

    id: int
    chosen: str
    reason: str = ""


@dataclass(frozen=True)
class KindShare:
    """How many of the random first examples are of one kind."""

    kind: str
    count: LabelCount


@dataclass(frozen=True)
class Cohort:
    """Unlabelled examples of one guess that look alike, in order of likeness."""

    kind: str
    ids: tuple[int, ...]
    mean_probability: float


@dataclass(frozen=True, kw_only=True)
class LabelAgreement:
    """How far two people label alike.

    Parameters
    ----------
    same : LabelCount
        Examples with the same label, of those that both labelled.
    kappa : Interval or None
        LabelAgreement beyond chance: 1 is complete, 0 is chance; None where it is not defined.
    differing : tuple of int
        Examples on which they differ.
    people : tuple of str
        The two; empty where nobody else has labelled the same examples.
    """

    same: LabelCount
    kappa: Interval | None
    differing: tuple[int, ...]
    people: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HumanReference:
    """A person and the model on the same examples of the check, both without seeing the label.

    Parameters
    ----------
    person : LabelCount
        Answers of the person that are the label.
    model : LabelCount or None
        Answers of the model that are the label; None without a model.
    only_person, only_model : int
        Examples that only the person, or only the model, got right.
    n_waiting : int
        Examples of the reference without an answer yet.
    differing : tuple of int
        Examples where the person's answer is not the label.
    """

    person: LabelCount
    model: LabelCount | None
    only_person: int
    only_model: int
    n_waiting: int
    differing: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class LabellingAdvice:
    """What more labels would bring.

    Parameters
    ----------
    code : str
        "too-few" or "unclear" (cannot tell), "more-helps", or "little".
    n_labels : int
        Labels that it rests on.
    n_more : int
        Labels that it speaks of; 0 where it cannot tell.
    gain : Interval or None
        Further examples answered right, as a share (0-1) of all.
    right : LabelCount or None
        Labelled examples guessed right, each without its own label.
    """

    code: str
    n_labels: int
    n_more: int = 0
    gain: Interval | None = None
    right: LabelCount | None = None
