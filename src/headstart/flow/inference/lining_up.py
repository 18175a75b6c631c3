"""Inputs of a bundle read as it was trained: columns found by name, and messages about what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from headstart import data, progress
from headstart.bundle import Bundle
from headstart.data import OrderedInputs
from headstart.flow.data_check.reading_notes import NAMES, describe_reading
from headstart.options import ColumnOptions
from headstart.projects import read_project_inputs
from headstart.records import Table

_REPORTED_FINDINGS = frozenset({"other-scale", "values-left-out", "uneven-channels-steps", "times-not-read", "axes"})


def order_inputs(
    bundle: Bundle, paths: Sequence[Path], options: ColumnOptions, column_names: Mapping[str, str]
) -> OrderedInputs:
    """Read what is to be predicted as `headstart.data.read_ordered_inputs` does, with the columns of the bundle.

    Parameters
    ----------
    bundle : Bundle
    paths : sequence of Path
    options : ColumnOptions
    column_names : mapping of str to str
        Columns that the user named, by role.

    Raises
    ------
    HeadstartError
        An input cannot be used.
    """
    data.require_modality(options, bundle.modality)
    inputs = read_project_inputs(paths, bundle.modality) or data.read_ordered_inputs(
        paths, bundle.modality, bundle.columns, column_names, inputs=bundle.known_input_columns, options=options
    )
    if len(paths) == 1 and paths[0].is_file():
        data.require_use(options, inputs.table)
    describe_reading(inputs.table.findings, NAMES)
    report_reading(bundle, inputs.table)
    return inputs


def report_reading(bundle: Bundle, table: Table) -> None:
    """Report how values of series were identified, where that was not by name.

    Parameters
    ----------
    bundle : Bundle
    table : Table
    """
    for item in table.findings:
        if item.kind in _REPORTED_FINDINGS and item.severity == "warn":
            progress.warn(f"{item.summary} {item.advice}")
    known, present = bundle.known_input_columns, table.input_columns
    if known is None or present is None or present.n_channels < 2:
        return
    if not known.layout:
        progress.say(
            "This bundle was made by an older version and has no channel names: channels are matched by position."
        )
    elif not any(known.channels) or not any(present.channels):
        progress.say(f"Channels have no names here: they are matched by position ({present.n_channels} channels).")
