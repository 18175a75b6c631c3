"""Raw text of a language: how well a base fits it, and a base made for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headstart import extras, progress
from headstart.file_locks import hold_output_folder
from headstart.home import lock_path
from headstart.offline import offline
from headstart.options import AdaptLanguageOptions, EvaluateLanguageOptions


def adapt_language(paths: Sequence[Path], out: Path, options: AdaptLanguageOptions) -> dict[str, Any]:
    """Make a text base for the language of raw text.

    Parameters
    ----------
    paths : sequence of Path
        Text files, tables and folders of both.
    out : Path
        Folder of the new base.
    options : AdaptLanguageOptions

    Returns
    -------
    dict
        As in `language.json` of the folder.
    """
    extras.require("adapt", "Adapting a base to a language")
    from headstart.language import output_folder, reading

    output_folder.require_free_folder(out)
    raw = reading.read_raw_text(paths, options.column, options.encoding)
    reading.require_enough_text(raw)
    from headstart.language import card, wordfile
    from headstart.language.adaptation import AdaptationRequest, adapt_base
    from headstart.language.masked import open_base

    with offline(options.offline), hold_output_folder(out, lock_path(out)):
        base = open_base(options.base, options.offline)
        length = f"{options.time:.0f} s" if options.time < 120 else f"{options.time / 60:.0f} minutes"
        progress.say(f"About {length} from now on. The same command continues a stopped run.")
        adapted = adapt_base(base, raw, AdaptationRequest(options.time, options.seed, options.max_memory))
        word_file = wordfile.count_words(raw, options.time, options.seed)
        adapted.document["words"] = word_file.description
        card.write_language_base(adapted, out)
        word_file.write(out)
    return {**adapted.document, "output": str(out)}


def evaluate_language(base: str, path: Path, options: EvaluateLanguageOptions) -> dict[str, Any]:
    """Measure how well a base fits the language of raw text; return a JSON document.

    Parameters
    ----------
    base : str
        Name, `file:...`, `hf:...` or `default`.
    path : Path
        A text file, a table, or a folder of both.
    options : EvaluateLanguageOptions
    """
    extras.require("adapt", "Measuring a base on a language")
    from headstart.language import reading

    raw = reading.read_raw_text([path], options.column, options.encoding)
    from headstart.language import fitness
    from headstart.language.masked import open_base

    with offline(options.offline):
        opened_base = open_base(base, options.offline)
        return fitness.evaluate_base(base, opened_base, raw, seconds=options.time, seed=options.seed).document()
