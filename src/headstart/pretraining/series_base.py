"""From a number of pairs, or a time, to a base in a folder: forecast, training, record, card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart import progress
from headstart.bases import series_shape
from headstart.bases.catalogue import SERIES_ENCODER
from headstart.bases.folder import CONFIG, WEIGHTS, write_folder
from headstart.bases.record import BaseParts, BaseRecord
from headstart.home import find_home, read_json, write_json, write_text
from headstart.pretraining.settings import SETTINGS
from headstart.pretraining.training import Pretrained, count_pairs_that_fit, pretrain
from headstart.sealed_folders import hash_file

GUESSING = 5.54
"""The loss of guessing among 255 others, ln(255)."""


def make_series_base(out: Path, seed: int, n_pairs: int | None = None, seconds: float | None = None) -> dict[str, Any]:
    """Train a series encoder and write it.

    Parameters
    ----------
    out : Path
    seed : int
    n_pairs : int or None
        None: as many as fit `seconds`, or, without those, as the shipped base.
    seconds : float or None

    Returns
    -------
    dict
        JSON: see `headstart.flow.pretraining.pretrain`.
    """
    fitting = count_pairs_that_fit(seconds or 60.0)
    planned = find_home() / "pretraining" / f"series-{seed}-{seconds or 0:g}s.json"
    requested_pairs = n_pairs or (_plan_pairs(planned, fitting) if seconds else SETTINGS.n_pairs)
    needed = requested_pairs / fitting * (seconds or 60.0)
    length = f"{needed:.0f} s" if needed < 120 else f"{needed / 60:.0f} minutes"
    progress.say(f"{requested_pairs:,} pairs of views of synthetic series: about {length}.")
    pretrained = pretrain(requested_pairs, seed, find_home() / "pretraining")
    spec = series_shape.make_spec(pretrained.architecture, 1)
    write_json(out / CONFIG, {"architecture": pretrained.architecture})  # Ours, but no base until everything is there.
    write_folder(
        BaseParts(
            record=_make_record(pretrained, seed),
            architecture=pretrained.architecture,
            spec=spec,
            weights=pretrained.weights,
        ),
        out,
    )
    sha256 = hash_file(out / WEIGHTS)
    shipped = sha256 == SERIES_ENCODER.sha256
    write_text(out / "README.md", _render_card(pretrained, seed, shipped))
    planned.unlink(missing_ok=True)
    return {
        "format": 1, "base": str(out), "n_pairs": pretrained.n_pairs, "seed": seed, "seconds": pretrained.seconds,
        "losses": list(pretrained.losses), "sha256": sha256, "shipped": shipped,
        "sentence": _compose_sentence(pretrained, shipped),
    }  # fmt: skip


def _plan_pairs(path: Path, fitting: int) -> int:
    """Return the number of pairs that a stopped run had planned, else the one that fits; it is written to `path`."""
    try:
        return max(SETTINGS.batch_pairs, int(read_json(path)["n_pairs"]))
    except (OSError, ValueError, KeyError, TypeError):
        write_json(path, {"n_pairs": fitting})
        return fitting


def _make_record(pretrained: Pretrained, seed: int) -> BaseRecord:
    return replace(
        SERIES_ENCODER, name=f"series-encoder-{seed}-{pretrained.n_pairs}", source="file", size_bytes=0, sha256="",
        n_dims=series_shape.count_dims(pretrained.architecture, 1),
    )  # fmt: skip


def _compose_sentence(pretrained: Pretrained, shipped: bool) -> str:
    loss = pretrained.losses[-1]
    summary = f"Learnt from {pretrained.n_pairs:,} pairs; loss on new ones {loss:.2f} (guessing: {GUESSING})."
    return f"{summary} These are the weights that come with Headstart, bit for bit." if shipped else summary


def _render_card(pretrained: Pretrained, seed: int, shipped: bool) -> str:
    n_pairs, batch = pretrained.n_pairs, SETTINGS.batch_pairs
    losses = "\n".join(f"| {number} | {loss:.3f} |" for number, loss in enumerate(pretrained.losses, 1))
    return f"""---
license: apache-2.0
---

# Series encoder

{_compose_sentence(pretrained, shipped)}

Made by `headstart pretrain series --pairs {n_pairs} --seed {seed}` on synthetic series alone: {batch} pairs a
step, NT-Xent (arXiv:2002.05709). Use it with `headstart adapt DATA --base file:FOLDER -o OUT`.

Loss on {batch} pairs that were never learnt from (guessing: {GUESSING}; lower is better):

| epoch | loss |
|---|---|
{losses}
"""
