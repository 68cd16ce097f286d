"""Measure generated images against real ones, with the floors that give the numbers their meaning."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from jaxtyping import Int, UInt8
from torch import Tensor

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation.features.spaces import BATCH_SIZE, FeatureSpace, extract_features, load_features
from gaussiandiffusion.evaluation.measures.accuracy import Classifier, label_accuracy
from gaussiandiffusion.evaluation.measures.frechet import frechet_distance
from gaussiandiffusion.evaluation.measures.inception_score import class_logits, inception_score
from gaussiandiffusion.evaluation.measures.kernel_distance import kernel_distance
from gaussiandiffusion.evaluation.measures.memorisation import memorisation
from gaussiandiffusion.evaluation.measures.neighbours import precision_recall
from gaussiandiffusion.evaluation.report import EvaluationReport, FeatureRecord, SourceRecord
from gaussiandiffusion.evaluation.sides import rendered_images, train_images, two_sides
from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.provenance import library_versions, machine_words

Images = UInt8[np.ndarray, "_ c h w"]
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
    batch_size: int = BATCH_SIZE,
    progress: Callable[[str], object] | None = None,
) -> EvaluationReport:
    """All measures of generated images against real ones, beside what real images themselves get.

    Args:
        generated: the images to judge, as saved.
        real: the reference, real images of a named split and never rendered splats.
        features: the space to measure in: a name or path for `load_features`, or a loaded space.
        num: images on each side, the first so many; default: all, and then both sides must have equally many.
        floor_train: all real train images, none of them in `real`: the first `num` for F and its like, all for the
            memorisation check.
        floor_rendered: the first `num` real images encoded and rendered, or a function that does so, for R.
        labels: the class each generated image was asked to show; default: the labels of `generated`, if any.
        judge: the classifier for label accuracy; default: `features`. A claim takes a judge of its own.
        seed: of the generated images, to be noted.
        batch_size: images at a time.
        progress: told what is done next, in a word or two.

    Returns:
        The numbers and where they come from; equal arguments give an equal report.

    Raises:
        InputError: too few images, unequal counts or sizes, another size than the network takes, the same images
            on both sides, or not one label for each image.
    """
    begin = progress or (lambda _: None)
    space = _load(features)
    used, reference = two_sides(generated, real, num, space.dimension)
    num = len(reference)
    train = train_images(floor_train, reference)
    asked = _asked_labels(generated, labels)
    referee = None if asked is None else space if judge is None else _load(judge)
    if referee is not None:
        _classifier(referee)  # refuse before anything is computed

    begin("features")
    cloud = extract_features(space.network, used.images, batch_size)
    real_cloud = extract_features(space.network, reference.images, batch_size)
    train_cloud = None if train is None else extract_features(space.network, train.images, batch_size)
    logits, real_logits = (class_logits(space.network, each) for each in (cloud, real_cloud))

    def accuracy(images: ImageSet, logits: Tensor | None, expected: np.ndarray | None) -> float | None:
        if referee is None or expected is None:
            return None
        if referee is space and logits is not None:
            return float((logits.argmax(dim=1).numpy() == expected).mean())
        return label_accuracy(_classifier(referee), images.images, expected, batch_size=batch_size)

    begin("rendering")
    rendered = rendered_images(floor_rendered, reference)
    rendered_cloud = None if rendered is None else extract_features(space.network, rendered.images, batch_size)
    begin("memorisation")
    copied = None if floor_train is None else memorisation(used.images, reference.images, floor_train.images)
    begin("distances")
    return EvaluationReport(
        num=num,
        fid=frechet_distance(cloud, real_cloud),
        floor_train=None if train_cloud is None else frechet_distance(train_cloud, real_cloud),
        floor_rendered=None if rendered_cloud is None else frechet_distance(rendered_cloud, real_cloud),
        kid=kernel_distance(cloud, real_cloud),
        kid_train=None if train_cloud is None else kernel_distance(train_cloud, real_cloud),
        inception_score=None if logits is None else inception_score(logits),
        inception_score_real=None if real_logits is None else inception_score(real_logits),
        precision_recall=precision_recall(cloud, real_cloud),
        precision_recall_train=None if train_cloud is None else precision_recall(train_cloud, real_cloud),
        label_accuracy=accuracy(used, logits, None if asked is None else asked[:num]),
        label_accuracy_real=accuracy(reference, real_logits, reference.labels),
        memorisation=copied,
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


def _asked_labels(generated: ImageSet, labels: np.ndarray | None) -> np.ndarray | None:
    asked = generated.labels if labels is None else np.asarray(labels)
    if asked is not None and len(asked) != len(generated):
        raise InputError(f"{len(generated)} generated images came with {len(asked)} labels: one an image is needed")
    return asked


def _classifier(judge: FeatureSpace) -> Classifier:
    if not isinstance(judge.network, Classifier):
        raise InputError(f"{judge.name}: cannot name classes; give a classifier as judge")
    return judge.network
