"""The training set: images that were encoded once, in seconds, or are encoded anew whenever they are seen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from tqdm import tqdm

from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.data.augment import augment
from gaussiandiffusion.data.image_set import CHANNELS
from gaussiandiffusion.data.sets import holds_sets
from gaussiandiffusion.diffusion import prediction_of, prepared
from gaussiandiffusion.encoding import Encoded, Encoder, FitEncoder
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.combinations import absent_in
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.seeds import Stream, generator_for
from gaussiandiffusion.models import check_size
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.pipeline.precision import faster_for_sampling
from gaussiandiffusion.representation import PixelRepresentation, Representation, SplatRepresentation
from gaussiandiffusion.training.budget import tell
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.encoder import num_splats, training_encoder, unlearned_encoder
from gaussiandiffusion.training.pairs import kept_precision, teacher_pairs
from gaussiandiffusion.training.pictures import Pictures

STATISTICS_IMAGES = 4096
SHOWN = 12  # class names in a sentence, at most


def placed(tensor: Tensor, device: torch.device) -> Tensor:
    """On a device; a copy to CUDA then runs beside what that is doing."""
    if tensor.device.type == "cpu" and device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def take(values: Float[Tensor, "n ..."], indices: Int64[Tensor, " b"]) -> Float[Tensor, "b ..."]:
    """Rows of a tensor, gathered where that lies."""
    return values[placed(indices, values.device)]


@runtime_checkable
class Latents(Protocol):
    """Latents of training images by number."""

    def take(self, epoch: int, indices: Int64[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        """Those of some images as they look in an epoch."""

    def on(self, device: torch.device) -> Latents:
        """Kept on a device, where they are kept."""


@dataclass(frozen=True)
class StoredLatents:
    """Latents made before training; the same in every epoch."""

    values: Float[Tensor, "n ..."]

    def take(self, epoch: int, indices: Int64[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        return take(self.values, indices)

    def on(self, device: torch.device) -> StoredLatents:
        return StoredLatents(self.values.to(device))


@dataclass(frozen=True)
class LiveLatents:
    """Latents made when they are asked for; of other pixels in every epoch, if the images are augmented."""

    pictures: Pictures
    representation: Representation[Any]  # on the CPU

    def take(self, epoch: int, indices: Int64[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        return self.representation.to_latent(self.pictures.take(epoch, indices))

    def on(self, device: torch.device) -> LiveLatents:
        return self  # made on the CPU


@dataclass(frozen=True)
class TrainingSet:
    """Latents, conditions (of no attribute when unconditional) and the representation they are in.

    Attributes:
        size: number of images.
        pictures: what the latents were made of; None where that is not known.
        psnr: mean PSNR (dB) of the sets that the statistics were measured on; None for pixels, which lose nothing, and
            where there were no images.
        teacher, noise: the model that made these latents, and of which noise.
    """

    latents: Latents
    size: int
    conditions: Conditions
    representation: Representation[Any]
    psnr: float | None
    pictures: Pictures | None = None
    teacher: GaussianDiffusion | None = None
    noise: Float[Tensor, "n ..."] | None = None

    def __len__(self) -> int:
        return self.size

    def on(self, device: torch.device) -> TrainingSet:
        """With all that is kept of samples on a device."""
        noise = None if self.noise is None else self.noise.to(device)
        return replace(self, latents=self.latents.on(device), conditions=self.conditions.to(device), noise=noise)


def load_training_set(
    config: TrainConfig,
    data_dir: Path | None,
    folder: Path | None = None,
    device: str = "cpu",
    template: Path | None = None,
) -> TrainingSet:
    """Encode the training split that a configuration names, or what the latents' statistics need of it; or take sets
    that are encoded already.

    Args:
        device: where a teacher samples.
        folder: keeps what a teacher makes; needed with one.
        template: file that keeps a template which is learned.

    Raises:
        InputError: the images cannot be read, or are fewer than two, or the network has no known size.
    """
    if config.teacher.model is not None:
        if folder is None:
            raise ValueError("a teacher needs a folder for its pairs")
        return _taught(config, config.teacher.model, folder, device)
    if holds_sets(config.data.source):
        from gaussiandiffusion.training.sets import load_sets_to_train  # stands on this file

        return load_sets_to_train(config)
    return encode_training_set(load_training_images(config, data_dir), config, template)


def load_training_images(config: TrainConfig, data_dir: Path | None) -> ImageSet:
    """The images of the split that a configuration names; says so if a class has only one.

    Raises:
        InputError: they cannot be read, or are fewer than two, or the network has no known size.
    """
    check_size(config.network.size)  # before the images are fetched and encoded
    data = config.data
    images = load_images(data.source, split=data.split, data_dir=data_dir, limit=data.limit, framing=data.framing)
    if len(images) < 2:
        raise InputError(f"{data.source}: one image is too few to train on; give at least two")
    if config.network.conditional and images.conditions is not None:
        tell_of_single(images.conditions)
    return images


def tell_of_single(conditions: ConditionColumns) -> None:
    """Say which values of an only attribute one image alone has."""
    if conditions.labels is None:
        return
    (names,) = conditions.spec.attributes.values()
    counts = np.bincount(conditions.labels, minlength=len(names))
    alone = [name for name, count in zip(names, counts, strict=False) if count == 1]
    if alone:
        tell(f"{', '.join(alone[:SHOWN])}: has one picture only; what is asked for by its name will look like that")


def encode_training_set(images: ImageSet, config: TrainConfig, template: Path | None = None) -> TrainingSet:
    """Images as what a network learns from; says how many splats they get, where nobody did.

    Args:
        template: file that keeps a template which is learned.

    Raises:
        InputError: a template or a patch does not fit the images.
    """
    settings = config.representation
    if settings.kind == "pixels":
        return _pixels(images, config)
    if settings.splats is None and (chosen := num_splats(images, settings)) is not None:
        _, channels, height, width = images.images.shape
        tell(f"{chosen} splats a picture, for {width}x{height} {CHANNELS[channels]} (--splats K for others)")
    encoder = training_encoder(images, config, template)
    return _splats(images, config, encoder, bar=True)


def sample_training_set(images: ImageSet, config: TrainConfig) -> TrainingSet:
    """The same of a few images, to time steps on: nothing is learned or told."""
    if config.representation.kind == "pixels":
        return _pixels(images, config)
    return _splats(images, config, unlearned_encoder(images, config), bar=False)


def _pixels(images: ImageSet, config: TrainConfig) -> TrainingSet:
    _, channels, height, width = images.images.shape
    representation = PixelRepresentation(height, width, channels, config.representation.patch)
    pictures = _pictures(images, config)
    latents = _live(pictures, representation)
    return TrainingSet(latents, len(images), _conditions(images, config), representation, None, pictures)


def _splats(images: ImageSet, config: TrainConfig, encoder: FitEncoder, *, bar: bool) -> TrainingSet:
    settings = config.representation
    once = config.data.encode == "once"
    total = len(images) if once else min(len(images), STATISTICS_IMAGES)
    with tqdm(total=total, desc="encode", unit="image", unit_scale=True, disable=not bar) as shown:
        encoded = _encoded(images, encoder, config, shown.update)
    representation = SplatRepresentation.fit(
        encoder, encoded.splats, per_slot=settings.per_slot, form=settings.form, scaling=settings.scaling
    )
    pictures = _pictures(images, config)
    latents: Latents
    if once:
        latents = StoredLatents(representation.latent_transform.to_latent(encoded.splats))
    else:
        latents = _live(pictures, representation)
    psnr = float(encoded.psnr.mean())
    return TrainingSet(latents, len(images), _conditions(images, config), representation, psnr, pictures)


def _encoded(images: ImageSet, encoder: Encoder, config: TrainConfig, progress: Callable[[int], None]) -> Encoded:
    """All images, or of those that are encoded live as many as the statistics need, as the first epoch has them."""
    pixels, seed = images.images, config.optimiser.seed
    if config.data.encode == "live":
        # All, in their order, where there are few.
        order = torch.randperm(len(images), generator=generator_for(seed, Stream.STATISTICS))
        indices = order[:STATISTICS_IMAGES].sort().values
        pixels = augment(pixels[indices.numpy()], config.data.augment, seed, 0, indices)
    return encoder.encode(pixels, progress=progress)


def _pictures(images: ImageSet, config: TrainConfig) -> Pictures:
    return Pictures(images.images, config.data.augment, config.optimiser.seed)


def _live(pictures: Pictures, representation: Representation[Any]) -> LiveLatents:
    return LiveLatents(pictures, copy.deepcopy(representation))  # stays on the CPU when the other moves


def _conditions(images: ImageSet, config: TrainConfig) -> Conditions:
    if not config.network.conditional or images.conditions is None:
        return Conditions.ask(ConditionSpec({}), len(images))
    known = images.conditions
    return Conditions.of(replace(known, spec=replace(known.spec, absent=absent_in(known))))


def _taught(config: TrainConfig, name: str, folder: Path, device: str) -> TrainingSet:
    settings = config.teacher
    teacher = GaussianDiffusion.from_pretrained(name)
    if prediction_of(teacher.scheduler) != "flow":
        raise InputError(f"teacher {name}: is no flow model; reflow needs one")
    if not teacher.condition_spec and settings.guidance != 1 and settings.weaker is None:
        raise InputError(f"teacher {name}: is unconditional and takes no guidance; leave teacher_guidance at 1")
    if config.objective.render_weight and teacher.representation.kind == "pixels":
        raise InputError(f"teacher {name}: makes pixels, which have no rendered-image loss; set render_weight to 0")
    weaker = None if settings.weaker is None else GaussianDiffusion.from_pretrained(settings.weaker)
    prepared(teacher.scheduler, settings.steps)  # refuses impossible steps before any work
    teacher.to(device)
    precision = config.optimiser.mixed_precision
    if precision == "auto":  # pairs that are there were begun in one, perhaps elsewhere
        chosen = faster_for_sampling(teacher.denoiser, teacher.representation, teacher.chunk_size)
        precision = kept_precision(folder) or chosen.precision
    with tqdm(total=settings.pairs, desc="teacher", unit="pair", unit_scale=True) as bar:
        pairs = teacher_pairs(
            teacher,
            settings.pairs,
            folder,
            steps=settings.steps,
            guidance=settings.guidance,
            guidance_below=settings.guidance_below,
            weaker=None if weaker is None else weaker.to(device),
            precision=precision,
            seed=config.optimiser.seed,
            progress=bar.update,
        )
    teacher.to("cpu")
    return TrainingSet(
        latents=StoredLatents(pairs.latents),
        size=len(pairs.latents),
        conditions=pairs.conditions,
        representation=teacher.representation,
        psnr=None,
        teacher=teacher,
        noise=pairs.noise,
    )
