"""The trainer: a loop over seeded batches, resumable at any step."""

from __future__ import annotations

import copy
import json
import math
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from diffusers.training_utils import EMAModel
from torch import Tensor
from tqdm import tqdm

from gaussiandiffusion.diffusion import Objective, make_scheduler
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import read_json, write_bytes, write_json
from gaussiandiffusion.models import make_denoiser
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.training import budget, checkpoint, record
from gaussiandiffusion.training.attention import training_attention
from gaussiandiffusion.training.config import TrainConfig, budget_minutes
from gaussiandiffusion.training.latents import TrainingSet
from gaussiandiffusion.training.grids import save_sample_grid
from gaussiandiffusion.training.loader import Batch, load_batches
from gaussiandiffusion.training.loss import denoising_loss
from gaussiandiffusion.training.sensitivity import SENSITIVITY_SETS, feature_sensitivity


class Trainer:
    """Trains a denoiser on the latents of a `TrainingSet`.

    Args:
        config: all settings.
        data: the training set.
        output_dir: gets `config.json`, `metrics.jsonl`, TensorBoard logs, `samples/`, `checkpoints/`, `snapshots/`,
            `training.json` and `pipeline/`.
        device: "auto", "cpu", "cuda" or "mps".
    """

    def __init__(self, config: TrainConfig, data: TrainingSet, output_dir: Path, device: str = "auto") -> None:
        self.config, self.data, self.output_dir = config, data, output_dir
        output_dir.mkdir(parents=True, exist_ok=True)
        self.accelerator = Accelerator(
            cpu=device == "cpu",
            mixed_precision=config.mixed_precision,
            log_with="tensorboard",
            project_dir=output_dir,
        )
        self.objective = Objective(
            config.prediction,
            config.num_train_timesteps,
            config.beta_schedule,
            config.logit_mean,
            config.logit_std,
            clip_sample=data.representation.bounded,
            times=config.times,
        )
        self.feature_weights: Tensor | None = None
        if config.feature_weights == "sensitivity":
            self.feature_weights = feature_sensitivity(data.representation, data.some_latents(SENSITIVITY_SETS))
            self.feature_weights = self.feature_weights.to(self.accelerator.device)
        anchors = data.representation.anchors
        torch.manual_seed(config.seed)
        if data.teacher is not None:
            self.model = copy.deepcopy(data.teacher.denoiser).requires_grad_(True).train()
        else:
            self.model = make_denoiser(
                config.model,
                data.representation.latent_shape,
                num_classes=data.num_classes,
                num_anchor_features=0 if anchors is None else anchors.shape[1],
            )
        optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.learning_rate,
            betas=(0.9, config.beta2),
            weight_decay=config.weight_decay,
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: self._rate(step))
        self.network, self.optimizer = self.accelerator.prepare(self.model, optimizer)
        self.schedule = schedule
        self.ema = EMAModel(self.model.parameters(), decay=config.ema_decay)
        self.ema.to(self.accelerator.device)
        self.anchors = None if anchors is None else anchors.to(self.accelerator.device)
        data.representation.to(self.accelerator.device)
        self.step = 0
        self.seconds_per_step: float | None = None
        self._stop: int | None = None
        if config.compile:
            self.network = torch.compile(self.network)

    # --- the loop ----------------------------------------------------------------------------------------
    def train(self, *, resume: bool = False) -> bool:
        """Train to `max_steps`; returns False when a signal ended it early, with the state saved.

        Args:
            resume: go on from the newest checkpoint in `output_dir`, if there is one.
        """
        if resume:
            self._resume()
        else:
            checkpoint.clear(self.output_dir)
        if self.config.budget is not None and self.seconds_per_step is None:
            self._set_max_steps()
        self._truncate_metrics()
        config, accelerator = self.config, self.accelerator
        accelerator.init_trackers("tensorboard")
        main = accelerator.is_main_process
        bar = tqdm(total=config.max_steps, initial=self.step, desc="train", unit="step", disable=not main)
        samples = record.samples_per_step(config, self.data)
        since, taken = time.perf_counter(), 0
        running: dict[str, float] = {}
        with self._signals(), bar, self._batches() as feed:
            while self.step < config.max_steps and self._stop is None:
                parts = self._optimise(feed)
                self.step += 1
                bar.update()
                taken += 1
                for name, value in parts.items():
                    running[name] = running.get(name, 0.0) + value
                if self.step % config.log_every == 0 or self.step == config.max_steps:
                    means = {name: total / taken for name, total in running.items()}
                    elapsed = time.perf_counter() - since
                    self._log(means | {"samples_per_second": taken * samples / elapsed})
                    bar.set_postfix(loss=f"{means['loss']:.4f}")
                    since, taken, running = time.perf_counter(), 0, {}
                saving = time.perf_counter()
                if self.step % config.checkpoint_every == 0:
                    self.save()
                if main and config.snapshot_every and self.step % config.snapshot_every == 0:
                    self.save_pipeline(self.output_dir / "snapshots" / f"step-{self.step:08d}")
                if main and self.step % config.sample_every == 0:
                    with self.ema_weights():
                        save_sample_grid(self.pipeline(), self.output_dir / "samples" / f"{self.step:08d}.png")
                since += time.perf_counter() - saving  # the log tells how fast the network learns
        self.save()
        accelerator.end_training()
        if self._stop == signal.SIGINT:
            raise KeyboardInterrupt
        if self._stop is not None:
            return False
        if main:
            self.save_pipeline(self.output_dir / "pipeline")
            write_json(self.output_dir / record.FILE, self.record())
        return True

    def _batches(self) -> AbstractContextManager[Iterator[Batch]]:
        """This process's batches from the present step on."""
        return load_batches(
            self.data,
            self.config,
            self.objective,
            self.step * self.config.accumulation,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )

    def time_steps(self) -> float:
        """Median seconds of a step, by some that are then undone."""
        before = copy.deepcopy(self._state())
        with self._batches() as feed:
            seconds = budget.median_seconds(lambda: self._optimise(feed))
        self._restore(before)
        return seconds

    def _set_max_steps(self) -> None:
        """Let `max_steps` be what the budget holds."""
        assert self.config.budget is not None
        (seconds,) = broadcast_object_list([self.time_steps()])  # one process's clock is everybody's
        steps = budget.steps_within(budget_minutes(self.config.budget), seconds)
        self.seconds_per_step, self.config = seconds, replace(self.config, max_steps=steps)

    def _optimise(self, feed: Iterator[Batch]) -> dict[str, float]:
        """One step: `accumulation` batches, clip, AdamW, EMA. Returns the averaged parts of the loss."""
        config, accelerator = self.config, self.accelerator
        totals: dict[str, float] = {}
        for micro in range(config.accumulation):
            batch = next(feed)
            last = micro == config.accumulation - 1
            sync = nullcontext() if last else accelerator.no_sync(self.network)
            with sync, training_attention(accelerator.device):
                loss, parts = denoising_loss(
                    self.network,
                    self.objective,
                    self.data.representation,
                    batch.latents.to(accelerator.device),
                    None if batch.labels is None else batch.labels.to(accelerator.device),
                    self.anchors,
                    batch.draw.to(accelerator.device),
                    null_label=self.data.num_classes,
                    feature_weights=self.feature_weights,
                    render_weight=config.render_weight,
                    render_below=config.render_below,
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
        return totals | {"grad_norm": float(norm)}

    def _rate(self, step: int) -> float:
        config = self.config
        if step < config.warmup_steps:
            return (step + 1) / config.warmup_steps
        span = max(1, config.max_steps - config.warmup_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, (step - config.warmup_steps) / span)))
        return config.final_lr + (1 - config.final_lr) * cosine

    # --- what is kept ------------------------------------------------------------------------------------
    def pipeline(self) -> GaussianDiffusionPipeline:
        """The model as it stands, as a pipeline."""
        scheduler = self.objective.scheduler
        if self.config.scheduler is not None:
            scheduler = make_scheduler(self.config.scheduler, scheduler)
        return GaussianDiffusionPipeline(
            self.model,
            self.data.representation,
            scheduler,
            num_inference_steps=self.config.num_inference_steps,
            guidance_scale=self.config.guidance_scale,
        )

    @contextmanager
    def ema_weights(self) -> Iterator[None]:
        """The averaged weights in place of the raw ones, in evaluation mode."""
        self.ema.store(self.model.parameters())
        self.ema.copy_to(self.model.parameters())
        self.model.eval()
        try:
            yield
        finally:
            self.ema.restore(self.model.parameters())
            self.model.train()

    def record(self) -> dict[str, Any]:
        """What the training cost so far, as `training.json` tells it."""
        with self.ema_weights():
            return record.training_record(
                self.config, self.data, self.model, self.output_dir, self.step, self.seconds_per_step
            )

    def save_pipeline(self, folder: Path) -> None:
        """Write a pipeline folder: averaged weights in bfloat16, statistics in float32."""
        with self.ema_weights():
            weights = {name: value.to(torch.bfloat16) for name, value in self.model.state_dict().items()}
        export = type(self.model).from_config(self.model.config)
        export.load_state_dict(weights, assign=True)
        pipeline = self.pipeline()
        pipeline.register_modules(denoiser=export)
        pipeline.save_pretrained(folder)

    def save(self) -> None:
        """Write a checkpoint of the whole state."""
        if not self.accelerator.is_main_process:
            return
        state = self._state() | {"seconds_per_step": self.seconds_per_step}
        checkpoint.save_checkpoint(self.output_dir, self.step, state, self.config)

    def _state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "ema": self.ema.state_dict(),
            "representation": self.data.representation.state_dict(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.ema.load_state_dict(state["ema"])
        self.ema.to(self.accelerator.device)

    def _resume(self) -> None:
        state = checkpoint.load_checkpoint(self.output_dir, self.config)
        if state is None:
            return
        checkpoint.check_latents(self.output_dir, state, self.data.representation.state_dict())
        try:
            self._restore(state)
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{self.output_dir}: its checkpoint fits another model ({reason})") from error
        self.step, self.seconds_per_step = state["step"], state.get("seconds_per_step")
        if self.config.budget is not None:  # what it holds was found out when the training began
            self.config = replace(self.config, max_steps=read_json(self.output_dir / "config.json")["max_steps"])

    # --- the record --------------------------------------------------------------------------------------
    def _log(self, values: dict[str, float]) -> None:
        rate = self.schedule.get_last_lr()[0]
        self.accelerator.log(values | {"learning_rate": rate}, step=self.step)
        if self.accelerator.is_main_process:
            with (self.output_dir / "metrics.jsonl").open("a") as file:
                file.write(json.dumps({"step": self.step, "learning_rate": rate, **values}) + "\n")

    def _truncate_metrics(self) -> None:
        """Forget log lines of steps that will be taken again."""
        path = self.output_dir / "metrics.jsonl"
        if path.is_file() and self.accelerator.is_main_process:
            lines = [line for line in path.read_text().splitlines() if line.endswith("}")]
            kept = [line for line in lines if json.loads(line)["step"] <= self.step]
            write_bytes(path, "".join(line + "\n" for line in kept).encode())

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the loop after the current step."""

        def note(number: int, _frame: Any) -> None:
            self._stop = number

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
