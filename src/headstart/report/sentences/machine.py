"""What a machine lacks and how to mend it, in words that need no computer knowledge."""

from __future__ import annotations

from collections.abc import Mapping

from headstart.report.messages import message, translate
from headstart.report.words import format_significant
from headstart.results.machine import MachineFinding

SENTENCES: Mapping[tuple[str, str], str] = {
    ("python", ""): message("Python {detail} fits."),
    ("python", "narrow"): message("This is a Python of 32 bits; PyTorch needs one of 64 bits."),
    ("python", "musl"): message("This Linux (musl) has no PyTorch: models can be used here, but not made."),
    ("memory", ""): message("Memory: {size} GB free."),
    ("memory", "unknown"): message("How much memory there is could not be read."),
    ("memory", "small"): message("Little memory: {size} GB free of {total} GB."),
    ("memory", "busy"): message("Other programs fill the memory: {size} GB free of {total} GB."),
    ("folder", ""): message("Files can be written to {subject}."),
    ("folder", "home"): message("Headstart cannot write to its own folder {subject} ({detail})."),
    ("folder", "work"): message("Nothing can be written to this folder: {subject} ({detail})."),
    ("folder", "temporary"): message("Nothing can be written to the folder for temporary files {subject} ({detail})."),
    ("folder", "long"): message("The name of this folder is very long: {subject}."),
    ("disk", ""): message("Disk of {subject}: {size} GB free."),
    ("disk", "full"): message("The disk of {subject} is nearly full: {size} GB free of {total} GB."),
    ("extra", ""): message("The part '{subject}' is installed."),
    ("extra", "absent"): message("The part '{subject}' is not installed or not complete: {detail} is missing."),
    ("version", "old"): message("{subject} is not the version that is needed ({detail})."),
    ("package", ""): message("{subject} {detail} works."),
    ("package", "processor"): message("The processor of this machine is too old for {subject}."),
    ("package", "slow"): message("{subject} did not start within minutes."),
    ("package", "broken"): message("{subject} is installed but does not start: {detail}."),
    ("graphics", "unused"): message(
        "{subject} came with libraries for graphics cards (CUDA {detail}, {size} GB); this machine has no such card."
    ),
    ("proxy", ""): message("Downloads ({subject}) go through {detail}."),
    ("proxy", "odd"): message("The proxy for {subject} is set to something that is no address."),
    ("threads", "few"): message("The variable {subject}={detail} leaves cores of this machine idle."),
    ("loopback", ""): message("Pages of this machine can be opened in its browser."),
    ("loopback", "refused"): message("This machine cannot open its own pages ({detail})."),
    ("bases", ""): message("The ready-made model {subject} is here."),
    ("bases", "absent"): message("The ready-made model {subject} is not here yet."),
}
"""What was found, by code and reason."""
REPAIRS: Mapping[tuple[str, str], str] = {
    ("python", "narrow"): message("Install the 64-bit Python from python.org, then Headstart again."),
    ("python", "musl"): message("Make models on another machine (Debian, Ubuntu, Windows, macOS) and carry them here."),
    ("memory", "unknown"): message("If learning stops without a word, close other programs and try again."),
    ("memory", "small"): message("Photos and series will do; for texts in many languages take --base classic."),
    ("memory", "busy"): message("Close other programs, most of all browsers with many tabs."),
    ("folder", "home"): message("Set the variable HEADSTART_HOME to a folder that you may write to."),
    ("folder", "work"): message(
        "Work in another folder. On Windows: allow Python in 'Controlled folder access' of Windows Security."
    ),
    ("folder", "temporary"): message("Set the variable TMPDIR (Windows: TEMP) to a folder that you may write to."),
    ("folder", "long"): message("Move the folder to a place with a short name, such as C:\\Headstart."),
    ("disk", "full"): message(
        "Delete or move what you do not need. 'headstart cache --prune' removes what can be made again."
    ),
    ("extra", "absent"): message("If you need it: pip install 'headstart[{subject}]'"),
    ("version", "old"): message("Run: pip install --upgrade '{detail}'"),
    ("package", "processor"): message("Make models on a newer machine and carry them here; answering needs less."),
    ("package", "slow"): message("Virus scanners often do this: allow the folder of Python, and start again."),
    ("package", "broken"): message("Install it again: pip install --force-reinstall {subject}"),
    ("graphics", "unused"): message(
        "Nothing has to be done. To free the disk: uv pip install --torch-backend cpu torch"
    ),
    ("proxy", "odd"): message("Write it like http://proxy.example:8080 in the variable {subject}_proxy."),
    ("threads", "few"): message("Remove the variable, and learning becomes faster."),
    ("loopback", "refused"): message(
        "A firewall or a security program blocks it: allow Python on this machine itself."
    ),
    ("bases", "absent"): message(
        "It is fetched when it is first needed; before going offline: headstart bases fetch {subject}"
    ),
}
"""What to do about it; nothing where it is fine."""


def describe_machine_finding(finding: MachineFinding) -> str:
    """Return what was found.

    Parameters
    ----------
    finding : MachineFinding
    """
    return translate(SENTENCES[finding.code, finding.reason], **_list_values(finding))


def describe_repair(finding: MachineFinding) -> str:
    """Return what to do; "" where nothing has to be done.

    Parameters
    ----------
    finding : MachineFinding
    """
    repair = REPAIRS.get((finding.code, finding.reason), "")
    return translate(repair, **_list_values(finding)) if repair else ""


def _list_values(finding: MachineFinding) -> dict[str, str]:
    return {
        "subject": finding.subject,
        "detail": finding.detail,
        "size": _format_gigabytes(finding.n_bytes),
        "total": _format_gigabytes(finding.n_total_bytes),
    }


def _format_gigabytes(n_bytes: int | None) -> str:
    return "" if n_bytes is None else format_significant(n_bytes / 1e9, 2)
