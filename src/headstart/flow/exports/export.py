"""`export`: a bundle in another form, held against the model on real rows, and written only where it is as good."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from headstart import bundle as bundles
from headstart import progress
from headstart.bundle import Bundle, PortableFiles, standalone
from headstart.bundle.card import FILE as CARD
from headstart.bundle.card import render_card
from headstart.bundle.golden import FILE as GOLDEN
from headstart.bundle.onnx.targets import TARGETS, ExportedForm, ExportTarget, TargetSource
from headstart.bundle.runtime.session import FAILURES, GraphRun, PortableModel, open_graph
from headstart.errors import BundleError, OptionError, make_unknown_name
from headstart.flow.exports.comparison_rows import (
    ComparisonRows,
    choose_comparison_rows,
    read_golden,
    split_golden_rows,
)
from headstart.flow.exports.data_inside import list_data_inside, to_documents
from headstart.flow.exports.form_figures import (
    FormFigures,
    explain_eight_bits,
    explain_inexact,
    measure_form,
    run_rows,
    time_rows,
)
from headstart.flow.exports.head_file import write_head
from headstart.flow.exports.reopening import require_same_answers
from headstart.flow.exports.web_page import require_ready, write_page
from headstart.home import require_place, write_text
from headstart.options import ExportOptions
from headstart.records import FloatMatrix

REFUSALS: tuple[type[Exception], ...] = (
    RuntimeError, ValueError, TypeError, KeyError, AttributeError, IndexError, BundleError, *FAILURES,
)  # fmt: skip
"""Errors of tools on a graph that they cannot convert."""


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
        JSON: what was measured of each way that was tried; `written` is the folder, or None where none passed
        (`reason`).

    Raises
    ------
    HeadstartError
        The bundle has no portable form, or the rows cannot be read.
    """
    if options.to not in TARGETS:
        raise make_unknown_name("target", options.to, TARGETS)
    target, folder = TARGETS[options.to], bundles.find_bundle(bundle_path)
    full = bundles.load_bundle(folder)
    if target.is_head:
        return write_head(full, folder, out, options)
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
    rows = choose_comparison_rows(folder, full, portable, options=options, target=target)
    graph_run = open_graph(folder / str(portable.config["file"]), portable.model_inputs.names)
    outputs = run_rows(graph_run, portable.model_inputs, rows.rows)
    first = replace(
        measure_form("model.onnx", full, rows, outputs=outputs, group_columns=options.group),
        size_bytes=(folder / str(portable.config["file"])).stat().st_size,
        ms_a_row=time_rows((graph_run,), portable.model_inputs, rows.rows)[0],
    )
    exported = _Exported(bundle=full, portable=portable, rows=rows, first=first, run=graph_run)
    attempts = [first.as_dict()]
    reference = measure_form(
        "the bundle as adapted", full, rows, outputs=rows.expected, group_columns=options.group
    ).as_dict()
    document = {
        "format": 1, "bundle": str(folder), "to": target.name, "rows": rows.source, "n_rows": len(rows.rows),
        "labelled": rows.truth is not None, "reference": reference, "tried": attempts, "written": None, "reason": "",
        "data_inside": to_documents(list_data_inside(full, _count_thumbnails(full, options))),
    }  # fmt: skip
    reasons = []
    for number, method in enumerate(target.methods, start=1):
        progress.say(f"Trying method {number} of {len(target.methods)}.")
        with TemporaryDirectory(prefix="headstart-") as scratch:
            tried = _try_method(target, method, exported, Path(scratch), options=options)
            attempts.append(tried.as_dict())
            if tried.figures is not None and not tried.reason:
                if target.is_page:
                    document["page"] = write_page(model, Path(scratch) / tried.files[0], place, options)
                else:
                    _write_form(target, model, tried, scratch=Path(scratch), place=place)
                return {**document, "written": str(place), "method": tried.form}
            reasons.append(f"{tried.form}: {tried.reason}")
    return {**document, "reason": "; ".join(reasons)}


def _count_thumbnails(bundle: Bundle, options: ExportOptions) -> int:
    ood_check = bundle.decision_policy.out_of_distribution
    return len(ood_check.ids) if options.thumbnails is not None and ood_check is not None else 0


def _require(target: ExportTarget) -> None:
    lacking = {"onnx-int8": ("onnx",), "openvino": ("openvino",)}.get(target.name, ())
    absent = [name for name in lacking if find_spec(name) is None]
    if absent:
        raise OptionError(f"--to {target.name} needs {', '.join(absent)}.", "Run: pip install 'headstart[adapt]'")


@dataclass(frozen=True, kw_only=True)
class _Exported:
    """The bundle that is exported, its graph, the rows that forms are compared on, and the figures of the graph."""

    bundle: Bundle
    portable: PortableModel
    rows: ComparisonRows
    first: FormFigures
    run: GraphRun


@dataclass(frozen=True, kw_only=True)
class _TriedForm:
    """One form that was tried: its files, its figures (None where it could not be made), why it is not good enough."""

    form: str
    reason: str
    figures: FormFigures | None = None

    @property
    def files(self) -> list[str]:
        """Names of its files; the graph is the first."""
        return (self.figures.files if self.figures else None) or []

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return self.figures.as_dict() if self.figures else {"form": self.form, "failed": self.reason}


def _try_method(
    target: ExportTarget,
    method: Callable[[TargetSource, Path], ExportedForm],
    exported: _Exported,
    scratch: Path,
    options: ExportOptions,
) -> _TriedForm:
    """Make one form and measure it."""
    portable, rows = exported.portable, exported.rows
    model_inputs = portable.model_inputs
    try:
        form = method(
            TargetSource(portable.folder / str(portable.config["file"]), model_inputs, rows.training), scratch
        )
        outputs = run_rows(form.run, model_inputs, rows.rows)
        before, speed = time_rows((exported.run, form.run), model_inputs, rows.rows)
    except REFUSALS as error:
        failure = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return _TriedForm(form=target.name, reason=failure)
    figures = replace(
        measure_form(form.method, exported.bundle, rows, outputs=outputs, group_columns=options.group),
        files=list(form.files),
        size_bytes=sum((scratch / name).stat().st_size for name in form.files),
        ms_a_row=speed,
        times_as_fast=round(before / max(speed, 1e-6), 3),
    )
    reason = (
        explain_inexact(figures) if target.is_exact else explain_eight_bits(figures, exported.first, options.max_drop)
    )
    return _TriedForm(form=form.method, reason=reason, figures=figures)


def _write_form(target: ExportTarget, model: Bundle, tried: _TriedForm, scratch: Path, place: Path) -> None:
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
        run = open_graph(scratch / tried.files[0], portable.model_inputs.names)
        parts = [run(*portable.model_inputs.collate([row])) for row in split_golden_rows(golden)]
        values: list[FloatMatrix] = [np.concatenate([part[at] for part in parts]) for at in (0, 1)]
        golden = replace(golden, outputs=values[0].astype(np.float64), features=values[1])
    golden.write(scratch)
    files = [*tried.files, GOLDEN, *dict.fromkeys(input_files)]
    manifest = {**portable.config, "file": tried.files[0], "exporter": tried.form, "exported": target.name}
    assert tried.figures is not None
    manifest["gate"] = {
        "n_rows": None,
        "same_labels": tried.figures.same_labels,
        "max_difference": tried.figures.max_difference,
    }
    if target.has_script:
        write_text(scratch / standalone.SCRIPT, standalone.build_script(model.modality))
        write_text(scratch / standalone.NEEDS, standalone.list_requirements(model.modality))
        files += [standalone.SCRIPT, standalone.NEEDS]
    else:
        manifest |= {"ok": False, "reason": f"it was exported for {target.name}"}
    manifest["files"] = files
    write_text(scratch / CARD, render_card(model, manifest, slim=True))
    exported = replace(model, portable_files=PortableFiles(scratch, manifest, (*files, CARD)))
    check = partial(require_same_answers, bundle=exported) if manifest["ok"] else None
    bundles.save_bundle(exported, place, slim=True, check=check)
