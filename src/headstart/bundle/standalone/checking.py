"""The part of `predict.py` that checks what lies beside it before anything is made of it."""

from __future__ import annotations

import json
import math
import re
import stat
from pathlib import Path
from typing import Any

from headstart.bundle.onnx.operators import explain_refusal
from headstart.bundle.onnx.packed_weights import unpack_weights
from headstart.bundle.onnx.reader import read_graph_facts
from headstart.bundle.standalone.refusing import RefusedInput
from headstart.modalities.content import CONTENT_FAULTS

SPECS: dict[str, Any] = {}
# --- code ---
PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+\-]{0,119}")
TASKS = ("classification", "multi-label", "regression", "ordinal")
HINT = "Copy the bundle again, or make it again with headstart adapt."
SHARE, COUNT, NUMBER = (0, 1.000001), (0, 1e12), (-1e300, 1e300)
MOST_JSON_BYTES = 256_000_000


def make_misfit(place: str, problem: str, value: Any) -> RefusedInput:
    """Return the error for one place of a file."""
    value_text = "".join(character if character.isprintable() else "?" for character in repr(value)[:40])
    return RefusedInput(f"This bundle cannot be understood: {place}: {problem} (was {value_text}).\n{HINT}")


def require_shape(value: Any, shape: Any, place: str) -> None:
    """Refuse a value that is not of a shape.

    A type (str, bool, int, dict), two numbers (from, to; whole ones where both are `int`), a set of values, a list of
    one shape, or a dict of shapes; a key that ends with "?" may be absent or null.
    """
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise make_misfit(place, "should be an object", value)
        for key, inner in shape.items():
            name = key.rstrip("?")
            if value.get(name) is not None or not key.endswith("?"):
                require_shape(value.get(name), inner, f"{place}.{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise make_misfit(place, "should be a list", value)
        for at, one in enumerate(value):
            require_shape(one, shape[0], f"{place}.{at}")
    elif isinstance(shape, tuple):
        whole = all(isinstance(end, int) for end in shape)
        number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        if not number or not (math.isfinite(value) and shape[0] <= value <= shape[1]):
            raise make_misfit(place, f"should be a number from {shape[0]:g} to {shape[1]:g}", value)
    elif isinstance(shape, set):
        if not isinstance(value, str) or value not in shape:
            raise make_misfit(place, f"should be one of {', '.join(sorted(shape)) or 'none'}", value)
    elif type(value) is not shape:
        raise make_misfit(place, f"should be of the kind {shape.__name__}", value)


def find_file(folder: Path, name: Any, place: str) -> Path:
    """Return the path of a file of the bundle: a plain name of a regular file, no link."""
    if not isinstance(name, str) or not PLAIN.fullmatch(name):
        raise make_misfit(place, "is no plain file name", name)
    try:
        regular = stat.S_ISREG((folder / name).lstat().st_mode)
    except OSError:
        raise RefusedInput(f"This bundle lacks the file {name}.\n{HINT}") from None
    if not regular:
        raise make_misfit(place, "is no regular file", name)
    return folder / name


def read_document(folder: Path, name: str) -> Any:
    """Return what a JSON file holds; NaN, infinity and numbers of more than 19 digits are no numbers."""
    path = find_file(folder, name, name)
    if path.stat().st_size > MOST_JSON_BYTES:
        raise RefusedInput(f"{name} is too large.\n{HINT}")

    def parse_number(text: str) -> Any:
        value: Any = float(text) if len(text) > 19 or not text.lstrip("-").isdigit() else int(text)
        if not math.isfinite(value) or (len(text) > 19 and text.lstrip("-").isdigit()):
            raise ValueError(f"{text[:20]} is no number")
        return value

    try:
        text = path.read_text("utf-8")
        document = json.loads(text, parse_int=parse_number, parse_float=parse_number, parse_constant=parse_number)
        json.dumps(document, ensure_ascii=False).encode("utf-8") if "\\u" in text else None
    except (ValueError, RecursionError) as error:
        raise RefusedInput(f"{name} is damaged ({str(error)[:100]}).\n{HINT}") from None
    return document


def read_config(folder: Path) -> dict[str, Any]:
    """Return config.json, checked."""
    config: dict[str, Any] = read_document(folder, "config.json")
    values = {
        "layout?": {"", "wide", "long", "files", "array"}, "channels?": [str], "values?": [[str]],
        "axes?": {"channels-first", "time-first"}, "n_channels?": COUNT,
    }  # fmt: skip
    shape = {
        "input_columns?": values, "task": set(TASKS), "modality": set(SPECS), "classes": [str],
        "thresholds?": [SHARE], "columns": dict, "portable": {"ok": bool},
    }  # fmt: skip
    require_shape(config, shape, "config.json")
    classes, portable = config["classes"], config["portable"]
    config["thresholds"] = config.get("thresholds") or []
    if not classes or len(set(classes)) < len(classes) or (config["task"] == "regression" and len(classes) != 1):
        raise make_misfit("config.json.classes", "should be names that differ; one for a number", classes)
    if len(config["thresholds"]) not in (0, len(classes)):
        raise make_misfit("config.json.thresholds", "should be one for each class", config["thresholds"])
    require_shape(list(config["columns"].values()), [str], "config.json.columns")
    named = config.get("input_columns") or {}
    lengths = {len(steps) for steps in named.get("values") or []}
    if named.get("layout") == "wide" and len(lengths) != 1:
        raise make_misfit("config.json.input_columns.values", "should be lists of one length", named.get("values"))
    if not portable["ok"]:
        require_shape(portable, {"reason": str}, "config.json.portable")
        return config
    inputs = {"kind": str, "arrays": [{"name": str, "dtype": {"float32", "int64", "uint8"}}], "spec": dict}
    reads = {"", "features", "descriptors", "representation"}
    require_shape(portable, {"file": str, "inputs": [inputs], "outputs": [str], "reads": reads}, "config.json.portable")
    if not portable["inputs"] or portable["outputs"] != ["outputs", "features"][: 1 + bool(portable["reads"])]:
        raise make_misfit("config.json.portable.outputs", "should be as `reads` says", portable["outputs"])
    for at, item in enumerate(portable["inputs"]):
        _check_input(folder, item, SPECS[config["modality"]], f"config.json.portable.inputs.{at}")
    return config


def _check_input(folder: Path, item: dict[str, Any], specs: dict[str, Any], place: str) -> None:
    require_shape(item["kind"], {"rows", *specs}, f"{place}.kind")
    shape, n_arrays = specs.get(item["kind"], ({}, 1))
    require_shape(item["spec"], shape, f"{place}.spec")
    if len(item["arrays"]) != (3 if item["spec"].get("gaps") else n_arrays):
        raise make_misfit(f"{place}.arrays", "should be as the spec says", item["arrays"])
    for key, name in item["spec"].items():
        if key.endswith("_file"):
            find_file(folder, name, f"{place}.spec.{key}")


def read_policy(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Return decision.json, checked; rules that change nothing where there is none."""
    if not (folder / "decision.json").is_file():
        return {"calibrator": {"method": "none"}, "sets": None, "novelty": None, "costs": None, "margin": None}
    policy: dict[str, Any] = read_document(folder, "decision.json")
    n_classes = len(config["classes"])
    shape = {
        "coverage": SHARE, "margin?": (0.0, 1e300), "too_few?": bool, "reserved?": [str], "answer_below?": SHARE,
        "content?": {f"{fault}?": NUMBER for fault in CONTENT_FAULTS},
        "calibrator": {
            "method": {"none", "temperature", "isotonic", "platt"}, "temperature": (1e-3, 1e6), "knots": [SHARE],
            "levels": [(-0.01, 1.01)], "slopes?": [(1e-9, 1.0)], "shifts?": [(-100.0, 100.0)],
        },
        "sets?": {"floors": [SHARE], "n_rows": COUNT},
        "labels?": {"n_rows": COUNT},
        "novelty?": {
            "reads": {"features", "descriptors", "representation"}, "threshold": (-1e6, 1e6), "false_alarm": SHARE,
        },
        "costs?": {"matrix": [[NUMBER]], "refer": NUMBER},
        "frame?": {"levels": [str], "sets": [{"floors": [SHARE]}]},
    }  # fmt: skip
    require_shape(policy, shape, "decision.json")
    policy = {"sets": None, "novelty": None, "costs": None, "margin": None, **policy}
    knots, levels = policy["calibrator"]["knots"], policy["calibrator"]["levels"]
    curve = knots or policy["calibrator"]["method"] != "isotonic"
    if not curve or len(knots) != len(levels) or knots != sorted(knots):
        raise make_misfit("decision.json.calibrator.knots", "should rise, one for each level", knots)
    rows = [policy["sets"]["floors"]] if policy["sets"] else []
    if policy["calibrator"]["method"] == "platt":
        rows += [policy["calibrator"].get("slopes") or [], policy["calibrator"].get("shifts") or []]
    if policy.get("labels"):
        for name in ("possible_from", "sure_from"):
            rows.append(policy["labels"].get(name) or [])
            require_shape([one for one in rows[-1] if one is not None], [SHARE], f"decision.json.labels.{name}")
    rows += [policy["costs"]["matrix"], *policy["costs"]["matrix"]] if policy["costs"] else []
    for row in rows:
        if len(row) != n_classes:
            raise make_misfit("decision.json", f"there should be one for each of {n_classes} classes", row)
    frame = policy.get("frame") or {"sets": []}
    for depth, rule in enumerate(frame["sets"], start=1):
        nodes = {tuple(name.split(" > ")[:depth]) for name in config["classes"]}
        if len(rule["floors"]) != len(nodes):
            raise make_misfit("decision.json.frame.sets", f"there should be {len(nodes)} floors", rule["floors"])
    if policy["novelty"] and policy["novelty"]["reads"] != config["portable"].get("reads"):
        raise make_misfit("decision.json.novelty.reads", "the graph does not give it", policy["novelty"]["reads"])
    return policy


def read_graph(path: Path) -> str | bytes:
    """Return a graph's file with its packed weights unpacked, else its path; refuse one of other than plain steps."""
    content = path.read_bytes()
    try:
        reason = explain_refusal(read_graph_facts(memoryview(content)))
        if not reason:
            return unpack_weights(memoryview(content)) or str(path)
    except ValueError as error:
        reason = str(error)[:100]
    raise RefusedInput(f"{path.name} cannot be run ({reason}).\nDo not use it, or make the bundle again.")
