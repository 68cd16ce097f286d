"""Inception-v3 features as the field's published FID uses them, through the extra `[inception]`."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.files import atomic_path

INCEPTION_LAYER = "2048 (last average pool)"


class InceptionFeatures(nn.Module):
    """Adapter from this package's images to torch-fidelity's extractor, which takes RGB bytes of any size.

    Args:
        extractor: uint8 [N, 3, H, W] -> a tuple with features [N, 2048].
        classify_head: features -> logits, for the inception score.
    """

    num_features: int = 2048

    def __init__(self, extractor: nn.Module, classify_head: nn.Module | None = None) -> None:
        super().__init__()
        self.extractor = extractor
        self.classify_head = classify_head

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 2048"]:
        """Features of images in [0, 1]; grey ones are shown in three equal channels.

        Raises:
            InputError: neither one nor three channels.
        """
        if images.shape[1] not in (1, 3):
            raise InputError(f"Inception takes grey or RGB images, these have {images.shape[1]} channels")
        colour = images.expand(-1, 3, -1, -1)
        return self.extractor((colour * 255).round().byte())[0]


def load_inception() -> tuple[InceptionFeatures, str]:
    """The network and the SHA-256 of its weights, downloaded once to torch's cache.

    torch-fidelity itself would unpickle the download whole, so it is given a copy of the tensors alone.

    Raises:
        InputError: torch-fidelity is not installed, or the weights cannot be had.

    Source: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NeurIPS 2017 (FID).
    """
    try:
        # An extra's: the checker may or may not find it.
        from torch_fidelity.feature_extractor_inceptionv3 import (  # type: ignore[import-not-found,unused-ignore]
            URL_INCEPTION_V3,
            FeatureExtractorInceptionV3,
        )
    except ImportError:
        raise InputError("Inception features need torch-fidelity: pip install 'gaussiandiffusion[inception]'") from None
    weights = _download(URL_INCEPTION_V3)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise InputError(f"{weights}: is damaged; delete it and try again") from error
    with tempfile.TemporaryDirectory() as folder:
        tensors = os.path.join(folder, "tensors.pth")
        torch.save(state, tensors)
        extractor = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], tensors)
    classes, width = extractor.fc.weight.shape
    head = nn.Linear(width, classes, bias=False)  # published inception scores leave the bias out
    head.weight = extractor.fc.weight
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    return InceptionFeatures(extractor, head).eval().requires_grad_(False), digest


def _download(url: str) -> Path:
    name = url.rsplit("/", 1)[-1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.exists():
        prefix = name.rsplit("-", 1)[-1].removesuffix(".pth")  # the name ends in the start of its SHA-256
        try:
            with atomic_path(path) as temporary:
                torch.hub.download_url_to_file(url, str(temporary), hash_prefix=prefix, progress=False)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{url}: cannot be downloaded ({error}); put the file at {path}") from error
    return path
