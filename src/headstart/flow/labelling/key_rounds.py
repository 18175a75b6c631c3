"""`label --interactive`: one example after the other; a round of learning after every few answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.flow.labelling.judging_file import describe_content
from headstart.flow.labelling.label_rounds import (
    LabelStep,
    describe_step,
    find_account_name,
    learn_project,
    open_label_project,
)
from headstart.flow.labelling.questions import choose_examples
from headstart.flow.labelling.records import ExampleChoice
from headstart.flow.labelling.rounds import LabelRound
from headstart.flow.labelling.settings import SETTINGS
from headstart.options import LabelOptions
from headstart.projects import ExampleFilter, NewLabel, Project


@dataclass(frozen=True, kw_only=True)
class KeyQuestion:
    """One example to judge.

    Parameters
    ----------
    number : int
        How many were asked about, this one included.
    n_open : int
        Examples without an answer.
    content : str
        Its text or file.
    kinds : sequence of str
    """

    number: int
    n_open: int
    content: str
    kinds: Sequence[str]


@dataclass(frozen=True)
class KeyAnswer:
    """What a person answered: one of a project's answers with the kind, "back" or "stop"."""

    answer: str
    kind: str | None = None


def label_by_keys(
    source: Path, folder: Path, options: LabelOptions, ask: Callable[[KeyQuestion], KeyAnswer]
) -> LabelStep:
    """Ask about one example after the other until the person stops, `options.n` are answered or nothing is open.

    Parameters
    ----------
    source, folder : Path
    options : LabelOptions
    ask : function
        Shows an example and returns the answer.
    """
    with open_label_project(source, folder, options) as project:
        session = _Session(project, options.who or find_account_name())
        learnt = learn_project(project, options)
        while len(session.answered) < options.n and session.ask_next(learnt, ask):
            if session.answered and len(session.answered) % SETTINGS.answers_a_round == 0:
                learnt = learn_project(project, options)
        learnt = learn_project(project, options)
        return describe_step(project, learnt, n_read=len(session.answered), to_judge=None, n_asked=0)


class _Session:
    """Who answers, what was answered in this session, and what is to be asked again."""

    def __init__(self, project: Project, who: str) -> None:
        self.project, self.who = project, who
        self.answered: list[ExampleChoice] = []
        self.again: list[ExampleChoice] = []

    def ask_next(self, learnt: LabelRound, ask: Callable[[KeyQuestion], KeyAnswer]) -> bool:
        """Ask about one example; return whether to go on."""
        choices = self.again[-1:] or choose_examples(self.project, learnt, 1)
        if not choices:
            return False
        choice = choices[0]
        answer = ask(self._make_question(choice))
        if answer.answer == "stop":
            return False
        if answer.answer == "back":
            if self.answered:
                self.project.undo(self.who)
                self.again.extend([choice, self.answered.pop()] if choice not in self.again else [self.answered.pop()])
            return True
        self.again = self.again[:-1]
        self.answered.append(choice)
        label = NewLabel(example=choice.id, label=answer.kind, answer=answer.answer, who=self.who, chosen=choice.chosen)
        self.project.add_labels([label])
        return True

    def _make_question(self, choice: ExampleChoice) -> KeyQuestion:
        return KeyQuestion(
            number=len(self.answered) + 1,
            n_open=self.project.count_examples(ExampleFilter(state="in", answer="")),
            content=describe_content(self.project.get_example(choice.id)),
            kinds=[kind.name for kind in self.project.list_kinds()],
        )
