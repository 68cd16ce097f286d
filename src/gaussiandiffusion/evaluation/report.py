"""What an evaluation says: the numbers, and everything needed to read and repeat them."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gaussiandiffusion.data import ImageSet
from gaussiandiffusion.evaluation.features.spaces import FeatureSpace
from gaussiandiffusion.evaluation.measures.kernel_distance import KernelDistance
from gaussiandiffusion.evaluation.measures.memorisation import Memorisation
from gaussiandiffusion.evaluation.measures.neighbours import PrecisionRecall
from gaussiandiffusion.evaluation.measures.paired import Paired
from gaussiandiffusion.ground.files import write_json


@dataclass(frozen=True)
class SourceRecord:
    """Which images were measured.

    Attributes:
        name: of the data set, file or folder.
        split: "train", "test" or None.
        images: how many, of how many the source has.
        available: how many the source has.
        sha256: of the images measured.
    """

    name: str
    split: str | None
    images: int
    available: int
    sha256: str

    @classmethod
    def of(cls, source: ImageSet, used: ImageSet) -> SourceRecord:
        """The record of the part `used` of `source`."""
        return cls(source.name, source.split, len(used), len(source), used.sha256)


@dataclass(frozen=True)
class FeatureRecord:
    """Which feature network measured.

    Attributes:
        name: bundled name, folder name or "inception".
        layer: which layer the features are.
        dimension: length of a feature vector.
        sha256: of the file of weights.
        training: how a network was learned for this evaluation; None for all others.
    """

    name: str
    layer: str
    dimension: int
    sha256: str
    training: dict[str, Any] | None = None

    @classmethod
    def of(cls, space: FeatureSpace) -> FeatureRecord:
        """The record of a loaded feature space."""
        return cls(space.name, space.layer, space.dimension, space.sha256, space.training)


@dataclass(frozen=True)
class EvaluationReport:
    """One row of results.

    Attributes:
        num: images on each side of every distance.
        fid: generated against real.
        floor_train: F, as many real train images against the same real images; None where not asked for.
        floor_rendered: R, encoded and rendered real images against themselves; None where not asked for.
        kid: kernel distance, generated against real.
        kid_train: of the images of F.
        inception_score: of the generated images, by the feature network's own classes; None if it has none.
        inception_score_real: of the real images, near the most that can be expected.
        precision_recall: generated against real.
        precision_recall_train: of the images of F.
        label_accuracy: fraction of generated images that the judge assigns to the label they were asked to show, or to
            all of them; None without labels.
        label_accuracy_real: the same judge on the real images, the most that can be expected.
        attribute_accuracy: of each attribute by itself.
        attribute_accuracy_real: of the real images.
        paired: generated images against the true ones; None where conditions do not determine the picture.
        memorisation: distances to the nearest training images; None where no train images were given.
        features: what all but label accuracy and memorisation were measured with.
        judge: what the label accuracies were measured with.
        generated: the set judged.
        real: the reference.
        train: the set of F; its `available` images are those of the memorisation check.
        rendered: the set of R.
        seed: of the generated set, as its maker says.
        machine: words about the machine, never its name.
        versions: of the libraries that matter.
    """

    num: int
    fid: float
    floor_train: float | None
    floor_rendered: float | None
    kid: KernelDistance
    kid_train: KernelDistance | None
    inception_score: float | None
    inception_score_real: float | None
    precision_recall: PrecisionRecall
    precision_recall_train: PrecisionRecall | None
    label_accuracy: float | None
    label_accuracy_real: float | None
    attribute_accuracy: dict[str, float] | None
    attribute_accuracy_real: dict[str, float] | None
    paired: Paired | None
    memorisation: Memorisation | None
    features: FeatureRecord
    judge: FeatureRecord | None
    generated: SourceRecord
    real: SourceRecord
    train: SourceRecord | None
    rendered: SourceRecord | None
    seed: int | None
    machine: dict[str, Any]
    versions: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return dataclasses.asdict(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report as JSON.

        Raises:
            InputError: the file cannot be written.
        """
        write_json(Path(path), self.to_dict())
