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
from headstart.errors import DataError, OptionError
from headstart.flow.inference.answers import make_answers, make_document
from headstart.flow.inference.first_look import require_inputs_of_model
from headstart.flow.inference.lining_up import order_inputs
from headstart.flow.inference.neighbours import find_neighbours, format_neighbours
from headstart.flow.inference.perturbed_rows import make_input_spec, store_inputs
from headstart.flow.inference.predict_table import decide_rows, make_reader, require_content
from headstart.home import write_text
from headstart.modalities import MODALITIES
from headstart.modalities.occlusion import find_heaviest
from headstart.offline import offline
from headstart.options import ExplainOptions
from headstart.records import Predictions, Table, make_column
from headstart.report import draw_preview
from headstart.report.explained import ExplainedInput, render_explained
from headstart.strategies.record import StrategyRows
from headstart.task_types import TASK_TYPES

SMALLEST = 1e-6
PREVIEW_BYTES = 40_000
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
        A bundle or the OUT folder of `adapt`.
    paths : sequence of Path
        Files, folders, tables; the first `options.n` inputs are explained.
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
        inputs = order_inputs(bundle, paths, options, {})
        failed = [{"id": item.id, "reason": item.reason} for item in inputs.table.set_aside]
        opened = _open_bundle(bundle, inputs.table, Path(folder), options.precision)
        explained = []
        n_shown = min(options.n, len(inputs.table))
        with progress.open_bar("Explaining", n_shown, "inputs") as bar:
            for row in range(n_shown):
                one = inputs.table.take(np.array([row]))
                try:
                    explained.append(_explain_row(opened, one))
                except DataError as error:
                    failed.append({"id": str(one.ids[0]), "reason": error.problem})
                bar.advance(1)
    if not explained:
        first = f" ({failed[0]['id']}: {failed[0]['reason']})" if failed else ""
        raise DataError(f"No input could be explained{first}.", "Check the files.")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, render_explained([item.on_page for item in explained]))
    return {
        "format": 1,
        "output": str(out) if out else None,
        "n_inputs": len(inputs.table),
        "explained": [item.document for item in explained],
        "failed": failed,
    }


def _open_bundle(bundle: Bundle, table: Table, folder: Path, precision: str) -> _OpenBundle:
    return _OpenBundle(bundle, make_reader(bundle, table, precision), make_input_spec(bundle), folder)


@dataclass(frozen=True)
class _Explanation:
    """One explained input: as the page shows it, and as JSON."""

    on_page: ExplainedInput
    document: Mapping[str, Any]


def _explain_row(opened: _OpenBundle, one: Table) -> _Explanation:
    """Explain the one row of a table."""
    bundle, occlusion = opened.bundle, MODALITIES[opened.bundle.modality].occlusion
    loaded = opened.load(one.inputs[0])
    parts = occlusion.list_parts(loaded)
    variants, rows = opened.predict_variants(one, [loaded, *(part.hidden for part in parts)])
    plain = variants.take(np.array([0]))
    decisions = decide_rows(bundle.decision_policy, plain, rows.take(np.array([0])))
    answer = {"input": str(one.ids[0]), **make_document(*make_answers(plain, decisions))}
    weights, outputs, explained_output = _compute_weights(variants)
    nearest = find_neighbours(bundle, rows.take(np.array([0])))[0]
    reading = _describe_parts(
        [(parts[at].name, outputs[1 + at]) for at in find_heaviest(weights)],
        variants.task,
        outputs[0],
        explained_output=explained_output,
        n_parts=len(parts),
    )
    document = {
        **answer,
        "explains": explained_output,
        "parts": [
            {"part": part.name, "weight": round(float(weight), 6), "without": round(float(without), 6)}
            for part, weight, without in zip(parts, weights, outputs[1:], strict=True)
        ],
        "nearest": [vars(row) for row in nearest],
        "reading": reading,
    }
    if len(parts):
        drawing = occlusion.draw(loaded, weights)
    else:
        drawing = draw_preview(MODALITIES[bundle.modality].preview(one.inputs[0], PREVIEW_BYTES), str(one.ids[0]))
    on_page = ExplainedInput(
        name=str(one.ids[0]),
        answer=_format_answer(answer),
        drawn=drawing,
        text=reading,
        nearest=format_neighbours(nearest),
    )
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


def _describe_parts(
    top: Sequence[tuple[str, float]], task: str, whole: float, explained_output: str, n_parts: int
) -> str:
    """Return which parts weigh most, and what would be left without them."""
    if n_parts == 0:
        return "The input has only one part."
    if not top:
        return f"No single part speaks for {explained_output}: without any of them the model is as sure, or surer."

    def format_value(value: float) -> str:
        return f"{value:.4g}" if TASK_TYPES[task].is_number else f"{100 * value:.1f} %"

    named = "; ".join(f"{name} (without it {format_value(without)})" for name, without in top)
    return f"What speaks most for {explained_output}, now {format_value(whole)}: {named}."


def _format_answer(answer: Mapping[str, Any]) -> str:
    """Return the answer in one line."""
    if answer.get("answer"):
        return f"{answer['answer']}: {answer['reason']}" if answer.get("reason") else str(answer["answer"])
    if "value" in answer:
        return f"{answer['value']:g}"
    return ", ".join(answer.get("labels", ())) or "no label"
