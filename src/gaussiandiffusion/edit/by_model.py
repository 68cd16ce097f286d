"""Edits by a model as a history has them: what each was told, and how it is done again from that.

The command line makes these records and runs them, and `replaying` reads and runs them, so that both do the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from msgspec import Meta
from torch import Tensor

from gaussiandiffusion.edit.expressions import select
from gaussiandiffusion.edit.given import Bringing, target_of
from gaussiandiffusion.edit.history import Edit, mark, mark_model
from gaussiandiffusion.edit.inpainting import ROUNDS, inpaint
from gaussiandiffusion.edit.interpolation import FRAMES, End, Through, interpolate
from gaussiandiffusion.edit.noise import transfer
from gaussiandiffusion.edit.slots import drawing
from gaussiandiffusion.edit.variation import vary
from gaussiandiffusion.ground.attributes import Value
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput
from gaussiandiffusion.splats import Splats

Words = dict[str, list[str | None]]
Asked = Mapping[str, str | list[str | None] | None]  # by attribute: of all results, or of each; None: left open
Count = Annotated[int, Meta(ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Beside:
    """What an edit has beside its values: the selection, and where the files lie that it names."""

    where: str | None = None
    files: Mapping[str, Path] = field(default_factory=dict)

    def file(self, name: str) -> Path:
        """Where a file lies; raises InputError for one that the edit does not tell of."""
        if name not in self.files:
            raise InputError(f"{name}: is read by an edit whose header does not tell where it lies; edit again")
        return self.files[name]


@dataclass(frozen=True, kw_only=True)
class ByModel:
    """What every edit by a model is told.

    Attributes:
        model: its name, or its folder as it was given; None: none was needed.
        weights: their SHA-256, see `GaussianDiffusion.weights_sha256`.
        device: kind of device that computed.
        seed: of the noise.
        steps, guidance: of the sampler; None: those of the verb.
        limit: only the first so many sets.
        encode: sets that are not in the model's slots are drawn and encoded anew.
        asked: what the results are asked to be.
    """

    verb: ClassVar[str]

    model: str | None = None
    weights: str | None = None
    device: str = "cpu"
    seed: Annotated[int, Meta(ge=0)] = 0
    steps: Count | None = None
    guidance: float | None = None
    limit: Count | None = None
    encode: bool = False
    asked: Asked = field(default_factory=dict)

    @property
    def bringing(self) -> Bringing:
        """How sets are brought to the model."""
        return Bringing(self.model or "", self.limit, self.encode)

    @property
    def request(self) -> dict[str, Any]:
        """The same as arguments of a sample."""
        values = {"num_inference_steps": self.steps, "guidance_scale": self.guidance, "conditions": self.asked}
        return {name: value for name, value in values.items() if value is not None}

    def recorded(self, out: Path, files: Mapping[str, Path], where: str | None = None) -> Edit:
        """The edit as the header of `out` has it.

        Args:
            files: that it read, by the name they were given.
            where: the selection it was kept to.

        Raises:
            InputError: one of the files cannot be read.
        """
        told = asdict(self).items()
        values = {name: value for name, value in told if not (value is None or value is False or value == {})}
        marks = {name: mark(path, out) for name, path in files.items()}
        if self.model is not None and self.weights is not None:
            marks |= mark_model(self.model, self.weights, out)
        return Edit(self.verb, values, where, marks)


@dataclass(frozen=True, kw_only=True)
class Vary(ByModel):
    """`vary`: noise to a strength and back, `num` times from each set, led toward a picture if there is one."""

    verb = "vary"

    strength: float
    num: Count = 1
    toward: str | None = None
    pull: float = 1.0

    def make(
        self, pipe: GaussianDiffusion, splats: Splats, beside: Beside, *, return_trajectory: bool = False
    ) -> GaussianDiffusionOutput:
        """The results; raises InputError as `edit.vary`."""
        target = None if self.toward is None else target_of(pipe, beside.file(self.toward), self.pull)
        return vary(pipe, splats[_each(splats, self.num)], self.strength, self.seed, target=target,
                    return_trajectory=return_trajectory, **self.request)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Inpaint(ByModel):
    """`inpaint`: the selected splats are kept, or with `complete` those that draw something."""

    verb = "inpaint"

    num: Count = 1
    rounds: int = ROUNDS
    until: float = 0.0
    complete: bool = False

    def make(
        self, pipe: GaussianDiffusion, splats: Splats, beside: Beside, *, return_trajectory: bool = False
    ) -> GaussianDiffusionOutput:
        """The results; raises InputError as `edit.inpaint`."""
        places = _each(splats, self.num)
        return inpaint(pipe, splats[places], self._kept(splats, beside)[places], self.seed, rounds=self.rounds,
                       until=self.until, return_trajectory=return_trajectory, **self.request)  # fmt: skip

    @property
    def bringing(self) -> Bringing:
        return replace(super().bringing, place=self.complete)

    def _kept(self, splats: Splats, beside: Beside) -> Tensor:
        return drawing(splats) if self.complete else select(splats, beside.where or "all", files=beside.files)


@dataclass(frozen=True, kw_only=True)
class Transfer(ByModel):
    """`transfer`: the noise of sets that show `own`, under other conditions."""

    verb = "transfer"

    own: Asked = field(default_factory=dict)

    def make(
        self, pipe: GaussianDiffusion, splats: Splats, beside: Beside, *, return_trajectory: bool = False
    ) -> GaussianDiffusionOutput:
        """The results; raises InputError as `edit.transfer`."""
        return transfer(pipe, splats, own={"conditions": self.own}, return_trajectory=return_trajectory, **self.request)


@dataclass(frozen=True)
class SavedEnd:
    """An end of an interpolation: a seed, or a set of a file."""

    seed: Annotated[int, Meta(ge=0)] | None = None
    file: str | None = None
    index: Annotated[int, Meta(ge=0)] = 0


@dataclass(frozen=True, kw_only=True)
class Interpolate(ByModel):
    """`interpolate`: frames from the first end to the last.

    Attributes:
        reading: what had to be told of ends that are another system's files, by the names of the flags.
    """

    verb = "interpolate"

    ends: list[SavedEnd]
    frames: Count = FRAMES
    through: Through | None = None
    loop: bool = False
    reading: dict[str, Any] = field(default_factory=dict)

    def make(self, pipe: GaussianDiffusion | None, ends: Sequence[End]) -> GaussianDiffusionOutput:
        """The frames; raises InputError as `edit.interpolate`."""
        request = {} if pipe is None else self.request
        return interpolate(pipe, ends, self.frames, through=self.through, loop=self.loop, **request)


VERBS: dict[str, type[Vary | Inpaint | Transfer]] = {each.verb: each for each in (Vary, Inpaint, Transfer)}


def words_of(pipe: GaussianDiffusion, asked: Mapping[str, Value | list[str | None]], count: int) -> Words:
    """What each of so many results is asked to be, in the model's words; what is not asked is left open.

    Raises:
        InputError: an attribute or a value that the model does not know.
    """
    request = dict.fromkeys(pipe.condition_spec.attributes) | dict(asked)
    return Conditions.ask(pipe.condition_spec, count, request).words()


def _each(splats: Splats, num: int) -> Tensor:
    """Numbers of sets, each so many times."""
    return torch.arange(len(splats)).repeat_interleave(num)
