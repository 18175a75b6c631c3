"""Counterfactual pairs: test rows changed a little, run through the same models, and how many answers flip."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import evaluation, progress
from headstart.bundle import Bundle
from headstart.errors import DataError
from headstart.evaluation.fairness.groups import name_values
from headstart.evaluation.fairness.inherited_bias import measure_flip_share
from headstart.flow.audit.settings import SETTINGS
from headstart.flow.inference.perturbed_rows import make_input_spec, store_inputs
from headstart.flow.inference.predict_table import make_reader
from headstart.modalities import MODALITIES
from headstart.modalities.counterfactual import Edit, list_edits
from headstart.records import Column, Index, Predictions, Table, make_column
from headstart.results import Counterfactual, Figure, FlipShare
from headstart.strategies.record import Clock, Fitted
from headstart.task_types import TASK_TYPES


@dataclass(frozen=True, kw_only=True)
class CounterfactualInputs:
    """Models, rows and groups that counterfactuals are measured on.

    Parameters
    ----------
    bundle : Bundle
        Of which only base and seed are used; `uses` covers all models.
    models : mapping of str to Fitted
        The chosen one first; the other is what it is measured against.
    table : Table
        Test rows.
    parts : mapping of str to Column, shape (n_rows,) each
        Group columns, and "" for the true classes where there are such.
    thresholds : tuple of float
    typical_error : float
        For numbers: a prediction that moves by more counts as another answer.
    """

    bundle: Bundle
    models: Mapping[str, Fitted]
    table: Table
    parts: Mapping[str, Column]
    thresholds: tuple[float, ...] = ()
    typical_error: float = 0.0


def measure_counterfactuals(
    inputs: CounterfactualInputs, swaps: Path | None, full: bool, clock: Clock, precision: str
) -> tuple[list[Counterfactual], dict[str, str]]:
    """Change a sample of test rows in every way of their modality, and count other answers.

    Parameters
    ----------
    inputs : CounterfactualInputs
    swaps : Path or None
        Word pairs for texts.
    full : bool
        512 rows and every change, instead of 64 and the quick ones.
    clock : Clock
        Fewer rows are taken where the changes would take more than a share of what is left.
    precision : str

    Returns
    -------
    list of Counterfactual
    dict of str to str
        What was not measured, and why.
    """
    table, rng = inputs.table, np.random.default_rng(inputs.bundle.seed)
    changes = [
        edit for edit in list_edits(MODALITIES[table.modality], list(table.inputs), swaps) if full or edit.is_quick
    ]
    order = rng.permutation(len(table))
    most = min(SETTINGS.full_changed_rows if full else SETTINGS.quick_changed_rows, len(table))
    if most < SETTINGS.min_changed_rows:
        return [], {"counterfactuals": f"There are only {len(table)} test rows; it takes {SETTINGS.min_changed_rows}."}
    share = SETTINGS.full_changed_share if full else SETTINGS.quick_changed_share
    with tempfile.TemporaryDirectory() as folder:
        runner = _Runner(inputs, Path(folder), precision)
        if runner.compute_outputs(order[:1], None) is None:  # Opens the base, which is not part of what a row costs.
            return [], {"counterfactuals": "The changed rows could not be read."}
        began = time.monotonic()
        runner.compute_outputs(order[: SETTINGS.min_changed_rows], None)
        each = (time.monotonic() - began) / SETTINGS.min_changed_rows
        fits = int(clock.remaining_seconds() * share / max(each * (1 + len(changes)), 1e-9))
        if fits < SETTINGS.min_changed_rows:
            needed = each * (1 + len(changes)) * SETTINGS.min_changed_rows / share
            return [], {"counterfactuals": f"It needs about {needed:.0f} s to be left; give more with --time."}
        most = min(most, fits)
        measured, not_measured = [], dict[str, str]()
        with progress.open_bar("Changed rows", len(changes), MODALITIES[table.modality].plural) as bar:
            for edit in changes:
                outcome = runner.measure(edit, order, most)
                bar.advance(1)
                if isinstance(outcome, str):
                    not_measured[edit.name] = outcome
                else:
                    measured.append(outcome)
    return measured, not_measured


class _Runner:
    """Runs plain and changed rows through the models; plain outputs are kept."""

    def __init__(self, inputs: CounterfactualInputs, folder: Path, precision: str) -> None:
        self.inputs, self.folder = inputs, folder
        self.read = make_reader(inputs.bundle, inputs.table, precision)
        modality = inputs.table.modality
        self.modality = MODALITIES[modality]
        self.spec = make_input_spec(inputs.bundle)
        self.plain: dict[int, dict[str, NDArray[np.float64]]] = {}

    def edit_input(self, row: int, edit: Edit | None) -> Any:
        """Return one row as it would be read after a change; None where there is nothing to change in it."""
        loaded = self.modality.load(self.inputs.table.inputs[row], self.spec)
        rng = np.random.default_rng([self.inputs.bundle.seed, row])
        return loaded if edit is None else edit.change(loaded, rng)

    def compute_outputs(self, rows: Index, edit: Edit | None) -> dict[str, NDArray[np.float64]] | None:
        """Predict rows; those that cannot be read are an error of the data that would have been met before."""
        changed = [self.edit_input(int(row), edit) for row in rows]
        name = edit.name if edit else "plain"
        stored = store_inputs(self.inputs.table.modality, changed, self.folder, [f"{name}-{row}" for row in rows])
        table = replace(self.inputs.table.take(rows), inputs=stored)
        readable, read, failed = self.read(table)
        if failed or len(readable) < len(rows):
            return None
        return {name: np.asarray(model.predict(read)) for name, model in self.inputs.models.items()}

    def measure(self, edit: Edit, order: Index, most: int) -> Counterfactual | str:
        """Measure one change, or say why it was not."""
        try:
            rows = np.sort(self._find_changed_rows(edit, order, most))
            if len(rows) < SETTINGS.min_changed_rows:
                return f"Cannot tell: only {len(rows)} test rows hold anything that it changes ({edit.description})."
            after = self.compute_outputs(rows, edit)
            missing = np.asarray([row for row in rows if int(row) not in self.plain], dtype=np.intp)
            before = self.compute_outputs(missing, None) if len(missing) else {}
        except DataError as error:
            return error.problem
        if after is None or before is None:
            return "The changed rows could not be read."
        for at, row in enumerate(missing):
            self.plain[int(row)] = {name: values[at] for name, values in before.items()}
        moved = {
            name: self._has_moved(np.stack([self.plain[int(row)][name] for row in rows]), values)
            for name, values in after.items()
        }
        return _make_counterfactual(edit, rows, moved, self.inputs)

    def _find_changed_rows(self, edit: Edit, order: Index, most: int) -> Index:
        """Return the first rows of an order that a change has any effect on."""
        if not self.modality.has_words:
            return order[:most]
        changed: list[int] = []
        for row in order:
            if self.edit_input(int(row), edit) is not None:
                changed.append(int(row))
            if len(changed) == most:
                break
        return np.asarray(changed, dtype=np.intp)

    def _has_moved(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which rows got another answer."""
        bundle = self.inputs.bundle
        if TASK_TYPES[bundle.task].is_number:
            return np.asarray(np.abs(after - before)[:, 0] > self.inputs.typical_error)

        def to_predictions(values: NDArray[np.float64]) -> Predictions:
            ids = make_column(list(range(len(values))))
            return Predictions(
                ids=ids,
                classes=bundle.classes,
                probabilities=values,
                task=bundle.task,
                thresholds=self.inputs.thresholds,
            )

        if TASK_TYPES[bundle.task].has_label_sets:
            return np.asarray((to_predictions(before).label_mask != to_predictions(after).label_mask).any(axis=1))
        return np.asarray(to_predictions(before).class_indices != to_predictions(after).class_indices)


def _make_counterfactual(
    edit: Edit, rows: Index, moved: Mapping[str, NDArray[np.bool_]], inputs: CounterfactualInputs
) -> Counterfactual:
    """Return the counterfactual figures of one change."""
    chosen, *others = moved
    whole, other = measure_flip_share(moved[chosen]), measure_flip_share(moved[others[0]]) if others else None
    parts = []
    for name, values in inputs.parts.items():
        if name and evaluation.has_too_many_values(values):
            continue
        named = np.array(name_values(values[rows]), dtype=object)
        for value in sorted({str(each) for each in named if each}):
            here = named == value
            figure = (
                Figure.from_interval(measure_flip_share(moved[chosen][here]))
                if here.sum() >= SETTINGS.min_changed_part
                else None
            )
            parts.append(FlipShare(column=name, value=value, n_rows=int(here.sum()), flips=figure))
    return Counterfactual(
        name=edit.name, says=edit.description, n_rows=len(rows), flips=Figure.from_interval(whole),
        without_base_strategy=others[0] if others else None,
        without_base_flips=Figure.from_interval(other) if other else None,
        parts=parts,
    )  # fmt: skip
