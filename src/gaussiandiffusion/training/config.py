"""`TrainConfig`: one frozen record of everything that decides a training, a part for each thing decided.

Every setting is also a flag of its own name; where that would not say what it belongs to, `flag` gives another. Checks
of a part are in the part, checks between parts in `TrainConfig`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import tyro

from gaussiandiffusion.data.augmentation import Augmentation
from gaussiandiffusion.data.framing import Fit, Framing, Mode
from gaussiandiffusion.data.reading import SetFlags
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training.minutes import budget_minutes
from gaussiandiffusion.training.ranges import at_least, within

LARGEST_SEED = 2**63 - 1
MOST = 1e9  # of weights in a loss: beyond it is a slip of the hand


def flag(name: str) -> Any:
    """The name of a setting's flag, where it is not the setting's own; of a part "", since it has none."""
    return tyro.conf.arg(name=name)


@dataclass(frozen=True)
class DataConfig:
    """What to learn from."""

    source: Annotated[str, flag("data")] = "mnist"
    """Data-set name, any image source, or sets that are encoded already (in a preset: relative to it)."""
    split: Literal["train", "test"] = "train"
    """Split of a data set, or of a folder or zip with sub-folders train/ and test/."""
    canvas: int | None = None
    """Bring pictures of any size to squares of N x N pixels."""
    fit: Fit | None = None
    """How, where a picture is no square: crop its centre (default), pad (transparent, else black), or stretch."""
    mode: Mode | None = None
    """Bring pictures of any kind to one: RGB and L show what is transparent over black; in RGBA the rest is opaque."""
    limit: int | None = None
    """Only the first N training images."""
    encode: Literal["once", "live"] = "once"
    """Encode the images once, before training, or anew whenever they are seen, beside the training."""
    augment: Annotated[Augmentation, flag("augment")] = field(default_factory=Augmentation)
    """Random changes of the images; with encode = "live"."""
    reading: Annotated[SetFlags, flag("")] = field(default_factory=SetFlags)
    """What files of sets of other systems do not say."""

    def __post_init__(self) -> None:
        self.framing  # noqa: B018 (it refuses what is out of range)

    @property
    def framing(self) -> Framing:
        """The size and mode that pictures are brought to."""
        return Framing(self.canvas, self.fit, self.mode)


@dataclass(frozen=True)
class RepresentationConfig:
    """What the network sees."""

    kind: Annotated[Literal["splats", "pixels"], flag("representation")] = "splats"
    """What the network sees: splat sets, or for baselines pixels."""
    patch: int = 0
    """Pixels in patches of this side, for a transformer; 0: whole images, for a U-Net."""
    splats: int | None = None
    """K, splats per image; default: of a template's file, else what the canvas asks for (`splats_for`)."""
    start: str = "hilbert"
    """Encoder start: hilbert, grid, random, template (learned first, kept in the output folder) or template:FILE
    (relative to the preset)."""
    iterations: int | None = None
    """Encoder iterations; default by start."""
    signed: bool = False
    """Allow negative colours."""
    per_slot: bool = True
    """Statistics per slot, and anchors for the network; for canonical sets."""
    form: Annotated[Literal["log_covariance", "deviations"], flag("latent-form")] = "log_covariance"
    """How a splat's covariance enters the latent: as its logarithm, or as sigma_x, sigma_y and rho."""
    scaling: Annotated[Literal["standard", "min_max"], flag("latent-scaling")] = "standard"
    """Features to mean 0 and deviation 1, or from their least and greatest value to [-1, 1]."""

    def __post_init__(self) -> None:
        at_least(0, patch=self.patch)
        if self.kind == "splats" and self.patch:
            raise InputError("patch is for representation = pixels")


@dataclass(frozen=True)
class TeacherConfig:
    """A trained model to learn from instead of images."""

    model: Annotated[str | None, flag("teacher")] = None
    """Learn what this trained flow model (bundled name or folder) makes of noise, in fewer steps, beginning with its
    weights; its representation and network are taken, and the images not read."""
    pairs: Annotated[int, flag("teacher-pairs")] = 60_000
    """Samples of the teacher to learn from."""
    steps: Annotated[int, flag("teacher-steps")] = 10
    """Steps of its sampler."""
    guidance: Annotated[float, flag("teacher-guidance")] = 1.0
    """Its guidance, which the student then has built in."""
    guidance_below: Annotated[float, flag("teacher-guidance-below")] = 1.0
    """The times (0: data, 1: noise) below which that applies."""
    weaker: Annotated[str | None, flag("teacher-weaker")] = None
    """A weaker model to guide it away from, as an early snapshot of its training; default: itself without the class."""

    def __post_init__(self) -> None:
        at_least(1, teacher_pairs=self.pairs, teacher_steps=self.steps)
        within(-1000, 1000, teacher_guidance=self.guidance)
        within(0, 1, teacher_guidance_below=self.guidance_below)


@dataclass(frozen=True)
class NetworkConfig:
    """Which network learns."""

    size: Annotated[str, flag("network")] = "small"
    """Size by name: tiny, compact, attributes, small, base, paper, paper-6; of whole pictures unet, unet-paper."""
    conditional: bool = True
    """Learn conditions (classes, attributes), where the data has them."""
    begin: str | None = None
    """Go on from the averaged weights of a trained model (bundled name or folder) of this very network."""


@dataclass(frozen=True)
class ObjectiveConfig:
    """What the network learns to predict, and what counts as an error."""

    prediction: Literal["flow", "v_prediction", "epsilon"] = "flow"
    num_train_timesteps: int = 1000
    beta_schedule: Literal["linear", "cosine"] = "cosine"
    times: Literal["uniform", "logit_normal"] | None = None
    """Law of the training times; default: logit_normal for flow, else uniform."""
    logit_mean: float = 0.0
    """Of log(noise / signal) under logit_normal times."""
    logit_std: float = 1.0
    coupling: Literal["independent", "optimal", "hybrid"] = "independent"
    """Which noise meets which splat: independent, or for sets without slots and flow optimal or hybrid (of both)."""
    label_dropout: float = 0.1
    """Share of samples whose conditions are all hidden, for guidance."""
    attribute_dropout: float = 0.1
    """Share of values hidden alone, where there are several attributes, so that a request may leave some open."""
    render_weight: float = 0.0
    """Weight of the rendered-image loss."""
    render_below: float = 0.5
    """Time below which that loss applies."""
    render_goal: Literal["sets", "images"] = "sets"
    """What drawings are compared with: those of the encoded sets, or the images themselves, which where conditions say
    nearly all the network learns to draw better than their sets do; then only where none of these is hidden."""

    def __post_init__(self) -> None:
        for name in ("label_dropout", "attribute_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must lie in [0, 1), not {getattr(self, name)}")
        at_least(1, num_train_timesteps=self.num_train_timesteps)
        within(-100, 100, logit_mean=self.logit_mean)
        within(0, 100, logit_std=self.logit_std)
        within(0, MOST, render_weight=self.render_weight)
        within(0, 1, render_below=self.render_below)


@dataclass(frozen=True)
class OptimiserConfig:
    """How it learns, and for how long."""

    budget: str | None = None
    """Train for S (8), M (30), L (90) or so many minutes of this machine's: some steps are timed, which counts, thrown
    away, and set max_steps."""
    max_steps: int = 10_000
    batch_size: int = 128
    accumulation: int = 1
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    final_lr: float = 0.01
    """Last learning rate, relative to the peak."""
    weight_decay: float = 0.01
    beta2: float = 0.99
    """Of AdamW; beta1 is 0.9."""
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    """Ramped up as (1 + step) / (10 + step)."""
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto"
    """Of the network's matrix products; auto: bf16 where a trial finds it faster, else no."""
    compile: bool = False
    """Compile the network with torch.compile (needs a C++ compiler on the CPU)."""
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, max_steps=self.max_steps, batch_size=self.batch_size, accumulation=self.accumulation)
        at_least(0, warmup_steps=self.warmup_steps)
        within(0, LARGEST_SEED, seed=self.seed)
        within(0, 1, final_lr=self.final_lr)
        within(0, MOST, weight_decay=self.weight_decay)
        for name in ("ema_decay", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must lie in [0, 1), not {getattr(self, name)}")
        if not self.clip_norm > 0:
            raise InputError(f"clip_norm must be > 0, not {self.clip_norm}")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"learning_rate must be > 0, not {self.learning_rate}")
        if self.budget is not None:
            budget_minutes(self.budget)

    def rate(self, step: int) -> float:
        """Learning rate of a step relative to the peak: linear warm-up, then half a cosine."""
        if step < self.warmup_steps:
            return (step + 1) / self.warmup_steps
        span = max(1, self.max_steps - self.warmup_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, (step - self.warmup_steps) / span)))
        return self.final_lr + (1 - self.final_lr) * cosine


@dataclass(frozen=True)
class RecordConfig:
    """What is written on the way."""

    log_every: int = 20
    sample_every: int = 1000
    checkpoint_every: int = 500
    snapshot_every: int = 0
    """Keep the averaged model as it is every so many steps, as a pipeline; 0: only the last."""
    shard_size: float = 0.0
    """Largest file of the averaged model's weights in MiB; more become several with an index. 0: one file."""

    def __post_init__(self) -> None:
        at_least(1, log_every=self.log_every, sample_every=self.sample_every, checkpoint_every=self.checkpoint_every)
        at_least(0, snapshot_every=self.snapshot_every)
        within(0, MOST, shard_size=self.shard_size)


@dataclass(frozen=True)
class SamplerConfig:
    """Defaults of the pipeline that is saved."""

    scheduler: str | None = None
    """Sampler by name; default: the one the objective is defined by."""
    num_inference_steps: int = 10
    guidance_scale: float = 1.0

    def __post_init__(self) -> None:
        at_least(1, num_inference_steps=self.num_inference_steps)
        within(-1000, 1000, guidance_scale=self.guidance_scale)


@dataclass(frozen=True)
class TrainConfig:
    """What to learn from, with which network, toward which objective, for how long.

    A batch is `batch_size` sets, drawn without replacement in an order that depends on `seed` and the epoch alone; a
    step is `accumulation` batches.
    """

    data: Annotated[DataConfig, flag("")] = field(default_factory=DataConfig)
    representation: Annotated[RepresentationConfig, flag("")] = field(default_factory=RepresentationConfig)
    teacher: Annotated[TeacherConfig, flag("")] = field(default_factory=TeacherConfig)
    network: Annotated[NetworkConfig, flag("")] = field(default_factory=NetworkConfig)
    objective: Annotated[ObjectiveConfig, flag("")] = field(default_factory=ObjectiveConfig)
    optimiser: Annotated[OptimiserConfig, flag("")] = field(default_factory=OptimiserConfig)
    record: Annotated[RecordConfig, flag("")] = field(default_factory=RecordConfig)
    sampler: Annotated[SamplerConfig, flag("")] = field(default_factory=SamplerConfig)

    def __post_init__(self) -> None:
        objective, representation = self.objective, self.representation
        if representation.kind == "pixels" and objective.render_weight:
            raise InputError("render_weight is for splats: the latent loss of pixels is the picture's already")
        unordered_flow = (
            objective.prediction == "flow" and representation.kind == "splats" and not representation.per_slot
        )
        if objective.coupling != "independent" and not unordered_flow:
            raise InputError(
                f"coupling = {objective.coupling} is for prediction = flow and splats without slots "
                "(per_slot = False): a slot's noise would differ from what sampling gives it"
            )
        taught = self.teacher.model is not None
        if taught and (objective.coupling != "independent" or objective.prediction != "flow"):
            raise InputError("with a teacher, prediction must be flow and coupling independent: it gives the coupling")
        if taught and objective.render_goal == "images":
            raise InputError("a teacher's samples are of no images; give --render-goal sets")
        if self.data.augment and self.data.encode == "once" and representation.kind == "splats":
            raise InputError("augment needs encode = live: encoded once, an image would look the same in every epoch")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
