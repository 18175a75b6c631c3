"""Moving a base's weights, for every strategy that does so: measured, piloted, cross-validated, then on all rows.

Each fold starts at the probe that its own training rows give (LP-FT, Kumar et al. 2022, arXiv:2202.10054). How far to
go from there to the end of training is chosen on the rows held out; at share zero the model is the probe, so that a
fine-tune that hurts costs time only.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import nn

from headstart.features.activations import Pass, Unsuitable, activations
from headstart.features.runtimes import REFERENCE, recall
from headstart.features.torch_runtime import cpu_has_bfloat16
from headstart.records import FittedState, list_held_out_folds
from headstart.strategies.fine_tuning.live_rows import live_source
from headstart.strategies.fine_tuning.recipe import Choice, Cost, Outcome, Recipe, Source, Trial, keep, kept
from headstart.strategies.fine_tuning.trainer import BATCH_SIZE, Workshop
from headstart.strategies.fine_tuning.tuned_model import TunedModel, with_weights
from headstart.strategies.fitted import Model, restore
from headstart.strategies.goals import GOALS
from headstart.strategies.linear.links import LINK_OF, LINKS
from headstart.strategies.linear.temperature import class_temperature
from headstart.strategies.record import Clock, Fitted, Forecast, Rows, Skipped, Task
from headstart.training.bodies import Embedding, saved_bytes
from headstart.training.loop import Lesson, loss_of, seconds_per_row
from headstart.training.plan import Plan

SHARES = (0.0, 0.25, 0.5, 1.0)
"""How far from the probe (0) to the end of training (1) the weights may be taken."""
LEAST_GAIN = 0.002
"""Going further, or averaging over views, must lower the held-out loss by this share."""
ALONE_PAYS = 1.2
"""On a busy machine several threads wait for each other; one is taken where it is faster by this factor."""
HALF_PAYS, HALF_DIFFERS = 1.15, 0.01
PASS_SHARE = 0.35
ALONE_SHARE = 0.9
"""Of the time left, where no other costly strategy was asked for; the rest is for judging on test rows."""
FORWARD = 0.35
"""Cost of judging a row, as a share of learning from it."""
START_SECONDS = 0.3
"""Building a network and fitting the probe that it starts from, about."""
TIMED_ROWS, TIMED_BATCH = 24, 8
FEWEST_ROWS = 10
PILOT_SHARE = 0.3
"""Largest share of its time that judging the first trial may take."""
FEW_ROWS, PILOT_FOLDS, MOST_DEALINGS = 100, 2, 2
"""Fewer rows: trials are compared on all folds, in so many dealings. Else on so many folds, in one."""
WORTH_DEEPER = 0.5
"""Deeper tails are tried only where the shallow one was best at least so far from the probe."""


_MEASURED: dict[tuple[object, ...], Cost] = {}
"""What was measured in this process, so that a forecast and the training after it measure once."""


def epochs_for(recipe: Recipe, n_rows: int) -> int:
    """Few rows are seen more often, so that enough steps are made.

    Examples
    --------
    >>> from headstart.strategies.fine_tuning.last_stages import RECIPE
    >>> epochs_for(RECIPE, 2_000), epochs_for(RECIPE, 100), epochs_for(RECIPE, 20)
    (5, 16, 30)
    """
    return int(np.clip(round(recipe.steps * BATCH_SIZE / n_rows), recipe.epochs, 6 * recipe.epochs))


def make_source(shop: Workshop, n_tail: int, seconds: float) -> Source:
    """Run the frozen part over all rows, or read them where there is none.

    Raises
    ------
    Skipped
        If the base cannot be cut, or the pass fits neither time nor disk.
    """
    table, task = shop.rows.table, shop.task
    if n_tail == 0:
        return live_source(table, shop.base, task.max_memory_bytes / 2)
    try:
        how = Pass(n_tail, shop.recipe.n_views, task.precision, seconds)
        found = activations(table, shop.base, how)
    except Unsuitable as error:
        raise Skipped(str(error)) from error
    return Source(n_tail, len(found.views) - 1, found.batch)


def measure(shop: Workshop, n_tail: int) -> Cost:
    """Time the frozen part and a few steps of learning on a few rows; also find out what fits memory and hardware."""
    rows = zlib.crc32("".join(map(str, shop.rows.table.hashes)).encode())
    key = (shop.base.fingerprint, shop.recipe.name, n_tail, rows, shop.task.max_memory_bytes, shop.task.precision)
    if key in _MEASURED:
        return _MEASURED[key]
    order = np.random.default_rng(shop.task.seed).permutation(len(shop.rows))
    n_timed = min(TIMED_ROWS, len(order) // 2)
    make_source(shop.few(order[:2]), n_tail, np.inf)  # Everything is opened before the clock is looked at.
    fresh = shop.few(order[2 : 2 + n_timed])
    began = time.monotonic()
    source = make_source(fresh, n_tail, np.inf)
    each = (time.monotonic() - began) / max(1, len(fresh.rows)) if n_tail else 0.0
    trial = Trial(source, bool(source.n_views), 1)
    net, module, moved, _ = fresh.net(trial, np.arange(len(fresh.rows)))
    lesson = fresh.lesson(trial, np.arange(len(fresh.rows)), np.empty(0, np.intp))
    plan = fresh.plan(net, module, moved, 1)
    learner = net if shop.recipe.objective == "task" else Embedding(net.body)
    two = lesson.inputs(torch.arange(2), None)
    held = saved_bytes(learner, two) / 2
    weights = sum(value.numel() * 4.0 for value in net.parameters())
    most = max(1, int((shop.task.max_memory_bytes - 4 * weights) / max(1.0, held)))
    rows_at_once = 0 if most >= BATCH_SIZE else most
    plan = replace(plan, batch_size=TIMED_BATCH)
    seconds, n_threads = seconds_per_row(learner, lesson, plan), 0
    if shop.device == "cpu" and torch.get_num_threads() > 1:
        alone = seconds_per_row(learner, lesson, replace(plan, threads=1), n_batches=2)
        if alone * ALONE_PAYS < seconds:
            seconds, n_threads = alone, 1
            plan = replace(plan, threads=1)
    half = False
    if shop.device == "cuda" or (cpu_has_bfloat16() and shop.task.precision == "auto"):
        half, seconds = _half_pays(learner, lesson, plan, seconds)
    memory = 4 * weights + held * min(BATCH_SIZE, most)
    _MEASURED[key] = Cost(
        pass_seconds=each,
        row_seconds=seconds,
        memory_bytes=memory,
        rows_at_once=rows_at_once,
        half=half,
        threads=n_threads,
    )
    return _MEASURED[key]


def _half_pays(net: nn.Module, lesson: Lesson, plan: Plan, seconds: float) -> tuple[bool, float]:
    """Whether bfloat16 learns faster here with the same loss; and the seconds a row."""
    faster = seconds_per_row(net, lesson, replace(plan, half=True), n_batches=2)
    if faster * HALF_PAYS > seconds:
        return False, seconds
    rows = lesson.train[:BATCH_SIZE]
    with torch.no_grad():
        one, two = (
            float(loss_of(net, lesson, rows, plan=replace(plan, half=half), generator=None)) for half in (False, True)
        )
    return (True, faster) if abs(one - two) <= HALF_DIFFERS * abs(one) else (False, seconds)


class Trials:
    """All trainings of one strategy; `pace` is how much longer they take than was measured before."""

    def __init__(self, shop: Workshop, clock: Clock) -> None:
        if len(shop.rows) < FEWEST_ROWS:
            raise Skipped(f"there are only {len(shop.rows)} rows to learn from, {FEWEST_ROWS} are needed")
        if len(list_held_out_folds(shop.task.folds)) < 2:
            raise Skipped("there are too few rows to judge it on any held out")
        self.shop, self.clock = shop, clock
        self.task, self.recipe = shop.task, shop.recipe
        self.sources: dict[int, Source] = {}
        self.pace = 1.0
        self.outcomes: dict[tuple[int, bool, int, int, int], Outcome] = {}
        repeats = self.task.repeats[: MOST_DEALINGS - 1] if len(shop.rows) < FEW_ROWS else ()
        self.dealings = (self.task.folds, *repeats)
        self.epochs = epochs_for(shop.recipe, len(shop.rows))
        self.tails = shop.tails()

    def unit_seconds(self, n_tail: int, epochs: int) -> float:
        """Forecast one training with a fold held out, with the judging of that fold."""
        n, views = len(self.shop.rows), self.shop.n_views
        n_held = n / max(2, len(self.numbers(0)))
        judging = n_held * (1 + views / 2) * len(SHARES) * FORWARD
        return self.pace * (self.cost(n_tail).row_seconds * ((n - n_held) * epochs + judging) + START_SECONDS)

    def cost(self, n_tail: int) -> Cost:
        """Measure a tail, once."""
        found = measure(self.shop, n_tail)
        self.shop.rows_at_once, self.shop.half, self.shop.threads = found.rows_at_once, found.half, found.threads
        return found

    def least_seconds(self, n_tail: int) -> float:
        """Forecast the least that makes sense: the frozen part, one fold, and the last training."""
        passing = self.cost(n_tail).pass_seconds * len(self.shop.rows) / (1 + self.shop.n_views)
        return passing + 2 * self.unit_seconds(n_tail, self.epochs)

    def whole_seconds(self) -> float:
        """Forecast everything that `run` does, were there no limit."""
        passing = self.cost(self.tails[0]).pass_seconds * len(self.shop.rows)
        n_pilots = len(self.pilot_units)
        units = len(self.units())
        pilots = (1 + bool(self.shop.n_views)) * self.unit_seconds(self.tails[0], self.epochs) * n_pilots
        return passing + pilots + (units - n_pilots + 1) * self.unit_seconds(self.tails[0], self.epochs)

    def numbers(self, dealing: int) -> list[int]:
        """Fold numbers of a dealing."""
        return list_held_out_folds(self.dealings[dealing])

    def units(self) -> list[tuple[int, int]]:
        """All folds of all dealings, as (dealing, fold)."""
        return [(dealing, fold) for dealing in range(len(self.dealings)) for fold in self.numbers(dealing)]

    @cached_property
    def pilot_units(self) -> list[tuple[int, int]]:
        """The folds on which trials are compared: few rows need more of them, as far as the time does."""
        first = [unit for unit in self.units() if unit[0] == 0]
        each = self.unit_seconds(self.tails[0], self.epochs)
        wanted = len(first) if len(self.shop.rows) < FEW_ROWS else min(PILOT_FOLDS, len(first))
        return first[: int(np.clip(PILOT_SHARE * self.clock.left() / each, 1, wanted))]

    def source(self, n_tail: int) -> Source:
        """Run the frozen part, once."""
        if n_tail not in self.sources:
            self.sources[n_tail] = make_source(self.shop, n_tail, self.clock.left() * PASS_SHARE)
        return self.sources[n_tail]

    def outcome(self, trial: Trial, unit: tuple[int, int]) -> Outcome:
        """Train with one fold held out, once."""
        key = (trial.source.n_tail, trial.augmented, trial.epochs, *unit)
        if key not in self.outcomes:
            folds, folder = self.dealings[unit[0]], self.task.folder
            path = folder / f"{'-'.join(str(int(part)) for part in key)}.safetensors" if folder else None
            found = kept(path) if path else None
            if found is None:
                inside, held = np.flatnonzero(folds != unit[1]), np.flatnonzero(folds == unit[1])
                expected, began = self.unit_seconds(trial.source.n_tail, trial.epochs), time.monotonic()
                found = self.shop.fit(trial, inside, held, SHARES)
                self.pace *= float(np.clip((time.monotonic() - began) / expected, 0.5, 4.0))
                found.weights.clear()
                found.heads.clear()
                if path:
                    keep(found, path)
            self.outcomes[key] = found
        return self.outcomes[key]

    def judge(self, trial: Trial, units: Sequence[tuple[int, int]]) -> Choice:
        """Choose share, averaging and temperature on the held-out rows of some folds."""
        found = {unit: self.outcome(trial, unit) for unit in units}
        n_views = min(len(outcome.scores[SHARES[0]]) for outcome in found.values())
        choices = [
            self._assembled(found, share, count)
            for share in SHARES
            for count in ((1, n_views) if n_views > 1 else (1,))
        ]
        best = choices[0]
        for choice in choices[1:]:
            if choice.loss < best.loss - LEAST_GAIN * abs(best.loss):
                best = choice
        return best

    def _assembled(self, found: Mapping[tuple[int, int], Outcome], share: float, n_views: int) -> Choice:
        """Put folds and dealings together, under the temperature that suits the plain scores."""
        task = self.task
        shape = (n_views, len(task.codes), len(task.classes))
        whole = {dealing: np.full(shape, np.nan) for dealing, _ in found}
        for (dealing, fold), outcome in found.items():
            whole[dealing][:, self.dealings[dealing] == fold] = outcome.scores[share][:n_views]
        heat = 1.0
        if LINK_OF[task.kind] == "softmax":
            every = np.concatenate([values[0] for values in whole.values()])
            heat = class_temperature(np.tile(task.codes, len(whole)), every)
        link = LINKS[LINK_OF[task.kind]]
        said = [np.mean([link(view / heat) for view in values], axis=0) for values in whole.values()]
        outputs = np.asarray(np.mean(said, axis=0))
        loss = float(np.nanmean(GOALS[task.kind].losses(task, outputs)))
        return Choice(share=share, n_views=n_views - 1, temperature=heat, outputs=outputs, loss=loss)

    def _fits(self, seconds: float, trial_seconds: float) -> bool:
        """Whether so much more fits, with the last training kept in reserve."""
        return self.clock.left() > 1.1 * (seconds + trial_seconds)

    def pilot(self) -> tuple[Trial, Choice]:
        """Compare depths, with and without augmented views, and shorter training."""
        units = self.pilot_units
        shallow = self.tails[0]
        best = Trial(self.source(shallow), False, self.epochs)
        choice = self.judge(best, units)

        def attempt(trial: Trial) -> None:
            nonlocal best, choice
            each = self.unit_seconds(trial.source.n_tail, trial.epochs)
            if self._fits(len(units) * each, each):
                found = self.judge(trial, units)
                if found.loss < choice.loss * (1 - LEAST_GAIN):
                    best, choice = trial, found

        if best.source.n_views:
            attempt(replace(best, augmented=True))
        for tail in self.tails[1:] if choice.share >= WORTH_DEEPER else ():
            each = self.unit_seconds(tail, self.epochs)
            passing = self.cost(tail).pass_seconds * len(self.shop.rows)
            if self._fits(passing + len(units) * each, each):
                attempt(replace(best, source=self.source(tail)))
        shorter = int(np.median([self.outcome(best, unit).best_epoch for unit in units]))
        if 0 < shorter <= best.epochs // 2:
            attempt(replace(best, epochs=shorter))
        return best, choice

    def run(self) -> tuple[Trial, Choice, int]:
        """Pilot, then judge the best trial on as many folds as fit; also gives how many those were."""
        trial, _ = self.pilot()
        done = list(self.pilot_units)
        each = self.unit_seconds(trial.source.n_tail, trial.epochs)
        for dealing in range(len(self.dealings)):
            left = [unit for unit in self.units() if unit[0] == dealing and unit not in done]
            for unit in left:
                if dealing and not self._fits(len(left) * each, each):
                    return trial, self.judge(trial, done), len(done)
                if not self._fits(each, each):
                    return trial, self.judge(trial, done), len(done)
                self.outcome(trial, unit)
                done = [*done, unit] if not dealing else done
            done = [*done, *left] if dealing else done
        return trial, self.judge(trial, done), len(done)


def _clock(recipe: Recipe, task: Task) -> Clock:
    return task.clock.share(ALONE_SHARE if task.alone else recipe.share)


def forecast(recipe: Recipe, rows: Rows, task: Task) -> Forecast:
    """Measure what a recipe will cost, at most its share of the time left.

    Raises
    ------
    Skipped
        If the base cannot be trained so, or the least that makes sense does not fit.
    """
    shop = Workshop(recipe, rows, task)
    clock = _clock(recipe, task)
    trials = Trials(shop, clock)
    least = trials.least_seconds(trials.tails[0])
    if least > clock.left():
        raise Skipped(
            f"it needs about {least:.0f} s, its share of the time left is {clock.left():.0f} s; give more with --time"
        )
    return Forecast(min(trials.whole_seconds(), clock.left()), trials.cost(trials.tails[0]).memory_bytes)


def tune(recipe: Recipe, rows: Rows, task: Task) -> Fitted:
    """Train a base's later layers as a recipe says.

    Raises
    ------
    Skipped
        If it does not fit the time, the base cannot be trained so, or the probe is as good on held-out rows.
    """
    shop = Workshop(recipe, rows, task)
    trials = Trials(shop, _clock(recipe, task))
    trial, choice, n_units = trials.run()
    if choice.share == 0 and not choice.n_views:
        raise Skipped("on rows held out it was no better than the linear-probe that it starts from")
    last = shop.fit(trial, np.arange(len(rows)), np.empty(0, np.intp), (choice.share,))
    moved = {name: value.numpy() for name, value in last.weights[choice.share].items()}
    head = last.heads[choice.share].cooled(choice.temperature)
    runtime = recall(shop.base, "float32") or recall(shop.base, task.precision)
    name = runtime.name if runtime and runtime.numerics == "float32" else REFERENCE
    unit = recipe.objective != "task"
    core = TunedModel(
        modality=rows.table.modality,
        parts=with_weights(shop.base.parts, moved),
        head=head,
        n_views=choice.n_views,
        runtime=name,
        unit=unit,
    )
    return Model(core, choice.outputs, _notes(shop, trial, choice, n_units))


def _notes(shop: Workshop, trial: Trial, choice: Choice, n_units: int) -> tuple[str, ...]:
    blocks = f"the last {trial.source.n_tail} of {shop.n_blocks} blocks" if trial.source.n_tail else "the whole network"
    views = (f"{choice.n_views + 1} views of each row averaged",) if choice.n_views else ()
    mixed = " and mixtures of two rows" if trial.mixed else ""
    learnt = (f"learnt from augmented views{mixed}",) if trial.augmented else ()
    return (
        blocks,
        f"{trial.epochs} passes over the rows",
        f"{choice.share:.0%} of the way from the probe",
        *learnt,
        *views,
        f"judged on {n_units} held-out folds",
    )


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Restore the tuned base and its head."""
    return restore(TunedModel.load(state), state, classes)
