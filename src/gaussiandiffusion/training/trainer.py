"""The trainer: a loop over seeded batches, resumable at any step."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from tqdm import tqdm

from gaussiandiffusion.diffusion import Objective, make_scheduler
from gaussiandiffusion.diffusion.noise import generator_for
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.files import write_bytes
from gaussiandiffusion.models import make_transformer
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.training import checkpoint
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.data import TrainingSet
from gaussiandiffusion.training.grids import save_sample_grid
from gaussiandiffusion.training.loader import Batch, load_batches
from gaussiandiffusion.training.loss import Draw, denoising_loss
from gaussiandiffusion.training.streams import Stream


class Trainer:
    """Trains a GaussianTransformer on the latents of a `TrainingSet`.

    Args:
        config: all settings.
        data: the training set.
        output_dir: gets `config.json`, `metrics.jsonl`, TensorBoard logs, `samples/`, `checkpoints/` and `pipeline/`.
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
        )
        anchors = data.representation.anchors
        torch.manual_seed(config.seed)
        self.model = make_transformer(
            config.model,
            num_features=data.representation.latent_shape[1],
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
        self._truncate_metrics()
        config, accelerator = self.config, self.accelerator
        accelerator.init_trackers("tensorboard")
        loader = load_batches(
            self.data,
            config.batch_size,
            config.seed,
            self.step * config.accumulation,
            accelerator.process_index,
            accelerator.num_processes,
        )
        main = accelerator.is_main_process
        bar = tqdm(total=config.max_steps, initial=self.step, desc="train", unit="step", disable=not main)
        since, seen = time.perf_counter(), 0
        running: dict[str, float] = {}
        with self._signals(), bar, loader as feed:
            while self.step < config.max_steps and self._stop is None:
                parts = self._optimise(feed)
                self.step += 1
                bar.update()
                seen += config.batch_size * config.accumulation
                for name, value in parts.items():
                    running[name] = running.get(name, 0.0) + value / config.log_every
                if self.step % config.log_every == 0:
                    elapsed = time.perf_counter() - since
                    self._log(running | {"samples_per_second": seen / elapsed})
                    bar.set_postfix(loss=f"{running['loss']:.4f}")
                    since, seen, running = time.perf_counter(), 0, {}
                if self.step % config.checkpoint_every == 0:
                    self.save()
                if main and self.step % config.sample_every == 0:
                    with self.ema_weights():
                        save_sample_grid(self.pipeline(), self.output_dir / "samples" / f"{self.step:08d}.png")
        self.save()
        accelerator.end_training()
        if self._stop == signal.SIGINT:
            raise KeyboardInterrupt
        if self._stop is not None:
            return False
        if main:
            self.save_pipeline()
        return True

    def _optimise(self, feed: Iterator[Batch]) -> dict[str, float]:
        """One step: `accumulation` batches, clip, AdamW, EMA. Returns the averaged parts of the loss."""
        config, accelerator = self.config, self.accelerator
        rank, world = accelerator.process_index, accelerator.num_processes
        totals: dict[str, float] = {}
        for micro in range(config.accumulation):
            batch = next(feed)
            shape = (batch.size, *self.data.representation.latent_shape)
            generator = generator_for(config.seed, Stream.DRAW, self.step, micro)
            draw = Draw.of(shape, self.objective, config.label_dropout, generator).part(rank, world, accelerator.device)
            last = micro == config.accumulation - 1
            with nullcontext() if last else accelerator.no_sync(self.network):
                loss, parts = denoising_loss(
                    self.network,
                    self.objective,
                    self.data.representation,
                    batch.latents.to(accelerator.device),
                    None if batch.labels is None else batch.labels.to(accelerator.device),
                    self.anchors,
                    draw,
                    null_label=self.data.num_classes,
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

    def save_pipeline(self) -> Path:
        """Write `pipeline/`: averaged weights in bfloat16, statistics in float32."""
        folder = self.output_dir / "pipeline"
        with self.ema_weights():
            weights = {name: value.to(torch.bfloat16) for name, value in self.model.state_dict().items()}
        export = type(self.model).from_config(self.model.config)
        export.load_state_dict(weights, assign=True)
        pipeline = self.pipeline()
        pipeline.register_modules(transformer=export)
        pipeline.save_pretrained(folder)
        return folder

    def save(self) -> None:
        """Write a checkpoint of the whole state."""
        if not self.accelerator.is_main_process:
            return
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "ema": self.ema.state_dict(),
        }
        checkpoint.save_checkpoint(self.output_dir, self.step, state, self.config)

    def _resume(self) -> None:
        state = checkpoint.load_checkpoint(self.output_dir, self.config)
        if state is None:
            return
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{self.output_dir}: its checkpoint fits another model ({reason})") from error
        self.schedule.load_state_dict(state["schedule"])
        self.ema.load_state_dict(state["ema"])
        self.ema.to(self.accelerator.device)
        self.step = state["step"]

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
