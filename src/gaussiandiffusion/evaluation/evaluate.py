"""Measure generated images against real ones, with the floors that give the number its meaning."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from jaxtyping import Int, UInt8

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.errors import InputError
from gaussiandiffusion.evaluation.accuracy import Classifier, label_accuracy
from gaussiandiffusion.evaluation.features import FeatureSpace, extract_features, load_features
from gaussiandiffusion.evaluation.frechet import check_count, frechet_distance
from gaussiandiffusion.evaluation.report import (
    EvaluationReport,
    FeatureRecord,
    SourceRecord,
    library_versions,
    machine_words,
)

Images = UInt8[np.ndarray, "n c h w"]
Features = str | os.PathLike[str] | FeatureSpace


def evaluate(
    generated: ImageSet,
    real: ImageSet,
    *,
    features: Features,
    num: int | None = None,
    floor_train: ImageSet | None = None,
    floor_rendered: Images | Callable[[Images], Images] | None = None,
    labels: Int[np.ndarray, " n"] | None = None,
    judge: Features | None = None,
    seed: int | None = None,
    batch_size: int = 256,
) -> EvaluationReport:
    """Fréchet distance of generated to real images, its floors F and R, and label accuracy.

    Args:
        generated: the images to judge, as saved.
        real: the reference, real images of a named split and never rendered splats.
        features: the space to measure in: a name or path for `load_features`, or a loaded space.
        num: images on each side, the first so many; default: all, and then both sides must have equally many.
        floor_train: real train images, for F.
        floor_rendered: the first `num` real images encoded and rendered, or a function that does so, for R.
        labels: the class each generated image was asked to show; default: the labels of `generated`, if any.
        judge: the classifier for label accuracy; default: `features`. A claim takes a judge of its own.
        seed: of the generated images, to be noted.
        batch_size: images at a time.

    Returns:
        The numbers and where they come from; equal arguments give an equal report.

    Raises:
        InputError: too few images, unequal counts, another size than the network takes, or not one label
            for each image.
    """
    space = _load(features)
    num = _count(generated, real, num, space.dimension)
    used, reference = generated.limit(num), real.limit(num)
    train = _train_images(floor_train, num)
    rendered = _rendered_images(floor_rendered, reference, num)

    reference_features = extract_features(space.network, reference.images, batch_size)

    def distance(images: Images) -> float:
        return frechet_distance(extract_features(space.network, images, batch_size), reference_features)

    asked = generated.labels if labels is None else np.asarray(labels)
    if asked is not None and len(asked) != len(generated):
        raise InputError(f"{len(generated)} generated images came with {len(asked)} labels: one an image is needed")
    referee = None if asked is None else space if judge is None else _load(judge)

    def accuracy(images: Images, expected: np.ndarray | None) -> float | None:
        if referee is None or expected is None:
            return None
        if not isinstance(referee.network, Classifier):
            raise InputError(f"{referee.name}: cannot name classes; give a classifier as judge")
        return label_accuracy(referee.network, images, expected, batch_size=batch_size)

    return EvaluationReport(
        num=num,
        fid=distance(used.images),
        floor_train=None if train is None else distance(train.images),
        floor_rendered=None if rendered is None else distance(rendered.images),
        label_accuracy=accuracy(used.images, None if asked is None else asked[:num]),
        label_accuracy_real=accuracy(reference.images, reference.labels),
        features=FeatureRecord.of(space),
        judge=None if referee is None else FeatureRecord.of(referee),
        generated=SourceRecord.of(generated, used),
        real=SourceRecord.of(real, reference),
        train=None if floor_train is None or train is None else SourceRecord.of(floor_train, train),
        rendered=None if rendered is None else SourceRecord.of(rendered, rendered),
        seed=seed,
        machine=machine_words(),
        versions=library_versions(),
    )


def _load(features: Features) -> FeatureSpace:
    return features if isinstance(features, FeatureSpace) else load_features(features)


def _count(generated: ImageSet, real: ImageSet, num: int | None, dimension: int) -> int:
    if num is None:
        if len(generated) != len(real):
            raise InputError(
                f"{len(generated)} generated images against {len(real)} real ones: a Fréchet distance is "
                "biased by the count; name a number that both sides have"
            )
        num = len(real)
    for side, images in (("generated", generated), ("real", real)):
        if len(images) < num:
            raise InputError(f"{num} images were asked for, the {side} side ({images.name}) has {len(images)}")
    check_count(num, dimension)
    return num


def _train_images(source: ImageSet | None, num: int) -> ImageSet | None:
    if source is None:
        return None
    if len(source) < num:
        raise InputError(f"the floor F needs {num} train images, {source.name} has {len(source)}")
    return source.limit(num)


def _rendered_images(
    source: Images | Callable[[Images], Images] | None, reference: ImageSet, num: int
) -> ImageSet | None:
    if source is None:
        return None
    images = source(reference.images) if callable(source) else source
    if images.shape != reference.images.shape:
        raise InputError(
            f"the floor R needs the {num} real images rendered, of shape {list(reference.images.shape)}; "
            f"these have {list(images.shape)}"
        )
    return ImageSet(images, name=f"{reference.name}, encoded and rendered", split=reference.split)
