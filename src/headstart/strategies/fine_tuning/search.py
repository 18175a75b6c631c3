"""The search of every fine-tuning strategy: measure costs, compare variants, cross-validate, then train on all rows.

Each fold starts at the probe fitted on its own training rows (LP-FT, Kumar et al. 2022, arXiv:2202.10054). The
interpolation between the probe and the end of training is chosen on held-out rows; at zero the model is the probe, so
that a fine-tuning that hurts costs time only.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from headstart import progress
from headstart.features.runtimes import REFERENCE, read_runtime_choice
from headstart.fitted_state import FittedState
from headstart.records import list_held_out_folds
from headstart.strategies.fine_tuning.records import (
    SETTINGS,
    FineTuningConfig,
    RowSource,
    TailCost,
    TrainingOutcome,
    TrainingVariant,
    VariantChoice,
    read_outcome,
    write_outcome,
)
from headstart.strategies.fine_tuning.tail_cost import make_source, measure_tail
from headstart.strategies.fine_tuning.trainer import Trainer
from headstart.strategies.fine_tuning.tuned_model import TunedModel, replace_weights
from headstart.strategies.fitted import FittedModel, restore_model
from headstart.strategies.linear.links import LINK_OF, LINKS
from headstart.strategies.linear.temperature import find_class_temperature
from headstart.strategies.record import Clock, CostForecast, Fitted, StrategyRows, StrategySkipped, Task
from headstart.strategies.scoring import OBJECTIVES


def count_epochs(config: FineTuningConfig, n_rows: int) -> int:
    """Return the number of epochs: more for few rows, so that enough steps are taken.

    Parameters
    ----------
    config : FineTuningConfig
    n_rows : int
        Training rows.

    Examples
    --------
    >>> from headstart.strategies.fine_tuning.last_stages import CONFIG
    >>> count_epochs(CONFIG, 2_000), count_epochs(CONFIG, 100), count_epochs(CONFIG, 20)
    (5, 16, 30)
    """
    return int(np.clip(round(config.steps * SETTINGS.batch_size / n_rows), config.epochs, 6 * config.epochs))


class VariantSearch:
    """All trainings of one strategy; `pace` is their duration relative to the forecast."""

    def __init__(self, trainer: Trainer, clock: Clock) -> None:
        if len(trainer.rows) < SETTINGS.fewest_rows:
            raise StrategySkipped(
                f"there are only {len(trainer.rows)} rows to learn from, {SETTINGS.fewest_rows} are needed"
            )
        if len(list_held_out_folds(trainer.task.folds)) < 2:
            raise StrategySkipped("there are too few rows to hold some out")
        self.trainer, self.clock = trainer, clock
        self.task, self.config = trainer.task, trainer.config
        self.sources: dict[int, RowSource] = {}
        self.pace = 1.0
        self.outcomes: dict[tuple[int, bool, int, int, int], TrainingOutcome] = {}
        repeats = self.task.repeats[: SETTINGS.most_repeats - 1] if len(trainer.rows) < SETTINGS.few_rows else ()
        self.fold_assignments = (self.task.folds, *repeats)
        self.epochs = count_epochs(trainer.config, len(trainer.rows))
        self.tails = trainer.list_tails()

    def forecast_fold_seconds(self, n_tail: int, epochs: int) -> float:
        """Return the forecast seconds of one training with a fold held out, and of scoring that fold."""
        n, views = len(self.trainer.rows), self.trainer.n_views
        n_held = n / max(2, len(self.folds_of_repeat(0)))
        judging = n_held * (1 + views / 2) * len(SETTINGS.alphas) * SETTINGS.scoring_cost
        return self.pace * (
            self.measure_cost(n_tail).row_seconds * ((n - n_held) * epochs + judging) + SETTINGS.start_seconds
        )

    def measure_cost(self, n_tail: int) -> TailCost:
        """Return the cost of a tail, measured once, and set the trainer accordingly."""
        cost = measure_tail(self.trainer, n_tail)
        self.trainer.rows_at_once, self.trainer.half_precision, self.trainer.n_threads = (
            cost.rows_at_once,
            cost.half_precision,
            cost.n_threads,
        )
        return cost

    def forecast_least_seconds(self, n_tail: int) -> float:
        """Return the forecast seconds of the least useful search: forward pass, one fold and the last training."""
        passing = self.measure_cost(n_tail).pass_seconds * len(self.trainer.rows) / (1 + self.trainer.n_views)
        return passing + 2 * self.forecast_fold_seconds(n_tail, self.epochs)

    def forecast_seconds(self) -> float:
        """Return the forecast seconds of `run` without a time limit."""
        passing = self.measure_cost(self.tails[0]).pass_seconds * len(self.trainer.rows)
        n_pilots = len(self.pilot_folds)
        n_folds = len(self.held_out_folds())
        pilots = (1 + bool(self.trainer.n_views)) * self.forecast_fold_seconds(self.tails[0], self.epochs) * n_pilots
        return passing + pilots + (n_folds - n_pilots + 1) * self.forecast_fold_seconds(self.tails[0], self.epochs)

    def forecast_rest_seconds(self, variant: TrainingVariant) -> float:
        """Return what is left of `run`, by the pace so far: the folds not yet trained, and the last training."""
        done = [key for key in self.outcomes if key[:3] == (variant.source.n_tail, variant.augmented, variant.epochs)]
        n_left = len(self.held_out_folds()) - len(done) + 1
        each = self.forecast_fold_seconds(variant.source.n_tail, variant.epochs)
        return min(n_left * each, self.clock.remaining_seconds())

    def folds_of_repeat(self, repeat: int) -> list[int]:
        """Return the fold numbers of a repeat."""
        return list_held_out_folds(self.fold_assignments[repeat])

    def held_out_folds(self) -> list[tuple[int, int]]:
        """Return all folds of all repeats, as (repeat, fold)."""
        return [(repeat, fold) for repeat in range(len(self.fold_assignments)) for fold in self.folds_of_repeat(repeat)]

    @cached_property
    def pilot_folds(self) -> list[tuple[int, int]]:
        """The folds on which variants are compared: more for few rows, as many as fit the time."""
        first = [fold for fold in self.held_out_folds() if fold[0] == 0]
        each = self.forecast_fold_seconds(self.tails[0], self.epochs)
        n_pilots = len(first) if len(self.trainer.rows) < SETTINGS.few_rows else min(SETTINGS.pilot_folds, len(first))
        return first[: int(np.clip(SETTINGS.pilot_share * self.clock.remaining_seconds() / each, 1, n_pilots))]

    def source_of(self, n_tail: int) -> RowSource:
        """Return the rows for a tail; the forward pass runs once."""
        if n_tail not in self.sources:
            self.sources[n_tail] = make_source(
                self.trainer, n_tail, self.clock.remaining_seconds() * SETTINGS.pass_share
            )
        return self.sources[n_tail]

    def train_fold(self, variant: TrainingVariant, fold: tuple[int, int]) -> TrainingOutcome:
        """Return the outcome of training with one fold held out; each is trained once."""
        key = (variant.source.n_tail, variant.augmented, variant.epochs, *fold)
        if key not in self.outcomes:
            folds, folder = self.fold_assignments[fold[0]], self.task.folder
            path = folder / f"{'-'.join(str(int(part)) for part in key)}.safetensors" if folder else None
            outcome = read_outcome(path) if path else None
            if outcome is None:
                inside, held = np.flatnonzero(folds != fold[1]), np.flatnonzero(folds == fold[1])
                expected, started = self.forecast_fold_seconds(variant.source.n_tail, variant.epochs), time.monotonic()
                outcome = self.trainer.train_variant(variant, inside, held, SETTINGS.alphas)
                self.pace *= float(np.clip((time.monotonic() - started) / expected, 0.5, 4.0))
                outcome.weights.clear()
                outcome.heads.clear()
                if path:
                    write_outcome(outcome, path)
            self.outcomes[key] = outcome
            progress.expect_rest(self.forecast_rest_seconds(variant))
        return self.outcomes[key]

    def score_variant(self, variant: TrainingVariant, folds: Sequence[tuple[int, int]]) -> VariantChoice:
        """Return the best coefficient, number of views and temperature on the held-out rows of some folds."""
        outcomes = {fold: self.train_fold(variant, fold) for fold in folds}
        n_views = min(len(outcome.scores[SETTINGS.alphas[0]]) for outcome in outcomes.values())
        choices = [
            self._assemble(outcomes, alpha, count)
            for alpha in SETTINGS.alphas
            for count in ((1, n_views) if n_views > 1 else (1,))
        ]
        best = choices[0]
        for choice in choices[1:]:
            if choice.loss < best.loss - SETTINGS.least_gain * abs(best.loss):
                best = choice
        return best

    def _assemble(
        self, outcomes: Mapping[tuple[int, int], TrainingOutcome], alpha: float, n_views: int
    ) -> VariantChoice:
        """Join the scores of folds and repeats; the temperature is fitted on the scores of the plain view."""
        task = self.task
        shape = (n_views, len(task.codes), len(task.classes))
        scores_of_repeat = {repeat: np.full(shape, np.nan) for repeat, _ in outcomes}
        for (repeat, fold), outcome in outcomes.items():
            scores_of_repeat[repeat][:, self.fold_assignments[repeat] == fold] = outcome.scores[alpha][:n_views]
        temperature = 1.0
        if LINK_OF[task.kind] == "softmax":
            scores = np.concatenate([values[0] for values in scores_of_repeat.values()])
            temperature = find_class_temperature(np.tile(task.codes, len(scores_of_repeat)), scores)
        link = LINKS[LINK_OF[task.kind]]
        outputs_of_repeats = [
            np.mean([link(view / temperature) for view in values], axis=0) for values in scores_of_repeat.values()
        ]
        outputs = np.asarray(np.mean(outputs_of_repeats, axis=0))
        loss = float(np.nanmean(OBJECTIVES[task.kind].losses(task, outputs)))
        return VariantChoice(alpha=alpha, n_views=n_views - 1, temperature=temperature, outputs=outputs, loss=loss)

    def _fits(self, seconds: float, fold_seconds: float) -> bool:
        """Return whether so many seconds fit, with the last training in reserve."""
        return self.clock.remaining_seconds() > 1.1 * (seconds + fold_seconds)

    def run_pilot(self) -> tuple[TrainingVariant, VariantChoice]:
        """Return the best variant: depths, augmented views and shorter training are compared."""
        folds = self.pilot_folds
        shallow = self.tails[0]
        best = TrainingVariant(self.source_of(shallow), False, self.epochs)
        choice = self.score_variant(best, folds)

        def attempt(variant: TrainingVariant) -> None:
            nonlocal best, choice
            each = self.forecast_fold_seconds(variant.source.n_tail, variant.epochs)
            if self._fits(len(folds) * each, each):
                candidate = self.score_variant(variant, folds)
                if candidate.loss < choice.loss * (1 - SETTINGS.least_gain):
                    best, choice = variant, candidate

        if best.source.n_views:
            attempt(replace(best, augmented=True))
        for tail in self.tails[1:] if choice.alpha >= SETTINGS.deeper_from_alpha else ():
            each = self.forecast_fold_seconds(tail, self.epochs)
            passing = self.measure_cost(tail).pass_seconds * len(self.trainer.rows)
            if self._fits(passing + len(folds) * each, each):
                attempt(replace(best, source=self.source_of(tail)))
        shorter = int(np.median([self.train_fold(best, fold).best_epoch for fold in folds]))
        if 0 < shorter <= best.epochs // 2:
            attempt(replace(best, epochs=shorter))
        return best, choice

    def run(self) -> tuple[TrainingVariant, VariantChoice, int]:
        """Return the best variant, its choice on as many folds as fit the time, and the number of these folds."""
        variant, _ = self.run_pilot()
        done = list(self.pilot_folds)
        each = self.forecast_fold_seconds(variant.source.n_tail, variant.epochs)
        for repeat in range(len(self.fold_assignments)):
            left = [fold for fold in self.held_out_folds() if fold[0] == repeat and fold not in done]
            for fold in left:
                if repeat and not self._fits(len(left) * each, each):
                    return variant, self.score_variant(variant, done), len(done)
                if not self._fits(each, each):
                    return variant, self.score_variant(variant, done), len(done)
                self.train_fold(variant, fold)
                done = [*done, fold] if not repeat else done
            done = [*done, *left] if repeat else done
        return variant, self.score_variant(variant, done), len(done)


def _clock(config: FineTuningConfig, task: Task) -> Clock:
    return task.clock.start_share(SETTINGS.time_share_alone if task.is_only_costly else config.time_share)


def forecast(config: FineTuningConfig, rows: StrategyRows, task: Task) -> CostForecast:
    """Measure the cost of fine-tuning, at most its share of the time left.

    Parameters
    ----------
    config : FineTuningConfig
    rows : StrategyRows
    task : Task

    Raises
    ------
    StrategySkipped
        If the base cannot be trained so, or the least that makes sense does not fit.
    """
    trainer = Trainer(config, rows, task)
    clock = _clock(config, task)
    search = VariantSearch(trainer, clock)
    least_seconds = search.forecast_least_seconds(search.tails[0])
    if least_seconds > clock.remaining_seconds():
        raise StrategySkipped(
            f"it needs about {least_seconds:.0f} s, its share of the time left is {clock.remaining_seconds():.0f} s; "
            "give more with --time"
        )
    return CostForecast(
        min(search.forecast_seconds(), clock.remaining_seconds()), search.measure_cost(search.tails[0]).memory_bytes
    )


def tune(config: FineTuningConfig, rows: StrategyRows, task: Task) -> Fitted:
    """Return the fine-tuned base model and its out-of-fold outputs.

    Parameters
    ----------
    config : FineTuningConfig
    rows : StrategyRows
    task : Task

    Raises
    ------
    StrategySkipped
        If it does not fit the time, the base cannot be trained so, or the probe is as good on held-out rows.
    """
    trainer = Trainer(config, rows, task)
    search = VariantSearch(trainer, _clock(config, task))
    variant, choice, n_folds = search.run()
    if choice.alpha == 0 and not choice.n_views:
        raise StrategySkipped("on held-out rows it was not better than the linear-probe that it starts from")
    last = trainer.train_variant(variant, np.arange(len(rows)), np.empty(0, np.intp), (choice.alpha,))
    moved = {name: value.numpy() for name, value in last.weights[choice.alpha].items()}
    head = last.heads[choice.alpha].scaled_by_temperature(choice.temperature)
    runtime = read_runtime_choice(trainer.base, "float32") or read_runtime_choice(trainer.base, task.precision)
    name = runtime.name if runtime and runtime.numerics == "float32" else REFERENCE
    unit_length = config.objective != "task"
    core = TunedModel(
        modality=rows.table.modality,
        parts=replace_weights(trainer.base.parts, moved),
        head=head,
        n_views=choice.n_views,
        runtime=name,
        unit_length=unit_length,
    )
    return FittedModel(core, choice.outputs, _notes(trainer, variant, choice, n_folds))


def _notes(trainer: Trainer, variant: TrainingVariant, choice: VariantChoice, n_folds: int) -> tuple[str, ...]:
    blocks = (
        f"the last {variant.source.n_tail} of {trainer.n_blocks} blocks"
        if variant.source.n_tail
        else "the whole network"
    )
    views = (f"{choice.n_views + 1} views of each row averaged",) if choice.n_views else ()
    mixed = " and mixtures of two rows" if variant.uses_mixup else ""
    augmentation = (f"learnt from augmented views{mixed}",) if variant.augmented else ()
    return (
        blocks,
        f"{variant.epochs} passes over the rows",
        f"{choice.alpha:.0%} of the way from the probe",
        *augmentation,
        *views,
        f"judged on {n_folds} held-out folds",
    )


def load(state: FittedState, classes: tuple[str, ...]) -> Fitted:
    """Return the tuned model that a state describes.

    Parameters
    ----------
    state : FittedState
    classes : tuple of str
    """
    return restore_model(TunedModel.load(state), state, classes)
