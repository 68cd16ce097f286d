"""Batches in a seeded order, prepared in the background while the network learns from those before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from gaussiandiffusion.diffusion import Objective, couple
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.seeds import Stream, generator_for, seed_for
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.latents import TrainingSet, placed, take
from gaussiandiffusion.training.loss import Draw, Dropout

PREFETCH = 2  # batches
CPU = torch.device("cpu")

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Batch:
    """One process's share of a batch.

    Attributes:
        latents, conditions: of this process.
        draw: the random part that goes with them.
        goals: the pictures that drawings are compared with; None: those of the latents.
    """

    latents: Float[Tensor, "b ..."]
    conditions: Conditions
    draw: Draw
    goals: Float[Tensor, "b c h w"] | None = None


@contextmanager
def load_batches(
    data: TrainingSet,
    config: TrainConfig,
    objective: Objective,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    device: torch.device = CPU,
) -> Iterator[Iterator[Batch]]:
    """Endless batches from number `start` on; leaving the context ends the thread that prepares them.

    Encoding and coupling run beside the training, since neither holds Python's lock while it computes. Latents made
    before lie on the device, and what is random is drawn there, by a generator of (seed, step); what the CPU makes goes
    there beside the training, too.

    Args:
        rank, world: this process, of how many; every `world`-th sample of a batch is its share.
        device: where the network learns.
    """
    seed, accumulation = config.optimiser.seed, config.optimiser.accumulation
    coupling, attributes = config.objective.coupling, len(data.conditions.spec.sizes)
    drawn_on = device if coupling == "independent" else CPU
    data = data.on(device)
    pictures = data.pictures if config.objective.render_goal == "images" else None
    dropout = Dropout(config.objective.label_dropout, config.objective.attribute_dropout)

    def load(address: tuple[int, tuple[int, Tensor]]) -> Batch:
        number, (epoch, indices) = address
        share = indices[rank::world]
        latents = data.latents.take(epoch, share)
        key = seed_for(seed, Stream.DRAW, *divmod(number, accumulation))
        generator = torch.Generator(drawn_on).manual_seed(key)
        shape = (len(indices), *data.representation.latent_shape)
        draw = Draw.of(shape, objective, attributes, dropout, generator).part(rank, world)
        if data.noise is not None:
            draw = replace(draw, noise=take(data.noise, share))
        if coupling != "independent":
            fresh = generator_for(seed, Stream.COUPLING, number, rank)
            draw = replace(draw, noise=couple(latents.cpu(), draw.noise, coupling, fresh))
        place = partial(placed, device=device)
        conditions = data.conditions.select(placed(share, data.conditions.values.device))
        goals = None if pictures is None else place(pictures.goals(epoch, share))
        return Batch(place(latents), conditions, draw.placed(place), goals)

    numbered = enumerate(batches(len(data), config.optimiser.batch_size, seed, start), start)
    with prefetched(load, numbered) as stream:
        yield stream


def batches(size: int, batch_size: int, seed: int, start: int = 0) -> Iterator[tuple[int, Int64[Tensor, " b"]]]:
    """Endless batches as (epoch, indices), shuffled anew each epoch; batch number `start` on.

    The order depends on (seed, epoch) alone, so a resumed training sees what an uninterrupted one would.
    """
    batch_size = min(batch_size, size)
    per_epoch = size // batch_size
    epoch, first = divmod(start, per_epoch)
    while True:
        order = torch.randperm(size, generator=generator_for(seed, Stream.ORDER, epoch))
        for i in range(first, per_epoch):
            yield epoch, order[i * batch_size : (i + 1) * batch_size]
        epoch, first = epoch + 1, 0


@contextmanager
def prefetched(
    work: Callable[[Item], Result], items: Iterable[Item], depth: int = PREFETCH
) -> Iterator[Iterator[Result]]:
    """The results of `work` on each item, in order, computed by one thread up to `depth` ahead of their use.

    An error in `work` is raised where its result is asked for. Leaving the context, however that happens, waits for
    the item in work, forgets the others and ends the thread.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="prefetch")

    def results() -> Iterator[Result]:
        pending: deque[Future[Result]] = deque()
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > depth:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()

    try:
        yield results()
    finally:
        pool.shutdown(cancel_futures=True)
