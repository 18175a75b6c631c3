"""Learning in the background while people label: one thread a project, and the vectors that it needs as a job."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from headstart.errors import HeadstartError
from headstart.flow.labelling.figures import advise_more
from headstart.flow.labelling.questions import choose_examples
from headstart.flow.labelling.records import LabellingAdvice
from headstart.flow.labelling.rounds import LabelRound, learn_round
from headstart.flow.vectors.project_rows import find_index_folder
from headstart.index import VectorIndex, open_index
from headstart.projects import Project

ROUNDS = "label_rounds"
"""Setting: how many rounds were learnt."""


@dataclass(frozen=True, kw_only=True)
class RoundSettings:
    """When a round is learnt.

    Parameters
    ----------
    labels_a_kind : int
        A kind counts from so many labels.
    least_kinds : int
        So many kinds must count before a guess is shown.
    labels_a_round : int
        New answers before the next round.
    """

    labels_a_kind: int = 5
    least_kinds: int = 2
    labels_a_round: int = 5


SETTINGS = RoundSettings()


@dataclass(kw_only=True)
class ProjectRounds:
    """What is learnt of one project.

    Parameters
    ----------
    last : LabelRound or None
        The newest round.
    number : int
        Rounds of the project so far.
    n_labels : int
        Labels that the newest round knew; -1 before the first.
    n_embedded : int
        Examples for which the job that computes vectors was started last.
    n_new : int
        Answers since then, changed ones too.
    is_learning : bool
    seconds : float
        What the newest round took.
    problem : str
        Why the newest round failed; empty if it did not.
    advice : LabellingAdvice or None
        Of the newest round.
    """

    last: LabelRound | None = None
    number: int = 0
    n_labels: int = -1
    n_embedded: int = 0
    n_new: int = 0
    is_learning: bool = False
    seconds: float = 0.0
    problem: str = ""
    advice: LabellingAdvice | None = None
    index: VectorIndex | None = None
    index_time: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class RoundKeeper:
    """The rounds of all projects of one Studio."""

    def __init__(self) -> None:
        self._rounds: WeakKeyDictionary[Project, ProjectRounds] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def find(self, project: Project) -> ProjectRounds:
        """Return what is learnt of a project so far.

        Parameters
        ----------
        project : Project
        """
        with self._lock:
            if project not in self._rounds:
                self._rounds[project] = ProjectRounds(number=project.get_setting(ROUNDS, 0))
            return self._rounds[project]

    def learn_if_due(self, project: Project) -> bool:
        """Begin a round in a thread of its own if there are enough new labels, and no round is under way.

        Parameters
        ----------
        project : Project

        Returns
        -------
        bool
            Whether a round was begun.
        """
        rounds = self.find(project)
        with rounds.lock:
            if rounds.is_learning or not is_due(project, rounds):
                return False
            index = read_index(project, rounds)
            if index is None:
                return False
            rounds.is_learning = True
        threading.Thread(target=self._learn, args=(project, rounds, index), daemon=True, name="label-round").start()
        return True

    def _learn(self, project: Project, rounds: ProjectRounds, index: VectorIndex) -> None:
        began, n_labels = time.monotonic(), project.count_labels().n_labelled
        rounds.n_new = 0
        try:
            learnt = learn_round(project, index)
            choose_examples(project, learnt)  # The queue of useful examples is filled here, so that no page waits.
            rounds.last, rounds.problem = learnt, ""
            rounds.number += 1
            project.set_setting(ROUNDS, rounds.number)
            rounds.advice = advise_more(project, learnt)
        except HeadstartError as error:
            rounds.problem = error.problem
        finally:
            rounds.seconds = time.monotonic() - began
            rounds.n_labels = n_labels
            rounds.is_learning = False


def has_enough(project: Project) -> bool:
    """Return whether enough kinds have enough labels for a guess to be worth anything.

    Parameters
    ----------
    project : Project
    """
    n_ready = sum(kind.n_labelled - kind.n_test >= SETTINGS.labels_a_kind for kind in project.list_kinds())
    return n_ready >= SETTINGS.least_kinds


def is_due(project: Project, rounds: ProjectRounds) -> bool:
    """Return whether another round would know more.

    Parameters
    ----------
    project : Project
    rounds : ProjectRounds
    """
    if rounds.n_labels < 0:
        return True
    n_changed = abs(project.count_labels().n_labelled - rounds.n_labels)
    return max(n_changed, rounds.n_new) >= SETTINGS.labels_a_round


def read_index(project: Project, rounds: ProjectRounds) -> VectorIndex | None:
    """Return the vectors of a project, read anew if they were written anew; None where there are none.

    Parameters
    ----------
    project : Project
    rounds : ProjectRounds
        Keeps what was read.
    """
    folder = find_index_folder(project)
    about = folder / "index.json"
    if not about.is_file():
        return None
    written = about.stat().st_mtime
    if rounds.index is None or rounds.index_time != written:
        rounds.index, rounds.index_time = open_index(folder), written
    return rounds.index
