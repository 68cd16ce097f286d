"""The encoder of a training: how many splats an image gets, and a template that is learned from the images first."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.encoding import FitEncoder, learn_template, make_encoder
from gaussiandiffusion.encoding.encoder import load_template
from gaussiandiffusion.encoding.settings import EncoderSettings, default_settings
from gaussiandiffusion.encoding.template import ROUNDS, grid_template, save_template, template_header
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import Splats
from gaussiandiffusion.training.config import RepresentationConfig, TrainConfig

TEMPLATE_FILE = "template.safetensors"
LEARNED = "template"  # as a start: learned, where template:FILE is given


FACTOR, POWER = {1: 4.1, 3: 7.6, 4: 7.6}, 0.68  # K = factor by channels * side to this power
FEWEST, MOST = 16, 192  # a training's time grows with them


def splats_for(height: int, width: int, channels: int) -> int:
    """K that pictures of a canvas are drawn well enough with to learn from: 40 for 28x28 grey, 80 for 32x32 and 128 for
    64x64 in colour.

    That is some 30 dB for icons, clothes and photographs. It grows less than the side: larger pictures are smoother.
    """
    side = (height * width) ** 0.5
    return max(FEWEST, min(MOST, 8 * round(FACTOR[channels] * side**POWER / 8)))


def training_encoder(images: ImageSet, config: TrainConfig, keep: Path | None = None) -> FitEncoder:
    """The encoder that a configuration names; its template is learned from the images where it says so.

    Args:
        keep: where a learned template is written, and found again by a training of the same images and settings.

    Raises:
        InputError: a template cannot be read, is another canvas's, or cannot be written.
    """
    if config.representation.start != LEARNED:
        return _plain_encoder(images, config)
    settings, seed = _template_settings(images, config), config.optimiser.seed
    template = kept_template(images, config, keep)
    if template is None:
        with tqdm(total=ROUNDS, desc="template", unit="round") as bar:
            template = learn_template(images.images, settings, seed=seed, progress=bar.update)
        if keep is not None:
            save_template(keep, template, settings, images, seed)
    return FitEncoder(settings, template)


def unlearned_encoder(images: ImageSet, config: TrainConfig) -> FitEncoder:
    """The same before anything is learned: it works as long, from a template that is a grid."""
    if config.representation.start != LEARNED:
        return _plain_encoder(images, config)
    settings = _template_settings(images, config)
    return FitEncoder(settings, grid_template(images.images, settings))


def kept_template(images: ImageSet, config: TrainConfig, path: Path | None) -> Splats | None:
    """The template that an earlier run learned from just these images by these settings, if there is one."""
    if path is None:
        return None
    try:
        file = load_template(path)
    except InputError:  # not there, or damaged: it is learned again, and comes out the same
        return None
    expected = template_header(_template_settings(images, config), images, config.optimiser.seed)
    return file.splats if (file.header.encoder, file.header.source) == expected else None


def num_splats(images: ImageSet, settings: RepresentationConfig) -> int | None:
    """K as the settings say or the canvas asks for; None: as many as a template's file holds."""
    if settings.splats is not None or settings.start.startswith("template:"):
        return settings.splats
    _, channels, height, width = images.images.shape
    return splats_for(height, width, channels)


def _plain_encoder(images: ImageSet, config: TrainConfig) -> FitEncoder:
    settings = config.representation
    _, channels, height, width = images.images.shape
    return make_encoder(
        channels,
        num_splats=num_splats(images, settings),
        start=settings.start,
        iterations=settings.iterations,
        signed=settings.signed,
        pixels=height * width,
    )


def _template_settings(images: ImageSet, config: TrainConfig) -> EncoderSettings:
    settings = config.representation
    return default_settings(
        images.images.shape[1],
        num_splats=num_splats(images, settings),
        start="template",
        iterations=settings.iterations,
        signed=settings.signed,
    )
