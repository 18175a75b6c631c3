"""Which text base transfers: TF-IDF, MiniLM, mE5 and the default at 8, 20 and all labels a class, in many languages.

`python benchmarks/text_bases.py [--data FOLDER] [--plan FILE] [--bases NAME ...] [--sets NAME ...] [--records FILE]
[--tables] [--results FOLDER]`

The list of runs is `sets.json`. A run is what `adapt --strategy quick --labels-per-class N --seed S --base B` does up
to its verdict, on features that are computed once for each set and base. Each result is added to `text_bases.jsonl`
at once: a run that was cut off goes on where it was. Test rows decide nothing.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import machine
import material
import numpy as np
import text_bases_tables
from drawing import picked
from tables import keep
from text_bases_tables import DEFAULT

from headstart import bases, data, features, ladder
from headstart.bases import Backbone
from headstart.fitted_state import FittedState
from headstart.flow.adaptation.budget import Budget
from headstart.flow.adaptation.decision_rules import fit_policy
from headstart.flow.adaptation.evaluate import reach_verdict, score_test_rows
from headstart.flow.adaptation.prepare import prepare, read_data
from headstart.flow.base_choice import choose
from headstart.flow.run_records import Prepared, Timings
from headstart.offline import offline
from headstart.options import AdaptOptions
from headstart.records import Probabilities
from headstart.results import Metrics
from headstart.runs import compute_key
from headstart.strategies import STRATEGIES, Clock, select_strategies
from headstart.strategies.fitted import list_members

LOAD_BASE = bases.load_base
HERE = Path(__file__).resolve().parent
NO_LIMIT = 7_200.0
"""Seconds of `--time`: enough on a busy machine that nothing is skipped."""


@dataclass
class SharedRungs:
    """Store of the rungs that need no base, so that two bases on the same rows and folds share them.

    Parameters
    ----------
    key : str
        Of the rows and folds in use.
    rungs : dict of str to (state, out-of-fold probabilities, seconds)
        By key and name.
    """

    key: str = ""
    rungs: dict[tuple[str, str], tuple[FittedState, Probabilities, float]] = field(default_factory=dict)

    def use(self, prepared: Prepared) -> None:
        """Take the rows and folds of a run; rungs of others are forgotten."""
        task = prepared.task
        parts = [list(prepared.train.table.hashes), task.codes.tolist(), task.folds.tolist(), task.seed]
        self.key = compute_key(*parts, [folds.tolist() for folds in task.repeats])
        self.rungs = {place: rung for place, rung in self.rungs.items() if place[0] == self.key}

    def load(self, name: str) -> tuple[FittedState, Probabilities, float] | None:
        """Return what was fitted on these rows and folds."""
        return self.rungs.get((self.key, name))

    def save(self, name: str, state: FittedState, out_of_fold: Probabilities, seconds: float) -> None:
        """Keep a baseline."""
        if STRATEGIES[name].kind == "baseline":
            self.rungs[self.key, name] = (state, out_of_fold, seconds)

    def parts_folder(self, name: str) -> Path:
        """Return a folder for parts; quick rungs have none."""
        raise NotImplementedError(name)


def make_options(run: Mapping[str, Any], base: str) -> AdaptOptions:
    """Return the options of `adapt` that a run stands for."""
    return AdaptOptions(
        base=base, strategy=("quick",), labels_per_class=run["labels_per_class"], seed=run["seed"], time=NO_LIMIT,
        audit="none", offline=True,
    )  # fmt: skip


def measure_run(path: Path, run: Mapping[str, Any], base: str, store: SharedRungs) -> dict[str, Any]:
    """Adapt one base to the rows at `path` and score every strategy on the test rows."""
    options, began = make_options(run, base), time.perf_counter()
    with offline(True):
        table, test = read_data(path, options)
        budget, timings = Budget.start(table, test, options, 0.0), Timings()
        names = select_strategies(table.modality, options.strategy, table.task)
        uses = frozenset(part for name in names for part in STRATEGIES[name].uses)
        prepared = prepare(table, options, test, uses=uses, budget=budget, timings=timings)
        store.use(prepared)
        strategies = ladder.fit_strategies(prepared.train, prepared.task, names, store)
        members = list_members(strategies.fitted[strategies.chosen].state())
        predicted_from = frozenset().union(*(STRATEGIES[name].predicts_from for name in (strategies.chosen, *members)))
        policy = fit_policy(prepared, strategies, predicted_from, options)
        scores = score_test_rows(prepared, strategies, policy, budget.clock_for("evaluation"))
        verdict = reach_verdict(prepared, strategies, scores)
    measured = {name: item for name, item in scores.metrics.items() if isinstance(item, Metrics)}
    return {
        **run,
        "base": base,
        "n_train": len(prepared.train),
        "n_test": len(prepared.test),
        "macro_f1": {name: item.macro_f1.value for name, item in measured.items() if item.macro_f1},
        "accuracy": {name: item.accuracy.value for name, item in measured.items()},
        "losses": strategies.losses,
        "chosen": strategies.chosen,
        "note": " ".join(strategies.fitted[strategies.chosen].notes),
        "verdict": verdict.transfer,
        "difference": verdict.difference.model_dump() if verdict.difference else None,
        "runtime": prepared.extraction.runtime,
        "seconds": {**timings.seconds, "total": time.perf_counter() - began},
        "revision": machine.revision(),
    }


def fill_cache(path: Path, base: str) -> None:
    """Run the base once over all rows of a set; every run then finds its features in the cache."""
    with offline(True):
        table, _ = read_data(path, AdaptOptions(base=base))
        backbone = _load_base(base)
        features.extract_features(table, backbone, uses=frozenset({"features", "stages"}))


def choose_default(path: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """Choose the base as `adapt` does where none is named; the figures of the run are those of that base."""
    options = make_options(run, DEFAULT)
    with offline(True):
        table, test = read_data(path, options)
        decided = data.assign_splits(table, options, test)
        if options.labels_per_class is not None:
            decided = data.draw_rows_per_class(decided, options.labels_per_class, options.seed)
        chosen = choose.choose_base(decided, options, Clock(NO_LIMIT))
    record = chosen.record.model_dump(mode="json") if chosen.record else {}
    return {**run, "base": DEFAULT, "choice": chosen.backbone.record.name, "record": record}


def draw_set(source: Path, target: Path, plan: Mapping[str, Any]) -> Path:
    """Write the rows of a set that are used, each with its split: all, or a seeded draw of `rows` rows."""
    rows = material.read_csv(source)
    if len(rows) > plan["rows"]:
        is_test = np.asarray([row["split"] == "test" for row in rows])
        parts = (
            (np.flatnonzero(is_test), plan["test_rows"]),
            (np.flatnonzero(~is_test), plan["rows"] - plan["test_rows"]),
        )
        drawn = np.sort(np.concatenate([index[picked([""] * len(index), 0, 0, most)] for index, most in parts]))
        rows = [rows[number] for number in drawn]
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(("text", "label", "split"))
        writer.writerows((row["text"], row["label"], "test" if row["split"] == "test" else "train") for row in rows)
    return target


def read_records(path: Path) -> list[dict[str, Any]]:
    """Read the results so far; a last line that was cut off while it was written is dropped."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines.pop():
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [json.loads(line) for line in lines]


def add_record(path: Path, record: Mapping[str, Any]) -> None:
    """Add a result to the file."""
    with path.open("a", encoding="utf-8") as opened:
        opened.write(json.dumps(record) + "\n")


def name_run(record: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what tells a result from others."""
    return record["set"], record["labels_per_class"], record["seed"], record["base"]


@lru_cache(maxsize=2)
def _load_base(reference: str) -> Backbone:
    """Load a base once for all runs: that of 250,000 pieces takes seconds, and it is frozen."""
    return LOAD_BASE(reference, bases.BaseRequest(modality="text", offline=True))


def run_plan(plan: Mapping[str, Any], given: argparse.Namespace) -> None:
    """Run what is not there yet, both bases of a draw after another."""
    present = {name_run(record) for record in read_records(given.records)}
    store, filled = SharedRungs(), set[tuple[Path, str]]()
    with tempfile.TemporaryDirectory() as folder:
        for run in plan["runs"]:
            wanted = given.bases or [*plan["bases"], DEFAULT]
            missing = [base for base in wanted if name_run({**run, "base": base}) not in present]
            source = given.data / f"{run['set']}.csv"
            if not missing or not source.is_file() or (given.sets and run["set"] not in given.sets):
                continue
            path = Path(folder, f"{run['set']}.csv")
            if not path.is_file():
                draw_set(source, path, plan)
            for base in missing:
                if base == DEFAULT:
                    record = choose_default(path, run)
                    add_record(given.records, record)
                    print(*name_run(record), record["choice"], flush=True)
                    continue
                if (path, base) not in filled:
                    fill_cache(path, base)
                    filled.add((path, base))
                record = measure_run(path, run, base, store)
                add_record(given.records, record)
                score, total = record["macro_f1"][record["chosen"]], record["seconds"]["total"]
                print(*name_run(record), f"{score:.3f} {record['verdict']} {total:.0f} s", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=material.DATA)
    parser.add_argument("--plan", type=Path, default=HERE / "sets.json")
    parser.add_argument("--bases", nargs="*", help="only these of the plan")
    parser.add_argument("--sets", nargs="*", help="only these of the plan")
    parser.add_argument("--records", type=Path, default=HERE / "text_bases.jsonl")
    parser.add_argument("--tables", action="store_true", help="only write the tables from what is there")
    parser.add_argument("--results", type=Path, default=machine.ROOT / "benchmarks" / "results")
    given = parser.parse_args(arguments)
    choose.bases.load_base = lambda reference, need: _load_base(reference)  # type: ignore[assignment]
    plan = json.loads(given.plan.read_text(encoding="utf-8"))
    if not given.tables:
        run_plan(plan, given)
    for title, body in text_bases_tables.write_tables(read_records(given.records)):
        keep(given.results, f"Which text base: {title}", f"{machine.describe()}\n\n{body}")


if __name__ == "__main__":
    main()
