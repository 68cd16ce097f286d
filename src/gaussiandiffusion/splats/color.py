"""Colours of splats in other spaces: hue, saturation and amplitude; CIELAB, in which distances are as eyes see them.

A splat's colour is an amplitude: what it adds to a pixel at its centre, in the values that pictures are saved with
(sRGB), 1 being full. It may exceed 1. Of RGBA sets the colours are premultiplied.
"""

from __future__ import annotations

import re

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.ground.errors import InputError

LUMINANCE = (0.2126, 0.7152, 0.0722)  # of red, green and blue. Source: ITU-R BT.709
# Linear sRGB to XYZ relative to the white D65, rows X, Y, Z. Source: IEC 61966-2-1, each row over its sum.
XYZ = (
    (0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339 / 1.08883, 0.1191920 / 1.08883, 0.9503041 / 1.08883),
)
LEAST_ALPHA = 0.5 / 255  # below it nothing is seen


def parse_color(text: str) -> tuple[float, float, float]:
    """Red, green and blue in [0, 1] of #rrggbb or #rgb.

    Raises:
        InputError: it is neither.
    """
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", text):
        raise InputError(f"'{text[:40]}' is no colour; write it as #rrggbb, such as #ff8000")
    digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
    red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
    return red, green, blue


def seen(colors: Float[Tensor, "*n c"]) -> Float[Tensor, "*n 3"]:
    """Red, green and blue as they are seen, in [0, 1]: grey spread, alpha divided out, what exceeds 1 cut off."""
    if colors.shape[-1] == 1:
        colors = colors.expand(*colors.shape[:-1], 3)
    elif colors.shape[-1] == 4:
        alpha = colors[..., 3:]
        colors = torch.where(alpha >= LEAST_ALPHA, colors[..., :3] / alpha.clamp_min(LEAST_ALPHA), 0)
    return colors.clamp(0, 1)


def brightness(colors: Float[Tensor, "*n c"]) -> Float[Tensor, "*n"]:
    """Luminance of colours as they are added to the picture; of grey ones the amplitude. May exceed 1."""
    if colors.shape[-1] == 1:
        return colors[..., 0]
    return colors[..., :3] @ colors.new_tensor(LUMINANCE)


def to_lab(rgb: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """sRGB in [0, 1] as CIELAB: lightness in [0, 100], a (green to red), b (blue to yellow).

    The Euclidean distance of two is their difference (1976): 2.3 is just noticed, black to white is 100.
    """
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = linear @ rgb.new_tensor(XYZ).T
    step = 6 / 29
    root = torch.where(xyz > step**3, xyz.clamp_min(step**3) ** (1 / 3), xyz / (3 * step**2) + 4 / 29)
    x, y, z = root.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def lab_distance(colors: Float[Tensor, "*n c"], color: str) -> Float[Tensor, "*n"]:
    """How different colours look from one, in CIELAB."""
    wanted = to_lab(colors.new_tensor(parse_color(color)))
    return (to_lab(seen(colors)) - wanted).norm(dim=-1)


def to_hsv(rgb: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """Hue in degrees [0, 360), saturation in [0, 1], and amplitude: the largest of the three, which may exceed 1.

    Source: Smith, "Color gamut transform pairs", SIGGRAPH 1978.
    """
    red, green, blue = rgb.unbind(-1)
    most = rgb.amax(-1)
    chroma = most - rgb.amin(-1)
    whole = chroma.clamp_min(torch.finfo(rgb.dtype).tiny)
    sector = torch.where(
        most == red,
        ((green - blue) / whole) % 6,
        torch.where(most == green, (blue - red) / whole + 2, (red - green) / whole + 4),
    )
    hue = torch.where(chroma > 0, sector * 60, 0) % 360
    saturation = torch.where(most > 0, chroma / most.clamp_min(torch.finfo(rgb.dtype).tiny), 0)
    return torch.stack([hue, saturation, most], -1)


def from_hsv(hsv: Float[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """`to_hsv` undone."""
    hue, saturation, most = (part[..., None] for part in hsv.unbind(-1))
    sector = (hsv.new_tensor([5.0, 3.0, 1.0]) + hue / 60) % 6
    return most - most * saturation * torch.minimum(sector, 4 - sector).clamp(0, 1)


def colored(colors: Float[Tensor, "*n c"]) -> Float[Tensor, "*n 3"]:
    """Red, green and blue of colours that have a hue.

    Raises:
        InputError: grey or signed colours.
    """
    if colors.shape[-1] == 1:
        raise InputError("grey sets have no hue, saturation or palette; brightness is what can be changed of them")
    if bool((colors[..., :3] < 0).any()):
        raise InputError("signed colours have no hue, saturation or palette; encode without --signed, "
                         "or change their brightness")  # fmt: skip
    return colors[..., :3]


def recolored(rgb: Float[Tensor, "*n 3"], hue: float = 0, saturation: float = 1) -> Float[Tensor, "*n 3"]:
    """Colours >= 0 with their hue turned by degrees and their saturation multiplied, to 1 at most; as bright as before.

    Bright is the largest of red, green and blue here.
    """
    angle, share, most = to_hsv(rgb).unbind(-1)
    return from_hsv(torch.stack([(angle + hue) % 360, (share * saturation).clamp(0, 1), most], -1))


def in_color(rgb: Float[Tensor, "*n 3"], color: Float[Tensor, "*#n 3"]) -> Float[Tensor, "*n 3"]:
    """Every colour's amplitude in the hue and saturation of another; `color` is not black."""
    return color / color.amax(-1, keepdim=True) * rgb.amax(-1, keepdim=True)


def nearest_color(colors: Float[Tensor, "*n c"], palette: Float[Tensor, "p 3"]) -> Float[Tensor, "*n 3"]:
    """For each colour the one of a palette that looks most like it."""
    return palette[torch.cdist(to_lab(seen(colors)).flatten(0, -2), to_lab(palette)).argmin(-1)].unflatten(
        0, colors.shape[:-1]
    )
