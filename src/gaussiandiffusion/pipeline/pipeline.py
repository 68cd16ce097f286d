"""`GaussianDiffusionPipeline`: our model as a pipeline of diffusers, for those who work with its tools."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from diffusers import DiffusionPipeline

from gaussiandiffusion.pipeline.model import GaussianDiffusion


class GaussianDiffusionPipeline(GaussianDiffusion, DiffusionPipeline):
    """A `GaussianDiffusion` that diffusers knows as one of its pipelines; all that it does is done there.

    Args:
        args, kwargs: as `GaussianDiffusion`.

    Raises:
        InputError: as `GaussianDiffusion`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        DiffusionPipeline.__init__(self)
        GaussianDiffusion.__init__(self, *args, **kwargs)
        self.register_to_config(**self.config)  # for what diffusers shows of a pipeline

    functools.update_wrapper(__init__, GaussianDiffusion.__init__)  # diffusers looks at the arguments' names

    def save_pretrained(self, folder: str | os.PathLike[str], push_to_hub: bool = False, **kwargs: Any) -> None:
        """Write a model's folder.

        Args:
            push_to_hub: also upload it; then `repo_id` and what else diffusers' `push_to_hub` takes.
        """
        super().save_pretrained(folder)
        if push_to_hub:
            self.push_to_hub(kwargs.pop("repo_id", Path(folder).name), **kwargs)
