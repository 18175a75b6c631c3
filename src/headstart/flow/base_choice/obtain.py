"""Get a base model onto this machine: what it costs, then the download, the copy from a stick, or onto one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from headstart import bases, progress
from headstart.bases import CATALOGUE, BaseRecord, hub
from headstart.bases.catalogue_loading import NO_READER, find_obstacle, list_present
from headstart.bases.downloads.carrying import (
    AddedBase,
    add_base,
    export_stored,
    find_travelling,
    name_travelling_folder,
)
from headstart.bases.downloads.fetching import FetchPlan, FetchRequest, plan_fetch, run_fetch
from headstart.bases.downloads.storage import StoredBase, find_stored
from headstart.bases.licences import classify_licence
from headstart.bases.record import find_licence_class
from headstart.errors import DataError, OptionError, make_unknown_name
from headstart.flow.base_choice.installing import BaseInstallation, find_package
from headstart.options import AddBaseOptions, FetchBaseOptions, parse


@dataclass(frozen=True, kw_only=True)
class FetchOffer:
    """A base that may be fetched, and its price.

    Parameters
    ----------
    reference : str
        What `--base` takes.
    licence, licence_class : str
    size_bytes : int
        To be fetched or copied; 0 where it is here already.
    host : str
        Where it comes from; "" where it is on this machine.
    target : Path or None
        The folder that travels; None for the home.
    plan : FetchPlan or None
    stored : StoredBase or None
        Where it lies on this machine.
    package : BaseInstallation or None
        A package that brings a smaller file of it to this machine, where there is one.
    """

    reference: str
    licence: str
    licence_class: str
    size_bytes: int = 0
    host: str = ""
    target: Path | None = None
    plan: FetchPlan | None = None
    stored: StoredBase | None = None
    package: BaseInstallation | None = None


def plan_base_fetch(reference: str, options: FetchBaseOptions) -> FetchOffer:
    """Return what fetching a base would cost; its list of files is asked for, no more.

    Parameters
    ----------
    reference : str
        A name of `headstart bases`, `hf:OWNER/NAME` or `timm:NAME`.
    options : FetchBaseOptions

    Raises
    ------
    UnknownName, OptionError, DataError
        There is no such base, there is nothing to fetch of it, or the hub does not give it.
    """
    record = CATALOGUE.get(reference)
    request = replace(_make_request(reference, record), mirror=options.mirror, takes_changes=options.update)
    target = name_travelling_folder(options.to, reference) if options.to is not None else None
    stored = None if options.update else find_stored(request.repository, request.revision, request.files)
    if stored is not None:
        return _describe_stored(reference, stored, target, record)
    if record is not None and target is None and not options.update and list_present([record]):
        return FetchOffer(reference=reference, licence=record.licence, licence_class=find_licence_class(record))
    plan = plan_fetch(request, target)
    licence, group = plan.licence, classify_licence(plan.licence)
    if record is not None:
        if classify_licence(licence) not in ("unknown", find_licence_class(record)):
            progress.warn(f"{reference}: the hub states the licence {licence}, Headstart knew it as {record.licence}.")
        else:
            licence, group = record.licence, find_licence_class(record)
    return FetchOffer(
        reference=reference,
        licence=licence,
        licence_class=group,
        size_bytes=plan.missing_bytes,
        host=plan.hub.host,
        target=target,
        plan=plan,
        package=find_package(record) if record is not None and target is None else None,
    )


def plan_missing_base(reference: str) -> FetchOffer | None:
    """Return what `--base` would fetch of the catalogue; None where it is here or is not of the catalogue.

    Parameters
    ----------
    reference : str
    """
    record = CATALOGUE.get(reference)
    if record is None or not record.repository or find_obstacle(record) or list_present([record]):
        return None
    return plan_base_fetch(reference, parse(FetchBaseOptions))


def run_base_fetch(offer: FetchOffer) -> Path | None:
    """Fetch or copy what was offered, and return its folder; None for a base of a package, which has none.

    Parameters
    ----------
    offer : FetchOffer

    Raises
    ------
    HeadstartError
        It cannot be fetched, or not be written.
    """
    if offer.plan is not None:
        return run_fetch(offer.plan)
    if offer.stored is not None and offer.target is not None:
        return export_stored(offer.stored, offer.reference, offer.target)
    return offer.stored.folder if offer.stored is not None else None


def add_bases(folder: Path, options: AddBaseOptions) -> list[AddedBase]:
    """Copy every base of a folder that travels into the home, each whole or not at all.

    Parameters
    ----------
    folder : Path
    options : AddBaseOptions

    Raises
    ------
    DataError
        There is none, or one is incomplete, damaged, or not what was pinned.
    """
    known = {record.repository: record.sha256 for record in CATALOGUE.values() if not record.package}
    return [add_base(item, known, options.update) for item in find_travelling(folder)]


def _make_request(reference: str, record: BaseRecord | None) -> FetchRequest:
    if record is None:
        repository = bases.find_repository(reference)
        if not repository:
            raise make_unknown_name("base model", reference, [*CATALOGUE, "hf:OWNER/NAME", "timm:NAME"])
        return FetchRequest(repository=repository, reference=reference)
    if find_obstacle(record) == NO_READER:
        raise DataError(f"Headstart cannot read the files of {record.name} yet.", "Choose another: headstart bases.")
    if not record.repository:
        raise OptionError(
            f"{record.name} comes with the installation; there is nothing to fetch.",
            "On a machine without a network install Headstart from a folder of wheels (docs: offline).",
        )
    return hub.make_request(record)


def _describe_stored(reference: str, stored: StoredBase, target: Path | None, record: BaseRecord | None) -> FetchOffer:
    stated = stored.manifest.remote.licence if stored.manifest is not None else hub.read_licence(stored.folder)
    licence = record.licence if record is not None else stated or "unknown"
    return FetchOffer(
        reference=reference,
        licence=licence,
        licence_class=find_licence_class(record) if record is not None else classify_licence(licence),
        target=target,
        stored=stored,
    )
