"""Train a base model of our own and write it as a folder that `--base file:FOLDER` takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.bases.series_shape import LIBRARY
from headstart.errors import OptionError, make_unknown_name
from headstart.extras import require
from headstart.file_locks import hold_output_folder
from headstart.home import lock_path, read_json, require_place
from headstart.offline import offline
from headstart.options import PretrainOptions

KINDS = ("series",)


def pretrain(kind: str, out: Path, options: PretrainOptions) -> dict[str, Any]:
    """Train a base for a modality.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    out : Path
        Folder for `config.json`, `model.safetensors` and `README.md`; it may exist, if it is empty or a base for
        series made here.
    options : PretrainOptions

    Returns
    -------
    dict
        `format`, `base` (the folder), `n_pairs`, `seed`, `seconds`, `losses` (on pairs that were never learnt from,
        after each epoch), `sha256` of the weights, `shipped` (whether they are those that come with Headstart),
        `sentence`.

    Raises
    ------
    UnknownName
        If there is no such kind.
    OptionError
        If both a time and a number of pairs are given, or the folder holds something else or cannot be made.
    """
    if kind not in KINDS:
        raise make_unknown_name("kind of base to train", kind, KINDS)
    if options.time is not None and options.pairs is not None:
        raise OptionError("Both --time and --pairs are given.", "Give one of them.")
    if not _is_free(out):
        raise OptionError(
            f"{out} exists and is not a folder of this command.",
            "Give a folder that is empty or not there yet, with -o.",
        )
    require_place(out)
    require("adapt", "Training a base model")
    from headstart.pretraining import series_base as room

    with offline(options.offline), hold_output_folder(out, lock_path(out)):
        return room.make_series_base(out, options.seed, options.pairs, options.time)


def _is_free(out: Path) -> bool:
    """Return whether a folder is absent, empty, or holds a base for series that was made here before."""
    if not out.exists():
        return True
    if not out.is_dir():
        return False
    if not any(out.iterdir()):
        return True
    try:
        document = read_json(out / "config.json")
        return bool(document["architecture"]["library"] == LIBRARY)
    except (OSError, ValueError, KeyError, TypeError):
        return False
