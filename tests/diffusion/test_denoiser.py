"""A bound denoiser: conditions, guidance, when it applies and away from what."""

import pytest
import torch

from gaussiandiffusion.diffusion import Denoiser, Guidance
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.ground.conditions import Conditions
from gaussiandiffusion.ground.errors import InputError

SPEC = ConditionSpec.of_classes(9)
ASKED = Conditions(SPEC, torch.tensor([[1], [2]]))


def network(sample, timestep, conditions, anchors):
    """Says its class; 9 is "open"."""
    return sample * 0 + conditions[:, 0, None, None].float()


def test_guidance_extrapolates_from_unconditional_to_conditional():
    sample = torch.zeros(2, 3, 6)
    assert torch.equal(Denoiser(network, ASKED)(sample, 500)[:, 0, 0], torch.tensor([1.0, 2.0]))
    strong = Denoiser(network, ASKED, guidance=Guidance(3.0))(sample, 500)
    assert torch.equal(strong[:, 0, 0], torch.tensor([9 + 3.0 * (1 - 9), 9 + 3.0 * (2 - 9)]))

    def weaker(*inputs):
        return 2 * network(*inputs)

    away = Denoiser(network, ASKED, guidance=Guidance(3.0, weaker=weaker))(sample, 500)
    assert torch.equal(away[:, 0, 0], torch.tensor([18 + 3.0 * (1 - 18), 18 + 3.0 * (2 - 18)]))


@pytest.mark.parametrize(("total", "timestep", "applies"), [(1000, 500, True), (1000, 300, False), (200, 100, True)])
def test_guidance_applies_between_two_times_whatever_the_objective_counts_in(total, timestep, applies):
    denoiser = Denoiser(network, ASKED, None, Guidance(3.0, 0.4, 0.6), total)
    assert (float(denoiser(torch.zeros(2, 3, 6), timestep)[0, 0, 0]) != 1) == applies


def test_one_pass_takes_both_halves_of_guidance_and_an_unconditional_network_none():
    seen = []

    def counting(sample, timestep, conditions, anchors):
        seen.append((len(sample), conditions, anchors))
        return sample

    anchors = torch.zeros(3, 2)
    Denoiser(counting, ASKED, anchors, Guidance(2.0))(torch.zeros(2, 3, 6), 1)
    Denoiser(counting, Conditions.ask(ConditionSpec({}), 2), None, Guidance(2.0))(torch.zeros(2, 3, 6), 1)
    assert seen[0][0] == 4
    assert seen[0][1].tolist() == [[1], [2], [9], [9]]
    assert seen[0][2] is anchors
    assert seen[1] == (2, None, None)


def test_predictions_are_float32_whatever_the_network_computes_in():
    denoiser = Denoiser(lambda sample, *rest: sample.bfloat16(), ASKED)
    assert denoiser(torch.zeros(2, 3, 6), 1).dtype == torch.float32


def test_times_out_of_order_are_refused():
    with pytest.raises(InputError, match="0 <= low <= high <= 1"):
        Guidance(2.0, 0.7, 0.3)
