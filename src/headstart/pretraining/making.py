"""From a number of pairs, or a time, to a base in a folder: forecast, training, record, card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart import progress
from headstart.bases import series_shape
from headstart.bases.catalogue import SERIES_ENCODER
from headstart.bases.folder import CONFIG, WEIGHTS, sha256_of, write_folder
from headstart.bases.record import BaseParts, BaseRecord
from headstart.home import home, read_json, write_json, write_text
from headstart.pretraining.training import BATCH, PAIRS, Pretrained, pairs_that_fit, pretrain

GUESSING = 5.54
"""The loss of guessing among 255 others, ln(255)."""


def make(out: Path, seed: int, n_pairs: int | None = None, seconds: float | None = None) -> dict[str, Any]:
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
        See `headstart.flow.pretraining.pretrain`.
    """
    fitting = pairs_that_fit(seconds or 60.0)
    planned = home() / "pretraining" / f"series-{seed}-{seconds or 0:g}s.json"
    wanted = n_pairs or (_planned(planned, fitting) if seconds else PAIRS)
    needed = wanted / fitting * (seconds or 60.0)
    length = f"{needed:.0f} s" if needed < 120 else f"{needed / 60:.0f} minutes"
    progress.say(f"{wanted:,} pairs of views of made-up series: about {length}.")
    made = pretrain(wanted, seed, home() / "pretraining")
    spec = series_shape.make_spec(made.architecture, 1)
    write_json(out / CONFIG, {"architecture": made.architecture})  # Ours, but no base until everything is there.
    write_folder(
        BaseParts(record=_record(made, seed), architecture=made.architecture, spec=spec, weights=made.weights), out
    )
    sha256 = sha256_of(out / WEIGHTS)
    shipped = sha256 == SERIES_ENCODER.sha256
    write_text(out / "README.md", _card(made, seed, shipped))
    planned.unlink(missing_ok=True)
    return {
        "format": 1, "base": str(out), "n_pairs": made.n_pairs, "seed": seed, "seconds": made.seconds,
        "losses": list(made.losses), "sha256": sha256, "shipped": shipped, "sentence": _sentence(made, shipped),
    }  # fmt: skip


def _planned(path: Path, fitting: int) -> int:
    """Give the number of pairs that a run which was stopped had planned, else the one that fits; and keep it."""
    try:
        return max(BATCH, int(read_json(path)["n_pairs"]))
    except (OSError, ValueError, KeyError, TypeError):
        write_json(path, {"n_pairs": fitting})
        return fitting


def _record(made: Pretrained, seed: int) -> BaseRecord:
    return replace(
        SERIES_ENCODER, name=f"series-encoder-{seed}-{made.n_pairs}", source="file", size_bytes=0, sha256="",
        n_dims=series_shape.count_dims(made.architecture, 1),
    )  # fmt: skip


def _sentence(made: Pretrained, shipped: bool) -> str:
    said = f"Learnt from {made.n_pairs:,} pairs; loss on new ones {made.losses[-1]:.2f} (guessing: {GUESSING})."
    return f"{said} These are the weights that come with Headstart, bit for bit." if shipped else said


def _card(made: Pretrained, seed: int, shipped: bool) -> str:
    losses = "\n".join(f"| {number} | {loss:.3f} |" for number, loss in enumerate(made.losses, 1))
    return f"""---
license: apache-2.0
---

# Series encoder

{_sentence(made, shipped)}

Made by `headstart pretrain series --pairs {made.n_pairs} --seed {seed}` on synthetic series alone: {BATCH} pairs a
step, NT-Xent (arXiv:2002.05709). Use it with `headstart adapt DATA --base file:FOLDER -o OUT`.

Loss on {BATCH} pairs that were never learnt from (guessing: {GUESSING}; lower is better):

| epoch | loss |
|---|---|
{losses}
"""
