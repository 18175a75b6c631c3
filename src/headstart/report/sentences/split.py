"""How were the test rows chosen?"""

from __future__ import annotations

from headstart.report.messages import translate
from headstart.results import Result
from headstart.task_types import TASK_TYPES


def describe_split(result: Result) -> str:
    """Return the sentence that says how the test rows were chosen.

    Parameters
    ----------
    result : Result
    """
    if result.split_kind == "none":
        return translate("no test rows: there are too few rows, or they all belong together")
    if result.split_kind == "separate":
        return translate("test rows from {source}", source=result.test_data)
    if result.split_kind == "given":
        return translate("test rows as given in the data")
    task = TASK_TYPES[result.task]
    if task.has_label_sets:
        return translate("test rows drawn from the data, stratified by label, duplicates and groups kept on one side")
    if task.is_number:
        return translate(
            "test rows drawn from the data, stratified by size of the number, duplicates and groups kept on one side"
        )
    return translate("test rows drawn from the data, stratified by class, duplicates and groups kept on one side")
