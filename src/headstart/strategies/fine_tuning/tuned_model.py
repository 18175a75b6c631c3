"""A fine-tuned base model and its head: the result of every strategy that trains the base.

Self-contained: the bundle of such a model needs no other copy of the base.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.bases import Backbone, BaseParts, assemble_backbone
from headstart.bases.specs import parse_base_record
from headstart.features.runtimes import REFERENCE
from headstart.features.views import compute_final_features
from headstart.fitted_state import FittedState
from headstart.records import FloatMatrix, Probabilities
from headstart.strategies.linear.head import Head
from headstart.strategies.record import StrategyRows

CHUNK_ROWS = 4_096


@dataclass(frozen=True, kw_only=True)
class TunedModel:
    """A tuned base and its head.

    Parameters
    ----------
    modality : str
    parts : BaseParts
        The base with all its weights, moved or not.
    head : Head
    n_views : int
        Augmented views of each row whose outputs are averaged with the plain one's.
    runtime : str
        Key of `headstart.features.runtimes.RUNTIMES`: the fastest for this base and many rows.
    unit_length : bool
        Whether features are scaled to length one before the head.
    """

    modality: str
    parts: BaseParts
    head: Head
    n_views: int = 0
    runtime: str = REFERENCE
    unit_length: bool = False

    @cached_property
    def backbone(self) -> Backbone:
        """The base ready to run."""
        return assemble_backbone(self.parts)

    def predict(self, rows: StrategyRows) -> Probabilities:
        """Return outputs (n_rows, n_outputs)."""
        outputs = np.empty((len(rows), len(self.head.intercept)))
        for start in range(0, len(rows), CHUNK_ROWS):
            part = rows.table.take(np.arange(start, min(start + CHUNK_ROWS, len(rows))))
            views = compute_final_features(part, self.backbone, self.n_views, self.runtime)
            views = [scale_to_unit_length(values) for values in views] if self.unit_length else views
            outputs[start : start + CHUNK_ROWS] = np.mean([self.head.predict(values) for values in views], axis=0)
        return outputs

    def state(self) -> FittedState:
        """Return record, architecture, spec, tokenizer and all weights."""
        head = self.head.state()
        meta = {
            "modality": self.modality,
            "record": asdict(self.parts.record),
            "architecture": dict(self.parts.architecture),
            "spec": dict(self.parts.spec),
            "n_views": self.n_views,
            "runtime": self.runtime,
            "unit": self.unit_length,
            "head": dict(head.meta),
        }
        arrays: dict[str, NDArray[Any]] = {f"base/{name}": value for name, value in self.parts.weights.items()}
        arrays |= {f"head/{name}": value for name, value in head.arrays.items()}
        if self.parts.tokenizer:
            arrays["tokenizer"] = np.frombuffer(self.parts.tokenizer.encode(), dtype=np.uint8)
        return FittedState(meta, arrays)

    @classmethod
    def load(cls, state: FittedState) -> TunedModel:
        """Return the model that a state describes."""
        meta = state.meta
        weights = {name[5:]: value for name, value in state.arrays.items() if name.startswith("base/")}
        tokenizer = np.asarray(state.arrays.get("tokenizer", []), dtype=np.uint8).tobytes().decode()
        parts = BaseParts(
            record=parse_base_record(meta["record"], "The tuned model"),
            architecture=meta["architecture"],
            spec=meta["spec"],
            weights=weights,
            tokenizer=tokenizer,
        )
        head = Head.load(state.select_part("head"))
        return cls(
            modality=str(meta["modality"]),
            parts=parts,
            head=head,
            n_views=int(meta["n_views"]),
            runtime=str(meta["runtime"]),
            unit_length=bool(meta.get("unit", False)),
        )


def scale_to_unit_length(values: FloatMatrix) -> FloatMatrix:
    """Return each row divided by its length; a row of zeros stays.

    Parameters
    ----------
    values : FloatMatrix, shape (n_rows, n_dims)

    Examples
    --------
    >>> scale_to_unit_length(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32)).round(2).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def replace_weights(parts: BaseParts, moved: Mapping[str, NDArray[Any]]) -> BaseParts:
    """Return a base with some weights replaced; everything else stays bit for bit.

    Parameters
    ----------
    parts : BaseParts
    moved : mapping of str to array
        New weights by name.
    """
    unknown = sorted(set(moved) - set(parts.weights))
    assert not unknown, unknown
    return replace(parts, weights={**parts.weights, **moved})
