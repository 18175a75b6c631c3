"""Codes of the checks of data, with the title and the advice that belong to each: data for every renderer.

A code is permanent: it stands in result.json and in `headstart check --json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckCode:
    """What is known of a check by its code.

    Parameters
    ----------
    title : str
        Short name of what it reports.
    advice : str
        What to do in general; "" where there is nothing to do. A finding may give more specific advice.
    stops : bool
        Whether it makes training impossible; such findings never reach a report.
    """

    title: str
    advice: str = ""
    stops: bool = False


CHECK_CODES: Mapping[str, CheckCode] = {
    "no-rows": CheckCode("No rows are left", "Check the files.", stops=True),
    "no-labels": CheckCode("No labels", "Name the column with --label COLUMN.", stops=True),
    "one-class": CheckCode("Nothing to tell apart", "Add rows, or name the right column with --label.", stops=True),
    "uneven-channels": CheckCode(
        "Series with different numbers of channels", "Give every series the same channels, or remove these.", stops=True
    ),
    "one-input": CheckCode(
        "All rows hold the same input", "Check the files, or name the columns that differ from row to row.", stops=True
    ),
    "alike-to-base": CheckCode(
        "Rows that the base model takes for nearly the same", "Look at them: copies make the score look too good."
    ),
    "axes": CheckCode(
        "The axes of an array may be exchanged", "Pass --axes time-first if the second axis is the time."
    ),
    "base-chosen": CheckCode("How the base model was chosen", "Another one can be named with --base."),
    "blur": CheckCode("Blurred pictures", "Look at them; take blank ones out."),
    "class-only-in-test": CheckCode(
        "Classes that have test rows but no training rows", "Add training rows of these classes."
    ),
    "composite-class": CheckCode(
        "Classes that look like several labels", "Pass --task multi-label if a row may have several labels."
    ),
    "conflicting-labels": CheckCode(
        "The same input with different labels", "Decide on one label, or remove these rows."
    ),
    "corrupt": CheckCode("Inputs that cannot be used", "Repair or remove them; everything else is used."),
    "duplicates": CheckCode("Exact copies", "Copies are kept on one side of every split."),
    "duplicates-across-splits": CheckCode(
        "Test rows that also stand in the training rows",
        "The test score is too good; remove them, or pass --duplicates drop.",
    ),
    "encoding": CheckCode(
        "Text in an unexpected encoding", "Look at a few accented letters; if they are wrong, save the file as UTF-8."
    ),
    "extreme-number": CheckCode(
        "Numbers far from all others",
        "If they stand for a missing value, empty these cells; if they are true, leave them.",
    ),
    "few-groups": CheckCode(
        "Too few groups for intervals over groups",
        "Read the scores as those for the same groups, not for new ones; add data of more groups.",
    ),
    "foreign-script": CheckCode(
        "Writing that the base model hardly knows", "Name a base model made for this language with --base."
    ),
    "imbalance": CheckCode("Uneven classes", "Look at macro-F1 and balanced accuracy, not at accuracy alone."),
    "label-column": CheckCode(
        "How the label column was found", "If the label is another column, name it with --label."
    ),
    "label-errors": CheckCode(
        "Labels that may be wrong", "Look through them in this order; right what is wrong, leave what is only hard."
    ),
    "label-left-out": CheckCode("Labels that were left out", "Add rows with and without them."),
    "missing-labels": CheckCode("Rows without a label", "Add the labels, or pass --unlabelled drop."),
    "much-alike": CheckCode(
        "Rows that are much alike", "If they come from one film, patient or place, name it with --group."
    ),
    "near-duplicates": CheckCode("Near copies", "Count each set as one row when you plan for more data."),
    "near-duplicates-across-labels": CheckCode(
        "Near copies with different labels",
        "Look at them: one label may be wrong, or the classes differ in what is hard to see.",
    ),
    "near-duplicates-across-splits": CheckCode(
        "Test rows nearly the same as training rows",
        "They make the test score too good. Take them out of one side, or let Headstart split the data.",
    ),
    "no-test-rows": CheckCode("No rows to test on", "Add rows or groups, or give test data with --test."),
    "no-time-column": CheckCode("No column of times", "Name the column of times with --time-column."),
    "not-compared": CheckCode("Rows that were not compared with each other"),
    "not-listed": CheckCode("Files that the list does not name", "Add them to the table if they belong to the data."),
    "not-looked-deeper": CheckCode("The closer look was left out"),
    "odd-label": CheckCode("Odd labels", "Write each label in one way."),
    "other-files": CheckCode("Files of another kind were left out"),
    "other-scale": CheckCode(
        "Columns of values on another scale than the rest",
        "If they are no steps of the series, name the first and last value column with --values.",
    ),
    "out-of-time": CheckCode(
        "Rows left out because time ran out",
        "Give more with --time; what was read is kept, so the same command goes on from there.",
    ),
    "outliers": CheckCode("Rows unlike all others", "Look at them: they may be faulty, or of a rare kind."),
    "own-test-rows-left-out": CheckCode("Test rows of the data that were not used"),
    "repeated-times": CheckCode("Times that occur twice", "Remove the copies if they are a mistake."),
    "reserved-class": CheckCode(
        "Classes whose name means something here", "Pass --reserved none if these are ordinary classes."
    ),
    "resolution": CheckCode(
        "Pictures much smaller than the others",
        "Base models were made on larger ones; take the originals if there are any.",
    ),
    "rows-without-picture": CheckCode(
        "Rows of which the picture was not found", "Add the pictures, or correct the names."
    ),
    "shortcut": CheckCode(
        "A shortcut: something beside the point tells the label",
        "Gather each class in the same way, or test on another place; it may also be a true sign of the class.",
    ),
    "small-class": CheckCode("Classes with few rows", "Label more of them if you can; their scores are uncertain."),
    "single-row-class": CheckCode(
        "Classes with a single row",
        "How well such a class is learnt cannot be told, as no row is left to hold out. Add some if you can.",
    ),
    "split-not-used": CheckCode(
        "A split in the data that was not used",
        "Write train, validation or test into every row, or rename the column if it means something else.",
    ),
    "table-above": CheckCode("A table beside the folder"),
    "table-not-used": CheckCode(
        "A table that was not used",
        "Write the names of the pictures into one column, or give the table itself as the data.",
    ),
    "task": CheckCode("What the label was taken for"),
    "text-column": CheckCode("Which column the text was taken from", "Name another column with --text."),
    "times-not-read": CheckCode(
        "Times that could not be read",
        "Check that the rows are in order, or write the times as numbers or like 2026-01-31 12:00.",
    ),
    "unknown-tokens": CheckCode(
        "Text that the base model cannot read",
        "A base model made for this language may do better: see headstart adapt-language.",
    ),
    "uneven-channels-steps": CheckCode("Channels that lack steps which others have", "Check the names of the columns."),
    "value-range": CheckCode(
        "How pictures of more than 8 bits are scaled", "If few odd pixels make the range wide, correct them."
    ),
    "unlabelled-text": CheckCode("Texts without labels were learnt from"),
    "unnamed-steps": CheckCode(
        "Columns of numbers read as steps in the order of the file",
        "Name the first and last value column with --values if some are no steps.",
    ),
    "validation-rows": CheckCode("Validation rows used for training"),
    "values-left-out": CheckCode(
        "Columns of numbers that were not read as values",
        "Name the first and last value column with --values to read other columns.",
    ),
    "columns-not-measured": CheckCode("Columns that were not looked at as shortcuts"),
    "formula-without-value": CheckCode(
        "Formulas without a computed value", "Open the file in a spreadsheet and save it again."
    ),
    "merged-cells": CheckCode("Merged cells", "Split the merged cells if that is wrong."),
    "folders-within-classes": CheckCode(
        "Folders within the class folders", "If the inner folders are the classes, put them on top."
    ),
    "class-folder": CheckCode("Folders that may hold no class", "Move it away if it holds no class of its own."),
    "numbers-as-texts": CheckCode(
        "Numbers that were read as texts", "If each file is a series, let its name end with .csv."
    ),
    "thousands-in-doubt": CheckCode(
        "Numbers whose mark may part thousands", "Write the numbers without a mark between thousands."
    ),
    "sheets": CheckCode(
        "Which sheet of the workbook was read",
        "If another one is the table, put it first, or save it as a workbook of its own.",
    ),
    "spreadsheet-errors": CheckCode(
        "Cells that hold an error of the spreadsheet",
        "Correct the formula or the look-up in these rows, or leave them out.",
    ),
}
"""By code; the texts are keys of the catalogues of the report's languages."""
