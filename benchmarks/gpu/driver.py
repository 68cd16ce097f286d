"""The version of NVIDIA's driver, where the system tells."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

TOLD = Path("/proc/driver/nvidia/version")
PATIENCE = 10  # seconds


def driver_version(told: Path = TOLD) -> str | None:
    """Such as "550.54.15"; None where nobody says."""
    return _by_tool() or _in_file(told)


def _by_tool() -> str | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    words = [tool, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        said = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return said.strip().partition("\n")[0].strip() or None


def _in_file(path: Path) -> str | None:
    try:
        text = path.read_text()
    except OSError:
        return None
    found = re.search(r"\b\d{3,}(?:\.\d+)+\b", text)
    return found[0] if found else None
