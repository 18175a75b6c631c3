"""Short trainings that choose: which tokenizer, and what learns. The best one goes on from where its trial ended."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from headstart import progress
from headstart.array_files import DamagedArrays, read_arrays, write_arrays
from headstart.bases import BaseParts, assemble_backbone
from headstart.home import read_json, write_json
from headstart.language import scoring
from headstart.language.fitness import take_first_documents
from headstart.language.masked import MaskedBase, MaskedNet, attach_head, autocast_bfloat16
from headstart.language.masked_training import PARTS, MaskedTrainingConfig, train_masked_net
from headstart.language.reading import TextSplit
from headstart.language.settings import SETTINGS
from headstart.language.spelling import SpellingModel, TokenizerFit, measure_tokenizer_fit
from headstart.language.tokens import (
    Corpus,
    SpecialTokens,
    build_corpus,
    encode_texts,
    find_special_tokens,
    open_tokenizer,
)
from headstart.language.vocabulary import RepairedBase, choose_vocabulary_size, repair_tokenizer
from headstart.training.networks import find_attention_layers

BASE, NOTHING = "base", "nothing"
LESS: dict[str, tuple[str, ...]] = {"new": ("embeddings", "lora"), "old": ("upper", "lora")}
"""What is tried besides everything learning, by tokenizer."""


@dataclass(frozen=True, kw_only=True)
class PilotRun:
    """Short training; `figure` is bits per character on the documents for choosing."""

    tokenizer: str
    part: str
    start: str
    figure: float
    steps: int
    seconds: float


class TokenizerBench:
    """Tokenizer with its tokenized texts, to train and measure networks that use it.

    Parameters
    ----------
    parts : BaseParts
    split : TextSplit
    seed : int
        Of new heads.
    n_characters : int
        Of the training text that are cut into tokens, at most.
    """

    def __init__(self, parts: BaseParts, split: TextSplit, seed: int, n_characters: int) -> None:
        self.parts, self.seed = parts, seed
        self.tokenizer = open_tokenizer(parts.tokenizer)
        self.special_tokens: SpecialTokens = find_special_tokens(self.tokenizer, int(parts.spec["pad_id"]))
        used = take_first_documents(split.train, n_characters)
        self.corpus: Corpus = build_corpus(self.tokenizer, used)
        some = take_first_documents(used, SETTINGS.spelling_characters)
        self.spelling = SpellingModel(self.tokenizer, self.special_tokens.unknown).fit(
            some, encode_texts(self.tokenizer, some)
        )

    @property
    def n_vocabulary(self) -> int:
        """Count the rows of the embeddings."""
        return int(self.parts.architecture["config"].get("vocab_size") or self.tokenizer.get_vocab_size())

    def build_net(self, head: Mapping[str, Any] | None) -> MaskedNet:
        """Build the network; the head of another vocabulary is not used: it favours tokens that are gone."""
        backbone = assemble_backbone(self.parts)
        assert backbone.module is not None
        counts = scoring.count_tokens(self.corpus, self.n_vocabulary)
        return attach_head(copy.deepcopy(backbone.module().net), head, counts, self.seed)

    def fit(self, texts: Sequence[str]) -> TokenizerFit:
        """Count how the tokenizer cuts documents."""
        return measure_tokenizer_fit(
            texts, encode_texts(self.tokenizer, texts), self.tokenizer, self.special_tokens.unknown
        )

    def measure(self, net: MaskedNet, texts: Sequence[str], budget: int) -> scoring.DocumentCosts:
        """Measure documents."""
        return scoring.measure_documents(
            net,
            self.special_tokens,
            self.spelling,
            texts=texts,
            encodings=encode_texts(self.tokenizer, texts),
            budget=budget,
        )

    def compute_bits_per_character(self, net: MaskedNet, texts: Sequence[str], budget: int) -> float:
        """Compute bits per character."""
        costs = self.measure(net, texts, budget)
        return float(costs.bits.sum() / costs.characters.sum())


def measure_tokens_per_second(net: MaskedNet, pad: int) -> float:
    """Measure how many tokens a second pass through the network without training, here and now."""
    ids = torch.full((16, min(128, net.max_tokens)), pad, dtype=torch.int64)
    seconds = []
    with torch.inference_mode(), autocast_bfloat16():
        for _ in range(3):
            started = time.monotonic()
            net.score_tokens(net.encode(ids, torch.ones_like(ids))[:, ::7].flatten(0, 1))
            seconds.append(time.monotonic() - started)
    return float(ids.numel() / max(seconds[1:]))


@dataclass(frozen=True, kw_only=True)
class PilotSetting:
    """Setting of the pilot runs.

    Parameters
    ----------
    base : MaskedBase
    split : TextSplit
    old : TokenizerBench
        With the tokenizer as it is.
    head : mapping
        Trained for it.
    old_fit : TokenizerFit
        How the old tokenizer cuts the text.
    seconds : float
        For one trial.
    n_tokens, n_characters, budget, seed : int
        Tokens per step; characters cut into tokens; tokens of one measurement; seed.
    work : Path
        Folder for what a stopped run left.
    """

    base: MaskedBase
    split: TextSplit
    old: TokenizerBench
    head: Mapping[str, Any]
    old_fit: TokenizerFit
    seconds: float
    n_tokens: int
    n_characters: int
    budget: int
    seed: int
    work: Path

    def repair_base(self) -> RepairedBase:
        """Return the base with a new vocabulary."""
        size = choose_vocabulary_size(sum(map(len, self.split.train)), self.old.n_vocabulary)
        return repair_tokenizer(
            self.base.parts, take_first_documents(self.split.train, SETTINGS.vocabulary_characters), size, self.seed
        )


@dataclass(frozen=True, kw_only=True)
class PilotChoice:
    """Choice of the pilot runs: network and tokenizer after the best one."""

    bench: TokenizerBench
    net: MaskedNet
    trials: tuple[PilotRun, ...]
    chosen: PilotRun
    repaired: RepairedBase | None


def choose_by_pilots(setting: PilotSetting) -> PilotChoice:
    """Choose tokenizer and trained part by short trainings: both tokenizers, less of the network, from scratch.

    The old tokenizer is skipped if many characters are unknown to it, or if it cuts words into half as many tokens
    again as a new one. The network from scratch has the same size and the better tokenizer; it is only compared with.
    Every pilot run is kept in the setting's folder: a stopped run repeats only those that are missing.
    """
    repaired = setting.repair_base()
    new = TokenizerBench(repaired.parts, setting.split, setting.seed, setting.n_characters)
    benches = {"new": new, "old": setting.old}
    log = PilotLog(setting, (repaired.parts.tokenizer, setting.base.parts.tokenizer))
    for tokenizer in ("new", "old") if _is_old_tokenizer_usable(setting, new) else ("new",):
        log.run(benches[tokenizer], (tokenizer, "all", BASE))
    leader = log.trials[log.lead].tokenizer
    for part in LESS[leader]:
        if part != "lora" or _supports_low_rank(setting):
            log.run(benches[leader], (leader, part, BASE))
    log.run(benches[leader], (leader, "all", NOTHING))
    chosen = log.trials[log.lead]
    bench = benches[chosen.tokenizer]
    return PilotChoice(
        bench=bench,
        net=log.load_net(bench),
        trials=tuple(log.trials),
        chosen=chosen,
        repaired=repaired if chosen.tokenizer == "new" else None,
    )


class PilotLog:
    """The trials so far, what each document cost in them, and the network of the one that leads; kept in a folder."""

    def __init__(self, setting: PilotSetting, tokenizers: tuple[str, str]) -> None:
        self.setting, self.path = setting, setting.work / "trials.json"
        self.key = hashlib.sha256("\0".join(tokenizers).encode("utf-8", "replace")).hexdigest()
        self.characters = np.array([len(text) for text in setting.split.dev], dtype=np.float64)
        self.trials: list[PilotRun] = []
        self.bits: list[scoring.Floats] = []
        self.lead = 0
        self.leading: MaskedNet | None = None
        self.state: dict[str, torch.Tensor] = {}
        self._load()

    def run(self, bench: TokenizerBench, pilot: tuple[str, str, str]) -> None:
        """Make a trial, unless it was made before; its network is kept only if it leads."""
        if any((trial.tokenizer, trial.part, trial.start) == pilot for trial in self.trials):
            return
        trial, net, bits = _run_pilot(self.setting, bench, pilot)
        leads = self.is_better(trial, bits)
        self.trials.append(trial)
        self.bits.append(bits)
        if leads:
            self.lead, self.leading, self.state = len(self.trials) - 1, net, {}
        self._save(leads)

    def is_better(self, trial: PilotRun, bits: scoring.Floats) -> bool:
        """Return whether a pilot run takes the lead.

        Short trials favour what learns little, so that leads only where its figure is the lowest and the interval of
        the paired difference to everything learning is below zero.
        """
        if trial.start == NOTHING or (self.trials and trial.figure >= self.trials[self.lead].figure):
            return False
        if trial.part == "all":
            return True
        whole = next(at for at, one in enumerate(self.trials) if (one.tokenizer, one.part) == (trial.tokenizer, "all"))
        return scoring.compute_change(bits, self.bits[whole], self.characters, self.setting.seed).high < 0

    def load_net(self, bench: TokenizerBench) -> MaskedNet:
        """Return the leading network, as its pilot run left it."""
        if self.leading is None:
            self.leading = bench.build_net(None)
            self.leading.load_state_dict(self.state)
        return self.leading

    def _state_path(self) -> Path:
        return self.setting.work / f"lead-{self.lead}.safetensors"

    def _save(self, leads: bool) -> None:
        """Write the network first, then the file that names it: a kill in between forgets one trial."""
        if leads and self.leading is not None:
            state = self.leading.state_dict()
            write_arrays(self._state_path(), {name: value.detach().cpu().numpy() for name, value in state.items()})
        trials = [{**asdict(trial), "bits": bits.tolist()} for trial, bits in zip(self.trials, self.bits, strict=True)]
        write_json(self.path, {"key": self.key, "lead": self.lead, "trials": trials})
        for other in self.setting.work.glob("lead-*.safetensors"):
            if other != self._state_path():
                other.unlink(missing_ok=True)

    def _load(self) -> None:
        try:
            document = read_json(self.path)
            if document["key"] != self.key:
                return
            self.lead = int(document["lead"])
            arrays = read_arrays(self._state_path(), need_checksums=True)
            self.state = {name: torch.from_numpy(value) for name, value in arrays.items()}
        except (OSError, ValueError, KeyError, DamagedArrays):
            return
        self.bits = [np.asarray(one.pop("bits"), dtype=np.float64) for one in document["trials"]]
        self.trials = [PilotRun(**one) for one in document["trials"]]
        progress.say(f"{len(self.trials)} trials were finished earlier: continuing.")


def _supports_low_rank(setting: PilotSetting) -> bool:
    """Return whether the base has attention layers for low-rank updates."""
    module = setting.base.backbone.module
    return module is not None and bool(find_attention_layers(cast(nn.Module, module().net)))


def _is_old_tokenizer_usable(setting: PilotSetting, new: TokenizerBench) -> bool:
    """Return whether the old tokenizer is worth a pilot run."""
    fits = setting.old_fit, new.fit(setting.split.dev)
    return (
        fits[0].unknown_character_share < SETTINGS.unknown_character_share
        and fits[0].pieces_per_word < SETTINGS.many_more_tokens * fits[1].pieces_per_word
    )


def _run_pilot(
    setting: PilotSetting, bench: TokenizerBench, pilot: tuple[str, str, str]
) -> tuple[PilotRun, MaskedNet, scoring.Floats]:
    tokenizer, part, start = pilot
    net = bench.build_net(setting.head if (start, tokenizer) == (BASE, "old") else None)
    if start == NOTHING:
        _reset_weights(net, setting.seed)
    name = f"Trial: {tokenizer} tokenizer, {PARTS[part]} learns, from {'the base' if start == BASE else start}"
    config = MaskedTrainingConfig(
        part=part, seconds=setting.seconds, seed=setting.seed, n_tokens=setting.n_tokens, name=name
    )
    history = train_masked_net(net, bench.corpus, bench.special_tokens, config)
    costs = bench.measure(net, setting.split.dev, setting.budget // 3)
    figure = float(costs.bits.sum() / costs.characters.sum())
    progress.say(f"{name}: {figure:.2f} bits a character after {history.seconds:.0f} s.")
    return (
        PilotRun(
            tokenizer=tokenizer,
            part=part,
            start=start,
            figure=figure,
            steps=history.steps,
            seconds=round(history.seconds, 1),
        ),
        net,
        costs.bits,
    )


def _reset_weights(net: MaskedNet, seed: int) -> None:
    """Set every weight of the encoder to a random start: a network of the same size without pre-training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net.encoder.apply(net.encoder._init_weights)
