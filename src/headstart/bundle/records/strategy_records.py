"""`strategy.json` and `model.safetensors` as records: what the fitted model of each strategy is made of.

`STATES` is the one place that says it; a further strategy is one line there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from headstart.bases.rocket import PARTS
from headstart.bases.rocket_weights import check_rocket_weights
from headstart.bundle.records.array_records import ArrayRule, Arrays, check_arrays
from headstart.bundle.records.base_facts import BaseFacts
from headstart.bundle.records.config_records import BASE_SPECS, SeriesSpec
from headstart.bundle.records.schema import (
    Label,
    Misfit,
    StrictRecord,
    Text,
    make_misfit,
    parse_record,
    require_mapping,
)
from headstart.errors import DataError
from headstart.fitted_state import FittedState
from headstart.modalities import MODALITIES
from headstart.modalities.quantiles import count_features
from headstart.results.record import ModalityName
from headstart.strategies import STRATEGIES
from headstart.strategies.linear.links import LINK_OF
from headstart.task_types import TaskName

META, WEIGHTS = "strategy.json", "model.safetensors"
Link = Literal["softmax", "logistic", "identity"]


@dataclass(frozen=True, kw_only=True)
class StateContext:
    """Sizes that a fitted model must fit.

    Parameters
    ----------
    modality, task : str
    n_outputs : int
        Classes, labels, or one number.
    n_dims : int
        Length of the base's features; 0 where there is no base, or it is not known.
    where : str
        Of the arrays, for messages.
    """

    modality: str
    task: str
    n_outputs: int
    n_dims: int = 0
    where: str = WEIGHTS

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes that the arrays have to have."""
        return {"n_outputs": self.n_outputs}


class NotesRecord(StrictRecord):
    """Fields that every fitted model has."""

    notes: Annotated[list[Text], Field(max_length=1_000)] = []


class HeadRecord(NotesRecord):
    """A linear model."""

    link: Link = "softmax"


class LdaRecord(NotesRecord):
    """Classes as clouds."""

    unit: bool


class StagesRecord(HeadRecord):
    """A linear model on several stages of the base."""

    stages: Annotated[list[Annotated[str, Field(pattern=r"^stage-\d{1,4}$")]], Field(max_length=1_000)]


class NgramsRecord(HeadRecord):
    """Words and pieces of words that are counted, by kind."""

    recipe: Literal["text"]
    longest: Annotated[int, Field(ge=1, le=10**9)]
    pieces: dict[Literal["characters", "words"], list[Label]]


class ConvolutionsRecord(HeadRecord):
    """MiniRocket's convolutions."""

    recipe: Literal["series"]
    spec: SeriesSpec


class DescriptorsRecord(HeadRecord):
    """A linear model on descriptors of images."""

    recipe: Literal["image"]


class TreesRecord(NotesRecord):
    """Trees on quantiles."""

    spec: SeriesSpec
    divisor: Annotated[int, Field(ge=1, le=10**7)]
    temperature: Annotated[float, Field(ge=1e-9, le=1e9)]
    link: Link


class ScratchRecord(NotesRecord):
    """A network learnt from random weights."""

    modality: Literal["image", "text"]
    label: Text
    kind: TaskName = "classification"
    architecture: dict[str, Any]
    spec: dict[str, Any]


class ScratchTextSpec(StrictRecord):
    """Spec of texts for a tokenizer that was trained with a network."""

    tokenizer: Annotated[str, Field(max_length=50_000_000)]
    max_tokens: Annotated[int, Field(ge=1, le=100_000)]


SCRATCH_SPECS: Mapping[str, type[StrictRecord]] = {"image": BASE_SPECS["image"], "text": ScratchTextSpec}


class TunedRecord(NotesRecord):
    """A base with moved weights and its head."""

    modality: ModalityName
    record: BaseFacts
    architecture: dict[str, Any]
    spec: dict[str, Any]
    n_views: Annotated[int, Field(ge=0, le=64)]
    runtime: Annotated[str, Field(max_length=100)]
    unit: bool = False
    head: HeadRecord


class BlendRecord(NotesRecord):
    """Several models, weighted; their own states stand beside this under their names."""

    weights: Annotated[dict[str, Annotated[float, Field(ge=0, le=1.000001)]], Field(min_length=1, max_length=50)]
    link: Link = "softmax"

    @model_validator(mode="after")
    def _whole(self) -> BlendRecord:
        if not 0.99 < sum(self.weights.values()) < 1.01:
            raise ValueError("weights should add up to 1")
        return self


class FirstBlendRecord(NotesRecord):
    """A blend as the first bundles stated it."""

    probe: str
    weight: Annotated[float, Field(ge=0, le=1)]


_HEAD = {
    "centre": ArrayRule(("n_dims",)), "coefficients": ArrayRule(("n_dims", "n_outputs")),
    "intercept": ArrayRule(("n_outputs",)),
}  # fmt: skip


def _check_link(record: HeadRecord | TreesRecord | BlendRecord, context: StateContext) -> None:
    if record.link != LINK_OF[context.task]:
        raise make_misfit(META, ("link",), f"should be '{LINK_OF[context.task]}' for {context.task}", record.link)


def _check_head(record: HeadRecord, arrays: Arrays, context: StateContext, n_dims: int = 0) -> None:
    """Check a linear model on features of some length; 0: of any."""
    _check_link(record, context)
    check_arrays(arrays, _HEAD, context.where, {**context.sizes, **({"n_dims": n_dims} if n_dims else {})})


def _check_majority(state: FittedState, context: StateContext) -> None:
    parse_record(NotesRecord, state.meta, META)
    check_arrays(state.arrays, {"shares": ArrayRule(("n_outputs",))}, context.where, context.sizes)


def _check_probe(state: FittedState, context: StateContext) -> None:
    _check_head(parse_record(HeadRecord, state.meta, META), state.arrays, context, context.n_dims)


def _check_stages(state: FittedState, context: StateContext) -> None:
    _check_head(parse_record(StagesRecord, state.meta, META), state.arrays, context)


def _check_lda(state: FittedState, context: StateContext) -> None:
    parse_record(LdaRecord, state.meta, META)
    specs = {**_HEAD, "inverse": ArrayRule(("n_dims",))}
    check_arrays(state.arrays, specs, context.where, {**context.sizes, **_known_dims(context)})


def _known_dims(context: StateContext) -> dict[str, int]:
    return {"n_dims": context.n_dims} if context.n_dims else {}


def _check_ngrams_state(state: FittedState, context: StateContext) -> None:
    record = parse_record(NgramsRecord, state.meta, META)
    _check_link(record, context)
    n_pieces = 0
    for kind, pieces in record.pieces.items():
        check_ngrams(pieces, ("pieces", kind), META)
        check_arrays(state.arrays, {f"idf/{kind}": ArrayRule((len(pieces),))}, context.where)
        n_pieces += len(pieces)
    specs = {"coefficients": ArrayRule((n_pieces, "n_outputs")), "intercept": ArrayRule(("n_outputs",))}
    if "projection" in state.arrays:
        specs |= {"projection": ArrayRule((n_pieces, "n_projected")), "reach": ArrayRule((1,))}
    check_arrays(state.arrays, specs, context.where, context.sizes)


def check_ngrams(ngrams: Sequence[str], place: tuple[str, ...], where: str) -> None:
    """Refuse a list in which a piece stands twice: numbers of pieces would not be those of the weights."""
    if len(set(ngrams)) < len(ngrams):
        raise make_misfit(where, place, "pieces should differ", f"{len(ngrams)} pieces, {len(set(ngrams))} different")


def _check_rocket(arrays: Arrays, spec: SeriesSpec, where: str, head: str) -> int:
    """Check MiniRocket's parameters, whose names begin with `head`; return the number of features."""
    weights = {name: arrays[f"{head}{name}"] for name in PARTS if f"{head}{name}" in arrays}
    try:
        check_rocket_weights(weights, {"length": spec.length, "n_channels": spec.n_channels}, f"{where}: {head}")
    except DataError as error:
        raise Misfit(error.problem) from error
    return check_arrays(arrays, {f"{head}biases": ArrayRule(("n_features",))}, where)["n_features"]


def _check_convolutions(state: FittedState, context: StateContext) -> None:
    record = parse_record(ConvolutionsRecord, state.meta, META)
    views = [view for view in ("kernels", "difference") if f"{view}/channels_per_combination" in state.arrays]
    if not views:
        raise Misfit(f"{context.where}: there is no array 'kernels/channels_per_combination'")
    n_dims = sum(_check_rocket(state.arrays, record.spec, context.where, f"{view}/") for view in views)
    _check_head(record, state.arrays, context, n_dims)


def _check_descriptors(state: FittedState, context: StateContext) -> None:
    from headstart.modalities.descriptors import N_DESCRIPTORS

    _check_head(parse_record(DescriptorsRecord, state.meta, META), state.arrays, context, N_DESCRIPTORS)


_CLASSIC: dict[str, Callable[[FittedState, StateContext], None]] = {
    "image": _check_descriptors, "text": _check_ngrams_state, "series": _check_convolutions,
}  # fmt: skip


def _check_classic(state: FittedState, context: StateContext) -> None:
    _CLASSIC[context.modality](state, context)


def _check_trees(state: FittedState, context: StateContext) -> None:
    record = parse_record(TreesRecord, state.meta, META)
    _check_link(record, context)
    n_described = record.spec.n_channels * count_features(record.spec.length, record.divisor)
    nodes = ("n_nodes",)
    specs = {
        "shares": ArrayRule(("n_outputs",)), "feature": ArrayRule(nodes, "whole", -1, n_described - 1),
        "threshold": ArrayRule(nodes), "children": ArrayRule(("n_nodes", 2), "whole", 0),
        "leaf": ArrayRule(nodes, "whole", 0), "values": ArrayRule(("n_leaves", "n_values")),
        "roots": ArrayRule(("n_trees",), "whole", 0),
    }  # fmt: skip
    sizes = check_arrays(state.arrays, specs, context.where, context.sizes)
    present = int((state.arrays["shares"] > 0).sum()) if record.link == "softmax" else context.n_outputs
    inner = np.flatnonzero(state.arrays["feature"] >= 0)
    children = state.arrays["children"][inner]
    whole = (
        sizes["n_trees"] > 0
        and sizes["n_values"] == present
        and int(state.arrays["roots"].max()) < sizes["n_nodes"]
        and int(state.arrays["leaf"].max()) < sizes["n_leaves"]
        and bool((children > inner[:, None]).all())  # A child before its parent could lead round without end.
        and bool((children < sizes["n_nodes"]).all())
    )
    if not whole:
        raise Misfit(f"{context.where}: the trees are not whole")


def _check_self_training(state: FittedState, context: StateContext) -> None:
    parse_record(NotesRecord, state.meta, META)
    specs = {
        "centre": ArrayRule(("n_dims",)), "inverse": ArrayRule(("n_dims",)), "basis": ArrayRule(("n_dims", "n_axes")),
        "nodes": ArrayRule(("n_nodes", "n_graph_axes")), "reached": ArrayRule(("n_nodes", "n_outputs")),
    }  # fmt: skip
    sizes = check_arrays(state.arrays, specs, context.where, {**context.sizes, **_known_dims(context)})
    heads = {"coefficients": ArrayRule((sizes["n_axes"] + 1, "n_outputs"))}
    check_arrays(state.arrays, heads, context.where, context.sizes)
    if sizes["n_nodes"] < 2 or not 0 < sizes["n_graph_axes"] <= sizes["n_axes"]:
        raise Misfit(f"{context.where}: nodes: the shape should be (2 or more, 1 to {sizes['n_axes']})")


def _check_scratch(state: FittedState, context: StateContext) -> None:
    record = parse_record(ScratchRecord, state.meta, META)
    if (record.modality, record.kind) != (context.modality, context.task):
        raise make_misfit(META, ("modality",), f"should be {context.modality}, {context.task}", record.modality)
    parse_record(SCRATCH_SPECS[record.modality], record.spec, f"{META}: spec")
    heads = {"head.weight": ArrayRule(("n_outputs", "n_dims")), "head.bias": ArrayRule(("n_outputs",))}
    check_arrays(state.arrays, heads, context.where, context.sizes)


def _check_tuned(state: FittedState, context: StateContext) -> None:
    record = parse_record(TunedRecord, state.meta, META)
    if record.modality != context.modality:
        raise make_misfit(META, ("modality",), f"should be {context.modality}", record.modality)
    parse_record(BASE_SPECS[record.modality], record.spec, f"{META}: spec")
    inner = {name[5:]: values for name, values in state.arrays.items() if name.startswith("head/")}
    _check_head(record.head, inner, context, record.record.n_dims)
    if "tokenizer" in state.arrays:
        check_arrays(state.arrays, {"tokenizer": ArrayRule(("n_bytes",), "bytes")}, context.where)
    elif MODALITIES[record.modality].has_words:
        raise Misfit(f"{context.where}: there is no array 'tokenizer'")


def _check_blend(state: FittedState, context: StateContext) -> None:
    first = "weights" not in state.meta and "probe" in state.meta
    if first:
        names: tuple[str, ...] = (parse_record(FirstBlendRecord, state.meta, META).probe, "classic")
    else:
        record = parse_record(BlendRecord, state.meta, META)
        _check_link(record, context)
        names = tuple(record.weights)
    for name in names:
        if name not in STATES or (name not in STRATEGIES["blend"].members and name != "majority"):
            raise make_misfit(META, ("weights",), "there is no such strategy to blend", name)
        require_mapping(state.meta.get(name), f"{META}: {name}")
        inner = replace(context, where=f"{context.where}: {name}")
        try:
            STATES[name](state.select_part(name), inner)
        except Misfit as error:
            raise Misfit(str(error).replace(f"{META}: ", f"{META}: {name}.", 1)) from error


STATES: Mapping[str, Callable[[FittedState, StateContext], None]] = {
    "majority": _check_majority, "linear-probe": _check_probe, "balanced-probe": _check_probe,
    "shrinkage-lda": _check_lda, "multi-stage-probe": _check_stages, "classic": _check_classic,
    "quant": _check_trees, "self-training": _check_self_training, "scratch": _check_scratch, "blend": _check_blend,
    **dict.fromkeys(("last-stages", "contrastive", "norm-bias", "lora", "full"), _check_tuned),
}  # fmt: skip
"""How the state of each strategy is checked."""


def check_state(strategy: str, state: FittedState, context: StateContext) -> None:
    """Check the stored model of a strategy before anything of it is built.

    Parameters
    ----------
    strategy : str
        A key of `STATES`.
    state : FittedState
    context : StateContext

    Raises
    ------
    Misfit
        With the first thing that does not fit.
    """
    require_mapping(state.meta, META)
    STATES[strategy](state, context)
