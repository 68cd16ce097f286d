"""What the GPU's figures are made with: clocks, laps, deadlines, ceilings, kernels, drawn pictures."""

import itertools
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from benchmarks.gpu import kernels, pictures
from benchmarks.gpu.clock import Clock, Laps, tensor_floats
from benchmarks.gpu.deadline import Deadline, TimeUp, enforced
from benchmarks.gpu.driver import driver_version
from benchmarks.gpu.figures import Figure, LeftOut, each
from benchmarks.gpu.rates import Rates, products_name
from torch import nn
from torch.autograd import DeviceType

CPU = torch.device("cpu")
RATES = Rates({"float32": 10.0, "bfloat16": 40.0}, host=2.0, copy=8.0, upload=None, launch=0.5)


@pytest.fixture
def cuda_of_cardboard(monkeypatch):
    """Events that are stamped by a clock which goes on by 3 ms whenever it is looked at."""
    now, waited = itertools.count(0, 3), []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self, stream):
            self.milliseconds = next(now)

        def elapsed_time(self, later):
            return float(later.milliseconds - self.milliseconds)

    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: None)
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    return waited


def test_events_are_read_as_milliseconds_and_waited_for(cuda_of_cardboard):
    clock = Clock(torch.device("cuda"), hurry=0.01)
    timing = clock.median(lambda: None, within=1.0)
    assert timing.seconds == pytest.approx(0.003)
    assert timing.calls == 1
    assert len(cuda_of_cardboard) == 2 * (2 + timing.repeats)  # before and after every measurement and two single calls
    laps = Laps(clock)
    for name in ("begin", "a", "b", "a"):
        laps.mark(name)
    assert laps.totals() == pytest.approx({"a": 0.006, "b": 0.003})


def test_a_median_is_of_single_calls_however_many_are_measured_at_once():
    timing = Clock(CPU).median(lambda: time.sleep(1e-4), within=0.05)
    assert timing.calls > 1
    assert 1e-4 <= timing.seconds < 1e-2


def test_laps_belong_to_the_name_that_ends_them(monkeypatch):
    laps = Laps(Clock(CPU))
    laps.marks = [("begin", 0.0), ("a", 1.0), ("b", 1.5), ("a", 4.5), ("b", 5.5)]
    assert laps.totals() == {"a": 4.0, "b": 1.5}
    assert laps.medians() == {"a": 2.0, "b": 0.75}
    assert laps.medians(skip=1) == {"a": 3.0, "b": 1.0}
    laps.close()
    laps.mark("a")
    assert len(laps.marks) == 5


def test_the_precision_of_products_is_put_back():
    before = torch.get_float32_matmul_precision()
    with tensor_floats(True):
        assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == before


def test_a_deadline_is_over_when_its_time_is():
    assert Deadline(0).over
    assert 0 < Deadline(100).left <= 100


def test_what_does_not_end_is_ended_and_what_does_is_not():
    def endless():
        with enforced(0.05):
            while True:
                pass

    with pytest.raises(TimeUp):
        endless()
    with enforced(0.05):
        pass
    time.sleep(0.1)


def test_shares_are_one_at_the_ceiling_whichever_way_is_better():
    assert Figure("rate", 3.0, "/s", rate=True, ceiling=4.0).share == 0.75
    assert Figure("time", 4.0, "s", ceiling=3.0).share == 0.75
    assert Figure("time", 4.0, "s").share is None
    assert Figure("rate", 3.0, "/s", rate=True, target=3.0).met is True
    assert Figure("time", 3.0, "s", target=2.0).met is False
    assert Figure("time", 3.0, "s").met is None
    for value in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="measured"):
            Figure("time", value, "s")


def test_a_work_that_fails_does_not_end_the_others():
    def broken():
        yield Figure("half", 1.0, "s")
        raise MemoryError

    def sound():
        yield Figure("whole", 1.0, "s")

    def endless():
        while True:
            pass
        yield

    entries = list(each([("broken", broken), ("sound", sound)], Deadline(100)))
    assert entries == [Figure("half", 1.0, "s"), LeftOut("broken", "MemoryError"), Figure("whole", 1.0, "s")]
    with enforced(0.05):
        entries = list(each([("endless", endless), ("sound", sound)], Deadline(0.04)))
    assert [(entry.name, entry.reason) for entry in entries] == [
        ("endless", "it took longer than was left for it"), ("sound", "no time was left for it")
    ]  # fmt: skip
    assert list(each([("late", sound)], Deadline(0))) == [LeftOut("late", "no time was left for it")]


def test_rates_are_of_the_figures_in_plain_units():
    rates = Rates.of(
        {
            "float32 product": 2.0, "bfloat16 product": 3.0, "float32 product, processor": 0.5,
            "copy on the device": 4.0, "launch of a kernel": 5.0,
        }
    )  # fmt: skip
    assert rates.products == {"float32": 2e12, "bfloat16": 3e12}
    assert (rates.host, rates.copy, rates.upload, rates.launch) == (5e11, 4e9, None, pytest.approx(5e-6))
    with pytest.raises(KeyError):
        Rates.of({"float32 product": 2.0})


def test_a_ceiling_is_never_below_what_wider_products_reach():
    assert RATES.of_products("bfloat16") == 40
    assert RATES.of_products("tf32") == 10
    assert Rates({"float32": 10.0, "bfloat16": 1.0}, 1.0, 1.0, None, 1.0).of_products("bfloat16") == 10


def test_drawing_and_moving_take_what_their_operations_and_bytes_take():
    assert RATES.drawing(100, channels=3) == 100 * 10 / 10
    assert RATES.drawing(100, channels=3, gradients=True, on_host=True) == 100 * 29 / 2
    assert RATES.moving(16) == 8


def test_products_are_called_as_their_rates():
    assert products_name(torch.float32) == "float32"
    assert products_name(torch.bfloat16) == "bfloat16"


def test_kernels_of_a_device_are_counted_without_annotations():
    def event(key, count, microseconds, kind=DeviceType.CUDA, annotation=False):
        return SimpleNamespace(
            key=key, count=count, self_device_time_total=microseconds, self_cpu_time_total=7.0, device_type=kind,
            is_user_annotation=annotation,
        )  # fmt: skip

    events = [
        event("gemm", 4, 300.0),
        event("copy", 2, 100.0),
        event("Optimizer.step", 1, 400.0, annotation=True),
        event("aten::mm", 4, 0.0, kind=DeviceType.CPU),
    ]
    found = kernels._summary(events, cuda=True, seconds=1e-3, launch=5e-6)
    assert found["kernels"] == 6
    assert found["seconds_busy"] == pytest.approx(4e-4)
    assert found["seconds_of_launches"] == pytest.approx(3e-5)
    assert [(row["name"], row["calls"], row["share"]) for row in found["longest"]] == [
        ("gemm", 4, pytest.approx(0.75)), ("copy", 2, pytest.approx(0.25))
    ]  # fmt: skip


def test_what_cannot_be_profiled_says_why():
    def broken():
        raise RuntimeError("no counters")

    assert kernels.busy(Clock(CPU), broken, 1e-6) == {"left_out": "RuntimeError: no counters"}
    layer, batch = nn.Linear(4, 4), torch.zeros(2, 4)
    assert kernels.busy(Clock(CPU), lambda: layer(batch), 1e-6)["kernels"] > 0


def test_the_driver_is_read_where_the_system_tells(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda tool: None)
    told = tmp_path / "version"
    assert driver_version(told) is None
    told.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n")
    assert driver_version(told) == "550.54.15"


def test_drawn_pictures_are_the_same_for_a_seed_and_show_their_classes():
    images, labels = pictures.synthetic(200, seed=3)
    again, _ = pictures.synthetic(200, seed=3)
    other, _ = pictures.synthetic(200, seed=4)
    assert images.shape == (200, 3, 32, 32)
    assert images.dtype == np.uint8
    assert set(labels) == set(range(pictures.CLASSES))
    assert (images == again).all()
    assert (images != other).any()
    assert images.std() > 30  # neither black nor all alike
    assert len(np.unique(images.reshape(200, -1), axis=0)) == 200


def test_training_pictures_are_written_once_and_called_synthetic(tmp_path):
    from gaussiandiffusion.data import load_images

    found = pictures.training_pictures(None, 20, 0, tmp_path)
    assert found.words.startswith("synthetic")
    loaded = load_images(found.source)
    assert len(loaded) == 20
    assert loaded.labels is not None
    given = pictures.training_pictures(tmp_path, 20, 0, tmp_path)
    assert (given.source, given.data_dir) == ("cifar10", tmp_path)
