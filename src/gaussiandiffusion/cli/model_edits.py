"""What verbs that edit by a model share: flags, sets or pictures for the model, a gallery of results."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from gaussiandiffusion.cli.checks import LARGEST_SIDE, check_folder, check_gallery_apart, check_model, check_numbers
from gaussiandiffusion.cli.device import Device, resolve
from gaussiandiffusion.cli.large_gifs import note_large
from gaussiandiffusion.cli.reading import ReadingFlags, SetFlags
from gaussiandiffusion.ground.errors import InputError

if TYPE_CHECKING:
    from gaussiandiffusion.ground.attributes import ConditionSpec
    from gaussiandiffusion.ground.conditions import Conditions
    from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionOutput
    from gaussiandiffusion.splats import SplatFile
    from gaussiandiffusion.splats.edits import Edit


@dataclass(frozen=True)
class ModelFlags:
    """By which model, and what it is asked for."""

    model: str = "mnist"
    """Bundled model, folder of a trained pipeline, or owner/name on the Hub."""
    encode: bool = False
    """Draw sets that are not in the model's slots, and encode them anew with its template; pictures always are."""
    label: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """What the results are asked to be, by name or number, or NAME=VALUE for each of several attributes; any: left to
    the model. Default: what the file says of its sets, and else left to the model."""
    steps: int | None = None
    """Steps of the sampler from pure noise; default: the model's."""
    guidance: float | None = None
    """Classifier-free guidance, 1 = off; default: the model's."""
    limit: int | None = None
    """Only the first N sets."""
    size: int | None = None
    """Longer side of the pictures in pixels; default: the canvas."""
    seed: int = 0
    """Result i depends on (seed, i) and its set alone."""
    device: Device = "auto"
    """Where to compute."""
    reading: ReadingFlags = field(default_factory=SetFlags)

    def check(self, out: Path, *read: Path) -> ConditionSpec | None:
        """Refuse what can be told to be wrong before PyTorch is imported; returns what the model can be asked for."""
        check_numbers(steps=self.steps, limit=self.limit)
        check_numbers(most=LARGEST_SIDE, size=self.size)
        check_numbers(0, seed=self.seed)
        check_folder(out)
        for path in read:
            if not path.exists():
                raise InputError(f"{path}: no such file; give sets (`encode` and `sample` write some) or pictures")
        check_gallery_apart(out, *read)
        conditions = check_model(self.model)
        if conditions is not None:
            conditions.parse(self.label)
        return conditions

    def load(self) -> GaussianDiffusion:
        """The model on its device."""
        device = resolve(self.device)  # imports torch
        from gaussiandiffusion.pipeline import GaussianDiffusion

        return GaussianDiffusion.from_pretrained(self.model).to(device)

    def request(self, pipe: GaussianDiffusion, known: Conditions | None, count: int) -> dict[str, Any]:
        """What `count` results are asked: the label, and of what it does not say what the file does."""
        asked: dict[str, Any] = known_words(pipe.condition_spec, known) | pipe.condition_spec.parse(self.label)
        for name, value in asked.items():
            if isinstance(value, list) and len(value) != count:
                asked[name] = [each for each in value for _ in range(count // len(value))]
        steps = {} if self.steps is None else {"num_inference_steps": self.steps}
        return steps | {"conditions": asked, "guidance_scale": self.guidance}

    def values(self, asked: Conditions | None) -> dict[str, Any]:
        """The same for a history."""
        told = {"model": self.model, "encode": self.encode, "label": list(self.label), "steps": self.steps}
        told |= {"guidance": self.guidance, "limit": self.limit, "seed": self.seed}
        known = {name: value for name, value in told.items() if value not in (None, False, [])}
        words = None if asked is None else asked.words()
        return known if words is None else known | {"asked": words}


AskingFlags = Annotated[ModelFlags, tyro.conf.arg(name="")]


def known_words(spec: ConditionSpec, known: Conditions | None) -> dict[str, list[str | None]]:
    """What a file says of its sets in a model's words, by attribute; what the model does not know is left out."""
    if known is None:
        return {}
    words = {name: values for name, values in known.words().items() if name in spec.attributes}
    return {name: [value if value in spec.attributes[name] else None for value in values]
            for name, values in words.items()}  # fmt: skip


def read_for(pipe: GaussianDiffusion, path: Path, out: Path, flags: ModelFlags) -> SplatFile:
    """The sets of a file in the model's slots, or of pictures; their history begins with the file.

    Raises:
        InputError: the file cannot be read, or its sets are of another kind than the model's and are not to be encoded
            anew.
    """
    from gaussiandiffusion.data.sets import holds_sets
    from gaussiandiffusion.edit.history import begin
    from gaussiandiffusion.edit.sets_in import encoded_anew, splats_of_model
    from gaussiandiffusion.gallery import is_gallery, picture_folder
    from gaussiandiffusion.splats.formats import open_sets, sets_of

    representation = splats_of_model(pipe)
    own = path / "splats.safetensors" if is_gallery(path) else path
    if not (own.exists() and holds_sets(own)):
        return _pictures_for(pipe, Path(picture_folder(str(path))), out, flags)
    opened = open_sets(own, flags.reading.reading())
    file = sets_of(opened, own, flags.limit)
    for note in opened.notes:
        print(f"{own}: {note}", file=sys.stderr)
    file = replace(file, header=begin(file.header, own, out / "splats.safetensors"), psnr=None)
    if not _fit(pipe, file, own, flags):
        file.splats.validate(str(own))
        print(f"{own}: drawn and encoded anew with the template of {flags.model}", file=sys.stderr)
        try:
            splats = encoded_anew(pipe, file.splats)
        except InputError as error:
            raise InputError(f"{own}: {error}") from error
        header = replace(file.header, canvas=_shape(splats), output=splats.output, blending=splats.blending,
                         encoder=representation.encoder().header(), signed=representation.settings.signed)  # fmt: skip
        file = replace(file, splats=splats, header=header)
    return file


def _fit(pipe: GaussianDiffusion, file: SplatFile, own: Path, flags: ModelFlags) -> bool:
    """Whether the sets are taken as they are; with --encode those are not that lie far from their slots.

    Raises:
        InputError: they cannot be, and --encode is not given.
    """
    from gaussiandiffusion.edit.sets_in import FAR, check_sets, from_slots, splats_of_model

    try:
        check_sets(pipe, file.splats, str(own), file.header.encoder)
    except InputError:
        if not flags.encode:
            raise
        return False
    representation = splats_of_model(pipe)
    far = int((from_slots(representation, file.splats) >= FAR).sum()) if representation.config.per_slot else 0
    if far and not flags.encode:
        print(f"{own}: {far} of {len(file.splats)} sets lie far from the model's slots, and what is made of them may "
              "fall apart; --encode draws and encodes them anew", file=sys.stderr)  # fmt: skip
    return not far or not flags.encode


def _pictures_for(pipe: GaussianDiffusion, path: Path, out: Path, flags: ModelFlags) -> SplatFile:
    from gaussiandiffusion.data import load_images
    from gaussiandiffusion.data.framing import Framing
    from gaussiandiffusion.edit.history import begin
    from gaussiandiffusion.edit.sets_in import encoded_anew, mode_of, splats_of_model
    from gaussiandiffusion.ground.conditions import Conditions
    from gaussiandiffusion.splats import SplatFile
    from gaussiandiffusion.splats.storage import Header

    flags.reading.refuse(path, "pictures")
    representation = splats_of_model(pipe)
    canvas = representation.canvas
    side = canvas.height if canvas.height == canvas.width else None
    images = load_images(path, limit=flags.limit, framing=Framing(canvas=side, mode=mode_of(canvas)))
    print(f"{path}: encoded with the template of {flags.model}", file=sys.stderr)
    splats = encoded_anew(pipe, images.images)
    conditions = None if images.conditions is None else Conditions.of(images.conditions)
    source = {"name": images.name, "sha256": images.sha256}
    header = Header.of(splats, signed=representation.settings.signed, encoder=representation.encoder().header(),
                       source=source)  # fmt: skip
    labels = None if conditions is None else conditions.labels
    return SplatFile(splats, begin(header, path, out / "splats.safetensors"), labels, None, conditions)


def read_target(path: Path, pipe: GaussianDiffusion, pull: float) -> Any:
    """A picture that leads, brought to the model's canvas and mode."""
    from gaussiandiffusion.data import load_images
    from gaussiandiffusion.data.framing import Framing
    from gaussiandiffusion.edit.guidance import Target
    from gaussiandiffusion.edit.sets_in import mode_of, splats_of_model

    canvas = splats_of_model(pipe).canvas
    side = canvas.height if canvas.height == canvas.width else None
    images = load_images(path, limit=1, framing=Framing(canvas=side, mode=mode_of(canvas)))
    return Target(images.images, pull)


def write_results(
    out: Path,
    pipe: GaussianDiffusion,
    made: GaussianDiffusionOutput,
    given: SplatFile,
    edit: Edit,
    flags: ModelFlags,
    seconds: float,
    *,
    gif: bool = False,
    frames: Sequence[Any] | None = None,
) -> None:
    """A gallery of the results, and the last line.

    Args:
        given: what was edited; its header goes on with the edit.
        gif: also the steps as an animation, if there is a trajectory.
    """
    from gaussiandiffusion.edit.history import record
    from gaussiandiffusion.edit.sets_in import template_sha256
    from gaussiandiffusion.gallery import GalleryWriter, SampleRecord
    from gaussiandiffusion.rendering import render
    from gaussiandiffusion.splats import storage

    splats, num = made.splats, len(made.images)
    assert splats is not None  # of a model of splats
    writer = GalleryWriter(out, num)
    images = made.images if flags.size is None else render(splats, flags.size)
    writer.add(replace(made, images=images), 0)
    writer.write_grid()
    header = record(given.header, edit)
    encoder = dict(header.encoder)
    if (template := template_sha256(pipe.representation)) is not None:
        encoder["template_sha256"] = template
    storage.save(
        splats.to("cpu"), out / "splats.safetensors", conditions=made.conditions, signed=header.signed,
        encoder=encoder, source=header.source, edits=header.edits,
    )  # fmt: skip
    writer.written.append("splats.safetensors")
    writer.write_animation(pipe.representation, gif=gif, mp4=False, size=flags.size)
    if gif:
        note_large(out / "materialisation.gif")
    labels = None if made.conditions is None else made.conditions.labels
    open_ = labels is not None and bool((labels >= pipe.num_classes).any())
    writer.write_record(
        SampleRecord(
            model=flags.model,
            num=num,
            seed=flags.seed,
            steps=flags.steps,
            guidance=flags.guidance,
            labels=None if labels is None or open_ else labels.tolist(),
            conditions=None if made.conditions is None else made.conditions.words(),
            device=pipe.device.type,
            seconds_per_image=seconds / num,
        )
    )
    print(f"{num} results in {seconds:.1f} s: {out}/{', '.join(writer.written)}")


def _shape(splats: Any) -> tuple[int, int, int]:
    canvas = splats.canvas
    return canvas.height, canvas.width, canvas.channels
