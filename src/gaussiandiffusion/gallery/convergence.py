"""How a set comes to look like its picture: fits of growing length."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from jaxtyping import UInt8
from numpy import ndarray

from gaussiandiffusion.encoding import FitEncoder
from gaussiandiffusion.encoding.base import Encoded
from gaussiandiffusion.splats import Splats


@dataclass(frozen=True, eq=False)
class Convergence:
    """Sets of pictures after a share of an encoder's iterations.

    Each is a fit of its own, of so many iterations: what `encode --iterations` gives at the same rates.

    Attributes:
        images: 8-bit pixels.
        encoder: with all iterations.
    """

    images: UInt8[ndarray, "n c h w"]
    encoder: FitEncoder
    _fits: dict[int, Encoded] = field(default_factory=dict)

    def iterations(self, time: float) -> int:
        """They grow as the square of time: most happens early."""
        return round(self.encoder.settings.iterations * time**2)

    def fit(self, time: float) -> Encoded:
        """The sets at a time from 0 (the start) to 1."""
        iterations = self.iterations(time)
        if iterations not in self._fits:
            settings = replace(self.encoder.settings, iterations=iterations)
            self._fits[iterations] = FitEncoder(settings, self.encoder.template).encode(self.images)
        return self._fits[iterations]

    def at(self, time: float) -> Splats:
        return self.fit(time).splats

    def caption(self, time: float) -> str:
        """Iterations and mean PSNR."""
        return f"{self.iterations(time)} steps, {float(self.fit(time).psnr.mean()):.1f} dB"
