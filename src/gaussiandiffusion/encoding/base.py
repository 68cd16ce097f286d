"""What an encoder is, whether it fits its sets or predicts them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.splats import Splats


@dataclass(frozen=True)
class Encoded:
    """Sets with the PSNR (dB) of each, drawn without cut-off against the 8-bit image."""

    splats: Splats
    psnr: Float[Tensor, " n"]


@runtime_checkable
class Encoder(Protocol):
    """Images to splat sets: the same image always becomes the same set."""

    @property
    def num_splats(self) -> int:
        """K."""

    @property
    def signed(self) -> bool:
        """Whether colours may be negative."""

    @property
    def template(self) -> Splats | None:
        """The start that all sets share, a batch of one; None where they share none."""

    def header(self) -> dict[str, Any]:
        """All that decides which sets it makes, as recorded in splat files."""

    def encode(
        self,
        images: UInt8[ndarray, "n c h w"],
        *,
        target_psnr: float | None = None,
        threads: int | None = None,
        device: torch.device | str = "cpu",
        progress: Callable[[int], None] | None = None,
    ) -> Encoded:
        """One set for every image.

        Args:
            images: 8-bit pixels.
            target_psnr: PSNR (dB) at which an image is good enough.
            threads: default: torch's number of threads. The result does not depend on it.
            device: where to compute.
            progress: called with the number of images finished since the last call.

        Raises:
            InputError: not 8-bit (N, C, H, W), or of a canvas that it was not made for.
        """
