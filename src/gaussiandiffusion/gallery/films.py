"""The films there are: forward, reverse, terminal, interpolation, convergence; each made of panels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.encoding import EncoderSettings, FitEncoder
from gaussiandiffusion.gallery.convergence import Convergence
from gaussiandiffusion.gallery.film import Film, Panel, Pictures
from gaussiandiffusion.gallery.processes import (
    Noising,
    Trajectory,
    cross_fade,
    interpolation,
    pictures_of,
    pixel_noising,
)
from gaussiandiffusion.gallery.terminal import Distribution
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.rendering.media import GIF_BYTES, save_animation, save_png
from gaussiandiffusion.representation import PixelRepresentation, Representation, SplatRepresentation

STRIP = ".png"


@dataclass(frozen=True)
class Look:
    """How pictures are shown.

    Attributes:
        size: longer side in pixels.
        ellipses: outline every splat.
        pixels: the same process of pixels beside it.
    """

    size: int
    ellipses: bool = False
    pixels: bool = False

    def panel(self, name: str, at: Any, representation: Representation[Any]) -> Pictures:
        """Pictures of what a representation draws; raises InputError for ellipses of pixels."""
        return Pictures(name, at, representation, self.size, self.ellipses and representation.kind == "splats")


def check_ellipses(look: Look, representation: Representation[Any]) -> None:
    """Refuse ellipses of a model that has none; raises InputError."""
    if look.ellipses and representation.kind != "splats":
        raise InputError("a model of pixels has no ellipses; leave --ellipses out, or take a model of splats")


def forward(pipeline: GaussianDiffusion, clean: Float[Tensor, "n ..."], look: Look, seed: int) -> Film:
    """Noise is added to latents along the model's own path.

    Args:
        clean: of N samples.
        seed: of the noise.
    """
    representation = pipeline.representation
    noising = Noising.of(clean, pipeline.scheduler, seed)
    panels: list[Panel] = [
        look.panel(representation.kind, lambda time: representation.from_latent(noising.at(time)), representation)
    ]
    if look.pixels:
        pixels, drawing = pixel_noising(pictures_of(representation, clean), pipeline.scheduler, seed)
        panels.append(look.panel("pixels", lambda time: drawing.from_latent(pixels.at(time)), drawing))
    return Film(panels)


def terminal(pipeline: GaussianDiffusion, clean: Float[Tensor, "n ..."], shown: int, look: Look, seed: int) -> Film:
    """The same, with histograms of the latents beside the standard normal law that they come to.

    Args:
        clean: as many as the histograms are to be made of.
        shown: of them, as pictures.
    """
    noising = Noising.of(clean, pipeline.scheduler, seed)
    return Film(
        [
            *forward(pipeline, clean[:shown], look, seed).panels,
            Distribution(noising.at, pipeline.representation.latent_parts),
        ]
    )


def reverse(way: Trajectory, look: Look, show: str = "noisy", beside: Trajectory | None = None) -> Film:
    """Samples take shape.

    Args:
        show: "noisy" (the samples), "clean" (the network's estimate of what they become) or "both".
        beside: of another model, such as one of pixels, shown at the right.
    """
    panels: list[Panel] = []
    for each in (way, beside):
        if each is None:
            continue
        kind = each.representation.kind
        named = {"noisy": each.noisy, "clean": each.clean}
        for word in ("noisy", "clean") if show == "both" else (show,):
            name = kind if beside is not None and show != "both" else f"{word} {kind}" if beside is not None else word
            panels.append(look.panel(name, each.shown(named[word]), each.representation))
    return Film(panels)


def interpolated(representation: Representation[Any], latent: Float[Tensor, "n ..."], look: Look) -> Film:
    """The first half of some sets become the second half."""
    panels: list[Panel] = [look.panel("splats", interpolation(representation, latent), representation)]
    if look.pixels:
        fading, drawing = cross_fade(pictures_of(representation, latent))
        panels.append(look.panel("pixels", fading, drawing))
    return Film(panels)


def converging(images: UInt8[ndarray, "n c h w"], encoder: FitEncoder, look: Look) -> Film:
    """Pictures are encoded; with pixels, the pictures themselves beside."""
    channels, height, width = images.shape[1:]
    k = encoder.settings.num_splats
    drawing = SplatRepresentation(height, width, channels, EncoderSettings(num_splats=k).to_dict(), per_slot=False)
    fits = Convergence(images, encoder)
    panels: list[Panel] = [look.panel("splats", fits.at, drawing)]
    if look.pixels:
        given = torch.from_numpy(images).float() / 255
        panels.append(look.panel("picture", lambda _: given, PixelRepresentation(height, width, channels)))
    return Film(panels, fits.caption)


def write_film(film: Film, path: Path, times: list[float], fps: float, most: int | None = GIF_BYTES) -> None:
    """Frames at given times as an animation, or with the suffix .png a strip of them.

    Args:
        fps: frames a second; the last is held.
        most: bytes of a GIF, see `save_animation`.

    Raises:
        InputError: another suffix, or what `save_animation` raises.
    """
    if path.suffix.lower() == STRIP:
        save_png(film.strip(times), path)
    else:
        frames = [film.frame(time) for time in times]
        save_animation(frames, path, milliseconds=round(1000 / fps), most=most)
