"""Read an adapted model back: every hash is compared, every record parsed, nothing is ever unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart import progress
from headstart.array_files import read_arrays
from headstart.bases import Backbone, assemble, read_folder
from headstart.bases.record import BaseRecord
from headstart.bundle import decision
from headstart.bundle.checked_parts import CheckedModel, check_fed_files, features_read, require_parts, stated_files
from headstart.bundle.file_names import require_listed_names, shown
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.integrity import BASE, CONFIG, MANIFEST, STATE, WEIGHTS, read_json, verify
from headstart.bundle.onnx.graph_limits import GraphContract, require_graph
from headstart.bundle.record import NOT_SHIPPED, RUNTIMES, Bundle, Shipped
from headstart.bundle.records.config_records import ConfigRecord, SeriesSpec, known_inputs, parse_config
from headstart.bundle.records.memory_order import FIRST_SAFE_FORMAT, repair_rules
from headstart.bundle.records.schema import misfit, parse_record, reading
from headstart.bundle.records.strategy_records import StateContext, check_rocket, check_state
from headstart.bundle.reference import FILE as REFERENCE
from headstart.bundle.reference import Reference
from headstart.bundle.runtime.replaying import replay_golden_rows
from headstart.bundle.runtime.session import Answers, Portable
from headstart.bundle.seen import FILE as SEEN
from headstart.bundle.seen import Seen
from headstart.decisions import DecisionPolicy
from headstart.errors import BundleError, offenders
from headstart.extras import missing, require
from headstart.records import FittedState
from headstart.strategies import STRATEGIES


def find(path: Path) -> Path:
    """Give the bundle's folder for a bundle or for the OUT folder of `adapt`."""
    inside = path / "bundle"
    return inside if (inside / MANIFEST).is_file() and not (path / MANIFEST).is_file() else path


def load(path: Path, runtime: str = "auto") -> Bundle:
    """Load a bundle after checking every hash.

    Parameters
    ----------
    path : Path
        The bundle's folder, or the OUT folder of `adapt`.
    runtime : str
        "torch": as it was adapted. "onnx": its portable form, without torch. "auto": as it was adapted where the extra
        `adapt` is installed, else the portable form.

    Raises
    ------
    BundleError
        If it is damaged or changed, or its content is not what this version wants.
    MissingExtra
        If the packages that its model runs on are not installed.
    """
    folder = find(path)
    with reading(folder):
        return _read(folder, runtime)


def _read(folder: Path, runtime: str) -> Bundle:
    assert runtime in RUNTIMES, runtime
    manifest = verify(folder)
    config, listed = read_json(folder / CONFIG), manifest["sha256"]
    record = parse_config(config, folder)
    name, classes, task = record.strategy, tuple(record.classes), record.task
    told: Mapping[str, Any] = config.get("portable") or NOT_SHIPPED
    require_listed_names(folder, CONFIG, stated_files(told))
    if runtime == "onnx" or (runtime == "auto" and told["ok"] and (missing("adapt") or WEIGHTS not in listed)):
        return _portable(folder, config, record, manifest)
    if runtime == "auto" and not told["ok"] and missing("adapt") and WEIGHTS in listed:
        progress.warn(f"This bundle has no portable form: {told['reason']}.")
    if WEIGHTS not in listed and not told["ok"]:
        raise BundleError(f"{folder} cannot be run here: {told['reason']}.", "Give the bundle that it was made from.")
    if WEIGHTS not in listed:
        raise BundleError(f"{folder} holds the portable form only.", "Leave --runtime out, or give the whole bundle.")
    require("adapt", "Predicting with this bundle")
    if name not in STRATEGIES:
        raise BundleError(
            f"{folder} uses the strategy '{name}', which this version does not have.", "Update headstart."
        )
    if STATE not in listed:
        raise BundleError(f"{folder} is no bundle: {STATE} is missing.", "Give the folder OUT/bundle.")
    state = FittedState(read_json(folder / STATE), read_arrays(folder / WEIGHTS))
    backbone = _read_base(folder, record.modality, listed)
    n_dims = backbone.record.n_dims if backbone is not None else 0
    check_state(name, state, StateContext(modality=record.modality, task=task, n_outputs=len(classes), n_dims=n_dims))
    require_parts(record, state, backbone is not None)
    rules = _read_rules(folder, record, manifest)
    if told["ok"] and manifest["format"] < FIRST_SAFE_FORMAT:
        _check_portable_files(folder, told, record, listed)
        _require_golden_rows(_open_portable(folder, told, (record, rules), listed), record, listed)
    return Bundle(
        modality=record.modality,
        classes=classes,
        strategy=name,
        fitted=CheckedModel(folder, STRATEGIES[name].load(state, classes), len(classes)),
        backbone=backbone,
        uses=frozenset(record.uses),
        columns=config["columns"],
        seed=manifest["seed"],
        about=config["about"],
        task=task,
        thresholds=tuple(record.thresholds),
        seen=Seen.read(folder) if SEEN in listed else None,
        spec=config["preprocessing"],
        rules=rules,
        reference=Reference.read(folder) if REFERENCE in listed else None,
        shipped=_shipped(folder, told, listed),
        input_columns=known_inputs(record),
    )


def _read_base(folder: Path, modality: str, listed: Mapping[str, str]) -> Backbone | None:
    """Read the base of a bundle from files that its manifest lists; None where there is none."""
    if f"{BASE}/{CONFIG}" not in listed:
        return None
    beside = [f"{BASE}/{path.name}" for path in (folder / BASE).iterdir()]
    unlisted = sorted(name for name in beside if name not in listed)
    if unlisted:
        raise BundleError(
            f"{folder} holds files that its manifest does not list ({offenders([shown(name) for name in unlisted])}).",
            "Take them out, or copy the bundle again.",
        )
    blank = BaseRecord(
        name="",
        modality=modality,
        source="file",
        licence="unknown",
        n_dims=0,
        size_bytes=0,
        training_data="",
        known_biases="",
        sha256="",
        url="",
        pretrained=True,
        summary="",
    )
    parts = read_folder(folder / BASE, blank)
    if parts.record.modality != modality:
        raise misfit(f"{BASE}/{CONFIG}", ("record", "modality"), f"should be {modality}", parts.record.modality)
    if parts.architecture["library"] == "minirocket":
        check_rocket(parts.weights, parse_record(SeriesSpec, parts.spec, f"{BASE}/{CONFIG}"), f"{BASE}/{WEIGHTS}")
    return assemble(parts)


def read_decisions(folder: Path, manifest: Mapping[str, Any]) -> DecisionPolicy | None:
    """Read the rules of decision of a bundle whose hashes were compared.

    Raises
    ------
    BundleError
        They are damaged.
    """
    with reading(folder):
        return _read_rules(folder, parse_config(read_json(folder / CONFIG), folder), manifest)


def _read_rules(folder: Path, record: ConfigRecord, manifest: Mapping[str, Any]) -> DecisionPolicy | None:
    """Read the rules of decision; those of formats 1 and 2 are tested and put right."""
    listed = manifest["sha256"]
    rules = decision.read(folder, record.classes, record.task) if decision.FILE in listed else None
    if manifest["format"] >= FIRST_SAFE_FORMAT:
        return rules
    seen = Seen.read(folder) if SEEN in listed else None
    return repair_rules(rules, seen.centres if seen else None, folder)


def _require_golden_rows(portable: Portable, record: ConfigRecord, listed: Mapping[str, str]) -> None:
    """Replay the golden rows of a bundle of format 2, whose arrays have no checksums of what was in memory."""
    if GOLDEN not in listed:
        return
    _, found = replay_golden_rows(portable, record.task, tuple(record.thresholds))
    if not found.passes and portable.told.get("exported") != "onnx-int8":  # 8 bits differ from processor to processor.
        raise BundleError(
            f"{portable.folder} does not answer its golden rows as where it was made: {found.told()}.", "Adapt again."
        )


def _shipped(folder: Path, told: Mapping[str, Any], listed: Mapping[str, str]) -> Shipped:
    return Shipped(folder, told, (*told.get("files", ()), *(["README.md"] if "README.md" in listed else [])))


def _portable(
    folder: Path, config: Mapping[str, Any], record: ConfigRecord, manifest: Mapping[str, Any]
) -> Bundle:  # fmt: skip
    """Read a bundle in its portable form."""
    told: Mapping[str, Any] = config.get("portable") or NOT_SHIPPED
    if not told["ok"]:
        raise BundleError(
            f"{folder} has no portable form: {told['reason']}.",
            "Leave --runtime out and install: pip install 'headstart[adapt]'",
        )
    listed = manifest["sha256"]
    _check_portable_files(folder, told, record, listed)
    rules = _read_rules(folder, record, manifest)
    made = _open_portable(folder, told, (record, rules), listed)
    if manifest["format"] < FIRST_SAFE_FORMAT:
        _require_golden_rows(made, record, listed)
    return Bundle(
        modality=record.modality,
        classes=tuple(record.classes),
        strategy=record.strategy,
        fitted=Answers(made),
        backbone=None,
        uses=frozenset(record.uses),
        columns=config["columns"],
        seed=manifest["seed"],
        about=config["about"],
        task=record.task,
        thresholds=tuple(record.thresholds),
        seen=Seen.read(folder) if SEEN in listed else None,
        spec=config["preprocessing"],
        rules=rules,
        reference=Reference.read(folder) if REFERENCE in listed else None,
        shipped=_shipped(folder, told, listed),
        portable=made,
        input_columns=known_inputs(record),
    )


def _check_portable_files(
    folder: Path, told: Mapping[str, Any], record: ConfigRecord, listed: Mapping[str, str]
) -> None:  # fmt: skip
    """Check all files of a portable form, its graph last."""
    unlisted = [name for name in (*stated_files(told), *_shipped(folder, told, listed).files) if name not in listed]
    if unlisted:
        raise BundleError(
            f"{folder} lacks files of its portable form ({offenders(unlisted)}).", "Copy the bundle again."
        )
    check_fed_files(folder, told)
    require_graph(folder / told["file"], GraphContract.of(told, len(record.classes), None))


def _open_portable(
    folder: Path, told: Mapping[str, Any], model: tuple[ConfigRecord, DecisionPolicy | None], listed: Mapping[str, str]
) -> Portable:
    """Return the portable form of a bundle whose files were checked."""
    record, rules = model
    n_features = features_read(rules, told["reads"])
    return Portable(
        folder=folder,
        told=told,
        modality=record.modality,
        n_outputs=len(record.classes),
        sha256=listed[told["file"]],
        n_features=n_features,
    )
