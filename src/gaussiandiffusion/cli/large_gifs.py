"""What is said of a GIF that came out large."""

from __future__ import annotations

import sys
from pathlib import Path


def note_large(path: Path) -> None:
    """Say on stderr that a file is a GIF above what fewer colours could bring it below, and what does make it small."""
    from gaussiandiffusion.rendering.media import GIF_BYTES

    if path.suffix.lower() == ".gif" and path.stat().st_size > GIF_BYTES:
        size = f"{path.stat().st_size / 1e6:.1f} MB"
        print(f"{path}: {size}, with as few colours as do; smaller pictures (--size), fewer of them or fewer frames "
              "make it smaller, and so does MP4", file=sys.stderr)  # fmt: skip
