"""Short trainings that choose: which tokenizer, and what learns. The best one goes on from where its trial ended."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from headstart import progress
from headstart.bases import Parts, assemble
from headstart.home import write_json, written_whole
from headstart.language import scoring
from headstart.language.fitness import BLIND, first
from headstart.language.masked import MaskedNet, Opened, numerics, with_head
from headstart.language.pieces import Corpus, Marks, corpus, encode, marks_of, opened
from headstart.language.reading import Split
from headstart.language.spelling import Fit, Spelling, fit
from headstart.language.teaching import PARTS, Course, teach
from headstart.language.vocabulary import Repaired, repair, wanted_size

LONGEST_SECONDS = 180.0
BASE, NOTHING = "base", "nothing"
_LEARNT_CHARACTERS = 20_000_000
"""Of the text, for a new vocabulary."""
_SPELLING_CHARACTERS = 2_000_000
_MUCH_MORE = 1.5


@dataclass(frozen=True)
class Trial:
    """One short training; `figure` is bits per character on the documents that choose."""

    tokenizer: str
    part: str
    start: str
    figure: float
    steps: int
    seconds: float


class Bench:
    """One tokenizer with its texts in pieces: what is needed to train and to measure a network that uses it.

    Parameters
    ----------
    parts : Parts
    split : Split
    seed : int
        Of new heads.
    n_characters : int
        Of the training text that are cut into pieces, at most.
    """

    def __init__(self, parts: Parts, split: Split, seed: int, n_characters: int) -> None:
        self.parts, self.seed = parts, seed
        self.tokenizer = opened(parts.tokenizer)
        self.marks: Marks = marks_of(self.tokenizer, int(parts.spec["pad_id"]))
        used = first(split.train, n_characters)
        self.corpus: Corpus = corpus(self.tokenizer, used)
        some = first(used, _SPELLING_CHARACTERS)
        self.spelling = Spelling(self.tokenizer, self.marks.unknown).learn(some, encode(self.tokenizer, some))

    @property
    def n_pieces(self) -> int:
        """Count the rows of the embeddings."""
        return int(self.parts.architecture["config"].get("vocab_size") or self.tokenizer.get_vocab_size())

    def net(self, head: Mapping[str, Any] | None) -> MaskedNet:
        """Make the network anew; a head of another vocabulary is not taken: it pulls towards pieces that are gone."""
        backbone = assemble(self.parts)
        assert backbone.module is not None
        counts = scoring.unigram(self.corpus, self.n_pieces)
        return with_head(copy.deepcopy(backbone.module().net), head, counts, self.seed)

    def fit(self, texts: Sequence[str]) -> Fit:
        """Count how the tokenizer cuts documents."""
        return fit(texts, encode(self.tokenizer, texts), self.tokenizer, self.marks.unknown)

    def measure(self, net: MaskedNet, texts: Sequence[str], budget: int) -> scoring.Measured:
        """Measure documents."""
        return scoring.measure(net, self.marks, self.spelling, texts, encode(self.tokenizer, texts), budget)

    def figure(self, net: MaskedNet, texts: Sequence[str], budget: int) -> float:
        """Give bits per character."""
        found = self.measure(net, texts, budget)
        return float(found.bits.sum() / found.characters.sum())


def speed(net: MaskedNet, pad: int) -> float:
    """Give how many pieces a second go through the network without learning, here and now."""
    ids = torch.full((16, min(128, net.room)), pad, dtype=torch.int64)
    seconds = []
    with torch.inference_mode(), numerics():
        for _ in range(3):
            began = time.monotonic()
            net.guess(net.hidden(ids, torch.ones_like(ids))[:, ::7].flatten(0, 1))
            seconds.append(time.monotonic() - began)
    return float(ids.numel() / max(seconds[1:]))


@dataclass(frozen=True)
class Setting:
    """What trials need to know.

    Parameters
    ----------
    found : Opened
    split : Split
    old : Bench
        With the tokenizer as it is.
    head : mapping
        Trained for it.
    old_fit : Fit
        How the old tokenizer cuts the text.
    seconds : float
        For one trial.
    pieces, n_characters, budget, seed : int
        Pieces a step; characters cut into pieces; pieces of one measurement; seed.
    work : Path
        Folder for what a stopped run left.
    """

    found: Opened
    split: Split
    old: Bench
    head: Mapping[str, Any]
    old_fit: Fit
    seconds: float
    pieces: int
    n_characters: int
    budget: int
    seed: int
    work: Path

    def repaired(self) -> Repaired:
        """Give the base with a new vocabulary."""
        size = wanted_size(sum(map(len, self.split.train)), self.old.n_pieces)
        return repair(self.found.parts, first(self.split.train, _LEARNT_CHARACTERS), size, self.seed)


@dataclass(frozen=True)
class Choice:
    """What the trials chose: network and tokenizer as they are after the trial."""

    bench: Bench
    net: MaskedNet
    trials: tuple[Trial, ...]
    chosen: Trial
    repaired: Repaired | None


def choose(setting: Setting) -> Choice:
    """Try both tokenizers with everything learning, then the better one with less learning, and once from nothing.

    The old tokenizer is not tried where it cannot see the text, or cuts words into half as many pieces again as a new
    one. Short trials favour what learns little, so that wins only where the interval of its paired difference is below
    zero. The network from nothing has the same size and the better tokenizer; it is only compared with, never chosen.
    """
    recalled = _recalled(setting)
    if recalled is not None:
        return recalled
    repaired = setting.repaired()
    new = Bench(repaired.parts, setting.split, setting.seed, setting.n_characters)
    benches = {"new": new, "old": setting.old}
    trials: list[Trial] = []
    nets: list[MaskedNet] = []
    measured: list[scoring.Measured] = []

    def run(tokenizer: str, part: str, start: str) -> None:
        trial, net, found = _run(setting, benches[tokenizer], (tokenizer, part, start))
        trials.append(trial)
        nets.append(net)
        measured.append(found)

    for tokenizer in ("new", "old") if _old_may_do(setting, new) else ("new",):
        run(tokenizer, "all", BASE)
    first_best = min(range(len(trials)), key=lambda at: trials[at].figure)
    leader = trials[first_best].tokenizer
    run(leader, "embeddings" if leader == "new" else "upper", BASE)
    less, more = measured[-1], measured[first_best]
    gain = scoring.change(less.bits, more.bits, more.characters, setting.seed)
    best = len(trials) - 1 if gain.high < 0 else first_best
    run(leader, "all", NOTHING)
    chosen = trials[best]
    made = Choice(
        benches[chosen.tokenizer],
        nets[best],
        tuple(trials),
        chosen,
        repaired if chosen.tokenizer == "new" else None,
    )
    _remember(setting.work, made)
    return made


def _old_may_do(setting: Setting, new: Bench) -> bool:
    """Whether the old tokenizer is worth a trial."""
    fits = setting.old_fit, new.fit(setting.split.dev)
    return fits[0].unknown_character_share < BLIND and fits[0].pieces_per_word < _MUCH_MORE * fits[1].pieces_per_word


def _run(setting: Setting, bench: Bench, what: tuple[str, str, str]) -> tuple[Trial, MaskedNet, scoring.Measured]:
    tokenizer, part, start = what
    net = bench.net(setting.head if start == BASE else None)
    if start == NOTHING:
        _forget(net, setting.seed)
    name = f"Trial: {tokenizer} tokenizer, {PARTS[part]} learns, from {'the base' if start == BASE else start}"
    course = Course(part, setting.seconds, setting.seed, pieces=setting.pieces, name=name)
    done = teach(net, bench.corpus, bench.marks, course)
    found = bench.measure(net, setting.split.dev, setting.budget // 3)
    figure = float(found.bits.sum() / found.characters.sum())
    progress.say(f"{name}: {figure:.2f} bits a character after {done.seconds:.0f} s.")
    return Trial(tokenizer, part, start, figure, done.steps, round(done.seconds, 1)), net, found


def _forget(net: MaskedNet, seed: int) -> None:
    """Give every weight of the encoder a random start: a network of the same size without any pre-training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net.encoder.apply(net.encoder._init_weights)


def _remember(work: Path, made: Choice) -> None:
    """Keep what was chosen, so that a stopped run needs no new trials."""
    with written_whole(work / "start.safetensors") as partial:
        save_file({name: value.contiguous().clone() for name, value in made.net.state_dict().items()}, partial)
    said = {
        "trials": [asdict(trial) for trial in made.trials],
        "chosen": asdict(made.chosen),
        "tokenizer": made.bench.parts.tokenizer,
    }
    write_json(work / "start.json", said)


def _recalled(setting: Setting) -> Choice | None:
    try:
        said = json.loads((setting.work / "start.json").read_text("utf-8"))
        state = load_file(setting.work / "start.safetensors")
    except (OSError, ValueError, SafetensorError):
        return None
    chosen = Trial(**said["chosen"])
    repaired = setting.repaired() if chosen.tokenizer == "new" else None
    parts = repaired.parts if repaired else setting.found.parts
    if parts.tokenizer != said["tokenizer"]:
        return None
    bench = Bench(parts, setting.split, setting.seed, setting.n_characters)
    net = bench.net(setting.head)
    net.load_state_dict(state)
    progress.say("The trials were done before: going on.")
    return Choice(bench, net, tuple(Trial(**item) for item in said["trials"]), chosen, repaired)
