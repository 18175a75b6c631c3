"""A project: one folder with examples, labels, models and jobs, open to people, commands and pages at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from headstart.errors import HeadstartError
from headstart.home import remove_leftovers
from headstart.projects import examples as example_rows
from headstart.projects import forgetting, jobs, journal, kinds, label_file, models
from headstart.projects.records import (
    ALL_EXAMPLES,
    JOB_STATES,
    Example,
    ExampleFilter,
    ImportedLabels,
    Job,
    Kind,
    LabelCounts,
    LabelEvent,
    NewExample,
    NewLabel,
    ProjectModel,
    Source,
)
from headstart.projects.settings import SETTINGS
from headstart.projects.store import DATABASE, ProjectStore, create_database, open_database
from headstart.projects.tables import LABELLED_ROWS, ProjectTable, TableRequest, read_project_table
from headstart.records import Table


def is_project(folder: Path | str) -> bool:
    """Return whether a folder holds a project.

    Parameters
    ----------
    folder : Path or str
    """
    return (Path(folder).expanduser() / DATABASE).is_file()


class Project:
    """A project that is open; several threads and processes may have it open at once.

    Parameters
    ----------
    folder : Path
        Use `Project.open` or `Project.create`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._store = ProjectStore(folder)
        self._store.on_write = self._note_change
        self._exported_at, self._export_seconds = time.monotonic(), 0.0
        self._is_stale = False

    @classmethod
    def create(cls, folder: Path | str, name: str = "") -> Self:
        """Make a project in a folder, which may hold other things already.

        Parameters
        ----------
        folder : Path or str
            Made if it is not there.
        name : str
            What people call it; the folder's name if empty.

        Raises
        ------
        OptionError
            There is a project already, or the folder cannot be written to.
        """
        place = Path(folder).expanduser()
        create_database(place, name.strip() or place.resolve().name)
        return cls(place)

    @classmethod
    def open(cls, folder: Path | str) -> Self:
        """Open a project; one of an older format becomes one of the newest.

        Parameters
        ----------
        folder : Path or str

        Raises
        ------
        DataError
            There is none, it is damaged, or of a newer format.
        """
        place = Path(folder).expanduser()
        open_database(place)
        return cls(place)

    def close(self) -> None:
        """Write `labels.csv` if need be, and let go of the database."""
        if self._is_stale:
            self._try_export()
        self._store.close()

    def is_replaced(self) -> bool:
        """Return whether somebody removed the project since, or put another one in its place: open that one then."""
        return self._store.is_replaced()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Project({str(self.folder)!r}, {self.count_labels().n_examples:,} examples)"

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name

    @property
    def name(self) -> str:
        """What people call the project."""
        return str(self._read_about("name"))

    @name.setter
    def name(self, name: str) -> None:
        with self._store.write() as connection:
            connection.execute("UPDATE about SET name = ?", (name.strip() or self.id,))

    @property
    def created(self) -> str:
        """When it was made (UTC)."""
        return str(self._read_about("created"))

    @property
    def revision(self) -> int:
        """Grows with each change of what the project holds; the progress of jobs is none."""
        return int(self._read_about("revision"))

    def _read_about(self, column: str) -> Any:
        with self._store.read() as connection:
            return connection.execute(f"SELECT {column} FROM about").fetchone()[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all changes of the block, or none of them; other writers wait meanwhile, so keep it short.

        A change that fails inside takes back itself only, if its error is caught inside.
        """
        with self._store.write():
            yield

    def get_setting(self, key: str, default: Any = None) -> Any:
        """Return a setting, such as "modality", "text_column" or "base"."""
        return models.get_setting(self._store, key, default)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a setting (JSON); None removes it."""
        models.set_setting(self._store, key, value)

    def add_source(self, path: Path | str, role: str, options: Mapping[str, Any] | None = None) -> int:
        """Note where examples come from ("examples", "check" ...) and how it was read; return its number."""
        return models.add_source(self._store, str(path), role, options or {})

    def finish_source(self, source: int) -> None:
        """Note that all of a source has been read; one that is not finished is gone on with when it is added again."""
        models.finish_source(self._store, source)

    def list_sources(self) -> list[Source]:
        """Return the sources, the oldest first."""
        return models.list_sources(self._store)

    def add_examples(self, items: Sequence[NewExample], who: str = "") -> list[int]:
        """Add examples, their labels with origin "import"; one of a known content and name is skipped.

        Returns
        -------
        list of int
            Ids of those that were added, in order.
        """
        return example_rows.add_examples(self._store, items, who)

    def get_example(self, example: int) -> Example:
        """Return one example; `DataError` where there is none."""
        return example_rows.get_example(self._store, example)

    def get_examples(self, ids: Sequence[int]) -> list[Example]:
        """Return examples in the order of their ids; unknown ids are left out."""
        return list(example_rows.read_examples(self._store, ids))

    def list_examples(
        self, chosen: ExampleFilter = ALL_EXAMPLES, offset: int = 0, limit: int | None = 100, order: str = "id"
    ) -> list[Example]:
        """Return a page of the examples that fit; `order` is one of `examples.ORDERS`."""
        return self.get_examples(self.list_ids(chosen, offset, limit, order))

    def list_ids(
        self, chosen: ExampleFilter = ALL_EXAMPLES, offset: int = 0, limit: int | None = None, order: str = "id"
    ) -> list[int]:
        """Return ids of the examples that fit, without reading what they hold."""
        return example_rows.list_ids(self._store, chosen, order, limit=limit, offset=offset)

    def iterate_examples(self, chosen: ExampleFilter = ALL_EXAMPLES) -> Iterator[Example]:
        """Yield all examples that fit, one at a time, as they are at this moment."""
        return example_rows.iterate_examples(self._store, chosen)

    def count_examples(self, chosen: ExampleFilter = ALL_EXAMPLES) -> int:
        """Return how many examples fit."""
        return example_rows.count_examples(self._store, chosen)

    def count_groups(self, column: str, chosen: ExampleFilter = ALL_EXAMPLES) -> dict[str, int]:
        """Return how many examples have each value of a metadata column, the most frequent first."""
        return example_rows.count_groups(self._store, column, chosen)

    def list_metadata_columns(self) -> list[str]:
        """Return the names of all metadata columns."""
        return label_file.list_metadata_columns(self._store)

    def find_names(self, names: Iterable[str]) -> dict[str, list[int]]:
        """Return the ids of the examples that have these names, in order; names that none has are left out."""
        return example_rows.find_names(self._store, names)

    def find_known_hashes(self, hashes: Iterable[str], other_than: int | None = None) -> set[str]:
        """Return which of these contents the project has (from other sources than one)."""
        return set(example_rows.find_ids_of_hashes(self._store, hashes, other_than).values())

    def find_ids_of_hashes(self, hashes: Iterable[str]) -> list[int]:
        """Return ids of the examples that have one of these contents."""
        return sorted(example_rows.find_ids_of_hashes(self._store, hashes))

    def set_state(self, ids: Sequence[int], state: str, reason: str = "", who: str | None = None) -> None:
        """Leave examples out ("left_out") or take them in ("in"); with a name, that person can undo it."""
        journal.set_state(self._store, ids, state, reason=reason, who=who)

    def forget_examples(self, ids: Sequence[int]) -> None:
        """Remove all that the project knows of these examples, for good; nothing undoes it."""
        forgetting.forget_examples(self._store, ids)

    def list_kinds(self) -> list[Kind]:
        """Return the kinds with their counts, in the order in which they were made."""
        return kinds.list_kinds(self._store)

    def add_kind(self, name: str) -> None:
        """Add a kind; one that is there stays."""
        kinds.add_kind(self._store, name)

    def remove_kind(self, name: str) -> None:
        """Remove a kind that never had a label."""
        kinds.remove_kind(self._store, name)

    def rename_kind(self, old: str, new: str, who: str) -> None:
        """Rename a kind, or make it one with another; `undo` takes it back."""
        kinds.rename_kind(self._store, old, new, who)

    def add_labels(self, labels: Sequence[NewLabel]) -> None:
        """Write answers into the journal, all or none; a person's label is never replaced by a model's."""
        journal.add_labels(self._store, labels)

    def undo(self, who: str) -> list[int]:
        """Take back what this person did last; return the ids of the examples concerned."""
        return journal.step_back(self._store, who, is_undo=True)

    def redo(self, who: str) -> list[int]:
        """Make again what this person took back last; return the ids of the examples concerned."""
        return journal.step_back(self._store, who, is_undo=False)

    @property
    def position(self) -> tuple[int, int]:
        """Newest act of the journal and newest example: the same as long as nobody adds, labels or leaves out."""
        with self._store.read() as connection:
            row = connection.execute("SELECT (SELECT max(id) FROM acts), (SELECT max(id) FROM examples)").fetchone()
        return row[0] or 0, row[1] or 0

    def list_events(self, example: int) -> list[LabelEvent]:
        """Return every answer about an example, those taken back included, the oldest first."""
        return journal.list_events(self._store, example)

    def iterate_events(
        self, origin: str | None = None, purpose: str | None = None, chosen: str | None = None
    ) -> Iterator[LabelEvent]:
        """Yield the answers that hold, of all examples, the oldest first."""
        return journal.iterate_events(self._store, origin, purpose, chosen)

    def count_labels(self) -> LabelCounts:
        """Return how many examples are labelled, open and left out."""
        return journal.count_labels(self._store)

    def set_splits(self, splits: Mapping[int, str]) -> None:
        """Set "train" or "test" by id; `flow.projects.assign_splits` decides which."""
        example_rows.set_splits(self._store, splits)

    def add_model(self, folder: Path | None = None, command: str = "", state: str = "running") -> int:
        """Register a model; without a folder it is to be written to models/n. Return n."""
        return models.add_model(self._store, folder, command, state)

    def update_model(self, n: int, state: str | None = None, facts: Mapping[str, Any] | None = None) -> None:
        """Note how far a model is, and what pages show of it."""
        models.update_model(self._store, n, state, facts)

    def list_models(self) -> list[ProjectModel]:
        """Return all models, the oldest first."""
        return models.list_models(self._store)

    def get_model(self, n: int) -> ProjectModel:
        """Return a model; `UnknownName` where there is none."""
        return models.get_model(self._store, n)

    def get_current_model(self) -> ProjectModel | None:
        """Return the model in use, if any."""
        return models.get_current_model(self._store)

    def set_current_model(self, n: int) -> None:
        """Take a model into use."""
        models.set_current_model(self._store, n)

    def add_job(self, kind: str, argv: Sequence[str]) -> int:
        """Queue a command line; return its number, or that of the same one where it waits or runs already."""
        return jobs.add_job(self._store, kind, argv)

    def list_jobs(self, states: Sequence[str] = JOB_STATES) -> list[Job]:
        """Return the jobs in these states, the oldest first."""
        return jobs.list_jobs(self._store, states)

    def get_job(self, job: int) -> Job:
        """Return a job; `UnknownName` where there is none."""
        return jobs.get_job(self._store, job)

    def claim_job(self, pid: int, job: int | None = None) -> Job | None:
        """Take the oldest queued job, or this one, for a process; None where another has it."""
        return jobs.claim_job(self._store, pid, job)

    def update_job(
        self, job: int, state: str | None = None, pid: int | None = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        """Note what became of a job; "queued" queues it again, otherwise one that ended stays as it ended."""
        jobs.update_job(self._store, job, state, pid=pid, facts=facts)

    def read_table(self, include_unlabelled: bool = False, merge_labels: bool = False) -> Table:
        """Return the examples that are in as a `Table`, as `data.read_table` reads it from files."""
        return self.read_rows(TableRequest(include_unlabelled=include_unlabelled, merge_labels=merge_labels)).table

    def read_rows(self, request: TableRequest = LABELLED_ROWS) -> ProjectTable:
        """Return the examples that are in as a `Table`, and the example of each row."""
        return read_project_table(self._store, request)

    @property
    def label_file(self) -> Path:
        """Path of `labels.csv`."""
        return self.folder / label_file.LABEL_FILE

    def export_labels(self) -> Path:
        """Write `labels.csv`, whole or not at all, and return its path."""
        began = self._exported_at = time.monotonic()
        label_file.export_labels(self._store, self.label_file)
        remove_leftovers(self.folder, f".{label_file.LABEL_FILE}.*.partial")
        self._is_stale = False
        self._exported_at = time.monotonic()
        self._export_seconds = self._exported_at - began
        return self.label_file

    def import_labels(
        self, path: Path | str, who: str, adds_kinds: bool = False, replaces: bool = False
    ) -> ImportedLabels:
        """Bring back what somebody changed in a `labels.csv`; `replaces` also overwrites newer answers."""
        return label_file.import_labels(self._store, Path(path), who, adds_kinds=adds_kinds, replaces=replaces)

    def _note_change(self) -> None:
        """Write `labels.csv` from time to time, so that it is near the truth if the database is ever lost."""
        self._is_stale = True
        pause = max(SETTINGS.export_seconds, self._export_seconds / SETTINGS.export_share)
        if time.monotonic() - self._exported_at > pause:
            self._try_export()

    def _try_export(self) -> None:
        """Write `labels.csv`, or leave it as it was where it cannot be written: the journal has everything."""
        with suppress(HeadstartError):
            self.export_labels()
