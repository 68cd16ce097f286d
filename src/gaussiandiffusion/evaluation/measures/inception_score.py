"""The inception score: how sure a classifier is of each image, and how varied its verdicts are."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gaussiandiffusion.ground.errors import InputError


@torch.no_grad()
def class_logits(network: nn.Module, features: Float[Tensor, "n f"]) -> Float[Tensor, "n classes"] | None:
    """Logits of images from their features, so that nothing is extracted twice.

    Args:
        network: what made the features; a classifier has a module `classify_head` from features to logits.

    Returns:
        None for a network that cannot classify.
    """
    head = getattr(network, "classify_head", None)
    return None if head is None else head(features)


def inception_score(logits: Float[Tensor, "n classes"]) -> float:
    """exp(E KL(p(y|x) || p(y))), from 1 (all verdicts alike) to the number of classes (sure, and equally many of each).

    Over all images at once, so that no split of them has to be chosen; scores of ten splits are a little lower.

    Args:
        logits: of the images, from any classifier; only scores of the same one compare.

    Raises:
        InputError: no images, or integers.

    Source: Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 4.
    """
    if len(logits) == 0 or not logits.is_floating_point():
        raise InputError(f"an inception score takes floating-point logits, not {logits.dtype} of {len(logits)} images")
    log_given = logits.double().log_softmax(dim=1)  # (n, classes)
    log_marginal = log_given.logsumexp(dim=0) - torch.tensor(float(len(logits)), dtype=torch.float64).log()
    divergence = (log_given.exp() * (log_given - log_marginal)).sum(dim=1)  # (n,)
    return float(divergence.mean().exp())
