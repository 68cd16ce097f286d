"""The flags for what files of other systems do not say, for every verb that reads sets."""

from __future__ import annotations

from typing import Annotated

import tyro

from gaussiandiffusion.data.reading import SetFlags

ReadingFlags = Annotated[SetFlags, tyro.conf.arg(name="")]
