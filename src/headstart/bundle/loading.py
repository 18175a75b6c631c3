"""Read an adapted model back: every hash is compared, every record parsed, nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from headstart import progress
from headstart.array_files import read_arrays
from headstart.bases import Backbone
from headstart.bundle import decision
from headstart.bundle.checked_parts import (
    CheckedModel,
    check_input_files,
    count_decision_features,
    list_stated_files,
    require_stated_inputs,
)
from headstart.bundle.file_names import require_listed_names
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.head_only import FILE as HEAD
from headstart.bundle.head_only import open_base_of_head, require_packages_of_head
from headstart.bundle.integrity import CONFIG, MANIFEST, STATE, WEIGHTS, read_json, verify_files
from headstart.bundle.onnx.graph_limits import GraphContract, require_graph
from headstart.bundle.record import NO_PORTABLE_FORM, RUNTIMES, Bundle, PortableFiles
from headstart.bundle.records.config_records import ConfigRecord, parse_config, read_input_columns
from headstart.bundle.records.memory_order import FIRST_SAFE_FORMAT, repair_memory_order
from headstart.bundle.records.schema import raise_bundle_errors
from headstart.bundle.records.strategy_records import StateContext, check_state
from headstart.bundle.reference import FILE as REFERENCE
from headstart.bundle.reference import ReferenceSample
from headstart.bundle.row_names import read_row_names
from headstart.bundle.runtime.replaying import replay_golden_rows
from headstart.bundle.runtime.session import PortableModel, PortableOutputs
from headstart.bundle.seen import FILE as SEEN
from headstart.bundle.seen import SeenRows
from headstart.bundle.shared_weights import FILE as SHARED
from headstart.bundle.shared_weights import MODEL_ARRAYS, read_shared
from headstart.bundle.stored_base import read_base, select_arrays
from headstart.coding_frames import CodingFrame
from headstart.decisions import DEFAULT_POLICY, DecisionPolicy
from headstart.errors import BundleError, list_offenders
from headstart.extras import find_missing, require
from headstart.fitted_state import FittedState
from headstart.strategies import STRATEGIES


def find_bundle(path: Path) -> Path:
    """Return the bundle's folder for a bundle or for the OUT folder of `adapt`.

    Parameters
    ----------
    path : Path
        The bundle, or a folder with the bundle in `bundle/`.
    """
    if (path / MANIFEST).is_file():
        return path
    inside = path / "bundle"
    if (inside / MANIFEST).is_file():
        return inside
    replaced = (folder for folder in path.glob(".bundle.*.partial.old") if (folder / MANIFEST).is_file())
    return next(replaced, path)  # A run was killed between the two renames that replace a bundle.


def load_bundle(path: Path, runtime: str = "auto", base: str | None = None) -> Bundle:
    """Load a bundle after checking every hash.

    Parameters
    ----------
    path : Path
        The bundle's folder, or the OUT folder of `adapt`.
    runtime : str
        "torch": as it was adapted. "onnx": its portable form, without torch. "auto": as it was adapted where the extra
        `adapt` is installed, else the portable form. "quickest": the portable form wherever there is one (it has passed
        the gate, and opens in a tenth of the time), else as "auto".
    base : str or None
        Where the base model of a head-only file lies: a name, a folder, or a bundle that holds it. None: under its own
        name. A whole bundle has its own.

    Raises
    ------
    BundleError
        If it is damaged or changed, its content is not what this version wants, or the base of a head is not here.
    MissingExtra
        If the packages that its model runs on are not installed.
    """
    folder = find_bundle(path)
    with raise_bundle_errors(folder):
        return _read_bundle(folder, runtime, base)


def _read_bundle(folder: Path, runtime: str, base: str | None) -> Bundle:
    assert runtime in RUNTIMES, runtime
    manifest = verify_files(folder)
    config, listed = read_json(folder / CONFIG), manifest["sha256"]
    record = parse_config(config, folder)
    name, classes, task = record.strategy, tuple(record.classes), record.task
    portable_config: Mapping[str, Any] = config.get("portable") or NO_PORTABLE_FORM
    require_listed_names(folder, CONFIG, list_stated_files(portable_config))
    has_torch_form = WEIGHTS in listed or SHARED in listed
    is_quickest = runtime == "quickest" or find_missing("adapt") or not has_torch_form
    if runtime == "onnx" or (runtime != "torch" and portable_config["ok"] and is_quickest):
        return _read_portable_bundle(folder, config, record, manifest)
    if HEAD in listed:
        require_packages_of_head(folder)
    elif runtime != "torch" and not portable_config["ok"] and find_missing("adapt") and has_torch_form:
        progress.warn(f"This bundle has no portable form: {portable_config['reason']}.")
    if not has_torch_form and not portable_config["ok"]:
        raise BundleError(
            f"{folder} cannot be run here: {portable_config['reason']}.", "Give the bundle that it was made from."
        )
    if not has_torch_form:
        raise BundleError(f"{folder} has only the portable form.", "Leave out --runtime, or give the whole bundle.")
    require("adapt", "Predicting with this bundle")
    if name not in STRATEGIES:
        raise BundleError(
            f"{folder} uses the strategy '{name}', which this version does not have.", "Update headstart."
        )
    if STATE not in listed:
        raise BundleError(f"{folder} is not a bundle: {STATE} is missing.", "Give the folder OUT/bundle.")
    arrays = read_shared(folder, listed) if SHARED in listed else None
    if arrays is None:
        state = FittedState(read_json(folder / STATE), read_arrays(folder / WEIGHTS))
    else:
        state = FittedState(read_json(folder / STATE), select_arrays(arrays, MODEL_ARRAYS))
    if HEAD in listed:
        backbone: Backbone | None = open_base_of_head(folder, record.modality, record.preprocessing, base)
    else:
        backbone = read_base(folder, record.modality, listed, arrays)
    n_dims = backbone.record.n_dims if backbone is not None else 0
    check_state(name, state, StateContext(modality=record.modality, task=task, n_outputs=len(classes), n_dims=n_dims))
    require_stated_inputs(record, state, backbone is not None)
    policy = _read_decision_policy(folder, record, manifest)
    if portable_config["ok"] and manifest["format"] < FIRST_SAFE_FORMAT:
        _check_portable_files(folder, portable_config, record, listed)
        _require_golden_rows(
            _open_portable(folder, portable_config, listed, record=record, policy=policy), record, listed
        )
    model = CheckedModel(folder, STRATEGIES[name].load(state, classes), len(classes))
    return _prepare_bundle(folder, config, record, manifest=manifest, policy=policy)(fitted=model, backbone=backbone)


def _prepare_bundle(
    folder: Path, config: Mapping[str, Any], record: ConfigRecord, manifest: Mapping[str, Any], policy: DecisionPolicy
) -> partial[Bundle]:  # fmt: skip
    """Return everything of a bundle whose files were checked, but its model: `fitted`, `backbone`, `portable_model`."""
    listed = manifest["sha256"]
    return partial(
        Bundle,
        modality=record.modality,
        classes=tuple(record.classes),
        strategy=record.strategy,
        uses=frozenset(record.uses),
        columns=config["columns"],
        seed=manifest["seed"],
        training_facts=record.about,
        task=record.task,
        thresholds=tuple(record.thresholds),
        seen_rows=SeenRows.read(folder) if SEEN in listed else None,
        spec=config["preprocessing"],
        decision_policy=policy,
        reference_sample=ReferenceSample.read(folder) if REFERENCE in listed else None,
        portable_files=_list_portable_files(folder, config.get("portable") or NO_PORTABLE_FORM, listed),
        input_columns=read_input_columns(record),
        keeps_torch=WEIGHTS in listed,
        settings=record.settings,
        row_names=read_row_names(folder),
    )


def read_decision_policy(folder: Path, manifest: Mapping[str, Any]) -> DecisionPolicy:
    """Read the rules of decision of a bundle whose hashes were compared.

    Raises
    ------
    BundleError
        They are damaged.
    """
    with raise_bundle_errors(folder):
        return _read_decision_policy(folder, parse_config(read_json(folder / CONFIG), folder), manifest)


def read_frame(folder: Path, manifest: Mapping[str, Any]) -> CodingFrame:
    """Read the coding frame of a bundle whose hashes were compared: its classes, by their paths.

    Parameters
    ----------
    folder : Path
    manifest : mapping

    Raises
    ------
    BundleError
        They are damaged.
    """
    with raise_bundle_errors(folder):
        record = parse_config(read_json(folder / CONFIG), folder)
        rules = _read_decision_policy(folder, record, manifest).frame
    frame = CodingFrame.from_names(record.classes, rules.levels if rules else ())
    ids = rules.ids if rules else {}
    return replace(frame, codes=tuple(replace(code, id=ids.get(code.name, "")) for code in frame.codes))


def _read_decision_policy(folder: Path, record: ConfigRecord, manifest: Mapping[str, Any]) -> DecisionPolicy:
    """Read the rules of decision; those of formats 1 and 2 are tested and put right."""
    listed = manifest["sha256"]
    policy = (
        decision.read_stored_policy(folder, record.classes, record.task) if decision.FILE in listed else DEFAULT_POLICY
    )
    if manifest["format"] >= FIRST_SAFE_FORMAT:
        return policy
    seen = SeenRows.read(folder) if SEEN in listed else None
    return repair_memory_order(policy, seen.centres if seen else None, folder)


def _require_golden_rows(portable: PortableModel, record: ConfigRecord, listed: Mapping[str, str]) -> None:
    """Replay the golden rows of a bundle of format 2, whose arrays have no checksums of what was in memory."""
    if GOLDEN not in listed:
        return
    _, agreement = replay_golden_rows(portable, record.task, tuple(record.thresholds))
    if (
        not agreement.passes and portable.config.get("exported") != "onnx-int8"
    ):  # 8 bits differ from processor to processor.
        raise BundleError(
            f"{portable.folder} gives other answers to its golden rows than where it was made: {agreement.describe()}.",
            "Adapt again.",
        )


def _list_portable_files(folder: Path, portable_config: Mapping[str, Any], listed: Mapping[str, str]) -> PortableFiles:
    return PortableFiles(
        folder, portable_config, (*portable_config.get("files", ()), *(["README.md"] if "README.md" in listed else []))
    )


def _read_portable_bundle(
    folder: Path, config: Mapping[str, Any], record: ConfigRecord, manifest: Mapping[str, Any]
) -> Bundle:  # fmt: skip
    """Read a bundle in its portable form."""
    portable_config: Mapping[str, Any] = config.get("portable") or NO_PORTABLE_FORM
    if not portable_config["ok"]:
        raise BundleError(
            f"{folder} has no portable form: {portable_config['reason']}.",
            "Leave --runtime out and install: pip install 'headstart[adapt]'",
        )
    listed = manifest["sha256"]
    _check_portable_files(folder, portable_config, record, listed)
    policy = _read_decision_policy(folder, record, manifest)
    portable_model = _open_portable(folder, portable_config, listed, record=record, policy=policy)
    if manifest["format"] < FIRST_SAFE_FORMAT:
        _require_golden_rows(portable_model, record, listed)
    return _prepare_bundle(folder, config, record, manifest=manifest, policy=policy)(
        fitted=PortableOutputs(portable_model), backbone=None, portable_model=portable_model
    )


def _check_portable_files(
    folder: Path, portable_config: Mapping[str, Any], record: ConfigRecord, listed: Mapping[str, str]
) -> None:  # fmt: skip
    """Check all files of a portable form, its graph last."""
    unlisted = [
        name
        for name in (*list_stated_files(portable_config), *_list_portable_files(folder, portable_config, listed).files)
        if name not in listed
    ]
    if unlisted:
        raise BundleError(
            f"{folder} lacks files of its portable form ({list_offenders(unlisted)}).", "Copy the bundle again."
        )
    check_input_files(folder, portable_config)
    require_graph(
        folder / portable_config["file"], GraphContract.from_config(portable_config, len(record.classes), None)
    )


def _open_portable(
    folder: Path,
    portable_config: Mapping[str, Any],
    listed: Mapping[str, str],
    record: ConfigRecord,
    policy: DecisionPolicy,
) -> PortableModel:
    """Return the portable form of a bundle whose files were checked."""
    n_features = count_decision_features(policy, portable_config["reads"])
    return PortableModel(
        folder=folder,
        config=portable_config,
        modality=record.modality,
        n_outputs=len(record.classes),
        sha256=listed[portable_config["file"]],
        n_features=n_features,
    )
