"""The trainer: a loop over seeded batches, resumable at any step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor
from tqdm import tqdm

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import write_json
from gaussiandiffusion.models import Network
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.training import build, checkpoint, record
from gaussiandiffusion.training.budget import MOST, SHARE, StepTimes, late, tell, tell_overrun, time_steps
from gaussiandiffusion.training.build import build_network, build_objective, build_pipeline, build_scheduler
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.folder import check_free, clear
from gaussiandiffusion.training.keeping import Keeper, save_sample_grid
from gaussiandiffusion.training.latents import TrainingSet
from gaussiandiffusion.training.loader import Batch, load_batches
from gaussiandiffusion.training.loss import DenoisingLoss
from gaussiandiffusion.training.metrics import Window, append_metrics, truncate_metrics
from gaussiandiffusion.training.minutes import budget_minutes
from gaussiandiffusion.training.optimisation import Optimisation
from gaussiandiffusion.training.signals import noted_signals

OnStep = Callable[[int, dict[str, Tensor]], object]  # told the step and the parts of its loss


class Trainer:
    """Trains a network on the latents of a `TrainingSet`.

    Args:
        config: all settings.
        data: the training set.
        output_dir: gets `config.json`, `metrics.jsonl`, TensorBoard logs, `samples/`, `checkpoints/`, `snapshots/`,
            `training.json` and `pipeline/`.
        device: "auto", "cpu", "cuda" or "mps".
        on_step: called after every step, before anything of it is kept.
    """

    def __init__(
        self, config: TrainConfig, data: TrainingSet, output_dir: Path, device: str = "auto",
        on_step: OnStep = lambda step, parts: None,
    ) -> None:  # fmt: skip
        self.config, self.data, self.output_dir, self.on_step = config, data, output_dir, on_step
        output_dir.mkdir(parents=True, exist_ok=True)
        self.accelerator = Accelerator(
            cpu=device == "cpu",
            mixed_precision="fp16" if config.optimiser.mixed_precision == "fp16" else "no",  # bf16 needs no scaling
            log_with="tensorboard",
            project_dir=output_dir,
        )
        self.objective = build_objective(config.objective, data.representation.bounded)
        build_scheduler(self.objective, config.sampler)  # refused now, not when all is trained
        loss = DenoisingLoss(
            self.objective, data.representation, config.objective.render_weight, config.objective.render_below,
            fixed_shapes=self.accelerator.device.type != "cpu",
        )  # fmt: skip
        torch.manual_seed(config.optimiser.seed)
        self.work = Optimisation(build_network(config, data), config.optimiser, loss, self.accelerator)
        self.seconds_per_step: float | None = None
        self.window = Window()

    @property
    def model(self) -> Network:
        """The network, with its raw weights."""
        return self.work.model

    @property
    def main(self) -> bool:
        """Whether this is the first process, which writes."""
        return self.accelerator.is_main_process

    @property
    def step(self) -> int:
        """Steps taken."""
        return self.work.step

    def train(self, *, resume: bool = False, overwrite: bool = False, until: float = math.inf) -> bool:
        """Train to `max_steps`; returns False when a signal or the clock ended it early, with the state saved.

        Args:
            resume: go on from the newest checkpoint in `output_dir`, if there is one.
            overwrite: replace an earlier training in `output_dir`.
            until: when to stop, as `time.perf_counter` tells it.

        Raises:
            InputError: `output_dir` holds an earlier training, and neither was said; or it cannot be gone on with.
        """
        if self.main:
            check_free(self.output_dir, resume=resume, overwrite=overwrite)
        if resume:
            self._resume()
        elif self.main:
            clear(self.output_dir)
        self.work.choose_precision()
        if self.config.optimiser.budget is not None and self.seconds_per_step is None:
            self._set_max_steps(budget_minutes(self.config.optimiser.budget))
        if self.main:
            truncate_metrics(self.output_dir / "metrics.jsonl", self.step)
        self.accelerator.init_trackers("tensorboard")
        with noted_signals() as stop:
            self._loop(stopped=lambda: stop.number is not None or late(until, self.accelerator.num_processes))
        self.save()
        self.accelerator.end_training()
        if stop.interrupted:
            raise KeyboardInterrupt
        if self.step < self.config.optimiser.max_steps:
            return False
        if self.main:
            self.save_pipeline(self.output_dir / "pipeline")
            found = self.record()
            write_json(self.output_dir / record.FILE, found)
            tell_overrun(self.config.optimiser, self.seconds_per_step, found["seconds"])
        return True

    def _loop(self, stopped: Callable[[], bool]) -> None:
        last, every = self.config.optimiser.max_steps, self.config.record.log_every
        samples = record.samples_per_step(self.config, self.data)
        keeper = Keeper(self.output_dir, self.config.record, self.save, self.save_pipeline, self._save_grid)
        bar = tqdm(total=last, initial=self.step, desc="train", unit="step", disable=not self.main)
        window = self.window = Window()
        with bar, self._batches() as feed:
            while self.step < last and not stopped():
                parts = self.work.advance(feed)
                self.on_step(self.step, parts)
                bar.update()
                window.add(parts)
                if self.step % every == 0 or self.step == last:
                    means = window.means(self.step)
                    self._log(means | {"samples_per_second": window.rate(samples)})
                    bar.set_postfix(loss=f"{means['loss']:.4f}")
                    window.restart()
                with window.pause():  # the log tells how fast the network learns
                    keeper.after(self.step, self.main)

    def _log(self, values: dict[str, float]) -> None:
        values = {"learning_rate": self.work.rate} | values
        self.accelerator.log(values, step=self.step)
        if self.main:
            append_metrics(self.output_dir / "metrics.jsonl", self.step, values)

    def _batches(self) -> AbstractContextManager[Iterator[Batch]]:
        """This process's batches from the present step on."""
        start = self.step * self.config.optimiser.accumulation
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        return load_batches(self.data, self.config, self.objective, start, rank, world, self.accelerator.device)

    def time_steps(self, limit: float = math.inf, most: int = 20) -> StepTimes:
        """What a step takes, by at most so many that are then undone, or what `limit` seconds hold."""
        self.work.choose_precision()
        if self.accelerator.num_processes > 1:  # which take their steps together
            limit, most = math.inf, min(most, 20)
        with self.work.undone(), self._batches() as feed:
            return time_steps(lambda: self.work.advance(feed), self.accelerator.device, limit, most)

    def _set_max_steps(self, minutes: float) -> None:
        """Let `max_steps` be what the budget holds.

        A training that ended by the clock could not be repeated, nor could its learning rate know where it ends. So the
        number is what the first steps' time makes it, however busy the machine becomes.
        """
        (times,) = broadcast_object_list([self.time_steps(SHARE * 60 * minutes, MOST)])
        self.seconds_per_step = times.seconds
        self._fix_max_steps(times.steps_in(minutes))
        if self.main:
            tell(times.bought(minutes))

    def _fix_max_steps(self, steps: int) -> None:
        self.config = replace(self.config, optimiser=replace(self.config.optimiser, max_steps=steps))
        self.work.config = self.config.optimiser

    # --- what is kept ------------------------------------------------------------------------------------
    def pipeline(self, network: Network | None = None) -> GaussianDiffusion:
        """The model as it stands, or with another network, as a pipeline."""
        absent = self.data.conditions.spec.absent
        return build_pipeline(
            network or self.model, self.data.representation, self.objective, self.config.sampler, absent
        )

    def record(self) -> dict[str, Any]:
        """What the training cost so far, as `training.json` tells it."""
        with self.work.averaged():
            return record.training_record(self.config, self.data, self.model, self.output_dir, self._state())

    def save_pipeline(self, folder: Path) -> None:
        """Write a pipeline folder: averaged weights in bfloat16, statistics in float32."""
        build.save_pipeline(self.pipeline(self.work.exported()), folder, self.config.record.shard_size)

    def _save_grid(self, path: Path) -> None:
        with self.work.averaged():
            save_sample_grid(self.pipeline(), path)

    def save(self) -> None:
        """Write a checkpoint of the whole state, which must be sound."""
        self.window.means(self.step)
        if self.main:
            checkpoint.save_checkpoint(self.output_dir, self._state(), self.config)

    def _state(self) -> checkpoint.TrainState:
        return replace(self.work.state(), seconds_per_step=self.seconds_per_step)

    def _resume(self) -> None:
        state = checkpoint.load_checkpoint(self.output_dir, self.config)
        if state is None:
            return
        checkpoint.check_latents(self.output_dir, state, self.data.representation.state_dict())
        checkpoint.check_tensors(self.output_dir, state, self.model)
        try:
            self.work.restore(state)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{self.output_dir}: its checkpoint fits another model ({reason})") from error
        before = checkpoint.saved_settings(self.output_dir)
        self.seconds_per_step = state.seconds_per_step
        if self.work.precision is None:  # the checkpoint is of a version that did not choose
            self.work.precision = before["mixed_precision"]
        if self.config.optimiser.budget is not None:  # what it holds was found out when the training began
            self._fix_max_steps(before["max_steps"])
