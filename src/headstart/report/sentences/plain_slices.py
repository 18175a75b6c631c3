"""Where the model fails more often, in the words of people who know no statistics."""

from __future__ import annotations

from headstart.report.messages import format_number, translate
from headstart.report.people_words import count_inputs, format_in_hundred
from headstart.report.sentences.slices import list_differences, list_mistakes
from headstart.report.words import IN_UNITS, format_amount, list_names
from headstart.results import Slice, Slices


def describe_slices_plainly(search: Slices) -> str:
    """Return whether there are kinds of inputs on which the model fails more often.

    Parameters
    ----------
    search : Slices
    """
    if search.n_rows_needed is not None:
        return translate("There is too little data to tell whether it fails more often on some kinds than on others.")
    if not search.found:
        return translate("No kind was seen on which it fails clearly more often. Small ones can be missed.")
    return translate("It fails more often on what is shown here.")


def describe_slice_plainly(item: Slice, modality: str) -> str:
    """Return how often the model fails on inputs that look alike, and what these have in common.

    Parameters
    ----------
    item : Slice
    modality : str
    """
    inputs = count_inputs(modality, item.n_rows)
    if item.measure == IN_UNITS:
        sentence = translate(
            "On {inputs} that look alike it was off by {here} on average, elsewhere by {elsewhere}.",
            inputs=inputs, here=format_amount(item.error.value), elsewhere=format_amount(item.elsewhere.value),
        )  # fmt: skip
    else:
        sentence = translate(
            "Of {inputs} that look alike it got {here} wrong, of all others {elsewhere}.",
            inputs=inputs, here=format_in_hundred(item.error), elsewhere=format_in_hundred(item.elsewhere),
        )  # fmt: skip
    sentences = [sentence]
    if item.test_error is None or item.test_elsewhere is None:
        sentences.append(
            translate("Too few of them are among those it was tested on ({n}).", n=format_number(str(item.n_test_rows)))
        )
    elif item.test_error.value <= item.test_elsewhere.value:
        sentences.append(translate("The test does not confirm it."))
    if mistakes := list_mistakes(item):
        sentences.append(translate("Most frequent: {names}.", names=list_names(mistakes)))
    if differences := list_differences(item):
        sentences.append(translate("What they have in common: {names}.", names=list_names(differences)))
    return " ".join(sentences)
