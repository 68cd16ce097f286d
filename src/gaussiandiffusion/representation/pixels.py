"""`PixelRepresentation`: the same seam for pixels, whole or in patches, so that baselines share all other code."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from gaussiandiffusion.ground.component import Component, configured
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.representation.base import Kind, hinge_distance
from gaussiandiffusion.splats import Canvas, Splats


class PixelRepresentation(Component):
    """Images <-> latents that are the pixels themselves, scaled to [-1, 1].

    Args:
        height, width, channels: the canvas.
        patch: 0 for latents [C, H, W]; P for a set of H/P * W/P tokens of C * P * P numbers, each with the place
            of its patch as anchor, as a transformer takes them (Peebles and Xie, "DiT", 2023).

    Raises:
        InputError: patches that do not tile the canvas.
    """

    @configured
    def __init__(self, height: int, width: int, channels: int = 1, patch: int = 0) -> None:
        super().__init__()
        Canvas(height, width, channels)  # refuses what is none
        if patch < 0 or (patch and (height % patch or width % patch)):
            raise InputError(f"patches of {patch} pixels do not tile images of {height}x{width}")
        # A component has the device and dtype of its tensors, so there must be one.
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(2.0))

    @property
    def kind(self) -> Kind:
        return "pixels"

    @property
    def canvas(self) -> Canvas:
        return Canvas(self.config.height, self.config.width, self.config.channels)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """(C, H, W), or (K, F) with patches."""
        height, width, channels, patch = (self.config[name] for name in ("height", "width", "channels", "patch"))
        if not patch:
            return channels, height, width
        return (height // patch) * (width // patch), channels * patch * patch

    @property
    def latent_parts(self) -> dict[str, slice]:
        """Nothing but pixels."""
        return {"pixels": slice(None)}

    @property
    def bounded(self) -> bool:
        """Pixels lie in [-1, 1]."""
        return True

    @property
    def anchors(self) -> Float[Tensor, "k 2"] | None:
        """Standardised centres (x, y) of the patches; None without patches."""
        patch = self.config.patch
        if not patch:
            return None
        canvas = self.canvas
        rows, columns = (torch.arange(n // patch, device=self.scale.device) for n in (canvas.height, canvas.width))
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        centres = torch.stack([x, y], -1).flatten(0, 1).float()
        if len(centres) == 1:
            return centres  # at the origin, and with no spread to divide by
        return (centres - centres.mean(0)) / centres.std(0).clamp_min(1e-6)

    def to_latent(self, images: UInt8[ndarray, "n c h w"]) -> Float[Tensor, "n ..."]:
        """Latents of 8-bit images."""
        latents = torch.from_numpy(images).to(self.scale.device).float() / 255 * self.scale - 1
        return F.pixel_unshuffle(latents, self.config.patch).flatten(2).mT if self.config.patch else latents

    def from_latent(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n c h w"]:
        """Images in [0, 1]."""
        return self._unclamped(latent).clamp(0, 1)

    def _unclamped(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n c h w"]:
        patch, canvas = self.config.patch, self.canvas
        if patch:
            maps = latent.mT.unflatten(2, (canvas.height // patch, canvas.width // patch))
            latent = F.pixel_shuffle(maps, patch)
        return (latent + 1) / self.scale

    def draw(
        self, images: Float[Tensor, "n c h w"], size: int | tuple[int, int] | None = None
    ) -> Float[Tensor, "n c height width"]:
        """The images, or bicubic enlargements of them: pixels have no more to show."""
        if size is None:
            return images
        canvas = self.canvas.resized(size)
        return F.interpolate(images, (canvas.height, canvas.width), mode="bicubic", antialias=True).clamp(0, 1)

    def join(self, parts: list[Tensor]) -> Tensor:
        return torch.cat(parts)

    def part(self, shown: Tensor, index: slice) -> Tensor:
        return shown[index]

    def splats_of(self, shown: Tensor) -> Splats | None:
        return None

    @torch.no_grad()
    def pictures(self, latent: Float[Tensor, "n ..."]) -> Float[Tensor, "n c h w"]:
        return self.from_latent(latent)

    def picture_loss(
        self, latent: Float[Tensor, "n ..."], goal: Float[Tensor, "n c h w"], weights: Float[Tensor, " n"] | None = None
    ) -> Float[Tensor, ""]:
        """Hinge distance of the images."""
        return hinge_distance(self._unclamped(latent), goal, weights)

    def reconstruct(self, images: UInt8[ndarray, "n c h w"]) -> UInt8[ndarray, "n c h w"]:
        """What is left of images: all of them."""
        return images

    def describe(self) -> dict[str, Any]:
        """What results say of it."""
        return {"kind": self.kind, "patch": self.config.patch, "latent_shape": list(self.latent_shape)}
