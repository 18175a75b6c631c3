"""Which base models come into question: the catalogue, the local hub cache, and what the user names.

Nothing is downloaded and no weights are read; licence, kind and size are taken from records and small JSON files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.bases import CATALOGUE, DEFAULTS
from headstart.bases.catalogue_loading import list_present
from headstart.bases.files import read_json_file
from headstart.bases.folder import CONFIG, OWN, WEIGHTS
from headstart.bases.hub import list_snapshots, read_licence
from headstart.bases.licences import FREE_CLASSES, UNKNOWN, classify_licence
from headstart.bases.settings import MODEL_TYPES
from headstart.errors import DataError


@dataclass(frozen=True)
class Candidate:
    """A base model before it is loaded.

    Parameters
    ----------
    reference : str
        What `--base` takes.
    origin : str
        `catalogue`, `hub` (the local hub cache) or `given` (named by the user).
    licence : str
    size_bytes : int
        0 where unknown.
    """

    reference: str
    origin: str
    licence: str
    size_bytes: int

    @property
    def label(self) -> str:
        """A short form for sentences: paths lose their folders.

        Examples
        --------
        >>> Candidate("file:/home/ada/my-model", "given", "mit", 0).label, Candidate("hf:a/b", "hub", "mit", 0).label
        ('file:my-model', 'hf:a/b')
        """
        kind, _, rest = self.reference.partition(":")
        return f"file:{Path(rest).name}" if kind == "file" else self.reference


@dataclass(frozen=True)
class CandidateFilter:
    """Conditions on candidates.

    Parameters
    ----------
    modality : str
    licence : str
        "permissive" or "any".
    max_bytes : float
    requested : tuple of str
        References named by the user: neither licence nor size leaves them out.
    """

    modality: str
    licence: str = "permissive"
    max_bytes: float = float("inf")
    requested: tuple[str, ...] = ()


def list_candidates(criteria: CandidateFilter) -> tuple[list[Candidate], dict[str, str]]:
    """List the candidates, the modality's default first; and why others are left out, by reference.

    Parameters
    ----------
    criteria : CandidateFilter
    """
    accepted: dict[str, Candidate] = {}
    left_out: dict[str, str] = {}
    for candidate in (
        *_catalogue(criteria.modality),
        *_hub(criteria.modality),
        *map(_describe_requested, criteria.requested),
    ):
        reason = None if candidate.reference in criteria.requested else _explain_refusal(candidate, criteria)
        if reason is None:
            accepted.setdefault(candidate.reference, candidate)
        else:
            left_out[candidate.reference] = reason
    return list(accepted.values()), left_out


def _explain_refusal(candidate: Candidate, criteria: CandidateFilter) -> str | None:
    again = f"name it with --candidate {candidate.reference} to try it anyway"
    if criteria.licence == "permissive" and not is_permissive(candidate.licence):
        return f"its licence ({candidate.licence}) is not known to be permissive; {again}"
    if candidate.size_bytes > criteria.max_bytes:
        return f"it is too large ({candidate.size_bytes / 1e6:.0f} MB); {again}"
    return None


def is_permissive(licence: str) -> bool:
    """Return whether a licence allows every use.

    Examples
    --------
    >>> is_permissive("Apache 2.0"), is_permissive("cc-by-nc-4.0"), is_permissive("unknown")
    (True, False, False)
    """
    return classify_licence(licence) in FREE_CLASSES


def _catalogue(modality: str) -> list[Candidate]:
    """Bases of the catalogue that are on this machine."""
    present = list_present(CATALOGUE.values())
    records = [record for record in CATALOGUE.values() if record.modality == modality and record.name in present]
    records.sort(key=lambda record: record.name != DEFAULTS[modality])
    return [Candidate(record.name, "catalogue", record.licence, record.size_bytes) for record in records]


def _hub(modality: str) -> Iterator[Candidate]:
    """Complete models of this modality in huggingface_hub's cache; those of the catalogue go by their own names."""
    known = {record.repository for record in CATALOGUE.values()}
    for snapshot in list_snapshots():
        if snapshot.repository in known:
            continue
        if (snapshot.folder / WEIGHTS).is_file() and _find_modality(_config(snapshot.folder)) == modality:
            yield _describe_folder(f"hf:{snapshot.repository}", "hub", snapshot.folder)


def _describe_requested(reference: str) -> Candidate:
    kind, _, rest = reference.partition(":")
    if reference in CATALOGUE:
        record = CATALOGUE[reference]
        return Candidate(reference, "given", record.licence, record.size_bytes)
    path = Path(rest).expanduser()
    folder = path.parent if path.suffix == ".safetensors" else path
    if kind in ("file", "hf") and folder.is_dir():
        return _describe_folder(reference, "given", folder)
    return Candidate(reference, "given", UNKNOWN, 0)


def _describe_folder(reference: str, origin: str, folder: Path) -> Candidate:
    weights = folder / WEIGHTS
    config = _config(folder)
    record = config.get("record") if OWN in config else None
    stated = record.get("licence") if isinstance(record, dict) else None
    licence = stated or (read_licence(folder) if config else "") or UNKNOWN
    return Candidate(reference, origin, str(licence), weights.stat().st_size if weights.is_file() else 0)


def _config(folder: Path) -> Mapping[str, Any]:
    try:
        return read_json_file(folder / CONFIG)
    except DataError:
        return {}


def _find_modality(config: Mapping[str, Any]) -> str:
    """Return the modality of a config; "" where it is none that can be built."""
    if "pretrained_cfg" in config:
        return "image"
    model_type = str(config.get("model_type"))
    return next((modality for modality, types in MODEL_TYPES.items() if model_type in types), "")
