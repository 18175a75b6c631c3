"""How texts with unseen words fare with a pruned vocabulary: label and probability against the whole one.

A linear head is fitted on texts of one source; the vocabulary is pruned for these; texts of another source (tweets
where it learnt from news) are answered with both. Run: python benchmarks/pruned_words.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from headstart.bases import Backbone, BaseRequest, assemble_backbone, load_base
from headstart.bases.pruned_vocabulary import prune_vocabulary, read_vocabulary
from headstart.flow.exports.vocabulary import choose_pieces, count_used_pieces
from headstart.flow.inference.predict_memory import make_input_table
from headstart.modalities import MODALITIES
from headstart.records import Table

PAIRS = (
    ("masakhanews/yor", "afrisenti/yo"),
    ("masakhanews/swa", "afrisenti/sw"),
    ("masakhanews/hau", "afrisenti/ha"),
    ("masakhanews/eng", "disaster_messages"),
)
MOST_CHARACTERS = 300


def _read(path: Path, n_rows: int, part: str | None) -> tuple[Table, NDArray[np.str_]]:
    csv.field_size_limit(10**9)
    file = path.with_suffix(".csv") if path.with_suffix(".csv").is_file() else next(path.glob("*.csv"))
    with file.open(encoding="utf-8", newline="") as handle:
        rows = [
            row for row in csv.DictReader(handle) if part is None or (row.get("split") == "test") == (part == "test")
        ]
    column = "text" if "text" in rows[0] else "message"
    rows = [row for row in rows if row[column].strip()]
    order = np.random.default_rng(0).permutation(len(rows))[:n_rows]
    texts = [rows[at][column][:MOST_CHARACTERS] for at in order]
    return make_input_table("text", texts), np.asarray([rows[at].get("label", "") for at in order])


def _compute_features(backbone: Backbone, table: Table) -> NDArray[np.float32]:
    modality = MODALITIES["text"]
    assert backbone.module is not None
    net, values = backbone.module(), []
    rows = [modality.prepare(modality.load(source, backbone.spec), backbone.spec) for source in table.inputs]
    with torch.no_grad():
        for start in range(0, len(rows), 16):
            arrays = modality.collate(rows[start : start + 16], backbone.spec)
            values.append(net(*(torch.from_numpy(part) for part in arrays))[-1].numpy())
    return np.concatenate(values)


def main() -> None:
    """Print one line of JSON for each pair and number of frequent pieces."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--base", default="multilingual-e5-small")
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--frequent", type=int, nargs="+", default=[4_000])
    options = parser.parse_args()
    whole = load_base(options.base, BaseRequest(modality="text", offline=True))
    for source, other in PAIRS:
        table, labels = _read(options.data / source, options.rows, "train")
        head = LogisticRegression(C=10, max_iter=2_000).fit(_compute_features(whole, table), labels)
        tables = {"same source": _read(options.data / source, options.rows, "test")[0]}
        tables[other] = _read(options.data / other, options.rows, None)[0]
        expected = {name: head.predict_proba(_compute_features(whole, rows)) for name, rows in tables.items()}
        for n_frequent in options.frequent:
            vocabulary = read_vocabulary(whole.parts)
            chosen = choose_pieces(vocabulary, count_used_pieces(whole.parts, [table]), n_frequent)
            pruned = assemble_backbone(prune_vocabulary(whole.parts, chosen))
            for name, rows in tables.items():
                outputs = head.predict_proba(_compute_features(pruned, rows))
                differences = np.abs(outputs - expected[name]).max(axis=1)
                facts = {
                    "learnt": source, "rows": name, "n_rows": len(rows), "n_frequent": n_frequent,
                    "n_pieces": len(chosen | vocabulary.fixed), "n_whole": len(vocabulary.pieces),
                    "same_labels": float((outputs.argmax(1) == expected[name].argmax(1)).mean()),
                    "mean_difference": float(differences.mean()), "median_difference": float(np.median(differences)),
                }  # fmt: skip
                print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
