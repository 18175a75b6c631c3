"""What only the exported `predict.py` of spans does: read files, run the graph, write answers; its source goes there.

Functions use only names that `headstart.flow.spans.standalone` writes into the script.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from headstart.csv_files import write_csv_rows
from headstart.spans.crf import decode_words
from headstart.spans.model import Certainty
from headstart.spans.settings import SETTINGS
from headstart.spans.tags import read_tags
from headstart.spans.token_states import cut_windows
from headstart.spans.word_features import list_buckets
from headstart.spans.words import find_words

HERE = Path(__file__).parent


def read_texts(path: Any) -> list[tuple[str, str]]:
    """Return names and texts of a file."""
    content = path.read_text("utf-8-sig")
    if path.suffix.lower() == ".csv":
        rows = list(csv.DictReader(content.splitlines(True)))
        if rows and "text" not in rows[0]:
            sys.exit(f"{path} has no column text.")
        return [(str(row.get("id") or number), row["text"]) for number, row in enumerate(rows, start=1)]
    lines = [line.rstrip("\r") for line in content.split("\n") if line.strip()]
    if path.suffix.lower() == ".jsonl":
        documents = [json.loads(line) for line in lines]
        lines = [item if isinstance(item, str) else str(item["text"]) for item in documents]
    return [(str(number), line) for number, line in enumerate(lines, start=1)]


def open_model(here: Any) -> Any:
    """Return the document, the arrays and, where there is one, the graph and the tokenizer."""
    document = json.loads((here / "spans.json").read_text("utf-8"))
    arrays = dict(np.load(here / "spans.npz", allow_pickle=False))
    graph = tokenizer = None
    if document["base"]:
        import onnxruntime
        import tokenizers

        graph = onnxruntime.InferenceSession(str(here / "model.onnx"), providers=["CPUExecutionProvider"])
        tokenizer = tokenizers.Tokenizer.from_file(str(here / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
    return document, arrays, graph, tokenizer


def compute_states(words_of_text: Any, document: Any, graph: Any, tokenizer: Any) -> Any:
    """Return the states of the words of a text (n_words, n_dims): the mean over the tokens of each."""
    windows = cut_windows(words_of_text, tokenizer, document["max_length"])
    states = None
    for window in windows:
        ids = window.ids[None]
        out = graph.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0]
        if states is None:
            states = np.zeros((len(words_of_text), out.shape[1]), np.float32)
        begin, end = window.own
        for word in range(begin, end):
            rows = np.flatnonzero(window.words == word)
            if len(rows):
                states[word] = out[rows].mean(axis=0)
    return states


def score_text(words_of_text: Any, parts: Any) -> Any:
    """Return the scores of the tags of each word (n_words, n_tags)."""
    document, arrays, graph, tokenizer = parts
    scores = np.tile(arrays["bias"].astype(np.float64), (len(words_of_text), 1))
    if "hashed_weights" in arrays:
        for place, buckets in enumerate(list_buckets(words_of_text)):
            scores[place] += arrays["hashed_weights"][buckets].sum(axis=0)
    if "state_weights" in arrays and words_of_text:
        scores += compute_states(words_of_text, document, graph, tokenizer) @ arrays["state_weights"]
    return scores


def answer_text(text: str, parts: Any) -> list[tuple[Any, ...]]:
    """Return start, end, kind, words and probability of each span of a text."""
    document, arrays = parts[0], parts[1]
    places = find_words(text)
    if not places:
        return []
    field: Any = SimpleNamespace(transitions=arrays["transitions"], start=arrays["start"])
    scores = score_text([text[start:end] for start, end in places], parts)
    decoded = decode_words(scores, np.array([len(places)]), field)
    certainty = Certainty(**document["certainty"])
    rows = []
    for span in read_tags([document["tags"][number] for number in decoded.tags]).spans:
        probability = certainty.calibrate(float(decoded.probabilities[span.start : span.end].min()))
        start, end = places[span.start][0], places[span.end - 1][1]
        rows.append((start, end, span.kind, text[start:end], round(probability, 4)))
    return rows


def main() -> None:
    """Answer the files that are named."""
    parser = argparse.ArgumentParser(description="Find the spans in texts.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    parts = open_model(HERE)
    handle = options.output.open("w", encoding="utf-8", newline="") if options.output else sys.stdout
    write_csv_rows(handle, [("input", "start", "end", "kind", "text", "probability", "is_sure")])
    for path in options.files:
        for name, text in read_texts(path):
            rows = answer_text(text, parts)
            write_csv_rows(handle, ((name, *row, row[4] >= SETTINGS.least_probability) for row in rows))
