"""Going on with pre-training: hidden words to guess and, for longer documents, two halves that belong together.

One step learns from about `Course.pieces` pieces. Everything random in a step comes from the seed and the number of the
step, so a training that was stopped goes on exactly where it was. Dropout stays off: there are few epochs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart import progress
from headstart.bases.encoders import find_longest_list
from headstart.language.masked import MaskedNet, numerics
from headstart.language.pieces import Corpus, Marks, Rows, rows, windows
from headstart.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from headstart.training.networks import add_low_rank, merge_low_rank

LONGEST = 64
"""Pieces of a window in training, marks included: attention is cheap there, and most sentences fit."""
HIDDEN_SHARE = 0.2
TEMPERATURE = 0.05
CHECKPOINT_SECONDS = 60.0
_LATE = 1.15
_TIMED_STEPS = 3
PARTS: dict[str, str] = {
    "head": "the head alone",
    "embeddings": "embeddings and head",
    "upper": "the upper half of the layers and the head",
    "lora": "thin matrices on the attention layers (LoRA), embeddings and head",
    "all": "everything",
}
"""What may learn."""
_THIN = ".parametrizations.weight.0."
"""In the names of the thin matrices while they are beside the weights (`headstart.training.networks.LowRank`)."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """One training.

    Parameters
    ----------
    part : str
        Key of `PARTS`.
    seconds : float
        The number of steps is set by the speed of a few, measured before, unless `steps` says it; no step begins
        more than a seventh later than this.
    seed : int
    steps : int
        0: as many as fit into `seconds`.
    pieces : int
        Pieces a step.
    rate : float
        Highest learning rate of the layers; embeddings take twice, thin matrices three, the head five times as much.
    together : float
        Weight of the second goal (two parts of one document are more alike than parts of others); 0: off.
    n_looks : int
        How often it is measured on the documents that choose; the best state is kept.
    patience : int
        Looks without a lower figure after which it stops.
    name : str
        For the bar.
    """

    part: str
    seconds: float
    seed: int = 0
    steps: int = 0
    pieces: int = 512
    rate: float = 3e-4
    together: float = 0.1
    n_looks: int = 0
    patience: int = 3
    name: str = "Training"


@dataclass(kw_only=True)
class Taught:
    """How it went: steps done and planned, seconds, (step, figure) of each look, and the speed."""

    steps: int = 0
    planned: int = 0
    seconds: float = 0.0
    looks: list[tuple[int, float]] = field(default_factory=list)
    pieces: int = 0
    best_step: int = 0

    @property
    def pieces_per_second(self) -> float:
        """Give the speed."""
        return self.pieces / max(self.seconds, 1e-9)


Look = Callable[[], float]


@dataclass(frozen=True)
class Lesson:
    """A network, what it learns from, and how."""

    net: MaskedNet
    found: Corpus
    marks: Marks
    course: Course


def learners(net: MaskedNet, course: Course) -> list[dict[str, Any]]:
    """Freeze what does not learn and group what does by its rate; vectors are not decayed."""
    path, layers = find_longest_list(net.encoder)
    upper = tuple(f"encoder.{path}.{number}." for number in range(len(layers) // 2, len(layers)))
    embeddings = {id(value) for value in net.encoder.get_input_embeddings().parameters()}
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, value in net.named_parameters():
        is_embedding, is_head, is_thin = id(value) in embeddings, name.startswith("head."), _THIN in name
        learns = {
            "head": is_head,
            "embeddings": is_head or is_embedding,
            "upper": is_head or name.startswith(upper),
            "lora": is_head or is_embedding or is_thin,
            "all": "pooler" not in name,
        }[course.part]
        value.requires_grad_(learns)
        if learns:
            rate = course.rate * (5.0 if is_head else 3.0 if is_thin else 2.0 if is_embedding else 1.0)
            groups.setdefault((rate, 0.01 if value.ndim > 1 else 0.0), []).append(value)
    return [
        {"params": values, "lr": rate, "top": rate, "weight_decay": decay} for (rate, decay), values in groups.items()
    ]


def pairs(found: Corpus, marks: Marks, longest: int = LONGEST) -> NDArray[np.int64]:
    """Pair neighbouring windows of one document: (n, 2, 3); a window alone has itself as partner."""
    cut = windows(found, longest - marks.n)
    made: list[NDArray[np.int64]] = []
    at = 0
    while at < len(cut):
        two = at + 1 < len(cut) and cut[at + 1, 2] == cut[at, 2]
        made.append(np.stack([cut[at], cut[at + 1] if two else cut[at]]))
        at += 2 if two else 1
    return np.stack(made)


def batches(couples: NDArray[np.int64], course: Course, n_marks: int) -> Iterator[NDArray[np.int64]]:
    """Give batches of pairs for ever: shuffled anew each epoch, pairs of like length side by side."""
    longest = (couples[:, :, 1] - couples[:, :, 0]).max(axis=1) + n_marks
    n_rows = np.where((couples[:, 0] == couples[:, 1]).all(axis=1), 1, 2)
    epoch = 0
    while True:
        rng = np.random.default_rng([course.seed, epoch])
        noisy = longest * rng.uniform(0.9, 1.1, len(longest))
        order = np.argsort(noisy, kind="stable")
        made, start, width, total = [], 0, 0, 0
        for at, number in enumerate(order.tolist()):
            width, total = max(width, int(longest[number])), total + int(n_rows[number])
            if width * total > course.pieces and at > start:
                made.append(order[start:at])
                start, width, total = at, int(longest[number]), int(n_rows[number])
        made.append(order[start:])
        for place in rng.permutation(len(made)):
            yield couples[made[place]]
        epoch += 1


def hide(laid: Rows, marks: Marks, n_pieces: int, rng: np.random.Generator) -> tuple[Any, NDArray[np.bool_]]:
    """Hide a fifth of the words from a piece drawn at random to their end; gives ids to show and what to guess.

    Of the hidden pieces 80 % are masked, 10 % are another piece and 10 % stay (as in BERT).
    """
    n_words = int(laid.word.max(initial=0)) + 1
    shape = (len(laid.ids), n_words)
    lengths = np.zeros(shape, dtype=np.int64)
    row, column = np.nonzero(laid.word >= 0)
    np.maximum.at(lengths, (row, laid.word[row, column]), laid.place[row, column] + 1)
    drawn = rng.random(shape) < HIDDEN_SHARE
    drawn[np.arange(len(drawn)), rng.integers(0, np.maximum((lengths > 0).sum(axis=1), 1))] = True
    first = np.floor(rng.random(shape) * lengths).astype(np.int64)
    take = np.arange(len(laid.ids))[:, None], np.maximum(laid.word, 0)
    asked = (laid.word >= 0) & drawn[take] & (laid.place >= first[take])
    how = rng.random(laid.ids.shape)
    other = rng.integers(0, n_pieces, laid.ids.shape)
    shown = np.where(asked & (how < 0.8), marks.mask, np.where(asked & (how < 0.9), other, laid.ids))
    return shown, np.asarray(asked)


def loss_of(
    net: MaskedNet, laid: Rows, marks: Marks, rng: np.random.Generator, couples: Any, together: float
) -> Tensor:
    """Give the mean loss in nats a guess, plus that of telling which windows belong together."""
    shown, asked = hide(laid, marks, len(net.embeddings), rng)
    with numerics():
        out = net.hidden(torch.from_numpy(shown), torch.from_numpy(laid.mask))
        guesses = net.guess(out[torch.from_numpy(asked)])
    loss = nn.functional.cross_entropy(guesses, torch.from_numpy(laid.ids[asked]))
    first, second = couples
    if together and len(first) > 3:
        weight = torch.from_numpy(laid.mask)[..., None].float()
        pooled = nn.functional.normalize((out.float() * weight).sum(1) / weight.sum(1), dim=1)
        like = pooled[first] @ pooled[second].T / TEMPERATURE
        truth = torch.arange(len(first))
        loss = loss + together * 0.5 * (
            nn.functional.cross_entropy(like, truth) + nn.functional.cross_entropy(like.T, truth)
        )
    return loss


def lay(found: Corpus, some: NDArray[np.int64], marks: Marks) -> tuple[Rows, tuple[Tensor, Tensor]]:
    """Lay pairs out as rows; gives also which rows are the two sides of each true pair."""
    alone = (some[:, 0] == some[:, 1]).all(axis=1)
    two, one = some[~alone], some[alone][:, 0]
    laid = rows(found, np.concatenate([two[:, 0], two[:, 1], one]), marks)
    return laid, (torch.arange(len(two)), torch.arange(len(two)) + len(two))


def share_of_rate(step: int, n_steps: int) -> float:
    """Give the share (0-1) of the highest rate: up over the first twentieth, then straight down to almost nothing."""
    rise = max(1, n_steps // 20)
    return (step + 1) / rise if step < rise else max(0.02, (n_steps - step) / max(n_steps - rise, 1))


def teach(
    net: MaskedNet, found: Corpus, marks: Marks, course: Course, look: Look | None = None, kept: Path | None = None
) -> Taught:
    """Train; the net then holds the state with the lowest figure of the looks, or the last one without looks.

    Thin matrices (LoRA) are merged into the weights at the end: the network keeps its shape.

    Parameters
    ----------
    net : MaskedNet
    found : Corpus
        To learn from.
    marks : Marks
    course : Course
    look : function, optional
        Gives the figure (lower is better) on documents that choose.
    kept : Path, optional
        File for checkpoints, about one a minute; if it is there, training goes on from it.
    """
    net.encoder.eval()
    thin = add_low_rank(net.encoder, course.seed) if course.part == "lora" else {}
    made = torch.optim.AdamW(learners(net, course), betas=(0.9, 0.98), eps=1e-6, fused=True)
    couples = pairs(found, marks, min(LONGEST, net.room))
    done = Taught(planned=course.steps)
    best = _State(net)
    if kept is not None and kept.is_file():
        _resume(kept, net, made, done=done, best=best)
    lesson = Lesson(net, found, marks, course)
    before, began, saved = done.seconds, time.monotonic(), time.monotonic()
    if not done.planned:
        seconds = seconds_per_step(lesson, batches(couples, course, marks.n))
        done.planned = max(1, int((course.seconds - (time.monotonic() - began)) / seconds))
    between = max(1, done.planned // max(course.n_looks, 1))
    feed = batches(couples, course, marks.n)
    for _ in range(done.steps):
        next(feed)
    with progress.bar(course.name, int(course.seconds), "s") as bar:
        ticked = int(before)
        bar.advance(ticked)
        while done.steps < done.planned and (course.steps or done.seconds < course.seconds * _LATE):
            _step(lesson, made, next(feed), done)
            done.seconds = before + time.monotonic() - began
            if look and course.n_looks and done.steps % between == 0:
                figure = look()
                done.looks.append((done.steps, figure))
                best.keep(figure, done.steps)
                done.seconds = before + time.monotonic() - began
                if done.steps - best.step > course.patience * between:
                    break
            if kept is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save(kept, net, made, done=done, best=best)
                saved = time.monotonic()
            bar.advance(min(int(done.seconds), int(course.seconds)) - ticked)
            ticked = min(int(done.seconds), int(course.seconds))
    if look and course.n_looks and (not done.looks or done.looks[-1][0] != done.steps):
        figure = look()
        done.looks.append((done.steps, figure))
        best.keep(figure, done.steps)
    done.best_step = best.restore() if done.looks else done.steps
    merge_low_rank(thin)
    net.requires_grad_(False)
    return done


def seconds_per_step(lesson: Lesson, feed: Iterator[NDArray[np.int64]]) -> float:
    """Time a few steps that change nothing, so that the rate can follow its plan from the first real one."""
    taken = []
    for number in range(_TIMED_STEPS):
        began = time.monotonic()
        laid, sides = lay(lesson.found, next(feed), lesson.marks)
        rng = np.random.default_rng(number)
        loss_of(lesson.net, laid, lesson.marks, rng=rng, couples=sides, together=lesson.course.together).backward()  # type: ignore[no-untyped-call]
        lesson.net.zero_grad(set_to_none=True)
        taken.append(time.monotonic() - began)
    return max(1.1 * float(np.mean(taken[1:])), 1e-6)


def _step(lesson: Lesson, made: torch.optim.Optimizer, some: NDArray[np.int64], done: Taught) -> None:
    net, found, marks, course = lesson.net, lesson.found, lesson.marks, lesson.course
    rng = np.random.default_rng([course.seed, 1 + done.steps, 7])
    laid, sides = lay(found, some, marks)
    for group in made.param_groups:
        group["lr"] = group["top"] * share_of_rate(done.steps, done.planned)
    made.zero_grad(set_to_none=True)
    loss = loss_of(net, laid, marks, rng=rng, couples=sides, together=course.together)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_([value for value in net.parameters() if value.requires_grad], 1.0)
    made.step()
    done.steps += 1
    done.pieces += int(laid.mask.sum())


class _State:
    """The best weights so far, of the parameters that learn."""

    def __init__(self, net: MaskedNet) -> None:
        self.net, self.figure, self.step = net, math.inf, 0
        self.values: dict[str, Tensor] = {}

    def keep(self, figure: float, step: int) -> None:
        if figure < self.figure:
            self.figure, self.step = figure, step
            self.values = {
                name: value.detach().clone() for name, value in self.net.named_parameters() if value.requires_grad
            }

    def restore(self) -> int:
        own = dict(self.net.named_parameters())
        for name, value in self.values.items():
            own[name].data.copy_(value)
        return self.step


def _save(path: Path, net: MaskedNet, made: torch.optim.Optimizer, done: Taught, best: _State) -> None:
    said = {
        "steps": done.steps, "planned": done.planned, "seconds": done.seconds, "looks": done.looks,
        "pieces": done.pieces, "best": [best.figure if math.isfinite(best.figure) else None, best.step],
    }  # fmt: skip
    tensors = {f"best/{name}": value for name, value in best.values.items()}
    save_checkpoint(path, net, made, Checkpoint(tensors, said))


def _resume(path: Path, net: MaskedNet, made: torch.optim.Optimizer, done: Taught, best: _State) -> None:
    loaded = load_checkpoint(path, net, made)
    if loaded is None:
        return
    tensors, said = loaded.tensors, loaded.document
    done.steps, done.planned, done.seconds, done.pieces = (
        said["steps"], said["planned"], said["seconds"], said["pieces"],
    )  # fmt: skip
    done.looks = [(int(step), float(figure)) for step, figure in said["looks"]]
    figure, best.step = said["best"]
    best.figure = math.inf if figure is None else float(figure)
    best.values = {name.removeprefix("best/"): value for name, value in tensors.items()}
    progress.say(f"Going on at step {done.steps} of {done.planned}.")
