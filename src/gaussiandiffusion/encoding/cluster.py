"""The engine that fits a data set's shards on a cluster, by Ray: the extra `[ray]`.

Pixels are shipped to the workers, which need this package but no access to the images; sets come back and are written
here. A worker fits a shard on one CPU, so every CPU of the cluster has its own.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gaussiandiffusion.encoding.base import Encoded, Encoder
from gaussiandiffusion.encoding.dataset import Engine, Parts, Progress, Results
from gaussiandiffusion.ground.errors import InputError

AHEAD = 2  # shards that wait beside those being fitted, so that no worker does
CONNECT_SECONDS = 10
STORE_BYTES = 1 << 30  # Ray's shared memory for a cluster of this machine alone


def ray_engine(workers: int | None = None) -> Engine:
    """The engine for the cluster that RAY_ADDRESS names or that runs here; otherwise for workers started here.

    Args:
        workers: of a cluster started here; default: one for each CPU.

    Raises:
        InputError: Ray is not installed; when it runs: no cluster answers at RAY_ADDRESS, or its workers fail.
    """
    ray = _ray()

    def fit(encoder: Encoder, parts: Parts, target_psnr: float | None, progress: Progress) -> Results:
        with _cluster(ray, workers):
            fit_part = ray.remote(num_cpus=1, max_retries=3)(_fit_part)
            shared = ray.put(encoder)
            most = int(ray.cluster_resources().get("CPU", 1)) + AHEAD
            running: dict[Any, int] = {}
            failure, more = None, True
            try:
                while True:
                    while more and len(running) < most:
                        try:
                            i, part = next(parts)
                        except StopIteration:
                            more = False
                        except InputError as error:  # told when what is being fitted is finished and written
                            failure, more = error, False
                        else:
                            running[fit_part.remote(shared, part.images, target_psnr)] = i
                            del part
                    if not running:
                        break
                    ready = ray.wait(list(running), num_returns=1)[0][0]
                    i = running.pop(ready)
                    encoded = _result(ray, ready)
                    progress(len(encoded.psnr))
                    yield i, encoded
            finally:
                for task in running:
                    ray.cancel(task)  # by force, Ray can end this process when the task ends at the same time
        if failure is not None:
            raise failure

    return fit


def _fit_part(encoder: Encoder, images: np.ndarray, target_psnr: float | None) -> Encoded:
    return encoder.encode(images, target_psnr=target_psnr, threads=1)


def _result(ray: Any, task: Any) -> Encoded:
    try:
        return ray.get(task)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause if isinstance(error.cause, Exception) else error
        if isinstance(cause, InputError):
            raise InputError(str(cause)) from None
        raise InputError(f"a Ray worker failed: {_line(cause)}; is the same version installed there?") from error
    except ray.exceptions.RayError as error:
        raise InputError(f"the Ray cluster failed: {_line(error)}; finished shards are kept for --resume") from error


def _line(error: Exception) -> str:
    return next((line.strip() for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)


@contextmanager
def _cluster(ray: Any, workers: int | None) -> Iterator[None]:
    """A connection to a cluster; ended, with all workers started here, unless there was one before."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report to its makers
    _check_address(os.environ.get("RAY_ADDRESS", ""))
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    try:
        ray.init(address="auto", **quiet)
    except Exception as error:
        if os.environ.get("RAY_ADDRESS"):
            raise InputError(
                f"RAY_ADDRESS={os.environ['RAY_ADDRESS']}: no Ray cluster there ({_line(error)})"
            ) from error
        ray.init("local", num_cpus=workers, include_dashboard=False, object_store_memory=STORE_BYTES, **quiet)
    try:
        yield
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """Refuse a dead address at once: Ray itself tries for more than a minute, and may then end the process."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"RAY_ADDRESS={address}: no Ray cluster answers ({_line(error)}); start it first") from error


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise InputError("the engine ray needs Ray; install it with: pip install 'gaussiandiffusion[ray]'") from None
    return ray
