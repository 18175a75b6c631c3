"""`headstart label`: from data without labels to a project, round by round, through a workbook or by keys."""

from __future__ import annotations

import getpass
import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from headstart.errors import OptionError
from headstart.flow.labelling.coding_frames import list_described_kinds, read_kinds, store_kinds
from headstart.flow.labelling.figures import advise_more, estimate_shares
from headstart.flow.labelling.judging_file import read_judging_file, write_judging_file
from headstart.flow.labelling.kind_names import embed_kinds
from headstart.flow.labelling.questions import choose_examples
from headstart.flow.labelling.records import ExampleChoice, KindShare, LabelCount, LabellingAdvice
from headstart.flow.labelling.rounds import LabelRound, learn_round
from headstart.flow.projects.adding import add_data
from headstart.flow.vectors.embed import embed_project
from headstart.index import VectorIndex
from headstart.options import AddDataOptions, EmbedOptions, LabelOptions, parse
from headstart.projects import NewLabel, Project, is_project
from headstart.projects.places import JUDGED, TO_JUDGE

ASKED = "asked_in_round"
"""Setting of a project: the round that is out for answers, and how each of its examples was chosen."""


@dataclass(frozen=True, kw_only=True)
class LabelStep:
    """What one call of `label` did.

    Parameters
    ----------
    folder : Path
        Of the project.
    round : int
        That is asked now; 1 is the first.
    n_examples, n_read : int
        Examples of the project; answers read in this call.
    answers : mapping of str to int
        All answers so far by kind; "not_sure" and "none" are in `n_not_sure` and `n_none`.
    n_not_sure, n_none : int
    state : str
        Of the guesses, as `LabelRound.state`.
    took_over : bool
        Whether the labels guess from this round on, after the kinds' names did.
    right : LabelCount or None
        Random examples that were guessed right, each without its own label.
    n_unguessed : int
    shares : tuple of KindShare
    advice : LabellingAdvice
    to_judge : Path or None
        The workbook to fill in next; None where nothing is left to ask.
    n_asked : int
        Its examples.
    """

    folder: Path
    round: int
    n_examples: int
    n_read: int
    answers: Mapping[str, int]
    n_not_sure: int
    n_none: int
    state: str
    took_over: bool
    right: LabelCount | None
    n_unguessed: int
    shares: tuple[KindShare, ...]
    advice: LabellingAdvice
    to_judge: Path | None = None
    n_asked: int = 0


def label(source: Path, folder: Path, options: LabelOptions) -> LabelStep:
    """Do one round: make the project or read the workbook back, learn, and write the next workbook.

    Parameters
    ----------
    source : Path
        Data without labels; or the project itself, once it is there.
    folder : Path
        Of the project.
    options : LabelOptions

    Raises
    ------
    HeadstartError
        The data, the kinds or the workbook cannot be used; nothing was read of it then.
    """
    with open_label_project(source, folder, options) as project:
        n_read = _read_answers(project, options)
        learnt = learn_project(project, options)
        choices = choose_examples(project, learnt, options.n)
        path = _ask(project, choices) if choices else None
        return describe_step(project, learnt, n_read=n_read, to_judge=path, n_asked=len(choices))


def open_label_project(source: Path, folder: Path, options: LabelOptions) -> Project:
    """Open the project, or make it from the data; new kinds are added.

    Parameters
    ----------
    source, folder : Path
    options : LabelOptions
    """
    kinds = read_kinds(options.classes, options.codes)
    is_new = not is_project(folder)
    if is_new and len(kinds) < 2:
        raise OptionError(
            "At least two kinds are needed to begin.", "Name them: --classes 'water,health', or --codes codes.csv."
        )
    is_own = not folder.exists()
    project = Project.create(folder, source.stem) if is_new else Project.open(folder)
    try:
        if source.resolve() != folder.resolve():
            add_data(project, source, _make_reading_options(options))
        store_kinds(project, kinds)
    except BaseException:
        project.close()
        if is_own:  # Nothing was read: no empty project stays behind.
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return project


def _make_reading_options(options: LabelOptions) -> AddDataOptions:
    text = () if options.text is None else (options.text,)
    return parse(AddDataOptions, text=text, modality=options.modality, without_labels=options.without_labels)


def learn_project(project: Project, options: LabelOptions) -> LabelRound:
    """Embed what is new, and learn from the labels so far.

    Parameters
    ----------
    project : Project
    options : LabelOptions
    """
    index = embed_label_project(project, options)
    names = embed_kinds(project, index, options.offline)
    return learn_round(project, index, names)


def embed_label_project(project: Project, options: LabelOptions) -> VectorIndex:
    """Return the index of the project's examples, with the new ones.

    Parameters
    ----------
    project : Project
    options : LabelOptions
    """
    settings = parse(EmbedOptions, base=options.base, precision=options.precision, offline=options.offline)
    return embed_project(project, settings).index


def _read_answers(project: Project, options: LabelOptions) -> int:
    """Bring the answers of the workbook into the journal, and put the workbook away."""
    path = project.folder / TO_JUDGE
    current = project.get_setting(ASKED, {})
    if not path.exists():
        return 0
    rows = read_judging_file(path, [kind.name for kind in project.list_kinds()])
    if not rows:
        raise OptionError(
            f"{path} has no answers yet.", "Fill in its column 'answer', save it, and run the same command again."
        )
    number, how = int(current.get("round", 0)), current.get("chosen", {})
    who = options.who or find_account_name()
    project.add_labels([
        NewLabel(
            example=row.example, label=row.kind, answer=row.answer, who=who, round=number,
            chosen=how.get(str(row.example), ""),
        )
        for row in rows
    ])  # fmt: skip
    folder = project.folder / JUDGED
    folder.mkdir(exist_ok=True)
    path.replace(folder / f"round-{number}.xlsx")
    return len(rows)


def find_account_name() -> str:
    """Return the name of the user's account, or "someone"."""
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return "someone"


def _ask(project: Project, choices: list[ExampleChoice]) -> Path:
    """Write the workbook of a round, and note how its examples were chosen."""
    path = project.folder / TO_JUDGE
    number = int(project.get_setting(ASKED, {}).get("round", 0)) + 1
    chosen = {str(choice.id): choice.chosen for choice in choices}
    project.set_setting(ASKED, {"round": number, "chosen": chosen})
    examples = project.get_examples([choice.id for choice in choices])
    write_judging_file(path, examples, list_described_kinds(project))
    return path


def describe_step(
    project: Project, learnt: LabelRound, *, n_read: int, to_judge: Path | None, n_asked: int
) -> LabelStep:
    """Return what a round tells.

    Parameters
    ----------
    project : Project
    learnt : LabelRound
    n_read : int
    to_judge : Path or None
    n_asked : int
    """
    counts = project.count_labels()
    by_kind = Counter({kind.name: kind.n_labelled for kind in project.list_kinds()})
    return LabelStep(
        folder=project.folder,
        round=int(project.get_setting(ASKED, {}).get("round", 0)),
        n_examples=counts.n_examples,
        n_read=n_read,
        answers=dict(by_kind),
        n_not_sure=counts.n_not_sure,
        n_none=counts.n_none,
        state=learnt.state,
        took_over=learnt.took_over,
        right=learnt.right,
        n_unguessed=learnt.n_unguessed,
        shares=tuple(estimate_shares(project)),
        advice=advise_more(project, learnt),
        to_judge=to_judge,
        n_asked=n_asked,
    )
