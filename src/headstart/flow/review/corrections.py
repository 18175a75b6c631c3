"""Labels that a person corrected while looking at a model: of training examples, and, counted apart, of the check."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.errors import OptionError
from headstart.projects import LabelEvent, NewLabel, Project

CORRECTED, CORRECTED_CHECK = "check", "check-test"
"""How the journal says that a label was corrected: of an example that is learnt from, of one that is put away."""


@dataclass(frozen=True, kw_only=True)
class LabelCorrection:
    """A label that was corrected.

    Parameters
    ----------
    example : int
    name : str
        Of the example.
    before, after : str
        The kind that it had, and has now.
    who, at : str
    is_test : bool
        Whether the example is put away for the check.
    """

    example: int
    name: str
    before: str
    after: str
    who: str
    at: str
    is_test: bool


def correct_label(project: Project, example: int, label: str, *, who: str, is_check_step: bool = False) -> None:
    """Write a corrected label into the journal.

    Parameters
    ----------
    project : Project
    example : int
    label : str
        One of the kinds of the project.
    who : str
    is_check_step : bool
        Whether this is the step in which examples of the check are corrected.

    Raises
    ------
    OptionError
        There is no such kind, or the example is put away for the check and this is not that step.
    """
    kinds = [kind.name for kind in project.list_kinds()]
    if label not in kinds:
        raise OptionError(f"There is no kind '{label}'.", "Choose one of the kinds, or add it on the label screen.")
    is_test = project.get_example(example).split == "test"
    if is_test and not is_check_step:
        raise OptionError(
            "This example is put away for the check; changing it makes the figures less honest.",
            "Correct examples of the check in their own step, where they are counted.",
        )
    chosen = CORRECTED_CHECK if is_test else CORRECTED
    project.add_labels([NewLabel(example=example, label=label, who=who, origin="person", chosen=chosen)])


def take_back(project: Project, example: int, who: str) -> bool:
    """Give an example the label that it had before it was corrected; return whether there was something to take back.

    Parameters
    ----------
    project : Project
    example : int
    who : str
    """
    events = project.list_events(example)
    before = _find_before(events)
    is_corrected = any(event.chosen in (CORRECTED, CORRECTED_CHECK) for event in events if not event.undone)
    if before is None or not is_corrected:
        return False
    chosen = CORRECTED_CHECK if project.get_example(example).split == "test" else CORRECTED
    project.add_labels([NewLabel(example=example, label=before, who=who, origin="person", chosen=chosen)])
    return True


def list_corrections(project: Project, since: str = "") -> list[LabelCorrection]:
    """Return the labels that are other than before they were corrected, the newest first.

    Parameters
    ----------
    project : Project
    since : str
        Only what was corrected at this moment (UTC, as the journal writes it) or later.
    """
    latest: dict[int, LabelEvent] = {}
    for chosen in (CORRECTED, CORRECTED_CHECK):
        for event in project.iterate_events(purpose="label", chosen=chosen):
            if event.at >= since:
                latest[event.example] = event
    examples = {example.id: example for example in project.get_examples(list(latest))}
    corrections = []
    for number, event in latest.items():
        before = _find_before(project.list_events(number), since)
        example = examples.get(number)
        if example is None or before is None or before == example.label or example.label is None:
            continue
        corrections.append(
            LabelCorrection(
                example=number,
                name=example.name,
                before=before,
                after=example.label,
                who=event.who,
                at=event.at,
                is_test=example.split == "test",
            )
        )
    return sorted(corrections, key=lambda item: item.at, reverse=True)


def _find_before(events: list[LabelEvent], since: str = "") -> str | None:
    """Return the label before the first correction that counts."""
    before = None
    for event in events:
        if event.undone or event.purpose != "label" or event.answer != "label":
            continue
        if event.chosen in (CORRECTED, CORRECTED_CHECK) and event.at >= since:
            break
        before = event.label
    return before
