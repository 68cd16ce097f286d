"""Training state in fewer bits: rounded while training goes on, so that nothing is lost when it is saved."""

import copy
import zlib

import pytest
import torch
from diffusers.training_utils import EMAModel
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.training import checkpoint
from gaussiandiffusion.training.average import Average
from gaussiandiffusion.training.config import TrainConfig
from gaussiandiffusion.training.packing import pack, packed, unpack, unpacked
from gaussiandiffusion.training.presets import with_settings
from gaussiandiffusion.training.rounding import round_to_
from gaussiandiffusion.training.trainer import Trainer

FINITE = st.floats(-(2.0**100), 2.0**100, width=32)


@pytest.fixture(scope="module")
def config(stroke_file):
    return with_settings(
        TrainConfig(),
        data=str(stroke_file), splats=8, iterations=5, network="tiny", max_steps=6, batch_size=16, log_every=1,
        render_weight=1.0, sample_every=1000, checkpoint_every=1000, warmup_steps=2, num_inference_steps=2,
    )  # fmt: skip


@given(st.lists(FINITE, min_size=1, max_size=20), st.sampled_from([16, 24]))
def test_rounding_is_to_the_nearest_and_done_once(values, bits):
    numbers = torch.tensor(values)
    before = numbers.clone()
    round_to_(numbers, bits)
    tolerance = {16: 2.0**-8, 24: 2.0**-16}[bits]
    assert ((numbers - before).abs() <= tolerance * before.abs() + 1e-38).all()
    again = numbers.clone()
    round_to_(again, bits)
    assert torch.equal(again, numbers)


@given(st.lists(FINITE, min_size=6, max_size=6), st.sampled_from([16, 24]))
def test_rounded_numbers_are_written_whole(values, bits):
    numbers = torch.tensor(values)
    round_to_(numbers, bits)
    written = pack(numbers.view(2, 3), bits)
    assert written["others"].shape == (6, bits // 8 - 1)
    assert torch.equal(unpack(written), numbers.view(2, 3))


@pytest.mark.parametrize("change", [{"shape": [3, 3]}, {"first": torch.zeros(4, dtype=torch.uint8)}, {"others": 3}])
def test_what_was_not_written_so_is_refused(change):
    written = pack(torch.ones(2, 3), 16) | change
    with pytest.raises((ValueError, TypeError, zlib.error)):
        unpack(written)


def test_the_average_is_the_usual_one():
    torch.manual_seed(0)
    network = nn.Linear(7, 5)
    usual, ours = EMAModel(network.parameters(), decay=0.99), Average(network.parameters(), 0.99)
    for _ in range(300):
        with ours.following(), torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        usual.step(network.parameters())
    raw = copy.deepcopy(network.state_dict())
    with ours.in_place():
        for found, wanted in zip(network.parameters(), usual.shadow_params, strict=True):
            torch.testing.assert_close(found.detach(), wanted, rtol=1e-4, atol=1e-5)
    assert all(torch.equal(raw[name], value) for name, value in network.state_dict().items())


def test_a_constant_pull_moves_the_average_all_the_way():
    weight = torch.zeros(1)
    average = Average([weight], 0.999)
    for _ in range(2):
        with average.following():
            pass
    with average.following():
        weight.fill_(1.0)
    for _ in range(20_000):
        with average.following():
            pass
    assert abs(float(average.differences[0])) < 1e-6


def test_a_state_takes_eleven_bytes_a_weight(config, data, tmp_path):
    trainer = Trainer(config, data, tmp_path, "cpu")
    assert trainer.train()
    (path,) = checkpoint.checkpoints(tmp_path)
    weights = sum(parameter.numel() for parameter in trainer.model.parameters())
    assert path.stat().st_size < 11 * weights + 100_000


def test_packing_loses_nothing_of_a_trainings_state(config, data, tmp_path):
    trainer = Trainer(config, data, tmp_path, "cpu")
    with trainer._batches() as feed:
        for _ in range(3):
            trainer.work.advance(feed)
    state = vars(trainer.work.state())
    again = unpacked(packed(state))
    for i, held in state["optimizer"]["state"].items():
        for name in ("exp_avg", "exp_avg_sq", "step"):
            assert torch.equal(again["optimizer"]["state"][i][name].float(), held[name])
    for found, wanted in zip(again["ema"]["differences"], state["ema"]["differences"], strict=True):
        assert torch.equal(found, wanted)


def test_averages_of_a_checkpoint_of_before_are_taken_as_they_are(config, data, tmp_path):
    trainer = Trainer(config, data, tmp_path, "cpu")
    with trainer._batches() as feed:
        trainer.work.advance(feed)
    state = copy.deepcopy(trainer.work.state())
    shadows = [value + 0.01 for value in trainer.model.parameters()]
    state.ema = {"optimization_step": 9, "shadow_params": [shadow.detach() for shadow in shadows]}
    trainer.work.restore(state)
    with trainer.work.averaged():
        for value, shadow in zip(trainer.model.parameters(), shadows, strict=True):
            torch.testing.assert_close(value, shadow, rtol=1e-5, atol=1e-7)
    assert trainer.work.average.steps == 9


class Asked(TorchDispatchMode):
    """What would make a CPU wait for its accelerator: values read, and shapes that depend on them."""

    FORBIDDEN = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal")

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.name().removeprefix("aten::").split(".")[0]
        masked = name == "index" and any(index is not None and index.dtype == torch.bool for index in args[1])
        if name in self.FORBIDDEN or masked:
            self.found.append(function.name())
        return function(*args, **(kwargs or {}))


def test_a_step_reads_nothing_back(config, data, tmp_path):
    trainer = Trainer(config, data, tmp_path, "cpu")
    trainer.work.loss = type(trainer.work.loss)(
        trainer.objective, data.representation, render_weight=1.0, fixed_shapes=True
    )
    with trainer._batches() as feed:
        trainer.work.choose_precision()
        trainer.work.advance(feed)  # measures the share of near times
        batch = next(feed)
        with Asked() as asked:
            trainer.work.advance(iter([batch, batch]))
    assert asked.found == []


def test_a_loss_that_is_no_number_is_told_with_its_steps_and_nothing_is_saved(config, data, tmp_path):
    trainer = Trainer(with_settings(config, log_every=4, max_steps=8), data, tmp_path, "cpu")
    trainer.work.network = lambda noisy, *_: noisy * next(trainer.model.parameters()).sum() * float("nan")
    with pytest.raises(InputError, match="the loss became nan in steps 1 to 4; lower learning_rate"):
        trainer.train()
    assert checkpoint.checkpoints(tmp_path) == []
