"""`Encoder`: images to splat sets, batched and deterministic; and `encode`, the same in one call."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from gaussiandiffusion.encoding.settings import EncoderSettings, default_settings
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.rendering.threads import worker_pool
from gaussiandiffusion.rendering.tiles import WHOLE
from gaussiandiffusion.splats import Canvas, SplatFile, Splats
from gaussiandiffusion.splats import storage as splat_storage

BLOCK = 64  # images a thread fits before it reports progress
LONGER = 8  # factor by which images that missed the target PSNR are fitted longer, round after round
ROUNDS = 3


@dataclass(frozen=True)
class Encoded:
    """Sets with the PSNR (dB) of each, drawn without cut-off against the 8-bit image."""

    splats: Splats
    psnr: Float[Tensor, " n"]


class Encoder:
    """Fits splat sets to images.

    Args:
        settings: start and optimiser.
        template: a batch of one set, the shared start; needed exactly when `settings.start` is "template".

    Raises:
        InputError: a template is missing, superfluous, or has another K than the settings.
    """

    def __init__(self, settings: EncoderSettings, template: Splats | None = None) -> None:
        if (settings.start == "template") != (template is not None):
            raise InputError("a template is needed for the start 'template', and for no other; give template:FILE")
        if template is not None and (len(template), template.num_splats) != (1, settings.num_splats):
            raise InputError(
                f"the template holds {len(template)} set(s) of {template.num_splats} splats, but one of "
                f"{settings.num_splats} is needed; learn a template for K = {settings.num_splats}"
            )
        self.settings = settings
        self.template = template

    def header(self) -> dict[str, Any]:
        """Settings and template checksum, as recorded in splat files."""
        template = None if self.template is None else template_sha256(self.template)
        return {**self.settings.to_dict(), "template_sha256": template}

    def encode(
        self,
        images: UInt8[ndarray, "n c h w"],
        *,
        target_psnr: float | None = None,
        threads: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Encoded:
        """Fit one set to every image.

        Args:
            images: 8-bit pixels.
            target_psnr: stop each image at this PSNR (dB); those that miss it are fitted again, longer.
            threads: default: torch's number of threads. The result does not depend on it.
            progress: called with the number of images finished since the last call.

        Raises:
            InputError: not 8-bit (N, C, H, W), or of another canvas than the template.
        """
        canvas = self._check(images)
        parameters, errors = self._fit(images, self.settings, target_psnr, threads, progress)
        if target_psnr is not None:
            longer = self.settings
            for _ in range(ROUNDS - 1):
                missed = np.flatnonzero(_psnr(errors) < target_psnr - 0.05)
                if not len(missed):
                    break
                longer = replace(longer, iterations=longer.iterations * LONGER, lr_end=min(longer.lr_end, 0.03))
                again, error = self._fit(images[missed], longer, target_psnr, threads, None)
                better = error < errors[missed]
                parameters[missed[better]], errors[missed[better]] = again[better], error[better]
        return Encoded(to_splats(parameters, canvas), torch.from_numpy(_psnr(errors)))

    def _fit(
        self,
        images: ndarray,
        settings: EncoderSettings,
        target_psnr: float | None,
        threads: int | None,
        progress: Callable[[int], None] | None,
    ) -> tuple[ndarray, ndarray]:
        # Compiled code is loaded only when something is fitted.
        from gaussiandiffusion.encoding.fit import fit_range
        from gaussiandiffusion.encoding.large import fit_large
        from gaussiandiffusion.encoding.starts import start_parameters

        shared = None if self.template is None else to_parameters(self.template)
        rates = [settings.lr_mean] * 2 + [settings.lr_scale, settings.lr_shear, settings.lr_scale]
        rates += [settings.lr_color] * images.shape[1]
        fixed = (
            np.array(rates, np.float32), settings.beta1, settings.beta2, settings.epsilon, settings.lr_end,
            settings.iterations, np.float32(settings.cutoff), settings.signed,
            -1.0 if target_psnr is None else 10 ** (-target_psnr / 10),
        )  # fmt: skip
        shape = (len(images), settings.num_splats, 5 + images.shape[1])
        parameters, errors = np.empty(shape, np.float32), np.empty(len(images))

        def fit_block(start: int) -> int:
            block = slice(start, min(start + BLOCK, len(images)))
            part = np.ascontiguousarray(images[block])
            parameters[block] = start_parameters(part, settings) if shared is None else shared
            fit_range(part, parameters[block], *fixed, errors[block])
            return len(part)

        with worker_pool(threads) as pool:
            if max(images.shape[2:]) > WHOLE:
                for i, image in enumerate(images):
                    parameters[i] = start_parameters(images[i : i + 1], settings)[0] if shared is None else shared[0]
                    errors[i] = fit_large(image, parameters[i], *fixed, pool)
                    if progress is not None:
                        progress(1)
            else:
                for finished in pool.map(fit_block, range(0, len(images), BLOCK)):
                    if progress is not None:
                        progress(finished)
            if shared is not None:
                send_home(parameters, shared[0])
        return parameters, errors

    def _check(self, images: ndarray) -> Canvas:
        if images.ndim != 4 or images.dtype != np.uint8:
            raise InputError(f"images must be uint8 of shape (N, C, H, W), not {images.dtype} {images.shape}")
        canvas = Canvas(images.shape[2], images.shape[3], images.shape[1])
        if self.template is not None and self.template.canvas != canvas:
            raise InputError(f"the template was learned for {self.template.canvas}; these images are {canvas}")
        return canvas


def encode(
    images: Any,
    num_splats: int | None = None,
    *,
    start: str = "hilbert",
    iterations: int | None = None,
    signed: bool = False,
    target_psnr: float | None = None,
) -> Splats:
    """Encode images as splat sets.

    Args:
        images: tensor or array (N, C, H, W) in [0, 1] or uint8; a path, a PIL image, or a sequence of either.
        num_splats: K; default 70 for grey images, 150 for colour.
        start: "hilbert", "grid" or "template:FILE".
        iterations, signed, target_psnr: see `EncoderSettings` and `Encoder.encode`.

    Raises:
        InputError: images that cannot be read or have different sizes.
    """
    pixels = to_uint8(images)
    encoder = make_encoder(pixels.shape[1], num_splats=num_splats, start=start, iterations=iterations, signed=signed)
    return encoder.encode(pixels, target_psnr=target_psnr).splats


def make_encoder(
    channels: int,
    *,
    num_splats: int | None = None,
    start: str = "hilbert",
    iterations: int | None = None,
    signed: bool = False,
) -> Encoder:
    """The encoder that a start's name, as the command line takes it, and the tuned settings make."""
    template = None
    if start == "template" or start.startswith("template:"):
        path = start.partition(":")[2]
        if not path:
            raise InputError("the start 'template' needs its file: template:FILE (see --learn-template)")
        file = load_template(path)
        template, start = file.splats, "template"
        signed = signed or bool(file.header.get("signed"))
        num_splats = template.num_splats if num_splats is None else num_splats
    settings = default_settings(channels, num_splats=num_splats, start=start, iterations=iterations, signed=signed)
    return Encoder(settings, template)


def load_template(path: str | os.PathLike[str]) -> SplatFile:
    """Read a template file: a splat file that holds exactly one set."""
    file = splat_storage.load(path)
    if len(file.splats) != 1:
        raise InputError(f"{path}: a template holds one set, this file {len(file.splats)}; see --learn-template")
    return file


def template_sha256(template: Splats) -> str:
    """SHA-256 of a template's parameters."""
    digest = hashlib.sha256()
    for name, value in sorted(template.tensors().items()):
        digest.update(name.encode() + value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def to_uint8(images: Any) -> UInt8[ndarray, "n c h w"]:
    """Bring images in any of the accepted forms to 8-bit (N, C, H, W)."""
    if isinstance(images, str | os.PathLike):
        from gaussiandiffusion.data import load_images

        return load_images(Path(images)).images
    if isinstance(images, Sequence):
        parts = [to_uint8(image) for image in images]
        if not parts:
            raise InputError("no images given; pass at least one")
        if len({part.shape[1:] for part in parts}) > 1:
            shapes = ", ".join(str(part.shape[1:]) for part in parts[:4])
            raise InputError(f"images of different sizes or modes cannot be encoded together: {shapes}")
        return np.concatenate(parts)
    if hasattr(images, "getbands"):  # PIL
        from gaussiandiffusion.data.pictures import to_pixels

        return to_pixels(images, "the PIL image")[None]
    if isinstance(images, Tensor):
        images = images.detach().cpu()
        images = images.float() if images.is_floating_point() else images  # NumPy has no bfloat16
    pixels = np.asarray(images)
    if pixels.ndim != 4:
        raise InputError(f"images must have shape (N, C, H, W), not {pixels.shape}")
    if pixels.dtype == np.uint8:
        return pixels
    if not np.isfinite(pixels).all() or pixels.min(initial=0) < 0 or pixels.max(initial=0) > 1:
        raise InputError("float images must be finite and lie in [0, 1]; divide 8-bit values by 255")
    return np.rint(pixels * 255).astype(np.uint8)


def to_splats(parameters: Float[ndarray, "n k f"], canvas: Canvas) -> Splats:
    """Fit parameters (pixels) to splats (canvas units)."""
    values = torch.from_numpy(parameters)
    scale = canvas.pixels_per_unit
    half = torch.tensor([canvas.width - 1, canvas.height - 1]) / 2
    a, b, d = values[..., 2].exp(), values[..., 3], values[..., 4].exp()
    factors = torch.stack([a, b, d], -1) * scale
    return Splats.from_precision_factors((values[..., :2] - half) / scale, factors, values[..., 5:], canvas)


def to_parameters(splats: Splats) -> Float[ndarray, "n k f"]:
    """Inverse of `to_splats`."""
    canvas = splats.canvas
    scale = canvas.pixels_per_unit
    half = torch.tensor([canvas.width - 1, canvas.height - 1]) / 2
    a, b, d = (splats.precision_factors / scale).unbind(-1)
    columns = [
        splats.means * scale + half,
        a.log()[..., None],
        b[..., None],
        d.log()[..., None],
        splats.colors,
    ]
    return torch.cat(columns, -1).float().numpy()


def send_home(parameters: Float[ndarray, "n k f"], template: Float[ndarray, "k f"]) -> None:
    """Put splats without any colour back where the template has them, in place.

    They draw nothing wherever they are, and where the fit happened to leave them says nothing of the image.
    """
    unlit = (parameters[..., 5:] == 0).all(-1)  # (n, k)
    parameters[..., :5] = np.where(unlit[..., None], template[:, :5], parameters[..., :5])


def _psnr(errors: ndarray) -> ndarray:
    return (-10 * np.log10(np.maximum(errors, 1e-10))).astype(np.float32)
