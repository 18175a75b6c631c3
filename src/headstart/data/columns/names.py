"""Which column serves as what: the usual names, and how a user's choice overrides them."""

from __future__ import annotations

import fnmatch
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headstart.errors import unknown
from headstart.records import TEST, TRAIN, InputColumns

_USUAL = {
    "text": "text texts sentence sentences content message messages comment comments tweet review body post utterance "
    "feedback description document question texte texto mensaje commentaire",
    "label": "label labels target class classlabel category categories y labelname classname sentiment topic intent "
    "emotion classe clase categoria categorie etiqueta etiquette",
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
"""For each role the usual names, as `key` writes them, best first."""

SPLITS: dict[str, str] = {
    **dict.fromkeys(("train", "training", "tr"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "te", "holdout"), TEST),
    "": "",
}
"""What people write for the parts of a data set."""

MIN_STEPS = 8
LABEL = "label "
"""Begin of the role of each of several label columns: "label 1", "label 2" ..."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Columns asked for by role, which must be there.

    `strict` reads rows to learn from, else rows to predict, which need no label; `keep` are never values of a series;
    `known` are the columns of training, taken where they are there; `labels` are label columns asked for, as given
    ("a,b" or "tag_*" may stand for several); `several` looks for several columns of 0 and 1 where there is no label;
    `encoding` is that of text files, where the user named it.
    `texts` are text columns asked for, as given ("a,b" may stand for two).
    For series: `inputs` are the value columns of training; `values` ("FROM:TO"), `channels`, `axes` are as asked for.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    strict: bool = True
    keep: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    several: bool = False
    encoding: str | None = None
    texts: tuple[str, ...] = ()
    inputs: InputColumns | None = None
    values: str | None = None
    channels: tuple[str, ...] = ()
    axes: str = "auto"

    @property
    def roles(self) -> dict[str, str]:
        """All columns by role; what was asked for goes before what is known."""
        return {**self.known, **self.columns}


def key(name: str) -> str:
    """Write a column name so that spellings of one name are equal.

    Examples
    --------
    >>> key("File_Name ")
    'filename'
    """
    return re.sub(r"[\s_\-.]+", "", unicodedata.normalize("NFKC", name).casefold())


def pick(names: Sequence[str], role: str, wanted: Wanted, where: str) -> str | None:
    """Find the column for a role: the one asked for, that of training, or the first usual name; None if there is none.

    Raises
    ------
    UnknownName
        The column asked for is not there.
    """
    asked = wanted.columns.get(role)
    if asked is not None and asked not in names:
        raise unknown("column", asked, names, where)
    found = asked or wanted.known.get(role)
    if found in names:
        return found
    usual = ROLES.get(role, ()) if wanted.strict or role != "label" else ()
    by_key = {key(name): name for name in reversed(names)}
    if found is not None and key(found) in by_key:  # The column of training, written in another way.
        return by_key[key(found)]
    return next((by_key[known] for known in usual if known in by_key), None)


def label_columns(names: Sequence[str], wanted: Wanted, where: str) -> list[str]:
    """Give the label columns asked for, else those of training that are there; empty where none is known.

    Raises
    ------
    UnknownName
        A column asked for is not there.

    Examples
    --------
    >>> label_columns(["text", "tag_a", "tag_b", "x"], Wanted(labels=("tag_*,x",)), "")
    ['tag_a', 'tag_b', 'x']
    """
    found: list[str] = []
    for asked in wanted.labels:
        for name in [asked] if asked in names else [part.strip() for part in asked.split(",") if part.strip()]:
            matching = [name] if name in names else fnmatch.filter(names, name)
            if not matching:
                raise unknown("column", name, names, where)
            found += [one for one in matching if one not in found]
    known = [name for role, name in wanted.known.items() if role == "label" or role.startswith(LABEL)]
    by_key = {key(name): name for name in reversed(names)}
    return found or [name if name in names else by_key[key(name)] for name in known if key(name) in by_key]


def split_of(word: str) -> str | None:
    """Read a split word: "Validation" is "validation", "dev" too; None if it is none."""
    return SPLITS.get(word.strip().casefold())


def split_of_stem(stem: str) -> str | None:
    """Read the split from a file's stem: "train", "ECG200_TEST"; None if it names none."""
    return SPLITS.get(re.split(r"[\s_.\-]", stem.strip().casefold())[-1] or "-")
