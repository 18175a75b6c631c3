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
from headstart.evaluation.fairness.groups import names_of
from headstart.evaluation.fairness.inherited_bias import flips
from headstart.evaluation.wording import cut
from headstart.flow.adaptation.prepare import UNITS
from headstart.flow.inference.perturbed_rows import inputs_of, spec_of
from headstart.flow.inference.predict_table import reader
from headstart.modalities import MODALITIES
from headstart.modalities.counterfactual import Edit, edits
from headstart.records import Column, Index, Interval, Predictions, Table, make_column
from headstart.results import Counterfactual, Figure, FlipShare
from headstart.strategies.record import Clock, Fitted

QUICK_ROWS, FULL_ROWS, FEWEST_ROWS = 64, 512, 20
QUICK_SHARE, FULL_SHARE = 0.1, 0.5
"""Largest share of the time left that the passes over changed rows may take."""
MIN_PART = 10
"""A class or group of fewer changed rows is not told."""


@dataclass(frozen=True, kw_only=True)
class Pass:
    """What is needed to predict changed rows.

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


def counterfactuals(asked: Pass, swaps: Path | None, full: bool, clock: Clock, precision: str) -> tuple[
    list[Counterfactual], dict[str, str]
]:  # fmt: skip
    """Change a sample of test rows in every way of their modality, and count other answers.

    Parameters
    ----------
    asked : Pass
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
    table, rng = asked.table, np.random.default_rng(asked.bundle.seed)
    ways = [edit for edit in edits(table.modality, list(table.inputs), swaps) if full or edit.quick]
    order = rng.permutation(len(table))
    most = min(FULL_ROWS if full else QUICK_ROWS, len(table))
    if most < FEWEST_ROWS:
        return [], {"counterfactuals": f"There are only {len(table)} test rows; it takes {FEWEST_ROWS}."}
    share = FULL_SHARE if full else QUICK_SHARE
    with tempfile.TemporaryDirectory() as folder:
        runner = _Runner(asked, Path(folder), precision)
        if runner.outputs(order[:1], None) is None:  # Opens the base, which is not part of what a row costs.
            return [], {"counterfactuals": "The changed rows could not be read."}
        began = time.monotonic()
        runner.outputs(order[:FEWEST_ROWS], None)
        each = (time.monotonic() - began) / FEWEST_ROWS
        fits = int(clock.left() * share / max(each * (1 + len(ways)), 1e-9))
        if fits < FEWEST_ROWS:
            needed = each * (1 + len(ways)) * FEWEST_ROWS / share
            return [], {"counterfactuals": f"It needs about {needed:.0f} s to be left; give more with --time."}
        most = min(most, fits)
        found, not_measured = [], dict[str, str]()
        with progress.bar("Changed rows", len(ways), UNITS[table.modality]) as shown:
            for edit in ways:
                made = runner.judge(edit, order, most)
                shown.advance(1)
                if isinstance(made, str):
                    not_measured[edit.name] = made
                else:
                    found.append(made)
    return found, not_measured


class _Runner:
    """Runs plain and changed rows through the models; plain outputs are kept."""

    def __init__(self, asked: Pass, folder: Path, precision: str) -> None:
        self.asked, self.folder = asked, folder
        self.read = reader(asked.bundle, asked.table, precision)
        modality = asked.table.modality
        self.modality = MODALITIES[modality]
        self.spec = spec_of(asked.bundle)
        self.plain: dict[int, dict[str, NDArray[np.float64]]] = {}

    def changed(self, row: int, edit: Edit | None) -> Any:
        """Give one row as it would be read after a change; None where there is nothing to change in it."""
        loaded = self.modality.load(self.asked.table.inputs[row], self.spec)
        rng = np.random.default_rng([self.asked.bundle.seed, row])
        return loaded if edit is None else edit.change(loaded, rng)

    def outputs(self, rows: Index, edit: Edit | None) -> dict[str, NDArray[np.float64]] | None:
        """Predict rows; those that cannot be read are an error of the data that would have been met before."""
        inputs = [self.changed(int(row), edit) for row in rows]
        name = edit.name if edit else "plain"
        given = inputs_of(self.asked.table.modality, inputs, self.folder, [f"{name}-{row}" for row in rows])
        table = replace(self.asked.table.take(rows), inputs=given)
        good, read, failed = self.read(table)
        if failed or len(good) < len(rows):
            return None
        return {name: np.asarray(model.predict(read)) for name, model in self.asked.models.items()}

    def judge(self, edit: Edit, order: Index, most: int) -> Counterfactual | str:
        """Measure one change, or say why it was not."""
        try:
            rows = np.sort(self._that_change(edit, order, most))
            if len(rows) < FEWEST_ROWS:
                return f"Cannot tell: only {len(rows)} test rows hold anything that it changes ({edit.says})."
            after = self.outputs(rows, edit)
            missing = np.asarray([row for row in rows if int(row) not in self.plain], dtype=np.intp)
            before = self.outputs(missing, None) if len(missing) else {}
        except DataError as error:
            return error.problem
        if after is None or before is None:
            return "The changed rows could not be read."
        for at, row in enumerate(missing):
            self.plain[int(row)] = {name: values[at] for name, values in before.items()}
        moved = {
            name: self._moved(np.stack([self.plain[int(row)][name] for row in rows]), values)
            for name, values in after.items()
        }
        return _told(edit, rows, moved, self.asked)

    def _that_change(self, edit: Edit, order: Index, most: int) -> Index:
        """Give the first rows of an order that a change has any effect on."""
        if self.asked.table.modality != "text":
            return order[:most]
        found: list[int] = []
        for row in order:
            if self.changed(int(row), edit) is not None:
                found.append(int(row))
            if len(found) == most:
                break
        return np.asarray(found, dtype=np.intp)

    def _moved(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which rows got another answer."""
        bundle = self.asked.bundle
        if bundle.task == "regression":
            return np.asarray(np.abs(after - before)[:, 0] > self.asked.typical_error)

        def said(values: NDArray[np.float64]) -> Predictions:
            ids = make_column(list(range(len(values))))
            return Predictions(
                ids=ids,
                classes=bundle.classes,
                probabilities=values,
                task=bundle.task,
                thresholds=self.asked.thresholds,
            )

        if bundle.task == "multi-label":
            return np.asarray((said(before).label_mask != said(after).label_mask).any(axis=1))
        return np.asarray(said(before).class_indices != said(after).class_indices)


def _told(edit: Edit, rows: Index, moved: Mapping[str, NDArray[np.bool_]], asked: Pass) -> Counterfactual:
    """Put figures and words together."""
    chosen, *others = moved
    whole, other = flips(moved[chosen]), flips(moved[others[0]]) if others else None
    parts = []
    for name, values in asked.parts.items():
        if name and evaluation.keeps_together(values):
            continue
        named = np.array(names_of(values[rows]), dtype=object)
        for value in sorted({str(each) for each in named if each}):
            here = named == value
            figure = Figure.of(flips(moved[chosen][here])) if here.sum() >= MIN_PART else None
            parts.append(FlipShare(column=name, value=value, n_rows=int(here.sum()), flips=figure))
    return Counterfactual(
        name=edit.name, says=edit.says, n_rows=len(rows), flips=Figure.of(whole),
        without_base_strategy=others[0] if others else None, without_base_flips=Figure.of(other) if other else None,
        parts=parts, reading=_reading(edit, len(rows), whole, name=(others or [""])[0], other=other, parts=parts),
    )  # fmt: skip


def _reading(edit: Edit, n: int, whole: Interval, name: str, other: Interval | None, parts: list[FlipShare]) -> str:
    def said(figure: Interval | Figure) -> str:
        return f"{100 * figure.value:.0f} % ({100 * figure.low:.0f} to {100 * figure.high:.0f} %)"

    text = f"Of {n} test rows {edit.says}, {said(whole)} got another answer"
    text += f"; with {name}, which uses no base, {said(other)}." if other else "."
    apart = [part for part in parts if part.flips and part.flips.low > whole.value]
    if apart:
        worst = max(apart, key=lambda part: part.flips.value if part.flips else 0.0)
        assert worst.flips is not None
        where = f"{cut(worst.column)} '{cut(worst.value)}'" if worst.column else f"class '{cut(worst.value)}'"
        text += f" Most for {where}: {said(worst.flips)} of {worst.n_rows}."
    return text
