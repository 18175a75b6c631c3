"""Exports of survey tools (KoboToolbox, ODK): columns that the tool added, questions named without their groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_SIGNS = (
    frozenset(("_uuid", "_submission_time")),
    frozenset(("_index", "_parent_index")),
    frozenset(("KEY", "SubmissionDate")),
    frozenset(("KEY", "PARENT_KEY")),
)
"""Columns that together only such an export has: of a form and of a repeat group, of KoboToolbox and of ODK."""
_ADDED_NAMES = (
    "start end today deviceid device_id subscriberid simserial phonenumber audit background-audio "
    "_id _uuid _submission_time _validation_status _notes _status __version__ _version_ _tags _index _parent_index "
    "_parent_table_name _attachments _geolocation _xform_id_string _bamboo_dataset_id _supplementalDetails "
    "formhub/uuid meta/instanceID meta/instanceName meta/rootUuid "
    "SubmissionDate KEY PARENT_KEY meta-instanceID meta-instanceName instanceID instanceName SubmitterID DeviceID "
    "FormVersion formdef_version AttachmentsPresent AttachmentsExpected Status ReviewState Edits"
)
_ADDED = frozenset(_ADDED_NAMES.split())
_ADDED_BEGINNINGS = ("_submission_", "SET-OF-")


def list_added_columns(names: Sequence[str]) -> frozenset[str]:
    """Return the columns that a survey tool added to the questions of a form; none for other tables.

    Times, devices and states of a submission are no answers. Who asked (`_submitted_by`) may matter, and is not among
    them.

    Parameters
    ----------
    names : sequence of str

    Examples
    --------
    >>> sorted(list_added_columns(["start", "feedback/comment", "_uuid", "_submission_time"]))
    ['_submission_time', '_uuid', 'start']
    >>> list_added_columns(["start", "end", "text"])
    frozenset()
    """
    if not any(sign <= set(names) for sign in _SIGNS):
        return frozenset()
    return frozenset(name for name in names if name in _ADDED or name.startswith(_ADDED_BEGINNINGS))


def match_question(requested: str, names: Iterable[str]) -> str | None:
    """Return the one column whose question is called so, without its groups ("group/name"; of ODK "group-name").

    Parameters
    ----------
    requested : str
    names : iterable of str

    Examples
    --------
    >>> match_question("comment", ["intro/name", "feedback/comment"]), match_question("name", ["a/name", "b/name"])
    ('feedback/comment', None)
    """
    all_names = list(names)
    marks = "/-" if list_added_columns(all_names) else "/"
    matching = [name for name in all_names if name.endswith(tuple(f"{mark}{requested}" for mark in marks))]
    return matching[0] if len(matching) == 1 else None


def list_options(question: str, names: Sequence[str]) -> list[str]:
    """Return the columns of the options of a question with several answers ("needs/water"); none where it has no such.

    Parameters
    ----------
    question : str
        Column of the question.
    names : sequence of str

    Examples
    --------
    >>> list_options("needs", ["needs", "needs/water", "needs/food", "age"])
    ['needs/water', 'needs/food']
    """
    return [name for name in names if name.startswith(f"{question}/") and "/" not in name[len(question) + 1 :]]


def name_options(columns: Sequence[str]) -> dict[str, str]:
    """Return what the options of one question are called, by column: "water" for "needs/water"; else the columns.

    Parameters
    ----------
    columns : sequence of str

    Examples
    --------
    >>> name_options(["needs/water", "needs/food"]), name_options(["a/water", "b"])
    ({'needs/water': 'water', 'needs/food': 'food'}, {'a/water': 'a/water', 'b': 'b'})
    """
    questions = {name.rpartition("/")[0] for name in columns}
    is_one = len(questions) == 1 and questions != {""}
    return {name: name.rpartition("/")[2] if is_one else name for name in columns}
