"""Series: wide and long tables, a folder of CSV files a class, `.npz` and `.ts`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from headstart.data.cells import as_text, parse_number
from headstart.data.class_folders import read_places
from headstart.data.decoding import encoding_of, lines
from headstart.data.names import MIN_STEPS, Wanted, key, pick, step_groups
from headstart.data.reading.npz import read_npz_arrays
from headstart.data.rows import Draft
from headstart.data.sheet_rows import ids_of, labels_of, optional_texts, rest_of, roles_of
from headstart.data.sheets import Sheet, read_sheet
from headstart.data.tree import Tree
from headstart.errors import DataError, ending, offenders
from headstart.modalities.series import Series
from headstart.records import Finding, SetAside, column

_CHANNEL = "channel "


def fits(sheet: Sheet, base: Path, wanted: Wanted) -> bool:
    """Whether the sheet is a wide or a long table of series."""
    return bool(step_groups(sheet.names)) or _is_long(sheet, wanted) or len(_wide_fallback(sheet, wanted)) >= MIN_STEPS


def read(sheet: Sheet, base: Path, wanted: Wanted) -> Draft:
    """Read a wide table (a row a series), a long one (a row a time step), or one file that is one series."""
    groups = step_groups(sheet.names)
    if not wanted.strict and not {"values", "series"} & set(wanted.roles) and (sheet.headerless or not groups):
        return Draft("series", [_one_series(sheet)], [sheet.name], findings=sheet.findings)
    if groups:
        return _read_wide(sheet, groups, wanted)
    if _is_long(sheet, wanted):
        return _read_long(sheet, wanted)
    columns = _wide_fallback(sheet, wanted)
    if len(columns) >= MIN_STEPS:
        return _read_wide(sheet, [columns], wanted)
    raise DataError(
        f"{sheet.name} holds no series that can be read (columns: {', '.join(sheet.names[:20])}).",
        f"Give one row a series with at least {MIN_STEPS} columns t0, t1 ..., or columns id, time and values.",
    )


def _read_wide(sheet: Sheet, groups: Sequence[Sequence[str]], wanted: Wanted) -> Draft:
    roles = roles_of(sheet, wanted, [name for group in groups for name in group])
    steps = [[name for name in group if name not in roles.named().values()] for group in groups]
    values = np.stack([_matrix(sheet, group) for group in steps], axis=1)
    used = roles.named()
    labels, marks = labels_of(roles, sheet.texts)
    return Draft(
        modality="series",
        inputs=list(values),
        ids=ids_of(sheet, roles.id),
        labels=labels,
        marks=marks,
        splits=optional_texts(sheet, roles.split),
        metadata=rest_of(sheet, [*used.values(), *(name for group in groups for name in group)]),
        set_aside=sheet.set_aside,
        findings=sheet.findings + roles.findings,
        columns={**used, "values": f"{groups[0][0]} to {groups[-1][-1]}"},
    )


def _matrix(sheet: Sheet, names: Sequence[str]) -> NDArray[np.float32]:
    """Put columns side by side, (n_rows, time)."""
    made = np.empty((len(sheet.rows), len(names)), dtype=np.float32)
    bad = []
    for step, name in enumerate(names):
        numbers = sheet.numbers(name)
        if numbers is None:
            bad += sheet.bad_numbers(name)
        else:
            made[:, step] = numbers
    if bad:
        raise DataError(
            f"{sheet.name}: {len(bad)} cells are not numbers ({offenders(bad)}).", "Correct or empty these cells."
        )
    return made


def _wide_fallback(sheet: Sheet, wanted: Wanted) -> list[str]:
    """Give the numeric columns of a table whose time steps have names of their own (dates, wavelengths)."""
    roles = roles_of(sheet, wanted, [], classed=True)
    taken = {*roles.named().values(), *wanted.keep}
    return [name for name in sheet.names if name not in taken and sheet.numbers(name) is not None]


def _is_long(sheet: Sheet, wanted: Wanted) -> bool:
    name, time = _long_keys(sheet, wanted)
    if name is None or time is None:
        return False
    values = sheet.texts(name)
    return len(set(values)) < len(values) or not wanted.strict


def _long_keys(sheet: Sheet, wanted: Wanted) -> tuple[str | None, str | None]:
    where = f" in {sheet.name}"
    asked = Wanted(known=wanted.roles)
    name = pick(sheet.names, "series", asked, where)
    return name, pick([other for other in sheet.names if other != name], "time", asked, where)


def _read_long(sheet: Sheet, wanted: Wanted) -> Draft:
    name, time = _long_keys(sheet, wanted)
    assert name is not None and time is not None
    roles = roles_of(sheet, wanted, [name, time])
    owners = sheet.texts(name)
    codes, ids = _coded(owners)
    times, odd = _times(sheet, time)
    order = np.lexsort((times, codes))
    bounds = np.flatnonzero(np.diff(codes[order], prepend=-1))
    others = [other for other in sheet.names if other not in {name, time, *roles.named().values()}]
    channels = _channels(sheet, others, codes, order, wanted)
    if not channels:
        raise DataError(f"{sheet.name} has no column of values beside {name} and {time}.", "Add one column a channel.")
    values = np.stack([_whole(sheet, channel) for channel in channels])[:, order]
    firsts = order[bounds]
    labels, marks = labels_of(roles, lambda column: _constant(sheet, column, codes, firsts, ids))
    rest = [other for other in others if other not in channels]
    return Draft(
        modality="series",
        inputs=np.split(values, bounds[1:], axis=1),
        ids=ids,
        labels=labels,
        marks=marks,
        splits=None if roles.split is None else _constant(sheet, roles.split, codes, firsts, ids),
        metadata={other: sheet.column(other)[firsts] for other in rest},
        set_aside=sheet.set_aside,
        findings=(*sheet.findings, *roles.findings, *(odd or _repeated(times[order], codes[order], ids))),
        columns={
            **{role: column for role, column in roles.named().items() if role != "id"},
            "series": name,
            "time": time,
            **{f"{_CHANNEL}{number}": channel for number, channel in enumerate(channels, start=1)},
        },
    )


def _coded(values: Sequence[str]) -> tuple[NDArray[np.intp], list[str]]:
    """Number the series in order of first appearance."""
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(value, len(numbers)) for value in values], dtype=np.intp)
    return codes, list(numbers)


def _times(sheet: Sheet, name: str) -> tuple[NDArray[np.float64], tuple[Finding, ...]]:
    """Give each row's time as a number; where times are neither numbers nor ISO dates, the order of the file."""
    texts = sheet.texts(name)
    found: list[NDArray[np.float64]] = []
    for read_one in (lambda text: parse_number(text, sheet.decimal_comma), _seconds_of):
        try:
            found.append(np.array(list(map(read_one, texts)), dtype=np.float64))
            break
        except ValueError:
            continue
    times = found[0] if found else np.arange(len(texts), dtype=np.float64)
    if found and np.isfinite(times).all():
        return times, ()
    odd = next((text for text, time in zip(texts, times, strict=True) if not np.isfinite(time)), texts[0])
    what = (
        f"are neither numbers nor dates like 2026-01-31, such as '{odd}'" if not found else "are missing in some rows"
    )
    then = "the order of the rows in the file was taken" if not found else "those rows come last in their series"
    advice = "Check that the rows are in order, or write the times as numbers or like 2026-01-31 12:00."
    return times, (Finding("times-not-read", "warn", (), f"The times in '{name}' {what}; {then}.", advice),)


def _seconds_of(text: str) -> float:
    """Read an ISO date as seconds; one without a zone counts as UTC."""
    if not text.strip():
        return math.nan
    when = datetime.fromisoformat(text.strip())
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _repeated(times: NDArray[np.float64], codes: NDArray[np.intp], ids: Sequence[str]) -> tuple[Finding, ...]:
    """Point out series that have two values at one time (times and codes in order)."""
    again = (np.diff(times) == 0) & (np.diff(codes) == 0)
    rows = tuple(ids[code] for code in np.unique(codes[1:][again]))
    if not rows:
        return ()
    summary = f"{len(rows)} series have two rows with the same time (such as {rows[0]}); both were kept, in file order."
    return (Finding("repeated-times", "warn", rows, summary, "Remove the copies if they are a mistake."),)


def _channels(
    sheet: Sheet, others: Sequence[str], codes: NDArray[np.intp], order: NDArray[np.intp], wanted: Wanted
) -> list[str]:
    """Find the columns of values: those of training, else every number that changes within a series."""
    known = [name for role, name in wanted.roles.items() if role.startswith(_CHANNEL)]
    if known:
        absent = [name for name in known if name not in sheet.names]
        if absent:
            raise DataError(
                f"{sheet.name} lacks the columns {offenders(absent)}.", "Give the columns used in training."
            )
        return known
    numeric = [name for name in others if name not in wanted.keep and sheet.numbers(name) is not None]
    same = np.diff(codes[order]) == 0
    changing = [name for name in numeric if _changes(_whole(sheet, name)[order], same)]
    return changing or numeric


def _changes(values: NDArray[np.float32], same: NDArray[np.bool_]) -> bool:
    """Whether a column changes between two rows of one series."""
    steps = np.diff(values)
    return bool((steps[same & np.isfinite(steps)] != 0).any())


def _whole(sheet: Sheet, name: str) -> NDArray[np.float32]:
    numbers = sheet.numbers(name)
    if numbers is None:
        raise DataError(f"{sheet.name}: the column {name} is not only numbers.", "Correct its cells.")
    return numbers


def _constant(
    sheet: Sheet, name: str, codes: NDArray[np.intp], firsts: NDArray[np.intp], ids: Sequence[str]
) -> list[str]:
    """Give one value a series; a series with two labels is an error."""
    values = sheet.texts(name)
    first = [values[row] for row in firsts]
    odd = sorted({code for code, value in zip(codes.tolist(), values, strict=True) if value != first[code]})
    if odd:
        raise DataError(
            f"{sheet.name}: {len(odd)} series have more than one {name} ({offenders([ids[code] for code in odd])}).",
            "Give every row of a series the same value.",
        )
    return first


def _one_series(sheet: Sheet) -> Series:
    """Read a whole file as one series: a row a time step, a column a channel."""
    names = [name for name in sheet.names if key(name) not in {"time", "timestamp", "t", "date", "datetime", "index"}]
    found = [numbers for name in names if (numbers := sheet.numbers(name)) is not None]
    if not found:
        raise DataError("it has no column of numbers", "Give one row a time step and one column a channel.")
    values = np.stack(found)
    return values.T if sheet.headerless and values.shape[1] == 1 else values


def read_folder(tree: Tree, files: Sequence[PurePosixPath]) -> Draft:
    """Read a folder a class of CSV files, one series a file; split folders may stand above."""
    parts = [split or "" for _, split in read_places([PurePosixPath(*file.parts[-3:]) for file in files])]
    inputs, kept, set_aside = [], [], []
    for number, file in enumerate(files):
        try:
            inputs.append(_one_series(read_sheet(tree.at(file))))
            kept.append(number)
        except DataError as error:
            set_aside.append(SetAside(file.as_posix(), ending(error.problem, tree.at(file))))
    return Draft(
        modality="series",
        inputs=inputs,
        ids=[files[number].as_posix() for number in kept],
        labels=[files[number].parts[-2] for number in kept],
        splits=[parts[number] for number in kept],
        set_aside=tuple(set_aside),
    )


def read_npz(path: Path) -> Draft:
    """Read arrays X (n, channels, time) or (n, time), y, split and further columns of length n.

    Raises
    ------
    DataError
        There is no X, its shape is none of the two, or the file is damaged or would have to be unpickled.
    """
    arrays = read_npz_arrays(path)
    by_key = {key(name): name for name in arrays}
    name = next((by_key[known] for known in ("x", "data", "inputs", "values", "series") if known in by_key), None)
    if name is None:
        raise DataError(f"{path} has no array X (found: {', '.join(arrays)}).", "Save it as X, with labels as y.")
    values = cube(arrays.pop(name), str(path))
    rest = {
        other: [as_text(v) for v in array.tolist()]
        for other, array in arrays.items()
        if array.shape == values.shape[:1]
    }
    _refuse_misfits(path, {other: array.shape for other, array in arrays.items()}, len(values))
    label, split, given = (pick(list(rest), role, Wanted(), "") for role in ("label", "split", "id"))
    used = {role: column for role, column in (("label", label), ("split", split)) if column is not None}
    numbered = [f"{path.name}:{row}" for row in range(1, len(values) + 1)]
    return Draft(
        modality="series",
        inputs=list(values),
        ids=rest[given] if given is not None else numbered,
        labels=rest[label] if label is not None else None,
        splits=rest[split] if split is not None else None,
        metadata={other: column(v) for other, v in rest.items() if other not in {label, split, given}},
        columns={"values": name, **used},
    )


def _refuse_misfits(path: Path, shapes: Mapping[str, tuple[int, ...]], n_rows: int) -> None:
    """Refuse labels or splits that are not one value a row."""
    for role in ("label", "split"):
        name = pick(list(shapes), role, Wanted(), "")
        if name is not None and shapes[name] != (n_rows,):
            raise DataError(
                f"{path}: {name} has shape {shapes[name]}, but there are {n_rows} series.", "Give one value a series."
            )


def cube(values: NDArray[np.generic], where: str) -> NDArray[np.float32]:
    """Give an array of numbers the shape (n, channels, time)."""
    if values.ndim not in {2, 3} or values.dtype.kind not in "fiub":
        raise DataError(
            f"{where}: the array of series has shape {values.shape} and type {values.dtype}.",
            "Give numbers of shape (rows, time) or (rows, channels, time).",
        )
    made = values.astype(np.float32)
    return made[:, None, :] if made.ndim == 2 else made


def read_ts(path: Path) -> Draft:
    """Read the `.ts` format of the UEA archive: channels separated by colons, the label last.

    Raises
    ------
    DataError
        A line cannot be read; all bad lines are named.
    """
    labelled, started, bad = "", False, []
    inputs: list[Series] = []
    labels: list[str] = []
    rows: list[int] = []
    for number, line in enumerate(lines(path, encoding_of(path)), start=1):
        text = line.strip()
        if not text or text.startswith(("#", "%")):
            continue
        if not started:
            words = text.casefold().split()
            if words[0] in {"@classlabel", "@targetlabel"} and words[1:2] == ["true"]:
                labelled = words[0].removeprefix("@")
            started = words[0] == "@data"
            continue
        *channels, last = text.split(":") if labelled else (*text.split(":"), "")
        try:
            inputs.append(_ts_series(channels))
        except ValueError:
            bad.append(f"line {number}")
            continue
        labels.append(last.strip())
        rows.append(number)
    if bad:
        raise DataError(f"{path}: {len(bad)} lines cannot be read ({offenders(bad)}).", "Correct them.")
    if not rows:
        raise DataError(f"{path} has no series below @data.", "Check that this is the right file.")
    ids = [f"{path.name}:{row}" for row in rows]
    columns = {"label": labelled} if labelled == "targetlabel" else {}
    return Draft("series", inputs, ids, labels if labelled else None, columns=columns)


def _ts_series(channels: Sequence[str]) -> Series:
    """Read one line; "(time,value)" pairs give their values, shorter channels end in NaN."""
    parts = [re.sub(r"\([^,()]*,([^()]*)\)", r"\1", channel).split(",") for channel in channels]
    if not parts:
        raise ValueError
    made = np.full((len(parts), max(map(len, parts))), np.nan, dtype=np.float32)
    for row, values in zip(made, parts, strict=True):
        row[: len(values)] = [parse_number(value, False) for value in values]
    return made


def from_list(values: Sequence[object]) -> list[Series]:
    """Take (channels, time) or (time,) arrays of different lengths."""
    arrays = [np.asarray(value, dtype=np.float32) for value in values]
    bad = [str(row) for row, array in enumerate(arrays) if array.ndim not in {1, 2}]
    if bad:
        raise DataError(f"Series must have one or two dimensions; rows {offenders(bad)} do not.", "Reshape them.")
    return [array[None, :] if array.ndim == 1 else array for array in arrays]
