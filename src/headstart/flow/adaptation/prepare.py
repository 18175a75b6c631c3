"""From the user's path to rows that a strategy can learn from: read, check, split, choose the base, extract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart import data, features, progress
from headstart.bases import Backbone
from headstart.checks import check_split, check_table, require_trainable
from headstart.checks.copies import join_feature_duplicates
from headstart.checks.reserved_names import find_reserved_names
from headstart.data.grouping.columns import choose_compared_columns, count_languages, find_compared_names
from headstart.data.labels.targets import encode_truth, list_classes
from headstart.data.splitting.dependence import Dependence
from headstart.data.summary import summarise_inputs
from headstart.errors import DataError, OptionError, list_offenders
from headstart.evaluation import has_too_many_values
from headstart.extras import require
from headstart.features import Extraction
from headstart.flow.adaptation.budget import Budget
from headstart.flow.adaptation.class_names import read_class_names
from headstart.flow.adaptation.settings import SETTINGS
from headstart.flow.base_choice import choose
from headstart.flow.data_check.reading_notes import describe_reading
from headstart.flow.run_records import Prepared, Timings
from headstart.modalities import MODALITIES
from headstart.modalities.series import derive_spec
from headstart.options import AdaptOptions
from headstart.projects import read_rows
from headstart.records import TEST, TRAIN, Finding, Index, SplitTable, Table
from headstart.report.understood import describe_inputs
from headstart.results import SplitKind
from headstart.results.findings import make_finding
from headstart.shared_settings import SHARED_SETTINGS
from headstart.strategies.probes.few_rows import may_names_add
from headstart.strategies.record import Clock, StrategyRows, Task
from headstart.task_types import TASK_TYPES


def prepare(
    table: Table, options: AdaptOptions, test: Table | None, uses: frozenset[str], budget: Budget, timings: Timings
) -> Prepared:
    """Check and split a table, choose the base and run its frozen part.

    Parameters
    ----------
    table : Table
        With labels.
    options : AdaptOptions
    test : Table or None
        Separate test rows.
    uses : frozenset of str
        What the strategies are fitted on: "features", "stages", "descriptors" ...
    budget : Budget
    timings : Timings
        Gets the seconds of each step.

    Raises
    ------
    DataError
        If nothing can be learnt from these rows.
    """
    require("adapt", "Adapting a model")
    reserved = find_reserved_names(table, options)
    _warn_of_findings(reserved)
    for line in describe_inputs(summarise_inputs(table, options.group)):
        progress.say(line)
    findings = check_table(table)
    if options.duplicates == "drop":
        findings = tuple(item for item in findings if item.kind != "duplicates-across-splits")
    _warn_of_findings(findings)
    findings = reserved + findings
    describe_reading(findings)
    require_trainable(table)
    _refuse_misfits(table, options)
    find_compared_names(table, options.compare)
    is_own_split = test is None and (table.is_split_drawn or not (table.splits == TEST).any())
    group_columns = choose_group_columns(table, options, is_own_split)
    with timings.step("split"):
        decided = data.assign_splits(table, options.model_copy(update={"group": group_columns}), test)
    if options.labels_per_class is not None:
        decided = data.draw_rows_per_class(decided, options.labels_per_class, options.seed)
    if options.also is not None:
        more = read_like(table, options.also, options.model_copy(update={"unlabelled": "drop"}))
        decided = data.add_near_duplicate_groups(
            data.add_training_rows(decided, more, options.merge_labels), options.seed
        )
        findings += tuple(item for item in more.findings if item.kind == "odd-label" and item.severity == "note")
    fresh = tuple(item for item in decided.findings if item not in findings)
    _warn_of_findings(fresh)
    describe_reading(fresh)
    findings += fresh
    copy_findings = check_split(decided, findings)
    _warn_of_findings(copy_findings)
    findings += copy_findings
    require_trainable(decided)
    _report_rows(decided)
    with timings.step("base"):
        chosen = choose.choose_base(decided, options, budget.training_clock())
        findings += chosen.findings
    with timings.step("features"):
        extraction = features.extract_features(
            decided,
            chosen.backbone,
            options.precision,
            uses=uses,
            seconds=budget.reading_seconds(chosen.backbone.record.size_bytes),
        )
    usable = decided.take(extraction.readable_rows)
    usable = replace(usable, set_aside=(*usable.set_aside, *extraction.set_aside))
    for aside in extraction.set_aside[:5]:
        progress.warn(f"Set aside: {aside.id}: {aside.reason}")
    if extraction.late:
        late = _make_out_of_time_finding(extraction.late, len(decided))
        _warn_of_findings((late,))
        findings += (late,)
    require_trainable(usable)
    usable, duplicate_findings = join_feature_duplicates(usable, extraction.features, chosen.backbone, options.seed)
    _warn_of_findings(duplicate_findings)
    findings += duplicate_findings
    assembled = _assemble(
        usable,
        options,
        chosen.backbone,
        extraction=extraction,
        clock=budget.training_clock(),
        group_columns=group_columns,
    )
    return replace(
        assembled,
        task=_add_class_names(assembled.task, usable, chosen.backbone, uses),
        findings=(*findings, *assembled.findings),
        split=_classify_split(table, test, decided),
        test_source=test.source if test else "",
        ranking=chosen.ranking,
        base_choice=chosen.record,
    )


def _add_class_names(task: Task, usable: Table, backbone: Backbone, uses: frozenset[str]) -> Task:
    """Return the task with what the base sees in the names of the classes, where rows are so few that it may add."""
    uses = uses if may_names_add(task.codes, len(task.classes)) else uses - {"names"}
    return replace(task, name_features=read_class_names(usable, task.classes, backbone, task.precision, uses=uses))


def _warn_of_findings(findings: Sequence[Finding]) -> None:
    """Show the warnings among findings."""
    for item in findings:
        if item.severity == "warn":
            progress.warn(f"{item.summary} {item.advice}")


def _make_input_spec(train: Table, backbone: Backbone) -> Mapping[str, Any]:
    """Return the input spec for strategies that read rows themselves; a series keeps its own length."""
    return derive_spec(list(train.inputs)) if backbone.spec.get("gaps") else backbone.spec


def _assemble(
    usable: SplitTable,
    options: AdaptOptions,
    backbone: Backbone,
    extraction: Extraction,
    clock: Clock,
    group_columns: tuple[str, ...],
) -> Prepared:
    usable = data.drop_unlearnable_labels(usable)
    rows = StrategyRows(usable, extraction.features, extraction.descriptors)
    train = rows.take(np.flatnonzero(usable.splits == TRAIN))
    classes = list_classes(train.table)
    test = rows.take(np.flatnonzero((usable.splits == TEST) & _has_learnt_class(usable, classes)))
    codes = encode_truth(train.table, classes) if train.table.targets is None else data.number_strata(train.table)
    dependence = data.find_dependence(train.table, options.group, group_columns)
    test_dependence = data.find_dependence(test.table, options.group, group_columns)
    folds, few = _assign_folds(dependence, codes, options.seed)
    repeats = _assign_repeats(dependence.copies if few else dependence.for_splitting, codes, options.seed)
    folds, *others = data.mark_lone_classes((folds, *repeats), codes, train.table)
    task = Task(
        classes=classes,
        codes=codes,
        folds=folds,
        balance=options.balance,
        seed=options.seed,
        clock=clock,
        spec=_make_input_spec(train.table, backbone),
        architecture=backbone.parts.architecture,
        repeats=tuple(others),
        kind=usable.task,
        truth=train.table.targets,
        backbone=backbone,
        precision=options.precision,
        max_memory_bytes=options.max_memory * 1e9,
    )
    if options.mitigate == "none" and len(group_columns) < len(options.group):
        few += (_make_few_groups_finding("the split", "does not keep them apart"),)
    if options.group and len(test) and not test_dependence.resampled_groups:
        few += (_make_few_groups_finding("the intervals", "are taken over rows"),)
    test_rows = np.flatnonzero(np.isin(usable.ids, test.table.ids))
    for finding in few:
        progress.warn(f"{finding.summary} {finding.advice}")
    return Prepared(
        table=usable,
        train=train,
        test=test,
        task=task,
        backbone=backbone,
        extraction=replace(extraction, features=None, descriptors=None),  # The rows have copies of their own.
        findings=few,
        truth=encode_truth(test.table, classes),
        train_dependence=dependence,
        test_dependence=test_dependence,
        split="none",
        compared=choose_compared_columns(usable, test_rows, options.group, options.compare),
        languages=count_languages(train.table),
    )


def _assign_folds(dependence: Dependence, codes: Index, seed: int) -> tuple[Index, tuple[Finding, ...]]:
    """Return folds with groups whole, unless some training part would then lack a class."""
    folds = data.assign_folds(codes, dependence.for_splitting, SHARED_SETTINGS.n_folds, seed)
    if not dependence.groups:
        return folds, ()
    freely = data.assign_folds(codes, dependence.copies, SHARED_SETTINGS.n_folds, seed)
    lacking = data.find_classes_in_one_fold(codes, folds) & ~data.find_classes_in_one_fold(codes, freely)
    if not lacking.any():
        return folds, ()
    return freely, (_make_few_groups_finding("cross-validation", "does not keep them apart"),)


def choose_group_columns(table: Table, options: AdaptOptions, own_split: bool) -> tuple[str, ...]:
    """Name the group columns whose values stay on one side of every split; not those that are to be balanced.

    What `--mitigate` balances (site, sex) will be met again, so it stands on both sides; patients and farms do not.
    Nor do columns of two values where Headstart splits: with one sex to learn from and the other to test on, the two
    cannot be compared.

    Parameters
    ----------
    table : Table
    options : AdaptOptions
    own_split : bool
        Whether Headstart splits, and neither the data nor the user.
    """
    present = [name for name in options.group if name in table.metadata]
    if options.mitigate != "none":
        return tuple(name for name in present if has_too_many_values(table.metadata[name]))
    if own_split and len(present) == len(options.group):
        return data.select_many_valued(table, options.group, 3)
    return options.group


def _assign_repeats(clusters: Index, codes: Index, seed: int) -> tuple[Index, ...]:
    """Return the folds of further repeats of the cross-validation, more for fewer rows."""
    n_repeats = int(np.clip(np.ceil(SETTINGS.repeated_rows / len(codes)), 1, SETTINGS.max_repeats))
    return tuple(
        data.assign_folds(codes, clusters, SHARED_SETTINGS.n_folds, seed + 1_000 * repeat)
        for repeat in range(1, n_repeats)
    )


def _make_out_of_time_finding(late: tuple[str, ...], n_rows: int) -> Finding:
    return make_finding(
        "out-of-time", f"{len(late)} of {n_rows} rows were not read in the time given and are left out.", late
    )


def _make_few_groups_finding(what: str, does: str) -> Finding:
    return make_finding("few-groups", f"There are too few groups, or classes that only one group has: {what} {does}.")


def _has_learnt_class(table: Table, classes: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which rows have a class that was learnt: those with others may have come too late, or be unreadable."""
    if table.targets is not None:
        return np.ones(len(table), dtype=bool)
    assert table.labels is not None
    return np.asarray([str(label) in classes for label in table.labels], dtype=bool)


def _refuse_misfits(table: Table, options: AdaptOptions) -> None:
    """Refuse options that mean nothing for a number."""
    if TASK_TYPES[table.task].is_number and options.balance == "on":
        raise OptionError("--balance on: the label is a number, so there are no classes to balance.", "Leave it out.")


def _classify_split(table: Table, test: Table | None, decided: Table) -> SplitKind:
    """Return how the test rows were chosen."""
    if not (decided.splits == TEST).any():
        return "none"
    if test is not None:
        return "separate"
    return "given" if (table.splits == TEST).any() and not table.is_split_drawn else "drawn"


def _report_rows(table: SplitTable) -> None:
    n_train, n_test = int((table.splits == TRAIN).sum()), int((table.splits == TEST).sum())
    columns = ", ".join(f"{role}: '{name}'" for role, name in table.columns.items() if not role.startswith("label "))
    suffix = f" ({columns})" if columns else ""
    rows = f"{n_train} {MODALITIES[table.modality].plural} to learn from and {n_test} to test on"
    progress.say(f"{rows}{_ANSWER_NOUNS[table.task].format(n=len(list_classes(table)))}{suffix}.")


_ANSWER_NOUNS = {
    "classification": ", in {n} classes",
    "ordinal": ", in {n} grades",
    "multi-label": ", with {n} labels of which a row may have several",
    "regression": ", each with a number",
}


def read_data(path: Path, options: AdaptOptions) -> tuple[Table, Table | None]:
    """Read the data and, if given, the separate test data.

    Parameters
    ----------
    path : Path
    options : AdaptOptions
        `test` names the separate test data.

    Raises
    ------
    DataError
        If the two are of different kinds.
    """
    table = read_rows(path, options)
    if options.test is None:
        return table, None
    test = read_test_data(table, options)
    if test.modality != table.modality:
        raise DataError(
            f"{options.test} holds {test.modality} data, but {path} holds {table.modality} data.",
            "Give test data of the same kind.",
        )
    return table, test


def read_like(table: Table, path: Path, options: AdaptOptions) -> Table:
    """Read other data as `table` was: the same columns, and labels of the same kind and spelling.

    Parameters
    ----------
    table : Table
    path : Path
    options : AdaptOptions
    """
    blank = options.task_type is not None and options.task_type.has_label_sets
    read_options = options.model_copy(update={"task": table.task})
    known = () if table.labels is None or TASK_TYPES[table.task].is_number else list_classes(table)
    other = read_rows(path, read_options, table.columns, empty_is_none=blank, labels=known, inputs=table.input_columns)
    if other.task != table.task or not known:
        return other
    return data.match_labels(other, known, options.merge_labels).table


def read_test_data(table: Table, options: AdaptOptions) -> Table:
    """Read the separate test data.

    Parameters
    ----------
    table : Table
        The training data.
    options : AdaptOptions
        `test` names the file or folder.

    Raises
    ------
    DataError
        None of its rows has a label that `table` has.
    """
    assert options.test is not None
    test = read_like(table, options.test, options)
    if test.task == table.task and table.labels is not None and not TASK_TYPES[table.task].is_number:
        known = list_classes(table)
        matched = data.match_labels(test, known, merge=False)
        if matched.has_no_known_label:
            raise DataError(
                f"None of the {len(test)} rows of {test.source} has a known label "
                f"({matched.name_unknown()}); {table.source} has {list_offenders(known)}.",
                matched.hint,
            )
    return test
