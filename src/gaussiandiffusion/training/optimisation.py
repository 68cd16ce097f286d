"""One step of training: batches through the network, gradients, AdamW and the average of the weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor

from gaussiandiffusion.models import Network
from gaussiandiffusion.models.precision import Precision, mixed
from gaussiandiffusion.training.attention import training_attention
from gaussiandiffusion.training.average import Average
from gaussiandiffusion.training.budget import tell
from gaussiandiffusion.training.checkpoint import TrainState
from gaussiandiffusion.training.config import OptimiserConfig
from gaussiandiffusion.training.loader import Batch
from gaussiandiffusion.training.loss import DenoisingLoss
from gaussiandiffusion.training.moments import Moments
from gaussiandiffusion.training.precision import faster_for_training


class Optimisation:
    """A network with its optimiser, learning rate and averaged weights.

    Args:
        network: to train; moved to the accelerator's device.
        config: rates and decays.
        loss: of a batch.
        accelerator: device, precision and processes.

    Attributes:
        precision: of the network's products; None while nobody chose.
    """

    def __init__(
        self, network: Network, config: OptimiserConfig, loss: DenoisingLoss, accelerator: Accelerator
    ) -> None:
        self.model, self.config, self.loss, self.accelerator = network, config, loss, accelerator
        optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=config.learning_rate,
            betas=(0.9, config.beta2),
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self.config.rate(step))
        self.network, self.optimizer = accelerator.prepare(network, optimizer)
        self.moments = Moments(optimizer)
        self.average = Average(network.parameters(), config.ema_decay)
        anchors = loss.representation.anchors
        self.anchors = None if anchors is None else anchors.to(accelerator.device)
        loss.representation.to(accelerator.device)
        self.step = 0
        self.precision: Precision | None = None if config.mixed_precision == "auto" else config.mixed_precision
        if config.compile:
            self.network = torch.compile(self.network)

    def choose_precision(self) -> None:
        """By a trial when training begins, where nobody said; it goes on with what it began with."""
        if self.precision is None:
            chosen = faster_for_training(self.model, self.loss.representation, self.config.batch_size)
            (self.precision,) = broadcast_object_list([chosen.precision])  # one process's clock is everybody's
            if self.accelerator.is_main_process:
                tell(f"precision {chosen.precision}: {chosen.why}")

    def advance(self, feed: Iterator[Batch]) -> dict[str, Tensor]:
        """Take one step: `accumulation` batches, clip, AdamW, average.

        An accelerator is asked for nothing, so it may still be at work on steps before.

        Returns:
            The averaged parts of the loss, on the device.
        """
        config, accelerator = self.config, self.accelerator
        totals: dict[str, Tensor] = {}
        for micro in range(config.accumulation):
            batch = next(feed)
            last = micro == config.accumulation - 1
            sync = nullcontext() if last else accelerator.no_sync(self.network)
            with sync, training_attention(accelerator.device):
                loss, parts = self.loss(
                    self._predict, batch.latents, batch.conditions, self.anchors, batch.draw, batch.goals
                )
                accelerator.backward(loss / config.accumulation)
            for name, value in ({"loss": loss.detach()} | parts).items():
                share = value / config.accumulation
                totals[name] = totals[name] + share if name in totals else share
        norm = accelerator.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        with self.average.following():
            self.optimizer.step()
        self.moments.round()
        self.optimizer.zero_grad()
        self.schedule.step()
        self.step += 1
        return totals | {"grad_norm": norm}

    def _predict(self, *inputs: Any) -> Tensor:
        """A pass of the network in the training's precision; float16, which needs its loss scaled, is accelerate's."""
        with mixed(self.accelerator.device, "bf16" if self.precision == "bf16" else "no"):
            return self.network(*inputs)

    @property
    def rate(self) -> float:
        """Learning rate of the next step."""
        return float(self.schedule.get_last_lr()[0])

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in place of the raw ones, in evaluation mode."""
        self.model.eval()
        try:
            with self.average.in_place():
                yield
        finally:
            self.model.train()

    def exported(self) -> Network:
        """A network of its own with the averaged weights in bfloat16."""
        with self.averaged():
            weights = {name: value.to(torch.bfloat16) for name, value in self.model.state_dict().items()}
        export = type(self.model).from_config(self.model.config)
        export.load_state_dict(weights, assign=True)
        return export

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take steps that will not have been taken."""
        before = copy.deepcopy(self.state())
        try:
            yield
        finally:
            self.restore(before)

    def state(self) -> TrainState:
        """All that the next steps depend on."""
        return TrainState(
            step=self.step,
            model=self.model.state_dict(),
            optimizer=self.optimizer.state_dict(),
            schedule=self.schedule.state_dict(),
            ema=self.average.state(),
            representation=self.loss.representation.state_dict(),
            precision=self.precision,
        )

    def restore(self, state: TrainState) -> None:
        """Go on from a state.

        Raises:
            RuntimeError, ValueError, KeyError, TypeError: it is another network's.
        """
        self.model.load_state_dict(state.model)
        self.moments.restore(state.optimizer["state"])
        self.average.restore(state.ema)
        rates = [group["lr"] for group in state.optimizer["param_groups"]]
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        place = {"last_epoch": state.step, "_step_count": state.step + 1, "_last_lr": rates}
        self.schedule.load_state_dict(self.schedule.state_dict() | place)
        self.step = state.step
        self.precision = state.precision or self.precision
