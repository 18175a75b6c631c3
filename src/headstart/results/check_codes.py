"""Codes of the checks of data with title, severity and advice; a code is permanent (result.json, `check --json`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CheckCode:
    """What is known of a check by its code.

    Parameters
    ----------
    title : str
        Short name of what it reports.
    advice : str
        What to do in general; "" where there is nothing to do.
    severity : str
        Of most of its findings: "stop" (training is impossible; such findings never reach a report), "warn" or "note".
    detailed : str
        Advice of its findings in English where it says more than `advice`; names in braces are filled in.
    specific : mapping of str to str
        Advice of some of its findings, by a short name.
    """

    title: str
    advice: str = ""
    severity: str = "warn"
    detailed: str = ""
    specific: Mapping[str, str] = field(default_factory=dict)


_NUMBER = "Write {number} in the file if the mark parts thousands."
_QUOTATION_MARK = "Close or remove the quotation mark if it is a mistake; a mark within a text is written twice."
_MOST_ROWS = "Most rows have a label of their own: if this is not the label, name the right column with --label."
_ONE_ROW = "How well such a class is learnt cannot be told, as no row is left to hold out. Add some if you can."
_A_NUMBER = " If the label is a number and no class, pass --task regression."

CHECK_CODES: Mapping[str, CheckCode] = {
    "no-rows": CheckCode("No rows are left", "Check the files.", severity="stop"),
    "no-labels": CheckCode(
        "No labels",
        "Name the column with --label COLUMN.",
        severity="stop",
        specific={"images": "Put the pictures into one folder a class, or name the column with --label COLUMN."},
    ),
    "one-class": CheckCode(
        "Nothing to tell apart",
        "Add rows, or name the right column with --label.",
        severity="stop",
        specific={
            "classes": "Add rows of another class, or name the right column with --label.",
            "labels": "Label more rows, or name the right columns with --label.",
        },
    ),
    "uneven-channels": CheckCode(
        "Series with different numbers of channels",
        "Give every series the same channels, or remove these.",
        severity="stop",
    ),
    "one-input": CheckCode(
        "All rows hold the same input",
        "Check the files, or name the columns that differ from row to row.",
        severity="stop",
    ),
    "alike-to-base": CheckCode(
        "Rows that the base model takes for nearly the same",
        "Look at them: copies make the score look too good.",
        detailed="Look at them: copies make the test score too good. In cross-validation each set is kept on one side.",
    ),
    "axes": CheckCode(
        "The axes of an array may be exchanged",
        "Pass --axes time-first if the second axis is the time.",
        detailed="If it is {n_channels} steps of {n_steps} channels, as Keras and tslearn have it, pass --axes "
        "time-first.",
    ),
    "base-chosen": CheckCode(
        "How the base model was chosen",
        "Another one can be named with --base.",
        severity="note",
        detailed="Compare them yourself with `headstart bases --for DATA`, or name another with --base.",
    ),
    "base-not-installed": CheckCode(
        "The base model that knows this language is not installed",
        "Install the base model that is named here, and run the same command again.",
        detailed="Run `{command}`, then the same command again.",
    ),
    "blur": CheckCode("Blurred pictures", "Look at them; take blank ones out.", severity="note"),
    "class-only-in-test": CheckCode(
        "Classes that have test rows but no training rows", "Add training rows of these classes."
    ),
    "composite-class": CheckCode(
        "Classes that look like several labels",
        "Pass --task multi-label if a row may have several labels.",
        detailed="Pass --task multi-label if a row may have several labels, or --task classification if this is "
        "one class.",
    ),
    "conflicting-labels": CheckCode(
        "The same input with different labels", "Decide on one label, or remove these rows."
    ),
    "corrupt": CheckCode("Inputs that cannot be used", "Repair or remove them; everything else is used."),
    "duplicates": CheckCode("Exact copies", "Copies are kept on one side of every split.", severity="note"),
    "duplicates-across-splits": CheckCode(
        "Test rows that also stand in the training rows",
        "The test score is too good; remove them, or pass --duplicates drop.",
    ),
    "encoding": CheckCode(
        "Text in an unexpected encoding",
        "Look at a few accented letters; if they are wrong, save the file as UTF-8.",
        detailed="Look at a few accented letters; if they are wrong, name the encoding with --encoding, or save "
        "it as UTF-8.",
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
        "Writing that the base model hardly knows",
        "Name a base model made for this language with --base.",
        detailed="Name a base model made for this language with --base, or compare some with `headstart bases "
        "--for DATA`.",
    ),
    "imbalance": CheckCode(
        "Uneven classes", "Look at macro-F1 and balanced accuracy, not at accuracy alone.", severity="note"
    ),
    "label-column": CheckCode(
        "How the label column was found",
        "If the label is another column, name it with --label.",
        severity="note",
        specific={
            "chosen": "If the label is another column, name it with --label COLUMN.",
            "none-chosen": "Name the label column with --label COLUMN.",
            "folders": "Name a column with --label COLUMN to learn that instead.",
            "another": "Name another with --label COLUMN.",
        },
    ),
    "label-errors": CheckCode(
        "Labels that may be wrong", "Look through them in this order; right what is wrong, leave what is only hard."
    ),
    "label-left-out": CheckCode("Labels that were left out", "Add rows with and without them."),
    "missing-labels": CheckCode(
        "Rows without a label",
        "Add the labels, or pass --unlabelled drop.",
        detailed="If so, empty these cells and pass --unlabelled drop; if they are classes, leave them.",
    ),
    "much-alike": CheckCode(
        "Rows that are much alike",
        "If they come from one film, patient or place, name it with --group.",
        detailed="They are split like all others. If they come from one film, patient or place, name it with --group.",
    ),
    "near-duplicates": CheckCode(
        "Near copies",
        "Count each set as one row when you plan for more data.",
        severity="note",
        detailed="Where Headstart splits, each set is kept on one side; count them as one row when you plan for more.",
    ),
    "near-duplicates-across-labels": CheckCode(
        "Near copies with different labels",
        "Look at them: one label may be wrong, or the classes differ in what is hard to see.",
    ),
    "near-duplicates-across-splits": CheckCode(
        "Test rows nearly the same as training rows",
        "They make the test score too good. Take them out of one side, or let Headstart split the data.",
    ),
    "no-content": CheckCode(
        "Rows with nothing to learn from", "Look at them; take them out, unless they are a class of their own."
    ),
    "no-test-rows": CheckCode("No rows to test on", "Add rows or groups, or give test data with --test."),
    "no-time-column": CheckCode("No column of times", "Name the column of times with --time-column.", severity="note"),
    "not-compared": CheckCode(
        "Rows that were not compared with each other",
        severity="note",
        detailed="Exact copies were looked for among all rows.",
    ),
    "not-listed": CheckCode("Files that the list does not name", "Add them to the table if they belong to the data."),
    "not-looked-deeper": CheckCode(
        "The closer look was left out",
        severity="note",
        specific={
            "install": "Run: pip install 'headstart[adapt]'.",
            "hint": "{hint}",
            "time": "Give more with --time.",
            "deep-on": "Pass --deep on for all that was not reached.",
        },
    ),
    "odd-label": CheckCode(
        "Odd labels",
        "Write each label in one way.",
        severity="note",
        detailed="Write them alike, or pass --merge-labels.",
    ),
    "other-files": CheckCode("Files of another kind were left out", severity="note"),
    "other-scale": CheckCode(
        "Columns of values on another scale than the rest",
        "If they are no steps of the series, name the first and last value column with --values.",
        detailed="If they are no steps of the series, pass --values {first}:{last}.",
    ),
    "first-answer": CheckCode("A first answer", "Run the same command again: it goes on.", severity="note"),
    "out-of-time": CheckCode(
        "Rows left out because time ran out",
        "Give more with --time; what was read is kept, so the same command goes on from there.",
    ),
    "outliers": CheckCode(
        "Rows unlike all others", "Look at them: they may be faulty, or of a rare kind.", severity="note"
    ),
    "own-test-rows-left-out": CheckCode("Test rows of the data that were not used", severity="note"),
    "repeated-times": CheckCode("Times that occur twice", "Remove the copies if they are a mistake."),
    "reserved-class": CheckCode(
        "Classes whose name means something here",
        "Pass --reserved none if these are ordinary classes.",
        specific={
            "name": "If it is a class like the others, pass --reserved none; if this is meant, pass --reserved {name}.",
            "answer-word": (
                "Rename the class, or read `kind` beside each answer: it is 'label' where the class is meant."
            ),
        },
    ),
    "resolution": CheckCode(
        "Pictures much smaller than the others",
        "Base models were made on larger ones; take the originals if there are any.",
        severity="note",
    ),
    "rows-without-picture": CheckCode(
        "Rows of which the picture was not found",
        "Add the pictures, or correct the names.",
        detailed="Add the images, or mend the names.",
    ),
    "shortcut": CheckCode(
        "A shortcut: something beside the point tells the label",
        "Gather each class in the same way, or test on another place; it may also be a true sign of the class.",
        specific={
            "equal-column": (
                "If it is the label in other words, nothing is wrong. If it says where, when or with what a row "
                "was made, each "
                "class was gathered apart, and no score here can tell whether a model learns the class or that: "
                "gather every "
                "class in every place."
            ),
            "input": (
                "If such a property comes from how the data was gathered (site, device, background), a model "
                "may learn that "
                "instead: gather each class in the same way, or test on another place. It may also be a true "
                "sign of the class."
            ),
            "column": (
                "If it says where or with what a row was made, classes and places are mixed up: name it with "
                "--group to "
                "see whether the model holds elsewhere."
            ),
        },
    ),
    "small-class": CheckCode("Classes with few rows", "Label more of them if you can; their scores are uncertain."),
    "single-row-class": CheckCode(
        "Classes with a single row",
        _ONE_ROW,
        specific={
            "numbers": _ONE_ROW + _A_NUMBER,
            "most-rows": _MOST_ROWS,
            "most-rows-numbers": _MOST_ROWS + _A_NUMBER,
        },
    ),
    "split-not-used": CheckCode(
        "A split in the data that was not used",
        "Write train, validation or test into every row, or rename the column if it means something else.",
    ),
    "table-above": CheckCode(
        "A table beside the folder",
        severity="note",
        detailed="Give that table as DATA to use it, or name its --label COLUMN.",
    ),
    "table-not-used": CheckCode(
        "A table that was not used",
        "Write the names of the pictures into one column, or give the table itself as the data.",
        detailed="If it holds the labels, write the names of the images into one column, or give this table "
        "itself as DATA.",
    ),
    "task": CheckCode(
        "What the label was taken for",
        severity="note",
        specific={
            "one-class-each": "Pass --task classification if each of these texts is one class.",
            "number": "Pass --task classification if it is a class.",
            "numbers": "Pass --task regression if they measure something, --task ordinal if they are grades.",
            "decimal-comma": (
                "Write {whole} or {cut} in the file if they measure something, or pass --task classification."
            ),
            "units": "Write bare numbers in the file if they measure something.",
            "lists": "Pass --task multi-label if a row may have several.",
            "grades": "Pass --order if this is not their order.",
            "thousands": _NUMBER,
            "one-hot": "Every row has exactly one: if they are classes, pass --task classification --label '{names}'.",
            "label-columns": "Name the label column with --label if it is another.",
        },
    ),
    "text-column": CheckCode(
        "Which column the text was taken from",
        "Name another column with --text.",
        severity="note",
        detailed="Name another column with --text if it is not this one.",
        specific={
            "others": "Name another one with --text, or several that are joined: --text '{names}'.",
        },
    ),
    "times-not-read": CheckCode(
        "Times that could not be read",
        "Check that the rows are in order, or write the times as numbers or like 2026-01-31 12:00.",
    ),
    "unknown-tokens": CheckCode(
        "Text that the base model cannot read",
        "A base model made for this language may do better: see headstart adapt-language.",
        detailed="A base model made for this language may do better: `headstart bases --for DATA`.",
        specific={
            "many-languages": "Take the base model of many languages: --base {other}; `headstart bases --for DATA` "
            "compares others."
        },
    ),
    "uneven-channels-steps": CheckCode(
        "Channels that lack steps which others have",
        "Check the names of the columns.",
        detailed="Check the names of the columns, or pass --channels to read some of them.",
    ),
    "value-range": CheckCode(
        "How pictures of more than 8 bits are scaled",
        "If few odd pixels make the range wide, correct them.",
        severity="note",
        detailed="If a few odd images make the range so wide, correct them; give all the same scale.",
    ),
    "unlabelled-text": CheckCode(
        "Texts without labels were learnt from",
        severity="note",
        detailed="Their labels, if they have any, were not looked at.",
    ),
    "unnamed-steps": CheckCode(
        "Columns of numbers read as steps in the order of the file",
        "Name the first and last value column with --values if some are no steps.",
        severity="note",
        detailed="If some of them are no steps of the series, pass --values FROM:TO, such as --values {first}:{last}.",
    ),
    "validation-rows": CheckCode("Validation rows used for training", severity="note"),
    "values-left-out": CheckCode(
        "Columns of numbers that were not read as values",
        "Name the first and last value column with --values to read other columns.",
        detailed="They are kept as metadata. Pass --values FROM:TO to read other columns.",
    ),
    "columns-not-measured": CheckCode("Columns that were not looked at as shortcuts", severity="note"),
    "formula-without-value": CheckCode(
        "Formulas without a computed value", "Open the file in a spreadsheet and save it again."
    ),
    "merged-cells": CheckCode("Merged cells", "Split the merged cells if that is wrong.", severity="note"),
    "folders-within-classes": CheckCode(
        "Folders within the class folders",
        "If the inner folders are the classes, put them on top.",
        detailed="If the inner folders are the classes, put them on top, or list the images in a table. If they "
        "hold no images "
        "to learn from, such as masks, move them away. If they only say where the images come from, "
        "nothing is wrong.",
        specific={
            "deep": "If the folders in '{folder}' are the classes, give that folder as DATA.",
        },
    ),
    "class-folder": CheckCode("Folders that may hold no class", "Move it away if it holds no class of its own."),
    "numbers-as-texts": CheckCode(
        "Numbers that were read as texts",
        "If each file is a series, let its name end with .csv.",
        detailed="If each is a series, let their names end with .csv.",
    ),
    "thousands-in-doubt": CheckCode(
        "Numbers whose mark may part thousands",
        "Write the numbers without a mark between thousands.",
        detailed=_NUMBER,
    ),
    "sheets": CheckCode(
        "Which sheet of the workbook was read",
        "If another one is the table, name it with --sheet.",
    ),
    "spreadsheet-errors": CheckCode(
        "Cells that hold an error of the spreadsheet",
        "Correct the formula or the look-up in these rows, or leave them out.",
    ),
    "ragged-rows": CheckCode(
        "Rows with more or fewer cells than the header",
        specific={
            "more": "Put texts that hold the separator in quotation marks.",
            "fewer": "Write a separator for each cell, empty ones too.",
        },
    ),
    "rows-cut-short": CheckCode("Rows that end before the last column", severity="note"),
    "stray-quotes": CheckCode("Quotation marks that do not belong there", detailed=_QUOTATION_MARK),
    "cell-of-many-lines": CheckCode(
        "Cells that run over many lines", detailed=f"Look at these lines. {_QUOTATION_MARK}"
    ),
}
"""By code; titles and general advice are keys of the catalogues of the report's languages."""
