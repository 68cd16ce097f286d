"""One step of training: batches through the network, gradients, AdamW and the average of the weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import Network
from gaussiandiffusion.models.precision import Precision, mixed
from gaussiandiffusion.training.attention import training_attention
from gaussiandiffusion.training.checkpoint import TrainState
from gaussiandiffusion.training.config import OptimiserConfig
from gaussiandiffusion.training.loader import Batch
from gaussiandiffusion.training.loss import DenoisingLoss


class Optimisation:
    """A network with its optimiser, learning rate and averaged weights.

    Attributes:
        precision: of the network's products; None while nobody chose.

    Args:
        network: to train; moved to the accelerator's device.
        config: rates and decays.
        loss: of a batch.
        accelerator: device, precision and processes.
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
        self.ema = EMAModel(network.parameters(), decay=config.ema_decay)
        self.ema.to(accelerator.device)
        anchors = loss.representation.anchors
        self.anchors = None if anchors is None else anchors.to(accelerator.device)
        loss.representation.to(accelerator.device)
        self.step = 0
        self.precision: Precision | None = None if config.mixed_precision == "auto" else config.mixed_precision
        if config.compile:
            self.network = torch.compile(self.network)

    def advance(self, feed: Iterator[Batch]) -> dict[str, float]:
        """Take one step: `accumulation` batches, clip, AdamW, EMA. Returns the averaged parts of the loss.

        Raises:
            InputError: the loss is no longer finite.
        """
        config, accelerator = self.config, self.accelerator
        totals: dict[str, float] = {}
        for micro in range(config.accumulation):
            batch = next(feed)
            last = micro == config.accumulation - 1
            sync = nullcontext() if last else accelerator.no_sync(self.network)
            with sync, training_attention(accelerator.device):
                loss, parts = self.loss(
                    self._predict,
                    batch.latents.to(accelerator.device),
                    batch.conditions.to(accelerator.device),
                    self.anchors,
                    batch.draw.to(accelerator.device),
                )
                accelerator.backward(loss / config.accumulation)
            for name, value in ({"loss": loss.item()} | parts).items():
                totals[name] = totals.get(name, 0.0) + value / config.accumulation
        if not math.isfinite(totals["loss"]):
            raise InputError(f"the loss became {totals['loss']} at step {self.step}; lower learning_rate")
        norm = accelerator.clip_grad_norm_(self.model.parameters(), config.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.schedule.step()
        self.ema.step(self.model.parameters())
        self.step += 1
        return totals | {"grad_norm": float(norm)}

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
        self.ema.store(self.model.parameters())
        self.ema.copy_to(self.model.parameters())
        self.model.eval()
        try:
            yield
        finally:
            self.ema.restore(self.model.parameters())
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
            ema=self.ema.state_dict(),
            representation=self.loss.representation.state_dict(),
            precision=self.precision,
        )

    def restore(self, state: TrainState) -> None:
        """Go on from a state.

        Raises:
            RuntimeError, ValueError, KeyError, TypeError: it is another network's.
        """
        rates = [group["lr"] for group in state.optimizer["param_groups"]]
        own = self.optimizer.state_dict()["param_groups"]
        groups = [settings | {"lr": rate} for settings, rate in zip(own, rates, strict=True)]
        place = {"last_epoch": state.step, "_step_count": state.step + 1, "_last_lr": rates}
        average = {name: state.ema[name] for name in ("optimization_step", "shadow_params")}
        self.model.load_state_dict(state.model)
        self.optimizer.load_state_dict({"state": state.optimizer["state"], "param_groups": groups})
        self.schedule.load_state_dict(self.schedule.state_dict() | place)
        self.ema.load_state_dict(self.ema.state_dict() | average)
        self.ema.to(self.accelerator.device)
        self.step = state.step
        self.precision = state.precision or self.precision
