"""How a JSON file of a bundle becomes a typed record: strictly, within bounds, or not at all.

Values are never converted: "3" is no number, 1 is no truth value, NaN is nothing. What is wrong is said with the place
and the value that was found.
"""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from headstart.array_files import DamagedArrays
from headstart.bundle.file_names import is_listed_name, is_plain_name, make_printable
from headstart.errors import BundleError

MOST_LABELS, MOST_CLASSES = 2_000, 100_000
"""Characters of a label, and classes of a model."""
MOST_VALUE_CHARACTERS = 40
HINT = "Make it again with headstart adapt, or use the version of headstart that made it."


BUILD_FAILURES: tuple[type[Exception], ...] = (
    KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, ZeroDivisionError, RecursionError,
)  # fmt: skip
"""What building a model raises on files that do not belong together and that no record noticed."""


class Misfit(ValueError):
    """A file of a bundle that is not as such files are; the message names file, place and value."""


@contextmanager
def raise_bundle_errors(folder: object) -> Iterator[None]:
    """Turn what does not fit in the files of a bundle into the one error that users see.

    Parameters
    ----------
    folder : object
        The bundle that the message names.

    Raises
    ------
    BundleError
    """
    try:
        yield
    except (Misfit, DamagedArrays) as error:
        reason = str(error).removesuffix(".")
        raise BundleError(f"The bundle {folder} cannot be understood: {reason}.", HINT) from error
    except BUILD_FAILURES as error:
        reason = make_printable(" ".join(str(error).split()), 200)
        raise BundleError(
            f"The bundle {folder} cannot be understood ({type(error).__name__}: {reason}).", HINT
        ) from error


class StrictRecord(BaseModel):
    """Base of all records of a bundle: no conversion, no NaN; unknown keys are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def _check_plain_name(name: str) -> str:
    if not is_plain_name(name):
        raise ValueError("is no plain file name")
    return name


def _check_listed_name(name: str) -> str:
    if not is_listed_name(name):
        raise ValueError("is no plain file name")
    return name


FileName = Annotated[str, AfterValidator(_check_plain_name)]
ListedName = Annotated[str, AfterValidator(_check_listed_name)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Label = Annotated[str, Field(max_length=MOST_LABELS)]
Text = Annotated[str, Field(max_length=100_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Number = Annotated[float, Field(ge=-1e300, le=1e300)]


def parse_record(kind: type[Model], document: object, where: str) -> Model:
    """Return a document as a record.

    Parameters
    ----------
    kind : type of record
    document : what JSON gave
    where : str
        The file, for the message.

    Raises
    ------
    Misfit
        With the first place that is wrong.

    Examples
    --------
    >>> class Size(StrictRecord):
    ...     size: int
    >>> parse_record(Size, {"size": "3"}, "config.json")
    Traceback (most recent call last):
    headstart.bundle.records.schema.Misfit: config.json: size: input should be a valid integer (was '3')
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise make_misfit(where, first["loc"], first["msg"], value=first["input"], kind=first["type"]) from error


def make_misfit(where: str, place: tuple[int | str, ...], problem: str, value: object, kind: str = "") -> Misfit:
    """Return the error for one place of a file."""
    inner = ".".join(
        make_printable(part, MOST_VALUE_CHARACTERS)
        for part in place
        if "[" not in str(part) and part != "function-after"
    )
    message = problem.removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    value_note = "" if kind == "missing" else f" (was {make_printable(reprlib.repr(value), MOST_VALUE_CHARACTERS)})"
    return Misfit(f"{where}: {inner + ': ' if inner else ''}{message}{value_note}")


def require_mapping(document: object, where: str) -> Mapping[str, Any]:
    """Return a document that is an object; raise `Misfit` where it is not."""
    if not isinstance(document, dict):
        raise make_misfit(where, (), "input should be an object", document)
    return document
