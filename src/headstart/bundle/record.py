"""An adapted model as it is loaded and saved: what it is made of, and nothing that is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from headstart.bases import Backbone
from headstart.bundle.records.config_records import TrainingFacts
from headstart.bundle.reference import ReferenceSample
from headstart.bundle.runtime.session import PortableModel
from headstart.bundle.seen import SeenRows
from headstart.decisions import DEFAULT_POLICY, DecisionPolicy
from headstart.modalities import MODALITIES
from headstart.modalities.record import Spec
from headstart.records import InputColumns
from headstart.results import Setting
from headstart.strategies.record import Fitted, StrategyRows

RUNTIMES = ("auto", "torch", "onnx", "quickest")


@dataclass(frozen=True)
class PortableFiles:
    """The portable form of a model, as files.

    Parameters
    ----------
    folder : Path
        Where they lie.
    config : mapping
        What `config.json` says under `portable`: `ok`, and the `reason` where it is false.
    files : tuple of str
        Names within the folder.
    """

    folder: Path
    config: Mapping[str, Any]
    files: tuple[str, ...] = ()


NO_PORTABLE_FORM = {"ok": False, "reason": "the model was saved without its portable form"}


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An adapted model, ready to predict.

    Parameters
    ----------
    modality : str
    classes : tuple of str
        In the order of the probabilities.
    strategy : str
        Name in `headstart.strategies.STRATEGIES`.
    fitted : Fitted
    backbone : Backbone or None
        None where the strategy reads no frozen features.
    uses : frozenset of str
        "features", "descriptors", "inputs".
    columns : mapping of str to str
        Column names of the training table.
    seed : int
    training_facts : TrainingFacts
        About the training run: the data's name, test figures.
    task : str
        One of `headstart.task_types.TASK_TYPES`; `classes` are then grades from the lowest, labels, or the one number.
    thresholds : tuple of float
        For "multi-label": from which probability on each label is given.
    seen_rows : SeenRows or None
        What is remembered of the training rows; None in bundles of older versions.
    spec : mapping
        How inputs are read where there is no backbone (see `headstart.modalities.record.Spec`).
    decision_policy : DecisionPolicy
        How probabilities become answers; `DEFAULT_POLICY` in bundles of older versions, which store none.
    reference_sample : ReferenceSample or None
        A sample of training rows, to hold rows of another place against; None where none is kept.
    portable_files : PortableFiles or None
        The portable form; None where it was not made, or in bundles of older versions.
    portable_model : PortableModel or None
        Set where the model runs in its portable form now; `fitted` and `backbone` are then empty.
    input_columns : InputColumns or None
        For series: the value columns of training; None in bundles of older versions.
    keeps_torch : bool
        Whether it is written with the weights that torch reads in files of their own, beside the portable form; else
        they are stored once (see `headstart.bundle.shared_weights`).
    keeps_vocabulary : bool
        Whether all pieces of a text base are written.
    settings : mapping
        Tunable numbers that it was made with, by part; empty in bundles of older versions. Stored for people: what is
        used in predicting stands in the state of the model and in the decision policy.
    row_names : mapping of str to str
        Names of training rows by the key that the decision policy has of them; they lie beside the bundle, never in it.
    """

    modality: str
    classes: tuple[str, ...]
    strategy: str
    fitted: Fitted
    backbone: Backbone | None
    uses: frozenset[str]
    columns: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    training_facts: TrainingFacts = field(default_factory=TrainingFacts)
    task: str = "classification"
    thresholds: tuple[float, ...] = ()
    seen_rows: SeenRows | None = None
    spec: Mapping[str, Any] = field(default_factory=dict)
    decision_policy: DecisionPolicy = DEFAULT_POLICY
    reference_sample: ReferenceSample | None = None
    portable_files: PortableFiles | None = None
    portable_model: PortableModel | None = None
    input_columns: InputColumns | None = None
    keeps_torch: bool = False
    keeps_vocabulary: bool = False
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    row_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def input_spec(self) -> Spec:
        """Return the input spec: that of the backbone, if there is one."""
        return self.backbone.spec if self.backbone else self.spec

    def represent_rows(self, rows: StrategyRows) -> StrategyRows:
        """Return rows with what the model itself makes of them, where its decisions read that.

        Parameters
        ----------
        rows : StrategyRows
        """
        detector = self.decision_policy.out_of_distribution
        if detector is None or detector.reads != "representation":
            return rows
        return replace(rows, representation=self.fitted.represent(rows))

    @property
    def portable_config(self) -> Mapping[str, Any]:
        """Return `portable` of `config.json`."""
        return self.portable_files.config if self.portable_files else NO_PORTABLE_FORM

    @property
    def known_input_columns(self) -> InputColumns | None:
        """The value columns of training; of bundles of older versions only how many channels there were."""
        if self.input_columns is not None or not MODALITIES[self.modality].has_channels:
            return self.input_columns
        return InputColumns(n_channels=int(self.input_spec.get("n_channels", 0)))
