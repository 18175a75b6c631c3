"""Predict with this model: python predict.py FILE-OR-FOLDER ... > answers.csv

Needs what stands in requirements.txt and nothing else; reads model.onnx, config.json and decision.json beside it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from headstart.bundle.standalone.checking import HINT, check_graph, config_of, file_of, misfit, rules_of
from headstart.bundle.standalone.image import make, rows_of
from headstart.bundle.standalone.refusing import Refused
from headstart.csv_files import write_csv_rows

# --- code ---
HERE = Path(__file__).parent
try:
    CONFIG = config_of(HERE)
    RULES = rules_of(HERE, CONFIG)
except Refused as refused:
    print(refused, file=sys.stderr)
    raise SystemExit(2) from None
TASK, CLASSES, PORTABLE = CONFIG["task"], CONFIG["classes"], CONFIG["portable"]
SINGLE = TASK in ("classification", "ordinal")
NOT_SURE, NONE, RESERVED = "not sure", "none of these", ("_other", "noise", "background")
BATCH, MOST_RUN_BYTES, MOST_RUN_SECONDS = 16, 2_000_000_000, 300.0
RAISED = vars(onnxruntime.capi.onnxruntime_pybind11_state).values()
FAILURES: tuple[type[Exception], ...] = (
    *(item for item in RAISED if isinstance(item, type) and issubclass(item, Exception)),
    UnicodeDecodeError,
)


def tensors(file: str) -> dict[str, Any]:
    """Read a safetensors file as float32, after its header was held against its size."""
    raw = file_of(HERE, file, file).read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    kinds, found = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "I64": np.int64, "I32": np.int32}, {}
    try:
        for name, item in json.loads(raw[8:start]).items():
            if name != "__metadata__":
                first, last = item["data_offsets"]
                if not 0 <= first <= last <= len(raw) - start:
                    raise ValueError("it ends too early")
                values = np.frombuffer(raw[start + first : start + last], kinds[item["dtype"]])
                found[name] = values.reshape(item["shape"]).astype(np.float32)
        n_dims, n_kept = found["basis"].shape
        shapes = {"centre": (1, n_dims), "inner": (n_kept, n_kept), "kept": (len(found["kept"]), n_kept),
                  "means": (len(found["means"]), n_kept)}  # fmt: skip
        wrong = [name for name, shape in shapes.items() if found[name].shape != shape or not len(found[name])]
        wrong += [name for name in ("basis", *shapes) if not np.isfinite(found[name]).all()]
        if wrong:
            raise ValueError(f"{wrong[0]} has another shape, or values that are no numbers")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{file} is damaged ({str(error)[:100]}).\n{HINT}") from None
    return found


def opened() -> Any:
    """Open the graph; what it holds in memory while it runs is bounded."""
    path = file_of(HERE, PORTABLE["file"], "config.json.portable.file")
    check_graph(path)
    chosen, kind = onnxruntime.SessionOptions(), onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    chosen.log_severity_level = 4
    place = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, onnxruntime.OrtMemType.DEFAULT)
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(MOST_RUN_BYTES, 1, -1, -1))
    for key in ("use_env_allocators", "use_device_allocator_for_initializers"):
        chosen.add_session_config_entry(f"session.{key}", "1")
    try:
        session = onnxruntime.InferenceSession(
            str(path), chosen, providers=["CPUExecutionProvider"], enable_fallback=0,
            disabled_optimizers=["ConstantFolding"],  # It would compute without a bound of time.
        )  # fmt: skip
    except FAILURES as error:
        raise Refused(f"{path.name} cannot be run ({' '.join(str(error).split())[:150]}).\n{HINT}") from None
    wanted = sorted(one.name for one in session.get_inputs())
    if sorted(array["name"] for item in PORTABLE["inputs"] for array in item["arrays"]) != wanted:
        raise misfit("config.json.portable.inputs", "should name the arrays of the graph", wanted)
    return session


def ran(session: Any, rows: list[Any]) -> tuple[Any, Any]:
    """Give outputs and features of rows."""
    limits = onnxruntime.RunOptions()
    timer = threading.Timer(MOST_RUN_SECONDS, setattr, (limits, "terminate", True))
    timer.daemon = True
    timer.start()
    try:
        found = session.run(None, batch_of(rows), limits)
    except FAILURES as error:
        slow = f"{len(rows)} rows take more than {MOST_RUN_SECONDS:g} seconds" if limits.terminate else str(error)
        raise Refused(f"The graph cannot be run ({' '.join(slow.split())[:150]}).\n{HINT}") from None
    finally:
        timer.cancel()
    outputs, features = found[0], found[1] if len(found) > 1 else np.empty((len(rows), 0), np.float32)
    if outputs.shape != (len(rows), len(CLASSES)) or features.ndim != 2 or len(features) != len(rows):
        raise Refused(f"The graph answers with numbers of the shape {outputs.shape}.\n{HINT}")
    return np.asarray(outputs, np.float64), features


def distances(values: Any, known: dict[str, Any]) -> Any:
    """Give how far rows are from the training rows, 0 to 2."""
    unit = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    apart = (unit - known["centre"]).astype(np.float32)
    inside = apart @ known["basis"]
    rest = np.maximum((apart**2).sum(1) - (inside**2).sum(1), 0)
    white = inside @ known["inner"]
    place = white / np.maximum(np.sqrt((white**2).sum(1) + rest), 1e-9)[:, None]
    near = np.sort(place @ known["kept"].T, axis=1)[:, -3:].mean(axis=1)
    return 1 - (near + (place @ known["means"].T).max(axis=1)) / 2


def calibrated(shares: Any) -> Any:
    """Correct probabilities (n_rows, n_classes)."""
    told = RULES["calibrator"]
    if told["method"] == "none":
        return shares
    if told["method"] == "isotonic":
        made = np.interp(shares, told["knots"], told["levels"]) + 1e-4 * shares
    else:
        logs = np.log(np.maximum(shares, 1e-12)) / told["temperature"]
        made = np.exp(logs - logs.max(axis=1, keepdims=True))
    return made / made.sum(axis=1, keepdims=True)


def percent(row: Any, code: int) -> str:
    """Write a class with its probability."""
    return f"{CLASSES[code]} ({100 * row[code]:.0f} %)"


def decided(row: Any, far: float) -> list[str]:
    """Give the cells of one row after the input: what the model says, answer, set, reason."""
    cells, answer, held, reason, ends, kind = SAYS[TASK](row)
    novelty = RULES["novelty"]
    if novelty and far > novelty["threshold"]:
        share = f"{100 * (1 - novelty['false_alarm']):.0f} %"
        answer, kind = NONE, "none_of_these"
        reason = f"unlike the training rows: farther from them than {share} of them are from each other"
    return [*cells, answer, held, reason, *ends, kind]


def one_class(row: Any) -> tuple[list[str], str, str, str, list[str], str]:
    """Decide on the probabilities of classes or grades."""
    best = int(row.argmax())
    if TASK == "ordinal":
        best = min(int((np.cumsum(row) < 0.5 - 1e-9).sum()), len(row) - 1)
    order = [int(code) for code in np.argsort(-row, kind="stable")]
    top = [best, *(code for code in order if code != best)][:3]
    sets, costs = RULES["sets"], RULES["costs"]
    inside = {best, *((int(row.argmax()), *np.flatnonzero(row >= np.asarray(sets["floors"]))) if sets else ())}
    held = sorted(inside, key=lambda code: (-row[code], code))
    reserved = RULES.get("reserved")
    refused = [name.strip().casefold() in RESERVED if reserved is None else name in reserved for name in CLASSES]
    code, reason = (best if len(held) == 1 or all(refused[at] for at in held) else -1), ""
    if costs:
        expected = row @ np.asarray(costs["matrix"])
        code = cheapest = int(expected.argmin())
        if expected[cheapest] > costs["refer"]:
            code = -1
            reason = f"asking costs {costs['refer']:g}; the cheapest answer, {CLASSES[cheapest]}, "
            reason += f"is expected to cost {expected[cheapest]:.2g}"
        elif code != int(row.argmax()):
            first = int(row.argmax())
            reason = (
                f"{percent(row, first)} is more probable, but a mistake would be expected to cost {expected[first]:.2g}"
            )
    if not reason and code >= 0:
        reason = f"{100 * row[code]:.0f} % sure" + ("; no other class is likely enough" if sets and not costs else "")
    elif not reason and sets and not any(floor > 0 for floor in sets["floors"]):
        reason = f"{sets['n_rows']} training rows are too few to rule any class out"
        if not sets["n_rows"]:
            reason = "no training row could be held out, so no class can be ruled out"
    elif not reason:
        more = f" and {len(held) - 3} more" if len(held) > 3 else ""
        reason = f"may be {', '.join(percent(row, at) for at in held[:3])}{more}"
    answer, kind = (CLASSES[code], "label") if code >= 0 else (NOT_SURE, "not_sure")
    if code >= 0 and refused[code]:
        answer, kind = NONE, "none_of_these"
        reason = f"most like the training rows of {percent(row, code)}"
    names = [CLASSES[at] for at in held[:20]] + ([f"{len(held) - 20} more"] if len(held) > 20 else [])
    cells = [part for at in top for part in (CLASSES[at], f"{row[at]:.6f}")]
    return cells, answer, ";".join(names), reason, [], kind


def several(row: Any) -> tuple[list[str], str, str, str, list[str], str]:
    """Decide on the probabilities of labels of which a row may have several."""
    given = np.flatnonzero(row >= np.asarray(CONFIG["thresholds"] or (0.5,)))
    written = ";".join(CLASSES[at] for at in given)
    if len(CLASSES) <= 20:
        return [written, *(f"{share:.6f}" for share in row)], written, "", "", [], "label"
    best = np.argsort(-row, kind="stable")[:3]
    return [written, *(part for at in best for part in (CLASSES[at], f"{row[at]:.6f}"))], written, "", "", [], "label"


def number(row: Any) -> tuple[list[str], str, str, str, list[str], str]:
    """Decide on a number."""
    written, margin = f"{row[0]:.7g}", RULES["margin"]
    if margin is None:
        few = "too few training rows to give a range" if RULES.get("too_few") else ""
        return [written], written, "", few, ["", ""], "label"
    ends = [f"{row[0] - margin:.7g}", f"{row[0] + margin:.7g}"]
    reason = f"{100 * RULES['coverage']:.0f} % of such ranges are stated to hold the truth"
    return [written], written, " to ".join(ends), reason, ends, "label"


SAYS = {"classification": one_class, "ordinal": one_class, "multi-label": several, "regression": number}


def header() -> list[str]:
    """Name the columns."""
    ranks = [f"{what}_{rank}" for rank in range(1, 4) for what in ("label", "probability")]
    told = ["label", "probability", *ranks[2 : 2 * min(3, len(CLASSES))]]
    if TASK == "multi-label":
        told = ["labels", *([f"p({name})" for name in CLASSES] if len(CLASSES) <= 20 else ranks)]
    if TASK == "regression":
        told = list(CLASSES)
    return ["input", *told, "answer", "set", "reason", *(["low", "high"] if TASK == "regression" else []), "kind"]


def batch_of(rows: list[list[Any]]) -> dict[str, Any]:
    """Put prepared rows into one batch; shorter texts are filled up."""
    made = {}
    for at, item in enumerate(PORTABLE["inputs"]):
        for place, array in enumerate(item["arrays"]):
            parts = [row[at][place] for row in rows]
            longest = tuple(max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True))
            fill = item["spec"].get("pad_id", 0) if place == 0 else 0
            whole: Any = np.full((len(parts), *(max(1, size) for size in longest)), fill, array["dtype"])
            for number_, part in enumerate(parts):
                whole[(number_, *(slice(0, size) for size in part.shape))] = part
            made[array["name"]] = whole
    return made


def prepared(source: Any) -> list[Any]:
    """Make the arrays of one row; ValueError if it cannot be used."""
    if isinstance(source, ValueError):
        raise source
    kinds = [(item["kind"], item["spec"]) for item in PORTABLE["inputs"]]
    return [(np.zeros(1, np.float32),) if kind == "rows" else make(kind, source, spec) for kind, spec in kinds]


def main(paths: list[str]) -> None:
    """Predict every input and write one row each."""
    if not PORTABLE["ok"] or not paths:
        raise Refused(__doc__ if PORTABLE["ok"] else f"There is no model.onnx: {PORTABLE['reason']}.")
    for missing in (path for path in paths if not Path(path).exists()):
        raise Refused(f"There is nothing at {missing}.")
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    warnings.simplefilter("ignore")  # What libraries say of odd inputs stands in their rows.
    session = opened()
    known = tensors("decision.safetensors") if RULES["novelty"] else {}
    names = header()
    titles = [names]  # Written with the first answers: nothing is where the graph cannot be run.

    def answer(waiting: list[tuple[str, Any]]) -> None:
        good = [arrays for _, arrays in waiting if not isinstance(arrays, str)]
        shares, features = ran(session, good) if good else (np.empty((0, 1)), np.empty((0, 0)))
        if good and known and features.shape[1] != known["centre"].shape[1]:
            raise Refused(f"decision.safetensors does not fit the graph.\n{HINT}")
        shares = calibrated(shares) if SINGLE else shares
        far = distances(features, known) if good and known else np.full(len(good), np.nan)
        write_csv_rows(sys.stdout, titles)
        titles.clear()
        left = iter(zip(shares, far, strict=True))
        for name, arrays in waiting:
            unread = [*("" if title != "reason" else str(arrays) for title in names[1:-1]), "unusable"]
            write_csv_rows(sys.stdout, [[name, *(unread if isinstance(arrays, str) else decided(*next(left)))]])

    waiting: list[tuple[str, Any]] = []
    counts = Counter[str]()
    n_good = 0
    for path in paths:
        for given, source in rows_of(Path(path), CONFIG):
            name = given.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
            counts[name] += 1
            name += f"#{counts[name]}" if counts[name] > 1 else ""
            try:
                waiting.append((name, prepared(source)))
                n_good += 1
            except ValueError as error:
                waiting.append((name, str(error)))
            if len(waiting) == BATCH:
                answer(waiting)
                waiting = []
    answer(waiting)
    if not n_good:
        raise Refused("Nothing could be read: see the reasons in the rows above, if there are any.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Refused as refused:
        print(refused, file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:  # What reads the answers has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
