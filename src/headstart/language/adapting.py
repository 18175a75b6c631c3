"""From raw text and a base to a base for the language: measure, choose by short trials, learn, measure again.

Documents are dealt into three parts: some teach, some choose (tokenizer, what learns, when to stop), and some are only
measured at the beginning and at the end.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart import progress
from headstart.bases import BaseParts
from headstart.home import home
from headstart.language import ngram, reading, scoring
from headstart.language.fitness import first, follows, taught_head
from headstart.language.masked import Opened, head_arrays
from headstart.language.pieces import marks_of, opened
from headstart.language.reading import RawText, Split
from headstart.language.spelling import Fit
from headstart.language.teaching import PARTS, Course, Taught, teach
from headstart.language.trials import LONGEST_SECONDS, NOTHING, Bench, Choice, Setting, choose, speed
from headstart.records import Interval

HEAD_SHARE, TRIAL_SHARE, MEASURE_SHARE = 0.05, 0.04, 0.04
"""Shares of the time for the head of the base as it is, for each trial, and for each measurement."""
LOOKS = 6
LEAST_BUDGET = 4_000
"""Pieces of a measurement."""
_CHARACTERS_PER_SECOND = 40_000
"""More than a processor can learn from in that time: longer text is not cut into pieces at all."""
_SMALL_MEMORY = 2.0
_VERSION = 2


@dataclass(frozen=True)
class Wish:
    """What was asked for: time for everything (seconds), seed, memory (gigabytes)."""

    seconds: float
    seed: int
    max_memory: float


@dataclass(frozen=True)
class Side:
    """Bits per character of one model on the held-out documents, and the bits of each."""

    name: str
    bits: Interval
    documents: scoring.Floats


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything measured on held-out documents."""

    adapted: Side
    base: Side
    grams: Side
    fits: tuple[Fit, Fit]
    characters: scoring.Floats
    trust: scoring.Trust


@dataclass(frozen=True)
class Adapted:
    """A base for the language, its head for hidden pieces, and everything that was measured on the way.

    `work` holds the trials and checkpoints, until the base is written.
    """

    parts: BaseParts
    head: Mapping[str, Any]
    document: dict[str, Any]
    work: Path


def adapt(found: Opened, raw: RawText, wish: Wish) -> Adapted:
    """Make a base for the language of a text.

    Parameters
    ----------
    found : Opened
        The base to begin with.
    raw : RawText
    wish : Wish

    Raises
    ------
    DataError
        There is too little text.
    OptionError
        The base cannot guess hidden words, or its tokenizer cannot be learnt anew.
    """
    reading.require_enough(raw)
    began = time.monotonic()
    work = home() / "language" / _key(found.parts, raw, wish)
    setting, before = _begun(found, raw, wish)
    setting = replace(setting, work=work)
    held = setting.split.held
    grams, gram_bits = _counted(setting.split, wish)
    base = _side("the base as it is", before.bits, before.characters, wish.seed)
    rival = _side(f"character {grams.order}-gram", gram_bits, before.characters, wish.seed)
    old_fit = setting.old_fit
    for side in (base, rival):
        progress.say(f"{side.name}: {side.bits.value:.2f} bits a character.")
    progress.say(follows(old_fit))
    choice = choose(setting)
    left = wish.seconds - (time.monotonic() - began) - 1.2 * MEASURE_SHARE * wish.seconds
    taught = _taught(choice, setting, wish, max(left, 0.1 * wish.seconds))
    after = choice.bench.measure(choice.net, held, setting.budget)
    adapted = _side("the adapted base", after.bits, after.characters, wish.seed)
    fits = old_fit, choice.bench.fit(held)
    figures = Figures(
        adapted=adapted,
        base=base,
        grams=rival,
        fits=fits,
        characters=before.characters,
        trust=scoring.trust(after.guesses, wish.seed),
    )
    document = {
        **_about(found, raw, setting.split),
        **_measured(figures, wish.seed),
        **_learnt(found.parts, choice, taught),
        "seconds": round(time.monotonic() - began, 1),
    }
    state = choice.net.encoder.state_dict()
    weights = {name: value.detach().float().contiguous().numpy().copy() for name, value in state.items()}
    kept = {name: weights.get(name, value) for name, value in choice.bench.parts.weights.items()}
    return Adapted(replace(choice.bench.parts, weights=kept), head_arrays(choice.net), document, work)


def _begun(found: Opened, raw: RawText, wish: Wish) -> tuple[Setting, scoring.Measured]:
    """Deal the documents, and measure the base as it is."""
    split = reading.split(raw, wish.seed)
    marks = marks_of(opened(found.parts.tokenizer), int(found.parts.spec["pad_id"]))
    net = taught_head(found, marks, split.train, seconds=HEAD_SHARE * wish.seconds, seed=wish.seed)
    budget = int(np.clip(MEASURE_SHARE * wish.seconds * speed(net, marks.pad), LEAST_BUDGET, scoring.BUDGET))
    split = replace(
        split, held=tuple(first(split.held, 2 * budget)), dev=tuple(first(split.dev, max(budget // 2, LEAST_BUDGET)))
    )
    progress.say(
        f"{raw.n_characters:,} characters in {len(raw.documents):,} documents: {len(split.train):,} to learn from, "
        f"{len(split.dev):,} to choose by, {len(split.held):,} held out for the figures."
    )
    most = int(min(wish.seconds * _CHARACTERS_PER_SECOND, wish.max_memory * 1e9 / 60))
    old = Bench(found.parts, split, wish.seed, most)
    setting = Setting(
        found=found,
        split=split,
        old=old,
        head=head_arrays(net),
        old_fit=old.fit(split.held),
        seconds=min(TRIAL_SHARE * wish.seconds, LONGEST_SECONDS),
        pieces=512 if wish.max_memory >= _SMALL_MEMORY else 256,
        n_characters=most,
        budget=budget,
        seed=wish.seed,
        work=home(),
    )
    return setting, old.measure(net, split.held, budget)


def _counted(split: Split, wish: Wish) -> tuple[ngram.CharacterModel, scoring.Floats]:
    """Learn the n-gram model; gives it and the bits of the held-out documents."""
    most = int(min(ngram.MOST_CHARACTERS, wish.max_memory * 1e9 / 250))
    grams = ngram.best(split.train, split.dev, most)
    return grams, ngram.bits(grams, split.held)


def _taught(choice: Choice, setting: Setting, wish: Wish, seconds: float) -> Taught:
    """Train what was chosen for the time that is left."""
    said = f"{choice.chosen.tokenizer} tokenizer, {PARTS[choice.chosen.part]} learns"
    progress.say(f"Chosen: {said}. Training for about {seconds:.0f} s.")
    course = Course(
        part=choice.chosen.part,
        seconds=seconds,
        seed=wish.seed + 1,
        pieces=setting.pieces,
        n_looks=LOOKS,
        name="Learning the language",
    )
    budget = max(setting.budget // 4, LEAST_BUDGET // 2)

    def look() -> float:
        return choice.bench.figure(choice.net, setting.split.dev, budget)

    bench = choice.bench
    return teach(
        choice.net, bench.corpus, bench.marks, course=course, look=look, kept=setting.work / "main.safetensors"
    )


def _key(parts: BaseParts, raw: RawText, wish: Wish) -> str:
    made = hashlib.sha256(f"{_VERSION}|{parts.fingerprint()}|{wish}".encode())
    for text in raw.documents:
        made.update(text.encode("utf-8", "replace"))
    return made.hexdigest()[:32]


def _side(name: str, bits: scoring.Floats, characters: scoring.Floats, seed: int) -> Side:
    return Side(name, scoring.per_character(bits, characters, seed), bits)


def _about(found: Opened, raw: RawText, split: Split) -> dict[str, Any]:
    names = ("train", "dev", "held")
    return {
        "format": 1,
        "base": found.parts.record.name,
        "base_head": "its own" if found.head is not None else "new, trained while all else was frozen",
        "source": raw.source,
        "n_documents": {name: len(getattr(split, name)) for name in names},
        "n_characters": {name: sum(map(len, getattr(split, name))) for name in names},
        "n_repeated": raw.n_repeated,
    }


def _measured(figures: Figures, seed: int) -> dict[str, Any]:
    after, before, grams, fits = figures.adapted, figures.base, figures.grams, figures.fits
    to_base = scoring.change(after.documents, before.documents, figures.characters, seed)
    to_grams = scoring.change(after.documents, grams.documents, figures.characters, seed)
    return {
        "bits_per_character": {
            "adapted": after.bits.as_dict(),
            "base": before.bits.as_dict(),
            "ngram": grams.bits.as_dict(),
        },
        "ngram": grams.name,
        "change": {"from_base": to_base.as_dict(), "from_ngram": to_grams.as_dict()},
        "fit": {"base": asdict(fits[0]), "adapted": asdict(fits[1])},
        "calibration": figures.trust.as_dict(),
        "before": follows(fits[0], before.bits),
        "sentence": sentence(figures, to_base, to_grams),
    }


def _learnt(parts: BaseParts, choice: Choice, taught: Taught) -> dict[str, Any]:
    trials, repaired = choice.trials, choice.repaired
    n_old = int(parts.architecture["config"].get("vocab_size") or 0)
    scratch = next(trial for trial in trials if trial.start == NOTHING)
    same = next(t for t in trials if t.start != NOTHING and (t.tokenizer, t.part) == (scratch.tokenizer, "all"))
    return {
        "tokenizer": {
            "replaced": repaired is not None,
            "n_pieces": repaired.n_pieces if repaired else n_old,
            "n_pieces_before": n_old,
            "n_kept": repaired.n_kept if repaired else n_old,
            "n_spelled": repaired.n_spelled if repaired else 0,
        },
        "trials": [asdict(trial) for trial in trials],
        "chosen": asdict(choice.chosen),
        "from_scratch": {"adapted": same.figure, "scratch": scratch.figure, "seconds": scratch.seconds},
        "training": {
            "steps": taught.steps,
            "planned": taught.planned,
            "best_step": taught.best_step,
            "seconds": round(taught.seconds, 1),
            "pieces_per_second": round(taught.pieces_per_second, 1),
            "looks": [{"step": step, "bits_per_character": figure} for step, figure in taught.looks],
        },
    }


def sentence(figures: Figures, to_base: Interval, to_grams: Interval) -> str:
    """Say what came of it."""
    after, before, grams = figures.adapted, figures.base, figures.grams
    said = (
        f"A character of held-out text costs {after.bits.value:.2f} bits instead of {before.bits.value:.2f} "
        f"({-to_base.value:.0%} less; 95 % interval {-to_base.high:.0%} to {-to_base.low:.0%}), "
        f"and {grams.bits.value:.2f} with a {grams.name} model made from the same text"
    )
    if to_grams.high < 0:
        return f"{said}: the base now guesses better than counting letters does."
    if to_grams.low > 0:
        return f"{said}: counting letters is still better. Train longer (--time) or on more text."
    return f"{said}: no clear difference to counting letters."
