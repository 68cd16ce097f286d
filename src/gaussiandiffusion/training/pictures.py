"""The training pictures themselves, as every epoch has them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.data.augment import augment
from gaussiandiffusion.data.augmentation import Augmentation
from gaussiandiffusion.ground.images import premultiplied


@dataclass(frozen=True)
class Pictures:
    """Training images by number; of other pixels in every epoch, if they are augmented."""

    images: UInt8[ndarray, "n c h w"]
    augmentation: Augmentation
    seed: int

    def take(self, epoch: int, indices: Int64[Tensor, " b"]) -> UInt8[ndarray, "b c h w"]:
        """Some as they look in an epoch."""
        return augment(self.images[indices.numpy()], self.augmentation, self.seed, epoch, indices)

    def goals(self, epoch: int, indices: Int64[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
        """The same as a drawing is compared with them: in [0, 1], and colours times alpha where there is one."""
        return torch.from_numpy(premultiplied(self.take(epoch, indices))).float() / 255
