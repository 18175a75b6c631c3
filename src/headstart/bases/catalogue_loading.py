"""Load a base of the catalogue whose files a model hub has, and say which bases can be loaded here and now.

No torch: whether a base is here is told from packages and files. What is fetched is decided in `headstart.bases.hub`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from headstart.bases import hub
from headstart.bases.embedded import find_converted_folder
from headstart.bases.folder import read_folder
from headstart.bases.prefix import add_prefix
from headstart.bases.record import BaseParts, BaseRecord
from headstart.bases.series_bodies import SERIES_LAYOUTS
from headstart.errors import DataError

NO_READER, NO_SAFETENSORS = "no-reader", "no-safetensors"
FORMATS = frozenset({"timm", "transformers", "open-clip", *SERIES_LAYOUTS})
"""Forms of files that `read_folder` reads."""


def find_obstacle(record: BaseRecord) -> str:
    """Return why a base cannot be fetched and used, whatever the connection: `no-reader`, `no-safetensors`, or "".

    Parameters
    ----------
    record : BaseRecord
    """
    if not record.format:
        return ""
    if record.format not in FORMATS:
        return NO_READER
    return "" if record.safetensors else NO_SAFETENSORS


def list_present(records: Iterable[BaseRecord]) -> frozenset[str]:
    """Return the names of the bases that can be loaded now, without a connection.

    Parameters
    ----------
    records : iterable of BaseRecord
    """
    return frozenset(record.name for record in records if _is_present(record))


def find_revision(record: BaseRecord) -> str:
    """Return the commit that a base's files on this machine are of, else the one its record names, else "".

    Parameters
    ----------
    record : BaseRecord
    """
    stored = hub.find_base(hub.make_request(record)) if record.repository else None
    return record.revision if stored is None else stored.folder.name


def _is_present(record: BaseRecord) -> bool:
    if find_obstacle(record) == NO_READER:
        return False
    if record.package and (_is_installed(record.package) or find_converted_folder(record).is_dir()):
        return True
    if record.repository:
        return hub.find_base(hub.make_request(record)) is not None
    return not record.package


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def load_from_hub(record: BaseRecord, offline: bool) -> BaseParts:
    """Return the parts of a base of the catalogue, from its files on this machine or fetched now.

    Parameters
    ----------
    record : BaseRecord
        With a repository.
    offline : bool
        Whether downloads are refused.

    Raises
    ------
    DataError
        If it cannot be used, is not here and cannot be fetched, or its files are not those of the record.
    """
    obstacle = find_obstacle(record)
    if obstacle == NO_READER:
        raise DataError(f"Headstart cannot read the files of {record.name} yet.", _suggest_other(record))
    is_stored = hub.find_base(hub.make_request(record)) is not None
    if obstacle == NO_SAFETENSORS and not is_stored:
        raise DataError(
            f"The publisher of {record.name} gives no safetensors, as far as is known. Pickled weights are never read.",
            f"{_suggest_other(record)} Or convert it, and give --base file:FOLDER.",
        )
    folder = hub.fetch_base(hub.make_request(record), offline or is_stored)
    _require_weights(folder, record)
    parts = read_folder(folder, record)
    hub.require_pinned_weights(folder, record.repository, parts.record.sha256, record.weights_file)
    _require_architecture(parts, record)
    known = replace(record, n_dims=parts.record.n_dims, size_bytes=parts.record.size_bytes, sha256=parts.record.sha256)
    return replace(parts, record=known, tokenizer=add_prefix(parts.tokenizer, record.prefix))


def _suggest_other(record: BaseRecord) -> str:
    return f"Take another, such as --base {record.instead or 'default'}."


def _require_weights(folder: Path, record: BaseRecord) -> None:
    if any((folder / name).is_file() for name in (record.weights_file, f"{record.weights_file}.index.json")):
        return
    raise DataError(
        f"The repository of {record.name} ({record.repository}) has no {record.weights_file}. "
        "Pickled weights are never read.",
        _suggest_other(record),
    )


def _require_architecture(parts: BaseParts, record: BaseRecord) -> None:
    """Refuse files that describe another network than the record: the repository was changed."""
    architecture = parts.architecture
    named, expected = architecture.get("name") or architecture.get("config", {}).get("model_type"), record.architecture
    if record.format in SERIES_LAYOUTS:
        named, expected = architecture["library"], record.format
    if record.format != "open-clip" and named != expected:
        raise DataError(
            f"The files of {record.name} describe another network ({named}, not {expected}).",
            f"Its repository {record.repository} was changed; {_suggest_other(record)}",
        )
