"""The flags --canvas, --fit and --mode, for every verb that reads pictures."""

from __future__ import annotations

from typing import Annotated

import tyro

from gaussiandiffusion.data.framing import Framing

FramingFlags = Annotated[Framing, tyro.conf.arg(name="")]
