"""Cost rows: what is counted, what follows from what, and who is left out."""

import dataclasses
import json

import pytest
import torch

from gaussiandiffusion.diffusion import Objective
from gaussiandiffusion.evaluation.cost.cost_report import CostReport
from gaussiandiffusion.evaluation.cost.flops import parameter_count, pass_flops
from gaussiandiffusion.evaluation.cost.profile import (
    RIVALS,
    Rival,
    comparison,
    profile,
    rival_side,
    timed_works,
)
from gaussiandiffusion.ground.attributes import ConditionSpec
from gaussiandiffusion.models import make_transformer
from gaussiandiffusion.pipeline import GaussianDiffusionPipeline
from gaussiandiffusion.representation import PixelRepresentation, SplatRepresentation
from gaussiandiffusion.splats import Canvas

SMALL = (
    Rival("unet", "unet", 1000),
    Rival("splats", "tiny", 200, num_splats=5, channels=3),
    Rival("patches", "tiny", 10, patch=4, like_model=True),
)


def make_pipeline(height=16, width=16, num_classes=3, scheduler="euler", **kwargs):
    """An untrained model over sets of 8 splats."""
    representation = SplatRepresentation(height, width, 1, {"num_splats": 8}, per_slot=False)
    network = make_transformer("tiny", num_features=6, conditions=ConditionSpec.of_classes(num_classes).to_dict())
    pipeline = GaussianDiffusionPipeline(network.eval(), representation, Objective("flow").scheduler, **kwargs)
    return pipeline.with_scheduler(scheduler)


@pytest.fixture(scope="module")
def report():
    pipeline = make_pipeline(num_inference_steps=6, guidance_scale=1.5)
    sides, left_out = comparison("model", pipeline, SMALL)
    rows = profile(sides, batch_size=2, repeats=2)
    return CostReport.of("model", pipeline, rows, left_out, batch_size=2, repeats=2)


def test_rows_say_what_was_counted(report):
    model = report.rows[0]
    assert [row.name for row in report.rows] == ["model", "unet", "splats", "patches"]
    assert [row.latent_shape for row in report.rows] == [(8, 6), (1, 16, 16), (5, 8), (16, 16)]
    assert [row.tokens for row in report.rows] == [8, None, 5, 16]
    assert [row.representation for row in report.rows] == ["splats", "pixels", "splats", "pixels"]
    assert [row.trained for row in report.rows] == [True, False, False, False]
    network = make_transformer("tiny", num_features=6, conditions=ConditionSpec.of_classes(3).to_dict())
    representation = SplatRepresentation(16, 16, 1, {"num_splats": 8}, per_slot=False)
    assert model.parameters == parameter_count(network)
    assert model.flops_per_pass == pass_flops(network, representation)
    assert not report.left_out


def test_guidance_doubles_passes_of_the_model_and_of_what_is_like_it(report):
    assert [row.passes for row in report.rows] == [12, 1000, 200, 20]
    plain, _ = comparison("model", make_pipeline(num_inference_steps=6), SMALL)
    assert [side.passes for side in plain] == [6, 1000, 200, 10]
    unconditional, _ = comparison("model", make_pipeline(num_classes=0, guidance_scale=1.5), SMALL[2:])
    assert [side.passes for side in unconditional] == [10, 10]
    twice, _ = comparison("model", make_pipeline(num_inference_steps=6, scheduler="heun"), ())
    assert twice[0].passes == 11  # two a step, but for the last


def test_totals_and_ratios_follow_from_the_parts(report):
    record = report.to_dict()
    model = record["rows"][0]
    for row in record["rows"]:
        assert row["flops_per_image"] == row["passes"] * row["flops_per_pass"]
        assert (row["render_milliseconds"] > 0) == (row["representation"] == "splats")
        milliseconds = row["passes"] * row["milliseconds_per_pass"] + row["render_milliseconds"]
        assert row["seconds_per_image"] == pytest.approx(milliseconds / 1000)
        assert row["extrapolated"]
        assert row["flops_ratio"] == row["flops_per_image"] / model["flops_per_image"]
        assert row["seconds_ratio"] == row["seconds_per_image"] / model["seconds_per_image"]
    assert model["flops_ratio"] == model["seconds_ratio"] == 1


def test_the_report_is_json_and_says_when_it_is_a_trial(report, tmp_path):
    report.save(tmp_path / "profile.json")
    record = json.loads((tmp_path / "profile.json").read_text())
    assert (record["canvas"], record["batch_size"], record["repeats"], record["quick"]) == ([16, 16, 1], 2, 2, True)
    assert not dataclasses.replace(report, repeats=20).to_dict()["quick"]
    assert record["printed"]["seconds_ratio"] == 22


def test_batches_cost_an_image_no_more_operations():
    sides, _ = comparison("model", make_pipeline(), SMALL[:1])
    one, many = (profile(sides, batch_size=size, repeats=1) for size in (1, 3))
    assert [row.flops_per_image for row in one] == [row.flops_per_image for row in many]


def test_rivals_that_the_canvas_does_not_allow_are_left_out_with_the_reason():
    sides, left_out = comparison("model", make_pipeline(18, 18), SMALL)
    assert [side.name for side in sides] == ["model", "splats"]
    assert "halves" in left_out["unet"]
    assert "do not tile" in left_out["patches"]


def test_a_model_of_pixels_is_profiled_like_any_other():
    side = rival_side(SMALL[2], Canvas(16, 16, 1), ConditionSpec.of_classes(3), 1.0)
    pipeline = GaussianDiffusionPipeline(side.network.eval(), side.representation, Objective("flow").scheduler)
    sides, _ = comparison("patches", pipeline, ())
    (row,) = profile(sides, repeats=1)
    assert row.render_milliseconds == 0
    assert isinstance(side.representation, PixelRepresentation)


def test_progress_is_called_as_often_as_promised():
    sides, _ = comparison("model", make_pipeline(), SMALL[:1])
    calls = []
    profile(sides, batch_size=1, repeats=2, progress=lambda: calls.append(None))
    assert len(calls) == timed_works(sides, 2) == 9


def test_weights_of_rivals_are_the_seeds_and_leave_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    pipeline = make_pipeline()
    torch.manual_seed(1)
    first, again = (comparison("model", pipeline, SMALL[:1], seed=4)[0][1].network for _ in range(2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_published_networks_have_the_parameters_that_are_told_of_them():
    told = {"unet-paper": 39.9, "paper": 55, "paper-6": 41.6}
    with torch.device("meta"):  # shapes alone
        sides = {
            r.name: rival_side(r, Canvas(28, 28, 1), ConditionSpec.of_classes(10), 1.5)
            for r in RIVALS
            if not r.like_model
        }
    for rival in RIVALS:
        if not rival.like_model:
            side = sides[rival.name]
            assert parameter_count(side.network) / 1e6 == pytest.approx(told[rival.size], rel=0.01)
            assert side.passes == rival.steps
