"""What a pruned vocabulary costs: accuracy with all pieces and with those kept, on other texts than those learnt from.

A linear head is fitted on texts of one source; the vocabulary is pruned for these; held-out texts of the same source
and texts of another one (tweets where it learnt from news) are answered with both. Paired differences, with intervals.
Run: python benchmarks/pruned_words.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headstart.bases import Backbone, BaseRequest, assemble_backbone, load_base
from headstart.bases.pruned_vocabulary import prune_vocabulary, read_vocabulary
from headstart.flow.exports.settings import SETTINGS
from headstart.flow.exports.vocabulary import choose_pieces, count_used_pieces
from headstart.flow.inference.predict_memory import make_input_table
from headstart.modalities import MODALITIES
from headstart.records import Table

PAIRS = (
    ("masakhanews/yor", "afrisenti/yo"),
    ("masakhanews/swa", "afrisenti/sw"),
    ("afrisenti/am", ""),
    ("arsarcasm", ""),
    ("masakhanews/hau", "afrisenti/ha"),
    ("masakhanews/eng", "disaster_messages"),
)
"""Learnt from, and texts of another source in that language (their labels are others: only agreement counts there)."""
MOST_CHARACTERS = 300
Z_95 = 1.96


@dataclass(frozen=True)
class DrawnTexts:
    """Texts and their labels."""

    table: Table
    labels: NDArray[np.str_]


def _read(path: Path, n_rows: int, part: str | None) -> DrawnTexts:
    csv.field_size_limit(10**9)
    file = path.with_suffix(".csv") if path.with_suffix(".csv").is_file() else next(path.glob("*.csv"))
    with file.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    column = next(name for name in ("text", "tweet", "message") if name in rows[0])
    label = next((name for name in ("label", "sentiment", "sarcasm") if name in rows[0]), "")
    if part is not None:
        rows = [row for row in rows if (row.get("split") == "test") == (part == "test")]
    rows = [row for row in rows if row[column].strip()]
    order = np.random.default_rng(0).permutation(len(rows))[:n_rows]
    texts = [rows[at][column][:MOST_CHARACTERS] for at in order]
    return DrawnTexts(make_input_table("text", texts), np.asarray([rows[at].get(label, "") for at in order]))


def _compute_features(backbone: Backbone, table: Table) -> NDArray[np.float32]:
    modality = MODALITIES["text"]
    assert backbone.module is not None
    net = backbone.module()
    rows = [modality.prepare(modality.load(source, backbone.spec), backbone.spec) for source in table.inputs]
    order = np.argsort([len(row[0]) for row in rows], kind="stable")
    values = []
    with torch.no_grad():
        for start in range(0, len(rows), 16):
            arrays = modality.collate([rows[at] for at in order[start : start + 16]], backbone.spec)
            values.append(net(*(torch.from_numpy(part) for part in arrays))[-1].numpy())
    return np.concatenate(values)[np.argsort(order)]


def _measure(
    data: Path, pair: tuple[str, str], whole: Backbone, options: argparse.Namespace
) -> Iterator[dict[str, object]]:
    source, other = pair
    learnt = _read(data / source, options.rows, "train")
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=2_000))
    head.fit(_compute_features(whole, learnt.table), learnt.labels)
    parts = {source: _read(data / source, options.test_rows, "test")}
    if other:
        parts[other] = _read(data / other, options.test_rows, None)
    expected = {name: head.predict_proba(_compute_features(whole, rows.table)) for name, rows in parts.items()}
    vocabulary, used = read_vocabulary(whole.parts), count_used_pieces(whole.parts, [learnt.table])
    for n_pieces in options.pieces:
        chosen = choose_pieces(vocabulary, used, n_pieces)
        pruned = assemble_backbone(prune_vocabulary(whole.parts, chosen))
        for name, rows in parts.items():
            outputs = head.predict_proba(_compute_features(pruned, rows.table))
            one, two = expected[name].argmax(1), outputs.argmax(1)
            facts: dict[str, object] = {
                "learnt": source, "n_learnt": len(learnt.labels), "rows": name, "n_rows": len(rows.labels),
                "n_pieces": len(chosen), "same_labels": float((one == two).mean()),
                "expected_loss": float((expected[name].max(1) - expected[name][np.arange(len(two)), two]).mean()),
                "mean_difference": float(np.abs(outputs - expected[name]).max(axis=1).mean()),
            }  # fmt: skip
            if name == source:
                before, after = (np.asarray(head.classes_[labels] == rows.labels, float) for labels in (one, two))
                half = Z_95 * float((after - before).std(ddof=1)) / len(one) ** 0.5
                facts |= {"accuracy_whole": before.mean(), "change": (after - before).mean(), "half_interval": half}
            yield facts


def main() -> None:
    """Print one line of JSON for each pair, source of rows and number of pieces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", default="multilingual-e5-small")
    parser.add_argument("--rows", type=int, default=200, help="rows to learn from")
    parser.add_argument("--test-rows", type=int, default=300)
    parser.add_argument("--pieces", type=int, nargs="+", default=[SETTINGS.pruned_pieces])
    parser.add_argument("--sources", nargs="+", default=[source for source, _ in PAIRS])
    options = parser.parse_args()
    whole = load_base(options.base, BaseRequest(modality="text", offline=True))
    for pair in PAIRS:
        if pair[0] in options.sources:
            for facts in _measure(pair, whole, options):
                print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
