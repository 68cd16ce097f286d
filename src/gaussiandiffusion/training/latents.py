"""The training set: images that were encoded once, in seconds, or are encoded anew whenever they are seen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray
from torch import Tensor
from tqdm import tqdm

from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.diffusion import prediction_of, set_timesteps
from gaussiandiffusion.ground.seeds import generator_for
from gaussiandiffusion.encoding import Encoded, Encoder, make_encoder
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.representation import PixelRepresentation, Representation, SplatRepresentation
from gaussiandiffusion.representation.latent import LatentTransform
from gaussiandiffusion.data.augment import augment
from gaussiandiffusion.training.config import Augmentation, TrainConfig
from gaussiandiffusion.training.pairs import teacher_pairs
from gaussiandiffusion.training.streams import Stream

STATISTICS_IMAGES = 4096


@dataclass(frozen=True)
class StoredLatents:
    """Latents made before training; the same in every epoch."""

    values: Float[Tensor, "n k f"]

    def take(self, epoch: int, indices: Int64[Tensor, " b"]) -> Float[Tensor, "b k f"]:
        return self.values[indices]


@dataclass(frozen=True)
class ImageEncoder:
    """Augments and encodes images of the training set."""

    images: UInt8[ndarray, "n c h w"]
    encoder: Encoder
    augmentation: Augmentation
    seed: int

    def encode(
        self, epoch: int, indices: Int64[Tensor, " b"], progress: Callable[[int], None] | None = None
    ) -> Encoded:
        """Sets of some images as they look in an epoch."""
        images = augment(self.images[indices.numpy()], self.augmentation, self.seed, epoch, indices)
        return self.encoder.encode(images, progress=progress)


@dataclass(frozen=True)
class LiveLatents:
    """Latents made when they are asked for; of other pixels in every epoch, if the images are augmented."""

    source: ImageEncoder
    transform: LatentTransform

    def take(self, epoch: int, indices: Int64[Tensor, " b"]) -> Float[Tensor, "b k f"]:
        return self.transform.encode(self.source.encode(epoch, indices).splats)


@dataclass(frozen=True)
class PixelLatents:
    """Latents that are the pixels, augmented; made when they are asked for, since they cost nothing."""

    images: UInt8[ndarray, "n c h w"]
    augmentation: Augmentation
    seed: int
    representation: PixelRepresentation

    def take(self, epoch: int, indices: Int64[Tensor, " b"]) -> Float[Tensor, "b ..."]:
        images = augment(self.images[indices.numpy()], self.augmentation, self.seed, epoch, indices)
        return self.representation.encode(images)


@dataclass(frozen=True)
class TrainingSet:
    """Latents, labels (None when unconditional) and the representation they are in.

    Attributes:
        size: number of images.
        psnr: mean PSNR (dB) of the sets that the statistics were measured on; None for pixels, which lose nothing, and
            where there were no images.
        teacher, noise: the model that made these latents, and of which noise.
    """

    latents: StoredLatents | LiveLatents | PixelLatents
    size: int
    labels: Int64[Tensor, " n"] | None
    num_classes: int
    representation: Representation
    psnr: float | None
    teacher: GaussianDiffusionPipeline | None = None
    noise: Float[Tensor, "n ..."] | None = None

    def __len__(self) -> int:
        return self.size

    def some_latents(self, count: int) -> Float[Tensor, "m ..."]:
        """At most so many latents from all over the set, as the first epoch has them."""
        return self.latents.take(0, torch.linspace(0, self.size - 1, min(count, self.size)).long())


def load_training_set(
    config: TrainConfig, data_dir: Path | None, folder: Path | None = None, device: str = "cpu"
) -> TrainingSet:
    """Encode the training split that a configuration names, or what the latents' statistics need of it.

    Args:
        device: where a teacher samples.
        folder: keeps what a teacher makes; needed with one.

    Raises:
        InputError: the images cannot be read, are fewer than two, or have negative labels.
    """
    if config.teacher is not None:
        if folder is None:
            raise ValueError("a teacher needs a folder for its pairs")
        return _taught(config, config.teacher, folder, device)
    images = load_images(config.data, split="train", data_dir=data_dir, limit=config.limit)
    if len(images) < 2:
        raise InputError(f"{config.data}: one image is too few to train on; give at least two")
    labels = _labels(images, config)
    if config.representation == "pixels":
        return _pixels(images, labels, config)
    encoder = make_encoder(
        images.images.shape[1],
        num_splats=config.splats,
        start=config.start,
        iterations=config.iterations,
        signed=config.signed,
    )
    source = ImageEncoder(images.images, encoder, config.augment, config.seed)
    once = config.encode == "once"
    total = len(images) if once else min(len(images), STATISTICS_IMAGES)
    with tqdm(total=total, desc="encode", unit="image", unit_scale=True) as bar:
        if once:
            encoded = encoder.encode(images.images, progress=bar.update)
        else:
            encoded = source.encode(0, _statistics_sample(len(images), config.seed), bar.update)
    representation = SplatRepresentation.fit(
        encoder,
        encoded.splats,
        per_slot=config.per_slot,
        form=config.latent_form,
        scaling=config.latent_scaling,
    )
    # The copy stays on the CPU when the representation moves.
    transform = copy.deepcopy(representation.latent_transform)
    return TrainingSet(
        latents=StoredLatents(transform.encode(encoded.splats)) if once else LiveLatents(source, transform),
        size=len(images),
        labels=labels,
        num_classes=_num_classes(labels),
        representation=representation,
        psnr=float(encoded.psnr.mean()),
    )


def _pixels(images: ImageSet, labels: Int64[Tensor, " n"] | None, config: TrainConfig) -> TrainingSet:
    _, channels, height, width = images.images.shape
    representation = PixelRepresentation(height, width, channels, config.patch)
    latents = PixelLatents(images.images, config.augment, config.seed, copy.deepcopy(representation))
    return TrainingSet(latents, len(images), labels, _num_classes(labels), representation, psnr=None)


def _taught(config: TrainConfig, name: str, folder: Path, device: str) -> TrainingSet:
    teacher = GaussianDiffusionPipeline.from_pretrained(name)
    if prediction_of(teacher.scheduler) != "flow":
        raise InputError(f"teacher {name}: is no flow model; reflow needs one")
    if teacher.num_classes == 0 and config.teacher_guidance != 1 and config.teacher_weaker is None:
        raise InputError(f"teacher {name}: is unconditional and takes no guidance; leave teacher_guidance at 1")
    if config.render_weight and not isinstance(teacher.representation, SplatRepresentation):
        raise InputError(f"teacher {name}: makes pixels, which have no rendered-image loss; set render_weight to 0")
    weaker = None if config.teacher_weaker is None else GaussianDiffusionPipeline.from_pretrained(config.teacher_weaker)
    set_timesteps(teacher.scheduler, config.teacher_steps)  # refuses impossible steps before any work
    with tqdm(total=config.teacher_pairs, desc="teacher", unit="pair", unit_scale=True) as bar:
        pairs = teacher_pairs(
            teacher.to(device),
            config.teacher_pairs,
            folder,
            steps=config.teacher_steps,
            guidance=config.teacher_guidance,
            guidance_below=config.teacher_guidance_below,
            weaker=None if weaker is None else weaker.to(device),
            precision=config.mixed_precision,
            seed=config.seed,
            progress=bar.update,
        )
    teacher.to("cpu")
    return TrainingSet(
        latents=StoredLatents(pairs.latents),
        size=len(pairs.latents),
        labels=pairs.labels,
        num_classes=teacher.num_classes,
        representation=teacher.representation,
        psnr=None,
        teacher=teacher,
        noise=pairs.noise,
    )


def _num_classes(labels: Int64[Tensor, " n"] | None) -> int:
    return 0 if labels is None else int(labels.max()) + 1


def _labels(images: ImageSet, config: TrainConfig) -> Int64[Tensor, " n"] | None:
    if not config.conditional or images.labels is None:
        return None
    labels = torch.from_numpy(images.labels)
    if int(labels.min()) < 0:
        raise InputError(f"{config.data}: label {int(labels.min())} is negative; number the classes from 0")
    return labels


def _statistics_sample(size: int, seed: int) -> Int64[Tensor, " m"]:
    """Images to measure the latents' statistics on; all, in their order, where there are few."""
    order = torch.randperm(size, generator=generator_for(seed, Stream.STATISTICS))
    return order[:STATISTICS_IMAGES].sort().values
