"""Room: every option, declared once: name, type, range, default, help text.

The command line, the Python interface and the server read these records; none declares an option of its own.
Nothing is done here.
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError

from headstart.errors import OptionError
from headstart.options.answer_files import AnswerFileOptions
from headstart.options.carefulness import SetCareOptions as SetCareOptions
from headstart.options.coding import CodesDiffOptions as CodesDiffOptions
from headstart.options.columns import ColumnOptions as ColumnOptions
from headstart.options.connecting import ConnectKoboOptions as ConnectKoboOptions
from headstart.options.fetching import AddBaseOptions as AddBaseOptions
from headstart.options.fetching import FetchBaseOptions as FetchBaseOptions
from headstart.options.fields import (
    Columns,
    ComparedColumns,
    ComparedGroups,
    Domain,
    HeadBase,
    Language,
    MaxMemory,
    MergeLabels,
    Names,
    Offline,
    Points,
    Precision,
    ReservedClasses,
    Runtime,
    Seconds,
    Seed,
    TrainingLabel,
    WithoutExamples,
)
from headstart.options.kept_data import CacheOptions as CacheOptions
from headstart.options.kept_data import ForgetOptions as ForgetOptions
from headstart.options.labelling import LabelOptions as LabelOptions
from headstart.options.language import AdaptLanguageOptions as AdaptLanguageOptions
from headstart.options.language import EvaluateLanguageOptions as EvaluateLanguageOptions
from headstart.options.projects import AddDataOptions as AddDataOptions
from headstart.options.projects import ImportLabelsOptions as ImportLabelsOptions
from headstart.options.projects import ListExamplesOptions as ListExamplesOptions
from headstart.options.projects import ProjectOptions as ProjectOptions
from headstart.options.reading import ReadOptions as ReadOptions
from headstart.options.reading import SourceOptions as SourceOptions
from headstart.options.record import Options as Options
from headstart.options.redacting import RedactOptions as RedactOptions
from headstart.options.requirements import Requirements
from headstart.options.serving import ServeOptions as ServeOptions
from headstart.options.studio import StudioOptions as StudioOptions
from headstart.options.vectors import EmbedOptions as EmbedOptions
from headstart.options.vectors import SearchOptions as SearchOptions
from headstart.options.vectors import SimilarOptions as SimilarOptions

OptionsT = TypeVar("OptionsT", bound="Options")


class CheckOptions(ReadOptions):
    """How closely to look at data."""

    deep: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Run the base model to find label errors and outliers: auto = for at most a minute, on = without a "
        "time limit, or off.",
    )
    reserved: ReservedClasses = ()
    base: str = Field("default", description="Base model of --deep: as for adapt.")
    seed: Seed = 0
    precision: Precision = "auto"
    offline: Offline = False


class AdaptOptions(ReadOptions):
    """How to adapt a base model."""

    base: str = Field(
        "default",
        description="Base model: a name from `headstart bases`, timm:NAME, hf:REPO, file:PATH; auto = ranked on your "
        "rows; default = by modality, for texts by their language.",
    )
    strategy: Names = Field(
        (),
        description="Only these strategies (comma-separated), or a preset: quick, default (costly ones only where they "
        "may gain) or thorough (all).",
    )
    time: Seconds = Field(600.0, description="Time limit of the whole command, such as 90s, 10m or 1h.")
    seed: Seed = 0
    test: Path | None = Field(None, description="Separate test data, in the same form as DATA.")
    also: Path | None = Field(
        None, description="More labelled training rows, such as the table of `label-next`; never used as test rows."
    )
    labels_per_class: int | None = Field(
        None, ge=1, description="Draw this many training rows of each class (for learning-curve studies)."
    )
    coverage: float = Field(0.9, ge=0.5, le=0.999, description="Target coverage of prediction sets and intervals.")
    cost: Columns = Field(
        (),
        description="Cost of an error, as TRUTH->ANSWER=COST, such as 'TB->healthy=20'; all others cost 1; repeatable.",
    )
    answer_below: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Answer with a class only if it is at least so probable (0: always); --cost replaces it.",
    )
    refer_cost: float = Field(0.25, ge=0.0, description="With --cost: cost of no answer (a person is asked).")
    reserved: ReservedClasses = ()
    require: Requirements = ()
    compare: ComparedColumns = ()
    balance: Literal["auto", "on", "off"] = Field(
        "auto", description="Give rare classes more weight: on, off, or auto = if it helps in cross-validation."
    )
    duplicates: Literal["keep", "drop"] = Field(
        "keep", description="Training rows that are copies of test rows: keep (with a warning) or drop."
    )
    precision: Precision = "auto"
    max_memory: MaxMemory = 4.0
    audit: Literal["auto", "none", "quick", "full"] = Field(
        "auto",
        description="Audit of the base model: quick = with 64 changed test rows, full = with 512, none; auto = quick "
        "with --group, else without changed rows.",
    )
    swaps: Path | None = Field(
        None, description="CSV of word pairs to swap in texts for --audit, instead of the built-in ones."
    )
    mitigate: Literal["none", "group-balance", "reweight"] = Field(
        "none",
        description="Fit the last layer again so that small groups count more: group-balance (needs --group), or "
        "reweight (without groups). Used only if the worst group gains.",
    )
    keep_torch: bool = Field(
        False,
        description="Write the weights in 32 bits and once more as torch reads them: a bundle 3 to 4 times larger.",
    )
    keep_vocabulary: bool = Field(
        False,
        description="For texts: write all pieces of words that the base model knows, not only those in use.",
    )
    language: Language = "auto"
    offline: Offline = False


class LabelNextOptions(ColumnOptions):
    """Which rows to label next."""

    n: int = Field(50, ge=1, le=100_000, description="Number of rows to name.")
    seed: Seed = 0
    precision: Precision = "auto"
    offline: Offline = False


class PredictOptions(ColumnOptions):
    """How to predict."""

    label: TrainingLabel = ()
    group: ComparedGroups = ()
    explain: bool = Field(
        False, description="Name the most similar training rows of each input (predict: one more column)."
    )
    precision: Precision = "auto"
    runtime: Runtime = "auto"
    base: HeadBase = None
    offline: Offline = False


class PredictFileOptions(PredictOptions, AnswerFileOptions):
    """How to predict, and how the answers are written into files."""


class EvaluateOptions(PredictOptions):
    """How to score a bundle at another place."""

    merge_labels: MergeLabels = False
    compare: ComparedColumns = ()
    require: Requirements = ()
    recalibrate: Path | None = Field(
        None, description="Folder for a copy of the bundle, with calibration and sets fitted again on these rows."
    )


class CompareOptions(ColumnOptions):
    """How to compare two bundles."""

    label: TrainingLabel = ()
    merge_labels: MergeLabels = False
    group: ComparedGroups = ()
    precision: Precision = "auto"
    offline: Offline = False


class ExplainOptions(ColumnOptions):
    """What to explain."""

    n: int = Field(12, ge=1, le=1_000, description="Number of inputs to explain: of more, the least sure answers.")
    language: Language = "auto"
    precision: Precision = "auto"
    offline: Offline = False


class BasesOptions(ReadOptions):
    """Which base models to list or, with data, to rank."""

    for_: Path | None = Field(None, description="Labelled data: rank the base models on its training rows.")
    candidate: tuple[str, ...] = Field(
        (),
        description="One more base model to rank, of any licence and size (file:FOLDER, hf:REPO ...); repeatable.",
    )
    licence: Literal["permissive", "any"] = Field(
        "permissive", description="Rank only base models whose licence is known to allow every use, or any."
    )
    max_mb: float = Field(1_000.0, gt=0.0, description="Largest size of the weights of a ranked base model (MB).")
    rows: int = Field(1_000, ge=20, le=100_000, description="Training rows that the last candidates are compared on.")
    domain: Domain = None
    fetch: bool = Field(False, description="Download the best two of the proposed base models and rank them, too.")
    seed: Seed = 0
    offline: Offline = False


class PretrainOptions(Options):
    """How to train a base model of our own from random weights."""

    time: Seconds | None = Field(
        None,
        description="Learn from as many pairs as this time allows, such as 90s or 20m, instead of a fixed number. The "
        "same command continues a stopped run.",
    )
    pairs: int | None = Field(
        None,
        ge=128,
        le=100_000_000,
        description="Number of pairs of views of synthetic series to learn from (default: as for the base model that "
        "comes with Headstart).",
    )
    seed: Seed = 0
    offline: Offline = False


class ReportOptions(Options):
    """How to write the report of a run again."""

    language: Language = "auto"
    without_examples: WithoutExamples = False


class DoctorOptions(Options):
    """How to say what a machine lacks."""

    language: Language = "auto"


class ExportOptions(ColumnOptions):
    """How to write a bundle in another form."""

    to: str = Field(
        ...,
        description="What to write: onnx, onnx-int8, openvino, web (a page without a server) or head (no base).",
    )
    data: Path | None = Field(
        None,
        description="Held-out rows to compare on, best with labels (default: test rows of the run, else golden rows).",
    )
    max_drop: Points = Field(
        0.01, description="For int8: largest loss of accuracy of a class or group, in points, such as 1pt."
    )
    label: TrainingLabel = ()
    group: tuple[str, ...] = Field((), description="Group column whose groups are compared as well; repeatable.")
    merge_labels: MergeLabels = False
    runtime_web: Path | None = Field(
        None, description="For web: folder of installed npm packages (else HEADSTART_RUNTIME_WEB, else fetched once)."
    )
    thumbnails: Path | None = Field(
        None, description="For web: the training data. The page then shows thumbnails of similar training rows."
    )
    offline: Offline = False


class VerifyOptions(Options):
    """How to check a bundle: there is nothing to choose."""


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
            field = str(item["loc"][0]) if item["loc"] else "options"
            if item["type"] == "extra_forbidden":
                known = ", ".join(sorted(kind.model_fields))
                near = get_close_matches(field, kind.model_fields, n=1)
                problems.append(
                    f"there is no option {field}" + (f"; did you mean {near[0]}?" if near else f" ({known})")
                )
                continue
            if item["type"] == "missing":
                meaning = (kind.model_fields[field].description or "").rstrip(".")
                problems.append(f"{flag(field)} is needed" + (f": {meaning}" if meaning else ""))
                continue
            message = str(item["msg"]).removeprefix("Value error, ")
            problems.append(f"{flag(field)}: {message} (given: {item['input']!r})")
        raise OptionError("; ".join(problems) + ".", "--help lists what options take.") from error
