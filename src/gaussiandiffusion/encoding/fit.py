"""The fit: fused Adam on a hinge residual, one image at a time, all in one compiled loop.

A splat's parameters are, in pixels: mx, my, log a, b, log d (see `rendering.kernel`) and C colours.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from gaussiandiffusion.rendering import kernel
from gaussiandiffusion.rendering.kernel import COLUMNS, FAST

F = np.float32
MIN_SIGMA = 0.3  # pixels, of 1/a and 1/d
MAX_SIGMA = 12 / 28  # of the longer side
MAX_SHEAR = 3.0  # of |b|
MARGIN = 1.0  # pixels a centre may lie outside the canvas


@njit(**FAST)
def fit_image(
    image, parameters, rates, beta1, beta2, epsilon, lr_end, iterations, cutoff, signed, target,
    geometry, colors, grad_geometry, grad_colors, moment1, moment2,
    runs, values, strips, mixed, picture, xs, ys,
):  # fmt: skip
    """Fit one image's splats in place.

    Args:
        image: float32 (C, H, W) in [0, 1].
        parameters: float32 (K, 5 + C), the start; overwritten with the fit.
        rates: float32 (5 + C,), one learning rate a column.
        target: mean squared hinge residual at which to stop, or a negative number.
        the rest: settings, then scratch (see `fit_range`).

    Returns:
        (values, iterations done): the possibly grown buffer, and the steps taken.

    The residual is p - clip(p, lo, hi) with lo = hi = target pixel, but lo = -inf where the pixel is 0 and hi = +inf
    where it is 1: zero exactly when the clamped picture is right, and no dead gradient elsewhere.
    """
    channels, height, width = image.shape
    splats = parameters.shape[0]
    columns = COLUMNS + channels
    largest = F(MAX_SIGMA * max(height, width))
    low, high = F(-math.log(largest)), F(-math.log(MIN_SIGMA))
    moment1[:] = F(0)
    moment2[:] = F(0)
    power1, power2 = 1.0, 1.0
    done = 0
    for step in range(iterations + 1):
        unpack(parameters, geometry, colors)
        if step == iterations and target < 0:
            break
        values = kernel.room_for(values, kernel.plan(geometry, height, width, cutoff, runs))
        kernel.draw(geometry, colors, runs, values, strips, xs, ys, height, picture)
        error = hinge(picture, image)
        if step == iterations or error <= target * F(channels * height * width):
            break
        kernel.to_strips(picture, strips, height)
        kernel.differentiate(geometry, colors, runs, values, strips, xs, ys, mixed, grad_geometry, grad_colors)
        power1 *= beta1
        power2 *= beta2
        cosine = 0.5 * (1 + math.cos(math.pi * step / iterations))
        scale = F((lr_end + (1 - lr_end) * cosine) / (1 - power1))
        correct = F(1 / math.sqrt(1 - power2))
        for k in range(splats):
            grad_geometry[k, 2] *= geometry[k, 2]  # chain rule of log a, log d
            grad_geometry[k, 4] *= geometry[k, 4]
            for j in range(columns):
                g = grad_geometry[k, j] if j < COLUMNS else grad_colors[k, j - COLUMNS]
                m = beta1 * moment1[k, j] + (F(1) - beta1) * g
                v = beta2 * moment2[k, j] + (F(1) - beta2) * g * g
                moment1[k, j] = m
                moment2[k, j] = v
                parameters[k, j] -= scale * rates[j] * m / (F(math.sqrt(v)) * correct + epsilon)
            parameters[k, 0] = min(max(parameters[k, 0], F(-MARGIN)), F(width - 1 + MARGIN))
            parameters[k, 1] = min(max(parameters[k, 1], F(-MARGIN)), F(height - 1 + MARGIN))
            parameters[k, 2] = min(max(parameters[k, 2], low), high)
            parameters[k, 3] = min(max(parameters[k, 3], F(-MAX_SHEAR)), F(MAX_SHEAR))
            parameters[k, 4] = min(max(parameters[k, 4], low), high)
            if not signed:
                for j in range(COLUMNS, columns):
                    parameters[k, j] = max(parameters[k, j], F(0))
        done = step + 1
    return values, done


@njit(**FAST)
def unpack(parameters, geometry, colors):
    """Fit parameters to the kernel's geometry and colours."""
    for k in range(parameters.shape[0]):
        geometry[k, 0] = parameters[k, 0]
        geometry[k, 1] = parameters[k, 1]
        geometry[k, 2] = F(math.exp(parameters[k, 2]))
        geometry[k, 3] = parameters[k, 3]
        geometry[k, 4] = F(math.exp(parameters[k, 4]))
        for c in range(colors.shape[1]):
            colors[k, c] = parameters[k, COLUMNS + c]


@njit(**FAST)
def hinge(picture, image):
    """Replace a padded picture by its hinge residual (0 in the padding); returns the sum of squares."""
    channels, height, width = image.shape
    total = F(0)
    for c in range(channels):
        for y in range(height):
            row, goal = picture[c, y], image[c, y]
            for x in range(width):
                p, t = row[x], goal[x]
                low = t if t > F(0) else F(-1e30)
                high = t if t < F(1) else F(1e30)
                r = p - min(max(p, low), high)
                row[x] = r
                total += r * r
            row[width:] = F(0)
    return total


@njit(**FAST)
def squared_error(picture, image):
    """Mean squared error of the clamped picture against the image."""
    channels, height, width = image.shape
    total = 0.0
    for c in range(channels):
        for y in range(height):
            for x in range(width):
                r = min(max(picture[c, y, x], F(0)), F(1)) - image[c, y, x]
                total += r * r
    return total / (channels * height * width)


@njit(**FAST)
def fit_range(images, parameters, rates, beta1, beta2, epsilon, lr_end, iterations, cutoff, signed, target, errors):
    """Fit images one after another, in place.

    Args:
        images: uint8 (N, C, H, W).
        parameters: float32 (N, K, 5 + C), starts in, fits out.
        errors: float64 (N,), overwritten with the mean squared error of the picture drawn without any cut-off.
    """
    count, channels, height, width = images.shape
    splats = parameters.shape[1]
    runs, values, strips, mixed, picture = kernel.scratch(splats, channels, height, width)
    xs, ys = kernel.lane_tables(height)
    geometry, grad_geometry = np.empty((splats, COLUMNS), np.float32), np.empty((splats, COLUMNS), np.float32)
    colors, grad_colors = np.empty((splats, channels), np.float32), np.empty((splats, channels), np.float32)
    moment1, moment2 = np.empty(parameters.shape[1:], np.float32), np.empty(parameters.shape[1:], np.float32)
    image = np.empty((channels, height, width), np.float32)
    for i in range(count):
        for c in range(channels):
            for y in range(height):
                for x in range(width):
                    image[c, y, x] = F(images[i, c, y, x]) / F(255)
        values, _ = fit_image(
            image, parameters[i], rates, F(beta1), F(beta2), F(epsilon), lr_end, iterations, F(cutoff), signed,
            F(target), geometry, colors, grad_geometry, grad_colors, moment1, moment2, runs, values, strips,
            mixed, picture, xs, ys,
        )  # fmt: skip
        unpack(parameters[i], geometry, colors)
        values = kernel.room_for(values, kernel.plan(geometry, height, width, kernel.NEVER, runs))
        kernel.draw(geometry, colors, runs, values, strips, xs, ys, height, picture)
        errors[i] = squared_error(picture, image)
