"""One network for a whole bundle: base, descriptors and the strategy's head, with the inputs that it is fed.

`PARTS` is the one place that says how each strategy becomes a part of a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from headstart.bases import Backbone
from headstart.bundle.onnx.heads import Clouds, Given, Linear, Pieces, Pool, Same, Taught, linked
from headstart.bundle.onnx.images import Described, Normalised
from headstart.bundle.onnx.series import Convolved, Rocket, Trees
from headstart.bundle.record import Bundle
from headstart.bundle.runtime.inputs import Input
from headstart.modalities.descriptors import SIDE
from headstart.modalities.image_values import KEY
from headstart.strategies import STRATEGIES
from headstart.strategies.linear.links import LINK_OF

LARGEST_HALF = 65_504.0


class CannotExport(Exception):
    """A fitted model that no graph can be made of; the message is the reason, as part of a sentence."""


@dataclass
class Desk:
    """Where parts ask for their inputs and sources; what two of them ask for is there once.

    Parameters
    ----------
    bundle : Bundle
    """

    bundle: Bundle
    inputs: list[Input] = field(default_factory=list)
    files: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, nn.Module] = field(default_factory=dict)

    def ask(self, kind: str, names: tuple[str, ...], spec: Mapping[str, Any]) -> tuple[str, ...]:
        """Give the names of the arrays of an input, made anew if there is none like it yet."""
        for item in self.inputs:
            if item.kind == kind and dict(item.spec) == dict(spec):
                return item.arrays
        number = sum(item.kind == kind for item in self.inputs)
        arrays = tuple(f"{name}_{number + 1}" if number else name for name in names)
        self.inputs.append(Input(kind, arrays, dict(spec)))
        return arrays

    def file(self, name: str, content: Any) -> str:
        """Give the name of a file with some content, in the bundle's own folder."""
        stem, _, suffix = name.rpartition(".")
        for number in range(1, len(self.files) + 2):
            chosen = f"{stem}-{number}.{suffix}" if number > 1 else name
            if self.files.setdefault(chosen, content) == content:
                return chosen
        raise AssertionError(name)

    def series(self, spec: Mapping[str, Any]) -> tuple[str, ...]:
        """Ask for series; a spec with `gaps` has three arrays."""
        return self.ask("series", ("series", "known", "steps") if spec.get("gaps") else ("series",), spec)

    def network(self, backbone: Backbone) -> nn.Module:
        """Give a network that answers with the pooled features of all stages, with its inputs asked for."""
        if backbone.module is None:
            spec = backbone.parts.spec
            names = self.series(spec)[:1]
            return Transformed(Rocket(backbone.parts.weights, int(spec["n_channels"]), int(spec["length"])), names)
        return ENTRIES[backbone.record.modality](self, backbone)

    def features(self) -> None:
        """Ask for the base's features."""
        if self.bundle.backbone is None:
            raise CannotExport("it reads features of a base that is not in the bundle")
        if "features" not in self.sources:
            self.sources["features"] = Stages(self.network(self.bundle.backbone))

    def descriptors(self) -> None:
        """Ask for the classic descriptors of pictures."""
        if "descriptors" not in self.sources:
            base = self.bundle.backbone if "features" in self.bundle.uses else None
            resize = base.parts.spec["resize"] if base is not None else DECODED
            ranges = {KEY: self.bundle.spec[KEY]} if KEY in self.bundle.spec else {}
            names = self.ask("picture", ("picture",), {"size": SIDE, "resize": resize, **ranges})
            self.sources["descriptors"] = Descriptors(names[0])


DECODED = 256
"""As `headstart.features.extractors` decodes pictures for descriptors alone."""


class Transformed(nn.Module):
    """A module that gives one tensor, fed by name; answers with a tuple of it."""

    def __init__(self, inner: nn.Module, names: tuple[str, ...]) -> None:
        super().__init__()
        self.inner, self.names = inner, names

    def forward(self, given: Given) -> tuple[Tensor, ...]:
        return (self.inner(*(given[name] for name in self.names)),)


class Network(nn.Module):
    """A base's network fed by name, with what turns pixels into its input."""

    def __init__(self, net: nn.Module, names: tuple[str, ...], first: nn.Module | None = None) -> None:
        super().__init__()
        self.net, self.names, self.first = net, names, first

    def forward(self, given: Given) -> tuple[Tensor, ...]:
        arrays = [given[name] for name in self.names]
        found: tuple[Tensor, ...] = self.net(*([self.first(arrays[0])] if self.first is not None else arrays))
        return found


class Stages(nn.Module):
    """Names the outputs of a base: the final ones, and stages rounded as the cache rounds them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, given: Given) -> dict[str, Tensor]:
        *early, final = self.network(given)
        rounded = [part.float().clamp(-LARGEST_HALF, LARGEST_HALF).half().float() for part in early]
        return {"features": final.float(), **{f"stage-{number}": part for number, part in enumerate(rounded)}}


class Descriptors(nn.Module):
    """Names the descriptors."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.described = name, Described()

    def forward(self, given: Given) -> dict[str, Tensor]:
        return {"descriptors": self.described(given[self.name])}


def _pictures(desk: Desk, backbone: Backbone) -> nn.Module:
    assert backbone.module is not None
    spec = backbone.parts.spec
    return Network(backbone.module(), desk.ask("pixels", ("pixels",), spec), Normalised(spec))


def _texts(desk: Desk, backbone: Backbone) -> nn.Module:
    assert backbone.module is not None
    file = desk.file("tokenizer.json", backbone.parts.tokenizer)
    names = desk.ask("tokens", ("ids", "mask"), {**backbone.parts.spec, "tokenizer_file": file})
    return Network(backbone.module(), names)


def _series(desk: Desk, backbone: Backbone) -> nn.Module:
    assert backbone.module is not None
    return Network(backbone.module(), desk.series(backbone.parts.spec))


ENTRIES: dict[str, Callable[[Desk, Backbone], nn.Module]] = {"image": _pictures, "text": _texts, "series": _series}
"""How the network of each modality is fed."""


def _probe(core: Any, desk: Desk) -> nn.Module:
    desk.features()
    return Linear(core.head, ("features",))


def _stages(core: Any, desk: Desk) -> nn.Module:
    desk.features()
    return Linear(core.head, (*core.stages, "features"))


def _clouds(core: Any, desk: Desk) -> nn.Module:
    desk.features()
    return Clouds(core.head)


def _taught(core: Any, desk: Desk) -> nn.Module:
    desk.features()
    return Taught(core)


def _classic(core: Any, desk: Desk) -> nn.Module:
    return CLASSIC[core.recipe](core.core, desk)


def _descriptor_head(core: Any, desk: Desk) -> nn.Module:
    desk.descriptors()
    return Linear(core.head, ("descriptors",))


def _pieces(core: Any, desk: Desk) -> nn.Module:
    state = core.vectorizer.state()
    file = desk.file("pieces.json", {"longest": state.meta["longest"], "pieces": state.meta["pieces"]})
    return Pieces(core, desk.ask("pieces", ("piece_ids", "piece_weights"), {"pieces_file": file}))


def _convolved(core: Any, desk: Desk) -> nn.Module:
    name = desk.series(core.spec)[0]
    return Convolved(core, Linear(core.head, ("convolved",)), name)


CLASSIC: dict[str, Callable[[Any, Desk], nn.Module]] = {
    "image": _descriptor_head, "text": _pieces, "series": _convolved,
}  # fmt: skip


def _trees(core: Any, desk: Desk) -> nn.Module:
    name = desk.series(core.spec)[0]
    return Trees(core, name)


class Tuned(nn.Module):
    """A network of its own and its head."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def forward(self, given: Given) -> Tensor:
        outputs: Tensor = self.head({"features": self.network(given)[-1].float()})
        return outputs


class Averaged(nn.Module):
    """A network and its head on several views of each picture (n, views, height, width, 3); the mean of what it says.

    How many views there are is left open: with the first alone the answer is a little less steady.
    """

    def __init__(self, network: nn.Module, head: nn.Module, first: nn.Module, name: str) -> None:
        super().__init__()
        self.network, self.head, self.first, self.name = network, head, first, name

    def forward(self, given: Given) -> Tensor:
        views = given[self.name]
        flat = views.reshape(-1, *views.shape[2:])
        said: Tensor = self.head({"features": self.network(self.first(flat))[-1].float()})
        return said.reshape(views.shape[0], views.shape[1], said.shape[1]).mean(1)


def _tuned(core: Any, desk: Desk) -> nn.Module:
    head = Linear(core.head, ("features",), core.unit_length)
    if core.n_views and core.modality == "image":
        spec = core.backbone.parts.spec
        (name,) = desk.ask("views", ("views",), {**spec, "views": core.n_views})
        return Averaged(core.backbone.module(), head, Normalised(spec), name)
    return Tuned(desk.network(core.backbone), head)


class Scratch(nn.Module):
    """A network that was learnt from random weights: scores, and the link of its task."""

    def __init__(self, network: nn.Module, link: str) -> None:
        super().__init__()
        self.network, self.link = network, link

    def forward(self, given: Given) -> Tensor:
        return linked(self.network(given), self.link)


def _scratch(core: Any, desk: Desk) -> nn.Module:
    spec, link = core.attempt.spec, LINK_OF[core.kind]
    if core.modality == "image":
        names, first = desk.ask("pixels", ("pixels",), spec), Normalised(spec)
        return Scratch(Network(core.net, names, Halved(first)), link)
    file = desk.file("tokenizer.json", str(spec["tokenizer"]))
    wanted = {"max_length": int(spec["max_tokens"]), "pad_id": 0, "tokenizer_file": file}
    return Scratch(Network(core.net, desk.ask("tokens", ("ids", "mask"), wanted)), link)


class Halved(nn.Module):
    """Rounds pixels as they are held in memory while a network learns from random weights."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, pixels: Tensor) -> Tensor:
        rounded: Tensor = self.inner(pixels).half().float()
        return rounded


def _blend(core: Any, desk: Desk) -> nn.Module:
    members = [PARTS[name](member.predictor, desk) for name, member in core.members.items()]
    return Pool(members, [float(core.weights[name]) for name in core.members], core.link)


def _same(core: Any, desk: Desk) -> nn.Module:
    return Same(core, desk.ask("rows", ("rows",), {})[0])


PARTS: dict[str, Callable[[Any, Desk], nn.Module]] = {
    "majority": _same, "linear-probe": _probe, "balanced-probe": _probe, "shrinkage-lda": _clouds,
    "multi-stage-probe": _stages, "classic": _classic, "quant": _trees, "self-training": _taught, "scratch": _scratch,
    "blend": _blend, **dict.fromkeys(("last-stages", "contrastive", "norm-bias", "lora", "full"), _tuned),
}  # fmt: skip
"""How the fitted model of each strategy becomes a part of a graph."""


class Whole(nn.Module):
    """Everything: arrays in the order of the inputs to `outputs` and, where it is asked for, `features`."""

    def __init__(self, desk: Desk, part: nn.Module, reads: str) -> None:
        super().__init__()
        self.sources, self.part, self.reads = nn.ModuleDict(desk.sources), part, reads
        self.names = tuple(name for item in desk.inputs for name in item.arrays)

    def forward(self, *arrays: Tensor) -> tuple[Tensor, ...]:
        given: dict[str, Tensor] = dict(zip(self.names, arrays, strict=True))
        for source in self.sources.values():
            given |= source(given)
        outputs = self.part(given).float()
        return (outputs, given[self.reads]) if self.reads else (outputs,)


def whole(bundle: Bundle) -> tuple[Whole, Desk]:
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
    if bundle.strategy not in PARTS:
        raise CannotExport(f"nobody has said how {bundle.strategy} becomes a graph")
    desk = Desk(bundle)
    reads = bundle.rules.out_of_distribution.reads if bundle.rules and bundle.rules.out_of_distribution else ""
    if reads:
        {"features": desk.features, "descriptors": desk.descriptors}[reads]()
    stored: Any = STRATEGIES[bundle.strategy].load(bundle.fitted.state(), bundle.classes)
    part = PARTS[bundle.strategy](stored.predictor, desk)
    with torch.no_grad():
        return Whole(desk, part, reads).eval(), desk
