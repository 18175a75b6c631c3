"""`compare`: two bundles on the same labelled rows; which rows got better and worse, and whether that is chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from headstart import bundle as bundles
from headstart import data
from headstart.bundle import Bundle
from headstart.csv_files import csv_text
from headstart.errors import BundleError, offenders
from headstart.evaluation import Truth
from headstart.evaluation.comparison.model_changes import LEVEL, Changes, advantage, changes, parts
from headstart.evaluation.intervals import compact, mean
from headstart.flow.adaptation.prepare import truth_of
from headstart.flow.external_validation.evaluate import look
from headstart.flow.inference.labelled_rows import leave_out_learnt, read_rows_to_score
from headstart.flow.scoring.groups import resampled_together
from headstart.home import write_text
from headstart.offline import offline
from headstart.options import CompareOptions, EvaluateOptions
from headstart.records import Column, Index, Interval, Predictions, Table, make_column
from headstart.results import ChangedRow, Comparison, Figure, SetAsideRow
from headstart.spellings import Matches, match_names

FIRST = 100
"""So many rows of each kind stand in the document; the CSV has all."""
_TINY = 1e-12


def compare(old: Path, new: Path, path: Path, out: Path | None, options: CompareOptions) -> Comparison:
    """Hold two bundles against each other on the same labelled rows.

    Parameters
    ----------
    old, new : Path
    path : Path
        Labelled data that neither was trained on.
    out : Path or None
        A CSV to write with every row that got better or worse.
    options : CompareOptions

    Returns
    -------
    Comparison
        Of the most probable answers, abstaining left aside; positive: the new one is better.

    Raises
    ------
    BundleError
        The bundles read other things or know other classes.
    DataError
        There are no labels that they know, or no row can be read.
    """
    with offline(options.offline):
        first, second = bundles.load(old), bundles.load(new)
        spelled = match_names(second.classes, first.classes, options.merge_labels)
        _require_alike(first, second, spelled)
        asked = EvaluateOptions.model_validate(options.model_dump())
        table, unknown = read_rows_to_score(first, path, asked)
        table, n_learnt = leave_out_learnt(table, [first, second], path)
        other = table
        if second.known_inputs != first.known_inputs:
            other = leave_out_learnt(read_rows_to_score(second, path, asked)[0], [first, second], path)[0]
        seen = [look(bundle, rows, options.precision, path) for bundle, rows in ((first, table), (second, other))]
    both = set(seen[0].said.ids) & set(seen[1].said.ids)
    rows = [np.flatnonzero([name in both for name in part.said.ids]).astype(np.intp) for part in seen]
    kept = seen[0].kept.take(rows[0])
    before, after = (part.said.take(at) for part, at in zip(seen, rows, strict=True))
    after = _ordered(_respelled(after, spelled), first.classes)
    truth = truth_of(kept, first.classes)
    columns = tuple(name for name in options.group if name in kept.metadata)
    clusters = resampled_together(kept, columns)
    found, seed = changes(truth, before, after), first.seed
    gained, p_value = advantage(truth, before, after, clusters=clusters, seed=seed)
    answers = [_answers(truth, before), _answers(truth, after), _truths(kept, first)]
    if out is not None:
        write_text(out, _csv(kept, found, answers))
    better, worse = np.flatnonzero(found.gain > _TINY), np.flatnonzero(found.gain < -_TINY)
    aside = {item.id: item.reason for part in seen for item in part.aside} | {i.id: i.reason for i in table.set_aside}
    within = (0.0, found.within[1])
    values = [Figure.of(mean(part, compact(clusters), seed, within)) for part in (found.old, found.new)]
    own = data.number_clusters(kept)
    return Comparison(
        task=first.task,  # type: ignore[arg-type]
        old=str(old),
        new=str(new),
        data=table.source,
        classes=list(first.classes),
        n_rows=len(kept),
        unknown_labels=dict(sorted(unknown.items())),
        n_learnt=n_learnt,
        measure=found.measure,  # type: ignore[arg-type]
        old_value=values[0],
        new_value=values[1],
        difference=Figure.of(gained),
        p_value=p_value,
        n_better=len(better),
        n_worse=len(worse),
        per_class=[]
        if kept.targets is not None or kept.labels is None
        else parts(found, "", kept.labels, clusters=own, seed=seed),
        groups=[part for name in columns for part in parts(found, name, kept.metadata[name], clusters=own, seed=seed)],
        better=_rows(kept, better[:FIRST], answers),
        worse=_rows(kept, worse[:FIRST], answers),
        reading=_reading(found, gained, p_value, better=len(better), worse=len(worse)),
        set_aside=[SetAsideRow(id=name, reason=reason) for name, reason in aside.items()],
    )


def _respelled(said: Predictions, spelled: Matches) -> Predictions:
    """Name classes as the other bundle does."""
    return replace(said, classes=tuple(spelled.renamed.get(name, name) for name in said.classes))


def _require_alike(old: Bundle, new: Bundle, spelled: Matches) -> None:
    wrong = [
        f"one {what} '{a}', the other '{b}'"
        for what, a, b in (("reads", old.modality, new.modality), ("is for", old.task, new.task)) if a != b
    ]  # fmt: skip
    names = {spelled.renamed.get(name, name) for name in new.classes}
    only = set(old.classes) ^ names
    if only:
        wrong.append(f"{len(only)} classes are known to one only ({offenders(sorted(only))})")
    if wrong:
        spelling = " Pass --merge-labels if only their spelling differs." if spelled.similar else ""
        raise BundleError(
            f"The two bundles cannot be compared: {'; '.join(wrong)}.",
            f"Compare bundles made for the same classes.{spelling}",
        )


def _ordered(said: Predictions, classes: tuple[str, ...]) -> Predictions:
    """Put the columns into another order."""
    at = [said.classes.index(name) for name in classes]
    cuts = tuple(said.thresholds[place] for place in at) if said.thresholds else ()
    return replace(said, classes=classes, probabilities=said.probabilities[:, at], thresholds=cuts)


def _several(said: Predictions) -> Column:
    return make_column(
        [";".join(name for name, on in zip(said.classes, row, strict=True) if on) for row in said.label_mask.tolist()]
    )


def _answers(truth: Truth, said: Predictions) -> Column:
    if said.task == "regression":
        return make_column([f"{value:.6g}" for value in said.values])
    return _several(said) if said.task == "multi-label" else said.labels


def _truths(kept: Table, bundle: Bundle) -> Column:
    """Write the truth of each row."""
    if kept.targets is None:
        assert kept.labels is not None
        return kept.labels
    if bundle.task == "regression":
        return make_column([f"{value:.6g}" for value in kept.targets[:, 0]])
    return _several(
        Predictions(
            ids=kept.ids, classes=bundle.classes, probabilities=kept.targets.astype(np.float64), task="multi-label"
        )
    )


def _rows(kept: Table, rows: Index, answers: list[Column]) -> list[ChangedRow]:
    old, new, truth = answers
    return [ChangedRow(id=str(kept.ids[at]), label=str(truth[at]), old=str(old[at]), new=str(new[at])) for at in rows]


def _csv(kept: Table, found: Changes, answers: list[Column]) -> str:
    rows = [["id", "label", "old", "new", "change"]]
    for at in np.flatnonzero(np.abs(found.gain) > _TINY):
        old, new, truth = (str(values[at]) for values in answers)
        rows.append([str(kept.ids[at]), truth, old, new, "better" if found.gain[at] > 0 else "worse"])
    return csv_text(rows)


def _reading(found: Changes, gained: Interval, p_value: float, better: int, worse: int) -> str:
    said = (
        f"Of {len(found.gain):,} rows the new bundle does better on {better:,} and worse on {worse:,} "
        f"(exact test: p = {p_value:.3f}). Its advantage in {found.measure} is {gained.value:+.3f} "
        f"(95 % interval {gained.low:+.3f} to {gained.high:+.3f})"
    )
    if gained.low > 0:
        return f"{said}: it is better."
    if gained.high < 0:
        return f"{said}: it is worse."
    also = "; single rows change more often one way than the other" if p_value <= LEVEL else ""
    return f"{said}: no evidence that one is better{also}."
