"""Sentences that a document stores in English, recognised by their template and written in another language.

The readers of files and the strategies compose a reason where it arises: why a row was set aside, why a strategy was
not tried, how it learnt. Here every such sentence has its template; one that has none stays in English and is marked.
This also holds for documents of older versions.
"""

from __future__ import annotations

import re
from functools import cache

from headstart.report.messages import format_number, message, translate, translate_stored

_SKIPPED = (
    message("no time was left; give more with --time"),
    message("a first test takes about {seconds} s and {left} s are left; give more with --time"),
    message("it needs about {seconds} s and {left} s are left; give more with --time"),
    message("it needs about {amount} GB of memory; give more with --max-memory"),
    message("it needs at least {n} unlabelled rows; give them with --unlabelled"),
    message("with more than {n} labels, unlabelled rows add almost nothing"),
    message("the base model has only one stage, or there are too many rows for several"),
    message("there are only {n} rows to learn from, {needed} are needed"),
    message("there are too few rows to hold some out"),
    message("it needs about {seconds} s, its share of the time left is {left} s; give more with --time"),
    message("on held-out rows it was not better than the linear-probe that it starts from"),
    message("on rows held out it was no better than the linear-probe that it starts from"),
    message("the base model has no layers that can be trained"),
    message("this base model has no blocks that can be trained like this"),
    message("it is made for at most {n} labelled rows a class"),
    message("there are too many rows for the memory it may use"),
    message("only {n} epochs fit its share of the time, {needed} are needed; give more with --time"),
    message("only {n} passes over the rows fit its share of the time, {needed} are needed; give more with --time"),
    message("it needs two strategies that predicted every row"),
    message(
        "the quick ones reach {score} by cross-validation, which leaves little to gain; --strategy thorough tries it"
    ),
    message("it gains with few labels a class, and the usual class here has {n}; --strategy thorough tries it"),
    message(
        "{name} is clearly better than {other}: the base model knows such data as it is; --strategy thorough tries it"
    ),
    message("{n} rows are too few for it to be better than classic; --strategy thorough tries it"),
)
"""Why a strategy was not tried."""
_NOTES = (
    message("rare classes weighted up"),
    message("shrinkage {value}"),
    message("rows of length one"),
    message("{n} stages"),
    message("every pair of class and group counts alike"),
    message("rows that a first probe found hard count more"),
    message("the last {n} of {all} blocks"),
    message("the whole network"),
    message("{n} views of each row averaged"),
    message("learnt from augmented views"),
    message("learnt from augmented views and mixtures of two rows"),
    message("{n} passes over the rows"),
    message("{share}% of the way from the probe"),
    message("judged on {n} held-out folds"),
    message("{n} passes over the rows, the best was number {best}"),
    message("{n} of {planned} passes, the best was number {best}"),
    message("one fold held out to decide when to stop"),
    message("{n} layers of width {width}"),
    message("{n} convolutions"),
    message("{n} trees on {m} quantiles"),
    message("ridge penalty {value}"),
    message("learnt from {n} of {all} rows: all of them did not fit the time or memory"),
    message("{n} texts without labels told how common words are"),
    message("{n} texts without labels told how common words are and which go together"),
    message("read the first {n} characters of each text"),
)
"""How a strategy learnt."""
_SET_ASIDE = (
    message("the file is empty"),
    message("the row is empty"),
    message("the text is empty"),
    message("the row has no label"),
    message("its label is not filled in yet"),
    message("the row names no image"),
    message("the image lies in no class folder"),
    message("the file lies in no class folder"),
    message("the image is damaged ({problem})"),
    message("the image is {width} x {height} pixels; {most} are the most a side"),
    message("the image has more than {n} million pixels"),
    message("this is not an image that can be read"),
    message("the file is not there"),
    message("the file cannot be read ({problem})"),
    message("the file has more than {n} MB"),
    message("column {name}: '{cell}' is no number"),
    message("it is not an object in braces"),
    message("it has no values"),
    message("the row has 1 cell, the header has {columns}"),
    message("the row has {n} cells, the header has {columns}"),
    message("a copy of it stands in the test rows"),
    message("no training row has its class"),
)
"""Why a row was set aside."""
_NOT_MEASURED = (
    message("There were no test rows."),
    message("A number is not confused with another; the errors say how far off it is."),
    message("The model gives a number and no probability."),
    message("The model gives no probability."),
    message("A row may have several labels, so none is taken for another; each label is judged by itself."),
    message("Probabilities are given for each label by itself and were not checked together."),
    message("The bundle is of an older version and gives no sets."),
    message("A row may have several labels, so there is no set of possible ones."),
    message(
        "The model reads the rows themselves and no features that were kept, so rows unlike the training rows are not "
        "told."
    ),
    message("There are too few training rows to say what is unlike them."),
    message("A number or several labels have no single probability to order rows by."),
    message("Not asked for: name groups with --group, or give --audit quick or full."),
    message("No groups were named (see --group)."),
    message("Cannot tell: there are no two groups with enough test rows."),
    message("No frozen features were computed."),
    message("There are no two groups or properties with enough test rows."),
    message("{name} leaves the base as it is: its features are the frozen ones, only the answers differ."),
    message("No time was left; give more with --time."),
    message("It needs about {seconds} s to be left; give more with --time."),
    message(
        "Cannot tell: none of the {n} training rows can be held out (every class has one row, or copies of one). "
        "{name} was taken without a comparison."
    ),
    message(
        "Cannot tell: none of the {n} training rows can be held out (they belong together). {name} was taken without "
        "a comparison."
    ),
    message(
        "Cannot tell for these classes, whose rows cannot be held out: {names}. The figures cover the other {n} "
        "training rows."
    ),
    message("the model was saved without its portable form"),
)
"""Why a part of the document is missing."""
_NAMES = (
    message("read"), message("split"), message("base"), message("features"), message("strategies"), message("total"),
    message("evaluation"), message("learning curve"), message("checks"), message("audit"), message("write"),
    message("features seconds"), message("rows computed"), message("rows from cache"), message("gaps"),
    message("adapted features"), message("counterfactuals"), message("readable"), message("all"),
)  # fmt: skip
"""Parts of a run and of the audit."""
_SAID = (
    message("Kind: images. {n} images."),
    message("Kind: texts. {n} texts."),
    message("Picture: column '{column}'. Label: column '{label}'."),
    message("Text: column '{column}'. Label: column '{label}'."),
    message("Label: as the folders or files say it, no column."),
    message("Kept as metadata: {names}."),
    message("Languages: {names}."),
    message("{train} images to learn from and {test} to test on, in {n} classes ({how})."),
    message("{train} texts to learn from and {test} to test on, in {n} classes ({how})."),
    message("{train} series to learn from and {test} to test on, in {n} classes ({how})."),
    message("Figures below: {name}, on training rows held out in turn (at best 1)."),
    message(
        "{name} is taken, although {other} has the higher figure: several together are safer than one that may have "
        "been best by chance."
    ),
    message("{name} is taken, although {other} has the higher figure: it knows better how sure it may be."),
    message("{name} is taken."),
)
"""Lines of a run on a terminal; what is said more rarely stays in English there."""
_PLACE = re.compile(r"\\\{(\w+)\\\}")
_COUNT = re.compile(r"\d[\d,]*(?:\.\d+)?")


def translate_fact(text: str) -> str:
    """Return a stored English sentence in the language spoken, as it stands where it has no template.

    Parameters
    ----------
    text : str

    Examples
    --------
    >>> translate_fact("it is made for at most 8 labelled rows a class")
    'it is made for at most 8 labelled rows a class'
    """
    translated = translate_stored(text)
    if translated != text:
        return translated
    for template, pattern in _compile_templates():
        if match := pattern.fullmatch(text):
            return translate(template, **{name: _write_value(value) for name, value in match.groupdict().items()})
    return text


def has_template(text: str) -> bool:
    """Return whether a stored sentence is one that is translated.

    Parameters
    ----------
    text : str
    """
    return any(pattern.fullmatch(text) for _, pattern in _compile_templates())


@cache
def _compile_templates() -> tuple[tuple[str, re.Pattern[str]], ...]:
    templates = (*_SKIPPED, *_NOTES, *_SET_ASIDE, *_NOT_MEASURED, *_NAMES, *_SAID)
    return tuple(
        (text, re.compile(_PLACE.sub(lambda place: f"(?P<{place[1]}>.+?)", re.escape(text)), re.DOTALL))
        for text in templates
    )


def _write_value(value: str) -> str:
    return format_number(value) if _COUNT.fullmatch(value) else value
