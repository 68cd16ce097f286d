"""What verbs that edit by a model share: flags, sets or pictures for the model, a gallery of results."""

from __future__ import annotations

import sys
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
    from gaussiandiffusion.edit.by_model import Words
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

    def asked(self, pipe: GaussianDiffusion, known: Conditions | None, count: int) -> Words:
        """What each of `count` results is asked to be: the label, and of what it does not say what the file does."""
        from gaussiandiffusion.edit.by_model import words_of

        asked: dict[str, Any] = known_words(pipe.condition_spec, known) | pipe.condition_spec.parse(self.label)
        for name, value in asked.items():
            if isinstance(value, list) and len(value) != count:
                asked[name] = [each for each in value for _ in range(count // len(value))]
        return words_of(pipe, asked, count)

    def told(self, pipe: GaussianDiffusion, steps: int | None = None, guidance: float | None = None) -> dict[str, Any]:
        """What every edit by a model is told (`edit.by_model.ByModel`), but for what is asked.

        Args:
            steps, guidance: of the verb, where the flags say nothing; default: the model's.
        """
        if pipe.condition_spec:  # without conditions there is nothing to guide to
            guidance = pipe.config["guidance_scale"] if guidance is None else guidance
        return {
            "model": self.model,
            "weights": pipe.weights_sha256,
            "device": pipe.device.type,
            "seed": self.seed,
            "steps": self.steps or steps or pipe.config["num_inference_steps"],
            "guidance": guidance if self.guidance is None else self.guidance,
            "limit": self.limit,
            "encode": self.encode,
        }


AskingFlags = Annotated[ModelFlags, tyro.conf.arg(name="")]


def known_words(spec: ConditionSpec, known: Conditions | None) -> dict[str, list[str | None]]:
    """What a file says of its sets in a model's words, by attribute; what the model does not know is left out."""
    if known is None:
        return {}
    words = {name: values for name, values in known.words().items() if name in spec.attributes}
    return {name: [value if value in spec.attributes[name] else None for value in values]
            for name, values in words.items()}  # fmt: skip


def read_for(pipe: GaussianDiffusion, path: Path, out: Path, flags: ModelFlags, *, place: bool = False) -> SplatFile:
    """The sets of a file in the model's slots, or of pictures; their history begins with the file.

    Args:
        place: put splats that are not in the slots into those that suit them best, see `edit.slots`.

    Raises:
        InputError: the file cannot be read, or its sets are of another kind than the model's and are not to be encoded
            anew.
    """
    from gaussiandiffusion.data.sets import holds_sets
    from gaussiandiffusion.edit.given import Bringing, read_given
    from gaussiandiffusion.edit.history import begin
    from gaussiandiffusion.edit.readings import told_of

    own, reading = sets_or_pictures(path), flags.reading.reading()
    if not holds_sets(own):
        flags.reading.refuse(own, "pictures")
    given = read_given(pipe, own, Bringing(flags.model, flags.limit, flags.encode, place), reading)
    for note in given.notes:
        print(note, file=sys.stderr)
    told = told_of(reading) if holds_sets(own) else None
    return replace(given.file, header=begin(given.file.header, own, out / "splats.safetensors", told))


def sets_or_pictures(path: Path) -> Path:
    """What is read of a file or folder: of a gallery the file of its sets, or else its pictures."""
    from gaussiandiffusion.data.sets import holds_sets
    from gaussiandiffusion.gallery import is_gallery, picture_folder

    own = path / "splats.safetensors" if is_gallery(path) else path
    return own if own.exists() and holds_sets(own) else Path(picture_folder(str(path)))


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
) -> None:
    """A gallery of the results, and the last line.

    Args:
        given: what was edited; its header goes on with the edit.
        gif: also the steps as an animation, if there is a trajectory.
    """
    from gaussiandiffusion.edit.edited_files import save_edited
    from gaussiandiffusion.edit.given import made_of
    from gaussiandiffusion.edit.history import record
    from gaussiandiffusion.gallery import GalleryWriter, SampleRecord
    from gaussiandiffusion.rendering import render

    splats, num = made.splats, len(made.images)
    assert splats is not None  # of a model of splats
    writer = GalleryWriter(out, num)
    images = made.images if flags.size is None else render(splats, flags.size)
    writer.add(replace(made, images=images), 0)
    writer.write_grid()
    save_edited(made_of(pipe, made, record(given.header, edit)), out / "splats.safetensors")
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
