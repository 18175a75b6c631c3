"""Read CoNLL files: a word and its tag a line, a blank line between sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headstart.errors import DataError
from headstart.records import TEST, TRAIN
from headstart.spans.notices import Tally
from headstart.spans.records import VALIDATION, Span, SpanData, SpanText
from headstart.spans.tags import OUTSIDE, is_prefixed, read_tags

SUFFIXES = (".conll", ".conll2003", ".iob", ".iob2", ".bio", ".bioes", ".tsv", ".txt")
SPLITS = {
    "train": TRAIN,
    "valid": VALIDATION,
    "validation": VALIDATION,
    "dev": VALIDATION,
    "val": VALIDATION,
    "test": TEST,
}
_DOCUMENT = "-DOCSTART-"
_SNIFFED_LINES = 2_000
_MOST_TAGS = 200


@dataclass(frozen=True, kw_only=True)
class _Sentence:
    """Words and tags of a sentence, and where it begins."""

    words: list[str]
    tags: list[str]
    line: int
    document: int


def is_conll(path: Path) -> bool:
    """Return whether a path is a CoNLL file, or a folder with train.txt and, perhaps, valid.txt and test.txt.

    Parameters
    ----------
    path : Path
    """
    if path.is_dir():
        return any(_looks_tagged(file) for file in _list_files(path).values())
    return path.suffix.lower() in SUFFIXES and path.is_file() and _looks_tagged(path)


def _list_files(folder: Path) -> dict[str, Path]:
    """Return the files of a folder by their split."""
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        split = SPLITS.get(path.stem.lower())
        if split and path.suffix.lower() in SUFFIXES and path.is_file() and split not in files:
            files[split] = path
    return files if TRAIN in files else {}


def _looks_tagged(path: Path) -> bool:
    """Return whether the first lines are words with tags: two fields or more, blank lines between, few tags."""
    tags: Counter[str] = Counter()
    n_blank = n_lines = 0
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as handle:
            for line in handle:
                fields = _split_line(line)
                n_blank += not fields
                if fields and not _is_comment(line):
                    if len(fields) < 2:
                        return False
                    tags[fields[-1]] += 1
                n_lines += 1
                if n_lines >= _SNIFFED_LINES:
                    break
    except OSError:
        return False
    if not tags or len(tags) > _MOST_TAGS or any(len(tag) > 40 for tag in tags):
        return False
    named = [tag for tag in tags if tag != OUTSIDE]
    return is_prefixed(tags) or (n_blank > 0 and len(named) >= 2 and sum(tags.values()) > 3 * len(tags))


def _split_line(line: str) -> list[str]:
    stripped = line.strip("\r\n")
    fields = stripped.split("\t") if "\t" in stripped else stripped.split()
    return [field.strip() for field in fields] if stripped.strip() else []


def _is_comment(line: str) -> bool:
    return line.startswith("# ") and "=" in line


def read_conll(path: Path, encoding: str | None = None) -> SpanData:
    """Read a CoNLL file or folder; words are joined by spaces, and offsets refer to that text.

    Parameters
    ----------
    path : Path
    encoding : str or None
        Default: UTF-8.

    Raises
    ------
    DataError
        A line has no tag, a file has no words, or cannot be read.
    """
    files = _list_files(path) if path.is_dir() else {TRAIN: path}
    sentences = {split: list(_read_file(file, encoding)) for split, file in files.items()}
    every = [sentence for part in sentences.values() for sentence in part]
    if not every:
        raise DataError(f"{path} has no words.", "A line is a word, a tab and its tag; a blank line ends a sentence.")
    prefixed = is_prefixed(tag for sentence in every for tag in sentence.tags)
    tally = Tally()
    texts = [
        _make_text(sentence, f"{files[split].name}:{sentence.line}", split=split, tally=tally, prefixed=prefixed)
        for split, part in sentences.items()
        for sentence in part
    ]
    return SpanData(
        texts=tuple(texts),
        form="conll",
        scheme="bio" if prefixed else "words",
        has_test=TEST in files,
        notices=tally.list_notices(),
    )


def _read_file(path: Path, encoding: str | None) -> Iterator[_Sentence]:
    try:
        lines = path.read_text(encoding or "utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError, LookupError) as error:
        raise DataError(f"{path} cannot be read ({error}).", "Save it as UTF-8, or name its --encoding.") from error
    words: list[str] = []
    tags: list[str] = []
    document = first = 0
    for number, line in enumerate([*lines, ""], start=1):
        fields = [] if _is_comment(line) else _split_line(line)
        if fields and fields[0] == _DOCUMENT:
            document += 1
            continue
        if fields:
            if len(fields) < 2 or not fields[-1] or not fields[0]:
                raise DataError(f"{path}, line {number} has no tag.", "Every line is a word, a tab and its tag.")
            first = first if words else number
            words.append(fields[0])
            tags.append(fields[-1])
        elif words and not _is_comment(line):
            yield _Sentence(words=words, tags=tags, line=first, document=document)
            words, tags = [], []


def _make_text(sentence: _Sentence, name: str, *, split: str, tally: Tally, prefixed: bool) -> SpanText:
    offsets = _lay_out(sentence.words)
    document = f"{split}:{sentence.document}" if sentence.document else ""
    if prefixed:
        parsed = read_tags(sentence.tags)
        tally.add("tag-without-begin", parsed.n_without_begin, name)
        tally.add("tag-changed-inside", parsed.n_changed_inside, name)
        spans = [Span(offsets[span.start][0], offsets[span.end - 1][1], span.kind) for span in parsed.spans]
    else:
        pairs = zip(offsets, sentence.tags, strict=True)
        spans = [Span(*place, tag) for place, tag in pairs if tag not in (OUTSIDE, "_")]
    return SpanText(
        id=name, text=" ".join(sentence.words), words=tuple(offsets), spans=tuple(spans), split=split, document=document
    )


def _lay_out(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return the offsets of words that are joined by spaces."""
    offsets, place = [], 0
    for word in words:
        offsets.append((place, place + len(word)))
        place += len(word) + 1
    return offsets
