"""`export`: a bundle in another form, held against the model on real rows, and written only where it is as good."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import bundle as bundles
from headstart import data, evaluation, progress, runs
from headstart.bundle import Bundle, PortableFiles, standalone
from headstart.bundle.card import FILE as CARD
from headstart.bundle.card import render_card
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.golden import SYNTHETIC, GoldenRows
from headstart.bundle.onnx.targets import CALIBRATION_ROWS, TARGETS, ExportedForm, ExportTarget, TargetSource
from headstart.bundle.records.schema import bundle_errors
from headstart.bundle.runtime.agreement import LARGEST_DIFFERENCE, SAME_LABELS, assign_labels, compare_outputs
from headstart.bundle.runtime.inputs import ModelInputs
from headstart.bundle.runtime.session import FAILURES, GraphRun, PortableModel, open_graph
from headstart.csv_files import read_csv_rows
from headstart.data.labels.targets import encode_truth
from headstart.errors import BundleError, DataError, OptionError, offenders, unknown
from headstart.flow.exports.portable import prepare_rows, run_reference
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.exports.web_page import require_ready, write_page
from headstart.flow.inference.labelled_rows import read_rows_to_evaluate
from headstart.home import require_place, write_text
from headstart.modalities.record import Array
from headstart.options import EvaluateOptions, ExportOptions, ReadOptions, parse
from headstart.records import TEST, FloatMatrix, Index, Predictions, Probabilities, Table

MOST_ROWS = 1_000
"""Rows that forms are compared on: drawn by chance where there are more."""
TIMED_ROWS, ROUNDS = 16, 3
SMALLER, FASTER, LEAST_SMALLER = 3.0, 1.1, 1.2
"""int8 is worth writing where it is so many times smaller, or faster here and at least a little smaller."""
Outputs = NDArray[Any]
REFUSALS: tuple[type[Exception], ...] = (
    RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, BundleError, *FAILURES,
)  # fmt: skip
"""What tools raise on a graph that they cannot turn into another form."""


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


def export(bundle_path: Path, out: Path | None, options: ExportOptions) -> dict[str, Any]:
    """Write a bundle in another form, if it says the same.

    Parameters
    ----------
    bundle_path : Path
        A bundle, or the OUT folder of `adapt`.
    out : Path or None
        Folder to write; beside the bundle if None.
    options : ExportOptions

    Returns
    -------
    dict
        What was measured of each way that was tried; `written` is the folder, or None where none passed (`reason`).

    Raises
    ------
    HeadstartError
        The bundle has no portable form, or the rows cannot be read.
    """
    if options.to not in TARGETS:
        raise unknown("target", options.to, TARGETS)
    target, folder = TARGETS[options.to], bundles.find_bundle(bundle_path)
    full = bundles.load_bundle(folder)
    model = bundles.load_bundle(folder, "onnx")
    portable = model.portable_model
    assert portable is not None
    _require(target)
    place = out or folder.with_name(f"{folder.name}-{target.name}")
    if place.resolve() == folder.resolve():
        raise OptionError(f"{place} is the bundle itself.", "Choose another folder with -o.")
    if target.is_page:
        require_place(place)
        require_ready(model, place, options)
    else:
        bundles.require_free_folder(place)
    tried = _choose_rows(folder, full, portable, options=options, target=target)
    own = open_graph(folder / str(portable.config["file"]), portable.model_inputs.names)
    first = _measure_form(full, tried, _outputs(own, portable.model_inputs, tried.rows), options) | {
        "form": "model.onnx", "size_bytes": (folder / str(portable.config["file"])).stat().st_size,
        "ms_a_row": _time_rows((own,), portable.model_inputs, tried.rows)[0],
    }  # fmt: skip
    attempts: list[dict[str, Any]] = [first]
    reference_ = _measure_form(full, tried, tried.expected, options) | {"form": "the bundle as adapted"}
    document = {
        "format": 1, "bundle": str(folder), "to": target.name, "rows": tried.source, "n_rows": len(tried.rows),
        "labelled": tried.truth is not None, "reference": reference_, "tried": attempts, "written": None, "reason": "",
    }  # fmt: skip
    reasons = []
    for number, method in enumerate(target.methods, start=1):
        progress.say(f"Making it: way {number} of {len(target.methods)} at most.")
        with TemporaryDirectory(prefix="headstart-") as scratch:
            figures, reason = _try_method(
                target, method, (full, portable, tried, first, own), scratch=Path(scratch), options=options
            )
            attempts.append(figures)
            if not reason:
                if target.is_page:
                    document["page"] = write_page(model, Path(scratch) / figures["files"][0], place, options)
                else:
                    _write_form(target, model, figures, scratch=Path(scratch), place=place)
                return {**document, "written": str(place), "method": figures["form"]}
            reasons.append(f"{figures['form']}: {reason}")
    return {**document, "reason": "; ".join(reasons)}


def _require(target: ExportTarget) -> None:
    lacking = {"onnx-int8": ("onnx",), "openvino": ("openvino",)}.get(target.name, ())
    absent = [name for name in lacking if find_spec(name) is None]
    if absent:
        raise OptionError(f"--to {target.name} needs {', '.join(absent)}.", "Run: pip install 'headstart[adapt]'")


def _choose_rows(
    folder: Path, bundle: Bundle, portable: PortableModel, options: ExportOptions, target: ExportTarget
) -> ComparisonRows:
    """Give rows to compare on: those named, the run's own test rows, or the golden rows."""
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
            bundle, portable, table, labelled=unknown_labels is not None, how=(f"rows of {options.data}", calibrated)
        )
    if stored is not None and train is not None:
        calibrated = [] if target.is_exact else _prepare_calibration_rows(portable.model_inputs, train)
        return _answer_rows(
            bundle, portable, stored[0], labelled=True, how=(f"test rows of {stored[0].source}", calibrated)
        )
    if not target.is_exact:
        raise OptionError(
            f"--to {target.name} has to be calibrated and judged on real rows, and none are here.",
            "Name labelled rows that the model did not learn from with --data.",
        )
    golden = read_golden(portable)
    which = "made-up rows" if portable.config.get("golden") == SYNTHETIC else "golden rows"
    source = f"{which} of the bundle only; give held-out rows with --data for figures that mean more"
    return ComparisonRows(
        rows=_split_golden_rows(golden), expected=golden.outputs, truth=None, table=None, source=source, training=[]
    )


def read_golden(portable: PortableModel) -> GoldenRows:
    """Return the golden rows of a model.

    Raises
    ------
    BundleError
        They are damaged.
    """
    with bundle_errors(portable.folder):
        return GoldenRows.read(portable.folder, portable.contract)


def _part_rows(table: Table) -> tuple[Table, Table]:
    """Part rows by chance into those that forms are judged on, and fewer that int8 is calibrated on."""
    order = np.random.default_rng(0).permutation(len(table))
    n = min(CALIBRATION_ROWS, len(table) // 3)
    return table.take(np.sort(order[n:])), table.take(np.sort(order[:n]))


def _split_golden_rows(golden: GoldenRows) -> list[tuple[Array, ...]]:
    return [tuple(values[row] for values in golden.arrays.values()) for row in range(len(golden.outputs))]


def _prepare_calibration_rows(feed: ModelInputs, table: Table) -> list[tuple[Array, ...]]:
    prepared = []
    for row in np.random.default_rng(0).permutation(len(table))[:CALIBRATION_ROWS]:
        try:
            prepared.append(feed.prepare(feed.load(table.inputs[row])))
        except DataError:
            continue
    return prepared


def find_run_rows(
    folder: Path, bundle: Bundle, encoding: str | None = None, unneeded: bool = False
) -> tuple[Table, Table] | None:
    """Find the test and training rows of the run that a bundle lies in, if its data is still there."""
    listed, places = folder.parent / "test_predictions.csv", runs.read_places(folder.parent)
    source = places.get("data", Path(str(bundle.about.get("data", ""))))
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
    table = data.read_table(source, read_options, bundle.columns, inputs=bundle.known_input_columns)
    table = replace(table, source=str(bundle.about.get("data", source)))
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
    bundle: Bundle, portable: PortableModel, table: Table, labelled: bool, how: tuple[str, list[Any]]
) -> ComparisonRows:
    some = table.take(np.sort(np.random.default_rng(bundle.seed).permutation(len(table))[:MOST_ROWS]))
    progress.say(f"The model answers {len(some):,} {how[0]}, then each form of it.")
    expected = run_reference(bundle, some)
    if len(expected.rows) == 0:
        raise DataError(f"None of the rows of {table.source} could be read.", "Open one of them to check.")
    part = some.take(expected.rows)
    truth = encode_truth(part, bundle.classes) if labelled else None
    return ComparisonRows(
        rows=prepare_rows(portable.model_inputs, some, expected.rows),
        expected=expected.outputs,
        truth=truth,
        table=part,
        source=how[0],
        training=how[1],
    )


def _outputs(run: GraphRun, feed: ModelInputs, rows: Sequence[tuple[Array, ...]]) -> Outputs:
    """Run all rows."""
    parts, start = [], 0
    while start < len(rows):
        stop = start + 1
        while stop < len(rows) and stop - start < 32 and (stop - start) * max(map(feed.cost, rows[start:stop])) < 8_192:
            stop += 1
        parts.append(run(*feed.collate(rows[start:stop]))[0])
        start = stop
    return np.concatenate(parts)


def _time_rows(runs_: Sequence[GraphRun], feed: ModelInputs, rows: Sequence[tuple[Array, ...]]) -> list[float]:
    """Give the milliseconds that one row alone takes in each form; in turns, so that a busy moment slows all."""
    seconds: list[list[float]] = [[] for _ in runs_]
    for row in [row for row in rows[:TIMED_ROWS] for _ in range(ROUNDS)]:
        arrays = feed.collate([row])
        for run, taken in zip(runs_, seconds, strict=True):
            began = time.perf_counter()
            run(*arrays)
            taken.append(time.perf_counter() - began)
    return [round(1_000 * float(np.median(taken)), 3) for taken in seconds]


def _measure_form(bundle: Bundle, tried: ComparisonRows, outputs: Outputs, options: ExportOptions) -> dict[str, Any]:
    """Give how alike outputs are to the model's, and how right they are by class and group."""
    agreed = compare_outputs(bundle.task, tried.expected, outputs, bundle.thresholds)
    predictions = _make_predictions(bundle, tried, outputs)
    figures: dict[str, Any] = {"same_labels": agreed.same_labels, "max_difference": agreed.max_difference}
    right, classes = _mark_right(bundle, tried, predictions)
    figures["accuracy"] = float(right.mean()) if len(right) else None
    figures["by_class"] = {name: _share(right, rows) for name, rows in classes.items()}
    figures["by_group"] = _share_by_group(tried, right, options)
    curve = (
        evaluation.measure_calibration(tried.truth, predictions, None, bundle.seed) if _single(bundle, tried) else None
    )
    figures["calibration_error"] = None if curve is None else curve.error.value
    return figures


def _single(bundle: Bundle, tried: ComparisonRows) -> bool:
    return tried.truth is not None and bundle.task in ("classification", "ordinal")


def _make_predictions(bundle: Bundle, tried: ComparisonRows, outputs: Outputs) -> Predictions:
    ids = np.asarray([str(row) for row in range(len(outputs))], dtype=object)
    return Predictions(
        ids=ids,
        classes=bundle.classes,
        probabilities=np.asarray(outputs, np.float64),
        task=bundle.task,
        thresholds=bundle.thresholds,
    )


def _mark_right(
    bundle: Bundle, tried: ComparisonRows, predictions: Predictions
) -> tuple[NDArray[np.float64], dict[str, Index]]:
    """Say which rows are right (n_rows,), and the rows of each class; without labels the model's own stand for them."""
    if bundle.task == "regression":
        return np.empty(0), {}
    answers = assign_labels(bundle.task, predictions.probabilities, bundle.thresholds)
    if bundle.task == "multi-label":
        truth = (
            tried.truth == 1
            if tried.truth is not None
            else assign_labels(bundle.task, tried.expected, bundle.thresholds)
        )
        right = (answers == truth).mean(axis=1)
        return right, {name: np.flatnonzero(truth[:, at]) for at, name in enumerate(bundle.classes)}
    codes = tried.truth if tried.truth is not None else assign_labels(bundle.task, tried.expected, ())[:, 0]
    right = (answers[:, 0] == codes).astype(np.float64)
    return right, {name: np.flatnonzero(codes == at) for at, name in enumerate(bundle.classes)}


def _share(right: NDArray[np.float64], rows: Index) -> dict[str, Any]:
    return {"share": float(right[rows].mean()) if len(rows) else None, "n_rows": len(rows)}


def _share_by_group(
    tried: ComparisonRows, right: NDArray[np.float64], options: ExportOptions
) -> dict[str, dict[str, Any]]:
    shares: dict[str, dict[str, Any]] = {}
    for name in options.group if tried.table is not None and len(right) else ():
        values = tried.table.metadata.get(name) if tried.table is not None else None
        if values is not None:
            groups = sorted({str(value) for value in values})
            shares[name] = {one: _share(right, np.flatnonzero(values.astype(str) == one)) for one in groups}
    return shares


def _try_method(
    target: ExportTarget,
    method: Callable[[TargetSource, Path], ExportedForm],
    known: tuple[Bundle, PortableModel, ComparisonRows, dict[str, Any], GraphRun],
    scratch: Path,
    options: ExportOptions,
) -> tuple[dict[str, Any], str]:
    """Make one form and measure it; also gives why it is not good enough."""
    bundle, portable, tried, first, own = known
    inputs = TargetSource(portable.folder / str(portable.config["file"]), portable.model_inputs, tried.training)
    try:
        form = method(inputs, scratch)
        outputs = _outputs(form.run, portable.model_inputs, tried.rows)
        before, speed = _time_rows((own, form.run), portable.model_inputs, tried.rows)
    except REFUSALS as error:
        failure = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return {"form": target.name, "failed": failure}, failure
    size = sum((scratch / name).stat().st_size for name in form.files)
    figures = _measure_form(bundle, tried, outputs, options)
    figures |= {"form": form.method, "files": list(form.files), "size_bytes": size, "ms_a_row": speed}
    figures["times_as_fast"] = round(before / max(speed, 1e-6), 3)
    return figures, _refuse_inexact(figures) if target.is_exact else _refuse_eight_bits(
        figures, first, options.max_drop
    )


def _refuse_inexact(figures: dict[str, Any]) -> str:
    if figures["same_labels"] >= SAME_LABELS and figures["max_difference"] <= LARGEST_DIFFERENCE:
        return ""
    return (
        f"{100 * figures['same_labels']:.1f} % of rows have the same label (at least {100 * SAME_LABELS:.1f} % are "
        f"asked for), outputs differ by up to {figures['max_difference']:.2g} (at most {LARGEST_DIFFERENCE:g})"
    )


def _refuse_eight_bits(figures: dict[str, Any], first: dict[str, Any], most: float) -> str:
    """Say why an int8 form is not worth writing: a class or group loses too much, or nothing is gained."""
    pairs = [("class", name, was, figures["by_class"][name]) for name, was in first["by_class"].items()]
    pairs += [
        (column, name, was, figures["by_group"][column][name])
        for column, groups in first["by_group"].items() for name, was in groups.items()
    ]  # fmt: skip
    unjudged = [name for kind, name, was, _ in pairs if kind == "class" and not was["n_rows"]]
    if unjudged:
        return f"no row tells what {offenders(unjudged)} would lose; give held-out rows of every class with --data"
    lost = [(was["share"] - now["share"], kind, name) for kind, name, was, now in pairs if was["n_rows"]]
    worst = max(lost, default=(0.0, "", ""))
    if worst[0] > most + 1e-9:
        return f"{worst[1]} {worst[2]} loses {100 * worst[0]:.1f} points (at most {100 * most:g} are allowed)"
    if not pairs and figures["max_difference"] > most:
        return (
            f"numbers differ by up to {100 * figures['max_difference']:.1f} % of their size (at most {100 * most:g} %)"
        )
    smaller, faster = first["size_bytes"] / figures["size_bytes"], figures["times_as_fast"]
    if smaller < SMALLER and (faster < FASTER or smaller < LEAST_SMALLER):
        return f"it is {smaller:.1f} times smaller and {faster:.2f} times as fast here: not worth a second form"
    return ""


def _write_form(target: ExportTarget, model: Bundle, figures: dict[str, Any], scratch: Path, place: Path) -> None:
    """Write a form with everything that it needs, as a slim bundle."""
    portable = model.portable_model
    assert portable is not None and model.portable_files is not None
    input_files = [
        str(value)
        for item in portable.config["inputs"]
        for name, value in item["spec"].items()
        if name.endswith("_file")
    ]
    for name in input_files:
        shutil.copyfile(portable.folder / name, scratch / name)
    golden = read_golden(portable)
    if not target.is_exact:
        run = open_graph(scratch / figures["files"][0], portable.model_inputs.names)
        parts = [run(*portable.model_inputs.collate([row])) for row in _split_golden_rows(golden)]
        values: list[FloatMatrix] = [np.concatenate([part[at] for part in parts]) for at in (0, 1)]
        golden = replace(golden, outputs=values[0].astype(np.float64), features=values[1])
    golden.write(scratch)
    files = [*figures["files"], GOLDEN, *dict.fromkeys(input_files)]
    manifest = {**portable.config, "file": figures["files"][0], "exporter": figures["form"], "exported": target.name}
    manifest["gate"] = {
        "n_rows": None,
        "same_labels": figures["same_labels"],
        "max_difference": figures["max_difference"],
    }
    if target.has_script:
        write_text(scratch / standalone.SCRIPT, standalone.script(model.modality))
        write_text(scratch / standalone.NEEDS, standalone.requirements(model.modality))
        files += [standalone.SCRIPT, standalone.NEEDS]
    else:
        manifest |= {"ok": False, "reason": f"it was exported for {target.name}"}
    manifest["files"] = files
    write_text(scratch / CARD, render_card(model, manifest, slim=True))
    exported = replace(model, portable_files=PortableFiles(scratch, manifest, (*files, CARD)))
    check = partial(require_same_answers, bundle=exported) if manifest["ok"] else None
    bundles.save_bundle(exported, place, slim=True, check=check)
