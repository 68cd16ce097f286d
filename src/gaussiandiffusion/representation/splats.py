"""`SplatRepresentation`: the seam between images and the tensor a network sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.encoding import EncoderSettings, FitEncoder
from gaussiandiffusion.ground.component import Component, configured
from gaussiandiffusion.ground.images import to_uint8
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.rendering import FOOTPRINT, Backend, accumulate, kernel_takes, render
from gaussiandiffusion.rendering.grid import to_picture
from gaussiandiffusion.representation.base import Kind, hinge_distance
from gaussiandiffusion.representation.features import GEOMETRY_FEATURES, Form, to_features
from gaussiandiffusion.representation.latent import LatentTransform, Scaling
from gaussiandiffusion.splats import Canvas, Splats
from gaussiandiffusion.splats.splats import Output

SMALL = 2**16  # splat-pixel pairs of a set that are drawn before the kernel would have been loaded


class SplatRepresentation(Component):
    """Images <-> latents by way of splat sets: encoder, template, latent statistics and renderer in one.

    Args:
        height, width, channels: the canvas.
        encoder: `EncoderSettings` as a dict.
        per_slot: statistics and anchors per slot; for canonical sets.
        form, scaling: of the latent, see `LatentTransform`.
        output: how sums become pixels; None: as the canvas has it, see `Splats`.

    Buffers hold the template, when the encoder starts from one, and the latent statistics; they are saved and
    loaded like any model's weights.
    """

    @configured
    def __init__(
        self,
        height: int,
        width: int,
        channels: int = 1,
        encoder: dict[str, Any] | None = None,
        per_slot: bool = True,
        form: Form = "log_covariance",
        scaling: Scaling = "standard",
        output: Output | None = None,
    ) -> None:
        super().__init__()
        self.settings = to_record(encoder or {}, EncoderSettings, "encoder")
        k = self.settings.num_splats
        self.latent_transform = LatentTransform(
            height, width, channels, k if per_slot else 0, self.settings.signed, form, scaling
        )
        if self.settings.start == "template":
            self.register_buffer("template_means", torch.zeros(k, 2))
            self.register_buffer("template_sigmas", torch.ones(k, 2))
            self.register_buffer("template_rhos", torch.zeros(k))
            self.register_buffer("template_colors", torch.zeros(k, channels))

    @classmethod
    def fit(
        cls,
        encoder: FitEncoder,
        splats: Splats,
        *,
        per_slot: bool = True,
        form: Form = "log_covariance",
        scaling: Scaling = "standard",
    ) -> SplatRepresentation:
        """The representation of a data set: its encoder, and the statistics of its encoded training sets."""
        canvas = splats.canvas
        settings = encoder.settings
        usual = "straight" if canvas.channels == 4 else "clamp"
        output = None if splats.output == usual else splats.output
        self = cls(canvas.height, canvas.width, canvas.channels, settings.to_dict(), per_slot, form, scaling, output)
        self.latent_transform = LatentTransform.fit(
            splats, per_slot=per_slot, signed=settings.signed, form=form, scaling=scaling
        )
        if encoder.template is not None:
            for name, value in encoder.template.tensors().items():
                if name != "background":
                    getattr(self, f"template_{name}").copy_(value[0])
        return self

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> SplatRepresentation:
        """Go to another device, but stay in float32: in half the bits places would be told to three digits."""
        return super()._apply(lambda tensor: tensor.to(fn(tensor.new_empty(0)).device), recurse)

    @property
    def kind(self) -> Kind:
        return "splats"

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.config.height, self.config.width, self.config.channels)

    @property
    def latent_shape(self) -> tuple[int, int]:
        """(K, F) of one latent."""
        return self.settings.num_splats, self.latent_transform.num_features

    @property
    def latent_parts(self) -> dict[str, slice]:
        """Features of a splat: its place, three numbers of its covariance, its colour."""
        return {
            "means": slice(2),
            "covariances": slice(2, GEOMETRY_FEATURES),
            "colours": slice(GEOMETRY_FEATURES, None),
        }

    @property
    def bounded(self) -> bool:
        """Whether the training sets' latents lie in [-1, 1]."""
        return self.latent_transform.bounded

    @property
    def template(self) -> Splats | None:
        """The shared start, a batch of one set."""
        if self.settings.start != "template":
            return None
        names = ("means", "sigmas", "rhos", "colors")
        means, sigmas, rhos, colors = (getattr(self, f"template_{name}")[None] for name in names)
        return Splats(means, sigmas, rhos, colors, self.canvas)

    @property
    def anchors(self) -> Float[Tensor, "k a"] | None:
        """Standardised features of each slot's anchor: the template's splat, or without one the slot's mean."""
        if not self.config.per_slot:
            return None
        template = self.template
        features = self.latent_transform.mean if template is None else to_features(template, self.config.form)[0]
        return (features - features.mean(0)) / features.std(0).clamp_min(1e-6)

    def encoder(self) -> FitEncoder:
        """What makes this representation's sets of images."""
        template = self.template
        return FitEncoder(self.settings, None if template is None else template.to("cpu"))

    def to_latent(self, images: UInt8[ndarray, "n c h w"]) -> Float[Tensor, "n k f"]:
        """Latents of 8-bit images, by way of their sets."""
        return self.latent_transform.to_latent(self.encoder().encode(images).splats.to(self.device))

    def from_latent(self, latent: Float[Tensor, "n k f"]) -> Splats:
        splats = self.latent_transform.from_latent(latent)
        return splats if self.config.output is None else replace(splats, output=self.config.output)

    def draw(self, splats: Splats, size: int | tuple[int, int] | None = None) -> Float[Tensor, "n c h w"]:
        """Pictures in [0, 1]; by which renderer goes by the size of one set, so that their number changes no bit."""
        canvas = splats.canvas.resized(size)
        if splats.num_splats * canvas.height * canvas.width <= SMALL:
            return render(splats, size, backend="reference")
        return render(splats, size, backend="cpu" if kernel_takes(splats) else "auto")

    def join(self, parts: list[Splats]) -> Splats:
        return Splats.cat(parts)

    def part(self, shown: Splats, index: slice) -> Splats:
        return shown[index]

    def splats_of(self, shown: Splats) -> Splats | None:
        return shown

    @torch.no_grad()
    def pictures(self, latent: Float[Tensor, "n k f"]) -> Float[Tensor, "n c h w"]:
        return self._sums(latent).clamp(0, 1)

    def picture_loss(
        self, latent: Float[Tensor, "n k f"], goal: Float[Tensor, "n c h w"], weights: Float[Tensor, " n"] | None = None
    ) -> Float[Tensor, ""]:
        """Hinge distance of the sets' pictures, drawn by their footprints."""
        return hinge_distance(self._sums(latent), goal, weights)

    def _sums(self, latent: Float[Tensor, "n k f"]) -> Float[Tensor, "n c h w"]:
        """Pictures before they are clamped; soft ones need no clamp."""
        backend: Backend = "cpu" if latent.device.type == "cpu" else "reference"
        sums = accumulate(self.from_latent(latent), cutoff=FOOTPRINT, backend=backend)
        return to_picture(sums, "soft") if self.config.output == "soft" else sums

    def reconstruct(self, images: UInt8[ndarray, "n c h w"]) -> UInt8[ndarray, "n c h w"]:
        """What is left of images that were encoded and drawn."""
        return to_uint8(render(self.encoder().encode(images).splats, backend="cpu")).numpy()

    def describe(self) -> dict[str, Any]:
        """What results say of it."""
        start, signed = self.settings.start, self.settings.signed
        return {"kind": self.kind, "start": start, "signed": signed, "latent_shape": list(self.latent_shape)}
