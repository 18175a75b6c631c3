"""Room: every option, declared once: name, type, range, default, help text.

The command line, the Python interface and the server read these records; none declares an option of its own.
Nothing is done here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headstart.errors import OptionError
from headstart.options.fields import (
    Columns,
    ComparedGroups,
    Encoding,
    Language,
    MaxMemory,
    MergeLabels,
    ModalityChoice,
    Names,
    Offline,
    Points,
    Precision,
    RawTextColumn,
    ReservedClasses,
    Runtime,
    Seconds,
    Seed,
    TaskChoice,
    TrainingLabel,
)
from headstart.task_types import TASK_TYPES, TaskType

OptionsT = TypeVar("OptionsT", bound="Options")


class Options(BaseModel):
    """What all option records share: frozen, and no unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnOptions(Options):
    """Which columns serve as what, wherever data is read."""

    text: Columns = Field(
        (),
        description="Column that holds the text (that of training, else found by its name and content, if not given); "
        "several that are joined in this order: A,B or repeated.",
    )
    id: str | None = Field(
        None,
        description="Column that names the rows; in a table with a row a time step, the one that names the series.",
    )
    values: str | None = Field(
        None,
        description="First and last value column of series, as FROM:TO: these and all columns between are the steps.",
    )
    channels: Names = Field((), description="Channels of series to read, in this order: a,b,c (found if not given).")
    time_column: str | None = Field(
        None, description="Column of times in a table with a row a time step (found by its name if not given)."
    )
    axes: Literal["auto", "channels-first", "time-first"] = Field(
        "auto",
        description="Axes of arrays of series: (rows, channels, time) or (rows, time, channels); auto = as in "
        "training, else channels first.",
    )
    encoding: Encoding = None


class ReadOptions(ColumnOptions):
    """How to read the user's data."""

    label: Columns = Field(
        (),
        description="Column that holds the label (found by its name if not given); several columns of 0 and 1 for "
        "several labels a row: A,B,C or 'tag_*', or repeated.",
    )
    group: tuple[str, ...] = Field(
        (),
        description="Column of groups (site, sex): compared; of three or more each on one side of a split; repeatable.",
    )
    modality: ModalityChoice = Field("auto", description="What the data is.")
    merge_labels: MergeLabels = False
    unlabelled: str = Field(
        "stop",
        description="Rows without a label: stop with an error, drop them, or use them to learn from as well (for "
        "adapt); or a PATH to data without labels to learn from.",
    )
    task: TaskChoice = Field(
        "auto", description="What the label is: one class, several labels, a number, or a grade; found if not given."
    )
    order: Names = Field((), description="The grades, lowest first, for --task ordinal: low,medium,high.")

    @property
    def task_type(self) -> TaskType | None:
        """The task that is named; None for "auto"."""
        return TASK_TYPES.get(self.task)


class CheckOptions(ReadOptions):
    """How closely to look at data."""

    deep: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Run the base model to look for label errors and outliers: auto = for at most a minute, on = for "
        "as long as it takes, or off.",
    )
    reserved: ReservedClasses = ()
    base: str = Field("default", description="Base model for the deeper look: as for adapt.")
    seed: Seed = 0
    precision: Precision = "auto"
    offline: Offline = False


class AdaptOptions(ReadOptions):
    """How to adapt a base model."""

    base: str = Field(
        "default",
        description="Base model: a name from `headstart bases`, timm:NAME, hf:REPO, file:PATH; or auto.",
    )
    strategy: Names = Field(
        (), description="Only these strategies (comma-separated), or a preset: quick, default or thorough."
    )
    time: Seconds = Field(600.0, description="Time limit for everything, such as 90s, 10m or 1h.")
    seed: Seed = 0
    test: Path | None = Field(None, description="Separate data to test on (same form as DATA).")
    also: Path | None = Field(
        None, description="More labelled rows to learn from, such as the table of `label-next`; never tested on."
    )
    labels_per_class: int | None = Field(
        None, ge=1, description="Draw this many training rows a class (for learning-curve studies)."
    )
    coverage: float = Field(
        0.9, ge=0.5, le=0.999, description="Share of answers (a set of classes, a range) that are to hold the truth."
    )
    cost: Columns = Field(
        (),
        description="What a mistake costs, as TRUTH->ANSWER=COST, such as 'TB->healthy=20'; repeatable; others cost 1.",
    )
    refer_cost: float = Field(
        0.25, ge=0.0, description="With --cost: what it costs to give no answer and to ask a person."
    )
    reserved: ReservedClasses = ()
    balance: Literal["auto", "on", "off"] = Field(
        "auto", description="Weight rare classes up: on, off, or auto = where cross-validation says it helps."
    )
    duplicates: Literal["keep", "drop"] = Field(
        "keep", description="Training rows that also stand in the test rows: keep (and warn) or drop."
    )
    precision: Precision = "auto"
    max_memory: MaxMemory = 4.0
    audit: Literal["auto", "none", "quick", "full"] = Field(
        "auto",
        description="What the base brought in: none; quick, with 64 test rows changed a little; full, with 512; auto = "
        "quick where groups are named, else without changed rows.",
    )
    swaps: Path | None = Field(
        None, description="CSV of word pairs to swap in texts for --audit, in place of the built-in ones."
    )
    mitigate: Literal["none", "group-balance", "reweight"] = Field(
        "none",
        description="Fit the last layer again so that small groups count: group-balance (needs --group), or reweight "
        "without groups; kept only where the worst group gains.",
    )
    language: Language = "auto"
    offline: Offline = False


class LabelNextOptions(ColumnOptions):
    """Which rows to label next."""

    n: int = Field(50, ge=1, le=100_000, description="How many rows to name.")
    seed: Seed = 0
    precision: Precision = "auto"
    offline: Offline = False


class PredictOptions(ColumnOptions):
    """How to predict."""

    label: TrainingLabel = ()
    group: ComparedGroups = ()
    explain: bool = Field(
        False, description="Name the training rows that each input is most like (predict; a column more)."
    )
    precision: Precision = "auto"
    runtime: Runtime = "auto"
    offline: Offline = False


class EvaluateOptions(PredictOptions):
    """How to score a bundle at another place."""

    merge_labels: MergeLabels = False
    recalibrate: Path | None = Field(
        None, description="Folder for a copy of the bundle whose probabilities and sets are corrected with these rows."
    )


class CompareOptions(ColumnOptions):
    """How to hold two bundles against each other."""

    label: TrainingLabel = ()
    merge_labels: MergeLabels = False
    group: ComparedGroups = ()
    precision: Precision = "auto"
    offline: Offline = False


class ExplainOptions(ColumnOptions):
    """What to explain."""

    n: int = Field(12, ge=1, le=1_000, description="Inputs that are explained, from the first on.")
    precision: Precision = "auto"
    offline: Offline = False


class BasesOptions(ReadOptions):
    """Which base models to list or, with data, to rank."""

    for_: Path | None = Field(None, description="Labelled data: rank the bases on its training rows.")
    candidate: tuple[str, ...] = Field(
        (),
        description="Base to rank as well, whatever its licence and size (file:FOLDER, hf:REPO ...); may be repeated.",
    )
    licence: Literal["permissive", "any"] = Field(
        "permissive", description="Rank only bases whose licence is known to allow every use, or any."
    )
    max_mb: float = Field(1_000.0, gt=0.0, description="Rank only bases whose weights are at most this large (MB).")
    rows: int = Field(1_000, ge=20, le=100_000, description="Training rows that the last candidates are compared on.")
    seed: Seed = 0
    offline: Offline = False


class PretrainOptions(Options):
    """How to train a base model of our own from nothing."""

    time: Seconds | None = Field(
        None,
        description="Learn from as many pairs as fit this time, such as 90s or 20m, instead of a fixed number; "
        "checkpoints are kept, the same command goes on where it was stopped.",
    )
    pairs: int | None = Field(
        None,
        ge=128,
        le=100_000_000,
        description="Learn from so many pairs of views of made-up series (default: as many as the base that comes "
        "with Headstart).",
    )
    seed: Seed = 0
    offline: Offline = False


class ReportOptions(Options):
    """How to write the report of a run again."""

    language: Language = "auto"


class AdaptLanguageOptions(Options):
    """How to make a base for a language from raw text."""

    base: str = Field("default", description="Base model to begin with: default, a name, hf:REPO or file:PATH.")
    column: RawTextColumn = None
    encoding: Encoding = None
    time: Seconds = Field(1800.0, description="Time limit for everything, such as 90s, 10m or 1h.")
    seed: Seed = 0
    max_memory: MaxMemory = 4.0
    offline: Offline = False


class EvaluateLanguageOptions(Options):
    """How to measure a base on raw text."""

    column: RawTextColumn = None
    encoding: Encoding = None
    time: Seconds = Field(
        120.0, description="Time for training a head where the base has none; measuring takes about as long again."
    )
    seed: Seed = 0
    offline: Offline = False


class ExportOptions(ColumnOptions):
    """How to write a bundle in another form."""

    to: str = Field(..., description="What to write: onnx, onnx-int8, openvino or web (a page that needs no server).")
    data: Path | None = Field(
        None,
        description="Held-out rows to compare on, best with labels (default: test rows of the run, else golden rows).",
    )
    max_drop: Points = Field(
        0.01, description="For int8: points of accuracy that a class (or group) may lose, such as 1pt."
    )
    label: TrainingLabel = ()
    group: tuple[str, ...] = Field((), description="Column of groups that are compared as well; repeatable.")
    merge_labels: MergeLabels = False
    runtime_web: Path | None = Field(
        None, description="For web: folder of installed npm packages (else HEADSTART_RUNTIME_WEB, else fetched once)."
    )
    thumbnails: Path | None = Field(
        None, description="For web: the training data; the page then shows small copies of rows that an input is like."
    )
    offline: Offline = False


class VerifyOptions(Options):
    """How to check a bundle: there is nothing to choose."""


class CacheOptions(Options):
    """What to do with the feature cache."""

    prune: bool = Field(False, description="Remove what was not used lately.")
    older_than: float = Field(30.0, ge=0.0, description="Days without use after which --prune removes (0: everything).")


class ServeOptions(Options):
    """How to answer over HTTP, and what is too much."""

    host: str = Field("127.0.0.1", description="Address to listen on; any other than this machine's own needs a token.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on (0: any that is free).")
    token_file: Path | None = Field(
        None, description="File that holds the access token (or the environment variable HEADSTART_TOKEN)."
    )
    feedback: Path | None = Field(None, description="Folder for corrections, as a table that `adapt` reads.")
    window_ms: float = Field(
        5.0, ge=0.0, le=1_000.0, description="How long a request may wait for others, to be answered together (ms)."
    )
    max_batch: int = Field(32, ge=1, le=512, description="Rows that are answered together at most.")
    max_queue: int = Field(512, ge=1, le=100_000, description="Rows that may wait; more are refused with 503.")
    max_rows: int = Field(256, ge=1, le=100_000, description="Rows in one request.")
    max_mb: float = Field(32.0, gt=0.0, le=2_000.0, description="Size of one request (MB).")
    max_megapixels: float = Field(50.0, gt=0.0, le=178.0, description="Size of one picture (million pixels).")
    max_characters: int = Field(100_000, ge=1, le=10_000_000, description="Length of one text (characters).")
    max_numbers: int = Field(100_000, ge=1, le=10_000_000, description="Length of one series (numbers, all channels).")
    timeout: Seconds = Field(30.0, description="After so long a request is given up, such as 30s.")
    precision: Precision = "auto"
    runtime: Runtime = "auto"
    offline: bool = Field(False, description="Open no network connection but those that come in.")


def flag(name: str) -> str:
    """Write the name of an option as on the command line.

    Parameters
    ----------
    name : str
        Of a field.

    Examples
    --------
    >>> flag("max_mb"), flag("for_"), flag("n")
    ('--max-mb', '--for', '-n')
    """
    return f"-{name}" if len(name) == 1 else f"--{name.rstrip('_').replace('_', '-')}"


def parse(kind: type[OptionsT], **values: object) -> OptionsT:
    """Make an options record; a bad value becomes an `OptionError` that names the option and its range.

    Parameters
    ----------
    kind : type of OptionsT
    **values
        Fields of the record.

    Raises
    ------
    OptionError
        With all bad options at once.
    """
    try:
        return kind(**values)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            name = flag(str(item["loc"][0]) if item["loc"] else "options")
            suffix = f" (given: {item['input']!r})" if item["type"] != "extra_forbidden" else ""
            message = str(item["msg"]).removeprefix("Value error, ")
            problems.append(f"{name}: {message}{suffix}")
        raise OptionError("; ".join(problems) + ".", "See --help for what each option takes.") from error
