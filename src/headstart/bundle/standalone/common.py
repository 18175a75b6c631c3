"""Predict with this model: python predict.py FILE-OR-FOLDER ... -o answers.csv

Without -o the answers go to standard output, with the columns for programs.

Needs what stands in requirements.txt and nothing else; reads model.onnx, config.json and decision.json beside it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from headstart.bundle.standalone.checking import HINT, find_file, make_misfit, read_config, read_graph, read_policy
from headstart.bundle.standalone.image import iterate_rows, measure_content, prepare_input
from headstart.bundle.standalone.levels import list_levels, roll_up
from headstart.bundle.standalone.refusing import RefusedInput
from headstart.csv_files import write_csv_rows
from headstart.modalities.content import CONTENT_FAULTS, find_content_fault

# --- code ---
HERE = Path(__file__).parent
try:
    CONFIG = read_config(HERE)
    POLICY = read_policy(HERE, CONFIG)
except RefusedInput as refused:
    print(refused, file=sys.stderr)
    raise SystemExit(2) from None
TASK, CLASSES, PORTABLE = CONFIG["task"], CONFIG["classes"], CONFIG["portable"]
FRAME = POLICY.get("frame") or {"levels": [], "sets": []}
NOT_SURE, NONE, RESERVED = "not sure", "none of these", ("_other", "noise", "background")
HEADINGS = {"label": "best guess", "labels": "best guess", "label_2": "second guess", "label_3": "third guess",
            "probability_2": "probability of the second", "probability_3": "probability of the third",
            "sure": "sure labels", "set": "likely answers"}  # fmt: skip
BATCH, MOST_RUN_BYTES, MOST_RUN_SECONDS = 16, 2_000_000_000, 300.0
RAISED = vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
FAILURES: tuple[type[Exception], ...] = (
    *(item for item in RAISED if isinstance(item, type) and issubclass(item, Exception)),
    UnicodeDecodeError,
)


def read_tensors(file: str) -> dict[str, Any]:
    """Read a safetensors file as float32, after its header was held against its size."""
    raw = find_file(HERE, file, file).read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    kinds, arrays = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "I64": np.int64, "I32": np.int32}, {}
    try:
        for name, item in json.loads(raw[8:start]).items():
            if name != "__metadata__":
                first, last = item["data_offsets"]
                if not 0 <= first <= last <= len(raw) - start:
                    raise ValueError("it ends too early")
                values = np.frombuffer(raw[start + first : start + last], kinds[item["dtype"]])
                arrays[name] = values.reshape(item["shape"]).astype(np.float32)
        n_dims, n_kept = arrays["basis"].shape
        shapes = {"centre": (1, n_dims), "inner": (n_kept, n_kept), "kept": (len(arrays["kept"]), n_kept),
                  "means": (len(arrays["means"]), n_kept)}  # fmt: skip
        wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape or not len(arrays[name])]
        wrong += [name for name in ("basis", *shapes) if not np.isfinite(arrays[name]).all()]
        if wrong:
            raise ValueError(f"{wrong[0]} has another shape, or values that are no numbers")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RefusedInput(f"{file} is damaged ({str(error)[:100]}).\n{HINT}") from None
    return arrays


def open_graph() -> Any:
    """Open the graph; what it holds in memory while it runs is bounded."""
    path = find_file(HERE, PORTABLE["file"], "config.json.portable.file")
    content = read_graph(path)
    options, kind = onnxruntime.SessionOptions(), onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    options.log_severity_level = 4
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(MOST_RUN_BYTES, 1, -1, -1))
    for key in ("use_env_allocators", "use_device_allocator_for_initializers"):
        options.add_session_config_entry(f"session.{key}", "1")
    try:
        session = onnxruntime.InferenceSession(
            content, options, providers=["CPUExecutionProvider"], enable_fallback=0,
            disabled_optimizers=["ConstantFolding"],  # It would compute without a bound of time.
        )  # fmt: skip
    except FAILURES as error:
        raise RefusedInput(f"{path.name} cannot be run ({' '.join(str(error).split())[:150]}).\n{HINT}") from None
    graph_inputs = sorted(one.name for one in session.get_inputs())
    if sorted(array["name"] for item in PORTABLE["inputs"] for array in item["arrays"]) != graph_inputs:
        raise make_misfit("config.json.portable.inputs", "should name the arrays of the graph", graph_inputs)
    return session


def run_rows(session: Any, rows: list[Any]) -> tuple[Any, Any]:
    """Return outputs and features of rows."""
    limits = onnxruntime.RunOptions()
    timer = threading.Timer(MOST_RUN_SECONDS, setattr, (limits, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        results = session.run(None, collate_rows(rows), limits)
    except FAILURES as error:
        slow = f"{len(rows)} rows take more than {MOST_RUN_SECONDS:g} seconds" if limits.terminate else str(error)
        raise RefusedInput(f"The graph cannot be run ({' '.join(slow.split())[:150]}).\n{HINT}") from None
    finally:
        timer.cancel()
    outputs, features = results[0], results[1] if len(results) > 1 else np.empty((len(rows), 0), np.float32)
    if outputs.shape != (len(rows), len(CLASSES)) or features.ndim != 2 or len(features) != len(rows):
        raise RefusedInput(f"The graph answers with numbers of the shape {outputs.shape}.\n{HINT}")
    return np.asarray(outputs, np.float64), features


def measure_distances(values: Any, known: dict[str, Any]) -> Any:
    """Return the distances of rows from the training rows, 0 to 2."""
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    centred = (unit - known["centre"]).astype(np.float32)
    inside = centred @ known["basis"]
    rest = np.maximum((centred**2).sum(1) - (inside**2).sum(1), 0)
    white = inside @ known["inner"]
    place = white / np.maximum(np.sqrt((white**2).sum(1) + rest), 1e-9)[:, None]
    near = np.sort(place @ known["kept"].T, axis=1)[:, -3:].mean(axis=1)
    return 1 - (near + (place @ known["means"].T).max(axis=1)) / 2


def calibrate(probabilities: Any) -> Any:
    """Return corrected probabilities (n_rows, n_classes)."""
    calibrator = POLICY["calibrator"]
    if calibrator["method"] == "none":
        return probabilities
    if calibrator["method"] == "platt":
        inside = np.clip(probabilities, 1e-12, 1 - 1e-12)
        logits = np.asarray(calibrator["slopes"]) * np.log(inside / (1 - inside)) + np.asarray(calibrator["shifts"])
        return 1 / (1 + np.exp(-logits))
    if calibrator["method"] == "isotonic":
        corrected = np.interp(probabilities, calibrator["knots"], calibrator["levels"]) + 1e-4 * probabilities
    else:
        logs = np.log(np.maximum(probabilities, 1e-12)) / calibrator["temperature"]
        corrected = np.exp(logs - logs.max(axis=1, keepdims=True))
    return corrected / corrected.sum(axis=1, keepdims=True)


def describe_class(row: Any, index: int) -> str:
    """Return a class with its probability, as text."""
    return f"{CLASSES[index]} ({100 * row[index]:.0f} %)"


def describe_classes(row: Any, places: list[int]) -> str:
    """Return the first classes with their probabilities, and how many more there are."""
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return ", ".join(describe_class(row, at) for at in places[:3]) + more


def name_classes(places: list[int]) -> str:
    """Return the names of the first classes, and how many more there are."""
    return ";".join([CLASSES[at] for at in places[:20]] + ([f"{len(places) - 20} more"] if len(places) > 20 else []))


def decide_row(row: Any, distance: float) -> list[str]:
    """Return the cells of one row after the input: prediction, answer, set, reason, kind."""
    cells, answer, sets, reason, ends, kind = DECIDERS[TASK](row)
    out_of_distribution = POLICY["novelty"]
    if out_of_distribution and distance > out_of_distribution["threshold"]:
        share = f"{100 * (1 - out_of_distribution['false_alarm']):.0f} %"
        answer, kind = NONE, "none_of_these"
        reason = f"unlike the training rows: farther from them than {share} of them are from each other"
    labels = cells[0].split(";") if TASK == "multi-label" else None
    return [*cells, answer, *sets, reason, *ends, *list_levels(FRAME, labels, answer, kind), kind]


def decide_class(row: Any) -> tuple[list[str], str, list[str], str, list[str], str]:
    """Decide on the probabilities of classes or grades."""
    best = int(row.argmax())
    if TASK == "ordinal":
        best = min(int((np.cumsum(row) < 0.5 - 1e-9).sum()), len(row) - 1)
    order = [int(index) for index in np.argsort(-row, kind="stable")]
    top = [best, *(index for index in order if index != best)][:3]
    sets, costs = POLICY["sets"], POLICY["costs"]
    inside = {best, *((int(row.argmax()), *np.flatnonzero(row >= np.asarray(sets["floors"]))) if sets else ())}
    prediction_set = sorted(inside, key=lambda index: (-row[index], index))
    reserved = POLICY.get("reserved")
    refused = [name.strip().casefold() in RESERVED if reserved is None else name in reserved for name in CLASSES]
    index, reason = (best if len(prediction_set) == 1 or all(refused[at] for at in prediction_set) else -1), ""
    if costs:
        expected = row @ np.asarray(costs["matrix"])
        index = cheapest = int(expected.argmin())
        if expected[cheapest] > costs["refer"]:
            index = -1
            reason = f"asking costs {costs['refer']:g}; the cheapest answer, {CLASSES[cheapest]}, "
            reason += f"is expected to cost {expected[cheapest]:.2g}"
        elif index != int(row.argmax()):
            first = int(row.argmax())
            reason = f"{describe_class(row, first)} is more probable, but a mistake would be expected to cost "
            reason += f"{expected[first]:.2g}"
    elif index >= 0 and not refused[index] and row[index] < (POLICY.get("answer_below") or 0):
        reason = f"{describe_class(row, index)} is the best guess, but less probable than "
        reason += f"{100 * POLICY['answer_below']:.0f} %"
        index = -1
    if not reason and index >= 0:
        reason = f"{100 * row[index]:.0f} % sure" + ("; no other class is likely enough" if sets and not costs else "")
    elif not reason and sets and not any(floor > 0 for floor in sets["floors"]):
        reason = f"{sets['n_rows']} training rows are too few to rule any class out"
        if not sets["n_rows"]:
            reason = "no training row could be held out, so no class can be ruled out"
    elif not reason:
        reason = f"may be {describe_classes(row, prediction_set)}"
    answer, kind = (CLASSES[index], "label") if index >= 0 else (NOT_SURE, "not_sure")
    if index >= 0 and refused[index]:
        answer, kind = NONE, "none_of_these"
        reason = f"most like the training rows of {describe_class(row, index)}"
    if kind == "not_sure" and FRAME["levels"]:
        answer = roll_up(row, CLASSES, FRAME, POLICY.get("answer_below") or 0) or NOT_SURE
    cells = [part for at in top for part in (CLASSES[at], f"{row[at]:.6f}")]
    return cells, answer, [name_classes(prediction_set)], reason, [], kind


def decide_labels(row: Any) -> tuple[list[str], str, list[str], str, list[str], str]:
    """Decide on the probabilities of labels of which a row may have several."""
    is_label = row >= calibrate(np.asarray(CONFIG["thresholds"] or [0.5] * len(CLASSES))[None])[0]
    written = answer = ";".join(CLASSES[at] for at in np.flatnonzero(is_label))
    order, rule, sets, reason, kind = np.argsort(-row, kind="stable"), POLICY.get("labels"), ["", ""], "", "label"
    if rule:
        possible = [at for at in order if is_label[at] or reaches(row[at], rule["possible_from"][at])]
        sure = [at for at in order if is_label[at] and reaches(row[at], rule["sure_from"][at])]
        sets = [name_classes(sure), name_classes(possible)]
        parts = {"sure": sure, "possible": [at for at in possible if at not in sure]}
        reason = "; ".join(f"{name}: {describe_classes(row, places)}" for name, places in parts.items() if places)
        reason = reason or "no label is likely enough"
        if not any(floor is not None for floor in rule["possible_from"]):
            reason = f"{rule['n_rows']} training rows are too few to say which labels are sure or possible"
        if possible and not is_label.any():
            answer, kind = NOT_SURE, "not_sure"
    probabilities = [f"{probability:.6f}" for probability in row]
    if len(CLASSES) > 20:
        probabilities = [part for at in order[:3] for part in (CLASSES[at], f"{row[at]:.6f}")]
    return [written, *probabilities], answer, sets, reason, [], kind


def reaches(probability: float, threshold: float | None) -> bool:
    """Return whether a probability is not below its threshold; None is never reached."""
    return threshold is not None and probability >= threshold


def decide_number(row: Any) -> tuple[list[str], str, list[str], str, list[str], str]:
    """Decide on a number."""
    written, margin = f"{row[0]:.7g}", POLICY["margin"]
    if margin is None:
        few = "too few training rows to give a range" if POLICY.get("too_few") else ""
        return [written], written, [""], few, ["", ""], "label"
    ends = [f"{row[0] - margin:.7g}", f"{row[0] + margin:.7g}"]
    reason = f"{100 * POLICY['coverage']:.0f} % of such ranges are stated to hold the truth"
    return [written], written, [" to ".join(ends)], reason, ends, "label"


DECIDERS = {
    "classification": decide_class,
    "ordinal": decide_class,
    "multi-label": decide_labels,
    "regression": decide_number,
}


def list_columns() -> list[str]:
    """Return the names of the columns."""
    ranks = [f"{what}_{rank}" for rank in range(1, 4) for what in ("label", "probability")]
    columns, sets, ends = ["label", "probability", *ranks[2 : 2 * min(3, len(CLASSES))]], ["set"], []
    if TASK == "multi-label":
        columns = ["labels", *([f"p({name})" for name in CLASSES] if len(CLASSES) <= 20 else ranks)]
        sets = ["sure", "set"]
    if TASK == "regression":
        columns, ends = list(CLASSES), ["low", "high"]
    levels = [f"level_{at + 1}" for at in range(len(FRAME["levels"]))]
    return ["input", *columns, "answer", *sets, "reason", *ends, *levels, "kind"]


def collate_rows(rows: list[list[Any]]) -> dict[str, Any]:
    """Return prepared rows as one batch; shorter texts are filled up."""
    batch = {}
    for at, item in enumerate(PORTABLE["inputs"]):
        for place, array in enumerate(item["arrays"]):
            parts = [row[at][place] for row in rows]
            longest = tuple(max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True))
            fill = item["spec"].get("pad_id", 0) if place == 0 else 0
            whole: Any = np.full((len(parts), *(max(1, size) for size in longest)), fill, array["dtype"])
            for number, part in enumerate(parts):
                whole[(number, *(slice(0, size) for size in part.shape))] = part
            batch[array["name"]] = whole
    return batch


def prepare_row(source: Any) -> list[Any]:
    """Return the arrays of one row; ValueError if it cannot be used."""
    if isinstance(source, ValueError):
        raise source
    limits = POLICY.get("content")
    fault = find_content_fault(measure_content(source, PORTABLE["inputs"]), limits) if limits else ""
    if fault:
        raise ValueError(CONTENT_FAULTS[fault])
    kinds = [(item["kind"], item["spec"]) for item in PORTABLE["inputs"]]
    return [(np.zeros(1, np.float32),) if kind == "rows" else prepare_input(kind, source, spec) for kind, spec in kinds]


def order_columns(names: list[str]) -> list[int]:
    """Return the places of columns as people read them: the input, its answer, the best guess, how probable it is."""
    first = [name for name in ("input", "answer", "label", "labels", "probability") if name in names[:-1]]
    places = [names.index(name) for name in first]
    return [*places, *(at for at in range(len(names) - 1) if at not in places)]


def main(paths: list[str]) -> None:
    """Predict every input and write one row each, into the file behind -o as people read them."""
    if "-o" not in paths[:-1]:
        sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        predict_paths(paths, lambda row: write_csv_rows(sys.stdout, [row]))
        return
    at_out = paths.index("-o")
    out, names = Path(paths[at_out + 1]), list_columns()
    order, headings = order_columns(names), {} if TASK == "regression" else HEADINGS
    partial = out.with_name(f"{out.name}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as sink:
            write_csv_rows(sink, [[headings.get(names[at], names[at]) for at in order]])
            rows = iter([True])  # The first row has the names for programs.
            predict_paths(
                paths[:at_out] + paths[at_out + 2 :],
                lambda row: None if next(rows, False) else write_csv_rows(sink, [[row[at] for at in order]]),
            )
        partial.replace(out)
    except OSError as error:
        raise RefusedInput(f"{out} cannot be written ({error.strerror}).") from None
    finally:
        partial.unlink(missing_ok=True)


def predict_paths(paths: list[str], write: Callable[[list[Any]], None]) -> None:
    """Predict every input and write the names of the columns and one row each."""
    if not PORTABLE["ok"] or not paths:
        raise RefusedInput(__doc__ if PORTABLE["ok"] else f"There is no model.onnx: {PORTABLE['reason']}.")
    for missing in (path for path in paths if not Path(path).exists()):
        raise RefusedInput(f"There is nothing at {missing}.")
    warnings.simplefilter("ignore")  # Warnings about odd inputs are reasons in their rows.
    session = open_graph()
    out_of_distribution = read_tensors("decision.safetensors") if POLICY["novelty"] else {}
    names = list_columns()
    titles = [names]  # Written with the first answers: nothing is where the graph cannot be run.

    def answer(waiting: list[tuple[str, Any]]) -> None:
        good = [arrays for _, arrays in waiting if not isinstance(arrays, str)]
        probabilities, features = run_rows(session, good) if good else (np.empty((0, 1)), np.empty((0, 0)))
        if good and out_of_distribution and features.shape[1] != out_of_distribution["centre"].shape[1]:
            raise RefusedInput(f"decision.safetensors does not fit the graph.\n{HINT}")
        probabilities = calibrate(probabilities)
        distances = (
            measure_distances(features, out_of_distribution)
            if good and out_of_distribution
            else np.full(len(good), np.nan)
        )
        for title_row in titles:
            write(title_row)
        titles.clear()
        answers = iter(zip(probabilities, distances, strict=True))
        for name, arrays in waiting:
            unread = [*("" if title != "reason" else str(arrays) for title in names[1:-1]), "unusable"]
            write([name, *(unread if isinstance(arrays, str) else decide_row(*next(answers)))])

    waiting: list[tuple[str, Any]] = []
    counts = Counter[str]()
    n_good = 0
    for path in paths:
        for path_text, source in iterate_rows(Path(path), CONFIG):
            name = path_text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            counts[name] += 1
            name += f"#{counts[name]}" if counts[name] > 1 else ""
            try:
                waiting.append((name, prepare_row(source)))
                n_good += 1
            except ValueError as error:
                waiting.append((name, str(error)))
            if len(waiting) == BATCH:
                answer(waiting)
                waiting = []
    answer(waiting)
    if not n_good:
        raise RefusedInput("Nothing could be read: see the reasons in the rows above, if there are any.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RefusedInput as refused:
        print(refused, file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:  # What reads the answers has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
