"""Token classification: span F1 of every strategy, at few and at all training sentences.

`python benchmarks/spans.py measure SET/LANGUAGE [--sentences N] [--strategy NAMES] [--data FOLDER]` adds one line to
build/spans.jsonl; `python benchmarks/spans.py table [--results FOLDER]` writes the table from these lines. With all
sentences the source's validation sentences choose the strategy; with few, folds of these few do.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import machine
import numpy as np
from tables import keep, table

from headstart import bases
from headstart.bases import BaseRequest
from headstart.flow.spans.figures import assess_transfer, compute_metrics, measure_certainty
from headstart.flow.spans.sources import read_span_data
from headstart.spans.choosing import ChoiceRequest, choose_strategy
from headstart.spans.records import VALIDATION
from headstart.spans.tags import list_tags
from headstart.spans.token_states import TokenEncoder

LINES = machine.ROOT / "build" / "spans.jsonl"
BASE, SECONDS = "multilingual-e5-small", 380.0
PUBLISHED = {"hau": (74.5, 89.5), "lug": (64.7, 79.7), "pcm": (83.2, 87.3), "swa": (86.3, 87.4), "yor": (72.0, 78.3)}
"""F1 of XLM-R-miniLM (12 layers of 384, as this base) and of XLM-R-base, both tuned whole, on MasakhaNER 1.0."""
STRATEGIES = ("word-crf", "token-probe", "token-blend", "last-stages", "last-stages-blend")


def measure(name: str, n_sentences: int, strategies: Sequence[str], data: Path, seed: int) -> dict[str, Any]:
    """Fit every strategy on one set and score it on its test sentences."""
    began = time.perf_counter()
    source = read_span_data(data / name)
    test, validation = source.take_split("test"), source.take_split(VALIDATION)
    train = source.take_split("train")
    if n_sentences:
        drawn = np.sort(np.random.default_rng(seed).permutation(len(train))[:n_sentences])
        train, validation = tuple(train[item] for item in drawn), ()
    encoder = TokenEncoder(bases.load_base(BASE, BaseRequest(modality="text", offline=True)))
    request = ChoiceRequest(
        train=train,
        validation=validation,
        tags=list_tags(source.list_kinds(), source.scheme),
        encoder=encoder,
        names=tuple(strategies),
        seed=seed,
        seconds=SECONDS,
    )
    choice = choose_strategy(request)
    answers = {
        key: item.fitted.model.predict(test, item.fitted.make_features(test)) for key, item in choice.tried.items()
    }
    best = choice.find_best()
    assert best is not None
    chosen = best.strategy.name
    metrics = {key: compute_metrics(train, test, row, 0) for key, row in answers.items()}
    certainty = measure_certainty(test, answers[chosen])
    return {
        "set": name,
        "sentences": len(train),
        "is_whole": not n_sentences,
        "seed": seed,
        "test": len(test),
        "chosen": chosen,
        "held_out": {key: item.held_out_f1 for key, item in choice.tried.items()},
        "seconds": {key: item.seconds for key, item in choice.tried.items()},
        "f1": {key: item.span_f1.model_dump() for key, item in metrics.items()},
        "seen": metrics[chosen].seen_recall and metrics[chosen].seen_recall.value,
        "unseen": metrics[chosen].unseen_recall and metrics[chosen].unseen_recall.value,
        "verdict": assess_transfer(choice, test, answers, 0).model_dump(),
        "calibration_error": certainty and certainty.calibration_error,
        "sure": certainty and (certainty.sure_share, certainty.sure_precision),
        "total_seconds": time.perf_counter() - began,
        "machine": machine.describe(),
    }


def make_rows(lines: Sequence[dict[str, Any]]) -> list[dict[str, object]]:
    """Return one row of the table for each line, and a mean for each set and size."""
    groups: dict[tuple[str, bool], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        groups[line["set"].split("/")[0], line["is_whole"]].append(line)
    rows: list[dict[str, object]] = []
    for (name, is_whole), part in sorted(groups.items()):
        rows += [_make_row(line) for line in sorted(part, key=lambda item: item["set"])]
        size = "all" if is_whole else str(part[0]["sentences"])
        means = {
            key: f"{np.mean([line['f1'][key]['value'] for line in part]):.3f}"
            for key in STRATEGIES
            if all(key in line["f1"] for line in part)
        }
        chosen = np.mean([line["f1"][line["chosen"]]["value"] for line in part])
        rows.append({"set": f"**{name}, mean of {len(part)}**", "sentences": size, **means, "chosen": f"{chosen:.3f}"})
    return rows


def _make_row(line: dict[str, Any]) -> dict[str, object]:
    figures = {
        key: f"{line['f1'][key]['value']:.3f} ({line['f1'][key]['low']:.3f}-{line['f1'][key]['high']:.3f})"
        for key in STRATEGIES
        if key in line["f1"]
    }
    difference = line["verdict"]["difference"]
    set_name, _, language = line["set"].partition("/")
    published = PUBLISHED.get(language) if set_name == "masakhaner" and line["is_whole"] else None
    return {
        "set": line["set"],
        "sentences": line["sentences"],
        **figures,
        "chosen": line["chosen"],
        "verdict": line["verdict"]["transfer"],
        "difference": "" if difference is None else f"{difference['value']:+.3f}",
        "recall seen / new": f"{line['seen'] or 0:.2f} / {line['unseen'] or 0:.2f}",
        "calibration error": f"{line['calibration_error'] or 0:.3f}",
        "seconds": f"{line['total_seconds']:.0f}",
        "published": "" if published is None else " / ".join(map(str, published)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("measure", "table"))
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--sentences", type=int, default=0)
    parser.add_argument("--strategy", default="")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    asked = parser.parse_args(arguments)
    LINES.parent.mkdir(exist_ok=True)
    if asked.what == "table":
        lines = [json.loads(line) for line in LINES.read_text(encoding="utf-8").splitlines()]
        text = f"{lines[-1]['machine']}\n\n{NOTE}\n\n{table(make_rows(lines))}"
        keep(asked.results, "Spans in five African languages", text)
        return
    names = [item for item in asked.strategy.split(",") if item]
    for name in asked.sets:
        line = measure(name, asked.sentences, names, asked.data, asked.seed)
        with LINES.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(line) + "\n")
        print(line["set"], line["sentences"], line["chosen"], line["f1"], flush=True)


NOTE = (
    "multilingual-e5-small, one thread. Span F1 on the test sentences with its 95 % interval over documents; the "
    "strategy is chosen on the validation sentences (all) or in four folds (few), never on test sentences. `word-crf` "
    "uses no base model. Published, beside it and not comparable line by line: F1 of XLM-R-miniLM / XLM-R-base, tuned "
    "whole on MasakhaNER 1.0, another version of the set with other test sentences (model card of "
    "Davlan/afro-xlmr-mini; Alabi et al. 2022). Layer mixes, learning rate and number of trained blocks were chosen on "
    "the validation sentences of hau. In this run `last-stages-blend` of hau and swa pooled two fields, of lug and "
    "pcm three as now; strategies without a figure were left out for time. One draw of 100 sentences."
)

if __name__ == "__main__":
    main()
