"""Measure generated images against real ones, with the floors that give the numbers their meaning."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation.features.learned import learn_features
from gaussiandiffusion.evaluation.features.spaces import BATCH_SIZE, FeatureSpace, extract_features, load_features
from gaussiandiffusion.evaluation.measures.accuracy import (
    Classifier,
    LabelAccuracy,
    Several,
    aligned,
    right_verdicts,
    verdicts,
)
from gaussiandiffusion.evaluation.measures.frechet import frechet_distance
from gaussiandiffusion.evaluation.measures.inception_score import class_logits, inception_score
from gaussiandiffusion.evaluation.measures.kernel_distance import kernel_distance
from gaussiandiffusion.evaluation.measures.memorisation import memorisation
from gaussiandiffusion.evaluation.measures.neighbours import precision_recall
from gaussiandiffusion.evaluation.measures.paired import paired
from gaussiandiffusion.evaluation.report import EvaluationReport, FeatureRecord, SourceRecord
from gaussiandiffusion.evaluation.sides import rendered_images, train_images, two_sides
from gaussiandiffusion.ground.attributes import ConditionColumns
from gaussiandiffusion.ground.bundled_features import SELF
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
        features: the space to measure in: a name or path for `load_features`, a loaded space, or "self" for one that is
            learned from `real` first.
        num: images on each side, the first so many; default: all, and then both sides must have equally many.
        floor_train: all real train images, none of them in `real`: the first `num` for F and its like, all for the
            memorisation check.
        floor_rendered: the first `num` real images encoded and rendered, or a function that does so, for R.
        labels: the class each generated image was asked to show; default: the conditions of `generated`, if any.
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
    if features == SELF:
        begin("learning features")
        features = learn_features(real, min(len(real) if num is None else num, len(real)))
    space = _load(features)
    used, reference = two_sides(generated, real, num, space.dimension)
    num = len(reference)
    train = train_images(floor_train, reference)
    asked = _asked(generated, labels)
    referee = _referee(space, judge, asked)

    begin("features")
    cloud = extract_features(space.network, used.images, batch_size)
    real_cloud = extract_features(space.network, reference.images, batch_size)
    train_cloud = None if train is None else extract_features(space.network, train.images, batch_size)
    logits, real_logits = (class_logits(space.network, each) for each in (cloud, real_cloud))

    def seen(images: ImageSet, logits: Tensor | None) -> np.ndarray | None:
        if referee is None:
            return None
        if referee is space and logits is not None:
            return _most_probable(space.network, logits)
        return verdicts(_classifier(referee), images.images, batch_size=batch_size)

    asked = None if asked is None else asked.take(slice(num))
    shown, real_shown = seen(used, logits), seen(reference, real_logits)
    accuracy = _accuracy(referee, shown, asked)
    real_accuracy = _accuracy(referee, real_shown, reference.conditions, accuracy)

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
        inception_score=_score(space.network, logits),
        inception_score_real=_score(space.network, real_logits),
        precision_recall=precision_recall(cloud, real_cloud),
        precision_recall_train=None if train_cloud is None else precision_recall(train_cloud, real_cloud),
        label_accuracy=None if accuracy is None else accuracy.all,
        label_accuracy_real=None if real_accuracy is None else real_accuracy.all,
        attribute_accuracy=None if accuracy is None else accuracy.attributes,
        attribute_accuracy_real=None if real_accuracy is None else real_accuracy.attributes,
        paired=None if asked is None else paired(used.images, asked, real, _in_spec_of(real, referee, shown)),
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


def _asked(generated: ImageSet, labels: np.ndarray | None) -> ConditionColumns | None:
    if labels is None:
        return generated.conditions
    if len(labels) != len(generated):
        raise InputError(f"{len(generated)} generated images came with {len(labels)} labels: one an image is needed")
    return ConditionColumns.of_labels(np.asarray(labels))


def _referee(space: FeatureSpace, judge: Features | None, asked: ConditionColumns | None) -> FeatureSpace | None:
    """Who tells what images show, if anything was asked: refused before anything is computed if it cannot."""
    if asked is None or (judge is None and not isinstance(space.network, Classifier)):
        return None
    referee = space if judge is None else _load(judge)
    _classifier(referee)
    return referee


def _classifier(judge: FeatureSpace) -> Classifier:
    if not isinstance(judge.network, Classifier):
        raise InputError(f"{judge.name}: cannot name classes; give a classifier as judge")
    return judge.network


def _most_probable(network: nn.Module, logits: Tensor) -> np.ndarray:
    classes = network.most_probable(logits) if isinstance(network, Several) else logits.argmax(1, keepdim=True)
    return classes.numpy()


def _score(network: nn.Module, logits: Tensor | None) -> float | None:
    """The inception score, of networks of one attribute."""
    several = isinstance(network, Several) and len(network.spec.attributes) > 1
    return None if logits is None or several else inception_score(logits)


def _accuracy(
    referee: FeatureSpace | None,
    shown: np.ndarray | None,
    conditions: ConditionColumns | None,
    beside: LabelAccuracy | None = None,
) -> LabelAccuracy | None:
    """How often the referee's verdicts are as conditions say, in the attributes of another accuracy if there is one."""
    if referee is None or shown is None or conditions is None:
        return None
    right = right_verdicts(_classifier(referee), shown, conditions)
    return LabelAccuracy.of({name: each for name, each in right.items() if not beside or name in beside.attributes})


def _in_spec_of(real: ImageSet, referee: FeatureSpace | None, shown: np.ndarray | None) -> dict[str, np.ndarray] | None:
    """Verdicts as indices of the real images' values, attribute by attribute."""
    if referee is None or shown is None or real.conditions is None or not isinstance(referee.network, Several):
        return None
    return aligned(ConditionColumns(referee.network.spec, shown), real.conditions.spec)
