"""Make the portable form of a fitted bundle: a graph, golden rows, a script - or the reason why there is none."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from headstart import progress
from headstart.bundle import CONFIG, NO_PORTABLE_FORM, Bundle, PortableFiles, standalone, verify_files
from headstart.bundle.card import FILE as CARD
from headstart.bundle.card import render_card
from headstart.bundle.checked_parts import list_stated_files
from headstart.bundle.file_names import require_listed_names
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.golden import MOST_ROWS, SYNTHETIC, GoldenRows, count_golden_rows
from headstart.bundle.integrity import read_json
from headstart.bundle.records.config_records import parse_config
from headstart.bundle.runtime.agreement import Agreement, compare_outputs
from headstart.bundle.runtime.inputs import ModelInput, ModelInputs
from headstart.bundle.runtime.session import MODEL, open_graph
from headstart.bundle.synthetic_rows import make_synthetic_rows
from headstart.errors import BundleError
from headstart.features.runtimes import measure_relative_error
from headstart.flow.exports.pruning import RunTexts
from headstart.flow.exports.reference_outputs import run_reference
from headstart.flow.exports.settings import SETTINGS
from headstart.flow.exports.shrinking import ShrunkBundle, shrink_bundle
from headstart.flow.run_records import Prepared
from headstart.home import write_text
from headstart.ladder import FittedStrategies
from headstart.modalities.record import Array
from headstart.records import FloatMatrix, Index, Table

_WRITING = 12
"""Raised whenever the way graphs are made changes what they give, or predict.py changes."""


def draw_sample(prepared: Prepared, seed: int) -> Table:
    """Draw the rows that a portable form is tried on: test rows, or training rows where there are none.

    Parameters
    ----------
    prepared : Prepared
    seed : int
    """
    table = prepared.test.table if len(prepared.test) else prepared.train.table
    return table.take(_draw_rows(len(table), seed))


def warn_if_not_portable(bundle: Bundle, strategies: FittedStrategies, prepared: Prepared) -> None:
    """Warn where a chosen model has no portable form, and name the best of the others that has one.

    Parameters
    ----------
    bundle : Bundle
    strategies : FittedStrategies
    prepared : Prepared
    """
    assert bundle.portable_files is not None
    if bundle.portable_files.config["ok"]:
        return
    others = sorted(strategies.losses, key=strategies.comparable_loss) if find_spec("onnx") else []
    instead = next(
        (name for name in others if name != bundle.strategy and _can_export(bundle, name, strategies, prepared)), ""
    )
    more = f" The best that has one is {instead}: adapt again with --strategy {instead}." if instead else ""
    progress.warn(
        f"The model ({bundle.strategy}) runs only where headstart[adapt] is installed: "
        f"{bundle.portable_files.config['reason']}."
        f"{more}"
    )


def _can_export(bundle: Bundle, name: str, strategies: FittedStrategies, prepared: Prepared) -> bool:
    """Return whether a graph can be made of another fitted strategy."""
    graph = import_module("headstart.bundle.onnx.graph")
    try:
        graph.build_network(replace(bundle, strategy=name, fitted=strategies.fitted[name], backbone=prepared.backbone))
    except graph.CannotExport:
        return False
    return True


def prepare_rows(model_inputs: ModelInputs, table: Table, rows: Index) -> list[tuple[Array, ...]]:
    """Prepare rows of a table for a graph.

    Parameters
    ----------
    model_inputs : ModelInputs
    table : Table
    rows : Index
        Row numbers.
    """
    return [model_inputs.prepare(model_inputs.load(table.inputs[row])) for row in rows]


def make_portable(
    bundle: Bundle,
    table: Table,
    folder: Path,
    earlier: Path | None = None,
    *,
    seen: RunTexts | None = None,
    shrunk_before: Mapping[str, Any] | None = None,
) -> Bundle:
    """Make the portable form of a bundle.

    Parameters
    ----------
    bundle : Bundle
        As it was fitted.
    table : Table
        Real rows, best those that the model did not learn from; the graph is tried on a few. None is kept.
    folder : Path
        Where the files are written; it must stay until the bundle is saved.
    earlier : Path or None
        A bundle that was saved before; where it holds the same model, its graph is taken over and not made again.
    seen : RunTexts or None
        Texts of the run, whose pieces of words a pruned vocabulary keeps; None: it is not pruned.
    shrunk_before : mapping or None
        What `portable.weights` says of a bundle that was made smaller before, and is written again as it is.

    Returns
    -------
    Bundle
        With `portable_files`; where no graph could be made, their configuration has the reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if find_spec("onnx") is None:
        return describe_without_graph(
            bundle, folder, "the package onnx is not installed (pip install 'headstart[adapt]')"
        )
    if len(table) == 0:
        return describe_without_graph(bundle, folder, "there is no row to try it on")
    sample_rows = table.take(_draw_rows(len(table), bundle.seed))
    is_shrunk = shrunk_before is not None
    shrunk = ShrunkBundle(bundle, shrunk_before or {}) if is_shrunk else shrink_bundle(bundle, sample_rows, seen)
    facts = {**_name_fitted_base(bundle, shrunk.bundle), **shrunk.facts}
    bundle = shrunk.bundle
    key = _compute_key(bundle, sample_rows)
    reused = _reuse_graph(earlier, key, folder) if earlier is not None else None
    if reused is not None:
        write_text(folder / CARD, render_card(bundle, reused))
        return replace(bundle, portable_files=PortableFiles(folder, reused, (*reused["files"], CARD)))
    graph = import_module("headstart.bundle.onnx.graph")
    try:
        network, builder = graph.build_network(bundle)
    except graph.CannotExport as error:
        written = describe_without_graph(bundle, folder, str(error))
    else:
        for name, content in builder.files.items():
            write_text(folder / name, content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
        written = _write_graph(bundle, sample_rows, folder, network=network, builder=builder)
    assert written.portable_files is not None
    manifest = {
        **written.portable_files.config,
        "weights": facts,
        **({"key": key} if written.portable_files.config["ok"] else {}),
    }
    return replace(written, portable_files=replace(written.portable_files, config=manifest))


def _name_fitted_base(bundle: Bundle, smaller: Bundle) -> dict[str, str]:
    """Return the hash of the base that a model was fitted on, where the written one is another: for its features."""
    if bundle.backbone is None or smaller.backbone is None:
        return {}
    fitted_on = bundle.backbone.fingerprint
    return {} if smaller.backbone.fingerprint == fitted_on else {"base": fitted_on}


def _compute_key(bundle: Bundle, sample_rows: Table) -> str:
    """Return a hash (hex) of all that a graph and its golden rows depend on."""
    state = bundle.fitted.state()
    arrays = hashlib.sha256()
    for name in sorted(state.arrays):
        value = np.ascontiguousarray(state.arrays[name])
        arrays.update(f"{name}{value.dtype}{value.shape}".encode())
        arrays.update(value.tobytes())
    ood_check = bundle.decision_policy.out_of_distribution
    parts = {
        "model": [bundle.strategy, dict(state.meta), arrays.hexdigest()],
        "base": bundle.backbone.fingerprint if bundle.backbone else "",
        "task": [bundle.task, bundle.modality, list(bundle.classes), list(bundle.thresholds), dict(bundle.spec)],
        "reads": ood_check.reads if ood_check else "",
        "rows": [str(digest) for digest in sample_rows.hashes],
        "versions": {name: version(name) for name in ("headstart", "torch", "onnx", "onnxruntime")},
        "code": _WRITING,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _reuse_graph(earlier: Path, key: str, folder: Path) -> dict[str, Any] | None:
    """Copy the graph of a whole bundle of the same model; return what its config.json says of it, else None."""
    try:
        verify_files(earlier)
        config = read_json(earlier / CONFIG)
        parse_config(config, earlier)
        manifest: dict[str, Any] = config.get("portable") or NO_PORTABLE_FORM
        if not manifest["ok"] or manifest.get("key") != key:
            return None
        require_listed_names(earlier, CONFIG, list_stated_files(manifest))
        for name in manifest["files"]:
            shutil.copyfile(earlier / name, folder / name)
    except (OSError, ValueError, KeyError, TypeError, BundleError):
        return None
    return manifest


def describe_without_graph(bundle: Bundle, folder: Path, reason: str) -> Bundle:
    """Return a bundle that says why it has no portable form, with its card.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Where the card is written; it must stay until the bundle is saved.
    reason : str
        As part of a sentence.
    """
    manifest = {"ok": False, "reason": reason}
    write_text(folder / CARD, render_card(bundle, manifest))
    return replace(bundle, portable_files=PortableFiles(folder, manifest, (CARD,)))


def _write_graph(bundle: Bundle, sample_rows: Table, folder: Path, network: Any, builder: Any) -> Bundle:
    """Write a network by the first exporter that passes the gate on a few rows."""
    inputs = tuple(builder.inputs)
    model_inputs = ModelInputs(tuple(item.with_files_in(folder) for item in inputs), len(bundle.classes))
    expected = run_reference(bundle, sample_rows)
    if len(expected.rows) == 0:
        return describe_without_graph(bundle, folder, "no row could be read to try it on")
    rows = prepare_rows(model_inputs, sample_rows, expected.rows)
    path, results = folder / MODEL, list[Agreement]()

    def check_graph(path: Path) -> str:
        results.append(
            compare_outputs(
                bundle.task,
                expected.outputs,
                _run_graph(path, model_inputs, rows, expected.features),
                bundle.thresholds,
            )
        )
        return "" if results[-1].passes else results[-1].describe()

    writing = import_module("headstart.bundle.onnx.export")
    arrays = model_inputs.collate([rows[at % len(rows)] for at in range(max(2, min(3, len(rows))))])
    name, refused = writing.export_network(
        network, inputs, arrays, path, metadata=_make_metadata(bundle, inputs), explain_mismatch=check_graph
    )
    if not name:
        return describe_without_graph(bundle, folder, f"no exporter gave a graph that says the same ({refused})")
    if not bundle.keeps_torch:
        import_module("headstart.bundle.onnx.packing").pack_weights(path)
    golden = _make_golden_rows(model_inputs, path, bundle.seed)
    golden.write(folder)
    write_text(folder / standalone.SCRIPT, standalone.build_script(bundle.modality))
    write_text(folder / standalone.NEEDS, standalone.list_requirements(bundle.modality))
    document = {
        "ok": True, "file": MODEL, "exporter": name, "refused": refused,
        "written_with": writing.list_exporter_versions(),
        "inputs": [item.as_dict() for item in inputs], "outputs": ["outputs", *(["features"] if network.reads else [])],
        "reads": network.reads, "gate": vars(results[-1]), "n_golden": len(golden.outputs), "golden": SYNTHETIC,
        "files": [MODEL, GOLDEN, standalone.SCRIPT, standalone.NEEDS, *builder.files],
    }  # fmt: skip
    write_text(folder / CARD, render_card(bundle, document))
    return replace(bundle, portable_files=PortableFiles(folder, document, (*document["files"], CARD)))


def _draw_rows(n_rows: int, seed: int) -> Index:
    return np.sort(np.random.default_rng(seed).permutation(n_rows)[:MOST_ROWS])


def _make_golden_rows(model_inputs: ModelInputs, path: Path, seed: int) -> GoldenRows:
    """Return synthetic rows, as many as there is room for, with the outputs of a graph for each alone."""
    rows = make_synthetic_rows(model_inputs, MOST_ROWS, seed)
    rows = rows[: count_golden_rows(max(sum(part.nbytes for part in row) for row in rows))]
    run = open_graph(path, model_inputs.names)
    outputs, features = (
        np.concatenate(parts) for parts in zip(*(run(*model_inputs.collate([row])) for row in rows), strict=True)
    )
    return GoldenRows(
        arrays=dict(zip(model_inputs.names, model_inputs.collate(rows), strict=True)),
        outputs=outputs.astype(np.float64),
        features=features,
    )


def _run_graph(
    path: Path, model_inputs: ModelInputs, rows: Sequence[tuple[Array, ...]], features: FloatMatrix
) -> FloatMatrix:
    """Run rows through a graph: all but the first together, the first alone.

    Raises
    ------
    ValueError
        The features that the decision policy reads differ from those of the model.
    """
    run = open_graph(path, model_inputs.names)
    parts = [run(*model_inputs.collate(batch)) for batch in (rows[:1], rows[1:]) if batch]
    outputs: FloatMatrix = np.concatenate([part[0] for part in parts])
    read: FloatMatrix = np.concatenate([part[1] for part in parts])
    if features.shape[1]:
        error = measure_relative_error([features], [read])
        if not error <= SETTINGS.max_feature_difference:
            raise ValueError(f"features differ by {error:.2g}")
    return outputs


def _make_metadata(bundle: Bundle, inputs: Sequence[ModelInput]) -> dict[str, str]:
    """Return the metadata of the graph's file."""
    base = bundle.backbone.record if bundle.backbone else None
    return {
        "format": "headstart 2",
        "labels": json.dumps(list(bundle.classes), ensure_ascii=False),
        "task": bundle.task,
        "modality": bundle.modality,
        "strategy": bundle.strategy,
        "decision": "decision.json",  # Beside the graph, not in it: recalibration changes the rules alone.
        "preprocess": json.dumps([item.as_dict() for item in inputs]),
        "base_model": base.name if base else "none",
        "licence": base.licence if base else "none (learnt from the user's rows alone)",
    }
