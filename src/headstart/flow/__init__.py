"""The only room that knows the whole order. Surfaces call these functions with an options record, and print.

Heavy packages are loaded inside the calls, so that listing and checking stay quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.extras import require
from headstart.options import (
    AdaptOptions,
    BasesOptions,
    CacheOptions,
    CheckOptions,
    CompareOptions,
    ExplainOptions,
    ExportOptions,
    LabelNextOptions,
    PredictOptions,
    ReportOptions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from headstart.bases import BaseRecord
    from headstart.bundle.verifying import Verified
    from headstart.features.cache import Entry
    from headstart.records import Finding, SetAside, Table
    from headstart.results import Comparison, Evaluation, Result


def adapt(path: Path, out: Path, options: AdaptOptions) -> Result:
    """Adapt a base model; see `headstart.flow.adapting.adapt`."""
    require("adapt", "Adapting a model")
    from headstart.flow import adapting as room

    return room.adapt(path, out, options)


def predict(bundle: Path, inputs: Sequence[Path], out: Path | None, options: PredictOptions) -> list[SetAside]:
    """Predict new inputs; see `headstart.flow.predicting.predict`."""
    from headstart.flow import predicting as room

    return room.predict(bundle, inputs, out, options)


def predictions(bundle: Path, inputs: Sequence[Path], options: PredictOptions) -> list[dict[str, Any]]:
    """Predict new inputs as records; see `headstart.flow.predicting.predictions`."""
    from headstart.flow import predicting as room

    return room.predictions(bundle, inputs, options)


def export(bundle: Path, out: Path | None, options: ExportOptions) -> dict[str, Any]:
    """Write a bundle in another form, as a JSON document; see `headstart.flow.exporting.export`."""
    from headstart.flow import exporting as room

    return room.export(bundle, out, options)


def verify(bundle: Path) -> Verified:
    """Check a bundle and replay its golden rows; see `headstart.bundle.verifying.verified`."""
    from headstart.bundle import verifying as room

    return room.verified(bundle)


def evaluate(bundle: Path, path: Path, options: PredictOptions, recalibrate: Path | None = None) -> Evaluation:
    """Score a bundle at another place; see `headstart.flow.evaluating.evaluate`."""
    from headstart.flow import evaluating as room

    return room.evaluate(bundle, path, options, recalibrate)


def compare(old: Path, new: Path, path: Path, out: Path | None, options: CompareOptions) -> Comparison:
    """Hold two bundles against each other; see `headstart.flow.comparing.compare`."""
    from headstart.flow import comparing as room

    return room.compare(old, new, path, out, options)


def explain(bundle: Path, inputs: Sequence[Path], out: Path | None, options: ExplainOptions) -> dict[str, Any]:
    """Say what answers rest on, as a JSON document; see `headstart.flow.explaining.explain`."""
    from headstart.flow import explaining as room

    return room.explain(bundle, inputs, out, options)


def label_next(bundle: Path, path: Path, out: Path | None, options: LabelNextOptions) -> dict[str, Any]:
    """Choose rows to label next, as a JSON document; see `headstart.flow.labelling.label_next`."""
    from headstart.flow import labelling as room

    return room.label_next(bundle, path, out, options)


def check(path: Path, options: CheckOptions) -> tuple[Table, tuple[Finding, ...]]:
    """Read data and say what would spoil training; see `headstart.flow.checking.check`."""
    from headstart.flow import checking as room

    return room.check(path, options)


def counts(table: Table) -> dict[str, int]:
    """Count the rows of each class or label, the largest first; a number has none."""
    from collections import Counter

    if table.task == "regression" or table.labels is None:
        return {}
    if table.targets is None:
        return dict(Counter(table.labels.tolist()).most_common())
    sums = zip(table.target_names, (table.targets == 1).sum(axis=0).tolist(), strict=True)
    return dict(sorted(sums, key=lambda item: -item[1]))


def report(run: Path, out: Path | None, options: ReportOptions) -> dict[str, Any]:
    """Write the report of a run again, as a JSON document; see `headstart.flow.reporting.again`."""
    from headstart.flow import reporting as room

    return room.again(run, out, options)


def bases(modality: str) -> list[tuple[BaseRecord, bool]]:
    """List the base models known by name, each with whether it is its modality's default."""
    from headstart.bases.catalogue import CATALOGUE, DEFAULTS

    return [
        (record, DEFAULTS[record.modality] == record.name)
        for record in CATALOGUE.values()
        if modality in ("auto", record.modality)
    ]


def rank(path: Path, options: BasesOptions) -> dict[str, Any]:
    """Rank base models for data, as a JSON document; see `headstart.flow.choosing.rank`."""
    from headstart.flow import choosing as room

    return room.rank(path, options).document()


def cache(options: CacheOptions) -> tuple[Path, list[Entry], list[Entry]]:
    """Give the cache's folder, what it holds, and what was removed from it now."""
    from headstart.features.cache import entries, prune
    from headstart.home import home

    removed = prune(options.older_than) if options.prune else []
    return home(), entries(), removed


def demo(out: Path, options: AdaptOptions) -> dict[str, tuple[Path, Result]]:
    """Write the demo data below `out` and adapt a model to each; gives the output folders and results."""
    from headstart import demo as room
    from headstart import progress

    made = {}
    for name, path in room.write(out / "data").items():
        progress.say(f"\n{name}: {path}")
        made[name] = (out / name, adapt(path, out / name, options))
    return made
