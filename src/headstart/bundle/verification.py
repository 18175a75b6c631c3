"""Is a bundle whole, and does it say here what it said where it was made? Hashes, then the golden rows replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from headstart import bundle as bundles
from headstart.bundle.golden import FILE
from headstart.bundle.golden_decisions import DecisionContext, list_changed_decisions
from headstart.bundle.runtime.agreement import Agreement
from headstart.bundle.runtime.replaying import replay_golden_rows


@dataclass(frozen=True, kw_only=True)
class BundleVerification:
    """Result of a verification.

    Parameters
    ----------
    folder : Path
    format : int
    n_files : int
        Files whose hash is right (a wrong one is an error).
    unlisted : tuple of str
        Files beside them that the manifest does not name; they are never read.
    golden : Agreement or None
        Of the golden rows; None where the bundle has none.
    without : str
        Why nothing was replayed.
    decided_otherwise : sequence of int
        Golden rows of which the stored decisions give another kind or class than the model gave in memory.
    """

    folder: Path
    format: int
    n_files: int
    unlisted: tuple[str, ...]
    golden: Agreement | None
    without: str = ""
    decided_otherwise: Sequence[int] = ()

    @property
    def passes(self) -> bool:
        """Return whether outputs and decisions are the same here."""
        return (self.golden is None or self.golden.passes) and not self.decided_otherwise


def verify_bundle(path: Path) -> BundleVerification:
    """Check a bundle and replay its golden rows on this machine.

    Parameters
    ----------
    path : Path
        A bundle, or the OUT folder of `adapt`.

    Raises
    ------
    BundleError
        A file is missing or was changed, the format is not known, stored decisions are damaged, or the graph cannot
        be run.
    """
    folder = bundles.find_bundle(path)
    manifest = bundles.verify_files(folder)
    listed = set(manifest["sha256"])
    present = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    unlisted = tuple(sorted(present - listed - {bundles.MANIFEST}))
    record = partial(
        BundleVerification, folder=folder, format=manifest["format"], n_files=len(listed), unlisted=unlisted
    )
    if FILE not in listed:
        bundles.read_decision_policy(folder, manifest)
        return record(golden=None, without="the bundle has no golden rows: it has no portable form")
    if not any(name.endswith(".onnx") for name in listed):
        bundles.read_decision_policy(folder, manifest)
        return record(golden=None, without="the bundle was exported for other tools, which run it")
    model = bundles.load_bundle(folder, "onnx")
    assert model.portable_model is not None
    golden, agreement = replay_golden_rows(model.portable_model, model.task, model.thresholds)
    context = DecisionContext(model.task, model.classes, model.thresholds, model.decision_policy)
    return record(golden=agreement, decided_otherwise=list_changed_decisions(golden, context))
