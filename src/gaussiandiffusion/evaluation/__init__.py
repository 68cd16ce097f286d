"""Measures of generated images, each beside the floors that give it a meaning."""

from gaussiandiffusion.evaluation.accuracy import label_accuracy
from gaussiandiffusion.evaluation.evaluate import evaluate
from gaussiandiffusion.evaluation.features import (
    FeatureSpace,
    bundled_features,
    extract_features,
    features_for,
    load_features,
)
from gaussiandiffusion.evaluation.frechet import frechet_distance
from gaussiandiffusion.evaluation.inception_score import inception_score
from gaussiandiffusion.evaluation.inputs import check_unit_images, unit_images
from gaussiandiffusion.evaluation.kernel_distance import KernelDistance, kernel_distance
from gaussiandiffusion.evaluation.memorisation import Memorisation, memorisation, nearest_images, neighbours_picture
from gaussiandiffusion.evaluation.neighbours import PrecisionRecall, precision_recall
from gaussiandiffusion.evaluation.report import EvaluationReport

__all__ = [
    "EvaluationReport",
    "FeatureSpace",
    "KernelDistance",
    "Memorisation",
    "PrecisionRecall",
    "bundled_features",
    "check_unit_images",
    "evaluate",
    "extract_features",
    "features_for",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "label_accuracy",
    "load_features",
    "memorisation",
    "nearest_images",
    "neighbours_picture",
    "precision_recall",
    "unit_images",
]
