"""What edits by a model begin with: sets of a file in the model's slots, or pictures encoded into them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from gaussiandiffusion.data import ImageSet, load_images
from gaussiandiffusion.data.framing import Framing
from gaussiandiffusion.data.sets import holds_sets
from gaussiandiffusion.edit.guidance import Target
from gaussiandiffusion.edit.sets_in import (
    FAR,
    check_sets,
    encoded_anew,
    from_slots,
    mode_of,
    splats_of_model,
    template_sha256,
)
from gaussiandiffusion.edit.slots import in_slots
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput
from gaussiandiffusion.splats import SplatFile
from gaussiandiffusion.splats.formats import open_sets, sets_of
from gaussiandiffusion.splats.set_source import Reading
from gaussiandiffusion.splats.storage import Header


@dataclass(frozen=True)
class Bringing:
    """How sets are brought to a model.

    Attributes:
        model: what it is called.
        limit: only the first so many.
        encode: draw sets that are not in its slots, and encode them anew.
        place: put splats that are not in its slots into those that suit them best, where that can be done.
    """

    model: str
    limit: int | None = None
    encode: bool = False
    place: bool = False


@dataclass(frozen=True)
class Given:
    """Sets in a model's slots, and what is to be said of how they came there."""

    file: SplatFile
    notes: list[str]


def read_given(pipe: GaussianDiffusion, path: Path, bringing: Bringing, reading: Reading | None = None) -> Given:
    """The sets of a file in the model's slots, or of pictures, encoded.

    Args:
        path: a file of sets, or a folder of them; or pictures.
        reading: what a file of another system does not say.

    Raises:
        InputError: the file cannot be read, or its sets are of another kind than the model's and are not to be encoded
            anew.
    """
    if not holds_sets(path):
        file = _encoded(pipe, _pictures(pipe, path, bringing.limit))
        return Given(file, [f"{path}: encoded with the template of {bringing.model}"])
    opened = open_sets(path, reading)
    file = sets_of(opened, path, bringing.limit)
    brought = bring(pipe, file, bringing, str(path))
    return replace(brought, notes=[*(f"{path}: {note}" for note in opened.notes), *brought.notes])


def bring(pipe: GaussianDiffusion, file: SplatFile, bringing: Bringing, what: str) -> Given:
    """Sets in the model's slots: as they are, or encoded anew where that is allowed.

    Args:
        file: with no more sets than `bringing` allows.
        what: what an error calls the sets.

    Raises:
        InputError: they are of another kind than the model's and are not to be encoded anew, or cannot be.
    """
    representation = splats_of_model(pipe)
    file = replace(file, psnr=None)
    try:
        check_sets(pipe, file.splats, what, file.header.encoder)
    except InputError:
        if bringing.encode:
            return _anew(pipe, file, bringing, what)
        if not bringing.place:
            raise
        placed = in_slots(pipe, file.splats, what).splats
        return Given(replace(file, splats=placed), [f"{what}: each splat was put into the slot that suits it best"])
    far = int((from_slots(representation, file.splats) >= FAR).sum()) if representation.config.per_slot else 0
    if far and bringing.encode:
        return _anew(pipe, file, bringing, what)
    return Given(file, [f"{what}: {far} of {len(file.splats)} sets lie far from the model's slots, and what is made of "
                        "them may fall apart; --encode draws and encodes them anew"] if far else [])  # fmt: skip


def target_of(pipe: GaussianDiffusion, path: Path, pull: float) -> Target:
    """A picture that leads, brought to the model's canvas and mode; raises InputError where it cannot be read."""
    return Target(_pictures(pipe, path, 1).images, pull)


def made_of(pipe: GaussianDiffusion, made: GaussianDiffusionOutput, header: Header) -> SplatFile:
    """What a model made of given sets, as their file tells of it.

    Args:
        header: of the given sets, with the edit in its history.
    """
    assert made.splats is not None  # of a model of splats
    encoder = dict(header.encoder)
    if (template := template_sha256(pipe.representation)) is not None:
        encoder["template_sha256"] = template
    header = replace(header, encoder=encoder)
    return SplatFile(made.splats.to("cpu"), header, conditions=made.conditions)


def _anew(pipe: GaussianDiffusion, file: SplatFile, bringing: Bringing, what: str) -> Given:
    file.splats.validate(what)
    try:
        splats = encoded_anew(pipe, file.splats)
    except InputError as error:
        raise InputError(f"{what}: {error}") from error
    representation, canvas = splats_of_model(pipe), splats.canvas
    header = replace(
        file.header, canvas=(canvas.height, canvas.width, canvas.channels), output=splats.output,
        blending=splats.blending, encoder=representation.encoder().header(), signed=representation.settings.signed,
    )  # fmt: skip
    return Given(
        replace(file, splats=splats, header=header),
        [f"{what}: drawn and encoded anew with the template of {bringing.model}"],
    )


def _pictures(pipe: GaussianDiffusion, path: Path, limit: int | None) -> ImageSet:
    """Pictures of the model's canvas and mode."""
    canvas = splats_of_model(pipe).canvas
    side = canvas.height if canvas.height == canvas.width else None
    return load_images(path, limit=limit, framing=Framing(canvas=side, mode=mode_of(canvas)))


def _encoded(pipe: GaussianDiffusion, images: ImageSet) -> SplatFile:
    representation = splats_of_model(pipe)
    splats = encoded_anew(pipe, images.images)
    conditions = None if images.conditions is None else Conditions.of(images.conditions)
    header = Header.of(
        splats, signed=representation.settings.signed, encoder=representation.encoder().header(),
        source={"name": images.name, "sha256": images.sha256},
    )  # fmt: skip
    labels = None if conditions is None else conditions.labels
    return SplatFile(splats, header, labels, None, conditions)
