"""Make the previews of the rows that the report shows, within a budget of bytes for the whole page."""

from __future__ import annotations

from collections.abc import Iterable

from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.run_records import AdaptedRun
from headstart.flow.scoring.settings import SETTINGS as SCORING_SETTINGS
from headstart.modalities import MODALITIES
from headstart.modalities.preview_records import AnyPreview
from headstart.records import Table
from headstart.results.report_rows import ReportRows


def make_previews(run: AdaptedRun, rows: ReportRows) -> dict[str, AnyPreview]:
    """Return the previews of gallery, class examples, doubted labels and slices, by row id.

    Parameters
    ----------
    run : AdaptedRun
    rows : ReportRows
    """
    doubted = [item.id for item in run.checks.label_errors[: SCORING_SETTINGS.worst_rows]]
    in_slices = [name for item in (run.audit.slices.found if run.audit.slices else []) for name in item.examples]
    in_classes = [name for ids in rows.examples.values() for name in ids]
    previews: dict[str, AnyPreview] = {}
    for names, n_bytes in (
        ([row.id for row in rows.gallery], SETTINGS.gallery_bytes),
        (in_classes, SETTINGS.example_bytes),
        ([*doubted, *in_slices], SETTINGS.doubted_bytes),
    ):
        previews |= preview_rows(
            run.prepared.table, [name for name in dict.fromkeys(names) if name not in previews], n_bytes
        )
    return previews


def preview_rows(table: Table, names: Iterable[str], n_bytes: int) -> dict[str, AnyPreview]:
    """Share the bytes evenly: what one row does not need goes to those after it.

    Parameters
    ----------
    table : Table
    names : iterable of str
        Ids; those that the table does not have are passed over.
    n_bytes : int
        Of all previews together, about.
    """
    places = {str(name): row for row, name in enumerate(table.ids)}
    present = [name for name in names if name in places]
    preview, previews, left = MODALITIES[table.modality].preview, {}, n_bytes
    for at, name in enumerate(present):
        one = preview(table.inputs[places[name]], left // (len(present) - at))
        if one is not None:
            previews[name] = one
            left -= min(left, len(one.model_dump_json()))
    return previews
