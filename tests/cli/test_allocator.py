"""Freed memory is kept, unless the user has said otherwise."""

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
from gaussiandiffusion.cli.allocator import keep_memory
print(keep_memory() if sys.argv[1] == "keep" else None)
import numpy as np
def work(_):
    for size in (300_000, 2_000_000, 500_000):
        np.ones(size, np.uint8)
with ThreadPoolExecutor(1) as pool:
    list(pool.map(work, range(5)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    list(pool.map(work, range(200)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def run(word, **environment):
    around = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")} | environment
    done = subprocess.run([sys.executable, "-c", FAULTS, word], capture_output=True, text=True, env=around, timeout=60)
    assert done.returncode == 0, done.stderr
    said, faults = done.stdout.split()
    return said, int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has its own ways")
def test_freed_memory_is_not_asked_for_again():
    said, faults = run("keep")
    assert said == "True"
    assert faults < 1000
    assert run("leave", MALLOC_MMAP_THRESHOLD_="131072")[1] > 10 * faults


@pytest.mark.parametrize("name", ["MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_what_the_user_has_said_is_left_alone(name):
    value = "glibc.malloc.check=0" if name == "GLIBC_TUNABLES" else "131072"
    assert run("keep", **{name: value})[0] == "False"
