"""What of dropped data may be meant otherwise, or cannot be used: codes, and the option that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headstart.data.reading.rows import ParsedRows
from headstart.flow.inspection.records import FEW, Doubt, SourceView
from headstart.flow.inspection.settings import SETTINGS

OTHER_SHEETS, HIDDEN_SHEETS, OTHER_TEXT, NO_ANSWER, WHICH_ANSWER, ONE_KIND, FEW_EXAMPLES = (
    "other-sheets", "hidden-sheets", "other-text", "no-answer", "which-answer", "one-kind", "few-examples",
)  # fmt: skip
UNSORTED, NAMES_MISSING, PERSONAL, PRIVATE_TEXTS, LEFT_OUT, MANY_COLUMNS = (
    "unsorted", "names-missing", "personal-columns", "private-texts", "left-out", "many-columns",
)  # fmt: skip
WHICH_FILE = "which-file"
CODES = (
    WHICH_FILE, OTHER_SHEETS, HIDDEN_SHEETS, OTHER_TEXT, NO_ANSWER, WHICH_ANSWER, ONE_KIND, FEW_EXAMPLES, UNSORTED,
    NAMES_MISSING, PERSONAL, PRIVATE_TEXTS, LEFT_OUT, MANY_COLUMNS,
)  # fmt: skip
"""Every code; each renderer has words for all of them."""


def find_doubts(view: SourceView, parsed_rows: ParsedRows, n_private: int) -> tuple[Doubt, ...]:
    """Return the doubts about data as it was understood, in the order in which they are worth a look.

    Parameters
    ----------
    view : SourceView
        Without its doubts.
    parsed_rows : ParsedRows
    n_private : int
        Texts that hold a telephone number or an address.
    """
    return (
        *_doubt_sheets(view),
        *_doubt_columns(view),
        *_doubt_kinds(view),
        *_doubt_rows(view, parsed_rows, n_private),
    )


def make_file_doubt(names: Sequence[str]) -> Doubt:
    """Return the doubt which of several tables is meant.

    Parameters
    ----------
    names : sequence of str
    """
    return Doubt(code=WHICH_FILE, n=len(names), names=tuple(names[: SETTINGS.most_offered]), option="file")


def _doubt_sheets(view: SourceView) -> Iterator[Doubt]:
    tables = [sheet for sheet in view.sheets if sheet.header and sheet.n_columns > 1 and not sheet.is_read]
    others = tuple(sheet.name for sheet in tables if not sheet.is_hidden)
    hidden = tuple(sheet.name for sheet in tables if sheet.is_hidden)
    if others:
        yield Doubt(code=OTHER_SHEETS, n=len(others), names=others, option="sheet")
    if hidden:
        yield Doubt(code=HIDDEN_SHEETS, n=len(hidden), names=hidden, option="sheet")


def _doubt_columns(view: SourceView) -> Iterator[Doubt]:
    texts = tuple(column.name for column in view.columns if column.can_be_text and column.name not in view.text)
    if view.text and texts:
        yield Doubt(code=OTHER_TEXT, n=len(texts), names=texts, option="text")
    personal = tuple(column.name for column in view.columns if column.role == "personal")
    if personal:
        yield Doubt(code=PERSONAL, n=len(personal), names=personal)
    widest = max((sheet.n_columns for sheet in view.sheets if sheet.is_read), default=0)
    if widest > SETTINGS.shown_columns:
        yield Doubt(code=MANY_COLUMNS, n=SETTINGS.shown_columns, of=widest)


def _doubt_kinds(view: SourceView) -> Iterator[Doubt]:
    candidates = tuple(column.name for column in view.columns if column.can_be_label and column.role != "label")
    if not view.kinds and not view.is_number:
        yield Doubt(
            code=WHICH_ANSWER if candidates else NO_ANSWER, names=candidates, option="label" if candidates else ""
        )
    if len(view.kinds) == 1:
        yield Doubt(code=ONE_KIND, names=(view.kinds[0].name,))
    few = [kind for kind in view.kinds if kind.code == FEW]
    if few:
        yield Doubt(code=FEW_EXAMPLES, n=min(kind.n for kind in few), names=tuple(kind.name for kind in few))


def _doubt_rows(view: SourceView, parsed_rows: ParsedRows, n_private: int) -> Iterator[Doubt]:
    if view.kinds and view.n_unsorted:
        yield Doubt(code=UNSORTED, n=view.n_unsorted, of=view.n_examples)
    if view.n_matched < view.n_listed:
        yield Doubt(code=NAMES_MISSING, n=view.n_listed - view.n_matched, of=view.n_listed)
    if n_private:
        yield Doubt(code=PRIVATE_TEXTS, n=n_private, of=view.n_examples)
    if view.n_left_out:
        names = tuple(f"{item.id}: {item.reason}" for item in parsed_rows.set_aside[: SETTINGS.most_named])
        yield Doubt(code=LEFT_OUT, n=view.n_left_out, of=view.n_examples + view.n_left_out, names=names)
