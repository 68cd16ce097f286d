"""A character: all frames of its animations, made from one noise so that all show the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from gaussiandiffusion.gallery.animation import KEYED, LOOPS, Animation, animations, sheet_axes
from gaussiandiffusion.gallery.timing import Place, places
from gaussiandiffusion.ground.attributes import Value
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion
from gaussiandiffusion.representation import Representation
from gaussiandiffusion.representation.interpolation import between
from gaussiandiffusion.splats import Splats


@dataclass(frozen=True, eq=False)
class Character:
    """Drawn frames, animation by animation.

    Attributes:
        animations: the rows of its sheet.
        conditions: of every frame, row by row.
        shown: the frames, `Splats` or images, in the same order.
        splats: the sets; None from a model of pixels.
        representation: draws them.
    """

    animations: tuple[Animation, ...]
    conditions: Conditions
    shown: Any
    splats: Splats | None
    representation: Representation[Any]

    def frames(self, fps: float = KEYED, size: int | None = None) -> list[Float[Tensor, "_ c h w"]]:
        """Pictures in [0, 1] of every animation at a rate; in-between frames lie between the drawn ones' splats.

        Args:
            fps: frames a second; the drawn ones are `KEYED` of them.
            size: longer side in pixels; default: the canvas.

        Raises:
            InputError: in-between frames of pixels.
        """
        drawn, start = [], 0
        for animation in self.animations:
            row = slice(start, start + len(animation.frames))
            shown = self.representation.part(self.shown, row)
            if fps != KEYED:
                if self.splats is None:
                    raise InputError(f"a model of pixels has no frames between the drawn ones; leave fps at {KEYED}")
                shown = _placed(self.splats[row], places(len(animation.frames), fps, KEYED, loops=animation.loops))
            drawn.append(self.representation.draw(shown, size))
            start = row.stop
        return drawn


def _placed(splats: Splats, at: Sequence[Place]) -> Splats:
    share = torch.tensor([place.share for place in at], device=splats.device)
    return between(splats[[place.before for place in at]], splats[[place.after for place in at]], share)


def make_character(
    pipeline: GaussianDiffusion,
    conditions: Mapping[str, Value | Sequence[Value]] | None = None,
    *,
    number: int = 0,
    seed: int = 0,
    loops: Sequence[str] = LOOPS,
    **request: Any,
) -> Character:
    """Generate a character in all frames of all its actions and directions.

    Args:
        pipeline: a model with the attributes action and frame, and maybe direction.
        conditions: what it is asked to be, by attribute; what is left out is drawn by seed, once for all frames. An
            action, direction or frame, or a list of them, keeps those alone.
        number: which character; it depends on (seed, number) alone.
        loops: actions that go round.
        request: of the arguments of `GaussianDiffusion.__call__` those about sampling: num_inference_steps,
            guidance_scale, guidance_interval, eta, callback.

    Raises:
        InputError: the model has no such attributes, or another request that it cannot take.
    """
    spec, asked = pipeline.condition_spec, dict(conditions or {})
    axes = sheet_axes(spec)
    animations(spec, asked, loops)  # refuses what is wrong before anything is drawn
    own = {name: value for name, value in asked.items() if name not in axes}
    drawn = Conditions.ask(spec, 1, own | dict.fromkeys(axes), seed=seed, first=number)
    person = {name: value for name, (value,) in drawn.words().items() if name not in axes}
    rows = animations(spec, asked | person, loops)
    frames = [{**person, **row.asked, axes[-1]: frame} for row in rows for frame in row.frames]
    out = pipeline(
        num_samples=len(frames),
        conditions={name: [frame[name] for frame in frames] for name in spec.attributes},
        noise_samples=[number] * len(frames),
        seed=seed,
        **request,
    )
    assert out.conditions is not None
    shown = out.images if out.splats is None else out.splats
    return Character(rows, out.conditions, shown, out.splats, pipeline.representation)
