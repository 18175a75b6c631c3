"""Proof of the contract: a fourth modality and a fifth task, each one record and its functions, through a whole run.

Nothing of Headstart is changed: the toys stand beside the others in the tables that the contract tests find.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.contract_tables import find_tables

from headstart import flow
from headstart.bases import BUILDERS, CATALOGUE, CATALOGUE_SOURCES, Backbone, BaseParts, Stage, architectures, specs
from headstart.data.labels import task_type
from headstart.data.reading import sources
from headstart.modalities import MODALITIES
from headstart.modalities.preview_records import TextPreview
from headstart.options import AdaptOptions, PredictOptions, parse
from headstart.results import Result
from headstart.task_types import TASK_TYPES, TaskType

TASK, MODALITY = "stars", "vectors"
STAGE_NAME = "toy-mean"


def extend_tables(patch: pytest.MonkeyPatch, names: Iterable[str], model: str, toy: str) -> None:
    """Give a toy the entries of its model in every table that the contract tests find."""
    for table in find_tables(frozenset(names)):
        entries = table.live()
        if model in entries:
            patch.setitem(entries, toy, entries[model])


def relabelled(parse_labels: Callable[..., task_type.ParsedLabels]) -> Callable[..., task_type.ParsedLabels]:
    return lambda raw, spec: replace(parse_labels(raw, spec), task=TASK)


@pytest.fixture
def toy_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grades under another name: a record, and functions in the tables of the rooms."""
    monkeypatch.setitem(TASK_TYPES, TASK, TaskType(name=TASK, has_one_class=True, is_ordered=True))
    extend_tables(monkeypatch, TASK_TYPES, "ordinal", TASK)
    monkeypatch.setitem(task_type._READ, TASK, relabelled(task_type._READ["ordinal"]))


def test_a_fifth_task_goes_through_adapt_predict_and_the_report(toy_task: None, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    words = ("awful broken late", "fine usual plain", "great quick kind")
    with (tmp_path / "reviews.csv").open("w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["text", "label"])
        for row in range(120):
            grade = row % 3
            picked = " ".join(generator.choice(words[grade].split(), 4))
            writer.writerow([f"the shop number {row} was {picked}", str(grade + 1)])
    options = parse(AdaptOptions, strategy="majority,classic", task=TASK, offline=True)
    flow.adapt(tmp_path / "reviews.csv", tmp_path / "out", options)
    result = Result.model_validate_json((tmp_path / "out" / "result.json").read_text("utf-8"))
    assert result.task == TASK and result.classes == ["1", "2", "3"]
    assert "<html" in (tmp_path / "out" / "report.html").read_text("utf-8")
    flow.predict(
        tmp_path / "out", (tmp_path / "reviews.csv",), tmp_path / "answers.csv", parse(PredictOptions, offline=True)
    )
    with (tmp_path / "answers.csv").open() as handle:
        answers = list(csv.DictReader(handle))
    assert len(answers) == 120 and {row["label"] for row in answers} <= {"1", "2", "3"}


def build_mean_backbone(parts: BaseParts, fingerprint: str) -> Backbone:
    """A base that has learnt nothing: mean and spread of each channel."""
    return Backbone(
        parts=parts,
        fingerprint=fingerprint,
        spec=parts.spec,
        module=None,
        transform=lambda values: (np.concatenate([values.mean(2), values.std(2)], axis=1).astype(np.float32),),
        stages=lambda: (Stage(STAGE_NAME, ()),),
    )


def load_mean_base(record: Any, request: Any) -> BaseParts:
    weights = {"nothing": np.zeros(1, np.float32)}
    return BaseParts(record=record, architecture={"library": "toy"}, spec=dict(request.spec or {}), weights=weights)


@pytest.fixture
def toy_modality(monkeypatch: pytest.MonkeyPatch) -> None:
    """Series under another name, with a base of their own: a record, and functions in the tables of the rooms."""
    series = MODALITIES["series"]
    monkeypatch.setitem(
        MODALITIES, MODALITY, replace(series, name=MODALITY, preview=lambda source, n: TextPreview(text="toy"))
    )
    extend_tables(monkeypatch, MODALITIES, "series", MODALITY)
    reader = sources.TABLE_READERS["series"]
    read = lambda *parts: replace(reader.read(*parts), modality=MODALITY)  # noqa: E731
    monkeypatch.setitem(sources.TABLE_READERS, MODALITY, replace(reader, fits=lambda *parts: False, read=read))
    base = replace(CATALOGUE["minirocket"], name=STAGE_NAME, modality=MODALITY, source="toy", n_dims=2)
    monkeypatch.setitem(CATALOGUE, STAGE_NAME, base)
    monkeypatch.setitem(CATALOGUE_SOURCES, "toy", load_mean_base)
    monkeypatch.setitem(BUILDERS, "toy", build_mean_backbone)
    monkeypatch.setitem(architectures._PARSERS, "toy", lambda document, place: {"library": "toy"})
    monkeypatch.setitem(specs.LIBRARY_MODALITIES, "toy", MODALITY)


def test_a_fourth_modality_goes_through_adapt_predict_and_the_report(
    toy_modality: None, series_table: Path, tmp_path: Path
) -> None:
    options = parse(AdaptOptions, strategy="majority,linear-probe", modality=MODALITY, base=STAGE_NAME, offline=True)
    flow.adapt(series_table, tmp_path / "out", options)
    result = Result.model_validate_json((tmp_path / "out" / "result.json").read_text("utf-8"))
    assert result.modality == MODALITY and result.base.name == STAGE_NAME
    assert '<p class="message" dir="auto">toy</p>' in (tmp_path / "out" / "report.html").read_text("utf-8")
    flow.predict(tmp_path / "out", (series_table,), tmp_path / "answers.csv", parse(PredictOptions, offline=True))
    with (tmp_path / "answers.csv").open() as handle:
        assert {row["label"] for row in csv.DictReader(handle)} <= set(result.classes)
