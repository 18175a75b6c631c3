"""Columns by role: their usual names, and how a user's choice overrides them."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from headstart.data.columns.survey_columns import list_options, match_question
from headstart.errors import make_unknown_name
from headstart.options import ColumnOptions, SourceOptions
from headstart.records import TEST, TRAIN, InputColumns

_USUAL = {
    "text": "text texts sentence sentences content message messages comment comments tweet review body post utterance "
    "feedback description document question texte texto mensaje commentaire ujumbe الرسالة النص",
    "label": "label labels target class classlabel category categories y labelname classname sentiment topic intent "
    "emotion classe clase categoria categorie etiqueta etiquette mada aina jibu الفئة الموضوع النوع",
    "split": "split partition subset set",
    "id": "id rowid sampleid uid uuid",
    "file": "filename file path filepath image imagepath imagefile img",
    "series": "id seriesid series sampleid sample sequenceid sequence caseid case unit uid uuid subject subjectid "
    "patient patientid person personid participant participantid recording recordingid session sessionid trial trialid "
    "device deviceid plot plotid field fieldid sensor sensorid station stationid node nodeid animal animalid meterid",
    "time": "time timestamp t step timestep datetime date seconds second tick frame ms millis milliseconds index "
    "minute minutes hour hours day days week weeks month months epoch cycle",
}
ROLES: dict[str, tuple[str, ...]] = {role: tuple(names.split()) for role, names in _USUAL.items()}
"""For each role the usual names, as `fold_column_name` writes them, best first."""

SPLITS: dict[str, str] = {
    **dict.fromkeys(("train", "training", "tr"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "te", "holdout"), TEST),
    "": "",
}
"""What people write for the parts of a data set."""

LABEL_ROLE = "label "
"""Begin of the role of each of several label columns: "label 1", "label 2" ..."""


@dataclass(frozen=True, kw_only=True)
class ColumnSpec:
    """Columns that a reader looks for, and how strictly.

    Parameters
    ----------
    columns : mapping of str to str
        Columns by role that the user named; they must be in the table.
    for_training : bool
        Whether the rows are to learn from; rows to predict need no label.
    group_columns : tuple of str
        Columns of groups; they are never values of a series.
    training_columns : mapping of str to str
        Columns of the training data by role, taken where the table has them.
    labels : tuple of str
        Label columns as the user named them; "a,b" or "tag_*" may stand for several.
    may_have_indicators : bool
        Whether several columns of 0 and 1 are labels where no label column is found.
    encoding : str, optional
        Encoding of text files, where the user named it.
    sheet : str, optional
        Sheet of a workbook, as the user named it.
    texts : tuple of str
        Text columns as the user named them; "a,b" may stand for two.
    training_inputs : InputColumns, optional
        For series: the value columns of the training data.
    values, channels, axes
        For series: the options of these names.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    for_training: bool = True
    group_columns: tuple[str, ...] = ()
    training_columns: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    may_have_indicators: bool = False
    encoding: str | None = None
    sheet: str | None = None
    texts: tuple[str, ...] = ()
    training_inputs: InputColumns | None = None
    values: str | None = None
    channels: tuple[str, ...] = ()
    axes: str = "auto"

    @property
    def roles(self) -> dict[str, str]:
        """All columns by role; what the user named goes before what is known."""
        return {**self.training_columns, **self.columns}


def make_column_spec(
    options: SourceOptions, known: Mapping[str, str] | None = None, inputs: InputColumns | None = None
) -> ColumnSpec:
    """Return which columns to look for in rows to learn from.

    Parameters
    ----------
    options : SourceOptions
    known : mapping of str to str, optional
        Columns of the training data by role.
    inputs : InputColumns, optional
        Value columns of the training data.
    """
    task = options.task_type
    may_have_indicators = (task is None or task.has_label_sets) and not options.order
    spec = ColumnSpec(
        group_columns=options.group,
        training_columns=known or {},
        labels=options.label,
        may_have_indicators=may_have_indicators,
        training_inputs=inputs,
    )
    return add_named_columns(spec, options)


def add_named_columns(spec: ColumnSpec, options: ColumnOptions) -> ColumnSpec:
    """Return a spec with the columns that the user named.

    Parameters
    ----------
    spec : ColumnSpec
    options : ColumnOptions
    """
    named = {"id": options.id, "time": options.time_column}
    return replace(
        spec,
        columns={**spec.columns, **{role: name for role, name in named.items() if name is not None}},
        values=options.values,
        channels=options.channels,
        axes=options.axes,
        encoding=options.encoding,
        sheet=options.sheet,
        texts=options.text,
    )


def fold_column_name(name: str) -> str:
    """Return a column name such that spellings of one name are equal.

    Parameters
    ----------
    name : str

    Examples
    --------
    >>> fold_column_name("File_Name ")
    'filename'
    """
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", name).casefold())


def find_column(names: Sequence[str], role: str, spec: ColumnSpec, where: str) -> str | None:
    """Find the column of a role: the one that the user named, that of training, or the first usual name.

    Parameters
    ----------
    names : sequence of str
        Columns to choose from.
    role : str
        A key of `ROLES`.
    spec : ColumnSpec
        Named and training columns.
    where : str
        Name of the table, for messages.

    Raises
    ------
    UnknownName
        The column that the user named is not there.
    """
    requested = spec.columns.get(role)
    if requested is not None and requested not in names:
        requested = match_question(requested, names)
        if requested is None:
            raise make_unknown_name("column", spec.columns[role], names, where)
    name = requested or spec.training_columns.get(role)
    if name in names:
        return name
    usual = ROLES.get(role, ()) if spec.for_training or role != "label" else ()
    by_key = {fold_column_name(name): name for name in reversed(names)}
    if name is not None and fold_column_name(name) in by_key:  # The column of training, written in another way.
        return by_key[fold_column_name(name)]
    return next((by_key[known] for known in usual if known in by_key), None)


def find_label_columns(names: Sequence[str], spec: ColumnSpec, where: str) -> list[str]:
    """Return the label columns that the user named, else those of training; empty where none is known.

    Parameters
    ----------
    names : sequence of str
        Columns to choose from.
    spec : ColumnSpec
        Named and training columns.
    where : str
        Name of the table, for messages.

    Raises
    ------
    UnknownName
        A column that the user named is not there.

    Examples
    --------
    >>> find_label_columns(["text", "tag_a", "tag_b", "x"], ColumnSpec(labels=("tag_*,x",)), "")
    ['tag_a', 'tag_b', 'x']
    """
    names_found: list[str] = []
    for requested in spec.labels:
        for name in (
            [requested] if requested in names else [part.strip() for part in requested.split(",") if part.strip()]
        ):
            matching = [name] if name in names else fnmatch.filter(names, name)
            question = name if name in names else match_question(name, names)
            if question is not None and (not matching or matching == [name]):
                matching = list_options(question, names) or [question]
            if not matching:
                raise make_unknown_name("column", name, names, where)
            names_found += [item for item in matching if item not in names_found]
    known = [name for role, name in spec.training_columns.items() if role == "label" or role.startswith(LABEL_ROLE)]
    by_key = {fold_column_name(name): name for name in reversed(names)}
    return names_found or [
        name if name in names else by_key[fold_column_name(name)] for name in known if fold_column_name(name) in by_key
    ]


def parse_split_word(word: str) -> str | None:
    """Return the split that a word names: "Validation" and "dev" are "validation"; None if it is none.

    Parameters
    ----------
    word : str
    """
    return SPLITS.get(word.strip().casefold())


def parse_split_stem(stem: str) -> str | None:
    """Return the split at the end of a file's stem: "train", "ECG200_TEST"; None if it names none.

    Parameters
    ----------
    stem : str
        File name without its ending.
    """
    return SPLITS.get(re.split(r"[\s_.\-]", stem.strip().casefold())[-1] or "-")
