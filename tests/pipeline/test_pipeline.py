"""The pipeline: a sample is its seed's and index's alone; refusals."""

from dataclasses import replace

import pytest
import torch
from small_pipelines import equal, make_pipeline

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.pipeline import GaussianDiffusion, GaussianDiffusionPipeline
from gaussiandiffusion.rendering import render


@pytest.fixture(scope="module")
def pipeline(strokes):
    return make_pipeline(strokes, num_inference_steps=3)


@pytest.mark.parametrize("scheduler", ["euler", "heun", "dpm++", "unipc", "few-step"])
def test_a_sample_does_not_depend_on_how_many_are_asked_for(pipeline, scheduler):
    swapped = pipeline.with_scheduler(scheduler)
    many = swapped(num_samples=10, class_labels=1, seed=5).splats
    assert equal(swapped(num_samples=1, class_labels=1, seed=5).splats, many[0])
    assert equal(swapped(num_samples=7, class_labels=1, seed=5).splats, many[:7])
    assert equal(swapped(num_samples=2, class_labels=1, seed=5, first_sample=8).splats, many[8:])
    assert not equal(swapped(num_samples=1, class_labels=1, seed=6).splats, many[0])


def test_step_noise_is_each_samples_own(strokes):
    stochastic = make_pipeline(strokes, prediction="epsilon").with_scheduler("ddpm")
    many = stochastic(num_samples=6, class_labels=0, num_inference_steps=4).splats
    assert equal(stochastic(num_samples=2, class_labels=0, num_inference_steps=4).splats, many[:2])
    implicit = stochastic.with_scheduler("ddim")
    still = implicit(num_samples=6, class_labels=0, num_inference_steps=4).splats
    noisy = implicit(num_samples=6, class_labels=0, num_inference_steps=4, eta=1.0).splats
    assert not equal(still, noisy)


def test_guidance_on_an_interval_is_guidance_there_and_none_elsewhere(strokes):
    pipeline = make_pipeline(strokes)
    torch.nn.init.normal_(pipeline.denoiser.final.weight, std=0.3)  # hears classes

    def sampled(scale, *interval):
        return pipeline(num_samples=4, num_inference_steps=2, guidance_scale=scale, guidance_interval=interval).splats

    widths = []
    hook = pipeline.denoiser.register_forward_pre_hook(lambda module, arguments: widths.append(len(arguments[0])))
    assert equal(sampled(2.0, 0.0, 1.0), sampled(2.0, 0.5, 1.0))  # at times 1 and 1/2
    assert equal(sampled(2.0, 0.0, 0.1), sampled(1.0, 0.0, 1.0))
    half = sampled(2.0, 0.0, 0.6)
    hook.remove()
    assert not equal(half, sampled(1.0, 0.0, 1.0))
    assert widths == [8, 8, 8, 8, 4, 4, 4, 4, 4, 8]  # a step without guidance takes half


def test_the_pictures_are_the_rendered_sets_at_any_size(pipeline):
    from gaussiandiffusion.rendering import render

    out = pipeline(num_samples=3, size=40)
    assert out.images.shape == (3, 1, 40, 40)
    torch.testing.assert_close(out.images, render(out.splats, 40), rtol=0, atol=1e-5)
    assert out.labels.tolist() == [0, 1, 2]
    assert pipeline(num_samples=2, output_type="pil").images[0].size == (16, 16)


def test_the_trajectory_runs_from_noise_to_the_result(pipeline):
    out = pipeline(num_samples=5, num_inference_steps=4, return_trajectory=True)
    assert len(out.trajectory) == 5
    assert equal(out.trajectory[-1], out.splats)
    assert pipeline(num_samples=1).trajectory is None


def test_half_precision_is_for_the_network_and_leaves_the_pictures():
    pipeline = GaussianDiffusionPipeline.from_pretrained("mnist-few")
    exact = pipeline(10, num_inference_steps=2)
    load = GaussianDiffusionPipeline.from_pretrained
    named = load("mnist-few", dtype=torch.bfloat16), load("mnist-few", torch_dtype=torch.bfloat16)
    for half in (*named, pipeline.to(torch.bfloat16)):
        assert half.denoiser.dtype == torch.bfloat16
        assert {part.dtype for part in half.representation.state_dict().values()} == {torch.float32}
        found = half(10, num_inference_steps=2)
        assert found.splats.means.dtype == torch.float32
        assert not torch.equal(found.images, exact.images)
        assert float((found.images - exact.images).abs().mean()) < 0.01


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"num_samples": 0}, "number of samples must be >= 1"),
        ({"class_labels": 3}, "unknown class '3'; known are 0, 1, 2"),
        ({"class_labels": [0, 1]}, "2 values of class were given for 1 samples"),
        ({"num_inference_steps": 0}, "steps must be >= 1, not 0"),
        ({"guidance_interval": (0.8, 0.2)}, "guidance_interval must be two shares"),
        ({"seed": -1}, "seed must be >= 0"),
        ({"eta": 0.5}, "eta is for the ddim scheduler only"),
        ({"output_type": "gif"}, "unknown output_type"),
        ({"guidance_scale": float("nan")}, "guidance scale must be a number"),
        ({"guidance_scale": float("inf")}, "guidance scale must be a number"),
        ({"guidance_interval": (0,)}, "two shares"),
        ({"num_samples": "2"}, "number of samples must be >= 1, not '2'"),
        ({"num_samples": 2.0}, "number of samples must be >= 1, not 2.0"),
        ({"num_inference_steps": 2.5}, "steps must be >= 1, not 2.5"),
        ({"seed": None}, "seed must be >= 0, not None"),
        ({"first_sample": -32}, "first_sample must be >= 0"),
        ({"size": 2.5}, "size must be a whole number"),
        ({"size": "8"}, "size must be a whole number"),
        ({"size": (8, 0)}, "size must be at least 1 pixel, not 0"),
        ({"weaker": "mnist"}, "weaker must be a pipeline, not 'mnist'"),
        ({"class_labels": 1.5}, "class is asked for by a name or a whole number, not 1.5"),
        ({"class_labels": [1.5]}, "class is asked for by a name or a whole number, not 1.5"),
        ({"class_labels": {1}}, "class is asked for by a name or a whole number"),
        ({"conditions": [3]}, r"conditions must be a mapping of attributes to values, not \[3\]"),
        ({"conditions": {"3": 3}}, "unknown attribute '3'; known are class"),
        ({"conditions": {3: 3}}, "attributes are known by names, not 3"),
        ({"conditions": {"class": iter([0])}}, "class is asked for by a name or a whole number"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_calls_are_refused(pipeline, arguments, complaint):
    with pytest.raises(InputError, match=complaint):
        pipeline(**arguments)


def test_what_a_call_gives_can_be_asked_for_again(pipeline):
    out = pipeline(num_samples=5, seed=2)
    for again in ({"class_labels": out.labels}, {"conditions": out.conditions}):
        assert torch.equal(pipeline(num_samples=5, seed=2, **again).images, out.images)


def test_gradients_flow_through_what_a_call_gives(pipeline):
    out = pipeline(num_samples=2)
    scale = torch.ones((), requires_grad=True)
    render(replace(out.splats, means=out.splats.means * scale), 16).sum().backward()
    assert scale.grad is not None
    assert out.images.mul_(0.5).requires_grad_().requires_grad


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"scheduler": "ddim"}, "scheduler must be a component, not its name"),
        ({"num_inference_steps": "x"}, "num_inference_steps: expected int"),
        ({"guidance_scale": float("nan")}, "guidance_scale: expected float"),
        ({"dtype": "bfloat16"}, "dtype must be one of PyTorch's"),
        ({"torch_dtype": 16}, "dtype must be one of PyTorch's"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_what_is_given_instead_of_saved_parts_is_checked(given, complaint):
    with pytest.raises(InputError, match=complaint):
        GaussianDiffusionPipeline.from_pretrained("mnist", **given)


def test_an_unconditional_model_takes_neither_label_nor_guidance(strokes):
    unconditional = make_pipeline(strokes, num_classes=0)
    assert unconditional(num_samples=2).labels is None
    with pytest.raises(InputError, match="unconditional; leave the class label out"):
        unconditional(class_labels=0)
    with pytest.raises(InputError, match="guidance needs a class-conditional model"):
        unconditional(guidance_scale=2.0)
    plain, away = (
        unconditional(num_samples=2, **extra).images for extra in ({}, {"guidance_scale": 2.0, "weaker": unconditional})
    )
    torch.testing.assert_close(away, plain)  # away from itself leads nowhere


def test_a_failing_callback_ends_the_call_at_once(pipeline):
    told = []

    def callback(state):
        told.append(state.first)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline(num_samples=80, num_inference_steps=3, callback=callback)
    assert len(told) < 20  # one a chunk that had begun


def test_diffusers_knows_the_pipeline_as_one_of_its_own(pipeline, tmp_path):
    from diffusers import DiffusionPipeline

    assert isinstance(pipeline, DiffusionPipeline)
    assert set(pipeline.components) == {"denoiser", "representation", "scheduler"}
    assert '"num_inference_steps": 3' in repr(pipeline)
    assert pipeline.dtype == torch.float32
    assert pipeline.device == torch.device("cpu")
    plain = GaussianDiffusion(**pipeline.components, num_inference_steps=3, chunk_size=4)
    assert not isinstance(plain, DiffusionPipeline)
    assert plain.config == pipeline.config
    assert torch.equal(plain(3).images, pipeline(3).images)
    for model in (plain, pipeline):
        model.save_pretrained(tmp_path / type(model).__name__)
    texts = [(tmp_path / type(model).__name__ / "model_index.json").read_text() for model in (plain, pipeline)]
    assert texts[0] == texts[1]


def test_outputs_are_taken_by_name_or_place_as_diffusers_are(pipeline):
    out = pipeline(num_samples=2)
    assert out["images"] is out[0] is out.images
    assert out.to_tuple()[1] is out.splats
    assert len(out.to_tuple()) == 4  # no trajectory


@pytest.mark.parametrize(("native", "slower", "expected"), [(False, 1.0, "no"), (True, 3.0, "no"), (True, 0.1, "bf16")])
def test_sampling_takes_bfloat16_only_where_it_is_native_and_faster(pipeline, monkeypatch, native, slower, expected):
    from gaussiandiffusion.models import precision
    from gaussiandiffusion.pipeline.precision import faster_for_sampling

    clock, passes = [0.0], []
    monkeypatch.setattr(precision.time, "perf_counter", lambda: clock[0])

    def forward(module, arguments):
        half = torch.is_autocast_enabled("cpu")
        passes.append(half)
        clock[0] += 0.01 * (slower if half else 1)

    monkeypatch.setattr(precision, "multiplies_bf16", lambda device: native)
    hook = pipeline.denoiser.register_forward_pre_hook(forward)
    found = faster_for_sampling(pipeline.denoiser, pipeline.representation, pipeline.chunk_size)
    assert found.precision == expected
    hook.remove()
    assert bool(passes) == native
