"""`Splats`: immutable batches of 2D Gaussian splat sets, and their pure geometry."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any, Literal, SupportsIndex, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.splats import color
from gaussiandiffusion.splats.arrays import AsArrays
from gaussiandiffusion.splats.canvas import Canvas
from gaussiandiffusion.splats.display import Displayed
from gaussiandiffusion.splats.geometry import centroid, finite, mapped

Blending = Literal["sum", "alpha"]
Output = Literal["clamp", "soft", "straight"]


@dataclass(frozen=True, eq=False, repr=False)
class Splats(Displayed, AsArrays):
    """N sets of K anisotropic 2D Gaussian splats on one canvas.

    Args:
        means: centres (x, y) in canvas units (see `Canvas`).
        sigmas: standard deviations along x and y in canvas units, > 0.
        rhos: correlation of x and y, in (-1, 1).
        colors: C channels per splat, finite; >= 0 unless fitted with signed colours; may exceed 1.
        canvas: height, width and channels of the picture.
        opacities: optional factor of each splat in [0, 1]; under "sum" redundant with the colour.
        background: colour under the splats; zeros when not given.
        blending: "sum" (order-free) or "alpha" (front to back in index order).
        output: map from the sum to a pixel: "clamp" to [0, 1]; "soft", 1 - exp(-max(0, x)); or "straight", for RGBA:
            "clamp", then the colours divided by alpha. There the sets' colours are premultiplied, so that what is
            transparent has no colour to be learned, and pictures are as PNG files have them. When not given:
            "straight" for four channels, else "clamp".

    Raises:
        InputError: shapes that do not belong together, or an unknown blending or output.
    """

    means: Float[Tensor, "n k 2"]
    sigmas: Float[Tensor, "n k 2"]
    rhos: Float[Tensor, "n k"]
    colors: Float[Tensor, "n k c"]
    canvas: Canvas
    opacities: Float[Tensor, "n k"] | None = None
    background: Float[Tensor, "n c"] = None  # type: ignore[assignment]  # zeros when not given
    blending: Blending = "sum"
    output: Output = None  # type: ignore[assignment]  # by the canvas when not given

    def __post_init__(self) -> None:
        if self.output is None:
            object.__setattr__(self, "output", "straight" if self.canvas.channels == 4 else "clamp")
        if self.means.ndim != 3 or self.means.shape[-1] != 2:
            raise InputError(f"means must have shape (N, K, 2), not {tuple(self.means.shape)}")
        n, k = self.means.shape[:2]
        if self.background is None:
            object.__setattr__(self, "background", self.colors.new_zeros(n, self.canvas.channels))
        expected = {
            "sigmas": (n, k, 2),
            "rhos": (n, k),
            "colors": (n, k, self.canvas.channels),
            "background": (n, self.canvas.channels),
        }
        if self.opacities is not None:
            expected["opacities"] = (n, k)
        for name, shape in expected.items():
            if tuple(getattr(self, name).shape) != shape:
                raise InputError(f"{name} must have shape {shape}, not {tuple(getattr(self, name).shape)}")
        for name, value, known in (("blending", self.blending, Blending), ("output", self.output, Output)):
            if value not in get_args(known):
                raise InputError(f"unknown {name} {value!r}; choose {' or '.join(get_args(known))}")
        if self.output == "straight" and self.canvas.channels != 4:
            raise InputError(f"output 'straight' is for RGBA, not for {self.canvas.channels} channels; take clamp")

    # --- views -------------------------------------------------------------------------------------------
    def __len__(self) -> int:
        return self.means.shape[0]

    @property
    def num_splats(self) -> int:
        return self.means.shape[1]

    @property
    def device(self) -> torch.device:
        return self.means.device

    def tensors(self) -> dict[str, Any]:
        """The parameter tensors by name; `opacities` only where there are any."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}

    def __getitem__(self, index: SupportsIndex | slice | Sequence[int] | Tensor) -> Splats:
        """Some of the sets, still batched: `splats[3]` is a batch of one."""
        if isinstance(index, Integral):  # NumPy's too
            index = int(index)
            if not -len(self) <= index < len(self):
                raise IndexError(f"set {index} of {len(self)}")  # ends iteration over the sets
            index = [index]
        return replace(self, **{name: value[index] for name, value in self.tensors().items()})

    def to(self, *args: Any, **kwargs: Any) -> Splats:
        """The same sets on another device or in another dtype (`torch.Tensor.to`)."""
        return replace(self, **{name: value.to(*args, **kwargs) for name, value in self.tensors().items()})

    def detach(self) -> Splats:
        return replace(self, **{name: value.detach() for name, value in self.tensors().items()})

    @property
    def covariances(self) -> Float[Tensor, "n k 2 2"]:
        xx, yy = self.sigmas.square().unbind(-1)
        xy = self.rhos * self.sigmas.prod(-1)
        return torch.stack([xx, xy, xy, yy], -1).unflatten(-1, (2, 2))

    @property
    def precision_factors(self) -> Float[Tensor, "n k 3"]:
        """(a, b, d) of the upper-triangular factor A = [[a, b], [0, d]] with inverse covariance A^T A."""
        sigma_x, sigma_y = self.sigmas.unbind(-1)
        root = ((1 - self.rhos) * (1 + self.rhos)).sqrt()  # (1-r)(1+r) keeps digits that 1-r^2 loses near 1
        return torch.stack([1 / (sigma_x * root), -self.rhos / (sigma_y * root), 1 / sigma_y], -1)

    # --- construction ------------------------------------------------------------------------------------
    @classmethod
    def from_precision_factors(
        cls,
        means: Float[Tensor, "n k 2"],
        factors: Float[Tensor, "n k 3"],
        colors: Float[Tensor, "n k c"],
        canvas: Canvas,
        **kwargs: Any,
    ) -> Splats:
        """Inverse of `precision_factors`; a, d > 0."""
        a, b, d = factors.unbind(-1)
        slope = -b / d  # rho / sqrt(1 - rho^2)
        stretch = (1 + slope.square()).sqrt()
        sigmas = torch.stack([stretch / a, 1 / d], -1)
        return cls(means, sigmas, slope / stretch, colors, canvas, **kwargs)

    @classmethod
    def cat(cls, sets: Sequence[Splats]) -> Splats:
        """Stack batches along N; they must share K, canvas and drawing rules."""
        first = sets[0]
        for other in sets[1:]:
            same = (other.canvas, other.num_splats, other.blending, other.output, other.opacities is None)
            if same != (first.canvas, first.num_splats, first.blending, first.output, first.opacities is None):
                raise InputError(
                    "splat sets of different canvas, K, blending or output cannot be stacked, "
                    "nor sets with opacities on sets without"
                )
        names = first.tensors()
        stacked: dict[str, Any] = {name: torch.cat([s.tensors()[name] for s in sets]) for name in names}
        return replace(first, **stacked)

    def validate(self, what: str = "splats") -> Splats:
        """Return self if every value is in its range; for data that comes from outside.

        Raises:
            InputError: non-finite values, sigmas <= 0, |rho| >= 1, or opacities outside [0, 1].
        """
        for name, value in self.tensors().items():
            if not bool(torch.isfinite(value).all()):
                at = int((~torch.isfinite(value)).nonzero()[0, 0])
                raise InputError(f"{what}: {name} of set {at} hold NaN or infinity; encode that image again")
        if self.num_splats == 0:
            raise InputError(f"{what}: the sets hold no splats (K = 0)")
        if not bool((self.sigmas > 0).all()):
            raise InputError(f"{what}: sigmas must be > 0")
        if not bool((self.rhos.abs() < 1).all()):
            raise InputError(f"{what}: rhos must lie between -1 and 1")
        if self.opacities is not None and not bool(((self.opacities >= 0) & (self.opacities <= 1)).all()):
            raise InputError(f"{what}: opacities must lie in [0, 1]")
        return self

    # --- geometry: pure, each returns new Splats ------------------------------------------------------------
    def affine(
        self,
        matrix: Float[Tensor, "2 2"],
        offset: Float[Tensor, " 2"] | None = None,
        *,
        about: tuple[float, float] | None = None,
        where: Bool[Tensor, "n k"] | None = None,
    ) -> Splats:
        """Map every selected splat by p -> matrix (p - centre) + centre + offset, covariance included.

        Args:
            matrix: linear part, invertible.
            offset: translation in canvas units.
            about: centre (x, y); default: the centroid of the selected means, set by set.
            where: selection; default: all splats.
        """
        centre = centroid(self.means, where) if about is None else self.means.new_tensor(finite(*about))
        means, sigmas, rhos = mapped(self.means, self.sigmas, self.rhos, matrix.to(self.means), centre)
        means = means if offset is None else means + offset.to(self.means)
        if where is not None:
            means = torch.where(where[..., None], means, self.means)
            sigmas = torch.where(where[..., None], sigmas, self.sigmas)
            rhos = torch.where(where, rhos, self.rhos)
        return replace(self, means=means, sigmas=sigmas, rhos=rhos)

    def translate(self, dx: float, dy: float, *, where: Bool[Tensor, "n k"] | None = None) -> Splats:
        """Move by (dx, dy) in canvas units: right and down."""
        moved = self.means + self.means.new_tensor(finite(dx, dy))
        return replace(self, means=moved if where is None else torch.where(where[..., None], moved, self.means))

    def rotate(
        self,
        degrees: float,
        *,
        about: tuple[float, float] | None = None,
        where: Bool[Tensor, "n k"] | None = None,
    ) -> Splats:
        """Turn clockwise on screen by `degrees` about `about` (default: the selection's centroid)."""
        cos, sin = (function(math.radians(*finite(degrees))) for function in (math.cos, math.sin))
        return self.affine(torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64), about=about, where=where)

    def scale(
        self,
        factor: float | tuple[float, float],
        *,
        about: tuple[float, float] | None = None,
        where: Bool[Tensor, "n k"] | None = None,
    ) -> Splats:
        """Enlarge by `factor` (one, or one each for x and y; negative mirrors) about `about`."""
        factors = (factor, factor) if isinstance(factor, int | float) else factor
        if 0 in factors:
            raise InputError("a scale factor of 0 would flatten the splats; use a factor other than 0")
        return self.affine(torch.tensor(finite(*factors), dtype=torch.float64).diag(), about=about, where=where)

    def shear(
        self,
        x: float = 0,
        y: float = 0,
        *,
        about: tuple[float, float] | None = None,
        where: Bool[Tensor, "n k"] | None = None,
    ) -> Splats:
        """Slant: right by `x` for every unit down, and down by `y` for every unit right."""
        x, y = finite(x, y)
        if x * y == 1:
            raise InputError(f"a shear by {x:g} and {y:g} would flatten the splats; use slopes whose product is not 1")
        return self.affine(torch.tensor([[1, x], [y, 1]], dtype=torch.float64), about=about, where=where)

    def flip(
        self,
        axis: Literal["horizontal", "vertical"] = "horizontal",
        *,
        about: tuple[float, float] | None = None,
        where: Bool[Tensor, "n k"] | None = None,
    ) -> Splats:
        """Mirror left and right ("horizontal") or top and bottom: the picture, or a selection about its centroid."""
        factors = {"horizontal": (-1.0, 1.0), "vertical": (1.0, -1.0)}
        if axis not in factors:
            raise InputError(f"unknown axis {axis!r}; choose horizontal or vertical")
        if about is None and where is None:
            about = (0.0, 0.0)
        return self.scale(factors[axis], about=about, where=where)

    def recolor(
        self, hue: float = 0, saturation: float = 1, brightness: float = 1, *, where: Bool[Tensor, "n k"] | None = None
    ) -> Splats:
        """Turn the hue by degrees, multiply saturation (1 at most comes of it) and brightness; amplitudes stay else.

        Raises:
            InputError: hue or saturation of grey or signed colours.
        """
        hue, saturation, brightness = finite(hue, saturation, brightness)
        light = self.colors[..., :3]
        if hue or saturation != 1:
            light = color.recolored(color.colored(light), hue, saturation)
        colors = torch.cat([light * brightness, self.colors[..., 3:]], -1)
        return replace(self, colors=colors if where is None else torch.where(where[..., None], colors, self.colors))

    def select(self, indices: Sequence[int] | Tensor) -> Splats:
        """Only the splats at `indices` (or where a boolean [k] mask holds), in that order, in every set."""
        indices = torch.as_tensor(indices, device=self.device)
        indices = indices.nonzero()[:, 0] if indices.dtype == torch.bool else indices.long()  # [] is float
        per_splat: dict[str, Any] = {n: v[:, indices] for n, v in self.tensors().items() if n != "background"}
        return replace(self, **per_splat)

    # --- files --------------------------------------------------------------------------------------------
    def save(self, path: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write a splat file; see `gaussiandiffusion.splats.storage.save`."""
        from gaussiandiffusion.splats import storage

        storage.save(self, path, **kwargs)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Splats:
        """Read the sets of a file of any kind; `splats.formats.load_sets` also gives its labels and header."""
        from gaussiandiffusion.splats.formats import load_sets

        return load_sets(path).splats
