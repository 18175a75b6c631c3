"""Rows on which the forms of an exported model are compared with the model itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart import data, progress, runs
from headstart.bundle import Bundle
from headstart.bundle.golden import SYNTHETIC, GoldenRows
from headstart.bundle.onnx.targets import ExportTarget
from headstart.bundle.records.schema import raise_bundle_errors
from headstart.bundle.runtime.inputs import ModelInputs
from headstart.bundle.runtime.session import PortableModel
from headstart.bundle.settings import SETTINGS as BUNDLE_SETTINGS
from headstart.csv_files import read_csv_rows
from headstart.data.labels.targets import encode_truth
from headstart.errors import DataError, OptionError
from headstart.flow.exports.portable import prepare_rows
from headstart.flow.exports.reference_outputs import run_reference
from headstart.flow.exports.settings import SETTINGS
from headstart.flow.inference.labelled_rows import read_rows_to_evaluate
from headstart.modalities.record import Array
from headstart.options import EvaluateOptions, ExportOptions, ReadOptions, parse
from headstart.projects import read_rows
from headstart.records import TEST, Probabilities, Table


@dataclass(frozen=True, kw_only=True)
class ComparisonRows:
    """Rows that forms are tried on.

    Parameters
    ----------
    rows : sequence of prepared rows
    expected : Probabilities, shape (n_rows, n_outputs)
        What the model says of them.
    truth : array or None
        True classes or targets, where they are known.
    table : Table or None
        The rows themselves; None for golden rows.
    source : str
        Where they come from, in words.
    training : sequence of prepared rows
        For the calibration of int8.
    """

    rows: Sequence[tuple[Array, ...]]
    expected: Probabilities
    truth: Any
    table: Table | None
    source: str
    training: Sequence[tuple[Array, ...]]


def choose_comparison_rows(
    folder: Path, bundle: Bundle, portable: PortableModel, options: ExportOptions, target: ExportTarget
) -> ComparisonRows:
    """Return rows to compare on: those named, the run's own test rows, or the golden rows.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    bundle : Bundle
    portable : PortableModel
    options : ExportOptions
    target : ExportTarget

    Raises
    ------
    OptionError
        The target has to be calibrated, and there are no real rows.
    DataError
        None of the rows can be read.
    """
    stored = find_run_rows(folder, bundle, options.encoding, target.is_exact and options.data is not None)
    train = stored[1] if stored is not None else None
    if options.data is not None:
        shared = set(EvaluateOptions.model_fields) & set(ExportOptions.model_fields)
        read_options = parse(EvaluateOptions, **options.model_dump(include=shared))
        table, unknown_labels = read_rows_to_evaluate(bundle, options.data, read_options)
        if train is None and not target.is_exact:
            table, train = _part_rows(table)
        calibrated = [] if target.is_exact or train is None else _prepare_calibration_rows(portable.model_inputs, train)
        return _answer_rows(
            bundle,
            portable,
            table,
            labelled=unknown_labels is not None,
            source=f"rows of {options.data}",
            training=calibrated,
        )
    if stored is not None and train is not None:
        calibrated = [] if target.is_exact else _prepare_calibration_rows(portable.model_inputs, train)
        return _answer_rows(
            bundle, portable, stored[0], labelled=True, source=f"test rows of {stored[0].source}", training=calibrated
        )
    if not target.is_exact:
        raise OptionError(
            f"--to {target.name} needs real rows for calibration and comparison, and there are none.",
            "Name labelled rows that are not training rows with --data.",
        )
    golden = read_golden(portable)
    which = "made-up rows" if portable.config.get("golden") == SYNTHETIC else "golden rows"
    source = f"{which} of the bundle only; give held-out rows with --data for figures that mean more"
    return ComparisonRows(
        rows=split_golden_rows(golden), expected=golden.outputs, truth=None, table=None, source=source, training=[]
    )


def read_golden(portable: PortableModel) -> GoldenRows:
    """Return the golden rows of a model.

    Parameters
    ----------
    portable : PortableModel

    Raises
    ------
    BundleError
        They are damaged.
    """
    with raise_bundle_errors(portable.folder):
        return GoldenRows.read(portable.folder, portable.contract)


def _part_rows(table: Table) -> tuple[Table, Table]:
    """Split rows at random into those for comparison, and fewer for the calibration of int8."""
    order = np.random.default_rng(0).permutation(len(table))
    n = min(BUNDLE_SETTINGS.calibration_rows, len(table) // 3)
    return table.take(np.sort(order[n:])), table.take(np.sort(order[:n]))


def split_golden_rows(golden: GoldenRows) -> list[tuple[Array, ...]]:
    """Return the arrays of each golden row.

    Parameters
    ----------
    golden : GoldenRows
    """
    return [tuple(values[row] for values in golden.arrays.values()) for row in range(len(golden.outputs))]


def _prepare_calibration_rows(model_inputs: ModelInputs, table: Table) -> list[tuple[Array, ...]]:
    prepared = []
    for row in np.random.default_rng(0).permutation(len(table))[: BUNDLE_SETTINGS.calibration_rows]:
        try:
            prepared.append(model_inputs.prepare(model_inputs.load(table.inputs[row])))
        except DataError:
            continue
    return prepared


def find_run_rows(
    folder: Path, bundle: Bundle, encoding: str | None = None, unneeded: bool = False
) -> tuple[Table, Table] | None:
    """Return the test and training rows of the run that a bundle lies in; None where its data is gone.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    bundle : Bundle
    encoding : str or None
        Of text files that are not Unicode.
    unneeded : bool
        Nothing is read.
    """
    listed, places = folder.parent / "test_predictions.csv", runs.read_places(folder.parent)
    source = places.get("data", Path(bundle.training_facts.data))
    if unneeded or not listed.is_file():
        return None
    gone = [path for path in (source, *places.values()) if not path.exists()]
    if gone:
        progress.warn(f"The data of this run is no longer at {gone[0]}: its test rows cannot be read again.")
        return None
    roles = [name for role, name in bundle.columns.items() if role == "label" or role.startswith("label ")]
    read_options = parse(
        ReadOptions,
        task=bundle.task,
        label=tuple(roles),
        text=data.list_text_columns(bundle.columns),
        encoding=encoding,
    )
    table = read_rows(source, read_options, bundle.columns, inputs=bundle.known_input_columns)
    table = replace(table, source=bundle.training_facts.data or str(source))
    learnt = table.splits != TEST
    if "test" in places:
        as_scored = parse(EvaluateOptions, label=tuple(roles), merge_labels=True, encoding=encoding)
        test, _ = read_rows_to_evaluate(bundle, places["test"], as_scored)
        return test, table.take(np.flatnonzero(learnt))
    with listed.open(encoding="utf-8", newline="") as handle:
        ids = {record[0] for record in read_csv_rows(handle)[1:]}
    tested = np.array([str(name) in ids for name in table.ids], dtype=bool)
    if not tested.any():
        return None
    return table.take(np.flatnonzero(tested)), table.take(np.flatnonzero(learnt & ~tested))


def _answer_rows(
    bundle: Bundle, portable: PortableModel, table: Table, labelled: bool, source: str,
    training: Sequence[tuple[Array, ...]],
) -> ComparisonRows:  # fmt: skip
    """Return rows of a table with the answers of the model as it was fitted."""
    sample = table.take(np.sort(np.random.default_rng(bundle.seed).permutation(len(table))[: SETTINGS.compared_rows]))
    progress.say(f"Comparing the model and each form of it on {len(sample):,} {source}.")
    expected = run_reference(bundle, sample)
    if len(expected.rows) == 0:
        raise DataError(f"None of the rows of {table.source} could be read.", "Open one of them to check.")
    readable = sample.take(expected.rows)
    truth = encode_truth(readable, bundle.classes) if labelled else None
    return ComparisonRows(
        rows=prepare_rows(portable.model_inputs, sample, expected.rows),
        expected=expected.outputs,
        truth=truth,
        table=readable,
        source=source,
        training=training,
    )
