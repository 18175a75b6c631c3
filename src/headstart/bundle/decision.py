"""How a bundle keeps its rules of decision: decision.json, and the arrays of what is remembered of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headstart.array_files import read_arrays, write_arrays
from headstart.bundle.integrity import read_json
from headstart.bundle.records.decision_records import ARRAYS, FILE, check_frame, parse_rules
from headstart.coding_frames import split_path
from headstart.decisions import DecisionPolicy
from headstart.decisions.rolling_up import list_level_nodes
from headstart.home import write_json
from headstart.task_types import TASK_TYPES

__all__ = ["ARRAYS", "FILE", "read_stored_policy", "write_decision_policy"]


def write_decision_policy(policy: DecisionPolicy, folder: Path) -> None:
    """Write `decision.json` and, where rows are remembered, `decision.safetensors`."""
    write_json(folder / FILE, policy.as_dict())
    if policy.out_of_distribution is not None:
        write_arrays(folder / ARRAYS, policy.out_of_distribution.arrays())


def read_stored_policy(folder: Path, classes: Sequence[str], task: str) -> DecisionPolicy:
    """Read them back, checked.

    Parameters
    ----------
    folder : Path
        Of the bundle.
    classes : sequence of str
    task : str

    Raises
    ------
    Misfit
        They are not as they have to be, or do not fit the classes.
    """
    document = read_json(folder / FILE)
    arrays = read_arrays(folder / ARRAYS) if (folder / ARRAYS).is_file() else {}
    rules = parse_rules(document, arrays, len(classes), TASK_TYPES[task].has_one_class)
    if rules.frame is not None:
        depth = max(len(split_path(name)) for name in classes)
        n_nodes = [len(list_level_nodes(classes, level).names) for level in range(1, depth)]
        check_frame(rules.frame, n_nodes, TASK_TYPES[task].has_one_class)
    return DecisionPolicy.from_dict(document, arrays)
