"""`explain`: which parts of an input an answer rests on, and which training rows it is like, as a page and as data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import bundle as bundles
from headstart import progress
from headstart.bundle import Bundle
from headstart.errors import DataError, HeadstartError, OptionError
from headstart.flow.exports.comparison_rows import find_run_rows
from headstart.flow.inference.answers import make_answers, make_document
from headstart.flow.inference.first_look import require_inputs_of_model
from headstart.flow.inference.lining_up import order_inputs
from headstart.flow.inference.neighbours import find_neighbours
from headstart.flow.inference.perturbed_rows import make_input_spec, store_inputs
from headstart.flow.inference.predict_table import decide_rows, make_reader, require_content
from headstart.home import write_text
from headstart.modalities import MODALITIES
from headstart.modalities.occlusion import find_heaviest
from headstart.offline import offline
from headstart.options import ExplainOptions
from headstart.records import Predictions, Table, make_column
from headstart.report import choose_language
from headstart.report.explained import (
    ExplainedInput,
    ExplainedPage,
    HeavyPart,
    SimilarRow,
    render_explained,
    write_reading,
)
from headstart.strategies.record import StrategyRows
from headstart.task_types import TASK_TYPES

SMALLEST = 1e-6
PREVIEW_BYTES, SIMILAR_BYTES = 40_000, 12_000
MOST_RANKED = 300
"""Inputs that are compared, so that the least sure ones come first."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _OpenBundle:
    """A bundle that is ready to read changed rows."""

    bundle: Bundle
    read: Callable[[Table], tuple[Any, StrategyRows, dict[int, str]]]
    spec: Mapping[str, Any]
    folder: Path

    def load(self, source: Any) -> Any:
        """Open one input as it would be read."""
        loaded = MODALITIES[self.bundle.modality].load(source, self.spec)
        require_content(self.bundle, source, loaded)
        return loaded

    def predict_variants(self, table: Table, inputs: Sequence[Any]) -> tuple[Predictions, StrategyRows]:
        """Predict inputs that are variants of the first row of `table`."""
        names = make_column([str(at) for at in range(len(inputs))])
        stored = store_inputs(self.bundle.modality, inputs, self.folder, names.tolist())
        many = replace(table.take(np.zeros(len(inputs), dtype=np.intp)), inputs=stored, ids=names, hashes=names)
        readable, rows, failed = self.read(many)
        if len(readable) < len(inputs):
            raise DataError(f"{next(iter(failed.values()))}.", "Check this input.")
        bundle = self.bundle
        outputs = bundle.fitted.predict(rows)
        predictions = Predictions(
            ids=names, classes=bundle.classes, probabilities=outputs, task=bundle.task, thresholds=bundle.thresholds
        )
        return bundle.decision_policy.calibrate(predictions), rows


def explain(bundle_path: Path, paths: Sequence[Path], out: Path | None, options: ExplainOptions) -> dict[str, Any]:
    """Explain answers: which parts of an input they rest on, and which training rows it is like.

    Parameters
    ----------
    bundle_path : Path
        A bundle or the OUT folder of `adapt`; there, its training rows are shown if they still are where they were.
    paths : sequence of Path
        Files, folders, tables; if there are more than `options.n` inputs, those with the least sure answers.
    out : Path or None
        An HTML file to write; None: only the document is given.
    options : ExplainOptions

    Returns
    -------
    dict
        JSON-able; see docs/reference/cli.md.

    Raises
    ------
    HeadstartError
        The bundle, an input or the output cannot be used, or no input can be read.
    """
    if out is not None and out.is_dir():
        raise OptionError(f"{out} is a folder.", "Name a file to write with -o, such as explained.html.")
    require_inputs_of_model(bundle_path, paths)
    with offline(options.offline), tempfile.TemporaryDirectory() as folder:
        bundle = bundles.load_bundle(bundle_path)
        table = order_inputs(bundle, paths, options, {}).table
        failed = [{"id": item.id, "reason": item.reason} for item in table.set_aside]
        opened = _open_bundle(bundle, table, Path(folder), options.precision)
        order, n_ranked = _order_by_sureness(opened, table, options.n)
        explained = []
        with progress.open_bar("Explaining", len(order), "inputs") as bar:
            for row in order:
                one = table.take(np.array([row]))
                try:
                    explained.append(_explain_row(opened, one))
                except DataError as error:
                    failed.append({"id": str(one.ids[0]), "reason": error.problem})
                bar.advance(1)
    if not explained:
        first = f" ({failed[0]['id']}: {failed[0]['reason']})" if failed else ""
        raise DataError(f"No input could be explained{first}.", "Check the files.")
    if out is not None:
        items = _add_previews([item.on_page for item in explained], bundle_path, bundle)
        page = ExplainedPage(items=items, n_inputs=len(table), n_ranked=n_ranked)
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, render_explained(page, choose_language(options.language)))
    return {
        "format": 1,
        "output": str(out) if out else None,
        "n_inputs": len(table),
        "n_ranked": n_ranked,
        "explained": [item.document for item in explained],
        "failed": failed,
    }


def _open_bundle(bundle: Bundle, table: Table, folder: Path, precision: str) -> _OpenBundle:
    return _OpenBundle(bundle, make_reader(bundle, table, precision), make_input_spec(bundle), folder)


def _order_by_sureness(opened: _OpenBundle, table: Table, n: int) -> tuple[list[int], int]:
    """Return which rows to explain, the least sure first, and how many were compared; the first ones of few or numbers.

    Only as many rows are compared as are worth the time; they are spread evenly.
    """
    if len(table) <= n or not TASK_TYPES[opened.bundle.task].has_one_class:
        return list(range(min(n, len(table)))), 0
    looked_at = np.unique(np.linspace(0, len(table) - 1, min(len(table), MOST_RANKED)).astype(np.intp))
    progress.say(f"Looking for the answers that are least sure, of {len(looked_at):,} inputs.")
    readable, rows, _ = opened.read(table.take(looked_at))
    sureness = opened.bundle.fitted.predict(rows).max(axis=1)
    order = np.asarray(looked_at)[np.asarray(readable)][np.argsort(sureness, kind="stable")[:n]]
    return [int(row) for row in order], len(looked_at)


def _add_previews(items: Sequence[ExplainedInput], bundle_path: Path, bundle: Bundle) -> list[ExplainedInput]:
    """Add what the similar training rows look like, where their data still is."""
    names = {row.id for item in items for row in item.similar}
    folder = bundle_path / "bundle" if (bundle_path / "bundle").is_dir() else bundle_path
    try:
        stored = find_run_rows(folder, bundle, unneeded=not names)
    except HeadstartError as error:
        progress.warn(f"Similar training rows are named and not shown: {error.problem}")
        stored = None
    train = stored[1] if stored else None
    places = {} if train is None else {str(name): row for row, name in enumerate(train.ids)}
    preview = MODALITIES[bundle.modality].preview
    present = [name for name in names if name in places]
    previews = {name: preview(train.inputs[places[name]], SIMILAR_BYTES) for name in present} if train else {}
    return [
        replace(item, similar=[replace(row, preview=previews.get(row.id)) for row in item.similar]) for item in items
    ]


@dataclass(frozen=True)
class _Explanation:
    """One explained input: as the page shows it, and as JSON."""

    on_page: ExplainedInput
    document: Mapping[str, Any]


def _explain_row(opened: _OpenBundle, one: Table) -> _Explanation:
    """Explain the one row of a table."""
    bundle, modality = opened.bundle, MODALITIES[opened.bundle.modality]
    loaded = opened.load(one.inputs[0])
    parts = modality.occlusion.list_parts(loaded)
    variants, rows = opened.predict_variants(one, [loaded, *(part.hidden for part in parts)])
    plain = variants.take(np.array([0]))
    (answer,) = make_answers(plain, decide_rows(bundle.decision_policy, plain, rows.take(np.array([0]))))
    weights, outputs, explained_output = _compute_weights(variants)
    nearest = find_neighbours(bundle, rows.take(np.array([0])))[0]
    heaviest = [
        HeavyPart(name=parts[at].name, place=parts[at].place, without=float(outputs[1 + at]))
        for at in find_heaviest(weights)
    ]
    on_page = ExplainedInput(
        name=str(one.ids[0]),
        outcome=answer.outcome,
        answer=answer.predicted,
        probability=answer.top[0][1] if TASK_TYPES[bundle.task].has_one_class else None,
        explains=explained_output,
        whole=float(outputs[0]),
        is_number=TASK_TYPES[bundle.task].is_number,
        original=modality.preview(one.inputs[0], PREVIEW_BYTES),
        weights=modality.occlusion.weigh(loaded, weights) if parts else None,
        heaviest=heaviest,
        similar=[SimilarRow(id=row.id, label=row.label, distance=row.distance, preview=None) for row in nearest],
    )
    document = {
        "input": on_page.name,
        **make_document(answer),
        "explains": explained_output,
        "parts": [
            {"part": part.name, "weight": round(float(weight), 6), "without": round(float(without), 6)}
            for part, weight, without in zip(parts, weights, outputs[1:], strict=True)
        ],
        "nearest": [vars(row) for row in nearest],
        "reading": write_reading(on_page),
    }
    return _Explanation(on_page, document)


def _compute_weights(predictions: Predictions) -> tuple[Floats, Floats, str]:
    """Return what the answer loses without each part (log-odds, or units of the number), all outputs, and its name."""
    values = predictions.probabilities
    if TASK_TYPES[predictions.task].is_number:
        return values[0, 0] - values[1:, 0], values[:, 0], predictions.classes[0]
    place = int(values[0].argmax())
    probabilities = values[:, place]
    odds = np.log(np.maximum(probabilities, SMALLEST) / np.maximum(1 - probabilities, SMALLEST))
    return np.asarray(odds[0] - odds[1:]), probabilities, predictions.classes[place]
