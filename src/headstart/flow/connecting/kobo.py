"""Code the answers to a question of a KoboToolbox form with a model, and write the codes into the form."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from headstart import bundle as bundles
from headstart import progress
from headstart.bundle import Bundle
from headstart.csv_files import write_csv_rows
from headstart.errors import OptionError, UnknownName
from headstart.flow.connecting.kobo_server import KoboForm, KoboServer, Submission
from headstart.flow.connecting.settings import SETTINGS
from headstart.flow.inference.answer_layout import name_coder
from headstart.flow.inference.codes import CODE_COLUMNS, Code, make_code, read_clock
from headstart.flow.inference.predict_memory import AnswerInputs, open_predictor
from headstart.flow.model_names import name_model
from headstart.home import write_whole
from headstart.modalities import MODALITIES
from headstart.options import ConnectKoboOptions

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T[0-9:.+Z-]+)?")
_DRY = "not sent"
_SENT = "written"
_TABLE = ("id", "uuid", *CODE_COLUMNS, "state")


@dataclass(frozen=True, kw_only=True)
class CodedSubmission:
    """A submission that got a code, and what became of it: "written", "not sent", or what the server said."""

    id: int
    uuid: str
    code: Code
    state: str = _DRY


@dataclass(kw_only=True)
class KoboOutcome:
    """What became of the submissions of a form; it grows page by page.

    Parameters
    ----------
    form : str
        Its name.
    n_submissions : int
        Looked at.
    counts : dict of str to int
        Submissions left out, by reason: "empty", "of a person", "of a model", "not sure".
    coded : list of CodedSubmission
    missing_questions : tuple of str
        Of the four that codes are written into, those that the form does not have.
    """

    form: str
    n_submissions: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    coded: list[CodedSubmission] = field(default_factory=list)
    missing_questions: tuple[str, ...] = ()

    @property
    def failed(self) -> list[CodedSubmission]:
        """Submissions that the server did not change."""
        return [item for item in self.coded if item.state not in (_SENT, _DRY)]


def connect_kobo(model: Path, out: Path | None, options: ConnectKoboOptions) -> KoboOutcome:
    """Read the submissions of a form, code those that nobody has coded, and write the codes into the form.

    Parameters
    ----------
    model : Path
        A bundle of texts, or the output folder of `adapt`.
    out : Path or None
        CSV of the codes.
    options : ConnectKoboOptions

    Returns
    -------
    KoboOutcome

    Raises
    ------
    HeadstartError
        The model is none of texts, the form has no such questions, or the server cannot be used. What was written
        until then stays written; the next run goes on with the rest.
    """
    if options.since is not None and _DAY.fullmatch(options.since) is None:
        raise OptionError(f"'{options.since[:40]}' is no day.", "Write --since 2026-05-01.")
    token = os.environ.get(options.token_env, "").strip()
    server = KoboServer(options.url, options.asset, token, options.token_env)
    form = server.read_form()
    question = form.find_question(options.question, "--question")
    places = find_code_questions(form, options.code_question, is_needed=not options.dry_run)
    bundle = bundles.load_bundle(model, "quickest" if options.runtime == "auto" else options.runtime, options.base)
    coder = require_coder(bundle, model)
    answer = open_predictor(bundle, options.precision)
    outcome = KoboOutcome(form=form.name, missing_questions=tuple(role for role in CODE_COLUMNS if role not in places))
    rules = _Rules(question, places, coder, options.again)
    try:
        for page in _iterate_pages(server, options):
            coded = _code_page(page, outcome, answer, rules)
            for item in coded if options.dry_run else _send(server, coded, places):
                outcome.coded.append(item)  # One by one: what was written before a failure stands in the table.
    finally:
        if out is not None and outcome.coded:
            _write_table(outcome, out)
    return outcome


def find_code_questions(form: KoboForm, name: str, *, is_needed: bool = True) -> dict[str, str]:
    """Return the questions that codes are written into, by what they hold.

    Parameters
    ----------
    form : KoboForm
    name : str
        Of the question for the code, with or without its groups.
    is_needed : bool
        Refuse a form that has none; else nothing is returned for it.

    Raises
    ------
    OptionError
        The form has none.
    """
    try:
        code = form.find_question(name, "--code-question")
    except UnknownName as error:
        if not is_needed:
            return {}
        raise OptionError(
            f"{error.problem} A code cannot be written into it.",
            f"Add questions of the type text to the form, named {', '.join(CODE_COLUMNS)} and hidden from "
            "interviewers, and deploy it again; or name another with --code-question; or try with --dry-run first.",
        ) from error
    group = code.rpartition("/")[0]
    beside = {role: f"{group}/{role}" if group else role for role in CODE_COLUMNS[1:]}
    return {"code": code, **{role: path for role, path in beside.items() if path in form.questions}}


def read_code(submission: Submission, places: Mapping[str, str]) -> Code:
    """Return the code that a submission has already.

    Parameters
    ----------
    submission : mapping
    places : mapping of str to str
        As `find_code_questions` gives them.
    """
    return Code(**{role: str(submission.get(path) or "") for role, path in places.items()})


def list_values(code: Code, places: Mapping[str, str]) -> dict[str, str]:
    """Return the values of the questions that a code is written into.

    Parameters
    ----------
    code : Code
    places : mapping of str to str
        As `find_code_questions` gives them.
    """
    return {path: getattr(code, role) for role, path in places.items()}


def require_coder(bundle: Bundle, model: Path) -> str:
    """Return how a model signs its codes; refuse one that reads no texts.

    Parameters
    ----------
    bundle : Bundle
    model : Path
    """
    if not MODALITIES[bundle.modality].has_words:
        raise OptionError(f"{model} reads no texts.", "Name a model that was adapted to texts.")
    return name_coder(name_model(model))


@dataclass(frozen=True)
class _Rules:
    """Which question is coded, into which ones, by whom, and whether codes of models are made anew."""

    question: str
    places: Mapping[str, str]
    coder: str
    again: bool


def _iterate_pages(server: KoboServer, options: ConnectKoboOptions) -> Iterator[list[Submission]]:
    pages = server.iterate_submissions(options.since)
    first, n_all = next(pages)
    with progress.open_bar("Submissions", n_all, "submissions") as bar:
        for page, _ in chain([(first, n_all)], pages):
            yield page
            bar.advance(len(page))


def _code_page(
    page: list[Submission], outcome: KoboOutcome, answer: AnswerInputs, rules: _Rules
) -> list[CodedSubmission]:
    """Code the submissions of a page that are to be coded; the others are counted."""
    outcome.n_submissions += len(page)
    reasons = [_find_reason_against(submission, rules) for submission in page]
    outcome.counts.update(filter(None, reasons))
    chosen = [submission for submission, reason in zip(page, reasons, strict=True) if not reason]
    texts = [str(submission[rules.question])[: SETTINGS.most_text_characters] for submission in chosen]
    at = read_clock()
    codes = [make_code(document, rules.coder, at) for document in (answer(texts) if texts else ())]
    outcome.counts.update("not sure" for code in codes if not code.code)
    return [
        CodedSubmission(id=submission["_id"], uuid=str(submission.get("_uuid") or ""), code=_round(code))
        for submission, code in zip(chosen, codes, strict=True)
        if code.code
    ]


def _find_reason_against(submission: Submission, rules: _Rules) -> str:
    """Return why a submission is left as it is; "" where it is coded."""
    if not str(submission.get(rules.question) or "").strip():
        return "empty"
    earlier = read_code(submission, rules.places)
    if earlier.is_of_person:
        return "of a person"
    return "of a model" if earlier.code and not rules.again else ""


def _round(code: Code) -> Code:
    """Round the certainty, so that many submissions get equal values."""
    if not code.certainty:
        return code
    step = SETTINGS.certainty_step
    return replace(code, certainty=f"{min(round(float(code.certainty) / step) * step, 0.99):.2f}")


def _send(server: KoboServer, coded: Sequence[CodedSubmission], places: Mapping[str, str]) -> Iterator[CodedSubmission]:
    """Write the codes of a page into the form, equal ones together; yield them with what became of them."""
    equal = defaultdict[Code, list[CodedSubmission]](list)
    for item in coded:
        equal[item.code].append(item)
    for code, items in equal.items():
        for start in range(0, len(items), SETTINGS.patch_rows):
            part = items[start : start + SETTINGS.patch_rows]
            failures = server.change([item.id for item in part], list_values(code, places))
            state = _SENT if not failures else f"not sure whether written: {failures[0]}"
            yield from (replace(item, state=state) for item in part)


def _write_table(outcome: KoboOutcome, out: Path) -> None:
    coded = sorted(outcome.coded, key=lambda item: item.id)
    rows: list[tuple[Any, ...]] = [(item.id, item.uuid, *astuple(item.code), item.state) for item in coded]
    with write_whole(out) as partial, partial.open("w", encoding="utf-8", newline="") as handle:
        write_csv_rows(handle, [_TABLE, *rows])
