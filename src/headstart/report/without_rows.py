"""A result without any row of the user, so that what is made of it can be passed on."""

from __future__ import annotations

from headstart.report.named import advice_for, kind_of_finding
from headstart.results import FindingRow, Result


def remove_rows(result: Result) -> Result:
    """Return a result that names no row: figures, names of classes and values of groups stay.

    Sentences of findings may quote rows, so that only their titles stay.

    Parameters
    ----------
    result : Result
    """
    slices = result.slices and result.slices.model_copy(
        update={"found": [item.model_copy(update={"examples": []}) for item in result.slices.found]}
    )
    checks = [_remove_rows_of_finding(item) for item in result.checks]
    return result.model_copy(
        update={"worst": [], "label_errors": [], "set_aside": [], "slices": slices, "checks": checks}
    )


def _remove_rows_of_finding(item: FindingRow) -> FindingRow:
    return item.model_copy(
        update={"rows": [], "summary": f"{kind_of_finding(item.kind)}.", "advice": advice_for(item.kind)}
    )
