"""Measures of generated images, each beside the floors that give it a meaning."""

from gaussiandiffusion.evaluation.evaluate import evaluate
from gaussiandiffusion.evaluation.features.inputs import check_unit_images, unit_images
from gaussiandiffusion.evaluation.features.spaces import FeatureSpace, extract_features, load_features
from gaussiandiffusion.evaluation.measures.accuracy import label_accuracy
from gaussiandiffusion.evaluation.measures.frechet import frechet_distance
from gaussiandiffusion.evaluation.measures.inception_score import inception_score
from gaussiandiffusion.evaluation.measures.kernel_distance import KernelDistance, kernel_distance
from gaussiandiffusion.evaluation.measures.memorisation import (
    Memorisation,
    memorisation,
    nearest_images,
    neighbours_picture,
)
from gaussiandiffusion.evaluation.measures.neighbours import PrecisionRecall, precision_recall
from gaussiandiffusion.evaluation.report import EvaluationReport
from gaussiandiffusion.ground.bundled_features import bundled_features, features_for

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
