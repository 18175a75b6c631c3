"""A bundle is opened again before it takes its name: what it answers must be what the model in memory answers."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import numpy as np

from headstart import bundle as bundles
from headstart.bundle import Bundle
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.golden import GoldenRows
from headstart.bundle.golden_decisions import DecisionContext, list_changed_decisions
from headstart.bundle.integrity import WEIGHTS
from headstart.bundle.runtime.agreement import compare_outputs
from headstart.bundle.shared_weights import FILE as SHARED
from headstart.errors import BundleError
from headstart.features.runtimes import REFERENCE
from headstart.flow.inference.predict_table import decide_table
from headstart.records import Table

N_ROWS = 16
"""So many rows are answered twice."""


def require_same_answers(folder: Path, bundle: Bundle, table: Table | None = None, base: str | None = None) -> None:
    """Open a bundle that was just written and hold its answers against those of the model in memory.

    Parameters
    ----------
    folder : Path
        The files.
    bundle : Bundle
        The model that they were written from.
    table : Table or None
        Rows to answer, best those that the model did not learn from; the first few are. None: golden rows only.
    base : str or None
        Where the base model of a head lies, as in `load_bundle`.

    Raises
    ------
    BundleError
        A label, a kind of answer, a class or a probability differs.
    """
    has_torch_form = (folder / WEIGHTS).is_file() or (folder / SHARED).is_file()
    loaded = bundles.load_bundle(folder, "torch" if has_torch_form and bundle.portable_model is None else "onnx", base)
    if (folder / GOLDEN).is_file():
        golden = GoldenRows.read(folder)
        rows = list_changed_decisions(
            golden, DecisionContext(loaded.task, loaded.classes, loaded.thresholds, loaded.decision_policy)
        )
        if rows:
            _refuse(f"{len(rows)} of {len(golden.outputs)} made-up rows (first: row {rows[0]})")
    if table is not None and len(table):
        _compare(bundle, loaded, table.take(np.arange(min(N_ROWS, len(table)))))


def _compare(bundle: Bundle, loaded: Bundle, table: Table) -> None:
    (before, decided, failed), (after, again, failed_again) = (
        decide_table(model, table, REFERENCE) for model in (bundle, loaded)
    )
    if failed != failed_again:
        _refuse(f"{table.source}: other rows could be read")
    agreed = compare_outputs(bundle.task, before.probabilities, after.probabilities, bundle.thresholds)
    differs = (decided.outcomes != again.outcomes) | (decided.codes != again.codes)
    if differs.any():
        row = int(np.flatnonzero(differs)[0])
        _refuse(
            f"{int(differs.sum())} of {len(differs)} rows (first: {before.ids[row]}, "
            f"'{again.answers[row]}' instead of '{decided.answers[row]}')"
        )
    if not agreed.passes:
        _refuse(f"rows of {table.source}: {agreed.describe()}")


def _refuse(what: str) -> NoReturn:
    raise BundleError(
        f"The bundle was not written: when it is opened again, its answers differ from those of the model in "
        f"memory: {what}.",
        "Run the same command again (finished models are kept). If it happens again, check the disk and report it.",
    )
