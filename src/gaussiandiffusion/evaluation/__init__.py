"""Measures of generated images, each beside the floors that give it a meaning."""

from gaussiandiffusion.evaluation.accuracy import label_accuracy
from gaussiandiffusion.evaluation.evaluate import evaluate
from gaussiandiffusion.evaluation.features import (
    FeatureSpace,
    bundled_features,
    extract_features,
    load_features,
)
from gaussiandiffusion.evaluation.frechet import frechet_distance
from gaussiandiffusion.evaluation.inputs import check_unit_images, unit_images
from gaussiandiffusion.evaluation.report import EvaluationReport

__all__ = [
    "EvaluationReport",
    "FeatureSpace",
    "bundled_features",
    "check_unit_images",
    "evaluate",
    "extract_features",
    "frechet_distance",
    "label_accuracy",
    "load_features",
    "unit_images",
]
