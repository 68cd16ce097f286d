"""`TrainConfig`: one frozen record of everything that decides a training; presets are TOML files of its fields."""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from gaussiandiffusion.ground.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """How training images may differ from the files' each time they are seen; every amount is drawn uniformly."""

    flip: bool = False
    """Mirror left to right, with probability 1/2."""
    shift: float = 0
    """Largest shift along each axis in pixels; a whole number shifts by whole pixels, which blurs nothing."""
    rotate: float = 0
    """Largest rotation either way, degrees."""
    zoom: float = 0
    """Largest magnification or reduction: 0.1 scales by a factor between 1/1.1 and 1.1."""

    def __post_init__(self) -> None:
        for name in ("shift", "rotate", "zoom"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"augment.{name} must be a number of at least 0, not {value}")

    @property
    def moves(self) -> bool:
        """Whether pixels are resampled or shifted, beyond mirroring."""
        return bool(self.shift or self.rotate or self.zoom)

    def __bool__(self) -> bool:
        return self.flip or self.moves


@dataclass(frozen=True)
class TrainConfig:
    """What to learn from, with which network, toward which objective, for how long.

    A batch is `batch_size` sets, drawn without replacement in an order that depends on `seed` and the epoch alone; a
    step is `accumulation` batches. Learning rate: linear warm-up, then half a cosine to `final_lr` of the peak.
    """

    # data
    data: str = "mnist"
    """Data-set name or any image source."""
    limit: int | None = None
    """Only the first N training images."""
    encode: Literal["once", "live"] = "once"
    """Encode the images once, before training, or anew whenever they are seen, beside the training."""
    augment: Augmentation = Augmentation()
    """Random changes of the images; with encode = "live"."""
    # representation
    representation: Literal["splats", "pixels"] = "splats"
    """What the network sees: splat sets, or for baselines pixels."""
    patch: int = 0
    """Pixels in patches of this side, for a transformer; 0: whole images, for a U-Net."""
    splats: int = 70
    """K, splats per image."""
    start: str = "hilbert"
    """Encoder start: hilbert, grid, random or template:FILE (relative to the preset)."""
    iterations: int | None = None
    """Encoder iterations; default by start."""
    signed: bool = False
    """Allow negative colours."""
    per_slot: bool = True
    """Statistics per slot, and anchors for the network; for canonical sets."""
    latent_form: Literal["log_covariance", "deviations"] = "log_covariance"
    """How a splat's covariance enters the latent: as its logarithm, or as sigma_x, sigma_y and rho."""
    latent_scaling: Literal["standard", "min_max"] = "standard"
    """Features to mean 0 and deviation 1, or from their least and greatest value to [-1, 1]."""
    # teacher
    teacher: str | None = None
    """Learn what this trained flow model (bundled name or folder) makes of noise, in fewer steps, beginning with its
    weights; its representation and network are taken, and the images not read."""
    teacher_pairs: int = 60_000
    """Samples of the teacher to learn from."""
    teacher_steps: int = 10
    """Steps of its sampler."""
    teacher_guidance: float = 1.0
    """Its guidance, which the student then has built in."""
    teacher_guidance_below: float = 1.0
    """The times (0: data, 1: noise) below which that applies."""
    teacher_weaker: str | None = None
    """A weaker model to guide it away from, as an early snapshot of its training; default: itself without the class."""
    # network
    model: str = "small"
    """Size by name: tiny, compact, small, base, paper, paper-6; of pixels without patches unet, unet-paper."""
    conditional: bool = True
    """Learn classes, where the data has labels."""
    # objective
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
    """Share of labels hidden, for guidance."""
    feature_weights: Literal["uniform", "sensitivity"] = "uniform"
    """How much each feature of a slot counts in the latent loss: the same, or as much as the picture feels it."""
    render_weight: float = 0.0
    """Weight of the rendered-image loss."""
    render_below: float = 0.5
    """Noise share of x_t below which that loss applies."""
    # optimisation
    budget: str | None = None
    """Train for S (8), M (30), L (90) or so many minutes of this machine's, otherwise idle: the first steps are timed,
    thrown away, and set max_steps."""
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
    mixed_precision: Literal["no", "bf16", "fp16"] = "bf16"
    compile: bool = False
    """Compile the network with torch.compile (needs a C++ compiler on the CPU)."""
    seed: int = 0
    # record
    log_every: int = 20
    sample_every: int = 1000
    checkpoint_every: int = 500
    snapshot_every: int = 0
    """Keep the averaged model as it is every so many steps, as a pipeline; 0: only the last."""
    # the pipeline's defaults
    scheduler: str | None = None
    """Sampler by name; default: the one the objective is defined by."""
    num_inference_steps: int = 10
    guidance_scale: float = 1.0

    def __post_init__(self) -> None:
        for name in (
            "max_steps",
            "batch_size",
            "accumulation",
            "log_every",
            "sample_every",
            "checkpoint_every",
            "teacher_pairs",
            "teacher_steps",
        ):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be >= 1, not {getattr(self, name)}")
        if not 0 <= self.label_dropout < 1:
            raise InputError(f"label_dropout must lie in [0, 1), not {self.label_dropout}")
        if not 0 <= self.teacher_guidance_below <= 1:
            raise InputError(f"teacher_guidance_below must lie in [0, 1], not {self.teacher_guidance_below}")
        if not 0 <= self.ema_decay < 1:
            raise InputError(f"ema_decay must lie in [0, 1), not {self.ema_decay}")
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate must be > 0, not {self.learning_rate}")
        if self.budget is not None:
            budget_minutes(self.budget)
        if self.snapshot_every < 0 or self.patch < 0:
            raise InputError("snapshot_every and patch must be >= 0")
        if self.representation == "pixels" and self.render_weight:
            raise InputError("render_weight is for splats: the latent loss of pixels is the picture's already")
        if self.representation == "pixels" and self.feature_weights != "uniform":
            raise InputError("feature_weights is for splats: pixels are the picture, and feel alike")
        if self.coupling != "independent" and not self._unordered_flow:
            raise InputError(
                f"coupling = {self.coupling} is for prediction = flow and splats without slots (per_slot = False): a "
                "slot's noise would differ from what sampling gives it"
            )
        if self.teacher is not None and (self.coupling != "independent" or self.prediction != "flow"):
            raise InputError("with a teacher, prediction must be flow and coupling independent: it gives the coupling")
        if self.representation == "splats" and self.patch:
            raise InputError("patch is for representation = pixels")
        if self.augment and self.encode == "once" and self.representation == "splats":
            raise InputError("augment needs encode = live: encoded once, an image would look the same in every epoch")

    @property
    def _unordered_flow(self) -> bool:
        return self.prediction == "flow" and self.representation == "splats" and not self.per_slot

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


BUDGETS = {"S": 8.0, "M": 30.0, "L": 90.0}  # minutes


def budget_minutes(budget: str) -> float:
    """Minutes of a budget given by letter or as a number.

    Raises:
        InputError: neither.
    """
    try:
        minutes = BUDGETS[budget] if budget in BUDGETS else float(budget)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes < math.inf:
        raise InputError(f"budget must be S, M, L or a number of minutes > 0, not '{budget}'")
    return minutes


# Fields that may change between a checkpoint and its continuation: they do not alter the steps already taken.
RESUMABLE = {
    "max_steps",
    "log_every",
    "sample_every",
    "checkpoint_every",
    "snapshot_every",
    "scheduler",
    "num_inference_steps",
    "guidance_scale",
}


def presets() -> dict[str, Path]:
    """Presets that come with the package, by name."""
    root = Path(str(resources.files("gaussiandiffusion") / "configs"))
    return {path.stem: path for path in sorted(root.glob("*.toml"))}


def load_config(source: str | Path) -> TrainConfig:
    """Read a preset by name, or a .toml or .json file of `TrainConfig` fields.

    Raises:
        InputError: unknown preset, unreadable file, unknown field or a value of the wrong type.
    """
    path = presets().get(str(source), Path(source))
    if not path.is_file():
        raise InputError(f"no preset or file '{source}'; presets: {', '.join(presets())}")
    try:
        text = path.read_text()
        values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is not readable as {path.suffix[1:] or 'TOML'} ({error})") from error
    start = str(values.get("start", ""))
    if start.startswith("template:"):
        template = path.parent / start.removeprefix("template:")
        values["start"] = f"template:{template}"
    return override(TrainConfig(), values, str(path))


Settings = TypeVar("Settings", TrainConfig, Augmentation)


def override(settings: Settings, values: dict[str, Any], origin: str, table: str = "") -> Settings:
    """`settings` with some fields replaced; those of a field that is itself a record are given as a table.

    Raises:
        InputError: a field that does not exist or a value of another type than its default.
    """
    types = get_type_hints(type(settings))
    changes: dict[str, Any] = {}
    for name, value in values.items():
        full = table + name
        if name not in types:
            known = ", ".join(table + field for field in types)
            raise InputError(f"{origin}: unknown setting '{full}'; known are {known}")
        if dataclasses.is_dataclass(types[name]):
            if not isinstance(value, dict):
                raise InputError(f"{origin}: {full} must be a table, [{full}], not {value!r}")
            changes[name] = override(getattr(settings, name), value, origin, f"{full}.")
        elif _fits(value, types[name]):
            changes[name] = value
        else:
            wanted = type(settings).__annotations__[name]
            raise InputError(f"{origin}: {full} must be {wanted}, not {value!r}")
    return dataclasses.replace(settings, **changes)


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a TOML or JSON value is of a field's type; whole numbers pass for floats, booleans for nothing else."""
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    if alternatives := get_args(annotation):
        return any(_fits(value, kind) for kind in alternatives)
    if isinstance(value, bool):
        return annotation is bool
    return isinstance(value, annotation) or (isinstance(value, int) and annotation is float)
