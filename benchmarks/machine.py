"""What a figure was measured on: machine, load, revision, versions, date."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "headstart",
    "torch",
    "timm",
    "transformers",
    "openvino",
    "scikit-learn",
    "aeon",
    "numpy",
    "fastai",
    "sentence-transformers",
    "setfit",
)


def processor() -> str:
    """Name the processor as the system does."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def revision() -> str:
    """Give the commit, with a plus where tracked files differ from it (this folder's results aside)."""
    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    if commit.returncode:
        return "unknown"
    changed = [*git, "status", "--porcelain", "--untracked-files=no", "--", ".", ":!benchmarks/results"]
    dirty = subprocess.run(changed, capture_output=True, text=True, check=False).stdout.strip()
    return commit.stdout.strip() + ("+" if dirty else "")


def versions() -> str:
    """Give the versions that matter, in one line."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def describe() -> str:
    """Give all of it as Markdown lines."""
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return "\n".join(
        [
            f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; revision {revision()}",
            f"- machine: {processor()}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()}; "
            f"load at the start of this table (1, 5, 15 min): {load}",
            f"- Python {platform.python_version()}, {versions()}",
        ]
    )
