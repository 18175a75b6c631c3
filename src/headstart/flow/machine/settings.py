"""Limits below which a machine is called too small."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MachineSettings:
    """When `headstart doctor` says something.

    Parameters
    ----------
    problem_memory_bytes, notice_memory_bytes : int
        With less free memory learning fails, or the larger bases do (texts in many languages take 2.6 GB).
    problem_disk_bytes, notice_disk_bytes : int
        With less free disk space nothing can be kept, or a larger base cannot be fetched.
    import_seconds : float
        A package that takes longer to load is called broken.
    most_path_characters : int
        Windows refuses paths of more than 260 characters; ours add up to 140.
    """

    problem_memory_bytes: int = 700_000_000
    notice_memory_bytes: int = 3_000_000_000
    problem_disk_bytes: int = 500_000_000
    notice_disk_bytes: int = 3_000_000_000
    import_seconds: float = 180.0
    most_path_characters: int = 120


SETTINGS = MachineSettings()
