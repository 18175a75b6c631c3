"""`export --to head`: the head without its base, written only where it answers as the whole bundle does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from headstart import bundle as bundles
from headstart import progress
from headstart.bases import Backbone
from headstart.bundle import Bundle, PortableFiles
from headstart.bundle.card import FILE as CARD
from headstart.bundle.card import render_card
from headstart.bundle.head_only import FILE, REASON, explain_no_head, open_named_base, write_head_record
from headstart.errors import BundleError, OptionError
from headstart.flow.exports.comparison_rows import find_run_rows
from headstart.flow.exports.data_inside import list_data_inside, to_documents
from headstart.flow.exports.reopening import N_ROWS, require_same_answers
from headstart.flow.inference.labelled_rows import read_rows_to_evaluate
from headstart.flow.inference.predict_memory import SAMPLE_INPUTS, make_input_table
from headstart.home import write_text
from headstart.options import EvaluateOptions, ExportOptions, parse
from headstart.records import Table


def write_head(bundle: Bundle, folder: Path, out: Path | None, options: ExportOptions) -> dict[str, Any]:
    """Write the head of a bundle.

    Parameters
    ----------
    bundle : Bundle
        In torch's form.
    folder : Path
        Where it lies.
    out : Path or None
        Folder to write; beside the bundle if None.
    options : ExportOptions
        `data` names rows to compare on.

    Returns
    -------
    dict
        JSON: rows that were compared, the folder, its size in bytes, and the base model with its hash and size.

    Raises
    ------
    OptionError
        The model has no head-only form.
    BundleError
        The head answers differently, or its base model is not on this machine.
    """
    reason = explain_no_head(bundle)
    if reason:
        raise OptionError(f"{folder} has no head-only form: {reason}.", "Use the whole bundle, or another --to.")
    assert bundle.backbone is not None
    place = out or folder.with_name(f"{folder.name}-head")
    if place.resolve() == folder.resolve():
        raise OptionError(f"{place} is the bundle itself.", "Choose another folder with -o.")
    bundles.require_free_folder(place)
    base = open_named_base(bundle.backbone, folder)
    compared = _choose_rows(bundle, folder, options)
    progress.say(f"Comparing the head with the whole bundle on {len(compared.table):,} {compared.source}.")
    with TemporaryDirectory(prefix="headstart-") as scratch:
        head = _detach_head(bundle, base, Path(scratch))
        own = str(folder) if base.record.source == "file" else None
        check = partial(require_same_answers, bundle=bundle, table=compared.table, base=own)
        try:
            bundles.save_bundle(head, place, check=check)
        except BundleError as error:
            if not _is_pruned(bundle, base):
                raise
            raise OptionError(
                f"The head on the whole base model answers otherwise than {folder}, which keeps fewer pieces of words.",
                "Make the model again with `headstart adapt ... --keep-vocabulary`, and export the head of that.",
            ) from error
    return {
        "format": 1, "bundle": str(folder), "to": "head", "rows": compared.source, "n_rows": len(compared.table),
        "written": str(place), "method": "head", "reason": "",
        "data_inside": to_documents(list_data_inside(head)),
        "size_bytes": sum(path.stat().st_size for path in place.rglob("*") if path.is_file()),
        "base": {
            "name": base.record.name, "fingerprint": base.fingerprint, "size_bytes": base.record.size_bytes,
        },
    }  # fmt: skip


def _is_pruned(bundle: Bundle, base: Backbone) -> bool:
    """Return whether the bundle's base has another vocabulary than the base that it names."""
    assert bundle.backbone is not None
    own, named = (one.parts.architecture.get("config", {}).get("vocab_size") for one in (bundle.backbone, base))
    return bool(own != named)


def _detach_head(bundle: Bundle, base: Backbone, scratch: Path) -> Bundle:
    """Return the bundle without its base, with the files that name it.

    What answers do not need stays behind: centres of training rows (`label-next`), and the sample that `evaluate`
    holds rows of another place against.
    """
    write_head_record(scratch, base)
    config = {"ok": False, "reason": REASON, "files": [FILE]}
    write_text(scratch / CARD, render_card(bundle, config, slim=True))
    assert bundle.backbone is not None
    seen = bundle.seen_rows
    return replace(
        bundle,
        backbone=None,
        spec=dict(bundle.backbone.parts.spec),
        portable_files=PortableFiles(scratch, config, (FILE, CARD)),
        seen_rows=None if seen is None else replace(seen, centres=np.empty((0, 0), dtype=np.float32)),
        reference_sample=None,
    )


@dataclass(frozen=True)
class _ComparedRows:
    """Rows that both forms answer, and where they come from, in words."""

    table: Table
    source: str


def _choose_rows(bundle: Bundle, folder: Path, options: ExportOptions) -> _ComparedRows:
    """Return the rows that `--data` names, test rows of the run, or made-up ones."""
    if options.data is not None:
        shared = set(EvaluateOptions.model_fields) & set(ExportOptions.model_fields)
        table, _ = read_rows_to_evaluate(
            bundle, options.data, parse(EvaluateOptions, **options.model_dump(include=shared))
        )
        return _ComparedRows(_take_first(table), f"rows of {options.data}")
    stored = find_run_rows(folder, bundle, options.encoding)
    if stored is not None:
        return _ComparedRows(_take_first(stored[0]), f"test rows of {stored[0].source}")
    samples: Sequence[Any] = SAMPLE_INPUTS[bundle.modality](bundle.input_spec)
    return _ComparedRows(_take_first(make_input_table(bundle.modality, samples)), "made-up rows")


def _take_first(table: Table) -> Table:
    return table.take(np.arange(min(N_ROWS, len(table))))
