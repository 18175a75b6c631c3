"""Short names of what the checks of the data find and what to do about it, and what each strategy is, by name."""

from __future__ import annotations

from headstart.report.messages import message

FINDINGS = {
    "alike-to-base": message("Rows that the base model takes for nearly the same"),
    "axes": message("The axes of an array may be exchanged"),
    "base-chosen": message("How the base model was chosen"),
    "blur": message("Blurred pictures"),
    "class-only-in-test": message("Classes that have test rows but no training rows"),
    "composite-class": message("Classes that look like several labels"),
    "conflicting-labels": message("The same input with different labels"),
    "corrupt": message("Inputs that cannot be used"),
    "duplicates": message("Exact copies"),
    "duplicates-across-splits": message("Test rows that also stand in the training rows"),
    "encoding": message("Text in an unexpected encoding"),
    "extreme-number": message("Numbers far from all others"),
    "few-groups": message("Too few groups for intervals over groups"),
    "foreign-script": message("Writing that the base model hardly knows"),
    "imbalance": message("Uneven classes"),
    "label-column": message("How the label column was found"),
    "label-errors": message("Labels that may be wrong"),
    "label-left-out": message("Labels that were left out"),
    "missing-labels": message("Rows without a label"),
    "much-alike": message("Rows that are much alike"),
    "near-duplicates": message("Near copies"),
    "near-duplicates-across-labels": message("Near copies with different labels"),
    "near-duplicates-across-splits": message("Test rows nearly the same as training rows"),
    "no-test-rows": message("No rows to test on"),
    "no-time-column": message("No column of times"),
    "not-compared": message("Rows that were not compared with each other"),
    "not-listed": message("Files that the list does not name"),
    "not-looked-deeper": message("The closer look was left out"),
    "odd-label": message("Odd labels"),
    "other-files": message("Files of another kind were left out"),
    "other-scale": message("Columns of values on another scale than the rest"),
    "out-of-time": message("Rows left out because time ran out"),
    "outliers": message("Rows unlike all others"),
    "own-test-rows-left-out": message("Test rows of the data that were not used"),
    "repeated-times": message("Times that occur twice"),
    "reserved-class": message("Classes whose name means something here"),
    "resolution": message("Pictures much smaller than the others"),
    "rows-without-picture": message("Rows of which the picture was not found"),
    "shortcut": message("A shortcut: something beside the point tells the label"),
    "small-class": message("Classes with few rows"),
    "single-row-class": message("Classes with a single row"),
    "split-not-used": message("A split in the data that was not used"),
    "table-above": message("A table beside the folder"),
    "table-not-used": message("A table that was not used"),
    "task": message("What the label was taken for"),
    "text-column": message("Which column the text was taken from"),
    "times-not-read": message("Times that could not be read"),
    "unknown-tokens": message("Text that the base model cannot read"),
    "uneven-channels-steps": message("Channels that lack steps which others have"),
    "value-range": message("How pictures of more than 8 bits are scaled"),
    "unlabelled-text": message("Texts without labels were learnt from"),
    "unnamed-steps": message("Columns of numbers read as steps in the order of the file"),
    "validation-rows": message("Validation rows used for training"),
    "values-left-out": message("Columns of numbers that were not read as values"),
    "columns-not-measured": message("Columns that were not looked at as shortcuts"),
    "formula-without-value": message("Formulas without a computed value"),
    "merged-cells": message("Merged cells"),
    "folders-within-classes": message("Folders within the class folders"),
    "class-folder": message("Folders that may hold no class"),
    "numbers-as-texts": message("Numbers that were read as texts"),
    "thousands-in-doubt": message("Numbers whose mark may part thousands"),
    "sheets": message("Which sheet of the workbook was read"),
    "spreadsheet-errors": message("Cells that hold an error of the spreadsheet"),
}
ADVICE = {
    "alike-to-base": message("Look at them: copies make the score look too good."),
    "axes": message("Pass --axes time-first if the second axis is the time."),
    "base-chosen": message("Another one can be named with --base."),
    "blur": message("Look at them; take blank ones out."),
    "class-only-in-test": message("Add training rows of these classes."),
    "composite-class": message("Pass --task multi-label if a row may have several labels."),
    "conflicting-labels": message("Decide on one label, or remove these rows."),
    "corrupt": message("Repair or remove them; everything else is used."),
    "duplicates": message("Copies are kept on one side of every split."),
    "duplicates-across-splits": message("The test score is too good; remove them, or pass --duplicates drop."),
    "encoding": message("Look at a few accented letters; if they are wrong, save the file as UTF-8."),
    "extreme-number": message("If they stand for a missing value, empty these cells; if they are true, leave them."),
    "few-groups": message("Read the scores as those for the same groups, not for new ones; add data of more groups."),
    "foreign-script": message("Name a base model made for this language with --base."),
    "imbalance": message("Look at macro-F1 and balanced accuracy, not at accuracy alone."),
    "label-column": message("If the label is another column, name it with --label."),
    "label-errors": message("Look through them in this order; right what is wrong, leave what is only hard."),
    "label-left-out": message("Add rows with and without them."),
    "missing-labels": message("Add the labels, or pass --unlabelled drop."),
    "much-alike": message("If they come from one film, patient or place, name it with --group."),
    "near-duplicates": message("Count each set as one row when you plan for more data."),
    "near-duplicates-across-labels": message(
        "Look at them: one label may be wrong, or the classes differ in what is hard to see."
    ),
    "near-duplicates-across-splits": message(
        "They make the test score too good. Take them out of one side, or let Headstart split the data."
    ),
    "no-test-rows": message("Add rows or groups, or give test data with --test."),
    "no-time-column": message("Name the column of times with --time-column."),
    "not-listed": message("Add them to the table if they belong to the data."),
    "odd-label": message("Write each label in one way."),
    "other-scale": message("If they are no steps of the series, name the first and last value column with --values."),
    "out-of-time": message("Give more with --time; what was read is kept, so the same command goes on from there."),
    "outliers": message("Look at them: they may be faulty, or of a rare kind."),
    "repeated-times": message("Remove the copies if they are a mistake."),
    "reserved-class": message("Pass --reserved none if these are ordinary classes."),
    "resolution": message("Base models were made on larger ones; take the originals if there are any."),
    "rows-without-picture": message("Add the pictures, or correct the names."),
    "shortcut": message(
        "Gather each class in the same way, or test on another place; it may also be a true sign of the class."
    ),
    "small-class": message("Label more of them if you can; their scores are uncertain."),
    "single-row-class": message(
        "How well such a class is learnt cannot be told, as no row is left to hold out. Add some if you can."
    ),
    "split-not-used": message(
        "Write train, validation or test into every row, or rename the column if it means something else."
    ),
    "table-not-used": message("Write the names of the pictures into one column, or give the table itself as the data."),
    "text-column": message("Name another column with --text."),
    "times-not-read": message(
        "Check that the rows are in order, or write the times as numbers or like 2026-01-31 12:00."
    ),
    "uneven-channels-steps": message("Check the names of the columns."),
    "unknown-tokens": message("A base model made for this language may do better: see headstart adapt-language."),
    "unnamed-steps": message("Name the first and last value column with --values if some are no steps."),
    "value-range": message("If few odd pixels make the range wide, correct them."),
    "values-left-out": message("Name the first and last value column with --values to read other columns."),
    "formula-without-value": message("Open the file in a spreadsheet and save it again."),
    "merged-cells": message("Split the merged cells if that is wrong."),
    "folders-within-classes": message("If the inner folders are the classes, put them on top."),
    "class-folder": message("Move it away if it holds no class of its own."),
    "numbers-as-texts": message("If each file is a series, let its name end with .csv."),
    "thousands-in-doubt": message("Write the numbers without a mark between thousands."),
    "sheets": message("If another one is the table, put it first, or save it as a workbook of its own."),
    "spreadsheet-errors": message("Correct the formula or the look-up in these rows, or leave them out."),
}
STRATEGIES = {
    "majority": message(
        "Always the same answer, the most frequent class or the average: what anything useful must beat."
    ),
    "linear-probe": message("A simple model on what the pre-trained base model sees in each row."),
    "shrinkage-lda": message(
        "Each class as a cloud around its mean in what the base model sees; strong with very few labels."
    ),
    "multi-stage-probe": message(
        "The same on several stages of the base model at once: also on what its early layers see."
    ),
    "classic": message("A proven method learnt from your rows alone, without any pre-trained model."),
    "quant": message("Decision trees on how values are spread over parts of each series; nothing pre-trained."),
    "last-stages": message("The later layers of the base model trained on your rows; the early ones stay."),
    "contrastive": message("The later layers trained to bring texts of one class together, for few labels."),
    "norm-bias": message("Only the base model's scales and offsets trained on your rows."),
    "lora": message("Small additions to the base model's attention layers trained on your rows."),
    "full": message("The whole base model trained on your rows, its early layers more slowly."),
    "self-training": message(
        "What the base model sees in your rows without labels used as well: sure answers and similar rows."
    ),
    "balanced-probe": message(
        "The probe fitted again so that small groups, or rows that a first probe found hard, count as much as others."
    ),
    "scratch": message("A network of the base's kind, learnt from random weights on your rows alone."),
    "blend": message("Several of the others together, weighted by cross-validation."),
}
OTHER = message("Something else was noticed")


def kind_of_finding(kind: str) -> str:
    """Give the short name of a kind of finding, in English."""
    return FINDINGS.get(kind, OTHER)


def advice_for(kind: str) -> str:
    """Give what to do about a kind of finding, in English; "" where there is nothing to do."""
    return ADVICE.get(kind, "")
