"""Whether a model is ready for use, in all languages, from the result beside its bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.home import read_json
from headstart.report.messages import LANGUAGES, use_language
from headstart.report.sentences.readiness import describe_verdict
from headstart.results import Readiness


def read_readiness_texts(path: Path, modality: str) -> dict[str, Any] | None:
    """Return as JSON the level, the verdict in English, and the verdicts by language; None where a file says nothing.

    Parameters
    ----------
    path : Path
        The result.json of a run; no link is followed.
    modality : str
    """
    if path.is_symlink() or not path.is_file():
        return None
    try:
        readiness = Readiness.model_validate(read_json(path)["readiness"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    verdicts = {}
    for language in LANGUAGES:
        with use_language(language):
            verdicts[language] = describe_verdict(readiness, modality)
    return {"level": readiness.level, "verdict": verdicts["en"], "verdicts": verdicts}
