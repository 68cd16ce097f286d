"""What a device can do at most, as the section `ceilings` measured it, and what that makes of a piece of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.gpu.clock import Clock

# Operations of a splat at a pixel that it reaches, C channels: u = a x + b y, u^2 + v^2, an exponential taken for one,
# C products with the colour and as many sums; and for its gradients C + C more of them, w times a residual, and the
# sums of w, w y and w y^2 as `benchmarks.rendering.peak` counts them. No way of drawing needs fewer.
FORWARD = (4, 2)  # 4 + 2 C
BACKWARD = (7, 4)

BYTES = 4  # of a float32
PRODUCTS = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "bfloat16"}  # dtype: its rate's name


@dataclass(frozen=True)
class Rates:
    """Measured rates.

    Attributes:
        products: operations a second of large matrix products, by "bfloat16", "tf32" and "float32".
        host: those of the processor's float32 products.
        copy: bytes a second, read and written, of a copy on the device.
        upload: bytes a second from pinned memory to the device; None: they share their memory.
        launch: seconds to start a kernel.
    """

    products: dict[str, float]
    host: float
    copy: float
    upload: float | None
    launch: float

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> Rates:
        """From the section's figures by name.

        Raises:
            KeyError: one of those that every device has is missing.
        """
        known = ("bfloat16", "tf32", "float32")
        products = {name: 1e12 * figures[f"{name} product"] for name in known if f"{name} product" in figures}
        upload = figures.get("copy from pinned memory")
        return cls(
            products=products | {"float32": 1e12 * figures["float32 product"]},
            host=1e12 * figures["float32 product, processor"],
            copy=1e9 * figures["copy on the device"],
            upload=None if upload is None else 1e9 * upload,
            launch=1e-6 * figures["launch of a kernel"],
        )

    @classmethod
    def unknown(cls) -> Rates:
        """Before anything is measured."""
        return cls({}, 0.0, 0.0, None, 0.0)

    def of_products(self, name: str) -> float:
        """Operations a second; those of float32 where the device has none of that name, or slower ones."""
        return max(self.products.get(name, 0.0), self.products["float32"])

    def drawing(self, pairs: float, channels: int, gradients: bool = False, *, on_host: bool = False) -> float:
        """Seconds that the arithmetic of so many splat-pixel pairs takes at least."""
        operations = FORWARD[0] + FORWARD[1] * channels
        if gradients:
            operations += BACKWARD[0] + BACKWARD[1] * channels
        return pairs * operations / (self.host if on_host else self.products["float32"])

    def moving(self, numbers: float) -> float:
        """Seconds that reading or writing so many float32 numbers once takes at least."""
        return BYTES * numbers / self.copy


def products_name(dtype: torch.dtype) -> str:
    """The rate that products of a dtype are held against."""
    name = PRODUCTS[dtype]
    narrowed = torch.get_float32_matmul_precision() != "highest" and torch.cuda.is_available()
    return "tf32" if name == "float32" and narrowed else name


def convolutions_name(network: nn.Module, name: str, clock: Clock) -> str:
    """The same for a network whose convolutions cuDNN may narrow where matrix products are not."""
    convolves = any(isinstance(module, nn.Conv2d) for module in network.modules())
    return "tf32" if name == "float32" and convolves and clock.cuda and torch.backends.cudnn.allow_tf32 else name
