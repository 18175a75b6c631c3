"""One network for a whole bundle: base, descriptors and the strategy's head, with its inputs.

`STRATEGY_BUILDERS` is the one place that says how each strategy becomes a part of a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from headstart.bases import Backbone
from headstart.bundle.onnx.heads import (
    BlendHead,
    ConstantHead,
    LdaHead,
    LinearHead,
    NamedTensors,
    NgramHead,
    SelfTrainingHead,
    apply_link,
)
from headstart.bundle.onnx.images import ImageDescriptors, PixelNormalisation
from headstart.bundle.onnx.series import ConvolutionModel, ForestModel, MiniRocketNetwork
from headstart.bundle.record import Bundle
from headstart.bundle.runtime.inputs import ModelInput
from headstart.features.settings import SETTINGS as FEATURE_SETTINGS
from headstart.modalities import MODALITIES
from headstart.modalities.descriptors import SIDE
from headstart.modalities.image_values import VALUE_RANGES
from headstart.strategies import STRATEGIES
from headstart.strategies.linear.links import LINK_OF

LARGEST_HALF = 65_504.0


class CannotExport(Exception):
    """A fitted model that no graph can be made of; the message is the reason, as part of a sentence."""


@dataclass
class GraphBuilder:
    """Builder of a graph: parts request inputs and sources from it; what two of them request exists once.

    Parameters
    ----------
    bundle : Bundle
    """

    bundle: Bundle
    inputs: list[ModelInput] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, nn.Module] = field(default_factory=dict)

    def request_input(self, kind: str, names: tuple[str, ...], spec: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the arrays of an input, made anew if there is none like it yet."""
        for item in self.inputs:
            if item.kind == kind and dict(item.spec) == dict(spec):
                return item.arrays
        number = sum(item.kind == kind for item in self.inputs)
        arrays = tuple(f"{name}_{number + 1}" if number else name for name in names)
        self.inputs.append(ModelInput(kind, arrays, dict(spec)))
        return arrays

    def add_file(self, name: str, content: Any) -> str:
        """Return the name of a file with some content, in the bundle's own folder."""
        stem, _, suffix = name.rpartition(".")
        for number in range(1, len(self.files) + 2):
            file_name = f"{stem}-{number}.{suffix}" if number > 1 else name
            if self.files.setdefault(file_name, content) == content:
                return file_name
        raise AssertionError(name)

    def request_series(self, spec: Mapping[str, Any]) -> tuple[str, ...]:
        """Request series; a spec with `gaps` has three arrays."""
        return self.request_input("series", ("series", "known", "steps") if spec.get("gaps") else ("series",), spec)

    def build_base_network(self, backbone: Backbone) -> nn.Module:
        """Return a network that answers with the pooled features of all stages, with its inputs asked for."""
        if backbone.parts.architecture["library"] == "minirocket":
            spec = backbone.parts.spec
            names = self.request_series(spec)[:1]
            return TransformNetwork(
                MiniRocketNetwork(backbone.parts.weights, int(spec["n_channels"]), int(spec["length"])), names
            )
        if backbone.module is None:
            raise CannotExport(f"nobody has said how the base model {backbone.record.name} becomes a graph")
        return BASE_BUILDERS[backbone.record.modality](self, backbone)

    def request_features(self) -> None:
        """Request the features of the base model."""
        if self.bundle.backbone is None:
            raise CannotExport("it reads features of a base that is not in the bundle")
        if "features" not in self.sources:
            self.sources["features"] = StageFeatures(self.build_base_network(self.bundle.backbone))

    def request_descriptors(self) -> None:
        """Request the classic descriptors of images."""
        if "descriptors" not in self.sources:
            base = self.bundle.backbone if "features" in self.bundle.uses else None
            resize = base.parts.spec["resize"] if base is not None else FEATURE_SETTINGS.descriptor_pixels
            ranges = {VALUE_RANGES: self.bundle.spec[VALUE_RANGES]} if VALUE_RANGES in self.bundle.spec else {}
            names = self.request_input("picture", ("picture",), {"size": SIDE, "resize": resize, **ranges})
            self.sources["descriptors"] = DescriptorFeatures(names[0])


class TransformNetwork(nn.Module):
    """A module with named inputs and one output tensor; it returns a tuple of it."""

    def __init__(self, inner: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.inner, self.names = inner, names

    def forward(self, tensors: NamedTensors) -> tuple[Tensor, ...]:
        return (self.inner(*(tensors[name] for name in self.names)),)


class BaseNetwork(nn.Module):
    """The network of a base with named inputs, and the normalisation of pixels."""

    def __init__(self, net: nn.Module, names: tuple[str, ...], first: nn.Module | None = None) -> None:
        super().__init__()
        self.net, self.names, self.first = net, names, first

    def forward(self, tensors: NamedTensors) -> tuple[Tensor, ...]:
        arrays = [tensors[name] for name in self.names]
        stage_features: tuple[Tensor, ...] = self.net(*([self.first(arrays[0])] if self.first is not None else arrays))
        return stage_features


class StageFeatures(nn.Module):
    """Names the outputs of a base: the final ones, and stages rounded as the cache rounds them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, tensors: NamedTensors) -> dict[str, Tensor]:
        *early, final = self.network(tensors)
        rounded = [part.float().clamp(-LARGEST_HALF, LARGEST_HALF).half().float() for part in early]
        return {"features": final.float(), **{f"stage-{number}": part for number, part in enumerate(rounded)}}


class DescriptorFeatures(nn.Module):
    """Names the descriptors."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.described = name, ImageDescriptors()

    def forward(self, tensors: NamedTensors) -> dict[str, Tensor]:
        return {"descriptors": self.described(tensors[self.name])}


def _build_image_base(builder: GraphBuilder, backbone: Backbone) -> nn.Module:
    assert backbone.module is not None
    spec = backbone.parts.spec
    return BaseNetwork(backbone.module(), builder.request_input("pixels", ("pixels",), spec), PixelNormalisation(spec))


def _build_text_base(builder: GraphBuilder, backbone: Backbone) -> nn.Module:
    assert backbone.module is not None
    file = builder.add_file("tokenizer.json", backbone.parts.tokenizer)
    names = builder.request_input("tokens", ("ids", "mask"), {**backbone.parts.spec, "tokenizer_file": file})
    return BaseNetwork(backbone.module(), names)


def _build_series_base(builder: GraphBuilder, backbone: Backbone) -> nn.Module:
    assert backbone.module is not None
    return BaseNetwork(backbone.module(), builder.request_series(backbone.parts.spec))


BASE_BUILDERS: dict[str, Callable[[GraphBuilder, Backbone], nn.Module]] = {
    "image": _build_image_base,
    "text": _build_text_base,
    "series": _build_series_base,
}
"""Inputs of the network of each modality."""


def _build_probe(core: Any, builder: GraphBuilder) -> nn.Module:
    builder.request_features()
    return LinearHead(core.head, ("features",))


def _build_multi_stage_probe(core: Any, builder: GraphBuilder) -> nn.Module:
    builder.request_features()
    return LinearHead(core.head, (*core.stages, "features"))


def _build_lda(core: Any, builder: GraphBuilder) -> nn.Module:
    builder.request_features()
    return LdaHead(core.head)


def _build_self_training(core: Any, builder: GraphBuilder) -> nn.Module:
    builder.request_features()
    return SelfTrainingHead(core)


def _build_classic(core: Any, builder: GraphBuilder) -> nn.Module:
    return CLASSIC_BUILDERS[core.modality](core.core, builder)


def _build_descriptor_head(core: Any, builder: GraphBuilder) -> nn.Module:
    builder.request_descriptors()
    return LinearHead(core.head, ("descriptors",))


def _build_ngram_head(core: Any, builder: GraphBuilder) -> nn.Module:
    state = core.vectorizer.state()
    file = builder.add_file("pieces.json", {"longest": state.meta["longest"], "pieces": state.meta["pieces"]})
    return NgramHead(core, builder.request_input("pieces", ("piece_ids", "piece_weights"), {"pieces_file": file}))


def _build_convolution_head(core: Any, builder: GraphBuilder) -> nn.Module:
    name = builder.request_series(core.spec)[0]
    return ConvolutionModel(core, LinearHead(core.head, ("convolved",)), name)


CLASSIC_BUILDERS: dict[str, Callable[[Any, GraphBuilder], nn.Module]] = {
    "image": _build_descriptor_head, "text": _build_ngram_head, "series": _build_convolution_head,
}  # fmt: skip


def _build_forest(core: Any, builder: GraphBuilder) -> nn.Module:
    name = builder.request_series(core.spec)[0]
    return ForestModel(core, name)


class TunedNetwork(nn.Module):
    """A network of its own and its head."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, tensors: NamedTensors) -> Tensor:
        outputs: Tensor = self.head({"features": self.network(tensors)[-1].float()})
        return outputs


class ViewAveragedNetwork(nn.Module):
    """A network and its head on several views of each image (n, views, height, width, 3); the mean of what it says.

    How many views there are is left open: with the first alone the answer is a little less steady.
    """

    def __init__(self, network: nn.Module, head: nn.Module, first: nn.Module, name: str) -> None:
        super().__init__()
        self.network, self.head, self.first, self.name = network, head, first, name

    def forward(self, tensors: NamedTensors) -> Tensor:
        views = tensors[self.name]
        flat = views.reshape(-1, *views.shape[2:])
        outputs: Tensor = self.head({"features": self.network(self.first(flat))[-1].float()})
        return outputs.reshape(views.shape[0], views.shape[1], outputs.shape[1]).mean(1)


def _build_tuned(core: Any, builder: GraphBuilder) -> nn.Module:
    head = LinearHead(core.head, ("features",), core.unit_length)
    if core.n_views and MODALITIES[core.modality].has_pixels:
        spec = core.backbone.parts.spec
        (name,) = builder.request_input("views", ("views",), {**spec, "views": core.n_views})
        return ViewAveragedNetwork(core.backbone.module(), head, PixelNormalisation(spec), name)
    return TunedNetwork(builder.build_base_network(core.backbone), head)


class ScratchNetwork(nn.Module):
    """A network that was learnt from random weights: final features, scores, and the link of its task."""

    def __init__(self, network: nn.Module, scaled: nn.Module, link: str) -> None:
        super().__init__()
        self.network, self.scaled, self.link = network, scaled, link

    def forward(self, tensors: NamedTensors) -> Tensor:
        return self.answer_and_represent(tensors)[0]

    def answer_and_represent(self, tensors: NamedTensors) -> tuple[Tensor, Tensor]:
        """Return outputs, and the rows in the model's own space."""
        final: Tensor = self.network(tensors)[-1]
        scores: Tensor = self.scaled.score(final)  # type: ignore[operator]
        return apply_link(scores, self.link), final


def _build_scratch(core: Any, builder: GraphBuilder) -> nn.Module:
    return ScratchNetwork(SCRATCH_BUILDERS[core.modality](core, builder), core.net, LINK_OF[core.kind])


def _build_scratch_image(core: Any, builder: GraphBuilder) -> nn.Module:
    names = builder.request_input("pixels", ("pixels",), core.size.spec)
    return BaseNetwork(core.net.body, names, HalfPrecisionPixels(PixelNormalisation(core.size.spec)))


def _build_scratch_text(core: Any, builder: GraphBuilder) -> nn.Module:
    file = builder.add_file("tokenizer.json", str(core.size.spec["tokenizer"]))
    input_spec = {"max_length": int(core.size.spec["max_tokens"]), "pad_id": 0, "tokenizer_file": file}
    return BaseNetwork(core.net.body, builder.request_input("tokens", ("ids", "mask"), input_spec))


SCRATCH_BUILDERS: dict[str, Callable[[Any, GraphBuilder], nn.Module]] = {
    "image": _build_scratch_image, "text": _build_scratch_text,
}  # fmt: skip


class HalfPrecisionPixels(nn.Module):
    """Rounds pixels as they are held in memory while a network learns from random weights."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, pixels: Tensor) -> Tensor:
        rounded: Tensor = self.inner(pixels).half().float()
        return rounded


def _build_blend(core: Any, builder: GraphBuilder) -> nn.Module:
    members = [STRATEGY_BUILDERS[name](member.predictor, builder) for name, member in core.members.items()]
    return BlendHead(members, [float(core.weights[name]) for name in core.members], core.link)


def _build_constant(core: Any, builder: GraphBuilder) -> nn.Module:
    return ConstantHead(core, builder.request_input("rows", ("rows",), {})[0])


STRATEGY_BUILDERS: dict[str, Callable[[Any, GraphBuilder], nn.Module]] = {
    "majority": _build_constant,
    "linear-probe": _build_probe,
    "balanced-probe": _build_probe,
    "shrinkage-lda": _build_lda,
    "multi-stage-probe": _build_multi_stage_probe,
    "classic": _build_classic,
    "quant": _build_forest,
    "self-training": _build_self_training,
    "scratch": _build_scratch,
    "blend": _build_blend,
    **dict.fromkeys(("last-stages", "contrastive", "norm-bias", "lora", "full"), _build_tuned),
}
"""How the fitted model of each strategy becomes a part of a graph."""


class BundleNetwork(nn.Module):
    """Everything: arrays in the order of the inputs to `outputs` and, where it is asked for, `features`."""

    def __init__(self, builder: GraphBuilder, part: nn.Module, reads: str) -> None:
        super().__init__()
        self.sources, self.part, self.reads = nn.ModuleDict(builder.sources), part, reads
        self.names = tuple(name for item in builder.inputs for name in item.arrays)

    def forward(self, *arrays: Tensor) -> tuple[Tensor, ...]:
        tensors: dict[str, Tensor] = dict(zip(self.names, arrays, strict=True))
        for source in self.sources.values():
            tensors |= source(tensors)
        if self.reads == "representation":
            outputs, values = self.part.answer_and_represent(tensors)  # type: ignore[operator]
            return outputs.float(), values.float()
        outputs = self.part(tensors).float()
        return (outputs, tensors[self.reads]) if self.reads else (outputs,)


def build_network(bundle: Bundle) -> tuple[BundleNetwork, GraphBuilder]:
    """Join base and strategy of a bundle into one network.

    Parameters
    ----------
    bundle : Bundle
        With its model fitted or loaded in torch's form.

    Raises
    ------
    CannotExport
        Some part cannot be put into a graph; the message says which.
    """
    if bundle.strategy not in STRATEGY_BUILDERS:
        raise CannotExport(f"nobody has said how {bundle.strategy} becomes a graph")
    builder = GraphBuilder(bundle)
    ood_check = bundle.decision_policy.out_of_distribution
    reads = ood_check.reads if ood_check else ""
    if reads in ("features", "descriptors"):
        {"features": builder.request_features, "descriptors": builder.request_descriptors}[reads]()
    stored: Any = STRATEGIES[bundle.strategy].load(bundle.fitted.state(), bundle.classes)
    part = STRATEGY_BUILDERS[bundle.strategy](stored.predictor, builder)
    with torch.no_grad():
        return BundleNetwork(builder, part, reads).eval(), builder
