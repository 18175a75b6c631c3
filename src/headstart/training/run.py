"""The run of every training: learning rates, steps, evaluations, the best weights and checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from headstart.training.settings import SETTINGS

_BEST = "best/"


@dataclass(kw_only=True)
class RunState:
    """The state of a run; all of it is saved in a checkpoint.

    Parameters
    ----------
    step : int
        Steps done.
    best_step : int
        Step of the best evaluation, 0 before the first.
    best_loss : float
    evaluations : list of (step, loss)
    best_weights : dict of str to Tensor
        Trained parameters and buffers of the best step, if they are kept.
    """

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    evaluations: list[tuple[int, float]] = field(default_factory=list)
    best_weights: dict[str, Tensor] = field(default_factory=dict)


def update_weights(net: nn.Module, optimizer: torch.optim.Optimizer, losses: Iterable[Tensor]) -> None:
    """Make one optimizer step on the sum of losses; each is freed before the next is computed.

    Parameters
    ----------
    net : Module
    optimizer : Optimizer
    losses : iterable of scalar tensors
    """
    optimizer.zero_grad(set_to_none=True)
    for loss in losses:
        loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(net.parameters(), SETTINGS.max_gradient_norm)
    optimizer.step()


class TrainingRun:
    """Training of a network.

    Parameters
    ----------
    net : Module
    optimizer : Optimizer
        Its learning rates are the highest ones.
    rate_factor : (step, n_steps) -> float
        Factor (0-1) of the learning rates.
    n_steps : int
    path : Path or None
        Checkpoint file; an existing one is resumed by `resume`.
    """

    def __init__(
        self,
        net: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        rate_factor: Callable[[int, int], float],
        n_steps: int,
        path: Path | None,
    ) -> None:
        self.net, self.optimizer, self.rate_factor = net, optimizer, rate_factor
        self.n_steps, self.path = n_steps, path
        self.highest_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.state = RunState()
        self.saved_at = time.monotonic()

    def take_step(self, losses: Iterable[Tensor]) -> None:
        """Set the learning rates of this step and update the weights."""
        factor = self.rate_factor(self.state.step, self.n_steps)
        for group, rate in zip(self.optimizer.param_groups, self.highest_rates, strict=True):
            group["lr"] = rate * factor
        update_weights(self.net, self.optimizer, losses)
        self.state.step += 1

    def record_evaluation(self, loss: float, *, is_best: bool, keep_weights: bool) -> None:
        """Record the loss (lower is better) after a step, and copy the weights if they are the best so far."""
        state = self.state
        state.evaluations.append((state.step, loss))
        if is_best:
            state.best_step, state.best_loss = state.step, loss if math.isfinite(loss) else math.inf
            if keep_weights:
                frozen = {name for name, value in self.net.named_parameters() if not value.requires_grad}
                weights = self.net.state_dict()
                state.best_weights = {
                    name: value.detach().clone() for name, value in weights.items() if name not in frozen
                }

    def restore_best(self) -> None:
        """Set the network to its best weights, if some were kept."""
        if self.state.best_weights:
            self.net.load_state_dict(self.state.best_weights, strict=False)

    def save_if_due(self, every_seconds: float, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """Write a checkpoint with further tensors and JSON values, at most every so many seconds."""
        if self.path is None or time.monotonic() - self.saved_at <= every_seconds:
            return
        state = self.state
        best = {_BEST + name: value for name, value in state.best_weights.items()}
        document = {
            **values,
            "step": state.step,
            "n_steps": self.n_steps,
            "best_step": state.best_step,
            "best_loss": state.best_loss,
            "evaluations": state.evaluations,
        }
        save_checkpoint(self.path, self.net, self.optimizer, Checkpoint({**best, **tensors}, document))
        self.saved_at = time.monotonic()

    def resume(self) -> Checkpoint | None:
        """Restore network, optimizer and state from the checkpoint; return what else it holds, None without one."""
        loaded = load_checkpoint(self.path, self.net, self.optimizer) if self.path else None
        if loaded is None:
            return None
        document = loaded.document
        best = {name: value for name, value in loaded.tensors.items() if name.startswith(_BEST)}
        self.n_steps = document["n_steps"]
        self.state = RunState(
            step=document["step"],
            best_step=document["best_step"],
            best_loss=document["best_loss"],
            evaluations=[(step, loss) for step, loss in document["evaluations"]],
            best_weights={name.removeprefix(_BEST): value for name, value in best.items()},
        )
        return Checkpoint({name: value for name, value in loaded.tensors.items() if name not in best}, document)
