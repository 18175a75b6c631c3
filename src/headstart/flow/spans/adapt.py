"""`adapt` on texts with spans: read, check, split, choose a base and a strategy, score, write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from headstart import bases, progress, runs
from headstart.bases import Backbone, BaseParts, BaseRequest
from headstart.bundle import list_versions
from headstart.errors import DataError, OptionError
from headstart.flow.base_choice.text_default import choose_by_language
from headstart.flow.spans.bundle import write_span_bundle
from headstart.flow.spans.figures import Answers, assess_transfer, compute_metrics, measure_certainty
from headstart.flow.spans.sources import read_span_data
from headstart.home import require_place, write_json, write_text
from headstart.offline import offline
from headstart.options import AdaptOptions
from headstart.records import TEST, TRAIN, Table
from headstart.report import choose_language, use_language
from headstart.report.spans import write_span_summary
from headstart.results import Figure
from headstart.results.spans import SpanCounts, SpanNoticeRow, SpanResult, SpanStrategyResult
from headstart.spans.choosing import ChoiceRequest, SpanChoice, TriedSpanStrategy, assign_folds, choose_strategy
from headstart.spans.data_checks import drop_test_copies
from headstart.spans.records import VALIDATION, SpanData, SpanText
from headstart.spans.scoring import number_documents
from headstart.spans.settings import SETTINGS
from headstart.spans.strategies import STRATEGIES
from headstart.spans.tags import list_tags
from headstart.spans.token_states import TokenEncoder


@dataclass(frozen=True, kw_only=True)
class WrittenSpanRun:
    """What `adapt` wrote.

    Parameters
    ----------
    result : SpanResult
    folder : Path
    """

    result: SpanResult
    folder: Path


@dataclass(frozen=True, kw_only=True)
class SpanSplit:
    """Texts of each part."""

    train: tuple[SpanText, ...]
    validation: tuple[SpanText, ...]
    test: tuple[SpanText, ...]
    is_test_drawn: bool


def adapt_spans(path: Path, out: Path | None, options: AdaptOptions) -> WrittenSpanRun:
    """Adapt a base model to texts with spans, and write result, summary and bundle.

    Parameters
    ----------
    path : Path
        What `read_span_data` takes.
    out : Path or None
        Folder of the run; needed.
    options : AdaptOptions
        `base`, `strategy`, `time`, `seed`, `test`, `encoding`, `language` and `offline` are used.

    Raises
    ------
    HeadstartError
        What the user can fix.
    """
    if out is None:
        raise OptionError("No folder is named for report, result and model.", "Name one: -o OUT.")
    _check_strategies(options.strategy)
    require_place(out)
    began = time.monotonic()
    with offline(options.offline), runs.claim_folder(out, data=path, test=options.test):
        source = read_span_data(path, options.encoding, options.test)
        split = split_texts(source, options.seed)
        backbone = None if _needs_no_base(options.strategy) else choose_base(split.train, options)
        choice = choose_strategy(
            ChoiceRequest(
                train=split.train,
                validation=split.validation,
                tags=list_tags(source.list_kinds(), source.scheme),
                encoder=None if backbone is None else TokenEncoder(backbone),
                names=_expand_names(options.strategy),
                seed=options.seed,
                seconds=options.time - (time.monotonic() - began),
            )
        )
        result = _score(source, split, choice, backbone=backbone, options=options).model_copy(
            update={"source": str(path), "seconds": time.monotonic() - began}
        )
        best = choice.tried[result.chosen]
        write_span_bundle(best.fitted, _find_parts(best, backbone), source.scheme, out / "bundle")
        write_json(out / "result.json", result.model_dump(mode="json"))
        with use_language(choose_language(options.language)):
            write_text(out / "report.md", write_span_summary(result))
        runs.mark_finished(out)
    return WrittenSpanRun(result=result, folder=out)


_PRESETS = ("quick", "default", "thorough")


def _expand_names(names: Sequence[str]) -> tuple[str, ...]:
    quick = ("word-crf", "token-blend")
    return tuple(item for name in names for item in (quick if name == "quick" else () if name in _PRESETS else (name,)))


def _check_strategies(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in STRATEGIES and name not in _PRESETS]
    if unknown:
        raise OptionError(
            f"For spans there is no strategy {unknown[0]}.", f"Choose from {', '.join((*_PRESETS, *STRATEGIES))}."
        )


def _needs_no_base(names: Sequence[str]) -> bool:
    expanded = _expand_names(names)
    return bool(expanded) and not any(STRATEGIES[name].uses_base for name in expanded)


def split_texts(source: SpanData, seed: int) -> SpanSplit:
    """Return the texts of each part; where the source names no test texts, a fifth of the documents is drawn.

    Parameters
    ----------
    source : SpanData
    seed : int

    Raises
    ------
    DataError
        There are too few marked texts.
    """
    if len(source.list_kinds()) > SETTINGS.most_kinds:
        raise DataError(
            f"There are {len(source.list_kinds()):,} kinds of spans; at most {SETTINGS.most_kinds} can be told apart.",
            "Check that the tags stand in the last column, or merge kinds.",
        )
    texts = drop_test_copies(source)
    train = tuple(item for item in texts if item.split == TRAIN)
    if not source.has_test and len(np.unique(number_documents(train))) >= SETTINGS.least_documents:
        n_folds = round(1 / SETTINGS.test_share)
        is_test = assign_folds(train, n_folds, seed) == 0
        texts = tuple(item for item in texts if item.split != TRAIN) + tuple(
            replace(item, split=TEST) if drawn else item for item, drawn in zip(train, is_test, strict=True)
        )
        train = tuple(item for item in texts if item.split == TRAIN)
    n_documents = len(np.unique(number_documents([item for item in train if item.spans])))
    if n_documents < SETTINGS.least_marked_documents:
        raise DataError(
            f"{n_documents} different training texts have spans; {SETTINGS.least_marked_documents} are needed.",
            "Mark more texts.",
        )
    return SpanSplit(
        train=train,
        validation=tuple(item for item in texts if item.split == VALIDATION),
        test=tuple(item for item in texts if item.split == TEST),
        is_test_drawn=not source.has_test,
    )


def choose_base(train: Sequence[SpanText], options: AdaptOptions) -> Backbone:
    """Return the base that is named, or the one that the language of the texts asks for.

    Parameters
    ----------
    train : sequence of SpanText
    options : AdaptOptions
    """
    need = BaseRequest(modality="text", offline=options.offline, seed=options.seed)
    if options.base not in ("default", "auto"):
        return bases.load_base(options.base, need)
    texts = np.array([item.text for item in train], dtype=object)
    table = Table(
        modality="text",
        ids=np.array([item.id for item in train], dtype=object),
        inputs=texts,
        hashes=np.array([""] * len(train), dtype=object),
        labels=None,
        splits=np.array([TRAIN] * len(train), dtype=object),
    )
    backbone = choose_by_language(table, need).backbone
    progress.say(f"Base model: {backbone.record.name}.")
    return backbone


def _find_parts(best: TriedSpanStrategy, backbone: Backbone | None) -> BaseParts | None:
    if not best.fitted.model.uses_base:
        return None
    assert backbone is not None
    return best.fitted.parts or backbone.parts


def _score(
    source: SpanData, split: SpanSplit, choice: SpanChoice, *, backbone: Backbone | None, options: AdaptOptions
) -> SpanResult:
    answers: dict[str, Answers] = {
        name: item.fitted.model.predict(split.test, item.fitted.make_features(split.test))
        for name, item in choice.tried.items()
    }
    best = choice.find_best()
    assert best is not None
    chosen = best.strategy.name
    metrics = (
        {name: compute_metrics(split.train, split.test, answers[name], options.seed) for name in choice.tried}
        if split.test
        else {}
    )
    test = metrics.get(chosen)
    return SpanResult(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source="",
        form=source.form,
        scheme=source.scheme,  # type: ignore[arg-type]
        kinds=list(source.list_kinds()),
        n_rows=SpanCounts(
            train=len(split.train),
            validation=len(split.validation),
            test=len(split.test),
            unlabelled=sum(not item.is_labelled for item in source.texts),
        ),
        is_test_drawn=split.is_test_drawn,
        base=backbone.record.name if backbone else None,
        base_licence=backbone.record.licence if backbone else "",
        chosen=chosen,
        strategies=[_describe(item, metrics[name].span_f1 if metrics else None) for name, item in choice.tried.items()],
        skipped=choice.skipped,
        n_held_out=choice.n_held_out,
        test=test,
        span_f1=test.span_f1 if test else None,
        verdict=assess_transfer(choice, split.test, answers, options.seed),
        certainty=measure_certainty(split.test, answers[chosen]),
        notices=[SpanNoticeRow(**vars(item)) for item in source.notices],
        options=options.model_dump(mode="json"),
        settings={name: list(value) if isinstance(value, tuple) else value for name, value in vars(SETTINGS).items()},
        versions=list_versions(),
        seconds=0.0,
    )


def _describe(item: TriedSpanStrategy, figure: Figure | None) -> SpanStrategyResult:
    return SpanStrategyResult(
        name=item.strategy.name,
        uses_base=item.strategy.uses_base,
        held_out_f1=item.held_out_f1,
        span_f1=figure,
        seconds=item.seconds,
        mix=item.fitted.model.mix,
        facts=dict(item.fitted.facts),
    )
