"""What `load` checks beyond single files: that the parts of a bundle belong together, and that its model answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from headstart.bundle.integrity import read_json
from headstart.bundle.records.config_records import ConfigRecord
from headstart.bundle.records.schema import BUILD_FAILURES, Label, Misfit, StrictRecord, make_misfit, parse_record
from headstart.bundle.records.strategy_records import check_ngrams
from headstart.bundle.records.tokenizer_records import open_tokenizer
from headstart.decisions import DecisionPolicy
from headstart.errors import BundleError
from headstart.features import DESCRIPTOR_EXTRACTORS
from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Probabilities
from headstart.strategies import STRATEGIES
from headstart.strategies.fitted import list_members
from headstart.strategies.record import Fitted, StrategyRows

MODEL_FAILURES: tuple[type[Exception], ...] = (*BUILD_FAILURES, RuntimeError)
"""What models raise where their parts do not belong together."""


class NgramList(StrictRecord):
    """A file of pieces of words, by kind, and how many characters of a text are read."""

    longest: Annotated[int, Field(ge=1, le=10**9)]
    pieces: dict[Literal["characters", "words"], list[Label]]


def list_stated_files(portable: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every name of a file that `config.json` states under `portable`, once.

    Parameters
    ----------
    portable : mapping
        That entry of `config.json`.
    """
    names = [portable["file"]] if portable.get("file") else []
    names += [*portable.get("files", ()), *(name for _, name in _iterate_input_files(portable))]
    return tuple(dict.fromkeys(names))


def _iterate_input_files(portable: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    for item in portable.get("inputs", ()) if portable["ok"] else ():
        yield from ((item["spec"], name) for key, name in item["spec"].items() if key.endswith("_file"))


def check_input_files(folder: Path, portable: Mapping[str, Any]) -> None:
    """Check tokenizers and lists of words of a graph's inputs.

    Raises
    ------
    Misfit
        One is not what it has to be.
    """
    for spec, name in _iterate_input_files(portable):
        if "pieces_file" in spec:
            words = parse_record(NgramList, read_json(folder / name), name)
            for kind, pieces in words.pieces.items():
                check_ngrams(pieces, ("pieces", kind), name)
        else:
            open_tokenizer(folder / name, int(spec["max_length"]))


def count_decision_features(policy: DecisionPolicy, reads: str) -> int | None:
    """Return how many features decisions read, None where they read none.

    Raises
    ------
    Misfit
        They read what the graph does not give.
    """
    if policy.out_of_distribution is None:
        return None
    if policy.out_of_distribution.reads != reads:
        raise make_misfit(
            "config.json", ("portable", "reads"), f"decisions read {policy.out_of_distribution.reads}", reads
        )
    return int(policy.out_of_distribution.space.centre.shape[1])


def require_stated_inputs(config: ConfigRecord, state: FittedState, has_base: bool) -> None:
    """Refuse a model that reads what its bundle does not say that it reads; raise `Misfit`."""
    names = (config.strategy, *list_members(state))
    needed = frozenset[str]().union(*(STRATEGIES[name].predicts_from for name in names))
    for part in sorted(needed & {"features", "descriptors"} - set(config.uses)):
        if part == "features" or config.modality in DESCRIPTOR_EXTRACTORS:
            raise make_misfit("config.json", ("uses",), f"the model reads {part}", config.uses)
    if "features" in config.uses and not has_base:
        raise Misfit("config.json: uses: the model reads features, and there is no base")


@dataclass(frozen=True)
class CheckedModel:
    """A loaded model whose answers have the shape that they should have (see `headstart.strategies.record.Fitted`).

    Parameters
    ----------
    folder : Path
        The bundle, for messages.
    inner : Fitted
    n_outputs : int
    """

    folder: Path
    inner: Fitted
    n_outputs: int

    @property
    def out_of_fold(self) -> Probabilities:
        """Nothing: it is known where the model was fitted."""
        return self.inner.out_of_fold

    @property
    def notes(self) -> tuple[str, ...]:
        """Return the notes for the report."""
        return self.inner.notes

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return the outputs (n_rows, n_outputs).

        Raises
        ------
        BundleError
            The parts of the model do not belong together.
        """
        try:
            outputs = self.inner.predict(rows)
        except MODEL_FAILURES as error:
            reason = " ".join(str(error).split())[:200]
            raise BundleError(
                f"The model of {self.folder} cannot be run ({type(error).__name__}: {reason}).",
                "Copy the bundle again, or make it again with headstart adapt.",
            ) from error
        if outputs.shape != (len(rows), self.n_outputs):
            raise BundleError(
                f"The model of {self.folder} returns an array of shape {outputs.shape}, "
                f"not {(len(rows), self.n_outputs)}.",
                "Do not use it, or make the bundle again.",
            )
        return outputs

    def represent(self, rows: StrategyRows) -> FloatMatrix | None:
        """Return rows in the model's own space; None where it has none."""
        return self.inner.represent(rows)

    def state(self) -> FittedState:
        """Return the stored model."""
        return self.inner.state()
