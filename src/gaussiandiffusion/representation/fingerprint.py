"""Which latent space a network was trained in."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaussiandiffusion.representation import Representation


def fingerprint(representation: Representation) -> str:
    """SHA-256 of a representation's settings and tensors: template and latent statistics."""
    settings = {name: value for name, value in representation.config.items() if not name.startswith("_")}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name, value in sorted(representation.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.float().cpu().numpy().tobytes())
    return digest.hexdigest()
