"""From raw text and a base to a base for the language: measure, choose by pilot runs, train, measure again.

Documents are split into three parts: training, development (choice of tokenizer, trained part and best step), and
held-out documents that are only measured, at the beginning and at the end.
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
from headstart.home import find_home
from headstart.language import ngram, reading, scoring
from headstart.language.fitness import describe_fit, take_first_documents, train_masked_head
from headstart.language.masked import MaskedBase, copy_head_arrays
from headstart.language.masked_training import PARTS, MaskedHistory, MaskedTrainingConfig, train_masked_net
from headstart.language.pilots import (
    NOTHING,
    PilotChoice,
    PilotSetting,
    TokenizerBench,
    choose_by_pilots,
    measure_tokens_per_second,
)
from headstart.language.reading import RawText, TextSplit
from headstart.language.settings import SETTINGS
from headstart.language.spelling import TokenizerFit
from headstart.language.tokens import find_special_tokens, open_tokenizer
from headstart.records import Interval

_VERSION = 2


@dataclass(frozen=True)
class AdaptationRequest:
    """Request: time for everything (seconds), seed, memory (gigabytes)."""

    seconds: float
    seed: int
    max_memory: float


@dataclass(frozen=True)
class ModelBits:
    """Bits per character of one model on the held-out documents, and the bits of each."""

    name: str
    bits: Interval
    documents: scoring.Floats


@dataclass(frozen=True, kw_only=True)
class HeldOutFigures:
    """Everything measured on held-out documents."""

    adapted: ModelBits
    base: ModelBits
    ngram: ModelBits
    fits: tuple[TokenizerFit, TokenizerFit]
    characters: scoring.Floats
    calibration: scoring.TokenCalibration


@dataclass(frozen=True)
class AdaptedBase:
    """A base for the language, its masked-token head, and all measurements.

    `work` holds the trials and checkpoints, until the base is written.
    """

    parts: BaseParts
    head: Mapping[str, Any]
    document: dict[str, Any]
    work: Path


def adapt_base(opened_base: MaskedBase, raw: RawText, request: AdaptationRequest) -> AdaptedBase:
    """Make a base for the language of a text.

    Parameters
    ----------
    opened_base : MaskedBase
        The base to begin with.
    raw : RawText
    request : AdaptationRequest

    Raises
    ------
    DataError
        There is too little text.
    OptionError
        The base cannot guess hidden words, or its tokenizer cannot be fitted again.
    """
    reading.require_enough_text(raw)
    started = time.monotonic()
    work = find_home() / "language" / _key(opened_base.parts, raw, request)
    setting, before = _prepare_pilots(opened_base, raw, request)
    setting = replace(setting, work=work)
    held_documents = setting.split.held
    grams, gram_bits = _fit_ngram(setting.split, request)
    base = _summarise_model("the base as it is", before.bits, before.characters, request.seed)
    rival = _summarise_model(f"character {grams.order}-gram", gram_bits, before.characters, request.seed)
    old_fit = setting.old_fit
    for side in (base, rival):
        progress.say(f"{side.name}: {side.bits.value:.2f} bits a character.")
    progress.say(describe_fit(old_fit))
    choice = choose_by_pilots(setting)
    left = request.seconds - (time.monotonic() - started) - 1.2 * SETTINGS.measure_share * request.seconds
    history = _train_chosen(choice, setting, request, max(left, 0.1 * request.seconds))
    after = choice.bench.measure(choice.net, held_documents, setting.budget)
    adapted = _summarise_model("the adapted base", after.bits, after.characters, request.seed)
    fits = old_fit, choice.bench.fit(held_documents)
    figures = HeldOutFigures(
        adapted=adapted,
        base=base,
        ngram=rival,
        fits=fits,
        characters=before.characters,
        calibration=scoring.measure_calibration(after.predictions, request.seed),
    )
    document = {
        **_describe_source(opened_base, raw, setting.split),
        **_describe_figures(figures, request.seed),
        **_describe_training(opened_base.parts, choice, history),
        "seconds": round(time.monotonic() - started, 1),
    }
    state = choice.net.encoder.state_dict()
    weights = {name: value.detach().float().contiguous().numpy().copy() for name, value in state.items()}
    weights_of_bundle = {name: weights.get(name, value) for name, value in choice.bench.parts.weights.items()}
    return AdaptedBase(
        replace(choice.bench.parts, weights=weights_of_bundle), copy_head_arrays(choice.net), document, work
    )


def _prepare_pilots(
    base: MaskedBase, raw: RawText, request: AdaptationRequest
) -> tuple[PilotSetting, scoring.DocumentCosts]:
    """Split the documents and measure the base as it is."""
    split = reading.split_documents(raw, request.seed)
    special_tokens = find_special_tokens(open_tokenizer(base.parts.tokenizer), int(base.parts.spec["pad_id"]))
    net = train_masked_head(
        base, special_tokens, split.train, seconds=SETTINGS.head_share * request.seconds, seed=request.seed
    )
    budget = int(
        np.clip(
            SETTINGS.measure_share * request.seconds * measure_tokens_per_second(net, special_tokens.pad),
            SETTINGS.min_measured_tokens,
            SETTINGS.max_measured_tokens,
        )
    )
    split = replace(
        split,
        held=tuple(take_first_documents(split.held, 2 * budget)),
        dev=tuple(take_first_documents(split.dev, max(budget // 2, SETTINGS.min_measured_tokens))),
    )
    progress.say(
        f"{raw.n_characters:,} characters in {len(raw.documents):,} documents: {len(split.train):,} for training, "
        f"{len(split.dev):,} for choosing, {len(split.held):,} held out for the figures."
    )
    most = int(min(request.seconds * SETTINGS.characters_per_second, request.max_memory * 1e9 / 60))
    old = TokenizerBench(base.parts, split, request.seed, most)
    setting = PilotSetting(
        base=base,
        split=split,
        old=old,
        head=copy_head_arrays(net),
        old_fit=old.fit(split.held),
        seconds=min(SETTINGS.pilot_share * request.seconds, SETTINGS.max_pilot_seconds),
        n_tokens=512 if request.max_memory >= SETTINGS.small_memory_gigabytes else 256,
        n_characters=most,
        budget=budget,
        seed=request.seed,
        work=find_home(),
    )
    return setting, old.measure(net, split.held, budget)


def _fit_ngram(split: TextSplit, request: AdaptationRequest) -> tuple[ngram.CharacterModel, scoring.Floats]:
    """Fit the n-gram model; return it and the bits of the held-out documents."""
    most = int(min(SETTINGS.ngram_characters, request.max_memory * 1e9 / 250))
    grams = ngram.choose_character_model(split.train, split.dev, most)
    return grams, ngram.compute_bits(grams, split.held)


def _train_chosen(
    choice: PilotChoice, setting: PilotSetting, request: AdaptationRequest, seconds: float
) -> MaskedHistory:
    """Train the chosen tokenizer and part for the time that is left."""
    description = f"{choice.chosen.tokenizer} tokenizer, {PARTS[choice.chosen.part]} learns"
    progress.say(f"Chosen: {description}. Training for about {seconds:.0f} s.")
    config = MaskedTrainingConfig(
        part=choice.chosen.part,
        seconds=seconds,
        seed=request.seed + 1,
        n_tokens=setting.n_tokens,
        n_evaluations=SETTINGS.n_evaluations,
        name="Learning the language",
    )
    budget = max(setting.budget // 4, SETTINGS.min_measured_tokens // 2)

    def evaluate() -> float:
        return choice.bench.compute_bits_per_character(choice.net, setting.split.dev, budget)

    bench = choice.bench
    return train_masked_net(
        choice.net,
        bench.corpus,
        bench.special_tokens,
        config=config,
        evaluate=evaluate,
        checkpoint=setting.work / "main.safetensors",
    )


def _key(parts: BaseParts, raw: RawText, request: AdaptationRequest) -> str:
    digest = hashlib.sha256(f"{_VERSION}|{parts.fingerprint()}|{request}".encode())
    for text in raw.documents:
        digest.update(text.encode("utf-8", "replace"))
    return digest.hexdigest()[:32]


def _summarise_model(name: str, bits: scoring.Floats, characters: scoring.Floats, seed: int) -> ModelBits:
    return ModelBits(name, scoring.compute_bits_per_character(bits, characters, seed), bits)


def _describe_source(base: MaskedBase, raw: RawText, split: TextSplit) -> dict[str, Any]:
    """Return the part of language.json on base and texts."""
    names = ("train", "dev", "held")
    return {
        "format": 1,
        "base": base.parts.record.name,
        "base_head": "its own" if base.head is not None else "new, trained while all else was frozen",
        "source": raw.source,
        "n_documents": {name: len(getattr(split, name)) for name in names},
        "n_characters": {name: sum(map(len, getattr(split, name))) for name in names},
        "n_repeated": raw.n_repeated,
    }


def _describe_figures(figures: HeldOutFigures, seed: int) -> dict[str, Any]:
    """Return the part of language.json on held-out texts."""
    after, before, grams, fits = figures.adapted, figures.base, figures.ngram, figures.fits
    to_base = scoring.compute_change(after.documents, before.documents, figures.characters, seed)
    to_grams = scoring.compute_change(after.documents, grams.documents, figures.characters, seed)
    return {
        "bits_per_character": {
            "adapted": after.bits.as_dict(),
            "base": before.bits.as_dict(),
            "ngram": grams.bits.as_dict(),
        },
        "ngram": grams.name,
        "change": {"from_base": to_base.as_dict(), "from_ngram": to_grams.as_dict()},
        "fit": {"base": asdict(fits[0]), "adapted": asdict(fits[1])},
        "calibration": figures.calibration.as_dict(),
        "before": describe_fit(fits[0], before.bits),
        "sentence": compose_sentence(figures, to_base, to_grams),
    }


def _describe_training(parts: BaseParts, choice: PilotChoice, history: MaskedHistory) -> dict[str, Any]:
    """Return the part of language.json on vocabulary and training."""
    trials, repaired = choice.trials, choice.repaired
    n_old = int(parts.architecture["config"].get("vocab_size") or 0)
    scratch = next(trial for trial in trials if trial.start == NOTHING)
    same = next(t for t in trials if t.start != NOTHING and (t.tokenizer, t.part) == (scratch.tokenizer, "all"))
    return {
        "tokenizer": {
            "replaced": repaired is not None,
            "n_pieces": repaired.n_vocabulary if repaired else n_old,
            "n_pieces_before": n_old,
            "n_kept": repaired.n_kept if repaired else n_old,
            "n_spelled": repaired.n_spelled if repaired else 0,
        },
        "trials": [asdict(trial) for trial in trials],
        "chosen": asdict(choice.chosen),
        "from_scratch": {"adapted": same.figure, "scratch": scratch.figure, "seconds": scratch.seconds},
        "training": {
            "steps": history.steps,
            "planned": history.planned_steps,
            "best_step": history.best_step,
            "seconds": round(history.seconds, 1),
            "pieces_per_second": round(history.tokens_per_second, 1),
            "looks": [{"step": step, "bits_per_character": figure} for step, figure in history.evaluations],
        },
    }


def compose_sentence(figures: HeldOutFigures, to_base: Interval, to_grams: Interval) -> str:
    """Return the result in one sentence."""
    after, before, grams = figures.adapted, figures.base, figures.ngram
    comparison = (
        f"A character of held-out text costs {after.bits.value:.2f} bits instead of {before.bits.value:.2f} "
        f"({-to_base.value:.0%} less; 95 % interval {-to_base.high:.0%} to {-to_base.low:.0%}), "
        f"and {grams.bits.value:.2f} with a {grams.name} model made from the same text"
    )
    if to_grams.high < 0:
        return f"{comparison}: the base now guesses better than counting letters does."
    if to_grams.low > 0:
        return f"{comparison}: counting letters is still better. Train longer (--time) or on more text."
    return f"{comparison}: no clear difference to counting letters."
