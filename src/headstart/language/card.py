"""The folder of a language's base: weights, tokenizer, configuration, masked-token head, and a card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from headstart.array_files import write_arrays
from headstart.bases import write_folder
from headstart.bases.folder import CONFIG, WEIGHTS
from headstart.home import write_json, write_text
from headstart.language.adaptation import AdaptedBase
from headstart.language.masked import HEAD_FILE
from headstart.language.masked_training import PARTS
from headstart.language.output_folder import CARD_FILE, MARKER_FILE
from headstart.markdown_text import escape_markdown
from headstart.sealed_folders import hash_file


def write_language_base(adapted: AdaptedBase, out: Path) -> None:
    """Write the folder of a language's base; `adapt --base file:OUT` takes it.

    Parameters
    ----------
    adapted : AdaptedBase
    out : Path

    Notes
    -----
    The file that marks the folder as ours is written first, the file that makes it a base last: after a kill there is
    a whole base, or a folder that no command accepts as one and that the same command fills.
    """
    (out / CONFIG).unlink(missing_ok=True)
    write_json(out / MARKER_FILE, adapted.document)
    old, document = adapted.parts.record, adapted.document
    record = replace(
        old,
        name=f"file:{out.name}",
        source="file",
        training_data=f"{old.training_data}; then {document['n_characters']['train']:,} characters of "
        f"{document['source']}",
        known_biases=f"those of {old.name} ({old.known_biases}); those of the new text were not looked at",
        summary=f"{old.name}, adapted to the language of {document['source']}",
        sha256="",
        size_bytes=0,
    )
    write_arrays(out / HEAD_FILE, adapted.head)
    write_text(out / CARD_FILE, render_card(adapted))
    write_folder(replace(adapted.parts, record=record), out)
    weights = out / WEIGHTS
    record = replace(record, sha256=hash_file(weights), size_bytes=weights.stat().st_size)
    write_folder(replace(adapted.parts, record=record), out)
    shutil.rmtree(adapted.work, ignore_errors=True)


def _format_interval(interval: Mapping[str, float]) -> str:
    return f"{interval['value']:.3f} ({interval['low']:.3f} to {interval['high']:.3f})"


def render_card(adapted: AdaptedBase) -> str:
    """Write the card as Markdown."""
    document, old = adapted.document, adapted.parts.record
    bits, fits, tokenizer, scratch = (
        document["bits_per_character"],
        document["fit"],
        document["tokenizer"],
        document["from_scratch"],
    )
    rows = [
        f"| this base | {_format_interval(bits['adapted'])} |",
        f"| {escape_markdown(document['base'])} as it is (head: {document['base_head']}) | "
        f"{_format_interval(bits['base'])} |",
        f"| {document['ngram']} model, Kneser-Ney, same text | {_format_interval(bits['ngram'])} |",
    ]
    names = {
        "unknown_token_share": "unknown pieces", "unknown_character_share": "unknown characters",
        "changed_character_share": "characters that lose an accent or a capital", "pieces_per_word": "pieces a word",
        "bytes_per_token": "bytes a piece",
    }  # fmt: skip
    table = [
        f"| {name} | {_format_value(key, fits['base'][key])} | {_format_value(key, fits['adapted'][key])} |"
        for key, name in names.items()
    ]
    trials = [
        f"| {item['tokenizer']} | {PARTS[item['part']]} | {'the base' if item['start'] == 'base' else 'nothing'} | "
        f"{item['figure']:.3f} | {item['steps']} | {item['seconds']:.0f} |"
        for item in document["trials"]
    ]
    counts, training = document["n_documents"], document["training"]
    vocabulary = (
        f"Replaced: {tokenizer['n_pieces']:,} pieces instead of {tokenizer['n_pieces_before']:,}; "
        f"{tokenizer['n_kept']:,} kept their embedding, {tokenizer['n_spelled']:,} began as the mean "
        "of old pieces that spell them."
        if tokenizer["replaced"]
        else f"Kept ({tokenizer['n_pieces']:,} pieces)."
    )
    return "\n".join(
        [
            f"# {escape_markdown(old.name)}, adapted to the language of {escape_markdown(document['source'])}",
            "",
            escape_markdown(document["sentence"]),
            "",
            f"Made by `headstart adapt-language`; use it with `headstart adapt DATA --base file:FOLDER`. "
            f"Licence of the weights it began with: {escape_markdown(old.licence)}. "
            "The licence of the text is for you to know.",
            "",
            "## Bits per character on held-out text (lower is better)",
            "",
            f"{counts['held']:,} documents, {document['n_characters']['held']:,} characters; in brackets the 95 % "
            "interval over documents.",
            "",
            "| model | bits per character |",
            "|---|---|",
            *rows,
            "",
            "Each word is hidden and guessed piece by piece from left to right, with about six of seven other words in "
            "sight; what the tokenizer loses (unknown words, accents, capitals, spaces) is charged. A masked model "
            "sees both sides of a gap, an n-gram model only the left: at equal figures the n-gram model knows more.",
            "",
            f"From nothing, the same network reached {scratch['scratch']:.3f} after {scratch['seconds']:.0f} s of "
            f"training where the base reached {scratch['adapted']:.3f} (on {counts['dev']:,} documents that chose).",
            "",
            "## Tokenizer",
            "",
            vocabulary,
            "",
            "| on held-out text | before | now |",
            "|---|---|---|",
            *table,
            "",
            *_render_words(document.get("words")),
            "## Training",
            "",
            f"{counts['train']:,} documents, {document['n_characters']['train']:,} characters; {training['steps']} "
            f"steps in {training['seconds']:.0f} s at {training['pieces_per_second']:.0f} pieces a second; "
            "the state of step "
            f"{training['best_step']} was kept. Short trials, on the documents that chose:",
            "",
            "| tokenizer | what learnt | from | bits per character | steps | s |",
            "|---|---|---|---|---|---|",
            *trials,
            "",
        ]
    )


def _render_words(word_counts: Mapping[str, int | str] | None) -> list[str]:
    """Return the section on the file of words, if there is one."""
    if word_counts is None:
        return []
    return [
        "## Words",
        "",
        f"{word_counts['file']} (sha256 {word_counts['sha256']}) says of {word_counts['n_pieces']:,} words and "
        f"pieces of words in how many of {word_counts['n_texts']:,} texts they occur, and which occur "
        "together; `classic`, which learns without a pre-trained network, uses it. The base works without it.",
        "",
    ]


def _format_value(key: str, value: float) -> str:
    return f"{value:.1%}" if key.endswith("share") else f"{value:.2f}"
