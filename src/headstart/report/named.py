"""Short names of what the checks of the data find, by the kind of finding."""

from __future__ import annotations

from headstart.report.messages import message

FINDINGS = {
    "alike-to-base": message("Rows that the base model takes for nearly the same"),
    "base-chosen": message("How the base model was chosen"),
    "blur": message("Blurred pictures"),
    "class-only-in-test": message("Classes that have test rows but no training rows"),
    "conflicting-labels": message("The same input with different labels"),
    "corrupt": message("Inputs that cannot be used"),
    "duplicates": message("Exact copies"),
    "duplicates-across-splits": message("Test rows that also stand in the training rows"),
    "encoding": message("Text in an unexpected encoding"),
    "extreme-number": message("Numbers far from all others"),
    "few-groups": message("Too few groups for intervals over groups"),
    "foreign-script": message("Writing that the base model hardly knows"),
    "imbalance": message("Uneven classes"),
    "label-errors": message("Labels that may be wrong"),
    "label-left-out": message("Labels that were left out"),
    "missing-labels": message("Rows without a label"),
    "much-alike": message("Rows that are much alike"),
    "near-duplicates": message("Near copies"),
    "near-duplicates-across-labels": message("Near copies with different labels"),
    "near-duplicates-across-splits": message("Test rows nearly the same as training rows"),
    "no-test-rows": message("No rows to test on"),
    "not-compared": message("Rows that were not compared with each other"),
    "not-listed": message("Files that the list does not name"),
    "not-looked-deeper": message("The closer look was left out"),
    "odd-label": message("Odd labels"),
    "other-files": message("Files of another kind were left out"),
    "out-of-time": message("Rows left out because time ran out"),
    "outliers": message("Rows unlike all others"),
    "own-test-rows-left-out": message("Test rows of the data that were not used"),
    "repeated-times": message("Times that occur twice"),
    "resolution": message("Pictures much smaller than the others"),
    "shortcut": message("A shortcut: something beside the point tells the label"),
    "small-class": message("Classes with few rows"),
    "split-not-used": message("A split in the data that was not used"),
    "task": message("What the label was taken for"),
    "times-not-read": message("Times that could not be read"),
    "unknown-tokens": message("Text that the base model cannot read"),
    "validation-rows": message("Validation rows used for training"),
}
OTHER = message("Something else was noticed")


def kind_of_finding(kind: str) -> str:
    """Give the short name of a kind of finding, in English."""
    return FINDINGS.get(kind, OTHER)
