"""`FitEncoder`: images to splat sets by optimisation, batched and deterministic; and `encode`, the same in one call."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Thread
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray

from gaussiandiffusion.encoding import fit_reference
from gaussiandiffusion.encoding.base import Encoded
from gaussiandiffusion.encoding.inputs import as_pixels
from gaussiandiffusion.encoding.parameters import schedule, send_home, to_parameters, to_splats
from gaussiandiffusion.encoding.settings import EncoderSettings, default_settings, harder
from gaussiandiffusion.encoding.starts import start_parameters
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.images import premultiplied, psnr
from gaussiandiffusion.ground.provenance import weights_sha256
from gaussiandiffusion.ground.records import to_record
from gaussiandiffusion.rendering.cpu.compiler import kernel_available
from gaussiandiffusion.rendering.cpu.threads import worker_pool
from gaussiandiffusion.splats import Canvas, SplatFile, Splats
from gaussiandiffusion.splats import storage as splat_storage

BLOCK = 64  # images a thread fits before it reports progress


class FitEncoder:
    """Fits splat sets to images; an `Encoder`.

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

    @property
    def num_splats(self) -> int:
        return self.settings.num_splats

    @property
    def signed(self) -> bool:
        return self.settings.signed

    def header(self) -> dict[str, Any]:
        """Settings and template checksum, as recorded in splat files."""
        template = None if self.template is None else weights_sha256(self.template.tensors())
        return {**self.settings.to_dict(), "template_sha256": template}

    def encode(
        self,
        images: UInt8[ndarray, "n c h w"],
        *,
        target_psnr: float | None = None,
        threads: int | None = None,
        device: torch.device | str = "cpu",
        progress: Callable[[int], None] | None = None,
    ) -> Encoded:
        """Fit one set to every image.

        Args:
            images: 8-bit pixels; of RGBA only what is seen counts: sets, and errors, are of premultiplied colours.
            target_psnr: stop each image at this PSNR (dB); those that miss it are fitted again, longer, and at last
                from another start, and keep the best they reached.
            threads: default: torch's number of threads. The result does not depend on it.
            device: "cpu" for the fused kernel; any other for the reference, whose sets differ by rounding.
            progress: called with the number of images finished since the last call.

        Raises:
            InputError: not 8-bit (N, C, H, W), or of another canvas than the template.
        """
        canvas = self._check(images)
        images = premultiplied(images)
        run = partial(self._fit, target_psnr=target_psnr, threads=threads, device=device)
        parameters, errors = run(images, self.settings, progress=progress)
        size = canvas.channels, canvas.height * canvas.width
        for settings in [] if target_psnr is None else harder(self.settings, *size):
            missed = np.flatnonzero(psnr(errors) < target_psnr)
            if not len(missed):
                break
            again, error = run(images[missed], settings)
            better = error < errors[missed]
            parameters[missed[better]], errors[missed[better]] = again[better], error[better]
        return Encoded(to_splats(parameters, canvas), torch.from_numpy(psnr(errors).astype(np.float32)))

    def refit(self, images: UInt8[ndarray, "n c h w"], start: Splats, *, threads: int | None = None) -> Encoded:
        """Fit one set to every image, each beginning at a set of its own.

        Args:
            images: 8-bit pixels, as `encode` takes them.
            start: a set for each image, of the settings' K.
            threads: as in `encode`.

        Raises:
            InputError: as `encode`.
        """
        canvas = self._check(images)
        begun = to_parameters(start)
        run = partial(self._fit, target_psnr=None, threads=threads, device="cpu", start=begun)
        parameters, errors = run(premultiplied(images), self.settings)
        return Encoded(to_splats(parameters, canvas), torch.from_numpy(psnr(errors).astype(np.float32)))

    def _fit(
        self,
        images: ndarray,
        settings: EncoderSettings,
        *,
        target_psnr: float | None,
        threads: int | None,
        device: torch.device | str,
        start: ndarray | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> tuple[ndarray, ndarray]:
        """Parameters (N, K, 5 + C) and mean squared errors (N,) of one pass."""
        canvas = Canvas(images.shape[2], images.shape[3], images.shape[1])
        plan = schedule(settings, canvas, target_psnr)
        parameters = np.empty((len(images), settings.num_splats, len(plan.rates)), np.float32)
        errors = np.empty(len(images))
        shared = to_parameters(self.template) if self.template is not None and settings.start == "template" else None

        def begin(block: slice) -> ndarray:
            if start is not None:
                return start[block]
            return start_parameters(np.ascontiguousarray(images[block]), settings) if shared is None else shared

        fused = torch.device(device).type == "cpu" and kernel_available()

        def fit_block(at: int) -> int:
            block = slice(at, at + BLOCK)
            part = np.ascontiguousarray(images[block])
            parameters[block] = begin(block)
            if not fused:
                fit_reference.fit_range(part, parameters[block], plan, errors[block], device)
            else:
                fit_range(part, parameters[block], plan, errors[block])
            return len(part)

        if fused:  # compiled code is loaded only when something is fitted
            from gaussiandiffusion.encoding.fit import fit_range
            from gaussiandiffusion.encoding.large import fit_large
            from gaussiandiffusion.rendering.cpu.tiles import WHOLE

        with worker_pool(threads) as pool:
            if fused and canvas.longer_side > WHOLE:
                for i, image in enumerate(images):
                    parameters[i] = begin(slice(i, i + 1))[0]
                    errors[i] = fit_large(image, parameters[i], plan, pool)
                    if progress is not None:
                        progress(1)
            else:
                starts = range(0, len(images), BLOCK)
                for done in pool.map(fit_block, starts) if fused else map(fit_block, starts):
                    if progress is not None:
                        progress(done)
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
        images: tensor (N, C, H, W) in [0, 1] or uint8; an array of the same, or with its channels last, as PIL and
            diffusers have them; a path, a PIL image, or a sequence of these. See `inputs.as_pixels`.
        num_splats: K; default 70 for grey images, 150 for colour.
        start: "hilbert", "grid", "random" or "template:FILE".
        iterations, signed, target_psnr: see `EncoderSettings` and `FitEncoder.encode`.

    Raises:
        InputError: images that cannot be read or have different sizes.
    """
    pixels = as_pixels(images)
    channels, height, width = pixels.shape[1:]
    encoder = make_encoder(
        channels,
        num_splats=num_splats,
        start=start,
        iterations=iterations,
        signed=signed,
        pixels=height * width,
    )
    return encoder.encode(pixels, target_psnr=target_psnr).splats


def prepare(canvas: Canvas) -> Thread | None:
    """Begin to compile, or load, what it takes to encode pictures like this, and return at once.

    A thread does it, by encoding a black picture, while the caller reads its data. There is nothing to wait for: who
    encodes meanwhile waits by itself. Where numba is missing, nothing is done.
    """
    if not kernel_available():
        return None
    from gaussiandiffusion.rendering.cpu.tiles import WHOLE

    width = WHOLE + 1 if canvas.longer_side > WHOLE else 8  # large pictures go by tiles
    encoder = FitEncoder(default_settings(canvas.channels, num_splats=1, iterations=1))
    black = np.zeros((1, canvas.channels, 1, width), np.uint8)

    def work() -> None:
        with suppress(Exception):  # the program may be ending; who encodes is told by itself
            encoder.encode(black, threads=1)

    thread = Thread(target=work, name="prepare", daemon=True)
    thread.start()
    return thread


def make_encoder(
    channels: int,
    *,
    num_splats: int | None = None,
    start: str = "hilbert",
    iterations: int | None = None,
    signed: bool = False,
    pixels: int | None = None,
) -> FitEncoder:
    """The encoder that a start's name, as the command line takes it, and the tuned settings make.

    A template brings the settings it was learned with.
    """
    if start == "template" or start.startswith("template:"):
        path = start.partition(":")[2]
        if not path:
            raise InputError("the start 'template' needs its file: template:FILE (see --learn-template)")
        file = load_template(path)
        settings = _learned_settings(file, channels, path)
        if signed and not settings.signed:
            raise InputError(f"{path}: was learned for non-negative colours; learn another, or leave --signed out")
        if num_splats is not None:
            settings = replace(settings, num_splats=num_splats)
        if iterations is not None:
            settings = replace(settings, iterations=iterations)
        try:
            return FitEncoder(settings, file.splats)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    settings = default_settings(
        channels, num_splats=num_splats, start=start, iterations=iterations, signed=signed, pixels=pixels
    )
    return FitEncoder(settings)


def _learned_settings(file: SplatFile, channels: int, path: str) -> EncoderSettings:
    """The settings in a template's header; the default ones where it holds none."""
    held = file.header.encoder
    if held.get("start") == "template":
        return to_record(held, EncoderSettings, f"{path}: the header")
    signed = file.header.signed
    return default_settings(channels, num_splats=file.splats.num_splats, start="template", signed=signed)


def load_template(path: str | os.PathLike[str]) -> SplatFile:
    """Read a template file: a splat file that holds exactly one set."""
    file = splat_storage.load(path)
    if len(file.splats) != 1:
        raise InputError(f"{path}: a template holds one set, this file {len(file.splats)}; see --learn-template")
    return file
