"""A training set of sets that are encoded already: their parameters become the latents, nothing is fitted again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gaussiandiffusion.data.image_set import check_limit
from gaussiandiffusion.ground.attributes import ConditionColumns, ConditionSpec
from gaussiandiffusion.ground.combinations import absent_in
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.models import check_size
from gaussiandiffusion.representation import SplatRepresentation
from gaussiandiffusion.splats import SplatFile
from gaussiandiffusion.splats.formats import open_sets, sets_of
from gaussiandiffusion.training.budget import tell
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import StoredLatents, TrainingSet, tell_of_single
from gaussiandiffusion.training.sets_encoder import encoder_of


def load_sets_to_train(config: TrainConfig) -> TrainingSet:
    """The sets that a configuration names as its data, as what a network learns from.

    Says what their reader guessed or left out, and whether they have slots.

    Raises:
        InputError: they cannot be read, are fewer than two, or not what models learn; or a setting makes no sense with
            them.
    """
    check_size(config.network.size)
    source = config.data.source
    check_settings(config)
    limit = check_limit(config.data.limit)
    opened = open_sets(Path(source).expanduser(), config.data.reading.reading())
    file = sets_of(opened, source, limit)
    for note in opened.notes:
        tell(f"{source}: {note}")
    if len(file.splats) < 2:
        raise InputError(f"{source}: one set is too few to train on; give at least two")
    found = sets_to_train(file, config)
    slots = "in slots, each learned with its own statistics" if config.representation.per_slot else "without slots"
    tell(f"{source}: {len(found)} sets of {file.splats.num_splats} splats {slots}")
    return found


def check_settings(config: TrainConfig) -> None:
    """Refuse settings that are about pictures; raises InputError."""
    data, source = config.data, config.data.source
    if config.representation.kind == "pixels":
        raise InputError(f"{source}: holds sets, of which no pixels are learned; give pictures, or leave pixels out")
    if data.encode == "live":
        raise InputError(f"{source}: holds sets, which are encoded already; encode = live and augment need pictures")
    if config.objective.render_goal == "images":
        raise InputError(f"{source}: holds sets, and no images to compare with; give --render-goal sets")
    given = [name for name in ("canvas", "fit", "mode") if getattr(data, name) is not None]
    if given:
        raise InputError(f"{source}: holds sets, whose canvas stays as it is; leave {' and '.join(given)} out")
    if data.split != "train":
        raise InputError(f"{source}: holds sets, which have no splits; leave split out and name the file of those")


def sets_to_train(file: SplatFile, config: TrainConfig) -> TrainingSet:
    """Sets as what a network learns from.

    Raises:
        InputError: they are not what models learn, or a setting makes no sense with them.
    """
    settings, source, splats = config.representation, config.data.source, file.splats
    if splats.blending != "sum":
        raise InputError(f"{source}: its sets are drawn one over another (alpha); models learn only summed ones")
    if bool(splats.background.any()):
        raise InputError(f"{source}: its sets have a background, which models do not learn; encode its pictures anew")
    conditions = _conditions(file, config)
    encoder = encoder_of(file, settings, source)
    representation = SplatRepresentation.fit(
        encoder, splats, per_slot=settings.per_slot, form=settings.form, scaling=settings.scaling
    )
    latents = StoredLatents(representation.latent_transform.to_latent(splats))
    psnr = None if file.psnr is None else float(file.psnr.mean())
    return TrainingSet(latents, len(splats), conditions, representation, psnr)


def _conditions(file: SplatFile, config: TrainConfig) -> Conditions:
    """Those of the sets, open where a set has none."""
    if not config.network.conditional:
        return Conditions.ask(ConditionSpec({}), len(file.splats))
    conditions = file.conditions
    if conditions is None:
        if file.labels is not None:
            missing = int((file.labels < 0).sum())
            tell(f"{config.data.source}: {missing} of its sets have no class; trained without classes")
        return Conditions.ask(ConditionSpec({}), len(file.splats))
    spec, values = conditions.spec, conditions.values
    whole = (values < values.new_tensor(spec.sizes)).all(1)  # (n,)
    known = ConditionColumns(spec, values[whole].numpy())
    tell_of_single(known)
    return replace(conditions, spec=replace(spec, absent=absent_in(known)))
