"""Which precision is taken: by what the device can do, and by a trial."""

import time

import pytest
import torch

from gaussiandiffusion.models import precision as module
from gaussiandiffusion.models.precision import faster_precision, mixed, multiplies_bf16

CPU = torch.device("cpu")


@pytest.fixture
def capable(monkeypatch):
    """As on a processor with AVX-512 and products of bfloat16."""
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.delenv("DNNL_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)


def slow(seconds_of_bf16):
    """Work of 1 ms, and of so many seconds where bfloat16 is asked for."""
    return lambda: time.sleep(seconds_of_bf16 if torch.is_autocast_enabled("cpu") else 0.001)


def test_the_faster_one_is_taken(capable):
    assert faster_precision(slow(0.0004), CPU).precision == "bf16"
    assert faster_precision(slow(0.003), CPU).precision == "no"
    assert "took" in faster_precision(slow(0.003), CPU).why


def test_what_gains_next_to_nothing_stays_in_float32(capable):
    assert faster_precision(lambda: time.sleep(0.002), CPU).precision == "no"


@pytest.mark.parametrize("isa", ["avx2", "AVX512_CORE", "AVX512_CORE_VNNI"])
@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
def test_a_processor_told_to_have_less_is_not_tried(capable, monkeypatch, name, isa):
    assert multiplies_bf16(CPU)
    monkeypatch.setenv(name, isa)
    assert not multiplies_bf16(CPU)
    assert faster_precision(lambda: pytest.fail("tried"), CPU).precision == "no"


def test_without_wide_vectors_there_are_none(capable, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")  # as ATEN_CPU_CAPABILITY=avx2 does
    assert not multiplies_bf16(CPU)


def test_apples_gpu_is_left_in_float32():
    assert not multiplies_bf16(torch.device("mps"))


def test_a_trial_is_short(capable):
    started = time.perf_counter()
    faster_precision(lambda: time.sleep(0.001), CPU)
    assert time.perf_counter() - started < 0.5  # 50 ms on a machine with nothing else to do


def test_mixed_precision_is_of_the_products_alone():
    a = torch.ones(2, 2)
    with mixed(CPU, "bf16"):
        assert (a @ a).dtype == torch.bfloat16
    with mixed(CPU, "no"):
        assert (a @ a).dtype == torch.float32
