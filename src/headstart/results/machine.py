"""What a look at a machine gave: one record a check. Words stand in the report."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from headstart.results.record import Record

MachineLevel = Literal["fine", "notice", "problem"]
MachineCode = Literal[
    "python", "memory", "disk", "folder", "extra", "package", "version", "graphics", "proxy", "threads", "loopback",
    "bases",
]  # fmt: skip


class MachineFinding(Record):
    """One thing that was looked at."""

    code: MachineCode = Field(description="Permanent code of the check.")
    level: MachineLevel = Field(
        description="`fine`, `notice` (works, could be better) or `problem` (has to be mended)."
    )
    reason: str = Field(default="", description="Code of what is wrong; empty where it is fine.")
    subject: str = Field(default="", description="What it is about: a folder, a package, an extra, a variable.")
    detail: str = Field(default="", description="What the system said, or a version.")
    n_bytes: int | None = Field(default=None, description="Bytes that are free, or that are taken.")
    n_total_bytes: int | None = Field(default=None, description="Of how many bytes.")


class MachineReport(Record):
    """What a look at a machine gave."""

    format: int = Field(default=1, description="Format of this document.")
    system: str = Field(description="Operating system, its release and the processor's architecture.")
    headstart: str = Field(description="Version of Headstart.")
    n_cores: int = Field(description="Processor cores that this process may use.")
    findings: list[MachineFinding] = Field(description="All checks, the problems first.")
